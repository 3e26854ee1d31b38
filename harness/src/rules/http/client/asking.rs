//! What every HTTP request of a client must be like.

use super::super::streamable;
use super::{STREAMABLE, rule};
use crate::revision::{Revision, Revisions};
use crate::rules::{Breach, Check, Level, Rule, Verdict};
use crate::session::http::Part;
use crate::session::{HttpExchange, View};
use crate::wire::http::Headers;

const SENDING: &str = "2026-07-28/basic/transports/streamable-http#sending-messages";
const LISTENING: &str = "2025-11-25/basic/transports#listening-for-messages-from-the-server";

/// Since there is Streamable HTTP.
const SINCE: Revisions = Revisions::since(Revision::V2025_03_26);

pub(in crate::rules::http) static ACCEPT_POST: Rule = Rule {
    requires: "Each POST says in `Accept` that the client takes both `application/json` and `text/event-stream`.",
    judged: "Both must be named, in any order and with any parameters; `*/*` alone does not count.",
    untested: "the client sent no POST",
    judge: accept_post,
    ..rule("http.client.accept-post", Level::Must, SINCE, SENDING)
};

fn accept_post(view: View<'_>) -> Verdict {
    let posts = streamable(view).into_iter().filter(|http| http.verb == "POST");
    posts
        .map(|http| {
            let missing = ["application/json", "text/event-stream"].into_iter().find(|one| !names(http.headers, one));
            let Some(missing) = missing else { return Ok(()) };
            Err(Breach::at_entry(http.entry, format!("posts a message without {missing} in its Accept")))
        })
        .collect()
}

/// Whether the lines `Accept` name a media type.
fn names(headers: &Headers, wanted: &str) -> bool {
    let listed = headers.values("accept").flat_map(|value| value.split(','));
    listed.map(|range| range.split(';').next().unwrap_or_default().trim()).any(|one| one.eq_ignore_ascii_case(wanted))
}

pub(in crate::rules::http) static ACCEPT_GET: Rule = Rule {
    requires: "A GET says in `Accept` that the client takes `text/event-stream`.",
    judged: "It must be named; `*/*` alone does not count.",
    untested: "the client sent no GET",
    judge: accept_get,
    ..rule("http.client.accept-get", Level::Must, STREAMABLE, LISTENING)
};

fn accept_get(view: View<'_>) -> Verdict {
    let asked = streamable(view).into_iter().filter(|http| http.verb == "GET");
    asked
        .map(|http| match names(http.headers, "text/event-stream") {
            true => Ok(()),
            false => Err(Breach::at_entry(http.entry, "asks for a stream without text/event-stream in its Accept")),
        })
        .collect()
}

pub(in crate::rules::http) static ONE_MESSAGE: Rule = Rule {
    requires: "Each message is the body of a POST of its own, to the one endpoint.",
    judged: "In 2025-03-26 the body may be an array. The path is that of the first POST; it may change behind a redirect \
             or where the older transport named a place for messages.",
    untested: "the client sent no message",
    judge: one_message,
    ..rule("http.client.one-message-per-post", Level::Must, SINCE, SENDING)
};

fn one_message(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let moved = |http: &&HttpExchange<'_>| {
        let elsewhere = http.status().is_some_and(|status| (300..400).contains(&status));
        elsewhere || http.events().any(|event| matches!(event, Part::Event { name: Some("endpoint"), .. }))
    };
    let first = view.session_http().iter().find(|http| http.verb == "POST").map(|http| http.target);
    let moved = view.session_http().iter().find(moved).map(|http| http.entry);
    let carrying = all.into_iter().filter(|http| http.verb == "POST" || !http.sent.is_empty());
    carrying
        .map(|http| {
            let wrong = |what: &str| -> Check { Err(Breach::at_entry(http.entry, what)) };
            if http.verb != "POST" {
                return Err(Breach::at_entry(http.entry, format!("sends a message by {}", http.verb)));
            }
            if http.sent.is_empty() {
                return wrong("posts nothing");
            }
            match http.body() {
                None => return wrong("posts something that is no JSON"),
                Some(body) if body.is_array() && view.revision() != Revision::V2025_03_26 => {
                    return wrong("posts several messages at once");
                }
                _ => {}
            }
            if first.is_some_and(|first| first != http.target) && moved.is_none_or(|moved| moved > http.entry) {
                return wrong("posts a message to another path than the first one");
            }
            Ok(())
        })
        .collect()
}
