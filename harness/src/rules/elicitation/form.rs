//! The schemas of forms, and what was filled in.

use super::UNTESTED;
use crate::revision::{Revision, Revisions, Side};
use crate::rules::capability::questions;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::wire::Value;

pub(super) static SCHEMA_FLAT: Rule = Rule {
    id: "elicitation.schema-flat",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#requested-schema",
    requires: "A form asks for a flat object of strings, numbers, booleans and choices.",
    judged: "The schema has the type object, and each property the type string, number, integer or boolean; since 2025-11-25 \
             an array of choices too. Keywords beyond that, such as pattern, are fine. A property without a type is a warning \
             if it lists its values, or primitive alternatives.",
    untested: UNTESTED,
    judge: schema_flat,
};

fn schema_flat(view: View<'_>) -> Verdict {
    questions(view)
        .into_iter()
        .filter(|question| question.is("elicitation/create"))
        .filter(|question| question.param("mode").is_none_or(|mode| !mode.is("url")))
        .filter_map(|question| {
            let schema = question.param("requestedSchema").filter(|schema| schema.is_object())?;
            Some(match flaw(view.revision(), schema) {
                None => Ok(()),
                Some(Flaw::Wrong(what)) => Err(Breach::at(question.message, what)),
                Some(Flaw::Unusual(what)) => Err(Breach::at(question.message, what).as_warning()),
            })
        })
        .collect()
}

enum Flaw {
    Wrong(String),
    Unusual(String),
}

fn flaw(revision: Revision, schema: Value<'_>) -> Option<Flaw> {
    let wrong = |what: String| Some(Flaw::Wrong(what));
    match schema.member("type") {
        Some(kind) if kind.is("object") => {}
        Some(kind) => return wrong(format!("asks by a form of the type {}", kind.brief())),
        None => return wrong("asks by a form without a type".to_owned()),
    }
    let Some(properties) = schema.member("properties").filter(|properties| properties.is_object()) else {
        return wrong("asks by a form without the object properties".to_owned());
    };
    let mut unusual = None;
    for (name, property) in properties.members() {
        let name: String = name.chars().take(80).collect();
        match kind(revision, property) {
            Kind::Primitive => {}
            Kind::Perhaps => unusual = Some(Flaw::Unusual(format!("asks for {name:?} without saying its type"))),
            Kind::Other => return wrong(format!("asks for {name:?} by {}", property.brief())),
        }
    }
    unusual
}

/// What a property asks for.
enum Kind {
    Primitive,
    /// Something primitive, though not in the words of the schema.
    Perhaps,
    Other,
}

fn kind(revision: Revision, property: Value<'_>) -> Kind {
    let primitive = |kind: Value<'_>| ["string", "number", "integer", "boolean"].iter().any(|known| kind.is(known));
    match property.member("type") {
        Some(kind) if primitive(kind) => Kind::Primitive,
        Some(kind) if kind.is("array") && revision >= Revision::V2025_11_25 => {
            let items = property.member("items");
            let choices = |items: Value<'_>| ["enum", "anyOf", "oneOf"].iter().any(|key| items.member(key).is_some());
            if items.is_some_and(choices) { Kind::Primitive } else { Kind::Other }
        }
        Some(_) => Kind::Other,
        None => {
            let alternatives = property.member("anyOf").or_else(|| property.member("oneOf"));
            let plain = |one: Value<'_>| {
                one.member("const").is_some()
                    || one.member("type").is_some_and(|kind| primitive(kind) || kind.is("null"))
            };
            let listed = property.member("enum").is_some() || property.member("const").is_some();
            let plain = alternatives.is_some_and(|all| all.is_array() && !all.is_empty() && all.items().all(plain));
            if listed || plain { Kind::Perhaps } else { Kind::Other }
        }
    }
}

/// The text of a value that was filled in and that the form does not allow; an empty one for what is missing.
pub(super) fn misfilled<'s>(schema: Value<'_>, content: Option<Value<'s>>) -> Option<&'s str> {
    let Some(content) = content.filter(|content| content.is_object()) else { return Some("") };
    let properties = schema.member("properties")?;
    let odd = content
        .members()
        .find(|(name, value)| properties.member(name).is_some_and(|property| !allows(property, *value)));
    if let Some((_, value)) = odd {
        return Some(value.raw());
    }
    let mut required = schema.member("required").into_iter().flat_map(Value::items).filter_map(Value::as_str);
    required.any(|name| content.member(&name).is_none()).then_some("")
}

/// Whether a property of the plain kinds allows a value; everything goes for others.
fn allows(property: Value<'_>, value: Value<'_>) -> bool {
    let Some(kind) = property.member("type") else { return true };
    let typed = (kind.is("string") && value.is_string())
        || (kind.is("boolean") && value.is_bool())
        || (kind.is("number") && value.is_number())
        || (kind.is("integer") && value.is_integral());
    let plain = ["string", "boolean", "number", "integer"].iter().any(|known| kind.is(known));
    let chosen = property.member("enum").is_none_or(|choices| choices.items().any(|choice| choice.same(value)));
    !plain || (typed && chosen)
}
