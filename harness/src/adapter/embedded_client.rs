//! The reference client of this crate, in memory: no tasks, no pipes, time on tokio's clock.
//!
//! - [`http`]: the same over HTTP

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Adapter, Description, Incoming, Link, NextFuture, OpenFuture};
use crate::reference;
use crate::reference::client::{Client, Conduct, Deed, Outlet};
use crate::revision::Side;
use crate::transcript::{Transport, Vitals};
use crate::user::{self, Brief};
use crate::wire::lines::{Line, Lines};

pub mod http;

/// The address that stands for one that nobody is to call: in memory nobody listens, and what is fetched there is told.
const CANARY: &str = "127.0.0.1:7";

/// The embedded reference client of some conduct, over either transport.
#[must_use]
pub fn over(transport: Transport, conduct: Conduct) -> Box<dyn Adapter> {
    match transport {
        Transport::Stdio => Box::new(EmbeddedClient::new(conduct)),
        Transport::Http => Box::new(http::EmbeddedHttpClient::new(conduct)),
    }
}

/// The embedded reference client of some conduct.
#[derive(Clone, Debug)]
pub struct EmbeddedClient {
    conduct: Conduct,
    options: Vec<String>,
}

impl EmbeddedClient {
    /// A client that behaves like this.
    #[must_use]
    pub fn new(conduct: Conduct) -> Self {
        Self { conduct, options: Vec::new() }
    }

    /// The same, with the options of `turncoat check` that lead to this conduct, for replay commands.
    #[must_use]
    pub fn called(mut self, options: Vec<String>) -> Self {
        self.options = options;
        self
    }

    fn start(&self, client: Client) -> OpenFuture<'_> {
        Box::pin(async {
            let link = Running {
                client,
                start: Instant::now(),
                out: Outlet::default(),
                lines: Lines::default(),
                ready: VecDeque::new(),
                input: VecDeque::new(),
                begun: false,
                closing: false,
                processes: 1,
                hung_up: false,
                ended: false,
            };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}

impl Adapter for EmbeddedClient {
    fn side(&self) -> Side {
        Side::Client
    }

    fn open(&self) -> OpenFuture<'_> {
        self.start(Client::new(self.conduct.clone(), user::usual()))
    }

    fn open_for<'a>(&'a self, brief: &'a Brief) -> OpenFuture<'a> {
        self.start(Client::new(self.conduct.clone(), brief.wishes.clone()).told(brief.revision))
    }

    fn describe(&self) -> Description {
        Description { transport: "memory".to_owned(), mode: self.options.clone(), ..Description::default() }
    }
}

/// A client and the harness's end of its session; the harness is the server.
struct Running {
    client: Client,
    start: Instant,
    out: Outlet,
    lines: Lines,
    ready: VecDeque<Incoming>,
    input: VecDeque<Vec<u8>>,
    begun: bool,
    closing: bool,
    /// How many processes of the server there were.
    processes: u32,
    /// The client has closed the harness's input.
    hung_up: bool,
    ended: bool,
}

impl Running {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Lets the client do one piece of what there is to do at once. Gives whether there was anything.
    fn feed(&mut self) -> bool {
        let now = self.now();
        if !self.begun {
            self.begun = true;
            self.client.begin(now, &mut self.out);
        } else if let Some(piece) = self.input.pop_front() {
            self.client.receive(now, &piece, &mut self.out);
        } else if self.closing {
            self.closing = false;
            self.client.end_of_input(now, &mut self.out);
        } else {
            return false;
        }
        self.collect();
        true
    }

    fn collect(&mut self) {
        for deed in std::mem::take(&mut self.out.deeds) {
            match deed {
                Deed::Write(bytes) => {
                    let ready = &mut self.ready;
                    self.lines.push(&bytes, |line| ready.push_back(incoming(line, false)));
                }
                Deed::Stderr(text) => self.ready.push_back(Incoming::Stderr(text)),
                Deed::Wish(text) => self.ready.push_back(Incoming::Wish(text)),
                Deed::Surface(text) => self.ready.push_back(Incoming::Surface(text)),
                Deed::Restart => self.restart(),
                Deed::Fetch { url, follows } => self.ready.extend(fetched(&url, follows)),
                Deed::Signal(signal) => self.ready.push_back(Incoming::Signalled(signal)),
                Deed::HangUp => self.hang_up(),
                // There is no HTTP here.
                Deed::Ask(..) | Deed::Abandon(_) => {}
                Deed::Exit(code) => {
                    self.hang_up();
                    self.ended = true;
                    self.ready.push_back(Incoming::Exited { code: Some(code), signal: None, orphans: false });
                }
                Deed::Die(signal) => {
                    self.hang_up();
                    self.ended = true;
                    self.ready.push_back(Incoming::Exited { code: None, signal: Some(signal), orphans: false });
                }
            }
        }
    }

    /// The harness's end of a new process of the server.
    fn restart(&mut self) {
        self.processes += 1;
        self.input.clear();
        self.closing = false;
        self.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        self.ready.push_back(Incoming::Connected { number: self.processes, beside: false });
    }

    fn hang_up(&mut self) {
        if !std::mem::replace(&mut self.hung_up, true) {
            self.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
            self.ready.push_back(Incoming::Ended);
        }
    }

    async fn step(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return incoming;
            }
            if self.ended {
                return pending().await;
            }
            if self.feed() {
                continue;
            }
            match self.client.wake_at() {
                Some(at) => {
                    sleep_until(self.start + at).await;
                    self.client.wake(self.start.elapsed(), &mut self.out);
                    self.collect();
                }
                None => return pending().await,
            }
        }
    }
}

/// What the harness hears of an address that the client would call: nothing, unless nobody is to call it.
fn fetched(url: &str, follows: bool) -> Vec<Incoming> {
    let path = url.split_once("://").and_then(|(_, rest)| rest.strip_prefix(CANARY)?.strip_prefix('/'));
    let Some(field) = path.and_then(|path| path.split(['?', '#']).next()) else { return Vec::new() };
    let elsewhere = field.strip_prefix("redirect/").filter(|_| follows);
    [Some(field), elsewhere].into_iter().flatten().map(|field| Incoming::Canary(field.to_owned())).collect()
}

fn incoming(line: Line, unfinished: bool) -> Incoming {
    Incoming::Line { bytes: line.bytes, cut: line.cut, unfinished, via: None }
}

impl Link for Running {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        if !self.ended {
            self.input.extend(pieces);
        }
    }

    fn close(&mut self) {
        self.closing = !self.ended;
    }

    fn complain(&mut self, text: String) {
        if !self.ended {
            self.client.overhear(self.start.elapsed(), &text, &mut self.out);
            self.collect();
        }
    }

    fn canary(&mut self) -> Option<String> {
        Some(CANARY.to_owned())
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        Some(measured(self.client.vitals()))
    }
}

fn measured(vitals: reference::Vitals) -> Vitals {
    let cpu_micros = u64::try_from(vitals.cpu.as_micros()).unwrap_or(u64::MAX);
    Vitals { peak_bytes: vitals.peak_bytes, cpu_micros }
}
