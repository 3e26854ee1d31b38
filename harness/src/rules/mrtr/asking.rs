//! Results that ask for input: where, for what, and of whom.

use std::collections::BTreeSet;

use super::{
    KINDS, MOST, NOBODY_ASKED, SUPPORTED, asks, demands, inputs, is_retry, same_operation, served, shares_extension,
};
use crate::revision::{Revisions, Side, code};
use crate::rules::result::results;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};
use crate::wire::Value;
use crate::wire::json::Kind;

const SERVER: &str = "2026-07-28/basic/patterns/mrtr#server-requirements-basic-workflow";

pub(super) static ONLY_ON_SUPPORTED_METHODS: Rule = Rule {
    id: "mrtr.only-on-supported-methods",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/mrtr#supported-requests",
    requires: "Input is asked for only in results of tools/call, prompts/get and resources/read.",
    judged: "Every result of other methods. Where both sides declared a common extension, it may allow more.",
    untested: "no request of another method got a result",
    judge: only_on_supported_methods,
};

fn only_on_supported_methods(view: View<'_>) -> Verdict {
    results(view)
        .filter(|(exchange, ..)| !SUPPORTED.contains(&exchange.method()))
        .filter_map(|(exchange, answer, result)| {
            if !asks(result) {
                return Some(Ok(()));
            }
            let what = format!("asks for input in a result of {}", exchange.method());
            let request = exchange.request();
            (!shares_extension(view, request)).then(|| Err(Breach::at(answer, what).after(request)))
        })
        .collect()
}

pub(super) static HAS_REQUESTS_OR_STATE: Rule = Rule {
    id: "mrtr.has-requests-or-state",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: SERVER,
    requires: "A result that asks for input has inputRequests or a requestState.",
    judged: "requestState has to be a string. An inputRequests without members counts, with a warning if it is all there is.",
    untested: NOBODY_ASKED,
    judge: has_requests_or_state,
};

fn has_requests_or_state(view: View<'_>) -> Verdict {
    demands(view)
        .map(|(exchange, answer, result)| {
            let breach = |what: &str| Breach::at(answer, what).after(exchange.request());
            let has = |key: &str| result.member(key).filter(|value| !value.is_null());
            match (has("inputRequests"), has("requestState")) {
                (None, None) => Err(breach("asks for input without inputRequests and requestState")),
                (_, Some(state)) if !state.is_string() => Err(breach("gives a requestState that is no string")),
                (Some(inputs), None) if inputs.is_object() && inputs.is_empty() => {
                    Err(breach("asks for input and names none").as_warning())
                }
                _ => Ok(()),
            }
        })
        .collect()
}

pub(super) static REQUEST_KINDS: Rule = Rule {
    id: "mrtr.request-kinds",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: SERVER,
    requires: "What is asked for is an elicitation, a sampling or the roots, each under a key of its own.",
    judged: "The method of every entry and the params that its type cannot do without. No id and no jsonrpc are needed. Where \
             both sides declared a common extension, it may bring more methods.",
    untested: NOBODY_ASKED,
    judge: request_kinds,
};

fn request_kinds(view: View<'_>) -> Verdict {
    demands(view)
        .filter_map(|(exchange, answer, result)| {
            let inputs = result.member("inputRequests").filter(|inputs| !inputs.is_null())?;
            let extended = shares_extension(view, exchange.request());
            Some(match fault(inputs, extended) {
                None => Ok(()),
                Some(what) => Err(Breach::at(answer, what).after(exchange.request())),
            })
        })
        .collect()
}

fn fault(inputs: Value<'_>, extended: bool) -> Option<String> {
    if !inputs.is_object() {
        return Some("asks for input by inputRequests that are no object".to_owned());
    }
    let mut keys = BTreeSet::new();
    inputs.members().find_map(|(key, input)| {
        if !keys.insert(key.clone()) {
            return Some(format!("asks twice for input under {key:?}"));
        }
        let Some(method) = input.member("method").and_then(Value::as_str) else {
            return Some(format!("asks for input under {key:?} without a method"));
        };
        let params = input.member("params");
        if params.is_some_and(|params| !params.is_object()) {
            return Some(format!("asks for {method} with params that are no object"));
        }
        let has = |key: &str, kind: Kind| {
            params.and_then(|params| params.member(key)).is_some_and(|value| value.kind() == kind)
        };
        let by_url = params.and_then(|params| params.member("mode"));
        let complete = match &*method {
            "roots/list" => true,
            "sampling/createMessage" => has("messages", Kind::Array) && has("maxTokens", Kind::Number),
            "elicitation/create" => match by_url {
                None => has("message", Kind::String) && has("requestedSchema", Kind::Object),
                Some(mode) if mode.is("form") => has("message", Kind::String) && has("requestedSchema", Kind::Object),
                Some(mode) if mode.is("url") => has("message", Kind::String) && has("url", Kind::String),
                Some(_) => true,
            },
            _ if extended => true,
            other => return Some(format!("asks for input by {other}, which is nothing that a client can be asked")),
        };
        (!complete).then(|| format!("asks for {method} without all of its params"))
    })
}

