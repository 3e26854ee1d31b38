//! Servers that speak only modern revisions.

use super::probe;
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revisions, Side};
use crate::session::View;
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&INITIALIZE_ERROR_NAMES_VERSIONS, &client::LEGACY_SERVER_CLEAN_FAILURE];

static INITIALIZE_ERROR_NAMES_VERSIONS: Rule = Rule {
    id: "modern-only.server.initialize-error-names-versions",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions",
    requires: "A server that speaks only modern revisions names them in the error that it returns to `initialize`.",
    judged: "The code of the error is free; its message or its data has to contain a version that the server supports. \
             Only a server that control sessions know to speak no legacy revision is judged.",
    untested: "no legacy `initialize` was refused by a server that is known to speak only modern revisions",
    judge: initialize_error_names_versions,
};

fn initialize_error_names_versions(view: View<'_>) -> Verdict {
    let spoken = &view.facts().revisions;
    if spoken.is_empty() || spoken.iter().any(|revision| revision.era() == Era::Legacy) {
        return Verdict::untested();
    }
    let mut versions: Vec<String> = spoken.iter().map(ToString::to_string).collect();
    let discovered = view.exchanges().filter(|exchange| exchange.is("server/discover"));
    versions.extend(
        discovered
            .filter_map(|exchange| exchange.result()?.member("supportedVersions"))
            .flat_map(Value::items)
            .filter_map(|version| version.as_str().map(String::from))
            .filter(|version| !version.is_empty()),
    );
    versions.sort_unstable();
    versions.dedup();
    view.exchanges()
        .filter(|exchange| exchange.is("initialize") && exchange.request().modern_version().is_none())
        .filter(|exchange| probe::is_sound(exchange.request()))
        .filter_map(|exchange| {
            let (answer, error) = (exchange.answer()?, exchange.error()?);
            let texts = ["message", "data"].into_iter().filter_map(|key| error.member(key));
            let mut strings = texts.flat_map(Value::descendants).filter_map(Value::as_str);
            let named = strings.any(|text| versions.iter().any(|version| text.contains(version.as_str())));
            Some(match named {
                true => Ok(()),
                false => Err(Breach::at(answer, "refuses initialize without a word of the versions that it supports")
                    .after(exchange.request())),
            })
        })
        .collect()
}
