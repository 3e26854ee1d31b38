//! One answer that may take several messages, or one stream of what belongs to no request; as server-sent events.

use std::collections::VecDeque;

use super::faults::Slips;
use super::reading::HttpReading;
use super::{HttpFault, Reaction, guard};
use crate::reference::behaviour::Behaviour;
use crate::reference::incoming::RequestId;
use crate::revision::Revision;

/// So many events of a stream are kept for those who come back.
const KEPT: usize = 256;

/// What the client is owed or listens to, whether or not a connection is there to bring it.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its number within the conversation, which is part of the ids of its events.
    pub(super) key: u32,
    /// The request that it is written to now.
    pub(super) connection: Option<u32>,
    /// The requests whose answers it brings; none for a stream that brings what belongs to none.
    pub(super) expected: Vec<Expected>,
    pub(super) listens: bool,
    /// Its head tells the client the id of its session.
    pub(super) introduces: bool,
    /// Whether the head was sent.
    pub(super) begun: bool,
    /// Nothing more will come.
    pub(super) over: bool,
    /// Its connection was closed once although more was to come.
    pub(super) paused: bool,
    /// It answers a request for a list.
    pub(super) lists: bool,
    /// Its request is one that must be refused with 400, if it is refused.
    pub(super) is_defective: bool,
    /// What waits until the form of the answer is clear.
    pub(super) held: Vec<Piece>,
    /// What was sent, or would have been if there were a connection.
    kept: VecDeque<(u32, Vec<u8>)>,
    events: u32,
}

/// A message on its way to a stream.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) data: Vec<u8>,
    pub(super) answers: bool,
}

/// A request whose answer a stream brings.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) id: RequestId,
    pub(super) fate: Fate,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It was not answered, and nobody works on it.
    Unknown,
    /// It is worked on.
    Alive,
    Answered,
    /// It was worked on, and nothing will come of it.
    Dropped,
}

/// How events are written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    line_end: &'static str,
    /// Whether events have ids, so that a stream can be resumed.
    pub(super) ids: bool,
    named: bool,
    comments: bool,
    several_lines: bool,
    odd_fields: bool,
    pub(super) odd_headers: bool,
    pub(super) slips: Slips,
}

impl Style {
    pub(super) fn of(behaviour: &Behaviour) -> Self {
        let reads = |reading| behaviour.http.contains(&reading);
        let line_end = if reads(HttpReading::LinesEndInCrLf) {
            "\r\n"
        } else if reads(HttpReading::LinesEndInCr) {
            "\r"
        } else {
            "\n"
        };
        Self {
            line_end,
            ids: !reads(HttpReading::NoEventIds),
            named: reads(HttpReading::NamedEvents),
            comments: reads(HttpReading::Comments),
            several_lines: reads(HttpReading::SeveralLines),
            odd_fields: reads(HttpReading::OddFields),
            odd_headers: reads(HttpReading::OddHeaders),
            slips: Slips::default(),
        }
    }

    /// An event. Without a name it is a message.
    pub(super) fn event(&self, id: Option<&str>, name: Option<&str>, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(data.len() + 64);
        let colon: &[u8] = if self.odd_fields { b":" } else { b": " };
        let mut line = |field: &[u8], value: &[u8]| {
            bytes.extend_from_slice(field);
            bytes.extend_from_slice(colon);
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(self.line_end.as_bytes());
        };
        if self.comments {
            line(b"", b"still here");
        }
        if self.odd_fields {
            line(b"flavour", b"vanilla");
        }
        if let Some(id) = id {
            line(b"id", id.as_bytes());
        }
        if let Some(name) = name.or(self.named.then_some("message")) {
            line(b"event", name.as_bytes());
        }
        match data.split_first() {
            // Between the first brace and what follows, JSON may have a line end.
            Some((brace @ (b'{' | b'['), rest)) if self.several_lines => {
                line(b"data", &[*brace]);
                line(b"data", rest);
            }
            _ => line(b"data", data),
        }
        bytes.extend_from_slice(self.line_end.as_bytes());
        bytes
    }

    /// How long to wait before coming back, in milliseconds.
    pub(super) fn retry(&self, milliseconds: u32) -> Vec<u8> {
        format!("retry: {milliseconds}{0}{0}", self.line_end).into_bytes()
    }

    /// Something to say that means nothing.
    fn comment(&self) -> Vec<u8> {
        format!(": hello{0}{0}", self.line_end).into_bytes()
    }
}

