//! Arrays of messages: to be received in 2025-03-26, never to be sent since.

use std::collections::{HashMap, HashSet};

use super::super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions, code};
use crate::session::stray::Cause;
use crate::session::{Exchange, Fate, Message, Phase, Shape, Speaker, View};
use crate::wire::Value;

/// `jsonrpc.batch.receive`
pub static RECEIVE: Rule = Rule {
    id: "jsonrpc.batch.receive",
    level: Level::Must,
    side: None,
    revisions: Revisions::of(&[Revision::V2025_03_26]),
    transports: Transports::BOTH,
    clause: "2025-03-26/basic/index#batching",
    requires: "Messages that arrive as one array are handled.",
    judged: "Arrays of well-formed messages in an open session are looked at. The answers may come in an array or one by \
             one. Not answering a request in it, or refusing every one of them as an invalid request, breaks it. What \
             takes its time may be answered later.",
    untested: "no array with requests was sent in an open session",
    judge: receive,
};

fn receive(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let exchanges: Vec<Exchange<'_>> = view.exchanges().filter(|exchange| exchange.request().in_batch).collect();
    let spoilt = unfit(view);
    let astray = view.answered_astray();
    exchanges
        .chunk_by(|a, b| a.request().entry == b.request().entry)
        .filter(|batch| batch.first().is_some_and(|first| !spoilt.contains(&first.request().entry)))
        .filter_map(|batch| {
            let first = batch.first()?.request();
            let ignored = |exchange: &&Exchange<'_>| {
                exchange.fate() == Fate::Silent
                    && !astray.contains(&exchange.request().entry)
                    && (exchange.is_swift() || exchange.is_overdue())
            };
            if last_served.is_some_and(|last| last > first.entry)
                && let Some(silent) = batch.iter().find(ignored)
            {
                let what = format!("does not answer {} in an array", silent.method());
                return Some(Err(Breach::at(silent.request(), what)));
            }
            if batch.iter().all(|exchange| exchange.error_code() == Some(code::INVALID_REQUEST)) {
                let answer = batch.first()?.answer()?;
                return Some(Err(Breach::at(answer, "refuses an array as an invalid request").after(first)));
            }
            if batch.iter().all(|exchange| exchange.fate() == Fate::Refused) {
                return Some(Err(Breach::at(first, "gets an HTTP error for an array")));
            }
            batch.iter().all(|exchange| exchange.fate() == Fate::Answered).then_some(Ok(()))
        })
        .collect()
}

/// `jsonrpc.batch.notifications-only-silent`
pub static NOTIFICATIONS_ONLY_SILENT: Rule = Rule {
    id: "jsonrpc.batch.notifications-only-silent",
    level: Level::Must,
    side: None,
    revisions: Revisions::of(&[Revision::V2025_03_26]),
    transports: Transports::BOTH,
    clause: "2025-03-26/basic/index#batching",
    requires: "An array of notifications gets no response at all, not even an empty array.",
    judged: "An empty array behind such an array, and a response without id that nothing else explains, break it. That \
             nothing came is known once a later request was answered.",
    untested: "no array of notifications was sent in an open session",
    judge: notifications_only_silent,
};

fn notifications_only_silent(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let spoilt = unfit(view);
    let sent: Vec<&Message<'_>> = view.messages_by(Speaker::Peer).filter(|message| message.in_batch).collect();
    let silent: Vec<&Message<'_>> = sent
        .chunk_by(|a, b| a.entry == b.entry)
        .filter(|batch| batch.iter().all(|message| message.shape == Shape::Notification))
        .filter_map(|batch| batch.first().copied())
        .filter(|first| !spoilt.contains(&first.entry))
        .collect();
    let explained = view.strays().collect::<Vec<_>>();
    let stray = explained.iter().filter_map(|stray| match stray.cause {
        Cause::Notification(notification) if notification.in_batch => Some((notification.entry, stray.response)),
        _ => None,
    });
    let empty = view
        .messages_by(Speaker::Subject)
        .filter(|message| message.value.is_some_and(|value| value.is_array() && value.is_empty()))
        .filter_map(|array| {
            let behind = silent.partition_point(|batch| batch.entry < array.entry);
            Some((silent.get(behind.checked_sub(1)?)?.entry, array))
        });
    let answers: HashMap<usize, &Message<'_>> = stray.chain(empty).collect();
    silent
        .iter()
        .filter_map(|batch| match answers.get(&batch.entry) {
            Some(answer) => Some(Err(Breach::at(answer, "answers an array of notifications").after(batch))),
            None => last_served.is_some_and(|last| last > batch.entry).then_some(Ok(())),
        })
        .collect()
}

/// The entries of arrays in which something is not sound, or that no revision allows there.
fn unfit(view: View<'_>) -> HashSet<usize> {
    view.messages_by(Speaker::Peer)
        .filter(|message| message.in_batch)
        .filter(|message| {
            message.fault().is_some()
                || message.shape == Shape::Response
                || message.is("initialize")
                || message.phase != Phase::Operating
        })
        .map(|message| message.entry)
        .collect()
}

/// `jsonrpc.batch.not-sent`
pub static NOT_SENT: Rule = Rule {
    id: "jsonrpc.batch.not-sent",
    level: Level::Must,
    side: None,
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/transports/stdio#sending-messages",
    requires: "No message is an array of messages.",
    judged: "Every message of the subject is looked at; several requests at once are what tempts it. After an array from \
             the harness it is a warning: how to react to one is not defined.",
    untested: "the subject never had two requests to answer at once",
    judge: not_sent,
};

fn not_sent(view: View<'_>) -> Verdict {
    let is_array = |message: &&Message<'_>| message.in_batch || message.value.is_some_and(Value::is_array);
    let provoked = view.every_message().filter(|message| message.by == Speaker::Peer).find(is_array);
    let mut seen = HashSet::new();
    let mut checks: Vec<Check> = view
        .messages_by(Speaker::Subject)
        .filter(is_array)
        .filter(|message| seen.insert(message.entry))
        .map(|message| match provoked.filter(|sent| sent.entry < message.entry) {
            Some(sent) => Err(Breach::at(message, "answers an array with an array").after(sent).as_warning()),
            None => Err(Breach::at(message, "sends an array of messages")),
        })
        .collect();
    let mut latest: Option<Exchange<'_>> = None;
    for exchange in view.exchanges().filter(|exchange| exchange.fate() == Fate::Answered) {
        if latest.is_some_and(|earlier| earlier.open_at(exchange.request().entry)) {
            checks.push(Ok(()));
        }
        latest = Some(exchange);
    }
    checks.into_iter().collect()
}
