//! Requests of the subject that nobody answers, and the end of its input.

use std::collections::BTreeSet;

use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::rules::{client, errand};
use crate::session::{Exchange, Fate, Speaker, View};
use crate::transcript::{Event, Intent};

pub(super) static TIMEOUT_CANCELS: Rule = Rule {
    id: "lifecycle.timeout-cancels",
    level: Level::Should,
    side: None,
    revisions: Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/lifecycle#timeouts",
    requires: "A request that gets no answer in time is cancelled by its sender, who then stops waiting.",
    judged: "Only what the subject does by itself counts, since nobody knows its time-out. A tool call that is answered \
             while the one request sent during it is still open shows that the subject gave up; if it never cancelled \
             that request, this is a warning, for it may not have needed the answer. A client gave up if its user \
             learns that a wish failed whose request is still open, and it goes on, unless something odd came back, or \
             over HTTP a response without the answer.",
    untested: "the subject waited longer for an answer than the harness did; give it a short time-out for its own requests",
    judge: timeout_cancels,
};

fn timeout_cancels(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return client_cancels(view);
    }
    let forsaken: Vec<Exchange<'_>> = view
        .exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.answer().is_none() && !exchange.is("ping"))
        .collect();
    if forsaken.is_empty() {
        return Verdict::untested();
    }
    let withdrawn = view
        .notifications_by(Speaker::Peer)
        .find(|message| message.is("notifications/cancelled"))
        .map_or(usize::MAX, |message| message.entry);
    let calls: Vec<Exchange<'_>> =
        view.exchanges().filter(|exchange| exchange.is("tools/call") && !exchange.request().shares_id).collect();
    let lonely = lone_calls(&calls, &forsaken);
    forsaken
        .iter()
        .zip(lonely)
        .filter_map(|(request, call)| {
            if let Some(cancellation) = request.cancellation() {
                return (cancellation.entry < withdrawn).then_some(Ok(()));
            }
            let end = calls.get(call?)?.answer().filter(|end| end.entry < withdrawn)?;
            let gave_up = view.settled_after(end.entry);
            gave_up.then(|| {
                let what = "stops waiting for its own request without a word of cancellation";
                Err(Breach::at(end, what).after(request.request()).as_warning())
            })
        })
        .collect()
}

/// Whether a client cancels the requests that it gave up.
fn client_cancels(view: View<'_>) -> Verdict {
    // What fails because its server has gone was not given up by the client.
    let gone = view.entries().iter().position(|entry| matches!(entry.event, Event::Closed | Event::Killed));
    view.exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.answer().is_none() && exchange.request().is_sound())
        .filter_map(|exchange| {
            if exchange.cancellation().is_some() {
                return Some(Ok(()));
            }
            let request = exchange.request();
            let wish = errand::open(view, exchange).filter(|wish| wish.has_failed())?;
            let came = wish.came.as_ref().filter(|came| gone.is_none_or(|gone| came.entry < gone))?;
            if client::is_settled_oddly(view, request, came.entry) {
                return None;
            }
            let next =
                client::own(view).find(|own| own.entry > came.entry && own.id.is_some() && own.method().is_some())?;
            let what = format!("goes on without a word of cancellation for {}, which it gave up", exchange.method());
            Some(Err(Breach::at(next, what).after(request)))
        })
        .collect()
}

/// For each request of the subject the tool call during which it was sent, if only one was open then.
fn lone_calls(calls: &[Exchange<'_>], requests: &[Exchange<'_>]) -> Vec<Option<usize>> {
    let mut ends: Vec<(usize, usize)> = calls
        .iter()
        .enumerate()
        .filter_map(|(index, call)| call.answer().map(|answer| (answer.entry, index)))
        .collect();
    ends.sort_unstable();
    let (mut begun, mut ended, mut open) = (0, 0, BTreeSet::new());
    requests
        .iter()
        .map(|request| {
            let now = request.request().entry;
            while calls.get(begun).is_some_and(|call| call.request().entry < now) {
                open.insert(begun);
                begun += 1;
            }
            while let Some((_, index)) = ends.get(ended).filter(|(entry, _)| *entry < now) {
                open.remove(index);
                ended += 1;
            }
            open.first().copied().filter(|_| open.len() == 1)
        })
        .collect()
}

pub(super) static EXITS_ON_EOF: Rule = Rule {
    id: "lifecycle.shutdown.server-exits-on-eof",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio#shutdown",
    requires: "A server exits promptly when its standard input ends.",
    judged: "A server that the harness had to end is a breach, unless it had stopped serving before: then its last \
             fence went unanswered, which is judged elsewhere. Any exit status is fine, and an end by a signal \
             belongs to the robustness rules.",
    untested: "the input was never closed under a serving server, or it exited before",
    judge: exits_on_eof,
};

fn exits_on_eof(view: View<'_>) -> Verdict {
    let entries = view.entries();
    let Some(closed) = entries.iter().position(|entry| entry.event == Event::Closed) else {
        return Verdict::untested();
    };
    let mut fences = view.every_exchange().filter(|one| one.request().intent == Intent::Fence);
    let served = fences.next_back().is_none_or(|fence| fence.fate() == Fate::Answered);
    if view.subject_side() != Side::Server || !view.is_of_the_run() || view.legacy_since().is_some() || !served {
        return Verdict::untested();
    }
    let ending: Option<Check> = entries.iter().enumerate().skip(closed).find_map(|(index, entry)| match entry.event {
        Event::Exited { signal: None, .. } => Some(Ok(())),
        Event::Killed => Some(Err(Breach::at_entry(index, "is still running after its input ended"))),
        _ => None,
    });
    ending.into_iter().collect()
}
