//! What every result of 2026-07-28 says of itself.

use super::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::revision::{Revisions, Side, knows, meta, method};
use crate::session::{Exchange, Message, View};
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&RESULTTYPE_PRESENT, &RESULTTYPE_KNOWN, &client::UNKNOWN_INVALID, &client::ABSENT_COMPLETE];

static RESULTTYPE_PRESENT: Rule = Rule {
    id: "result.resulttype-present",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#result-responses",
    requires: "Every result has a member `resultType`, a string.",
    judged: "The results of requests that carry the version 2026-07-28. Results that are no objects belong to \
             jsonrpc.response.result-is-object, and results inside a legacy session are free. So are those of methods \
             that the revision removed: who still serves them serves the legacy form.",
    untested: "no modern request got a result",
    judge: resulttype_present,
};

fn resulttype_present(view: View<'_>) -> Verdict {
    results(view)
        .filter(|(exchange, ..)| method(exchange.method()).is_none() || knows(view.revision(), exchange.method()))
        .map(|(_, answer, result)| match result.member("resultType") {
            Some(kind) if kind.is_string() => Ok(()),
            Some(_) => Err(Breach::at(answer, "sends a resultType that is no string")),
            None => Err(Breach::at(answer, "sends a result without resultType")),
        })
        .collect()
}

static RESULTTYPE_KNOWN: Rule = Rule {
    id: "result.resulttype-known",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#resulttype",
    requires: "Result types other than complete and input_required come only from extensions that both sides declared.",
    judged: "The result types of answers to requests that carry the version 2026-07-28. Where both sides declared a \
             common extension, any other type may be its own and is not judged.",
    untested: "no result had a resultType",
    judge: resulttype_known,
};

fn resulttype_known(view: View<'_>) -> Verdict {
    let offered = view.server_capabilities().and_then(|capabilities| capabilities.member("extensions"));
    results(view)
        .filter_map(|(exchange, answer, result)| {
            let kind = result.member("resultType")?.as_str()?;
            if kind == "complete" || kind == "input_required" {
                return Some(Ok(()));
            }
            let wanted = view.client_capabilities(exchange.request()).and_then(|own| own.member("extensions"));
            let shared = wanted.zip(offered).is_some_and(|(wanted, offered)| {
                wanted.members().any(|(extension, _)| offered.member(&extension).is_some())
            });
            let what = "sends a result of a type that belongs to no extension of both sides";
            (!shared).then(|| Err(Breach::at(answer, what).after(exchange.request())))
        })
        .collect()
}

/// The results, as far as they are objects, of the requests that only the modern rules govern.
pub(super) fn results(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, &Message<'_>, Value<'_>)> {
    let era_is_open = probe::opened_without_era(view);
    probe::stateless(view)
        .filter(move |exchange| {
            if era_is_open {
                return false;
            }
            let version = exchange.request().meta().and_then(|given| given.member(meta::PROTOCOL_VERSION));
            version.is_some_and(|version| version.is(view.revision().as_str()))
        })
        .flat_map(|exchange| {
            let objects = exchange.answers().filter(|answer| answer.is_success());
            objects.filter_map(move |answer| {
                Some((exchange, answer, answer.result().filter(|result| result.is_object())?))
            })
        })
}
