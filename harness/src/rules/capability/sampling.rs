//! What a server puts into a sampling request, and whether the client declared that it can take it.

use super::{Question, feature, questions};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::wire::Value;

const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);

const UNTESTED: &str =
    "the server asked no client for sampling that left this out; name a tool that asks the model in the subject file";

pub(super) static TOOLS_RESPECTED: Rule = Rule {
    id: "capability.server.sampling-tools-respected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/sampling#tools-in-sampling",
    requires: "A server puts tools into a sampling request only if the client declared sampling.tools.",
    judged: "Sampling of clients that declared sampling without tools: neither tools nor a choice among them. An empty \
             array offers nothing. Sampling that was not declared at all belongs to other rules.",
    untested: UNTESTED,
    judge: tools_respected,
};

fn tools_respected(view: View<'_>) -> Verdict {
    sampling_without(view, "tools")
        .map(|question| {
            let offers = question.param("tools").is_some_and(|tools| tools.is_array() && !tools.is_empty());
            let chooses = question.param("toolChoice").is_some_and(Value::is_object);
            match offers || chooses {
                true => {
                    Err(Breach::at(question.message, "offers tools to a client that did not declare sampling.tools"))
                }
                false => Ok(()),
            }
        })
        .collect()
}

pub(super) static CONTEXT_RESPECTED: Rule = Rule {
    id: "capability.server.sampling-context-respected",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/sampling#capabilities",
    requires: "A server asks for context of servers only if the client declared sampling.context.",
    judged: "Sampling of clients that declared sampling without context: includeContext is absent or none. Another value \
             is a warning.",
    untested: UNTESTED,
    judge: context_respected,
};

fn context_respected(view: View<'_>) -> Verdict {
    sampling_without(view, "context")
        .map(|question| match question.param("includeContext") {
            Some(context) if context.is("thisServer") || context.is("allServers") => {
                let what = "asks for context of servers, and the client did not declare sampling.context";
                Err(Breach::at(question.message, what).as_warning())
            }
            _ => Ok(()),
        })
        .collect()
}

fn sampling_without<'s>(view: View<'s>, part: &'static str) -> impl Iterator<Item = Question<'s>> {
    questions(view).into_iter().filter(move |question| {
        question.is("sampling/createMessage")
            && feature(question.client, &["sampling"]) == Some(true)
            && feature(question.client, &["sampling", part]) == Some(false)
    })
}
