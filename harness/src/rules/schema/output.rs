//! How a client reads the schemas of its tools: seen in the tools that it keeps, and in the structured content that it
//! gives its user or refuses.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::client::{is_costly, refers_elsewhere, tools};
use super::{NEWER, REFERENCE, is_nowhere};
use crate::rules::tools::client::{complains, described};
use crate::rules::{Breach, Check, Verdict, errand, probe};
use crate::schema::{Declared, Dialect, Outcome, Reading, Shelf};
use crate::session::user::Said;
use crate::session::{Message, Speaker, View};
use crate::transcript::Intent;
use crate::wire::Value;

/// Structured content that a client got from a tool with an output schema, and what it made of it.
struct Delivery<'s> {
    schema: Value<'s>,
    content: Json,
    answer: &'s Message<'s>,
    came: &'s Said,
    taken: Taken,
}

/// What a client made of structured content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Taken {
    /// It gave it to its user as if nothing were wrong.
    Given,
    /// It gave it, and complained of something.
    Doubted,
    /// It failed.
    Refused,
}

impl Delivery<'_> {
    fn breach(&self, what: String) -> Check {
        Err(Breach::at_entry(self.came.entry, what).after(self.answer))
    }
}

fn deliveries<'s>(view: View<'s>) -> Vec<Delivery<'s>> {
    let calls = view.exchanges_by(Speaker::Subject).filter(|exchange| exchange.is("tools/call"));
    calls
        .filter_map(|call| {
            let result = call.result().filter(|result| probe::is_final(view.revision(), *result))?;
            let failed = result.member("isError").and_then(Value::as_bool) == Some(true);
            let content = result.member("structuredContent").filter(|_| !failed)?.to_tree()?;
            let schema = described(view, call)?.member("outputSchema").filter(|schema| schema.is_object())?;
            let (wish, answer) = (errand::of(view, call)?, call.answer()?);
            let came = wish.came.as_ref().filter(|_| !wish.is_unsupported())?;
            let taken = match (wish.is_fulfilled(), complains(view, answer)) {
                (false, _) => Taken::Refused,
                (true, true) => Taken::Doubted,
                (true, false) => Taken::Given,
            };
            Some(Delivery { schema, content, answer, came, taken })
        })
        .collect()
}

/// The output schemas that the client enforces: it did not simply give on content that blatantly breaks them, in keywords
/// that mean the same in every dialect and without a reference.
fn enforced<'s>(deliveries: &[Delivery<'s>], shelf: &mut Shelf<'s>) -> HashSet<&'s str> {
    let blatant = |delivery: &&Delivery<'s>| match shelf.check(delivery.schema, &delivery.content).outcome {
        Outcome::Invalid(violations) => violations
            .iter()
            .any(|violation| violation.blatant && !violation.passes(REFERENCE) && !violation.passes(NEWER)),
        _ => false,
    };
    let doubted = deliveries.iter().filter(|delivery| delivery.taken != Taken::Given);
    doubted.filter(blatant).map(|delivery| delivery.schema.raw()).collect()
}

/// The client's half of `schema.2020-12-supported`.
pub(super) fn default_dialect_supported(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let deliveries = deliveries(view);
    let enforced = enforced(&deliveries, &mut shelf);
    let mut checks = kept(view, |schema| {
        let newer = schema.member("$schema").is_none() && NEWER.iter().any(|key| mentions(schema, key));
        newer.then_some("uses what 2020-12 has and names no dialect")
    });
    for delivery in &deliveries {
        if *shelf.declared(delivery.schema) != Declared::Nothing {
            continue;
        }
        let newer = shelf.check_as(delivery.schema, Dialect::Draft2020_12, &delivery.content);
        let older = match &newer {
            Outcome::Invalid(broken) if broken.iter().all(|violation| violation.passes(NEWER)) => Outcome::Valid,
            _ => shelf.check_as(delivery.schema, Dialect::Draft07, &delivery.content),
        };
        match (&newer, &older, delivery.taken) {
            (Outcome::Valid, Outcome::Invalid(_), Taken::Refused) => {
                checks.push(delivery.breach("refuses structured content that only draft-07 forbids".to_owned()));
            }
            (Outcome::Valid, Outcome::Invalid(_), _)
            | (Outcome::Invalid(_), Outcome::Valid, Taken::Refused | Taken::Doubted) => checks.push(Ok(())),
            (Outcome::Invalid(violations), Outcome::Valid, Taken::Given)
                if enforced.contains(delivery.schema.raw()) =>
            {
                let keyword = violations.first().map_or("", |violation| &violation.keyword);
                let what = format!("gives its user structured content that breaks `{keyword}`, as draft-07 would");
                checks.push(delivery.breach(what));
            }
            _ => {}
        }
    }
    checks.into_iter().collect()
}

