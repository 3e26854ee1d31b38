//! What comes on an open subscription, and what must not.

use std::collections::HashSet;

use super::{ACKNOWLEDGED, KINDS, Subscription, covers, notices, subscriptions, tag};
use crate::revision::{Revisions, Side};
use crate::rules::pagination::walks::{self, ANNOUNCED};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Message, Speaker, View};
use crate::wire::Id;

pub(super) static ONLY_REQUESTED: Rule = Rule {
    id: "subscription.only-requested",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/subscriptions#opening-a-stream",
    requires: "A server announces only changes that the client asked to hear of.",
    judged: "Notices of changed lists and resources, where no legacy session is open. One that names a subscription must be \
             covered by what that one asked for, one that names none by some subscription before it. A part of a resource \
             is covered by the resource. A list that two walks show to have changed while nobody asked to hear of it is \
             an occasion to break the rule.",
    untested: "nothing was announced, and no list changed unheard; name a tool that changes one in the subject file",
    judge: only_requested,
};

fn only_requested(view: View<'_>) -> Verdict {
    let subscriptions = subscriptions(view);
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    let heard: Vec<&Message<'_>> = notices(view).filter(|notice| notice.entry < legacy_since).collect();
    // Nobody can say what was asked for by a request under an id that was in use.
    let unclear = |notice: &&&Message<'_>| {
        let asked = view.every_message().filter(|message| message.is("subscriptions/listen"));
        let known = |asked: &Message<'_>| subscriptions.iter().any(|own| own.entry() == asked.entry);
        asked.take_while(|asked| asked.entry < notice.entry).any(|asked| !known(asked))
    };
    let announced = heard.iter().filter(|notice| !unclear(notice)).map(|notice| {
        let before = |own: &&Subscription<'_>| own.entry() < notice.entry;
        let id = tag(notice);
        let named = subscriptions.iter().filter(before).find(|own| id.as_ref() == Some(&own.id));
        let covered = match named {
            Some(named) => named.wants(notice),
            None => subscriptions.iter().filter(before).any(|own| own.wants(notice)),
        };
        let what = format!("sends {} although nobody asked for it", notice.method().unwrap_or_default());
        if covered { Ok(()) } else { Err(Breach::at(notice, what)) }
    });
    let mut checks: Vec<Check> = announced.collect();
    for &(list, notice, _) in ANNOUNCED {
        let walks = walks::complete(view, list);
        let unheard = walks::successive(&walks).filter(|(one, next)| {
            let wanted = |own: &Subscription<'_>| {
                let kind = KINDS.iter().find(|(method, ..)| *method == notice);
                kind.and_then(|(_, member, _)| own.wanted?.member(member)).is_some() && own.entry() < next.end()
            };
            one.keys() != next.keys()
                && !subscriptions.iter().any(wanted)
                && !heard.iter().any(|message| message.is(notice))
        });
        checks.extend(unheard.filter(|(_, next)| view.settled_after(next.end())).map(|_| Ok(())));
    }
    checks.into_iter().collect()
}

pub(super) static ID_ON_NOTIFICATIONS: Rule = Rule {
    id: "subscription.id-on-notifications",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/subscriptions#receiving-notifications",
    requires: "Every message of a subscription names it by the id of its request, in the same JSON type.",
    judged: "Acknowledgments, and notices of changes that some subscription asked for. Notices that nobody asked for belong \
             to subscription.only-requested.",
    untested: "no subscription got a message",
    judge: id_on_notifications,
};

fn id_on_notifications(view: View<'_>) -> Verdict {
    let subscriptions = subscriptions(view);
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    // Those that are not judged included.
    let listens: HashSet<&Id> = view
        .every_message()
        .filter(|message| message.by == Speaker::Peer && message.is("subscriptions/listen"))
        .filter_map(|message| message.id.as_ref())
        .collect();
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.entry < legacy_since)
        .filter_map(|message| {
            let before: Vec<&Subscription<'_>> =
                subscriptions.iter().filter(|own| own.entry() < message.entry).collect();
            let acknowledges = message.is(ACKNOWLEDGED);
            let due = acknowledges || before.iter().any(|own| own.wants(message));
            if before.is_empty() || !due {
                return None;
            }
            let breach = |what: &str| Some(Err(Breach::at(message, what)));
            let Some(id) = tag(message) else {
                return breach(if acknowledges {
                    "acknowledges a subscription without naming it"
                } else {
                    "announces a change without naming the subscription"
                });
            };
            if before.iter().any(|own| own.id == id) || listens.contains(&id) {
                return Some(Ok(()));
            }
            let spelled = |own: &&&Subscription<'_>| own.id.text().trim_matches('"') == id.text().trim_matches('"');
            breach(if before.iter().any(|own| spelled(&own)) {
                "names a subscription by its id in another JSON type"
            } else {
                "names a subscription that nobody opened"
            })
        })
        .collect()
}

