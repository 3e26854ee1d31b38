//! The HTTP transports: Streamable HTTP in all its revisions, and what both eras share.
//!
//! - [`client`]: what is asked of clients
//! - [`crossing`]: several clients at once, in every revision
//! - `delivery`: on which of several streams a message comes, and what resuming one brings
//! - `get`: the stream that a legacy client listens on
//! - [`modern`]: what is asked of 2026-07-28 alone
//! - `origin`: pages of other sites
//! - `post`: messages and what an HTTP server answers to each
//! - `session`: session ids
//! - `stream`: the stream that answers a request
//! - `version_header`: the version that a request names

use std::collections::HashMap;

use super::{Breach, Rule};
use crate::session::{Exchange, HttpExchange, Message, Shape, Speaker, View};
use crate::wire::{Id, Value};

pub mod client;
pub mod crossing;
mod delivery;
mod get;
pub mod modern;
mod origin;
mod post;
mod session;
mod stream;
mod version_header;

pub(in crate::rules) use delivery::Streams;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &origin::VALIDATED,
    &origin::INVALID_403,
    &post::ENDPOINT,
    &post::NOTIFICATION_202,
    &post::NOTIFICATION_REFUSED,
    &post::REQUEST_CONTENT_TYPE,
    &post::PARALLEL_REQUESTS,
    &stream::RESPONSE_DELIVERED,
    &stream::CLOSED_AFTER_RESPONSE,
    &stream::RELATED_ONLY,
    &stream::NO_EARLY_CLOSE,
    &stream::PRIMING_EVENT,
    &stream::RETRY_BEFORE_CLOSE,
    &delivery::NO_BROADCAST,
    &delivery::EVENT_ID_UNIQUE,
    &delivery::REPLAY_OWN_STREAM_ONLY,
    &get::SSE_OR_405,
    &get::NO_RESPONSES,
    &session::ID_CHARSET,
    &session::ID_UNPREDICTABLE,
    &session::MISSING_400,
    &session::TERMINATED_404,
    &version_header::INVALID_400,
    &version_header::ABSENT_DEFAULT,
    &crossing::RESPONSES_NOT_CROSSED,
    &modern::version::MISMATCH,
    &modern::version::MISSING,
    &modern::version::UNSUPPORTED,
    &modern::version::UNKNOWN_METHOD,
    &modern::standard::MISSING,
    &modern::standard::MISMATCH,
    &modern::standard::NAME_DECODED,
    &modern::definitions::VALID,
    &modern::params::MISSING,
    &modern::params::ABSENT_VALUE,
    &modern::params::INTEGER_COMPARE,
    &modern::streams::RELATED_ONLY,
    &modern::streams::LISTEN_IS_SSE,
    &modern::streams::NO_BUFFERING,
    &modern::earlier::GET_DELETE,
    &modern::earlier::SESSION_HEADER,
    &modern::lines::WHITESPACE,
    &modern::lines::CASE,
    &client::asking::ACCEPT_POST,
    &client::asking::ONE_MESSAGE,
    &client::asking::ACCEPT_GET,
    &client::reading::BOTH_ANSWER_TYPES,
    &client::reading::SSE_PARSING,
    &client::reading::GET_405,
    &client::reading::RETRY_RESPECTED,
    &client::reading::RESUMES,
    &client::session::SENDS_ID,
    &client::session::RESTARTS,
    &client::session::DELETES,
    &client::session::VERSION_SENT,
    &client::session::VERSION_NEGOTIATED,
    &client::modern::VERSION_HEADER,
    &client::modern::METHOD_HEADER,
    &client::modern::NAME_HEADER,
    &client::modern::NAME_ENCODING,
    &client::modern::NO_LEGACY,
    &client::modern::REISSUES,
    &client::params::MIRRORS,
    &client::params::OMITS,
    &client::params::ENCODES,
    &client::params::BAD_TOOL,
    &client::params::REFRESHES,
];

/// Requirements of this area that no rule judges, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[(
    "http.bind-localhost",
    "the server was started by somebody else, who may have told it where to listen, and what another interface of its host accepts is not on the wire of a session",
)];

const SESSION_ID: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const LAST_EVENT_ID: &str = "last-event-id";

