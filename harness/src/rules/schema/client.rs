//! What a client makes of the schemas that its server publishes: of such as it must take, and of such as it must bear.

use std::collections::HashSet;

use super::output::whereabouts;
use crate::revision::{Revisions, Side};
use crate::rules::tools::client::complains;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, errand, probe};
use crate::schema::{Dialect, Outcome, Problem, Reading, Shelf};
use crate::session::user::Wish;
use crate::session::{Message, Speaker, View};
use crate::transcript::{Event, Intent};
use crate::wire::Value;

const fn rule(id: &'static str, side: Option<Side>, level: Level, clause: &'static str) -> Rule {
    Rule {
        id,
        level,
        side,
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause,
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

/// The wishes for calls of a tool behind an entry.
fn calls<'s>(view: View<'s>, name: &str, entry: usize) -> impl Iterator<Item = &'s Wish> {
    let wishes = view.user().wishes.iter();
    wishes.filter(move |wish| wish.kind() == "call" && wish.wish["tool"] == *name && wish.entry > entry)
}

/// Every tool that the harness listed for the client.
pub(super) fn tools<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
    let own = view.client() == Speaker::Subject;
    view.listed("tools/list").filter(move |_| own)
}

pub(super) static UNRESOLVED_REJECTED: Rule = Rule {
    requires: "A schema that refers to another document, which is not at hand, is rejected and not taken to allow everything.",
    judged: "Calls, told of by the driver, of tools whose outputSchema refers to an absolute URI. A failed call, or a complaint, \
             keeps the rule. To give the user structured content as if it had been validated is a warning, since validation \
             itself is a choice of the client.",
    untested: "no driver told what came of a call of a tool whose outputSchema refers to another document",
    judge: unresolved_rejected,
    ..rule("schema.ref.unresolved-rejected", None, Level::Should, "2026-07-28/basic/index#ref-resolution")
};

fn unresolved_rejected(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    tools(view)
        .filter(|(_, tool)| tool.member("outputSchema").is_some_and(refers_elsewhere))
        .filter_map(|(answer, tool)| Some((answer, tool.member("name")?.as_str()?)))
        .filter(|(_, name)| seen.insert(name.clone()))
        .flat_map(|(answer, name)| calls(view, &name, answer.entry).map(move |wish| (answer, wish)).collect::<Vec<_>>())
        .filter_map(|(answer, wish)| {
            let came = wish.came.as_ref().filter(|_| !wish.is_unsupported())?;
            let what = "gives its user structured content whose schema it cannot have at hand";
            let silent = wish.is_fulfilled() && !complains(view, answer);
            Some(if silent { Err(Breach::at_entry(came.entry, what).after(answer).as_warning()) } else { Ok(()) })
        })
        .collect()
}

pub(super) fn refers_elsewhere(schema: Value<'_>) -> bool {
    let away = |reference: Value<'_>| {
        reference.as_str().is_some_and(|uri| uri.starts_with("http://") || uri.starts_with("https://"))
    };
    schema.descendants().take(1_000).any(|part| part.member("$ref").is_some_and(away))
}

pub(super) static COMPOSITION_BOUNDED: Rule = Rule {
    requires: "A schema that is costly to validate does not exhaust the client.",
    judged: "Lists with a schema beyond every reasonable bound, or with a reference that leads back to itself. What the user wants \
             behind such a list comes, be it a failure, and the client is not brought down. More than ten seconds for it is a \
             warning. To reject the tool is right.",
    untested: "the client was shown no schema beyond the bounds",
    judge: composition_bounded,
    ..rule("schema.composition-bounded", None, Level::Should, "2026-07-28/basic/index#composition-keyword-resource-use")
};

/// How long a wish may take without a word, in microseconds.
const SOON: u64 = 10_000_000;

fn composition_bounded(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    let bombs = tools(view).filter(|(answer, _)| answer.intent == Intent::Departure).filter(|(answer, tool)| {
        let schemas = ["inputSchema", "outputSchema"].into_iter().filter_map(|key| tool.member(key));
        schemas.into_iter().any(is_costly) && seen.insert(answer.entry)
    });
    bombs.filter_map(|(answer, _)| bears(view, answer)).collect()
}

/// Whether a schema asks for more work than anybody should put into it, or for work without end.
pub(super) fn is_costly(schema: Value<'_>) -> bool {
    let reading = Reading::of(schema.raw(), Dialect::Draft2020_12);
    if reading.schema().is_err() {
        return schema.is_object();
    }
    let endless = |problem: &Problem| matches!(problem, Problem::Endless(_));
    reading.is_over_budget() || reading.problems().iter().any(endless)
}

