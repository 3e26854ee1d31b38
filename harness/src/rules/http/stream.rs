//! The stream of events that answers a request.

use std::collections::HashMap;

use super::{is_open_at, is_resumption, lived_until, method_of, requests, streamable, within};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::http::Part;
use crate::session::{Exchange, Fate, HttpExchange, View};
use crate::transcript::{Ending, Event, EventData};
use crate::wire::Id;

const LEGACY: Revisions = Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25);
const UNTESTED: &str = "no request was answered with a stream of events";

/// An honest request that was answered with a stream.
struct Stream<'h, 's> {
    http: &'h HttpExchange<'s>,
    exchange: Exchange<'s>,
    /// The client and the subject went on with the session after the stream.
    lived_on: bool,
}

fn streams<'h, 's>(view: View<'s>, all: &'h [&'s HttpExchange<'s>]) -> Vec<Stream<'h, 's>> {
    let lived = lived_until(all);
    requests(view, all)
        .into_iter()
        .filter(|(http, _)| http.is_honest() && http.is_stream())
        .map(|(http, exchange)| {
            let end = http.end.map_or(usize::MAX, |(end, _)| end);
            let lived_on = lived.get(&http.client).is_some_and(|last| *last > end);
            Stream { http, exchange, lived_on }
        })
        .collect()
}

impl Stream<'_, '_> {
    /// Where the response stands in the stream.
    fn response(&self) -> Option<usize> {
        self.http.answer().map(|(entry, _)| entry)
    }

    /// Whether the server ended it before the response, with nothing to say that the session was over or the request
    /// withdrawn.
    fn is_closed_early(&self) -> bool {
        self.response().is_none() && self.exchange.cancellation().is_none() && self.is_ended_by_server()
    }

    /// Whether the server ended it while the session lived on.
    fn is_ended_by_server(&self) -> bool {
        matches!(self.http.ending(), Some(Ending::Complete | Ending::Cut)) && self.lived_on
    }

    fn has_event_id(&self) -> bool {
        self.http.events().any(|event| matches!(event, Part::Event { id: Some(id), .. } if !id.is_empty()))
    }
}

pub(super) static RESPONSE_DELIVERED: Rule = Rule {
    id: "http.sse.response-delivered",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: LEGACY,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "A stream that answers a request contains the response to it.",
    judged: "Streams that the server ended while the session lived on. A response that came when the rest of the stream was \
             asked for counts too; one on a stream of another kind belongs to http.get.no-responses. A response in an \
             event without the empty line that ends it is lost, for clients drop such an event. Cancelled requests and \
             connections that the harness closed are left out.",
    untested: UNTESTED,
    judge: response_delivered,
};

fn response_delivered(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let resumptions: HashMap<u32, bool> = all.iter().map(|http| (http.number, is_resumption(http))).collect();
    streams(view, &all)
        .iter()
        .filter_map(|stream| {
            if let Some(entry) = stream.response() {
                let unfinished = matches!(
                    view.entries().get(entry).map(|entry| &entry.event),
                    Some(Event::Received { unfinished: true, .. })
                );
                let what = "ends the stream of a request without the empty line behind the response";
                return match unfinished {
                    false => Some(Ok(())),
                    true if stream.is_ended_by_server() => Some(Err(within(stream.http, entry, what))),
                    true => None,
                };
            }
            if let Some(answer) = stream.exchange.answer() {
                let resumed = answer.via.and_then(|via| resumptions.get(&via)).copied().unwrap_or_default();
                return resumed.then_some(Ok(()));
            }
            let lost = stream.is_closed_early() && matches!(stream.exchange.fate(), Fate::Silent | Fate::Cut);
            lost.then(|| Err(ended(stream.http, "ends the stream of a request and never delivers the response")))
        })
        .collect()
}

/// What the end of a stream shows.
fn ended(http: &HttpExchange<'_>, what: &str) -> Breach {
    within(http, http.last_entry(), what)
}

pub(super) static NO_EARLY_CLOSE: Rule = Rule {
    id: "http.sse.no-early-close",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_03_26, Revision::V2025_06_18),
    transports: Transports::HTTP,
    clause: "2025-06-18/basic/transports#sending-messages-to-the-server",
    requires: "The stream of a request is not closed before the response was sent.",
    judged: "Streams that the server ended while the session lived on, whether or not the rest can be had. Cancelled requests \
             and connections that the harness closed are left out.",
    untested: UNTESTED,
    judge: no_early_close,
};

fn no_early_close(view: View<'_>) -> Verdict {
    streams(view, &streamable(view))
        .iter()
        .filter_map(|stream| match stream.response() {
            Some(_) => Some(Ok(())),
            None if stream.is_closed_early() => {
                Some(Err(ended(stream.http, "ends the stream of a request before the response")))
            }
            None => None,
        })
        .collect()
}

pub(super) static RETRY_BEFORE_CLOSE: Rule = Rule {
    id: "http.sse.retry-before-close",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2025_11_25]),
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "Before the server closes the connection of a stream early, it sends a retry value.",
    judged: "Streams with event ids that the server closed before the response while the session lived on. Whether the rest \
             can be had is the matter of http.sse.response-delivered.",
    untested: "the server closed no stream with event ids before the response",
    judge: retry_before_close,
};

