//! What a cancellation may bring about that it should not: complaints, second answers, the end of the session.

use std::collections::HashMap;

use super::{Horizon, Notice, Target, Twins, notices_by};
use crate::revision::{Era, Revisions};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::stray::spelling;
use crate::session::{Message, Phase, Shape, Speaker, View};
use crate::transcript::{Event, Intent};
use crate::wire::{Id, Value};

pub(super) static UNKNOWN_IGNORED: Rule = Rule {
    id: "cancel.unknown-ignored",
    level: Level::Should,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/cancellation#error-handling",
    requires: "A cancellation that is malformed, or of a request that nobody sent, is ignored.",
    judged: "The subject must neither respond to it nor end the session over it, and goes on to answer what is running and \
             what comes next. An id of another type is another id; who takes \"7\" for 7 is only warned, since no sentence \
             says so. Params that are no object make it no message of MCP, about which a complaint is fair. What went \
             wrong before, or after other odd messages, is not held against it.",
    untested: "the subject got no malformed or unfounded cancellation after the handshake",
    judge: unknown_ignored,
};

fn unknown_ignored(view: View<'_>) -> Verdict {
    let aftermath = Aftermath::of(view);
    let twins = Twins::of(view);
    let notices = notices_by(view, Speaker::Peer);
    let in_time = |message: &Message<'_>| view.revision().era() == Era::Modern || message.phase != Phase::Before;
    let unfounded: Vec<&Notice<'_>> = notices
        .iter()
        .filter(|notice| !matches!(notice.target, Target::Known(_)) && in_time(notice.message))
        .filter(|notice| notice.message.params().is_none_or(Value::is_object))
        .collect();
    let entries: Vec<usize> = unfounded.iter().map(|notice| notice.message.entry).collect();
    let answered_as: HashMap<&Id, &Message<'_>> =
        aftermath.strays.iter().filter_map(|stray| Some((stray.id.as_ref()?, *stray))).collect();
    let direct = unfounded.iter().filter_map(|notice| {
        let blamed = aftermath.fault(notice.message).or_else(|| {
            let Target::Unknown(id) = &notice.target else { return None };
            let stray = answered_as.get(id).filter(|stray| stray.entry > notice.message.entry)?;
            Some(Breach::at(stray, "answers a cancellation of a request that nobody sent").after(notice.message))
        });
        let check: Option<Check> = blamed.map(Err);
        check.or_else(|| aftermath.served(notice.message).then_some(Ok(())))
    });
    let victims = view
        .exchanges()
        .filter(|exchange| !exchange.request().in_batch && exchange.request().is_sound() && twins.outlive(*exchange))
        .filter_map(|exchange| {
            let request = exchange.request();
            let first = entries.partition_point(|entry| *entry < request.entry);
            let Notice { message: notice, target } = unfounded.get(first)?;
            let others = aftermath.last_before(notice.entry).filter(|before| before.entry > request.entry);
            if notice.in_batch || others.is_some_and(|other| !other.harmless) {
                return None;
            }
            let what = "never answers a request after the cancellation of another id";
            let breach = Breach::at(request, what).after(notice);
            let spelled_alike = matches!(target, Target::Unknown(id)
                if request.id.as_ref().is_some_and(|own| spelling(own) == spelling(id)));
            Some(Err(if spelled_alike { breach.as_warning() } else { breach }))
        });
    direct.chain(victims).collect()
}

pub(super) static RACE_TOLERATED: Rule = Rule {
    id: "cancel.race-tolerated",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/cancellation#timing-considerations",
    requires: "A cancellation that crosses the answer does no harm.",
    judged: "Cancellations of requests that run, or that were answered: no second answer, no complaint, no end of the \
             session, and the next request is answered. A subject that answers twice without any cancellation, or \
             responds to every notification, does not break this rule.",
    untested: "no request was cancelled",
    judge: race_tolerated,
};

