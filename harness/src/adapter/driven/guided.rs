//! A client's process and the conversation with its driver, whichever way its messages take.

use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, ready};
use std::io;
use std::mem;
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep_until};

use super::conversation::{Conversation, Printed, VERSION};
use crate::adapter::Incoming;
use crate::adapter::canary::Canary;
use crate::adapter::process::{Seen, Started};
use crate::adapter::stream::Pump;
use crate::transcript::Vitals;
use crate::user::Brief;

/// How long nothing must happen for a client to be idle.
const QUIET: Duration = Duration::from_millis(300);
/// How long what a client wrote before its end may take to come; only a process that it left behind makes use of it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How much that is only for people is told at once, in bytes.
const MOST_CHATTER: usize = 64 << 10;
/// How often the vital signs are looked at while something happens.
const PULSE: Duration = Duration::from_millis(5);

/// A client's process and the conversation with its driver.
pub(super) struct Guided {
    pub(super) process: Started,
    driver: Pump<ChildStdout, ChildStdin>,
    driver_ended: bool,
    pub(super) conversation: Conversation,
    idle: Option<Idle>,
    /// What is to be told.
    pub(super) ready: VecDeque<Incoming>,
    /// What the client printed for people since anything else came of it.
    chatter: Vec<u8>,
    leaving: Option<Leaving>,
    canary: Option<Canary>,
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

/// What came of waiting for a client.
#[derive(Debug)]
pub(super) enum Moved {
    Printed(Incoming),
    Seen(Seen),
    /// The address that nobody is to call was called.
    Hit(String),
    Late,
    Pause,
}

impl Guided {
    /// Starts a client.
    pub(super) fn start(command: &[String], environment: &BTreeMap<String, String>, brief: &Brief) -> io::Result<Self> {
        let mut environment = environment.clone();
        environment.extend(
            [
                ("MCP_CONFORMANCE_SCENARIO", brief.scenario.as_str()),
                ("MCP_CONFORMANCE_PROTOCOL_VERSION", brief.revision.as_str()),
                ("TURNCOAT_SCRIPT", brief.script.as_str()),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let (process, input, output) = Started::new(command, &environment)?;
        Ok(Self {
            // It may be gone by the next look.
            vitals: process.vitals(),
            process,
            driver: Pump::new(output, input),
            driver_ended: false,
            conversation: Conversation::new(&brief.wishes),
            idle: None,
            ready: VecDeque::new(),
            chatter: Vec::new(),
            leaving: None,
            canary: None,
            next_pulse: Instant::now(),
        })
    }

    /// Waits until it does something, or something is due. Safe to drop and call again.
    pub(super) async fn moves(&mut self) -> Moved {
        let wake_at = self.wake_at();
        tokio::select! {
            biased;
            printed = self.driver.next() => Moved::Printed(printed),
            seen = self.process.watch() => Moved::Seen(seen),
            field = hit(&mut self.canary) => Moved::Hit(field),
            () = alarm(wake_at) => Moved::Late,
            () = ready(()), if !self.chatter.is_empty() => Moved::Pause,
        }
    }

    /// Takes what it did; gives whether it is gone.
    pub(super) fn took(&mut self, moved: Moved) -> bool {
        if !matches!(moved, Moved::Printed(Incoming::Line { .. })) {
            self.tell_chatter();
        }
        if !matches!(moved, Moved::Late | Moved::Pause) {
            self.stir();
        }
        match moved {
            Moved::Printed(Incoming::Line { bytes, .. }) => self.read(&bytes),
            Moved::Printed(_) => self.driver_ended = true,
            Moved::Seen(Seen::Stderr(text)) => self.ready.push_back(Incoming::Stderr(text)),
            Moved::Seen(Seen::Gone) => return true,
            Moved::Hit(field) => self.ready.push_back(Incoming::Canary(field)),
            Moved::Seen(Seen::Mute) | Moved::Late | Moved::Pause => {}
        }
        false
    }

    /// Something came of it by another way.
    pub(super) fn interrupted(&mut self) {
        self.tell_chatter();
        self.stir();
    }

    fn stir(&mut self) {
        self.take_pulse();
        if let Some(idle) = &mut self.idle {
            idle.quiet_at = Instant::now() + QUIET;
        }
    }

    /// Its process is gone, and may have left others.
    pub(super) fn leaves(&mut self, orphans: bool) {
        self.leaving = Some(Leaving { orphans, until: Instant::now() + LAST_WORDS });
    }

    /// How it ended, once everything that it left to be read was read, or should have been.
    pub(super) fn has_left(&self, drained: bool) -> Option<Incoming> {
        let leaving = self.leaving?;
        let silent = drained && self.driver_ended && self.process.is_mute();
        (silent || Instant::now() >= leaving.until).then(|| self.process.exited(leaving.orphans))
    }

    fn wake_at(&self) -> Option<Instant> {
        let idle = self
            .idle
            .map(|idle| if self.conversation.is_pending() { idle.until } else { idle.until.min(idle.quiet_at) });
        let leaving = self.leaving.map(|leaving| leaving.until);
        idle.into_iter().chain(leaving).min()
    }

    /// Tells a driver what is wanted next; gives whether there was something to do.
    pub(super) fn converse(&mut self) -> bool {
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

    pub(super) fn take_pulse(&mut self) {
        let now = Instant::now();
        if now >= self.next_pulse {
            self.next_pulse = now + PULSE;
            self.vitals = self.process.vitals().or(self.vitals);
        }
    }

    /// Host and port of an address that nobody is to call.
    pub(super) fn canary(&mut self) -> Option<String> {
        self.canary = self.canary.take().or_else(|| Canary::open().ok());
        Some(self.canary.as_ref()?.authority().to_owned())
    }

    /// Its vital signs, or the last that were seen.
    pub(super) fn vitals(&self) -> Option<Vitals> {
        self.process.vitals().or(self.vitals)
    }
}

async fn hit(canary: &mut Option<Canary>) -> String {
    match canary {
        Some(canary) => canary.hit().await,
        None => pending().await,
    }
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
