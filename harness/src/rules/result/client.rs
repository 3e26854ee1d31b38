//! What a client makes of the type of a result.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::revision::{LISTS, Revisions, Side};
use crate::rules::client::{self, listed_by};
use crate::rules::mrtr;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Exchange, View};
use crate::wire::Value;

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Must,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: "2026-07-28/basic/index#resulttype",
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

/// More requests of one session are not looked at.
const MOST: usize = 512;

pub(super) static UNKNOWN_INVALID: Rule = Rule {
    requires: "A client takes a result of a type that it does not know for invalid.",
    judged: "It neither follows a cursor that only such a result gave, nor brings back its state or input, nor shows its user \
             what stood in it. How it tells its user, and whether it asks again, is its own affair. Types may be those of \
             an extension where both sides declared one.",
    untested: "no result was of a type that the specification does not have",
    judge: unknown_invalid,
    ..rule("result.resulttype-unknown-invalid")
};

fn unknown_invalid(view: View<'_>) -> Verdict {
    let all: Vec<Exchange<'_>> = client::modern(view).take(MOST).collect();
    let is_bogus = |exchange: &Exchange<'_>| {
        let kind = exchange.result().and_then(|result| result.member("resultType")).and_then(Value::as_str);
        kind.is_some_and(|kind| kind != "complete" && kind != "input_required")
            && !mrtr::shares_extension(view, exchange.request())
    };
    let sound: HashSet<Cow<'_, str>> = all
        .iter()
        .filter(|exchange| !is_bogus(exchange))
        .filter_map(|exchange| exchange.result())
        .flat_map(|result| result.descendants().filter_map(Value::as_str))
        .collect();
    // What the user said is no news to him.
    let wanted: String = view.user().wishes.iter().map(|wish| wish.wish.to_string()).collect();
    all.iter()
        .filter(|exchange| is_bogus(exchange))
        .filter_map(|exchange| {
            let (answer, result) = (exchange.answer()?, exchange.result()?);
            let later = || all.iter().filter(|other| other.request().entry > answer.entry);
            let only = |text: &Cow<'_, str>| text.len() > 3 && !sound.contains(text);
            let breach =
                |request: &Exchange<'_>, what: &str| Some(Err(Breach::at(request.request(), what).after(answer)));
            let next = result.member("nextCursor").and_then(Value::as_str).filter(|next| !sound.contains(next));
            let follows = |other: &&Exchange<'_>| {
                other.is(exchange.method())
                    && next.as_ref().is_some_and(|next| other.param("cursor").is_some_and(|own| own.is(next)))
            };
            if let Some(followed) = later().find(follows) {
                return breach(followed, "follows the cursor of a result of an unknown type");
            }
            let state = result.member("requestState");
            let asked = result.member("inputRequests").filter(|asked| asked.is_object());
            let retries = |other: &&Exchange<'_>| {
                let back = other.param("requestState").zip(state).is_some_and(|(back, state)| back.same(state));
                let input = other.param("inputResponses").zip(asked).is_some_and(|(given, asked)| {
                    other.method() == exchange.method() && given.members().any(|(key, _)| asked.member(&key).is_some())
                });
                back || input
            };
            if let Some(retried) = later().find(retries) {
                return breach(retried, "asks again as if a result of an unknown type wanted input");
            }
            let told: Vec<String> = content(*exchange, result)
                .into_iter()
                .filter(only)
                .map(|text| quoted(&text))
                .filter(|text| !wanted.contains(text.as_str()))
                .collect();
            let shows = |words: &serde_json::Value| {
                let words = words.to_string();
                told.iter().any(|text| words.contains(text))
            };
            let user = view.user();
            let came = user.wishes.iter().filter(|wish| !wish.has_failed() && is_for(wish, *exchange));
            let came = came.filter_map(|wish| wish.came.as_ref());
            let shown = came.chain(&user.surfaces).find(|said| said.entry > answer.entry && shows(&said.words));
            Some(match shown {
                Some(said) => {
                    let what = "shows its user what stood in a result of an unknown type";
                    Err(Breach::at_entry(said.entry, what).after(answer))
                }
                None => Ok(()),
            })
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}

/// What the text of a JSON string is, without its quotes.
fn quoted(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    serde_json::Value::from(text).to_string()
}

