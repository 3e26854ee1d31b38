//! The header lines of modern requests, and what the modern era has no use for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{LAST_EVENT_ID, SESSION_ID, VERSION, streamable};
use super::{is_broken, is_modern, modern_requests, rule};
use crate::revision::{Revisions, meta};
use crate::rules::{Breach, Check, Level, Rule, Verdict};
use crate::session::{HttpExchange, View};

const LINES: &str = "2026-07-28/basic/transports/streamable-http#standard-request-headers";
const ENCODING: &str = "2026-07-28/basic/transports/streamable-http#value-encoding";

const UNTESTED: &str = "the client sent no modern request";

pub(in crate::rules::http) static VERSION_HEADER: Rule = Rule {
    requires: "Every POST has the header `MCP-Protocol-Version`, equal to the version in the body.",
    judged: "Requests with a version in their metadata.",
    untested: UNTESTED,
    judge: version_header,
    ..rule(
        "http.modern.version-header.client",
        Level::Must,
        Revisions::MODERN,
        "2026-07-28/basic/transports/streamable-http#protocol-version-header",
    )
};

fn version_header(view: View<'_>) -> Verdict {
    modern_requests(view)
        .map(|http| {
            let body = http.body().and_then(|body| body.path(&["params", "_meta", meta::PROTOCOL_VERSION])?.as_str());
            repeats(http, "MCP-Protocol-Version", http.headers.value(VERSION), body.as_deref().unwrap_or_default())
        })
        .collect()
}

pub(in crate::rules::http) static METHOD_HEADER: Rule = Rule {
    requires: "Every request has the header `Mcp-Method`, equal to its method.",
    judged: "Case included. Notifications are not covered.",
    untested: UNTESTED,
    judge: method_header,
    ..rule("http.modern.method-header.client", Level::Must, Revisions::MODERN, LINES)
};

fn method_header(view: View<'_>) -> Verdict {
    modern_requests(view)
        .map(|http| {
            let method = http.method().unwrap_or_default();
            repeats(http, "Mcp-Method", http.headers.value("mcp-method"), &method)
        })
        .collect()
}

fn repeats(http: &HttpExchange<'_>, name: &str, sent: Option<&str>, wanted: &str) -> Check {
    match sent.map(str::trim) {
        Some(sent) if sent == wanted => Ok(()),
        Some(sent) => {
            Err(Breach::at_entry(http.entry, format!("sends {name} {sent:?} for what the body calls {wanted:?}")))
        }
        None => Err(Breach::at_entry(http.entry, format!("sends a request without {name}"))),
    }
}

/// The requests that name something, with its name or URI.
fn named(view: View<'_>) -> impl Iterator<Item = (&HttpExchange<'_>, String)> {
    modern_requests(view).filter_map(|http| {
        let member = match http.method()?.as_str() {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return None,
        };
        Some((http, http.body()?.path(&["params", member])?.as_str()?.into_owned()))
    })
}

pub(in crate::rules::http) static NAME_HEADER: Rule = Rule {
    requires: "Calls of tools, and requests for prompts and resources, have the header `Mcp-Name` with the name or URI.",
    judged: "As it is or encoded.",
    untested: "the client called no tool and asked for no prompt or resource in the modern era",
    judge: name_header,
    ..rule("http.modern.name-header.client", Level::Must, Revisions::MODERN, LINES)
};

fn name_header(view: View<'_>) -> Verdict {
    named(view)
        .map(|(http, name)| {
            let sent = http.headers.value("mcp-name");
            let decoded = sent.map(|sent| decoded(sent.trim()).unwrap_or_else(|| sent.to_owned()));
            // Raw characters beyond ASCII are judged by the rule about the encoding.
            let raw = sent.is_some_and(|sent| {
                sent.bytes().collect::<Vec<_>>() == name.as_bytes() || latin(sent) == name.as_bytes()
            });
            if raw {
                Ok(())
            } else {
                repeats(http, "Mcp-Name", decoded.as_deref(), name.trim())
                    .or_else(|breach| if decoded.as_deref() == Some(&name) { Ok(()) } else { Err(breach) })
            }
        })
        .collect()
}

pub(in crate::rules::http) static NAME_ENCODING: Rule = Rule {
    requires: "A name that cannot stand in a header line as it is, is sent as `=?base64?...?=`.",
    judged: "Names with characters beyond visible ASCII, spaces and tabs, with white space around them, or with the marker \
             of the encoding in front. A tab inside may be plain.",
    untested: "the client used nothing with such a name",
    judge: name_encoding,
    ..rule("http.modern.name-header.encoding", Level::Must, Revisions::MODERN, ENCODING)
};

