//! Changes and who hears of them: the legacy session, or the open subscriptions of the modern era.

use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::{Offer, Reading};
use super::fault::Fault;
use super::incoming::RequestId;
use super::legacy::Call;
use super::message::{Failure, Message, Object, object};
use super::server::{Answer, Occasion, Server};
use crate::revision::{Revision, code, meta};

/// More subscriptions at a time are refused.
const MOST: usize = 256;
/// More URIs of one subscription are not granted.
const MOST_URIS: usize = 256;

/// A list that can change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum List {
    Tools,
    Prompts,
    Resources,
}

/// An open `subscriptions/listen`.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: RequestId,
    value: Value,
    lists: Vec<List>,
    uris: Vec<String>,
}

impl Subscription {
    /// Whether it asked to hear of changes of this list.
    pub(super) fn hears(&self, list: List) -> bool {
        self.lists.contains(&list)
    }
}

const LISTS: [(List, &str, &str); 3] = [
    (List::Tools, "toolsListChanged", "notifications/tools/list_changed"),
    (List::Prompts, "promptsListChanged", "notifications/prompts/list_changed"),
    (List::Resources, "resourcesListChanged", "notifications/resources/list_changed"),
];

impl Server {
    /// Whether a subscription of this id is open.
    pub(super) fn subscribes(&self, id: &RequestId) -> bool {
        self.subscriptions.iter().any(|subscription| subscription.id.same(id))
    }

    fn announces(&self, list: List) -> bool {
        let features = &self.behaviour.features;
        let offer = match list {
            List::Tools => features.tools,
            List::Prompts => features.prompts,
            List::Resources => features.resources,
        };
        offer == Offer::Announced
    }

