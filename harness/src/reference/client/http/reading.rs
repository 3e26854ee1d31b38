//! Responses: JSON, streams of events, refusals, and what is lost with them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Exchange, HttpClient, Purpose};
use crate::reference::client::fault::ClientHttpFault;
use crate::reference::client::requests::Trouble;
use crate::reference::client::{LONGEST, Outlet, Way};
use crate::reference::incoming::RequestId;
use crate::wire::http::Headers;
use crate::wire::sse;

/// What a body is, and as much of it as has come.
#[derive(Debug)]
pub(super) enum Form {
    /// No head has come.
    Unknown,
    /// One message.
    Json(Vec<u8>),
    /// A stream of events, and whether there was any.
    Events(Box<sse::Reader>, bool),
    /// Something else.
    Other,
}

/// What may stand in a refusal.
#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl HttpClient {
    pub(super) fn take_head(&mut self, now: Duration, number: u32, status: u16, headers: &Headers, out: &mut Outlet) {
        let refuses_streams = self.fails(ClientHttpFault::RefusesStreams);
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        exchange.status = Some(status);
        exchange.form = match headers.media_type().as_deref() {
            Some("text/event-stream") if refuses_streams && exchange.purpose == Purpose::Asks => Form::Other,
            Some("text/event-stream") if exchange.is_accepted() => Form::Events(Box::default(), false),
            Some("application/json") => Form::Json(Vec::new()),
            _ => Form::Other,
        };
        if exchange.purpose == Purpose::Opens && exchange.is_accepted() {
            self.session = headers.value("mcp-session-id").map(|id| id.trim().to_owned());
        }
        let is_current = exchange.session.is_some() && exchange.session == self.session;
        if status == 404 && is_current && exchange.purpose != Purpose::Leaves {
            self.forget_session(now, out);
        }
    }

    /// The session is gone, and with it everything that is under way in it.
    fn forget_session(&mut self, now: Duration, out: &mut Outlet) {
        if self.client.tampers() {
            let mut own = std::mem::take(&mut self.own);
            let misread = self.misreads_end(&mut own);
            self.own = own;
            if misread {
                return;
            }
            self.mourn();
        }
        (self.session, self.agreed) = (None, None);
        self.abandon(|exchange| exchange.session.is_some(), out);
        self.stop_listening();
        self.client.renew(now, &mut self.own);
        self.carry(now, out);
    }

    pub(super) fn take_body(&mut self, now: Duration, number: u32, bytes: &[u8], out: &mut Outlet) {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let mut events = Vec::new();
        match &mut exchange.form {
            Form::Json(body) => {
                let room = (LONGEST + 1).saturating_sub(body.len());
                body.extend_from_slice(&bytes[..room.min(bytes.len())]);
                self.largest = self.largest.max(body.len());
            }
            Form::Events(reader, any) => {
                reader.push(bytes, |event| events.push(event));
                *any |= !events.is_empty();
            }
            Form::Unknown | Form::Other => {}
        }
        for event in events {
            self.take_event(now, number, event, out);
        }
    }

    pub(super) fn take_event(&mut self, now: Duration, number: u32, event: sse::Event, out: &mut Outlet) {
        // What a message before it led to may have ended the exchange.
        let Some(exchange) = self.exchanges.get_mut(&number) else { return };
        let sse::Event { name, id, retry, data, cut, .. } = event;
        exchange.last_event = id.or(exchange.last_event.take());
        exchange.retry = retry.or(exchange.retry);
        let Some(mut data) = data.filter(|data| !data.is_empty()) else { return };
        self.largest = self.largest.max(data.len());
        let purpose = exchange.purpose;
        if self.fails(ClientHttpFault::ReadsLastLine) {
            data = data.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
        }
        match (name.as_deref(), purpose) {
            (Some("endpoint"), Purpose::Carries) => self.moved_to(String::from_utf8_lossy(&data).trim(), out),
            (None | Some("" | "message"), _) => self.hear(now, Some(&data[..]).filter(|_| !cut), out),
            _ => {}
        }
    }

    pub(super) fn take_end(&mut self, now: Duration, number: u32, is_whole: bool, out: &mut Outlet) {
        let Some(mut exchange) = self.exchanges.remove(&number) else { return };
        if let Form::Json(body) = &mut exchange.form
            && is_whole
            && !body.is_empty()
        {
            let body = std::mem::take(body);
            self.take_message(now, &exchange, &body, out);
        }
        if let Form::Events(reader, _) = &mut exchange.form
            && self.fails(ClientHttpFault::TakesUnfinished)
            && let Some(data) = reader.finish().and_then(|event| event.data)
        {
            self.hear(now, Some(&data), out);
        }
        match exchange.purpose {
            Purpose::Asks | Purpose::Opens | Purpose::Resumes => {
                exchange.awaited.retain(|id| self.client.awaits(id));
                if !exchange.awaited.is_empty() && !self.repeats(&exchange, out) && !self.comes_back(now, &exchange) {
                    self.lose(now, &exchange.awaited, &trouble(&exchange));
                }
            }
            Purpose::Tells | Purpose::Confirms if !exchange.is_accepted() => {
                self.client.note("the server did not accept a message", &mut self.own);
                // In HTTP+SSE such a message may have been a request.
                exchange.awaited.retain(|id| self.client.awaits(id));
                self.lose(now, &exchange.awaited, &trouble(&exchange));
            }
            Purpose::Confirms => self.listen(out),
            Purpose::Listens => self.listened(now, &exchange, out),
            Purpose::Carries if self.endpoint.is_some() => self.client.end_of_input(now, &mut self.own),
            Purpose::Carries => {
                let asked: Vec<RequestId> = self.client.pending.iter().map(|pending| pending.id.clone()).collect();
                self.waiting.clear();
                self.lose(now, &asked, &trouble(&exchange));
            }
            Purpose::Tells | Purpose::Leaves => {}
        }
    }

    /// The message that a response consists of. A refusal need not say what it is about: that is the request.
    fn take_message(&mut self, now: Duration, exchange: &Exchange, body: &[u8], out: &mut Outlet) {
        let refusal = serde_json::from_slice::<Refusal<'_>>(body).ok();
        let error = refusal.as_ref().and_then(|refusal| refusal.error);
        let is_nameless = refusal
            .as_ref()
            .is_some_and(|refusal| refusal.method.is_none() && refusal.id.is_none_or(|id| id.get() == "null"));
        match error {
            Some(error) if is_nameless => {
                self.lose(now, &exchange.awaited, &Trouble::read(error));
                self.carry(now, out);
            }
            // A result that comes with a refusal is none.
            None if !exchange.is_accepted() => {}
            _ => self.hear(now, Some(body), out),
        }
    }

    /// Tells the client within of requests that will not be answered.
    pub(super) fn lose(&mut self, now: Duration, ids: &[RequestId], why: &Trouble) {
        for id in ids {
            self.client.lose(now, id, why.clone(), &mut self.own);
        }
    }

    /// Whether messages travel by Streamable HTTP of a legacy revision.
    pub(super) fn is_resumable(&self, exchange: &Exchange) -> bool {
        let resumes = !exchange.is_modern || self.fails(ClientHttpFault::ResumesModern);
        self.client.way == Way::Streamable && resumes
    }
}

/// Why the answer of an exchange does not come.
fn trouble(exchange: &Exchange) -> Trouble {
    match (exchange.status, &exchange.form) {
        (None, _) => Trouble::Lost("the connection broke before the answer"),
        (Some(status), _) if !exchange.is_accepted() => Trouble::Status(status),
        (_, Form::Events(..)) => Trouble::Lost("the stream ended before the answer"),
        _ => Trouble::Lost("the response has no answer"),
    }
}
