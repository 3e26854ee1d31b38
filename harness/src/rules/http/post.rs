//! Messages that the client posts, and what HTTP says to each.

use std::collections::HashSet;

use super::{at, called, lived_until, posts, requests, streamable, within};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::session::http::Part;
use crate::session::{Exchange, Fate, HttpExchange, Shape, View};
use crate::transcript::{Ending, Event, Intent};
use crate::wire::{Id, Value};

const STREAMABLE: Revisions = Revisions::range(Revision::V2025_03_26, Revision::V2026_07_28);

pub(super) static ENDPOINT: Rule = Rule {
    id: "http.post.endpoint",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http",
    requires: "One endpoint path accepts POST for all messages.",
    judged: "Honest notifications, responses, calls of listed tools, and requests that every server has to serve or that its \
             capabilities promise, once any message was accepted at the path. 405, a redirection, and 404 without JSON-RPC in it while \
             the session lives on say that the message needs another path.",
    untested: "no message was accepted at the endpoint",
    judge: endpoint,
};

fn endpoint(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let (certain, lived) = (probe::certain_methods(view), lived_until(&all));
    let honest = || all.iter().filter(|http| http.verb == "POST" && http.is_honest());
    let paths: HashSet<&str> = honest().filter(|http| http.is_accepted()).map(|http| http.target).collect();
    let is_due = |http: &HttpExchange<'_>| match http.method() {
        Some(method) if method == "tools/call" => {
            let name = http.body().and_then(|body| body.path(&["params", "name"])?.as_str());
            name.is_some_and(|name| view.tool(&name).is_some())
        }
        Some(method) => http.id().is_none() || method == "initialize" || certain.contains(&method.as_str()),
        None => true,
    };
    honest()
        .filter(|http| paths.contains(http.target) && is_due(http))
        .filter_map(|http| {
            let status = http.status()?;
            let bare = http.messages().next().is_none();
            let lives = lived.get(&http.client).is_some_and(|last| *last > http.entry);
            match status {
                200..=299 => Some(Ok(())),
                404 if http.id().is_none() || !bare || !lives => None,
                404 | 405 | 301 | 302 | 303 | 307 | 308 => {
                    Some(Err(at(http, format!("does not take {} at its endpoint: status {status}", called(http)))))
                }
                _ => None,
            }
        })
        .collect()
}

pub(super) static NOTIFICATION_202: Rule = Rule {
    id: "http.post.notification-202",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#sending-messages",
    requires: "An accepted notification gets status 202 with an empty body.",
    judged: "Sound notifications and responses that got a status of success. A body of no bytes is empty however it is \
             framed. Batches are left out. A refusal belongs to http.post.notification-refused.",
    untested: "no notification was accepted",
    judge: notification_202,
};

fn notification_202(view: View<'_>) -> Verdict {
    let all = streamable(view);
    unasking(view, &all)
        .filter(|http| http.is_accepted())
        .map(|http| match (http.status().unwrap_or_default(), http.parts.first()) {
            (202, None) => Ok(()),
            (202, Some(part)) => Err(within(http, entry_of(part), "accepts a notification by status 202 with a body")),
            (status, _) => Err(at(http, format!("accepts a notification by status {status} in place of 202"))),
        })
        .collect()
}

fn entry_of(part: &Part<'_>) -> usize {
    match part {
        Part::Event { entry, .. } | Part::Message { entry, .. } | Part::Body { entry, .. } => *entry,
    }
}

pub(super) static NOTIFICATION_REFUSED: Rule = Rule {
    id: "http.post.notification-refused",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#sending-messages",
    requires: "A notification or response that the server cannot accept gets an HTTP error status.",
    judged: "Sound notifications and responses that the server may have a reason to refuse, and those that it refused. \
             202 accepts them, every status from 400 on refuses them; a success with a JSON-RPC response in it breaks \
             the rule. An id other than null in the error of a refusal is a warning.",
    untested: "no notification or response was sent that the server had a reason to refuse",
    judge: notification_refused,
};

fn notification_refused(view: View<'_>) -> Verdict {
    let all = streamable(view);
    unasking(view, &all)
        .filter_map(|http| {
            let status = http.status()?;
            let answer = http.messages().find(|(_, message)| {
                message.member("method").is_none()
                    && (message.member("result").is_some() || message.member("error").is_some())
            });
            match (status, answer) {
                (200..=299, Some((entry, answer))) => {
                    let kind = if answer.member("error").is_some() { "an error" } else { "a result" };
                    Some(Err(within(http, entry, format!("answers a notification with {kind} and status {status}"))))
                }
                (400.., Some((entry, answer))) if answer.member("id").is_some_and(|id| !id.is_null()) => {
                    let what = "refuses a notification by an error with an id";
                    Some(Err(within(http, entry, what).as_warning()))
                }
                (400.., _) => Some(Ok(())),
                (202, None) if !http.is_honest() || is_answer_to_nothing(view, http) => Some(Ok(())),
                _ => None,
            }
        })
        .collect()
}

/// The POSTs with one sound notification or response.
fn unasking<'h, 's>(view: View<'s>, all: &'h [&'s HttpExchange<'s>]) -> impl Iterator<Item = &'h HttpExchange<'s>> {
    posts(view, all)
        .into_iter()
        .filter(|post| matches!(post.message.shape, Shape::Notification | Shape::Response))
        .map(|post| post.http)
}

/// Whether it carries a response under an id that the server did not use.
fn is_answer_to_nothing(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    let id = http.body().filter(|body| body.member("method").is_none()).and_then(|body| body.member("id"));
    id.map(Id::read).is_some_and(|id| {
        view.every_exchange_by(crate::session::Speaker::Subject).all(|asked| asked.request().id.as_ref() != Some(&id))
    })
}

