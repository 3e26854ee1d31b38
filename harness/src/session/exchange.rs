//! A request with its answers and its fate.

use super::{Message, Session};
use crate::wire::Value;

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It got at least one response.
    Answered,
    /// The asking side cancelled it, and no response came.
    Cancelled,
    /// No response came although the session lived on: fences behind it were answered and a grace passed, or its own
    /// deadline did.
    Silent,
    /// The answering side ended the session of its own accord before it answered, or over HTTP the connection.
    Cut,
    /// Over HTTP, the response had an error status and no message: that is an answer too, if not JSON-RPC's.
    Refused,
    /// The session ended before anything could be said.
    Unsettled,
}

/// A request with its answers.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'s> {
    pub(super) session: &'s Session<'s>,
    pub(super) index: usize,
}

impl<'s> Exchange<'s> {
    /// The request.
    #[must_use]
    pub fn request(self) -> &'s Message<'s> {
        &self.session.messages[self.session.exchanges[self.index].request]
    }

    /// The method of the request.
    #[must_use]
    pub fn method(self) -> &'s str {
        self.request().method().unwrap_or_default()
    }

    /// Whether the request is of this method.
    #[must_use]
    pub fn is(self, method: &str) -> bool {
        self.request().is(method)
    }

    /// The params of the request, of any type.
    #[must_use]
    pub fn params(self) -> Option<Value<'s>> {
        self.request().params()
    }

    /// A member of the params of the request.
    #[must_use]
    pub fn param(self, key: &str) -> Option<Value<'s>> {
        self.request().param(key)
    }

    /// Every response with the id of the request; more than one is a defect.
    pub fn answers(self) -> impl ExactSizeIterator<Item = &'s Message<'s>> {
        self.session.exchanges[self.index].answers.iter().map(|index| &self.session.messages[*index])
    }

    /// The first response.
    #[must_use]
    pub fn answer(self) -> Option<&'s Message<'s>> {
        self.answers().next()
    }

    /// The result of the first response, if that is a success.
    #[must_use]
    pub fn result(self) -> Option<Value<'s>> {
        self.answer().filter(|answer| answer.is_success())?.result()
    }

    /// The error of the first response, if that is an error.
    #[must_use]
    pub fn error(self) -> Option<Value<'s>> {
        self.answer()?.error()
    }

    /// The code of the first response, if that is an error with an integral code.
    #[must_use]
    pub fn error_code(self) -> Option<i64> {
        self.answer()?.error_code()
    }

    /// The cancellation of the request by its sender, if one was sent.
    #[must_use]
    pub fn cancellation(self) -> Option<&'s Message<'s>> {
        self.session.exchanges[self.index].cancelled.map(|index| &self.session.messages[index])
    }

    /// What became of the request.
    #[must_use]
    pub fn fate(self) -> Fate {
        self.session.exchanges[self.index].fate
    }

    /// Whether the harness waited for the answer until its deadline, in vain or not.
    #[must_use]
    pub fn is_overdue(self) -> bool {
        self.session.exchanges[self.index].overdue
    }

    /// Whether nothing that the request asks for takes time by its nature: no tool, prompt, resource or task runs.
    /// Only of such a request do answered fences prove that its answer will not come.
    #[must_use]
    pub fn is_swift(self) -> bool {
        const SLOW: &[&str] =
            &["tools/call", "prompts/get", "resources/read", "completion/complete", "subscriptions/listen"];
        !SLOW.contains(&self.method()) && !self.method().starts_with("tasks/")
    }

    /// Whether the request was still unanswered when this entry was recorded.
    #[must_use]
    pub fn open_at(self, entry: usize) -> bool {
        self.request().entry <= entry && self.answer().is_none_or(|answer| answer.entry > entry)
    }
}
