//! A form, filled in as its schema says.

use serde_json::{Value, json};

use crate::reference::message::Object;
use crate::schema::{Dialect, Outcome, Reading};

/// The most members that are filled in.
const MOST: usize = 200;
/// The longest text that is made up, in characters.
const LONGEST: u64 = 10_000;

/// Content that fits the schema; `None` if none is found.
pub(super) fn filled(schema: &Value, everything: bool) -> Option<Value> {
    let none = Object::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if properties.len() > MOST || required.iter().any(|name| !properties.contains_key(*name)) {
        return None;
    }
    let mut content = Object::new();
    for (name, property) in properties {
        let is_required = required.contains(&name.as_str());
        if let Some(default) = property.get("default").filter(|default| is_flat(default)) {
            content.insert(name.clone(), default.clone());
        } else if is_required || everything {
            match value(property) {
                Some(value) => {
                    content.insert(name.clone(), value);
                }
                None if is_required => return None,
                None => {}
            }
        }
    }
    let content = Value::Object(content);
    let read = Reading::of(&schema.to_string(), Dialect::Draft2020_12);
    (read.schema().ok()?.check(&content) == Outcome::Valid).then_some(content)
}

/// Whether a value may stand in a form.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_string),
        Value::Object(_) | Value::Null => false,
        _ => true,
    }
}

fn value(property: &Value) -> Option<Value> {
    if let Some(choice) = choices(property).next() {
        return Some(choice.clone());
    }
    match property["type"].as_str()? {
        "boolean" => Some(json!(true)),
        "integer" => Some(json!(number(property).ceil() as i64)),
        "number" => Some(json!(number(property))),
        "string" => text(property),
        "array" => {
            let least = property["minItems"].as_u64().unwrap_or(1).max(1);
            let items: Vec<_> = choices(&property["items"]).take(usize::try_from(least).ok()?).cloned().collect();
            (items.len() as u64 == least).then_some(Value::Array(items))
        }
        _ => None,
    }
}

/// The values of an enumeration, titled or not.
fn choices(property: &Value) -> impl Iterator<Item = &Value> {
    let plain = property["enum"].as_array().into_iter().flatten();
    let titled = ["oneOf", "anyOf"].into_iter().filter_map(|key| property[key].as_array()).flatten();
    plain.chain(titled.filter_map(|choice| choice.get("const")))
}

fn number(property: &Value) -> f64 {
    let bound = |key: &str| property[key].as_f64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), _) => least.max(0.0).min(bound("maximum").unwrap_or(f64::MAX)),
        (None, Some(most)) => most.min(1.0),
        (None, None) => 1.0,
    }
}

fn text(property: &Value) -> Option<Value> {
    let mut text = match property["format"].as_str() {
        Some("email") => "ada@example.com",
        Some("uri") => "https://example.com/ada",
        Some("date") => "2026-07-28",
        Some("date-time") => "2026-07-28T12:00:00Z",
        _ => "Ada",
    }
    .to_owned();
    let least = property["minLength"].as_u64().unwrap_or(0).min(LONGEST);
    let most = usize::try_from(property["maxLength"].as_u64().unwrap_or(LONGEST)).ok()?;
    while (text.chars().count() as u64) < least {
        text.push('a');
    }
    Some(text.chars().take(most).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(properties: Value, required: &[&str]) -> Option<Value> {
        filled(&json!({"type": "object", "properties": properties, "required": required}), false)
    }

    #[test]
    fn defaults_and_required_members_are_filled_in() {
        let properties = json!({
            "name": {"type": "string", "minLength": 5},
            "mail": {"type": "string", "format": "email"},
            "age": {"type": "integer", "minimum": 18},
            "news": {"type": "boolean", "default": false},
            "colour": {"type": "string", "oneOf": [{"const": "red", "title": "Red"}]},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 2},
            "optional": {"type": "string"},
        });
        let content = fill(properties, &["name", "mail", "age", "colour", "tags"]).unwrap();
        let expected = json!({
            "name": "Adaaa", "mail": "ada@example.com", "age": 18, "news": false, "colour": "red", "tags": ["a", "b"],
        });
        assert_eq!(content, expected);
    }

    #[test]
    fn what_cannot_be_filled_in_is_not() {
        assert_eq!(fill(json!({"a": {"type": "string", "pattern": "^[0-9]{9}$"}}), &["a"]), None);
        assert_eq!(fill(json!({"a": {"type": "object"}}), &["a"]), None);
        assert_eq!(fill(json!({}), &["a"]), None);
        assert_eq!(fill(json!({"a": {"$ref": "#/properties/a"}}), &["a"]), None);
    }
}