pub(super) static REQUEST_CONTENT_TYPE: Rule = Rule {
    id: "http.post.request-content-type",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#sending-messages",
    requires: "A request is answered with one JSON object or with an event stream, marked by its content type.",
    judged: "Sound requests that accept both and got a status of success; parameters of the content type are free. A \
             request that was cancelled needs no answer. Batches are left out.",
    untested: "no request got a status of success",
    judge: request_content_type,
};

fn request_content_type(view: View<'_>) -> Verdict {
    let all = streamable(view);
    requests(view, &all)
        .into_iter()
        .filter(|(http, _)| http.is_accepted() && accepts_both(http))
        .filter(|(http, exchange)| exchange.cancellation().is_none() || !http.parts.is_empty())
        .filter_map(|(http, _)| {
            let media = http.media_type();
            match (http.status()?, media.as_deref()) {
                (202, _) => Some(Err(at(http, "answers a request by status 202"))),
                (_, Some("text/event-stream")) => Some(Ok(())),
                (_, Some("application/json")) => body(view, http),
                (_, Some(other)) => Some(Err(at(http, format!("answers a request with the content type {other:?}")))),
                (status, None) => {
                    Some(Err(at(http, format!("answers a request by status {status} without a content type"))))
                }
            }
        })
        .collect()
}

fn body(view: View<'_>, http: &HttpExchange<'_>) -> Option<Result<(), Breach>> {
    if http.ending() != Some(&Ending::Complete) {
        return None;
    }
    match http.parts.first() {
        None => Some(Err(at(http, "answers a request with no body at all"))),
        Some(Part::Message { entry, .. }) if is_cut(view, *entry) => None,
        Some(Part::Message { frame, .. }) if frame.json().is_ok_and(Value::is_object) => Some(Ok(())),
        Some(part) => Some(Err(within(http, entry_of(part), "answers a request with a body that is no JSON object"))),
    }
}

fn is_cut(view: View<'_>, entry: usize) -> bool {
    view.entries().get(entry).is_some_and(|entry| matches!(entry.event, Event::Received { cut: true, .. }))
}

fn accepts_both(http: &HttpExchange<'_>) -> bool {
    let accepted = http.headers.values("accept").collect::<Vec<_>>().join(",");
    accepted.contains("application/json") && accepted.contains("text/event-stream")
}

pub(super) static PARALLEL_REQUESTS: Rule = Rule {
    id: "http.post.parallel-requests",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#multiple-connections",
    requires: "A server serves several posted requests of one client that are open at the same time.",
    judged: "Honest requests that a server has to serve, sent while a tool call was open; floods are left out. They break the \
             rule if they get no answer, or a refusal in HTTP although the like of them was served before. That two or \
             more of them are answered only after the call is a warning. The call itself and a second GET stream are \
             other matters.",
    untested: "no request was sent while a tool call was open; name a slow tool in the subject file",
    judge: parallel_requests,
};

fn parallel_requests(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let certain = probe::certain_methods(view);
    let fair = |http: &HttpExchange<'_>, exchange: Exchange<'_>| {
        http.is_honest() && exchange.cancellation().is_none() && probe::is_fair(view, exchange)
    };
    let mut requests = requests(view, &all);
    requests.retain(|(http, exchange)| fair(http, *exchange));
    let calls: Vec<Exchange<'_>> =
        requests.iter().map(|(_, exchange)| *exchange).filter(|exchange| exchange.is("tools/call")).collect();
    let quick: Vec<(&HttpExchange<'_>, Exchange<'_>)> =
        requests.into_iter().filter(|(_, exchange)| probe::is_among(&certain, *exchange)).collect();
    let served: HashSet<&str> =
        quick.iter().filter(|(_, one)| one.result().is_some()).map(|(_, one)| one.method()).collect();
    let mut verdict: Verdict = quick
        .iter()
        .filter_map(|(http, exchange)| {
            let call = calls.iter().find(|call| call.open_at(http.entry))?;
            let breach = |what: &str| {
                let breach = at(http, format!("{what} {} while a tool call is open", exchange.method()));
                Some(Err(breach.after(call.request())))
            };
            match exchange.fate() {
                Fate::Answered if http.is_refused() && exchange.result().is_none() => {
                    served.contains(exchange.method()).then(|| breach("refuses")).flatten()
                }
                Fate::Answered => Some(Ok(())),
                Fate::Refused if served.contains(exchange.method()) => breach("refuses"),
                Fate::Silent | Fate::Cut => breach("does not answer"),
                _ => None,
            }
        })
        .collect();
    verdict.warnings.extend(calls.iter().find_map(|call| queue_behind(*call, &quick)));
    verdict
}

/// That all of several quick requests waited for a call.
fn queue_behind<'s>(call: Exchange<'s>, quick: &[(&HttpExchange<'s>, Exchange<'s>)]) -> Option<Breach> {
    let end = call.answer()?.entry;
    let during: Vec<&Exchange<'_>> = quick
        .iter()
        .map(|(_, exchange)| exchange)
        .filter(|exchange| call.open_at(exchange.request().entry) && exchange.request().intent == Intent::Honest)
        .collect();
    let waited = |exchange: &&&Exchange<'s>| exchange.answer().is_some_and(|answer| answer.entry > end);
    let last = during.iter().rfind(waited).filter(|_| during.len() > 1)?;
    during.iter().all(|exchange| waited(&exchange)).then_some(())?;
    let what = "answers quick requests only once a slow call is over";
    Some(Breach::at(last.answer()?, what).after(last.request()).after(call.request()).as_warning())
}