impl Stream {
    pub(super) fn answering(key: u32, connection: u32, ids: Vec<RequestId>) -> Self {
        let expected = ids.into_iter().map(|id| Expected { id, fate: Fate::Unknown }).collect();
        Self { expected, listens: false, ..Self::listening(key, connection) }
    }

    pub(super) fn listening(key: u32, connection: u32) -> Self {
        Self {
            key,
            connection: Some(connection),
            expected: Vec::new(),
            listens: true,
            introduces: false,
            begun: false,
            over: false,
            paused: false,
            lists: false,
            is_defective: false,
            held: Vec::new(),
            kept: VecDeque::new(),
            events: 0,
        }
    }

    /// Whether it brings the answer to this request.
    pub(super) fn expects(&self, id: &RequestId) -> bool {
        !self.over && self.expected.iter().any(|expected| expected.id.same(id))
    }

    /// Whether all requests have come to their end.
    pub(super) fn is_answered(&self) -> bool {
        !self.listens && self.expected.iter().all(|one| matches!(one.fate, Fate::Answered | Fate::Dropped))
    }

    /// Whether somebody still works on one of its requests.
    pub(super) fn is_worked_on(&self) -> bool {
        self.expected.iter().any(|expected| expected.fate == Fate::Alive)
    }

    /// Sends the head of an event stream.
    pub(super) fn begin(
        &mut self,
        style: &Style,
        mut headers: Vec<(String, String)>,
        revision: Revision,
        out: &mut Vec<Reaction>,
    ) {
        let Some(number) = self.connection else { return };
        let mut header = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        let fresh = !self.begun;
        self.begun = true;
        if style.odd_headers {
            header("CONTENT-TYPE", "text/event-stream; charset=utf-8");
        } else {
            header("Content-Type", guard::EVENT_STREAM);
        }
        header("Cache-Control", "no-cache");
        if !style.slips.has(HttpFault::Buffers) {
            header("X-Accel-Buffering", "no");
        }
        out.push(Reaction::Head { number, status: 200, headers });
        if style.comments {
            out.push(Reaction::Data { number, bytes: style.comment() });
        }
        if fresh && revision == Revision::V2025_11_25 && style.ids && !style.slips.has(HttpFault::PrimesNoStream) {
            let id = self.event_id(style, self.events);
            out.push(Reaction::Data { number, bytes: style.event(Some(&id), None, b"") });
            self.kept.push_back((self.events, Vec::new()));
            self.events += 1;
        }
    }

    /// Sends a message, or keeps it for the client that comes back.
    pub(super) fn push(
        &mut self,
        style: &Style,
        resumable: bool,
        name: Option<&str>,
        data: Vec<u8>,
        out: &mut Vec<Reaction>,
    ) {
        let sequence = self.events;
        self.events += 1;
        let id = (resumable && style.ids).then(|| self.event_id(style, sequence));
        if let Some(number) = self.connection.filter(|_| self.begun) {
            out.push(Reaction::Data { number, bytes: style.event(id.as_deref(), name, &data) });
        }
        if id.is_some() {
            self.kept.push_back((sequence, data));
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }

    /// Sends again what came after an event.
    pub(super) fn replay(&self, style: &Style, after: Option<u32>, out: &mut Vec<Reaction>) {
        let Some(number) = self.connection else { return };
        for (sequence, data) in &self.kept {
            if after.is_none_or(|after| *sequence > after) && !data.is_empty() {
                let id = self.event_id(style, *sequence);
                out.push(Reaction::Data { number, bytes: style.event(Some(&id), None, data) });
            }
        }
    }

    /// The id of an event: which stream, and which event of it.
    fn event_id(&self, style: &Style, sequence: u32) -> String {
        if style.slips.has(HttpFault::RepeatsEventIds) {
            sequence.to_string()
        } else {
            format!("{}-{sequence}", self.key)
        }
    }

    /// Ends the connection, if there is one, in the proper way.
    pub(super) fn hang_up(&mut self, out: &mut Vec<Reaction>) {
        if let Some(number) = self.connection.take() {
            out.push(Reaction::End { number });
        }
    }
}

/// The stream and the event that an event id names.
pub(super) fn read_event_id(id: &str) -> Option<(u32, u32)> {
    let (key, sequence) = id.split_once('-')?;
    Some((key.parse().ok()?, sequence.parse().ok()?))
}
