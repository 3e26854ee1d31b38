//! A client under test: a command that starts the harness as its stdio server.
//!
//! What it starts is a relay ([`super::relay`]), which comes back to this process through the door of its session. A
//! driver that introduces itself is told what the user wants, one wish at a time; any other client goes its own way.
//!
//! - `conversation`: what is said between the harness and a driver
//! - `door`: where relays come in

mod conversation;
mod door;

use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, ready};
use std::io;
use std::mem;
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};

use super::process::{Seen, Started, quoted};
use super::relay::frames::{Frame, LONGEST};
use super::stream::Pump;
use super::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture};
use crate::revision::{Revision, Side};
use crate::transcript::Vitals;
use crate::user::{self, Brief};
use crate::wire::lines::{Line, Lines};
use conversation::{Conversation, Printed, VERSION};
use door::{Door, News, What};

/// What stands for the server in the command of a client.
pub const SERVER: &str = "{server}";

/// How long nothing must happen for a client to be idle.
const QUIET: Duration = Duration::from_millis(300);
/// How long what a client wrote before its end may take to come; only a process that it left behind makes use of it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How much that is only for people is told at once, in bytes.
const MOST_CHATTER: usize = 64 << 10;
/// How often the vital signs are looked at while something happens.
const PULSE: Duration = Duration::from_millis(5);

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
        let mut environment = self.environment.clone();
        environment.extend(
            [
                ("MCP_CONFORMANCE_SCENARIO", brief.scenario.as_str()),
                ("MCP_CONFORMANCE_PROTOCOL_VERSION", brief.revision.as_str()),
                ("TURNCOAT_SCRIPT", brief.script.as_str()),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let (process, input, output) = Started::new(&with_server(&self.command, &server), &environment)?;
        Ok(Box::new(Running {
            // It may be gone by the next look.
            vitals: process.vitals(),
            process,
            driver: Pump::new(output, input),
            driver_ended: false,
            conversation: Conversation::new(&brief.wishes),
            idle: None,
            door,
            relays: BTreeMap::new(),
            current: None,
            early: Vec::new(),
            lines: Lines::default(),
            ready: VecDeque::new(),
            chatter: Vec::new(),
            leaving: None,
            told: false,
            killed: false,
            next_pulse: Instant::now(),
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
    process: Started,
    driver: Pump<ChildStdout, ChildStdin>,
    driver_ended: bool,
    conversation: Conversation,
    idle: Option<Idle>,
    door: Door,
    relays: BTreeMap<u32, Relay>,
    /// The last relay that came, dead or alive.
    current: Option<u32>,
    /// Orders for the first relay, until it comes.
    early: Vec<Frame>,
    lines: Lines,
    ready: VecDeque<Incoming>,
    /// What the client printed for people since anything else came of it.
    chatter: Vec<u8>,
    leaving: Option<Leaving>,
    /// The end was told.
    told: bool,
    killed: bool,
    /// The last that were seen.
    vitals: Option<Vitals>,
    next_pulse: Instant,
}

/// A wish that nothing happens.
#[derive(Clone, Copy, Debug)]
struct Idle {
    until: Instant,
    quiet_at: Instant,
}

/// The client has ended, and what it left to be read is awaited.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    orphans: bool,
    until: Instant,
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
    Printed(Incoming),
    Seen(Seen),
    Late,
    Pause,
}

impl Running {
    async fn step(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return incoming;
            }
            if self.told {
                pending::<()>().await;
            }
            if let Some(leaving) = self.leaving
                && (self.is_drained() || Instant::now() >= leaving.until)
            {
                self.part(leaving);
                continue;
            }
            if self.converse() {
                continue;
            }
            let wake_at = self.wake_at();
            let next = tokio::select! {
                biased; // What came first through a relay is first: nothing else has an order.
                news = self.door.news() => Next::News(news),
                printed = self.driver.next() => Next::Printed(printed),
                seen = self.process.watch() => Next::Seen(seen),
                () = alarm(wake_at) => Next::Late,
                () = ready(()), if !self.chatter.is_empty() => Next::Pause,
            };
            if !matches!(next, Next::Printed(Incoming::Line { .. })) {
                self.tell_chatter();
            }
            self.take_pulse();
            if let Some(idle) = &mut self.idle
                && !matches!(next, Next::Late | Next::Pause)
            {
                idle.quiet_at = Instant::now() + QUIET;
            }
            match next {
                Next::News(News { relay, what }) => self.hear(relay, what),
                Next::Printed(Incoming::Line { bytes, .. }) => self.read(&bytes),
                Next::Printed(_) => self.driver_ended = true,
                Next::Seen(Seen::Stderr(text)) => self.ready.push_back(Incoming::Stderr(text)),
                Next::Seen(Seen::Gone) => {
                    // A relay that it left behind is not its fault: this one waits for the harness, and no server would.
                    let orphans = self.process.end_others(self.door.token());
                    self.leaving = Some(Leaving { orphans, until: Instant::now() + LAST_WORDS });
                }
                Next::Late | Next::Pause => {}
            }
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let idle = self
            .idle
            .map(|idle| if self.conversation.is_pending() { idle.until } else { idle.until.min(idle.quiet_at) });
        let leaving = self.leaving.map(|leaving| leaving.until);
        idle.into_iter().chain(leaving).min()
    }

    /// Tells a driver what is wanted next; gives whether there was something to do.
    fn converse(&mut self) -> bool {
        if self.leaving.is_some() {
            return false;
        }
        if let Some(idle) = self.idle {
            let now = Instant::now();
            let quiet = now >= idle.quiet_at && !self.conversation.is_pending();
            if now < idle.until && !quiet {
                return false;
            }
            self.idle = None;
        }
        let Some(asked) = self.conversation.next_wish() else {
            if self.conversation.is_over() {
                self.driver.close();
            }
            return false;
        };
        let now = Instant::now();
        match asked.idle {
            Some(most) => self.idle = Some(Idle { until: now + most, quiet_at: now + QUIET }),
            None => self.driver.write(vec![format!("{}\n", asked.text).into_bytes()]),
        }
        self.ready.push_back(Incoming::Wish(asked.text));
        true
    }

    /// Takes a line that the client printed.
    fn read(&mut self, line: &[u8]) {
        match self.conversation.printed(line) {
            Printed::Greeting => {}
            Printed::Surface => {
                self.tell_chatter();
                self.ready.push_back(Incoming::Surface(String::from_utf8_lossy(line).into_owned()));
            }
            Printed::Other => {
                self.chatter.extend_from_slice(line);
                self.chatter.push(b'\n');
            }
            Printed::Foreign => {
                let what = format!("turncoat: this driver speaks another version of the protocol than {VERSION}\n");
                self.chatter.extend_from_slice(what.as_bytes());
            }
        }
        if self.chatter.len() > MOST_CHATTER {
            self.tell_chatter();
        }
    }

    /// Hands on what is only for people, in few pieces.
    fn tell_chatter(&mut self) {
        let kept = self.process.keep(&mem::take(&mut self.chatter));
        if !kept.is_empty() {
            self.ready.push_back(Incoming::Stderr(kept));
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
                let Self { lines, ready, .. } = self;
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
            What::Said(Frame::Signal(signal)) if is_current => self.ready.push_back(Incoming::Signalled(signal)),
            What::Said(Frame::Bye) => relay.parted = true,
            What::Said(_) => {}
            What::Gone => {
                let Relay { ended, dismissed, parted, .. } = *relay;
                self.relays.remove(&number);
                if !is_current || self.killed {
                    return;
                }
                if !parted && !self.process.is_gone() {
                    self.ready.push_back(Incoming::Signalled(9));
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
        self.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        for order in mem::take(&mut self.early) {
            let _ = orders.send(order);
        }
        self.relays.insert(number, Relay { orders, ended: false, dismissed: false, parted: false });
        self.current = Some(number);
        self.conversation.started();
        self.ready.push_back(Incoming::Connected { number, beside });
    }

    fn end_input(&mut self) {
        self.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        self.ready.push_back(Incoming::Ended);
    }

    /// Whether everything that the client left to be read was read.
    fn is_drained(&self) -> bool {
        let relay = self.current.and_then(|current| self.relays.get(&current));
        self.driver_ended && self.process.is_mute() && relay.is_none_or(|relay| relay.ended)
    }

    /// Tells that the client is gone.
    fn part(&mut self, leaving: Leaving) {
        let relay = self.current.and_then(|current| self.relays.get(&current));
        if relay.is_some_and(|relay| !relay.ended) {
            self.end_input();
        }
        self.told = true;
        self.ready.push_back(self.process.exited(leaving.orphans));
        self.end();
    }

    /// Ends the client and its relays.
    fn end(&mut self) {
        self.order(Frame::Exit(0));
        self.process.end();
    }

    /// Tells the relay that speaks for the harness something, or the first one once it comes.
    fn order(&mut self, order: Frame) {
        let Some(current) = self.current else { return self.early.push(order) };
        if let Some(relay) = self.relays.get_mut(&current) {
            relay.dismissed |= matches!(order, Frame::Exit(_));
            let _ = relay.orders.send(order);
        }
    }

    fn take_pulse(&mut self) {
        let now = Instant::now();
        if now >= self.next_pulse {
            self.next_pulse = now + PULSE;
            self.vitals = self.process.vitals().or(self.vitals);
        }
    }
}

fn incoming(line: Line, unfinished: bool) -> Incoming {
    Incoming::Line { bytes: line.bytes, cut: line.cut, unfinished, via: None }
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
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

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        self.process.vitals().or(self.vitals)
    }

    fn kill(&mut self) {
        self.killed = true;
        self.relays.clear();
        self.process.end();
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
