//! What only clients have to mind.

use std::collections::HashMap;

use crate::revision::{Revision, Revisions, Side};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Fate, Speaker, View};
use crate::wire::Id;

/// `jsonrpc.request.id-unique-in-flight`
pub static ID_UNIQUE_IN_FLIGHT: Rule = Rule {
    id: "jsonrpc.request.id-unique-in-flight",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#requests",
    requires: "A client gives no request the id of another one that is not answered yet.",
    judged: "Ids are compared by JSON value, so 1 and \"1\" differ. What was answered or cancelled is done, and so is what an \
             HTTP server refused or lost: sent again, it is the same request. So is what a process was asked that was \
             replaced by another one. Two requests that are open at a time put it \
             to the test.",
    untested: "the client never had two requests open at a time",
    judge: id_unique_in_flight,
};

fn id_unique_in_flight(view: View<'_>) -> Verdict {
    let mut latest: HashMap<&Id, Exchange<'_>> = HashMap::new();
    let mut open_until = None;
    let mut checks: Vec<Check> = Vec::new();
    for exchange in client::modern(view) {
        let request = exchange.request();
        let Some(id) = request.id.as_ref().filter(|id| id.is_legal()) else { continue };
        let is_open = |earlier: &Exchange<'_>| {
            let cancelled = earlier.cancellation().is_some_and(|cancelled| cancelled.entry < request.entry);
            let lost = request.via.is_some() && matches!(earlier.fate(), Fate::Refused | Fate::Cut | Fate::Unsettled);
            let same = request.via.is_some() && earlier.request().frame.bytes() == request.frame.bytes();
            let gone = view.process_end(earlier.request().entry) <= request.entry;
            earlier.open_at(request.entry) && !cancelled && !lost && !same && !gone
        };
        let others_open = open_until.is_some_and(|until| until > request.entry);
        match latest.get(id).filter(|earlier| is_open(earlier)) {
            Some(earlier) => {
                let text: String = id.text().chars().take(60).collect();
                let what = format!("asks under the id {text}, under which it still waits for an answer");
                checks.push(Err(Breach::at(request, what).after(earlier.request())));
            }
            None if others_open => checks.push(Ok(())),
            None => {}
        }
        let ends = exchange.answer().map_or(view.process_end(request.entry), |answer| answer.entry);
        open_until = open_until.max(Some(exchange.cancellation().map_or(ends, |cancelled| cancelled.entry.min(ends))));
        latest.insert(id, exchange);
    }
    checks.into_iter().collect()
}

/// `jsonrpc.batch.initialize-excluded`
pub static INITIALIZE_EXCLUDED: Rule = Rule {
    id: "jsonrpc.batch.initialize-excluded",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::of(&[Revision::V2025_03_26]),
    transports: Transports::BOTH,
    clause: "2025-03-26/basic/lifecycle#initialization",
    requires: "`initialize` is never part of a batch.",
    judged: "Every `initialize` of the client, in an array of one too.",
    untested: "the client sent no `initialize`",
    judge: initialize_excluded,
};

fn initialize_excluded(view: View<'_>) -> Verdict {
    view.requests_by(Speaker::Subject)
        .filter(|request| request.is("initialize") && request.modern_version().is_none())
        .map(|request| match request.in_batch {
            true => Err(Breach::at(request, "sends initialize in a batch")),
            false => Ok(()),
        })
        .collect()
}
