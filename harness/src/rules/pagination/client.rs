//! How a client pages through lists.

use std::collections::{HashMap, HashSet};

use crate::revision::{LISTS, Revisions, Side};
use crate::rules::client::{self, fulfilled, listed_by, wished_between};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Speaker, View};
use crate::wire::Value;

const GUIDELINES: &str = "2026-07-28/server/utilities/pagination#implementation-guidelines";

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::ALL,
        transports: Transports::BOTH,
        clause: GUIDELINES,
        requires: "",
        judged: "",
        untested: "the client never asked for a further page",
        judge: |_| Verdict::untested(),
    }
}

/// The requests of one list in their order.
fn asked<'s>(view: View<'s>, method: &'static str) -> Vec<Exchange<'s>> {
    view.exchanges_by(Speaker::Subject).filter(|exchange| exchange.is(method)).collect()
}

fn cursor_of(exchange: Exchange<'_>) -> Option<Value<'_>> {
    exchange.param("cursor").filter(|cursor| !cursor.is_null())
}

fn next_of(exchange: Exchange<'_>) -> Option<Value<'_>> {
    exchange.result()?.member("nextCursor").filter(|next| !next.is_null())
}

/// What a cursor is compared by: its characters, or else its JSON.
fn characters(cursor: Value<'_>) -> String {
    cursor.as_str().map_or_else(|| cursor.raw().to_owned(), |text| format!("\"{text}"))
}

fn brief(cursor: Value<'_>) -> String {
    cursor.brief()
}

pub(super) static ECHOES_CURSOR: Rule = Rule {
    requires: "A client gives cursors back as it got them, and for the list that they belong to.",
    judged: "Each cursor of a request must have been issued before in this session for that very method. Compared after \
             JSON decoding, so that escapes may differ. Never paging is fine, and so is starting anew.",
    judge: echoes_cursor,
    ..rule("pagination.client-echoes-cursor", Level::Must)
};

fn echoes_cursor(view: View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut everywhere: HashMap<String, &str> = HashMap::new();
    for &(method, ..) in LISTS {
        for exchange in asked(view, method) {
            for next in exchange.answers().filter_map(|answer| answer.result()?.member("nextCursor")) {
                everywhere.insert(characters(next), method);
            }
        }
    }
    for &(method, ..) in LISTS {
        let all = asked(view, method);
        // In the order of the conversation: what was issued later was not there to be given back.
        let mut issued: Vec<(usize, String)> = Vec::new();
        for answer in all.iter().flat_map(|exchange| exchange.answers()) {
            let next = answer.result().and_then(|result| result.member("nextCursor"));
            issued.extend(next.map(|next| (answer.entry, characters(next))));
        }
        issued.sort_unstable();
        let mut known: HashSet<&str> = HashSet::new();
        let mut position = 0;
        for exchange in &all {
            let request = exchange.request();
            while let Some((_, cursor)) = issued.get(position).filter(|(entry, _)| *entry < request.entry) {
                known.insert(cursor);
                position += 1;
            }
            let Some(cursor) = cursor_of(*exchange) else { continue };
            verdict.checked += 1;
            let text = characters(cursor);
            if known.contains(text.as_str()) {
                continue;
            }
            let what = match everywhere.get(&text).filter(|own| **own != method) {
                Some(other) => format!("asks {method} for a page with a cursor of {other}"),
                None => format!("asks {method} for a page with the cursor {}, which nobody gave it", brief(cursor)),
            };
            verdict.breaches.push(Breach::at(request, what));
        }
    }
    verdict
}

pub(super) static EMPTY_STRING_CURSOR: Rule = Rule {
    revisions: Revisions::MODERN,
    requires: "An empty cursor is a cursor like any other and not the end of a list.",
    judged: "Only of a list of which the client asked for a further page in the same session, and that it took for whole: the \
             wish to list it was fulfilled. A client that calls the empty cursor an error is not judged.",
    untested: "no list that the client pages through had an empty cursor",
    judge: empty_string_cursor,
    ..rule("pagination.client-empty-string-cursor", Level::Must)
};

fn empty_string_cursor(view: View<'_>) -> Verdict {
    let is_empty = |cursor: Value<'_>| cursor.is("");
    abandoned(view, is_empty, "takes an empty cursor for the end of")
}

pub(super) static NO_FIXED_PAGE_SIZE: Rule = Rule {
    clause: "2026-07-28/server/utilities/pagination#pagination-model",
    requires: "A client concludes nothing from the length of a page.",
    judged: "A client that pages through a list, and has its user's wish to see all of it fulfilled, has asked for a page \
             behind each cursor, however few items stood before it. Cursors that come again are not judged, and neither \
             are lists of more than fifty pages: a client may have had enough.",
    untested: "no list that the client pages through had a page that was empty, or of another length than the first",
    judge: no_fixed_page_size,
    ..rule("pagination.client-no-fixed-page-size", Level::Must)
};

fn no_fixed_page_size(view: View<'_>) -> Verdict {
    let uneven = |exchange: &Exchange<'_>, first: usize| length(*exchange).is_some_and(|own| own != first || own == 0);
    let mut verdict = Verdict::default();
    for &(method, ..) in LISTS {
        let all = asked(view, method);
        let Some(first) = all.first().and_then(|first| length(*first)) else { continue };
        if all.iter().any(|exchange| next_of(*exchange).is_some() && (uneven(exchange, first) || first == 0)) {
            let found =
                of_list(view, method, &all, |cursor| !cursor.is(""), "does not ask for what is behind a page of");
            verdict.checked += found.checked;
            verdict.breaches.extend(found.breaches);
        }
    }
    verdict
}

/// How many items an answer to a list method has.
fn length(exchange: Exchange<'_>) -> Option<usize> {
    let (_, member, _) = LISTS.iter().find(|(method, ..)| exchange.is(method))?;
    Some(exchange.result()?.member(member).filter(|items| items.is_array())?.items().count())
}

/// Lists that a client took for whole although there was a cursor of a kind behind which it did not look.
fn abandoned(view: View<'_>, kind: impl Fn(Value<'_>) -> bool + Copy, what: &str) -> Verdict {
    let mut verdict = Verdict::default();
    for &(method, ..) in LISTS {
        let found = of_list(view, method, &asked(view, method), kind, what);
        verdict.checked += found.checked;
        verdict.breaches.extend(found.breaches);
    }
    verdict
}

/// More pages of a list than a client has to follow.
const MOST_PAGES: usize = 50;

fn of_list(
    view: View<'_>,
    method: &'static str,
    all: &[Exchange<'_>],
    kind: impl Fn(Value<'_>) -> bool,
    what: &str,
) -> Verdict {
    let pages = all.iter().filter(|exchange| cursor_of(**exchange).is_some());
    let ordinary = pages.clone().any(|exchange| cursor_of(*exchange).is_some_and(|cursor| !cursor.is("")));
    if !ordinary || all.len() > MOST_PAGES {
        return Verdict::untested();
    }
    let mut issued: HashSet<String> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for (position, exchange) in all.iter().enumerate() {
        let Some((next, answer)) = next_of(*exchange).zip(exchange.answer()) else { continue };
        let is_new = issued.insert(characters(next));
        if !next.is_string() || !kind(next) || !is_new {
            continue;
        }
        let mut later = all.get(position + 1..).unwrap_or_default().iter();
        if later.any(|again| cursor_of(*again).is_some_and(|cursor| cursor.same(next))) {
            checks.push(Ok(()));
            continue;
        }
        // The wish that the page was asked for, if it was for this list and came true.
        let wish = fulfilled(view).find(|(wish, came)| {
            listed_by(wish) == Some(method) && wish.entry < exchange.request().entry && *came > answer.entry
        });
        if let Some((_, came)) = wish {
            checks.push(Err(Breach::at_entry(came, format!("{what} {method}")).after(answer)));
        }
    }
    checks.into_iter().collect()
}

pub(super) static STOPS_WITHOUT_CURSOR: Rule = Rule {
    requires: "A client takes a page without a cursor for the end of the list.",
    judged: "Broken if it goes on asking for pages of that list though its user wanted nothing new and no change was \
             announced; of a user whose wishes are not known, only if it does so three times with pages that are not to be kept. \
             Starting anew is fine.",
    untested: "the client never got a page without a cursor",
    judge: stops_without_cursor,
    ..rule("pagination.client-stops-without-cursor", Level::Should)
};

fn stops_without_cursor(view: View<'_>) -> Verdict {
    let knows_wishes = !view.user().wishes.is_empty();
    let mut checks: Vec<Check> = Vec::new();
    for &(method, ..) in LISTS {
        let all = asked(view, method);
        for (position, exchange) in all.iter().enumerate() {
            let ends = exchange.result().is_some() && next_of(*exchange).is_none() && length(*exchange).is_some();
            let Some(answer) = exchange.answer().filter(|_| ends) else { continue };
            let later = all.get(position + 1..).unwrap_or_default();
            let goes_on = |again: &Exchange<'_>| {
                let request = again.request();
                cursor_of(*again).is_some()
                    && request.entry > answer.entry
                    && !wished_between(view, answer.entry, request.entry)
                    && !announced_between(view, answer.entry, request.entry)
            };
            // Where pages may be kept, a walk that somebody wants anew need not begin with a request for the first one.
            let kept = |page: &Exchange<'_>| {
                let ttl = page.result().and_then(|result| result.member("ttlMs")).and_then(Value::as_f64);
                ttl.is_some_and(|ttl| ttl > 0.0)
            };
            if !knows_wishes && all.iter().any(kept) {
                checks.push(Ok(()));
                continue;
            }
            let needed = if knows_wishes { 1 } else { 3 };
            // A walk that was begun anew has cursors of its own.
            let rest = later.iter().take_while(|again| cursor_of(**again).is_some());
            let check = match rest.filter(|again| goes_on(again)).nth(needed - 1) {
                None => Ok(()),
                Some(again) => {
                    let what = format!("asks for another page of {method} although the last one had no cursor");
                    Err(Breach::at(again.request(), what).after(answer))
                }
            };
            let is_broken = check.is_err();
            checks.push(check);
            if is_broken {
                break;
            }
        }
    }
    checks.into_iter().collect()
}

fn announced_between(view: View<'_>, from: usize, to: usize) -> bool {
    let notices = view.notifications_by(Speaker::Peer).filter(|message| (from..to).contains(&message.entry));
    notices.into_iter().any(|message| message.method().is_some_and(|method| method.ends_with("list_changed")))
}

pub(super) static NO_CURSOR_ACROSS_SESSIONS: Rule = Rule {
    revisions: Revisions::LEGACY,
    clause: "2025-11-25/server/utilities/pagination#implementation-guidelines",
    requires: "A client keeps no cursor beyond its session.",
    judged: "Where the client opened a second session in the middle of a list, the cursors that it used in there must have \
             been given in there.",
    untested: "the client never opened another session behind one that had given it a cursor",
    judge: no_cursor_across_sessions,
    ..rule("pagination.client-no-cursor-across-sessions", Level::Must)
};

fn no_cursor_across_sessions(view: View<'_>) -> Verdict {
    let opened: Vec<usize> = client::own(view)
        .filter(|message| message.is("initialize") && message.modern_version().is_none())
        .map(|message| message.entry)
        .collect();
    let session_of = |entry: usize| opened.partition_point(|opening| *opening <= entry);
    let mut checks: Vec<Check> = Vec::new();
    for &(method, ..) in LISTS {
        // The latest session that issued a cursor.
        let mut issued: HashMap<String, usize> = HashMap::new();
        for exchange in asked(view, method) {
            let here = session_of(exchange.request().entry);
            let earlier = issued.values().any(|session| *session < here);
            let cursor = cursor_of(exchange);
            match cursor.and_then(|cursor| issued.get(&characters(cursor))) {
                Some(session) if *session < here => {
                    let what = format!("asks {method} for a page with a cursor of an earlier session");
                    checks.push(Err(Breach::at(exchange.request(), what)));
                }
                _ if earlier => checks.push(Ok(())),
                _ => {}
            }
            if let Some(next) = next_of(exchange) {
                issued.insert(characters(next), here);
            }
        }
    }
    checks.into_iter().collect()
}
