//! What the harness asks of a client, and what the client makes of it: a request in a legacy session, an entry of an
//! input-required result in the modern era.

use crate::revision::Era;
use crate::session::{Exchange, Fate, Message, Speaker, View};
use crate::transcript::{Event, Intent};
use crate::wire::Value;

/// Something that the harness asks of a client.
#[derive(Clone, Copy)]
pub(super) struct Asked<'s> {
    /// The message that asks.
    pub(super) message: &'s Message<'s>,
    /// Its method.
    pub(super) method: &'static str,
    params: Option<Value<'s>>,
    /// What the client declared for it.
    pub(super) declared: Value<'s>,
    /// What the client makes of it.
    pub(super) reply: Reply<'s>,
}

/// What a client makes of a question.
#[derive(Clone, Copy)]
pub(super) enum Reply<'s> {
    /// A result, and the message that it stands in.
    Given(&'s Message<'s>, Value<'s>),
    /// An error.
    Refused(&'s Message<'s>),
    /// Nothing, although there was time for it.
    Withheld,
    /// Nothing that anybody knows of.
    Open,
}

/// The methods of questions.
static METHODS: &[&str] = &["roots/list", "sampling/createMessage", "elicitation/create"];

/// Everything that the harness asks of a client, in order.
pub(super) fn all<'s>(view: View<'s>) -> Vec<Asked<'s>> {
    if view.client() != Speaker::Subject {
        return Vec::new();
    }
    match view.revision().era() {
        Era::Legacy => view.exchanges().filter_map(|exchange| by_request(view, exchange)).collect(),
        Era::Modern => view.exchanges_by(Speaker::Subject).flat_map(|exchange| by_result(view, exchange)).collect(),
    }
}

/// The questions of one method.
pub(super) fn of<'s>(view: View<'s>, method: &'static str) -> impl Iterator<Item = Asked<'s>> {
    all(view).into_iter().filter(move |asked| asked.method == method)
}

fn by_request<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<Asked<'s>> {
    let message = exchange.request();
    let method = METHODS.iter().find(|method| message.is(method))?;
    let reply = match exchange.answer() {
        Some(answer) if answer.is_error() => Reply::Refused(answer),
        Some(answer) => exchange.result().map_or(Reply::Open, |result| Reply::Given(answer, result)),
        None if exchange.fate() == Fate::Silent => Reply::Withheld,
        None => Reply::Open,
    };
    let declared = view.client_capabilities(message).filter(|_| message.is_sound())?;
    Some(Asked { message, method, params: message.params(), declared, reply })
}

fn by_result<'s>(view: View<'s>, exchange: Exchange<'s>) -> Vec<Asked<'s>> {
    let declared = view.client_capabilities(exchange.request());
    let inputs = exchange.result().and_then(|result| result.member("inputRequests"));
    let (Some(message), Some(declared), Some(inputs)) = (exchange.answer(), declared, inputs) else {
        return Vec::new();
    };
    let retry = retry(view, exchange);
    let later = view.entries().iter().skip(message.entry + 1);
    let reacted = later.into_iter().any(|entry| {
        matches!(entry.event, Event::Received { .. } | Event::Surface { .. } | Event::Ended | Event::Exited { .. })
    });
    let entry = |(key, input): (std::borrow::Cow<'s, str>, Value<'s>)| {
        let method = METHODS.iter().find(|known| input.member("method").is_some_and(|own| own.is(known)))?;
        let given = retry.and_then(|retry| Some((retry, retry.param("inputResponses")?.member(&key)?)));
        let reply = match given {
            Some((retry, given)) => Reply::Given(retry, given),
            None if reacted => Reply::Withheld,
            None => Reply::Open,
        };
        Some(Asked { message, method, params: input.member("params"), declared, reply })
    };
    inputs.members().filter_map(entry).collect()
}

/// The request by which a client gives what this exchange's result asks for.
fn retry<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<&'s Message<'s>> {
    let (answer, state) = (exchange.answer()?, exchange.result()?.member("requestState"));
    let again = |request: &&Message<'s>| {
        request.entry > answer.entry
            && request.is(exchange.method())
            && match (state, request.param("requestState")) {
                (Some(own), Some(given)) => own.same(given),
                (None, None) => request.param("inputResponses").is_some(),
                _ => false,
            }
    };
    view.requests_by(Speaker::Subject).find(again)
}

impl<'s> Asked<'s> {
    pub(super) fn param(self, key: &str) -> Option<Value<'s>> {
        self.params?.member(key)
    }

    /// Whether an honest server may ask it so.
    pub(super) fn is_honest(self) -> bool {
        self.message.intent == Intent::Honest
    }

    /// The result, and the message that it stands in.
    pub(super) fn given(self) -> Option<(&'s Message<'s>, Value<'s>)> {
        if let Reply::Given(message, result) = self.reply { Some((message, result)) } else { None }
    }

    /// The mode of an elicitation, as JSON text has it; form where nothing is said.
    pub(super) fn mode(self) -> std::borrow::Cow<'s, str> {
        self.param("mode").map_or("form".into(), |mode| mode.as_str().unwrap_or_default())
    }
}
