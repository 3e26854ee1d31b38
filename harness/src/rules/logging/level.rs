//! logging/setLevel of the legacy era, and whether it has an effect.

use super::{messages, name_of, severity};
use crate::revision::{Revisions, Side, code};
use crate::rules::capability::declares;
use crate::rules::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, Speaker, View};

pub(super) static SET_LEVEL_ANSWERED: Rule = Rule {
    id: "logging.set-level-answered",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/utilities/logging#setting-log-level",
    requires: "A server that declares logging lets its client set any of the eight levels.",
    judged: "An error is a warning, since the page has no keyword for it. What the result has is not looked at.",
    untested: "the server does not declare logging, or nobody set a level",
    judge: set_level_answered,
};

fn set_level_answered(view: View<'_>) -> Verdict {
    settings(view)
        .filter(|exchange| exchange.param("level").and_then(severity).is_some())
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let level = exchange.param("level").map(crate::wire::Value::brief).unwrap_or_default();
            let what = || format!("refuses the level {level} with {}", probe::code_in_words(exchange));
            let refused = || Breach::at(answer, what()).after(exchange.request()).as_warning();
            Some(if answer.is_error() { Err(refused()) } else { Ok(()) })
        })
        .collect()
}

pub(super) static SET_LEVEL_INVALID: Rule = Rule {
    id: "logging.set-level-invalid",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/utilities/logging#error-handling",
    requires: "A level that is none of the eight is refused with -32602.",
    judged: "Levels of other names and types, and none at all. Another code fails. Success is a warning: a server may know \
             more spellings.",
    untested: "the server does not declare logging, or nobody set a level that is none",
    judge: set_level_invalid,
};

fn set_level_invalid(view: View<'_>) -> Verdict {
    settings(view)
        .filter(|exchange| exchange.param("level").and_then(severity).is_none())
        .filter(|exchange| !probe::is_refused_otherwise(*exchange))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            if exchange.error_code() == Some(code::INVALID_PARAMS) {
                return Some(Ok(()));
            }
            let level = exchange.param("level").map_or("that is missing".to_owned(), crate::wire::Value::brief);
            let breach = |what: String| Breach::at(answer, what).after(exchange.request());
            Some(Err(if answer.is_error() {
                breach(format!("refuses the level {level} with {}", probe::code_in_words(exchange)))
            } else {
                breach(format!("accepts the level {level}")).as_warning()
            }))
        })
        .collect()
}

/// The fair requests for a level to a server that declares logging.
fn settings(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    let declared = declares(view, &["logging"]) == Some(true);
    view.exchanges()
        .filter(move |exchange| declared && exchange.is("logging/setLevel") && probe::is_fair(view, *exchange))
}

pub(super) static LEVEL_FILTER: Rule = Rule {
    id: "logging.level-filter",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/utilities/logging#setting-log-level",
    requires: "Once a client has set a level, it gets no messages below it.",
    judged: "Messages after the first request that followed the answer to logging/setLevel; what crosses with that answer is \
             fine. While another level is being set, the lower one counts. Before any level is set a server may choose.",
    untested: "the server logged nothing after a level was set; name a tool that logs in the subject file, under `logs`",
    judge: level_filter,
};

fn level_filter(view: View<'_>) -> Verdict {
    // Whose answer is whose under an id that was used again, nobody knows.
    if view.requests_by(Speaker::Peer).any(|request| request.shares_id && request.is("logging/setLevel")) {
        return Verdict::untested();
    }
    let levels: Vec<(usize, Exchange<'_>)> = view
        .exchanges()
        .filter(|exchange| exchange.is("logging/setLevel"))
        .filter_map(|exchange| Some((severity(exchange.param("level")?)?, exchange)))
        .collect();
    messages(view)
        .filter_map(|message| {
            let found = severity(message.param("level")?)?;
            let earlier = levels.iter().filter(|(_, exchange)| exchange.request().entry < message.entry);
            let (mut least, mut setting) = (None, None);
            for (level, exchange) in earlier {
                let settled = exchange.answer().filter(|answer| answer.entry < message.entry);
                match settled {
                    Some(answer) if answer.is_error() => {}
                    Some(answer) if is_past(view, answer.entry, message.entry) => {
                        (least, setting) = (Some(*level), Some(answer));
                    }
                    _ => least = least.map(|least: usize| least.min(*level)),
                }
            }
            let (least, setting) = (least?, setting?);
            let what = || format!("logs at the level {} after {} was set", name_of(found), name_of(least));
            Some(if found >= least { Ok(()) } else { Err(Breach::at(message, what()).after(setting)) })
        })
        .collect()
}

/// Whether the client asked something else between an answer and a message.
fn is_past(view: View<'_>, answer: usize, message: usize) -> bool {
    view.requests_by(Speaker::Peer).any(|request| request.entry > answer && request.entry < message)
}
