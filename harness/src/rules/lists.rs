//! Lists as such: that they are there, and that they do not depend on who asks.

use std::collections::{BTreeSet, HashMap};

use super::capability::declares;
use super::pagination::walks::{self, ANNOUNCED, Walk};
use super::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::revision::{LISTS, Revisions, Side, code, meta};
use crate::session::{Exchange, Speaker, View};
use crate::transcript::Delivery;
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&ANSWERED, &ANSWERED_LEGACY, &SAME_ON_EVERY_CONNECTION];

static ANSWERED: Rule = Rule {
    id: "lists.answered-if-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#capabilities",
    requires: "A server that declares tools, resources or prompts answers the list method, if only with an empty list.",
    judged: "Plain requests for the first page of tools/list, resources/list and prompts/list. Any error is wrong, and so \
             is a result without the array. resources/templates/list is not covered, and a flood may be turned away.",
    untested: "no plain request for a list of a declared capability was answered",
    judge: |view| {
        let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
        let plain = |exchange: Exchange<'_>| {
            let request = exchange.request();
            request.entry < legacy_since
                && probe::plain(request).is_some_and(|version| version == view.revision().as_str())
        };
        answered(view, plain).collect()
    },
};

static ANSWERED_LEGACY: Rule = Rule {
    id: "lists.answered-if-declared-legacy",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/server/tools#listing-tools",
    requires: "A server that declares tools, resources or prompts answers the list method of that feature.",
    judged: "Plain requests after the handshake. The older pages imply this without a keyword, so a refusal is a warning. \
             A server without templates may lack resources/templates/list.",
    untested: "no plain request for a list of a declared capability was answered",
    judge: |view| {
        answered(view, |exchange| walks::is_fair(view, exchange))
            .map(|check| check.map_err(Breach::as_warning))
            .collect()
    },
};

fn answered<'s>(view: View<'s>, fair: impl Fn(Exchange<'s>) -> bool) -> impl Iterator<Item = Check> {
    let declared: Vec<&str> = ANNOUNCED
        .iter()
        .filter(|(.., feature)| declares(view, &[feature]) == Some(true))
        .map(|(method, ..)| *method)
        .collect();
    view.exchanges()
        .filter(move |exchange| probe::is_among(&declared, *exchange) && fair(*exchange))
        .filter(|exchange| exchange.request().delivery != Delivery::Flood)
        .filter(|exchange| exchange.error_code() != Some(code::UNSUPPORTED_PROTOCOL_VERSION))
        .filter_map(|exchange| {
            let (_, member, _) = LISTS.iter().find(|(method, ..)| exchange.is(method))?;
            let answer = exchange.answer()?;
            let breach = |what: String| Err(Breach::at(answer, what).after(exchange.request()));
            Some(match exchange.result() {
                None if answer.is_error() => {
                    breach(format!("refuses {} although it declares the capability", exchange.method()))
                }
                None => return None,
                Some(result) if result.member(member).is_some_and(Value::is_array) => Ok(()),
                Some(_) => breach(format!("answers {} without the array {member}", exchange.method())),
            })
        })
}

static SAME_ON_EVERY_CONNECTION: Rule = Rule {
    id: "lists.same-on-every-connection",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#capabilities",
    requires: "Lists depend neither on the connection nor on what else was sent over it.",
    judged: "Lists that were walked to the end by a client without capabilities, as the control session did, and under the \
             name that this session began with. They must show what the control session saw. After a notice of a change \
             nothing is judged, and after a tool call a difference is a warning, for each connection is a process of \
             its own.",
    untested: "no list was walked to its end, or no control session listed anything",
    judge: same_on_every_connection,
};

fn same_on_every_connection(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() {
        return Verdict::untested();
    }
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    let identity = view
        .requests_by(Speaker::Peer)
        .next()
        .map(|first| first.meta().and_then(|given| given.member(meta::CLIENT_INFO)).map_or("", Value::raw));
    let first_call = view
        .every_exchange()
        .find(|exchange| exchange.is("tools/call"))
        .map_or(usize::MAX, |exchange| exchange.request().entry);
    let first_notice: HashMap<&str, usize> = ANNOUNCED
        .iter()
        .filter_map(|(list, notice, _)| {
            let notice = view.notifications_by(Speaker::Subject).find(|message| message.is(notice))?;
            Some((*list, notice.entry))
        })
        .collect();
    let undisturbed = |walk: &Walk<'_>| {
        let list = if walk.method == "resources/templates/list" { "resources/list" } else { walk.method };
        first_notice.get(list).is_none_or(|notice| *notice > walk.end()) && walk.end() < legacy_since
    };
    walks::all(view)
        .iter()
        .filter(|walk| walk.complete && undisturbed(walk))
        .filter(|walk| walk.client.is_some_and(|(capabilities, own)| is_bare(capabilities) && Some(own) == identity))
        .filter_map(|walk| {
            let elsewhere: BTreeSet<&str> = view.facts().lists.get(walk.method)?.iter().map(String::as_str).collect();
            let last = walk.pages.last()?.answer;
            let here = walk.keys();
            let Some(one) = here.symmetric_difference(&elsewhere).next() else { return Some(Ok(())) };
            let what = match here.contains(one) {
                true => format!("lists {one} in {}, which another connection did not show", walk.method),
                false => format!("leaves {one} out of {}, which another connection showed", walk.method),
            };
            let breach = Breach::at(last, what);
            Some(Err(if first_call < walk.end() { breach.as_warning() } else { breach }))
        })
        .collect()
}

/// Whether the text of a capability object declares nothing.
fn is_bare(capabilities: &str) -> bool {
    let inside = capabilities.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}
