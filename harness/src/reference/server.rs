//! The server itself: bytes in, bytes out, and nothing in between that is a clock or a socket.

use std::time::Duration;

use serde_json::Value;

use super::asking::Asked;
use super::behaviour::{Behaviour, Reading, Temper};
use super::fault::Fault;
use super::faults::Grudge;
use super::incoming::{self, Incoming, RequestId};
use super::legacy::Session;
use super::lines::{Line, Lines};
use super::message::{Failure, Message, Object};
use super::slow::Running;
use super::subscriptions::Subscription;
use super::tasks::Task;
use super::{Mark, Outbox, Route, Vitals};
use crate::revision::{Revision, code};

/// The embedded reference server.
///
/// It is sans I/O and deterministic: the same bytes at the same moments give the same bytes. It ends when
/// [`Outbox::exit`] is set; after that it takes nothing and says nothing.
#[derive(Debug)]
pub struct Server {
    pub(super) behaviour: Behaviour,
    pub(super) session: Option<Session>,
    pub(super) running: Vec<Running>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) asked: Vec<Asked>,
    pub(super) asked_so_far: u64,
    pub(super) tasks: Vec<Task>,
    pub(super) tasks_so_far: u64,
    /// The latest moment that the server was told of.
    pub(super) now: Duration,
    pub(super) changed: Changed,
    pub(super) grudge: Grudge,
    lines: Lines,
    batch: Option<Vec<u8>>,
    exited: bool,
    /// Every message is a modern one, because the transport has said so.
    pub(super) stateless: bool,
    /// Whether to mark in the output what belongs to what.
    marking: bool,
    /// The client whose message is being handled.
    lane: u32,
    /// The request that is being worked on.
    about: Option<RequestId>,
}

/// What tools have changed in this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changed {
    pub(super) extra_tool: bool,
    pub(super) extra_prompt: bool,
    pub(super) extra_resource: bool,
    pub(super) records: u64,
    /// How often the touched resource was updated.
    pub(super) touches: u64,
}

/// For what a message is sent: the revision that it must keep to, and what it answers or belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub(super) revision: Revision,
    /// The method being answered; empty for what answers nothing.
    pub(super) method: &'a str,
    /// The tool, prompt or other name that the request is about.
    pub(super) name: &'a str,
}

/// A handler's answer: a result, an error, or nothing yet.
pub(super) type Answer = Result<Option<Object>, Failure>;

