//! The HTTP+SSE transport of 2024-11-05: one stream for everything that the server says, and an endpoint for messages.
//!
//! - `client`: what is asked of clients

use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions, Side};
use crate::session::http::Part;
use crate::session::{HttpExchange, View};
use crate::transcript::{Event, EventData};
use crate::wire::{Document, Id};

mod client;

/// Requirements that nothing here can judge, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[(
    "http.client.sse-transport-fallback",
    "it is for clients that want to support servers of that transport, which none says of itself: one that does not fall back may not want to",
)];

/// The rules of this area.
pub static RULES: &[&Rule] = &[&ENDPOINT_EVENT, &MESSAGE_EVENTS, &client::POSTS_TO_ENDPOINT];

static ENDPOINT_EVENT: Rule = Rule {
    id: "http-sse.endpoint-event",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2024_11_05]),
    transports: Transports::HTTP,
    clause: "2024-11-05/basic/transports#http-with-sse",
    requires: "When a client connects, the server sends an endpoint event with the URI for messages.",
    judged: "Streams that the server opened for a GET. The URI may be relative. An event before it is a warning, since only \
             clients of later revisions are told to expect it first.",
    untested: "no GET was answered with a stream of events",
    judge: endpoint_event,
};

fn endpoint_event(view: View<'_>) -> Verdict {
    if !view.is_http_sse() {
        return Verdict::untested();
    }
    let closed = view.entries().iter().position(|entry| entry.event == Event::Closed);
    let all = view.http();
    streams(&all)
        .filter_map(|http| {
            let named = |part: &Part<'_>| matches!(part, Part::Event { name: Some("endpoint"), .. });
            let mut events = http.events();
            let Some(position) = events.position(|part| named(&part)) else {
                let over = http.end.map(|(entry, _)| entry).or(closed)?;
                return Some(Err(Breach::at_entry(over, "sends no endpoint event").after_entry(http.entry)));
            };
            let Some(Part::Event { entry, data, .. }) = http.events().nth(position) else { return None };
            let EventData::Text(uri) = data else {
                return Some(Err(
                    Breach::at_entry(entry, "sends an endpoint event without a URI").after_entry(http.entry)
                ));
            };
            Some(if !is_uri(uri) {
                Err(Breach::at_entry(entry, "sends an endpoint event whose data is no URI").after_entry(http.entry))
            } else if position > 0 {
                Err(Breach::at_entry(entry, "sends another event before the endpoint event")
                    .after_entry(http.entry)
                    .as_warning())
            } else {
                Ok(())
            })
        })
        .collect()
}

/// Whether a text looks like the address that an endpoint event should have.
fn is_address(text: &str) -> bool {
    is_uri(text) && (text.starts_with('/') || text.starts_with("http"))
}

/// Whether a text has only characters that a URI, relative or not, may have.
fn is_uri(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'))
}

static MESSAGE_EVENTS: Rule = Rule {
    id: "http-sse.message-events",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2024_11_05]),
    transports: Transports::HTTP,
    clause: "2024-11-05/basic/transports#http-with-sse",
    requires: "Messages of the server come as message events with JSON in their data.",
    judged: "Events without a name are message events too, events without data say nothing, and other events that hold no \
             message are free. A message under another name, data of a message event that is no JSON object, and a response \
             that stands only in the response to a POST break the rule. What else a POST is answered is open.",
    untested: "the server sent no message",
    judge: message_events,
};

fn message_events(view: View<'_>) -> Verdict {
    if !view.is_http_sse() {
        return Verdict::untested();
    }
    let all = view.http();
    let on_stream = |id: &Id| {
        streams(&all)
            .any(|http| http.messages().any(|(_, message)| message.member("id").map(Id::read).as_ref() == Some(id)))
    };
    let events = streams(&all).flat_map(|http| {
        http.parts.iter().filter_map(move |part| match part {
            Part::Message { entry, .. } if is_unfinished(view, *entry) => None,
            // In place of an endpoint event, which is another matter.
            Part::Message { frame, .. } if frame.text().is_some_and(is_address) => None,
            Part::Message { entry, frame } => Some(match frame.json() {
                Ok(value) if value.is_object() => Ok(()),
                _ => Err(Breach::at_entry(*entry, "sends a message event whose data is no JSON object")
                    .after_entry(http.entry)),
            }),
            Part::Event { entry, name: Some(name), data, .. } if !matches!(*name, "endpoint" | "message" | "") => {
                let holds = match data {
                    EventData::Message => true,
                    EventData::Text(text) => is_message(text),
                    EventData::Empty => false,
                };
                holds.then(|| {
                    Err(Breach::at_entry(*entry, format!("sends a message in an event named {name:?}"))
                        .after_entry(http.entry))
                })
            }
            _ => None,
        })
    });
    let posts = all.iter().filter(|http| http.verb == "POST" && http.is_accepted()).filter_map(|http| {
        let (entry, _) = http.answer()?;
        let elsewhere = http.id().is_some_and(|id| on_stream(&id));
        (!elsewhere).then(|| {
            Err(Breach::at_entry(entry, "answers in the response to a POST, not by an event").after_entry(http.entry))
        })
    });
    events.chain(posts).collect()
}

/// The streams that carry what the server says.
fn streams<'h, 's>(all: &'h [&'s HttpExchange<'s>]) -> impl Iterator<Item = &'h HttpExchange<'s>> {
    all.iter().copied().filter(|http| http.verb == "GET" && http.is_stream())
}

fn is_unfinished(view: View<'_>, entry: usize) -> bool {
    let recorded = view.entries().get(entry).map(|entry| &entry.event);
    matches!(recorded, Some(Event::Received { unfinished: true, .. } | Event::Received { cut: true, .. }))
}

fn is_message(text: &str) -> bool {
    Document::parse(text).is_ok_and(|document| document.root(text).member("jsonrpc").is_some())
}
