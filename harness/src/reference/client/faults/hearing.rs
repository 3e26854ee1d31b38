//! Bytes, notifications and results that are taken wrongly.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ABORTED, OVERFLOWED};
use crate::reference::client::errands::{Errand, Stage};
use crate::reference::client::fault::ClientFault;
use crate::reference::client::{Client, Outlet};
use crate::reference::incoming::RequestId;
use crate::reference::message::{Message, Object};

/// As many notifications as a client can bear that cannot bear more.
const STORM: u32 = 1_000;

impl Client {
    /// Whether a notification is dealt with by a fault.
    pub(in crate::reference::client) fn mishears(&mut self, method: &str, params: &Object, out: &mut Outlet) -> bool {
        self.grudge.heard += 1;
        let cancels = method == "notifications/cancelled";
        for fault in self.faults() {
            match fault {
                ClientFault::AnswersNotifications => self.send(Message::result("null", Object::new()), out),
                ClientFault::Hoards => self.grudge.hoard += (1 << 20) + json!(params).to_string().len(),
                ClientFault::StuckInStorms if self.grudge.heard > STORM => {
                    self.grudge.is_stuck = true;
                    return true;
                }
                ClientFault::DiesOnUnknownCompletion if method == "notifications/elicitation/complete" => {
                    self.exit(1, out);
                }
                ClientFault::AbortsEverything if cancels => self.grudge.delayed.clear(),
                ClientFault::DiesOnUnknownCancellation if cancels && !self.knows(params) => self.exit(1, out),
                ClientFault::DiesOnCrossingCancellation if cancels && self.knows(params) => self.exit(1, out),
                ClientFault::WaitsForTaskNews if method == "notifications/tasks/status" => {
                    let follows = |errand: &&Errand| matches!(errand.stage, Stage::Following(_));
                    if let Some(errand) = self.errands.iter().find(follows).map(Errand::number) {
                        self.look(errand, out);
                    }
                }
                ClientFault::IgnoresSubscriptionIds if method.ends_with("/list_changed") => self.changed(method),
                _ => {}
            }
        }
        self.exited
    }

    /// Whether a cancellation is about something that was asked here, or about a subscription.
    fn knows(&self, params: &Object) -> bool {
        let Some(id) = params.get("requestId").and_then(|id| RequestId::read(&id.to_string())) else { return false };
        self.grudge.answered.iter().any(|known| known.same(&id))
            || self.subscriptions.iter().any(|one| one.id.same(&id))
    }

    /// Something was answered that was cancelled before.
    pub(in crate::reference::client) fn mishears_late_answer(&mut self, id: &RequestId, out: &mut Outlet) {
        let Some((_, method)) = self.grudge.withdrawn.iter().find(|(known, _)| known.same(id)) else { return };
        let dies = match *method {
            "server/discover" => self.conduct.faulty(ClientFault::DiesOnLateProbe),
            _ => self.faulty(ClientFault::DiesOnLateAnswer),
        };
        if dies {
            self.exit(1, out);
        }
    }

    /// Why a result with content is refused, if it is.
    pub(in crate::reference::client) fn refuses(&mut self, result: &Object, out: &mut Outlet) -> Option<String> {
        let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
        let messages = result.get("messages").and_then(Value::as_array).into_iter().flatten();
        let types = blocks.chain(messages.map(|message| &message["content"])).map(|block| block["type"].as_str());
        let types: Vec<&str> = types.map(|kind| kind.unwrap_or("")).collect();
        let knows = |kind: &&str| ["text", "image", "audio", "resource", "resource_link"].contains(kind);
        for fault in self.faults() {
            let unwanted = match fault {
                ClientFault::RefusesImages => "image",
                ClientFault::RefusesAudio => "audio",
                ClientFault::RefusesLinks => "resource_link",
                ClientFault::DiesOnUnknownContent if !types.iter().all(knows) => {
                    self.die(ABORTED, out);
                    return Some("dead".to_owned());
                }
                _ => continue,
            };
            if types.contains(&unwanted) {
                return Some(format!("content of the type {unwanted} cannot be shown"));
            }
        }
        None
    }

    /// A page could not be used, for a reason that is worse for a faulty client.
    pub(in crate::reference::client) fn suffers(&mut self, why: &str, out: &mut Outlet) {
        if self.faulty(ClientFault::DiesOnCycles) && why.contains("circles") {
            self.die(OVERFLOWED, out);
        }
        if self.faulty(ClientFault::BurnsOnSchemas) && why.contains("its schema") {
            self.grudge.busy += Duration::from_secs(600);
            self.grudge.is_stuck = true;
        }
    }
}
