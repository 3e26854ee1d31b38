//! Announcements that a list has changed.

use super::capability::declares;
use super::pagination::walks::{self, ANNOUNCED, Walk};
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side, meta};
use crate::session::{Message, Speaker, View};
use crate::wire::{Id, Value};

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&EMITTED, &EMITTED_ON_SUBSCRIPTION, &ROOTS_REFETCHED, &client::ROOTS_EMITTED, &client::REFETCHES];

const JUDGED: &str = "A change is what two walks of one list to its end show: other items than before. The notice may come \
    at any moment from the first walk on, and is missed only once everything has settled.";

static EMITTED: Rule = Rule {
    id: "list-changed.emitted",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/tools#list-changed-notification",
    requires: "A server that declared listChanged announces changes of that list.",
    judged: JUDGED,
    untested: "no list with a declared listChanged was seen to change; name a tool that changes one in the subject file",
    judge: emitted,
};

fn emitted(view: View<'_>) -> Verdict {
    let declared = |feature: &str| declares(view, &[feature, "listChanged"]) == Some(true);
    let mut checks: Vec<Check> = Vec::new();
    for &(list, notice, _) in ANNOUNCED.iter().filter(|(.., feature)| declared(feature)) {
        let last_notice = view.notifications_by(Speaker::Subject).rfind(|message| message.is(notice));
        for (one, next) in walks::successive(&walks::complete(view, list)) {
            if one.keys() != next.keys() {
                checks.extend(noticed(view, last_notice, one, next));
            }
        }
    }
    checks.into_iter().collect()
}

static EMITTED_ON_SUBSCRIPTION: Rule = Rule {
    id: "list-changed.emitted-on-subscription",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#list-changed-notification",
    requires: "Declared list changes are announced on every open subscription that asked for them.",
    judged: JUDGED,
    untested: "no list was seen to change while a subscription to its changes was acknowledged and open; name a tool that \
               changes one in the subject file",
    judge: emitted_on_subscription,
};

/// The lists and the members of the filter that ask for their changes.
static FILTERS: &[(&str, &str)] = &[
    ("tools/list", "toolsListChanged"),
    ("prompts/list", "promptsListChanged"),
    ("resources/list", "resourcesListChanged"),
];

fn emitted_on_subscription(view: View<'_>) -> Verdict {
    let subscriptions = subscriptions(view);
    let mut checks: Vec<Check> = Vec::new();
    for (&(list, notice, _), (_, filter)) in ANNOUNCED.iter().zip(FILTERS) {
        let walks = walks::complete(view, list);
        let changes: Vec<_> = walks::successive(&walks).filter(|(one, next)| one.keys() != next.keys()).collect();
        if changes.is_empty() {
            continue;
        }
        for subscription in subscriptions.iter().filter(|subscription| subscription.has(filter)) {
            let own = |message: &&Message<'_>| message.is(notice) && belongs(message, &subscription.id);
            let last_notice = view.notifications_by(Speaker::Subject).rfind(own);
            let open = |one: &Walk<'_>, next: &Walk<'_>| {
                subscription.acknowledged < one.start() && subscription.until.is_none_or(|until| until > next.end())
            };
            for (one, next) in changes.iter().filter(|(one, next)| open(one, next)) {
                checks.extend(noticed(view, last_notice, one, next));
            }
        }
    }
    checks.into_iter().collect()
}

/// Whether a change between two walks was announced; none as long as the notice may still come.
fn noticed(view: View<'_>, notice: Option<&Message<'_>>, one: &Walk<'_>, next: &Walk<'_>) -> Option<Check> {
    if notice.is_some_and(|notice| notice.entry > one.start()) {
        return Some(Ok(()));
    }
    let (before, after) = (one.pages.last()?.answer, next.pages.last()?.answer);
    let what = format!("changes {} without a notice", next.method);
    view.settled_after(after.entry).then(|| Err(Breach::at(after, what).after(before)))
}

/// A `subscriptions/listen` that was acknowledged.
pub(super) struct Subscription<'s> {
    pub(super) id: Id,
    pub(super) acknowledged: usize,
    /// What of the filter the subject agreed to.
    pub(super) granted: Value<'s>,
    /// The entry at which either side ended it.
    pub(super) until: Option<usize>,
}

impl Subscription<'_> {
    fn has(&self, filter: &str) -> bool {
        self.granted.member(filter).and_then(Value::as_bool) == Some(true)
    }
}

pub(super) fn subscriptions(view: View<'_>) -> Vec<Subscription<'_>> {
    let acknowledgments: Vec<&Message<'_>> = view
        .notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/subscriptions/acknowledged"))
        .collect();
    let ends: Vec<&Message<'_>> =
        view.notifications_by(Speaker::Subject).filter(|message| message.is("notifications/cancelled")).collect();
    view.exchanges()
        .filter(|exchange| exchange.is("subscriptions/listen"))
        .take(MOST)
        .filter_map(|exchange| {
            let request = exchange.request();
            let id = request.id.clone()?;
            let acknowledgment =
                acknowledgments.iter().find(|message| message.entry > request.entry && belongs(message, &id))?;
            let ended = ends.iter().find(|end| {
                end.entry > request.entry && end.param("requestId").is_some_and(|ended| Id::read(ended) == id)
            });
            let until = [exchange.answer(), exchange.cancellation(), ended.copied()].into_iter().flatten();
            let until = until.map(|message| message.entry).min();
            let granted = acknowledgment.param("notifications")?;
            Some(Subscription { id, acknowledged: acknowledgment.entry, granted, until })
        })
        .collect()
}

/// More subscriptions of one session are not looked at.
const MOST: usize = 64;

/// Whether a notification is of this subscription.
pub(super) fn belongs(message: &Message<'_>, subscription: &Id) -> bool {
    let own = message.meta().and_then(|given| given.member(meta::SUBSCRIPTION_ID));
    own.is_some_and(|own| Id::read(own) == *subscription)
}

static ROOTS_REFETCHED: Rule = Rule {
    id: "list-changed.roots-refetched",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "schema/2025-11-25/schema.ts#RootsListChangedNotification",
    requires: "A server that uses roots asks for the list again after a notice that it has changed.",
    judged: "Notices of a client that declared roots.listChanged and whose roots the server had asked for. Not to ask again \
             is a warning, since the schema says so in passing only.",
    untested: "the server did not ask for roots before they changed; name a tool that asks for roots in the subject file",
    judge: roots_refetched,
};

fn roots_refetched(view: View<'_>) -> Verdict {
    let asked: Vec<usize> = view
        .exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.is("roots/list"))
        .map(|exchange| exchange.request().entry)
        .collect();
    let fetched = view
        .exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.is("roots/list") && exchange.result().is_some())
        .find_map(|exchange| Some(exchange.answer()?.entry));
    let Some(fetched) = fetched else { return Verdict::untested() };
    let declared = view
        .messages()
        .next()
        .and_then(|any| view.client_capabilities(any))
        .and_then(|capabilities| capabilities.path(&["roots", "listChanged"])?.as_bool());
    view.notifications_by(Speaker::Peer)
        .filter(|notice| notice.is("notifications/roots/list_changed") && notice.entry > fetched)
        .filter(|_| declared == Some(true))
        .filter_map(|notice| {
            if asked.last().is_some_and(|last| *last > notice.entry) {
                return Some(Ok(()));
            }
            let what = "does not ask again for roots that have changed";
            view.settled_after(notice.entry).then(|| Err(Breach::at(notice, what).as_warning()))
        })
        .collect()
}
