//! What a client does about a request that is not answered.

use crate::revision::{Revisions, Side};
use crate::rules::cancel::request_for;
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};
use crate::transcript::{Ending, Event, Transport};

pub(super) static TIMEOUT_CANCELS_STATELESS: Rule = Rule {
    id: "lifecycle.timeout-cancels-stateless",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/cancellation#timeouts",
    requires: "A client that waited in vain cancels the request: on stdio by a notification, over HTTP by closing the response.",
    judged: "A user who learns that a call, a reading or a prompt failed while the request for it is still open. A client \
             that hangs up without another word needs no cancellation, and one that was sent something odd meanwhile, or \
             over HTTP a response without the answer, has nothing to wait for. How long it waits is its own affair.",
    untested: "no user was told that a request failed that was still open",
    judge: timeout_cancels,
};

fn timeout_cancels(view: View<'_>) -> Verdict {
    let wishes = &view.user().wishes;
    let aborted = |from: usize, to: usize| {
        wishes.iter().any(|wish| matches!(wish.kind(), "abort" | "close") && (from..=to).contains(&wish.entry))
    };
    // What fails because the harness ended the session was not given up by the client.
    let over = view.entries().iter().position(|entry| matches!(entry.event, Event::Closed | Event::Killed));
    wishes
        .iter()
        .filter(|wish| wish.has_failed())
        .filter(|wish| wish.came.as_ref().is_some_and(|came| over.is_none_or(|over| came.entry < over)))
        .filter_map(|wish| {
            let came = wish.came.as_ref()?;
            let asked = request_for(view, wish).filter(|asked| asked.request().entry < came.entry)?;
            if client::is_settled_oddly(view, asked.request(), came.entry) {
                return None;
            }
            let open = asked.answer().is_none_or(|answer| answer.entry > came.entry);
            if !open || aborted(wish.entry, came.entry) || client::hung_up(view).is_some_and(|left| left <= came.entry)
            {
                return None;
            }
            if is_taken_back(view, asked) {
                return Some(Ok(()));
            }
            let went_on = client::own(view).any(|message| message.entry > came.entry);
            let end = client::outstayed(view).or(client::hung_up(view).filter(|_| went_on))?;
            let what = format!("stops waiting for {} and does not cancel it", asked.method());
            Some(Err(Breach::at_entry(end, what).after(asked.request())))
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}

fn is_taken_back(view: View<'_>, asked: Exchange<'_>) -> bool {
    if view.transport() == Transport::Stdio {
        return asked.cancellation().is_some();
    }
    let via = asked.request().via;
    let closed =
        view.session_http().iter().find(|exchange| Some(exchange.number) == via).and_then(|exchange| exchange.end);
    closed.is_some_and(|(_, how)| !matches!(how, Ending::Complete)) || asked.cancellation().is_some()
}
