//! How a client of both eras finds out which one its server is of.

use super::is_dual;
use crate::revision::{Era, Revisions, Side, code};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Fate, Message, Shape, Speaker, View};
use crate::transcript::Event;

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::STDIO,
        clause: "2026-07-28/basic/transports/stdio#backward-compatibility",
        requires: "",
        judged: "",
        untested: "the client is not known to speak both eras, or it never asked what the server supports",
        judge: |_| Verdict::untested(),
    }
}

/// The first request for the versions of the server, before any handshake.
fn probe<'s>(view: View<'s>) -> Option<Exchange<'s>> {
    let legacy = client::legacy_from(view);
    client::modern(view).find(|exchange| exchange.is("server/discover") && exchange.request().entry < legacy)
}

/// The handshake behind an entry.
fn handshake(view: View<'_>, entry: usize) -> Option<&Message<'_>> {
    let opens = |message: &&Message<'_>| message.is("initialize") && message.modern_version().is_none();
    client::own(view).filter(opens).find(|message| message.entry > entry)
}

pub(super) static PROBE_FIRST: Rule = Rule {
    requires: "A client of both eras asks with server/discover, in its preferred modern version, before it asks anything else.",
    judged: "The first request of the session. One that begins with `initialize` is a warning, since it may know its server \
             from before.",
    untested: "the client is not known to speak both eras",
    judge: probe_first,
    ..rule("dual.client.probe-first", Level::Should)
};

fn probe_first(view: View<'_>) -> Verdict {
    let Some(first) = client::own(view).find(|message| message.shape == Shape::Request).filter(|_| is_dual(view))
    else {
        return Verdict::untested();
    };
    let method = first.method().unwrap_or_default();
    let check = match method {
        "server/discover" if first.modern_version().is_some() => Ok(()),
        "server/discover" => Err(Breach::at(first, "asks what the server supports without naming a version")),
        "initialize" => Err(Breach::at(first, "begins with initialize although it speaks both eras").as_warning()),
        _ => Err(Breach::at(first, format!("begins with {method} although it speaks both eras"))),
    };
    [check].into_iter().collect()
}

pub(super) static FALLBACK_ANY_ERROR: Rule = Rule {
    level: Level::Must,
    requires: "Any error but a modern one in answer to server/discover sends a client of both eras to the handshake, and not \
               one particular code.",
    judged: "A client that is known to fall back does so, if need be after further attempts. Of -32602, which the clause \
             names beside -32601, it has to; that every other code leads to the handshake too has no keyword, so there \
             it is a warning. Codes from -32099 to -32020 are left out.",
    untested: "the client is not known to speak both eras, or its question was not refused",
    judge: fallback_any_error,
    ..rule("dual.client.fallback-any-error", Level::Must)
};

fn fallback_any_error(view: View<'_>) -> Verdict {
    let Some(probe) = probe(view).filter(|_| is_dual(view)) else { return Verdict::untested() };
    let Some((answer, found)) = probe.answer().zip(probe.error_code()) else { return Verdict::untested() };
    if (-32099..=-32020).contains(&found) || answer.result().is_some() || probe.answers().len() > 1 {
        return Verdict::untested();
    }
    let check: Check = match handshake(view, answer.entry) {
        Some(_) => Ok(()),
        None => {
            // Another attempt may have had another answer.
            let served = client::modern(view).any(|exchange| exchange.result().is_some());
            let Some(end) = client::hung_up(view).or(client::outstayed(view)).filter(|_| !served) else {
                return Verdict::untested();
            };
            let what = format!("does not fall back to initialize when server/discover is refused with {found}");
            let breach = Breach::at_entry(end, what).after(answer);
            Err(if found == code::INVALID_PARAMS { breach } else { breach.as_warning() })
        }
    };
    [check].into_iter().collect()
}

pub(super) static FALLBACK_ON_SILENCE: Rule = Rule {
    requires: "A client of both eras whose question is not answered goes on with the handshake after a while.",
    judged: "It has a minute. It may cancel the question, and a late answer changes nothing. One that hangs up sooner gave up \
             on a server that may be an older one.",
    untested: "the client is not known to speak both eras, or its question was answered",
    judge: fallback_on_silence,
    ..rule("dual.client.fallback-on-silence", Level::Should)
};

/// How long a client may wait before it takes silence for an answer, in microseconds.
const REASONABLE: u64 = 60_000_000;

fn fallback_on_silence(view: View<'_>) -> Verdict {
    let Some(probe) = probe(view).filter(|_| is_dual(view)) else { return Verdict::untested() };
    let asked = probe.request();
    let opened = handshake(view, asked.entry);
    let in_time = |entry: usize| probe.answer().is_some_and(|answer| answer.entry < entry);
    let check: Check = match (opened, client::hung_up(view), client::outstayed(view)) {
        (Some(opened), ..) if in_time(opened.entry) => return Verdict::untested(),
        (Some(_), ..) => match probe.answer().and_then(|late| Some((late, client::left_behind(view, late)?))) {
            Some((late, left)) => {
                let what = "hangs up because the answer to server/discover comes late";
                Err(Breach::at_entry(left, what).after(late))
            }
            None => Ok(()),
        },
        _ if probe.answer().is_some() => return Verdict::untested(),
        (None, Some(end), _) => {
            Err(Breach::at_entry(end, "hangs up on a server that does not answer server/discover").after(asked))
        }
        (None, None, Some(end)) => {
            let waited = view.entries().get(end).map_or(0, |over| over.at.saturating_sub(asked.at));
            if waited < REASONABLE {
                return Verdict::untested();
            }
            Err(Breach::at_entry(end, "waits for the answer to server/discover for ever").after(asked))
        }
        (None, None, None) => return Verdict::untested(),
    };
    [check].into_iter().collect()
}

pub(super) static ERA_CACHED: Rule = Rule {
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions",
    requires: "A client that found out the era of its server keeps to it as long as the server lives.",
    judged: "Behind a successful handshake no modern request goes out. An error, or over HTTP a status of one, may be a \
             reason to find out anew and ends the judgement.",
    untested: "the client did not ask for modern answers before its handshake, or asked too little behind it",
    judge: era_cached,
    ..rule("dual.client.era-cached", Level::Should)
};

fn era_cached(view: View<'_>) -> Verdict {
    const ENOUGH: usize = 3;
    let opened = view.every_exchange_by(Speaker::Subject).find(|exchange| {
        exchange.is("initialize") && exchange.request().modern_version().is_none() && exchange.result().is_some()
    });
    let Some(answer) = opened.and_then(|opened| opened.answer()) else { return Verdict::untested() };
    let probed = client::modern(view).any(|exchange| exchange.request().entry < answer.entry);
    if !probed && !client::speaks(view, Era::Modern) {
        return Verdict::untested();
    }
    let doubt = view.every_exchange_by(Speaker::Subject).filter_map(|exchange| {
        let request = exchange.request();
        let refused = exchange.answer().filter(|answer| answer.is_error()).map(|answer| answer.entry);
        let lost = matches!(exchange.fate(), Fate::Silent | Fate::Cut | Fate::Refused | Fate::Cancelled);
        // It is a reason for what comes behind it, and none for itself.
        refused.or_else(|| lost.then_some(request.entry + 1)).filter(|entry| *entry > answer.entry)
    });
    // Another process may be another server.
    let anew = view.entries().iter().enumerate().skip(answer.entry);
    let anew = anew.filter(|(_, entry)| matches!(entry.event, Event::Connected { .. })).map(|(index, _)| index);
    let doubt = doubt.chain(anew).min().unwrap_or(usize::MAX);
    let asked: Vec<&Message<'_>> = client::own(view)
        .filter(|message| message.shape == Shape::Request && (answer.entry..doubt).contains(&message.entry))
        .collect();
    let check: Check = match asked.iter().find(|message| message.modern_version().is_some()) {
        Some(modern) => {
            let what = format!(
                "sends a modern {} although its server is of the older era",
                modern.method().unwrap_or_default()
            );
            Err(Breach::at(modern, what).after(answer))
        }
        None if asked.len() >= ENOUGH => Ok(()),
        None => return Verdict::untested(),
    };
    [check].into_iter().collect()
}
