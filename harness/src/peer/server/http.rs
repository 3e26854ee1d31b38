//! The server of a script over HTTP: the reference gateway within, and what moves make of its responses.
//!
//! What the gateway wants written is taken apart into heads, messages and ends; a move changes one of these, and all of it
//! is put on the wire anew.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::super::Responding;
use super::events::{self, Event};
use crate::adapter::{Asked, Then};
use crate::reference::Behaviour;
use crate::reference::http::{Gateway, Reaction, Request};
use crate::revision::{Era, Revision};
use crate::script::hosting::{Cut, EventStyle, Form, Wrapping};
use crate::transcript::{Delivery, Ending, Event as Happening, EventData, Http, Intent};
use crate::wire::http::{Headers, LAST_CHUNK, response_head};
use crate::wire::{Frame, sse};

/// The most characters of a body that is no message.
const LONGEST_TEXT: usize = 8 << 10;
const SESSION: &str = "Mcp-Session-Id";
const EVENT_STREAM: &str = "text/event-stream";

/// A piece of a response.
#[derive(Clone, Debug)]
pub(super) enum Web {
    /// The head of a stream.
    Head(u16, Headers),
    /// A complete response.
    Whole(u16, Headers, Vec<u8>),
    /// An event of a stream.
    Event(Event),
    /// The stream is over.
    End,
    /// The connection is cut.
    Abort,
}

impl Web {
    /// The text of the message in it.
    pub(super) fn message(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(_, headers, body) => is_json(headers, body).then_some(body),
            Self::Event(event) => event.data.as_deref().filter(|data| !data.is_empty()),
            _ => None,
        }
    }

    /// The header lines of the response that it begins.
    pub(super) fn headers(&self) -> Option<&Headers> {
        match self {
            Self::Head(_, headers) | Self::Whole(_, headers, _) => Some(headers),
            _ => None,
        }
    }
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) bytes: Vec<u8>,
    pub(super) intent: Intent,
    pub(super) delivery: Delivery,
    pub(super) copies: u32,
}

impl Said {
    fn honest(bytes: Vec<u8>) -> Self {
        Self { bytes, intent: Intent::Honest, delivery: Delivery::Whole, copies: 1 }
    }
}

/// The HTTP of a server.
#[derive(Debug)]
pub(super) struct Front<'a> {
    gateway: Gateway,
    responses: BTreeMap<u32, Response<'a>>,
    /// The responses that go on in another one.
    forward: HashMap<u32, u32>,
    /// The response in which an event with this id stood.
    places: HashMap<String, u32>,
    /// What the client calls a session, or nothing if it was told no name, and what the gateway calls it.
    aliases: Vec<(Option<String>, String)>,
    forgotten: HashSet<String>,
    /// Messages that wait for a stream.
    held: VecDeque<Said>,
    revision: Revision,
}

/// A response to a request of the client.
#[derive(Debug)]
struct Response<'a> {
    wrapping: Option<&'a Wrapping>,
    /// It brings what belongs to no request.
    listens: bool,
    /// It answers a request of JSON-RPC.
    asks: bool,
    state: State,
    chunked: bool,
    /// The head, while it is open whether a stream or a body follows.
    head: Option<(u16, Headers)>,
    /// Of what the gateway writes.
    reader: sse::Reader,
    /// How many messages stood in it.
    messages: u32,
    log: Vec<Event>,
    /// The gateway has ended it.
    complete: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Waiting,
    Streaming,
    /// A move broke it off; what comes now is kept for a client that comes back.
    Broken,
    Over,
}

impl Response<'_> {
    fn style(&self) -> EventStyle {
        self.wrapping.map(|wrapping| wrapping.events.clone()).unwrap_or_default()
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Streaming)
    }

    fn cut(&self) -> Option<Cut> {
        self.wrapping?.cut
    }

    /// Whether the honest answer must come as a stream for the move to be carried out.
    fn wants_stream(&self) -> bool {
        let Some(wrapping) = self.wrapping.filter(|_| self.asks) else { return false };
        let styled = wrapping.events != EventStyle::default() && wrapping.form != Some(Form::Json);
        wrapping.form == Some(Form::Stream) || styled || matches!(wrapping.cut, Some(Cut::After(_)))
    }

    fn intent(&self, said: Intent) -> Intent {
        match self.wrapping {
            Some(wrapping) if said == Intent::Honest && !wrapping.is_plain() && !wrapping.honest => Intent::Departure,
            _ => said,
        }
    }
}

