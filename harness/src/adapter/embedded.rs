//! The reference server of this crate, in memory: no tasks, no pipes, time on tokio's clock.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

use super::host::EmbeddedHttp;
use super::{Adapter, Description, Incoming, Link, NextFuture, OpenFuture};
use crate::reference::{Behaviour, Outbox, Server, fixture};
use crate::revision::Side;
use crate::script::{Fixture, Fixtures};
use crate::transcript::{Transport, Vitals};
use crate::wire::lines::{Line, Lines};

/// The embedded reference server with some behaviour.
#[derive(Clone, Debug)]
pub struct Embedded {
    behaviour: Behaviour,
    options: Vec<String>,
}

impl Embedded {
    /// A server that behaves like this.
    #[must_use]
    pub fn server(behaviour: Behaviour) -> Self {
        Self { behaviour, options: Vec::new() }
    }

    /// The same, with the options of `turncoat check` that lead to this behaviour, for replay commands.
    #[must_use]
    pub fn called(mut self, options: Vec<String>) -> Self {
        self.options = options;
        self
    }
}

/// The embedded reference server with some behaviour, over either transport.
#[must_use]
pub fn over(transport: Transport, behaviour: Behaviour) -> Box<dyn Adapter> {
    match transport {
        Transport::Stdio => Box::new(Embedded::server(behaviour)),
        Transport::Http => Box::new(EmbeddedHttp::server(behaviour)),
    }
}

impl Adapter for Embedded {
    fn side(&self) -> Side {
        Side::Server
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let link = Running {
                server: Server::new(self.behaviour.clone()),
                start: Instant::now(),
                out: Outbox::default(),
                lines: Lines::default(),
                ready: VecDeque::new(),
                input: VecDeque::new(),
                closing: false,
                ended: false,
                reading: true,
                told: false,
            };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }

    fn describe(&self) -> Description {
        Description {
            transport: "memory".to_owned(),
            command: None,
            url: None,
            mode: self.options.clone(),
            target: Vec::new(),
        }
    }

    fn fixtures(&self) -> Fixtures {
        fixtures()
    }
}

/// What scripts may use of the reference server, whatever the transport.
#[must_use]
pub fn fixtures() -> Fixtures {
    let tool = |name: &str, arguments: Value| Fixture {
        tool: Some(name.to_owned()),
        arguments: arguments.as_object().cloned().unwrap_or_default(),
        ..Fixture::default()
    };
    [
        ("echo", tool(fixture::ECHO, json!({"text": "${text}"}))),
        ("structured", tool(fixture::ADD, json!({"a": 1, "b": 2}))),
        ("slow", tool(fixture::SLOW, json!({"milliseconds": 500}))),
        ("task", tool(fixture::SLOW, json!({"milliseconds": 500}))),
        ("task-asks-user", tool(fixture::ASK_USER, json!({}))),
        ("requires-task", tool(fixture::TASK_ONLY, json!({}))),
        ("fail", tool(fixture::FAIL, json!({}))),
        ("media", tool(fixture::MEDIA, json!({}))),
        ("logs", tool(fixture::LOG, json!({"level": "error", "message": "a log message"}))),
        ("records", tool(fixture::RECORD, json!({}))),
        ("stops-when-cancelled", tool(fixture::RECORD, json!({"milliseconds": 300}))),
        ("counts", tool(fixture::COUNT, json!({}))),
        ("validates", tool(fixture::VALIDATE, json!({"count": 1, "colour": "red"}))),
        ("validates-draft-07", tool(fixture::TUPLE, json!({"pair": ["a", 1]}))),
        ("odd-dialect", tool(fixture::ODD_DIALECT, json!({}))),
        ("asks-user", tool(fixture::ASK_USER, json!({}))),
        ("asks-model", tool(fixture::ASK_MODEL, json!({}))),
        ("asks-roots", tool(fixture::ASK_ROOTS, json!({}))),
        ("demands-url", tool(fixture::ASK_USER, json!({"mode": "demand"}))),
        ("changes-tools", tool(fixture::TOGGLE_TOOL, json!({}))),
        ("changes-prompts", tool(fixture::TOGGLE_PROMPT, json!({}))),
        ("changes-resources", tool(fixture::TOGGLE_RESOURCE, json!({}))),
        ("updates-resource", tool(fixture::TOUCH_RESOURCE, json!({}))),
        ("ends-subscriptions", tool(fixture::HANG_UP, json!({}))),
        (
            "failing-prompt",
            Fixture { prompt: Some(fixture::RAISE.to_owned()), arguments: Map::new(), ..Fixture::default() },
        ),
        ("updated-resource", Fixture { uri: Some(fixture::TOUCHED.to_owned()), ..Fixture::default() }),
        ("failing-resource", Fixture { uri: Some(fixture::RAISING.to_owned()), ..Fixture::default() }),
    ]
    .into_iter()
    .map(|(name, fixture)| (name.to_owned(), fixture))
    .collect()
}

