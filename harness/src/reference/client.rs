//! The embedded reference client: honest in both eras, and faulty on demand.
//!
//! It is the mirror of the reference server, and as little related to the rules and to the peer: a misreading of a clause
//! in one shows up against the other. A [`Conduct`] says what the client is like, [`Wish`]es what its user wants.
//!
//! - `conduct`, `variants`: revisions, capabilities, habits; who is honest in another way
//! - `handshake`: which revision to speak, and with what
//! - `restarting`: a server that has ended
//! - `errands`: wishes on their way
//! - `requests`: what was asked and not answered
//! - `lists`, `offer`: pages, and what they made known
//! - `cache`: results that may be kept
//! - `using`: tools, prompts and resources
//! - `results`: what a result says
//! - `asked`: what the server says of its own accord
//! - `inputs`, `form`, `model`: what the user and the model answer
//! - `watching`: news of resources and lists
//! - `fetching`: what lies elsewhere
//! - `tasks`: calls that are done as tasks
//! - `journal`: what the user gets to see
//! - `mirror`: arguments that are repeated in header lines
//! - [`http`]: the same client over HTTP
//! - `fault`, `faults`: what can be wrong

use std::collections::VecDeque;
use std::time::Duration;

use self::cache::Cache;
use self::errands::Errand;
use self::faults::Grudge;
use self::handshake::{Connection, Terms};
use self::journal::Journal;
use self::lists::Listings;
use self::requests::Pending;
use self::watching::Subscription;
use super::incoming::{self, Incoming, RequestId};
use super::lines::{Line, Lines};
use super::message::{Failure, Message};
use super::{Temper, Vitals};
use crate::revision::{Era, Revision, code};
use crate::user::Wish;
use crate::wire::http::Request;

mod asked;
mod cache;
mod conduct;
mod errands;
mod fault;
mod faults;
mod fetching;
mod form;
mod handshake;
pub mod http;
mod inputs;
mod journal;
mod lists;
mod mirror;
mod model;
mod offer;
mod requests;
mod restarting;
mod results;
mod tasks;
mod using;
mod variants;
mod watching;

#[cfg(test)]
mod tests;

pub use conduct::{Conduct, Declares, Habit, Host};
pub use fault::{CLIENT_FAULTS, ClientFault, ClientFaultInfo, ClientHttpFault};
pub use variants::{ClientVariant, variants};

/// A line longer than this is not kept, in bytes.
const LONGEST: usize = 16 << 20;

/// The most entries of an array that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// The signal by which processes are asked to end.
const SIGTERM: i32 = 15;

/// What the client does, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outlet {
    /// The deeds since it was last emptied.
    pub deeds: Vec<Deed>,
}

/// One thing that the client does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Writes to the server.
    Write(Vec<u8>),
    /// Sends an HTTP request under a number of its own, on a connection of its own.
    Ask(u32, Request),
    /// Closes the connection of an HTTP request whose response is not over.
    Abandon(u32),
    /// Writes to its own standard error.
    Stderr(String),
    /// Begins to carry out a wish; its JSON text.
    Wish(String),
    /// Says what its user sees; JSON text.
    Surface(String),
    /// Starts a new process of a server that has ended.
    Restart,
    /// Sends the server's process a signal.
    Signal(i32),
    /// Fetches what is at an address, or has it opened for its user. What comes is of no interest.
    Fetch {
        /// The address.
        url: String,
        /// Whether it goes wherever it is led on to.
        follows: bool,
    },
    /// Closes the server's input, or ends its session.
    HangUp,
    /// Ends, with this status.
    Exit(i32),
    /// Ends, by this signal.
    Die(i32),
}

impl Outlet {
    /// Everything that was written to the server.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let written =
            self.deeds.iter().filter_map(|deed| if let Deed::Write(bytes) = deed { Some(bytes) } else { None });
        written.flatten().copied().collect()
    }

    fn write(&mut self, bytes: Vec<u8>) {
        match self.deeds.last_mut() {
            Some(Deed::Write(before)) => before.extend(bytes),
            _ => self.deeds.push(Deed::Write(bytes)),
        }
    }
}

