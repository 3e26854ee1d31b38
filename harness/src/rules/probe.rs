//! What makes a request of the harness a fair test: sound in everything but the one thing that is tried.

use std::borrow::Cow;

use crate::revision::{Era, Revision, Side, code, meta};
use crate::rules::lifecycle::capabilities;
use crate::rules::meta::{keys, trace};
use crate::session::{Exchange, Message, Phase, Speaker, View};
use crate::transcript::Delivery;
use crate::wire::{Id, Value};

/// Whether the envelope of a request gives no reason to refuse it.
pub(super) fn is_sound(request: &Message<'_>) -> bool {
    !request.oddly_carried && is_sound_in_itself(request)
}

/// The same of the message alone, however it was carried over HTTP.
fn is_sound_in_itself(request: &Message<'_>) -> bool {
    request.is_sound_in_itself()
        && !request.shares_id
        && !request.in_batch
        && request.id.as_ref().is_some_and(Id::is_legal)
        && request.params().is_none_or(Value::is_object)
}

/// The version of a sound modern request whose `_meta` has every required field, and every defined key well-typed.
/// It may have unknown keys and declare unknown capabilities.
pub(super) fn complete<'s>(request: &Message<'s>) -> Option<Cow<'s, str>> {
    complete_in_itself(request).filter(|_| !request.oddly_carried)
}

fn complete_in_itself<'s>(request: &Message<'s>) -> Option<Cow<'s, str>> {
    let given = request.meta().filter(|_| is_sound_in_itself(request))?;
    let capabilities = given.member(meta::CLIENT_CAPABILITIES).filter(|capabilities| capabilities.is_object())?;
    let fair = capabilities::misshapen(Side::Client, Revision::V2026_07_28, capabilities).is_empty()
        && given.member(meta::CLIENT_INFO).is_none_or(is_implementation)
        && given.member(meta::LOG_LEVEL).is_none_or(|level| LEVELS.iter().any(|known| level.is(known)))
        && given.member("progressToken").is_none_or(|token| Id::read(token).is_legal())
        && trace::KEYS.iter().all(|key| given.member(key).is_none_or(|value| trace::fault(key, value).is_none()));
    request.modern_version()?.as_str().filter(|_| fair)
}

/// The version of a [`complete`] request without anything unusual.
pub(super) fn plain<'s>(request: &Message<'s>) -> Option<Cow<'s, str>> {
    plain_in_itself(request).filter(|_| !request.oddly_carried)
}

/// The same of the message alone, however it was carried over HTTP.
pub(super) fn plain_in_itself<'s>(request: &Message<'s>) -> Option<Cow<'s, str>> {
    complete_in_itself(request).filter(|_| {
        has_only_defined_keys(request)
            && !request
                .meta()
                .and_then(|given| given.member(meta::CLIENT_CAPABILITIES))
                .is_some_and(|declared| capabilities::has_unknown(Side::Client, Revision::V2026_07_28, declared))
    })
}

/// Whether the `_meta` of a request has only keys with a meaning in the specification.
pub(super) fn has_only_defined_keys(request: &Message<'_>) -> bool {
    request.meta().is_none_or(|given| given.members().all(|(key, _)| keys::is_defined(&key)))
}

/// Whether a value is the description of an implementation: a name and a version, both strings.
pub(super) fn is_implementation(value: Value<'_>) -> bool {
    ["name", "version"].iter().all(|key| value.member(key).is_some_and(Value::is_string))
}

/// Whether a request has nothing but its own params that could be wrong, and the subject has to serve it by this revision.
pub(super) fn is_fair(view: View<'_>, exchange: Exchange<'_>) -> bool {
    let request = exchange.request();
    let before = |since: Option<usize>| since.is_none_or(|since| request.entry < since);
    request.delivery != Delivery::Flood
        && match view.revision().era() {
            Era::Legacy => request.phase == Phase::Operating && is_sound(request),
            Era::Modern => {
                plain(request).is_some_and(|version| version == view.revision().as_str())
                    && view.subject_speaks()
                    && before(view.legacy_since())
            }
        }
}

/// Whether a request was refused for something other than its own params: the method, the version, the client.
pub(super) fn is_refused_otherwise(exchange: Exchange<'_>) -> bool {
    exchange.error_code().is_some_and(|found| {
        [
            code::METHOD_NOT_FOUND,
            code::HEADER_MISMATCH,
            code::MISSING_CLIENT_CAPABILITY,
            code::UNSUPPORTED_PROTOCOL_VERSION,
            code::URL_ELICITATION_REQUIRED,
        ]
        .contains(&found)
    })
}

/// Whether a result is what the request asked for, and not in place of it a demand for input or a result of another
/// type.
pub(super) fn is_final(revision: Revision, result: Value<'_>) -> bool {
    let other = result.member("resultType").is_some_and(|kind| !kind.is("complete"));
    let asks = result.member("inputRequests").is_some() || result.member("requestState").is_some();
    revision.era() == Era::Legacy || !(other || asks)
}

