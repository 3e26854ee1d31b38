//! Writing a script file.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{BASE64, FORMAT, is_notice};
use crate::arguments::Spoil;
use crate::revision::Revisions;
use crate::script::{
    Answer, Carriage, Edits, Hello, Input, Mirrored, Needs, Opening, Request, Say, Script, Step, What, is_default,
};
use crate::transcript::{Transport, Transports};

/// The text of a script that plays the client, as [`super::read`] reads it.
///
/// TOML has no null and no integers beyond 64 bits with a sign; such values become placeholders that mean the same on the
/// wire. None for a script that plays the server.
#[must_use]
pub fn write(script: &Script) -> Option<String> {
    toml::to_string(&Page::of(script)?).ok()
}

#[derive(Serialize)]
struct Page<'s> {
    format: u32,
    about: &'s str,
    provokes: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    revisions: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transports: Option<Vec<Transport>>,
    #[serde(skip_serializing_if = "is_default")]
    open: Opening,
    #[serde(skip_serializing_if = "Option::is_none")]
    listens: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<NeedsOf<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hello: Option<Changed<'s>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    answer: &'s BTreeMap<String, Answer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    step: Vec<Written<'s>>,
}

#[derive(Serialize)]
struct NeedsOf<'s> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    capability: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    fixture: Option<&'s str>,
    #[serde(skip_serializing_if = "is_default")]
    dual: bool,
}

#[derive(Serialize)]
struct Client {
    capabilities: Json,
}

/// An opening with its departures.
#[derive(Serialize)]
struct Changed<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'s str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<&'s str, Json>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    drop: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<&'s Carriage>,
}

/// A step with the keys that it has.
#[derive(Default, Serialize)]
#[serde(default)]
struct Written<'s> {
    r#do: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spoil: Option<Spoil>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirrored: Option<Mirrored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Input>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    honest: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newline: Option<bool>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    drop: &'s [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<&'s str, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<&'s Carriage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Self>>,
}

impl<'s> Page<'s> {
    fn of(script: &'s Script) -> Option<Self> {
        if script.side != crate::revision::Side::Client {
            return None;
        }
        let revisions = || script.revisions.iter().map(|revision| revision.as_str()).collect();
        let transports = || [Transport::Stdio, Transport::Http].into_iter().filter(|one| script.transports.has(*one));
        let Needs { capability, fixture, dual } = &script.needs;
        let needs = NeedsOf { capability, fixture: fixture.as_deref(), dual: *dual };
        let capabilities = script.capabilities.as_object().is_none_or(|members| !members.is_empty());
        Some(Self {
            format: FORMAT,
            about: &script.about,
            provokes: &script.provokes,
            revisions: (script.revisions != Revisions::ALL).then(revisions),
            transports: (script.transports != Transports::BOTH).then(|| transports().collect()),
            open: script.open,
            listens: (!script.listens).then_some(false),
            needs: (script.needs != Needs::default()).then_some(needs),
            client: capabilities.then(|| Client { capabilities: portable(&script.capabilities) }),
            hello: (script.hello != Hello::default()).then(|| Changed::of(&script.hello)),
            answer: &script.answers,
            step: script.steps.iter().map(Written::step).collect(),
        })
    }
}

impl<'s> Changed<'s> {
    fn of(hello: &'s Hello) -> Self {
        let Hello { version, edits, http } = hello;
        Self { version: version.as_deref(), set: set(edits), drop: &edits.drop, http: unless_default(http) }
    }
}

