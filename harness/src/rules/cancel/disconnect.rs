//! A connection that breaks, which in the legacy Streamable HTTP cancels nothing.

use super::Twins;
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
             if the same call succeeds otherwise, and so does silence if resuming another stream of the session brought what \
             was missing. Servers that cannot resume streams are not judged.",
    untested: "no stream was resumed behind a broken connection; name a slow tool in the subject file",
    judge: not_cancel,
};

fn not_cancel(view: View<'_>) -> Verdict {
    let all = view.http();
    let streams = Streams::of(&all);
    // Streams that were resumed, and whether that brought any message.
    let resumed: Vec<(usize, bool)> = (0..all.len())
        .filter_map(|place| {
            let root = streams.root(place).filter(|root| *root != place)?;
            let http = all.get(place).filter(|http| http.is_stream())?;
            Some((root, http.messages().next().is_some()))
        })
        .collect();
    let twins = Twins::of(view);
    let exchange_of = |http: &HttpExchange<'_>| {
        view.exchanges().find(|exchange| exchange.request().via == Some(http.number) && exchange.request().is_sound())
    };
    all.iter()
        .enumerate()
        .filter(|(_, http)| http.verb == "POST" && http.ending() == Some(&Ending::Dropped) && http.answer().is_none())
        .filter(|(place, _)| resumed.iter().any(|(root, _)| root == place))
        .filter_map(|(place, http)| {
            let works = resumed.iter().any(|(root, brought)| *root != place && *brought);
            judge(exchange_of(http)?, &twins, http, works)
        })
        .collect()
}

fn judge<'s>(exchange: Exchange<'s>, twins: &Twins<'s>, http: &HttpExchange<'_>, works: bool) -> Option<Check> {
    if exchange.cancellation().is_some() {
        return None;
    }
    let dropped = http.last_entry();
    if let Some(answer) = exchange.answer() {
        let what = "takes a broken connection for a cancellation and answers with an error";
        return match answer.is_error() {
            false => Some(Ok(())),
            true if twins.have(exchange) => Some(Err(of(exchange, dropped, answer.entry, what))),
            true => None,
        };
    }
    let lost = exchange.fate() == Fate::Silent && works && twins.have(exchange);
    lost.then(|| Err(of(exchange, exchange.request().entry, dropped, "drops a request with its connection")))
}

fn of(exchange: Exchange<'_>, earlier: usize, entry: usize, what: &str) -> Breach {
    let mut breach = Breach::at_entry(entry, what);
    breach.entries.splice(0..0, [exchange.request().entry, earlier]);
    breach.entries.dedup();
    breach
}