/// What became of the client behind a message.
fn bears(view: View<'_>, answer: &Message<'_>) -> Option<Check> {
    let behind = view.entries().iter().enumerate().skip(answer.entry + 1);
    let mut over = behind.filter_map(|(index, entry)| match entry.event {
        Event::Killed => Some((index, "has to be killed")),
        Event::Exited { signal: Some(_), .. } => Some((index, "is ended by a signal")),
        _ => None,
    });
    let breach = |index, what: &str| {
        Some(Err(Breach::at_entry(index, format!("{what} behind a list with a costly schema")).after(answer)))
    };
    if let Some((index, what)) = over.next() {
        return breach(index, what);
    }
    let wishes: Vec<&Wish> = view.user().wishes.iter().filter(|wish| wish.is_for_the_client()).collect();
    let closed = view.entries().iter().position(|entry| matches!(entry.event, Event::Closed));
    let open = wishes.iter().find(|wish| wish.came.as_ref().is_none_or(|came| came.entry > answer.entry));
    match open {
        Some(wish) => match (&wish.came, closed) {
            (Some(came), _) if came.at.saturating_sub(answer.at) > SOON => {
                breach(came.entry, "takes its time").map(|breach| breach.map_err(Breach::as_warning))
            }
            (Some(_), _) => Some(Ok(())),
            (None, Some(index)) => breach(index, "never says what came of a wish"),
            (None, None) => None,
        },
        None => {
            let later = view.messages_by(Speaker::Subject).any(|message| message.entry > answer.entry);
            later.then_some(Ok(()))
        }
    }
}

pub(super) static COMPOSITION_ROOT_ACCEPTED: Rule = Rule {
    requires: "A client takes input schemas with any keyword of 2020-12 beside their type, and output schemas of any kind.",
    judged: "Tools with keywords of composition beside the type of their inputSchema, or with an outputSchema that is not one of \
             objects. They stand on the surface that the driver shows, and calls of them whose results conform do not fail.",
    untested: "no driver showed tools, or told of calls, behind a list with such schemas",
    judge: composition_root_accepted,
    ..rule("schema.composition-root-accepted", Some(Side::Client), Level::Must, "schema/2026-07-28/schema.ts#Tool")
};

fn composition_root_accepted(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let mut checks: Vec<Check> = Vec::new();
    let mut seen = HashSet::new();
    for (answer, tool) in tools(view).filter(|(answer, _)| answer.intent != Intent::Departure) {
        let Some(name) = tool.member("name").and_then(Value::as_str).filter(|_| is_free(tool)) else { continue };
        if !seen.insert(name.clone()) {
            continue;
        }
        checks.extend(whereabouts(view, answer, &name, "uses what 2020-12 has"));
        for call in view.exchanges_by(Speaker::Subject).filter(|call| call.is("tools/call")) {
            let Some(result) = call.result().filter(|result| probe::is_final(view.revision(), *result)) else {
                continue;
            };
            let own = call.param("name").is_some_and(|own| own.is(&name)) && result.member("isError").is_none();
            let Some(wish) = errand::of(view, call).filter(|_| own) else { continue };
            let content = result.member("structuredContent").and_then(Value::to_tree);
            let conforms = match (tool.member("outputSchema"), content) {
                (Some(schema), Some(content)) => shelf.check(schema, &content).outcome == Outcome::Valid,
                (None, None) => true,
                _ => false,
            };
            let Some(came) = wish.came.as_ref().filter(|_| conforms) else { continue };
            let what = format!("fails over a result of {name}, which conforms to its schema");
            checks.push(if wish.has_failed() { Err(Breach::at_entry(came.entry, what).after(answer)) } else { Ok(()) });
        }
    }
    checks.into_iter().collect()
}

/// Whether the schemas of a tool use the freedom that this revision gives.
fn is_free(tool: Value<'_>) -> bool {
    const COMPOSING: &[&str] = &["oneOf", "anyOf", "allOf", "not", "if", "$defs", "$ref"];
    let input = tool.member("inputSchema").filter(|schema| schema.member("type").is_some_and(|kind| kind.is("object")));
    let Some(input) = input else { return false };
    let output = tool.member("outputSchema").filter(|schema| schema.is_object());
    let other = output.is_some_and(|schema| !schema.member("type").is_some_and(|kind| kind.is("object")));
    let composed = COMPOSING.iter().any(|key| input.member(key).is_some());
    let usable = [Some(input), output].into_iter().flatten().all(|schema| {
        let reading = Reading::of(schema.raw(), Dialect::Draft2020_12);
        reading.schema().is_ok() && !refers_elsewhere(schema) && !is_costly(schema)
    });
    (other || composed) && usable
}
