//! HTTP requests with their responses: what rules about HTTP read.

use super::Message;
use crate::revision::{Revision, Side};
use crate::transcript::{Ending, Entry, Event, EventData, Http, Intent, Transcript, Transport};
use crate::wire::http::Headers;
use crate::wire::{Frame, Id, Value};

/// An HTTP request with its response: of the harness, as whichever client, or of a client under test.
#[derive(Clone, Debug)]
pub struct HttpExchange<'s> {
    /// Its number in the session.
    pub number: u32,
    /// The client that sent it; the first is 0.
    pub client: u32,
    /// The entry of the request.
    pub entry: usize,
    /// The method.
    pub verb: &'s str,
    /// The path and query.
    pub target: &'s str,
    /// The header lines of the request.
    pub headers: &'s Headers,
    /// Whether the request departs from honesty; the message in it may do so too.
    pub intent: Intent,
    /// The revision that governs it.
    pub revision: Option<Revision>,
    /// The bodies that were sent with it, by whoever asked: one, or none.
    pub sent: Vec<Carried<'s>>,
    /// The head of the response.
    pub response: Option<Response<'s>>,
    /// What is unusual about how its events are written.
    pub style: &'s [String],
    /// The body of the response in its parts, as they came or went.
    pub parts: Vec<Part<'s>>,
    /// The entry at which it was over, and how.
    pub end: Option<(usize, &'s Ending)>,
}

/// A body that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'s> {
    /// Its entry.
    pub entry: usize,
    /// Its bytes.
    pub frame: &'s Frame,
    /// Why it was sent; what a client under test sends counts as honest.
    pub intent: Intent,
}

/// The head of a response.
#[derive(Clone, Copy, Debug)]
pub struct Response<'s> {
    /// Its entry.
    pub entry: usize,
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: &'s Headers,
}

/// A part of the body of a response.
#[derive(Clone, Copy, Debug)]
pub enum Part<'s> {
    /// An event; if its data is a message, that is the next part.
    Event {
        /// Its entry.
        entry: usize,
        /// Its id.
        id: Option<&'s str>,
        /// Its name.
        name: Option<&'s str>,
        /// The time to wait before reconnecting, in milliseconds.
        retry: Option<u64>,
        /// Its data.
        data: &'s EventData,
    },
    /// A message, or what stands where one should be.
    Message {
        /// Its entry.
        entry: usize,
        /// Its bytes.
        frame: &'s Frame,
    },
    /// A body that is no message.
    Body {
        /// Its entry.
        entry: usize,
        /// Its text, bounded.
        text: &'s str,
    },
}

impl<'s> HttpExchange<'s> {
    /// The status code, once the response has begun.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.map(|response| response.status)
    }

    /// Whether the status is one of success.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the status is one of an error.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status().is_some_and(|status| status >= 400)
    }

    /// The media type of the response, lower case, without parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        self.response?.headers.media_type()
    }

    /// Whether the response is a stream of events.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.is_accepted() && self.media_type().as_deref() == Some("text/event-stream")
    }

    /// Whether neither the request nor what it carries departs from honesty.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.intent != Intent::Departure && self.sent.iter().all(|sent| sent.intent != Intent::Departure)
    }

    /// The JSON that was sent with it.
    #[must_use]
    pub fn body(&self) -> Option<Value<'s>> {
        self.sent.first()?.frame.json().ok()
    }

    /// The method of the message that was sent with it.
    #[must_use]
    pub fn method(&self) -> Option<String> {
        Some(self.body()?.member("method")?.as_str()?.into_owned())
    }

    /// The id of the request that was sent with it.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        let body = self.body()?;
        body.member("method")?;
        body.member("id").map(Id::read)
    }

    /// The messages in the response, with their entries; those that are no JSON are left out.
    pub fn messages(&self) -> impl Iterator<Item = (usize, Value<'s>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Message { entry, frame } => Some((*entry, frame.json().ok()?)),
            _ => None,
        })
    }

    /// The response to the request that was sent with it, if it stands in this response.
    #[must_use]
    pub fn answer(&self) -> Option<(usize, Value<'s>)> {
        let id = self.id()?;
        self.messages().find(|(_, message)| {
            message.member("method").is_none() && message.member("id").map(Id::read).is_some_and(|own| own == id)
        })
    }

    /// The code of the error in the response, under whichever id.
    #[must_use]
    pub fn error_code(&self) -> Option<i64> {
        self.messages().find_map(|(_, message)| message.path(&["error", "code"])?.as_i64())
    }

    /// The events of the response: entry, id, name and time to wait.
    pub fn events(&self) -> impl Iterator<Item = Part<'s>> {
        self.parts.iter().copied().filter(|part| matches!(part, Part::Event { .. }))
    }

    /// How it ended, if it did.
    #[must_use]
    pub fn ending(&self) -> Option<&'s Ending> {
        self.end.map(|(_, how)| how)
    }

    /// The entry of the last thing that is known of it.
    #[must_use]
    pub fn last_entry(&self) -> usize {
        let response = self.response.map(|response| response.entry);
        self.end.map(|(entry, _)| entry).or(response).unwrap_or(self.entry)
    }
}

