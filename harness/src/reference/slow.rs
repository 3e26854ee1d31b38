//! The tool that takes its time: several at once, with progress, and it can be cancelled.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::Reading;
use super::fault::Fault;
use super::incoming::RequestId;
use super::legacy::Call;
use super::logging::Level;
use super::message::Failure;
use super::server::{Answer, Occasion, Server};
use super::tools::{error_result, text_result};
use crate::revision::{Revision, code};

/// More calls at a time are refused.
const MOST: usize = 1024;
/// How often progress is reported.
const REPORTS: u32 = 4;

/// What is kept of a tool call that is answered later.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) id: RequestId,
    pub(super) revision: Revision,
    pub(super) tool: &'static str,
    pub(super) token: Option<Value>,
    pub(super) log: Option<Level>,
}

impl Ticket {
    pub(super) fn of(call: &Call<'_>, tool: &'static str) -> Self {
        Self { id: call.id.clone(), revision: call.revision, tool, token: call.token(), log: call.log }
    }

    pub(super) fn occasion(&self) -> Occasion<'static> {
        Occasion { revision: self.revision, method: "tools/call", name: self.tool }
    }
}

/// A call of `slow` under way.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) ticket: Ticket,
    began: Duration,
    lasts: Duration,
    reported: u32,
    /// Cancelled, but a faulty server goes on.
    pub(super) cancelled: bool,
}

impl Running {
    /// The moment of its next report, or of its end.
    pub(super) fn next(&self) -> Duration {
        let part = if self.ticket.token.is_some() { (self.reported + 1).min(REPORTS) } else { REPORTS };
        self.began + self.lasts * part / REPORTS
    }
}

#[derive(Deserialize)]
struct Cancelled<'a> {
    #[serde(borrow, rename = "requestId")]
    id: &'a RawValue,
}

impl Server {
    /// Starts a call that lasts.
    pub(super) fn begin(&mut self, mut ticket: Ticket, now: Duration, lasts: Duration, out: &mut Outbox) -> Answer {
        if self.running.len() >= MOST {
            return Ok(Some(error_result("too many calls are under way")));
        }
        let begins = format!("{} begins", ticket.tool);
        self.log((ticket.revision, ticket.log), Level::Info, begins.into(), out);
        if self.tampers() {
            self.misbegin(&mut ticket, out);
        }
        self.running.push(Running { ticket, began: now, lasts, reported: 0, cancelled: false });
        Ok(None)
    }

    /// Takes the next step of a running call: a report, and with the last one the answer.
    pub(super) fn step(&mut self, position: usize, out: &mut Outbox) {
        let Some(running) = self.running.get_mut(position) else { return };
        let reports = running.ticket.token.is_some();
        running.reported += 1;
        let (reported, lasts) = (running.reported, running.lasts);
        let about = Some(running.ticket.id.clone());
        if !reports || reported >= REPORTS {
            let running = self.running.remove(position);
            self.concerning(about, |server| server.finish(&running, out));
            return;
        }
        let ticket = running.ticket.clone();
        self.concerning(about, |server| server.report(&ticket, lasts, reported, out));
    }

    fn finish(&mut self, running: &Running, out: &mut Outbox) {
        let ticket = &running.ticket;
        let late = self.faulty(Fault::ProgressAfterAnswer);
        if !late {
            self.report(ticket, running.lasts, REPORTS, out);
        }
        let ends = format!("{} ends", ticket.tool);
        self.log((ticket.revision, ticket.log), Level::Info, ends.into(), out);
        if ticket.tool == super::fixture::RECORD {
            self.changed.records += 1;
        }
        let text = format!("waited {} ms", running.lasts.as_millis());
        let answer = if running.cancelled && ticket.revision < Revision::V2026_07_28 {
            Err(Failure::new(code::INTERNAL_ERROR, "the request was cancelled"))
        } else {
            Ok(Some(text_result(text)))
        };
        self.answer(&ticket.id, ticket.occasion(), answer, out);
        if late {
            self.report(ticket, running.lasts, REPORTS, out);
        }
    }

    fn report(&mut self, ticket: &Ticket, lasts: Duration, part: u32, out: &mut Outbox) {
        let Some(token) = &ticket.token else { return };
        let total = REPORTS;
        let mut params = json!({"progressToken": token, "progress": part, "total": total});
        if ticket.revision >= Revision::V2025_03_26 {
            params["message"] = format!("part {part} of {total} of {} ms", lasts.as_millis()).into();
        }
        if let Some(metadata) = self.task_metadata(&ticket.id) {
            params["_meta"] = metadata;
        }
        self.notify(ticket.revision, "notifications/progress", Some(params), out);
    }

    /// A cancellation: whatever runs or listens under that id ends without a word.
    pub(super) fn cancelled(&mut self, params: Option<&RawValue>, out: &mut Outbox) {
        let cancelled = params.and_then(|raw| serde_json::from_str::<Cancelled<'_>>(raw.get()).ok());
        let id = cancelled.and_then(|cancelled| RequestId::read(cancelled.id.get()));
        let Some(id) = id else { return };
        self.cancel(&id.on(self.lane()), out);
    }

    /// Ends whatever runs or listens under this id.
    pub(super) fn cancel(&mut self, id: &RequestId, out: &mut Outbox) {
        if self.tampers() && self.miscancels(id, out) {
            return;
        }
        let stubborn = self.reads(Reading::Uncancellable);
        self.running.retain(|running| {
            !running.ticket.id.same(id) || (stubborn && running.ticket.revision != Revision::V2026_07_28)
        });
        if !self.faulty(Fault::ListensOnAfterCancel) {
            self.subscriptions.retain(|subscription| !subscription.id.same(id));
        }
        self.stop_waiting(id);
        self.withdraw(id, out);
    }
}
