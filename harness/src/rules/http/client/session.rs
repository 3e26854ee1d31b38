//! Session ids and the version that was agreed upon, in the requests of a client.

use super::super::{SESSION_ID, VERSION, streamable};
use super::{STREAMABLE, at, is_modern, over, rule};
use crate::revision::{Revision, Revisions};
use crate::rules::{Breach, Check, Level, Rule, Verdict};
use crate::session::{HttpExchange, Message, Speaker, View};
use crate::transcript::Event;

const SESSIONS: &str = "2025-11-25/basic/transports#session-management";
const VERSIONS: &str = "2025-11-25/basic/transports#protocol-version-header";

/// The revisions with a line for the version, but for the modern one.
const VERSIONED: Revisions = Revisions::LEGACY.and(Revisions::since(Revision::V2025_06_18));

/// So many new sessions in so short a time are a loop.
const LOOP: usize = 8;
/// In microseconds.
const LOOP_TIME: u64 = 2_000_000;

/// The legacy requests of the client, in order.
fn legacy(view: View<'_>) -> Vec<&HttpExchange<'_>> {
    streamable(view).into_iter().filter(|http| !is_modern(http)).collect()
}

/// A session that the harness gave an id to.
struct Session<'s> {
    id: &'s str,
    /// The entry of the response that did so.
    since: usize,
    /// The request that opened it.
    opening: usize,
    /// The entry at which it was said to be gone, or was ended, or the next one began to be asked for.
    until: usize,
    /// The request that was refused because it is gone.
    gone: Option<usize>,
}

fn sessions<'s>(all: &[&HttpExchange<'s>]) -> Vec<Session<'s>> {
    let openings: Vec<usize> =
        (0..all.len()).filter(|index| all[*index].method().as_deref() == Some("initialize")).collect();
    let opened = openings.iter().enumerate().filter_map(|(place, opening)| {
        let response = all[*opening].response.filter(|response| (200..300).contains(&response.status))?;
        let id = response.headers.value(SESSION_ID)?;
        let next = openings.get(place + 1).map_or(usize::MAX, |next| all[*next].entry);
        let own = |http: &&&HttpExchange<'s>| http.headers.value(SESSION_ID).is_some_and(|own| own.trim() == id);
        let refused = |http: &&&HttpExchange<'s>| http.status() == Some(404) && http.verb != "DELETE";
        let gone = all.iter().filter(own).find(refused).map(|http| http.last_entry());
        let left = all.iter().filter(own).find(|http| http.verb == "DELETE").map(|http| http.entry);
        let until = [Some(next), gone, left].into_iter().flatten().min().unwrap_or(usize::MAX);
        Some(Session { id, since: response.entry, opening: *opening, until, gone })
    });
    opened.collect()
}

pub(in crate::rules::http) static SENDS_ID: Rule = Rule {
    requires: "A client sends the session id that it was given with all later requests.",
    judged: "The exact value, from the first request on that it sends behind the head of the response, until it is told \
             that the session is gone or opens another. `initialize` itself has none.",
    untested: "the client was given no session id, or sent nothing behind it",
    judge: sends_id,
    ..rule("http.session.client-sends-id", Level::Must, STREAMABLE, SESSIONS)
};

fn sends_id(view: View<'_>) -> Verdict {
    let all = legacy(view);
    let sessions = sessions(&all);
    let mut checks: Vec<Check> = Vec::new();
    for session in &sessions {
        let behind = all.iter().filter(|http| http.entry > session.since && http.entry <= session.until);
        let behind = behind.filter(|http| http.method().as_deref() != Some("initialize"));
        for http in behind.filter(|http| !is_early_ping(view, http)) {
            let what = match http.headers.value(SESSION_ID).map(str::trim) {
                Some(sent) if sent == session.id.trim() => {
                    checks.push(Ok(()));
                    continue;
                }
                Some(_) => "sends another session id than it was given",
                None => "sends a request without the session id that it was given",
            };
            checks.push(Err(Breach::at_entry(http.entry, what).after_entry(session.since)));
        }
    }
    let openings = all.iter().filter(|http| http.method().as_deref() == Some("initialize"));
    checks.extend(
        openings
            .filter(|http| http.headers.value(SESSION_ID).is_some())
            .map(|http| Err(Breach::at_entry(http.entry, "sends a session id with initialize"))),
    );
    checks.into_iter().collect()
}

