//! The reference server behind HTTP: Streamable HTTP in its two shapes, and the older HTTP+SSE.
//!
//! A [`Gateway`] is to HTTP what [`Server`](super::Server) is to stdio: whole requests and moments in, reactions out, no
//! socket and no clock. It keeps one server for each legacy session and one for all modern requests, and brings what
//! they write to the connection that it belongs to.

use std::time::Duration;

use self::conversation::{Conversation, Kind};

use self::reply::Reply;
use super::Vitals;
use super::behaviour::{Behaviour, Temper};
use super::fault::HttpFault;
use super::incoming::Incoming;
use super::server::Changed;
use crate::revision::{Revision, Revisions};

mod conversation;
mod faults;
mod guard;
mod headers;
mod legacy;
mod modern;
mod old;
mod reading;
mod reply;
mod sessions;
mod stream;

#[cfg(test)]
mod tests;

pub use reading::HttpReading;

/// The path of the one endpoint of Streamable HTTP.
const ENDPOINT: &str = "/mcp";
/// The path at which HTTP+SSE begins.
const EVENTS: &str = "/sse";
/// The path that HTTP+SSE takes messages at.
const MESSAGES: &str = "/messages";
/// The largest body that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// A whole HTTP request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Request {
    /// The method of HTTP, in capitals.
    pub verb: String,
    /// The path and what follows it, as in the first line.
    pub target: String,
    /// Names and values in the order in which they came. Values may have white space around them.
    pub headers: Vec<(String, String)>,
    /// The body, without what frames it.
    pub body: Vec<u8>,
}

/// What the gateway wants done with the connection of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reaction {
    /// The head of an answer whose body has no length yet; [`Reaction::Data`] and an end follow.
    Head {
        /// The request that is answered.
        number: u32,
        /// The status code.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
    },
    /// A complete answer, which has the length of its body in its head.
    Whole {
        /// The request that is answered.
        number: u32,
        /// The status code.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Some of the body after a [`Reaction::Head`].
    Data {
        /// The request that is answered.
        number: u32,
        /// Bytes of the body.
        bytes: Vec<u8>,
    },
    /// The body has ended properly.
    End {
        /// The request that is answered.
        number: u32,
    },
    /// The connection is cut, whatever is still missing.
    Abort {
        /// The request that was being answered.
        number: u32,
    },
}

/// The reference server as its HTTP clients see it.
///
/// It is sans I/O and deterministic. Every request carries a number that its caller chooses and does not use again.
#[derive(Debug)]
pub struct Gateway {
    behaviour: Behaviour,
    conversations: Vec<Conversation>,
    /// The ids of sessions that are over.
    ended: Vec<String>,
    minted: u64,
    seed: u64,
    /// What tools have changed, where no session remembers it.
    changed: Changed,
    /// The most bytes of a body so far.
    largest: usize,

    exited: Option<i32>,
}

/// A message that was POSTed to the endpoint.
#[derive(Debug)]
struct Post<'r> {
    now: Duration,
    number: u32,
    request: &'r Request,
    incoming: Incoming<'r>,
}

impl Gateway {
    /// A fresh server.
    #[must_use]
    pub fn new(behaviour: Behaviour) -> Self {
        Self::seeded(behaviour, 0)
    }

    /// A fresh server whose session ids are drawn from this seed.
    #[must_use]
    pub fn seeded(behaviour: Behaviour, seed: u64) -> Self {
        let mut gateway = Self {
            behaviour,
            conversations: Vec::new(),
            ended: Vec::new(),
            minted: 0,
            seed,
            changed: Changed::default(),
            largest: 0,

            exited: None,
        };
        if gateway.behaviour.modern() {
            gateway.conversations.push(Conversation::new(&gateway.behaviour, Kind::Modern, String::new()));
        }
        gateway
    }

    /// Takes a whole request and does at once what can be done at once.
    pub fn request(&mut self, now: Duration, number: u32, request: Request, out: &mut Vec<Reaction>) {
        if self.exited.is_some() {
            out.push(Reaction::Abort { number });
            return;
        }
        self.wake(now, out);
        self.largest = self.largest.max(request.body.len());
        if self.misreceives(number, &request, out) {
            return;
        }
        if let Err(reply) = self.route(now, number, &request, out) {
            let plain = reply.informal && self.reads(HttpReading::PlainRefusals);
            if plain { reply.in_words() } else { reply }.send(number, out);
        }
        self.tidy(out);
    }

    /// Learns that the client has closed the connection of a request before it was over.
    pub fn disconnected(&mut self, now: Duration, number: u32, out: &mut Vec<Reaction>) {
        self.wake(now, out);
        let held = self.conversations.iter().position(|conversation| conversation.holds(number));
        let Some(position) = held.filter(|_| self.exited.is_none()) else { return };
        if self.conversations[position].kind == Kind::Old {
            self.conversations.remove(position);
            return;
        }
        self.with(position, |conversation| conversation.disconnected(now, number, out));
        self.tidy(out);
    }

