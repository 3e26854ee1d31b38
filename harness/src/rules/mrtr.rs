//! Requests in several rounds: a result of 2026-07-28 asks for input, and the client asks again with it.
//!
//! - `asking`: results that ask for input
//! - `retrying`: what becomes of the input
//! - `client`: how a client asks again

use super::result::results;
use super::{Rule, probe};
use crate::session::{Exchange, Message, View};
use crate::wire::Value;

mod asking;
mod client;
mod retrying;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &asking::ONLY_ON_SUPPORTED_METHODS,
    &asking::HAS_REQUESTS_OR_STATE,
    &asking::REQUEST_KINDS,
    &asking::CAPABILITIES_RESPECTED,
    &asking::MISSING_CAPABILITY_ERROR,
    &retrying::STATE_TAMPER_REJECTED,
    &retrying::MISSING_INPUT_ASKED_AGAIN,
    &retrying::EXTRA_INPUT_IGNORED,
    &retrying::MALFORMED_INPUT_ERROR,
    &retrying::DECLINE_HANDLED,
    &client::ECHOES_STATE,
    &client::NO_INVENTED_STATE,
    &client::NEW_ID,
    &client::ANSWERS_EVERY_REQUEST,
    &client::SAME_OPERATION,
    &client::STATE_NOT_SHARED,
    &client::STATE_ONLY_RETRY,
];

/// The methods whose results may ask for input.
static SUPPORTED: &[&str] = &["tools/call", "prompts/get", "resources/read"];

/// What may be asked for.
static KINDS: &[&str] = &["elicitation/create", "sampling/createMessage", "roots/list"];

/// More requests of one session are not compared with each other.
const MOST: usize = 256;

const NOBODY_ASKED: &str =
    "nothing was answered with a demand for input; name a tool that asks the user in the subject file";

/// The results that ask for input.
fn demands(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, &Message<'_>, Value<'_>)> {
    results(view).filter(|(.., result)| asks(*result))
}

fn asks(result: Value<'_>) -> bool {
    result.member("resultType").is_some_and(|kind| kind.is("input_required"))
}

/// The kinds of input that a result asks for, each with its key.
fn inputs(result: Value<'_>) -> Option<Value<'_>> {
    result.member("inputRequests").filter(|inputs| inputs.is_object())
}

/// Whether two requests ask for the same thing, whatever input and metadata they have.
pub(in crate::rules) fn same_operation(one: Exchange<'_>, other: Exchange<'_>) -> bool {
    let same = |key: &str| match (one.param(key), other.param(key)) {
        (None, None) => true,
        (Some(one), Some(other)) => one.same(other),
        _ => false,
    };
    one.method() == other.method() && ["name", "uri", "arguments"].into_iter().all(same)
}

/// Whether a request gives input or state.
fn is_retry(exchange: Exchange<'_>) -> bool {
    exchange.param("inputResponses").is_some() || exchange.param("requestState").is_some()
}

/// Whether both sides declared some extension, which may bring kinds of its own.
pub(in crate::rules) fn shares_extension(view: View<'_>, request: &Message<'_>) -> bool {
    let extensions = |capabilities: Option<Value<'_>>| {
        let extensions = capabilities.and_then(|capabilities| capabilities.member("extensions"));
        extensions.map(|extensions| extensions.members().map(|(name, _)| name.into_owned()).collect::<Vec<_>>())
    };
    let offered = extensions(view.server_capabilities()).unwrap_or_default();
    let wanted = extensions(request.meta().and_then(|given| given.member(crate::revision::meta::CLIENT_CAPABILITIES)));
    wanted.unwrap_or_default().iter().any(|name| offered.contains(name))
}

/// The modern requests that have to be served by the modern rules alone, in order.
fn served(view: View<'_>) -> Vec<Exchange<'_>> {
    probe::stateless(view).filter(|exchange| SUPPORTED.contains(&exchange.method())).take(MOST).collect()
}