pub(in crate::rules::http) static RESTARTS: Rule = Rule {
    requires: "On 404 for its session a client starts a new one with `initialize` and without a session id.",
    judged: "What was on its way when the 404 came does not count. Broken by a client that goes on with the id that is \
             gone, that fulfils none of its user's further wishes and opens no session for them, or that opens one \
             after the other in a loop. One that leaves is not judged.",
    untested: "no request of the client was refused with 404 for its session, or the client left behind it",
    judge: restarts,
    ..rule("http.session.client-restarts-on-404", Level::Must, STREAMABLE, SESSIONS)
};

fn restarts(view: View<'_>) -> Verdict {
    let all = legacy(view);
    let checks = sessions(&all).into_iter().filter_map(|session| {
        let gone = session.gone?;
        let behind = || all.iter().filter(move |http| http.entry > gone);
        let opened: Vec<_> = behind().filter(|http| http.method().as_deref() == Some("initialize")).collect();
        // The farewell to what is gone asks for nothing.
        let stale = |http: &&&HttpExchange<'_>| {
            let own = http.headers.value(SESSION_ID).is_some_and(|own| own.trim() == session.id.trim());
            own && http.verb == "POST" && http.method().as_deref() != Some("notifications/cancelled")
        };
        let fast = opened.windows(LOOP).find(|some| match some {
            [first, .., last] => at(view, last.entry) < at(view, first.entry) + LOOP_TIME,
            _ => false,
        });
        if let Some([.., last]) = fast {
            return Some(Err(Breach::at_entry(last.entry, "opens session after session").after_entry(gone)));
        }
        if let Some(opening) = opened.first() {
            return Some(match opening.headers.value(SESSION_ID) {
                None => Ok(()),
                Some(_) => Err(Breach::at_entry(opening.entry, "opens a session under an id").after_entry(gone)),
            });
        }
        if let Some(stale) = behind().find(stale) {
            let what = "goes on with the id of a session that is gone";
            return Some(Err(Breach::at_entry(stale.entry, what).after_entry(gone)));
        }
        let wanted = view.user().wishes.iter().find(|wish| wish.entry > gone && wish.has_failed());
        wanted.map(|wish| {
            let what = "does not start a new session although its user wants more";
            Err(Breach::at_entry(wish.entry, what).after_entry(gone))
        })
    });
    checks.collect()
}

pub(in crate::rules::http) static DELETES: Rule = Rule {
    requires: "A client that leaves ends its session with DELETE.",
    judged: "Only a client that ended by itself and with success, before the harness ended the session.",
    untested: "the client had no session with an id, or did not leave by itself",
    judge: deletes,
    ..rule("http.session.client-deletes", Level::Should, STREAMABLE, SESSIONS)
};

fn deletes(view: View<'_>) -> Verdict {
    let all = legacy(view);
    let gone = |event: &Event| matches!(event, Event::Ended | Event::Exited { .. });
    let failed = |event: &Event| matches!(event, Event::Exited { code, .. } if *code != Some(0));
    let left = over(view).filter(|entry| view.entries().get(*entry).is_some_and(|entry| gone(&entry.event)));
    let left = left.filter(|_| !view.entries().iter().any(|entry| failed(&entry.event)));
    let (Some(left), Some(last)) = (left, sessions(&all).pop()) else { return Verdict::untested() };
    if last.gone.is_some() {
        return Verdict::untested();
    }
    let ended = all.iter().any(|http| http.verb == "DELETE" && http.entry > all[last.opening].entry);
    let check = if ended {
        Ok(())
    } else {
        Err(Breach::at_entry(left, "leaves without ending its session").after_entry(last.since))
    };
    [check].into_iter().collect()
}