fn race_tolerated(view: View<'_>) -> Verdict {
    let aftermath = Aftermath::of(view);
    let doubles = view.exchanges().any(|exchange| exchange.cancellation().is_none() && exchange.answers().len() > 1);
    notices_by(view, Speaker::Peer)
        .into_iter()
        .filter_map(|Notice { message, target }| {
            let Target::Known(exchange) = target else { return None };
            if exchange.is("initialize") || exchange.param("task").is_some() {
                return None;
            }
            let second = exchange.answers().nth(1).filter(|second| !doubles && second.entry > message.entry);
            let second = second.map(|second| Breach::at(second, "answers twice when it is cancelled").after(message));
            let check: Option<Check> = second.or_else(|| aftermath.fault(message)).map(Err);
            check.or_else(|| aftermath.served(message).then_some(Ok(())))
        })
        .collect()
}

/// What the subject did after messages that call for no reaction.
pub(super) struct Aftermath<'s> {
    horizon: Horizon,
    /// Everything that the harness sent and that is no sound request on a line of its own.
    provocations: Vec<Provocation>,
    /// Responses of the subject that answer no request.
    strays: Vec<&'s Message<'s>>,
    /// The entry at which the subject ended the session of its own accord.
    end: Option<usize>,
    /// It responds to honest notifications too.
    responds_to_all: bool,
}

#[derive(Clone, Copy)]
struct Provocation {
    entry: usize,
    /// An ordinary notification or answer.
    harmless: bool,
    notification: bool,
}

impl<'s> Aftermath<'s> {
    pub(super) fn of(view: View<'s>) -> Self {
        let provocations: Vec<Provocation> = view
            .every_message()
            .filter(|message| message.by == Speaker::Peer)
            .filter(|message| {
                message.shape != Shape::Request || !message.is_sound() || message.is_large() || message.in_batch
            })
            .map(|message| Provocation {
                entry: message.entry,
                harmless: message.intent != Intent::Departure && !message.is("notifications/cancelled"),
                notification: message.shape == Shape::Notification,
            })
            .collect();
        let strays: Vec<&Message<'_>> = view
            .every_message()
            .filter(|message| message.by == Speaker::Subject && message.shape == Shape::Response)
            .filter(|message| view.exchange_of(message).is_none())
            .collect();
        let mut aftermath =
            Self { horizon: Horizon::of(view), provocations, strays, end: end(view), responds_to_all: false };
        aftermath.responds_to_all = aftermath
            .strays
            .iter()
            .any(|stray| aftermath.last_before(stray.entry).is_some_and(|last| last.harmless && last.notification));
        aftermath
    }

    /// What the subject did over this message, if nothing else can have been the reason.
    pub(super) fn fault(&self, message: &Message<'_>) -> Option<Breach> {
        if message.in_batch {
            return None;
        }
        let entry = message.entry;
        let before = self.last_before(entry);
        let unclouded = before.is_none_or(|before| {
            before.harmless || self.horizon.next_answer(before.entry).is_some_and(|answer| answer < entry)
        });
        let is_last_before = |later: usize| {
            later > entry && unclouded && self.last_before(later).is_some_and(|last| last.entry == entry)
        };
        if let Some(end) = self.end.filter(|end| is_last_before(*end) && self.horizon.next_answer(entry).is_none()) {
            return Some(Breach::at_entry(end, "ends the session").after(message));
        }
        let stray = self.strays.get(self.strays.partition_point(|stray| stray.entry <= entry))?;
        (!self.responds_to_all && is_last_before(stray.entry))
            .then(|| Breach::at(stray, "responds where nothing was asked").after(message))
    }

    /// Whether a later request was answered.
    pub(super) fn served(&self, message: &Message<'_>) -> bool {
        self.horizon.next_answer(message.entry).is_some()
    }

    fn last_before(&self, entry: usize) -> Option<Provocation> {
        let later = self.provocations.partition_point(|provocation| provocation.entry < entry);
        self.provocations.get(later.checked_sub(1)?).copied()
    }
}

/// The entry at which the subject ended the session, unless the harness had closed its half.
fn end(view: View<'_>) -> Option<usize> {
    let entries = view.entries();
    let end = entries.iter().position(|entry| matches!(entry.event, Event::Ended | Event::Exited { .. }))?;
    entries.iter().take(end).all(|entry| entry.event != Event::Closed).then_some(end)
}
