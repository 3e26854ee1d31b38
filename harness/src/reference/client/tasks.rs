//! Calls that are done as tasks, in 2025-11-25: followed by asking, never by waiting for news.

use std::time::Duration;

use serde_json::{Value, json};

use super::errands::Stage;
use super::fault::ClientFault;
use super::requests::{Answer, Pending};
use super::{Client, Outlet};
use crate::reference::message::{Message, Object, object};
use crate::revision::Revision;

/// How long a task may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait between two looks, in milliseconds.
const INTERVAL: u64 = 1_000;

/// A task that an errand waits for.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) task: String,
    /// The id of the call.
    token: Value,
    /// The next look, unless one is under way.
    pub(super) next: Option<Duration>,
    /// The last one.
    last: Duration,
    interval: Duration,
}

impl Client {
    /// What the call of a tool that needs a task has in addition.
    pub(super) fn augmentation(&self, needs_task: bool) -> Option<Value> {
        let terms = self.terms().filter(|terms| terms.revision == Revision::V2025_11_25)?;
        let offered = terms.offers(&["tasks", "requests", "tools", "call"]);
        let wants = match () {
            () if self.faulty(ClientFault::AugmentsUndeclared) => true,
            () if self.faulty(ClientFault::AugmentsForbidden) => offered,
            () if self.faulty(ClientFault::NeverAugments) => false,
            () => needs_task && offered,
        };
        wants.then(|| json!({"ttl": 60_000}))
    }

    /// The server has made a task of a call.
    pub(super) fn follow(&mut self, pending: &Pending, result: &Object, out: &mut Outlet) {
        let task = &result["task"];
        let Some(id) = task["taskId"].as_str() else {
            return self.fail(pending.errand, "the task has no id".to_owned(), out);
        };
        let interval = Duration::from_millis(task["pollInterval"].as_u64().unwrap_or(INTERVAL).clamp(50, 10_000));
        let token = pending.token.clone();
        let (next, last) = (Some(self.now + interval), self.now + PATIENCE);
        let next = next.filter(|_| !self.faulty(ClientFault::WaitsForTaskNews));
        self.stage(pending.errand, Stage::Following(Following { task: id.to_owned(), token, next, last, interval }));
    }

    /// It is time to look after a task.
    pub(super) fn look(&mut self, errand: u64, out: &mut Outlet) {
        let Some(Stage::Following(following)) = self.errand_mut(errand).map(|errand| &mut errand.stage) else { return };
        following.next = None;
        let params = object(json!({"taskId": following.task}));
        self.request(errand, "tasks/get", params, out);
    }

    /// An answer about a task.
    pub(super) fn followed(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        let result = match answer {
            Ok(result) => result,
            Err(trouble) => return self.fail(pending.errand, trouble.told(), out),
        };
        match pending.method {
            "tasks/result" => self.delivered(pending.errand, &result, out),
            "tasks/get" => {
                let (now, only_polls) = (self.now, self.faulty(ClientFault::OnlyPolls));
                let Some(errand) = self.errand_mut(pending.errand) else { return };
                let Stage::Following(following) = &mut errand.stage else { return };
                let all = following.clone();
                let task = all.task.clone();
                let status = result.get("status").and_then(Value::as_str);
                match status.map(|status| if only_polls && status == "input_required" { "working" } else { status }) {
                    Some("working") if now < following.last => {
                        following.next = Some(now + following.interval);
                    }
                    Some("working") => {
                        self.cancel_task(&all, out);
                        self.fail(pending.errand, "the task takes too long".to_owned(), out);
                    }
                    Some("cancelled") => self.fail(pending.errand, "the task was cancelled".to_owned(), out),
                    // Whoever wants the result of a task that requires input is asked for it.
                    Some("input_required" | "completed" | "failed") => {
                        self.request(pending.errand, "tasks/result", object(json!({"taskId": task})), out);
                    }
                    _ => self.fail(pending.errand, "the task has no known status".to_owned(), out),
                }
            }
            _ => {}
        }
    }

    /// Cancels a task, in the one way that there is for it.
    pub(super) fn cancel_task(&mut self, following: &Following, out: &mut Outlet) {
        if self.faulty(ClientFault::CancelsTasksByNotification) {
            let params = json!({"requestId": following.token});
            self.send(Message::notification("notifications/cancelled", Some(params)), out);
        } else if self.terms().is_some_and(|terms| terms.offers(&["tasks", "cancel"])) {
            self.request(0, "tasks/cancel", object(json!({"taskId": following.task})), out);
        }
    }
}
