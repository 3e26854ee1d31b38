//! The stdio transport: one message a line, and nothing else.
//!
//! - `client`: what a client writes
//! - [`torn`]: messages that were broken over several lines

mod client;
pub mod torn;

use std::collections::HashSet;

use super::errand;
use super::jsonrpc::response::is_judged_by_silence;
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{self, Revisions, Side, code};
use crate::session::{Fate, Message, Shape, Speaker, View};
use crate::transcript::{Delivery, Event, Intent};
use crate::wire::{Unreadable, Value};

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &STDOUT_ONLY_MESSAGES,
    &NO_EMBEDDED_NEWLINES,
    &FRAMING_BY_NEWLINE_ONLY,
    &client::STDIN_ONLY_MESSAGES,
    &client::STDERR_NOT_AN_ERROR,
];

/// From how many messages in one write on a missing answer is a matter of load, which is for `robust`.
pub const MANY: usize = 20;

static STDOUT_ONLY_MESSAGES: Rule = Rule {
    id: "stdio.stdout-only-messages",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio",
    requires: "A server writes nothing to its standard output that is not an MCP message.",
    judged: "Every line that is not blank is looked at: banners, log lines and stack traces break it. Where the server \
             never said a word of MCP it is a warning, since it did not start. Arrays, bytes that are not UTF-8, messages \
             broken over several lines and a last line that was cut off belong to other rules or to none.",
    untested: "the server wrote nothing",
    judge: stdout_only_messages,
};

fn stdout_only_messages(view: View<'_>) -> Verdict {
    let torn: HashSet<usize> = torn::torn(view).iter().flat_map(|torn| torn.entries.clone()).collect();
    let spoke = view.every_message().any(|message| message.by == Speaker::Subject && is_message(message));
    lines(view)
        .filter(|line| !is_blank(line) && !line.in_batch && !line.value.is_some_and(Value::is_array))
        .filter(|line| !torn.contains(&line.entry) && !is_cut_off(view, line))
        .filter(|line| !matches!(line.frame.json(), Err(Unreadable::NotUtf8 { .. })))
        .map(|line| {
            if is_message(line) {
                return Ok(());
            }
            let breach = Breach::at(line, "writes a line that is no message to its standard output");
            Err(if spoke { breach } else { breach.as_warning() })
        })
        .collect()
}

fn is_message(message: &Message<'_>) -> bool {
    matches!(message.shape, Shape::Request | Shape::Notification | Shape::Response)
}

static NO_EMBEDDED_NEWLINES: Rule = Rule {
    id: "stdio.no-embedded-newlines",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio",
    requires: "A message has no newline in it.",
    judged: "Lines that are no messages, but together are one, break it. Messages with an escaped line break count as \
             tests of it. A carriage return at the end of a line, a blank line, and a last message without its newline \
             are warnings.",
    untested: "the subject sent no text of several lines; name a tool that echoes its input in the subject file",
    judge: no_embedded_newlines,
};

fn no_embedded_newlines(view: View<'_>) -> Verdict {
    let broken = torn::torn(view).into_iter().map(|torn| {
        let mut breach = Breach::at_entry(torn.entries.start, "breaks a message over several lines");
        breach.entries.extend(torn.entries.end.checked_sub(1));
        Err(breach)
    });
    let warning = |line: &Message<'_>, what: &str| Err(Breach::at(line, what).as_warning());
    let blank = lines(view).find(|line| is_blank(line)).map(|line| warning(line, "sends a blank line"));
    let carriage_return = lines(view)
        .find(|line| !is_blank(line) && line.frame.bytes().ends_with(b"\r"))
        .map(|line| warning(line, "ends a line with a carriage return"));
    let unfinished = lines(view)
        .find(|line| is_message(line) && is_cut_off(view, line))
        .map(|line| warning(line, "ends its output without a newline behind the last message"));
    let kept = lines(view)
        .filter(|line| is_message(line) && ["\\n", "\\r", "\\u000"].iter().any(|escape| holds(line, escape)))
        .map(|_| Ok(()));
    broken
        .chain(blank)
        .chain(carriage_return)
        .chain(unfinished)
        .chain(kept)
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}

fn holds(line: &Message<'_>, text: &str) -> bool {
    line.value.is_some_and(|value| value.raw().contains(text))
}

