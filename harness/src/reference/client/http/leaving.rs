//! The end: what is under way is let go, the session is ended, and only then does the client end.

use std::time::Duration;

use super::posting::EVENTS;
use super::{Exchange, HttpClient, Purpose};
use crate::reference::client::fault::ClientHttpFault;
use crate::reference::client::{Deed, Outlet, Way};

/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is left to be done.
#[derive(Debug)]
pub(super) struct Farewell {
    /// When nothing more is waited for; none if nothing is.
    until: Option<Duration>,
    /// The session has been ended.
    is_said: bool,
    /// The end of the client, once it has come to that.
    exit: Option<Deed>,
}

impl Farewell {
    /// When the client no longer waits.
    pub(super) fn until(&self) -> Option<Duration> {
        self.until
    }
}

impl HttpClient {
    /// The connection is no longer needed.
    pub(super) fn hang_up(&mut self, now: Duration, out: &mut Outlet) {
        self.waiting.clear();
        self.stop_listening();
        self.farewell = Some(Farewell { until: Some(now + PATIENCE), is_said: false, exit: None });
        let asks = |exchange: &Exchange| {
            matches!(exchange.purpose, Purpose::Asks | Purpose::Opens | Purpose::Listens | Purpose::Resumes)
        };
        self.abandon(asks, out);
    }

    /// The client within has ended.
    pub(super) fn leave(&mut self, exit: Deed) {
        if let Some(farewell) = &mut self.farewell {
            farewell.exit = Some(exit);
        }
    }

    /// Goes on with the end, once the last messages have arrived.
    pub(super) fn leave_on(&mut self, now: Duration, out: &mut Outlet) {
        let leaves_silently = self.fails(ClientHttpFault::LeavesSilently);
        let Some(farewell) = &mut self.farewell else { return };
        let is_late = farewell.until.is_some_and(|until| until <= now);
        let is_busy = self.exchanges.values().any(|exchange| exchange.purpose != Purpose::Carries);
        if is_busy && !is_late {
            return;
        }
        if !std::mem::replace(&mut farewell.is_said, true)
            && self.client.way == Way::Streamable
            && self.session.is_some()
            && !leaves_silently
        {
            farewell.until = Some(now + PATIENCE);
            let mut headers = self.lines(EVENTS);
            headers.remove("Accept");
            self.session_lines(&mut headers);
            if self.client.tampers() {
                self.misasks(&mut headers);
            }
            let exchange = Exchange { session: self.session.clone(), ..Exchange::new(Purpose::Leaves) };
            return self.ask(exchange, "DELETE", self.target.clone(), headers, b"", out);
        }
        farewell.until = None;
        // The client may still want to show something.
        if let Some(exit) = farewell.exit.take() {
            self.abandon(|_| true, out);
            out.deeds.push(exit);
        }
    }
}
