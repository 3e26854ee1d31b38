//! Cancellations by a server of 2026-07-28: only of subscriptions, and of all of those that it ends.

use std::collections::{HashMap, HashSet};

use super::{Horizon, Notice, Target, notices_by};
use crate::revision::{Revisions, Side, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Speaker, View};
use crate::transcript::Event;
use crate::wire::Id;

const CLAUSE: &str = "2026-07-28/basic/patterns/cancellation#behavior-requirements";

pub(super) static ONLY_FOR_LISTEN: Rule = Rule {
    id: "cancel.server-only-for-listen",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server cancels nothing but subscriptions.",
    judged: "Every cancellation of the server must name a `subscriptions/listen` that the client had sent. A server that was \
             itself sent a cancellation and echoes none keeps the rule.",
    untested: "neither side cancelled anything",
    judge: only_for_listen,
};

fn only_for_listen(view: View<'_>) -> Verdict {
    // Messages and not exchanges: a subscription stays one when its id is used again while it is open.
    let mut listens: HashMap<&Id, usize> = HashMap::new();
    for request in view.requests_by(Speaker::Peer).filter(|request| request.is("subscriptions/listen")) {
        if let Some(id) = &request.id {
            listens.entry(id).or_insert(request.entry);
        }
    }
    let own: Vec<Check> = view
        .notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/cancelled"))
        .filter_map(|message| {
            let id = message.param("requestId").map(Id::read).filter(Id::is_legal)?;
            let listens = listens.get(&id).is_some_and(|sent| *sent < message.entry);
            let what = "cancels something that is no subscription";
            Some(if listens { Ok(()) } else { Err(Breach::at(message, what)) })
        })
        .collect();
    let horizon = Horizon::of(view);
    let tempted = notices_by(view, Speaker::Peer)
        .into_iter()
        .filter(|Notice { message, target }| {
            matches!(target, Target::Known(_)) && own.is_empty() && horizon.after(message.entry).is_some()
        })
        .map(|_| Ok(()));
    let tempted: Vec<Check> = tempted.collect();
    own.into_iter().chain(tempted).collect()
}

pub(super) static ANNOUNCES_END: Rule = Rule {
    id: "cancel.server-announces-listen-end",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: CLAUSE,
    requires: "A server that ends a subscription on its own says so.",
    judged: "Subscriptions that were acknowledged and not cancelled by the client. A cancellation by the server or a result \
             announces the end, since two pages disagree on which it is. A server that ends its output without either \
             gets a warning, for the end of the transport ends its subscriptions as well.",
    untested: "no subscription was open when the server or the session ended",
    judge: announces_end,
};

fn announces_end(view: View<'_>) -> Verdict {
    let ended = view.entries().iter().position(|entry| matches!(entry.event, Event::Ended | Event::Exited { .. }));
    let acknowledged: HashSet<Id> = view
        .notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/subscriptions/acknowledged"))
        .filter_map(|message| Some(Id::read(message.meta()?.member(meta::SUBSCRIPTION_ID)?)))
        .collect();
    let cancelled: HashSet<Id> = view
        .notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/cancelled"))
        .filter_map(|message| message.param("requestId").map(Id::read))
        .collect();
    let is_open = |exchange: &Exchange<'_>| {
        let id = exchange.request().id.as_ref();
        exchange.cancellation().is_none() && id.is_some_and(|id| acknowledged.contains(id))
    };
    view.exchanges()
        .filter(|exchange| exchange.is("subscriptions/listen"))
        .filter(is_open)
        .filter_map(|exchange| {
            let request = exchange.request();
            let announced = exchange.answer().is_some() || cancelled.contains(request.id.as_ref()?);
            if announced {
                return Some(Ok(()));
            }
            let what = "ends its output without a word about an open subscription";
            ended.map(|ended| Err(Breach::at_entry(ended, what).after(request).as_warning()))
        })
        .collect()
}
