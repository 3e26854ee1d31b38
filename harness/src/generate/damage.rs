//! Members dropped, retyped and replaced.

use arbitrary::{Result, Unstructured};
use serde_json::{Value as Json, json};

use super::{once_in, text};

/// Strings that mean something to somebody.
pub(super) const WORDS: &[&str] = &[
    "",
    "a",
    "1",
    "2.0",
    "null",
    "2024-11-05",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
    "1900-01-01",
    "memo:///readme",
    "http://[",
    "complete",
    "input_required",
    "task",
    "text",
    "object",
    "__proto__",
    "../../etc/passwd",
    "\u{0}",
    "\u{202e}\u{fffd}\u{10ffff}",
    "${id}",
    "#/$defs/a",
    "AA=",
];

/// Takes up to this many members and values apart.
pub(super) fn damage(u: &mut Unstructured<'_>, value: &mut Json, times: usize) -> Result<()> {
    for _ in 0..times {
        wound(u, value)?;
    }
    Ok(())
}

/// Walks down by chance and changes what it ends at.
fn wound(u: &mut Unstructured<'_>, value: &mut Json) -> Result<()> {
    let here = once_in(u, 4)?;
    match value {
        Json::Object(members) if !here && !members.is_empty() => {
            let index = u.choose_index(members.len())?;
            let Some(key) = members.keys().nth(index).cloned() else { return Ok(()) };
            if once_in(u, 5)? {
                let gone = members.remove(&key);
                if u.arbitrary()? {
                    let name = (*u.choose(WORDS)?).to_owned();
                    members.extend(gone.map(|gone| (name, gone)));
                }
                return Ok(());
            }
            members.get_mut(&key).map_or(Ok(()), |inner| wound(u, inner))
        }
        Json::Array(items) if !here && !items.is_empty() => {
            let index = u.choose_index(items.len())?;
            if once_in(u, 5)? {
                let again = items[index].clone();
                items.push(again);
                return Ok(());
            }
            wound(u, &mut items[index])
        }
        _ => {
            *value = anything(u, Some(value), 3)?;
            Ok(())
        }
    }
}

/// Any value: something near the old one, or something else altogether.
pub(super) fn anything(u: &mut Unstructured<'_>, old: Option<&Json>, depth: usize) -> Result<Json> {
    let inner = old.cloned().unwrap_or(Json::Null);
    Ok(match u.int_in_range(0..=9)? {
        0 => Json::Null,
        1 => Json::Bool(u.arbitrary()?),
        2 => number(u)?,
        3 | 4 => json!(u.choose(WORDS)?),
        5 => json!(text(u, 12)?),
        6 => json!([inner]),
        7 => json!({"a": inner}),
        8 if depth > 0 => json!([anything(u, None, depth - 1)?, anything(u, None, depth - 1)?]),
        9 if depth > 0 => json!({*u.choose(WORDS)?: anything(u, None, depth - 1)?}),
        _ => json!({}),
    })
}

fn number(u: &mut Unstructured<'_>) -> Result<Json> {
    Ok(match u.int_in_range(0..=5)? {
        0 => json!(u.int_in_range(-2_i64..=9)?),
        1 => json!(u.arbitrary::<i64>()?),
        2 => json!(u64::MAX),
        3 => json!(9_007_199_254_740_993_i64),
        4 => json!(u.int_in_range(0_i32..=8)? as f64 / 4.0),
        _ => json!(u.arbitrary::<f64>()?),
    })
}
