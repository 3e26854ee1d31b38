//! Messages over HTTP: which request carries a message, with which header lines, and what a response means for the peer.
//!
//! An honest client: in the modern era each request names its version, method and subject in header lines; in a legacy
//! session it keeps the session id and the version, listens on a stream of its own, and asks for the rest of a stream that
//! ended early. In 2024-11-05 the transport is HTTP+SSE. A [`Carriage`] departs from that.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use serde_json::Value as Json;

use super::{HttpRequest, Part, Record, annotated};
use crate::revision::{Era, Revision, meta};
use crate::script::{Carriage, Framing};
use crate::transcript::{Ending, EventData, Http as Happening, Intent};
use crate::wire::http::{Endpoint, Headers, LAST_CHUNK, Request, chunk};
use crate::wire::{Id, Value};

/// How often the rest of one stream is asked for.
const MOST_RESUMPTIONS: u32 = 8;
/// The longest that a server may have the peer wait before it asks for the rest of a stream.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The bytes of each piece of a chunked body.
const CHUNK: usize = 16;
/// The longest text that a placeholder puts into a header line, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

/// What the peer knows of its HTTP requests.
#[derive(Debug, Default)]
pub(super) struct Http {
    last: u32,
    /// The number of the first stream of HTTP+SSE.
    connection: Option<u32>,
    clients: BTreeMap<u32, Client>,
    posts: HashMap<u32, Post>,
    /// The numbers of the requests that scripts gave names.
    names: HashMap<String, u32>,
    /// The last event on each response that has events.
    events: HashMap<u32, String>,
    /// The first event on each.
    first_events: HashMap<u32, String>,
    /// Those with a name whose response is over.
    gone: HashMap<u32, Post>,
}

/// One of several clients, each with a session of its own.
#[derive(Clone, Debug, Default)]
struct Client {
    session: Option<String>,
    /// Where an HTTP+SSE server takes messages.
    target: Option<String>,
    /// The legacy version that it agreed on by a handshake.
    version: Option<String>,
    /// It has tried to end its session.
    left: bool,
}

/// An HTTP request whose response is not over.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) client: u32,
    /// The ids of the requests in it, or of those whose stream it resumes.
    pub(super) ids: Vec<Id>,
    /// It opens the session of its client.
    hello: bool,
    /// The response may stay open for good.
    lasting: bool,
    retry: Option<u64>,
    resumptions: u32,
    honest: bool,
}

/// What is asked for again because a stream ended early.
#[derive(Clone, Debug)]
pub(super) struct Resumption {
    pub(super) of: Post,
    pub(super) after: String,
    pub(super) delay: Duration,
}

impl Http {
    /// The session id of a client, while it has one.
    pub(super) fn session(&self, client: u32) -> Option<&str> {
        self.clients.get(&client)?.session.as_deref()
    }

    /// The clients that have a session and have not tried to end it.
    pub(super) fn sessions(&self) -> Vec<u32> {
        let staying = self.clients.iter().filter(|(_, client)| client.session.is_some() && !client.left);
        staying.map(|(number, _)| *number).collect()
    }

    /// The number of a request that a script gave a name.
    pub(super) fn named(&self, stream: &str) -> Option<u32> {
        self.names.get(stream).copied()
    }

    /// The request whose response is not over.
    pub(super) fn post(&self, number: u32) -> Option<&Post> {
        self.posts.get(&number)
    }

    /// Whether an answer of the subject is certain to come, or the end of a response: one that is not meant to last.
    pub(super) fn is_busy(&self) -> bool {
        self.posts.values().any(|post| !post.lasting)
    }

