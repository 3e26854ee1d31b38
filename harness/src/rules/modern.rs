//! What the modern revision took away.

use super::probe;
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{MethodKind, Revisions, Side, code, knows, method};
use crate::session::View;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&REMOVED_METHODS_REFUSED, &client::NO_LEGACY_MESSAGES];

static REMOVED_METHODS_REFUSED: Rule = Rule {
    id: "modern.server.removed-methods-refused",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/changelog#major-changes",
    requires: "Methods that the modern revision removed are unknown methods there.",
    judged: "A result is a warning, for a server that speaks legacy revisions too may know the method. Methods of tasks \
             are not judged where the server declares the extension, and `initialize` has its own rules.",
    untested: "no removed method was called with complete modern metadata",
    judge: removed_methods_refused,
};

fn removed_methods_refused(view: View<'_>) -> Verdict {
    let has_tasks = view.server_declares(&["extensions", "io.modelcontextprotocol/tasks"]).unwrap_or_default();
    let is_removed = |name: &str| {
        let known = method(name).is_some_and(|row| row.kind == MethodKind::Request && row.from.includes(Side::Client));
        known && !knows(view.revision(), name) && name != "initialize" && !(has_tasks && name.starts_with("tasks/"))
    };
    probe::stateless(view)
        .filter(|exchange| is_removed(exchange.method()))
        .filter(|exchange| probe::plain(exchange.request()).is_some_and(|version| version == view.revision().as_str()))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let breach = |what: String| Breach::at(answer, what).after(exchange.request());
            match exchange.error_code() {
                Some(code::METHOD_NOT_FOUND) => Some(Ok(())),
                Some(other) => Some(Err(breach(format!(
                    "refuses {}, which the revision removed, with {other} in place of -32601",
                    exchange.method()
                )))),
                None if answer.is_success() => {
                    let what = format!("still serves {}, which the revision removed", exchange.method());
                    Some(Err(breach(what).as_warning()))
                }
                None => None,
            }
        })
        .collect()
}
