//! The shape of capability objects, and unknown keys in them.

use crate::revision::{Era, Revision, Revisions, Side, code};
use crate::rules::client;
use crate::rules::probe::{self, Opening};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Speaker, View};
use crate::transcript::Intent;
use crate::wire::Value;

/// What the schema fixes about one place in a capability object.
struct Place {
    side: Option<Side>,
    path: &'static [&'static str],
    revisions: Revisions,
    is: Form,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Object,
    Flag,
    /// An object by the schema, a boolean by the tasks page.
    Disputed,
    /// An object with an object at every key.
    Objects,
}

use Form::{Disputed, Flag, Object, Objects};

const ALL: Revisions = Revisions::ALL;
const SINCE_03: Revisions = Revisions::since(Revision::V2025_03_26);
const SINCE_06: Revisions = Revisions::since(Revision::V2025_06_18);
const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);
const ONLY_11: Revisions = Revisions::of(&[Revision::V2025_11_25]);
const MODERN: Revisions = Revisions::MODERN;
const CLIENT: Option<Side> = Some(Side::Client);
const SERVER: Option<Side> = Some(Side::Server);

const fn place(side: Option<Side>, path: &'static [&'static str], is: Form, revisions: Revisions) -> Place {
    Place { side, path, revisions, is }
}

/// Every place that a schema of some revision fixes.
static PLACES: &[Place] = &[
    place(None, &["experimental"], Objects, ALL),
    place(None, &["extensions"], Object, MODERN),
    place(CLIENT, &["roots"], Object, ALL),
    place(CLIENT, &["roots", "listChanged"], Flag, Revisions::LEGACY),
    place(CLIENT, &["sampling"], Object, ALL),
    place(CLIENT, &["sampling", "context"], Object, SINCE_11),
    place(CLIENT, &["sampling", "tools"], Object, SINCE_11),
    place(CLIENT, &["elicitation"], Object, SINCE_06),
    place(CLIENT, &["elicitation", "form"], Object, SINCE_11),
    place(CLIENT, &["elicitation", "url"], Object, SINCE_11),
    place(None, &["tasks"], Object, ONLY_11),
    place(None, &["tasks", "list"], Disputed, ONLY_11),
    place(None, &["tasks", "cancel"], Disputed, ONLY_11),
    place(None, &["tasks", "requests"], Object, ONLY_11),
    place(CLIENT, &["tasks", "requests", "sampling"], Object, ONLY_11),
    place(CLIENT, &["tasks", "requests", "sampling", "createMessage"], Disputed, ONLY_11),
    place(CLIENT, &["tasks", "requests", "elicitation"], Object, ONLY_11),
    place(CLIENT, &["tasks", "requests", "elicitation", "create"], Disputed, ONLY_11),
    place(SERVER, &["tasks", "requests", "tools"], Object, ONLY_11),
    place(SERVER, &["tasks", "requests", "tools", "call"], Disputed, ONLY_11),
    place(SERVER, &["tools"], Object, ALL),
    place(SERVER, &["tools", "listChanged"], Flag, ALL),
    place(SERVER, &["prompts"], Object, ALL),
    place(SERVER, &["prompts", "listChanged"], Flag, ALL),
    place(SERVER, &["resources"], Object, ALL),
    place(SERVER, &["resources", "listChanged"], Flag, ALL),
    place(SERVER, &["resources", "subscribe"], Flag, ALL),
    place(SERVER, &["logging"], Object, ALL),
    place(SERVER, &["completions"], Object, SINCE_03),
];

/// What is wrong with a capability object of this side; the flag says that it is a mere warning.
pub(in crate::rules) fn misshapen(side: Side, revision: Revision, capabilities: Value<'_>) -> Vec<(String, bool)> {
    let mut faults = Vec::new();
    for place in places(side, revision) {
        let Some(value) = capabilities.path(place.path) else { continue };
        let name = place.path.join(".");
        match place.is {
            Flag if !value.is_bool() => {
                faults.push((format!("declares {name} as {}, not as a boolean", short(value)), false))
            }
            Object | Objects if !value.is_object() => {
                faults.push((format!("declares {name} as {}, not as an object", short(value)), false));
            }
            Disputed if !value.is_object() => {
                faults.push((format!("declares {name} as {}, not as an object", short(value)), value.is_bool()));
            }
            Objects => {
                faults.extend(value.members().filter(|(_, inner)| !inner.is_object()).map(|(key, inner)| {
                    (format!("declares {name}.{key} as {}, not as an object", short(inner)), false)
                }))
            }
            _ => {}
        }
    }
    faults
}

/// Whether a capability object has a key that no schema up to this revision knows, or one inside a known capability.
pub(in crate::rules) fn has_unknown(side: Side, revision: Revision, capabilities: Value<'_>) -> bool {
    let known = |path: &[&str]| places(side, revision).any(|place| place.path == path);
    capabilities.members().any(|(key, value)| {
        let open = key == "experimental" || key == "extensions";
        !known(&[&key])
            || (open && !value.is_empty())
            || (!open && value.members().any(|(inner, _)| !known(&[&key, &inner])))
    })
}

fn places(side: Side, revision: Revision) -> impl Iterator<Item = &'static Place> {
    PLACES.iter().filter(move |place| place.revisions.has(revision) && place.side.is_none_or(|own| own == side))
}

