//! Clients under test: commands that start the harness as their stdio server.
//!
//! What it starts is a relay ([`super::relay`]), which comes back to this process through the door of its session. A
//! driver that introduces itself is told what the user wants, one wish at a time; any other client goes its own way.
//!
//! - `conversation`: what is said between the harness and a driver
//! - `door`: where relays come in
//! - `guided`: the process and the conversation
//! - [`http`]: clients that come over HTTP instead

mod conversation;
mod door;
mod guided;
pub mod http;

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::mem;

use tokio::sync::mpsc::UnboundedSender;

use super::process::quoted;
use super::relay::frames::{Frame, LONGEST};
use super::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture};
use crate::revision::{Revision, Side};
use crate::transcript::Vitals;
use crate::user::{self, Brief};
use crate::wire::lines::{Line, Lines};
use door::{Door, News, What};
use guided::{Guided, Moved};

/// What stands for the server in the command of a client.
pub const SERVER: &str = "{server}";

/// A client that is started anew for each session.
#[derive(Clone, Debug)]
pub struct Driven {
    command: Vec<String>,
    relay: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Driven {
    /// A client with this command line, in which [`SERVER`] stands for the server: an argument of its own becomes several,
    /// and inside of another one it becomes words as a shell reads them. The relay command is the one that takes an
    /// address and a token as its last arguments and calls [`super::relay::run`].
    #[must_use]
    pub fn new(command: Vec<String>, relay: Vec<String>) -> Self {
        Self { command, relay, environment: BTreeMap::new() }
    }

    /// The same with these variables added to its environment.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    async fn start(&self, brief: &Brief) -> io::Result<Box<dyn Link>> {
        let door = Door::open().await?;
        let server: Vec<_> = self.relay.iter().cloned().chain(door.words()).collect();
        Ok(Box::new(Running {
            client: Guided::start(&with_server(&self.command, &server), &self.environment, brief)?,
            door,
            relays: BTreeMap::new(),
            current: None,
            early: Vec::new(),
            lines: Lines::default(),
            told: false,
            killed: false,
        }))
    }
}

/// The command line with the words of the server in their places.
fn with_server(command: &[String], server: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for word in command {
        if word == SERVER {
            words.extend(server.iter().cloned());
        } else {
            let all: Vec<_> = server.iter().map(|word| quoted(word)).collect();
            words.push(word.replace(SERVER, &all.join(" ")));
        }
    }
    words
}

impl Adapter for Driven {
    fn side(&self) -> Side {
        Side::Client
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let revision = Revision::V2026_07_28;
            let scenario = "tools_call".to_owned();
            let brief = Brief { script: String::new(), scenario, revision, wishes: user::usual() };
            self.start(&brief).await.map_err(|source| OpenError { subject: self.command.join(" "), source })
        })
    }

    fn open_for<'a>(&'a self, brief: &'a Brief) -> OpenFuture<'a> {
        Box::pin(async {
            self.start(brief).await.map_err(|source| OpenError { subject: self.command.join(" "), source })
        })
    }

    fn describe(&self) -> Description {
        let words = self.command.iter().map(|word| quoted(word));
        Description {
            transport: "stdio".to_owned(),
            command: Some(self.command.clone()),
            url: None,
            mode: vec!["client".to_owned()],
            target: std::iter::once("--".to_owned()).chain(words).collect(),
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }
}

struct Running {
    client: Guided,
    door: Door,
    relays: BTreeMap<u32, Relay>,
    /// The last relay that came, dead or alive.
    current: Option<u32>,
    /// Orders for the first relay, until it comes.
    early: Vec<Frame>,
    lines: Lines,
    /// The end was told.
    told: bool,
    killed: bool,
}

/// A relay that lives.
#[derive(Debug)]
struct Relay {
    orders: UnboundedSender<Frame>,
    /// Its input has ended.
    ended: bool,
    /// It was told to end.
    dismissed: bool,
    /// It said that it would end.
    parted: bool,
}

enum Next {
    News(News),
    Moved(Moved),
}

