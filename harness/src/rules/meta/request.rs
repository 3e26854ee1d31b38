//! What a receiver does about the `_meta` of a request, and what a server puts into its results.

use std::collections::{HashMap, HashSet};

use crate::revision::{Era, LISTS, Revision, Revisions, Side, code, knows, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::rules::{client, errand, probe};
use crate::session::{Exchange, Message, Speaker, View};
use crate::transcript::Intent;
use crate::wire::Value;

use super::{keys, trace};

const CLAUSE: &str = "2026-07-28/basic/index#_meta";

pub(super) static RESERVED_VALUES_NO_ASSUMPTION: Rule = Rule {
    id: "meta.reserved-values-no-assumption",
    level: Level::Must,
    side: None,
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A receiver assumes nothing about the values under keys of `_meta` that no revision defines.",
    judged: "A request with such keys has to succeed where its success is due anyway: ping, server/discover, lists \
             that the server declared, and any request that succeeded before without them. A client has to have a use \
             for a result with such keys if it had one for the same result without. Keys that break the grammar, and trace context where its form is fixed, are not held against anyone.",
    untested: "no request that had to succeed carried a _meta key without a meaning",
    judge: reserved_values_no_assumption,
};

fn reserved_values_no_assumption(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return no_assumption_about_results(view);
    }
    let methods = probe::certain_methods(view);
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    let modern = view.revision().era() == Era::Modern;
    let mut controls: HashMap<String, &Message<'_>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in view.exchanges() {
        let request = exchange.request();
        let in_turn = match modern {
            true => view.subject_speaks() && request.entry < legacy_since && probe::complete(request).is_some(),
            false => probe::is_sound(request) && !exchange.is("initialize"),
        };
        let (Some(answer), true) = (exchange.answer(), in_turn) else { continue };
        if !has_odd_keys(view, request.meta()) {
            if answer.is_success() && probe::has_only_defined_keys(request) {
                controls.entry(bare(exchange, false)).or_insert(request);
            }
            continue;
        }
        let due = probe::is_among(&methods, exchange) || controls.contains_key(&bare(exchange, false));
        let unsupported = exchange.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION);
        match answer.is_error() {
            false => checks.push(Ok(())),
            true if due && !unsupported => {
                let what = "refuses a request for a _meta key that has no meaning";
                checks.push(Err(Breach::at(answer, what).after(request)));
            }
            true => {}
        }
    }
    checks.into_iter().collect()
}

/// What a client makes of results with such keys: what was of use without them is of use with them.
fn no_assumption_about_results(view: View<'_>) -> Verdict {
    let mut controls: HashSet<String> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in view.exchanges_by(Speaker::Subject) {
        let Some(answer) = exchange.answer().filter(|answer| answer.intent == Intent::Honest) else { continue };
        let (Some(result), Some(wish)) = (exchange.result(), errand::of(view, exchange)) else { continue };
        let asked = bare(exchange, false);
        if !has_odd_keys(view, result.member("_meta")) {
            if wish.is_fulfilled() {
                controls.insert(asked);
            }
        } else if wish.is_fulfilled() {
            checks.push(Ok(()));
        } else if let Some(came) = wish.came.as_ref().filter(|_| wish.has_failed() && controls.contains(&asked)) {
            let what = "has no use for a result with a _meta key that has no meaning";
            checks.push(Err(Breach::at_entry(came.entry, what).after(answer)));
        }
    }
    checks.into_iter().collect()
}

/// Whether `_meta` has keys without a meaning, and none that gives a reason to refuse what it belongs to.
fn has_odd_keys(view: View<'_>, given: Option<Value<'_>>) -> bool {
    let Some(given) = given else { return false };
    let traced = view.revision().era() == Era::Legacy;
    let is_odd = |key: &str| !keys::is_defined(key) || (traced && trace::KEYS.contains(&key));
    given.members().any(|(key, _)| is_odd(&key)) && given.members().all(|(key, _)| keys::is_well_formed(&key))
}

/// What a request asks for, without its `_meta` or, where that matters, only without what tells who asks.
fn bare(exchange: Exchange<'_>, with_meta: bool) -> String {
    let mut key = exchange.method().to_owned();
    let mut add = |name: &str, value: Value<'_>| {
        key.push('\n');
        key.push_str(name);
        key.push(' ');
        key.push_str(value.raw());
    };
    for (name, value) in exchange.params().into_iter().flat_map(Value::members) {
        if name != "_meta" {
            add(&name, value);
        } else if with_meta {
            let said = value.members().filter(|(name, _)| name != meta::CLIENT_INFO && name != "progressToken");
            said.for_each(|(name, value)| add(&name, value));
        }
    }
    key
}

pub(super) static MISSING_REQUIRED_REJECTED: Rule = Rule {
    id: "meta.request.missing-required-rejected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A request without a protocol version or without client capabilities in its `_meta` is refused with -32602.",
    judged: "Requests that lack one of them, or both, and are sound otherwise. A server that speaks legacy revisions \
             too is not judged on a message without any modern key, whose era is open, and on one without a version \
             any error will do. Capabilities of a wrong type that are accepted are a warning.",
    untested: "no request lacked a required field in a way that shows its era",
    judge: missing_required_rejected,
};

