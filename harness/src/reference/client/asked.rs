//! What the server says of its own accord: requests in the legacy era, notifications in both.

use serde_json::value::RawValue;

use super::handshake::Connection;
use super::{Client, Outlet};
use crate::reference::incoming::{self, RequestId};
use crate::reference::message::{Failure, Message, Object};
use crate::revision::{Revision, code};

impl Client {
    /// A request of the server. Before a handshake and in the modern era there are none, and nothing answers them.
    pub(super) fn asked(&mut self, id: &RequestId, method: &str, out: &mut Outlet) {
        let answers = match &self.connection {
            Connection::Initializing => true,
            Connection::Open(terms) => terms.revision < Revision::V2026_07_28,
            _ => false,
        };
        if !answers {
            self.note("a request, where servers ask nothing", out);
            return;
        }
        let message = match method {
            "ping" => Message::result(&id.raw, Object::new()),
            _ => Message::error(Some(&id.raw), Failure::new(code::METHOD_NOT_FOUND, "there is no such method here")),
        };
        self.send(&message, out);
    }

    /// A notification of the server.
    pub(super) fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        let params = incoming::members(params).unwrap_or_default();
        match method {
            "notifications/progress" => {
                if let Some(token) = params.get("progressToken") {
                    self.progressed(token);
                }
            }
            _ if self.is_modern() => {}
            _ => {
                let list = method.strip_prefix("notifications/").and_then(|rest| rest.strip_suffix("_changed"));
                if let Some(list) = list {
                    self.list_changed(list);
                    if list == "resources/list" {
                        self.list_changed("resources/templates/list");
                    }
                }
            }
        }
    }
}
