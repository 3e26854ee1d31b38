//! The reference client over HTTP: Streamable HTTP in its two shapes, and the older HTTP+SSE.
//!
//! An [`HttpClient`] is to HTTP what [`Client`] is to stdio: pieces of responses and moments in, deeds out, no socket and no
//! clock. It wraps a [`Client`], sends each of its messages in an HTTP request of its own, and reads to it what the
//! responses say.
//!
//! - `posting`: requests and their header lines
//! - `reading`: responses, and what is lost with them
//! - `streams`: the stream that is listened to, and streams that broke
//! - `leaving`: the end
//! - `faults`: what can be wrong

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use self::faults::Slips;
use self::leaving::Farewell;
use self::reading::Form;
use self::streams::{Listener, Resumption};
use super::{Client, Conduct, Deed, LONGEST, Outlet, Way};
use crate::reference::Vitals;
use crate::reference::incoming::RequestId;
use crate::reference::lines::Line;
use crate::revision::{Revision, Revisions};
use crate::user::Wish;
use crate::wire::http::{Headers, Request};

mod faults;
mod leaving;
mod posting;
mod reading;
mod streams;

#[cfg(test)]
mod tests;

/// The embedded reference client over HTTP.
///
/// It is sans I/O and deterministic. Each [`Deed::Ask`] has a number of its own, under which its caller tells what becomes
/// of it: [`head`](Self::head), [`body`](Self::body), and one of [`end`](Self::end) and [`refused`](Self::refused).
#[derive(Debug)]
pub struct HttpClient {
    client: Client,
    authority: String,
    /// The path that the user gave.
    target: String,
    exchanges: BTreeMap<u32, Exchange>,
    last: u32,
    session: Option<String>,
    /// The revision of the latest handshake.
    agreed: Option<Revision>,
    /// Where messages go in HTTP+SSE, once the server has said so.
    endpoint: Option<String>,
    /// Messages that wait for that.
    waiting: VecDeque<Vec<u8>>,
    listener: Listener,
    resumptions: Vec<Resumption>,
    farewell: Option<Farewell>,
    /// What the client within does.
    own: Outlet,
    /// The most bytes of a body so far.
    largest: usize,
    slips: Slips,
}

/// An HTTP request whose response is not over.
#[derive(Debug)]
struct Exchange {
    purpose: Purpose,
    /// The requests of which it has to bring the answers.
    awaited: Vec<RequestId>,
    /// The session that it was sent in.
    session: Option<String>,
    is_modern: bool,
    status: Option<u16>,
    form: Form,
    /// The id of the last event that had one.
    last_event: Option<String>,
    /// How long to wait before coming back, in milliseconds.
    retry: Option<u64>,
    /// How often its stream was come back to without anything new.
    tries: u32,
    /// The message, for a client that may send it again.
    line: Option<Vec<u8>>,
}

/// What an HTTP request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// A message that is answered.
    Asks,
    /// The handshake of a session.
    Opens,
    /// A message that is not answered.
    Tells,
    /// The message that ends the handshake.
    Confirms,
    /// Whatever belongs to no request.
    Listens,
    /// The rest of a stream.
    Resumes,
    /// The stream of HTTP+SSE.
    Carries,
    /// The end of the session.
    Leaves,
}