pub(super) static MULTIPLE: Rule = Rule {
    id: "subscription.multiple",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/subscriptions#multiple-concurrent-subscriptions",
    requires: "Several subscriptions can be open at once, and each gets its own copy of what it asked for.",
    judged: "A well-formed request to listen that is refused while another subscription is open, and a notice that reached \
             one of two subscriptions to the same kind of change, though a tool was called after both were acknowledged \
             and everything has settled.",
    untested: "no two subscriptions to the same kind of change were open when it was announced",
    judge: multiple,
};

fn multiple(view: View<'_>) -> Verdict {
    let subscriptions = subscriptions(view);
    let refused = subscriptions.iter().filter(|own| super::is_plain(own.exchange)).filter_map(|own| {
        let others = subscriptions.iter().find(|other| other.acknowledged.is_some() && other.open_at(own.entry()))?;
        let answer = own.exchange.answer().filter(|answer| answer.error().is_some())?;
        own.acknowledged.is_none().then(|| {
            let what = "refuses a subscription while another one is open";
            Err(Breach::at(answer, what).after(others.exchange.request()))
        })
    });
    let calls: Vec<usize> =
        view.exchanges().filter(|exchange| exchange.is("tools/call")).map(|call| call.request().entry).collect();
    let served = subscriptions.iter().enumerate().flat_map(|(position, own)| {
        subscriptions.iter().take(MOST_PAIRED).skip(position + 1).filter_map({
            let calls = &calls;
            move |other| shared(view, calls, own, other)
        })
    });
    refused.chain(served).collect()
}

/// More subscriptions of one session are not compared with each other.
const MOST_PAIRED: usize = 16;

/// Whether two subscriptions that were open together both heard of a change that both asked for.
fn shared(view: View<'_>, calls: &[usize], one: &Subscription<'_>, other: &Subscription<'_>) -> Option<Check> {
    let (first, second) = (one.acknowledged?.entry, other.acknowledged?.entry);
    let both = first.max(second);
    let call = *calls.get(calls.partition_point(|call| *call < both))?;
    let open = |own: &Subscription<'_>| own.until().is_none_or(|until| until > call);
    if !open(one) || !open(other) {
        return None;
    }
    let granted = |own: &Subscription<'_>, notice: &Message<'_>| own.granted().is_some_and(|own| covers(own, notice));
    let caused = || notices(view).filter(|notice| notice.entry > call);
    let copy = |own: &Subscription<'_>, kind: &str| {
        caused().find(|notice| notice.is(kind) && tag(notice).as_ref() == Some(&own.id))
    };
    KINDS.iter().find_map(|(kind, ..)| {
        let (here, there) = (copy(one, kind), copy(other, kind));
        let (heard, deaf) = match (here, there) {
            (Some(_), Some(_)) => return Some(Ok(())),
            (Some(heard), None) => (heard, other),
            (None, Some(heard)) => (heard, one),
            (None, None) => return None,
        };
        // Two subscriptions may hear of a change one after the other, but not with a later request between them.
        let waited = match deaf.until() {
            None => view.settled_after(heard.entry),
            Some(until) => {
                let later = view.exchanges().filter(|exchange| exchange.request().entry > heard.entry);
                later.filter_map(|exchange| exchange.answer()).any(|answer| answer.entry < until)
            }
        };
        let missed = granted(deaf, heard) && waited;
        let what = format!("sends {kind} to one of two subscriptions that asked for it");
        missed.then(|| Err(Breach::at(heard, what).after(deaf.exchange.request())))
    })
}
