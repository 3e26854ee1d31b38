//! How a client subscribes, and what it makes of what comes.

use super::ACKNOWLEDGED;
use crate::revision::{Revisions, Side, meta};
use crate::rules::client::{self, wish_at};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::{Id, Value};

const fn rule(id: &'static str, level: Level) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: "2026-07-28/basic/patterns/subscriptions#acknowledgment",
        requires: "",
        judged: "",
        untested: "the client never subscribed to anything",
        judge: |_| Verdict::untested(),
    }
}

fn listens(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    client::modern(view).filter(|exchange| exchange.is("subscriptions/listen"))
}

pub(super) static FILTER_SENT: Rule = Rule {
    clause: "schema/2026-07-28/schema.ts#SubscriptionsListenRequestParams",
    requires: "A request for news says of what: in an object with booleans, and with a list of URIs.",
    judged: "The types are those of the schema; an empty object is one, and members that it does not have are free.",
    judge: filter_sent,
    ..rule("subscription.client-filter-sent", Level::Must)
};

fn filter_sent(view: View<'_>) -> Verdict {
    const LISTS: &[&str] = &["toolsListChanged", "promptsListChanged", "resourcesListChanged"];
    listens(view)
        .map(|listen| {
            let strange = |what: &str| Err(Breach::at(listen.request(), format!("subscribes {what}")));
            let Some(filter) = listen.param("notifications").filter(|filter| filter.is_object()) else {
                return strange("without an object notifications");
            };
            if LISTS.iter().any(|key| filter.member(key).is_some_and(|value| !value.is_bool())) {
                return strange("with a list that is neither true nor false");
            }
            let uris = filter.member("resourceSubscriptions");
            let are_uris = |uris: Value<'_>| uris.is_array() && uris.items().all(Value::is_string);
            if uris.is_none_or(are_uris) { Ok(()) } else { strange("to resources that are no list of strings") }
        })
        .collect()
}

pub(super) static HANDLES_REDUCED_ACK: Rule = Rule {
    requires: "A client bears that less is granted than it asked for.",
    judged: "An acknowledgement that leaves out something that was asked for. Broken by asking for the same more than three \
             times in five seconds behind it, and by hanging up on a server that did nothing else while its user \
             still waits. To tell the user is fine.",
    untested: "the client was granted all that it asked for, or it never asked",
    judge: handles_reduced_ack,
    ..rule("subscription.client-handles-reduced-ack", Level::Should)
};

fn handles_reduced_ack(view: View<'_>) -> Verdict {
    let all: Vec<Exchange<'_>> = listens(view).take(MOST).collect();
    let mut checks: Vec<Check> = Vec::new();
    for listen in &all {
        let Some(acknowledged) = acknowledgement(view, *listen) else { continue };
        let Some(wanted) = listen.param("notifications").filter(|wanted| wanted.is_object()) else { continue };
        let granted = acknowledged.param("notifications").filter(|granted| granted.is_object());
        if granted.is_none_or(|granted| !lacks(wanted, granted)) {
            continue;
        }
        let same = |other: &&Exchange<'_>| {
            let request = other.request();
            let soon = request.at.saturating_sub(acknowledged.at) < 5_000_000;
            request.entry > acknowledged.entry
                && soon
                && other.param("notifications").is_some_and(|own| own.same(wanted))
        };
        let again: Vec<&Exchange<'_>> = all.iter().filter(same).collect();
        if let Some(last) = again.get(3) {
            let what = "asks again and again for news that it is not granted";
            checks.push(Err(Breach::at(last.request(), what).after(acknowledged)));
            break;
        }
        checks.push(client::left_behind(view, acknowledged).map_or(Ok(()), |entry| {
            Err(Breach::at_entry(entry, "hangs up because it is granted less than it asked for").after(acknowledged))
        }));
    }
    checks.into_iter().collect()
}

/// More subscriptions of one session are not looked at.
const MOST: usize = 256;

fn acknowledgement<'s>(view: View<'s>, listen: Exchange<'s>) -> Option<&'s Message<'s>> {
    let id = listen.request().id.as_ref()?;
    view.every_message().find(|message| {
        message.by == Speaker::Peer
            && message.entry > listen.request().entry
            && message.is(ACKNOWLEDGED)
            && tag(message).is_some_and(|tag| tag == *id)
    })
}

fn tag(message: &Message<'_>) -> Option<Id> {
    Some(Id::read(message.params()?.path(&["_meta", meta::SUBSCRIPTION_ID])?))
}

/// Whether something that was wanted is not granted.
fn lacks(wanted: Value<'_>, granted: Value<'_>) -> bool {
    wanted.members().any(|(key, value)| match granted.member(&key) {
        None => value.as_bool() != Some(false) && !(value.is_array() && value.is_empty()),
        Some(own) if value.is_array() => value.items().any(|uri| !own.items().any(|one| one.same(uri))),
        Some(own) => value.as_bool() == Some(true) && own.as_bool() != Some(true),
    })
}

pub(super) static CORRELATES: Rule = Rule {
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/patterns/subscriptions#receiving-notifications",
    requires: "A client tells by the subscription id which subscription a notice belongs to.",
    judged: "A notice of a list under an id that is not that of a subscription which asked for it: if the client fetches the \
             list before anything else was announced, and its user is idle or calls a tool, it took the notice for another's. Only \
             of a client that fetches in that way behind a notice that was in order, and not before there was one.",
    untested: "the client never fetched a list of its own accord because of a notice, or no notice had a wrong id",
    judge: correlates,
    ..rule("subscription.client-correlates", Level::Must)
};

