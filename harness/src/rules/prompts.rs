//! Prompts: what the list says, and what getting one gives.

use std::collections::{HashMap, HashSet};

use super::capability::declares;
use super::inventory::Inventory;
use super::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::revision::{Revisions, Side, code};
use crate::session::{Exchange, View};
use crate::transcript::Intent;
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&ITEM_FIELDS, &RESULT_SHAPE, &UNKNOWN, &MISSING_ARGUMENTS, &client::STRING_ARGUMENTS];

const ERRORS: &str = "2026-07-28/server/prompts#error-handling";

static ITEM_FIELDS: Rule = Rule {
    id: "prompts.list.item-fields",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Prompt",
    requires: "Each prompt has a name, and so has each of its arguments.",
    judged: "Names are strings, arguments an array of objects, and required a boolean where it is there.",
    untested: "no prompt was listed",
    judge: item_fields,
};

fn item_fields(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    let mut seen = HashSet::new();
    for (exchange, member) in view.lists().filter(|(exchange, _)| exchange.is("prompts/list")) {
        let Some((answer, result)) = exchange.answer().zip(exchange.result()) else { continue };
        match result.member(member) {
            Some(prompts) if prompts.is_array() => {
                let new = prompts.items().filter(|prompt| seen.insert(prompt.raw()));
                checks.extend(new.map(|prompt| well_formed(prompt).map_err(|what| Breach::at(answer, what))));
            }
            Some(other) => checks.push(Err(Breach::at(answer, format!("lists prompts as {}", other.brief())))),
            None => checks.push(Err(Breach::at(answer, "answers prompts/list without the member prompts"))),
        }
    }
    checks.into_iter().collect()
}

fn well_formed(prompt: Value<'_>) -> Result<(), String> {
    if !prompt.is_object() {
        return Err(format!("lists {} as a prompt", prompt.brief()));
    }
    let name = match prompt.member("name") {
        Some(name) if name.is_string() => name.brief(),
        Some(other) => return Err(format!("lists a prompt with the name {}", other.brief())),
        None => return Err(format!("lists the prompt {} without a name", prompt.brief())),
    };
    let Some(arguments) = prompt.member("arguments") else { return Ok(()) };
    if !arguments.is_array() {
        return Err(format!("lists the prompt {name} with the arguments {}", arguments.brief()));
    }
    for argument in arguments.items() {
        if !argument.member("name").is_some_and(Value::is_string) {
            return Err(format!("lists the prompt {name} with the argument {}, which has no name", argument.brief()));
        }
        if let Some(required) = argument.member("required").filter(|required| !required.is_bool()) {
            return Err(format!("lists the prompt {name} with an argument whose required is {}", required.brief()));
        }
    }
    Ok(())
}

static RESULT_SHAPE: Rule = Rule {
    id: "prompts.get.result-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#GetPromptResult",
    requires: "A prompt is an array of messages, each with a role and one content block.",
    judged: "The role is user or assistant, the content an object and no array. The array may be empty. The types of blocks \
             belong to content.block-types, and results that ask for input are left out.",
    untested: "no prompt was got",
    judge: result_shape,
};

fn result_shape(view: View<'_>) -> Verdict {
    view.exchanges()
        .filter(|exchange| exchange.is("prompts/get"))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let result = exchange.result().filter(|result| result.is_object())?;
            if !probe::is_final(view.revision(), result) {
                return None;
            }
            let flaw = match result.member("messages") {
                None => Some("gives a prompt without messages".to_owned()),
                Some(messages) if !messages.is_array() => Some(format!("gives {} as messages", messages.brief())),
                Some(messages) => messages.items().find_map(message_flaw),
            };
            Some(flaw.map_or(Ok(()), |what| Err(Breach::at(answer, what).after(exchange.request()))))
        })
        .collect()
}

fn message_flaw(message: Value<'_>) -> Option<String> {
    let role = message.member("role");
    if !role.is_some_and(|role| role.is("user") || role.is("assistant")) {
        return Some(format!("gives a message with the role {}", role.map_or("of nobody".to_owned(), Value::brief)));
    }
    match message.member("content") {
        None => Some("gives a message without content".to_owned()),
        Some(content) if !content.is_object() => Some(format!("gives {} as content of a message", content.brief())),
        Some(_) => None,
    }
}

static UNKNOWN: Rule = Rule {
    id: "prompts.get.unknown",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Getting a prompt that does not exist gives -32602.",
    judged: "Honest requests under a name that no list has, one of which was complete. Another code fails, and so does \
             success.",
    untested: "a server with prompts was not asked for one that it certainly lacks; a complete list is needed",
    judge: unknown,
};

fn unknown(view: View<'_>) -> Verdict {
    let inventory = Inventory::of(view, "prompts/list");
    asked(view)
        .filter_map(|(exchange, name)| {
            if !inventory.certainly_lacks(&name, exchange.request()) {
                return None;
            }
            refused(view, exchange, &format!("the unknown prompt {:?}", name.chars().take(140).collect::<String>()))
        })
        .collect()
}

static MISSING_ARGUMENTS: Rule = Rule {
    id: "prompts.get.missing-arguments",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Getting a prompt without an argument that it requires gives -32602.",
    judged: "Honest requests for a prompt that was listed with arguments that are required. Another code fails, and so does \
             success; to ask the client for input is fine.",
    untested: "no prompt was asked for without an argument that it requires",
    judge: missing_arguments,
};

fn missing_arguments(view: View<'_>) -> Verdict {
    let required: HashMap<String, Vec<String>> = view
        .listed("prompts/list")
        .filter_map(|(_, prompt)| {
            let arguments = prompt.member("arguments").into_iter().flat_map(Value::items);
            let needed = arguments
                .filter(|argument| argument.member("required").and_then(Value::as_bool) == Some(true))
                .filter_map(|argument| Some(argument.member("name")?.as_str()?.into_owned()));
            Some((prompt.member("name")?.as_str()?.into_owned(), needed.collect()))
        })
        .collect();
    asked(view)
        .filter_map(|(exchange, name)| {
            let given = exchange.param("arguments");
            let lacks = |argument: &&String| given.is_none_or(|given| given.member(argument).is_none());
            let missing = required.get(&name)?.iter().find(lacks)?;
            refused(view, exchange, &format!("the prompt {name:?} without its argument {missing:?}"))
        })
        .collect()
}

/// The fair requests for prompts, with the names.
fn asked(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, String)> {
    let offered = declares(view, &["prompts"]) != Some(false);
    view.exchanges()
        .filter(move |exchange| offered && exchange.is("prompts/get") && exchange.request().intent == Intent::Honest)
        .filter(move |exchange| probe::is_fair(view, *exchange) && !probe::is_refused_otherwise(*exchange))
        .filter_map(|exchange| Some((exchange, exchange.param("name")?.as_str()?.into_owned())))
}

/// Whether a request was refused as one with wrong params; none if the server asks for more.
fn refused(view: View<'_>, exchange: Exchange<'_>, what: &str) -> Option<Check> {
    let answer = exchange.answer()?;
    let breach = |what: String| Some(Err(Breach::at(answer, what).after(exchange.request())));
    if answer.is_error() {
        let right = exchange.error_code() == Some(code::INVALID_PARAMS);
        return if right {
            Some(Ok(()))
        } else {
            breach(format!("refuses {what} with {}", probe::code_in_words(exchange)))
        };
    }
    let result = exchange.result()?;
    if probe::is_final(view.revision(), result) { breach(format!("gives {what} with success")) } else { Some(Ok(())) }
}
