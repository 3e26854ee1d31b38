//! What stands on pages, and how they fit together.

use std::collections::HashSet;

use super::walks::{self, Disturbances, Walk};
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::View;

pub(super) static NEXT_CURSOR_TYPE: Rule = Rule {
    id: "pagination.next-cursor-type",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Cursor",
    requires: "nextCursor is a string, and the last page leaves it out.",
    judged: "The result of every list method.",
    untested: "no list method gave a result",
    judge: next_cursor_type,
};

fn next_cursor_type(view: View<'_>) -> Verdict {
    view.lists()
        .filter_map(|(exchange, _)| {
            let (answer, result) = (exchange.answer()?, exchange.result().filter(|result| result.is_object())?);
            Some(match result.member("nextCursor") {
                None => Ok(()),
                Some(cursor) if cursor.is_string() => Ok(()),
                Some(cursor) if cursor.is_null() => {
                    Err(Breach::at(answer, "ends a list by a nextCursor that is null, not by leaving it out"))
                }
                Some(_) => Err(Breach::at(answer, "sends a nextCursor that is no string")),
            })
        })
        .collect()
}

pub(super) static WALK_COMPLETE: Rule = Rule {
    id: "pagination.walk-complete",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/pagination#response-format",
    requires: "Whoever follows the cursors of an unchanged list gets every item once.",
    judged: "No item is on two pages of one walk, and two walks give the same items, unless a notice of a change or a \
             tool call came in between. A difference is a warning: the page has no keyword, and a list may change \
             unannounced. Two equal items on a single page belong to the rules on names.",
    untested: "no list was walked to its end over several pages, or twice without a tool call in between",
    judge: walk_complete,
};

fn walk_complete(view: View<'_>) -> Verdict {
    let walks = walks::all(view);
    let disturbances = Disturbances::of(view);
    let alone = walks
        .iter()
        .filter(|walk| walk.complete && walk.pages.len() > 1 && disturbances.none_within(walk.start(), walk.end()))
        .map(|walk| overlap(walk));
    let pairs = walks::successive(&walks)
        .filter(|(one, next)| disturbances.none_within(one.start(), next.end()))
        .filter_map(|(one, next)| {
            let (before, after) = (one.pages.last()?.answer, next.pages.last()?.answer);
            let what = || format!("gives other items in a second walk of {} that nobody had changed", next.method);
            let same = one.keys() == next.keys();
            Some(if same { Ok(()) } else { Err(Breach::at(after, what()).after(before).as_warning()) })
        });
    alone.chain(pairs).collect()
}

/// Whether pages of one walk have an item in common.
fn overlap(walk: &Walk<'_>) -> Check {
    let mut before: HashSet<&str> = HashSet::new();
    for page in &walk.pages {
        if let Some(key) = page.keys.iter().find(|key| before.contains(&***key)) {
            let what = format!("gives {key} on two pages of {}", walk.method);
            return Err(Breach::at(page.answer, what).as_warning());
        }
        before.extend(page.keys.iter().map(|key| &**key));
    }
    Ok(())
}
