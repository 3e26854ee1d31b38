//! `server/discover`.

use super::probe;
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side, code};
use crate::session::{Exchange, View};
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&IMPLEMENTED, &RESULT_FIELDS, &LISTS_VERSION_IN_USE, &client::PICKS_LISTED_VERSION];

static IMPLEMENTED: Rule = Rule {
    id: "discover.implemented",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/discover#request",
    requires: "A server implements `server/discover`.",
    judged: "A request with complete metadata for the revision has to get a result. Only -32601 is a breach where the \
             request had unusual metadata, and nothing is after a legacy handshake or where the first request of the \
             session had no version.",
    untested: "no server/discover with complete metadata was answered",
    judge: implemented,
};

fn implemented(view: View<'_>) -> Verdict {
    let era_is_open = probe::opened_without_era(view);
    probe::stateless(view)
        .filter(|exchange| exchange.is("server/discover") && !era_is_open)
        .filter_map(|exchange| {
            let request = exchange.request();
            let answer = exchange.answer()?;
            let version = probe::complete(request)?;
            if version != view.revision().as_str() {
                return None;
            }
            let breach = |what: String| Some(Err(Breach::at(answer, what).after(request)));
            match exchange.error_code() {
                Some(code::METHOD_NOT_FOUND) => breach("does not know server/discover".to_owned()),
                Some(code::UNSUPPORTED_PROTOCOL_VERSION) => None,
                _ if answer.is_success() => Some(Ok(())),
                Some(other) if probe::plain(request).is_some() => {
                    breach(format!("refuses server/discover with {other}"))
                }
                _ => None,
            }
        })
        .collect()
}

static RESULT_FIELDS: Rule = Rule {
    id: "discover.result-fields",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#DiscoverResult",
    requires: "The result of `server/discover` has versions, capabilities, a result type and caching hints.",
    judged: "Each field is looked at by itself. A number like 1000.0 is the integer 1000.",
    untested: "server/discover never got a result",
    judge: result_fields,
};

fn result_fields(view: View<'_>) -> Verdict {
    successes(view)
        .flat_map(|(exchange, result)| {
            let faults: Vec<&str> = FIELDS
                .iter()
                .filter(|(key, required, fits, _)| result.member(key).map_or(*required, |value| !fits(value)))
                .map(|(_, _, _, what)| *what)
                .collect();
            let kept: Option<Check> = faults.is_empty().then_some(Ok(()));
            kept.into_iter().chain(faults.into_iter().filter_map(move |what| {
                let answer = exchange.answer()?;
                Some(Err(Breach::at(answer, format!("answers server/discover {what}")).after(exchange.request())))
            }))
        })
        .collect()
}

/// A field, whether it is required, what it has to be, and what is said of it otherwise.
type Field = (&'static str, bool, fn(Value<'_>) -> bool, &'static str);

static FIELDS: &[Field] = &[
    (
        "supportedVersions",
        true,
        |value| value.is_array() && value.items().all(Value::is_string),
        "without supportedVersions that are an array of strings",
    ),
    ("capabilities", true, |value| value.is_object(), "without capabilities that are an object"),
    ("resultType", true, |value| value.is("complete"), "without the resultType \"complete\""),
    (
        "ttlMs",
        true,
        |value| value.is_integral() && value.as_f64().is_some_and(|number| number >= 0.0),
        "without a ttlMs that is a whole number of at least 0",
    ),
    (
        "cacheScope",
        true,
        |value| value.is("public") || value.is("private"),
        "without a cacheScope that is \"public\" or \"private\"",
    ),
    ("instructions", false, |value| value.is_string(), "with instructions that are no string"),
];

static LISTS_VERSION_IN_USE: Rule = Rule {
    id: "discover.lists-version-in-use",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/discover#discoverresult",
    requires: "The result of `server/discover` lists the version under which it was given.",
    judged: "It may list any others besides. A list that is no array is judged by discover.result-fields.",
    untested: "server/discover never got a result with supportedVersions",
    judge: lists_version_in_use,
};

fn lists_version_in_use(view: View<'_>) -> Verdict {
    successes(view)
        .filter_map(|(exchange, result)| {
            let asked = exchange.request().modern_version()?.as_str()?;
            let listed = result.member("supportedVersions").filter(|listed| listed.is_array())?;
            Some(match listed.items().any(|version| version.is(&asked)) {
                true => Ok(()),
                false => Err(Breach::at(exchange.answer()?, format!("serves {asked:?} and does not list it"))
                    .after(exchange.request())),
            })
        })
        .collect()
}

fn successes(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, Value<'_>)> {
    probe::stateless(view)
        .filter(|exchange| exchange.is("server/discover"))
        .filter_map(|exchange| exchange.result().map(|result| (exchange, result)))
}
