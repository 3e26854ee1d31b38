//! Requests that a browser sends for the page of another site.

use std::collections::BTreeSet;

use super::{at, called, has_error, has_result, has_twin, is_like, is_served};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, Speaker, View};
use crate::transcript::Ending;
use crate::wire::Value;

const ORIGIN: &str = "origin";

pub(super) static VALIDATED: Rule = Rule {
    id: "http.origin.validated",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#security-endpoint",
    requires: "A server validates the Origin header of every incoming connection.",
    judged: "Requests with a foreign origin, of which a like without the header was served in the same session. A status \
             of 400 or more, a JSON-RPC error and a closed connection are refusals. Which origins are valid is the \
             operator's choice, so an origin that is let through counts only where the server is asked on the loopback \
             interface, as pages of other sites have no business there; that the origin `null` is let through is a \
             warning. A call that was refused and changed the list of tools all the same, as a like call does, was served. \
             Which status a refusal has is the matter of http.origin.invalid-403.",
    untested: "no request with a foreign origin had a like without it that was served, or the server is not asked on the \
               loopback interface",
    judge: validated,
};

fn validated(view: View<'_>) -> Verdict {
    let all = view.http();
    probes(view, &all)
        .filter(|probe| is_foreign(probe))
        .filter_map(|probe| match reaction(view, probe)? {
            Reaction::Refused(_) if is_on_loopback(probe) && has_effect(view, &all, probe) => {
                let origin = probe.headers.value(ORIGIN).unwrap_or_default();
                let what = format!("refuses a page of the origin {origin:?}, and does what it asked for all the same");
                Some(Err(at(probe, what)))
            }
            Reaction::Refused(_) => Some(Ok(())),
            Reaction::Served if !is_on_loopback(probe) => None,
            Reaction::Served => {
                let origin = probe.headers.value(ORIGIN).unwrap_or_default();
                let breach = at(probe, format!("serves {} for a page of the origin {origin:?}", called(probe)));
                Some(Err(if origin == "null" { breach.as_warning() } else { breach }))
            }
        })
        .collect()
}

pub(super) static INVALID_403: Rule = Rule {
    id: "http.origin.invalid-403",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2025_11_25, Revision::V2026_07_28]),
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#security-endpoint",
    requires: "A present but invalid Origin leads to status 403.",
    judged: "POSTs with an origin that were refused while the same without it was served. The body of the refusal is open. \
             429 and 503 are taken for what they say. An origin that is let through belongs to http.origin.validated.",
    untested: "no request was refused for its origin",
    judge: invalid_403,
};

fn invalid_403(view: View<'_>) -> Verdict {
    let all = view.http();
    probes(view, &all)
        // A body that is no message may be refused for that, and before anybody looks at the origin.
        .filter(|probe| probe.verb == "POST" && probe.method().is_some())
        .filter_map(|probe| match reaction(view, probe)? {
            Reaction::Refused(Some(403)) => Some(Ok(())),
            Reaction::Refused(Some(429 | 503)) | Reaction::Served => None,
            Reaction::Refused(Some(status)) => Some(Err(at(probe, format!("refuses an origin by status {status}")))),
            Reaction::Refused(None) => Some(Err(at(probe, "refuses an origin by closing the connection"))),
        })
        .collect()
}

enum Reaction {
    Served,
    /// With this status, or without any.
    Refused(Option<u16>),
}

/// What the server did, as far as it can be told: 202 for a notification says nothing.
fn reaction(view: View<'_>, probe: &HttpExchange<'_>) -> Option<Reaction> {
    if has_result(view, probe) {
        return Some(Reaction::Served);
    }
    let Some(status) = probe.status() else {
        return matches!(probe.ending(), Some(Ending::Cut)).then_some(Reaction::Refused(None));
    };
    match status {
        400.. => Some(Reaction::Refused(Some(status))),
        200..=299 if has_error(probe) => Some(Reaction::Refused(Some(status))),
        200..=299 if probe.verb == "GET" && is_served(view, probe) => Some(Reaction::Served),
        _ => None,
    }
}

/// Whether a call changed the list of tools, as one like it without the header did.
fn has_effect(view: View<'_>, all: &[&HttpExchange<'_>], probe: &HttpExchange<'_>) -> bool {
    if probe.method().as_deref() != Some("tools/call") || !changes_tools(view, probe) {
        return false;
    }
    all.iter().any(|other| {
        other.headers.value(ORIGIN).is_none() && is_like(probe, other, ORIGIN) && changes_tools(view, other)
    })
}

/// Whether the list of tools, as it was seen between the calls before and after, differs from what it was before.
fn changes_tools(view: View<'_>, call: &HttpExchange<'_>) -> bool {
    let calls = || view.requests_by(Speaker::Peer).filter(|message| message.is("tools/call"));
    let before = calls().map(|other| other.entry).filter(|entry| *entry < call.entry).max().unwrap_or_default();
    let own = call.sent.first().map_or(call.entry, |sent| sent.entry);
    let after = calls().map(|other| other.entry).find(|entry| *entry > own).unwrap_or(usize::MAX);
    match (tools_between(view, before, call.entry), tools_between(view, call.last_entry(), after)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    }
}

/// The names of all tools that were listed between two entries, if the list was seen to its end.
fn tools_between(view: View<'_>, from: usize, to: usize) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut whole = false;
    for list in view.exchanges().filter(|list| list.is("tools/list") && (from..to).contains(&list.request().entry)) {
        let Some(result) = list.result().filter(|_| list.answer().is_some_and(|answer| answer.entry < to)) else {
            continue;
        };
        let items = result.member("tools").into_iter().flat_map(Value::items);
        names.extend(items.filter_map(|tool| Some(tool.member("name")?.as_str()?.into_owned())));
        whole |= result.member("nextCursor").is_none();
    }
    whole.then_some(names)
}

/// The requests with an origin and nothing else that anybody could refuse.
fn probes<'h, 's>(view: View<'s>, all: &'h [&'s HttpExchange<'s>]) -> impl Iterator<Item = &'h HttpExchange<'s>> {
    all.iter()
        .copied()
        .filter(|probe| probe.headers.value(ORIGIN).is_some())
        .filter(move |probe| has_twin(view, all, probe, ORIGIN, |origin| origin.is_none()))
}

/// Whether an origin is neither the server's own nor on the same computer.
fn is_foreign(probe: &HttpExchange<'_>) -> bool {
    let Some(origin) = probe.headers.value(ORIGIN) else { return false };
    let Some((_, authority)) = origin.split_once("://") else { return origin == "null" };
    let host = host_of(authority);
    !is_loopback(host) && probe.headers.value("host").map(host_of) != Some(host)
}

fn is_on_loopback(probe: &HttpExchange<'_>) -> bool {
    probe.headers.value("host").map(host_of).is_some_and(is_loopback)
}

/// The host of an authority, without its port.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    let numbers: Vec<&str> = host.split('.').collect();
    let is_v4 = numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok());
    host.eq_ignore_ascii_case("localhost") || host == "::1" || (is_v4 && host.starts_with("127."))
}