/// What a user would get to see of a result: the names of a list, or the texts of what was asked for.
fn content<'s>(exchange: Exchange<'s>, result: Value<'s>) -> Vec<Cow<'s, str>> {
    if let Some((_, member, key)) = LISTS.iter().find(|(method, ..)| exchange.is(method)) {
        let items = result.member(member).into_iter().flat_map(Value::items);
        return items.filter_map(|item| item.member(key)?.as_str()).take(MOST).collect();
    }
    let parts = ["content", "contents"].iter().filter_map(|key| result.member(key)).flat_map(Value::items);
    parts.filter_map(|part| part.member("text")?.as_str()).take(MOST).collect()
}

/// Whether a request may be one that a wish led to.
fn is_for(wish: &Wish, exchange: Exchange<'_>) -> bool {
    let names = |key: &str, param: &str| {
        let named = wish.wish[key].as_str();
        named.is_some_and(|named| exchange.param(param).is_some_and(|own| own.is(named)))
    };
    match wish.kind() {
        "list" => listed_by(wish).is_some_and(|method| exchange.is(method)),
        "call" => exchange.is("tools/call") && names("tool", "name"),
        "read" => exchange.is("resources/read") && names("uri", "uri"),
        "get" => exchange.is("prompts/get") && names("prompt", "name"),
        _ => false,
    }
}

pub(super) static ABSENT_COMPLETE: Rule = Rule {
    requires: "A client reads a result without a type as complete.",
    judged: "Lists, calls and readings that are whole but for the type, and of which the user learns what came of them. A \
             server that shows elsewhere that it is a modern one is itself at fault, so to refuse its result is a \
             warning; a client that asked it what it supports, in vain, may stop.",
    untested: "no result lacked its type",
    judge: absent_complete,
    ..rule("result.resulttype-absent-complete")
};

fn absent_complete(view: View<'_>) -> Verdict {
    let all: Vec<Exchange<'_>> = client::modern(view).take(MOST).collect();
    let lacks = |exchange: &Exchange<'_>| {
        exchange.result().is_some_and(|result| result.member("resultType").is_none() && is_whole(*exchange, result))
    };
    let modern = client::settled_modern(view).is_some();
    let probed = all.iter().any(|exchange| exchange.is("server/discover"));
    if probed && !modern {
        return Verdict::untested();
    }
    all.iter()
        .filter(|exchange| lacks(exchange))
        .filter_map(|exchange| {
            let (request, answer) = (exchange.request(), exchange.answer()?);
            let again = all.iter().find(|other| {
                let place = other.request().entry;
                let same =
                    mrtr::same_operation(**other, *exchange) && !LISTS.iter().any(|(method, ..)| other.is(method));
                same && place > answer.entry && !client::wished_between(view, request.entry, place)
            });
            if let Some(again) = again.filter(|_| !view.user().wishes.is_empty()) {
                let what = format!("asks for {} again as if a result without a type wanted input", exchange.method());
                return Some(Err(Breach::at(again.request(), what).after(answer)));
            }
            let about = |wish: &&Wish| is_for(wish, *exchange) && wish.entry < request.entry;
            let wish = view.user().wishes.iter().rfind(about)?;
            let came = wish.came.as_ref().filter(|came| came.entry > answer.entry)?;
            // Something else that the wish needed may have failed.
            let others = all.iter().filter(|other| (wish.entry..came.entry).contains(&other.request().entry));
            let refused = others.clone().any(|other| other.result().is_none());
            if !wish.has_failed() {
                return Some(Ok(()));
            }
            let what = format!("cannot use a result of {} because it has no type", exchange.method());
            let breach = Breach::at_entry(came.entry, what).after(answer);
            (!refused).then_some(Err(if modern { breach.as_warning() } else { breach }))
        })
        .collect()
}

/// Whether a result has what its method is about.
fn is_whole(exchange: Exchange<'_>, result: Value<'_>) -> bool {
    let list = LISTS.iter().find(|(method, ..)| exchange.is(method)).map(|(_, member, _)| *member);
    let member = list.or(match exchange.method() {
        "tools/call" => Some("content"),
        "resources/read" => Some("contents"),
        "prompts/get" => Some("messages"),
        _ => None,
    });
    let succeeded = result.member("isError").is_none_or(|is_error| is_error.as_bool() != Some(true));
    succeeded && member.is_some_and(|member| result.member(member).is_some_and(Value::is_array))
}