pub(super) static CAPABILITIES_RESPECTED: Rule = Rule {
    id: "mrtr.capabilities-respected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: SERVER,
    requires: "A server asks only for input that the client declared, in that very request, to give.",
    judged: "The kind of every entry against the capabilities in the request. A declaration of another type than an object \
             is not judged. Modes of elicitation and parts of sampling have rules of their own under capability.server. \
             A refusal that names a missing capability keeps the rule.",
    untested: NOBODY_ASKED,
    judge: capabilities_respected,
};

fn capabilities_respected(view: View<'_>) -> Verdict {
    let asked = demands(view).flat_map(|(exchange, answer, result)| {
        let client = view.client_capabilities(exchange.request());
        inputs(result).into_iter().flat_map(Value::members).filter_map(move |(_, input)| {
            let method = KINDS.iter().find(|kind| input.member("method").is_some_and(|own| own.is(kind)))?;
            let name = method.split('/').next()?;
            match client?.member(name) {
                None => {
                    let what = format!("asks for {method} although the request does not declare {name}");
                    Some(Err(Breach::at(answer, what).after(exchange.request())))
                }
                Some(declared) if declared.is_object() => Some(Ok(())),
                Some(_) => None,
            }
        })
    });
    let refused = served(view)
        .into_iter()
        .filter(|exchange| exchange.error_code() == Some(code::MISSING_CLIENT_CAPABILITY))
        .map(|_| Ok(()));
    asked.chain(refused).collect()
}

pub(super) static MISSING_CAPABILITY_ERROR: Rule = Rule {
    id: "mrtr.missing-capability-error",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#_meta",
    requires: "A request that needs a capability which it does not declare is refused by -32021 with what is missing.",
    judged: "Refusals by -32021, and requests that asked for input when sent with the capability and fail without it. A \
             server that can do without answers as it likes. A tool error is a warning, and so are -32602 and -32601: a \
             server may hide the name from clients that lack the capability.",
    untested: "nothing that asks for input was called by a client that does not declare it; name a tool that asks the user \
               in the subject file",
    judge: missing_capability_error,
};

fn missing_capability_error(view: View<'_>) -> Verdict {
    let served = served(view);
    let demands: Vec<(Exchange<'_>, Value<'_>)> =
        demands(view).map(|(exchange, _, result)| (exchange, result)).take(MOST).collect();
    served
        .iter()
        .filter(|exchange| !is_retry(**exchange))
        .filter_map(|exchange| {
            let (request, answer) = (exchange.request(), exchange.answer()?);
            let given = view.client_capabilities(request).filter(|given| given.is_object())?;
            let breach = |what: String| Breach::at(answer, what).after(request);
            if exchange.error_code() == Some(code::MISSING_CLIENT_CAPABILITY) {
                return Some(named(exchange.error()?).map_err(|what| breach(what.to_owned())));
            }
            let lacks = |input: Value<'_>| {
                let method = input.member("method").and_then(Value::as_str);
                let name = method.as_deref().and_then(|method| method.split('/').next());
                name.is_some_and(|name| given.member(name).is_none())
            };
            let needs = demands.iter().any(|(other, result)| {
                same_operation(*other, *exchange)
                    && inputs(*result).is_some_and(|inputs| inputs.members().any(|(_, input)| lacks(input)))
            });
            if !needs || exchange.result().is_some_and(asks) {
                return None;
            }
            let check: Check = match exchange.error_code() {
                Some(code @ (code::INVALID_PARAMS | code::METHOD_NOT_FOUND)) => {
                    Err(breach(format!("refuses with {code} a request that lacks a capability")).as_warning())
                }
                Some(code) => Err(breach(format!("refuses with {code} a request that lacks a capability"))),
                None if exchange.result()?.member("isError").and_then(Value::as_bool) == Some(true) => {
                    Err(breach("reports a missing capability as an error of the tool".to_owned()).as_warning())
                }
                None => return None,
            };
            Some(check)
        })
        .collect()
}

/// Whether a refusal names what is missing.
fn named(error: Value<'_>) -> Result<(), &'static str> {
    match error.path(&["data", "requiredCapabilities"]) {
        None => Err("says that a capability is missing and not which"),
        Some(named) if !named.is_object() => Err("names missing capabilities by something that is no object"),
        Some(named) if named.is_empty() => Err("names no missing capability"),
        Some(_) => Ok(()),
    }
}
