//! Cancellation: of the harness's requests by the harness, and of the subject's own by the subject.

use std::collections::HashMap;

use super::Rule;
use crate::session::{Exchange, Fate, Message, Speaker, View};
use crate::wire::{Id, Value};

mod aftermath;
mod client;
mod disconnect;
mod disconnected;
mod http;
mod listening;
mod received;
mod sent;

pub(in crate::rules) use client::request_for;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &sent::ONLY_OWN,
    &sent::REQUEST_ID,
    &sent::LATE_RESPONSE,
    &received::NO_RESPONSE,
    &received::NOTHING_AFTER,
    &aftermath::UNKNOWN_IGNORED,
    &aftermath::RACE_TOLERATED,
    &received::OTHERS_UNAFFECTED,
    &listening::ONLY_FOR_LISTEN,
    &listening::ANNOUNCES_END,
    &disconnect::NOT_CANCEL,
    &disconnected::IS_CANCEL,
    &client::ONLY_OWN_STATELESS,
    &client::STDIO_NOTIFIES,
    &http::CLOSES_STREAM,
    &http::EXPLICIT,
];

/// A cancellation, and what it refers to.
struct Notice<'s> {
    message: &'s Message<'s>,
    target: Target<'s>,
}

enum Target<'s> {
    /// It has no id, or one that no request can have.
    Malformed,
    /// No request of its sender had this id before.
    Unknown(Id),
    /// The latest request of its sender with that id.
    Known(Exchange<'s>),
}

/// The cancellations that one side sent in this revision.
fn notices_by(view: View<'_>, speaker: Speaker) -> Vec<Notice<'_>> {
    let mut requests: HashMap<&Id, Vec<Exchange<'_>>> = HashMap::new();
    for exchange in view.every_exchange_by(speaker) {
        if let Some(id) = &exchange.request().id {
            requests.entry(id).or_default().push(exchange);
        }
    }
    view.notifications_by(speaker)
        .filter(|message| message.is("notifications/cancelled"))
        .map(|message| {
            let id = message.param("requestId").map(Id::read).filter(Id::is_legal);
            let Some(id) = id else { return Notice { message, target: Target::Malformed } };
            let known = requests.get(&id).and_then(|exchanges| {
                let before = exchanges.partition_point(|exchange| exchange.request().entry <= message.entry);
                exchanges.get(before.checked_sub(1)?)
            });
            let target = known.map_or(Target::Unknown(id), |exchange| Target::Known(*exchange));
            Notice { message, target }
        })
        .collect()
}

/// By when the subject had certainly read what the harness sent.
///
/// What it says shortly after a cancellation may have crossed it. Once it has answered two later requests, one sent
/// after the answer to the other, it had its turn with everything before them.
struct Horizon {
    /// The entries of requests that were answered and, from each of them on, the earliest answer.
    asked: Vec<(usize, usize)>,
}

impl Horizon {
    fn of(view: View<'_>) -> Self {
        let mut asked: Vec<(usize, usize)> = view
            .every_exchange()
            .filter_map(|exchange| Some((exchange.request().entry, exchange.answer()?.entry)))
            .collect();
        asked.sort_unstable();
        let mut earliest = usize::MAX;
        for (_, answered) in asked.iter_mut().rev() {
            earliest = earliest.min(*answered);
            *answered = earliest;
        }
        Self { asked }
    }

    /// The first answer to a request that was sent after an entry.
    fn next_answer(&self, entry: usize) -> Option<usize> {
        let first = self.asked.partition_point(|(sent, _)| *sent <= entry);
        self.asked.get(first).map(|(_, answered)| *answered)
    }

    /// The entry from which on nothing can have crossed what was sent before.
    fn after(&self, entry: usize) -> Option<usize> {
        self.next_answer(self.next_answer(entry)?)
    }
}

/// Requests that succeeded without being cancelled: what the same request does when nothing comes in between.
struct Twins<'s> {
    /// The entry of the latest of each kind.
    latest: HashMap<Kind<'s>, usize>,
}

/// The method, and as JSON text what it is about and with which arguments.
type Kind<'s> = (&'s str, &'s str, &'s str);

impl<'s> Twins<'s> {
    fn of(view: View<'s>) -> Self {
        let succeeded = view
            .exchanges()
            .filter(|exchange| exchange.cancellation().is_none() && exchange.result().is_some())
            .map(|exchange| (kind(exchange), exchange.request().entry));
        Self { latest: succeeded.collect() }
    }

    fn have(&self, exchange: Exchange<'s>) -> bool {
        self.latest.contains_key(&kind(exchange))
    }

    /// Whether a request never gets the answer that its like got: its time was over, or it takes none, or its like was
    /// sent later and answered meanwhile.
    fn outlive(&self, exchange: Exchange<'s>) -> bool {
        let later = self.latest.get(&kind(exchange)).map(|sent| *sent > exchange.request().entry);
        exchange.fate() == Fate::Silent
            && later.is_some_and(|later| later || exchange.is_overdue() || exchange.is_swift())
    }
}

fn kind(exchange: Exchange<'_>) -> Kind<'_> {
    let name = ["name", "uri", "ref"].iter().find_map(|key| exchange.param(key));
    (exchange.method(), name.map_or("", Value::raw), exchange.param("arguments").map_or("", Value::raw))
}