/// The client's half of `schema.declared-dialect-used`.
pub(super) fn declared_dialect_used(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let deliveries = deliveries(view);
    let enforced = enforced(&deliveries, &mut shelf);
    let judge = |delivery: &Delivery<'_>, own: Outcome, newest: Outcome| -> Option<Check> {
        // What 2020-12 finds no schema at all it refuses as well, and nobody can tell the two apart.
        let Outcome::Invalid(violations) = own else { return None };
        if !matches!(newest, Outcome::Valid | Outcome::Unusable(_)) {
            return None;
        }
        let keyword = violations.first().map_or("", |violation| &violation.keyword);
        let what = || format!("gives its user structured content that breaks `{keyword}` in the dialect of its schema");
        match delivery.taken {
            Taken::Refused | Taken::Doubted => Some(Ok(())),
            Taken::Given => enforced.contains(delivery.schema.raw()).then(|| delivery.breach(what())),
        }
    };
    let mut checks = Vec::new();
    for delivery in &deliveries {
        let Declared::Known(dialect) = *shelf.declared(delivery.schema) else { continue };
        if dialect == Dialect::Draft2020_12 {
            continue;
        }
        let own = shelf.check_as(delivery.schema, dialect, &delivery.content);
        let newest = shelf.check_as(delivery.schema, Dialect::Draft2020_12, &delivery.content);
        checks.extend(judge(delivery, own, newest));
    }
    checks.into_iter().collect()
}

/// The client's half of `schema.ref.local-resolved`.
pub(super) fn local_references_resolved(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let deliveries = deliveries(view);
    let enforced = enforced(&deliveries, &mut shelf);
    let mut checks = kept(view, |schema| refers_within(schema).then_some("refers to a part of itself"));
    for delivery in &deliveries {
        let keeps = match (delivery.taken, shelf.check(delivery.schema, &delivery.content).outcome) {
            (taken, Outcome::Invalid(violations)) => {
                let hidden = violations.iter().all(|violation| violation.passes(REFERENCE) && violation.blatant);
                if !hidden || !enforced.contains(delivery.schema.raw()) {
                    continue;
                }
                let keyword = violations.first().map_or("", |violation| &violation.keyword);
                let what =
                    format!("gives its user structured content that breaks `{keyword}` behind a local reference");
                if taken == Taken::Given { delivery.breach(what) } else { Ok(()) }
            }
            (taken, Outcome::Valid) if refers_within(delivery.schema) && !refers_elsewhere(delivery.schema) => {
                let what = "refuses structured content that conforms to a schema with local references".to_owned();
                if taken == Taken::Refused { delivery.breach(what) } else { Ok(()) }
            }
            _ => continue,
        };
        checks.push(keeps);
    }
    checks.into_iter().collect()
}

