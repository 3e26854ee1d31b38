//! A link whose subject is ended once it takes more than it may.
//!
//! What it takes is read from time to time, so the bounds are soft: a subject can be past them for a moment. They are
//! there for the machine that the harness shares with it, not to judge it by.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Incoming, Link, NextFuture, Sent, Then};
use crate::transcript::Vitals;
use crate::wire::http::Request;

/// How often the vital signs are looked at.
const PERIOD: Duration = Duration::from_millis(50);

/// What a guard has seen; outlives the link.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    vitals: Option<Vitals>,
    excess: Option<Excess>,
}

/// What a subject took too much of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Excess {
    /// Memory.
    Memory,
    /// Processor time.
    Cpu,
}

impl Watch {
    /// The latest vital signs, if the subject has any that can be seen.
    #[must_use]
    pub fn vitals(&self) -> Option<Vitals> {
        self.seen().vitals
    }

    /// What the subject was ended for, if it was.
    #[must_use]
    pub fn excess(&self) -> Option<Excess> {
        self.seen().excess
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link within bounds.
pub struct Guarded {
    inner: Box<dyn Link>,
    most: Vitals,
    watch: Watch,
    next_look: Instant,
    /// The subject is gone, or has no vital signs: there is nothing to look at.
    done: bool,
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("most", &self.most).field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl Guarded {
    /// The same link; its subject may take this much in the whole session.
    #[must_use]
    pub fn new(inner: Box<dyn Link>, most: Vitals, watch: Watch) -> Self {
        Self { inner, most, watch, next_look: Instant::now(), done: false }
    }

    /// Reads the vital signs, and ends the subject if they are past the bounds.
    fn look(&mut self) -> Option<Vitals> {
        self.next_look = Instant::now() + PERIOD;
        let Some(vitals) = self.inner.vitals() else {
            self.done = true;
            return None;
        };
        let excess = match vitals {
            Vitals { peak_bytes, .. } if peak_bytes > self.most.peak_bytes => Some(Excess::Memory),
            Vitals { cpu_micros, .. } if cpu_micros > self.most.cpu_micros => Some(Excess::Cpu),
            _ => None,
        };
        let mut seen = self.watch.seen();
        seen.vitals = Some(vitals);
        if excess.is_some() {
            seen.excess = excess;
            drop(seen);
            self.done = true;
            self.inner.kill();
        }
        Some(vitals)
    }

    async fn step(&mut self) -> Incoming {
        loop {
            if self.done {
                return self.inner.next().await;
            }
            // In front of what came, so that no flood of output keeps the guard from looking.
            if Instant::now() >= self.next_look {
                self.look();
                continue;
            }
            tokio::select! {
                incoming = self.inner.next() => return incoming,
                () = sleep_until(self.next_look) => {}
            }
        }
    }
}

impl Link for Guarded {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        self.inner.write(pieces);
    }

    fn request(&mut self, number: u32, request: Request, how: Sent) {
        self.inner.request(number, request, how);
    }

    fn respond(&mut self, number: u32, pieces: Vec<Vec<u8>>, then: Then) {
        self.inner.respond(number, pieces, then);
    }

    fn canary(&mut self) -> Option<String> {
        self.inner.canary()
    }

    fn hang_up(&mut self, number: u32) {
        self.inner.hang_up(number);
    }

    fn stop_reading(&mut self) {
        self.inner.stop_reading();
    }

    fn read_on(&mut self) {
        self.inner.read_on();
    }

    fn close(&mut self) {
        // The last moment at which what the session cost can be seen.
        if !self.done {
            self.look();
        }
        self.inner.close();
    }

    fn complain(&mut self, text: String) {
        self.inner.complain(text);
    }

    fn exit(&mut self, status: i32) {
        if !self.done {
            self.look();
        }
        self.inner.exit(status);
    }

    fn endure(&mut self) {
        self.inner.endure();
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        if self.done { self.inner.vitals() } else { self.look() }
    }

    fn kill(&mut self) {
        self.inner.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Adapter as _;
    use crate::adapter::child::Process;

    #[tokio::test]
    async fn a_subject_that_takes_too_much_is_ended() {
        let words = ["sh", "-c", "while :; do :; done"].map(str::to_owned).to_vec();
        let link = Process::server(words).open().await.unwrap();
        let watch = Watch::default();
        let most = Vitals { peak_bytes: u64::MAX, cpu_micros: 100_000 };
        let mut link = Guarded::new(link, most, watch.clone());
        while !matches!(link.next().await, Incoming::Exited { .. }) {}
        assert_eq!(watch.excess(), Some(Excess::Cpu));
        assert!(watch.vitals().is_some_and(|vitals| vitals.cpu_micros > 100_000));
    }
}
