//! Completion of the arguments of prompts and of the variables of resource templates.

use std::collections::HashSet;

use super::capability::declares;
use super::inventory::Inventory;
use super::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::revision::{Revision, Revisions, Side, code};
use crate::session::{Exchange, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&MAX_VALUES, &BAD_REFERENCE, &UNDECLARED_CODE, &ANSWERED_IF_DECLARED];

const SINCE_03: Revisions = Revisions::since(Revision::V2025_03_26);
const ERRORS: &str = "2026-07-28/server/utilities/completion#error-handling";
/// The most values of one answer.
const MOST: usize = 100;

static MAX_VALUES: Rule = Rule {
    id: "completion.max-values",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CompleteResult",
    requires: "A completion has at most 100 values.",
    judged: "The values are an array of strings; the total is a number and hasMore a boolean where they are there.",
    untested: "no completion was given",
    judge: max_values,
};

fn max_values(view: View<'_>) -> Verdict {
    asked(view)
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let result = exchange.result().filter(|result| probe::is_final(view.revision(), *result))?;
            let flaw = flaw(result.member("completion"));
            Some(flaw.map_or(Ok(()), |what| Err(Breach::at(answer, what).after(exchange.request()))))
        })
        .collect()
}

fn flaw(completion: Option<Value<'_>>) -> Option<String> {
    let Some(completion) = completion.filter(|completion| completion.is_object()) else {
        return Some("answers without the object completion".to_owned());
    };
    let Some(values) = completion.member("values").filter(|values| values.is_array()) else {
        return Some("gives a completion without the array values".to_owned());
    };
    if let Some(odd) = values.items().find(|value| !value.is_string()) {
        return Some(format!("completes by {}", odd.brief()));
    }
    let count = values.items().count();
    if count > MOST {
        return Some(format!("completes by {count} values"));
    }
    let total = completion.member("total").filter(|total| !total.is_number());
    let more = completion.member("hasMore").filter(|more| !more.is_bool());
    total
        .map(|total| format!("gives {} as the total", total.brief()))
        .or_else(|| more.map(|more| format!("gives {} as hasMore", more.brief())))
}

static BAD_REFERENCE: Rule = Rule {
    id: "completion.bad-reference",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: SINCE_03,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Completing for an unknown prompt, or without what the request must have, gives -32602.",
    judged: "A prompt that no list has, one of which was complete; no ref, no argument, an argument without name or value. \
             Another code fails, and so does success. A ref of an unknown type is not named by the clause: what does not \
             refuse it with -32602 is a warning. Unknown arguments and templates are left alone.",
    untested: "a server that declares completions was not asked to complete anything that does not exist",
    judge: bad_reference,
};

fn bad_reference(view: View<'_>) -> Verdict {
    if declares(view, &["completions"]) != Some(true) {
        return Verdict::untested();
    }
    let prompts = declares(view, &["prompts"]).unwrap_or_default().then(|| Inventory::of(view, "prompts/list"));
    asked(view)
        .filter(|exchange| !probe::is_refused_otherwise(*exchange))
        .filter_map(|exchange| {
            let (defect, named) = defect(exchange, prompts.as_ref())?;
            let answer = exchange.answer()?;
            if exchange.error_code() == Some(code::INVALID_PARAMS) {
                return Some(Ok(()));
            }
            let what = if answer.is_error() {
                format!("refuses to complete {defect} with {}", probe::code_in_words(exchange))
            } else {
                format!("completes {defect} with success")
            };
            let breach = Breach::at(answer, what).after(exchange.request());
            Some(Err(if named { breach } else { breach.as_warning() }))
        })
        .collect()
}

/// What is wrong with a request, and whether the clause names that.
fn defect(exchange: Exchange<'_>, prompts: Option<&Inventory<'_>>) -> Option<(String, bool)> {
    let argument = exchange.param("argument");
    let part = |part: &str| argument.and_then(|argument| argument.member(part)).is_some_and(Value::is_string);
    let Some(reference) = exchange.param("ref") else { return Some(("without a ref".to_owned(), true)) };
    if !part("name") || !part("value") {
        return Some(("without an argument".to_owned(), true));
    }
    let kind = reference.member("type")?;
    if kind.is("ref/prompt") {
        let name = reference.member("name")?.as_str()?;
        let lacking = prompts?.certainly_lacks(&name, exchange.request());
        return lacking.then(|| ("for an unknown prompt".to_owned(), true));
    }
    (kind.is_string() && !kind.is("ref/resource")).then(|| (format!("for a ref of the type {}", kind.brief()), false))
}