    /// The next moment at which the server wants to be woken, if any.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        if self.exited.is_some() {
            return None;
        }
        self.conversations.iter().filter_map(|conversation| conversation.server.wake_at()).min()
    }

    /// Does what is due by now.
    pub fn wake(&mut self, now: Duration, out: &mut Vec<Reaction>) {
        while let Some(due) = self.wake_at().filter(|due| *due <= now) {
            let next = self.conversations.iter().position(|conversation| conversation.server.wake_at() == Some(due));
            let Some(position) = next else { return };
            self.with(position, |conversation| conversation.wake(due, out));
            self.tidy(out);
        }
    }

    /// The exit status, once the server has ended; it answers nobody after that.
    #[must_use]
    pub fn exited(&self) -> Option<i32> {
        self.exited
    }

    /// Simulated vital signs.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let all = self.conversations.iter().map(|conversation| conversation.server.vitals());
        all.fold(Vitals { peak_bytes: self.largest as u64, ..Vitals::default() }, |sum, one| Vitals {
            peak_bytes: sum.peak_bytes + one.peak_bytes,
            cpu: sum.cpu + one.cpu,
            children_left: sum.children_left.max(one.children_left),
        })
    }

    /// Finds who serves the request, or says why nobody does.
    fn route(&mut self, now: Duration, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        if let Err(refusal) = self.admit(request) {
            self.serves_anyway(HttpFault::ServesRefusedOrigins, number, |gateway, out| {
                gateway.serve(now, number, request, out)
            });
            return Err(refusal);
        }
        self.serve(now, number, request, out)
    }

    /// Takes a request that may come in to the path and the verb that it names.
    fn serve(&mut self, now: Duration, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        let streamable = self.behaviour.modern() || !self.streamable().is_empty();
        let old = self.behaviour.revisions.has(Revision::V2024_11_05);
        let verb = request.verb.as_str();
        match request.path() {
            path if streamable && self.is_endpoint(path) => match verb {
                "POST" => self.post(now, number, request, out),
                "GET" if !self.streamable().is_empty() => self.listen(number, request, out),
                "DELETE" if !self.streamable().is_empty() => self.delete(number, request, out),
                "GET" | "DELETE" => Err(self.without_sessions()),
                _ => Err(Reply::wrong_verb("POST, GET, DELETE")),
            },
            EVENTS if old => match verb {
                "GET" => self.open_old(number, request, out),
                _ => Err(Reply::wrong_verb("GET")),
            },
            MESSAGES if old => match verb {
                "POST" => self.post_old(now, number, request, out),
                _ => Err(Reply::wrong_verb("POST")),
            },
            _ => Err(Reply::empty(404)),
        }
    }

    /// The legacy revisions that it speaks over Streamable HTTP.
    fn streamable(&self) -> Revisions {
        self.behaviour.legacy().and(Revisions::since(Revision::V2025_03_26))
    }

    /// Takes a POST to the endpoint to the era that it belongs to.
    fn post(&mut self, now: Duration, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        self.accept(request)?;
        let post = Post { now, number, request, incoming: self.sort(&request.body) };
        self.misplaces(&post)?;
        let done = if self.is_modern(&post) { self.post_modern(&post, out) } else { self.post_legacy(&post, out) };
        done.map_err(|reply| self.misrefuses(&post.incoming, reply))
    }

    /// Lets a conversation do something, with what it shares with others.
    fn with<T>(&mut self, position: usize, act: impl FnOnce(&mut Conversation) -> T) -> T {
        let conversation = &mut self.conversations[position];
        if conversation.kind != Kind::Stateless {
            return act(conversation);
        }
        conversation.server.changed = self.changed;
        let done = act(conversation);
        self.changed = conversation.server.changed;
        done
    }

    /// Forgets what is over; and if a server has exited, everything.
    fn tidy(&mut self, out: &mut Vec<Reaction>) {
        self.exited = self.exited.or_else(|| self.conversations.iter().find_map(|conversation| conversation.exited));
        if self.exited.is_some() {
            let open = self.conversations.iter().flat_map(Conversation::connections);
            out.extend(open.map(|number| Reaction::Abort { number }));
            self.conversations.clear();
            return;
        }
        self.conversations.retain(|conversation| !conversation.is_over());
    }

    fn strict(&self) -> bool {
        self.behaviour.temper == Temper::Strict
    }

    fn lenient(&self) -> bool {
        self.behaviour.temper == Temper::Lenient
    }

    fn fails(&self, fault: HttpFault) -> bool {
        self.behaviour.fails(fault)
    }

    fn reads(&self, reading: HttpReading) -> bool {
        self.behaviour.http.contains(&reading)
    }
}

impl Request {
    /// The path, without query and without the scheme and authority of an absolute form.
    fn path(&self) -> &str {
        let target = self.target.as_str();
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => target,
        };
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// A parameter of the query.
    fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The first value of a header, without the white space around it.
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_matches([' ', '\t']))
    }
}