/// What is written and recorded of one response.
struct Writing {
    number: u32,
    events: Vec<Happening>,
    pieces: Vec<Vec<u8>>,
    then: Then,
}

impl Writing {
    fn new(number: u32) -> Self {
        Self { number, events: Vec::new(), pieces: Vec::new(), then: Then::GoesOn }
    }

    fn note(&mut self, what: Http) {
        self.events.push(Happening::Http { number: self.number, what });
    }

    fn note_message(&mut self, bytes: &[u8], intent: Intent, delivery: Delivery) {
        let via = Some(self.number);
        self.events.push(Happening::Sent { frame: Frame::new(bytes), intent, delivery, via });
    }

    fn end(&mut self, how: Ending, then: Then) {
        self.note(Http::End { how });
        self.then = then;
    }

    fn done(self) -> Option<Responding> {
        let Self { number, events, pieces, then } = self;
        let nothing = events.is_empty() && pieces.is_empty() && then == Then::GoesOn;
        (!nothing).then_some(Responding { number, events, pieces, then })
    }
}

impl<'a> Front<'a> {
    pub(super) fn new(behaviour: Behaviour, revision: Revision) -> Self {
        Self {
            gateway: Gateway::new(behaviour),
            responses: BTreeMap::new(),
            forward: HashMap::new(),
            places: HashMap::new(),
            aliases: Vec::new(),
            forgotten: HashSet::new(),
            held: VecDeque::new(),
            revision,
        }
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.gateway.wake_at()
    }

    pub(super) fn wake(&mut self, now: Duration) -> Vec<(u32, Web)> {
        let mut reactions = Vec::new();
        self.gateway.wake(now, &mut reactions);
        self.read(reactions)
    }

    /// The client closed the connection of a request.
    pub(super) fn disconnected(&mut self, now: Duration, number: u32) -> Vec<(u32, Web)> {
        let Some(response) = self.responses.get_mut(&number) else { return Vec::new() };
        response.state = State::Over;
        let mut reactions = Vec::new();
        self.gateway.disconnected(now, number, &mut reactions);
        self.read(reactions)
    }

