//! What a client announces of its own roots, and what it makes of announcements.

use std::collections::HashMap;

use super::belongs;
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Message, Speaker, View};
use crate::transcript::Event;
use crate::wire::{Id, Value};

pub(super) static ROOTS_EMITTED: Rule = Rule {
    id: "list-changed.roots-emitted",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/client/roots#root-list-changes",
    requires: "A client that declared roots.listChanged announces that its roots have changed.",
    judged: "Changes that the driver says it made, to other roots than those that it was given before. One notice anywhere \
             behind a change is enough, since changes in quick succession may share one; it is missed only once fences behind \
             the change were answered, or the client had its time to the end.",
    untested: "no user changed the roots of a client that declared roots.listChanged",
    judge: roots_emitted,
};

fn roots_emitted(view: View<'_>) -> Verdict {
    let initialized = view.notifications_by(Speaker::Subject).find(|message| message.is("notifications/initialized"));
    let Some(initialized) = initialized.filter(|_| view.client() == Speaker::Subject) else {
        return Verdict::untested();
    };
    let declared = view.client_capabilities(initialized).and_then(|all| all.path(&["roots", "listChanged"]));
    if declared.and_then(Value::as_bool) != Some(true) {
        return Verdict::untested();
    }
    let last = view
        .notifications_by(Speaker::Subject)
        .rfind(|message| message.is("notifications/roots/list_changed"))
        .map(|notice| notice.entry);
    let changes: Vec<&Wish> =
        view.user().wishes.iter().filter(|wish| wish.kind() == "roots" && wish.entry > initialized.entry).collect();
    let mut checks: Vec<Check> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| changes.get(before));
        let same = before.is_some_and(|before| before.wish["uris"] == change.wish["uris"]);
        let Some(came) = change.came.as_ref().filter(|_| change.is_fulfilled() && !same) else { continue };
        if last.is_some_and(|last| last > change.entry) {
            checks.push(Ok(()));
        } else if view.settled_after(came.entry) || stayed(view, came.entry) {
            checks.push(Err(Breach::at_entry(came.entry, "changes its roots without a notice")));
        }
    }
    checks.into_iter().collect()
}

/// Whether the harness, and not the client, ended the session behind this entry.
fn stayed(view: View<'_>, entry: usize) -> bool {
    let ends = view.entries().iter().skip(entry).find_map(|entry| match entry.event {
        Event::Closed => Some(true),
        Event::Ended | Event::Exited { .. } | Event::Killed => Some(false),
        _ => None,
    });
    ends == Some(true)
}

pub(super) static REFETCHES: Rule = Rule {
    id: "list-changed.client-refetches",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/caching#interaction-with-notifications",
    requires: "A notice that a list has changed makes what a client kept of it stale at once.",
    judged: "Lists that a client had with a ttlMs that is not over, a notice of an open subscription, a wish that was fulfilled \
             by an answer behind that notice, and then a wish for the list: it is asked for anew.",
    untested: "no user wanted a list again behind a notice that it has changed",
    judge: refetches,
};

/// The lists by the names that wishes have for them, and the notices of their changes.
static LISTS: &[(&str, &str, &str)] = &[
    ("tools", "tools/list", "notifications/tools/list_changed"),
    ("prompts", "prompts/list", "notifications/prompts/list_changed"),
    ("resources", "resources/list", "notifications/resources/list_changed"),
];

fn refetches(view: View<'_>) -> Verdict {
    let mut listening: HashMap<Id, usize> = HashMap::new();
    for exchange in view.exchanges_by(Speaker::Subject).filter(|exchange| exchange.is("subscriptions/listen")) {
        listening.extend(exchange.request().id.clone().map(|id| (id, exchange.request().entry)));
    }
    let own = |notice: &Message<'_>| listening.iter().any(|(id, since)| *since < notice.entry && belongs(notice, id));
    let mut checks: Vec<Check> = Vec::new();
    for (kind, method, name) in LISTS {
        let asked = || view.exchanges_by(Speaker::Subject).filter(|exchange| exchange.is(method));
        let notices = view.notifications_by(Speaker::Peer).filter(|notice| notice.is(name) && own(notice));
        for notice in notices {
            let fresh = asked().any(|list| {
                let kept = list.result().and_then(|result| result.member("ttlMs")?.as_f64());
                let since = list.answer().filter(|answer| answer.entry < notice.entry);
                since.zip(kept).is_some_and(|(answer, kept)| {
                    #[expect(clippy::cast_precision_loss, reason = "a session is shorter than 2^53 microseconds")]
                    let passed = end(view).saturating_sub(answer.at) as f64;
                    kept * 1000.0 > passed
                })
            });
            let Some(wish) = wanted(view, kind, notice).filter(|_| fresh) else { continue };
            let Some(came) = wish.came.as_ref().filter(|_| wish.is_fulfilled()) else { continue };
            let anew = asked().any(|list| list.request().entry > notice.entry && list.request().entry < came.entry);
            let what = format!("gives its user the {kind} it had before they changed");
            checks.push(if anew { Ok(()) } else { Err(Breach::at_entry(came.entry, what).after(notice)) });
        }
    }
    checks.into_iter().collect()
}

/// When the session was over, in microseconds.
fn end(view: View<'_>) -> u64 {
    view.entries().last().map_or(0, |entry| entry.at)
}

/// The first wish for a list that came once the client had surely read a notice.
fn wanted<'s>(view: View<'s>, kind: &str, notice: &Message<'_>) -> Option<&'s Wish> {
    let answered = view
        .exchanges_by(Speaker::Subject)
        .filter_map(|exchange| exchange.answer())
        .find(|answer| answer.entry > notice.entry)?;
    let wishes = &view.user().wishes;
    let read = wishes.iter().filter_map(|wish| wish.came.as_ref()).find(|came| came.entry > answered.entry)?;
    wishes.iter().find(|wish| wish.kind() == "list" && wish.wish["what"] == *kind && wish.entry > read.entry)
}
