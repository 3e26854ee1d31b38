//! What is asked of clients that speak HTTP.
//!
//! - [`asking`]: what every HTTP request must be like
//! - [`modern`]: header lines that repeat what a modern request says
//! - [`params`]: arguments of tools in header lines
//! - [`reading`]: reading streams, and coming back to those that broke
//! - [`session`]: session ids and the version that was agreed upon

use super::streamable;
use crate::revision::{Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::session::http::Part;
use crate::session::{HttpExchange, View};
use crate::transcript::{Ending, Event};

pub mod asking;
pub mod modern;
pub mod params;
pub mod reading;
pub mod session;

const fn rule(id: &'static str, level: Level, revisions: Revisions, clause: &'static str) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions,
        transports: Transports::HTTP,
        clause,
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

/// The legacy revisions that know Streamable HTTP.
const STREAMABLE: Revisions = Revisions::LEGACY.and(Revisions::since(crate::revision::Revision::V2025_03_26));

/// Whether a request carries a message that says it is of the modern era.
fn is_modern(http: &HttpExchange<'_>) -> bool {
    let path = ["params", "_meta", crate::revision::meta::PROTOCOL_VERSION];
    http.body().is_some_and(|body| body.path(&path).is_some())
}

/// The requests of the modern era that a client POSTed.
fn modern_requests(view: View<'_>) -> impl Iterator<Item = &HttpExchange<'_>> {
    streamable(view).into_iter().filter(|http| http.verb == "POST" && http.id().is_some() && is_modern(http))
}

/// When something happened, in microseconds since the session was opened.
fn at(view: View<'_>, entry: usize) -> u64 {
    view.entries().get(entry).map_or(0, |entry| entry.at)
}

/// The entry at which the harness ended the session, or at which the client was seen to be gone.
fn over(view: View<'_>) -> Option<usize> {
    let ends = |event: &Event| matches!(event, Event::Closed | Event::Killed | Event::Ended | Event::Exited { .. });
    view.entries().iter().position(|entry| ends(&entry.event))
}

/// The id of the last event of a stream that has one.
fn last_event_id<'s>(http: &HttpExchange<'s>) -> Option<&'s str> {
    http.parts.iter().rev().find_map(|part| match part {
        Part::Event { id, .. } => *id,
        _ => None,
    })
}

/// Whether a stream ended before it brought the answer to its request.
fn is_broken(http: &HttpExchange<'_>) -> bool {
    let over = matches!(http.ending(), Some(Ending::Complete | Ending::Cut));
    http.verb == "POST" && http.is_stream() && http.id().is_some() && over && http.answer().is_none()
}

/// What the client made of an answer, as far as its driver or its next messages tell.
fn was_taken(view: View<'_>, http: &HttpExchange<'_>, answer: usize) -> Option<bool> {
    let id = http.id()?;
    let later = || view.every_message().filter(|message| message.by == view.client() && message.entry > answer);
    let cancels = |message: &&crate::session::Message<'_>| {
        message.is("notifications/cancelled")
            && message.param("requestId").is_some_and(|about| crate::wire::Id::read(about) == id)
    };
    if later().any(|message| cancels(&message)) {
        return Some(false);
    }
    let asked = |wish: &&crate::session::user::Wish| {
        wish.entry < http.entry && wish.came.as_ref().is_none_or(|came| came.entry > http.entry)
    };
    match view.user().wishes.iter().rev().find(asked) {
        Some(wish) if wish.has_failed() => return Some(false),
        Some(wish) if wish.is_fulfilled() => return Some(true),
        _ => {}
    }
    later().next().is_some().then_some(true)
}
