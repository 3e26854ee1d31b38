//! One server and the streams on which it talks: a legacy session, or everything that is modern.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::faults::Slips;
use super::reading::HttpReading;
use super::reply::Reply;
use super::stream::{Expected, Fate, Piece, Stream, Style, read_event_id};
use super::{HttpFault, Post, Reaction};
use crate::reference::behaviour::Behaviour;
use crate::reference::declared::Declared;
use crate::reference::incoming::{Incoming, RequestId};
use crate::reference::server::Server;
use crate::reference::{Outbox, Route};
use crate::revision::{Revision, code, meta};

/// So many streams that are over are kept for those who come back.
const REMEMBERED: usize = 32;
/// How long a client that polls is asked to wait, in milliseconds.
const PAUSE: u32 = 20;

/// What a conversation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// All modern requests, whoever sends them.
    Modern,
    /// A session of Streamable HTTP.
    Streamable,
    /// One legacy request of a server without sessions.
    Stateless,
    /// A session of HTTP+SSE.
    Old,
}

/// A server and its streams.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) kind: Kind,
    /// The id of the session; empty where there are no sessions.
    pub(super) id: String,
    pub(super) server: Server,
    pub(super) exited: Option<i32>,
    pub(super) streams: Vec<Stream>,
    pub(super) style: Style,
    opened: u32,
    short_listening: bool,
    json_only: bool,
    events_only: bool,
    polls: bool,
    failures_are_200: bool,
}

/// What of an answer tells its HTTP status.
#[derive(Deserialize)]
struct Outline {
    error: Option<Failure>,
    id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
}

impl Conversation {
    pub(super) fn new(behaviour: &Behaviour, kind: Kind, id: String) -> Self {
        let reads = |reading| behaviour.http.contains(&reading);
        let newest = behaviour.revisions.iter().next_back().unwrap_or(Revision::V2025_11_25);
        let mut style = Style::of(behaviour);
        // Nothing of a request that stands alone can be resumed, and its event ids would not be unique.
        style.ids &= kind != Kind::Stateless;
        style.slips = Slips::of(behaviour, newest);
        Self {
            kind,
            id,
            server: Server::marking(behaviour.clone(), kind == Kind::Modern),
            exited: None,
            streams: Vec::new(),
            style,
            opened: 0,
            short_listening: reads(HttpReading::ShortListening) && kind == Kind::Streamable,
            json_only: reads(HttpReading::JsonOnly),
            events_only: reads(HttpReading::EventsOnly),
            polls: reads(HttpReading::Polls),
            failures_are_200: reads(HttpReading::FailuresAre200),
        }
    }

    /// The revision that it keeps to.
    pub(super) fn revision(&self) -> Revision {
        self.server.revision_in_use()
    }

    /// The faults of its streams.
    pub(super) fn slips(&self) -> &Slips {
        &self.style.slips
    }

    /// Whether the answer to this request is written by it.
    pub(super) fn holds(&self, number: u32) -> bool {
        self.connections().any(|connection| connection == number)
    }

    /// The requests whose connections are open.
    pub(super) fn connections(&self) -> impl Iterator<Item = u32> {
        self.streams.iter().filter_map(|stream| stream.connection)
    }

    /// Whether nothing more can come of it.
    pub(super) fn is_over(&self) -> bool {
        let idle = self.streams.iter().all(|stream| stream.over);
        match self.kind {
            Kind::Modern | Kind::Old => false,
            Kind::Streamable => idle && self.server.session.is_none(),
            Kind::Stateless => idle,
        }
    }

    /// Takes a message that holds requests, whose answers go to the connection of this one.
    pub(super) fn ask(&mut self, post: &Post<'_>, ids: Vec<RequestId>, out: &mut Vec<Reaction>) {
        let Post { now, number, request, incoming } = post;
        let key = self.next_key();
        let mut stream = Stream::answering(key, *number, ids);
        let shared = self.slips().has(HttpFault::SharesSessions);
        stream.introduces = self.kind == Kind::Streamable && (shared || self.server.session.is_none());
        stream.lists = matches!(incoming, Incoming::Request { method, .. } if method.ends_with("/list"));
        stream.is_defective = self.failures_are_200 && lacks_metadata(&request.body);
        self.streams.push(stream);
        let mut outbox = Outbox::default();
        self.server.post(*now, self.lane(*number), &request.body, &mut outbox);
        self.style.slips = Slips::of(&self.server.behaviour, self.revision());
        if let Some(session) = self.server.session.as_mut().filter(|_| self.json_only) {
            // There is no way on which a client could be asked.
            session.client = Declared::default();
        }
        self.deliver(outbox, Some(key), out);
    }

