//! Progress of requests that take their time.

use std::collections::{HashMap, HashSet};

use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions};
use crate::session::{Exchange, Message, Shape, Speaker, View};
use crate::wire::{Id, Value};

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&KNOWN_TOKEN_ONLY, &INCREASING, &STOPS_AT_COMPLETION, &TOKEN_TYPE, &TOKEN_UNIQUE, &FIELDS];

/// Requirements of this area that no rule judges, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[(
    "progress.task-token-lifetime",
    "it speaks of tasks, an experiment of 2025-11-25 alone, and no rule follows their progress",
)];

const FLOW: &str = "2026-07-28/basic/patterns/progress#progress-flow";

const UNTESTED: &str = "the subject reported no progress; name a tool that does in the subject file, under `slow`";

static KNOWN_TOKEN_ONLY: Rule = Rule {
    id: "progress.known-token-only",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/progress#behavior-requirements",
    requires: "Progress is reported only under tokens that came with a request, in the same spelling and type.",
    judged: "Every report with a token: some request before it must have had the same one. Reports after the answer belong \
             to progress.stops-at-completion.",
    untested: UNTESTED,
    judge: known_token_only,
};

fn known_token_only(view: View<'_>) -> Verdict {
    // Every request counts, those under an id in use too: whose answer is whose does not matter here.
    let mut given: HashMap<Id, usize> = HashMap::new();
    let asked = view.every_message().filter(|message| message.by == Speaker::Peer && message.shape == Shape::Request);
    for request in asked {
        if let Some(token) = token_of(request) {
            given.entry(Id::read(token)).or_insert(request.entry);
        }
    }
    let spellings: HashSet<&str> = given.keys().map(|token| token.text().trim_matches('"')).collect();
    reports(view)
        .filter_map(|(message, token)| {
            let known = given.get(&token).is_some_and(|first| *first < message.entry);
            if known {
                return Some(Ok(()));
            }
            // Other types than these belong to progress.fields.
            let proper = token.is_legal();
            let what = if spellings.contains(token.text().trim_matches('"')) {
                "reports progress under a token of another type than the one that it got"
            } else {
                "reports progress under a token that nobody gave"
            };
            proper.then(|| Err(Breach::at(message, what)))
        })
        .collect()
}

static INCREASING: Rule = Rule {
    id: "progress.increasing",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: FLOW,
    requires: "The progress of one request is greater in each report than in the one before.",
    judged: "Reports of one token from request to request. A fraction is fine, and so is a total that is missing or changes. \
             Tokens that two open requests share are not judged.",
    untested: "no request got two reports of progress; name a tool that reports several times in the subject file, under \
               `slow`",
    judge: increasing,
};

fn increasing(view: View<'_>) -> Verdict {
    let given = Given::of(view);
    let mut last: HashMap<(Id, usize), (&Message<'_>, Value<'_>)> = HashMap::new();
    reports(view)
        .filter_map(|(message, token)| {
            let progress = message.param("progress").filter(|progress| progress.is_number())?;
            let request = given.alone_at(&token, message.entry)?.request().entry;
            let (earlier, before) = last.insert((token, request), (message, progress))?;
            let (one, next) = (before.as_f64()?, progress.as_f64()?);
            let breach = |what: &str| Some(Err(Breach::at(message, what).after(earlier)));
            if next > one {
                Some(Ok(()))
            } else if next < one {
                breach("reports less progress than before")
            } else if before.same(progress) {
                breach("reports the same progress again")
            } else {
                // Both are beyond what a double tells apart.
                None
            }
        })
        .collect()
}

static STOPS_AT_COMPLETION: Rule = Rule {
    id: "progress.stops-at-completion",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/progress#implementation-notes",
    requires: "No progress is reported once the request was answered.",
    judged: "Requests that got reports of progress and an answer. Calls as tasks are left out, for their answer is not the \
             end, and so are tokens that another request used again.",
    untested: UNTESTED,
    judge: stops_at_completion,
};

fn stops_at_completion(view: View<'_>) -> Verdict {
    let mut last: HashMap<Id, &Message<'_>> = HashMap::new();
    last.extend(reports(view).map(|(message, token)| (token, message)));
    let given = Given::of(view);
    view.exchanges()
        .filter(|exchange| exchange.param("task").is_none())
        .filter_map(|exchange| {
            let token = Id::read(token_of(exchange.request())?);
            let (report, answer) = (last.get(&token)?, exchange.answer()?);
            let what = "reports progress of a request that it had answered";
            let late = report.entry > answer.entry;
            let check = if late { Err(Breach::at(report, what).after(answer)) } else { Ok(()) };
            (given.with(&token).len() == 1).then_some(check)
        })
        .collect()
}

static TOKEN_TYPE: Rule = Rule {
    id: "progress.token-type",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: FLOW,
    requires: "A progress token is a string or an integer.",
    judged: "The tokens in requests of the subject. In 2026-07-28 only clients send requests.",
    untested: "the subject asked nobody for progress",
    judge: token_type,
};

fn token_type(view: View<'_>) -> Verdict {
    view.requests_by(Speaker::Subject)
        .filter_map(|request| {
            let token = token_of(request)?;
            let fits = token.is_string() || token.is_integral();
            Some(if fits {
                Ok(())
            } else {
                Err(Breach::at(request, "asks for progress under a token of another type"))
            })
        })
        .collect()
}

