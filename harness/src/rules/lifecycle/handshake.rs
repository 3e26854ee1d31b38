//! `initialize`, its answer, and what is said until `notifications/initialized`.

use crate::revision::{Revisions, Side};
use crate::rules::client;
use crate::rules::probe::{self, Opening};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Fate, Phase, Shape, Speaker, View};
use crate::transcript::Event;
use crate::wire::Kind;

pub(super) static RESULT_FIELDS: Rule = Rule {
    id: "lifecycle.init.result-fields",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/lifecycle#initialization",
    requires: "The answer to `initialize` has a protocol version, capabilities, and a server with a name and a version.",
    judged: "Only a well-formed `initialize` that opens the session is looked at. An error is a breach only where the \
             subject was seen to speak the version asked for; other refusals belong to the rules of negotiation.",
    untested: "no well-formed `initialize` was answered, or its refusal may have been due to the version",
    judge: result_fields,
};

fn result_fields(view: View<'_>) -> Verdict {
    let Some(opening) = Opening::of(view) else { return Verdict::untested() };
    let Some(answer) = opening.exchange.answer() else { return Verdict::untested() };
    let request = opening.exchange.request();
    let Some(result) = opening.exchange.result() else {
        let spoken = opening.legacy_revision().is_some_and(|revision| view.facts().revisions.contains(&revision));
        let refused = answer.is_error() && spoken;
        return refused
            .then(|| {
                Err(Breach::at(answer, format!("refuses to speak {}, which it spoke before", opening.asked))
                    .after(request))
            })
            .into_iter()
            .collect();
    };
    let strange = |what: &str| Err(Breach::at(answer, format!("answers initialize {what}")).after(request));
    let has = |key: &str, kind: Kind| result.member(key).is_some_and(|value| value.kind() == kind);
    let check: Check = if !result.is_object() {
        strange("with a result that is no object")
    } else if !has("protocolVersion", Kind::String) {
        strange("without a string protocolVersion")
    } else if !has("capabilities", Kind::Object) {
        strange("without an object capabilities")
    } else if !result.member("serverInfo").is_some_and(probe::is_implementation) {
        strange("without a serverInfo that has a string name and a string version")
    } else if result.member("instructions").is_some_and(|instructions| !instructions.is_string()) {
        strange("with instructions that are no string")
    } else {
        Ok(())
    };
    [check].into_iter().collect()
}

pub(super) static SERVER_WAITS: Rule = Rule {
    id: "lifecycle.init.server-waits",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/lifecycle#initialization",
    requires: "Until it has seen `notifications/initialized` a server sends no requests but pings.",
    judged: "Every request before the harness sent `notifications/initialized` counts. Notifications are not covered by \
             the clause. Silence counts for the server only where the client declared something that it could be asked \
             for, and only if the server said something else meanwhile or had its turn.",
    untested: "`notifications/initialized` was never held back from a server that had something to ask the client for",
    judge: server_waits,
};

fn server_waits(view: View<'_>) -> Verdict {
    if view.subject_side() != Side::Server {
        return Verdict::untested();
    }
    let early: Verdict = view
        .requests_by(Speaker::Subject)
        .filter(|request| request.phase != Phase::Operating)
        .map(|request| match request.method() {
            Some("ping") => Ok(()),
            method => {
                Err(Breach::at(request, format!("sends {} before it saw initialized", method.unwrap_or_default())))
            }
        })
        .collect();
    if early.checked > 0 {
        return early;
    }
    let Some(opening) = Opening::of(view).filter(|opening| opening.exchange.result().is_some()) else {
        return early;
    };
    let Some(answer) = opening.exchange.answer() else { return early };
    let release =
        view.every_message().find(|message| message.by == Speaker::Peer && message.is("notifications/initialized"));
    let until = release.map_or(usize::MAX, |release| release.entry);
    let said_something = view
        .messages_by(Speaker::Subject)
        .any(|message| message.entry > answer.entry && message.entry < until && message.shape == Shape::Response);
    let had_its_turn =
        view.entries().iter().take(until).skip(answer.entry).any(|entry| matches!(entry.event, Event::Settled));
    let tempted = !opening.capabilities.is_empty();
    (tempted && (said_something || had_its_turn)).then_some(Ok(())).into_iter().collect()
}

pub(super) static PING_DURING_HANDSHAKE: Rule = Rule {
    id: "lifecycle.init.ping-during-handshake",
    level: Level::Must,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/ping#behavior-requirements",
    requires: "A ping is answered with a result even while the handshake is not finished.",
    judged: "Pings between a successful answer to `initialize` and `notifications/initialized` count, and to a client \
             those behind its `initialize`. One before that \
             answer is not held against a server, for initialization is the first interaction, and one that is never \
             answered at all belongs to jsonrpc.response.exactly-one.",
    untested: "no ping was sent between the answer to `initialize` and `notifications/initialized`",
    judge: ping_during_handshake,
};

fn ping_during_handshake(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return ping_before_its_answer(view);
    }
    let Some(opened) = Opening::of(view).filter(|opening| opening.exchange.result().is_some()) else {
        return Verdict::untested();
    };
    let Some(opened) = opened.exchange.answer() else { return Verdict::untested() };
    let release =
        view.every_message().find(|message| message.by == Speaker::Peer && message.is("notifications/initialized"));
    view.exchanges()
        .filter(|exchange| exchange.is("ping") && exchange.request().phase == Phase::Handshake)
        .filter(|ping| ping.request().entry > opened.entry && super::super::ping::is_fair(ping.request()))
        .filter_map(|ping| {
            let answer = ping.answer()?;
            let request = ping.request();
            let expired = |entry: usize| {
                view.entries().iter().take(entry).skip(request.entry).any(|one| match &one.event {
                    Event::Expired { id } => request.id.as_ref().is_some_and(|own| own.text() == id),
                    _ => false,
                })
            };
            Some(if answer.is_error() {
                Err(Breach::at(answer, "refuses a ping before initialized").after(request))
            } else if release.is_some_and(|release| release.entry < answer.entry && expired(release.entry)) {
                Err(Breach::at(answer, "answers a ping only after it saw initialized").after(request))
            } else {
                Ok(())
            })
        })
        .collect()
}

/// What a client makes of a ping while it waits for the answer to `initialize`, or has just got it.
fn ping_before_its_answer(view: View<'_>) -> Verdict {
    let Some(opening) = view.exchanges_by(Speaker::Subject).find(|exchange| exchange.is("initialize")) else {
        return Verdict::untested();
    };
    let from = opening.request().entry;
    let done = client::own(view).find(|own| own.is("notifications/initialized")).map_or(usize::MAX, |own| own.entry);
    let last_served = view.last_served().unwrap_or_default();
    view.exchanges()
        .filter(|ping| ping.is("ping") && super::super::ping::is_fair(ping.request()))
        .filter(|ping| (from..done).contains(&ping.request().entry))
        .filter_map(|ping| {
            let request = ping.request();
            match ping.answer() {
                Some(answer) if answer.is_error() => {
                    Some(Err(Breach::at(answer, "refuses a ping before initialized").after(request)))
                }
                Some(_) => Some(Ok(())),
                None if ping.fate() == Fate::Silent && last_served > request.entry => {
                    Some(Err(Breach::at(request, "does not answer a ping during the handshake")))
                }
                None => None,
            }
        })
        .collect()
}