fn missing_required_rejected(view: View<'_>) -> Verdict {
    let spoken = &view.facts().revisions;
    let modern_only = !spoken.is_empty() && spoken.iter().all(|revision| revision.era() == Era::Modern);
    probe::stateless(view)
        .filter(|exchange| probe::is_sound(exchange.request()) && knows(view.revision(), exchange.method()))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let given = exchange.request().meta();
            let version = given.and_then(|given| given.member(meta::PROTOCOL_VERSION));
            let capabilities = given.and_then(|given| given.member(meta::CLIENT_CAPABILITIES));
            let breach = |what: String| Some(Err(Breach::at(answer, what).after(exchange.request())));
            let (lacking, any_error) = match (version, capabilities) {
                (Some(version), Some(capabilities)) => {
                    let mistyped = version.is(view.revision().as_str()) && !capabilities.is_object();
                    let served = mistyped && answer.is_success();
                    let warning = Breach::at(answer, "serves a request whose client capabilities are no object");
                    return mistyped.then(|| match served {
                        true => Err(warning.after(exchange.request()).as_warning()),
                        false => Ok(()),
                    });
                }
                (Some(version), None) if version.is(view.revision().as_str()) => ("client capabilities", false),
                (Some(_), None) => return None,
                (None, Some(_)) => ("a protocol version", !modern_only),
                (None, None) if modern_only => ("a protocol version and client capabilities", false),
                (None, None) => return None,
            };
            match exchange.error_code() {
                Some(code::INVALID_PARAMS) => Some(Ok(())),
                _ if answer.is_success() => breach(format!("serves a request without {lacking}")),
                _ if any_error && answer.is_error() => Some(Ok(())),
                Some(other) => breach(format!("refuses a request without {lacking} with {other} in place of -32602")),
                None => None,
            }
        })
        .collect()
}

pub(super) static SERVER_INFO: Rule = Rule {
    id: "meta.result.server-info",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server names itself in the `_meta` of every result.",
    judged: "A description without a string name and a string version is a breach. Leaving it out is a warning, said \
             once, for a server may be configured not to tell.",
    untested: "the server gave no result",
    judge: server_info,
};

fn server_info(view: View<'_>) -> Verdict {
    let mut silent_before = false;
    view.responses_by(Speaker::Subject)
        .filter(|answer| answer.is_success() && view.subject_side() == Side::Server && view.subject_speaks())
        .filter_map(|answer| match answer.meta().and_then(|meta| meta.member(meta::SERVER_INFO)) {
            Some(info) if probe::is_implementation(info) => Some(Ok(())),
            Some(_) => Some(Err(Breach::at(answer, "describes itself without a string name and a string version"))),
            None if std::mem::replace(&mut silent_before, true) => None,
            None => Some(Err(Breach::at(answer, "does not say in a result which server it is").as_warning())),
        })
        .collect()
}

pub(super) static IDENTITY_NOT_BEHAVIOURAL: Rule = Rule {
    id: "meta.identity-not-behavioural",
    level: Level::Should,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "What the other side says of itself does not change how it is treated.",
    judged: "Requests of one session that differ in nothing but the client's description of itself are compared: \
             success or the code of the error, the capabilities and versions that are discovered, and the keys of \
             lists, as long as no tool was called between them. A client must not leave a server because it does \
             not say who it is.",
    untested: "the same request was never sent under two identities",
    judge: identity_not_behavioural,
};

fn identity_not_behavioural(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return nameless_server(view);
    }
    let mut first: HashMap<String, Exchange<'_>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in probe::stateless(view).filter(|exchange| probe::is_sound(exchange.request())) {
        if exchange.is("tools/call") {
            first.clear();
            continue;
        }
        let compared = exchange.is("server/discover") || LISTS.iter().any(|(method, _, _)| exchange.is(method));
        let (Some(answer), true) = (exchange.answer(), compared && probe::complete(exchange.request()).is_some())
        else {
            continue;
        };
        let before = *first.entry(bare(exchange, true)).or_insert(exchange);
        let who = |one: Exchange<'_>| {
            one.request().meta().and_then(|given| given.member(meta::CLIENT_INFO)).map(|info| info.raw().to_owned())
        };
        if who(before) == who(exchange) {
            continue;
        }
        checks.push(match treated_alike(before, exchange) {
            true => Ok(()),
            false => {
                let what = "answers otherwise to the same request of a client with another name";
                Err(Breach::at(answer, what).after(before.request()))
            }
        });
    }
    checks.into_iter().collect()
}

/// What a client makes of a server that does not say who it is.
fn nameless_server(view: View<'_>) -> Verdict {
    client::modern(view)
        .filter_map(|exchange| {
            let answer = exchange.answer().filter(|answer| answer.intent == Intent::Honest && answer.own_line)?;
            let named = exchange.result()?.path(&["_meta", meta::SERVER_INFO]).is_some();
            if named || !view.subject_speaks() {
                return None;
            }
            client::stays(view, answer, "leaves a server that does not say who it is")
        })
        .collect()
}

fn treated_alike(one: Exchange<'_>, other: Exchange<'_>) -> bool {
    if one.error_code() != other.error_code() {
        return false;
    }
    let (Some(ours), Some(theirs)) = (one.result(), other.result()) else {
        return one.result().is_some() == other.result().is_some();
    };
    let same = |key: &str| match (ours.member(key), theirs.member(key)) {
        (Some(a), Some(b)) => a.same(b),
        (a, b) => a.is_none() && b.is_none(),
    };
    match LISTS.iter().find(|(method, _, _)| one.is(method)) {
        Some((_, member, key)) => {
            let names = |result: Value<'_>| -> Vec<String> {
                let items = result.member(member).into_iter().flat_map(Value::items);
                let mut names: Vec<String> =
                    items.filter_map(|item| item.member(key)).map(|name| name.raw().to_owned()).collect();
                names.sort_unstable();
                names
            };
            names(ours) == names(theirs)
        }
        None => same("supportedVersions") && same("capabilities"),
    }
}
