//! The stream that a legacy client listens on.

use super::{answered_id, at, is_open_at, is_resumption, lived_until, streamable, within};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, View};

const STREAMABLE: Revisions = Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25);

pub(super) static SSE_OR_405: Rule = Rule {
    id: "http.get.sse-or-405",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#listening-for-messages-from-the-server",
    requires: "A GET on the endpoint opens an event stream or gets status 405.",
    judged: "GETs of an honest client that resume nothing. 401, 403, 429 and 503 belong to other clauses, and so do 400 \
             and 404 unless the session lived on. A second stream beside an open one may be refused in any way.",
    untested: "the client sent no GET",
    judge: sse_or_405,
};

fn sse_or_405(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let lived = lived_until(&all);
    all.iter()
        .filter(|http| http.verb == "GET" && http.is_honest() && !is_resumption(http))
        .filter_map(|http| {
            let status = http.status()?;
            let beside = all
                .iter()
                .any(|other| other.client == http.client && other.verb == "GET" && is_open_at(other, http.entry));
            match status {
                405 => Some(Ok(())),
                200..=299 if http.is_stream() => Some(Ok(())),
                200..=299 => {
                    let media = http.media_type().unwrap_or_else(|| "no content type".to_owned());
                    Some(Err(at(http, format!("answers a GET by status {status} and {media} in place of a stream"))))
                }
                401 | 403 | 429 | 503 => None,
                400 | 404 if lived.get(&http.client).is_none_or(|last| *last < http.entry) => None,
                400.. if !beside => Some(Err(at(http, format!("answers a GET by status {status}")))),
                _ => None,
            }
        })
        .collect()
}

pub(super) static NO_RESPONSES: Rule = Rule {
    id: "http.get.no-responses",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#listening-for-messages-from-the-server",
    requires: "The stream of a GET carries no responses unless it resumes another stream.",
    judged: "Streams of GETs without Last-Event-ID during which a request was sent. Errors without an id are responses to \
             nobody and not held against them.",
    untested: "no stream of a GET was open while a request was sent",
    judge: no_responses,
};

fn no_responses(view: View<'_>) -> Verdict {
    let all = streamable(view);
    all.iter()
        .filter(|http| http.verb == "GET" && http.is_stream() && !is_resumption(http))
        .filter_map(|http| {
            let response = http.messages().find(|(_, message)| answered_id(*message).is_some());
            if let Some((entry, _)) = response {
                return Some(Err(within(http, entry, "sends a response on a stream that no request opened")));
            }
            let tried =
                |other: &HttpExchange<'_>| other.client == http.client && other.verb == "POST" && other.id().is_some();
            all.iter().any(|other| tried(other) && is_open_at(http, other.entry)).then_some(Ok(()))
        })
        .collect()
}
