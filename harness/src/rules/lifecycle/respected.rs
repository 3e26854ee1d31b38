//! Whether the subject keeps to the vocabulary of the negotiated revision.

use std::borrow::Cow;

use crate::revision::{Era, Revision, Revisions, code, method};
use crate::rules::probe::Opening;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Shape, Speaker, View};
use crate::wire::Value;

const JUDGED: &str = "Methods, notifications, content blocks, and forms of sampling, elicitation and errors that first \
    appear in a newer revision count. Extra members and capability keys do not, and neither do methods of an \
    experimental capability that both sides declared. Keeping to the revision counts only where the subject had a \
    choice: it speaks a newer revision, or the client asked for one.";

const UNTESTED: &str = "the subject sent nothing whose form depends on the revision, or it knows no newer one";

pub(super) static RESPECTED: Rule = Rule {
    id: "lifecycle.version.respected",
    level: Level::Must,
    side: None,
    revisions: Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/lifecycle#operation",
    requires: "Both sides keep to the negotiated revision.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: respected,
};

pub(super) static RESPECTED_WEAK: Rule = Rule {
    id: "lifecycle.version.respected-weak",
    level: Level::Should,
    side: None,
    revisions: Revisions::range(Revision::V2024_11_05, Revision::V2025_03_26),
    transports: Transports::BOTH,
    clause: "2025-03-26/basic/lifecycle#operation",
    requires: "Both sides keep to the negotiated revision; the two oldest revisions only recommend it.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: respected,
};

fn respected(view: View<'_>) -> Verdict {
    let newer = |revision: Option<Revision>| revision.is_some_and(|revision| revision > view.revision());
    let had_a_choice = view.facts().revisions.iter().any(|revision| newer(Some(*revision)))
        || Opening::of(view).is_some_and(|opening| newer(opening.revision()));
    let experiments = shares_an_experiment(view);
    view.messages_by(Speaker::Subject)
        .filter_map(|message| {
            let found = match message.shape {
                Shape::Request | Shape::Notification => in_question(view, message, experiments),
                Shape::Response => in_answer(view, message, whole(view, message)?)?,
                Shape::Other | Shape::Unreadable => return None,
            };
            match found {
                Some(what) => Some(Err(Breach::at(message, format!("{what} in a session of {}", view.revision())))),
                None => had_a_choice.then_some(Ok(())),
            }
        })
        .collect()
}

/// The exchange that an answer surely belongs to.
fn whole<'s>(view: View<'s>, answer: &Message<'s>) -> Option<Exchange<'s>> {
    view.exchange_of(answer).filter(|exchange| !exchange.request().shares_id)
}

/// What a request or notification has that is too new.
fn in_question(view: View<'_>, message: &Message<'_>, experiments: bool) -> Option<Cow<'static, str>> {
    let revision = view.revision();
    let row = method(message.method()?)?;
    if row.revisions.iter().all(|known| known > revision) && !experiments {
        return Some(Cow::Owned(format!("sends {}", row.name)));
    }
    if revision >= Revision::V2025_11_25 {
        return None;
    }
    match row.name {
        "elicitation/create" => {
            message.param("mode").is_some_and(|mode| mode.is("url")).then_some("asks for elicitation by URL".into())
        }
        "sampling/createMessage" => {
            let offers_tools = message.param("tools").is_some_and(|tools| tools.is_array() && !tools.is_empty());
            if offers_tools || message.param("toolChoice").is_some_and(Value::is_object) {
                return Some("offers tools for sampling".into());
            }
            let mut contents = message.param("messages")?.items().filter_map(|one| one.member("content"));
            contents.find_map(|content| match content.is_array() {
                true => Some("sends several content blocks in one sampling message".into()),
                false => newer_block(revision, content),
            })
        }
        _ => None,
    }
}

/// What an answer has that is too new; none if its form does not depend on the revision.
fn in_answer(view: View<'_>, answer: &Message<'_>, exchange: Exchange<'_>) -> Option<Option<Cow<'static, str>>> {
    let revision = view.revision();
    if answer.error_code() == Some(code::URL_ELICITATION_REQUIRED) && revision < Revision::V2025_11_25 {
        let elicits = answer.error()?.path(&["data", "elicitations"]).is_some_and(Value::is_array);
        return elicits.then_some(Some("demands an elicitation by URL".into()));
    }
    let result = answer.result()?;
    let asks = result.member("inputRequests").is_some_and(Value::is_object);
    if asks && result.member("resultType").is_some_and(|kind| kind.is("input_required")) {
        return Some(Some("asks for input in a result".into()));
    }
    let found = match exchange.method() {
        "tools/call" => result.member("content")?.items().find_map(|block| newer_block(revision, block)),
        "prompts/get" => result
            .member("messages")?
            .items()
            .filter_map(|message| message.member("content"))
            .find_map(|block| newer_block(revision, block)),
        _ => return None,
    };
    Some(found)
}

fn newer_block(revision: Revision, block: Value<'_>) -> Option<Cow<'static, str>> {
    let kind = block.member("type")?.as_str()?;
    let (name, _) = BLOCKS.iter().find(|(name, since)| *name == kind && *since > revision)?;
    Some(Cow::Owned(format!("sends a content block of type {name}")))
}

/// Content block types that the oldest revision lacks, with the first revision that has them.
static BLOCKS: &[(&str, Revision)] = &[
    ("audio", Revision::V2025_03_26),
    ("resource_link", Revision::V2025_06_18),
    ("tool_use", Revision::V2025_11_25),
    ("tool_result", Revision::V2025_11_25),
];

/// Whether both sides declared the same experimental capability, whose methods are their own affair.
fn shares_an_experiment(view: View<'_>) -> bool {
    let client = (view.revision().era() == Era::Legacy)
        .then(|| {
            let opened = view.exchanges_by(view.client()).find(|exchange| exchange.is("initialize"))?;
            opened.param("capabilities")?.member("experimental")
        })
        .flatten();
    let server = view.server_capabilities().and_then(|capabilities| capabilities.member("experimental"));
    let (Some(client), Some(server)) = (client, server) else { return false };
    client.members().any(|(key, _)| server.member(&key).is_some())
}