fn name_encoding(view: View<'_>) -> Verdict {
    named(view)
        .filter(|(_, name)| !is_plain(name))
        .filter_map(|(http, name)| {
            let sent = http.headers.value("mcp-name")?;
            Some(encoded_check(http, "Mcp-Name", sent, &name))
        })
        .collect()
}

/// Whether a value that is not plain was encoded rightly.
pub(super) fn encoded_check(http: &HttpExchange<'_>, header: &str, sent: &str, value: &str) -> Check {
    if encoded(sent.trim()).is_some_and(|text| text == value) {
        return Ok(());
    }
    let what = format!("sends {header} {sent:?} for the value {value:?}, which has to be encoded");
    Err(Breach::at_entry(http.entry, what))
}

/// Whether a value can stand in a header line as it is.
pub(super) fn is_plain(value: &str) -> bool {
    let visible = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    visible && value.trim_matches([' ', '\t']) == value && !value.starts_with(MARKER)
}

const MARKER: &str = "=?base64?";

/// The text of an encoded value.
fn encoded(value: &str) -> Option<String> {
    let inner = value.strip_prefix(MARKER)?.strip_suffix("?=")?;
    String::from_utf8(STANDARD.decode(inner).ok()?).ok()
}

/// The text of a value, encoded or not.
pub(super) fn decoded(value: &str) -> Option<String> {
    if value.starts_with(MARKER) { encoded(value) } else { Some(value.to_owned()) }
}

/// The bytes of a value as they were on the wire.
fn latin(value: &str) -> Vec<u8> {
    value.chars().filter_map(|character| u8::try_from(character).ok()).collect()
}

pub(in crate::rules::http) static NO_LEGACY: Rule = Rule {
    requires: "A client of the modern era uses no GET streams, no DELETE, no session ids and no resumption.",
    judged: "What it sends behind the first modern request that was answered by a success, as long as it does not go over \
             to the legacy era.",
    untested: "no modern request of the client succeeded",
    judge: no_legacy,
    ..rule(
        "http.modern.client-no-legacy-mechanisms",
        Level::Should,
        Revisions::MODERN,
        "2026-07-28/basic/transports/streamable-http#earlier-streamable-http-revisions",
    )
};

fn no_legacy(view: View<'_>) -> Verdict {
    let all = view.session_http();
    let won = |http: &&HttpExchange<'_>| {
        is_modern(http) && http.answer().is_some_and(|(_, answer)| answer.member("result").is_some())
    };
    let Some(settled) = all.iter().find(won) else { return Verdict::untested() };
    if view.legacy_since().is_some() {
        return Verdict::untested();
    }
    let mut checks: Vec<Check> = vec![Ok(())];
    for http in all.iter().filter(|http| http.entry > settled.last_entry()) {
        let what = match http.verb {
            "GET" => "asks for a stream by GET",
            "DELETE" => "sends DELETE",
            _ if http.headers.value(SESSION_ID).is_some() => "sends a session id",
            _ if http.headers.value(LAST_EVENT_ID).is_some() => "sends the id of an event",
            _ => continue,
        };
        let breach = Breach::at_entry(http.entry, format!("{what} in the modern era"));
        checks.push(Err(breach.after_entry(settled.entry)));
    }
    checks.into_iter().collect()
}

pub(in crate::rules::http) static REISSUES: Rule = Rule {
    requires: "A request that was lost with its stream is sent again as a new request with a new id, if at all.",
    judged: "Streams of modern requests that ended before the answer. Not to send it again is fine.",
    untested: "no stream ended before the answer to a modern request",
    judge: reissues,
    ..rule(
        "http.modern.client-reissues-with-new-id",
        Level::Must,
        Revisions::MODERN,
        "2026-07-28/changelog#major-changes",
    )
};

fn reissues(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let broken = all.iter().filter(|http| is_modern(http) && is_broken(http));
    broken
        .map(|http| {
            let end = http.last_entry();
            let mut behind = all.iter().filter(|other| other.entry > end);
            let offence = behind.find_map(|other| {
                if other.headers.value(LAST_EVENT_ID).is_some() {
                    return Some((other, "wants to take up a stream of the modern era"));
                }
                let same = other.id() == http.id() && other.method() == http.method();
                same.then_some((other, "sends a request again under the id of the one that was lost"))
            });
            offence.map_or(Ok(()), |(other, what)| Err(Breach::at_entry(other.entry, what).after_entry(end)))
        })
        .collect()
}
