//! Faults of subscriptions, and of the hints on how long results may be kept.

use serde_json::{Value, json};

use crate::reference::Outbox;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Failure, Message, Object};
use crate::reference::server::{Answer, Occasion, Server};
use crate::reference::subscriptions::List;
use crate::revision::{Revision, code, meta};

const LIST_CHANGED: &str = "/list_changed";

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    if occasion.revision != Revision::V2026_07_28 {
        return;
    }
    let notice = message.method.is_some_and(|method| method.ends_with(LIST_CHANGED) || method.ends_with("/updated"));
    let acknowledges = message.method.is_some_and(|method| method.ends_with("/acknowledged"));
    if let Some(params) = message.params_mut().filter(|_| notice || acknowledges) {
        match fault {
            Fault::UntaggedNotices if notice => drop(params.remove("_meta")),
            Fault::TextSubscriptionIds => {
                let own = params.get_mut("_meta").and_then(|metadata| metadata.get_mut(meta::SUBSCRIPTION_ID));
                if let Some(id) = own.filter(|id| id.is_number()) {
                    *id = id.to_string().into();
                }
            }
            Fault::GrantsEverything if acknowledges => {
                let all = json!({
                    "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
                });
                params.insert("notifications".into(), all);
            }
            _ => {}
        }
    }
    if let Some(result) = message.result_mut() {
        hints(fault, occasion.method, result);
    }
}

fn hints(fault: Fault, method: &str, result: &mut Object) {
    let mut set = |hint: &str, value: Value| drop(result.insert(hint.into(), value));
    match fault {
        Fault::ReadsWithoutHints if method == "resources/read" => drop(result.remove("cacheScope")),
        Fault::NegativeListTtl if method == "tools/list" => set("ttlMs", json!(-1)),
        Fault::FractionalReadTtl if method == "resources/read" => set("ttlMs", json!(0.5)),
        Fault::NullReadScope if method == "resources/read" => set("cacheScope", Value::Null),
        Fault::ScopeChangesWithPage if method.ends_with("/list") && !result.contains_key("nextCursor") => {
            result.insert("cacheScope".into(), "private".into());
        }
        Fault::HintsWithQuestions if result.get("resultType").is_some_and(|kind| kind == "input_required") => {
            result.insert("ttlMs".into(), json!(1000));
            result.insert("cacheScope".into(), "private".into());
        }
        Fault::NamelessClosing if method == "subscriptions/listen" => drop(result.remove("_meta")),
        _ => {}
    }
}

impl Server {
    /// A wrong answer to `subscriptions/listen`.
    pub(in crate::reference) fn mislistens(&mut self, call: &Call<'_>, out: &mut Outbox) -> Option<Answer> {
        let refusal = |code, why| Some(Err(Failure::new(code, why)));
        if self.faulty(Fault::LacksListen) {
            return refusal(code::METHOD_NOT_FOUND, "there is no such method");
        }
        if self.faulty(Fault::ListensInSilence) {
            return Some(Ok(None));
        }
        if self.faulty(Fault::RefusesSecondSubscription) && !self.subscriptions.is_empty() {
            return refusal(code::INTERNAL_ERROR, "a subscription is open");
        }
        if self.faulty(Fault::AnnouncesBeforeAcknowledging) {
            let params = json!({"_meta": {meta::SUBSCRIPTION_ID: call.id.value()}});
            self.notify(call.revision, "notifications/tools/list_changed", Some(params), out);
        }
        None
    }

    /// Whether a faulty server announces a change to a subscription that did not ask for it, or keeps it back; none if
    /// it does as it should.
    pub(in crate::reference) fn misdelivers(&self, position: usize, asked: bool) -> bool {
        let last = position + 1 == self.subscriptions.len();
        (asked || self.faulty(Fault::IgnoresFilter)) && (last || !self.faulty(Fault::ServesLastSubscriptionOnly))
    }

    /// What a faulty server says of a change to those who did not subscribe.
    pub(in crate::reference) fn misannounces(&mut self, list: List, method: &'static str, out: &mut Outbox) {
        let nobody = !self.subscriptions.iter().any(|subscription| subscription.hears(list));
        if self.faulty(Fault::AnnouncesToAll) && nobody && self.session.is_none() {
            self.notify(Revision::V2026_07_28, method, None, out);
        }
    }
}
