//! A POST held against its body: which header lines say what the body says, and which do not.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::annotated;
use crate::revision::code;
use crate::rules::tools::offer::Offer;
use crate::rules::{Breach, Check, probe};
use crate::session::{Exchange, HttpExchange, View};
use crate::transcript::{Delivery, Ending};
use crate::wire::Value;
use crate::wire::decimal::Decimal;
use crate::wire::http::Headers;

/// From this many bytes of header lines on, a server may have a limit.
const LARGE: usize = 8 << 10;

/// The names of the lines that every honest request has, as this revision writes them.
static NAMES: &[&str] = &[
    "Host",
    "User-Agent",
    "Accept",
    "Content-Type",
    "Content-Length",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
];

/// A POST of the first client with a request about which nothing is wrong but, at most, its header lines.
pub(super) struct Post<'s> {
    pub(super) http: &'s HttpExchange<'s>,
    pub(super) exchange: Exchange<'s>,
    /// The version in the body.
    pub(super) version: String,
    /// What contradicts the body.
    pub(super) faults: Vec<Fault>,
    /// What is unusual and contradicts nothing.
    pub(super) oddities: HashSet<Oddity>,
    /// An argument that is annotated has no value.
    pub(super) lacks_value: bool,
}

/// A header line that contradicts the body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) line: Line,
    pub(super) how: How,
    /// What stands there; empty if nothing does.
    pub(super) value: String,
}

/// Which line it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Line {
    Version,
    Method,
    Name,
    Param,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum How {
    Missing,
    /// It has another value.
    Differs,
    /// It has another value, in the form for what no line can have.
    DiffersEncoded,
    /// It begins and ends like that form and cannot be decoded.
    Undecodable,
    /// It is in that form but for the case of its marker.
    Marker,
    /// There are several lines that differ.
    Several,
    /// It has bytes that no value may have.
    Forbidden,
}

/// What is unusual about a request and contradicts nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Oddity {
    /// A value is encoded without need.
    Encoded,
    /// There is whitespace around a value.
    Padded,
    /// A name is written in another case than the specification writes it.
    OtherCase,
    /// It has lines that earlier revisions had.
    Earlier,
    /// A number is written in another way.
    Numeric,
}

impl Post<'_> {
    /// The only thing that is wrong or unusual, if it contradicts the body.
    pub(super) fn only_fault(&self) -> Option<&Fault> {
        let [fault] = self.faults.as_slice() else { return None };
        self.oddities.is_empty().then_some(fault)
    }

    /// Whether the only thing that is unusual is this.
    pub(super) fn is_only(&self, oddity: Oddity) -> bool {
        self.faults.is_empty() && self.oddities.len() == 1 && self.oddities.contains(&oddity)
    }

    /// Whether nothing about it is wrong or unusual.
    pub(super) fn is_plain(&self) -> bool {
        self.faults.is_empty() && self.oddities.is_empty()
    }

    /// What the server made of it, with the request in front.
    pub(super) fn breach(&self, what: impl Into<String>) -> Breach {
        let last = self.exchange.answer().map(|answer| answer.entry);
        let head = self.http.response.map(|response| response.entry);
        let entry = last.or(head).unwrap_or_else(|| self.http.last_entry());
        Breach::at_entry(entry, what).after(self.exchange.request())
    }

    /// Whether the answer comes from something in front of the protocol: authorization, or a limit of some rate.
    pub(super) fn is_held_off(&self) -> bool {
        matches!(self.http.status(), Some(401 | 403 | 407 | 429 | 503))
    }

    /// The code of the error, whichever way it came.
    pub(super) fn error_code(&self) -> Option<i64> {
        self.exchange.error_code().or_else(|| self.http.error_code())
    }

    /// Judges what became of a request that a server has to refuse for its header lines; `like` says what is wrong.
    pub(super) fn refused(&self, like: &str) -> Option<Check> {
        if self.exchange.result().is_some() {
            return Some(Err(self.breach(format!("serves a request {like}"))));
        }
        let status = self.http.status().filter(|_| !self.is_held_off())?;
        let code = self.error_code();
        if status == 400 && code == Some(code::HEADER_MISMATCH) {
            return Some(Ok(()));
        }
        let code = code.map_or_else(|| "no JSON-RPC error".to_owned(), |code| code.to_string());
        let what = format!("refuses a request {like} with {status} and {code} in place of 400 and -32020");
        Some(Err(self.breach(what)))
    }

    /// Judges what became of a request whose like was served, and which only looks unusual; `like` says how.
    pub(super) fn served(&self, like: &str) -> Option<Check> {
        if self.exchange.result().is_some() {
            return Some(Ok(()));
        }
        let status = self.http.status().filter(|status| *status >= 400 && !self.is_held_off());
        if status.is_none() && self.error_code() != Some(code::HEADER_MISMATCH) {
            return None;
        }
        let code = self.error_code().map_or_else(|| "no JSON-RPC error".to_owned(), |code| code.to_string());
        let status = self.http.status().unwrap_or_default();
        Some(Err(self.breach(format!("refuses a request {like} with {status} and {code}"))))
    }

    /// Whether the connection ended without a response.
    pub(super) fn is_cut(&self) -> bool {
        self.http.response.is_none() && matches!(self.http.ending(), Some(Ending::Cut | Ending::Malformed(_)))
    }
}