static FRAMING_BY_NEWLINE_ONLY: Rule = Rule {
    id: "stdio.framing-by-newline-only",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio",
    requires: "Messages end at newlines and nowhere else, however the bytes arrive.",
    judged: "Looked at are well-formed requests that came in several writes, that shared one write with a few others, or \
             that have 64 KiB and more, or U+0085, U+2028 or U+2029 inside a string: none may be lost or taken for malformed while others are answered. Refusing or \
             ignoring a huge one is a warning, since a limit is nowhere forbidden. Splits inside a character and larger \
             bursts are the matter of `robust`. A client must have a use for an answer that came so.",
    untested: "no message was split, sent together with others, huge, or held another line separator",
    judge: framing_by_newline_only,
};

fn framing_by_newline_only(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return answers_in_pieces(view);
    }
    let (last_served, astray) = (view.last_served(), view.answered_astray());
    let crowded = crowded(view);
    view.exchanges()
        .filter(|exchange| exchange.request().is_sound() && !exchange.request().in_batch)
        .filter(|exchange| revision::method(exchange.method()).is_some())
        .filter_map(|exchange| {
            let request = exchange.request();
            let how = match request.delivery {
                _ if request.is_large() => "has 64 KiB and more",
                _ if request.holds_other_line_ends() => "holds what is no newline but ends lines elsewhere",
                Delivery::Split if request.frame.bytes().is_ascii() => "came in several writes",
                Delivery::Burst if !crowded.contains(&request.entry) => "shared a write with others",
                _ => return None,
            };
            // -32600 under the right id is how some refuse what comes too early or is too long, and no matter of framing.
            let refused = match exchange.error_code() {
                Some(code::INVALID_REQUEST) => request.is_large(),
                other => other == Some(code::PARSE_ERROR),
            };
            let breach = match exchange.answer() {
                Some(answer) if refused => {
                    Breach::at(answer, format!("takes a request that {how} for malformed")).after(request)
                }
                Some(_) => return Some(Ok(())),
                None if exchange.fate() == Fate::Silent
                    && is_judged_by_silence(exchange, last_served)
                    && !astray.contains(&exchange.request().entry) =>
                {
                    Breach::at(request, format!("does not answer a request that {how}"))
                }
                None => return None,
            };
            Some(Err(if request.is_large() { breach.as_warning() } else { breach }))
        })
        .collect()
}

/// What a client makes of answers that came in several writes.
fn answers_in_pieces(view: View<'_>) -> Verdict {
    view.exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.answers().len() == 1)
        .filter_map(|exchange| {
            let answer = exchange.answer().filter(|answer| answer.intent == Intent::Honest)?;
            let in_pieces = answer.delivery == Delivery::Split && answer.frame.bytes().is_ascii();
            if !in_pieces || exchange.result().is_none() || answer.is_large() {
                return None;
            }
            let wish = errand::of(view, exchange).or_else(|| errand::listing(view, exchange))?;
            let came = wish.came.as_ref()?;
            // Another page of the same list may be what spoilt it.
            let odd = view.every_message().any(|message| {
                message.intent == Intent::Departure && (wish.entry..came.entry).contains(&message.entry)
            });
            let what = "has no use for an answer that came in several writes";
            match wish.has_failed() {
                true if odd => None,
                true => Some(Err(Breach::at_entry(came.entry, what).after(answer))),
                false => wish.is_fulfilled().then_some(Ok(())),
            }
        })
        .collect()
}

/// The entries of messages that shared one write with [`MANY`] or more.
pub(crate) fn crowded(view: View<'_>) -> HashSet<usize> {
    let is_burst = |event: &Event| matches!(event, Event::Sent { delivery: Delivery::Burst, .. });
    let mut run = Vec::new();
    let mut found = HashSet::new();
    for (index, entry) in view.entries().iter().enumerate() {
        if is_burst(&entry.event) {
            run.push(index);
        } else if matches!(entry.event, Event::Sent { .. }) {
            if run.len() >= MANY {
                found.extend(run.drain(..));
            }
            run.clear();
        }
    }
    if run.len() >= MANY {
        found.extend(run);
    }
    found
}

/// The lines of the subject that the revision governs, arrays by their items.
fn lines<'s>(view: View<'s>) -> impl Iterator<Item = &'s Message<'s>> {
    view.messages_by(Speaker::Subject)
}

fn is_blank(line: &Message<'_>) -> bool {
    line.frame.bytes().trim_ascii().is_empty()
}

/// Whether the line did not come whole: its newline never came, or it was longer than the harness keeps.
fn is_cut_off(view: View<'_>, line: &Message<'_>) -> bool {
    matches!(
        view.entries().get(line.entry).map(|entry| &entry.event),
        Some(Event::Received { cut, unfinished, .. }) if *cut || *unfinished
    )
}
