//! The version of a modern request, and its refusal.

use std::collections::HashMap;

use super::probe;
use super::witness::{Call, Watch};
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revision, Revisions, Side, code, never_released};
use crate::session::{Message, View};
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&ERROR, &DATA, &PRECEDES_SIDE_EFFECTS, &SUPPORTED_LIST_HONEST, &client::RETRIES_SUPPORTED, &client::NO_FALLBACK];

const CLAUSE: &str = "2026-07-28/basic/versioning#protocol-version-negotiation";

static ERROR: Rule = Rule {
    id: "version.unsupported.error",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A request for a version that the server does not implement is refused with -32022.",
    judged: "Only versions that nobody can support count, and only server/discover and lists that the server declared, \
             so that nothing else is wrong. Legacy versions in modern metadata are not judged.",
    untested: "no sound request named a version that the server cannot support",
    judge: error,
};

fn error(view: View<'_>) -> Verdict {
    let methods = probe::certain_methods(view);
    probe::stateless(view)
        .filter(|exchange| probe::is_among(&methods, *exchange))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let asked = probe::plain(exchange.request()).filter(|version| never_released(version))?;
            let breach = |what: String| Some(Err(Breach::at(answer, what).after(exchange.request())));
            match exchange.error_code() {
                Some(code::UNSUPPORTED_PROTOCOL_VERSION) => Some(Ok(())),
                Some(other) => breach(format!("refuses the version {asked:?} with {other} in place of -32022")),
                None if answer.is_success() => breach(format!("serves a request for the version {asked:?}")),
                None => None,
            }
        })
        .collect()
}

static DATA: Rule = Rule {
    id: "version.unsupported.data",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#UnsupportedProtocolVersionError",
    requires: "The refusal of a version lists the supported ones and repeats the one requested.",
    judged: "Every -32022 in answer to a request with a string version counts. The list is not empty and does not have \
             the refused version.",
    untested: "the server never refused a version with -32022",
    judge: data,
};

fn data(view: View<'_>) -> Verdict {
    probe::stateless(view)
        .filter(|exchange| exchange.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let asked = exchange.request().modern_version()?.as_str()?;
            let said = exchange.error()?.member("data");
            let supported = said.and_then(|said| said.member("supported"));
            let is_list = |list: Value<'_>| list.is_array() && !list.is_empty() && list.items().all(Value::is_string);
            let breach = |what: &str| Some(Err(Breach::at(answer, what).after(exchange.request())));
            if !supported.is_some_and(is_list) {
                return breach("refuses a version without a list of the supported ones");
            }
            if supported.into_iter().flat_map(Value::items).any(|version| version.is(&asked)) {
                return breach("lists the version that it refuses among the supported ones");
            }
            match said.and_then(|said| said.member("requested")).is_some_and(|requested| requested.is(&asked)) {
                true => Some(Ok(())),
                false => breach("refuses a version without repeating it"),
            }
        })
        .collect()
}

static PRECEDES_SIDE_EFFECTS: Rule = Rule {
    id: "version.unsupported.precedes-side-effects",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A request for an unsupported version is refused as a whole and not executed.",
    judged: "A tool call for a version that nobody can support must not get a result. Which error it \
             gets is not judged, since the order of checks is open. A refused call had an effect if another tool, \
             called right before and right after it, tells so: its results were the same without the refused call.",
    untested: "no tool was called under a version that the server cannot support",
    judge: precedes_side_effects,
};

fn precedes_side_effects(view: View<'_>) -> Verdict {
    let mut watch = Watch::default();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in probe::stateless(view).filter(|exchange| exchange.is("tools/call")) {
        let request = exchange.request();
        let over = exchange.answer().map(|answer| answer.entry);
        let (Some(answer), Some(version)) = (exchange.answer(), probe::plain(request)) else {
            watch.hear(exchange, Call::Unclear, over);
            continue;
        };
        if !never_released(&version) {
            let effect = watch.hear(exchange, Call::Plain, over);
            checks.extend(effect.map(|effect| Err(effect.breach("for its version"))));
        } else if answer.is_success() {
            let what = format!("runs a tool for a request under the version {version:?}");
            checks.push(Err(Breach::at(answer, what).after(request)));
            watch.hear(exchange, Call::Unclear, over);
        } else {
            checks.push(Ok(()));
            watch.hear(exchange, Call::Refused, over);
        }
    }
    checks.into_iter().collect()
}

static SUPPORTED_LIST_HONEST: Rule = Rule {
    id: "version.supported-list-honest",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A version that the server lists as supported is accepted.",
    judged: "Modern versions in supportedVersions or in the data of -32022 must not be refused with -32022 in the same \
             session. A legacy version that no control session could negotiate although others could is a warning.",
    untested: "no version that the server lists was tried",
    judge: supported_list_honest,
};

fn supported_list_honest(view: View<'_>) -> Verdict {
    let mut listed: HashMap<String, &Message<'_>> = HashMap::new();
    for exchange in probe::stateless(view) {
        let Some(answer) = exchange.answer() else { continue };
        let given = exchange.result().filter(|_| exchange.is("server/discover"));
        let lists = given.and_then(|result| result.member("supportedVersions")).into_iter().chain(
            exchange
                .error()
                .filter(|_| exchange.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION))
                .and_then(|error| error.path(&["data", "supported"])),
        );
        for version in lists.flat_map(Value::items).filter_map(Value::as_str) {
            listed.entry(version.into_owned()).or_insert(answer);
        }
    }
    let tried = probe::stateless(view).filter_map(|exchange| {
        let answer = exchange.answer()?;
        let asked = probe::plain(exchange.request())?;
        let promise = *listed.get(asked.as_ref())?;
        Some(match exchange.error_code() {
            Some(code::UNSUPPORTED_PROTOCOL_VERSION) => {
                Err(Breach::at(answer, format!("refuses the version {asked:?}, which it lists as supported"))
                    .after(promise))
            }
            _ => Ok(()),
        })
    });
    let spoken = &view.facts().revisions;
    let speaks_legacy = spoken.iter().any(|revision| revision.era() == Era::Legacy);
    let legacy = Revision::ALL.into_iter().filter(|revision| speaks_legacy && revision.era() == Era::Legacy);
    let unspoken = legacy.filter(|revision| !spoken.contains(revision)).filter_map(|revision| {
        let promise: &Message<'_> = listed.get(revision.as_str())?;
        let what = format!("lists {revision}, which initialize could not negotiate in another session");
        let check: Check = Err(Breach::at(promise, what).as_warning());
        Some(check)
    });
    tried.chain(unspoken).collect()
}
