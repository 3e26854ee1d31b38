//! What belongs to a request and not to a subscription.

use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{HttpExchange, View};

pub(super) static NO_REQUEST_SCOPED_TRAFFIC: Rule = Rule {
    id: "subscription.no-request-scoped-traffic",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#receiving-messages",
    requires: "Progress and log messages do not come on the stream of a subscription.",
    judged: "Subscriptions that were open while a request that asks for progress or for log messages was served. Other \
             notifications are the matter of `subscription.only-requested`.",
    untested: "no subscription was open while a request asked for progress or for log messages",
    judge: no_request_scoped_traffic,
};

fn no_request_scoped_traffic(view: View<'_>) -> Verdict {
    let all = view.http();
    let talkative: Vec<usize> = view
        .exchanges()
        .filter(|exchange| !exchange.is("subscriptions/listen") && exchange.answer().is_some())
        .filter(|exchange| {
            let asks = |key: &str| exchange.params().and_then(|params| params.path(&["_meta", key])).is_some();
            asks("progressToken") || asks(crate::revision::meta::LOG_LEVEL)
        })
        .map(|exchange| exchange.request().entry)
        .collect();
    probe::stateless(view)
        .filter(|exchange| exchange.is("subscriptions/listen"))
        .filter_map(|exchange| all.iter().find(|http| Some(http.number) == exchange.request().via))
        .filter(|http| http.is_stream())
        .filter_map(|http| {
            if let Some((entry, method)) = foreign(http) {
                let breach = Breach::at_entry(entry, format!("sends {method} on the stream of a subscription"));
                return Some(Err(breach.after_entry(http.entry)));
            }
            let until = http.end.map_or(usize::MAX, |(entry, _)| entry);
            let check: Check = Ok(());
            talkative.iter().any(|asked| (http.entry..until).contains(asked)).then_some(check)
        })
        .collect()
}

fn foreign(http: &HttpExchange<'_>) -> Option<(usize, &'static str)> {
    http.messages().find_map(|(entry, message)| {
        let method = message.member("method")?;
        let known = ["notifications/progress", "notifications/message"].into_iter().find(|known| method.is(known))?;
        Some((entry, known))
    })
}
