//! Arguments that a tool wants in header lines too: the annotation `x-mcp-header` of 2026-07-28.

use serde_json::{Map, Value as Json, json};

use crate::arguments;
use crate::script::Mirrored;
use crate::wire::{Kind, Value};

/// The deepest property that is looked at.
const DEEPEST: usize = 32;

/// Where a property stands in the arguments, and the name that its header line ends with.
pub(super) type Annotation = (Vec<String>, String);

/// The annotations of a tool as it was listed; those that no client can follow are left out.
pub(super) fn annotations(tool: &Json) -> Vec<Annotation> {
    let mut found = Vec::new();
    if let Some(schema) = tool.get("inputSchema") {
        collect(schema, &mut Vec::new(), &mut found);
    }
    found
}

fn collect(schema: &Json, path: &mut Vec<String>, found: &mut Vec<Annotation>) {
    if path.len() >= DEEPEST {
        return;
    }
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Json::as_str)
            && is_token(header)
        {
            found.push((path.clone(), header.to_owned()));
        }
        collect(property, path, found);
        path.pop();
    }
}

/// Whether a text can be part of a header's name.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The names and values that a call's arguments lead to.
pub(super) fn lines(annotations: &[Annotation], params: Option<Value<'_>>) -> Vec<(String, String)> {
    let Some(arguments) = params.and_then(|params| params.member("arguments")) else { return Vec::new() };
    annotations
        .iter()
        .filter_map(|(path, name)| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            Some((name.clone(), text_of(arguments.path(&path)?)?))
        })
        .collect()
}

fn text_of(value: Value<'_>) -> Option<String> {
    match value.kind() {
        Kind::String => value.as_str().map(|text| text.into_owned()),
        Kind::Number => Some(value.raw().to_owned()),
        Kind::Bool => value.as_bool().map(|truth| truth.to_string()),
        _ => None,
    }
}

/// The arguments of a tool with those that it wants in header lines varied; none if there is nothing to vary so.
pub(super) fn varied(tool: &Json, mut own: Map<String, Json>, how: Option<Mirrored>) -> Option<Map<String, Json>> {
    let schema = &tool["inputSchema"];
    let mut found = annotations(tool);
    if found.is_empty() {
        return None;
    }
    found.sort();
    let how = how.unwrap_or(Mirrored::One);
    let of_type = |kind: &str| found.iter().position(|(path, _)| property(schema, path)["type"] == kind);
    let first = match how {
        Mirrored::One => Some(0),
        Mirrored::Text => Some(of_type("string")?),
        Mirrored::Integer | Mirrored::Fraction => Some(of_type("integer")?),
        Mirrored::Absent | Mirrored::Null => None,
    };
    for (index, (path, _)) in found.iter().enumerate() {
        if Some(index) == first {
            let value = match how {
                Mirrored::Integer => Some(json!(42)),
                Mirrored::Fraction => Some(json!(42.0)),
                _ => at(&mut own, path).and_then(|(parent, name)| parent.get(name).cloned()),
            };
            let value = value.filter(|value| !value.is_null()).or_else(|| any_value(property(schema, path)))?;
            let (parent, name) = at(&mut own, path)?;
            parent.insert(name.to_owned(), value);
        } else if !is_required(schema, path) {
            if how == Mirrored::Null {
                let (parent, name) = at(&mut own, path)?;
                parent.insert(name.to_owned(), Json::Null);
            } else {
                remove(&mut own, path);
            }
        }
    }
    Some(own)
}

fn property<'s>(schema: &'s Json, path: &[String]) -> &'s Json {
    path.iter().fold(schema, |schema, name| &schema["properties"][name])
}

fn is_required(schema: &Json, path: &[String]) -> bool {
    let Some((name, parents)) = path.split_last() else { return false };
    let required = &property(schema, parents)["required"];
    required.as_array().is_some_and(|required| required.iter().any(|known| known == name))
}

/// A value that a schema allows.
fn any_value(schema: &Json) -> Option<Json> {
    let whole = json!({"type": "object", "properties": {"x": schema}, "required": ["x"]});
    arguments::valid(&whole)?.remove("x")
}

fn remove(own: &mut Map<String, Json>, path: &[String]) {
    match path {
        [] => {}
        [name] => {
            own.remove(name);
        }
        [parent, rest @ ..] => {
            if let Some(object) = own.get_mut(parent).and_then(Json::as_object_mut) {
                remove(object, rest);
            }
        }
    }
}

/// The object that has or would have what a path leads to, and the last name.
fn at<'o, 'p>(own: &'o mut Map<String, Json>, path: &'p [String]) -> Option<(&'o mut Map<String, Json>, &'p str)> {
    let (name, parents) = path.split_last()?;
    let mut object = own;
    for parent in parents {
        object = object.entry(parent.clone()).or_insert_with(|| json!({})).as_object_mut()?;
    }
    Some((object, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::Document;

    #[test]
    fn values_are_found_by_their_path() {
        let tool = json!({"inputSchema": {"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
            "absent": {"type": "string", "x-mcp-header": "Absent"},
            "null": {"type": "string", "x-mcp-header": "Null"},
            "bad": {"type": "string", "x-mcp-header": "a b"},
        }}});
        let text = r#"{"arguments":{"region":"eu","deep":{"n":42},"null":null,"bad":"x"}}"#;
        let document = Document::parse(text).unwrap();
        let mut found = lines(&annotations(&tool), Some(document.root(text)));
        found.sort();
        assert_eq!(found, [("N".to_owned(), "42".to_owned()), ("Region".to_owned(), "eu".to_owned())]);
    }
}
