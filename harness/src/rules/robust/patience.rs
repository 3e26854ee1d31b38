//! Peers that take their time to read, and connections that are closed by half.

use std::ops::Range;

use super::super::jsonrpc::response::is_judged_by_silence;
use super::super::{Breach, Check, Figure, Level, Rule, Transports, Verdict};
use crate::revision::Revisions;
use crate::session::{Fate, HttpExchange, View};
use crate::transcript::{Delivery, Ending, Event, Intent, Transport};

/// `robust.slow-reader`
pub static SLOW_READER: Rule = Rule {
    id: "robust.slow-reader",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "A peer that does not read for a while gets everything once it reads on, and over HTTP keeps nobody else from \
               being served.",
    judged: "Looked at are requests that were sent while the harness read nothing; any answer will do, a refusal included. \
             Lost ones are one finding, and only where later requests were answered. To take no more input until the output \
             is read is right. Over HTTP so is to close the connection of a large request, and the requests whose answers \
             are certain go over other connections, whose responses are read. Ending is the matter of \
             `robust.survives-session`.",
    untested: "nothing was sent while the harness read nothing",
    judge: slow_reader,
};

fn slow_reader(view: View<'_>) -> Verdict {
    let spans = unread(view);
    if !view.is_of_the_run() || spans.is_empty() {
        return Verdict::untested();
    }
    let (last_served, astray) = (view.last_served(), view.answered_astray());
    let is_http = view.transport() == Transport::Http;
    let since = |entry: usize| spans.iter().find(|span| span.contains(&entry));
    let late = || view.every_exchange().filter_map(|one| Some((one, since(one.request().entry)?)));
    let (mut lost, mut stalled) = (false, false);
    let verdict: Verdict = late()
        .filter_map(|(exchange, span)| {
            let request = exchange.request();
            let breach = |what: &str| Some(Err(Breach::at(request, what).after_entry(span.start)));
            let sound = request.is_sound() && !request.is_large() && !astray.contains(&request.entry);
            let fence = is_http && request.intent == Intent::Fence;
            let in_time = exchange.answer().is_some_and(|answer| answer.entry < span.end);
            match exchange.fate() {
                Fate::Answered if in_time || !fence => Some(Ok(())),
                Fate::Answered | Fate::Silent | Fate::Cut if fence => {
                    let first = !std::mem::replace(&mut stalled, true);
                    if first { breach("serves nobody while one response is not read") } else { None }
                }
                Fate::Silent if sound && is_judged_by_silence(exchange, last_served) => {
                    let first = !std::mem::replace(&mut lost, true);
                    if first { breach("loses an answer that is not read at once") } else { None }
                }
                Fate::Cut if sound && last_served > Some(request.entry) => {
                    let first = !std::mem::replace(&mut lost, true);
                    if first { breach("breaks off a response that is not read at once") } else { None }
                }
                _ => None,
            }
        })
        .collect();
    let answers =
        || late().filter(|(one, _)| one.request().intent != Intent::Fence).filter_map(|(one, _)| one.answer());
    let bytes = answers().map(|answer| answer.frame.bytes().len() as u64).sum();
    let (first, last) = (spans.first().map(|span| span.start), answers().map(|answer| answer.entry).max());
    let figure =
        first.zip(last).map(|(first, last)| Figure::bytes("answers read late", bytes).within(view, first, last));
    verdict.bearing(figure)
}

/// The entries between which the harness read nothing.
pub(super) fn unread(view: View<'_>) -> Vec<Range<usize>> {
    let entries = view.entries();
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut open = None;
    for (index, entry) in entries.iter().enumerate() {
        match entry.event {
            Event::StoppedReading => open = open.or(Some(index)),
            Event::ReadOn => spans.extend(open.take().map(|start| start..index)),
            _ => {}
        }
    }
    spans.extend(open.map(|start| start..entries.len()));
    spans
}

/// `robust.half-closed`
pub static HALF_CLOSED: Rule = Rule {
    id: "robust.half-closed",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::HTTP,
    clause: "",
    requires: "The subject bears clients that close their half of a connection behind a request.",
    judged: "HTTP lets a server take that for the end of the connection (RFC 9112, section 9.5), and 2026-07-28 for a \
             cancellation, so whether the request is answered is not judged. But for calls of tools, it must not be left without a response on \
             a connection that stays open, and the next honest request has to be answered.",
    untested: "no client closed its half of a connection behind a request",
    judge: half_closed,
};

fn half_closed(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() {
        return Verdict::untested();
    }
    let (mut borne, mut latest, mut kept) = (0, None, false);
    let mut checks: Vec<Check> = Vec::new();
    for http in view.session_http() {
        if is_half_closed(view, http) {
            latest = Some(http.entry);
            borne += 1;
            // A tool may run on for long, and a subscription for good.
            let quick = http.method().is_some_and(|method| method != "tools/call" && method != "subscriptions/listen");
            let forgotten = quick && http.end.is_none() && view.settled_after(http.entry);
            if forgotten && !std::mem::replace(&mut kept, true) {
                let what = "neither answers nor closes a connection of which the client closed its half";
                checks.push(Err(Breach::at_entry(http.entry, what)));
            }
            continue;
        }
        let honest = http.is_honest() && http.verb == "POST" && http.id().is_some();
        let Some(before) = latest.filter(|_| honest) else { continue };
        let gone = match http.ending() {
            Some(Ending::Complete | Ending::Dropped) => false,
            Some(Ending::Cut | Ending::Malformed(_)) => http.answer().is_none(),
            Some(Ending::Refused(_)) => true,
            None => http.response.is_none() && super::wire::is_overdue(view, http),
        };
        if gone {
            let what = "stops serving after a client closed its half of a connection";
            checks.push(Err(Breach::at_entry(http.last_entry(), what).after_entry(before)));
            break;
        }
        if http.response.is_some() {
            checks.push(Ok(()));
            latest = None;
        }
    }
    Verdict::from_iter(checks).bearing(Figure::count("half-closed connections", borne))
}

/// Whether the client closed its half of the connection right behind a request.
pub(super) fn is_half_closed(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    http.sent.iter().any(|sent| {
        let event = view.entries().get(sent.entry).map(|entry| &entry.event);
        matches!(event, Some(Event::Sent { delivery: Delivery::HalfClosed, .. }))
    })
}