fn short(value: Value<'_>) -> String {
    value.raw().chars().take(40).collect()
}

pub(super) static SHAPE: Rule = Rule {
    id: "lifecycle.capability-shape",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ServerCapabilities",
    requires: "Declared capabilities have the shape that the schema of the revision gives them.",
    judged: "Keys that the schema knows are objects, listChanged and subscribe are booleans. Unknown keys are ignored, \
             and so is the inside of what older revisions leave open. Booleans inside tasks are a warning, since the \
             tasks page calls them booleans. A client's capabilities are read by the version in the same message.",
    untested: "the subject declared no capabilities, not even an empty object",
    judge: shape,
};

fn shape(view: View<'_>) -> Verdict {
    let side = view.subject_side();
    view.exchanges_by(view.client())
        .filter_map(|exchange| declaration(view, exchange))
        .flat_map(|(message, revision, capabilities)| {
            let faults = misshapen(side, revision, capabilities);
            let kept: Option<Check> = faults.is_empty().then_some(Ok(()));
            kept.into_iter().chain(faults.into_iter().map(move |(what, warning)| {
                let breach = Breach::at(message, what);
                Err(if warning { breach.as_warning() } else { breach })
            }))
        })
        .collect()
}

/// The capabilities that the subject declares in a request of the client or in its answer, and their revision.
fn declaration<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<(&'s Message<'s>, Revision, Value<'s>)> {
    let request = exchange.request();
    if request.shares_id {
        return None;
    }
    let (message, revision, capabilities) = match (view.subject_side(), view.revision().era()) {
        (Side::Server, Era::Legacy) if exchange.is("initialize") => {
            (exchange.answer()?, view.revision(), exchange.result()?.member("capabilities")?)
        }
        (Side::Server, Era::Modern) if exchange.is("server/discover") => {
            (exchange.answer()?, view.revision(), exchange.result()?.member("capabilities")?)
        }
        (Side::Client, Era::Legacy) if exchange.is("initialize") => {
            let named = exchange.param("protocolVersion").and_then(Value::as_str);
            let named = named.and_then(|version| Revision::from_wire(&version)).unwrap_or(view.revision());
            (request, named, exchange.param("capabilities")?)
        }
        (Side::Client, Era::Modern) => (request, view.revision(), view.client_capabilities(request)?),
        _ => return None,
    };
    capabilities.is_object().then_some((message, revision, capabilities))
}

pub(super) static OPEN_SET: Rule = Rule {
    id: "lifecycle.capabilities-open-set",
    level: Level::Should,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ClientCapabilities",
    requires: "Unknown capability keys of the other side are tolerated, for the set is open.",
    judged: "Only declarations whose known keys have the right types count, and only requests whose success is due: an \
             `initialize` with a version that the subject was seen to speak, server/discover, and lists that the \
             server declared. A client must not leave behind such a declaration while its user waits.",
    untested: "nobody declared an unknown capability to the subject in a request that had to succeed",
    judge: open_set,
};

fn open_set(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return open_set_of_server(view);
    }
    match view.revision().era() {
        Era::Legacy => open_set_of_initialize(view).into_iter().collect(),
        Era::Modern => {
            let methods = probe::certain_methods(view);
            probe::stateless(view)
                .filter(|exchange| probe::is_among(&methods, *exchange))
                .filter(|exchange| {
                    let request = exchange.request();
                    let declared = view.client_capabilities(request);
                    request.by == Speaker::Peer
                        && probe::has_only_defined_keys(request)
                        && probe::complete(request).is_some_and(|version| version == view.revision().as_str())
                        && declared.is_some_and(|declared| has_unknown(Side::Client, view.revision(), declared))
                })
                .filter(|exchange| exchange.error_code() != Some(code::UNSUPPORTED_PROTOCOL_VERSION))
                .filter_map(|exchange| verdict_on(exchange))
                .collect()
        }
    }
}

/// What a client makes of a server that declares something unknown.
fn open_set_of_server(view: View<'_>) -> Verdict {
    let told = |exchange: &Exchange<'_>| exchange.is("initialize") || exchange.is("server/discover");
    view.exchanges_by(Speaker::Subject)
        .filter(told)
        .filter_map(|exchange| {
            let answer = exchange.answer().filter(|answer| answer.intent == Intent::Honest && answer.own_line)?;
            let declared = exchange.result()?.member("capabilities")?;
            let tried = has_unknown(Side::Server, view.revision(), declared)
                && misshapen(Side::Server, view.revision(), declared).is_empty();
            if !tried || !view.subject_speaks() {
                return None;
            }
            client::stays(view, answer, "leaves a server that declares an unknown capability")
        })
        .collect()
}

fn open_set_of_initialize(view: View<'_>) -> Option<Check> {
    let opening = Opening::of(view)?;
    let asked = opening.legacy_revision()?;
    let tried = has_unknown(Side::Client, asked, opening.capabilities);
    let due = view.facts().revisions.contains(&asked) || opening.exchange.result().is_some();
    verdict_on(opening.exchange).filter(|_| tried && due)
}

fn verdict_on(exchange: Exchange<'_>) -> Option<Check> {
    let answer = exchange.answer()?;
    Some(if answer.is_error() {
        Err(Breach::at(answer, "refuses a client that declares an unknown capability").after(exchange.request()))
    } else {
        Ok(())
    })
}
