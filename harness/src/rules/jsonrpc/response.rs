//! How requests are answered: one response, with the same id, with a result or an error.

use std::collections::HashMap;

use super::super::{Breach, Check, Level, Rule, Transports, Verdict};
use super::envelope::shortened;
use crate::revision::{self, Era, Revisions};
use crate::session::stray::{Cause, spelling};
use crate::session::{Exchange, Fate, Message, Phase, Shape, Speaker, View};
use crate::transcript::{Delivery, Event, Intent};
use crate::wire::Value;

/// `jsonrpc.response.same-id`
pub static SAME_ID: Rule = Rule {
    id: "jsonrpc.response.same-id",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#result-responses",
    requires: "A response has the id of the request that it answers.",
    judged: "A response with an id that was never used breaks it, as long as everything sent before was well-formed: \
             an answer to malformed text may have any id here. The same id in another type, and an id left out, \
             belong to other rules.",
    untested: "no request was answered",
    judge: same_id,
};

fn same_id(view: View<'_>) -> Verdict {
    let answered = view.exchanges().flat_map(|exchange| exchange.answers().map(|_| Ok(())));
    let foreign = view.strays().filter_map(|stray| {
        let (Cause::Foreign(request), Some(id)) = (stray.cause, &stray.response.id) else { return None };
        let breach = Breach::at(stray.response, format!("answers with the id {}, which no request has", shortened(id)));
        Some(Err(match request {
            Some(request) => breach.after(request),
            None => breach,
        }))
    });
    answered.chain(foreign).collect()
}

/// `jsonrpc.response.id-type-preserved`
pub static ID_TYPE_PRESERVED: Rule = Rule {
    id: "jsonrpc.response.id-type-preserved",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#result-responses",
    requires: "A response has the id in the JSON type in which the request had it.",
    judged: "Every answer is looked at. The ids 0 and \"\" must be answered like any other where others were. Refusing \
             \"7\" after 7 was answered is a warning: whether they are one id is not said. Integers beyond 2^53 are not \
             judged.",
    untested: "no request was answered",
    judge: id_type_preserved,
};

fn id_type_preserved(view: View<'_>) -> Verdict {
    let (last_served, astray) = (view.last_served(), view.answered_astray());
    let mut checks: Vec<Check> = Vec::new();
    for stray in view.strays() {
        if let (Cause::Mistyped(request), Some(id)) = (stray.cause, &stray.response.id) {
            checks
                .push(Err(Breach::at(stray.response, format!("answers with the id {}", shortened(id))).after(request)));
        }
    }
    let mut by_spelling: HashMap<&str, Exchange<'_>> = HashMap::new();
    for exchange in view.exchanges().filter(|exchange| exchange.request().fault().is_none()) {
        let Some(id) = exchange.request().id.as_ref() else { continue };
        let twin = by_spelling.insert(spelling(id), exchange).filter(|twin| {
            twin.request().id.as_ref().is_some_and(|other| other.resembles(id)) && twin.method() == exchange.method()
        });
        match (exchange.fate(), twin) {
            (Fate::Answered, Some(twin)) if twin.result().is_some() && exchange.error().is_some() => {
                let what = format!("refuses the id {} after its twin of another type", shortened(id));
                checks.extend(exchange.answer().map(|answer| {
                    Err(Breach::at(answer, what).after(exchange.request()).after(twin.request()).as_warning())
                }));
            }
            (Fate::Answered, _) => checks.push(Ok(())),
            (Fate::Silent, Some(twin)) => {
                checks.extend(twin.answers().nth(1).map(|second| {
                    let what = format!("answers the id {} as {}", shortened(id), spelling(id));
                    Err(Breach::at(second, what).after(exchange.request()))
                }));
            }
            (Fate::Silent, None)
                if is_falsy(exchange)
                    && is_judged_by_silence(exchange, last_served)
                    && !astray.contains(&exchange.request().entry) =>
            {
                checks.push(Err(Breach::at(exchange.request(), format!("does not answer the id {}", id.text()))));
            }
            _ => {}
        }
    }
    checks.into_iter().collect()
}

/// `jsonrpc.response.exactly-one`
pub static EXACTLY_ONE: Rule = Rule {
    id: "jsonrpc.response.exactly-one",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#responses",
    requires: "Each request gets one response and no second one.",
    judged: "Well-formed requests with an id of their own are looked at. Silence is held against the subject where later \
             requests were answered, or where an honest session stalled: then for the first request only. A tool call has \
             the whole time-out, and is a warning where the subject reported progress or asked the client for something \
             meanwhile; it is not judged where the harness left the subject waiting for an answer of its own. Cancelled requests, open subscriptions, task results, \
             requests before the session is open, and what a dead subject left behind are not judged; floods, bursts, \
             split and huge messages, batches and unknown methods have rules of their own.",
    untested: "no request was answered",
    judge: exactly_one,
};

