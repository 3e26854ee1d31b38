//! Faults around what takes time: progress, cancellation, answers that nobody waits for.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::results;
use crate::reference::Outbox;
use crate::reference::fault::Fault;
use crate::reference::incoming::RequestId;
use crate::reference::message::Message;
use crate::reference::server::{Occasion, Server};
use crate::reference::slow::Ticket;
use crate::revision::{self, Revision};

pub(super) fn tamper(fault: Fault, message: &mut Message) {
    if message.method != Some("notifications/progress") {
        return;
    }
    let Some(params) = message.params_mut() else { return };
    match fault {
        Fault::TextProgressToken => {
            if let Some(token) = params.get_mut("progressToken").filter(|token| token.is_number()) {
                *token = token.to_string().into();
            }
        }
        Fault::ConstantProgress => drop(params.insert("progress".into(), json!(1))),
        Fault::FallingProgress => {
            let progress = params.get("progress").and_then(Value::as_i64).unwrap_or_default();
            params.insert("progress".into(), json!(4 - progress));
        }
        Fault::ProgressWithoutValue => drop(params.remove("progress")),
        Fault::TextProgress => drop(params.insert("progress".into(), json!("half"))),
        Fault::ProgressWithoutToken => drop(params.remove("progressToken")),
        _ => {}
    }
}

impl Server {
    /// What a faulty server does when a slow call begins.
    pub(in crate::reference) fn misbegin(&mut self, ticket: &mut Ticket, out: &mut Outbox) {
        let modern = ticket.revision == Revision::V2026_07_28;
        if self.faulty(Fault::InventsProgressToken) {
            ticket.token.get_or_insert_with(|| "invented".into());
        }
        if self.faulty(Fault::PingsModernClients) && modern {
            let occasion = Occasion { revision: ticket.revision, method: "", name: "" };
            self.send(occasion, Message::request("\"are-you-there\"", "ping", None), out);
        }
        if self.faulty(Fault::UsesNewerVocabulary)
            && matches!(ticket.revision, Revision::V2025_06_18 | Revision::V2025_11_25)
        {
            let (method, params) = results::newer_notification(ticket.revision);
            self.notify(ticket.revision, method, Some(params), out);
        }
        if self.faulty(Fault::ExtensionWithoutConsent) && modern {
            self.notify(ticket.revision, "notifications/com.example/tick", Some(json!({})), out);
        }
        let cancels = if modern { Fault::CancelsSlowCalls } else { Fault::CancelsForeignRequests };
        if self.faulty(cancels) {
            let params = json!({"requestId": ticket.id.value(), "reason": "too slow"});
            self.notify(ticket.revision, "notifications/cancelled", Some(params), out);
        }
    }

    /// Treats a cancellation wrongly; true if that is all that happens.
    pub(in crate::reference) fn miscancels(&mut self, id: &RequestId, out: &mut Outbox) -> bool {
        let finished = self.grudge.finished.iter().any(|known| known.same(id));
        let known = finished
            || self.running.iter().any(|running| running.ticket.id.same(id))
            || self.subscriptions.iter().any(|subscription| subscription.id.same(id))
            || self.asked.iter().filter_map(|asked| asked.ticket.as_ref()).any(|ticket| ticket.id.same(id));
        if finished && self.faulty(Fault::DiesOnLateCancel) {
            self.exit(101, out);
            return true;
        }
        if finished && self.faulty(Fault::AnswersLateCancel) {
            self.blurt(Some(id), "it was cancelled", out);
            return true;
        }
        if !known && self.faulty(Fault::AnswersUnknownCancel) {
            self.blurt(Some(id), "there is nothing to cancel", out);
            return true;
        }
        let mut handled = false;
        for running in self.running.iter_mut().filter(|running| running.ticket.id.same(id)) {
            let modern = running.ticket.revision == Revision::V2026_07_28;
            let fault = if modern { Fault::GoesOnAfterCancel } else { Fault::AnswersCancelled };
            if self.behaviour.faulty(fault) {
                running.cancelled = true;
                handled = true;
            }
        }
        if self.faulty(Fault::ConfusesCancelTypes) {
            self.running.retain(|running| !running.ticket.id.alike(id));
        }
        if self.faulty(Fault::CancelsEverything) && self.running.iter().any(|running| running.ticket.id.same(id)) {
            self.running.clear();
        }
        handled
    }

    /// Treats a notification wrongly; true if that is all that happens.
    pub(in crate::reference) fn mishandles_notification(
        &mut self,
        method: &str,
        params: Option<&RawValue>,
        out: &mut Outbox,
    ) -> bool {
        let known = revision::method(method).is_some();
        if !known && self.faulty(Fault::DiesOnUnknownNotification) {
            self.exit(101, out);
            return true;
        }
        if self.faulty(Fault::AnswersNotifications) {
            let occasion = Occasion { revision: self.revision_in_use(), method: "", name: "" };
            self.send(occasion, Message::result("null", crate::reference::message::Object::new()), out);
        }
        if !known && self.faulty(Fault::AnswersUnknownNotifications) {
            self.blurt(None, "there is no such notification", out);
        }
        let params = || params.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        if method == "notifications/cancelled" && self.faulty(Fault::DiesOnMalformedCancel) {
            let id = params().and_then(|params| params.get("requestId").cloned());
            if !id.is_some_and(|id| id.is_string() || id.is_number()) {
                self.exit(101, out);
                return true;
            }
        }
        false
    }

    /// An answer came that nobody waits for.
    pub(in crate::reference) fn mishandles_late_response(&mut self, out: &mut Outbox) {
        if self.faulty(Fault::DiesOnLateResponse) {
            self.exit(101, out);
        } else if self.faulty(Fault::AnswersLateResponse) {
            self.blurt(None, "nobody asked", out);
        }
    }
}
