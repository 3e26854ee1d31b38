//! Subscriptions to single resources, and the notices that they bring.

use super::uri;
use crate::revision::{Revisions, Side};
use crate::rules::capability::declares;
use crate::rules::inventory::Inventory;
use crate::rules::list_changed;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

const NOTICE: &str = "notifications/resources/updated";

pub(super) static WORKS_IF_DECLARED: Rule = Rule {
    id: "resources.subscribe.works-if-declared",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/resources#subscriptions",
    requires: "A server that declared resources.subscribe lets clients subscribe to what it listed, and unsubscribe.",
    judged: "Requests for listed URIs; to unsubscribe, after a subscription. An error is a warning, since the page has no \
             keyword for it.",
    untested: "nobody subscribed to a listed resource, or the server did not declare resources.subscribe",
    judge: works_if_declared,
};

fn works_if_declared(view: View<'_>) -> Verdict {
    if declares(view, &["resources", "subscribe"]) != Some(true) {
        return Verdict::untested();
    }
    let resources = Inventory::of(view, "resources/list");
    let subscriptions = Subscriptions::of(view);
    view.exchanges()
        .filter(|exchange| probe::is_fair(view, *exchange))
        .filter_map(|exchange| {
            let uri = exchange.param("uri")?.as_str()?;
            let expected = match exchange.method() {
                "resources/subscribe" => resources.has(&uri),
                "resources/unsubscribe" => subscriptions.confirmed(&uri, exchange.request().entry),
                _ => false,
            };
            let answer = exchange.answer().filter(|_| expected)?;
            let what = || format!("refuses {} of {uri:?} with {}", exchange.method(), probe::code_in_words(exchange));
            let refused = || Breach::at(answer, what()).after(exchange.request()).as_warning();
            Some(if answer.is_error() { Err(refused()) } else { Ok(()) })
        })
        .collect()
}

pub(super) static ONLY_SUBSCRIBED: Rule = Rule {
    id: "resources.updated.only-subscribed",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "schema/2025-11-25/schema.ts#ResourceUpdatedNotification",
    requires: "Updates are announced only of resources that the client subscribed to.",
    judged: "Every notice names a URI that was subscribed to, or one below it. A notice that crosses with the end of the \
             subscription is fine: it is late only once something that was asked after that end was answered.",
    untested: "the server announced no update; name a tool that updates a resource in the subject file",
    judge: only_subscribed,
};

fn only_subscribed(view: View<'_>) -> Verdict {
    // Whose answer is whose under an id that was used again, nobody knows.
    let subscribes = ["resources/subscribe", "resources/unsubscribe"];
    let unclear = |request: &Message<'_>| request.shares_id && subscribes.iter().any(|method| request.is(method));
    if view.requests_by(Speaker::Peer).any(unclear) {
        return Verdict::untested();
    }
    let subscriptions = Subscriptions::of(view);
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.is(NOTICE))
        .map(|notice| {
            let Some(uri) = notice.param("uri").and_then(Value::as_str) else {
                return Err(Breach::at(notice, "announces an update without the URI"));
            };
            let shown: String = uri.chars().take(140).collect();
            match subscriptions.state(&uri, notice.entry) {
                State::Open => Ok(()),
                State::Never => {
                    Err(Breach::at(notice, format!("announces an update of {shown:?}, to which nobody subscribed")))
                }
                State::Ended => {
                    Err(Breach::at(notice, format!("announces an update of {shown:?} after the unsubscription")))
                }
            }
        })
        .collect()
}

enum State {
    Open,
    Never,
    Ended,
}

/// The subscriptions of a legacy session.
struct Subscriptions<'s> {
    view: View<'s>,
    /// Requests to begin (true) or to end one, in order.
    requests: Vec<(bool, String, Exchange<'s>)>,
}

impl<'s> Subscriptions<'s> {
    fn of(view: View<'s>) -> Self {
        let requests = view.exchanges().filter_map(|exchange| {
            let begins = match exchange.method() {
                "resources/subscribe" => true,
                "resources/unsubscribe" => false,
                _ => return None,
            };
            Some((begins, exchange.param("uri")?.as_str()?.into_owned(), exchange))
        });
        Self { view, requests: requests.collect() }
    }

    /// Whether a subscription to this very URI was confirmed and not ended before an entry.
    fn confirmed(&self, uri: &str, at: usize) -> bool {
        let mut own = self.requests.iter().filter(|(_, own, exchange)| own == uri && exchange.request().entry < at);
        own.next_back().is_some_and(|(begins, _, exchange)| *begins && exchange.result().is_some())
    }

    fn state(&self, uri: &str, at: usize) -> State {
        let mut state = State::Never;
        let before = self.requests.iter().filter(|(_, _, exchange)| exchange.request().entry < at);
        for (begins, own, exchange) in before.filter(|(_, own, _)| uri::is_within(uri, own)) {
            let answer = exchange.answer().filter(|answer| answer.entry < at);
            let refused = answer.is_some_and(Message::is_error);
            if *begins && !refused {
                state = State::Open;
            } else if !begins && !refused && answer.is_some_and(|answer| self.is_past(answer, at)) {
                // Another subscription may hold the same resource.
                state = if self.others_hold(uri, own, at) { State::Open } else { State::Ended };
            }
        }
        state
    }

