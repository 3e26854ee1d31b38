//! The error codes of 2026-07-28: which are reserved, what they mean, and which are gone.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::revision::{LISTS, Revisions, Side, code};
use crate::session::{Exchange, Message, View};
use crate::transcript::Transport;
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&RESERVED_RANGE, &DEFINED_CODE, &RETIRED_CODES, &LEGACY_RANGE, &client::LEGACY_RANGE_NO_MEANING];

const CLAUSE: &str = "2026-07-28/basic/index#error-codes";

const UNTESTED: &str = "no request that carries the version 2026-07-28 was refused";

static RESERVED_RANGE: Rule = Rule {
    id: "error.reserved-range-undefined",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Of the codes from -32099 to -32020 only those are used that the specification defines.",
    judged: "Every error that answers a request with the version of this revision or an unknown one. Errors that answer \
             no request, and errors in legacy sessions, are free.",
    untested: UNTESTED,
    judge: reserved_range,
};

fn reserved_range(view: View<'_>) -> Verdict {
    refusals(view)
        .map(|(_, answer, code)| match code {
            -32099..=-32020 if !DEFINED.contains(&code) => {
                Err(Breach::at(answer, format!("uses the reserved code {code}, which nobody has defined")))
            }
            _ => Ok(()),
        })
        .collect()
}

static DEFINED: &[i64] = &[code::HEADER_MISMATCH, code::MISSING_CLIENT_CAPABILITY, code::UNSUPPORTED_PROTOCOL_VERSION];

static DEFINED_CODE: Rule = Rule {
    id: "error.defined-code-meaning",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The defined codes are used for header mismatch, missing client capability and unsupported version alone.",
    judged: "-32020 is wrong wherever there are no headers, -32022 where the version is one that the subject speaks, \
             -32021 where the client declared all that is said to be missing, or where nothing of the kind that is \
             asked for has that name. A name that only other clients may see is possible, so -32021 with a capability \
             that is really missing is a warning there.",
    untested: UNTESTED,
    judge: defined_code,
};

fn defined_code(view: View<'_>) -> Verdict {
    let names = Names::of(view);
    refusals(view)
        .filter_map(|(exchange, answer, code)| {
            let request = exchange.request();
            let is_wrong = |what: &str| Some(Err(Breach::at(answer, what).after(request)));
            match code {
                // What the header lines say is judged by the rules about them.
                code::HEADER_MISMATCH if view.transport() == Transport::Http => None,
                code::HEADER_MISMATCH => is_wrong("speaks of headers on a transport that has none"),
                code::UNSUPPORTED_PROTOCOL_VERSION => {
                    let speaks = request.modern_version()?.is(view.revision().as_str());
                    if speaks { is_wrong("calls a version unsupported that it supports") } else { Some(Ok(())) }
                }
                code::MISSING_CLIENT_CAPABILITY => missing_capability(view, &names, exchange, answer),
                _ => {
                    let version = probe::complete(request)?;
                    (version == view.revision().as_str()).then_some(Ok(()))
                }
            }
        })
        .collect()
}

fn missing_capability<'s>(
    view: View<'s>,
    names: &Names<'s>,
    exchange: Exchange<'s>,
    answer: &'s Message<'s>,
) -> Option<Check> {
    let request = exchange.request();
    probe::complete(request)?;
    let given = view.client_capabilities(request)?;
    let wanted = answer.error()?.path(&["data", "requiredCapabilities"]).filter(|wanted| !wanted.is_empty());
    if wanted.is_some_and(|wanted| wanted.is_object() && satisfied(wanted, given)) {
        let what = "says that a capability is missing which the client declared";
        return Some(Err(Breach::at(answer, what).after(request)));
    }
    if names.lack(exchange) {
        let breach = Breach::at(answer, "speaks of a client capability where the name is unknown").after(request);
        return Some(Err(if wanted.is_some() { breach.as_warning() } else { breach }));
    }
    Some(Ok(()))
}

