//! Arguments that a tool wants in header lines too: the annotation `x-mcp-header` of 2026-07-28.

use serde_json::Value as Json;

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
