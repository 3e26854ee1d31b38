//! Cancellations that the subject sends.

use super::aftermath::Aftermath;
use super::{Horizon, Notice, Target, notices_by};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Speaker, View};
use crate::transcript::Transport;
use crate::wire::{Id, Value};

/// An answer that came sooner than this left nobody the time to give up waiting, in microseconds.
const AT_ONCE: u64 = 1_000_000;

const UNTESTED: &str = "the subject cancelled nothing; name a tool that asks the user in the subject file";

pub(super) static ONLY_OWN: Rule = Rule {
    id: "cancel.only-own-active-requests",
    level: Level::Must,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/cancellation#behavior-requirements",
    requires: "A cancellation refers to a request of its own sender that is still running.",
    judged: "The id, with its type, must be that of an earlier request of the subject; over HTTP, without a stream for \
             what belongs to no request, that request may have been lost, and a warning is given. One that was answered is wrong if \
             the subject had read the answer: it answered a later request, or it had asked nothing else, was not \
             cancelled itself and got the answer within a second. Otherwise the two may have crossed.",
    untested: UNTESTED,
    judge: only_own,
};

fn only_own(view: View<'_>) -> Verdict {
    let horizon = Horizon::of(view);
    let listens = view.http().iter().any(|exchange| exchange.verb == "GET" && exchange.is_stream());
    let may_lose = view.transport() == Transport::Http && !listens;
    let own: Vec<Exchange<'_>> = view.exchanges_by(Speaker::Subject).collect();
    let withdrawn: Vec<usize> = notices_by(view, Speaker::Peer).iter().map(|notice| notice.message.entry).collect();
    notices_by(view, Speaker::Subject)
        .into_iter()
        .filter_map(|Notice { message, target }| match target {
            Target::Malformed => None,
            Target::Unknown(id) => {
                let what = format!("cancels {}, which is no request of its own", short(&id));
                let breach = Breach::at(message, what);
                Some(Err(if may_lose { breach.as_warning() } else { breach }))
            }
            Target::Known(exchange) => match exchange.answer().filter(|answer| answer.entry < message.entry) {
                None => Some(Ok(())),
                Some(answer) => {
                    let was_read = horizon.next_answer(answer.entry).is_some_and(|read| read < message.entry);
                    let alone = answer.at.saturating_sub(exchange.request().at) < AT_ONCE
                        && was_alone(&own, exchange, message.entry)
                        && !any_within(&withdrawn, exchange.request().entry, message.entry);
                    let what = "cancels a request of its own that was answered";
                    (was_read || alone).then(|| Err(Breach::at(message, what).after(answer)))
                }
            },
        })
        .collect()
}

/// Whether the subject had no other request open while this one was, and sent none up to an entry.
fn was_alone(own: &[Exchange<'_>], exchange: Exchange<'_>, until: usize) -> bool {
    let sent = exchange.request().entry;
    let later = own.partition_point(|other| other.request().entry <= sent);
    let earlier = later.checked_sub(2).and_then(|before| own.get(before));
    own.get(later).is_none_or(|next| next.request().entry > until) && earlier.is_none_or(|other| !other.open_at(sent))
}

fn any_within(entries: &[usize], from: usize, to: usize) -> bool {
    entries.get(entries.partition_point(|entry| *entry < from)).is_some_and(|entry| *entry < to)
}

fn short(id: &Id) -> String {
    id.text().chars().take(60).collect()
}

pub(super) static REQUEST_ID: Rule = Rule {
    id: "cancel.request-id-present",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CancelledNotificationParams",
    requires: "A cancellation names the request.",
    judged: "params.requestId is a string or an integer. In 2025-11-25 it may be missing where the subject runs tasks, which \
             have a cancellation of their own.",
    untested: UNTESTED,
    judge: request_id,
};

fn request_id(view: View<'_>) -> Verdict {
    let runs_tasks = view.revision() == Revision::V2025_11_25
        && view.every_message().any(|message| message.by == Speaker::Subject && speaks_of_task(message));
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/cancelled"))
        .filter_map(|message| match message.param("requestId") {
            None if runs_tasks => None,
            None => Some(Err(Breach::at(message, "cancels without saying which request"))),
            Some(id) if id.is_string() || id.is_integral() => Some(Ok(())),
            Some(_) => Some(Err(Breach::at(message, "cancels a request whose id is neither string nor integer"))),
        })
        .collect()
}

fn speaks_of_task(message: &Message<'_>) -> bool {
    message.param("task").or_else(|| message.result()?.member("task")).is_some_and(Value::is_object)
}

pub(super) static LATE_RESPONSE: Rule = Rule {
    id: "cancel.sender-ignores-late-response",
    level: Level::Should,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/cancellation#behavior-requirements",
    requires: "Whoever cancelled a request ignores an answer that comes later.",
    judged: "The subject must neither end the session over such an answer nor send a response to it, and has to answer what \
             comes next. In 2026-07-28 servers send no requests.",
    untested: "the subject cancelled nothing that was answered later; name a tool that asks the user in the subject file",
    judge: late_response,
};

/// Whether the subject asked something behind an entry.
fn asked_behind(view: View<'_>, entry: usize) -> bool {
    view.exchanges_by(Speaker::Subject).any(|exchange| exchange.request().entry > entry)
}

fn late_response(view: View<'_>) -> Verdict {
    let aftermath = Aftermath::of(view);
    view.exchanges_by(Speaker::Subject)
        .filter_map(|exchange| {
            let notice = exchange.cancellation()?;
            let late = exchange.answers().find(|answer| answer.entry > notice.entry)?;
            let check: Option<Check> = aftermath.fault(late).map(|breach| Err(breach.after(notice)));
            // Servers that are never asked anything more show no end of it; clients go on to ask.
            let went_on = || view.subject_side() == Side::Client && asked_behind(view, late.entry);
            check.or_else(|| (aftermath.served(late) || went_on()).then_some(Ok(())))
        })
        .collect()
}