    /// Opens a subscription and acknowledges what of it is granted.
    pub(super) fn listen(&mut self, call: &Call<'_>, out: &mut Outbox) -> Answer {
        let invalid = |why: &str| Failure::new(code::INVALID_PARAMS, why);
        let wanted = call.params.get("notifications").and_then(Value::as_object);
        let wanted = wanted.ok_or_else(|| invalid("the object notifications is missing"))?;
        let value = call.id.value().ok_or_else(|| invalid("the id is too large to name a subscription"))?;
        if self.subscriptions.iter().any(|open| open.id.same(call.id)) {
            return Err(Failure::new(code::INVALID_REQUEST, "a subscription of this id is open"));
        }
        if self.subscriptions.len() >= MOST {
            return Err(Failure::new(code::INTERNAL_ERROR, "too many subscriptions are open"));
        }
        if self.tampers()
            && let Some(answer) = self.mislistens(call, out)
        {
            return answer;
        }
        let mut granted = Object::new();
        let mut lists = Vec::new();
        for (list, member, _) in LISTS {
            match wanted.get(member) {
                None | Some(Value::Bool(false)) => {}
                Some(Value::Bool(true)) if self.announces(list) => {
                    lists.push(list);
                    granted.insert(member.into(), true.into());
                }
                Some(Value::Bool(true)) => {}
                Some(_) => return Err(invalid("a member of notifications is no boolean")),
            }
            if self.reads(Reading::FalseInAcknowledgement) {
                granted.entry(member).or_insert_with(|| false.into());
            }
        }
        let mut uris = Vec::new();
        match wanted.get("resourceSubscriptions") {
            None => {}
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                let known = list.iter().filter_map(Value::as_str).filter(|uri| self.knows_resource(uri));
                uris.extend(known.take(MOST_URIS).map(str::to_owned));
                if self.offers("subscribe") {
                    granted.insert("resourceSubscriptions".into(), uris.clone().into());
                } else {
                    uris.clear();
                }
            }
            Some(_) => return Err(invalid("resourceSubscriptions is no array of strings")),
        }
        self.grudge.listened = true;
        let params = json!({"_meta": {meta::SUBSCRIPTION_ID: value}, "notifications": granted});
        self.notify(call.revision, "notifications/subscriptions/acknowledged", Some(params), out);
        self.subscriptions.push(Subscription { id: call.id.clone(), value, lists, uris });
        Ok(None)
    }

    /// Says that a list has changed to everybody who is to know.
    pub(super) fn announce(&mut self, list: List, out: &mut Outbox) {
        if !self.announces(list) {
            return;
        }
        let Some((_, _, method)) = LISTS.into_iter().find(|(known, _, _)| *known == list) else { return };
        if let Some(session) = self.session.as_ref().filter(|session| session.initialized)
            && !self.faulty(Fault::SilentChangesLegacy)
        {
            let revision = session.revision;
            self.concerning(None, |server| server.notify(revision, method, None, out));
        }
        if self.faulty(Fault::SilentChangesModern) {
            return;
        }
        if self.tampers() {
            self.concerning(None, |server| server.misannounces(list, method, out));
        }
        self.deliver(method, |subscription| subscription.hears(list), Object::new(), out);
    }

    /// Says that a resource has changed to everybody who subscribed to it.
    pub(super) fn updated(&mut self, uri: &str, out: &mut Outbox) {
        let part = if self.reads(Reading::SubResourceUpdates) { "/part" } else { "" };
        let params = object(json!({"uri": format!("{uri}{part}")}));
        let method = "notifications/resources/updated";
        if let Some(session) = &self.session
            && session.initialized
            && (session.subscribed.iter().any(|known| known == uri)
                || self.faulty(Fault::UndeclaredResourceUpdates)
                || self.faulty(Fault::UpdatesForEverybody))
            && !self.faulty(Fault::SilentUpdates)
        {
            let revision = session.revision;
            let params = Some(Value::Object(params.clone()));
            self.concerning(None, |server| server.notify(revision, method, params, out));
        }
        if self.faulty(Fault::SilentUpdatesModern) {
            return;
        }
        self.deliver(method, |subscription| subscription.uris.iter().any(|known| known == uri), params, out);
    }

    fn deliver(
        &mut self,
        method: &'static str,
        heard: impl Fn(&Subscription) -> bool,
        params: Object,
        out: &mut Outbox,
    ) {
        let all = self.subscriptions.iter().enumerate();
        let heard = all.filter(|(position, one)| match self.tampers() {
            true => self.misdelivers(*position, heard(one)),
            false => heard(one),
        });
        let heard: Vec<(RequestId, Value)> = heard.map(|(_, one)| (one.id.clone(), one.value.clone())).collect();
        for (id, value) in &heard {
            let mut params = params.clone();
            params.insert("_meta".into(), json!({meta::SUBSCRIPTION_ID: value}));
            self.concerning(Some(id.clone()), |server| {
                server.notify(Revision::V2026_07_28, method, Some(Value::Object(params)), out);
            });
        }
        if self.reads(Reading::ShortSubscriptions) {
            let has_heard = |open: &Subscription| heard.iter().any(|(id, _)| id.same(&open.id));
            let (ended, open) = std::mem::take(&mut self.subscriptions).into_iter().partition(has_heard);
            self.subscriptions = open;
            self.end(ended, out);
        }
    }

    /// Ends every subscription, with the signals that the reading calls for.
    pub(super) fn end_subscriptions(&mut self, out: &mut Outbox) {
        let ended = std::mem::take(&mut self.subscriptions);
        if !self.faulty(Fault::EndsSubscriptionsSilently) {
            self.end(ended, out);
        }
    }

    fn end(&mut self, ended: Vec<Subscription>, out: &mut Outbox) {
        for subscription in ended {
            self.concerning(Some(subscription.id.clone()), |server| server.close(&subscription, out));
        }
    }

    fn close(&mut self, subscription: &Subscription, out: &mut Outbox) {
        let metadata = json!({meta::SUBSCRIPTION_ID: subscription.value});
        if !self.reads(Reading::EndByResult) {
            let params = json!({"_meta": metadata, "requestId": subscription.value, "reason": "ended by the server"});
            self.notify(Revision::V2026_07_28, "notifications/cancelled", Some(params), out);
        }
        if !self.reads(Reading::EndByCancellation) {
            let occasion = Occasion { revision: Revision::V2026_07_28, method: "subscriptions/listen", name: "" };
            let mut result = object(json!({"_meta": metadata}));
            self.dress(occasion, &mut result);
            self.send(occasion, Message::result(&subscription.id.raw, result), out);
        }
    }
}
