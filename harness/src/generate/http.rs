//! What happens to HTTP requests in sessions that never happened.

use arbitrary::{Result, Unstructured};

use super::{once_in, text};
use crate::transcript::{Ending, Event, EventData, Http, Intent};
use crate::wire::http::Headers;

/// How many HTTP requests a session has at most; few, so that what happens belongs together.
const MOST: u32 = 6;

/// The number of an HTTP request.
pub(super) fn number(u: &mut Unstructured<'_>) -> Result<u32> {
    u.int_in_range(1..=MOST)
}

/// Something that happens to one.
pub(super) fn event(u: &mut Unstructured<'_>) -> Result<Event> {
    let number = number(u)?;
    let what = match u.int_in_range(0..=11)? {
        0..=4 => Http::Request {
            client: if once_in(u, 6)? { u.int_in_range(1..=2)? } else { 0 },
            verb: (*u.choose(&["POST", "POST", "POST", "GET", "DELETE", "PUT", ""])?).to_owned(),
            target: (*u.choose(&["/mcp", "/mcp", "/sse", "/messages?session=1", ""])?).to_owned(),
            headers: headers(u, REQUEST)?,
            intent: *u.choose(&[Intent::Honest, Intent::Honest, Intent::Departure])?,
        },
        5..=7 => Http::Response {
            status: *u.choose(&[200, 200, 202, 400, 403, 404, 405, 500, 307, 0, 65_535])?,
            headers: headers(u, RESPONSE)?,
        },
        8 => Http::Event {
            id: u.arbitrary::<bool>()?.then(|| u.int_in_range(0..=9).map(|id: u8| id.to_string())).transpose()?,
            name: if once_in(u, 4)? { Some((*u.choose(&["message", "endpoint", ""])?).to_owned()) } else { None },
            retry: if once_in(u, 4)? { Some(u.arbitrary()?) } else { None },
            data: match u.int_in_range(0..=2)? {
                0 => EventData::Empty,
                1 => EventData::Message,
                _ => EventData::Text(text(u, 16)?),
            },
        },
        9 => Http::Body { text: text(u, 24)? },
        _ => Http::End {
            how: match u.int_in_range(0..=5)? {
                0 => Ending::Cut,
                1 => Ending::Dropped,
                2 => Ending::Refused(text(u, 8)?),
                3 => Ending::Malformed(text(u, 8)?),
                _ => Ending::Complete,
            },
        },
    };
    Ok(Event::Http { number, what })
}

const REQUEST: &[(&str, &[&str])] = &[
    ("Accept", &["application/json, text/event-stream", "text/event-stream", "text/html", ""]),
    ("Content-Type", &["application/json", "text/plain"]),
    ("MCP-Protocol-Version", &["2026-07-28", "2025-11-25", "2025-06-18", "2099-12-31", "", " "]),
    ("Mcp-Session-Id", &["s1", "s2", "", "\u{e9}"]),
    ("Mcp-Method", &["tools/call", "tools/list", "TOOLS/LIST"]),
    ("Mcp-Name", &["echo", "=?base64?ZWNobw==?=", "=?base64?!?=", "=?BASE64?ZWNobw==?="]),
    ("Mcp-Param-Region", &["eu", "42", "42.0"]),
    ("Last-Event-ID", &["1", "2", "x"]),
    ("Origin", &["http://evil.example", "null", "http://127.0.0.1"]),
];

const RESPONSE: &[(&str, &[&str])] = &[
    ("Content-Type", &["application/json", "text/event-stream", "text/html", "application/json; charset=utf-8", ""]),
    ("Mcp-Session-Id", &["s1", "s2", "", "a b", "\u{7f}"]),
    ("X-Accel-Buffering", &["no", "yes"]),
    ("Content-Length", &["0", "many"]),
];

fn headers(u: &mut Unstructured<'_>, known: &[(&str, &[&str])]) -> Result<Headers> {
    let mut headers = Headers::new();
    for (name, values) in known {
        if u.arbitrary()? {
            headers.push(*name, *u.choose(values)?);
        }
        if once_in(u, 20)? {
            headers.push(name.to_ascii_lowercase(), *u.choose(values)?);
        }
    }
    Ok(headers)
}
