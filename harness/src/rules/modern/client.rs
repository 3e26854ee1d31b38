//! What a client of the modern era no longer says.

use crate::revision::{MethodKind, Revision, Revisions, Side, knows, method};
use crate::rules::client::{legacy_from, modern, own, settled_modern};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Shape, View};

pub(super) static NO_LEGACY_MESSAGES: Rule = Rule {
    id: "modern.client.no-legacy-messages",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/changelog#major-changes",
    requires: "A client that settled on this revision uses none of the messages that it removed.",
    judged: "Once a modern request got a modern result. Methods of tasks are those of an extension too and are not judged, \
             except tasks/result, which it does not have; nor are those that no revision has. Behind an error an \
             `initialize` may be an attempt to find out anew what the server speaks.",
    untested: "the client never settled on this revision, or said nothing more",
    judge: no_legacy_messages,
};

fn no_legacy_messages(view: View<'_>) -> Verdict {
    let Some(since) = settled_modern(view) else { return Verdict::untested() };
    let removed = |name: &str| match name {
        "tasks/result" | "notifications/progress" => true,
        _ if name.starts_with("tasks/") || name == "notifications/tasks/status" => false,
        _ => method(name).is_some() && !knows(Revision::V2026_07_28, name),
    };
    let shape = |name: &str| match method(name).map(|row| row.kind) {
        Some(MethodKind::Notification) => "notification",
        _ => "request",
    };
    // What follows an `initialize` is another era; that one itself is not.
    let legacy = legacy_from(view);
    let doubt = modern(view).any(|exchange| {
        let refused = exchange.answer().is_none_or(|answer| answer.is_error() || answer.entry > legacy);
        refused && (since..legacy).contains(&exchange.request().entry)
    });
    let legacy = if doubt { legacy.saturating_sub(1) } else { legacy };
    own(view)
        .filter(|message| message.entry > since && message.entry <= legacy)
        .filter(|message| matches!(message.shape, Shape::Request | Shape::Notification))
        .filter_map(|message| {
            let name = message.method()?;
            let what = || format!("sends the {} {name}, which {} removed", shape(name), Revision::V2026_07_28);
            Some(if removed(name) { Err(Breach::at(message, what())) } else { Ok(()) })
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}