/// How messages travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// On lines.
    Lines,
    /// Each in an HTTP request of its own, to one endpoint.
    Streamable,
    /// Over HTTP in the way of 2024-11-05: by POST to the server, and on one stream to the client.
    Old,
}

/// The embedded reference client.
///
/// It is sans I/O and deterministic: the same bytes at the same moments lead to the same deeds. After [`Deed::Exit`] it
/// takes nothing and does nothing.
#[derive(Debug)]
pub struct Client {
    conduct: Conduct,
    wishes: VecDeque<Wish>,
    errands: Vec<Errand>,
    errands_so_far: u64,
    connection: Connection,
    pending: Vec<Pending>,
    requests_so_far: u64,
    listings: Listings,
    cache: Cache,
    subscriptions: Vec<Subscription>,
    /// The folders that the server may know of.
    roots: Vec<String>,
    /// The answers to the entries of an array, while it is worked on.
    batch: Option<Vec<Message>>,
    /// The lowest level of log messages wanted with modern requests.
    level: Option<String>,
    journal: Journal,
    grudge: Grudge,
    lines: Lines,
    /// The latest moment that the client was told of.
    now: Duration,
    /// The server's input is closed.
    hung_up: bool,
    way: Way,
    /// What was asked in a session that is gone, and is to be asked in the next one.
    unserved: Vec<Pending>,
    /// How many sessions in a row have gone before anything was answered.
    sessions_lost: u32,
    /// The server's output has ended.
    server_gone: bool,
    /// The legacy revision that whoever started it told it of; an honest client finds out for itself.
    told: Option<Revision>,
    /// What was agreed on with a server that is gone.
    former: Option<Terms>,
    /// How often the server was started again.
    restarts: u32,
    /// A wish could not be carried out because there was no server for it.
    disappointed: bool,
    exited: bool,
}

impl Client {
    /// A client whose user wants this.
    #[must_use]
    pub fn new(conduct: Conduct, wishes: Vec<Wish>) -> Self {
        Self {
            conduct,
            wishes: wishes.into(),
            errands: Vec::new(),
            errands_so_far: 0,
            connection: Connection::None,
            pending: Vec::new(),
            requests_so_far: 0,
            listings: Listings::default(),
            cache: Cache::default(),
            subscriptions: Vec::new(),
            roots: vec![inputs::FOLDER.to_owned()],
            batch: None,
            level: None,
            journal: Journal::default(),
            grudge: Grudge::default(),
            lines: Lines::up_to(LONGEST),
            now: Duration::ZERO,
            hung_up: false,
            way: Way::Lines,
            unserved: Vec::new(),
            sessions_lost: 0,
            server_gone: false,
            told: None,
            former: None,
            restarts: 0,
            disappointed: false,
            exited: false,
        }
    }

    /// The same client, told which revision its server prefers.
    #[must_use]
    pub fn told(mut self, revision: Revision) -> Self {
        self.told = Some(revision).filter(|revision| revision.era() == Era::Legacy);
        self
    }

    /// Begins to carry out the wishes.
    pub fn begin(&mut self, now: Duration, out: &mut Outlet) {
        self.now = now;
        self.proceed(out);
    }

    /// Takes bytes of the server as they arrive, cut anywhere.
    pub fn receive(&mut self, now: Duration, mut bytes: &[u8], out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        if self.tampers() && self.faulty(ClientFault::ReadsChunks) {
            self.lines = Lines::up_to(LONGEST);
        }
        while !self.exited && !self.grudge.is_stuck {
            let mut assembled = Vec::new();
            let mut lines = std::mem::take(&mut self.lines);
            let next = lines.next(&mut bytes, &mut assembled);
            self.lines = lines;
            match next {
                Some(line) => self.take(line, out),
                None => return,
            }
        }
    }