impl Running {
    async fn step(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.client.ready.pop_front() {
                return incoming;
            }
            if self.told {
                pending::<()>().await;
            }
            if let Some(exited) = self.client.has_left(self.is_drained()) {
                self.part(exited);
                continue;
            }
            if self.client.converse() {
                continue;
            }
            let next = tokio::select! {
                biased; // What came first through a relay is first: nothing else has an order.
                news = self.door.news() => Next::News(news),
                moved = self.client.moves() => Next::Moved(moved),
            };
            match next {
                Next::News(News { relay, what }) => {
                    self.client.interrupted();
                    self.hear(relay, what);
                }
                Next::Moved(moved) => {
                    if self.client.took(moved) {
                        // A relay that it left behind is not its fault: this one waits for the harness, and no server would.
                        let orphans = self.client.process.end_others(self.door.token());
                        self.client.leaves(orphans);
                    }
                }
            }
        }
    }

    fn hear(&mut self, number: u32, what: What) {
        if let What::Came { orders } = what {
            return self.welcome(number, orders);
        }
        let is_current = self.current == Some(number);
        let Some(relay) = self.relays.get_mut(&number) else { return };
        match what {
            What::Came { .. } => {}
            What::Said(Frame::Data(bytes)) if is_current => {
                let Self { lines, client: Guided { ready, .. }, .. } = self;
                lines.push(&bytes, |line| ready.push_back(incoming(line, false)));
            }
            What::Said(Frame::Ended) => {
                relay.ended = true;
                if is_current {
                    self.end_input();
                } else {
                    // Nobody speaks through it any more: it does what servers do.
                    let _ = relay.orders.send(Frame::Exit(0));
                }
            }
            What::Said(Frame::Signal(signal)) if is_current => self.client.ready.push_back(Incoming::Signalled(signal)),
            What::Said(Frame::Bye) => relay.parted = true,
            What::Said(_) => {}
            What::Gone => {
                let Relay { ended, dismissed, parted, .. } = *relay;
                self.relays.remove(&number);
                if !is_current || self.killed {
                    return;
                }
                if !parted && !self.client.process.is_gone() {
                    self.client.ready.push_back(Incoming::Signalled(9));
                }
                if !ended && !dismissed {
                    self.end_input();
                }
            }
        }
    }

    /// A relay came. From now on it is the one that speaks for the harness.
    fn welcome(&mut self, number: u32, orders: UnboundedSender<Frame>) {
        let last = self.current.and_then(|last| self.relays.get(&last));
        let beside = last.is_some_and(|last| !last.ended && !last.dismissed);
        self.client.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        for order in mem::take(&mut self.early) {
            let _ = orders.send(order);
        }
        self.relays.insert(number, Relay { orders, ended: false, dismissed: false, parted: false });
        self.current = Some(number);
        self.client.conversation.started();
        self.client.ready.push_back(Incoming::Connected { number, beside });
    }

    fn end_input(&mut self) {
        self.client.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        self.client.ready.push_back(Incoming::Ended);
    }

    /// Whether everything that the client left to be read in its relay was read.
    fn is_drained(&self) -> bool {
        let relay = self.current.and_then(|current| self.relays.get(&current));
        relay.is_none_or(|relay| relay.ended)
    }

    /// Tells that the client is gone.
    fn part(&mut self, exited: Incoming) {
        let relay = self.current.and_then(|current| self.relays.get(&current));
        if relay.is_some_and(|relay| !relay.ended) {
            self.end_input();
        }
        self.told = true;
        self.client.ready.push_back(exited);
        self.end();
    }

    /// Ends the client and its relays.
    fn end(&mut self) {
        self.order(Frame::Exit(0));
        self.client.process.end();
    }

    /// Tells the relay that speaks for the harness something, or the first one once it comes.
    fn order(&mut self, order: Frame) {
        let Some(current) = self.current else { return self.early.push(order) };
        if let Some(relay) = self.relays.get_mut(&current) {
            relay.dismissed |= matches!(order, Frame::Exit(_));
            let _ = relay.orders.send(order);
        }
    }
}

fn incoming(line: Line, unfinished: bool) -> Incoming {
    Incoming::Line { bytes: line.bytes, cut: line.cut, unfinished, via: None }
}

impl Link for Running {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        for frame in pieces.iter().flat_map(|piece| Frame::data(piece)) {
            self.order(frame);
        }
    }

    fn close(&mut self) {
        self.exit(0);
    }

    fn complain(&mut self, text: String) {
        for chunk in text.as_bytes().chunks(LONGEST) {
            self.order(Frame::Stderr(chunk.to_vec()));
        }
    }

    fn exit(&mut self, status: i32) {
        self.order(Frame::CloseOutput);
        self.order(Frame::Exit(status));
    }

    fn endure(&mut self) {
        self.order(Frame::Endure);
    }

    fn canary(&mut self) -> Option<String> {
        self.client.canary()
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        self.client.vitals()
    }

    fn kill(&mut self) {
        self.killed = true;
        self.relays.clear();
        self.client.process.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_takes_its_place_in_the_command() {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let server = owned(&["/a dir/turncoat", "relay"]);
        assert_eq!(
            with_server(&owned(&["x", "{server}", "y"]), &server),
            owned(&["x", "/a dir/turncoat", "relay", "y"])
        );
        assert_eq!(
            with_server(&owned(&["sh", "-c", "run {server}"]), &server),
            owned(&["sh", "-c", "run '/a dir/turncoat' relay"])
        );
    }
}
