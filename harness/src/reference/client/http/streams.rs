//! The stream that a legacy client listens to, and streams that broke before the answer.

use std::time::Duration;

use super::posting::EVENTS;
use super::reading::Form;
use super::{Exchange, HttpClient, Purpose};
use crate::reference::client::fault::ClientHttpFault as Fault;
use crate::reference::client::requests::Trouble;
use crate::reference::client::{Outlet, Way};
use crate::reference::incoming::RequestId;
use crate::revision::Revision;

/// How long to wait before coming back, where the server does not say, in milliseconds.
const WAIT: u64 = 1_000;
/// How often a stream is come back to that brings nothing.
const MOST_TRIES: u32 = 3;
/// How often a faulty client asks at once for a stream that it was refused.
const A_DOZEN: u32 = 12;

/// The stream for what belongs to no request.
#[derive(Debug, Default)]
pub(super) struct Listener {
    /// The session has one, or had.
    begun: bool,
    /// When to ask for it again.
    next: Option<Duration>,
    last_event: Option<String>,
    tries: u32,
}

/// A stream that is to be taken up again.
#[derive(Debug)]
pub(super) struct Resumption {
    at: Duration,
    last_event: String,
    awaited: Vec<RequestId>,
    session: Option<String>,
    tries: u32,
}

impl HttpClient {
    /// Asks for the stream of a session that has just been opened.
    pub(super) fn listen(&mut self, out: &mut Outlet) {
        let knows = self.agreed.is_some_and(|agreed| (Revision::V2025_03_26..Revision::V2026_07_28).contains(&agreed));
        let may = knows && self.client.way == Way::Streamable && self.farewell.is_none();
        if may && !std::mem::replace(&mut self.listener.begun, true) {
            self.ask_for_stream(Exchange::new(Purpose::Listens), None, out);
        }
    }

    fn ask_for_stream(&mut self, mut exchange: Exchange, last_event: Option<&str>, out: &mut Outlet) {
        let mut headers = self.lines(EVENTS);
        self.session_lines(&mut headers);
        if let Some(id) = last_event {
            headers.push("Last-Event-ID", id);
        }
        if self.client.tampers() {
            self.misasks(&mut headers);
        }
        exchange.last_event = last_event.map(str::to_owned);
        exchange.session.clone_from(&self.session);
        self.ask(exchange, "GET", self.target.clone(), headers, b"", out);
    }

    /// The stream has ended, or there is none.
    pub(super) fn listened(&mut self, now: Duration, exchange: &Exchange, out: &mut Outlet) {
        let brought = matches!(exchange.form, Form::Events(_, true));
        if exchange.status == Some(405) && self.fails(Fault::GivesUpOn405) {
            self.client.lose_everything(&mut self.own);
            return self.client.proceed(&mut self.own);
        }
        let is_first = self.listener.tries == 0;
        if exchange.status == Some(405) && is_first && self.fails(Fault::AsksForStreamsAgain) {
            self.listener.tries = 1;
            for _ in 0..A_DOZEN {
                self.ask_for_stream(Exchange::new(Purpose::Listens), None, out);
            }
            return;
        }
        let listener = &mut self.listener;
        listener.tries = if brought { 1 } else { listener.tries + 1 };
        let may_come = exchange.status.is_none() || matches!(exchange.form, Form::Events(..));
        if may_come && listener.tries <= MOST_TRIES {
            listener.last_event = exchange.last_event.clone().filter(|id| is_safe(id));
            listener.next = Some(now.saturating_add(wait(exchange)));
        }
    }

    /// Forgets the streams of a session that is gone.
    pub(super) fn stop_listening(&mut self) {
        self.listener = Listener::default();
        self.resumptions.clear();
    }

    /// Whether a stream that broke before the answer is taken up again.
    pub(super) fn comes_back(&mut self, now: Duration, exchange: &Exchange) -> bool {
        let Form::Events(_, brought) = exchange.form else { return false };
        let last_event = exchange.last_event.clone().filter(|id| is_safe(id));
        let Some(last_event) = last_event.filter(|_| self.is_resumable(exchange)) else { return false };
        let tries = if brought { 1 } else { exchange.tries + 1 };
        if tries > MOST_TRIES || self.farewell.is_some() {
            return false;
        }
        self.resumptions.push(Resumption {
            at: if self.fails(Fault::ComesBackAtOnce) { now } else { now.saturating_add(wait(exchange)) },
            last_event,
            awaited: exchange.awaited.clone(),
            session: exchange.session.clone(),
            tries,
        });
        true
    }

    /// The next moment at which a stream is asked for again.
    pub(super) fn streams_wake(&self) -> Option<Duration> {
        self.resumptions.iter().map(|one| one.at).chain(self.listener.next).min()
    }

    /// Asks again for the streams whose time has come.
    pub(super) fn wake_streams(&mut self, now: Duration, out: &mut Outlet) {
        if self.farewell.is_some() {
            return;
        }
        if self.listener.next.is_some_and(|next| next <= now) {
            self.listener.next = None;
            let last_event = self.listener.last_event.clone();
            self.ask_for_stream(Exchange::new(Purpose::Listens), last_event.as_deref(), out);
        }
        let (due, later) = std::mem::take(&mut self.resumptions).into_iter().partition(|one| one.at <= now);
        self.resumptions = later;
        let due: Vec<Resumption> = due;
        for Resumption { last_event, mut awaited, session, tries, .. } in due {
            awaited.retain(|id| self.client.awaits(id));
            if awaited.is_empty() {
                continue;
            }
            if session != self.session {
                self.lose(now, &awaited, &Trouble::Lost("the session is gone"));
                continue;
            }
            let exchange = Exchange { awaited, tries, ..Exchange::new(Purpose::Resumes) };
            self.ask_for_stream(exchange, Some(&last_event), out);
        }
    }
}

/// How long to wait before coming back.
fn wait(exchange: &Exchange) -> Duration {
    Duration::from_millis(exchange.retry.unwrap_or(WAIT))
}

/// Whether an id can be sent in a header line.
fn is_safe(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| matches!(byte, b' '..=b'~')) && id.trim() == id
}