    /// Takes a request. The move about it may have a body of its own in place of the honest response.
    pub(super) fn asked(
        &mut self,
        now: Duration,
        number: u32,
        asked: Asked,
        asks: bool,
        wrapping: Option<&'a Wrapping>,
        body: Option<Vec<u8>>,
    ) -> Vec<(u32, Web)> {
        let listens = asked.verb == "GET";
        self.responses.insert(
            number,
            Response {
                wrapping,
                listens,
                asks,
                state: State::Waiting,
                chunked: false,
                head: None,
                reader: sse::Reader::default(),
                messages: 0,
                log: Vec::new(),
                complete: false,
            },
        );
        let session = asked.headers.value(SESSION).map(|id| id.trim().to_owned());
        if let Some(wrapping) = wrapping {
            self.forgotten.extend(session.clone().filter(|_| wrapping.forgets));
            if wrapping.unheard {
                let status = wrapping.status.unwrap_or(if wrapping.forgets { 404 } else { 200 });
                return vec![(number, made(status, body.unwrap_or_default()))];
            }
        }
        if session.as_ref().is_some_and(|id| self.forgotten.contains(id)) {
            return vec![(number, made(404, Vec::new()))];
        }
        if listens && let Some(pieces) = self.resume(number, &asked) {
            return pieces;
        }
        let mut headers: Vec<(String, String)> =
            asked.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let known = self.aliases.iter().rev().find(|(given, _)| *given == session);
        if let Some((_, real)) = known.filter(|_| !opens(&asked.body)) {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case(SESSION));
            headers.push((SESSION.to_owned(), real.clone()));
        }
        let mut reactions = Vec::new();
        let request = Request { verb: asked.verb, target: asked.target, headers, body: asked.body };
        self.gateway.request(now, number, request, &mut reactions);
        self.read(reactions)
    }

    /// What came behind the last event that a client saw of a stream that a move broke off.
    fn resume(&mut self, number: u32, asked: &Asked) -> Option<Vec<(u32, Web)>> {
        let last = asked.headers.value("last-event-id")?.trim();
        let place = *self.places.get(last)?;
        let broken = self.responses.get_mut(&place).filter(|response| response.state == State::Broken)?;
        let position = broken.log.iter().position(|event| event.id.as_deref() == Some(last))?;
        broken.state = State::Over;
        let missed = broken.log.split_off(position + 1);
        let complete = broken.complete;
        if !complete {
            self.forward.insert(place, number);
        }
        let mut headers = Headers::new();
        headers.push("Content-Type", EVENT_STREAM);
        headers.push("Cache-Control", "no-cache");
        let events = missed.into_iter().filter(|event| event.data.as_ref().is_some_and(|data| !data.is_empty()));
        let pieces = std::iter::once(Web::Head(200, headers)).chain(events.map(Web::Event));
        Some(pieces.chain(complete.then_some(Web::End)).map(|piece| (number, piece)).collect())
    }

    /// Takes what the gateway wants apart.
    fn read(&mut self, reactions: Vec<Reaction>) -> Vec<(u32, Web)> {
        let mut pieces = Vec::new();
        for reaction in reactions {
            let (Reaction::Head { number, .. }
            | Reaction::Whole { number, .. }
            | Reaction::Data { number, .. }
            | Reaction::End { number }
            | Reaction::Abort { number }) = reaction;
            let place = self.forward.get(&number).copied().unwrap_or(number);
            let Some(response) = self.responses.get_mut(&place) else { continue };
            match reaction {
                Reaction::Head { status, headers, .. } => pieces.push((place, Web::Head(status, headers.into()))),
                Reaction::Whole { status, headers, body, .. } => {
                    pieces.push((place, Web::Whole(status, headers.into(), body)));
                }
                Reaction::Data { bytes, .. } => response.reader.push(&bytes, |event| {
                    let sse::Event { id, name, retry, data, .. } = event;
                    pieces.push((place, Web::Event(Event { id, name, retry, data })));
                }),
                Reaction::End { .. } => pieces.push((place, Web::End)),
                Reaction::Abort { .. } => pieces.push((place, Web::Abort)),
            }
        }
        pieces
    }

    /// The stream that brings what belongs to no request.
    pub(super) fn listener(&self) -> Option<u32> {
        let listens = |response: &Response<'_>| response.listens && response.state == State::Streaming;
        self.responses.iter().find(|(_, response)| listens(response)).map(|(number, _)| *number)
    }

    /// Whether a response may still be made a stream, or is one. In HTTP+SSE no POST is answered by one.
    pub(super) fn is_open(&self, number: u32) -> bool {
        let is_old = self.revision == Revision::V2024_11_05;
        self.responses.get(&number).is_some_and(|response| response.is_open() && (response.listens || !is_old))
    }

    /// Whether a response is a stream that goes on.
    pub(super) fn is_streaming(&self, number: u32) -> bool {
        self.responses.get(&number).is_some_and(|response| response.state == State::Streaming)
    }

    /// Keeps a message until there is a stream for it.
    pub(super) fn hold(&mut self, said: Said) {
        self.held.push_back(said);
    }

    /// Says something of the server's own in a response, which becomes a stream if it is none. The header lines are those
    /// that the gateway wants.
    pub(super) fn say(&mut self, number: u32, headers: Option<&Headers>, said: Said) -> Option<Responding> {
        let mut writing = Writing::new(number);
        if !self.is_streaming(number) {
            self.begin(&mut writing, 200, &streaming(headers));
        }
        let event = Event { data: Some(said.bytes.clone()), ..Event::default() };
        self.event(&mut writing, event, said, false);
        writing.done()
    }

    /// Puts a piece of a response on the wire, with another message in place of its own.
    pub(super) fn carry(&mut self, number: u32, web: Web, said: Option<Said>) -> Option<Responding> {
        let response = self.responses.get_mut(&number)?;
        let mut writing = Writing::new(number);
        if response.state == State::Over {
            return None;
        }
        match web {
            Web::Head(status, headers) => {
                let as_json = response.wrapping.is_some_and(|wrapping| wrapping.form == Some(Form::Json));
                if response.state == State::Waiting && as_json {
                    response.head = Some((status, headers));
                } else if response.state == State::Waiting {
                    self.begin(&mut writing, status, &headers);
                }
            }
            Web::Whole(status, headers, body) => {
                let is_message = is_json(&headers, &body);
                // The status of a refusal does not go with a result in its place.
                let status = if said.as_ref().is_some_and(|said| is_result(&said.bytes)) { 200 } else { status };
                let said = said.unwrap_or_else(|| Said::honest(body));
                let streams = response.state == State::Streaming || said.copies > 1 || response.wants_stream();
                if streams && is_message && response.asks {
                    if response.state == State::Waiting {
                        self.begin(&mut writing, 200, &streaming(Some(&headers)));
                    }
                    let event = Event { data: Some(said.bytes.clone()), ..Event::default() };
                    self.event(&mut writing, event, said, true);
                    self.end(&mut writing);
                } else {
                    self.whole(&mut writing, status, headers, said, is_message);
                }
            }
            Web::Event(event) => {
                let bytes = event.data.clone().unwrap_or_default();
                let answers = is_answer(&bytes);
                let said = said.unwrap_or_else(|| Said::honest(bytes));
                match response.head.take() {
                    Some((status, mut headers)) if answers => {
                        headers.set("Content-Type", "application/json");
                        self.whole(&mut writing, status, headers, said, true);
                    }
                    // Only an answer can stand there.
                    Some(head) => response.head = Some(head),
                    None => self.event(&mut writing, event, said, answers),
                }
            }
            Web::End => self.end(&mut writing),
            Web::Abort => {
                response.state = State::Over;
                writing.end(Ending::Cut, Then::Closed);
            }
        }
        writing.done()
    }

    /// The header lines as the move wants them.
    fn wrapped(&mut self, number: u32, headers: &Headers) -> Headers {
        let mut headers = headers.clone();
        let Some(wrapping) = self.responses.get(&number).and_then(|response| response.wrapping) else { return headers };
        let honest = headers.value(SESSION).map(str::to_owned);
        if let Some(given) = &wrapping.session {
            headers.set(SESSION, given.clone());
            let real = honest.clone().or_else(|| self.aliases.last().map(|(_, real)| real.clone()));
            self.aliases.extend(real.map(|real| (Some(given.clone()), real)));
        }
        wrapping.set.iter().for_each(|(name, value)| headers.set(name, value.clone()));
        wrapping.add.iter().for_each(|(name, value)| headers.push(name.clone(), value.clone()));
        for name in &wrapping.drop {
            headers.remove(name);
            if name.eq_ignore_ascii_case(SESSION) {
                self.aliases.extend(honest.clone().map(|real| (None, real)));
            }
        }
        headers
    }

    /// Begins a stream.
    fn begin(&mut self, writing: &mut Writing, status: u16, headers: &Headers) {
        let number = writing.number;
        let mut headers = headers.clone();
        headers.push("Transfer-Encoding", "chunked");
        let headers = self.wrapped(number, &headers);
        let resumable = self.is_resumable();
        let Some(response) = self.responses.get_mut(&number) else { return };
        if response.cut() == Some(Cut::Before) {
            response.state = State::Broken;
            return writing.end(Ending::Cut, Then::Closed);
        }
        response.state = State::Streaming;
        response.chunked = headers.value("transfer-encoding").is_some();
        let status = response.wrapping.and_then(|wrapping| wrapping.status).unwrap_or(status);
        let style = response.style();
        writing.pieces.push(response_head(status, &headers));
        writing.note(Http::Response { status, headers });
        let words = events::words(&style);
        if !words.is_empty() {
            writing.note(Http::Style { words });
        }
        writing.pieces.extend(events::framed(&style, &events::opening(&style), response.chunked));
        if style.prime || style.retry.is_some() {
            let id = (style.prime && resumable).then(|| format!("p{number}"));
            let data = style.prime.then(Vec::new);
            self.event(
                writing,
                Event { id, retry: style.retry, data, ..Event::default() },
                Said::honest(Vec::new()),
                false,
            );
        }
        let listens = self.responses.get(&number).is_some_and(|response| response.listens);
        if listens {
            for said in std::mem::take(&mut self.held) {
                self.event(writing, Event { data: Some(said.bytes.clone()), ..Event::default() }, said, false);
            }
        }
        if let Some(response) = self.responses.get_mut(&number).filter(|response| response.cut() == Some(Cut::After(0)))
        {
            break_off(writing, response);
        }
    }

    /// Whether streams can be resumed by the ids of their events.
    fn is_resumable(&self) -> bool {
        self.revision.era() == Era::Legacy && self.revision != Revision::V2024_11_05
    }

    /// Writes an event, or keeps it for the client that comes back.
    fn event(&mut self, writing: &mut Writing, event: Event, said: Said, answers: bool) {
        let number = writing.number;
        let resumable = self.is_resumable();
        let Some(response) = self.responses.get_mut(&number) else { return };
        let style = response.style();
        for _ in 0..said.copies {
            let is_message = !said.bytes.is_empty();
            let data = laid_out(&style, &event, &said);
            let mut event = Event { data, ..event.clone() };
            event.id = match (&style.id, style.ids) {
                (Some(id), _) => Some(id.replace('#', &response.log.len().to_string())),
                (None, Some(false)) => None,
                (None, ids) => {
                    let mint = is_message && (ids == Some(true) || resumable);
                    event.id.or_else(|| mint.then(|| format!("t{number}-{}", response.log.len())))
                }
            };
            if let Some(id) = &event.id {
                self.places.insert(id.clone(), number);
            }
            response.log.push(event.clone());
            if response.state != State::Streaming {
                continue;
            }
            if matches!(response.cut(), Some(Cut::After(most)) if is_message && response.messages >= most) {
                break_off(writing, response);
                continue;
            }
            let intent = response.intent(said.intent);
            let bytes = events::event(&style, &event);
            let middle = response.cut() == Some(Cut::Middle) && answers;
            let written = if middle { bytes.get(..bytes.len() / 2).unwrap_or_default() } else { &bytes };
            writing.pieces.extend(events::framed(&style, written, response.chunked));
            let Event { id, name, retry, data } = event;
            let name = name.or_else(|| style.name.clone());
            let data = data.unwrap_or_default();
            let plain = name.as_deref().is_none_or(|name| name == "message" || name.is_empty());
            let kept = match is_message {
                false => EventData::Empty,
                true if plain || is_json_rpc(&data) => EventData::Message,
                true => EventData::Text(shortened(&data)),
            };
            let carries = kept == EventData::Message;
            writing.note(Http::Event { id, name, retry, data: kept });
            if carries && middle {
                writing.note_message(data.get(..data.len() / 2).unwrap_or_default(), intent, Delivery::Unended);
            } else if carries {
                writing.note_message(&data, intent, said.delivery);
            }
            response.messages += u32::from(is_message);
            if middle {
                break_off(writing, response);
            }
        }
    }

    /// The honest end of a stream.
    fn end(&mut self, writing: &mut Writing) {
        let Some(response) = self.responses.get_mut(&writing.number) else { return };
        response.complete = true;
        if response.state != State::Streaming {
            return;
        }
        let style = response.style();
        if style.unfinished {
            writing.pieces.extend(events::framed(&style, &events::unfinished(&style), response.chunked));
            writing.note(Http::Event { id: None, name: None, retry: None, data: EventData::Message });
            writing.note_message(events::UNFINISHED, Intent::Departure, Delivery::Unended);
        }
        response.state = State::Over;
        finish(writing, response);
    }

    /// Writes a complete response.
    fn whole(&mut self, writing: &mut Writing, status: u16, headers: Headers, said: Said, is_message: bool) {
        let number = writing.number;
        let mut framed = headers;
        if status != 204 {
            framed.set("Content-Length", said.bytes.len().to_string());
        }
        let headers = self.wrapped(number, &framed);
        let Some(response) = self.responses.get_mut(&number) else { return };
        let cut = response.cut();
        response.complete = true;
        if cut == Some(Cut::Before) {
            response.state = State::Broken;
            return writing.end(Ending::Cut, Then::Closed);
        }
        response.state = State::Over;
        let status = response.wrapping.and_then(|wrapping| wrapping.status).unwrap_or(status);
        let intent = response.intent(said.intent);
        let head = response_head(status, &headers);
        let whole = cut.is_none();
        let kept = if whole { said.bytes.len() } else { said.bytes.len() / 2 };
        let body = said.bytes.get(..kept).unwrap_or_default();
        writing.pieces.push([&head, body].concat());
        let streams = headers.media_type().as_deref() == Some(EVENT_STREAM);
        writing.note(Http::Response { status, headers });
        if streams {
            note_events(writing, body, intent);
        } else if body.is_empty() {
        } else if is_message || is_json_rpc(body) {
            writing.note_message(body, intent, if whole { said.delivery } else { Delivery::Unended });
        } else {
            writing.note(Http::Body { text: shortened(body) });
        }
        if whole { writing.end(Ending::Complete, Then::Over) } else { writing.end(Ending::Cut, Then::Closed) }
    }
}

