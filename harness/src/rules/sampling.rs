//! What a server asks of a client's model, and what the client answers.

use super::capability::{Question, questions};
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions, Side};
use crate::session::View;
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &REQUEST_SHAPE,
    &TOOL_RESULTS_ONLY,
    &client::BAD_HISTORY_CODE,
    &client::RESULT_SHAPE,
    &client::ACCEPTS_CONTENT_FORMS,
    &client::REJECTION_IS_ERROR,
];

static REQUEST_SHAPE: Rule = Rule {
    id: "sampling.request-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CreateMessageRequestParams",
    requires: "A sampling request has messages, each with a role and content, and a number maxTokens.",
    judged: "The role is user or assistant. The content is a block, since 2025-11-25 also an array of blocks, whose types \
             belong to content.block-types. Priorities among models are numbers from 0 to 1.",
    untested: "the server asked for no sampling; name a tool that asks the model in the subject file, under `asks-model`",
    judge: request_shape,
};

fn request_shape(view: View<'_>) -> Verdict {
    sampling(view)
        .map(|question| match flaw(view.revision(), question) {
            Some(what) => Err(Breach::at(question.message, what)),
            None => Ok(()),
        })
        .collect()
}

fn flaw(revision: Revision, question: Question<'_>) -> Option<String> {
    let Some(messages) = question.param("messages").filter(|messages| messages.is_array()) else {
        return Some("asks for sampling without the array messages".to_owned());
    };
    for message in messages.items() {
        if !message.member("role").is_some_and(|role| role.is("user") || role.is("assistant")) {
            return Some(format!("asks for sampling with the message {}, which has no proper role", message.brief()));
        }
        let arrays = revision >= Revision::V2025_11_25;
        if !message.member("content").is_some_and(|content| content.is_object() || (arrays && content.is_array())) {
            return Some(format!(
                "asks for sampling with the message {}, which has no proper content",
                message.brief()
            ));
        }
    }
    match question.param("maxTokens") {
        None => return Some("asks for sampling without maxTokens".to_owned()),
        Some(most) if !most.is_number() => return Some(format!("asks for sampling with maxTokens {}", most.brief())),
        Some(_) => {}
    }
    let preferences = question.param("modelPreferences");
    ["costPriority", "speedPriority", "intelligencePriority"].into_iter().find_map(|name| {
        let priority = preferences?.member(name)?;
        let fits = priority.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number));
        (!fits).then(|| format!("asks for sampling with {} as {name}", priority.brief()))
    })
}

static TOOL_RESULTS_ONLY: Rule = Rule {
    id: "sampling.tool-results-only",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/client/sampling#tool-use-and-result-balance",
    requires: "Uses of tools are followed by one message with the result of each, and with nothing else.",
    judged: "The messages of each sampling request: a message with results has nothing beside them, and an assistant's \
             message with uses is followed by a user's with exactly their results. Uses at the very end are left alone.",
    untested: "the server gave no model the results of tools; it must offer tools to a model that wants to use them",
    judge: tool_results_only,
};

fn tool_results_only(view: View<'_>) -> Verdict {
    sampling(view)
        .filter_map(|question| {
            let messages: Vec<Value<'_>> = question.param("messages")?.items().collect();
            let involved = messages.iter().any(|message| !ids(*message, "tool_result", "toolUseId").is_empty())
                || messages.iter().rev().skip(1).any(|message| !ids(*message, "tool_use", "id").is_empty());
            let flaw = unbalanced(&messages);
            involved.then(|| flaw.map_or(Ok(()), |what| Err(Breach::at(question.message, what))))
        })
        .collect()
}

fn unbalanced(messages: &[Value<'_>]) -> Option<String> {
    for (index, message) in messages.iter().enumerate() {
        let results = ids(*message, "tool_result", "toolUseId");
        if !results.is_empty() && results.len() != blocks(*message).count() {
            return Some("mixes results of tools with other content in one message".to_owned());
        }
        let mut uses = ids(*message, "tool_use", "id");
        let Some(next) = messages.get(index + 1).filter(|_| !uses.is_empty()) else { continue };
        let mut answered = ids(*next, "tool_result", "toolUseId");
        uses.sort_unstable();
        answered.sort_unstable();
        if uses != answered || !next.member("role").is_some_and(|role| role.is("user")) {
            return Some(format!("answers the uses {} by the results {}", uses.join(" "), answered.join(" ")));
        }
    }
    None
}

fn blocks<'s>(message: Value<'s>) -> impl Iterator<Item = Value<'s>> {
    let content = message.member("content");
    let one = content.filter(|content| content.is_object());
    content.into_iter().flat_map(Value::items).chain(one)
}

/// The ids in the blocks of one type, as JSON text.
fn ids<'s>(message: Value<'s>, kind: &str, key: &str) -> Vec<&'s str> {
    let own = blocks(message).filter(|block| block.member("type").is_some_and(|own| own.is(kind)));
    own.map(|block| block.member(key).map_or("null", Value::raw)).collect()
}

fn sampling<'s>(view: View<'s>) -> impl Iterator<Item = Question<'s>> {
    questions(view).into_iter().filter(|question| question.is("sampling/createMessage"))
}