impl Exchange {
    fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            awaited: Vec::new(),
            session: None,
            is_modern: false,
            status: None,
            form: Form::Unknown,
            last_event: None,
            retry: None,
            tries: 0,
            line: None,
        }
    }

    fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl HttpClient {
    /// A client whose user wants this from a server at this authority and path.
    #[must_use]
    pub fn new(conduct: Conduct, wishes: Vec<Wish>, authority: &str, target: &str) -> Self {
        let mut client = Client::new(conduct, wishes);
        let is_old = client.conduct.revisions == Revisions::of(&[Revision::V2024_11_05]);
        client.way = if is_old { Way::Old } else { Way::Streamable };
        Self {
            client,
            authority: authority.to_owned(),
            target: target.to_owned(),
            exchanges: BTreeMap::new(),
            last: 0,
            session: None,
            agreed: None,
            endpoint: None,
            waiting: VecDeque::new(),
            listener: Listener::default(),
            resumptions: Vec::new(),
            farewell: None,
            own: Outlet::default(),
            largest: 0,
            slips: Slips::default(),
        }
    }

    /// The same client, told which revision its server prefers.
    #[must_use]
    pub fn told(mut self, revision: Revision) -> Self {
        self.client = self.client.told(revision);
        self
    }

    /// Begins to carry out the wishes.
    pub fn begin(&mut self, now: Duration, out: &mut Outlet) {
        self.client.begin(now, &mut self.own);
        self.carry(now, out);
    }

    /// The head of a response.
    pub fn head(&mut self, now: Duration, number: u32, status: u16, headers: &Headers, out: &mut Outlet) {
        self.take_head(now, number, status, headers, out);
        self.carry(now, out);
    }

    /// Some of the body of a response, cut anywhere.
    pub fn body(&mut self, now: Duration, number: u32, bytes: &[u8], out: &mut Outlet) {
        self.take_body(now, number, bytes, out);
        self.carry(now, out);
    }

    /// The end of a response: whole as its framing has it, or broken off.
    pub fn end(&mut self, now: Duration, number: u32, is_whole: bool, out: &mut Outlet) {
        self.take_end(now, number, is_whole, out);
        self.carry(now, out);
    }

    /// Nobody is there to take a connection.
    pub fn refused(&mut self, now: Duration, number: u32, out: &mut Outlet) {
        let Some(exchange) = self.exchanges.remove(&number) else { return };
        if self.farewell.is_none() {
            self.client.end_of_input(now, &mut self.own);
            self.lose(now, &exchange.awaited, &super::requests::Trouble::Lost("the server has gone"));
        }
        self.carry(now, out);
    }

    /// The next moment at which the client wants to be woken, if any.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        let farewell = self.farewell.as_ref().and_then(Farewell::until);
        let streams = self.streams_wake().filter(|_| self.farewell.is_none());
        self.client.wake_at().into_iter().chain(streams).chain(farewell).min()
    }

    /// Does what is due by now.
    pub fn wake(&mut self, now: Duration, out: &mut Outlet) {
        self.client.wake(now, &mut self.own);
        self.carry(now, out);
        self.wake_streams(now, out);
        self.carry(now, out);
    }

    /// Simulated vital signs.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let vitals = self.client.vitals();
        Vitals { peak_bytes: vitals.peak_bytes + self.largest as u64, ..vitals }
    }

    /// Does what the client within wants done.
    fn carry(&mut self, now: Duration, out: &mut Outlet) {
        while !self.own.deeds.is_empty() {
            for deed in std::mem::take(&mut self.own.deeds) {
                if let Some(revision) = self.client.revision() {
                    self.agreed = Some(revision);
                }
                match deed {
                    Deed::Write(bytes) => {
                        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                        lines.for_each(|line| self.say(line, out));
                    }
                    Deed::HangUp => self.hang_up(now, out),
                    Deed::Exit(_) => self.leave(deed),
                    Deed::Die(_) => {
                        self.abandon(|_| true, out);
                        out.deeds.push(deed);
                    }
                    other => out.deeds.push(other),
                }
            }
        }
        self.leave_on(now, out);
    }

    /// Reads a message of the server to the client within.
    fn hear(&mut self, now: Duration, message: Option<&[u8]>, out: &mut Outlet) {
        let line = message.filter(|message| message.len() <= LONGEST).map_or(Line::Overlong, Line::Whole);
        self.client.hear(now, line, &mut self.own);
        self.carry(now, out);
    }

    /// Opens an exchange.
    fn ask(&mut self, exchange: Exchange, verb: &str, target: String, headers: Headers, body: &[u8], out: &mut Outlet) {
        self.last += 1;
        let body = Some(body.to_vec()).filter(|body| !body.is_empty());
        let request = Request { verb: verb.to_owned(), target, headers, body: body.into_iter().collect() };
        self.exchanges.insert(self.last, exchange);
        out.deeds.push(Deed::Ask(self.last, request));
    }

    /// Closes the connections of some exchanges.
    fn abandon(&mut self, which: impl Fn(&Exchange) -> bool, out: &mut Outlet) {
        let chosen: Vec<u32> =
            self.exchanges.iter().filter(|(_, exchange)| which(exchange)).map(|(number, _)| *number).collect();
        for number in chosen {
            self.exchanges.remove(&number);
            out.deeds.push(Deed::Abandon(number));
        }
    }
}
