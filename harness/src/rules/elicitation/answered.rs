//! What a server does once its question is answered.

use super::form;
use crate::revision::{Era, Revision, Revisions, Side};
use crate::rules::tools::offer::{self, Call, Reply};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Fate, Message, Speaker, View};
use crate::wire::Value;

pub(super) static SERVER_VALIDATES_CONTENT: Rule = Rule {
    id: "elicitation.server-validates-content",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#form-mode-security",
    requires: "A server checks what was filled in against the form that it asked with.",
    judged: "Accepted forms with a member missing, of another type, or outside its choices. An error of any kind keeps the \
             rule, and so does asking again. A success that shows the wrong value is a warning; one that does not shows \
             nothing.",
    untested: "no form was accepted with content that it does not allow; name a tool that asks the user in the subject file, \
               under `asks-user`",
    judge: server_validates_content,
};

fn server_validates_content(view: View<'_>) -> Verdict {
    accepted(view)
        .into_iter()
        .filter_map(|Accepted { schema, content, given, call }| {
            let odd = form::misfilled(schema, content)?;
            match call.reply {
                Reply::Failed(_) | Reply::Refused(_) => Some(Ok(())),
                Reply::Open => call.answer.map(|_| Ok(())),
                Reply::Done(result) => {
                    let bare = odd.trim_matches('"');
                    let shown = bare.len() >= 6 && result.raw().contains(bare);
                    let what = format!("makes use of {bare}, which its form does not allow");
                    let answer = call.answer.filter(|_| shown)?;
                    Some(Err(Breach::at(answer, what).after(given).as_warning()))
                }
            }
        })
        .collect()
}

/// A form that was accepted.
struct Accepted<'s> {
    schema: Value<'s>,
    content: Option<Value<'s>>,
    /// The message that brought the content.
    given: &'s Message<'s>,
    /// The call that goes on with it.
    call: Call<'s>,
}

fn accepted(view: View<'_>) -> Vec<Accepted<'_>> {
    let is_accepted = |answer: &Value<'_>| answer.member("action").is_some_and(|action| action.is("accept"));
    match view.revision().era() {
        Era::Legacy => view
            .exchanges_by(Speaker::Subject)
            .filter(|exchange| exchange.is("elicitation/create"))
            .filter_map(|exchange| {
                let answer = exchange.result().filter(is_accepted)?;
                let schema = exchange.param("requestedSchema").filter(|schema| schema.is_object())?;
                // Asking again is an answer to what was filled in.
                let given = exchange.answer()?;
                let call = behind(view, exchange)?;
                let again = view.exchanges_by(Speaker::Subject).any(|other| {
                    let later = other.request().entry;
                    other.is("elicitation/create")
                        && later > given.entry
                        && call.answer.is_some_and(|answer| later < answer.entry)
                });
                (!again).then_some(Accepted { schema, content: answer.member("content"), given, call })
            })
            .collect(),
        Era::Modern => {
            let calls: Vec<Call<'_>> = offer::calls(view).collect();
            let mut all = Vec::new();
            for (index, call) in offer::calls(view).enumerate() {
                let responses = call.exchange.param("inputResponses").into_iter().flat_map(Value::members);
                let earlier = calls.iter().take(index).rev().find(|other| other.name == call.name);
                let Some(asked) = earlier.and_then(|other| other.exchange.result()?.member("inputRequests")) else {
                    continue;
                };
                let form = responses.filter_map(|(key, answer)| {
                    let schema =
                        asked.path(&[&key, "params", "requestedSchema"]).filter(|schema| schema.is_object())?;
                    is_accepted(&answer).then(|| (schema, answer.member("content")))
                });
                let given = call.exchange.request();
                let forms: Vec<_> = form.collect();
                if let [(schema, content)] = forms[..] {
                    all.push(Accepted { schema, content, given, call });
                }
            }
            all
        }
    }
}

/// The call in whose course a request of the server was made: the only one that was open.
fn behind<'s>(view: View<'s>, question: Exchange<'s>) -> Option<Call<'s>> {
    let at = question.request().entry;
    let mut open = offer::calls(view).filter(|call| call.exchange.request().entry < at && call.exchange.open_at(at));
    open.next().filter(|_| open.next().is_none())
}

pub(super) static DECLINE_HANDLED_LEGACY: Rule = Rule {
    id: "elicitation.decline-handled-legacy",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2025-11-25/client/elicitation#response-actions",
    requires: "A server that is declined, dismissed or refused what it asked for still answers the call that it asked for.",
    judged: "Calls during which the server elicited and got decline, cancel or an error, or asked for sampling or roots and \
             got an error. Any answer will do. None is a breach once the time for it was over, or the server has gone.",
    untested: "no call was declined what it asked for; name a tool that asks the user in the subject file, under `asks-user`",
    judge: decline_handled_legacy,
};

fn decline_handled_legacy(view: View<'_>) -> Verdict {
    view.exchanges_by(Speaker::Subject)
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let action = exchange.result().and_then(|result| result.member("action"));
            let how = match exchange.method() {
                "elicitation/create" if action.is_some_and(|action| action.is("decline")) => "was declined",
                "elicitation/create" if action.is_some_and(|action| action.is("cancel")) => "was dismissed",
                "elicitation/create" | "sampling/createMessage" | "roots/list" if answer.is_error() => "was refused",
                _ => return None,
            };
            let call = behind(view, exchange)?.exchange;
            let given_up = call.is_overdue() && call.fate() == Fate::Silent;
            let check: Check = match call.fate() {
                Fate::Answered => Ok(()),
                Fate::Cut => Err(Breach::at(answer, format!("ends the session when {} {how}", exchange.method()))),
                _ if given_up => {
                    let what = format!("never answers a call whose {} {how}", exchange.method());
                    Err(Breach::at(answer, what).after(call.request()))
                }
                _ => return None,
            };
            Some(check)
        })
        .collect()
}
