//! Where the faults do their work: one file an area, and here the places where the server lets them in.
//!
//! Most faults tamper with a message on its way out. The others sit in a hook that the server passes only if it has any
//! fault, or in a single condition beside the honest code.

use std::time::Duration;

use serde_json::json;

use super::Outbox;
use super::declared::Declared;
use super::fault::Fault;
use super::incoming::RequestId;
use super::message::{Failure, Message, object};
use super::server::{Occasion, Server};
use super::tools::text_result;
use crate::revision::code;

mod asking;
mod bytes;
mod conduct;
mod envelope;
mod lists;
mod offers;
mod results;
mod rounds;
mod running;
mod subscriptions;
mod tasks;

/// What only a faulty server remembers.
#[derive(Debug, Default)]
pub(super) struct Grudge {
    pub(super) discovered: bool,
    pub(super) version_refused: bool,
    /// The capabilities of every client so far, taken together.
    pub(super) client: Option<Declared>,
    pub(super) cursors: Vec<String>,
    pub(super) walks: usize,
    /// Something hostile came, and the server sulks.
    pub(super) sulks: bool,
    pub(super) hoard: usize,
    pub(super) busy: Duration,
    pub(super) finished: Vec<RequestId>,
    pub(super) listened: bool,
    pub(super) greeted: bool,
    /// Output that waits for its moment.
    pub(super) withheld: Vec<u8>,
    pub(super) flush_at: Option<Duration>,
}

impl Server {
    /// The messages that leave in place of an honest one.
    pub(super) fn tampered(&mut self, occasion: Occasion<'_>, message: Message) -> Vec<Message> {
        let mut messages = vec![message];
        for fault in self.behaviour.faults().to_vec() {
            if fault.revisions().has(occasion.revision) {
                messages = messages.into_iter().flat_map(|message| self.tamper(fault, occasion, message)).collect();
            }
        }
        messages
    }

    fn tamper(&self, fault: Fault, occasion: Occasion<'_>, mut message: Message) -> Vec<Message> {
        let tool_call = occasion.method == "tools/call";
        match fault {
            Fault::AnswersTwice if tool_call && message.result.is_some() => vec![message.clone(), message],
            Fault::AnswersErrorThenResult if tool_call && message.error.is_some() => {
                let mut result = text_result("after all");
                self.dress(occasion, &mut result);
                let second = Message::result(message.id.as_deref().unwrap_or("null"), result);
                vec![message, second]
            }
            Fault::NeverAnswersFailure if tool_call && occasion.name == super::fixture::FAIL => Vec::new(),
            Fault::IgnoresUnknownMethods if message.code() == Some(code::METHOD_NOT_FOUND) => Vec::new(),
            Fault::AcceptsUnknownMethods if message.code() == Some(code::METHOD_NOT_FOUND) => {
                let mut result = object(json!({}));
                self.dress(occasion, &mut result);
                vec![Message::result(message.id.as_deref().unwrap_or("null"), result)]
            }
            Fault::LogsAfterAnswer if tool_call && occasion.name == super::fixture::LOG => {
                let params = json!({"level": "error", "data": "after all"});
                vec![message, Message::notification("notifications/message", Some(params))]
            }
            Fault::HidesInternalErrors if message.code() == Some(code::INTERNAL_ERROR) => {
                let mut result = match occasion.method {
                    "prompts/get" => object(json!({"messages": []})),
                    "resources/read" => object(json!({"contents": []})),
                    "completion/complete" => object(json!({"completion": {"values": []}})),
                    _ => return vec![message],
                };
                self.dress(occasion, &mut result);
                vec![Message::result(message.id.as_deref().unwrap_or("null"), result)]
            }
            _ => {
                envelope::tamper(fault, occasion, &mut message);
                results::tamper(fault, occasion, &mut message);
                lists::tamper(fault, occasion, &mut message);
                running::tamper(fault, &mut message);
                asking::tamper(fault, self.asked_so_far, &mut message);
                subscriptions::tamper(fault, occasion, &mut message);
                rounds::tamper(fault, occasion, &mut message);
                tasks::tamper(fault, occasion, &mut message);
                offers::tamper(fault, occasion, &mut message);
                vec![message]
            }
        }
    }

    /// An error that belongs nowhere.
    pub(super) fn blurt(&mut self, id: Option<&RequestId>, why: &str, out: &mut Outbox) {
        let occasion = Occasion { revision: self.revision_in_use(), method: "", name: "" };
        let failure = Failure::new(code::INVALID_REQUEST, why);
        self.send(occasion, Message::error(id.map(|id| &*id.raw), failure), out);
    }
}