/// Whether a client with these capabilities has all that is wanted. Elicitation without modes is the form.
fn satisfied(wanted: Value<'_>, given: Value<'_>) -> bool {
    wanted.members().all(|(key, inner)| match given.member(&key) {
        Some(own) if key == "elicitation" && inner.is_empty() => own.is_empty() || own.member("form").is_some(),
        Some(own) => satisfied(inner, own),
        None => key == "form" && given.is_empty(),
    })
}

/// The names of tools, prompts and resources that the subject showed, here or to a control session.
struct Names<'s> {
    lists: HashSet<&'static str>,
    known: HashSet<(&'static str, Cow<'s, str>)>,
}

impl<'s> Names<'s> {
    fn of(view: View<'s>) -> Self {
        let (mut lists, mut known) = (HashSet::new(), HashSet::new());
        for (method, member, key) in LISTS {
            let elsewhere = view.facts().lists.get(*method).filter(|_| view.is_of_the_run());
            lists.extend(elsewhere.map(|_| *method));
            known.extend(elsewhere.into_iter().flatten().map(|name| (*method, Cow::Borrowed(name.as_str()))));
            let here = view.listed(method).filter_map(|(_, item)| item.member(key)?.as_str());
            known.extend(here.map(|name| (*method, name)));
            let whole = view.lists().filter(|(_, own)| own == member).filter_map(|(exchange, _)| exchange.result());
            lists.extend(whole.filter(|page| page.member("nextCursor").is_none()).map(|_| *method));
        }
        Self { lists, known }
    }

    /// Whether a request names something that no list shows, although the list was seen to its end.
    fn lack(&self, exchange: Exchange<'s>) -> bool {
        let named = [("tools/call", "tools/list", "name"), ("prompts/get", "prompts/list", "name")];
        named.into_iter().any(|(method, list, key)| {
            let name = exchange.param(key).and_then(Value::as_str).filter(|_| exchange.is(method));
            name.is_some_and(|name| self.lists.contains(list) && !self.known.contains(&(list, name)))
        })
    }
}

static RETIRED_CODES: Rule = Rule {
    id: "error.retired-codes",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The codes -32002 and -32042 of earlier revisions are no longer used.",
    judged: "Errors that answer modern requests. Keeping the rule is counted where a code could tempt: reading \
             resources, calling tools, getting prompts. In legacy sessions both codes stay legal.",
    untested: "no modern request for a tool, prompt or resource was refused",
    judge: retired_codes,
};

fn retired_codes(view: View<'_>) -> Verdict {
    refusals(view)
        .filter_map(|(exchange, answer, code)| match code {
            code::RESOURCE_NOT_FOUND | code::URL_ELICITATION_REQUIRED => {
                Some(Err(Breach::at(answer, format!("uses the retired code {code}")).after(exchange.request())))
            }
            _ => matches!(exchange.method(), "resources/read" | "tools/call" | "prompts/get").then_some(Ok(())),
        })
        .collect()
}

static LEGACY_RANGE: Rule = Rule {
    id: "error.legacy-range-not-used",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "New implementations stay out of the range from -32019 to -32000.",
    judged: "A code in that range is a warning at most, for older implementations may keep theirs. -32002 belongs to \
             error.retired-codes.",
    untested: UNTESTED,
    judge: legacy_range,
};

fn legacy_range(view: View<'_>) -> Verdict {
    refusals(view)
        .map(|(_, answer, code)| match code {
            code::RESOURCE_NOT_FOUND => Ok(()),
            -32019..=-32000 => {
                Err(Breach::at(answer, format!("uses {code}, from the range of old implementations")).as_warning())
            }
            _ => Ok(()),
        })
        .collect()
}

/// The errors that answer requests which only the modern rules govern, with their codes.
fn refusals(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, &Message<'_>, i64)> {
    probe::stateless(view)
        .filter(|exchange| exchange.request().modern_version().is_some_and(Value::is_string))
        .flat_map(|exchange| {
            let errors = exchange.answers().filter(|answer| answer.is_error());
            errors.filter_map(move |answer| Some((exchange, answer, answer.error_code()?)))
        })
}
