//! Icons, and where clients get them from.

use super::bait::{Bait, REDIRECT, judged};
use super::{Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions, Side, meta};
use crate::session::{Message, Speaker, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&UNSAFE_SCHEME_REJECTED];

static UNSAFE_SCHEME_REJECTED: Rule = Rule {
    id: "icons.unsafe-scheme-rejected",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#icons",
    requires: "A client loads no icon by an unsafe scheme, and follows no redirect of one to another origin.",
    judged: "Icons of the server and of its tools, prompts and resources, whose addresses the harness watches. Both https and \
             http are left alone, since the schema allows both. A client that shows no icons keeps the rule.",
    untested: "the client was shown no icon at an address that the harness watches",
    judge: unsafe_scheme_rejected,
};

fn unsafe_scheme_rejected(view: View<'_>) -> Verdict {
    if view.client() != Speaker::Subject {
        return Verdict::untested();
    }
    let (mut unsafe_ones, mut redirected) = (Vec::new(), Vec::new());
    for bait in icons(view).filter_map(|(message, icon)| Bait::of(message, icon.member("src")?)) {
        if !matches!(&*bait.scheme.to_ascii_lowercase(), "http" | "https") {
            unsafe_ones.push(bait);
        } else if let Some(field) = bait.field.strip_prefix(REDIRECT) {
            redirected.push(Bait { field: field.to_owned(), ..bait });
        }
    }
    let mut checks = judged(view, &unsafe_ones, "loads an icon by an unsafe scheme");
    checks.extend(judged(view, &redirected, "follows an icon to another origin"));
    checks.into_iter().collect()
}

/// Every icon that the harness has shown, with the message that did.
fn icons<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
    let lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    let listed = lists.into_iter().flat_map(move |method| view.listed(method));
    let results = view
        .exchanges_by(Speaker::Subject)
        .filter_map(|exchange| Some((exchange, exchange.answer()?, exchange.result()?)));
    let identities = results.filter_map(|(exchange, answer, result)| {
        let identity = result.path(&["_meta", meta::SERVER_INFO]);
        let identity = identity.or_else(|| result.member("serverInfo").filter(|_| exchange.is("initialize")));
        Some((answer, identity?))
    });
    listed.chain(identities).flat_map(|(message, carrier)| {
        let icons = carrier.member("icons").into_iter().flat_map(Value::items);
        icons.map(move |icon| (message, icon))
    })
}
