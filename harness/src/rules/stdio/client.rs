//! What a client writes to its server, and what it makes of what the server complains of.

use super::stdout_only_messages;
use crate::revision::{Revision, Revisions, Side};
use crate::rules::client::fulfilled;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Speaker, View};
use crate::transcript::{Event, Intent};

pub(super) static STDIN_ONLY_MESSAGES: Rule = Rule {
    id: "stdio.stdin-only-messages",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio",
    requires: "A client writes nothing to its server that is not an MCP message.",
    judged: "Every line that is not blank is looked at. Arrays, bytes that are not UTF-8, messages broken over several lines \
             and a last line that was cut off belong to other rules or to none.",
    untested: "the client wrote nothing",
    judge: stdout_only_messages,
};

pub(super) static STDERR_NOT_AN_ERROR: Rule = Rule {
    id: "stdio.stderr-not-an-error",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::of(&[Revision::V2025_11_25, Revision::V2026_07_28]),
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio",
    requires: "What a server writes to its standard error is no sign of failure.",
    judged: "A server that departs from nothing else. Broken where the client does the same for its user once before it and \
             fails at it behind it.",
    untested: "the server never wrote to its standard error, or the client did nothing like it before and after",
    judge: stderr_not_an_error,
};

fn stderr_not_an_error(view: View<'_>) -> Verdict {
    let Some(wrote) = view.entries().iter().position(|entry| matches!(entry.event, Event::Aside { .. })) else {
        return Verdict::untested();
    };
    let honest =
        view.every_message().all(|message| message.by == Speaker::Subject || message.intent != Intent::Departure);
    if !honest || !view.is_of_the_run() {
        return Verdict::untested();
    }
    let before: Vec<&Wish> = fulfilled(view).filter(|(_, came)| *came < wrote).map(|(wish, _)| wish).collect();
    let alike = |one: &Wish, other: &Wish| {
        ["do", "what", "tool", "arguments", "uri", "prompt"].iter().all(|key| one.wish[*key] == other.wish[*key])
    };
    let after = view.user().wishes.iter().filter(|wish| wish.entry > wrote);
    after
        .filter(|wish| before.iter().any(|earlier| alike(earlier, wish)))
        .filter_map(|wish| {
            let came = wish.came.as_ref()?;
            if wish.is_unsupported() {
                return None;
            }
            let what =
                format!("fails at what it did before the server wrote to its standard error: to {}", wish.kind());
            Some(if wish.has_failed() { Err(Breach::at_entry(came.entry, what)) } else { Ok(()) })
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}