/// The HTTP requests of a session, if they travelled by Streamable HTTP: a modern message may stand in a session of
/// HTTP+SSE, and is judged by its words alone.
fn streamable(view: View<'_>) -> Vec<&HttpExchange<'_>> {
    if view.is_http_sse() { Vec::new() } else { view.http() }
}

/// A POST with the one sound message that it carries.
#[derive(Clone, Copy)]
struct Post<'h, 's> {
    http: &'h HttpExchange<'s>,
    message: &'s Message<'s>,
}

/// The POSTs of the first client that carry one sound message, in a batch or not framed as usual left out.
fn posts<'h, 's>(view: View<'s>, all: &'h [&'s HttpExchange<'s>]) -> Vec<Post<'h, 's>> {
    let carried: HashMap<u32, &Message<'_>> = view
        .messages_by(Speaker::Peer)
        .filter(|message| !message.in_batch && message.is_sound_in_itself())
        .filter_map(|message| Some((message.via?, message)))
        .collect();
    all.iter()
        .filter(|http| http.verb == "POST" && is_framed(http))
        .filter_map(|http| Some(Post { http, message: carried.get(&http.number).copied()? }))
        .collect()
}

/// Whether the header lines say of the body what is true.
fn is_framed(http: &HttpExchange<'_>) -> bool {
    let length = http.sent.first().map_or(0, |sent| sent.frame.bytes().len()).to_string();
    let json = http.headers.media_type().is_none_or(|media| media == "application/json");
    json && http.headers.values("content-length").all(|told| told == length)
}

/// The POSTs with a request, each with what became of the request.
fn requests<'h, 's>(view: View<'s>, all: &'h [&'s HttpExchange<'s>]) -> Vec<(&'h HttpExchange<'s>, Exchange<'s>)> {
    let exchanges: HashMap<u32, Exchange<'_>> = view
        .exchanges()
        .filter(|exchange| !exchange.request().shares_id)
        .filter_map(|exchange| Some((exchange.request().via?, exchange)))
        .collect();
    posts(view, all)
        .into_iter()
        .filter(|post| post.message.shape == Shape::Request)
        .filter_map(|post| Some((post.http, *exchanges.get(&post.http.number)?)))
        .collect()
}

/// Whether a request like this one in all but a header line, which had an honest value or none there, was served: then
/// nothing else in the probe was wrong. What comes after the end of the session has no such twin.
fn has_twin<'s>(
    view: View<'s>,
    all: &[&'s HttpExchange<'s>],
    probe: &HttpExchange<'s>,
    line: &str,
    honest: impl Fn(Option<&str>) -> bool,
) -> bool {
    let over =
        || all.iter().any(|http| http.verb == "DELETE" && http.client == probe.client && http.entry < probe.entry);
    let mut alike = all.iter().filter(|other| honest(other.headers.value(line)) && is_like(probe, other, line));
    alike.any(|twin| is_served(view, twin)) && !over()
}

/// Whether two requests ask for the same in the same way, apart from one header line.
fn is_like(one: &HttpExchange<'_>, other: &HttpExchange<'_>, but: &str) -> bool {
    one.number != other.number
        && one.client == other.client
        && one.verb == other.verb
        && one.target == other.target
        && asks(one) == asks(other)
        && lines(one, but) == lines(other, but)
}

/// What a message is about: everything but its id.
fn asks(http: &HttpExchange<'_>) -> (Option<String>, Option<String>) {
    let params = http.body().and_then(|body| body.member("params"));
    (http.method(), params.map(|params| params.raw().to_owned()))
}

fn lines<'a>(http: &'a HttpExchange<'_>, but: &str) -> Vec<(String, &'a str)> {
    let mut lines: Vec<(String, &str)> = http
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| name != but && name != "content-length")
        .collect();
    lines.sort_unstable();
    lines
}

/// Whether the subject did what it was asked for: a request got a result, and anything else a status of success.
fn is_served(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    http.is_accepted() && (http.id().is_none() || has_result(view, http))
}

/// Whether the request in it got a result, here or on another stream.
fn has_result(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    let here = http.answer().is_some_and(|(_, answer)| answer.member("result").is_some());
    here || view.exchanges().any(|exchange| exchange.request().via == Some(http.number) && exchange.result().is_some())
}

/// Whether the request in it got a JSON-RPC error in its own response, under whichever id.
fn has_error(http: &HttpExchange<'_>) -> bool {
    http.messages().any(|(_, message)| message.member("error").is_some_and(Value::is_object))
}

/// For each client the entry of its last request that was accepted: until then the subject and the session lived.
fn lived_until(all: &[&HttpExchange<'_>]) -> HashMap<u32, usize> {
    let accepted = all.iter().filter(|http| http.is_accepted() && http.verb != "DELETE");
    accepted.map(|http| (http.client, http.entry)).collect()
}

/// The stream of events that a request opened, as long as it was open.
fn is_open_at(http: &HttpExchange<'_>, entry: usize) -> bool {
    http.is_stream()
        && http.response.is_some_and(|response| response.entry < entry)
        && http.end.is_none_or(|(end, _)| end > entry)
}

/// Whether it asks for the rest of an earlier stream.
fn is_resumption(http: &HttpExchange<'_>) -> bool {
    http.verb == "GET" && http.headers.value(LAST_EVENT_ID).is_some()
}

/// Whether a message is a request or a notification, and if so of which method.
fn method_of(message: Value<'_>) -> Option<String> {
    Some(message.member("method")?.as_str()?.into_owned())
}

/// The id of a message that is a response to somebody.
fn answered_id(message: Value<'_>) -> Option<Id> {
    let responds =
        message.member("method").is_none() && (message.member("result").is_some() || message.member("error").is_some());
    message.member("id").filter(|id| responds && !id.is_null()).map(Id::read)
}

/// A breach that the head of a response shows.
fn at(http: &HttpExchange<'_>, what: impl Into<String>) -> Breach {
    let shown = http.response.map_or_else(|| http.last_entry(), |response| response.entry);
    within(http, shown, what)
}

/// A breach that an entry shows which belongs to the response to this request.
fn within(http: &HttpExchange<'_>, entry: usize, what: impl Into<String>) -> Breach {
    let mut breach = Breach::at_entry(entry, what);
    let before = std::iter::once(http.entry).chain(http.sent.iter().map(|sent| sent.entry));
    breach.entries.splice(0..0, before.filter(|before| *before < entry));
    breach
}

/// What a request is, in words: its method in JSON-RPC, or in HTTP if it carries no message.
fn called(http: &HttpExchange<'_>) -> String {
    http.method().unwrap_or_else(|| http.verb.to_owned())
}
