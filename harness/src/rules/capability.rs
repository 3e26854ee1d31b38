//! What a server declares and does, and what it may ask of a client that declared this or that.
//!
//! - `offering`, `announcing`: what a server does
//! - `asking`, `sampling`: what a server asks of its client
//! - `answering`: what a client answers
//! - `using`: what a client uses of its server

use super::{Rule, probe};
use crate::revision::Era;
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

mod announcing;
mod answering;
mod asking;
mod offering;
mod sampling;
mod using;

pub(in crate::rules) use asking::Modes;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &offering::TOOLS,
    &offering::RESOURCES,
    &offering::PROMPTS,
    &offering::COMPLETIONS,
    &offering::LOGGING,
    &offering::UNDECLARED_METHOD,
    &offering::TASKS,
    &asking::ONLY_NEGOTIATED,
    &asking::UNDECLARED_FEATURES,
    &asking::ELICITATION_MODE,
    &asking::TASKS_RESPECTED,
    &sampling::TOOLS_RESPECTED,
    &sampling::CONTEXT_RESPECTED,
    &announcing::LIST_CHANGED,
    &announcing::RESOURCE_UPDATES,
    &answering::ROOTS,
    &answering::SAMPLING,
    &answering::ELICITATION,
    &answering::ELICITATION_MODE,
    &answering::TASKS,
    &answering::ROOTS_CODE,
    &answering::ELICITATION_MODE_CODE,
    &answering::SAMPLING_TOOLS,
    &using::ONLY_NEGOTIATED,
    &using::UNDECLARED_FEATURES,
    &using::SUBSCRIBE,
    &using::ROOTS_CHANGED,
    &using::TASK_METHODS,
];

/// Whether the server declared a capability, in this session or to a control session; none if nobody knows.
pub(in crate::rules) fn declares(view: View<'_>, path: &[&str]) -> Option<bool> {
    if view.revision().era() == Era::Legacy || view.server_capabilities().is_some() {
        return view.server_declares(path);
    }
    let elsewhere = view.facts().capabilities.as_deref().filter(|_| view.is_of_the_run())?;
    let elsewhere: serde_json::Value = serde_json::from_str(elsewhere).ok()?;
    let found = path.iter().try_fold(&elsewhere, |value, key| value.get(key));
    Some(found.is_some_and(|value| !value.is_null() && value.as_bool() != Some(false)))
}

/// The requests of the harness that the subject has to serve by this revision.
fn asked(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    let legacy_since = match view.revision().era() {
        Era::Legacy => usize::MAX,
        Era::Modern => view.legacy_since().unwrap_or(usize::MAX),
    };
    view.exchanges().filter(move |exchange| exchange.request().entry < legacy_since)
}

/// Something that a server asks of its client.
#[derive(Clone, Copy)]
pub(in crate::rules) struct Question<'s> {
    /// The message that asks: a request, or a result with input requests.
    pub(in crate::rules) message: &'s Message<'s>,
    pub(in crate::rules) method: &'s str,
    params: Option<Value<'s>>,
    /// What the client declared for it.
    client: Value<'s>,
}

/// Everything that the subject asks of its client, by request or by an input-required result.
pub(in crate::rules) fn questions<'s>(view: View<'s>) -> Vec<Question<'s>> {
    match view.revision().era() {
        Era::Legacy => {
            let client = view.messages().next().and_then(|any| view.client_capabilities(any));
            let requests = view.requests_by(Speaker::Subject);
            let question = |message: &'s Message<'s>| {
                Some(Question { message, method: message.method()?, params: message.params(), client: client? })
            };
            requests.filter_map(question).collect()
        }
        Era::Modern => probe::stateless(view)
            .filter_map(|exchange| {
                let client = view.client_capabilities(exchange.request())?;
                let inputs = exchange.result()?.member("inputRequests")?;
                Some((exchange.answer()?, client, inputs))
            })
            .flat_map(|(message, client, inputs)| {
                inputs.members().filter_map(move |(_, input)| {
                    let method =
                        METHODS.iter().find(|known| input.member("method").is_some_and(|own| own.is(known)))?;
                    Some(Question { message, method, params: input.member("params"), client })
                })
            })
            .collect(),
    }
}

/// The methods of questions that need a capability.
static METHODS: &[&str] = &["roots/list", "sampling/createMessage", "elicitation/create"];

impl<'s> Question<'s> {
    pub(in crate::rules) fn is(self, method: &str) -> bool {
        self.method == method
    }

    pub(in crate::rules) fn param(self, key: &str) -> Option<Value<'s>> {
        self.params?.member(key)
    }
}

/// What a client says of a capability: that it has it, that it lacks it, or nothing that makes sense.
fn feature(client: Value<'_>, path: &[&str]) -> Option<bool> {
    match client.path(path) {
        None => Some(false),
        Some(value) if value.is_object() => Some(true),
        Some(_) => None,
    }
}

/// Whether a result that this message carries is what a client came for: something, and no mere error of a tool.
fn has_content(exchange: Exchange<'_>, member: &str) -> bool {
    let Some(result) = exchange.result() else { return false };
    let failed = result.member("isError").and_then(Value::as_bool) == Some(true);
    let asks = result.member("inputRequests").is_some_and(|inputs| inputs.is_object() && !inputs.is_empty());
    let filled = result.member(member).is_some_and(|content| content.is_array() && !content.is_empty());
    !failed && (filled || asks)
}

/// The notifications of this method that the subject sent.
fn notified<'s>(view: View<'s>, method: &'static str) -> impl Iterator<Item = &'s Message<'s>> {
    view.notifications_by(Speaker::Subject).filter(move |message| message.is(method))
}
