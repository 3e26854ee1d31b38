//! Arguments that a tool wants repeated in header lines, by the annotation `x-mcp-header` in its schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The annotation.
const ANNOTATION: &str = "x-mcp-header";
/// What an encoded value begins and ends with.
const MARKS: (&str, &str) = ("=?base64?", "?=");
/// The members of a schema that hold values of arguments, not schemas.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];
/// The members that hold schemas by names that mean nothing here.
const NAMED: [&str; 4] = ["$defs", "definitions", "dependentSchemas", "patternProperties"];

/// An argument that is repeated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mirror {
    /// The properties that lead to it.
    path: Vec<String>,
    /// What its header line is called behind `Mcp-Param-`.
    name: String,
}

impl Mirror {
    /// The name of the header line.
    pub(super) fn header(&self) -> String {
        format!("Mcp-Param-{}", self.name)
    }

    /// The text of the argument; none where there is no argument.
    pub(super) fn text(&self, arguments: &Value) -> Option<String> {
        let value = self.path.iter().try_fold(arguments, |value, step| value.get(step))?;
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) => (float.fract() == 0.0).then(|| format!("{float:.0}")),
                None => Some(number.to_string()),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The arguments that a tool wants repeated, or why its annotations are invalid.
pub(super) fn read(schema: &Value) -> Result<Vec<Mirror>, String> {
    let mut found = Vec::new();
    visit(schema, Some(&[]), &mut found)?;
    for (position, mirror) in found.iter().enumerate() {
        if found[..position].iter().any(|other: &Mirror| other.name.eq_ignore_ascii_case(&mirror.name)) {
            return Err(format!("its header {} is there twice", mirror.name));
        }
    }
    Ok(found)
}

/// Looks through a schema to which these properties lead, if nothing but properties does.
fn visit(schema: &Value, path: Option<&[String]>, found: &mut Vec<Mirror>) -> Result<(), String> {
    let Value::Object(members) = schema else { return Ok(()) };
    if let Some(annotation) = members.get(ANNOTATION) {
        found.push(annotated(annotation, members.get("type"), path)?);
    }
    for (key, value) in members {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    let below = path.map(|path| [path, std::slice::from_ref(name)].concat());
                    visit(property, below.as_deref(), found)?;
                }
            }
            (key, Value::Object(schemas)) if NAMED.contains(&key) => {
                schemas.values().try_for_each(|schema| visit(schema, None, found))?;
            }
            (key, _) if VALUES.contains(&key) => {}
            (_, Value::Array(schemas)) => schemas.iter().try_for_each(|schema| visit(schema, None, found))?,
            (_, schema) => visit(schema, None, found)?,
        }
    }
    Ok(())
}

fn annotated(annotation: &Value, kind: Option<&Value>, path: Option<&[String]>) -> Result<Mirror, String> {
    let name = annotation.as_str().ok_or("the name of its header is no string")?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("its header {name:?} cannot be called so"));
    }
    let path = path.filter(|path| !path.is_empty()).ok_or_else(|| format!("its header {name} is no property's"))?;
    let is_primitive = |kind: &Value| ["integer", "string", "boolean"].iter().any(|known| kind == known);
    let fits = match kind {
        None => true,
        // A null is left out.
        Some(Value::Array(kinds)) => kinds.iter().all(|kind| is_primitive(kind) || kind == "null"),
        Some(kind) => is_primitive(kind),
    };
    if !fits {
        return Err(format!("its header {name} is no string, integer or boolean"));
    }
    Ok(Mirror { path: path.to_vec(), name: name.to_owned() })
}

/// A text as it may stand in a header line: as it is, or encoded.
pub(super) fn encoded(text: &str) -> String {
    let is_visible = text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if is_visible && text.trim_matches([' ', '\t']) == text && !text.starts_with(MARKS.0) {
        return text.to_owned();
    }
    format!("{}{}{}", MARKS.0, STANDARD.encode(text), MARKS.1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn annotations_are_found_where_only_properties_lead() {
        let schema = json!({"type": "object", "properties": {
            "place": {"type": "string", "x-mcp-header": "Place"},
            "inner": {"type": "object", "properties": {"count": {"type": ["integer", "null"], "x-mcp-header": "Count"}}},
            "x-mcp-header": {"type": "string", "default": {"x-mcp-header": ""}},
        }});
        let mirrors = read(&schema).unwrap();
        let mut headers: Vec<_> = mirrors.iter().map(Mirror::header).collect();
        headers.sort_unstable();
        assert_eq!(headers, ["Mcp-Param-Count", "Mcp-Param-Place"]);
        let text = |arguments: Value| mirrors.iter().filter_map(|mirror| mirror.text(&arguments)).collect::<Vec<_>>();
        assert_eq!(text(json!({"place": "a", "inner": {"count": null}})), ["a"]);
        assert_eq!(text(json!({"inner": {"count": 42.0}})), ["42"]);
    }

    #[test]
    fn invalid_annotations_are_noticed() {
        let property = |property: Value| json!({"type": "object", "properties": {"a": property}});
        let invalid = [
            property(json!({"type": "string", "x-mcp-header": ""})),
            property(json!({"type": "string", "x-mcp-header": "a b"})),
            property(json!({"type": "string", "x-mcp-header": 1})),
            property(json!({"type": "number", "x-mcp-header": "A"})),
            property(json!({"oneOf": [{"type": "string", "x-mcp-header": "A"}]})),
            property(json!({"type": "array", "items": {"type": "string", "x-mcp-header": "A"}})),
            json!({"type": "object", "x-mcp-header": "A"}),
            json!({"$defs": {"a": {"properties": {"b": {"type": "string", "x-mcp-header": "A"}}}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}}}),
        ];
        for schema in invalid {
            assert!(read(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn values_are_encoded_where_they_must_be() {
        assert_eq!(encoded("us-west 1"), "us-west 1");
        assert_eq!(encoded("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
        assert_eq!(encoded(" padded "), "=?base64?IHBhZGRlZCA=?=");
        assert_eq!(encoded("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
        assert_eq!(encoded("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    }
}