fn exactly_one(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let (uses, unwell) = (uses_of_ids(view), malformed(view));
    let explained = view.answered_astray();
    let last_sign_of_work = view
        .messages_by(Speaker::Subject)
        .rfind(|message| message.shape == Shape::Request || message.is("notifications/progress"))
        .map(|message| message.entry);
    let last_left_waiting = view
        .exchanges_by(Speaker::Subject)
        .rfind(|exchange| exchange.answer().is_none())
        .map(|exchange| exchange.request().entry);
    let others_answered = view.exchanges().filter(|exchange| exchange.answer().is_some()).take(2).count() > 1;
    let mut stalled = departed(view);
    let mut checks: Vec<Check> = Vec::new();
    for exchange in view.exchanges() {
        let request = exchange.request();
        let alone = request.id.as_ref().is_some_and(|id| uses.get(spelling(id)) == Some(&1));
        if request.fault().is_some() || !alone || explained.contains(&request.entry) {
            continue;
        }
        if let Some(second) = exchange.answers().nth(1) {
            let before = |entry: usize| unwell.partition_point(|malformed| *malformed < entry);
            let excused =
                second.is_error() && exchange.answer().is_some_and(|first| before(first.entry) < before(second.entry));
            if !excused {
                checks.push(Err(Breach::at(second, "answers a request twice").after(request)));
            }
        } else if exchange.fate() == Fate::Answered {
            checks.push(Ok(()));
        } else if exchange.fate() == Fate::Cut
            && request.via.is_some()
            && request.intent == Intent::Honest
            && was_served_past(request, last_served)
        {
            checks.push(Err(Breach::at(request, "gets no whole answer before its connection is closed")));
        } else if exchange.fate() == Fate::Silent
            && last_left_waiting.is_none_or(|last| last < request.entry)
            && request.delivery == Delivery::Whole
            && !request.in_batch
            && !is_missing(exchange)
            && !(is_falsy(exchange) && others_answered)
        {
            if is_judged_by_silence(exchange, last_served) {
                checks.push(Err(Breach::at(request, "gets no answer")));
            } else if exchange.is("tools/call") && exchange.is_overdue() && was_served_past(request, last_served) {
                let breach = Breach::at(request, "gets no answer within the time-out");
                let at_work = last_sign_of_work.is_some_and(|last| last > request.entry);
                checks.push(Err(if at_work { breach.as_warning() } else { breach }));
            } else if exchange.is_overdue() && !was_served_past(request, last_served) && !stalled {
                stalled = true;
                checks.push(Err(Breach::at(request, "gets no answer, and nothing after it does")));
            }
        }
    }
    checks.into_iter().collect()
}

/// How often each id was used by the harness, by its spelling, in whatever kind of message.
fn uses_of_ids<'s>(view: View<'s>) -> HashMap<&'s str, usize> {
    let mut uses = HashMap::new();
    let sent = view.every_message().filter(|message| message.by == Speaker::Peer);
    for message in sent.filter(|message| message.shape != Shape::Response || view.exchange_of(message).is_none()) {
        if let Some(id) = &message.id {
            *uses.entry(spelling(id)).or_insert(0) += 1;
        }
    }
    uses
}

/// The entries with something malformed, in order: a second answer may belong to one of them.
fn malformed(view: View<'_>) -> Vec<usize> {
    let sent = view.every_message().filter(|message| message.by == Speaker::Peer && message.fault().is_some());
    sent.map(|message| message.entry).collect()
}

/// Whether the harness ever departed from honesty: then a stall is the matter of `robust`.
fn departed(view: View<'_>) -> bool {
    view.entries().iter().any(|entry| matches!(entry.event, Event::Sent { intent: Intent::Departure, .. }))
}

/// Whether the silence about a request is a defect by itself, since the subject went on to answer others.
pub(crate) fn is_judged_by_silence(exchange: Exchange<'_>, last_served: Option<usize>) -> bool {
    let request = exchange.request();
    let legacy = request.revision.is_some_and(|revision| revision.era() == Era::Legacy);
    let open = if legacy { request.phase == Phase::Operating } else { request.modern_version().is_some() };
    let may_run = matches!(exchange.method(), "tools/call" | "subscriptions/listen") || exchange.is("tasks/result");
    open && !exchange.is("initialize")
        && was_served_past(request, last_served)
        && (exchange.is_swift() || (exchange.is_overdue() && !may_run))
}

