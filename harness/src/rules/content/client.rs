//! What a client makes of content.

use super::{Encoding, Place, encoding, flaw};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::tools::client::described;
use crate::rules::{Breach, Level, Rule, Transports, Verdict, errand, probe};
use crate::session::{Exchange, Speaker, View};
use crate::wire::Value;

pub(super) static ACCEPTS_ALL_TYPES: Rule = Rule {
    id: "content.client-accepts-all-types",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ContentBlock",
    requires: "A client takes every type of content of its revision in results of tools and in prompts.",
    judged: "Results with well-formed blocks of known types, at least one of which is no text, and whose outcome the driver \
             tells: to have failed breaks the rule. To show a type as unsupported is fine.",
    untested: "no driver told what came of a result with content that is no text",
    judge: accepts_all_types,
};

fn accepts_all_types(view: View<'_>) -> Verdict {
    view.exchanges_by(Speaker::Subject)
        .filter_map(|exchange| {
            let blocks = blocks(view, exchange)?;
            let telling = blocks.iter().any(|block| !block.member("type").is_some_and(|kind| kind.is("text")));
            if !telling || !blocks.iter().all(|block| is_sound(view.revision(), *block)) {
                return None;
            }
            let (answer, wish) = (exchange.answer()?, errand::of(view, exchange)?);
            let came = wish.came.as_ref()?;
            let kinds: Vec<&str> = blocks.iter().filter_map(|block| Some(block.member("type")?.raw())).collect();
            let what = || format!("fails over content of the types {}", kinds.join(", "));
            if wish.is_fulfilled() {
                Some(Ok(()))
            } else {
                wish.has_failed().then(|| Err(Breach::at_entry(came.entry, what()).after(answer)))
            }
        })
        .collect()
}

/// The blocks that a result has for the user, unless it is a failure or could fail for another reason.
fn blocks<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<Vec<Value<'s>>> {
    let result = exchange.result().filter(|result| probe::is_final(view.revision(), *result))?;
    if exchange.is("prompts/get") {
        let sound =
            |message: Value<'_>| message.member("role").is_some_and(|role| role.is("user") || role.is("assistant"));
        let messages = result.member("messages").filter(|messages| messages.is_array())?;
        return messages.items().map(|message| message.member("content").filter(|_| sound(message))).collect();
    }
    let failed = result.member("isError").is_some_and(|failed| failed.as_bool() != Some(false));
    let structured = result.member("structuredContent").is_some()
        || described(view, exchange).is_some_and(|tool| tool.member("outputSchema").is_some());
    let content = result.member("content").filter(|content| content.is_array())?;
    (exchange.is("tools/call") && !failed && !structured).then(|| content.items().collect())
}

/// Whether nobody has a reason to refuse a block.
fn is_sound(revision: Revision, block: Value<'_>) -> bool {
    let resource = block.member("resource");
    let parts = [Some(block), resource].into_iter().flatten();
    let mut data = parts.flat_map(|part| ["data", "blob"].into_iter().filter_map(move |key| part.member(key)));
    let standard = |data: Value<'_>| data.as_str().is_some_and(|data| matches!(encoding(&data), Encoding::Standard));
    matches!(flaw(revision, Place::Tool, block), Some(Ok(())))
        && data.all(standard)
        && block.member("annotations").is_none_or(Value::is_object)
}
