//! Every modern request stands for itself.

use std::collections::{HashMap, HashSet};

use super::probe;
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side, code, never_released};
use crate::session::{Exchange, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&NO_CONTEXT, &CAPABILITIES_NOT_INHERITED, &VERSION_NOT_INHERITED, &CONNECTION_INDEPENDENT];

const CLAUSE: &str = "2026-07-28/basic/index#statelessness";

static NO_CONTEXT: Rule = Rule {
    id: "stateless.no-context-from-earlier-requests",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A server needs no earlier request to know version, capabilities or identity.",
    judged: "The first message of a session, if it is a modern request other than server/discover. It has to succeed \
             where its success is due: a list that the server declared.",
    untested: "no session began with a modern request other than server/discover",
    judge: no_context,
};

fn no_context(view: View<'_>) -> Verdict {
    let methods = probe::certain_methods(view);
    let first = probe::first_of_client(view).map(|first| first.entry);
    probe::stateless(view)
        .filter(|exchange| Some(exchange.request().entry) == first && !exchange.is("server/discover"))
        .filter(|exchange| probe::plain(exchange.request()).is_some_and(|version| version == view.revision().as_str()))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let due = probe::is_among(&methods, exchange);
            match answer.is_error() {
                false => Some(Ok(())),
                true => due.then(|| {
                    let what = "refuses a modern request because nothing came before it";
                    Err(Breach::at(answer, what).after(exchange.request()))
                }),
            }
        })
        .collect()
}

static CAPABILITIES_NOT_INHERITED: Rule = Rule {
    id: "stateless.capabilities-not-inherited",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#_meta",
    requires: "Client capabilities of one request do not carry over to the next.",
    judged: "A request that follows one with a capability and lacks it itself must not get input requests that need it. \
             Any other answer is fine; it counts as kept if the same request got such input requests before.",
    untested: "no request that got input requests was repeated without the capability for them",
    judge: capabilities_not_inherited,
};

fn capabilities_not_inherited(view: View<'_>) -> Verdict {
    let mut declared_before: HashSet<&'static str> = HashSet::new();
    let mut asked_before: HashMap<String, HashSet<&'static str>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in probe::stateless(view).filter(|exchange| probe::complete(exchange.request()).is_some()) {
        let request = exchange.request();
        let declares = |capability: &str| view.client_declares(request, &[capability]);
        let name = ["name", "uri"].iter().find_map(|key| exchange.param(key)).map_or("", Value::raw);
        let target = format!("{} {name}", exchange.method());
        if let Some(answer) = exchange.answer() {
            let asked: HashSet<&'static str> = input_kinds(exchange).collect();
            let carried = asked.iter().find(|kind| declared_before.contains(*kind) && !declares(kind));
            let was_asked = asked_before.get(&target).is_some_and(|kinds| kinds.iter().any(|kind| !declares(kind)));
            if let Some(kind) = carried {
                let what = format!("asks for {kind}, which only an earlier request declared");
                checks.push(Err(Breach::at(answer, what).after(request)));
            } else if was_asked {
                checks.push(Ok(()));
            }
            asked_before.entry(target).or_default().extend(asked.into_iter().filter(|kind| declares(kind)));
        }
        declared_before.extend(KINDS.iter().map(|(_, kind)| *kind).filter(|kind| declares(kind)));
    }
    checks.into_iter().collect()
}

/// The methods of input requests and the capabilities that they need.
static KINDS: &[(&str, &str)] =
    &[("elicitation/create", "elicitation"), ("sampling/createMessage", "sampling"), ("roots/list", "roots")];

fn input_kinds(exchange: Exchange<'_>) -> impl Iterator<Item = &'static str> {
    let asked = exchange.result().and_then(|result| result.member("inputRequests"));
    asked.into_iter().flat_map(Value::members).filter_map(|(_, input)| {
        let method = input.member("method")?;
        KINDS.iter().find(|(name, _)| method.is(name)).map(|(_, kind)| *kind)
    })
}

static VERSION_NOT_INHERITED: Rule = Rule {
    id: "stateless.version-not-inherited",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The version of one request does not decide how the next one is handled.",
    judged: "A request for this revision that follows one for an unsupported version must not get -32022, and one for an \
             unsupported version that follows a served request counts if it is refused. That it is served is judged by \
             version.unsupported.error.",
    untested: "supported and unsupported versions never alternated in one session",
    judge: version_not_inherited,
};

fn version_not_inherited(view: View<'_>) -> Verdict {
    let methods = probe::certain_methods(view);
    let (mut served_before, mut unsupported_before) = (false, false);
    let mut checks: Vec<Check> = Vec::new();
    for exchange in probe::stateless(view).filter(|exchange| probe::is_among(&methods, *exchange)) {
        let (Some(version), Some(answer)) = (probe::plain(exchange.request()), exchange.answer()) else { continue };
        let refused = exchange.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION);
        if version == view.revision().as_str() {
            if unsupported_before && refused {
                let what = "refuses its own version after a request for another";
                checks.push(Err(Breach::at(answer, what).after(exchange.request())));
            } else if unsupported_before && answer.is_success() {
                checks.push(Ok(()));
            }
            served_before |= answer.is_success();
        } else if never_released(&version) {
            if served_before && refused {
                checks.push(Ok(()));
            }
            unsupported_before = true;
        }
    }
    checks.into_iter().collect()
}

static CONNECTION_INDEPENDENT: Rule = Rule {
    id: "stateless.connection-independent",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Related requests may come over different connections or processes.",
    judged: "A tool, prompt or resource that a control session saw in a list is used in a session that never listed it. \
             That it is unknown there is a warning.",
    untested: "every name was listed in the session that used it, or no control session listed anything",
    judge: connection_independent,
};

fn connection_independent(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() {
        return Verdict::untested();
    }
    let mut listed_here: HashSet<&str> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in probe::stateless(view) {
        if let Some((_, list, _)) = USES.iter().find(|(_, list, _)| exchange.is(list)) {
            listed_here.insert(list);
        }
        let Some((_, list, key)) = USES.iter().find(|(method, _, _)| exchange.is(method)) else { continue };
        let known = view.facts().lists.get(*list).filter(|_| !listed_here.contains(list));
        let name = exchange.param(key).and_then(Value::as_str);
        let seen_elsewhere = known.zip(name).is_some_and(|(known, name)| known.iter().any(|one| *one == name));
        let fair = probe::plain(exchange.request()).is_some_and(|version| version == view.revision().as_str());
        let Some(answer) = exchange.answer().filter(|_| seen_elsewhere && fair) else { continue };
        match exchange.error_code() {
            Some(code::INVALID_PARAMS | code::METHOD_NOT_FOUND | code::RESOURCE_NOT_FOUND) => {
                let what = format!("does not know what {list} showed on another connection");
                checks.push(Err(Breach::at(answer, what).after(exchange.request()).as_warning()));
            }
            _ if answer.is_success() => checks.push(Ok(())),
            _ => {}
        }
    }
    checks.into_iter().collect()
}

/// Methods that use what a list showed, the list, and the param that names the item.
static USES: &[(&str, &str, &str)] = &[
    ("tools/call", "tools/list", "name"),
    ("prompts/get", "prompts/list", "name"),
    ("resources/read", "resources/list", "uri"),
];
