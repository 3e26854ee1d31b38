//! Where a client of HTTP+SSE posts its messages.

use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::session::http::Part;
use crate::transcript::EventData;

pub(super) static POSTS_TO_ENDPOINT: Rule = Rule {
    id: "http-sse.client-posts-to-endpoint",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::of(&[Revision::V2024_11_05]),
    transports: Transports::HTTP,
    clause: "2024-11-05/basic/transports#http-with-sse",
    requires: "A client sends all messages by POST to the place that the endpoint event names.",
    judged: "A POST to the URL that the client was given, before it asked for the stream, is how clients of later revisions \
             begin. Where the event names another origin, nothing is judged: to refuse is safer.",
    untested: "the client got no endpoint event, or sent nothing behind it",
    judge: posts_to_endpoint,
};

fn posts_to_endpoint(view: View<'_>) -> Verdict {
    if !view.is_http_sse() {
        return Verdict::untested();
    }
    let all = view.session_http();
    let named = all.iter().filter(|http| http.verb == "GET").find_map(|http| {
        let found = http.parts.iter().find_map(|part| match part {
            Part::Event { entry, name: Some("endpoint"), data: EventData::Text(place), .. } => Some((*entry, place)),
            _ => None,
        });
        found.map(|(entry, place)| (http, entry, place))
    });
    let Some((stream, since, place)) = named else { return Verdict::untested() };
    let Some(wanted) = resolved(place, stream.target, stream.headers.value("host").unwrap_or_default()) else {
        return Verdict::untested();
    };
    let behind = all.iter().filter(|http| http.verb == "POST" && http.entry > stream.entry);
    behind
        .map(|http| {
            if http.entry < since {
                let what = "posts a message before it was told where to";
                return Err(Breach::at_entry(http.entry, what).after_entry(stream.entry));
            }
            if http.target == wanted {
                return Ok(());
            }
            let what = format!("posts a message to {:?} where the endpoint is {wanted:?}", http.target);
            Err(Breach::at_entry(http.entry, what).after_entry(since))
        })
        .collect()
}

/// The path and query of a place as the client of this stream must understand it; none on another origin.
fn resolved(place: &str, base: &str, host: &str) -> Option<String> {
    if let Some((_, rest)) = place.split_once("://") {
        let (origin, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return (origin == host.trim()).then(|| path.to_owned());
    }
    if place.starts_with('/') {
        return Some(place.to_owned());
    }
    let folder = base.split('?').next().unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{folder}/{place}"))
}
