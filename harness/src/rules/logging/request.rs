//! The level in a modern request's metadata: who asked for log messages, and for which.

use super::{UNTESTED, messages, name_of, severity};
use crate::revision::{Revisions, Side, code, meta};
use crate::rules::capability::declares;
use crate::rules::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

const CLAUSE: &str = "2026-07-28/server/utilities/logging#per-request-log-level";

pub(super) static OPT_IN: Rule = Rule {
    id: "logging.opt-in",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server logs nothing for a request that does not ask for it.",
    judged: "A message while no open request has a log level. Where none is open, and one that has a level was answered, the \
             message is merely late: logging.request-stream-only. A call without level of a tool that logs with one keeps \
             the rule by silence.",
    untested: "no tool that logs was called without a log level; name one in the subject file, under `logs`",
    judge: opt_in,
};

fn opt_in(view: View<'_>) -> Verdict {
    let Some(requests) = Requests::of(view) else { return Verdict::untested() };
    let unasked = messages(view).filter_map(|message| {
        let open: Vec<Exchange<'_>> = requests.open_at(message.entry).collect();
        let asked = |exchange: &Exchange<'_>| level(*exchange).is_some();
        if open.iter().any(asked) {
            return None;
        }
        let earlier = requests.before(message.entry).any(|exchange| asked(&exchange));
        let last = open.last().map(|exchange| exchange.request());
        let breach = match last {
            None if earlier => return None,
            None => Breach::at(message, "logs although no request asked for it"),
            Some(request) => Breach::at(message, "logs for a request that did not ask for it").after(request),
        };
        Some(Err(breach))
    });
    let silent = requests.all.iter().filter(|exchange| exchange.is("tools/call") && level(**exchange).is_none());
    let kept = silent.filter_map(|call| {
        let answer = call.answer()?;
        let quiet = messages(view).all(|message| message.entry < call.request().entry || message.entry > answer.entry);
        let same = |other: &&Exchange<'_>| {
            other.is("tools/call")
                && level(**other).is_some()
                && ["name", "arguments"].iter().all(|key| same_param(**other, *call, key))
                && messages(view).any(|message| other.open_at(message.entry) && message.entry > other.request().entry)
        };
        (quiet && requests.all.iter().any(|other| same(&other))).then_some(Ok(()))
    });
    unasked.chain(kept).collect()
}