impl<'s> Written<'s> {
    fn new(kind: &'static str) -> Self {
        Self { r#do: kind, ..Self::default() }
    }

    fn step(step: &'s Step) -> Self {
        let method = |kind, method: &'s str| Self { method: Some(method), ..Self::new(kind) };
        let inner =
            |kind, says: &'s [Say]| Self { steps: Some(says.iter().map(Self::say).collect()), ..Self::new(kind) };
        match step {
            Step::Say(say) => Self::say(say),
            Step::Burst(says) => inner("burst", says),
            Step::Batch(says) => inner("batch", says),
            Step::Walk { method: list, pages } => Self { pages: Some(*pages), ..method("walk", list) },
            Step::Each { method: each } => method("each", each),
            Step::Answer { method: asked, with } => Self { with: Some(*with), ..method("answer", asked) },
            Step::Until { method: wanted } => method("until", wanted),
            Step::Collect => Self::new("collect"),
            Step::Fence => Self::new("fence"),
            Step::Handshake(Hello { version, edits, http }) => Self {
                version: version.as_deref(),
                set: set(edits),
                drop: &edits.drop,
                http: unless_default(http),
                ..Self::new("handshake")
            },
            Step::Http(Request { http, body, wait, honest }) => Self {
                http: Some(http),
                text: body.as_deref(),
                wait: Some(*wait),
                honest: Some(*honest),
                ..Self::new("http")
            },
            Step::Disconnect { stream } => Self { stream: Some(stream), ..Self::new("disconnect") },
            Step::Resume { stream, http } => {
                Self { stream: Some(stream), http: unless_default(http), ..Self::new("resume") }
            }
            Step::StopReading => Self::new("stop-reading"),
            Step::ReadOn => Self::new("read-on"),
            Step::Close => Self::new("close"),
        }
    }

    fn say(say: &'s Say) -> Self {
        let Say { what, wait, repeat, split, newline, honest, http } = say;
        let mut written = Self::what(what);
        let kind = written.r#do;
        let edited = !written.set.is_empty() || !written.drop.is_empty() || written.input.is_some();
        let honest_by_itself = !edited && http.is_honest() && kind != "send";
        written.wait = (*wait == is_notice(kind)).then_some(*wait);
        written.honest = (*honest != honest_by_itself).then_some(*honest);
        written.repeat = (*repeat != 1).then_some(*repeat);
        written.split = (*split != 1).then_some(*split);
        written.newline = (!newline).then_some(false);
        written.http = unless_default(http);
        written
    }

    fn what(what: &'s What) -> Self {
        match what {
            What::Request { method, params, id, progress, edits } => Self {
                method: Some(method),
                params: params.as_ref().map(portable),
                id: id.as_ref().map(portable),
                progress: progress.as_ref().map(portable),
                ..Self::new("request").edited(edits)
            },
            What::Notify { method, params, edits } => Self {
                method: Some(method),
                params: params.as_ref().map(portable),
                ..Self::new("notify").edited(edits)
            },
            What::Call { tool, text, arguments, spoil, mirrored, id, progress, edits } => Self {
                tool: Some(tool),
                text: text.as_deref(),
                arguments: (!arguments.is_empty()).then(|| members(arguments)),
                spoil: *spoil,
                mirrored: *mirrored,
                id: id.as_ref().map(portable),
                progress: progress.as_ref().map(portable),
                ..Self::new("call").edited(edits)
            },
            What::Text(text) => Self { text: Some(text), ..Self::new("send") },
            What::Bytes(bytes) => Self { base64: Some(BASE64.encode(bytes)), ..Self::new("send") },
        }
    }

    fn edited(self, edits: &'s Edits) -> Self {
        Self { set: set(edits), drop: &edits.drop, input: edits.input, ..self }
    }
}

fn unless_default(http: &Carriage) -> Option<&Carriage> {
    (!is_default(http)).then_some(http)
}

fn set(edits: &Edits) -> BTreeMap<&str, Json> {
    edits.set.iter().map(|(pointer, value)| (pointer.as_str(), portable(value))).collect()
}

fn members(members: &Map<String, Json>) -> Json {
    members.iter().map(|(key, value)| (key.clone(), portable(value))).collect()
}

/// The value with placeholders for what TOML cannot write.
fn portable(value: &Json) -> Json {
    match value {
        Json::Null => placeholder(value),
        Json::Number(number) if number.as_i64().is_none() && !number.is_f64() => placeholder(value),
        Json::Array(items) => items.iter().map(portable).collect(),
        Json::Object(inner) => members(inner),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

fn placeholder(value: &Json) -> Json {
    Json::String(format!("${{json:{value}}}"))
}