    /// The request that carries a message.
    pub(super) fn carry(
        &mut self,
        part: Part<'_>,
        endpoint: &Endpoint,
        record: &Record,
        tools: &[Json],
    ) -> HttpRequest {
        let carriage = &record.carriage;
        let value = record.frame.json().ok();
        let only = value.filter(|value| value.is_object());
        let method = only.and_then(|value| value.member("method")?.as_str()).unwrap_or_default();
        let hello = method == "initialize";
        let mut headers = opening_lines(endpoint);
        headers.push("Accept", "application/json, text/event-stream");
        headers.push("Content-Type", "application/json");
        if let Some(message) = only.filter(|message| self.is_modern(part, carriage.client, *message)) {
            modern_lines(message, tools, &mut headers);
        } else if only.is_none() && part.revision.era() == Era::Modern && !self.is_legacy(carriage.client) {
            headers.push("MCP-Protocol-Version", part.revision.as_str());
        } else {
            self.session_lines(carriage.client, hello, &mut headers);
        }
        // Over HTTP+SSE the answers come on another stream.
        let direct = !is_sse(part);
        let members =
            value.filter(|_| direct).into_iter().flat_map(|value| std::iter::once(value).chain(value.items()));
        let ids = members
            .filter(|message| message.member("method").is_some())
            .filter_map(|message| message.member("id").map(Id::read))
            .collect();
        if method == "notifications/cancelled"
            && let Some(id) = only.and_then(|value| value.path(&["params", "requestId"])).map(Id::read)
        {
            // No answer is due any more, and the stream may stay open for nothing.
            self.expect_no_more(carriage.client, |ids| matches!(ids, [only] if *only == id));
        }
        let client = self.clients.entry(carriage.client).or_default();
        let target = client.target.clone().unwrap_or_else(|| endpoint.target.clone());
        let lasting = method == "subscriptions/listen";
        let honest = record.is_honest() && carriage.is_honest();
        let post = Post { client: carriage.client, ids, hello, lasting, ..Post::new(honest) };
        let body = Some(record.frame.bytes());
        let mut request = self.request(endpoint, "POST", target, headers, body, record.split, carriage, post);
        // What departs in the message alone does not depart in its carriage.
        request.intent = intent(carriage.is_honest());
        request
    }

    /// A request that carries no message: the stream that a legacy client listens on, or what a script makes up.
    pub(super) fn bare(
        &mut self,
        part: Part<'_>,
        endpoint: &Endpoint,
        carriage: &Carriage,
        body: Option<&str>,
        honest: bool,
    ) -> HttpRequest {
        let verb = carriage.verb.clone().unwrap_or_else(|| "GET".to_owned());
        let mut headers = opening_lines(endpoint);
        match verb.as_str() {
            "GET" => headers.push("Accept", "text/event-stream"),
            "DELETE" => {}
            _ => {
                headers.push("Accept", "application/json, text/event-stream");
                headers.push("Content-Type", "application/json");
            }
        }
        self.session_lines(carriage.client, false, &mut headers);
        if verb == "DELETE" {
            self.clients.entry(carriage.client).or_default().left = true;
        }
        let post = Post { client: carriage.client, lasting: verb == "GET", ..Post::new(honest) };
        let sse = endpoint.sse.clone().filter(|_| is_sse(part) && verb == "GET");
        let target = sse.unwrap_or_else(|| endpoint.target.clone());
        let mut request = self.request(endpoint, &verb, target, headers, body.map(str::as_bytes), 1, carriage, post);
        request.intent = intent(honest);
        request
    }

    /// The request for the rest of a stream.
    pub(super) fn resume(&mut self, endpoint: &Endpoint, carriage: &Carriage, resumption: &Resumption) -> HttpRequest {
        let mut headers = opening_lines(endpoint);
        headers.push("Accept", "text/event-stream");
        self.session_lines(resumption.of.client, false, &mut headers);
        headers.push("Last-Event-ID", resumption.after.clone());
        let of = resumption.of.clone();
        let honest = of.honest && carriage.is_honest();
        let post = Post { retry: None, resumptions: of.resumptions + 1, honest, ..of };
        let mut request = self.request(endpoint, "GET", endpoint.target.clone(), headers, None, 1, carriage, post);
        request.delay = resumption.delay;
        request
    }