impl Server {
    /// A fresh server.
    #[must_use]
    pub fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            session: None,
            running: Vec::new(),
            subscriptions: Vec::new(),
            asked: Vec::new(),
            asked_so_far: 0,
            tasks: Vec::new(),
            tasks_so_far: 0,
            now: Duration::ZERO,
            changed: Changed::default(),
            grudge: Grudge::default(),
            lines: Lines::default(),
            batch: None,
            exited: false,
            stateless: false,
            marking: false,
            lane: 0,
            about: None,
        }
    }

    /// A fresh server that marks what belongs to what, for a transport that has several ways to the client. A stateless
    /// one takes every message for a modern one.
    pub(super) fn marking(behaviour: Behaviour, stateless: bool) -> Self {
        Self { marking: true, stateless, ..Self::new(behaviour) }
    }

    /// Takes a whole message of one of several clients.
    pub(super) fn post(&mut self, now: Duration, lane: u32, message: &[u8], out: &mut Outbox) {
        if self.exited {
            return;
        }
        self.wake(now, out);
        self.now = self.now.max(now);
        self.lane = lane;
        self.take(now, Line::Whole(message), out);
        self.lane = 0;
        self.wake(now, out);
    }

    /// Takes bytes as they arrive, cut anywhere, and writes what they cause.
    pub fn receive(&mut self, now: Duration, bytes: &[u8], out: &mut Outbox) {
        if self.exited {
            return;
        }
        self.greet(out);
        self.wake(now, out);
        self.now = self.now.max(now);
        if self.tampers() && self.mishandles_chunk(now, bytes, out) {
            self.wake(now, out);
            return;
        }
        self.feed(now, bytes, out);
        self.wake(now, out);
    }

    /// Takes the lines out of a chunk.
    pub(super) fn feed(&mut self, now: Duration, mut bytes: &[u8], out: &mut Outbox) {
        while !self.exited {
            let mut assembled = Vec::new();
            let mut lines = std::mem::take(&mut self.lines);
            let next = lines.next(&mut bytes, &mut assembled);
            self.lines = lines;
            match next {
                Some(line) => self.take(now, line, out),
                None => return,
            }
        }
    }

    /// Learns that no more bytes will come: answers what it has, closes what is open, exits.
    pub fn end_of_input(&mut self, now: Duration, out: &mut Outbox) {
        if self.exited {
            return;
        }
        self.greet(out);
        self.wake(now, out);
        let mut assembled = Vec::new();
        if let Some(line) = self.lines.rest(&mut assembled)
            && !self.exited
        {
            self.take(now, line, out);
        }
        self.wake(now, out);
        if self.exited || (self.tampers() && self.stays(out)) {
            return;
        }
        self.running.clear();
        self.end_subscriptions(out);
        self.exit(0, out);
    }

    /// The next moment at which the server wants to be woken, if any.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if self.exited {
            return None;
        }
        let running = self.running.iter().map(Running::next);
        let tasks = self.tasks.iter().filter_map(Task::begins);
        running
            .chain(tasks)
            .chain(self.asked.iter().filter_map(|asked| asked.deadline))
            .chain(self.grudge.flush_at)
            .min()
    }

    /// Does what is due by now.
    pub fn wake(&mut self, now: Duration, out: &mut Outbox) {
        while let Some(due) = self.wake_at().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            if let Some(position) = self.tasks.iter().position(|task| task.begins() == Some(due)) {
                self.begin_task(position, out);
            } else if let Some(position) = self.running.iter().position(|running| running.next() == due) {
                self.step(position, out);
            } else if let Some(position) = self.asked.iter().position(|asked| asked.deadline == Some(due)) {
                self.give_up(position, out);
            } else if self.grudge.flush_at == Some(due) {
                self.flush(out);
            } else {
                return;
            }
        }
    }

    /// Simulated vital signs.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let honest = self.lines.peak() + self.grudge.hoard;
        let children_left = u32::from(self.faulty(Fault::LeavesAChild));
        Vitals { peak_bytes: honest as u64, cpu: self.grudge.busy, children_left }
    }

    /// One line.
    pub(super) fn take(&mut self, now: Duration, line: Line<'_>, out: &mut Outbox) {
        let line = match line {
            Line::Whole(line) => line,
            Line::Overlong => {
                self.refuse(None, code::INVALID_REQUEST, "the message is too long", out);
                return;
            }
        };
        if self.tampers() && self.mishandles_line(line, out) {
            return;
        }
        match Incoming::sort(line, self.faulty(Fault::RunsInvalidRequests)) {
            Incoming::Array => self.array(now, line, out),
            incoming => self.handle(now, incoming, out),
        }
    }

    fn handle(&mut self, now: Duration, incoming: Incoming<'_>, out: &mut Outbox) {
        match incoming {
            Incoming::Blank => {}
            Incoming::NotJson => self.refuse(None, code::PARSE_ERROR, "the line is not JSON", out),
            Incoming::Array => self.refuse(None, code::INVALID_REQUEST, "an array inside a batch", out),
            Incoming::Invalid { silent: true, .. } => {}
            Incoming::Invalid { id, silent: false } => {
                self.refuse(id.as_ref(), code::INVALID_REQUEST, "the JSON is not a JSON-RPC 2.0 message", out);
            }
            Incoming::Request { id, method, params } => {
                let id = id.on(self.lane);
                self.concerning(Some(id.clone()), |server| server.request(now, &id, &method, params, out));
            }
            Incoming::Notification { method, params } => self.notification(now, &method, params, out),
            Incoming::Response { id, result, error } => self.response(&id, result.filter(|_| error.is_none()), out),
        }
    }

    /// A batch where there are batches, else one refusal.
    fn array(&mut self, now: Duration, line: &[u8], out: &mut Outbox) {
        let session = self.session.as_ref().map(|session| session.revision);
        let batches = match session {
            Some(Revision::V2025_03_26) => !self.faulty(Fault::RefusesBatches),
            Some(_) => self.reads(Reading::ArrayAnswered),
            None => false,
        };
        if !batches {
            if !self.reads(Reading::ArrayIgnored) {
                self.refuse(None, code::INVALID_REQUEST, "there are no batches here", out);
            }
            return;
        }
        let mut entries = incoming::entries(line);
        if entries.is_empty() {
            self.refuse(None, code::INVALID_REQUEST, "the batch is empty", out);
            return;
        }
        if self.faulty(Fault::AnswersHalfABatch) {
            entries.truncate(entries.len().div_ceil(2));
        }
        self.batch = Some(Vec::new());
        for entry in entries {
            if self.exited {
                break;
            }
            self.handle(now, Incoming::sort(entry.get().as_bytes(), false), out);
        }
        let answers = self.batch.take().unwrap_or_default();
        if !answers.is_empty() || self.faulty(Fault::AnswersEmptyArray) {
            out.bytes.push(b'[');
            out.bytes.extend_from_slice(&answers);
            out.bytes.extend_from_slice(b"]\n");
            self.mark(Route::Answer(RequestId::unread(self.lane)), out);
        }
    }

    /// Works for this request, or for none, as long as it takes.
    pub(super) fn concerning<T>(&mut self, about: Option<RequestId>, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.about, about);
        let done = work(self);
        self.about = before;
        done
    }

    /// The client whose message is being handled.
    pub(super) fn lane(&self) -> u32 {
        self.lane
    }

    /// Whether anything is still to come for this request.
    pub(super) fn concerns(&self, id: &RequestId) -> bool {
        let asks = |asked: &Asked| asked.ticket.as_ref().is_some_and(|ticket| ticket.id.same(id));
        self.running.iter().any(|running| running.ticket.id.same(id))
            || self.subscriptions.iter().any(|subscription| subscription.id.same(id))
            || self.asked.iter().any(asks)
            || self.tasks.iter().any(|task| task.is_awaited_by(id))
    }

    /// Whether the message being handled came in a batch.
    pub(super) fn in_batch(&self) -> bool {
        self.batch.is_some()
    }

    /// Answers a request with what its handler found, unless the answer comes later.
    pub(super) fn answer(&mut self, id: &RequestId, occasion: Occasion<'_>, answer: Answer, out: &mut Outbox) {
        if id.is_inner() {
            self.conclude_task(id, occasion, answer, out);
            return;
        }
        let message = match answer {
            Ok(Some(mut result)) => {
                self.dress(occasion, &mut result);
                Message::result(&id.raw, result)
            }
            Ok(None) => return,
            Err(failure) => Message::error(Some(&id.raw), failure),
        };
        self.concerning(Some(id.clone()), |server| server.send(occasion, message, out));
        if self.tampers() && !self.running.iter().any(|running| running.ticket.id.same(id)) {
            self.grudge.finished.push(id.clone());
        }
    }

    /// An error about a message of which no more than the id is known.
    pub(super) fn refuse(&mut self, id: Option<&RequestId>, code: i64, why: &str, out: &mut Outbox) {
        let null = self.null_for_unreadable();
        let occasion = Occasion { revision: self.revision_in_use(), method: "", name: "" };
        if id.is_none() && self.reads(Reading::SilentOnGarbage) {
            return;
        }
        let id = id.map(|id| &*id.raw).or(null.then_some("null"));
        self.send(occasion, Message::error(id, Failure::new(code, why)), out);
    }

    /// Whether an unreadable id is answered by null: JSON-RPC's way, while the newer schemas leave the member out.
    fn null_for_unreadable(&self) -> bool {
        if self.reads(Reading::NullId) || self.reads(Reading::AbsentId) {
            return self.reads(Reading::NullId);
        }
        self.revision_in_use() < Revision::V2025_11_25
    }

    /// The revision to keep to where no message says which.
    pub(super) fn revision_in_use(&self) -> Revision {
        let session = self.session.as_ref().map(|session| session.revision);
        session.or_else(|| self.behaviour.revisions.iter().next_back()).unwrap_or(Revision::V2025_11_25)
    }

    /// Sends a message that answers nothing.
    pub(super) fn notify(&mut self, revision: Revision, method: &'static str, params: Option<Value>, out: &mut Outbox) {
        self.send(Occasion { revision, method: "", name: "" }, Message::notification(method, params), out);
    }

    /// Sends a message; the one way to stdout.
    pub(super) fn send(&mut self, occasion: Occasion<'_>, message: Message, out: &mut Outbox) {
        if !self.tampers() {
            self.write(&message, out);
            return;
        }
        for message in self.tampered(occasion, message) {
            if !self.miswrites(occasion, &message, out) {
                self.write(&message, out);
            }
        }
    }

    fn write(&mut self, message: &Message, out: &mut Outbox) {
        let full = self.faulty(Fault::DropsWhatIsNotRead) && out.is_full();
        // Only answers belong into the array that answers a batch.
        match &mut self.batch {
            Some(batch) if message.method.is_none() => {
                if !batch.is_empty() {
                    batch.push(b',');
                }
                message.write(batch);
            }
            None if full => {}
            _ => {
                message.write(&mut out.bytes);
                out.bytes.push(b'\n');
                self.mark(self.route(message.method.is_none()), out);
            }
        }
    }

    /// Notes to what the bytes since the last mark belong.
    pub(super) fn mark(&self, route: Route, out: &mut Outbox) {
        if self.marking {
            out.marks.push(Mark { end: out.bytes.len(), route });
        }
    }

    /// To what a message belongs that is written now. What the call of a task says goes to whoever waits for its result.
    pub(super) fn route(&self, answers: bool) -> Route {
        match &self.about {
            None if answers => Route::Answer(RequestId::unread(self.lane)),
            None => Route::Loose,
            Some(id) if answers => Route::Answer(id.clone()),
            Some(id) if id.is_inner() => self.awaiting(id).map_or(Route::Loose, Route::About),
            Some(id) => Route::About(id.clone()),
        }
    }

    pub(super) fn exit(&mut self, status: i32, out: &mut Outbox) {
        self.exited = true;
        out.exit = Some(status);
    }

    /// Whether there is any fault: the honest path asks this once and saves the rest.
    pub(super) fn tampers(&self) -> bool {
        !self.behaviour.is_honest()
    }

    pub(super) fn faulty(&self, fault: Fault) -> bool {
        self.behaviour.faulty(fault)
    }

    pub(super) fn reads(&self, reading: Reading) -> bool {
        self.behaviour.reads(reading)
    }

    pub(super) fn strict(&self) -> bool {
        self.behaviour.temper == Temper::Strict
    }

    pub(super) fn lenient(&self) -> bool {
        self.behaviour.temper == Temper::Lenient
    }
}