/// The notices of lists: the method, the member of the filter, the method that fetches.
static NOTICES: &[(&str, &str, &str)] = &[
    ("notifications/tools/list_changed", "toolsListChanged", "tools/list"),
    ("notifications/prompts/list_changed", "promptsListChanged", "prompts/list"),
    ("notifications/resources/list_changed", "resourcesListChanged", "resources/list"),
];

fn correlates(view: View<'_>) -> Verdict {
    let listens: Vec<Exchange<'_>> = listens(view).take(MOST).collect();
    let mut reacted = false;
    let mut checks: Vec<Check> = Vec::new();
    for (name, member, method) in NOTICES {
        let notices: Vec<&Message<'_>> =
            view.every_message().filter(|message| message.by == Speaker::Peer && message.is(name)).take(MOST).collect();
        let Some(first) = notices.first() else { continue };
        if fetches(view, method).any(|request| request.entry < first.entry) {
            // It fetches at any time.
            continue;
        }
        for (position, notice) in notices.iter().enumerate() {
            let next = notices.get(position + 1).map_or(usize::MAX, |next| next.entry);
            let fetch = fetches(view, method).find(|request| (notice.entry..next).contains(&request.entry));
            let meant = listens.iter().any(|listen| {
                let asked = listen.param("notifications").and_then(|wanted| wanted.member(member));
                let is_it = tag(notice).is_some_and(|tag| listen.request().id.as_ref() == Some(&tag));
                is_it && asked.and_then(Value::as_bool) == Some(true) && listen.request().entry < notice.entry
            });
            if meant {
                reacted |= fetch.is_some();
                continue;
            }
            checks.push(fetch.map_or(Ok(()), |fetch| {
                let what = format!("fetches {method} because of a notice that belongs to no subscription to it");
                Err(Breach::at(fetch, what).after(notice))
            }));
        }
    }
    if reacted { checks.into_iter().collect() } else { Verdict::untested() }
}

/// The requests for the first page of a list that no user wanted to see: while he was idle or called a tool, behind a
/// request for it that he wanted.
fn fetches<'s>(view: View<'s>, method: &'static str) -> impl Iterator<Item = &'s Message<'s>> {
    let wanted = |request: &Message<'_>| wish_at(view, request.entry).is_some_and(|wish| wish.kind() == "list");
    let asked = move |request: &&Message<'_>| request.is(method) && request.param("cursor").is_none();
    let since =
        view.requests_by(Speaker::Subject).filter(asked).find(|request| wanted(request)).map(|first| first.entry);
    view.requests_by(Speaker::Subject).filter(asked).filter(move |request| {
        let unwanted = wish_at(view, request.entry).is_none_or(|wish| matches!(wish.kind(), "idle" | "call"));
        unwanted && since.is_some_and(|since| request.entry > since)
    })
}

pub(super) static RESUBSCRIBES: Rule = Rule {
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/patterns/subscriptions#graceful-closure",
    requires: "A client that starts its server again asks anew for the news that it still wants.",
    judged: "Subscriptions that were acknowledged and open when the server ended. By the end of the new process, in which the \
             client was served and had time while its user was idle, it has asked for the same, in however many requests. What \
             the user no longer watches need not be asked for.",
    untested: "the client started no server again behind one that ended with a subscription open, or had no time then",
    judge: resubscribes,
    ..rule("subscription.client-resubscribes", Level::Must)
};

fn resubscribes(view: View<'_>) -> Verdict {
    let all: Vec<Exchange<'_>> = listens(view).take(MOST).collect();
    let unwatched = |since: usize, uri: Value<'_>| {
        let gone = |wish: &Wish| {
            wish.kind() == "unwatch" && wish.entry > since && wish.wish["uri"].as_str().is_some_and(|own| uri.is(own))
        };
        view.user().wishes.iter().any(gone)
    };
    let mut checks: Vec<Check> = Vec::new();
    for listen in &all {
        let request = listen.request();
        let again = view.process_end(request.entry);
        let is_over = listen.answer().is_some() || listen.cancellation().is_some();
        let Some(wanted) = listen.param("notifications").filter(|wanted| wanted.is_object() && !is_over) else {
            continue;
        };
        if again == usize::MAX || acknowledgement(view, *listen).is_none_or(|message| message.entry > again) {
            continue;
        }
        let end = view.process_end(again);
        let here = |entry: usize| entry > again && entry < end;
        let served = client::modern(view).any(|exchange| exchange.answer().is_some_and(|answer| here(answer.entry)));
        let mut wishes =
            view.user().wishes.iter().filter(|wish| here(wish.entry)).skip_while(|wish| wish.kind() != "idle");
        let Some(over) = wishes.nth(1).filter(|_| served) else { continue };
        let later =
            || all.iter().filter(|other| here(other.request().entry)).filter_map(|other| other.param("notifications"));
        let asked = |key: &str| later().any(|filter| filter.member(key).and_then(Value::as_bool) == Some(true));
        let listed = |uri: Value<'_>| {
            let mut uris = later().filter_map(|filter| filter.member("resourceSubscriptions")).flat_map(Value::items);
            uris.any(|own| own.same(uri))
        };
        let forgets = wanted.members().any(|(key, value)| match value.as_bool() {
            Some(wants) => wants && !asked(&key),
            None => value.items().any(|uri| !listed(uri) && !unwatched(request.entry, uri)),
        });
        let what = "does not ask the server that it started again for the news that the last one was to give";
        let breach = || Breach::at_entry(over.entry, what).after_entry(again).after(request);
        checks.push(if forgets { Err(breach()) } else { Ok(()) });
    }
    checks.into_iter().collect()
}
