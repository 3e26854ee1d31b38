//! A connection that breaks, which in the legacy Streamable HTTP cancels nothing.

use std::collections::HashMap;

use super::kind;
use crate::revision::{Revision, Revisions, Side};
use crate::rules::http::Streams;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Fate, HttpExchange, View};
use crate::transcript::Ending;

pub(super) static NOT_CANCEL: Rule = Rule {
    id: "cancel.http-disconnect-is-not-cancel",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25),
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "A dropped connection does not count as cancellation.",
    judged: "Calls whose connection the harness closed while they ran, and whose stream it resumed. An error breaks the rule \
             if the same call succeeds otherwise. So does silence, if the stream was resumed once a like call that began \
             later was answered, and if resuming another stream of the session brought what was missing. Servers that \
             cannot resume streams are not judged.",
    untested: "no stream was resumed behind a broken connection; name a slow tool in the subject file",
    judge: not_cancel,
};

fn not_cancel(view: View<'_>) -> Verdict {
    let all = view.http();
    let streams = Streams::of(&all);
    let resumptions: Vec<Resumption> = (0..all.len())
        .filter_map(|place| {
            let of = streams.root(place).filter(|root| *root != place)?;
            let http = all.get(place).filter(|http| http.is_stream())?;
            Some(Resumption { of, entry: http.entry, brings: http.messages().next().is_some() })
        })
        .collect();
    let calls: HashMap<u32, Exchange<'_>> = view
        .exchanges()
        .filter(|exchange| exchange.is("tools/call") && exchange.request().is_sound())
        .filter_map(|exchange| Some((exchange.request().via?, exchange)))
        .collect();
    all.iter()
        .enumerate()
        .filter(|(_, http)| http.verb == "POST" && http.ending() == Some(&Ending::Dropped) && http.answer().is_none())
        .filter_map(|(place, http)| judge(place, http, *calls.get(&http.number)?, &resumptions, &calls))
        .collect()
}

/// A stream of a request for the rest of another.
struct Resumption {
    /// The place of the other among all requests.
    of: usize,
    entry: usize,
    brings: bool,
}

fn judge<'s>(
    place: usize,
    http: &HttpExchange<'s>,
    call: Exchange<'s>,
    resumptions: &[Resumption],
    calls: &HashMap<u32, Exchange<'s>>,
) -> Option<Check> {
    let last = resumptions.iter().filter(|resumption| resumption.of == place).map(|one| one.entry).max()?;
    if call.cancellation().is_some() {
        return None;
    }
    let succeeded = || calls.values().filter(|other| kind(**other) == kind(call) && other.result().is_some());
    let dropped = http.last_entry();
    if let Some(answer) = call.answer() {
        let what = "takes a broken connection for a cancellation and answers with an error";
        return match answer.is_error() {
            false => Some(Ok(())),
            true => succeeded().next().map(|_| Err(of(call, dropped, answer.entry, what))),
        };
    }
    let works = resumptions.iter().any(|other| other.of != place && other.brings);
    let outlived = succeeded().any(|other| {
        other.request().entry > call.request().entry && other.answer().is_some_and(|answer| answer.entry < last)
    });
    let lost = call.fate() == Fate::Silent && works && outlived;
    lost.then(|| Err(of(call, dropped, last, "drops a request with its connection")))
}

fn of(exchange: Exchange<'_>, earlier: usize, entry: usize, what: &str) -> Breach {
    let mut breach = Breach::at_entry(entry, what);
    breach.entries.splice(0..0, [exchange.request().entry, earlier]);
    breach.entries.dedup();
    breach
}
