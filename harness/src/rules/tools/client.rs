//! How a client calls tools, and what it makes of structured content.

use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict, errand, probe};
use crate::schema::{Dialect, Outcome, Shelf};
use crate::session::user::Said;
use crate::session::{Exchange, Message, Speaker, View};
use crate::transcript::Event;
use crate::wire::Value;

pub(super) static ARGUMENTS_OBJECT: Rule = Rule {
    id: "tools.call.client-arguments-object",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CallToolRequestParams",
    requires: "A call names its tool by a text, and its arguments are an object or left out.",
    judged: "Every tools/call. A name that was neither listed nor wanted by a user who told of wishes breaks the rule too, once \
             tools were listed.",
    untested: "the client called no tool",
    judge: arguments_object,
};

fn arguments_object(view: View<'_>) -> Verdict {
    view.requests_by(Speaker::Subject)
        .filter(|request| request.is("tools/call") && view.client() == request.by)
        .map(|request| {
            let breach = |what: String| Err(Breach::at(request, what));
            match (request.param("name"), request.param("arguments")) {
                (None, _) => breach("calls a tool without a name".to_owned()),
                (Some(name), _) if !name.is_string() => breach(format!("calls a tool by the name {}", name.brief())),
                (_, Some(arguments)) if !arguments.is_object() => {
                    breach(format!("calls a tool with the arguments {}", arguments.brief()))
                }
                (Some(name), _) if is_made_up(view, request, name) => {
                    breach(format!("calls the tool {}, which is neither listed nor wanted", name.brief()))
                }
                _ => Ok(()),
            }
        })
        .collect()
}

/// Whether a name comes from nobody: not from a list, and not from the user.
fn is_made_up(view: View<'_>, request: &Message<'_>, name: Value<'_>) -> bool {
    let mut listed = view.listed("tools/list").filter(|(answer, _)| answer.entry < request.entry).peekable();
    let wishes = &view.user().wishes;
    let wanted = |wish: &crate::session::user::Wish| wish.wish["tool"].as_str().is_some_and(|tool| name.is(tool));
    let known = |tool: Value<'_>| tool.member("name").is_some_and(|own| own.same(name));
    listed.peek().is_some()
        && wishes.iter().any(|wish| wish.kind() == "call")
        && !wishes.iter().any(wanted)
        && !listed.any(|(_, tool)| known(tool))
}

pub(super) static VALIDATES: Rule = Rule {
    id: "tools.structured.client-validates",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#output-schema",
    requires: "A client holds structured content against the output schema of its tool.",
    judged: "Calls whose outcome the driver tells. Content that breaks the schema is not given to the user as if nothing were \
             wrong: a failed call, a new error on the surface, or something on standard error keeps the rule. Content that breaks \
             it in one dialect alone, or behind a reference alone, is for the rules about schemas.",
    untested: "no driver told what came of a call whose structured content breaks its schema",
    judge: validates,
};

fn validates(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let calls = view.exchanges_by(Speaker::Subject).filter(|exchange| exchange.is("tools/call"));
    calls
        .filter_map(|call| {
            let result = call.result().filter(|result| probe::is_final(view.revision(), *result))?;
            let content = result.member("structuredContent").filter(|_| !is_error(result))?;
            let schema = described(view, call)?.member("outputSchema").filter(|schema| schema.is_object())?;
            let (wish, answer) = (errand::of(view, call)?, call.answer()?);
            let came = wish.came.as_ref()?;
            let breach = |what: String| Err(Breach::at_entry(came.entry, what).after(answer));
            let tree = content.to_tree()?;
            let Outcome::Invalid(violations) = shelf.check(schema, &tree).outcome else { return None };
            let elsewhere = [Dialect::Draft2020_12, Dialect::Draft07]
                .into_iter()
                .any(|dialect| shelf.check_as(schema, dialect, &tree) == Outcome::Valid);
            if elsewhere || violations.iter().all(|violation| violation.passes(&["$ref", "$dynamicRef"])) {
                return None;
            }
            let told = !wish.is_fulfilled() || complains(view, answer);
            let keyword = violations.first().map_or("", |violation| &violation.keyword);
            let what = || format!("gives its user structured content that breaks `{keyword}` of its schema");
            Some(if told { Ok(()) } else { breach(what()) })
        })
        .collect()
}

fn is_error(result: Value<'_>) -> bool {
    result.member("isError").and_then(Value::as_bool) == Some(true)
}

/// The description of a tool that the client had when it called it.
pub(in crate::rules) fn described<'s>(view: View<'s>, call: Exchange<'s>) -> Option<Value<'s>> {
    let name = call.param("name")?.as_str()?;
    let known = view.listed("tools/list").filter(|(answer, tool)| {
        answer.entry < call.request().entry && tool.member("name").is_some_and(|own| own.is(&name))
    });
    known.last().map(|(_, tool)| tool)
}

/// Whether the client said behind a message that something is wrong, in whatever words. What it said before already was
/// about something else.
pub(in crate::rules) fn complains(view: View<'_>, message: &Message<'_>) -> bool {
    let behind = view.entries().iter().skip(message.entry + 1);
    let on_stderr = behind.into_iter().any(|entry| matches!(entry.event, Event::Stderr { .. }));
    let came = view.user().wishes.iter().filter_map(|wish| wish.came.as_ref());
    let (later, earlier): (Vec<&Said>, Vec<&Said>) =
        came.chain(&view.user().surfaces).partition(|said| said.entry > message.entry);
    let most = |all: &[&Said]| all.iter().map(|said| complaints(said)).max().unwrap_or(0);
    on_stderr || most(&later) > most(&earlier)
}

fn complaints(said: &Said) -> usize {
    ["errors", "warnings"].iter().map(|kind| said.words[kind].as_array().map_or(0, Vec::len)).sum()
}