    fn others_hold(&self, uri: &str, ended: &str, at: usize) -> bool {
        self.requests.iter().any(|(begins, own, exchange)| {
            *begins && own != ended && uri::is_within(uri, own) && exchange.request().entry < at
        })
    }

    /// Whether something that was asked after this answer was answered before an entry.
    fn is_past(&self, answer: &Message<'_>, at: usize) -> bool {
        let later = self.view.every_exchange().filter(|exchange| exchange.request().entry > answer.entry);
        later.filter_map(Exchange::answer).any(|later| later.entry < at)
    }
}

const SHOWN: &str = "A change is what three readings of one resource show: the same twice, and something else after a \
    tool was called. The notice may come at any moment from the second reading on. Its absence is a warning, since the page \
    has no keyword for it.";

pub(super) static EMITTED: Rule = Rule {
    id: "resources.updated.emitted",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/resources#subscriptions",
    requires: "A change of a resource is announced to a client that subscribed to it.",
    judged: SHOWN,
    untested: "no resource with a subscription was seen to change; name a tool that updates one (`updates-resource`) and the \
               resource (`updated-resource`) in the subject file",
    judge: emitted,
};

fn emitted(view: View<'_>) -> Verdict {
    let subscriptions = Subscriptions::of(view);
    changes(view)
        .filter(|change| subscriptions.confirmed(&change.uri, change.before.entry))
        .filter_map(|change| {
            let heard = |message: &Message<'_>| message.is(NOTICE);
            announced(view, &change, heard)
        })
        .collect()
}

pub(super) static EMITTED_ON_SUBSCRIPTION: Rule = Rule {
    id: "resources.updated.emitted-on-subscription",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#subscriptions",
    requires: "A change of a resource is announced on every open subscription that was granted it.",
    judged: SHOWN,
    untested: "no resource was seen to change while a subscription to it was acknowledged and open; name a tool that updates \
               one (`updates-resource`) and the resource (`updated-resource`) in the subject file",
    judge: emitted_on_subscription,
};

fn emitted_on_subscription(view: View<'_>) -> Verdict {
    let subscriptions = list_changed::subscriptions(view);
    let mut checks: Vec<Check> = Vec::new();
    for change in changes(view) {
        let watching = subscriptions.iter().filter(|subscription| {
            let mut granted = subscription.granted.member("resourceSubscriptions").into_iter().flat_map(Value::items);
            granted.any(|uri| uri.is(&change.uri))
                && subscription.acknowledged < change.before.entry
                && subscription.until.is_none_or(|until| until > change.after.entry)
        });
        for subscription in watching {
            let own = |message: &Message<'_>| message.is(NOTICE) && list_changed::belongs(message, &subscription.id);
            checks.extend(announced(view, &change, own));
        }
    }
    checks.into_iter().collect()
}

/// A resource that changed.
struct Change<'s> {
    uri: String,
    /// The answer to the last reading before.
    before: &'s Message<'s>,
    /// The answer to the first reading after.
    after: &'s Message<'s>,
}

fn changes(view: View<'_>) -> impl Iterator<Item = Change<'_>> {
    let calls: Vec<Exchange<'_>> = view.exchanges().filter(|exchange| exchange.is("tools/call")).collect();
    let readings: Vec<(String, Exchange<'_>, Value<'_>)> = view
        .exchanges()
        .filter(|exchange| exchange.is("resources/read"))
        .filter_map(|exchange| {
            let contents = exchange.result()?.member("contents")?;
            Some((exchange.param("uri")?.as_str()?.into_owned(), exchange, contents))
        })
        .collect();
    let mut changes = Vec::new();
    for (uri, ..) in &readings {
        if changes.iter().any(|change: &Change<'_>| change.uri == *uri) {
            continue;
        }
        let own: Vec<_> = readings.iter().filter(|(other, ..)| other == uri).collect();
        changes.extend(own.windows(3).filter_map(|three| {
            let [(_, _, first), (_, second_read, second), (_, third_read, third)] = three else { return None };
            let (before, after) = (second_read.answer()?, third_read.answer()?);
            let called = calls.iter().any(|call| {
                call.request().entry > before.entry
                    && call.result().is_some()
                    && call.answer().is_some_and(|answer| answer.entry < third_read.request().entry)
            });
            (called && first.same(*second) && !second.same(*third)).then(|| Change { uri: uri.clone(), before, after })
        }));
    }
    changes.into_iter()
}

fn announced(view: View<'_>, change: &Change<'_>, heard: impl Fn(&Message<'_>) -> bool) -> Option<Check> {
    let names = |message: &Message<'_>| {
        let uri = message.param("uri").and_then(Value::as_str);
        uri.is_some_and(|uri| uri::is_within(&uri, &change.uri))
    };
    let told = view
        .notifications_by(Speaker::Subject)
        .any(|message| message.entry > change.before.entry && heard(message) && names(message));
    if told {
        return Some(Ok(()));
    }
    let what = format!("changes {:?} without a notice", change.uri.chars().take(140).collect::<String>());
    view.settled_after(change.after.entry)
        .then(|| Err(Breach::at(change.after, what).after(change.before).as_warning()))
}