fn was_served_past(request: &Message<'_>, last_served: Option<usize>) -> bool {
    last_served.is_some_and(|last| last > request.entry)
}

/// Whether no revision knows the method, in a sound request to an open session.
pub(crate) fn is_unknown(exchange: Exchange<'_>) -> bool {
    is_missing(exchange) && revision::method(exchange.method()).is_none()
}

/// Whether the revision at hand does not know the method, in a sound request to an open session.
pub(crate) fn is_missing(exchange: Exchange<'_>) -> bool {
    let request = exchange.request();
    let Some(revision) = request.revision else { return false };
    let open = match revision.era() {
        Era::Legacy => request.phase == Phase::Operating,
        Era::Modern => request.modern_version().is_some(),
    };
    open && !revision::knows(revision, exchange.method())
        && request.fault().is_none()
        && !request.in_batch
        && !exchange.method().starts_with("notifications/")
}

/// Whether the id is one that careless code takes for none.
fn is_falsy(exchange: Exchange<'_>) -> bool {
    exchange.request().id.as_ref().is_some_and(|id| matches!(id.text(), "0" | "-0" | "\"\""))
}

/// `jsonrpc.response.result-xor-error`
pub static RESULT_XOR_ERROR: Rule = Rule {
    id: "jsonrpc.response.result-xor-error",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#responses",
    requires: "A response has a result or an error: never both, never neither.",
    judged: "Every message of the subject with an id and without a method is looked at. A member counts as set even if it \
             is null.",
    untested: "the subject sent no response",
    judge: result_xor_error,
};

fn result_xor_error(view: View<'_>) -> Verdict {
    view.responses_by(Speaker::Subject)
        .map(|response| match (response.result(), response.error()) {
            (Some(_), Some(_)) => Err(Breach::at(response, "sends a response with a result and an error")),
            (None, None) => Err(Breach::at(response, "sends a response with neither a result nor an error")),
            _ => Ok(()),
        })
        .collect()
}

/// `jsonrpc.response.result-is-object`
pub static RESULT_IS_OBJECT: Rule = Rule {
    id: "jsonrpc.response.result-is-object",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Result",
    requires: "The result of a successful response is a JSON object.",
    judged: "Every result of the subject is looked at; members that no revision knows are always allowed.",
    untested: "no request succeeded",
    judge: result_is_object,
};

fn result_is_object(view: View<'_>) -> Verdict {
    view.responses_by(Speaker::Subject)
        .filter(|response| response.error().is_none())
        .filter_map(|response| {
            let result = response.result()?;
            Some(if result.is_object() {
                Ok(())
            } else {
                Err(Breach::at(response, "sends a result that is no object"))
            })
        })
        .collect()
}

/// `jsonrpc.error.has-code-and-message`
pub static ERROR_CODE_AND_MESSAGE: Rule = Rule {
    id: "jsonrpc.error.has-code-and-message",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#error-responses",
    requires: "An error is an object with a code and a message, and the message is a string.",
    judged: "Every error of the subject is looked at. What the code is belongs to other rules; `data` may be anything.",
    untested: "no request failed",
    judge: error_code_and_message,
};

fn error_code_and_message(view: View<'_>) -> Verdict {
    errors(view)
        .map(|(response, error)| {
            if !error.is_object() {
                return Err(Breach::at(response, "sends an error that is no object"));
            }
            if error.member("code").is_none() {
                return Err(Breach::at(response, "sends an error without a code"));
            }
            match error.member("message") {
                None => Err(Breach::at(response, "sends an error without a message")),
                Some(message) if !message.is_string() => {
                    Err(Breach::at(response, "sends an error whose message is no string"))
                }
                Some(_) => Ok(()),
            }
        })
        .collect()
}

/// `jsonrpc.error.code-integer`
pub static ERROR_CODE_INTEGER: Rule = Rule {
    id: "jsonrpc.error.code-integer",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#error-responses",
    requires: "The code of an error is an integer.",
    judged: "Every error of the subject that has a code is looked at. `-32601.0` is an integer in JSON.",
    untested: "no request failed",
    judge: error_code_integer,
};

fn error_code_integer(view: View<'_>) -> Verdict {
    errors(view)
        .filter_map(|(response, error)| Some((response, error.member("code")?)))
        .map(|(response, code)| {
            if code.is_integral() {
                Ok(())
            } else {
                Err(Breach::at(response, "sends an error whose code is no integer"))
            }
        })
        .collect()
}

/// Errors of the subject. A null beside a result is the matter of [`RESULT_XOR_ERROR`].
fn errors<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
    view.responses_by(Speaker::Subject)
        .filter_map(|response| Some((response, response.error()?)))
        .filter(|(response, error)| !(error.is_null() && response.result().is_some()))
}
