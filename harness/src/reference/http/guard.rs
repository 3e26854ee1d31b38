//! What is refused before anybody reads the message: foreign origins and hosts, media types, sizes.

use super::reading::HttpReading;
use super::reply::Reply;
use super::{Gateway, HttpFault, LARGEST, Request};
use crate::revision::code;

/// The media types of a message and of a stream.
pub(super) const JSON: &str = "application/json";
pub(super) const EVENT_STREAM: &str = "text/event-stream";

impl Gateway {
    /// Lets nobody in who comes from another site: a page that a name server has led astray shows by either header.
    pub(super) fn admit(&self, request: &Request) -> Result<(), Reply> {
        let foreign = |why| {
            let status = if self.fails(HttpFault::RefusesOriginsWith400) { 400 } else { 403 };
            Err(Reply::refusal(status, code::INVALID_REQUEST, why))
        };
        if self.fails(HttpFault::AcceptsAnyOrigin) {
            return Ok(());
        }
        let origins = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("origin"));
        for (_, origin) in origins {
            if self.reads(HttpReading::NoOrigins) || !self.welcomes(origin.trim()) {
                return foreign("the origin is not welcome");
            }
        }
        match request.header("host") {
            Some(host) if !is_loopback(host) => foreign("the host is not this one"),
            _ => Ok(()),
        }
    }

    fn welcomes(&self, origin: &str) -> bool {
        let begins_well = || origin.starts_with("http://localhost");
        is_loopback_origin(origin) || (self.fails(HttpFault::MatchesOriginsByPrefix) && begins_well())
    }

    /// Whether a POST is one that the endpoint can read, and its answer one that the client can.
    pub(super) fn accept(&self, request: &Request) -> Result<(), Reply> {
        if request.body.len() > LARGEST {
            return Err(Reply::refusal(413, code::INVALID_REQUEST, "the body is too large"));
        }
        if self.lenient() {
            return Ok(());
        }
        match request.header("content-type") {
            Some(kind) if media_type(kind).eq_ignore_ascii_case(JSON) => {}
            _ => return Err(Reply::refusal(415, code::INVALID_REQUEST, "the body must be application/json")),
        }
        let silent = request.header("accept").is_none();
        if !(silent && self.strict()) && accepts(request, JSON) && accepts(request, EVENT_STREAM) {
            return Ok(());
        }
        Err(Reply::refusal(406, code::INVALID_REQUEST, "the client must accept both JSON and event streams"))
    }
}

/// Whether the client takes this media type. A client that says nothing takes everything.
pub(super) fn accepts(request: &Request, wanted: &str) -> bool {
    let mut listed = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept")).peekable();
    if listed.peek().is_none() {
        return true;
    }
    let whole = wanted.split('/').next().unwrap_or_default();
    listed
        .flat_map(|(_, value)| value.split(','))
        .map(media_type)
        .any(|range| range == "*/*" || range.eq_ignore_ascii_case(wanted) || range.strip_suffix("/*") == Some(whole))
}

/// The media type without its parameters.
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.strip_prefix("http://").is_some_and(is_loopback)
}

/// Whether a host, perhaps with a port, is this machine.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let named = ["localhost", "127.0.0.1", "[::1]"].iter().any(|known| host.eq_ignore_ascii_case(known));
    named && port.bytes().all(|byte| byte.is_ascii_digit())
}
