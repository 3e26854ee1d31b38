//! Clients of both eras over HTTP: what a refusal with 400 tells them.

use crate::revision::{Era, Revision, Revisions, Side, code, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, View};
use crate::wire::Value;

const CLAUSE: &str = "2026-07-28/basic/transports/streamable-http#backward-compatibility";

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Should,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::HTTP,
        clause: CLAUSE,
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

pub(super) static INSPECTS_400: Rule = Rule {
    requires: "On 400 a client reads the body before it falls back to the handshake.",
    judged: "A first modern request that is refused with 400 and -32020, -32021, or -32022 with a list that has the modern \
             version. Broken if `initialize` follows.",
    untested: "the first modern request of the client was not refused with 400 and a modern error",
    judge: inspects_400,
    ..rule("dual.client.http-inspects-400")
};

fn inspects_400(view: View<'_>) -> Verdict {
    let Some(first) = refused(view).filter(|first| is_modern_error(first)) else { return Verdict::untested() };
    let check: Check = match handshake(view, first) {
        Some(entry) => {
            let what = "falls back to initialize although the refusal is one of the modern era";
            Err(Breach::at_entry(entry, what).after_entry(first.last_entry()))
        }
        None => Ok(()),
    };
    [check].into_iter().collect()
}

pub(super) static FALLBACK: Rule = Rule {
    requires: "On 400 without the body of a modern error a client falls back to `initialize`.",
    judged: "Clients that were seen to speak a legacy revision.",
    untested: "the first modern request of the client was not refused with 400 and such a body, or the client is not known \
               to speak a legacy revision",
    judge: fallback,
    ..rule("dual.client.http-fallback")
};

fn fallback(view: View<'_>) -> Verdict {
    let legacy = view.facts().revisions.iter().any(|revision| revision.era() == Era::Legacy);
    let Some(first) = refused(view).filter(|first| legacy && first.error_code().is_none_or(|code| !is_defined(code)))
    else {
        return Verdict::untested();
    };
    let check: Check = match handshake(view, first) {
        Some(_) => Ok(()),
        None => Err(Breach::at_entry(first.last_entry(), "does not fall back to initialize behind a plain 400")),
    };
    [check].into_iter().collect()
}

/// The first request of the session, if it is a modern one and was refused with 400.
fn refused(view: View<'_>) -> Option<&HttpExchange<'_>> {
    let first = view.session_http().iter().find(|http| http.verb == "POST")?;
    let modern = first.body()?.path(&["params", "_meta", meta::PROTOCOL_VERSION]).is_some();
    (modern && first.status() == Some(400)).then_some(first)
}

/// The entry of the first `initialize` behind a request.
fn handshake(view: View<'_>, first: &HttpExchange<'_>) -> Option<usize> {
    let mut later = view.session_http().iter().filter(|http| http.entry > first.last_entry());
    later.find(|http| http.method().as_deref() == Some("initialize")).map(|http| http.entry)
}

fn is_defined(code: i64) -> bool {
    [code::HEADER_MISMATCH, code::MISSING_CLIENT_CAPABILITY, code::UNSUPPORTED_PROTOCOL_VERSION].contains(&code)
}

/// Whether a refusal shows a server that speaks the modern version too.
fn is_modern_error(http: &HttpExchange<'_>) -> bool {
    let Some(code) = http.error_code().filter(|code| is_defined(*code)) else { return false };
    let supported = http.messages().find_map(|(_, message)| message.path(&["error", "data", "supported"]));
    let modern = |value: Value<'_>| value.is(Revision::V2026_07_28.as_str());
    code != code::UNSUPPORTED_PROTOCOL_VERSION || supported.is_some_and(|list| list.items().any(modern))
}