struct Running {
    server: Server,
    start: Instant,
    out: Outbox,
    lines: Lines,
    ready: VecDeque<Incoming>,
    input: VecDeque<Vec<u8>>,
    closing: bool,
    ended: bool,
    reading: bool,
    /// That all is written was said since nothing is read.
    told: bool,
}

impl Running {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Lets the server read one piece of what is queued for it. Gives whether there was anything.
    fn feed(&mut self) -> bool {
        let now = self.now();
        match self.input.pop_front() {
            Some(piece) => self.server.receive(now, &piece, &mut self.out),
            None if self.closing => {
                self.closing = false;
                self.server.end_of_input(now, &mut self.out);
            }
            None => return false,
        }
        self.collect();
        true
    }

    fn collect(&mut self) {
        let incoming =
            |line: Line, unfinished| Incoming::Line { bytes: line.bytes, cut: line.cut, unfinished, via: None };
        let Self { out, lines, ready, .. } = self;
        if !out.stderr.is_empty() {
            ready.push_back(Incoming::Stderr(String::from_utf8_lossy(&out.stderr).into_owned()));
            out.stderr.clear();
        }
        if !out.bytes.is_empty() {
            out.unread = out.unread.map(|unread| unread + out.bytes.len());
            lines.push(&out.bytes, |line| ready.push_back(incoming(line, false)));
            out.bytes.clear();
        }
        if let Some(code) = out.exit.filter(|_| !self.ended) {
            self.ended = true;
            ready.extend(lines.finish().map(|line| incoming(line, true)));
            ready.push_back(Incoming::Ended);
            let orphans = self.server.vitals().children_left > 0;
            ready.push_back(Incoming::Exited { code: Some(code), signal: None, orphans });
        }
    }

    async fn step(&mut self) -> Incoming {
        loop {
            if self.reading
                && let Some(incoming) = self.ready.pop_front()
            {
                return incoming;
            }
            if !self.reading && self.input.is_empty() && !std::mem::replace(&mut self.told, true) {
                return Incoming::Written;
            }
            if self.ended {
                return pending().await;
            }
            if self.feed() {
                continue;
            }
            match self.server.wake_at() {
                Some(at) => {
                    sleep_until(self.start + at).await;
                    self.server.wake(self.start.elapsed(), &mut self.out);
                    self.collect();
                }
                None => return pending().await,
            }
        }
    }
}

impl Link for Running {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        if !self.ended {
            self.input.extend(pieces);
        }
    }

    fn stop_reading(&mut self) {
        (self.reading, self.told, self.out.unread) = (false, false, Some(0));
    }

    fn read_on(&mut self) {
        (self.reading, self.out.unread) = (true, None);
    }

    fn close(&mut self) {
        self.closing = !self.ended;
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        let vitals = self.server.vitals();
        Some(Vitals {
            peak_bytes: vitals.peak_bytes,
            cpu_micros: u64::try_from(vitals.cpu.as_micros()).unwrap_or(u64::MAX),
        })
    }
}
