//! What a client makes of the versions that a server supports.

use crate::revision::{Revisions, Side, never_released};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, View};
use crate::wire::Value;

pub(super) static PICKS_LISTED_VERSION: Rule = Rule {
    id: "discover.client-picks-listed-version",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/discover#discoverresult",
    requires: "Once a client knows which versions a server supports, it uses one of them.",
    judged: "Every modern request behind a successful answer that has a list of strings, but for server/discover itself, which \
             may be asked anew. An `initialize` for a version that was not listed is a warning: there is no other way to \
             an older server.",
    untested: "the client learned no list of versions, or asked nothing more",
    judge: picks_listed_version,
};

fn picks_listed_version(view: View<'_>) -> Verdict {
    let lists: Vec<_> = client::modern(view).filter_map(listed).collect();
    let has = |listed: Value<'_>, version: &str| listed.items().any(|one| one.is(version));
    let mut checks: Vec<Check> = Vec::new();
    for exchange in client::modern(view).filter(|exchange| !exchange.is("server/discover")) {
        let request = exchange.request();
        let Some((answer, listed)) = lists.iter().rfind(|(answer, _)| answer.entry < request.entry) else { continue };
        let Some(version) = request.modern_version().and_then(Value::as_str) else { continue };
        checks.push(match has(*listed, &version) {
            true => Ok(()),
            false => {
                let what =
                    format!("asks for {} in version {version}, which the server does not list", exchange.method());
                Err(Breach::at(request, what).after(answer))
            }
        });
    }
    let Some((answer, listed)) = lists.last() else { return checks.into_iter().collect() };
    let foreign = listed.items().filter_map(Value::as_str).all(|version| never_released(&version));
    let opened = client::own(view).find(|message| message.is("initialize") && message.entry > answer.entry);
    match opened {
        Some(opened) => {
            let version = opened.param("protocolVersion").and_then(Value::as_str).unwrap_or_default();
            if !has(*listed, &version) {
                let what = format!("opens a session in version {version:?}, which the server does not list");
                checks.push(Err(Breach::at(opened, what).after(answer).as_warning()));
            }
        }
        // Nothing to choose from, and nothing was chosen.
        None if foreign && checks.is_empty() => checks.push(Ok(())),
        None => {}
    }
    checks.into_iter().collect()
}

/// The versions that a server says it supports.
fn listed(exchange: Exchange<'_>) -> Option<(&Message<'_>, Value<'_>)> {
    let result = exchange.result().filter(|_| exchange.is("server/discover"))?;
    let listed = result.member("supportedVersions").filter(|listed| listed.is_array() && !listed.is_empty())?;
    Some((exchange.answer()?, listed)).filter(|(_, listed)| listed.items().all(Value::is_string))
}