fn retry_before_close(view: View<'_>) -> Verdict {
    streams(view, &streamable(view))
        .iter()
        .filter(|stream| stream.is_closed_early() && stream.has_event_id())
        .map(|stream| {
            let told = stream.http.events().any(|event| matches!(event, Part::Event { retry: Some(_), .. }));
            if told { Ok(()) } else { Err(ended(stream.http, "closes a connection early without a retry value")) }
        })
        .collect()
}

pub(super) static PRIMING_EVENT: Rule = Rule {
    id: "http.sse.priming-event",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2025_11_25]),
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "The stream of a request starts with an event that has an id and empty data.",
    judged: "Streams of servers that give events ids, on any stream of the session. A missing event is a warning.",
    untested: "no stream of a request had events, or the server gives events no ids",
    judge: priming_event,
};

fn priming_event(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let streams = streams(view, &all);
    if !streams.iter().any(Stream::has_event_id) {
        return Verdict::untested();
    }
    streams
        .iter()
        .filter_map(|stream| match stream.http.events().next()? {
            Part::Event { id: Some(id), data: EventData::Empty, .. } if !id.is_empty() => Some(Ok(())),
            Part::Event { entry, .. } => {
                let what = "begins the stream of a request without an event that has an id and empty data";
                Some(Err(within(stream.http, entry, what).as_warning()))
            }
            _ => None,
        })
        .collect()
}

pub(super) static CLOSED_AFTER_RESPONSE: Rule = Rule {
    id: "http.sse.closed-after-response",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_03_26, Revision::V2026_07_28),
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#receiving-messages",
    requires: "The stream of a request ends after the response.",
    judged: "Streams with the response: no message follows it, and the end comes before everything later had its turn. \
             Batches are left out, and the end of connections that the harness closed.",
    untested: "no response came on a stream of events",
    judge: closed_after_response,
};

fn closed_after_response(view: View<'_>) -> Verdict {
    streams(view, &streamable(view))
        .iter()
        .filter_map(|stream| {
            let response = stream.response()?;
            if let Some((entry, _)) = stream.http.messages().find(|(entry, _)| *entry > response) {
                return Some(Err(within(stream.http, entry, "goes on with a stream after the response")));
            }
            match stream.http.ending() {
                Some(Ending::Complete | Ending::Cut) => Some(Ok(())),
                None if view.settled_after(response) => {
                    Some(Err(within(stream.http, response, "leaves a stream open after the response")))
                }
                _ => None,
            }
        })
        .collect()
}

pub(super) static RELATED_ONLY: Rule = Rule {
    id: "http.sse.related-only",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: LEGACY,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "Messages on the stream of a request relate to that request.",
    judged: "Progress on the stream of a request that did not ask for it while another one did, and changes of a list or of \
             a resource that are told on the stream of a request, beside an open stream of the client. Where the request \
             may have caused the change that is a warning. What log messages and requests of the server relate to cannot \
             be seen.",
    untested: "no progress and no change was told on the stream of a request",
    judge: related_only,
};

fn related_only(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let token = |exchange: Exchange<'_>| exchange.params()?.path(&["_meta", "progressToken"]).map(Id::read);
    let tokens: HashMap<Id, Exchange<'_>> =
        view.exchanges().filter_map(|exchange| Some((token(exchange)?, exchange))).collect();
    let listening: Vec<&HttpExchange<'_>> =
        all.iter().copied().filter(|http| http.verb == "GET" && http.is_stream() && http.client == 0).collect();
    let mut checks: Vec<Check> = Vec::new();
    for stream in streams(view, &all) {
        let own = token(stream.exchange);
        for (entry, message) in stream.http.messages() {
            let about = message.path(&["params", "progressToken"]).map(Id::read);
            match (method_of(message).as_deref(), about) {
                (Some("notifications/progress"), Some(about)) if own.as_ref() == Some(&about) => checks.push(Ok(())),
                (Some("notifications/progress"), Some(about)) => {
                    let what = "reports the progress of one request on the stream of another";
                    let other = tokens.get(&about).map(|other| other.request());
                    checks.extend(other.map(|other| Err(within(stream.http, entry, what).after(other))));
                }
                (Some(method), _) if is_of_a_change(method) => {
                    let listens = listening.iter().any(|listening| is_open_at(listening, entry));
                    let what = format!("sends {method} on the stream of {}", stream.exchange.method());
                    let breach = within(stream.http, entry, what);
                    let breach = if may_change(stream.exchange.method()) { breach.as_warning() } else { breach };
                    checks.extend(listens.then_some(Err(breach)));
                }
                _ => {}
            }
        }
    }
    checks.into_iter().collect()
}

fn is_of_a_change(method: &str) -> bool {
    method.ends_with("/list_changed") || method == "notifications/resources/updated"
}

/// Whether a request of this method may well have caused a change.
fn may_change(method: &str) -> bool {
    !(method == "ping" || method.ends_with("/list") || method == "completion/complete")
}