static UNDECLARED_CODE: Rule = Rule {
    id: "completion.undeclared-code",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: SINCE_03,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "A server without completions answers completion/complete with -32601.",
    judged: "Another code fails. A completion that is given all the same belongs to \
             capability.server.completions-declared.",
    untested: "the server declares completions, or nobody asked for one",
    judge: undeclared_code,
};

fn undeclared_code(view: View<'_>) -> Verdict {
    if declares(view, &["completions"]) != Some(false) {
        return Verdict::untested();
    }
    asked(view)
        .filter_map(|exchange| {
            let answer = exchange.answer().filter(|answer| answer.is_error())?;
            if exchange.error_code() == Some(code::METHOD_NOT_FOUND) {
                return Some(Ok(()));
            }
            if probe::is_refused_otherwise(exchange) {
                return None;
            }
            let what =
                format!("refuses completions, which it does not declare, with {}", probe::code_in_words(exchange));
            Some(Err(Breach::at(answer, what).after(exchange.request())))
        })
        .collect()
}

static ANSWERED_IF_DECLARED: Rule = Rule {
    id: "completion.answered-if-declared",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: SINCE_03,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/completion#requesting-completions",
    requires: "A server that declares completions completes the arguments of what it listed, also if others are resolved.",
    judged: "Requests for an argument of a listed prompt or a variable of a listed template. -32601 fails, and so does an \
             error for a request with context that succeeds without; another error is a warning. An internal error says \
             nothing of the request, and no values at all are fine.",
    untested: "a server that declares completions listed nothing that has arguments, or nobody asked",
    judge: answered_if_declared,
};

fn answered_if_declared(view: View<'_>) -> Verdict {
    if declares(view, &["completions"]) != Some(true) {
        return Verdict::untested();
    }
    let known = known(view);
    let mut served: HashSet<(&str, &str)> = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for exchange in asked(view) {
        let Some((answer, target)) = exchange.answer().zip(target(exchange)) else { continue };
        if !known.contains(&target) {
            continue;
        }
        let same = exchange.param("ref").zip(exchange.param("argument")).map(|(one, two)| (one.raw(), two.raw()));
        let context = exchange.param("context");
        if exchange.result().is_some() {
            served.extend(same.filter(|_| context.is_none()));
            checks.push(Ok(()));
            continue;
        }
        let breach = |what: String| Breach::at(answer, what).after(exchange.request());
        let code = exchange.error_code();
        if code == Some(code::METHOD_NOT_FOUND) {
            checks.push(Err(breach("does not know completion/complete although it declares completions".to_owned())));
        } else if code != Some(code::INTERNAL_ERROR) && !probe::is_refused_otherwise(exchange) {
            let words = probe::code_in_words(exchange);
            let only_context = context.is_some() && same.is_some_and(|same| served.contains(&same));
            checks.push(Err(if only_context {
                breach(format!("refuses with {words} to complete with context what it completes without"))
            } else {
                breach(format!("refuses with {words} to complete what it listed")).as_warning()
            }));
        }
    }
    checks.into_iter().collect()
}

/// The names of prompts with their arguments, and the templates, whose variables are not looked at.
fn known(view: View<'_>) -> HashSet<(String, String)> {
    let prompts = view.listed("prompts/list").flat_map(|(_, prompt)| {
        let name = prompt.member("name").and_then(Value::as_str);
        let arguments = prompt.member("arguments").into_iter().flat_map(Value::items);
        arguments.filter_map(move |argument| {
            Some((name.clone()?.into_owned(), argument.member("name")?.as_str()?.into_owned()))
        })
    });
    let templates = view
        .listed("resources/templates/list")
        .filter_map(|(_, template)| Some((template.member("uriTemplate")?.as_str()?.into_owned(), String::new())));
    prompts.chain(templates).collect()
}

/// What a request completes, in the form of [`known`].
fn target(exchange: Exchange<'_>) -> Option<(String, String)> {
    let reference = exchange.param("ref")?;
    let argument = exchange.param("argument")?;
    argument.member("value").filter(|value| value.is_string())?;
    let argument = argument.member("name")?.as_str()?.into_owned();
    match &*reference.member("type")?.as_str()? {
        "ref/prompt" => Some((reference.member("name")?.as_str()?.into_owned(), argument)),
        "ref/resource" => {
            let template = reference.member("uri")?.as_str()?;
            template.contains(&argument).then(|| (template.into_owned(), String::new()))
        }
        _ => None,
    }
}

/// The fair requests for completions.
fn asked(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    view.exchanges().filter(move |exchange| exchange.is("completion/complete") && probe::is_fair(view, *exchange))
}
