//! Pings.

use super::probe;
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::Revisions;
use crate::session::{Exchange, Fate, Message, Phase, Speaker, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&EMPTY_RESULT];

static EMPTY_RESULT: Rule = Rule {
    id: "ping.empty-result",
    level: Level::Must,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/ping#behavior-requirements",
    requires: "A ping is answered with an empty result.",
    judged: "Pings after the handshake count. Members of the result other than _meta are a warning. Silence is a \
             breach only while a tool call was open and later requests were answered; any other silence belongs to \
             jsonrpc.response.exactly-one, and a ping during the handshake to lifecycle.init.ping-during-handshake.",
    untested: "no well-formed ping was answered after the handshake",
    judge: empty_result,
};

fn empty_result(view: View<'_>) -> Verdict {
    let asker = view.subject_side().other();
    let is_client = asker == crate::revision::Side::Client;
    let last_served = view.last_served().unwrap_or_default();
    // What a client does while it is busy, it does while something of its own is not answered.
    let calls: Vec<Exchange<'_>> = match is_client {
        true => view.exchanges().filter(|exchange| exchange.is("tools/call")).collect(),
        false => view.exchanges_by(Speaker::Subject).filter(|exchange| !exchange.is("initialize")).collect(),
    };
    let mut passed_over = false;
    view.exchanges()
        .filter(|exchange| exchange.is("ping") && is_fair(exchange.request()))
        .filter(|ping| !is_client || ping.request().phase == Phase::Operating)
        .filter_map(|ping| {
            let request = ping.request();
            if ping.fate() == Fate::Silent && request.entry < last_served && !passed_over {
                let busy = calls.iter().find(|call| call.open_at(request.entry))?;
                passed_over = true;
                let what = if is_client { "while a tool runs" } else { "while it waits for an answer" };
                return Some(Err(
                    Breach::at(request, format!("gives no answer to a ping {what}")).after(busy.request())
                ));
            }
            let answer = ping.answer()?;
            let breach = |what: String| Err(Breach::at(answer, what).after(ping.request()));
            if answer.is_error() {
                return Some(breach("answers a ping with an error".to_owned()));
            }
            let result = answer.result()?;
            if !result.is_object() {
                return Some(breach("answers a ping with a result that is no object".to_owned()));
            }
            let extra = result.members().find(|(key, _)| key != "_meta");
            Some(match extra {
                Some((key, _)) => {
                    let what = format!("answers a ping with the member {:?}", key.chars().take(40).collect::<String>());
                    Err(Breach::at(answer, what).after(ping.request()).as_warning())
                }
                None => Ok(()),
            })
        })
        .collect()
}

/// Whether a ping gives no reason to refuse it.
pub(super) fn is_fair(ping: &Message<'_>) -> bool {
    probe::is_sound(ping)
        && ping.params().is_none_or(|params| params.members().all(|(key, _)| key == "_meta"))
        && ping.meta().is_none_or(Value::is_object)
}