    /// What a script asks to resume, by its name.
    pub(super) fn resumption(&self, stream: &str) -> Option<Resumption> {
        let number = self.named(stream)?;
        let of = self.posts.get(&number).or_else(|| self.gone.get(&number))?.clone();
        Some(Resumption { of, after: self.events.get(&number)?.clone(), delay: Duration::ZERO })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request, put together in one place")]
    fn request(
        &mut self,
        endpoint: &Endpoint,
        verb: &str,
        target: String,
        mut headers: Headers,
        body: Option<&[u8]>,
        split: u32,
        carriage: &Carriage,
        post: Post,
    ) -> HttpRequest {
        for (name, value) in &carriage.set {
            let Some(name) = named(name, &headers) else { continue };
            let own = headers.value(&name).unwrap_or_default();
            let value = self.filled(value, carriage.client, own);
            headers.set(&name, value);
        }
        for name in carriage.drop.iter().filter_map(|name| named(name, &headers)).collect::<Vec<_>>() {
            headers.remove(&name);
        }
        let framed = framed(body, carriage.body, split, &mut headers);
        for (name, value) in &carriage.add {
            let Some(name) = named(name, &headers) else { continue };
            let own = headers.value(&name).unwrap_or_default();
            let value = self.filled(value, carriage.client, own);
            headers.push(name, value);
        }
        let headers = spelt(headers, &carriage.spell);
        self.last += 1;
        let number = self.last;
        if let Some(name) = &carriage.stream {
            self.names.insert(name.clone(), number);
        }
        let (client, honest) = (post.client, post.honest);
        self.posts.insert(number, post);
        let cut = matches!(carriage.body, Framing::Truncated | Framing::Unended | Framing::HalfClosed);
        let request = Request {
            verb: carriage.verb.clone().unwrap_or_else(|| verb.to_owned()),
            target: carriage
                .target
                .clone()
                .unwrap_or_else(|| if target.is_empty() { endpoint.target.clone() } else { target }),
            headers,
            body: framed,
        };
        let shown = shown(&request.headers, endpoint);
        HttpRequest { number, client, intent: intent(honest), request, shown, cut, delay: Duration::ZERO }
    }

    /// Whether a message is sent in the way of the modern era: it has the metadata of that era, or lacks it although no
    /// legacy session is open.
    fn is_modern(&self, part: Part<'_>, client: u32, message: Value<'_>) -> bool {
        let named = message.path(&["params", "_meta", meta::PROTOCOL_VERSION]).is_some();
        let hello = message.member("method").is_some_and(|method| method.is("initialize"));
        part.revision.era() == Era::Modern && (named || !(hello || self.is_legacy(client)))
    }

    /// Whether a legacy session is open.
    fn is_legacy(&self, client: u32) -> bool {
        self.clients.get(&client).is_some_and(|client| client.version.is_some())
    }

    /// The lines of a legacy session.
    fn session_lines(&self, client: u32, hello: bool, headers: &mut Headers) {
        let Some(client) = self.clients.get(&client).filter(|_| !hello) else { return };
        if let Some(session) = &client.session {
            headers.push("Mcp-Session-Id", session.clone());
        }
        if let Some(version) = client.version.as_deref().filter(|version| *version >= Revision::V2025_06_18.as_str()) {
            headers.push("MCP-Protocol-Version", version);
        }
    }

    /// A server agreed on a legacy version with the first client.
    pub(super) fn agreed(&mut self, version: &str) {
        self.clients.entry(0).or_default().version = Some(version.to_owned());
    }

    /// A value with its placeholders filled.
    fn filled(&self, value: &str, client: u32, own: &str) -> String {
        let mut text = value.to_owned();
        while let Some(start) = text.find("${") {
            let Some(length) = text.get(start..).and_then(|rest| rest.find('}')) else { break };
            let inner = text.get(start + 2..start + length).unwrap_or_default().to_owned();
            let (name, rest) = inner.split_once(':').unwrap_or((&inner, ""));
            let with = match name {
                "session" => self.session(rest.parse().unwrap_or(client)).unwrap_or("none").to_owned(),
                "event" | "first-event" => {
                    let events = if name == "event" { &self.events } else { &self.first_events };
                    let event = self.named(rest).and_then(|number| events.get(&number));
                    event.map_or("none", String::as_str).to_owned()
                }
                "encoded" => sentinel(rest),
                "own" => own.to_owned(),
                "encoded-own" => sentinel(own),
                "upper-mark-own" => sentinel(own).replacen("base64", "BASE64", 1),
                "upper-own" => own.to_ascii_uppercase(),
                "text" => "x".repeat(rest.parse::<usize>().unwrap_or_default().min(LONGEST_TEXT)),
                _ => String::new(),
            };
            text.replace_range(start..=start + length, &with);
        }
        text
    }

    /// Takes what happened; gives the requests of other messages that will not be answered any more, and what is to be
    /// asked for again.
    pub(super) fn happened(&mut self, part: Part<'_>, number: u32, what: &Happening) -> Outcome {
        let Some(post) = self.posts.get_mut(&number) else { return Outcome::default() };
        match what {
            Happening::Response { status, headers } => {
                let client = self.clients.entry(post.client).or_default();
                if post.hello && (200..300).contains(status) {
                    if post.client != 0 {
                        client.version = Some(part.revision.as_str().to_owned());
                    }
                    if let Some(session) = headers.value("mcp-session-id") {
                        client.session = Some(session.to_owned());
                    }
                }
                Outcome { headed: true, ..Outcome::default() }
            }
            Happening::Event { id, name, retry, data } => {
                post.retry = retry.or(post.retry);
                let client = post.client;
                if let Some(id) = id.as_ref().filter(|id| !id.is_empty()) {
                    self.first_events.entry(number).or_insert_with(|| id.clone());
                    self.events.insert(number, id.clone());
                }
                if let (Some("endpoint"), EventData::Text(uri)) = (name.as_deref(), data) {
                    self.clients.entry(client).or_default().target = Some(target_of(uri));
                    self.connection = self.connection.or(Some(number));
                    return Outcome { connected: true, ..Outcome::default() };
                }
                Outcome::default()
            }
            Happening::Request { .. } | Happening::Body { .. } | Happening::Style { .. } => Outcome::default(),
            Happening::End { how } => self.ended(part, number, how),
        }
    }

    fn ended(&mut self, part: Part<'_>, number: u32, how: &Ending) -> Outcome {
        let Some(post) = self.posts.remove(&number) else { return Outcome::default() };
        if self.names.values().any(|named| *named == number) {
            self.gone.insert(number, post.clone());
        }
        let over = Some(post.clone());
        if self.connection == Some(number) {
            return Outcome { over, disconnected: true, ..Outcome::default() };
        }
        let resumable = part.revision.era() == Era::Legacy
            && post.honest
            && matches!(how, Ending::Complete | Ending::Cut)
            && post.resumptions < MOST_RESUMPTIONS;
        // A stream that has brought every response is over, and so is each with its session.
        let left = self.clients.get(&post.client).is_some_and(|client| client.left);
        let wanted = !post.ids.is_empty() || (post.lasting && post.retry.is_some());
        let after = self.events.get(&number).filter(|_| resumable && wanted && !left);
        let delay = Duration::from_millis(post.retry.unwrap_or_default()).min(LONGEST_RETRY);
        let resumption = after.map(|after| Resumption { after: after.clone(), delay, of: post });
        Outcome { over, resumption, ..Outcome::default() }
    }

    /// Notes where an HTTP+SSE server takes the messages of the first client.
    pub(super) fn connect(&mut self, address: &str) {
        self.clients.entry(0).or_default().target = Some(target_of(address));
    }

    /// Notes that a request of a client was answered, so that the end of its stream is no loss.
    pub(super) fn answered(&mut self, client: u32, id: &Id) {
        let own = self.posts.values_mut().filter(|post| post.client == client);
        own.for_each(|post| post.ids.retain(|open| open != id));
    }

    /// Waits no more for the end of the responses with answers that did not come within the time-out.
    pub(super) fn expired(&mut self, expired: &[Id]) {
        self.expect_no_more(0, |ids| !ids.is_empty() && ids.iter().all(|id| expired.contains(id)));
    }

    /// Lets the responses last that would bring such answers to a client.
    fn expect_no_more(&mut self, client: u32, such: impl Fn(&[Id]) -> bool) {
        let own = self.posts.values_mut().filter(|post| post.client == client && such(&post.ids));
        own.for_each(|post| post.lasting = true);
    }

    /// Waits no more for the end of any response. Gives the requests of the first client that were not answered.
    pub(super) fn give_up(&mut self) -> Vec<Id> {
        let mut ids = Vec::new();
        for post in self.posts.values_mut().filter(|post| !post.lasting) {
            post.lasting = true;
            ids.extend(post.ids.iter().filter(|_| post.client == 0).cloned());
        }
        ids
    }

    /// Every request whose response is not over and that is not meant to last.
    pub(super) fn pending(&self) -> HashSet<u32> {
        self.posts.iter().filter(|(_, post)| !post.lasting).map(|(number, _)| *number).collect()
    }
}

impl Post {
    fn new(honest: bool) -> Self {
        Self { client: 0, ids: Vec::new(), hello: false, lasting: false, retry: None, resumptions: 0, honest }
    }
}

/// What a happening means.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The response has begun.
    pub(super) headed: bool,
    /// An HTTP+SSE server said where it takes messages.
    pub(super) connected: bool,
    /// The stream of HTTP+SSE is over, on which everything would come.
    pub(super) disconnected: bool,
    /// The response is over.
    pub(super) over: Option<Post>,
    /// The rest of it is to be asked for.
    pub(super) resumption: Option<Resumption>,
}

