//! The request to listen and its acknowledgment.

use std::collections::HashMap;

use super::{KINDS, Subscription, is_plain, subscriptions, tag};
use crate::revision::{Revisions, Side, code};
use crate::rules::capability::declares;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Fate, Message, Speaker, View};
use crate::wire::{Id, Value};

const ACKNOWLEDGMENT: &str = "2026-07-28/basic/patterns/subscriptions#acknowledgment";

pub(super) static SUPPORTED: Rule = Rule {
    id: "subscription.supported",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#message-patterns",
    requires: "A server that declares that it announces changes serves subscriptions/listen.",
    judged: "Well-formed requests to listen, while no other subscription is open. A server that declares neither a \
             listChanged nor resources.subscribe may refuse. -32601 is a breach, and so is silence that later requests \
             outlive; another error is a warning, since no clause grants every filter.",
    untested: "the server declares no announcements of changes, or nothing was asked for with a well-formed filter",
    judge: supported,
};

fn supported(view: View<'_>) -> Verdict {
    if !KINDS.iter().any(|(_, _, path)| declares(view, path) == Some(true)) {
        return Verdict::untested();
    }
    let subscriptions = subscriptions(view);
    let acknowledges_something = view
        .notifications_by(Speaker::Subject)
        .rfind(|message| message.is(super::ACKNOWLEDGED))
        .map(|message| message.entry);
    subscriptions
        .iter()
        .filter(|own| is_plain(own.exchange))
        .filter(|own| !subscriptions.iter().any(|other| other.open_at(own.entry())))
        .filter_map(|own| {
            let request = own.exchange.request();
            if own.acknowledged.is_some() {
                return Some(Ok(()));
            }
            if let Some(answer) = own.exchange.answer() {
                let refused = |what: String| Breach::at(answer, what).after(request);
                return match own.exchange.error_code()? {
                    code::METHOD_NOT_FOUND => {
                        Some(Err(refused("announces changes and does not know subscriptions/listen".to_owned())))
                    }
                    other => Some(Err(refused(format!("refuses subscriptions/listen with {other}")).as_warning())),
                };
            }
            // An acknowledgment that names another subscription, or none, is another rule's finding.
            let lost = acknowledges_something.is_none_or(|entry| entry < request.entry)
                && own.exchange.fate() == Fate::Silent
                && view.last_served().is_some_and(|served| served > request.entry);
            lost.then(|| Err(Breach::at(request, "neither acknowledges nor refuses subscriptions/listen")))
        })
        .collect()
}

pub(super) static ACK_FIRST: Rule = Rule {
    id: "subscription.ack-first",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: ACKNOWLEDGMENT,
    requires: "The acknowledgment is the first message of a subscription.",
    judged: "The first notification or result that names each subscription. Messages of other subscriptions may come in \
             between, a refusal is no subscription, and a cancellation may overtake the acknowledgment.",
    untested: "no subscription got a message",
    judge: ack_first,
};

fn ack_first(view: View<'_>) -> Verdict {
    let mut tagged: HashMap<Id, Vec<&Message<'_>>> = HashMap::new();
    for message in view.notifications_by(Speaker::Subject).filter(|message| !message.is("notifications/cancelled")) {
        if let Some(id) = tag(message) {
            tagged.entry(id).or_default().push(message);
        }
    }
    subscriptions(view)
        .iter()
        .filter_map(|Subscription { exchange, id, .. }| {
            let request = exchange.request();
            let named = tagged.get(id).map(Vec::as_slice).unwrap_or_default();
            let notification = named.get(named.partition_point(|message| message.entry < request.entry)).copied();
            let closing = exchange.answer().filter(|answer| answer.is_success());
            let first = [notification, closing].into_iter().flatten().min_by_key(|message| message.entry)?;
            Some(if first.is(super::ACKNOWLEDGED) {
                Ok(())
            } else {
                let what = "does not begin a subscription with its acknowledgment";
                Err(Breach::at(first, what).after(request))
            })
        })
        .collect()
}

pub(super) static ACK_SUBSET: Rule = Rule {
    id: "subscription.ack-subset",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: ACKNOWLEDGMENT,
    requires: "The acknowledgment grants a part of what was asked for, and nothing that the server does not support.",
    judged: "True counts as granted and so does each URI; false, an empty array and a missing member say the same. URIs \
             are compared without regard to case and to slashes at their end. What was asked for and is granted although \
             the server does not declare it is a warning, as is an unknown member.",
    untested: "no subscription was acknowledged",
    judge: ack_subset,
};

fn ack_subset(view: View<'_>) -> Verdict {
    subscriptions(view)
        .iter()
        .filter_map(|own| {
            let (acknowledgment, wanted) = (own.acknowledged?, own.wanted?);
            let breach = |what: String| Breach::at(acknowledgment, what).after(own.exchange.request());
            let Some(granted) = own.granted().filter(|granted| granted.is_object()) else {
                return Some(Err(breach("acknowledges a subscription without saying what of it".to_owned())));
            };
            let mut faults = granted.members().filter_map(|(key, value)| {
                let fault = fault(view, wanted, &key, value)?;
                let (what, warning) = fault;
                Some(if warning { breach(what).as_warning() } else { breach(what) })
            });
            let check: Check = faults.next().map_or(Ok(()), Err);
            Some(check)
        })
        .collect()
}

/// What is wrong with one member of what was granted, and whether that is only worth a warning.
fn fault(view: View<'_>, wanted: Value<'_>, key: &str, granted: Value<'_>) -> Option<(String, bool)> {
    let own = wanted.member(key);
    let Some((_, _, path)) = KINDS.iter().find(|(_, member, _)| *member == key) else {
        let is_container = granted.is_array() || granted.is_object();
        let nothing = granted.as_bool() == Some(false) || granted.is_null() || (is_container && granted.is_empty());
        return (own.is_none() && !nothing).then(|| (format!("grants {key}, which nobody asked for"), true));
    };
    let undeclared = declares(view, path) == Some(false);
    let warning = || undeclared.then(|| (format!("grants {key} and does not declare it"), true));
    if key == "resourceSubscriptions" {
        if !granted.is_array() {
            return Some((format!("grants {key} as something that is no array"), false));
        }
        let asked = |uri: Value<'_>| own.is_some_and(|own| own.items().any(|known| alike(known, uri)));
        if !granted.items().all(asked) {
            return Some((format!("grants more in {key} than was asked for"), false));
        }
        return warning().filter(|_| !granted.is_empty());
    }
    match granted.as_bool() {
        None => Some((format!("grants {key} as something that is no boolean"), false)),
        Some(false) => None,
        Some(true) if own.and_then(Value::as_bool) != Some(true) => {
            Some((format!("grants {key}, which nobody asked for"), false))
        }
        Some(true) => warning(),
    }
}

fn alike(one: Value<'_>, other: Value<'_>) -> bool {
    let (Some(one), Some(other)) = (one.as_str(), other.as_str()) else { return false };
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}
