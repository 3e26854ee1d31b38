//! Subscriptions of 2026-07-28: what `subscriptions/listen` opens, brings and leaves behind.
//!
//! - `opening`: the request and its acknowledgment
//! - `notices`: what comes on an open subscription, and what must not
//! - `scoped`: what belongs to another request
//! - `closing`: how it ends
//! - `client`: how a client subscribes, and what it makes of what comes

use super::{Rule, probe};
use crate::revision::meta;
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::{Id, Value};

mod client;
mod closing;
mod notices;
mod opening;
mod scoped;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &opening::SUPPORTED,
    &opening::ACK_FIRST,
    &opening::ACK_SUBSET,
    &notices::ONLY_REQUESTED,
    &notices::ID_ON_NOTIFICATIONS,
    &notices::MULTIPLE,
    &scoped::NO_REQUEST_SCOPED_TRAFFIC,
    &closing::STOPS_ON_CANCEL,
    &closing::GRACEFUL_CLOSE,
    &closing::CLOSE_RESULT_SHAPE,
    &client::FILTER_SENT,
    &client::HANDLES_REDUCED_ACK,
    &client::RESUBSCRIBES,
    &client::CORRELATES,
];

pub(super) const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The notices of changes: the method, the member of the filter that asks for it, the capability that promises it.
static KINDS: &[(&str, &str, &[&str])] = &[
    ("notifications/tools/list_changed", "toolsListChanged", &["tools", "listChanged"]),
    ("notifications/prompts/list_changed", "promptsListChanged", &["prompts", "listChanged"]),
    ("notifications/resources/list_changed", "resourcesListChanged", &["resources", "listChanged"]),
    ("notifications/resources/updated", "resourceSubscriptions", &["resources", "subscribe"]),
];

/// More subscriptions of one session are not looked at.
const MOST: usize = 64;

/// A `subscriptions/listen` under an id that nothing else has, and what became of it.
struct Subscription<'s> {
    exchange: Exchange<'s>,
    id: Id,
    /// What was asked for; none if that was no object.
    wanted: Option<Value<'s>>,
    acknowledged: Option<&'s Message<'s>>,
    /// The first cancellation by the server.
    ended: Option<&'s Message<'s>>,
}

impl<'s> Subscription<'s> {
    fn entry(&self) -> usize {
        self.exchange.request().entry
    }

    /// The entry at which either side ended it.
    fn until(&self) -> Option<usize> {
        let ends = [self.exchange.answer(), self.exchange.cancellation(), self.ended];
        ends.into_iter().flatten().map(|message| message.entry).min()
    }

    fn open_at(&self, entry: usize) -> bool {
        self.entry() < entry && self.until().is_none_or(|until| until > entry)
    }

    fn wants(&self, notice: &Message<'_>) -> bool {
        self.wanted.is_some_and(|wanted| covers(wanted, notice))
    }

    fn granted(&self) -> Option<Value<'s>> {
        self.acknowledged?.param("notifications")
    }
}

/// Every subscription that the harness asked for, in order. Nothing is expected on a connection with a legacy session,
/// where serving both eras at once is optional.
fn subscriptions(view: View<'_>) -> Vec<Subscription<'_>> {
    let named =
        |method: &'static str| view.notifications_by(Speaker::Subject).filter(move |message| message.is(method));
    let acknowledgments: Vec<&Message<'_>> = named(ACKNOWLEDGED).collect();
    let ends: Vec<&Message<'_>> = named("notifications/cancelled").collect();
    probe::stateless(view)
        .filter(|exchange| exchange.is("subscriptions/listen"))
        .take(MOST)
        .filter_map(|exchange| {
            let id = exchange.request().id.clone()?;
            let after = |message: &&&Message<'_>| message.entry > exchange.request().entry;
            let acknowledged = acknowledgments.iter().filter(after).find(|message| tag(message).as_ref() == Some(&id));
            let ended =
                ends.iter().filter(after).find(|end| end.param("requestId").map(Id::read).as_ref() == Some(&id));
            let wanted = exchange.param("notifications").filter(|wanted| wanted.is_object());
            let (acknowledged, ended) = (acknowledged.copied(), ended.copied());
            Some(Subscription { exchange, id, wanted, acknowledged, ended })
        })
        .collect()
}

/// The subscription that a message says it belongs to.
fn tag(message: &Message<'_>) -> Option<Id> {
    Some(Id::read(message.meta()?.member(meta::SUBSCRIPTION_ID)?))
}

/// The notices of changes by the subject.
fn notices(view: View<'_>) -> impl DoubleEndedIterator<Item = &Message<'_>> {
    view.notifications_by(Speaker::Subject).filter(|message| KINDS.iter().any(|(method, ..)| message.is(method)))
}

/// Whether a filter asks for a notice. A part of a resource that was asked for is asked for too.
fn covers(filter: Value<'_>, notice: &Message<'_>) -> bool {
    let Some((_, member, _)) = KINDS.iter().find(|(method, ..)| notice.is(method)) else { return false };
    let Some(wanted) = filter.member(member) else { return false };
    if !wanted.is_array() {
        return wanted.as_bool() == Some(true);
    }
    let Some(uri) = notice.param("uri").and_then(Value::as_str) else { return !wanted.is_empty() };
    wanted.items().filter_map(Value::as_str).any(|known| uri.starts_with(known.trim_end_matches('/')))
}

/// Whether nothing is odd about what a request to listen asks for.
fn is_plain(exchange: Exchange<'_>) -> bool {
    let Some(filter) = exchange.param("notifications").filter(|filter| filter.is_object()) else { return false };
    probe::plain(exchange.request()).is_some()
        && filter.members().all(|(key, value)| {
            KINDS.iter().any(|(_, member, _)| key == *member)
                && match &*key {
                    "resourceSubscriptions" => value.is_array() && value.items().all(Value::is_string),
                    _ => value.is_bool(),
                }
        })
}
