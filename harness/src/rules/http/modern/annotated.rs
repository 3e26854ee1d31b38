//! The annotation `x-mcp-header` in the schema of a tool's arguments.

use crate::wire::Value;

/// The name of the annotation.
const ANNOTATION: &str = "x-mcp-header";
/// More schemas of one tool are not looked at.
const MOST: usize = 10_000;

/// Keywords whose value is a schema, and those whose value is an array or an object of schemas.
static SCHEMA: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
static ARRAY: &[&str] = &["allOf", "anyOf", "items", "oneOf", "prefixItems"];
static OBJECT: &[&str] = &["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/// An annotation where it stands.
#[derive(Clone, Debug)]
pub(in crate::rules::http) struct Annotation {
    /// The properties that lead to it from the root of the arguments; of one that nothing but properties lead to.
    pub(in crate::rules::http) path: Vec<String>,
    /// The name that the header line ends with.
    pub(in crate::rules::http) header: String,
    /// What is wrong with it.
    pub(in crate::rules::http) fault: Option<&'static str>,
}

/// A schema on the way: how it was reached, and whether by `properties` alone.
struct Place<'s> {
    schema: Value<'s>,
    path: Vec<String>,
    is_reachable: bool,
}

/// Every annotation in the schema of a tool's arguments, in a fixed order.
pub(in crate::rules::http) fn annotations(schema: Value<'_>) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = Vec::new();
    let mut places = vec![Place { schema, path: Vec::new(), is_reachable: true }];
    let mut seen = 0;
    while let Some(place) = places.pop() {
        seen += 1;
        if seen > MOST {
            break;
        }
        if let Some(value) = place.schema.member(ANNOTATION) {
            let header = value.as_str().map(|text| text.into_owned()).unwrap_or_default();
            let fault = fault(&place, value, &header);
            found.push(Annotation { path: place.path.clone(), header, fault });
        }
        for (key, value) in place.schema.members() {
            let key = &*key;
            let by_properties = key == "properties" && place.is_reachable;
            if OBJECT.contains(&key) && value.is_object() {
                places.extend(value.members().map(|(name, schema)| Place {
                    schema,
                    path: place.path.iter().cloned().chain([name.into_owned()]).collect(),
                    is_reachable: by_properties,
                }));
            } else if ARRAY.contains(&key) && value.is_array() {
                places.extend(value.items().map(|schema| Place { schema, path: Vec::new(), is_reachable: false }));
            } else if SCHEMA.contains(&key) && value.is_object() {
                places.push(Place { schema: value, path: Vec::new(), is_reachable: false });
            }
        }
    }
    let names: Vec<String> = found.iter().map(|annotation| annotation.header.to_ascii_lowercase()).collect();
    for (annotation, name) in found.iter_mut().zip(&names) {
        if annotation.fault.is_none() && names.iter().filter(|other| *other == name).count() > 1 {
            annotation.fault = Some("uses a name for a header line twice");
        }
    }
    found
}

fn fault(place: &Place<'_>, value: Value<'_>, header: &str) -> Option<&'static str> {
    if !value.is_string() {
        return Some("gives a header line a name that is no string");
    }
    if header.is_empty() {
        return Some("gives a header line an empty name");
    }
    if !header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Some("gives a header line a name that is no token");
    }
    if place.path.is_empty() && place.is_reachable {
        return Some("wants the whole arguments in a header line");
    }
    if !place.is_reachable {
        return Some("wants in a header line what not only properties lead to");
    }
    (!is_primitive(place.schema)).then_some("wants in a header line what is no integer, string or boolean")
}

/// Whether a schema does not say that its value may be something other than an integer, a string, a boolean or null.
fn is_primitive(schema: Value<'_>) -> bool {
    let allowed = |kind: Value<'_>| ["integer", "string", "boolean", "null"].iter().any(|known| kind.is(known));
    match schema.member("type") {
        Some(kinds) if kinds.is_array() => kinds.items().all(allowed),
        Some(kind) => allowed(kind) && !kind.is("null"),
        None => true,
    }
}
