//! What the server says of its own accord: requests in the legacy era, notifications in both.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fault::ClientFault;
use super::handshake::Connection;
use super::{Client, Outlet};
use crate::reference::incoming::{self, RequestId};
use crate::reference::message::{Failure, Message, Object, object};
use crate::revision::{Revision, code, meta};

impl Client {
    /// A request of the server. Before a handshake and in the modern era there are none, and nothing answers them.
    pub(super) fn asked(&mut self, id: &RequestId, method: &str, params: Option<&RawValue>, out: &mut Outlet) {
        let revision = match &self.connection {
            Connection::Initializing => self.conduct.newest_legacy(),
            Connection::Open(terms) => Some(terms.revision).filter(|revision| *revision < Revision::V2026_07_28),
            _ => None,
        };
        if self.tampers() && self.misanswers(id, method, params, revision, out) {
            return;
        }
        let Some(revision) = revision else {
            self.note("a request, where servers ask nothing", out);
            return;
        };
        let answer = match (method, incoming::members(params)) {
            (_, None) => Err(Failure::new(code::INVALID_PARAMS, "params are no object, or too deep to hold")),
            ("ping", _) => Ok(Object::new()),
            (_, Some(members)) => {
                let task = self.related_task(&members, revision);
                let params = Value::Object(members);
                self.go_to(method, &params, out);
                let answer = self.answer(method, &params, revision).map(object);
                answer.map(|mut result| {
                    result.extend(task.map(|task| ("_meta".to_owned(), task)));
                    result
                })
            }
        };
        let message = match answer {
            Ok(result) => Message::result(&id.raw, result),
            Err(failure) => Message::error(Some(&id.raw), failure),
        };
        if self.tampers() {
            self.misreport(params, false, out);
        }
        self.send(message, out);
        if self.tampers() {
            self.misreport(params, true, out);
        }
    }

    /// The metadata of an answer to a question that belongs to a task.
    fn related_task(&self, params: &Object, revision: Revision) -> Option<Value> {
        let knows = revision == Revision::V2025_11_25 && !self.faulty(ClientFault::ForgetsRelatedTask);
        let task = params.get("_meta")?.get(meta::RELATED_TASK).filter(|_| knows)?;
        Some(json!({meta::RELATED_TASK: task}))
    }

    /// A notification of the server.
    pub(super) fn notified(&mut self, method: &str, params: Option<&RawValue>, out: &mut Outlet) {
        let params = incoming::members(params).unwrap_or_default();
        if self.tampers() && self.mishears(method, &params, out) {
            return;
        }
        match method {
            "notifications/progress" => {
                if let Some(token) = params.get("progressToken") {
                    self.progressed(token);
                }
            }
            _ if self.is_modern() => self.news(method, &params, out),
            "notifications/resources/updated" => {
                if let Some(uri) = params.get("uri").and_then(Value::as_str) {
                    self.journal.update(uri);
                }
            }
            _ => self.changed(method),
        }
    }

    /// A list has changed, if that is what a notification says.
    pub(super) fn changed(&mut self, method: &str) {
        let list = method.strip_prefix("notifications/").and_then(|rest| rest.strip_suffix("_changed"));
        if let Some(list) = list {
            self.list_changed(list);
            if list == "resources/list" {
                self.list_changed("resources/templates/list");
            }
        }
    }
}
