//! Implementations that speak both eras.
//!
//! - `client`: how clients find out the era
//! - `http`: what a refusal with 400 tells them

use super::probe::{self, Opening};
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revisions, Side, meta};
use crate::session::{Shape, Speaker, View};
use crate::wire::Value;

mod client;
mod http;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &INITIALIZE_SELECTS_LEGACY,
    &MODERN_WITHOUT_INITIALIZE,
    &LEGACY_SESSION_PLAIN,
    &client::PROBE_FIRST,
    &client::FALLBACK_ANY_ERROR,
    &client::FALLBACK_ON_SILENCE,
    &client::ERA_CACHED,
    &http::INSPECTS_400,
    &http::FALLBACK,
];

static INITIALIZE_SELECTS_LEGACY: Rule = Rule {
    id: "dual.server.initialize-selects-legacy",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/versioning#compatibility-matrix",
    requires: "A server of both eras that gets `initialize` serves the negotiated legacy revision from then on.",
    judged: "The answer to an `initialize` that opens the session with a version that the server was seen to speak, and \
             after it pings and declared lists without modern metadata. The page states this as an outcome only.",
    untested: "the subject is not known to speak both eras, or no script for 2026-07-28 opened with `initialize`",
    judge: initialize_selects_legacy,
};

fn initialize_selects_legacy(view: View<'_>) -> Verdict {
    if !is_dual(view) {
        return Verdict::untested();
    }
    let first = probe::first_of_client(view)
        .filter(|first| first.is("initialize") && first.modern_version().is_none() && !first.shares_id);
    let opened = first.and_then(|first| view.every_exchange().find(|exchange| exchange.request().entry == first.entry));
    let Some((opened, answer)) = opened.and_then(|opened| Some((opened, opened.answer()?))) else {
        return Verdict::untested();
    };
    let asked = opened.param("protocolVersion").and_then(Value::as_str);
    let spoken = |version: &str| view.facts().revisions.iter().any(|revision| revision.as_str() == version);
    let Some(result) = opened.result() else {
        let fair = asked.is_some_and(|asked| spoken(&asked)) && Opening::of(view).is_some();
        let refusal = Breach::at(answer, "refuses to open a legacy session although it speaks both eras");
        return (fair && answer.is_error()).then(|| Err(refusal.after(opened.request()))).into_iter().collect();
    };
    let offered = result.member("protocolVersion").and_then(Value::as_str);
    let agreed: Check = match offered.as_deref().and_then(crate::revision::Revision::from_wire) {
        Some(revision) if revision.era() == Era::Modern => {
            Err(Breach::at(answer, "agrees by initialize on a modern revision").after(opened.request()))
        }
        _ => Ok(()),
    };
    let capabilities = result.member("capabilities");
    let declares = |name: &str| capabilities.and_then(|all| all.member(name)).is_some_and(Value::is_object);
    let served = view
        .every_exchange()
        .filter(|exchange| exchange.request().entry > answer.entry && probe::is_sound(exchange.request()))
        .filter(|exchange| match exchange.method() {
            "ping" => true,
            "tools/list" => declares("tools"),
            "prompts/list" => declares("prompts"),
            "resources/list" => declares("resources"),
            _ => false,
        })
        .filter(|exchange| exchange.params().is_none_or(Value::is_empty))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            Some(match answer.is_error() {
                true => Err(Breach::at(answer, format!("refuses {} in a legacy session", exchange.method()))
                    .after(exchange.request())),
                false => Ok(()),
            })
        });
    [agreed].into_iter().chain(served).collect()
}

static MODERN_WITHOUT_INITIALIZE: Rule = Rule {
    id: "dual.server.modern-without-initialize",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/versioning#compatibility-matrix",
    requires: "A server of both eras handles a request with modern metadata by the modern rules, without any `initialize`.",
    judged: "Requests whose success is due have to get a result with a resultType. The refusal of the very first message \
             belongs to stateless.no-context-from-earlier-requests or discover.implemented. While a legacy session is \
             open, serving modern requests is optional, and only a warning is given.",
    untested: "the subject is not known to speak both eras, or got no modern request that had to succeed",
    judge: modern_without_initialize,
};

fn modern_without_initialize(view: View<'_>) -> Verdict {
    if !is_dual(view) {
        return Verdict::untested();
    }
    let methods = probe::certain_methods(view);
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    let first = probe::first_of_client(view).map(|first| first.entry);
    view.exchanges()
        .filter(|exchange| probe::is_among(&methods, *exchange))
        .filter(|exchange| probe::plain(exchange.request()).is_some_and(|version| version == view.revision().as_str()))
        .filter_map(|exchange| {
            let request = exchange.request();
            let answer = exchange.answer()?;
            let concurrent = request.entry > legacy_since;
            let breach = |what: &str| {
                let breach = Breach::at(answer, what).after(request);
                Some(Err(if concurrent { breach.as_warning() } else { breach }))
            };
            match exchange.result() {
                Some(result) if result.member("resultType").is_some() => Some(Ok(())),
                Some(_) => breach("answers a modern request by legacy rules, without a resultType"),
                None if Some(request.entry) == first || exchange.is("server/discover") && !concurrent => None,
                None => breach("refuses a modern request"),
            }
        })
        .collect()
}

static LEGACY_SESSION_PLAIN: Rule = Rule {
    id: "dual.legacy-session-plain",
    level: Level::Should,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions",
    requires: "After a legacy handshake an implementation of both eras leaves out the vocabulary of the modern one.",
    judged: "resultType, ttlMs and cacheScope in results, and the keys that 2026-07-28 defines inside _meta. Always a \
             warning, for extra members are legal.",
    untested: "the subject is not known to speak 2026-07-28, or sent nothing in a legacy session",
    judge: legacy_session_plain,
};

fn legacy_session_plain(view: View<'_>) -> Verdict {
    let knows_better = view.facts().revisions.iter().any(|revision| revision.era() == Era::Modern);
    view.messages_by(Speaker::Subject)
        .filter(|message| match message.shape {
            Shape::Request | Shape::Notification => true,
            Shape::Response => message.is_success() && view.exchange_of(message).is_some(),
            Shape::Other | Shape::Unreadable => false,
        })
        .filter_map(|message| {
            let result = message.result();
            let member = MEMBERS.iter().find(|key| result.is_some_and(|result| result.member(key).is_some()));
            let key = KEYS.iter().find(|key| message.meta().is_some_and(|given| given.member(key).is_some()));
            match member.or(key) {
                Some(found) => {
                    let what = format!("writes {found} in a session of {}", view.revision());
                    Some(Err(Breach::at(message, what).as_warning()))
                }
                None => knows_better.then_some(Ok(())),
            }
        })
        .collect()
}

static MEMBERS: &[&str] = &["resultType", "ttlMs", "cacheScope"];

static KEYS: &[&str] = &[
    meta::PROTOCOL_VERSION,
    meta::CLIENT_INFO,
    meta::CLIENT_CAPABILITIES,
    meta::SERVER_INFO,
    meta::LOG_LEVEL,
    meta::SUBSCRIPTION_ID,
];

/// Whether control sessions heard the subject speak both eras.
fn is_dual(view: View<'_>) -> bool {
    let spoken = &view.facts().revisions;
    let has = |era: Era| spoken.iter().any(|revision| revision.era() == era);
    has(Era::Legacy) && has(Era::Modern)
}