/// The data of an event: of a message, as the style wants it.
fn laid_out(style: &EventStyle, event: &Event, said: &Said) -> Option<Vec<u8>> {
    let is_message = !said.bytes.is_empty() && event.name.as_deref() != Some("endpoint");
    if is_message { Some(events::laid_out(style, said.bytes.clone())) } else { event.data.clone() }
}

/// Ends a stream where the move wants it.
fn break_off(writing: &mut Writing, response: &mut Response<'_>) {
    response.state = State::Broken;
    if response.wrapping.is_some_and(|wrapping| wrapping.orderly) {
        finish(writing, response);
    } else {
        writing.end(Ending::Cut, Then::Closed);
    }
}

/// The proper end of a body without a length.
fn finish(writing: &mut Writing, response: &Response<'_>) {
    if response.chunked {
        writing.pieces.push(LAST_CHUNK.to_vec());
    }
    writing.end(Ending::Complete, if response.chunked { Then::Over } else { Then::Closed });
}

/// Notes the events that a script wrote by hand.
fn note_events(writing: &mut Writing, body: &[u8], intent: Intent) {
    let mut reader = sse::Reader::default();
    let mut events = Vec::new();
    reader.push(body, |event| events.push(event));
    events.extend(reader.finish());
    for sse::Event { name, id, retry, data, unfinished, .. } in events {
        let bytes = data.filter(|data| !data.is_empty());
        let data = if bytes.is_some() { EventData::Message } else { EventData::Empty };
        writing.note(Http::Event { id, name, retry, data });
        let delivery = if unfinished { Delivery::Unended } else { Delivery::Whole };
        bytes.into_iter().for_each(|bytes| writing.note_message(&bytes, intent, delivery));
    }
}

