//! What a client's model says, and which requests it takes.

use super::unbalanced;
use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::asked::{self, Reply};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::wire::Value;

const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);

/// What a client answers whose user rejected a request.
const REJECTED: i64 = -1;

const fn rule(id: &'static str, level: Level, revisions: Revisions, clause: &'static str) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions,
        transports: Transports::BOTH,
        clause,
        requires: "",
        judged: "",
        untested: "the client answered no sampling",
        judge: |_| Verdict::untested(),
    }
}

pub(super) static BAD_HISTORY_CODE: Rule = Rule {
    requires: "A client refuses a history in which results of tools are missing, or stand beside other content, by -32602.",
    judged: "Requests of that kind to clients that declared sampling.tools. -1, by which a user rejects, is not judged.",
    untested: "no client that declared sampling.tools was given a history with missing or mixed results of tools",
    judge: bad_history_code,
    ..rule(
        "sampling.bad-history-code",
        Level::Should,
        Revisions::of(&[Revision::V2025_11_25]),
        "2025-11-25/client/sampling#error-handling",
    )
};

fn bad_history_code(view: View<'_>) -> Verdict {
    asked::of(view, "sampling/createMessage")
        .filter(|asked| asked.declared.path(&["sampling", "tools"]).is_some_and(Value::is_object))
        .filter_map(|asked| {
            let messages: Vec<Value<'_>> = asked.param("messages")?.items().collect();
            let flaw = unbalanced(&messages)?;
            let breach = |by, what: String| {
                Some(Err(Breach::at(by, format!("{what} a history that {flaw}")).after(asked.message)))
            };
            match asked.reply {
                Reply::Given(by, _) => breach(by, "lets its model answer".to_owned()),
                Reply::Refused(by) => match by.error_code() {
                    Some(code::INVALID_PARAMS) => Some(Ok(())),
                    Some(REJECTED) => None,
                    Some(other) => breach(by, format!("refuses by {other}")),
                    None => breach(by, "refuses by an error without a code".to_owned()),
                },
                Reply::Withheld | Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static RESULT_SHAPE: Rule = Rule {
    requires: "A result of sampling has a role, content, and the name of a model.",
    judged: "The role is user or assistant, the model a text, the content a block with a type, or since 2025-11-25 an array of \
             such blocks.",
    judge: result_shape,
    ..rule("sampling.result-shape", Level::Must, Revisions::ALL, "schema/2026-07-28/schema.ts#CreateMessageResult")
};

fn result_shape(view: View<'_>) -> Verdict {
    asked::of(view, "sampling/createMessage")
        // With a member task the result is a task.
        .filter(|asked| asked.param("task").is_none())
        .filter_map(|asked| {
            let (by, result) = asked.given()?;
            let breach = |what: String| Breach::at(by, what).after(asked.message);
            Some(flaw(view.revision(), result).map_or(Ok(()), |what| Err(breach(what))))
        })
        .collect()
}

fn flaw(revision: Revision, result: Value<'_>) -> Option<String> {
    if !result.member("role").is_some_and(|role| role.is("user") || role.is("assistant")) {
        return Some("lets its model answer without a proper role".to_owned());
    }
    if !result.member("model").is_some_and(Value::is_string) {
        return Some("lets its model answer without the name of the model".to_owned());
    }
    let block = |content: Value<'_>| content.member("type").is_some_and(Value::is_string);
    match result.member("content") {
        None => Some("lets its model answer without content".to_owned()),
        Some(content) if content.is_array() && revision >= Revision::V2025_11_25 => {
            let odd = content.items().find(|content| !block(*content))?;
            Some(format!("lets its model answer with the content {}", odd.brief()))
        }
        Some(content) if block(content) => None,
        Some(content) => Some(format!("lets its model answer with the content {}", content.brief())),
    }
}

pub(super) static ACCEPTS_CONTENT_FORMS: Rule = Rule {
    requires: "A client with sampling takes the content of a message as one block and as an array of blocks.",
    judged: "Requests to clients that declared sampling, without tools: a result keeps the rule, and an error -32602 or -32600 \
             breaks it if every block is a text, for a host may refuse others. Other errors may be the user's.",
    untested: "no client that declared sampling was asked with an array of blocks",
    judge: accepts_content_forms,
    ..rule(
        "sampling.client-accepts-content-forms",
        Level::Must,
        SINCE_11,
        "schema/2026-07-28/schema.ts#SamplingMessage",
    )
};

fn accepts_content_forms(view: View<'_>) -> Verdict {
    asked::of(view, "sampling/createMessage")
        .filter(|asked| asked.declared.member("sampling").is_some_and(Value::is_object))
        .filter(|asked| asked.is_honest() && asked.param("tools").is_none() && asked.param("toolChoice").is_none())
        .filter_map(|asked| {
            let contents: Vec<Value<'_>> =
                asked.param("messages")?.items().filter_map(|message| message.member("content")).collect();
            let lists = contents.iter().any(|content| content.is_array());
            let blocks = || contents.iter().flat_map(|content| content.items().chain([*content]));
            let mut kinds = blocks().filter_map(|block| block.member("type"));
            match asked.reply {
                Reply::Given(..) => lists.then_some(Ok(())),
                Reply::Refused(by) => {
                    let code = by.error_code()?;
                    let plain = kinds.all(|kind| kind.is("text"));
                    let what = || {
                        let form = if lists { "an array of blocks" } else { "one block" };
                        format!("refuses by {code} a message whose content is {form}")
                    };
                    let invalid = [code::INVALID_PARAMS, code::INVALID_REQUEST].contains(&code);
                    (plain && invalid).then(|| Err(Breach::at(by, what()).after(asked.message)))
                }
                Reply::Withheld | Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static REJECTION_IS_ERROR: Rule = Rule {
    requires: "A request that the user rejects is answered by an error, and not by an invented message.",
    judged: "The error -1, by which clients tell a rejection, keeps the rule; what other errors mean is left alone. A result \
             without a word in it is a warning: it may be what is invented for a rejection.",
    untested: "no user rejected a request for sampling",
    judge: rejection_is_error,
    ..rule("sampling.rejection-is-error", Level::Should, Revisions::LEGACY, "2025-11-25/client/sampling#error-handling")
};

fn rejection_is_error(view: View<'_>) -> Verdict {
    asked::of(view, "sampling/createMessage")
        .filter(|asked| asked.declared.member("sampling").is_some_and(Value::is_object))
        .filter_map(|asked| match asked.reply {
            Reply::Refused(by) => (by.error_code() == Some(REJECTED)).then_some(Ok(())),
            Reply::Given(by, result) => {
                let content = result.member("content")?;
                let empty = |text: Value<'_>| text.as_str().is_some_and(|text| text.trim().is_empty());
                let wordless = content.member("text").is_some_and(empty) || (content.is_array() && content.is_empty());
                let what = "lets its model answer without a word, as if a rejection were an answer";
                wordless.then(|| Err(Breach::at(by, what).after(asked.message).as_warning()))
            }
            Reply::Withheld | Reply::Open => None,
        })
        .collect()
}
