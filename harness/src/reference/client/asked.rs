//! What the server says of its own accord: requests in the legacy era, notifications in both.

use serde_json::Value;
use serde_json::value::RawValue;

use super::handshake::Connection;
use super::{Client, Outlet};
use crate::reference::incoming::{self, RequestId};
use crate::reference::message::{Failure, Message, Object, object};
use crate::revision::{Revision, code};

impl Client {
    /// A request of the server. Before a handshake and in the modern era there are none, and nothing answers them.
    pub(super) fn asked(&mut self, id: &RequestId, method: &str, params: Option<&RawValue>, out: &mut Outlet) {
        let revision = match &self.connection {
            Connection::Initializing => self.conduct.newest_legacy(),
            Connection::Open(terms) => Some(terms.revision).filter(|revision| *revision < Revision::V2026_07_28),
            _ => None,
        };
        let Some(revision) = revision else {
            self.note("a request, where servers ask nothing", out);
            return;
        };
        let answer = match (method, incoming::members(params)) {
            (_, None) => Err(Failure::new(code::INVALID_PARAMS, "params are no object, or too deep to hold")),
            ("ping", _) => Ok(Object::new()),
            (_, Some(params)) => self.answer(method, &Value::Object(params), revision).map(object),
        };
        let message = match answer {
            Ok(result) => Message::result(&id.raw, result),
            Err(failure) => Message::error(Some(&id.raw), failure),
        };
        self.send(message, out);
    }

    /// A notification of the server.
    pub(super) fn notified(&mut self, method: &str, params: Option<&RawValue>, out: &mut Outlet) {
        let params = incoming::members(params).unwrap_or_default();
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