fn intent(honest: bool) -> Intent {
    if honest { Intent::Honest } else { Intent::Departure }
}

/// The name of a line; with an asterisk in it, the first line whose name begins like it, and if a value follows behind
/// `*=`, that has this value.
fn named(name: &str, headers: &Headers) -> Option<String> {
    let Some((beginning, own)) = name.split_once('*') else { return Some(name.to_owned()) };
    let begins = |known: &str| known.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning));
    let has = |value: &str| own.strip_prefix('=').is_none_or(|own| own == value);
    headers.iter().find(|(known, value)| begins(known) && has(value)).map(|(known, _)| known.to_owned())
}

/// Whether the transport is the HTTP+SSE of 2024-11-05.
pub(super) fn is_sse(part: Part<'_>) -> bool {
    part.revision == Revision::V2024_11_05
}

fn opening_lines(endpoint: &Endpoint) -> Headers {
    let mut headers = Headers::new();
    headers.push("Host", endpoint.authority.clone());
    headers.push("User-Agent", concat!("turncoat/", env!("CARGO_PKG_VERSION")));
    endpoint.headers.iter().for_each(|(name, value)| headers.push(name, value));
    headers
}

/// The lines that a modern request has for whoever does not read its body.
fn modern_lines(message: Value<'_>, tools: &[Json], headers: &mut Headers) {
    let params = message.member("params");
    let text = |value: Option<Value<'_>>| value.and_then(|value| value.as_str()).map(|text| text.into_owned());
    let version = params.and_then(|params| params.path(&["_meta", meta::PROTOCOL_VERSION]));
    let version = text(version).unwrap_or_else(|| Revision::V2026_07_28.as_str().to_owned());
    headers.push("MCP-Protocol-Version", encoded(&version));
    let Some(method) = text(message.member("method")) else { return };
    if message.member("id").is_none() {
        return;
    }
    headers.push("Mcp-Method", encoded(&method));
    let subject = match method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return,
    };
    let Some(name) = text(params.and_then(|params| params.member(subject))) else { return };
    headers.push("Mcp-Name", encoded(&name));
    let tool = tools.iter().find(|tool| method == "tools/call" && tool["name"] == *name);
    for (name, value) in tool.map(|tool| annotated::lines(&annotated::annotations(tool), params)).unwrap_or_default() {
        headers.push(format!("Mcp-Param-{name}"), encoded(&value));
    }
}

