//! What a server does when its own code fails.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revision, Revisions, Side, code};
use crate::session::{Exchange, Phase, View};
use crate::transcript::Intent;
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&INTERNAL_ERROR_CODE];

static INTERNAL_ERROR_CODE: Rule = Rule {
    id: "server.internal-error-code",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/prompts#error-handling",
    requires: "An unexpected failure while a prompt, a resource or a completion is produced is reported as -32603.",
    judged: "Honest requests for prompts and resources that the vendor says always fail: success fails, another code is a \
             warning. For others that were listed and asked for with every required argument, a code outside those that \
             speak of the request is a warning. Tools are covered by tools.call.execution-error-as-result.",
    untested: "no prompt, resource or completion failed; name a failing prompt or resource in the subject file",
    judge: internal_error_code,
};

/// Codes that say something about the request, and so nothing about a failure of the server.
const ABOUT_THE_REQUEST: &[i64] = &[
    code::PARSE_ERROR,
    code::INVALID_REQUEST,
    code::METHOD_NOT_FOUND,
    code::INVALID_PARAMS,
    code::RESOURCE_NOT_FOUND,
    code::URL_ELICITATION_REQUIRED,
    code::HEADER_MISMATCH,
    code::MISSING_CLIENT_CAPABILITY,
    code::UNSUPPORTED_PROTOCOL_VERSION,
];

fn internal_error_code(view: View<'_>) -> Verdict {
    let listed = Listed::of(view);
    let failing: HashSet<&str> = view.facts().failing.iter().map(String::as_str).collect();
    view.exchanges()
        .filter(|exchange| exchange.request().intent == Intent::Honest && exchange.request().phase == Phase::Operating)
        .filter_map(|exchange| {
            let target = target(exchange, view.revision())?;
            let answer = exchange.answer()?;
            let doomed = !exchange.is("completion/complete") && failing.contains(&*target);
            let target: String = target.chars().take(140).collect();
            let breach = |what: String| Some(Err(Breach::at(answer, what).after(exchange.request())));
            if answer.is_error() {
                let found = answer.error_code();
                if found == Some(code::INTERNAL_ERROR) {
                    return Some(Ok(()));
                }
                let about_the_request = found.is_some_and(|found| ABOUT_THE_REQUEST.contains(&found));
                if !doomed && (about_the_request || !listed.has(exchange)) {
                    return None;
                }
                let found = found.map_or_else(|| "without a code".to_owned(), |found| found.to_string());
                let what = format!("reports a failure of {target:?} with the error {found}");
                return Some(Err(Breach::at(answer, what).after(exchange.request()).as_warning()));
            }
            let result = exchange.result().filter(|_| doomed)?;
            let asks = view.revision().era() == Era::Modern
                && result.member("resultType").is_some_and(|kind| !kind.is("complete"));
            if asks { None } else { breach(format!("gives {target:?}, which always fails, with success")) }
        })
        .collect()
}

/// What a request asks for: the name of a prompt, the URI of a resource, or what a completion is about.
fn target<'s>(exchange: Exchange<'s>, revision: Revision) -> Option<Cow<'s, str>> {
    let member = match exchange.method() {
        "prompts/get" => exchange.param("name"),
        "resources/read" => exchange.param("uri"),
        "completion/complete" if revision >= Revision::V2025_03_26 => {
            let about = exchange.param("ref")?;
            about.member("name").or_else(|| about.member("uri"))
        }
        _ => None,
    };
    member?.as_str()
}

/// What the server offered.
struct Listed<'s> {
    /// Prompts with the names of their arguments, and whether these are required.
    prompts: HashMap<Cow<'s, str>, Vec<(Cow<'s, str>, bool)>>,
    resources: HashSet<Cow<'s, str>>,
    templates: HashSet<Cow<'s, str>>,
}

impl<'s> Listed<'s> {
    fn of(view: View<'s>) -> Self {
        let keys = |method, key: &'static str| {
            view.listed(method).filter_map(move |(_, item)| item.member(key)?.as_str()).collect::<HashSet<_>>()
        };
        let prompts = view.listed("prompts/list").filter_map(|(_, prompt)| {
            let arguments = prompt.member("arguments").into_iter().flat_map(Value::items);
            let arguments = arguments.filter_map(|argument| {
                let required = argument.member("required").and_then(Value::as_bool) == Some(true);
                Some((argument.member("name")?.as_str()?, required))
            });
            Some((prompt.member("name")?.as_str()?, arguments.collect()))
        });
        Self {
            prompts: prompts.collect(),
            resources: keys("resources/list", "uri"),
            templates: keys("resources/templates/list", "uriTemplate"),
        }
    }

    /// Whether the request asks for something that was listed, and gives what that requires.
    fn has(&self, exchange: Exchange<'_>) -> bool {
        let text = |value: Option<Value<'_>>| value.and_then(Value::as_str).map(Cow::into_owned);
        match exchange.method() {
            "prompts/get" => {
                let name = text(exchange.param("name")).unwrap_or_default();
                let given = |name: &str| exchange.param("arguments").is_some_and(|given| given.member(name).is_some());
                let prompt = self.prompts.get(name.as_str());
                prompt.is_some_and(|arguments| arguments.iter().all(|(name, required)| !required || given(name)))
            }
            "resources/read" => text(exchange.param("uri")).is_some_and(|uri| self.resources.contains(uri.as_str())),
            "completion/complete" => {
                let about = exchange.param("ref");
                let member = |key| text(about.and_then(|about| about.member(key)));
                let argument = text(exchange.param("argument").and_then(|argument| argument.member("name")));
                let prompt = member("name").and_then(|name| self.prompts.get(name.as_str()));
                let known = |arguments: &Vec<(Cow<'_, str>, bool)>| {
                    argument.as_ref().is_some_and(|argument| arguments.iter().any(|(name, _)| name == argument))
                };
                prompt.is_some_and(known) || member("uri").is_some_and(|uri| self.templates.contains(uri.as_str()))
            }
            _ => false,
        }
    }
}
