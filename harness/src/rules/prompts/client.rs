//! How a client asks for prompts.

use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Speaker, View};

pub(super) static STRING_ARGUMENTS: Rule = Rule {
    id: "prompts.get.client-string-arguments",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#GetPromptRequestParams",
    requires: "The arguments of a prompt are texts.",
    judged: "Every prompts/get with arguments: an object whose values are strings. Arguments that are not sent at all are fine.",
    untested: "the client got no prompt with arguments",
    judge: string_arguments,
};

fn string_arguments(view: View<'_>) -> Verdict {
    view.requests_by(Speaker::Subject)
        .filter(|request| request.is("prompts/get") && view.client() == request.by)
        .filter_map(|request| {
            let arguments = request.param("arguments")?;
            let breach = |what: String| Some(Err(Breach::at(request, what)));
            if !arguments.is_object() {
                return breach(format!("gets a prompt with the arguments {}", arguments.brief()));
            }
            match arguments.members().find(|(_, value)| !value.is_string()) {
                Some((name, value)) => breach(format!("gets a prompt with {} as {name:?}", value.brief())),
                None => (!arguments.is_empty()).then_some(Ok(())),
            }
        })
        .collect()
}
