//! Structured content against output schemas.

use super::offer::{Call, Offer, Reply, blocks, calls};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::schema::{Outcome, Shelf};
use crate::session::View;
use crate::wire::{Document, Value};

pub(super) static OBJECT: Rule = Rule {
    id: "tools.structured.object",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "schema/2025-11-25/schema.ts#CallToolResult",
    requires: "The structuredContent of a tool result is a JSON object.",
    judged: "Every tool result that has the member, failed calls included. 2026-07-28 allows any JSON value.",
    untested: "no tool result had structuredContent",
    judge: object,
};

fn object(view: View<'_>) -> Verdict {
    calls(view)
        .filter_map(|call| match call.reply {
            Reply::Done(result) | Reply::Failed(result) => Some((call, result.member("structuredContent")?)),
            Reply::Refused(_) | Reply::Open => None,
        })
        .map(|(call, content)| match content.is_object() {
            true => Ok(()),
            false => Err(call.breach(format!("gives {} as structuredContent", content.brief()))),
        })
        .collect()
}

pub(super) static CONFORMS: Rule = Rule {
    id: "tools.structured.conforms",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#output-schema",
    requires: "The results of a tool with an outputSchema have structured content that conforms to it.",
    judged: "Results with isError, tasks and requests for input are left out. The dialect is that of $schema, else 2020-12; \
             before 2025-11-25, which names no default, content that draft-07 allows passes too. Formats assert nothing. \
             Nothing is said of schemas that cannot be used or ask for too much work.",
    untested: "no tool with an outputSchema was listed and called with success",
    judge: conforms,
};

fn conforms(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    offer
        .calls()
        .filter_map(|call| {
            let Reply::Done(result) = call.reply else { return None };
            let schema = call.tool?.member("outputSchema").filter(|schema| schema.is_object())?;
            let Some(content) = result.member("structuredContent") else {
                return Some(Err(call.breach("gives no structuredContent although the tool has an outputSchema")));
            };
            match shelf.check(schema, &content.to_tree()?).outcome {
                Outcome::Valid => Some(Ok(())),
                Outcome::Invalid(violations) => violations.first().map(|first| {
                    let place = if first.at.is_empty() { "at its root" } else { &first.at };
                    Err(call.breach(format!(
                        "gives structuredContent that breaks `{}` of the outputSchema {place}: {}",
                        first.keyword, first.why
                    )))
                }),
                Outcome::OverBudget | Outcome::Unusable(_) => None,
            }
        })
        .collect()
}

pub(super) static TEXT_COPY: Rule = Rule {
    id: "tools.structured.text-copy",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#structured-content",
    requires: "Structured content is repeated as serialized JSON in a text block.",
    judged: "Some text block parses as a JSON value equal to the structured content, whatever the spelling; a string may stand \
             there as it is. A missing copy is a warning. Failed calls are left out.",
    untested: "no successful tool result had structuredContent",
    judge: text_copy,
};

fn text_copy(view: View<'_>) -> Verdict {
    calls(view)
        .filter_map(|call: Call<'_>| {
            let Reply::Done(result) = call.reply else { return None };
            let content = result.member("structuredContent")?;
            let copied = blocks(result).filter_map(|block| block.member("text")?.as_str()).any(|text| {
                let equal = |copy: Value<'_>| copy.same(content);
                content.is(&text) || Document::parse(&text).is_ok_and(|document| equal(document.root(&text)))
            });
            let missing = || call.breach("gives structuredContent that no text block repeats").as_warning();
            Some(if copied { Ok(()) } else { Err(missing()) })
        })
        .collect()
}
