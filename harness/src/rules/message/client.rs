//! Which kinds of message a client may send.

use crate::revision::{Revisions, Side};
use crate::rules::client::{legacy_from, own, settled_modern};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Shape, Speaker, View};

pub(super) static NO_RESPONSES: Rule = Rule {
    id: "message.client-no-responses",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/transports/stdio#sending-messages",
    requires: "A client sends no responses, not even to refuse what a server asks.",
    judged: "Once a modern request got a modern result, and before any `initialize`: until then a client of both eras may \
             not know what it talks to. Every request of the harness from then on puts it to the test.",
    untested: "a server of this revision asks nothing, and the harness did not either",
    judge: no_responses,
};

fn no_responses(view: View<'_>) -> Verdict {
    let Some(since) = settled_modern(view) else { return Verdict::untested() };
    let modern = since + 1..legacy_from(view);
    let responses: Vec<_> =
        own(view).filter(|message| message.shape == Shape::Response && modern.contains(&message.entry)).collect();
    let asked = view.every_message().filter(|message| message.by == Speaker::Peer && message.shape == Shape::Request);
    let borne = asked.filter(|message| modern.contains(&message.entry)).filter_map(|request| {
        let is_answered = responses.iter().any(|response| response.id == request.id);
        (!is_answered).then_some(Ok(()))
    });
    let sent = responses.iter().map(|response| Err(Breach::at(response, "sends a response")));
    borne.chain(sent).collect::<Vec<Check>>().into_iter().collect()
}
