//! What rules about clients look at: the era that a client is in, and what its user wanted.

use crate::revision::{Era, Revision, knows};
use crate::rules::{Breach, Check};
use crate::session::user::Wish;
use crate::session::{Exchange, Message, Shape, Speaker, View};
use crate::transcript::{Ending, Event, Http, Intent};
use crate::wire::Value;

/// The entry of the client's first `initialize`: from there on it may be in the legacy era.
pub(super) fn legacy_from(view: View<'_>) -> usize {
    let first = own(view).find(|message| message.shape == Shape::Request && message.is("initialize"));
    first.map_or(usize::MAX, |message| message.entry)
}

/// Every message of the client in the session, whatever governs it.
pub(super) fn own(view: View<'_>) -> impl DoubleEndedIterator<Item = &Message<'_>> {
    view.every_message().filter(|message| message.by == Speaker::Subject)
}

/// The requests of a client in the modern era, also those that forget to say so: what it sent with a modern version, and
/// before any `initialize` whatever the modern revision knows. Nothing of a client that never shows that era.
pub(super) fn modern(view: View<'_>) -> impl DoubleEndedIterator<Item = Exchange<'_>> {
    let shows = |message: &Message<'_>| {
        message.modern_version().is_some()
            || ["server/discover", "subscriptions/listen"].iter().any(|own| message.is(own))
    };
    let is_modern = own(view).any(|message| message.shape == Shape::Request && shows(message));
    let legacy = legacy_from(view);
    view.every_exchange_by(Speaker::Subject).filter(move |exchange| {
        let request = exchange.request();
        is_modern && (shows(request) || (request.entry < legacy && knows(Revision::V2026_07_28, exchange.method())))
    })
}

/// The first entry that shows both sides that they are in the modern era: a modern request got a result of its own kind.
pub(super) fn settled_modern(view: View<'_>) -> Option<usize> {
    let served = |exchange: &Exchange<'_>| {
        let supports = |result: Value<'_>| {
            let listed = result.member("supportedVersions");
            listed.is_some_and(|all| all.items().any(|version| version.is(Revision::V2026_07_28.as_str())))
        };
        // An answer that departs from honesty may be taken for that of something else.
        let honest = exchange.answer().is_some_and(|answer| answer.intent == Intent::Honest);
        honest
            && exchange.result().is_some_and(|result| match exchange.method() {
                "server/discover" => supports(result),
                _ => result.member("resultType").is_some(),
            })
    };
    modern(view).find(served).and_then(|exchange| Some(exchange.answer()?.entry))
}

/// Whether control sessions saw the client speak a revision of this era.
pub(super) fn speaks(view: View<'_>, era: Era) -> bool {
    view.facts().revisions.iter().any(|revision| revision.era() == era)
}

/// The wish that its user waited for when this was recorded: the latest before it that nothing had come of.
pub(super) fn wish_at(view: View<'_>, entry: usize) -> Option<&Wish> {
    let wishes = &view.user().wishes;
    let before = wishes.partition_point(|wish| wish.entry < entry);
    let open = |wish: &&Wish| wish.came.as_ref().is_none_or(|came| came.entry > entry);
    wishes.get(..before)?.iter().rev().take(64).find(open)
}

/// Whether the user wanted something new between two entries.
pub(super) fn wished_between(view: View<'_>, from: usize, to: usize) -> bool {
    let wishes = &view.user().wishes;
    let later = wishes.partition_point(|wish| wish.entry <= from);
    wishes.get(later).is_some_and(|wish| wish.entry < to)
}

/// The wishes of which something came, in order, with the entry of that.
pub(super) fn fulfilled(view: View<'_>) -> impl Iterator<Item = (&Wish, usize)> {
    let wishes = view.user().wishes.iter().filter(|wish| wish.is_fulfilled());
    wishes.filter_map(|wish| Some((wish, wish.came.as_ref()?.entry)))
}

/// The method that lists what a wish to list wants.
pub(super) fn listed_by(wish: &Wish) -> Option<&'static str> {
    let kind = wish.wish["what"].as_str().filter(|_| wish.kind() == "list")?;
    match kind {
        "tools" => Some("tools/list"),
        "prompts" => Some("prompts/list"),
        "resources" => Some("resources/list"),
        "templates" => Some("resources/templates/list"),
        _ => None,
    }
}

/// The entry at which the client hung up by itself, before the harness did.
pub(super) fn hung_up(view: View<'_>) -> Option<usize> {
    let entries = view.entries();
    let ends = |event: &Event| matches!(event, Event::Ended | Event::Closed | Event::Exited { .. } | Event::Killed);
    let place = entries.iter().position(|entry| ends(&entry.event))?;
    matches!(entries.get(place)?.event, Event::Ended | Event::Exited { .. }).then_some(place)
}

/// The entry at which the harness ended the session, if the client was still there.
pub(super) fn outstayed(view: View<'_>) -> Option<usize> {
    let over = view.entries().iter().position(|entry| matches!(entry.event, Event::Closed))?;
    hung_up(view).is_none_or(|place| place > over).then_some(over)
}

/// Whether something came back before an entry that a client may take for the end of a request, though it is no answer:
/// something odd from the harness, the end of its server, or over HTTP the end of the response.
pub(super) fn is_settled_oddly(view: View<'_>, request: &Message<'_>, until: usize) -> bool {
    let meanwhile = view.entries().get(request.entry..until).unwrap_or_default();
    meanwhile.iter().any(|entry| match &entry.event {
        Event::Sent { intent, .. } => *intent == Intent::Departure,
        Event::Connected { .. } | Event::Closed => true,
        Event::Http { number, what: Http::End { how } } => {
            // By HTTP+SSE answers come elsewhere.
            Some(*number) == request.via && *how != Ending::Dropped && !view.is_http_sse()
        }
        _ => false,
    })
}

/// Whether a client stays with a server behind a message that is no reason to leave it; `what` says that it left. None if it
/// had nothing more to say.
pub(super) fn stays(view: View<'_>, message: &Message<'_>, what: &str) -> Option<Check> {
    let went_on = own(view).any(|own| own.entry > message.entry);
    let left = left_behind(view, message).map(|left| Err(Breach::at_entry(left, what).after(message)));
    left.or(went_on.then_some(Ok(())))
}

/// The entry at which a client hung up that said nothing more behind a message, while its user waited for something.
pub(super) fn left_behind(view: View<'_>, message: &Message<'_>) -> Option<usize> {
    let left = hung_up(view)?;
    let said_more = own(view).any(|own| own.entry > message.entry);
    let waits = view.user().wishes.iter().any(|wish| {
        let came = wish.came.as_ref().map(|came| came.entry);
        wish.is_for_the_client() && wish.entry < left && came.is_none_or(|came| came > left)
    });
    (waits && !said_more && left > message.entry).then_some(left)
}