    /// Takes a message that holds no request. Gives what the server said to it.
    pub(super) fn tell(&mut self, now: Duration, number: u32, body: &[u8], out: &mut Vec<Reaction>) -> Vec<Vec<u8>> {
        let mut outbox = Outbox::default();
        self.server.post(now, self.lane(number), body, &mut outbox);
        self.deliver(outbox, None, out)
    }

    pub(super) fn wake(&mut self, now: Duration, out: &mut Vec<Reaction>) {
        let mut outbox = Outbox::default();
        self.server.wake(now, &mut outbox);
        self.deliver(outbox, None, out);
    }

    /// The connection of a request is gone. In the modern era that cancels the request, before it means nothing.
    pub(super) fn disconnected(&mut self, now: Duration, number: u32, out: &mut Vec<Reaction>) {
        let found = self.streams.iter().position(|stream| stream.connection == Some(number));
        let Some(position) = found else { return };
        self.streams[position].connection = None;
        let cancels = match self.kind {
            Kind::Modern => !self.slips().has(HttpFault::GoesOnAfterDisconnect),
            _ => self.slips().has(HttpFault::CancelsOnDisconnect),
        };
        if !cancels {
            return;
        }
        let stream = self.streams.remove(position);
        let mut outbox = Outbox::default();
        self.server.wake(now, &mut outbox);
        for expected in &stream.expected {
            self.server.cancel(&expected.id, &mut outbox);
        }
        self.deliver(outbox, None, out);
    }

    /// Whether a request got no answer and will get none; it is forgotten then.
    pub(super) fn gives_up(&mut self, number: u32) -> bool {
        let before = self.streams.len();
        self.streams.retain(|stream| {
            stream.connection != Some(number) || stream.begun || stream.is_worked_on() || !stream.held.is_empty()
        });
        self.streams.len() < before
    }

    /// Opens a stream for what belongs to no request.
    pub(super) fn listen(&mut self, number: u32, out: &mut Vec<Reaction>) {
        let key = self.next_key();
        let mut stream = Stream::listening(key, number);
        stream.begin(&self.style, Vec::new(), self.revision(), out);
        self.streams.push(stream);
    }

    /// The stream that brings what belongs to no request, if a client listens.
    pub(super) fn listener(&self) -> Option<usize> {
        let listens = |stream: &Stream| stream.listens && !stream.over;
        let connected = self.streams.iter().position(|stream| listens(stream) && stream.connection.is_some());
        connected.or_else(|| self.streams.iter().rposition(listens))
    }

