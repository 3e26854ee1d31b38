//! Which kinds of message a side may send.

use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side};
use crate::session::{Speaker, View};

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&SERVER_NO_REQUESTS, &client::NO_RESPONSES];

static SERVER_NO_REQUESTS: Rule = Rule {
    id: "message.server-no-requests",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/transports/stdio#receiving-messages",
    requires: "A server sends no requests; it asks for input in its results.",
    judged: "Every message of the server with a method and an id breaks it. It counts as tried where a tool, prompt, \
             resource or subscription was asked for and the client declared something that a server could ask it for. \
             Sessions in which `initialize` was sent are left out: a server of both eras may send requests there.",
    untested: "no request declared client capabilities that tempt a server to ask; name a tool that asks the client for \
               something in the subject file",
    judge: server_no_requests,
};

fn server_no_requests(view: View<'_>) -> Verdict {
    const TEMPTING: &[&str] = &["tools/call", "prompts/get", "resources/read", "subscriptions/listen"];
    const ASKABLE: &[&str] = &["roots", "sampling", "elicitation"];
    if view.every_message().any(|message| message.by == Speaker::Peer && message.is("initialize")) {
        return Verdict::untested();
    }
    let asked = view
        .requests_by(Speaker::Subject)
        .filter(|request| !request.method().is_some_and(|method| method.starts_with("notifications/")))
        .map(|request| Err(Breach::at(request, format!("sends the request {}", request.method().unwrap_or_default()))));
    let refrained = view
        .exchanges()
        .filter(|exchange| TEMPTING.contains(&exchange.method()) && exchange.answer().is_some())
        .filter(|exchange| ASKABLE.iter().any(|path| view.client_declares(exchange.request(), &[path])))
        .map(|_| Ok(()));
    asked.chain(refrained).collect::<Vec<Check>>().into_iter().collect()
}
