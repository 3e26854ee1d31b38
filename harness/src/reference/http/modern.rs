//! Streamable HTTP of 2026-07-28: POST and nothing else, every request by itself.

use serde_json::Value;
use serde_json::value::RawValue;

use super::conversation::Kind;
use super::headers::Fields;
use super::reading::HttpReading;
use super::reply::Reply;
use super::{Gateway, HttpFault, Post, Reaction, Request};
use crate::reference::behaviour::Reading;
use crate::reference::incoming::{self, Incoming};
use crate::reference::message::{Failure, Object};
use crate::revision::{Revision, code, meta};

impl Gateway {
    /// The message in a body.
    pub(super) fn sort<'b>(&self, body: &'b [u8]) -> Incoming<'b> {
        Incoming::sort(body, self.behaviour.faulty(crate::reference::Fault::RunsInvalidRequests))
    }

    /// Whether a message belongs to the modern era: by its version header, or by the version in its metadata.
    pub(super) fn is_modern(&self, post: &Post<'_>) -> bool {
        if !self.behaviour.modern() || self.streamable().is_empty() {
            return self.behaviour.modern();
        }
        let header = post.request.header("mcp-protocol-version");
        if header == Some(Revision::V2026_07_28.as_str()) {
            return true;
        }
        let Incoming::Request { params, .. } = &post.incoming else { return false };
        let claims = claimed(&incoming::members(*params).unwrap_or_default()).is_some();
        claims && (header.is_some() || !self.reads(HttpReading::MissingVersionIsLegacy))
    }

    /// Serves a POST of the modern era.
    pub(super) fn post_modern(&mut self, post: &Post<'_>, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        let found = self.conversations.iter().position(|conversation| conversation.kind == Kind::Modern);
        let Some(position) = found else { return Err(Reply::empty(404)) };
        self.refuse_sessions(post.request)?;
        match &post.incoming {
            Incoming::Request { id, method, params } => {
                if let Err(failure) = self.check(post.request, method, *params) {
                    self.serves_anyway(HttpFault::RunsBeforeHeaderCheck, post.number, |gateway, out| {
                        gateway.hand_over(post, position, out)
                    });
                    return Err(self.misreport(Reply::error(400, Some(&id.raw), self.recode(failure))));
                }
            }
            Incoming::Response { .. } => {
                return Err(Reply::refusal(400, code::INVALID_REQUEST, "clients send no responses"));
            }
            Incoming::Notification { .. } => {
                let version = post.request.header("mcp-protocol-version");
                let other = version.is_some_and(|version| version != Revision::V2026_07_28.as_str());
                if other || (version.is_none() && self.strict()) {
                    return Err(Reply::refusal(
                        400,
                        code::UNSUPPORTED_PROTOCOL_VERSION,
                        "unsupported protocol version",
                    ));
                }
            }
            _ => {}
        }
        self.hand_over(post, position, out)
    }

    /// Holds the headers of a request against its body.
    fn check(&self, request: &Request, method: &str, params: Option<&RawValue>) -> Result<(), Failure> {
        let fields = Fields::of(&self.behaviour, request);
        let params = incoming::members(params).unwrap_or_default();
        let claimed = claimed(&params);
        // Who begins with a handshake has not heard of these headers, and is to hear of the versions.
        if method == "initialize" && claimed.is_none() {
            return Ok(());
        }
        match fields.one("MCP-Protocol-Version")? {
            None if self.fails(HttpFault::ToleratesMissingVersionHeader) => {}
            None => return Err(headers_missing("MCP-Protocol-Version")),
            Some(header) => {
                let differs = claimed.is_some_and(|claimed| claimed != header);
                if differs && !self.fails(HttpFault::IgnoresVersionMismatch) {
                    return Err(Failure::new(
                        code::HEADER_MISMATCH,
                        "the version in the header is not that of the body",
                    ));
                }
            }
        }
        // What the headers of another version must say, nobody knows here.
        let known = claimed.and_then(Revision::from_wire);
        match known {
            Some(Revision::V2026_07_28) => {}
            Some(_) if self.behaviour.reads(Reading::LegacyVersionInMeta) => {}
            _ => return Ok(()),
        }
        self.check_standard_headers(&fields, method, &params)?;
        self.check_param_headers(&fields, method, &params)
    }

    /// What GET and DELETE get where there are no sessions.
    pub(super) fn without_sessions(&self) -> Reply {
        if self.fails(HttpFault::GetIs404) { Reply::empty(404) } else { Reply::wrong_verb("POST") }
    }
}

/// The version that the metadata of a request claims.
fn claimed(params: &Object) -> Option<&str> {
    params.get("_meta")?.get(meta::PROTOCOL_VERSION).and_then(Value::as_str)
}

/// A header that must be there is not.
pub(super) fn headers_missing(name: &str) -> Failure {
    Failure::new(code::HEADER_MISMATCH, format!("the header {name} is missing"))
}
