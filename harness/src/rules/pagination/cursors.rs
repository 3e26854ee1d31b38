//! What a server makes of the cursors that it gets: its own, and others.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::walks::{self, Disturbances, Page};
use crate::revision::{LISTS, Revisions, Side, code};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};

/// A longer cursor may be refused for its length, in whatever way.
const LONG: usize = 1 << 16;

pub(super) static ACCEPTS_OWN: Rule = Rule {
    id: "pagination.server-accepts-own-cursor",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/pagination#response-format",
    requires: "A cursor that the server issued continues the same list, and the list ends.",
    judged: "The first use of a cursor that came in this session for the same list must not be refused, unless a notice \
             of a change or a tool call came in between. A walk that gets the same page for the same cursor again, and \
             with it the cursor that leads there, never ends.",
    untested: "no list had more than one page, or nobody asked for the next",
    judge: accepts_own,
};

fn accepts_own(view: View<'_>) -> Verdict {
    let disturbances = Disturbances::of(view);
    let mut used: HashSet<(&str, Cow<'_, str>)> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for Use { exchange, method, cursor, issued } in uses(view) {
        let (Some(issued), Some(answer)) = (issued, exchange.answer()) else { continue };
        let quiet = disturbances.none_within(issued, answer.entry);
        if used.insert((method, cursor)) && quiet {
            checks.push(match answer.is_error() {
                true => Err(Breach::at(answer, "refuses a cursor that it issued itself").after(exchange.request())),
                false => Ok(()),
            });
        }
    }
    checks.extend(walks::all(view).iter().filter_map(|walk| {
        let mut seen: HashMap<&str, &Page<'_>> = HashMap::new();
        let mut cursors = walk.pages.iter().filter_map(|page| Some((page.next.as_deref()?, page)));
        let (_, page) = cursors.find(|(next, page)| {
            seen.insert(next, page).is_some_and(|before| !page.keys.is_empty() && before.keys == page.keys)
        })?;
        Some(Err(Breach::at(page.answer, "leads in a circle: the same page with the same cursor again")))
    }));
    checks.into_iter().collect()
}

pub(super) static STABLE: Rule = Rule {
    id: "pagination.server-stable-cursor",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/pagination#implementation-guidelines",
    requires: "The same cursor gives the same page as long as the list is unchanged.",
    judged: "A cursor that gave a page must give the same items when it is used again, unless a notice of a change or a \
             tool call came in between. The order within the page is free.",
    untested: "no cursor was used twice",
    judge: stable,
};

fn stable(view: View<'_>) -> Verdict {
    let disturbances = Disturbances::of(view);
    let mut pages: HashMap<(&str, Cow<'_, str>), Page<'_>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for Use { exchange, method, cursor, issued } in uses(view) {
        let (Some(answer), Some(_)) = (exchange.answer(), issued) else { continue };
        let page = Page::of(view, exchange);
        let key = (method, cursor);
        if let Some(before) = pages.get(&key)
            && disturbances.none_within(before.request.entry, answer.entry)
        {
            let what = match &page {
                Some(page) if sorted(page) == sorted(before) => None,
                Some(_) => Some("gives another page for the same cursor"),
                None if answer.is_error() => Some("refuses a cursor that it took before"),
                None => continue,
            };
            let breach = |what: &str| Breach::at(answer, what).after(exchange.request()).after(before.answer);
            checks.push(what.map_or(Ok(()), |what| Err(breach(what))));
        }
        if let Some(page) = page {
            pages.insert(key, page);
        }
    }
    checks.into_iter().collect()
}

fn sorted<'a>(page: &'a Page<'_>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = page.keys.iter().map(|key| &**key).collect();
    keys.sort_unstable();
    keys
}

pub(super) static INVALID: Rule = Rule {
    id: "pagination.invalid-cursor",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/pagination#error-handling",
    requires: "A cursor that the server never issued is refused by invalid params.",
    judged: "Cursors that did not come in this session for the same list, and such as are no strings, must get -32602. \
             To take them is a warning, for a server may ignore cursors or understand many; null may stand for none. \
             Cursors of more than 64 KiB may be refused for their length. The empty string may be anything, and a \
             server without the method is not judged.",
    untested: "no list was asked for with a cursor that the server had not issued",
    judge: invalid,
};

fn invalid(view: View<'_>) -> Verdict {
    uses(view)
        .filter(|one| one.issued.is_none() && !one.cursor.is_empty())
        .filter_map(|Use { exchange, cursor, .. }| {
            let answer = exchange.answer()?;
            let breach = |what: String| Breach::at(answer, what).after(exchange.request());
            let given = exchange.param("cursor")?;
            if answer.is_success() {
                let takes = || breach("takes a cursor that it never issued".to_owned()).as_warning();
                return (!given.is_null()).then(|| Err(takes()));
            }
            match answer.error_code()? {
                code::INVALID_PARAMS => Some(Ok(())),
                code::METHOD_NOT_FOUND => None,
                _ if cursor.len() > LONG => Some(Ok(())),
                other => Some(Err(breach(format!("refuses a cursor that it never issued by {other}")))),
            }
        })
        .collect()
}

/// A request for a list with a cursor that gives no other reason to refuse it.
struct Use<'s> {
    exchange: Exchange<'s>,
    method: &'static str,
    /// Its text; of other values their JSON text.
    cursor: Cow<'s, str>,
    /// The entry in which the subject last issued it for this list, before the request.
    issued: Option<usize>,
}

fn uses<'s>(view: View<'s>) -> impl Iterator<Item = Use<'s>> {
    // By list and cursor, the entries in which it was issued, in order.
    let mut issues: HashMap<(&str, Cow<'s, str>), Vec<usize>> = HashMap::new();
    for (exchange, _) in view.lists() {
        let cursor = exchange.result().and_then(|result| result.member("nextCursor")?.as_str());
        if let (Some(cursor), Some(answer)) = (cursor, exchange.answer()) {
            issues.entry((exchange.method(), cursor)).or_default().push(answer.entry);
        }
    }
    issues.values_mut().for_each(|entries| entries.sort_unstable());
    view.exchanges().filter_map(move |exchange| {
        let (method, ..) = LISTS.iter().find(|(method, ..)| exchange.is(method))?;
        let given = exchange.param("cursor").filter(|_| walks::is_fair(view, exchange))?;
        let cursor = given.as_str().unwrap_or(Cow::Borrowed(given.raw()));
        let issued = given.is_string().then(|| issues.get(&(*method, cursor.clone()))).flatten().and_then(|entries| {
            let before = entries.partition_point(|entry| *entry < exchange.request().entry);
            entries.get(before.checked_sub(1)?).copied()
        });
        Some(Use { exchange, method, cursor, issued })
    })
}