fn same_param(one: Exchange<'_>, other: Exchange<'_>, key: &str) -> bool {
    match (one.param(key), other.param(key)) {
        (Some(one), Some(other)) => one.same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

pub(super) static LEVEL_FLOOR: Rule = Rule {
    id: "logging.level-floor",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Log messages for a request are at least as grave as it asked for.",
    judged: "Messages while requests with a log level are open, against the least of these levels.",
    untested: UNTESTED,
    judge: level_floor,
};

fn level_floor(view: View<'_>) -> Verdict {
    let Some(requests) = Requests::of(view) else { return Verdict::untested() };
    messages(view)
        .filter_map(|message| {
            let found = severity(message.param("level")?)?;
            let open = requests.open_at(message.entry).filter_map(|exchange| Some((level(exchange)?, exchange)));
            let (least, exchange) = open.min_by_key(|(least, _)| *least)?;
            let what = || format!("logs at the level {} where {} was asked for", name_of(found), name_of(least));
            Some(if found >= least { Ok(()) } else { Err(Breach::at(message, what()).after(exchange.request())) })
        })
        .collect()
}

pub(super) static REQUEST_STREAM_ONLY: Rule = Rule {
    id: "logging.request-stream-only",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Log messages come with the answer of their request, before it, and on no subscription.",
    judged: "On a shared channel that is between the request and its answer, and without the id of a subscription. A message \
             is late if every request but subscriptions was answered.",
    untested: UNTESTED,
    judge: request_stream_only,
};

fn request_stream_only(view: View<'_>) -> Verdict {
    let Some(requests) = Requests::of(view) else { return Verdict::untested() };
    messages(view)
        .filter_map(|message| {
            if message.meta().is_some_and(|given| given.member(meta::SUBSCRIPTION_ID).is_some()) {
                return Some(Err(Breach::at(message, "logs on a subscription")));
            }
            if requests.open_at(message.entry).any(|exchange| !exchange.is("subscriptions/listen")) {
                return requests.open_at(message.entry).any(|open| level(open).is_some()).then_some(Ok(()));
            }
            let asked = requests.before(message.entry).filter(|exchange| level(*exchange).is_some());
            let last = asked.filter_map(Exchange::answer).filter(|answer| answer.entry < message.entry).last()?;
            Some(Err(Breach::at(message, "logs for a request after its answer").after(last)))
        })
        .collect()
}

pub(super) static INVALID_LEVEL_REJECTED: Rule = Rule {
    id: "logging.invalid-level-rejected",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/logging#error-handling",
    requires: "A request whose log level is none of the eight is refused with -32602.",
    judged: "Requests of a method that succeeded without a level, to a server that declares logging. Another code fails; \
             success is a warning.",
    untested: "the server does not declare logging, or no request had a level that is none",
    judge: invalid_level_rejected,
};

fn invalid_level_rejected(view: View<'_>) -> Verdict {
    if declares(view, &["logging"]) != Some(true) {
        return Verdict::untested();
    }
    let Some(requests) = Requests::of(view) else { return Verdict::untested() };
    let twins: Vec<&str> = requests
        .all
        .iter()
        .filter(|exchange| exchange.result().is_some() && given(**exchange).is_none())
        .map(|exchange| exchange.method())
        .collect();
    requests
        .all
        .iter()
        .filter(|exchange| probe::is_sound(exchange.request()) && twins.contains(&exchange.method()))
        .filter(|exchange| !probe::is_refused_otherwise(**exchange))
        .filter_map(|exchange| {
            let odd = given(*exchange).filter(|level| severity(*level).is_none())?;
            let answer = exchange.answer()?;
            let breach = |what: String| Breach::at(answer, what).after(exchange.request());
            if exchange.error_code() == Some(code::INVALID_PARAMS) {
                return Some(Ok(()));
            }
            Some(Err(if answer.is_error() {
                breach(format!("refuses the log level {} with {}", odd.brief(), probe::code_in_words(*exchange)))
            } else {
                breach(format!("takes no notice of the log level {}", odd.brief())).as_warning()
            }))
        })
        .collect()
}

/// The log level that a request asks for.
fn level(exchange: Exchange<'_>) -> Option<usize> {
    given(exchange).and_then(severity)
}

/// What stands in the place of the log level.
fn given(exchange: Exchange<'_>) -> Option<Value<'_>> {
    given_in(exchange.request())
}

fn given_in<'s>(request: &Message<'s>) -> Option<Value<'s>> {
    request.meta().and_then(|given| given.member(meta::LOG_LEVEL))
}

/// The requests of the harness.
struct Requests<'s> {
    all: Vec<Exchange<'s>>,
}

impl<'s> Requests<'s> {
    /// None if nobody can tell how long one that has a log level was open, for its id was used again.
    fn of(view: View<'s>) -> Option<Self> {
        let unclear = |request: &Message<'_>| request.shares_id && given_in(request).is_some();
        let clear = view.subject_speaks() && !view.requests_by(Speaker::Peer).any(unclear);
        clear.then(|| Self { all: probe::stateless(view).collect() })
    }

    /// Those that were not answered at an entry.
    fn open_at(&self, entry: usize) -> impl Iterator<Item = Exchange<'s>> {
        self.before(entry).filter(move |exchange| exchange.open_at(entry))
    }

    fn before(&self, entry: usize) -> impl Iterator<Item = Exchange<'s>> {
        self.all.iter().copied().filter(move |exchange| exchange.request().entry < entry)
    }
}