    /// Brings a stream to a new connection, from the event on that the client saw last; false if there is no such
    /// stream.
    pub(super) fn resume(&mut self, number: u32, last: &str, out: &mut Vec<Reaction>) -> bool {
        if self.slips().has(HttpFault::ReplaysEveryStream) {
            return self.replay_everything(number, last, out);
        }
        let Some((key, sequence)) = read_event_id(last).filter(|_| self.style.ids) else { return false };
        let revision = self.revision();
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.key == key) else { return false };
        stream.hang_up(out);
        stream.connection = Some(number);
        stream.begun = true;
        stream.begin(&self.style, Vec::new(), revision, out);
        stream.replay(&self.style, Some(sequence), out);
        if stream.over {
            stream.hang_up(out);
        }
        true
    }

    /// Brings what the server wrote to where it belongs, and ends the streams that are complete. Gives what answers
    /// nobody who has a stream.
    fn deliver(&mut self, outbox: Outbox, current: Option<u32>, out: &mut Vec<Reaction>) -> Vec<Vec<u8>> {
        self.exited = self.exited.or(outbox.exit);
        let mut direct = Vec::new();
        let mut start = 0;
        for mark in outbox.marks {
            let data = outbox.bytes.get(start..mark.end).unwrap_or_default();
            let data = data.strip_suffix(b"\n").unwrap_or(data).to_vec();
            start = mark.end;
            let answers = matches!(mark.route, Route::Answer(_));
            let targets = self.targets(&mark.route, current);
            if targets.is_empty() && answers {
                direct.push(data);
                continue;
            }
            for position in targets {
                let stream = &mut self.streams[position];
                match &mark.route {
                    Route::Answer(id) if id.is_unread() => {
                        stream.expected.iter_mut().for_each(|one| one.fate = Fate::Answered);
                    }
                    Route::Answer(id) => {
                        let answered = stream.expected.iter_mut().find(|expected| expected.id.same(id));
                        answered.into_iter().for_each(|expected| expected.fate = Fate::Answered);
                    }
                    Route::About(_) | Route::Loose => {}
                }
                stream.held.push(Piece { data: data.clone(), answers });
            }
        }
        for position in 0..self.streams.len() {
            self.settle(position, out);
        }
        self.forget();
        direct
    }

    /// The streams that a message goes to: one at most, unless there is a fault.
    fn targets(&self, route: &Route, current: Option<u32>) -> Vec<usize> {
        let asking = || self.streams.iter().position(|stream| Some(stream.key) == current);
        let honest = match route {
            _ if self.kind == Kind::Old => self.listener(),
            Route::Answer(id) if id.is_unread() => asking(),
            Route::Answer(id) | Route::About(id) => self.streams.iter().position(|stream| stream.expects(id)),
            Route::Loose => self.listener(),
        };
        if !self.slips().is_empty() { self.misrouted(route, asking(), honest) } else { honest.into_iter().collect() }
    }

    /// Sends what a stream holds, in the form that suits it, and ends it once it is complete.
    fn settle(&mut self, position: usize, out: &mut Vec<Reaction>) {
        let revision = self.revision();
        let stream = &mut self.streams[position];
        if stream.over {
            return;
        }
        for Expected { id, fate } in &mut stream.expected {
            *fate = match (self.server.concerns(id), *fate) {
                (true, _) => Fate::Alive,
                (false, Fate::Alive) => Fate::Dropped,
                (false, fate) => fate,
            };
        }
        let complete = stream.is_answered();
        if !stream.begun && stream.connection.is_some() {
            match self.form(position, complete) {
                Form::Undecided => return,
                Form::Whole(status) => return self.complete(position, status, out),
                Form::Events => {
                    let headers = self.introduction(position);
                    self.streams[position].begin(&self.style, headers, revision, out);
                }
            }
        }
        let resumable = self.kind == Kind::Streamable;
        let stream = &mut self.streams[position];
        let heard = !stream.held.is_empty();
        for piece in std::mem::take(&mut stream.held) {
            let name = match self.kind {
                Kind::Old => Some(self.style.slips.event_name(piece.answers)),
                _ => None,
            };
            if self.style.slips.has(HttpFault::LosesStreamedAnswers) && piece.answers {
                continue;
            }
            stream.push(&self.style, resumable, name, piece.data, out);
        }
        if complete || (stream.listens && heard && self.short_listening) {
            stream.over = true;
            if self.style.slips.has(HttpFault::CutsLastEvent) {
                cut(stream.connection, out);
            }
            if !self.style.slips.has(HttpFault::KeepsStreamsOpen) {
                stream.hang_up(out);
            }
        } else if stream.begun && !stream.listens {
            self.pause(position, revision, out);
        }
    }

    /// Closes the connection of a stream that goes on later, where that is the way of the server.
    fn pause(&mut self, position: usize, revision: Revision, out: &mut Vec<Reaction>) {
        let slips = &self.style.slips;
        let polls = revision == Revision::V2025_11_25
            && self.style.ids
            && (self.polls || slips.has(HttpFault::LeavesWithoutRetry));
        let early = slips.has(HttpFault::ClosesEarly) && self.kind == Kind::Streamable;
        let stream = &mut self.streams[position];
        // A stream that was resumed is not paused a second time.
        let Some(number) = stream.connection.filter(|_| stream.is_worked_on() && !stream.paused) else { return };
        if polls && !slips.has(HttpFault::LeavesWithoutRetry) {
            out.push(Reaction::Data { number, bytes: self.style.retry(PAUSE) });
        }
        if polls || early {
            stream.paused = true;
            stream.hang_up(out);
        }
    }

    /// The form of an answer that has not begun.
    fn form(&self, position: usize, complete: bool) -> Form {
        let stream = &self.streams[position];
        if let [Piece { data, answers: true }] = &*stream.held
            && complete
        {
            let status = self.status(stream, data);
            return if status == 200 && self.events_only { Form::Events } else { Form::Whole(status) };
        }
        let subscribes = stream.expected.iter().any(|one| self.server.subscribes(&one.id));
        if subscribes && self.slips().has(HttpFault::ListensByJson) {
            return Form::Whole(200);
        }
        let answers = stream.held.iter().filter(|piece| piece.answers).count();
        if self.json_only && !subscribes && stream.expected.len() == 1 {
            return match answers {
                1 if complete => Form::Whole(
                    stream
                        .held
                        .iter()
                        .find(|piece| piece.answers)
                        .map_or(200, |piece| self.status(stream, &piece.data)),
                ),
                0 if complete => Form::Events,
                _ => Form::Undecided,
            };
        }
        // A request that nobody answers and nobody works on is met with silence.
        if stream.held.is_empty() && !complete && !stream.is_worked_on() { Form::Undecided } else { Form::Events }
    }

    /// Answers by JSON.
    fn complete(&mut self, position: usize, status: u16, out: &mut Vec<Reaction>) {
        let headers = self.introduction(position);
        let stream = &mut self.streams[position];
        // Without an answer among them it is a fault, and any message will do.
        stream.held.sort_by_key(|piece| !piece.answers);
        let answer = stream.held.drain(..).next();
        stream.over = true;
        let (Some(number), Some(answer)) = (stream.connection.take(), answer) else { return };
        let mut reply = Reply::json(status, answer.data);
        if self.style.odd_headers {
            reply.headers = vec![("CONTENT-TYPE".to_owned(), "application/json; charset=utf-8".to_owned())];
        }
        reply.headers.extend(headers);
        let lists = stream.lists;
        self.style.slips.finish(reply, lists, number, out);
    }

    /// What the head of an answer says of the session that the answer opens.
    fn introduction(&self, position: usize) -> Vec<(String, String)> {
        let opens = self.streams[position].introduces && self.server.session.is_some();
        if opens || self.slips().mints_for(self.kind) {
            vec![("Mcp-Session-Id".to_owned(), if opens { self.id.clone() } else { "minted-for-you".to_owned() })]
        } else {
            Vec::new()
        }
    }

    /// The status that goes with a JSON-RPC answer.
    fn status(&self, stream: &Stream, answer: &[u8]) -> u16 {
        let Ok(Outline { error: Some(Failure { code }), id }) = serde_json::from_slice(answer) else { return 200 };
        if self.kind != Kind::Modern {
            return if id.is_none() { 400 } else { 200 };
        }
        self.slips().misstate(code).unwrap_or(match code {
            code::METHOD_NOT_FOUND => 404,
            code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY | code::UNSUPPORTED_PROTOCOL_VERSION => 400,
            _ if self.failures_are_200 && !stream.is_defective => 200,
            code::PARSE_ERROR | code::INVALID_REQUEST | code::INVALID_PARAMS => 400,
            code::INTERNAL_ERROR => 500,
            _ => 200,
        })
    }

    /// The number of the POST tells clients apart where they share one server.
    pub(super) fn lane(&self, number: u32) -> u32 {
        if self.kind == Kind::Modern && !self.slips().has(HttpFault::CrossesClients) { number } else { 0 }
    }

    fn next_key(&mut self) -> u32 {
        self.opened += 1;
        self.opened
    }

    /// Keeps only so many streams that are over, and only where they can be resumed.
    fn forget(&mut self) {
        let kept = if self.kind == Kind::Streamable && self.style.ids { REMEMBERED } else { 0 };
        let over = self.streams.iter().filter(|stream| stream.over && stream.connection.is_none()).count();
        let mut surplus = over.saturating_sub(kept);
        self.streams.retain(|stream| {
            let goes = stream.over && stream.connection.is_none() && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

/// Whether a request lacks what every modern request must say of itself.
fn lacks_metadata(body: &[u8]) -> bool {
    let request = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let metadata = &request["params"]["_meta"];
    !metadata[meta::PROTOCOL_VERSION].is_string() || !metadata[meta::CLIENT_CAPABILITIES].is_object()
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Undecided,
    /// JSON, with this status.
    Whole(u16),
    Events,
}

/// Takes the line end that completes an event away from the last one.
fn cut(connection: Option<u32>, out: &mut [Reaction]) {
    let last = out.iter_mut().rev().find_map(|reaction| match reaction {
        Reaction::Data { number, bytes } if Some(*number) == connection => Some(bytes),
        _ => None,
    });
    last.into_iter().for_each(|bytes| bytes.truncate(bytes.len().saturating_sub(1)));
}
