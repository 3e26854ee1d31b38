//! Over HTTP in 2026-07-28, the end of a connection is the cancellation of its request.

use crate::revision::{Revisions, Side, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, HttpExchange, View};
use crate::transcript::Ending;
use crate::wire::{Id, Value};

pub(super) static IS_CANCEL: Rule = Rule {
    id: "cancel.http-disconnect-is-cancel",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#cancellation",
    requires: "A server takes the end of the stream of a response for the cancellation of its request.",
    judged: "Requests whose connection the harness closed before their response was over, unless the server had begun to \
             answer as JSON. Anything more about the request on another stream breaks the rule. What it does \
             behind the scenes is judged only of a tool of which the vendor says that it stops when it is cancelled, for \
             stopping as such is only recommended: a list, or the result of another request, that changed when the call was \
             left alone, must not change when its stream is closed.",
    untested: "no stream was closed while a tool ran that is known to stop; name one as `stops-when-cancelled` in the subject \
               file, whose end changes a list or a resource",
    judge: is_cancel,
};

fn is_cancel(view: View<'_>) -> Verdict {
    let all = view.http();
    let dropped: Vec<(&HttpExchange<'_>, Exchange<'_>, usize)> = probe::stateless(view)
        .filter_map(|exchange| {
            let http = all.iter().copied().find(|http| Some(http.number) == exchange.request().via)?;
            let (end, _) = http
                .end
                .filter(|(_, how)| **how == Ending::Dropped && (http.response.is_none() || http.is_stream()))?;
            exchange.answer().is_none_or(|answer| answer.entry > end).then_some((http, exchange, end))
        })
        .collect();
    let mut checks: Vec<Check> = Vec::new();
    for (http, exchange, end) in &dropped {
        checks.extend(elsewhere(&all, http, *exchange, *end).map(Err));
        checks.extend(effect(view, *exchange, *end));
    }
    checks.into_iter().collect()
}

/// Something about a request on a stream that is not its own, after its own was closed.
fn elsewhere(all: &[&HttpExchange<'_>], own: &HttpExchange<'_>, exchange: Exchange<'_>, end: usize) -> Option<Breach> {
    let token = exchange.params().and_then(|params| params.path(&["_meta", "progressToken"])).map(Id::read);
    let id = exchange.request().id.as_ref();
    let others = || {
        all.iter()
            .copied()
            .filter(|http| http.number != own.number && http.client == own.client && http.id().as_ref() != id)
    };
    let shares_token = others().any(|http| {
        http.body().and_then(|body| body.path(&["params", "_meta", "progressToken"])).map(Id::read) == token
    });
    let about = |message: Value<'_>| {
        let of = |path: &[&str]| message.path(path).map(Id::read);
        let progress = message.member("method").is_some_and(|method| method.is("notifications/progress"));
        let reports = progress && token.is_some() && !shares_token && of(&["params", "progressToken"]) == token;
        let answers = message.member("method").is_none() && of(&["id"]).as_ref() == id;
        reports || answers || of(&["params", "_meta", meta::SUBSCRIPTION_ID]).as_ref() == id
    };
    let (entry, _) =
        others().flat_map(HttpExchange::messages).find(|(entry, message)| *entry > end && about(*message))?;
    let what = "goes on about a request on another stream after its own was closed";
    let mut breach = Breach::at_entry(entry, what).after(exchange.request());
    breach.entries.insert(1, end);
    Some(breach)
}

/// Whether the effect of a tool that stops when it is cancelled came all the same.
fn effect(view: View<'_>, exchange: Exchange<'_>, end: usize) -> Option<Check> {
    let name = exchange.param("name").filter(|_| exchange.is("tools/call"))?.as_str()?;
    if !view.facts().stopping.iter().any(|known| *known == name) {
        return None;
    }
    let at = |entry: usize| view.entries().get(entry).map_or(0, |entry| entry.at);
    let same = |other: Exchange<'_>| {
        let raw = |one: Exchange<'_>, key: &str| one.param(key).map(|value| value.raw().to_owned());
        other.is("tools/call")
            && raw(other, "name") == raw(exchange, "name")
            && raw(other, "arguments") == raw(exchange, "arguments")
    };
    let entry = exchange.request().entry;
    let twin =
        view.exchanges().find(|other| same(*other) && other.result().is_some() && other.request().entry < entry)?;
    let (from, to) = (twin.request().entry, twin.answer()?.entry);
    let took = at(to).saturating_sub(at(from));
    // Long enough for the same work to be over twice.
    let late = at(end).saturating_add(took.saturating_mul(2));
    let looks: Vec<(Exchange<'_>, usize, Value<'_>)> = view
        .exchanges()
        .filter(|look| !same(*look))
        .filter_map(|look| Some((look, look.answer()?.entry, look.result()?)))
        .collect();
    let alike = |one: Exchange<'_>, other: Exchange<'_>| {
        let subject = |look: Exchange<'_>, key: &str| look.param(key).map(|value| value.raw().to_owned());
        one.method() == other.method()
            && ["name", "uri", "arguments", "cursor"].iter().all(|key| subject(one, key) == subject(other, key))
    };
    let shown = looks.iter().filter_map(|(look, _, after)| {
        // Before the call that was left alone, behind it, and behind the one that was cancelled.
        (look.request().entry > end && at(look.request().entry) >= late).then_some(())?;
        let mut before = looks.iter().filter(|(other, ..)| alike(*other, *look));
        let first = before.clone().rfind(|(_, answered, _)| *answered < from)?;
        let second = before.rfind(|(other, answered, _)| other.request().entry > to && *answered < entry)?;
        if first.2.same(second.2) {
            return None;
        }
        let what = "carries on with a call to its end after its stream was closed";
        let check: Check = if second.2.same(*after) {
            Ok(())
        } else {
            let mut breach = Breach::at(look.answer()?, what).after(exchange.request());
            breach.entries.insert(1, end);
            Err(breach)
        };
        Some(check)
    });
    // Another client may have changed one of several things meanwhile; the tool would have changed all of them.
    shown.min_by_key(Result::is_err)
}
