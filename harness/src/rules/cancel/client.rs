//! How a client of 2026-07-28 takes back what it asked.

use super::{Target, notices_by};
use crate::revision::{Revisions, Side};
use crate::rules::client;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Exchange, Message, Speaker, View};

pub(super) static ONLY_OWN_STATELESS: Rule = Rule {
    id: "cancel.only-own-active-requests-stateless",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/patterns/cancellation#behavior-requirements",
    requires: "A client cancels only requests of its own that are not answered yet.",
    judged: "The id, with its type, must be that of an earlier request. Of one that was answered, the client may not have \
             read the answer yet. It is wrong where the answer came within a second and its user had wanted nothing else \
             since, and where it sent another request behind the answer and a second passed.",
    untested: "the client cancelled nothing",
    judge: only_own,
};

/// Who has not read an answer after this long is not going to, in microseconds.
const READ_BY: u64 = 1_000_000;

fn only_own(view: View<'_>) -> Verdict {
    notices_by(view, Speaker::Subject)
        .into_iter()
        .filter_map(|notice| {
            let message = notice.message;
            match notice.target {
                Target::Malformed => {
                    let missing = message.param("requestId").is_none();
                    missing.then(|| Err(Breach::at(message, "cancels without saying what")))
                }
                Target::Unknown(id) => {
                    let text: String = id.text().chars().take(60).collect();
                    Some(Err(Breach::at(message, format!("cancels {text}, which is no request of its own"))))
                }
                Target::Known(exchange) => {
                    // What has both a result and an error, or stands in the middle of a line, is no answer to anybody.
                    let sound = |answer: &&Message<'_>| {
                        answer.result().is_some() != answer.error().is_some() && answer.own_line
                    };
                    let Some(answer) = exchange.answer().filter(sound).filter(|answer| answer.entry < message.entry)
                    else {
                        return Some(Ok(()));
                    };
                    let went_on = client::own(view).any(|own| {
                        own.id.is_some() && own.method().is_some() && (answer.entry..message.entry).contains(&own.entry)
                    });
                    let late = message.at.saturating_sub(answer.at) > READ_BY;
                    let asked = exchange.request();
                    let may_cross = client::wished_between(view, asked.entry, message.entry)
                        || answer.at.saturating_sub(asked.at) > READ_BY;
                    let what = "cancels a request of its own that was answered";
                    ((late && went_on) || !may_cross).then(|| Err(Breach::at(message, what).after(answer)))
                }
            }
        })
        .collect()
}

pub(super) static STDIO_NOTIFIES: Rule = Rule {
    id: "cancel.stdio-client-notifies",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/patterns/cancellation#transport-specific-cancellation",
    requires: "A client that gives up a request says so by a cancellation.",
    judged: "A user who takes back a wish while the request for it is open, with a driver that says that it did so: the \
             cancellation has to come before the session ends, unless the client hangs up without another word.",
    untested: "no user took back a wish whose request was still open",
    judge: stdio_notifies,
};

fn stdio_notifies(view: View<'_>) -> Verdict {
    let wishes = &view.user().wishes;
    wishes
        .iter()
        .enumerate()
        .filter(|(_, wish)| wish.kind() == "abort" && wish.is_fulfilled() && !took_back_nothing(wish))
        .filter_map(|(position, wish)| {
            let came = wish.came.as_ref()?;
            let unwaited = wishes.get(..position)?.iter().rfind(|one| one.wish["wait"] == false)?;
            let asked = request_for(view, unwaited).filter(|asked| asked.request().entry < wish.entry)?;
            let open = asked.answer().is_none_or(|answer| answer.entry > came.entry);
            if asked.cancellation().is_some() {
                return Some(Ok(()));
            }
            let went_on = client::own(view).any(|message| message.entry > came.entry);
            let end = client::outstayed(view).or(client::hung_up(view).filter(|_| went_on))?;
            let what = format!("gives up {} without a word to the server", asked.method());
            open.then(|| Err(Breach::at_entry(end, what).after(asked.request())))
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}

/// Whether a driver says that there was nothing to take back.
fn took_back_nothing(wish: &Wish) -> bool {
    wish.came.as_ref().is_some_and(|came| came.words.pointer("/result/aborted").is_some_and(|aborted| aborted == false))
}

/// The request of the kind and name that a wish is about, behind it.
pub(in crate::rules) fn request_for<'s>(view: View<'s>, wish: &Wish) -> Option<Exchange<'s>> {
    let (method, param, key) = match wish.kind() {
        "call" => ("tools/call", "name", "tool"),
        "read" => ("resources/read", "uri", "uri"),
        "get" => ("prompts/get", "name", "prompt"),
        _ => return None,
    };
    let named = wish.wish[key].as_str()?;
    client::modern(view).find(|exchange| {
        let is_it = exchange.is(method) && exchange.param(param).is_some_and(|own| own.is(named));
        is_it && exchange.request().entry > wish.entry
    })
}
