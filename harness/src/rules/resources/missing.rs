//! Reading what is not there.

use super::uri;
use crate::revision::{Era, Revisions, Side, code};
use crate::rules::capability::declares;
use crate::rules::inventory::Inventory;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, View};
use crate::transcript::Intent;
use crate::wire::Value;

const UNTESTED: &str =
    "a server with resources was not asked for one that it certainly lacks; a complete list is needed";

pub(super) static NOT_FOUND_LEGACY: Rule = Rule {
    id: "resources.read.not-found-legacy",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/resources#error-handling",
    requires: "Reading a resource that does not exist gives -32002.",
    judged: "Honest requests for a URI that no list has, that no template might cover, and whose scheme is one of the \
             server's own or of nobody. Another code is a warning, and so is no content at all; what comes under that very \
             URI may be a resource that is not listed. Content of another resource fails.",
    untested: UNTESTED,
    judge: |view| judge(view, code::RESOURCE_NOT_FOUND, &|breach, _| breach.as_warning()),
};

pub(super) static NOT_FOUND: Rule = Rule {
    id: "resources.read.not-found",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#error-handling",
    requires: "Reading a resource that does not exist gives -32602.",
    judged: "Honest requests for a URI that no list has, that no template might cover, and whose scheme is one of the \
             server's own or of nobody. Another code fails, and so does content of another resource. What comes under that \
             very URI may be a resource that is not listed: a warning. No content at all belongs to \
             resources.read.no-empty-contents.",
    untested: UNTESTED,
    judge: |view| {
        judge(view, code::INVALID_PARAMS, &|breach, reaction| match reaction {
            Reaction::Code => breach,
            _ => breach.as_warning(),
        })
    },
};

/// What came in place of the right error.
enum Reaction {
    Code,
    Itself,
    Empty,
    Another,
}

fn judge(view: View<'_>, right: i64, weigh: &dyn Fn(Breach, Reaction) -> Breach) -> Verdict {
    let era = view.revision().era();
    missing(view)
        .into_iter()
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let breach = |what: String| Breach::at(answer, what).after(exchange.request());
            if answer.is_error() {
                let what = || format!("refuses a resource that it lacks with {}", probe::code_in_words(exchange));
                let right = exchange.error_code() == Some(right);
                return Some(if right { Ok(()) } else { Err(weigh(breach(what()), Reaction::Code)) });
            }
            let contents = contents(view, exchange)?;
            Some(Err(match reaction(exchange, contents) {
                Reaction::Another => breach("gives another resource than the one asked for".to_owned()),
                Reaction::Empty if era == Era::Modern => return None,
                Reaction::Empty => {
                    weigh(breach("gives empty contents for a resource that it lacks".to_owned()), Reaction::Empty)
                }
                other => weigh(breach("reads with success what it did not list".to_owned()), other),
            }))
        })
        .collect()
}

pub(super) static NO_EMPTY_CONTENTS: Rule = Rule {
    id: "resources.read.no-empty-contents",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#error-handling",
    requires: "Reading a resource that does not exist never gives empty contents.",
    judged: "The same requests as for resources.read.not-found. A resource that exists may have no contents.",
    untested: UNTESTED,
    judge: no_empty_contents,
};

fn no_empty_contents(view: View<'_>) -> Verdict {
    missing(view)
        .into_iter()
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let empty = !answer.is_error() && contents(view, exchange)?.is_empty();
            let what = "gives empty contents for a resource that it lacks";
            let check: Check = if empty { Err(Breach::at(answer, what).after(exchange.request())) } else { Ok(()) };
            Some(check)
        })
        .collect()
}

/// The contents of a final result.
fn contents<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<Value<'s>> {
    let result = exchange.result().filter(|result| probe::is_final(view.revision(), *result))?;
    result.member("contents").filter(|contents| contents.is_array())
}

fn reaction(exchange: Exchange<'_>, contents: Value<'_>) -> Reaction {
    let asked = exchange.param("uri").and_then(Value::as_str).unwrap_or_default();
    let mut uris = contents.items().filter_map(|item| item.member("uri")?.as_str());
    if contents.is_empty() {
        Reaction::Empty
    } else if uris.any(|uri| uri::is_within(&uri, &asked)) {
        Reaction::Itself
    } else {
        Reaction::Another
    }
}

/// The requests for resources that the server certainly does not have.
fn missing(view: View<'_>) -> Vec<Exchange<'_>> {
    // Schemes under which much exists that nobody lists.
    const WORLDLY: [&str; 6] = ["http", "https", "file", "git", "data", "ftp"];
    if declares(view, &["resources"]) == Some(false) {
        return Vec::new();
    }
    let resources = Inventory::of(view, "resources/list");
    let templates = Inventory::of(view, "resources/templates/list");
    let own: Vec<String> = resources.names().chain(templates.names()).filter_map(uri::scheme).collect();
    view.exchanges()
        .filter(|exchange| exchange.is("resources/read") && exchange.request().intent == Intent::Honest)
        .filter(|exchange| probe::is_fair(view, *exchange) && !probe::is_refused_otherwise(*exchange))
        .filter(|exchange| {
            let Some(asked) = exchange.param("uri").and_then(Value::as_str) else { return false };
            let Some(scheme) = uri::scheme(&asked).filter(|_| uri::flaw(&asked).is_none()) else { return false };
            (own.contains(&scheme) || !WORLDLY.contains(&scheme.as_str()))
                && resources.certainly_lacks(&asked, exchange.request())
                && !resources.names().any(|known| uri::is_within(&asked, known))
                && !templates.names().any(|template| uri::may_cover(template, &asked))
                && !view.facts().failing.iter().any(|failing| *failing == asked)
        })
        .collect()
}