/// The method, and as JSON text what a request is about and with which arguments.
type Kind<'s> = (String, &'s str, &'s str);

/// Requests that were served as they were, without anything unusual.
pub(super) struct Twins<'s>(HashSet<Kind<'s>>);

impl<'s> Twins<'s> {
    pub(super) fn of(posts: &[Post<'s>]) -> Self {
        let served = posts.iter().filter(|post| post.is_plain() && post.exchange.result().is_some());
        Self(served.map(|post| kind(post.exchange)).collect())
    }

    pub(super) fn have(&self, post: &Post<'s>) -> bool {
        self.0.contains(&kind(post.exchange))
    }

    /// Whether there is one about the same subject, with whichever arguments.
    pub(super) fn have_alike(&self, post: &Post<'s>) -> bool {
        let (method, subject, _) = kind(post.exchange);
        self.0.iter().any(|(known, about, _)| *known == method && *about == subject)
    }
}

fn kind(exchange: Exchange<'_>) -> Kind<'_> {
    let raw = |key: &str| exchange.param(key).map_or("", Value::raw);
    let subject = if exchange.is("resources/read") { raw("uri") } else { raw("name") };
    (exchange.method().to_owned(), subject, raw("arguments"))
}

/// The POSTs whose bodies give no reason to refuse them, in order.
pub(super) fn posts(view: View<'_>) -> Vec<Post<'_>> {
    let exchanges: HashMap<usize, Exchange<'_>> =
        probe::stateless(view).map(|exchange| (exchange.request().entry, exchange)).collect();
    let all = view.http();
    let first = all.iter().find(|http| http.client == 0 && http.verb == "POST");
    let place = first.map(|http| (http.target, http.headers.value("host")));
    let offer = Offer::of(view);
    all.iter()
        .filter(|http| http.client == 0 && http.verb == "POST" && http.sent.len() == 1)
        .filter(|http| place == Some((http.target, http.headers.value("host"))))
        .filter_map(|http| {
            let exchange = *exchanges.get(&http.sent.first()?.entry)?;
            read(&offer, http, exchange)
        })
        .collect()
}

fn read<'s>(offer: &Offer<'s>, http: &'s HttpExchange<'s>, exchange: Exchange<'s>) -> Option<Post<'s>> {
    let request = exchange.request();
    let version = probe::plain_in_itself(request)?.into_owned();
    if request.is_large() || request.delivery != Delivery::Whole || !is_framed(http, request.frame.bytes().len()) {
        return None;
    }
    let (mut faults, mut oddities) = (Vec::new(), HashSet::new());
    let mut note = |line: Line, seen: Seen| match seen {
        Seen::Right => Some(()),
        Seen::Odd(oddity) => {
            oddities.insert(oddity);
            Some(())
        }
        Seen::Wrong(how, value) => {
            faults.push(Fault { line, how, value });
            Some(())
        }
        Seen::Unclear => None,
    };
    let headers = http.headers;
    note(Line::Version, seen(headers, "MCP-Protocol-Version", &version, None, false))?;
    note(Line::Method, seen(headers, "Mcp-Method", exchange.method(), None, false))?;
    match subject(exchange) {
        Some(name) => note(Line::Name, seen(headers, "Mcp-Name", name?.as_str()?.as_ref(), None, true))?,
        None if headers.value("Mcp-Name").is_some() => return None,
        None => {}
    }
    let mut lacks_value = false;
    let annotations = annotations_of(offer, exchange)?;
    for annotation in &annotations {
        let name = format!("Mcp-Param-{}", annotation.header);
        let path: Vec<&str> = annotation.path.iter().map(String::as_str).collect();
        let value = exchange.param("arguments").and_then(|arguments| arguments.path(&path));
        let Some(value) = value.filter(|value| !value.is_null()) else {
            lacks_value = true;
            if headers.value(&name).is_some() {
                return None;
            }
            continue;
        };
        let number = value.is_number().then(|| Decimal::read(value.raw())).flatten();
        let text = match (value.as_str(), value.as_bool()) {
            (Some(text), _) => text.into_owned(),
            (_, Some(truth)) => truth.to_string(),
            _ if number.as_ref().is_some_and(Decimal::is_integral) => value.raw().to_owned(),
            _ => return None,
        };
        note(Line::Param, seen(headers, &name, &text, number.as_ref(), true))?;
    }
    let spelt = |known: &str| {
        let canonical = annotations.iter().map(|annotation| format!("Mcp-Param-{}", annotation.header));
        NAMES.iter().map(|name| (*name).to_owned()).chain(canonical).find(|name| name.eq_ignore_ascii_case(known))
    };
    if headers.iter().any(|(known, _)| spelt(known).is_some_and(|name| name != known)) {
        oddities.insert(Oddity::OtherCase);
    }
    if ["Mcp-Session-Id", "Last-Event-ID"].iter().any(|name| headers.value(name).is_some()) {
        oddities.insert(Oddity::Earlier);
    }
    Some(Post { http, exchange, version, faults, oddities, lacks_value })
}

/// The annotations of the tool that is called; none at all if one of them is invalid, since no client may call it then.
fn annotations_of<'s>(offer: &Offer<'s>, exchange: Exchange<'s>) -> Option<Vec<annotated::Annotation>> {
    let name = exchange.param("name").filter(|_| exchange.is("tools/call")).and_then(Value::as_str);
    let Some(tool) = name.and_then(|name| offer.tool(&name, exchange.request().entry)) else { return Some(Vec::new()) };
    let found = tool.member("inputSchema").map(annotated::annotations).unwrap_or_default();
    found.iter().all(|annotation| annotation.fault.is_none()).then_some(found)
}

/// What the line `Mcp-Name` has to repeat; none if the method has no such line.
fn subject(exchange: Exchange<'_>) -> Option<Option<Value<'_>>> {
    match exchange.method() {
        "tools/call" | "prompts/get" => Some(exchange.param("name")),
        "resources/read" => Some(exchange.param("uri")),
        _ => None,
    }
}

/// Whether nothing is wrong with a request as HTTP goes, and it is for a server of this protocol.
fn is_framed(http: &HttpExchange<'_>, length: usize) -> bool {
    let headers = http.headers;
    let accepts = |media: &str| headers.value("accept").is_some_and(|accept| accept.contains(media));
    let mut lengths = headers.values("content-length");
    let own_length = lengths.next().is_none_or(|given| given.parse() == Ok(length)) && lengths.next().is_none();
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    own_length
        && size < LARGE
        && accepts("application/json")
        && accepts("text/event-stream")
        && headers.media_type().as_deref() == Some("application/json")
        && ["transfer-encoding", "origin", "expect", "upgrade"].iter().all(|name| headers.value(name).is_none())
}

/// What a line looks like beside the value that it has to repeat.
enum Seen {
    Right,
    Odd(Oddity),
    Wrong(How, String),
    /// Readers may differ.
    Unclear,
}

fn seen(headers: &Headers, name: &str, own: &str, number: Option<&Decimal>, may_encode: bool) -> Seen {
    let values: Vec<&str> = headers.values(name).collect();
    let value = match values.as_slice() {
        [] => return Seen::Wrong(How::Missing, String::new()),
        [value] => *value,
        [first, others @ ..] if others.iter().all(|other| other == first) => return Seen::Unclear,
        [..] if values.contains(&own) => return Seen::Wrong(How::Several, values.join(", ")),
        [..] => return Seen::Unclear,
    };
    let wrong = |how: How| Seen::Wrong(how, value.to_owned());
    if value.chars().any(|character| character != '\t' && !(' '..='~').contains(&character)) {
        return wrong(How::Forbidden);
    }
    let trimmed = value.trim_matches([' ', '\t']);
    let needs_encoding = own.trim_matches([' ', '\t']).len() != own.len()
        || own.chars().any(|character| !(' '..='~').contains(&character))
        || (own.starts_with("=?base64?") && own.ends_with("?="));
    if !needs_encoding && trimmed == own {
        return if trimmed == value { Seen::Right } else { Seen::Odd(Oddity::Padded) };
    }
    if needs_encoding && !may_encode {
        return Seen::Unclear;
    }
    if may_encode && let Some(inner) = encoded(trimmed) {
        return match decoded(inner) {
            _ if !trimmed.starts_with("=?base64?") => wrong(How::Marker),
            Some(text) if text == own.as_bytes() && needs_encoding && trimmed == value => Seen::Right,
            Some(text) if text == own.as_bytes() && trimmed == value => Seen::Odd(Oddity::Encoded),
            Some(text) if text == own.as_bytes() => Seen::Unclear,
            Some(_) => wrong(How::DiffersEncoded),
            None if is_readable_somehow(inner) => Seen::Unclear,
            None => wrong(How::Undecodable),
        };
    }
    if number.is_some() && number == Decimal::read(trimmed).filter(|_| is_number(trimmed)).as_ref() {
        return Seen::Odd(Oddity::Numeric);
    }
    if needs_encoding && trimmed == own.trim_matches([' ', '\t']) {
        return Seen::Unclear;
    }
    wrong(How::Differs)
}

/// What stands between the marks of an encoded value, whatever their case.
fn encoded(value: &str) -> Option<&str> {
    const OPENING: &str = "=?base64?";
    let opening = value.get(..OPENING.len())?;
    value.get(OPENING.len()..)?.strip_suffix("?=").filter(|_| opening.eq_ignore_ascii_case(OPENING))
}

fn decoded(inner: &str) -> Option<Vec<u8>> {
    STANDARD.decode(inner).ok()
}

/// Whether some reader of base64 makes something of it: without padding, in the alphabet of URLs, past whitespace.
fn is_readable_somehow(inner: &str) -> bool {
    let text: String = inner.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    [&STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].iter().any(|engine| engine.decode(&text).is_ok())
        || STANDARD.decode(&text).is_ok()
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}