static TOKEN_UNIQUE: Rule = Rule {
    id: "progress.token-unique",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: FLOW,
    requires: "Requests that run at the same time have different progress tokens.",
    judged: "Requests of the subject with a token, while another one of its own is neither answered nor cancelled. 7 and \
             \"7\" count as different.",
    untested: "the subject never had two requests with progress tokens open at once",
    judge: token_unique,
};

fn token_unique(view: View<'_>) -> Verdict {
    let mut before: HashMap<Id, Exchange<'_>> = HashMap::new();
    let mut latest_end: Option<Exchange<'_>> = None;
    let mut checks: Vec<Check> = Vec::new();
    for exchange in view.exchanges_by(Speaker::Subject) {
        let request = exchange.request();
        let Some(token) = token_of(request).map(Id::read) else { continue };
        let earlier = before.insert(token, exchange).filter(|earlier| runs_at(view, *earlier, request.entry));
        if let Some(earlier) = earlier {
            let what = "asks for progress under the token of another request that is open";
            checks.push(Err(Breach::at(request, what).after(earlier.request())));
        } else if latest_end.is_some_and(|other| runs_at(view, other, request.entry)) {
            checks.push(Ok(()));
        }
        if latest_end.is_none_or(|other| end_of(view, other) < end_of(view, exchange)) {
            latest_end = Some(exchange);
        }
    }
    checks.into_iter().collect()
}

fn runs_at(view: View<'_>, exchange: Exchange<'_>, entry: usize) -> bool {
    exchange.request().entry < entry && end_of(view, exchange) > entry
}

/// The entry at which a request was answered or cancelled, or at which its server was replaced by another one.
fn end_of(view: View<'_>, exchange: Exchange<'_>) -> usize {
    let ends = [exchange.answer(), exchange.cancellation()].into_iter().flatten();
    let gone = view.process_end(exchange.request().entry);
    ends.map(|message| message.entry).min().unwrap_or(usize::MAX).min(gone)
}

static FIELDS: Rule = Rule {
    id: "progress.fields",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ProgressNotificationParams",
    requires: "A report of progress has a token and a number, and whatever else it has is of the right type.",
    judged: "progressToken is a string or an integer, progress and total are numbers, message is a string. 2024-11-05 does \
             not know message.",
    untested: UNTESTED,
    judge: fields,
};

fn fields(view: View<'_>) -> Verdict {
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/progress"))
        .map(|message| match wrong_field(view, message) {
            None => Ok(()),
            Some(what) => Err(Breach::at(message, what)),
        })
        .collect()
}

fn wrong_field(view: View<'_>, message: &Message<'_>) -> Option<&'static str> {
    let knows_message = view.revision() >= Revision::V2025_03_26;
    match message.param("progressToken") {
        None => return Some("reports progress without a token"),
        Some(token) if !token.is_string() && !token.is_integral() => {
            return Some("reports progress under a token that is neither string nor integer");
        }
        Some(_) => {}
    }
    match message.param("progress") {
        None => return Some("reports progress without a value"),
        Some(progress) if !progress.is_number() => return Some("reports progress that is no number"),
        Some(_) => {}
    }
    if message.param("total").is_some_and(|total| !total.is_number()) {
        return Some("reports a total that is no number");
    }
    let text = message.param("message");
    (knows_message && text.is_some_and(|text| !text.is_string()))
        .then_some("reports progress with a message that is no string")
}

/// The reports of the subject that have a token, in order.
fn reports(view: View<'_>) -> impl Iterator<Item = (&Message<'_>, Id)> {
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/progress"))
        .filter_map(|message| Some((message, Id::read(message.param("progressToken")?))))
}

fn token_of<'s>(request: &Message<'s>) -> Option<Value<'s>> {
    request.params()?.path(&["_meta", "progressToken"])
}

/// The requests of the harness by the token that they gave, each list in order.
struct Given<'s> {
    view: View<'s>,
    by_token: HashMap<Id, Vec<Exchange<'s>>>,
}

impl<'s> Given<'s> {
    fn of(view: View<'s>) -> Self {
        let mut by_token: HashMap<Id, Vec<Exchange<'s>>> = HashMap::new();
        for exchange in view.every_exchange() {
            if let Some(token) = token_of(exchange.request()) {
                by_token.entry(Id::read(token)).or_default().push(exchange);
            }
        }
        Self { view, by_token }
    }

    fn with(&self, token: &Id) -> &[Exchange<'s>] {
        self.by_token.get(token).map_or(&[], Vec::as_slice)
    }

    /// The last request with this token before an entry, unless the one before that is still open.
    fn alone_at(&self, token: &Id, entry: usize) -> Option<Exchange<'s>> {
        let exchanges = self.with(token);
        let before = exchanges.get(..exchanges.partition_point(|exchange| exchange.request().entry < entry))?;
        let (last, earlier) = before.split_last()?;
        let shared = earlier.last().is_some_and(|other| end_of(self.view, *other) > last.request().entry);
        (!shared).then_some(*last)
    }
}