/// The header lines of a stream that takes the place of a body.
fn streaming(honest: Option<&Headers>) -> Headers {
    let mut headers = honest.cloned().unwrap_or_default();
    headers.remove("Content-Length");
    headers.set("Content-Type", EVENT_STREAM);
    headers.set("Cache-Control", "no-cache");
    headers
}

/// A response that the honest server within knows nothing of.
fn made(status: u16, body: Vec<u8>) -> Web {
    let mut headers = Headers::new();
    let media = match body.first() {
        None => None,
        Some(b'{' | b'[') => Some("application/json"),
        Some(b'<') => Some("text/html"),
        Some(_) => Some("text/plain"),
    };
    media.into_iter().for_each(|media| headers.push("Content-Type", media));
    Web::Whole(status, headers, body)
}

/// Whether a body opens a session.
fn opens(body: &[u8]) -> bool {
    let frame = Frame::new(body);
    frame.json().is_ok_and(|message| message.member("method").is_some_and(|method| method.is("initialize")))
}

fn is_json(headers: &Headers, body: &[u8]) -> bool {
    headers.media_type().as_deref() == Some("application/json") && !body.is_empty()
}

fn is_answer(bytes: &[u8]) -> bool {
    let frame = Frame::new(bytes);
    frame.json().is_ok_and(|value| value.member("id").is_some() && value.member("method").is_none())
}

fn is_result(bytes: &[u8]) -> bool {
    let frame = Frame::new(bytes);
    frame.json().is_ok_and(|value| value.member("result").is_some() && value.member("error").is_none())
}

fn is_json_rpc(bytes: &[u8]) -> bool {
    let frame = Frame::new(bytes);
    let Ok(value) = frame.json() else { return false };
    std::iter::once(value).chain(value.items().take(1)).any(|value| value.member("jsonrpc").is_some())
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..LONGEST_TEXT).unwrap_or(bytes)).into_owned()
}