/// Sorts the HTTP requests out of the entries.
pub(super) fn exchanges<'t>(transcript: &'t Transcript, messages: &[Message<'t>]) -> Vec<HttpExchange<'t>> {
    if transcript.header.transport == Transport::Stdio {
        return Vec::new();
    }
    let harness_asks = transcript.header.side == Side::Server;
    let entries: &'t [Entry] = &transcript.entries;
    let mut all: Vec<HttpExchange<'t>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (entry, recorded) in entries.iter().enumerate() {
        match &recorded.event {
            Event::Http { number, what: Http::Request { client, verb, target, headers, intent } } => {
                places.insert(*number, all.len());
                all.push(HttpExchange {
                    number: *number,
                    client: *client,
                    entry,
                    verb,
                    target,
                    headers,
                    intent: *intent,
                    revision: None,
                    sent: Vec::new(),
                    response: None,
                    style: &[],
                    parts: Vec::new(),
                    end: None,
                });
            }
            Event::Http { number, what } => {
                let Some(exchange) = places.get(number).and_then(|place| all.get_mut(*place)) else { continue };
                match what {
                    Http::Response { status, headers } => {
                        exchange.response = Some(Response { entry, status: *status, headers });
                    }
                    Http::Event { id, name, retry, data } => {
                        let (id, name) = (id.as_deref(), name.as_deref());
                        exchange.parts.push(Part::Event { entry, id, name, retry: *retry, data });
                    }
                    Http::Style { words } => exchange.style = words,
                    Http::Body { text } => exchange.parts.push(Part::Body { entry, text }),
                    Http::End { how } => exchange.end = Some((entry, how)),
                    Http::Request { .. } => {}
                }
            }
            Event::Sent { frame, via: Some(number), .. } | Event::Received { frame, via: Some(number), .. } => {
                let Some(exchange) = places.get(number).and_then(|place| all.get_mut(*place)) else { continue };
                let (by_harness, intent) = match &recorded.event {
                    Event::Sent { intent, .. } => (true, *intent),
                    _ => (false, Intent::Honest),
                };
                if by_harness == harness_asks {
                    exchange.sent.push(Carried { entry, frame, intent });
                } else {
                    exchange.parts.push(Part::Message { entry, frame });
                }
            }
            _ => {}
        }
    }
    let by_entry = |entry: usize| -> Option<&Message<'_>> {
        let place = messages.partition_point(|message| message.entry < entry);
        messages.get(place).filter(|message| message.entry == entry)
    };
    let run = transcript.header.revision;
    for exchange in &mut all {
        let message = exchange.sent.first().and_then(|sent| by_entry(sent.entry));
        exchange.revision = match message {
            Some(message) => message.revision,
            // What carries no message belongs to the session, as the latest message before it does.
            None => {
                let place = messages.partition_point(|message| message.entry < exchange.entry);
                let before = messages.get(..place).unwrap_or_default();
                let of_session = |message: &&Message<'_>| message.modern_version().is_none();
                before.iter().rev().find(of_session).map_or(Some(run), |message| message.revision)
            }
        };
        if exchange.client != 0 {
            exchange.revision = Some(run);
        }
    }
    all
}
