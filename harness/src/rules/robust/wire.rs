//! HTTP requests that are none, and many clients at once.

use std::collections::{BTreeSet, HashMap};

use super::super::{Breach, Check, Figure, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side};
use crate::session::{HttpExchange, View};
use crate::transcript::{Delivery, Ending, Event, Intent};
use crate::wire::Id;

/// From this many clients on they are many.
pub const MANY: usize = 8;

/// From this many bytes on, a header line is a long one.
const LONG: usize = 16 << 10;

/// `robust.http-malformed`
pub static HTTP_MALFORMED: Rule = Rule {
    id: "robust.http-malformed",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::HTTP,
    clause: "",
    requires: "The subject goes on serving after HTTP requests that are malformed, and does not carry out what they say.",
    judged: "Looked at are bodies that end early, that are framed in contradictory ways, or are no UTF-8, unknown methods, \
             other media types, and very long header lines. Whatever they are answered with, the next honest request has to \
             be answered, and one that has an end must not be left without an answer on an open connection. A message whose end never came, or whose framing contradicts itself, must \
             not be carried out.",
    untested: "no malformed HTTP request was sent",
    judge: http_malformed,
};

fn http_malformed(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() {
        return Verdict::untested();
    }
    let all = view.session_http();
    let mut latest: Option<(&HttpExchange<'_>, &str)> = None;
    let mut checks: Vec<Check> = Vec::new();
    let mut borne = 0;
    for http in all {
        if let Some(how) = malformation(view, http) {
            latest = Some((http, how.what));
            borne += 1;
            if let Some((entry, answer)) = http.answer().filter(|_| how.is_no_message)
                && answer.member("result").is_some()
            {
                let what = format!("carries out a message {}", how.what);
                checks.push(Err(Breach::at_entry(entry, what).after_entry(http.entry)));
            }
            // What has no end may be waited for.
            let ignored = http.response.is_none() && http.end.is_none() && !how.is_no_message;
            if ignored && view.settled_after(http.entry) {
                let what = format!("never answers a request {}, and does not close its connection", how.what);
                checks.push(Err(Breach::at_entry(http.entry, what)));
            }
            continue;
        }
        let honest = http.is_honest() && http.verb == "POST" && http.id().is_some();
        let Some((malformed, how)) = latest.filter(|_| honest) else { continue };
        let gone = match http.ending() {
            Some(Ending::Complete | Ending::Dropped) => false,
            Some(Ending::Cut | Ending::Malformed(_)) => http.answer().is_none(),
            Some(Ending::Refused(_)) => true,
            None => http.response.is_none() && is_overdue(view, http),
        };
        if gone {
            checks.push(Err(Breach::at_entry(http.last_entry(), format!("stops serving after a request {how}"))
                .after_entry(malformed.entry)));
            break;
        }
        if http.response.is_some() {
            checks.push(Ok(()));
            latest = None;
        }
    }
    Verdict::from_iter(checks).bearing(Figure::count("malformed requests", borne))
}

/// Whether the harness waited for the answer in vain.
pub(super) fn is_overdue(view: View<'_>, http: &HttpExchange<'_>) -> bool {
    let id = http.id();
    let text = id.as_ref().map(Id::text);
    view.entries().iter().skip(http.entry).any(|entry| match &entry.event {
        Event::Expired { id } => Some(id.as_str()) == text,
        _ => false,
    })
}

/// What is wrong with an HTTP request.
pub(super) struct Malformation {
    what: &'static str,
    /// Nobody can know which message it carries, if any.
    is_no_message: bool,
}

/// What is wrong with an HTTP request of the harness as HTTP goes, whatever it says.
pub(super) fn malformation(view: View<'_>, http: &HttpExchange<'_>) -> Option<Malformation> {
    let headers = http.headers;
    let found = |what: &'static str, is_no_message: bool| Some(Malformation { what, is_no_message });
    if http.intent != Intent::Departure {
        let garbled = http.sent.iter().any(|sent| std::str::from_utf8(sent.frame.bytes()).is_err());
        return if garbled { found("whose body is no UTF-8", false) } else { None };
    }
    let torn = |entry: usize| {
        let event = view.entries().get(entry).map(|entry| &entry.event);
        matches!(event, Some(Event::Sent { delivery: Delivery::Unended, .. }))
    };
    if http.sent.iter().any(|sent| torn(sent.entry)) {
        return found("whose body never ends", true);
    }
    let lengths: BTreeSet<&str> = headers.values("content-length").collect();
    if lengths.len() > 1 {
        return found("with two lengths", true);
    }
    if let (Some(length), Some(sent)) = (lengths.first(), http.sent.first()) {
        match length.parse::<usize>() {
            Err(_) => return found("whose length is no number", true),
            Ok(length) if length < sent.frame.bytes().len() => {
                return found("with a length shorter than its body", true);
            }
            Ok(_) => {}
        }
    }
    if !lengths.is_empty() && headers.value("transfer-encoding").is_some() {
        // A server may go by the chunks.
        return found("with a length and another framing", false);
    }
    if headers.iter().any(|(name, value)| name.len() + value.len() >= LONG) {
        return found("with a very long header line", false);
    }
    if !matches!(http.verb, "POST" | "GET" | "DELETE" | "HEAD" | "OPTIONS") {
        return found("with an unknown method", false);
    }
    if http.verb == "POST" && !headers.media_type().is_some_and(|media| media.contains("json")) {
        return found("of another media type", false);
    }
    let garbled = http.sent.iter().any(|sent| std::str::from_utf8(sent.frame.bytes()).is_err());
    if garbled { found("whose body is no UTF-8", false) } else { None }
}

/// `robust.many-clients`
pub static MANY_CLIENTS: Rule = Rule {
    id: "robust.many-clients",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::HTTP,
    clause: "",
    requires: "Many clients at once are all answered, each request once.",
    judged: "Honest requests of sessions with eight clients and more, of which the responses are over; any answer will do, a \
             refusal included. A response that ends without an answer, a connection that is refused, and a second answer \
             break the rule, each once a session.",
    untested: "no eight clients sent requests at once",
    judge: many_clients,
};

fn many_clients(view: View<'_>) -> Verdict {
    let all = view.session_http();
    let asked = || {
        let posts = all.iter().filter(|http| http.verb == "POST" && http.is_honest() && http.sent.len() == 1);
        posts.filter(|http| http.id().is_some() && http.method().as_deref() != Some("subscriptions/listen"))
    };
    let clients: BTreeSet<u32> = asked().map(|http| http.client).collect();
    let is_sse = view.revision() == crate::revision::Revision::V2024_11_05;
    if !view.is_of_the_run() || clients.len() < MANY || is_sse {
        return Verdict::untested();
    }
    // The answer may stand on another stream of its client, if that was resumed.
    let mut answers: HashMap<(u32, Id), usize> = HashMap::new();
    for http in all {
        for (_, message) in http.messages().filter(|(_, message)| message.member("method").is_none()) {
            if let Some(id) = message.member("id").map(Id::read) {
                *answers.entry((http.client, id)).or_default() += 1;
            }
        }
    }
    let mut asked_as: HashMap<(u32, Id), usize> = HashMap::new();
    for http in asked() {
        if let Some(id) = http.id() {
            *asked_as.entry((http.client, id)).or_default() += 1;
        }
    }
    let (mut lost, mut twice) = (false, false);
    let verdict: Verdict = asked()
        .filter_map(|http| {
            let key = (http.client, http.id()?);
            let count = answers.get(&key).copied().unwrap_or_default();
            if asked_as.get(&key) != Some(&1) {
                return None;
            }
            if count > 1 {
                let what = "answers one of many clients twice".to_owned();
                return (!std::mem::replace(&mut twice, true))
                    .then(|| Err(Breach::at_entry(http.last_entry(), what).after_entry(http.entry)));
            }
            let resumable = http.events().next().is_some() && http.client != 0;
            let missing = match http.ending()? {
                _ if count == 1 => false,
                Ending::Complete => !http.is_refused() && !resumable,
                Ending::Cut | Ending::Malformed(_) => !resumable,
                Ending::Refused(_) => true,
                Ending::Dropped => return None,
            };
            if !missing {
                return Some(Ok(()));
            }
            let what = "leaves one of many clients without an answer".to_owned();
            (!std::mem::replace(&mut lost, true))
                .then(|| Err(Breach::at_entry(http.last_entry(), what).after_entry(http.entry)))
        })
        .collect();
    let first = asked().map(|http| http.entry).min().unwrap_or_default();
    let last = asked().map(HttpExchange::last_entry).max().unwrap_or_default();
    let figure = Figure::count("clients at once", clients.len());
    verdict.bearing(figure.map(|figure| figure.within(view, first, last)))
}
