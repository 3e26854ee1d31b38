//! Clients that speak only modern revisions.

use crate::revision::{Era, Revision, Revisions, Side, knows};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Fate, Speaker, View};

pub(super) static LEGACY_SERVER_CLEAN_FAILURE: Rule = Rule {
    id: "modern-only.client.legacy-server-clean-failure",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/versioning#compatibility-matrix",
    requires: "A client that speaks only modern revisions asks a server what it supports first, and stops where that is no \
               modern one.",
    judged: "Sessions in which the harness never says anything that only a modern server says, with a client that control \
             sessions know to speak no older revision. It may ask server/discover as often as it likes.",
    untested: "the client is not known to speak modern revisions alone, or it met no server of an older one",
    judge: legacy_server_clean_failure,
};

fn legacy_server_clean_failure(view: View<'_>) -> Verdict {
    if !client::speaks(view, Era::Modern) || client::speaks(view, Era::Legacy) || shows_modern(view) {
        return Verdict::untested();
    }
    let all: Vec<_> = client::modern(view).collect();
    let over = all.iter().find(|exchange| {
        exchange.error().is_some() || (exchange.answer().is_none() && exchange.fate() != Fate::Unsettled)
    });
    let Some(first) = over else { return Verdict::untested() };
    let ambiguous = |name: &str| Revision::ALL.iter().filter(|one| knows(**one, name)).count() > 1;
    let check: Check = match all.iter().find(|exchange| ambiguous(exchange.method())) {
        Some(asked) => {
            let what = format!("sends {} to a server of an older revision", asked.method());
            let breach = Breach::at(asked.request(), what);
            let before = first.answer().filter(|answer| answer.entry < asked.request().entry);
            Err(before.map_or(breach.clone(), |answer| breach.after(answer)))
        }
        None => Ok(()),
    };
    [check].into_iter().collect()
}

/// Whether the harness said anything that only a modern server says.
fn shows_modern(view: View<'_>) -> bool {
    view.every_message().filter(|message| message.by == Speaker::Peer).any(|message| {
        let result = message.result();
        let typed = result.is_some_and(|result| {
            result.member("resultType").is_some() || result.member("supportedVersions").is_some()
        });
        typed || message.error_code().is_some_and(|code| (-32099..=-32020).contains(&code))
    })
}
