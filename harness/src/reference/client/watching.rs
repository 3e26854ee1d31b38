//! News of resources and lists in the modern era: subscriptions, told apart by the id of the request that opened them.

use serde_json::{Value, json};

use super::fault::ClientFault;
use super::requests::{Answer, Pending};
use super::results::cut;
use super::{Client, Outlet};
use crate::reference::incoming::RequestId;
use crate::reference::message::{Message, Object, object};
use crate::revision::meta;
use crate::user::Wish;

/// The lists whose changes can be heard of: the member of the filter, the notification, the capability.
const LISTS: [(&str, &str, &str); 3] = [
    ("toolsListChanged", "notifications/tools/list_changed", "tools"),
    ("promptsListChanged", "notifications/prompts/list_changed", "prompts"),
    ("resourcesListChanged", "notifications/resources/list_changed", "resources"),
];

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: RequestId,
    /// The id as a value.
    pub(super) token: Value,
    /// What was asked for.
    pub(super) filter: Object,
    pub(super) is_acknowledged: bool,
    pub(super) errand: u64,
}

impl Subscription {
    fn hears(&self, member: &str) -> bool {
        self.is_acknowledged && self.filter.contains_key(member)
    }

    fn uris(&self) -> impl Iterator<Item = &str> {
        self.filter
            .get("resourceSubscriptions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

impl Client {
    /// Opens a subscription for a resource; the first one is for lists too.
    pub(super) fn listen(&mut self, errand: u64, uri: &str, out: &mut Outlet) {
        let offers = |feature: &str, member: &str| self.terms().is_some_and(|terms| terms.offers(&[feature, member]));
        let mut filter = Object::new();
        if self.subscriptions.is_empty() {
            let announced = LISTS.iter().filter(|(_, _, feature)| offers(feature, "listChanged"));
            filter.extend(announced.map(|(member, _, _)| ((*member).to_owned(), json!(true))));
        }
        if offers("resources", "subscribe") {
            filter.insert("resourceSubscriptions".into(), json!([uri]));
        }
        if filter.is_empty() {
            return self.fail(errand, "the server announces nothing".to_owned(), out);
        }
        let token = self.request(errand, "subscriptions/listen", object(json!({"notifications": filter})), out);
        if let Some(id) = RequestId::read(&token.to_string()) {
            self.subscriptions.push(Subscription { id, token, filter, is_acknowledged: false, errand });
        }
    }

    /// Ends the subscription for a resource.
    pub(super) fn stop_listening(&mut self, errand: u64, uri: &str, out: &mut Outlet) {
        match self.subscriptions.iter().position(|one| one.uris().any(|known| known == uri)) {
            Some(position) => {
                let ended = self.subscriptions.remove(position);
                let params = json!({"requestId": ended.token, "reason": "no longer wanted"});
                self.send(Message::notification("notifications/cancelled", Some(params)), out);
                self.succeed(errand, json!({}), out);
            }
            None => self.fail(errand, format!("nobody watches {}", cut(uri)), out),
        }
    }

    /// A notification of the modern era.
    pub(super) fn news(&mut self, method: &str, params: &Object, out: &mut Outlet) {
        if method == "notifications/cancelled" {
            self.subscriptions.retain(|one| params.get("requestId") != Some(&one.token));
            return;
        }
        let tag = params.get("_meta").and_then(|metadata| metadata.get(meta::SUBSCRIPTION_ID));
        let Some(position) = tag.and_then(|tag| self.subscriptions.iter().position(|one| one.token == *tag)) else {
            if method.ends_with("_changed") || method.ends_with("/updated") {
                self.note("news for no subscription of this client", out);
            }
            return;
        };
        let subscription = &mut self.subscriptions[position];
        match method {
            "notifications/subscriptions/acknowledged" if !subscription.is_acknowledged => {
                subscription.is_acknowledged = true;
                let (errand, id) = (subscription.errand, subscription.id.clone());
                let granted = params.get("notifications").and_then(Value::as_object).cloned().unwrap_or_default();
                let missing: Vec<_> =
                    subscription.filter.keys().filter(|member| !granted.contains_key(*member)).cloned().collect();
                self.pending.retain(|pending| !pending.id.same(&id));
                if !missing.is_empty() && self.faulty(ClientFault::DiesOnReducedFilter) {
                    return self.exit(1, out);
                }
                if !missing.is_empty() && self.faulty(ClientFault::InsistsOnFilter) && self.once_more() {
                    let uri = self.subscriptions[position].uris().next().unwrap_or_default().to_owned();
                    self.subscriptions.remove(position);
                    return self.listen(errand, &uri, out);
                }
                self.succeed(errand, json!({"missing": missing}), out);
            }
            "notifications/resources/updated" => {
                let Some(uri) = params.get("uri").and_then(Value::as_str) else { return };
                // An update may name a part of what was subscribed to.
                if subscription.is_acknowledged && subscription.uris().any(|known| uri.starts_with(known)) {
                    self.cache.forget("resources/read");
                    self.journal.update(uri);
                }
            }
            _ => {
                let heard = LISTS.iter().any(|(member, name, _)| *name == method && subscription.hears(member));
                if heard {
                    self.changed(method);
                }
            }
        }
    }

    /// A subscription was refused, or ended before it began.
    pub(super) fn listening_ended(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        self.subscriptions.retain(|one| !one.id.same(&pending.id));
        match answer {
            Ok(_) => self.succeed(pending.errand, json!({"ended": true}), out),
            Err(trouble) => self.fail(pending.errand, trouble.told(), out),
        }
    }

    /// The answer that ends an open subscription. Gives whether it was one.
    pub(super) fn ended_by_answer(&mut self, id: &RequestId) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|one| !one.id.same(id));
        self.subscriptions.len() < before
    }

    /// Does what a wish about news wants.
    pub(super) fn watch(&mut self, errand: u64, wish: Wish, out: &mut Outlet) {
        match wish {
            Wish::Watch { uri } if self.is_modern() && !self.faulty(ClientFault::SubscribesModern) => {
                self.listen(errand, &uri, out);
            }
            Wish::Unwatch { uri } if self.is_modern() => self.stop_listening(errand, &uri, out),
            Wish::Watch { uri } => {
                self.request(errand, "resources/subscribe", object(json!({"uri": uri})), out);
            }
            Wish::Unwatch { uri } => {
                self.request(errand, "resources/unsubscribe", object(json!({"uri": uri})), out);
            }
            _ => {}
        }
    }
}