pub(in crate::rules::http) static VERSION_SENT: Rule = Rule {
    requires: "Every HTTP request behind the handshake has the header `MCP-Protocol-Version`.",
    judged: "From `notifications/initialized` on; POST, GET and DELETE.",
    untested: "the client sent nothing behind a handshake for a revision with this header",
    judge: version_sent,
    ..rule("http.version-header.client-sends", Level::Must, VERSIONED, VERSIONS)
};

fn version_sent(view: View<'_>) -> Verdict {
    let Some(agreed) = agreed(view) else { return Verdict::untested() };
    behind(view, agreed)
        .map(|http| match http.headers.value(VERSION) {
            Some(_) => Ok(()),
            None => {
                let what = format!("sends a {} without the version header", http.verb);
                Err(Breach::at_entry(http.entry, what).after_entry(agreed))
            }
        })
        .collect()
}

pub(in crate::rules::http) static VERSION_NEGOTIATED: Rule = Rule {
    requires: "The header `MCP-Protocol-Version` names the version that was agreed upon.",
    judged: "Where there is such a header behind the handshake; it must have the value of the answer to `initialize`.",
    untested: "the client sent no such header behind a handshake",
    judge: version_negotiated,
    ..rule("http.version-header.client-negotiated", Level::Should, VERSIONED, VERSIONS)
};

fn version_negotiated(view: View<'_>) -> Verdict {
    let Some(agreed) = agreed(view) else { return Verdict::untested() };
    let wanted = view.revision().as_str();
    behind(view, agreed)
        .filter_map(|http| {
            let sent = http.headers.value(VERSION)?.trim();
            let what = || format!("names the version {sent:?} where {wanted} was agreed upon");
            let check = if sent == wanted { Ok(()) } else { Err(what()) };
            Some(check.map_err(|what| Breach::at_entry(http.entry, what).after_entry(agreed)))
        })
        .collect()
}

/// The entry of the answer by which this revision was agreed upon, where no other was in the session.
fn agreed(view: View<'_>) -> Option<usize> {
    let mut answers = view.every_exchange_by(Speaker::Subject).filter(|exchange| exchange.is("initialize"));
    let version = |exchange: &crate::session::Exchange<'_>| {
        exchange
            .result()
            .and_then(|result| result.member("protocolVersion"))
            .is_some_and(|it| it.is(view.revision().as_str()))
    };
    let first = answers.by_ref().find(|exchange| exchange.result().is_some())?;
    let same = version(&first) && answers.all(|other| other.result().is_none() || version(&other));
    same.then(|| first.answer().map(|answer| answer.entry))?
}

/// What the client sent behind an entry, but for further handshakes.
fn behind(view: View<'_>, entry: usize) -> impl Iterator<Item = &HttpExchange<'_>> {
    let later = legacy(view).into_iter().filter(move |http| http.entry > entry && !is_early_ping(view, http));
    // What the server asked before, the client may answer before it reads that anything was agreed upon.
    let later = later.skip_while(|http| http.verb == "POST" && http.method().is_none());
    later.filter(|http| http.method().as_deref() != Some("initialize"))
}

/// Whether it is a ping of the handshake, which may have been sent before anything was agreed upon.
fn is_early_ping(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    let opens = |message: &&Message<'_>| message.is("initialize") || message.is("notifications/initialized");
    let last = || {
        let mut own =
            view.every_message().filter(|message| message.by == Speaker::Subject && message.entry < http.entry);
        own.rfind(opens)
    };
    http.method().as_deref() == Some("ping") && last().is_some_and(|last| last.is("initialize"))
}
