//! How clients over HTTP cancel a request that their user no longer wants.

use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, Speaker, View};
use crate::transcript::Ending;
use crate::wire::Id;

pub(super) static CLOSES_STREAM: Rule = Rule {
    id: "cancel.http-client-closes-stream",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/patterns/cancellation#transport-specific-cancellation",
    requires: "Over HTTP a client cancels a modern request by closing its response.",
    judged: "A call that was open when the user no longer wanted it. A notification beside it is a warning.",
    untested: "no call was open when the user of the client no longer wanted it",
    judge: closes_stream,
};

fn closes_stream(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    for (http, aborted, over) in unwanted(view) {
        let what = "leaves the response open to a call that its user no longer wants";
        let closed = is_closed(view, http, aborted);
        checks.push(if closed { Ok(()) } else { Err(Breach::at_entry(over, what).after_entry(aborted)) });
        if let Some(notice) = notice(view, http) {
            let breach = Breach::at_entry(notice, "cancels a modern request by a notification").after_entry(http.entry);
            checks.push(Err(breach.as_warning()));
        }
    }
    checks.into_iter().collect()
}

pub(super) static EXPLICIT: Rule = Rule {
    id: "cancel.http-client-explicit",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::LEGACY.and(Revisions::since(Revision::V2025_03_26)),
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#sending-messages-to-the-server",
    requires: "In the older Streamable HTTP a client cancels by a notification.",
    judged: "A call that was open when the user no longer wanted it. Merely to close its response is a warning.",
    untested: "no call was open when the user of the client no longer wanted it",
    judge: explicit,
};

fn explicit(view: View<'_>) -> Verdict {
    let checks = unwanted(view).into_iter().map(|(http, aborted, over)| -> Check {
        if notice(view, http).is_some() {
            return Ok(());
        }
        let what = "does not cancel a call that its user no longer wants";
        let breach = Breach::at_entry(over, what).after_entry(aborted);
        Err(if is_closed(view, http, aborted) { breach.as_warning() } else { breach })
    });
    checks.collect()
}

/// Whether the client closed the response to a request that its user no longer wants. What it leaves open until it leaves
/// itself, although there was time before, it did not close.
fn is_closed(view: View<'_>, http: &HttpExchange<'_>, aborted: usize) -> bool {
    let Some((end, Ending::Dropped)) = http.end else { return false };
    let behind = view.user().wishes.iter().skip_while(|wish| wish.entry <= aborted);
    let had_time = behind.take_while(|wish| wish.kind() != "close").any(|wish| wish.kind() == "idle");
    let left = view.user().wishes.iter().find(|wish| wish.entry > aborted && wish.kind() == "close");
    !had_time || left.is_none_or(|left| end < left.entry)
}

/// The entry of the notification that cancels a request.
fn notice(view: View<'_>, http: &HttpExchange<'_>) -> Option<usize> {
    let id = http.id()?;
    let mut sent = view.every_message().filter(|message| message.by == Speaker::Subject && message.entry > http.entry);
    let cancels = |message: &&crate::session::Message<'_>| {
        message.is("notifications/cancelled") && message.param("requestId").is_some_and(|about| Id::read(about) == id)
    };
    sent.find(cancels).map(|message| message.entry)
}

/// The calls that were open when their user no longer wanted them, with the entries of the wish and of the end of the
/// session.
fn unwanted(view: View<'_>) -> Vec<(&HttpExchange<'_>, usize, usize)> {
    let over = view.entries().len().saturating_sub(1);
    let wishes = &view.user().wishes;
    let aborted = wishes.iter().filter(|wish| wish.kind() == "abort" && !wish.is_unsupported());
    let open = aborted.filter_map(|wish| {
        let mut calls = view.http().into_iter().rev().filter(|http| http.method().as_deref() == Some("tools/call"));
        let call = calls.find(|http| http.entry < wish.entry)?;
        let answered = call.answer().is_some_and(|(entry, _)| entry < wish.entry);
        let ended = call.end.is_some_and(|(entry, _)| entry < wish.entry);
        (!answered && !ended).then_some((call, wish.entry, over))
    });
    open.collect()
}
