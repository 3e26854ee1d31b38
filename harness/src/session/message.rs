//! One message with its place in the protocol.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::Template;
use super::stray::Fault;
use crate::revision::{Revision, meta};
use crate::transcript::{Delivery, Intent};
use crate::wire::{Frame, Id, Value};

/// Who said something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Speaker {
    /// The harness.
    Peer,
    /// The implementation under test.
    Subject,
}

impl Speaker {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Peer => Self::Subject,
            Self::Subject => Self::Peer,
        }
    }
}

/// What a message looks like, whether or not it is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// An object with `method` (a string) and `id`.
    Request,
    /// An object with `method` (a string) and no `id`.
    Notification,
    /// An object without `method` that has `result`, `error` or `id`.
    Response,
    /// Any other JSON.
    Other,
    /// No JSON.
    Unreadable,
}

/// How far the legacy handshake was when a message was sent. Modern requests are always [`Phase::Operating`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// The client has not sent `initialize`.
    Before,
    /// The client has sent `initialize`, and not yet `notifications/initialized` or in vain.
    Handshake,
    /// The client has sent `notifications/initialized` behind an `initialize` that succeeded.
    Operating,
}

/// A message: a line on stdio, or one element of a batch.
#[derive(Clone, Debug)]
pub struct Message<'t> {
    /// The index of its entry in the transcript; what a [`crate::rules::Breach`] points at.
    pub entry: usize,
    /// Microseconds since the session was opened.
    pub at: u64,
    /// Who sent it.
    pub by: Speaker,
    /// What it looks like.
    pub shape: Shape,
    /// Its JSON, unless unreadable.
    pub value: Option<Value<'t>>,
    /// The line that it came in.
    pub frame: &'t Frame,
    /// Whether it is an element of an array.
    pub in_batch: bool,
    /// Why the harness sent it; [`Intent::Honest`] for the subject's.
    pub intent: Intent,
    /// How the harness sent it; [`Delivery::Whole`] for the subject's.
    pub delivery: Delivery,
    /// Whether it stood on a line of its own; not so if it, or what was sent before it, had no newline at its end.
    pub own_line: bool,
    /// The number of the HTTP request that carried it, or whose response did.
    pub via: Option<u32>,
    /// Whether the HTTP request that carried it departs from an honest client's, apart from the message.
    pub oddly_carried: bool,
    /// Its `id`, of any type.
    pub id: Option<Id>,
    /// The revision that governs it; none where the specification leaves that open.
    pub revision: Option<Revision>,
    /// How far the handshake was.
    pub phase: Phase,
    /// Whether its sender used its id for another message too, so that an answer may belong to either.
    pub shares_id: bool,
    pub(super) answers: Option<usize>,
    method: Option<Cow<'t, str>>,
    // Every rule asks for these, so they are looked up once.
    params: Option<Value<'t>>,
    result: Option<Value<'t>>,
    error: Option<Value<'t>>,
    /// What [`Message::is_sound`] found: many rules ask, and of a long message it takes its time.
    pub(super) sound: OnceCell<bool>,
    /// What [`Message::fault`] found.
    pub(super) fault: OnceCell<Option<Fault>>,
}

impl<'t> Message<'t> {
    pub(super) fn read(template: &Template<'t>, value: Option<Value<'t>>, in_batch: bool) -> Self {
        let object = value.filter(|value| value.is_object());
        let member = |key| object.and_then(|object| object.member(key));
        let named = member("method");
        let method = named.and_then(Value::as_str);
        let id = member("id").map(Id::read);
        let (params, result, error) = (member("params"), member("result"), member("error"));
        let shape = match (&method, &id) {
            _ if value.is_none() => Shape::Unreadable,
            (Some(_), Some(_)) => Shape::Request,
            (Some(_), None) => Shape::Notification,
            _ if named.is_some() => Shape::Other,
            (None, Some(_)) => Shape::Response,
            (None, None) if result.is_some() || error.is_some() => Shape::Response,
            (None, None) => Shape::Other,
        };
        Self {
            entry: template.entry,
            at: template.at,
            by: template.by,
            shape,
            value,
            frame: template.frame,
            in_batch,
            intent: template.intent,
            delivery: template.delivery,
            own_line: template.own_line,
            via: template.via,
            oddly_carried: template.oddly_carried,
            id,
            revision: None,
            phase: Phase::Before,
            shares_id: false,
            answers: None,
            method,
            params,
            result,
            error,
            sound: OnceCell::new(),
            fault: OnceCell::new(),
        }
    }

    /// A message outside any transcript.
    #[must_use]
    pub fn alone(frame: &'t Frame, value: Value<'t>, by: Speaker) -> Self {
        let (intent, delivery) = (Intent::Honest, Delivery::Whole);
        Self::read(
            &Template { entry: 0, at: 0, by, frame, intent, delivery, own_line: true, via: None, oddly_carried: false },
            Some(value),
            false,
        )
    }

    /// The method of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// Whether it is a request or notification of this method.
    #[must_use]
    pub fn is(&self, method: &str) -> bool {
        self.method() == Some(method)
    }

    /// A member of the message object.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<Value<'t>> {
        self.value?.member(key)
    }

    /// The params of a request or notification, of any type.
    #[must_use]
    pub fn params(&self) -> Option<Value<'t>> {
        self.params
    }

    /// A member of the params.
    #[must_use]
    pub fn param(&self, key: &str) -> Option<Value<'t>> {
        self.params()?.member(key)
    }

    /// The `_meta` of the params or of the result.
    #[must_use]
    pub fn meta(&self) -> Option<Value<'t>> {
        self.params().or_else(|| self.result())?.member("_meta")
    }

    /// The result of a response, of any type.
    #[must_use]
    pub fn result(&self) -> Option<Value<'t>> {
        self.result
    }

    /// The error of a response, of any type.
    #[must_use]
    pub fn error(&self) -> Option<Value<'t>> {
        self.error
    }

    /// The code of an error response, if it is an integral number.
    #[must_use]
    pub fn error_code(&self) -> Option<i64> {
        self.error()?.member("code")?.as_i64()
    }

    /// Whether it is a response with a result and no error.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.shape == Shape::Response && self.result().is_some() && self.error().is_none()
    }

    /// Whether it is a response with an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.shape == Shape::Response && self.error().is_some()
    }

    /// The protocol version that a modern message carries in its `_meta`, of any type.
    #[must_use]
    pub fn modern_version(&self) -> Option<Value<'t>> {
        self.params()?.path(&["_meta", meta::PROTOCOL_VERSION])
    }
}
