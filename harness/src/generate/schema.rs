//! Input schemas of tools: mostly sound ones, some of them recursive or nonsense.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value as Json, json};

use super::damage::{WORDS, anything, damage};
use super::{few, once_in};

/// Names of members, few so that keywords meet.
const NAMES: &[&str] = &["a", "b", "c", "a/b~", ""];

/// A schema for the arguments of a tool.
///
/// # Errors
///
/// None that comes up: generators go on with zeros.
pub fn schema(u: &mut Unstructured<'_>) -> Result<Json> {
    let mut root = node(u, 4)?;
    if let Some(root) = root.as_object_mut() {
        if !once_in(u, 8)? {
            root.insert("type".to_owned(), json!("object"));
        }
        let mut definitions = Map::new();
        for _ in 0..few(u, 4)? {
            definitions.insert((*u.choose(NAMES)?).to_owned(), node(u, 2)?);
        }
        root.insert("$defs".to_owned(), Json::Object(definitions));
    }
    if once_in(u, 4)? {
        damage(u, &mut root, 3)?;
    }
    Ok(root)
}

fn node(u: &mut Unstructured<'_>, depth: usize) -> Result<Json> {
    if depth == 0 || once_in(u, 12)? {
        return Ok(if u.arbitrary()? { json!({}) } else { json!(u.arbitrary::<bool>()?) });
    }
    let mut schema = Map::new();
    for _ in 0..=few(u, 6)? {
        let (key, value) = keyword(u, depth - 1)?;
        schema.insert(key.to_owned(), value);
    }
    Ok(Json::Object(schema))
}

fn keyword(u: &mut Unstructured<'_>, depth: usize) -> Result<(&'static str, Json)> {
    const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean", "null", "thing"];
    Ok(match u.int_in_range(0..=15)? {
        0 | 1 => ("type", json!(u.choose(TYPES)?)),
        2 => ("type", json!([u.choose(TYPES)?, u.choose(TYPES)?])),
        3 | 4 => ("properties", members(u, depth)?),
        5 => ("required", json!([u.choose(NAMES)?, u.choose(NAMES)?])),
        6 => ("items", node(u, depth)?),
        7 => (*u.choose(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])?, bound(u)?),
        8 => {
            (*u.choose(&["minLength", "maxLength", "minItems", "maxItems", "minProperties", "minContains"])?, bound(u)?)
        }
        9 => ("enum", json!([anything(u, None, 1)?, anything(u, None, 1)?])),
        10 => (*u.choose(&["const", "default", "examples"])?, anything(u, None, 2)?),
        11 => {
            let branches = [node(u, depth)?, node(u, depth)?];
            (*u.choose(&["anyOf", "oneOf", "allOf", "prefixItems"])?, json!(branches))
        }
        12 => {
            let name = u.choose(NAMES)?.replace('~', "~0").replace('/', "~1");
            let root = once_in(u, 4)?;
            ("$ref", json!(if root { "#".to_owned() } else { format!("#/$defs/{name}") }))
        }
        13 => (*u.choose(&["additionalProperties", "unevaluatedProperties", "contains"])?, node(u, depth.min(1))?),
        14 => (
            *u.choose(&["pattern", "format", "$anchor", "$id", "$schema", "$dynamicRef"])?,
            json!(if u.arbitrary()? {
                u.choose(WORDS)?
            } else {
                u.choose(&["date", "email", "uri", "^a+$", "(a+)+$", "#a"])?
            }),
        ),
        _ => (
            *u.choose(&["uniqueItems", "dependentRequired", "not", "if", "then", "else"])?,
            if u.arbitrary()? { json!(true) } else { json!({"a": ["b"], "b": ["a", "c"]}) },
        ),
    })
}

fn members(u: &mut Unstructured<'_>, depth: usize) -> Result<Json> {
    let mut members = Map::new();
    for _ in 0..=few(u, 4)? {
        members.insert((*u.choose(NAMES)?).to_owned(), node(u, depth)?);
    }
    Ok(Json::Object(members))
}

fn bound(u: &mut Unstructured<'_>) -> Result<Json> {
    let bounds = [json!(0), json!(1), json!(3), json!(-1), json!(0.5), json!(1e300), json!(u64::MAX), json!(i64::MIN)];
    Ok(u.choose(&bounds)?.clone())
}
