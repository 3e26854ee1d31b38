//! Sessions over HTTP: their ids, and what becomes of requests without one or after its end.

use super::{SESSION_ID, at, called, has_error, has_twin, is_like, is_served, streamable};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, View};

const STREAMABLE: Revisions = Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25);
const CLAUSE: &str = "2025-11-25/basic/transports#session-management";

pub(super) static ID_CHARSET: Rule = Rule {
    id: "http.session.id-charset",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: CLAUSE,
    requires: "Session ids consist of visible ASCII characters.",
    judged: "The ids in the responses to initialize. Whether a server gives out any is its own choice; an empty one is a \
             warning.",
    untested: "the server gave out no session id",
    judge: id_charset,
};

fn id_charset(view: View<'_>) -> Verdict {
    given(&streamable(view))
        .map(|(http, id)| {
            if id.is_empty() {
                return Err(at(http, "gives out an empty session id").as_warning());
            }
            match id.chars().find(|character| !('\x21'..='\x7e').contains(character)) {
                Some(character) => Err(at(http, format!("gives out a session id with the character {character:?}"))),
                None => Ok(()),
            }
        })
        .collect()
}

/// The length below which an id is easy to guess.
const SHORT: usize = 16;
/// From how many ids on they can be seen to follow from each other.
const SEVERAL: usize = 3;
/// The most characters in which ids differ that are counted up.
const COUNTED: usize = 6;

pub(super) static ID_UNPREDICTABLE: Rule = Rule {
    id: "http.session.id-unpredictable",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: CLAUSE,
    requires: "Session ids are unique and hard to guess.",
    judged: "Nothing but warnings: for an id that two clients got, one of fewer than 16 characters, and three ids or more \
             that differ in six characters at most.",
    untested: "fewer than two sessions were given an id",
    judge: id_unpredictable,
};

fn id_unpredictable(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let given: Vec<(&HttpExchange<'_>, &str)> = given(&all).collect();
    if given.len() < 2 {
        return Verdict::untested();
    }
    let few = varying(&given.iter().map(|(_, id)| *id).collect::<Vec<_>>()) <= COUNTED && given.len() >= SEVERAL;
    given
        .iter()
        .enumerate()
        .map(|(index, (http, id))| {
            let before = given.iter().take(index).any(|(other, known)| known == id && other.client != http.client);
            let what = if before {
                "gives two clients the same session id".to_owned()
            } else if id.len() < SHORT {
                format!("gives out a session id of {} characters", id.len())
            } else if few && index + 1 == given.len() {
                format!("gives out session ids that differ in {COUNTED} characters at most")
            } else {
                return Ok(());
            };
            Err(at(http, what).as_warning())
        })
        .collect()
}

/// The length of the longest id without what all have in common at their beginnings and ends.
fn varying(ids: &[&str]) -> usize {
    let Some((first, rest)) = ids.split_first() else { return 0 };
    let common = |one: &mut dyn Iterator<Item = u8>, other: &mut dyn Iterator<Item = u8>| {
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let start = rest.iter().map(|id| common(&mut first.bytes(), &mut id.bytes())).min().unwrap_or_default();
    let end = rest.iter().map(|id| common(&mut first.bytes().rev(), &mut id.bytes().rev())).min().unwrap_or_default();
    ids.iter().map(|id| id.len().saturating_sub(start + end)).max().unwrap_or_default()
}

/// The session ids in the responses to `initialize`.
fn given<'h, 's>(all: &'h [&'s HttpExchange<'s>]) -> impl Iterator<Item = (&'h HttpExchange<'s>, &'s str)> {
    all.iter()
        .copied()
        .filter(|http| http.method().as_deref() == Some("initialize") && http.is_accepted())
        .filter_map(|http| Some((http, http.response?.headers.value(SESSION_ID)?)))
}

pub(super) static MISSING_400: Rule = Rule {
    id: "http.session.missing-400",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: CLAUSE,
    requires: "A server that needs a session id refuses requests without it by status 400.",
    judged: "POSTs without the id, of which a like with it was served in the same session. Another status from 400 to 499 is \
             a warning. A server that serves them does not need the id, and is not judged.",
    untested: "the server gave out no session id, or serves requests without it",
    judge: missing_400,
};

fn missing_400(view: View<'_>) -> Verdict {
    let all = streamable(view);
    all.iter()
        .filter(|http| http.verb == "POST" && http.headers.value(SESSION_ID).is_none())
        .filter(|http| http.method().as_deref() != Some("initialize"))
        .filter(|http| has_twin(view, &all, http, SESSION_ID, |id| id.is_some()))
        .filter_map(|http| {
            let breach = |status| at(http, format!("refuses {} without a session id by status {status}", called(http)));
            match http.status()? {
                400 => Some(Ok(())),
                status @ 401..=499 => Some(Err(breach(status).as_warning())),
                status @ 500.. => Some(Err(breach(status))),
                status @ 200..=299 if has_error(http) => Some(Err(breach(status))),
                _ => None,
            }
        })
        .collect()
}

pub(super) static TERMINATED_404: Rule = Rule {
    id: "http.session.terminated-404",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: CLAUSE,
    requires: "Requests for a terminated session get status 404.",
    judged: "Requests with the id of a session whose DELETE got a status of success, of which a like was served before; \
             initialize is left out. After a 202 something else must have been served in between. 401, 403, 429 and 503 \
             are taken for what they say.",
    untested: "the server gave out no session id, or does not let clients end sessions",
    judge: terminated_404,
};

fn terminated_404(view: View<'_>) -> Verdict {
    let all = streamable(view);
    all.iter()
        .filter(|http| http.method().as_deref() != Some("initialize"))
        // A body that is no message may be refused before anybody looks for its session.
        .filter(|http| http.verb != "POST" || http.method().is_some())
        .filter_map(|http| {
            let id = http.headers.value(SESSION_ID)?;
            let end = all
                .iter()
                .find(|end| end.verb == "DELETE" && end.is_accepted() && end.headers.value(SESSION_ID) == Some(id))?;
            let ended = end.end.map(|(entry, _)| entry).filter(|ended| *ended < http.entry)?;
            let before =
                |other: &&HttpExchange<'_>| other.entry < ended && is_like(http, other, "") && is_served(view, other);
            let settled = |other: &&HttpExchange<'_>| {
                other.entry > ended && other.end.is_some_and(|(end, _)| end < http.entry) && other.is_accepted()
            };
            if !all.iter().any(before) || (end.status() == Some(202) && !all.iter().any(settled)) {
                return None;
            }
            match http.status()? {
                404 => Some(Ok(())),
                401 | 403 | 429 | 503 => None,
                status => {
                    let what = format!("answers {} for a terminated session by status {status}", called(http));
                    Some(Err(at(http, what).after_entry(end.entry)))
                }
            }
        })
        .collect()
}
