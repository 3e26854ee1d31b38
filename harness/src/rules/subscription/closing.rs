//! How a subscription ends: by the client's cancellation, or by the server's own will.

use super::{Subscription, notices, subscriptions, tag};
use crate::revision::{Revisions, Side, meta};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::transcript::Event;
use crate::wire::Id;

pub(super) static STOPS_ON_CANCEL: Rule = Rule {
    id: "subscription.stops-on-cancel",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio#cancellation",
    requires: "Nothing more is announced on a subscription that the client cancelled.",
    judged: "Notices that name a cancelled subscription, once a request behind the cancellation was answered and a tool was \
             called after that: whatever crossed the cancellation has arrived by then. A notice to another subscription \
             after that call is an occasion to break the rule.",
    untested: "nothing was announced after a subscription had been cancelled",
    judge: stops_on_cancel,
};

fn stops_on_cancel(view: View<'_>) -> Verdict {
    subscriptions(view)
        .iter()
        .filter_map(|own| {
            own.acknowledged?;
            let cancellation = own.exchange.cancellation()?;
            let crossed = view
                .exchanges()
                .filter(|exchange| exchange.request().entry > cancellation.entry)
                .filter_map(|exchange| Some(exchange.answer()?.entry))
                .min()?;
            let call = view
                .exchanges()
                .filter(|exchange| exchange.is("tools/call"))
                .map(|exchange| exchange.request().entry)
                .find(|entry| *entry > crossed)?;
            let later = || notices(view).filter(|notice| notice.entry > call);
            if let Some(notice) = later().find(|notice| tag(notice).as_ref() == Some(&own.id)) {
                let what = "announces a change on a subscription that was cancelled";
                return Some(Err(Breach::at(notice, what).after(cancellation)));
            }
            later().next().filter(|notice| view.settled_after(notice.entry)).map(|_| Ok(()))
        })
        .collect()
}

pub(super) static GRACEFUL_CLOSE: Rule = Rule {
    id: "subscription.graceful-close",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/subscriptions#graceful-closure",
    requires: "A server that ends a subscription answers the request that opened it.",
    judged: "Subscriptions that were acknowledged and that the client did not cancel. A cancellation by the server says the \
             same by another page. A server that ends its output of its own accord without either breaks the rule; one \
             whose input was closed first is judged by cancel.server-announces-listen-end.",
    untested: "the server ended no subscription",
    judge: graceful_close,
};

fn graceful_close(view: View<'_>) -> Verdict {
    let at = |event: fn(&Event) -> bool| view.entries().iter().position(|entry| event(&entry.event));
    let closed = at(|event| *event == Event::Closed).unwrap_or(usize::MAX);
    let gone = at(|event| matches!(event, Event::Ended | Event::Exited { .. })).filter(|gone| *gone < closed);
    uncancelled(view)
        .filter_map(|own| {
            if own.exchange.result().is_some() || own.ended.is_some() {
                return Some(Ok(()));
            }
            let what = "leaves without a word about an open subscription";
            let left = own.exchange.answer().is_none() && own.exchange.request().entry < gone?;
            left.then(|| Err(Breach::at_entry(gone.unwrap_or_default(), what).after(own.exchange.request())))
        })
        .collect()
}

pub(super) static CLOSE_RESULT_SHAPE: Rule = Rule {
    id: "subscription.close-result-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#SubscriptionsListenResult",
    requires: "The result that ends a subscription is complete, names it, and is its last message.",
    judged: "The id in its metadata must have the JSON type of the request's. A resultType that is missing belongs to \
             result.resulttype-present, a result without acknowledgment to subscription.ack-first. A result that follows \
             the acknowledgment at once is a warning, for a server may end a subscription whenever it likes.",
    untested: "the server ended no subscription by a result",
    judge: close_result_shape,
};

fn close_result_shape(view: View<'_>) -> Verdict {
    uncancelled(view)
        .filter_map(|own| {
            let (result, answer) = (own.exchange.result()?, own.exchange.answer()?);
            let acknowledgment = own.acknowledged.filter(|acknowledgment| acknowledgment.entry < answer.entry)?;
            let breach = |what: &str| Breach::at(answer, what).after(own.exchange.request());
            let named = result.path(&["_meta", meta::SUBSCRIPTION_ID]).map(Id::read);
            if result.member("resultType").is_some_and(|kind| !kind.is("complete")) {
                return Some(Err(breach("ends a subscription by a result that is not complete")));
            }
            if named.as_ref() != Some(&own.id) {
                return Some(Err(breach(match named {
                    None => "ends a subscription by a result that does not name it",
                    Some(_) => "ends a subscription by a result that names another",
                })));
            }
            let late =
                notices(view).find(|notice| notice.entry > answer.entry && tag(notice).as_ref() == Some(&own.id));
            if let Some(late) = late {
                let what = "announces a change on a subscription that it had ended";
                return Some(Err(Breach::at(late, what).after(answer)));
            }
            let between = view.entries().get(acknowledgment.entry..answer.entry).unwrap_or_default();
            let occasion = between.iter().any(|entry| matches!(entry.event, Event::Sent { .. } | Event::Closed));
            Some(if occasion {
                Ok(())
            } else {
                Err(breach("ends a subscription as soon as it has acknowledged it").as_warning())
            })
        })
        .collect()
}

/// The acknowledged subscriptions that the client did not cancel.
fn uncancelled(view: View<'_>) -> impl Iterator<Item = Subscription<'_>> {
    subscriptions(view).into_iter().filter(|own| own.acknowledged.is_some() && own.exchange.cancellation().is_none())
}