/// An error code in words, or that there is none.
pub(super) fn code_in_words(exchange: Exchange<'_>) -> String {
    exchange.error_code().map_or_else(|| "an error without a code".to_owned(), |found| format!("the error {found}"))
}

/// The methods whose success is due to every sound request without params of its own: the one that every server has,
/// and the lists of the capabilities that it declared here or in a control session.
pub(super) fn certain_methods(view: View<'_>) -> Vec<&'static str> {
    let here = view.server_capabilities();
    let elsewhere = view.facts().capabilities.as_deref().filter(|_| view.is_of_the_run());
    let elsewhere: Option<serde_json::Value> = elsewhere.and_then(|text| serde_json::from_str(text).ok());
    let declares = |name: &str| {
        here.is_some_and(|here| here.member(name).is_some_and(Value::is_object))
            || elsewhere.as_ref().is_some_and(|there| there.get(name).is_some_and(serde_json::Value::is_object))
    };
    let always = match view.revision().era() {
        Era::Legacy => "ping",
        Era::Modern => "server/discover",
    };
    let lists = [("tools", "tools/list"), ("resources", "resources/list"), ("prompts", "prompts/list")];
    lists.into_iter().filter(|(capability, _)| declares(capability)).map(|(_, method)| method).chain([always]).collect()
}

/// Whether a request is of one of these methods and asks for nothing special.
pub(super) fn is_among(methods: &[&str], exchange: Exchange<'_>) -> bool {
    methods.contains(&exchange.method())
        && exchange.params().is_none_or(|params| params.members().all(|(key, _)| key == "_meta"))
}

/// The modern requests of the harness that the subject has to serve by the modern rules alone: it is known to speak
/// the revision, and no legacy session was opened before (serving both at once is optional).
pub(super) fn stateless(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    let legacy_since = view.legacy_since().unwrap_or(usize::MAX);
    view.exchanges().filter(move |exchange| {
        view.subject_speaks() && exchange.request().entry < legacy_since && !exchange.request().shares_id
    })
}

/// Whether the first request of the whole session showed no era: then a server of both eras may have taken the client
/// for a legacy one.
pub(super) fn opened_without_era(view: View<'_>) -> bool {
    view.every_exchange().next().is_some_and(|first| first.request().modern_version().is_none())
}

/// The first message of the client in the whole session.
pub(super) fn first_of_client(view: View<'_>) -> Option<&Message<'_>> {
    view.every_message().find(|message| message.by == view.client())
}

/// An `initialize` of the harness that opens the session and that nobody has a reason to refuse but for its version
/// and for unknown capabilities.
pub(super) struct Opening<'s> {
    /// The request and its answer.
    pub(super) exchange: Exchange<'s>,
    /// The version that it asks for.
    pub(super) asked: Cow<'s, str>,
    /// The capabilities that it declares.
    pub(super) capabilities: Value<'s>,
}

impl<'s> Opening<'s> {
    /// The opening of the session, if this view has it.
    pub(super) fn of(view: View<'s>) -> Option<Self> {
        let first = first_of_client(view).filter(|first| first.by == Speaker::Peer)?;
        let exchange = view.exchanges().find(|exchange| exchange.request().entry == first.entry)?;
        let request = exchange.request();
        let capabilities = exchange.param("capabilities").filter(|capabilities| capabilities.is_object())?;
        let fair = exchange.is("initialize")
            && is_sound(request)
            && exchange.param("clientInfo").is_some_and(is_implementation)
            && request.meta().is_none_or(|given| given.is_object() && given.is_empty())
            && Revision::ALL.iter().all(|one| capabilities::misshapen(Side::Client, *one, capabilities).is_empty());
        let asked = exchange.param("protocolVersion")?.as_str().filter(|_| fair)?;
        Some(Self { exchange, asked, capabilities })
    }

    /// The released revision that it asks for.
    pub(super) fn revision(&self) -> Option<Revision> {
        Revision::from_wire(&self.asked)
    }

    /// The legacy revision that it asks for; a modern one has no `initialize`.
    pub(super) fn legacy_revision(&self) -> Option<Revision> {
        self.revision().filter(|revision| revision.era() == Era::Legacy)
    }

    /// The version in the answer.
    pub(super) fn offered(&self) -> Option<Cow<'s, str>> {
        self.exchange.result()?.member("protocolVersion")?.as_str()
    }

    /// The legacy revision in an answer that differs from the one asked for.
    pub(super) fn counter_offer(&self) -> Option<Revision> {
        let offered = self.offered().filter(|offered| *offered != self.asked)?;
        Revision::from_wire(&offered).filter(|revision| revision.era() == Era::Legacy)
    }
}

/// The names of the log levels, from the least grave to the most.
pub(super) static LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
