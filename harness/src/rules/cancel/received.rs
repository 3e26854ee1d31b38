//! What becomes of a request that was cancelled, and of those beside it.

use std::collections::HashMap;

use super::{Horizon, Notice, Target, Twins, notices_by};
use crate::revision::{Revisions, Side, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Id;

const UNTESTED: &str = "no request ran long enough to be cancelled; name a slow tool in the subject file";

pub(super) static NO_RESPONSE: Rule = Rule {
    id: "cancel.no-response-after",
    level: Level::Should,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/cancellation#behavior-requirements",
    requires: "A cancelled request is not answered.",
    judged: "Requests that were cancelled while they ran. An error breaks the rule if the same request succeeds when it is \
             left alone, or if it comes after two later requests were answered. A result that comes so late is a \
             warning, for a request that cannot be cancelled may go on. What may have crossed is not judged.",
    untested: UNTESTED,
    judge: no_response,
};

fn no_response(view: View<'_>) -> Verdict {
    let (horizon, twins) = (Horizon::of(view), Twins::of(view));
    cancelled(view)
        .filter_map(|(exchange, notice)| match answer_after(&horizon, &twins, exchange, notice) {
            Some(breach) => Some(Err(breach)),
            None if exchange.answer().is_some() => None,
            None => view.settled_after(notice.entry).then_some(Ok(())),
        })
        .collect()
}

/// What is wrong with the answer to a cancelled request, as far as there is one.
fn answer_after<'s>(
    horizon: &Horizon,
    twins: &Twins<'s>,
    exchange: Exchange<'s>,
    notice: &'s Message<'s>,
) -> Option<Breach> {
    let answer = exchange.answer()?;
    let late = horizon.after(notice.entry).is_some_and(|horizon| answer.entry > horizon);
    if answer.is_error() {
        let what = "answers a cancelled request by an error";
        return (late || twins.have(exchange)).then(|| Breach::at(answer, what).after(notice));
    }
    late.then(|| Breach::at(answer, "goes on with a cancelled request and answers it").after(notice).as_warning())
}

pub(super) static NOTHING_AFTER: Rule = Rule {
    id: "cancel.nothing-after-stateless",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "2026-07-28/basic/transports/stdio#cancellation",
    requires: "After a cancellation the server sends nothing more for the request.",
    judged: "Requests and subscriptions that were cancelled while they ran. What comes before two later requests were \
             answered may have crossed. Progress or notifications of a subscription after that break the rule, and so \
             does an error if the same request succeeds when it is left alone. A late result alone is a warning, since \
             the page on cancellation lets a server ignore what it cannot honour.",
    untested: UNTESTED,
    judge: nothing_after,
};

fn nothing_after(view: View<'_>) -> Verdict {
    let (horizon, twins) = (Horizon::of(view), Twins::of(view));
    let traffic = Traffic::of(view);
    cancelled(view)
        .filter_map(|(exchange, notice)| {
            let after = horizon.after(notice.entry);
            if let Some(late) =
                traffic.of_request(exchange).filter(|last| after.is_some_and(|after| last.entry > after))
            {
                let what = "goes on to report about a cancelled request";
                return Some(Err(Breach::at(late, what).after(notice)));
            }
            match answer_after(&horizon, &twins, exchange, notice) {
                Some(breach) => Some(Err(breach)),
                None if exchange.answer().is_some() => None,
                None => after.map(|_| Ok(())),
            }
        })
        .collect()
}

/// The last notification for each progress token and each subscription.
struct Traffic<'s> {
    progress: HashMap<Id, &'s Message<'s>>,
    subscription: HashMap<Id, &'s Message<'s>>,
    /// The last request with each token.
    holder: HashMap<Id, usize>,
}

impl<'s> Traffic<'s> {
    fn of(view: View<'s>) -> Self {
        let (mut progress, mut subscription) = (HashMap::new(), HashMap::new());
        for message in view.notifications_by(Speaker::Subject) {
            if message.is("notifications/progress") {
                progress.extend(message.param("progressToken").map(|token| (Id::read(token), message)));
            }
            let of = message.meta().and_then(|given| given.member(meta::SUBSCRIPTION_ID));
            subscription.extend(of.map(|id| (Id::read(id), message)));
        }
        let holder = view.exchanges().filter_map(|exchange| Some((token(exchange)?, exchange.request().entry)));
        Self { progress, subscription, holder: holder.collect() }
    }

    fn of_request(&self, exchange: Exchange<'s>) -> Option<&'s Message<'s>> {
        let request = exchange.request();
        if exchange.is("subscriptions/listen") {
            return self.subscription.get(request.id.as_ref()?).copied();
        }
        let token = token(exchange)?;
        self.progress.get(&token).copied().filter(|_| self.holder.get(&token) == Some(&request.entry))
    }
}

fn token(exchange: Exchange<'_>) -> Option<Id> {
    exchange.params()?.path(&["_meta", "progressToken"]).map(Id::read)
}

/// The sound requests that the harness cancelled while they were open, with the cancellation.
fn cancelled(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, &Message<'_>)> {
    view.exchanges()
        .filter(|exchange| !exchange.is("initialize") && exchange.param("task").is_none())
        .filter(|exchange| exchange.request().is_sound() && !exchange.request().in_batch)
        .filter_map(|exchange| Some((exchange, exchange.cancellation()?)))
        .filter(|(exchange, notice)| exchange.open_at(notice.entry))
}

pub(super) static OTHERS_UNAFFECTED: Rule = Rule {
    id: "cancel.others-unaffected",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/cancellation#cancellation-flow",
    requires: "Cancelling one request leaves the others alone.",
    judged: "Requests that were open while another one was cancelled. It breaks the rule if they get no answer, or an error, \
             although the same request succeeds otherwise in this session. Between ids that differ in their type alone \
             that is a warning, since no page says that 1 and \"1\" are different.",
    untested: "no request was open while another one was cancelled; name a slow tool in the subject file",
    judge: others_unaffected,
};

fn others_unaffected(view: View<'_>) -> Verdict {
    let twins = Twins::of(view);
    let notices: Vec<(Notice<'_>, Exchange<'_>)> = notices_by(view, Speaker::Peer)
        .into_iter()
        .filter_map(|notice| match notice.target {
            Target::Known(exchange) if exchange.open_at(notice.message.entry) => Some((notice, exchange)),
            _ => None,
        })
        .collect();
    view.exchanges()
        .filter(|exchange| exchange.cancellation().is_none() && !exchange.is("subscriptions/listen"))
        .filter(|exchange| exchange.request().is_sound() && !exchange.request().in_batch)
        .filter_map(|exchange| {
            let request = exchange.request();
            let first = notices.partition_point(|(notice, _)| notice.message.entry <= request.entry);
            let (notice, target) = notices.get(first).filter(|(notice, _)| exchange.open_at(notice.message.entry))?;
            let breach = |what: &str| {
                let breach = Breach::at(exchange.answer().unwrap_or(request), what).after(notice.message);
                let alike = request
                    .id
                    .as_ref()
                    .zip(target.request().id.as_ref())
                    .is_some_and(|(id, other)| id.resembles(other));
                if alike { breach.as_warning() } else { breach }
            };
            let check: Option<Check> = match exchange.answer() {
                Some(answer) if answer.is_success() => Some(Ok(())),
                Some(_) => twins
                    .have(exchange)
                    .then(|| Err(breach("answers a request by an error when another one is cancelled"))),
                None => twins
                    .outlive(exchange)
                    .then(|| Err(breach("never answers a request after another one was cancelled"))),
            };
            check
        })
        .collect()
}