/// A value as a header line can have it.
pub(super) fn encoded(value: &str) -> String {
    let plain = value.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e))
        && value.trim_matches([' ', '\t']).len() == value.len()
        && !(value.starts_with("=?base64?") && value.ends_with("?="));
    if plain { value.to_owned() } else { sentinel(value) }
}

fn sentinel(value: &str) -> String {
    format!("=?base64?{}?=", BASE64.encode(value))
}

/// The path and query of a URI, absolute or not.
fn target_of(uri: &str) -> String {
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The body with its framing, and the header lines that speak of it.
fn framed(body: Option<&[u8]>, framing: Framing, split: u32, headers: &mut Headers) -> Vec<Vec<u8>> {
    let Some(body) = body else { return Vec::new() };
    let length = body.len();
    match framing {
        Framing::Whole | Framing::Truncated | Framing::HalfClosed => headers.push("Content-Length", length.to_string()),
        Framing::Chunked | Framing::Unended => headers.push("Transfer-Encoding", "chunked"),
        Framing::TooShort => headers.push("Content-Length", length.saturating_sub(1).to_string()),
        Framing::TwoLengths => {
            headers.push("Content-Length", length.to_string());
            headers.push("Content-Length", (length / 2).to_string());
        }
        Framing::NoNumber => headers.push("Content-Length", "many"),
        Framing::Unframed => {}
    }
    match framing {
        Framing::Truncated => vec![body.get(..length / 2).unwrap_or_default().to_vec()],
        Framing::Chunked => body.chunks(CHUNK).map(chunk).chain(std::iter::once(LAST_CHUNK.to_vec())).collect(),
        Framing::Unended => body.chunks(CHUNK).map(chunk).collect(),
        _ => super::compose::pieces(body.to_vec(), split),
    }
}

fn shown(headers: &Headers, endpoint: &Endpoint) -> Headers {
    let hidden = |name: &str| endpoint.headers.value(name).is_some();
    let lines = headers.iter().map(|(name, value)| {
        (name.to_owned(), if hidden(name) { "(given in the subject file)" } else { value }.to_owned())
    });
    lines.collect::<Vec<_>>().into()
}

fn spelt(headers: Headers, spell: &BTreeMap<String, String>) -> Headers {
    if spell.is_empty() {
        return headers;
    }
    let other = |name: &str| spell.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let lines =
        headers.iter().map(|(name, value)| (other(name).map_or(name, |(_, other)| other).to_owned(), value.to_owned()));
    lines.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_where_a_line_cannot_have_them() {
        for plain in ["us-west1", "a b", "", "=?base64?x"] {
            assert_eq!(encoded(plain), plain);
        }
        assert_eq!(encoded("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
        assert_eq!(encoded(" padded "), "=?base64?IHBhZGRlZCA=?=");
        assert_eq!(encoded("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
        assert_eq!(encoded("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    }

    #[test]
    fn endpoints_are_relative_or_absolute() {
        assert_eq!(target_of("/messages?x=1"), "/messages?x=1");
        assert_eq!(target_of("messages"), "/messages");
        assert_eq!(target_of("http://127.0.0.1:1/m"), "/m");
        assert_eq!(target_of("http://127.0.0.1:1"), "/");
    }

    #[test]
    fn bodies_are_framed_as_told() {
        let frame = |framing| {
            let mut headers = Headers::new();
            let body = framed(Some(b"0123456789"), framing, 1, &mut headers);
            (headers.iter().map(|(_, value)| value.to_owned()).collect::<Vec<_>>().join(","), body.concat())
        };
        assert_eq!(frame(Framing::Whole), ("10".into(), b"0123456789".to_vec()));
        assert_eq!(frame(Framing::Truncated), ("10".into(), b"01234".to_vec()));
        assert_eq!(frame(Framing::Chunked), ("chunked".into(), b"a\r\n0123456789\r\n0\r\n\r\n".to_vec()));
        assert_eq!(frame(Framing::TwoLengths).0, "10,5");
    }
}