    /// Takes a message that stands alone, as HTTP brings it.
    fn hear(&mut self, now: Duration, message: Line<'_>, out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        if !self.exited && !self.grudge.is_stuck {
            self.take(message, out);
        }
    }

    /// Learns that the server's output has ended: nothing that was asked will be answered.
    pub fn end_of_input(&mut self, now: Duration, out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        self.grudge.is_stuck |= self.faulty(ClientFault::LingersAtEnd);
        if self.exited || self.server_gone || self.grudge.is_stuck {
            return;
        }
        let mut assembled = Vec::new();
        if let Some(line) = self.lines.rest(&mut assembled) {
            self.take(line, out);
        }
        self.server_gone = true;
        self.lose_everything(out);
        self.proceed(out);
    }

    /// Learns that the server has written to its standard error, which says nothing of failure.
    pub fn overhear(&mut self, now: Duration, text: &str, out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        if !text.is_empty() && self.terms().is_some() && self.faulty(ClientFault::TakesStderrForFailure) {
            self.hang_up(out);
            self.lose_everything(out);
            self.proceed(out);
        }
    }

    /// The next moment at which the client wants to be woken, if any.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if self.exited || self.grudge.is_stuck {
            return None;
        }
        let errands = self.errands.iter().filter_map(Errand::wakes);
        self.pending.iter().map(|pending| pending.deadline).chain(errands).chain(self.grudge_wakes()).min()
    }

    /// Does what is due by now.
    pub fn wake(&mut self, now: Duration, out: &mut Outlet) {
        while let Some(due) = self.wake_at().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            if let Some(position) = self.pending.iter().position(|pending| pending.deadline == due) {
                self.expire(position, out);
            } else if let Some(number) =
                self.errands.iter().find(|errand| errand.wakes() == Some(due)).map(Errand::number)
            {
                self.awaken(number, out);
            } else if !self.act_on_grudge(due, out) {
                return;
            }
            self.proceed(out);
        }
    }

    /// Simulated vital signs.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let peak_bytes = (self.lines.peak() + self.grudge.hoard) as u64;
        Vitals { peak_bytes, cpu: self.grudge.busy, children_left: 0 }
    }

    fn take(&mut self, line: Line<'_>, out: &mut Outlet) {
        match line {
            Line::Whole(line) => match Incoming::sort(line, self.faulty(ClientFault::RunsInvalidRequests)) {
                Incoming::Array => self.array(line, out),
                incoming => self.handle(incoming, out),
            },
            Line::Overlong => self.refuse(None, code::INVALID_REQUEST, "a message was too long to keep", out),
        }
        self.proceed(out);
    }

    fn handle(&mut self, incoming: Incoming<'_>, out: &mut Outlet) {
        match incoming {
            Incoming::Blank => {}
            Incoming::NotJson => self.refuse(None, code::PARSE_ERROR, "a line was not JSON", out),
            Incoming::Array => self.note("an array inside an array", out),
            Incoming::Invalid { silent: true, .. } => self.note("a line was no sound message", out),
            Incoming::Invalid { id, silent: false } => {
                self.refuse(id.as_ref(), code::INVALID_REQUEST, "a line was no message", out);
            }
            Incoming::Response { id, result, error } => self.response(&id, result, error, out),
            Incoming::Notification { method, params } => self.notified(&method, params, out),
            Incoming::Request { id, method, params } => self.asked(&id, &method, params, out),
        }
    }

    /// A batch, where there are batches.
    fn array(&mut self, line: &[u8], out: &mut Outlet) {
        let is_known = match self.revision() {
            Some(Revision::V2025_03_26) => !self.faulty(ClientFault::RefusesBatches),
            Some(revision) => self.lenient() && revision < Revision::V2026_07_28,
            None => false,
        };
        if !is_known {
            if self.is_given_to(Habit::RefusesArrays) {
                self.answer_unreadable(None, code::INVALID_REQUEST, "there are no batches here", out);
            }
            self.note("an array came, and there are no batches here", out);
            return;
        }
        self.batch = Some(Vec::new());
        let mut entries = incoming::entries(line);
        entries.truncate(MOST_ENTRIES);
        if self.faulty(ClientFault::AnswersHalfABatch) {
            entries.truncate(entries.len().div_ceil(2));
        }
        for entry in entries {
            if !self.exited {
                self.handle(Incoming::sort(entry.get().as_bytes(), false), out);
            }
        }
        let answers = self.batch.take().unwrap_or_default();
        if (!answers.is_empty() || self.faulty(ClientFault::AnswersEmptyArray)) && !self.hung_up {
            out.write(array(&answers));
        }
    }

    /// Something came that cannot be understood: it is noted, and by some clients answered.
    fn refuse(&mut self, id: Option<&RequestId>, code: i64, why: &str, out: &mut Outlet) {
        if self.faulty(ClientFault::DiesOnGarbage) && code == code::PARSE_ERROR {
            return self.exit(1, out);
        }
        let wrong = match code {
            code::PARSE_ERROR => self.faulty(ClientFault::WrongParseErrorCode),
            _ => self.faulty(ClientFault::WrongInvalidRequestCode),
        };
        // What has the id of a request from here was meant as its answer, and nothing answers an answer.
        let is_answer = id.is_some_and(|id| self.pending.iter().any(|pending| pending.id.same(id)));
        if (self.strict() || self.is_given_to(Habit::AnswersGarbage) || wrong) && !is_answer {
            self.answer_unreadable(id, if wrong { code::INTERNAL_ERROR } else { code }, why, out);
        }
        self.note(why, out);
    }

    fn answer_unreadable(&mut self, id: Option<&RequestId>, code: i64, why: &str, out: &mut Outlet) {
        let Some(revision) = self.revision().filter(|revision| *revision < Revision::V2026_07_28) else { return };
        let null = (revision < Revision::V2025_11_25).then_some("null");
        let message = Message::error(id.map(|id| &*id.raw).or(null), Failure::new(code, why));
        self.send(message, out);
    }

    /// Sends a message; the one way to the server.
    fn send(&mut self, message: Message, out: &mut Outlet) {
        if self.hung_up {
            return;
        }
        if !self.tampers() {
            return self.put(message, out);
        }
        for message in self.tampered(message) {
            match self.miswritten(&message) {
                Some(bytes) => out.write(bytes),
                None => self.put(message, out),
            }
        }
    }

    fn put(&mut self, message: Message, out: &mut Outlet) {
        match &mut self.batch {
            Some(batch) if message.method.is_none() => batch.push(message),
            _ => {
                let batches = self.revision() == Some(Revision::V2025_03_26) && self.is_given_to(Habit::SendsBatches);
                out.write(if batches { array(&[message]) } else { line(&message) });
            }
        }
    }

    fn note(&mut self, what: &str, out: &mut Outlet) {
        if self.journal.may_note() {
            out.deeds.push(Deed::Stderr(format!("{what}\n")));
        }
    }

    /// Closes the server's input; what is still open will not be answered.
    fn hang_up(&mut self, out: &mut Outlet) {
        if !std::mem::replace(&mut self.hung_up, true) {
            out.deeds.push(Deed::HangUp);
        }
    }

    fn exit(&mut self, status: i32, out: &mut Outlet) {
        if self.exited {
            return;
        }
        if self.faulty(ClientFault::SignalsFirst) && !self.hung_up {
            out.deeds.push(Deed::Signal(SIGTERM));
        }
        self.hang_up(out);
        self.exited = true;
        out.deeds.push(Deed::Exit(status));
    }

    /// The revision that was agreed on, if any was.
    fn revision(&self) -> Option<Revision> {
        self.terms().map(|terms| terms.revision)
    }

    fn is_given_to(&self, habit: Habit) -> bool {
        self.conduct.habits.contains(&habit)
    }

    fn strict(&self) -> bool {
        self.conduct.temper == Temper::Strict
    }

    fn lenient(&self) -> bool {
        self.conduct.temper == Temper::Lenient
    }
}

fn line(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.write(&mut bytes);
    bytes.push(b'\n');
    bytes
}

fn array(messages: &[Message]) -> Vec<u8> {
    let mut bytes = vec![b'['];
    for (position, message) in messages.iter().enumerate() {
        if position > 0 {
            bytes.push(b',');
        }
        message.write(&mut bytes);
    }
    bytes.extend_from_slice(b"]\n");
    bytes
}
