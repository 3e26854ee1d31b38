//! References that lead out to a network, which a client does not follow.

use crate::revision::Revisions;
use crate::rules::asked;
use crate::rules::bait::{Bait, judged};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Message, Speaker, View};
use crate::wire::Value;

use super::client::tools;

pub(super) static NO_NETWORK: Rule = Rule {
    id: "schema.ref.no-network",
    level: Level::Must,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#ref-resolution",
    requires: "A reference to a network address is not followed of one's own accord.",
    judged: "Of a client: references in the schemas of tools and forms, absolute or relative to an $id, whose addresses the \
             harness watches from the list to the end. To call the address of a $schema is a warning, since it is no \
             reference. A server gets no schemas from its client.",
    untested: "the client was shown no schema with a reference to an address that the harness watches; a server gets no \
               schemas from its client",
    judge: no_network,
};

fn no_network(view: View<'_>) -> Verdict {
    if view.client() != Speaker::Subject {
        return Verdict::untested();
    }
    let (mut references, mut dialects) = (Vec::new(), Vec::new());
    for (message, schema) in schemas(view) {
        for part in schema.descendants().take(1_000) {
            let named = ["$ref", "$dynamicRef"].into_iter().filter_map(|key| part.member(key)?.as_str());
            references.extend(named.filter_map(|reference| target(message, schema, &reference)));
            dialects.extend(part.member("$schema").and_then(|dialect| Bait::of(message, dialect)));
        }
    }
    references.dedup_by(|one, other| one.field == other.field);
    dialects.dedup_by(|one, other| one.field == other.field);
    let mut checks = judged(view, &references, "follows a reference to a network address");
    let asked = judged(view, &dialects, "calls the address of a dialect");
    checks.extend(asked.into_iter().map(|check| check.map_err(Breach::as_warning)));
    checks.into_iter().collect()
}

/// Where a reference leads, if the harness watches that.
fn target<'s>(message: &'s Message<'s>, schema: Value<'s>, reference: &str) -> Option<Bait<'s>> {
    if reference.contains("://") {
        return Bait::read(message, reference);
    }
    let base = schema.member("$id")?.as_str()?;
    let (folder, _) = base.rsplit_once('/').filter(|_| !reference.starts_with(['#', '/']))?;
    Bait::read(message, &format!("{folder}/{reference}"))
}

/// Every schema that the harness gave the client.
fn schemas<'s>(view: View<'s>) -> Vec<(&'s Message<'s>, Value<'s>)> {
    let of_tools = tools(view).flat_map(|(message, tool)| {
        let members = ["inputSchema", "outputSchema"].into_iter();
        members.filter_map(move |member| Some((message, tool.member(member)?)))
    });
    let forms = asked::of(view, "elicitation/create");
    let of_forms = forms.filter_map(|asked| Some((asked.message, asked.param("requestedSchema")?)));
    of_tools.chain(of_forms).collect()
}