/// The client's half of `schema.unsupported-dialect-error`.
pub(super) fn unsupported_dialect_error(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    let mut seen = HashSet::new();
    for (answer, tool) in tools(view) {
        let odd = schemas(tool).find(|schema| nowhere(*schema).is_some());
        let Some(dialect) = odd.and_then(nowhere).filter(|_| seen.insert(answer.entry)) else { continue };
        let own = |other: &Message<'_>| other.entry == answer.entry;
        let others: HashSet<String> = tools(view)
            .filter(|(other, tool)| own(other) && schemas(*tool).all(|schema| nowhere(schema).is_none()))
            .filter_map(|(_, tool)| Some(tool.member("name")?.as_str()?.into_owned()))
            .collect();
        let list = view.exchange_of(answer).and_then(|list| errand::listing(view, list));
        let shown = view.user().surfaces.iter().find(|said| said.entry > answer.entry);
        let shown = shown.and_then(|shown| Some((shown.entry, shown.names("tools")?)));
        let lost = |entry: usize| {
            let what = format!("loses a whole list over a tool with a schema in the dialect {dialect}");
            Err(Breach::at_entry(entry, what).after(answer))
        };
        checks.extend(match (list, shown) {
            (Some(wish), _) if wish.has_failed() => wish.came.as_ref().map(|came| lost(came.entry)),
            (_, Some((entry, names))) if !others.is_empty() => {
                let any = names.iter().any(|name| others.contains(*name));
                Some(if any { Ok(()) } else { lost(entry) })
            }
            (Some(wish), None) if wish.is_fulfilled() => Some(Ok(())),
            _ => None,
        });
    }
    for delivery in deliveries(view) {
        let Some(dialect) = nowhere(delivery.schema) else { continue };
        let what = format!("gives its user structured content whose schema is in the dialect {dialect}");
        // Validation itself is a choice of the client.
        checks.push(match delivery.taken {
            Taken::Given => delivery.breach(what).map_err(Breach::as_warning),
            Taken::Doubted | Taken::Refused => Ok(()),
        });
    }
    checks.into_iter().collect()
}

fn schemas(tool: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    ["inputSchema", "outputSchema"].into_iter().filter_map(move |member| tool.member(member))
}

/// The dialect of a schema that nobody can know.
fn nowhere(schema: Value<'_>) -> Option<String> {
    let dialect = schema.member("$schema")?.as_str()?;
    is_nowhere(&dialect).then(|| dialect.into_owned())
}

/// What became of each tool that a sound schema makes interesting, for a reason in words.
fn kept(view: View<'_>, interest: impl Fn(Value<'_>) -> Option<&'static str>) -> Vec<Check> {
    let mut seen = HashSet::new();
    let honest = tools(view).filter(|(answer, _)| answer.intent != Intent::Departure);
    honest
        .filter(|(_, tool)| schemas(*tool).all(is_usable))
        .filter_map(|(answer, tool)| {
            let why = schemas(tool).find_map(&interest)?;
            let name = tool.member("name")?.as_str().filter(|name| seen.insert(name.clone()))?;
            whereabouts(view, answer, &name, why)
        })
        .collect()
}

/// Whether a sound tool of a list is there for the user, as far as a driver told.
pub(super) fn whereabouts(view: View<'_>, answer: &Message<'_>, name: &str, why: &str) -> Option<Check> {
    let list = view.exchange_of(answer).and_then(|list| errand::listing(view, list));
    if let Some(came) = list.filter(|wish| wish.has_failed()).and_then(|wish| wish.came.as_ref()) {
        let what = format!("fails over a list with the tool {name}, whose schema {why}");
        return Some(Err(Breach::at_entry(came.entry, what).after(answer)));
    }
    let shown = view.user().surfaces.iter().rfind(|said| said.entry > answer.entry)?;
    let there = shown.names("tools")?.contains(&name);
    let what = format!("does not show the tool {name}, whose schema {why}");
    Some(if there { Ok(()) } else { Err(Breach::at_entry(shown.entry, what).after(answer)) })
}

/// Whether a schema gives nobody a reason to set its tool aside.
fn is_usable(schema: Value<'_>) -> bool {
    let dialect = match schema.to_tree().as_ref().map(Dialect::declared) {
        Some(Declared::Nothing | Declared::Known(Dialect::Draft2020_12)) => Dialect::Draft2020_12,
        _ => return false,
    };
    let reading = Reading::of(schema.raw(), dialect);
    reading.schema().is_ok() && !refers_elsewhere(schema) && !is_costly(schema) && reading.problems().is_empty()
}

fn mentions(schema: Value<'_>, key: &str) -> bool {
    schema.descendants().take(1_000).any(|part| part.member(key).is_some())
}

fn refers_within(schema: Value<'_>) -> bool {
    let local = |value: Value<'_>| value.as_str().is_some_and(|reference| reference.starts_with('#'));
    schema.descendants().take(1_000).any(|part| part.member("$ref").is_some_and(local))
}
