//! Answers that are complete as soon as they are begun.

use super::Reaction;
use crate::reference::message::{Failure, Message};

/// A complete answer in the making.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the length of the body is left open.
    pub(super) unmeasured: bool,
    /// Whether any body will do.
    pub(super) informal: bool,
}

impl Reply {
    /// A status and nothing else.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), unmeasured: false, informal: false }
    }

    /// A verb that the path does not know.
    pub(super) fn wrong_verb(allowed: &str) -> Self {
        Self::empty(405).with("Allow", allowed)
    }

    /// JSON.
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { body, ..Self::empty(status) }.with("Content-Type", "application/json")
    }

    /// A JSON-RPC error; without id where none could be read or none was there.
    pub(super) fn error(status: u16, id: Option<&str>, failure: Failure) -> Self {
        let mut body = Vec::new();
        Message::error(id, failure).write(&mut body);
        Self::json(status, body)
    }

    /// A JSON-RPC error that answers no request.
    pub(super) fn refusal(status: u16, code: i64, why: &str) -> Self {
        Self { informal: true, ..Self::error(status, None, Failure::new(code, why)) }
    }

    /// The same refusal in plain words.
    pub(super) fn in_words(self) -> Self {
        let body = b"This cannot be done.\n".to_vec();
        Self { body, ..Self::empty(self.status) }.with("Content-Type", "text/plain; charset=utf-8")
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn send(self, number: u32, out: &mut Vec<Reaction>) {
        let Self { status, headers, body, unmeasured, .. } = self;
        if !unmeasured {
            out.push(Reaction::Whole { number, status, headers, body });
            return;
        }
        out.push(Reaction::Head { number, status, headers });
        if !body.is_empty() {
            out.push(Reaction::Data { number, bytes: body });
        }
        out.push(Reaction::End { number });
    }
}
