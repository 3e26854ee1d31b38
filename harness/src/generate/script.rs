//! Honest sessions with departures. What a script says of itself is true: a message is honest only if it was left alone.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value as Json, json};

use super::damage::{WORDS, anything};
use super::message::{Talk, id};
use super::{bytes, few, once_in, revision, sample};
use crate::arguments::Spoil;
use crate::revision::{LISTS, Revision, Revisions, Side, knows};
use crate::script::{Answer, Carriage, Edits, Framing, Hello, Hosting, Needs, Opening, Say, Script, Step, What};
use crate::transcript::{Transport, Transports};

/// The most steps of a script.
pub(super) const MOST: usize = 16;

/// Where edits bite.
const POINTERS: &[&str] = &[
    "/jsonrpc",
    "/id",
    "/method",
    "/params",
    "/params/_meta",
    "/params/_meta/io.modelcontextprotocol~1protocolVersion",
    "/params/_meta/io.modelcontextprotocol~1clientCapabilities",
    "/params/_meta/io.modelcontextprotocol~1clientInfo/name",
    "/params/_meta/io.modelcontextprotocol~1logLevel",
    "/params/_meta/progressToken",
    "/params/protocolVersion",
    "/params/capabilities",
    "/params/clientInfo",
    "/params/name",
    "/params/arguments",
    "/params/uri",
    "/params/cursor",
    "/params/notifications",
    "/params/task",
    "/params/inputResponses",
    "/params/requestState",
    "/result",
    "/error",
    "",
];

const PLACEHOLDERS: &[&str] = &[
    "${cursor:tools/list}",
    "${mangled:tools/list}",
    "${cursor:resources/list}",
    "${state}",
    "${tool}",
    "${tool-upper}",
    "${text:99}",
    "${nest:40}",
    "${json:1.0}",
    "${json:1e400}",
    "${json:\"\\ud800\"}",
    "${revision}",
    "${meta}",
    "${nothing}",
];

const FIXTURES: &[&str] = &[
    "any",
    "each",
    "echo",
    "structured",
    "slow",
    "fail",
    "logs",
    "asks-user",
    "asks-model",
    "asks-roots",
    "demands-url",
    "validates",
    "task",
    "task-asks-user",
    "requires-task",
    "changes-tools",
    "updates-resource",
    "media",
    "odd-dialect",
    "unknown",
];

/// What a request may be about, by its method and the place in its params that says so: what the subject listed or gave and
/// what it certainly does not have, which an honest client may ask for, and what none does.
const SUBJECTS: &[(&str, &str, &[&str], &[&str])] = &[
    ("tools/call", "/name", &["${tool}", "nothing-of-that-name"], &["${tool-upper}"]),
    ("prompts/get", "/name", &["${prompt}", "${prompt-that-requires}", "nothing-of-that-name"], &[""]),
    ("resources/read", "/uri", &["${resource}", "${missing-resource}", "memo:///none"], &["no uri"]),
    ("resources/subscribe", "/uri", &["${resource}", "${missing-resource}"], &["no uri"]),
    ("resources/unsubscribe", "/uri", &["${resource}"], &["no uri"]),
    ("completion/complete", "/ref/name", &["${prompt}", "nothing-of-that-name"], &[""]),
    ("logging/setLevel", "/level", &["debug", "emergency", "alert", "error"], &["verbose", "INFO"]),
    ("tasks/get", "/taskId", &[], &["${task}", "${task}", "${task:1}"]),
    ("tasks/result", "/taskId", &[], &["${task}", "${task}", "${task:1}"]),
    ("tasks/cancel", "/taskId", &[], &["${task}", "${task}", "${task:1}"]),
    ("tools/list", "/cursor", &["${cursor:tools/list}"], &["${mangled:tools/list}", "none"]),
    ("resources/list", "/cursor", &["${cursor:resources/list}"], &["${mangled:resources/list}", "none"]),
    ("prompts/list", "/cursor", &["${cursor:prompts/list}"], &["none"]),
];

/// What a subject may send of its own accord.
const AWAITED: &[&str] = &[
    "notifications/progress",
    "notifications/resources/updated",
    "notifications/tools/list_changed",
    "notifications/tasks/status",
    "elicitation/create",
    "sampling/createMessage",
];

/// Methods that nobody knows.
const NO_METHODS: &[&str] = &["no/such-method", "tools", "Tools/List", "rpc.discover", ""];

/// Header lines that mean something, and values to put there.
const HEADERS: &[(&str, &[&str])] = &[
    ("MCP-Protocol-Version", WORDS),
    ("Mcp-Session-Id", &["${session}", "${session:1}", "none", ""]),
    ("Mcp-Method", &["ping", "tools/call", "TOOLS/CALL", ""]),
    ("Mcp-Name", &["${encoded-own}", "=?base64?!?=", "other", ""]),
    ("Content-Type", &["text/plain", "application/json; charset=utf-8", "application/JSON", ""]),
    ("Accept", &["application/json", "text/event-stream", "*/*", "text/html"]),
    ("Origin", &["http://evil.example", "null"]),
    ("Last-Event-ID", &["0", "none"]),
];

/// A script for one of these revisions, the only one in its `revisions`. Over HTTP it departs in how messages travel too.
///
/// # Errors
///
/// If there is no revision to choose from.
pub fn script(u: &mut Unstructured<'_>, among: Revisions, transport: Transport) -> Result<Script> {
    let revision = revision(u, among)?;
    let capabilities = [
        json!({}),
        json!({"roots": {"listChanged": true}, "sampling": {}, "elicitation": {}}),
        json!({"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}}}),
    ];
    let mut answers = BTreeMap::new();
    for method in ["roots/list", "sampling/createMessage", "elicitation/create", "ping"] {
        let answer = *u.choose(&[Answer::Honest, Answer::Honest, Answer::Error, Answer::Silent])?;
        if answer != Answer::Honest {
            answers.insert(method.to_owned(), answer);
        }
    }
    let transports = if transport == Transport::Http { Transports::HTTP } else { Transports::BOTH };
    let mut writer = Writer::new(revision, transports);
    let open = *u.choose(&[Opening::Handshake, Opening::Handshake, Opening::Initialize, Opening::None])?;
    let hello = if once_in(u, 8)? { hello(u)? } else { Hello::default() };
    let mut steps = Vec::new();
    // What was listed can be asked for.
    if once_in(u, 3)? {
        for method in ["tools/list", "resources/list", "prompts/list"] {
            steps.push(Step::Walk { method: method.to_owned(), pages: 9 });
        }
    }
    for _ in 0..u.int_in_range(0..=MOST)? {
        if u.is_empty() {
            break;
        }
        steps.push(writer.step(u)?);
    }
    Ok(Script {
        name: "arbitrary".to_owned(),
        about: String::new(),
        side: Side::Client,
        revisions: Revisions::of(&[revision]),
        transports,
        listens: true,
        provokes: Vec::new(),
        needs: Needs::default(),
        open,
        capabilities: u.choose(&capabilities)?.clone(),
        hello,
        answers,
        steps,
        hosting: Hosting::default(),
    })
}

/// Writes steps for one revision.
pub(super) struct Writer {
    revision: Revision,
    talk: Talk,
    /// There are HTTP requests to depart in.
    http: bool,
}

impl Writer {
    pub(super) fn new(revision: Revision, transports: Transports) -> Self {
        Self { revision, talk: Talk::new(revision), http: transports == Transports::HTTP }
    }

    pub(super) fn step(&mut self, u: &mut Unstructured<'_>) -> Result<Step> {
        Ok(match u.int_in_range(0..=23)? {
            0 => Step::Fence,
            1 => Step::Collect,
            2 | 3 => {
                let mut says = Vec::new();
                for _ in 0..few(u, 6)? {
                    // What a call becomes is known only once the tools are listed, so none stands among others.
                    says.extend(Some(self.say(u)?).filter(|say| !matches!(say.what, What::Call { .. })));
                }
                if u.arbitrary()? { Step::Burst(says) } else { Step::Batch(says) }
            }
            4 => Step::Walk { method: u.choose(LISTS)?.0.to_owned(), pages: u.int_in_range(0..=9)? },
            5 => Step::Until { method: (*u.choose(AWAITED)?).to_owned() },
            6 if once_in(u, 3)? => Step::Close,
            7 if once_in(u, 3)? => Step::Handshake(hello(u)?),
            _ => Step::Say(self.say(u)?),
        })
    }

    fn say(&mut self, u: &mut Unstructured<'_>) -> Result<Say> {
        let edits = if once_in(u, 3)? { edits(u)? } else { Edits::default() };
        let odd_id = if once_in(u, 10)? { Some(odd_id(u)?) } else { None };
        let progress = if once_in(u, 6)? { Some(json!(u.int_in_range(0..=3)?)) } else { None };
        let mut honest = edits.is_empty() && odd_id.is_none();
        let (newline, alone) = (!once_in(u, 24)?, !once_in(u, 12)?);
        let what = match u.int_in_range(0..=11)? {
            0 => What::Bytes(bytes(u, 24)?),
            1 => What::Bytes(self.talk.text(u, Side::Client)?),
            2 => {
                let message = self.talk.message(u, Side::Client)?;
                What::Text(if once_in(u, 3)? { message.replacen(":1", ":${nest:3}", 1) } else { message })
            }
            3 | 4 => {
                let mut edits = edits;
                if self.revision == Revision::V2025_11_25 && once_in(u, 3)? {
                    edits.set.insert("/params/task".to_owned(), json!({"ttl": 60_000}));
                    honest = false;
                }
                let spoils = [None, Some(Spoil::MissingRequired), Some(Spoil::WrongType), Some(Spoil::UnknownMember)];
                let spoil = *u.choose(&spoils)?;
                let tool = (*u.choose(FIXTURES)?).to_owned();
                What::Call {
                    tool,
                    text: None,
                    arguments: Map::new(),
                    spoil,
                    mirrored: None,
                    id: odd_id,
                    progress,
                    edits,
                }
            }
            _ => {
                let sample = u.choose(sample::by(Side::Client))?;
                let (mut method, mut params) = (sample.method.to_owned(), sample.params.clone());
                if once_in(u, 12)? {
                    method = (*u.choose(NO_METHODS)?).to_owned();
                }
                let mut edits = edits;
                if let Some((_, place, usual, odd)) = SUBJECTS.iter().find(|(about, ..)| *about == method)
                    && let Some(value) = params.as_mut().and_then(|params| params.pointer_mut(place))
                    && u.arbitrary()?
                {
                    let is_odd = usual.is_empty() || once_in(u, 3)?;
                    *value = json!(u.choose(if is_odd { odd } else { usual })?);
                    honest &= !is_odd;
                }
                if self.revision == Revision::V2026_07_28 && once_in(u, 6)? {
                    let level = *u.choose(&["debug", "warning", "emergency", "verbose"])?;
                    edits.set.insert("/params/_meta/io.modelcontextprotocol~1logLevel".to_owned(), json!(level));
                }
                honest &= edits.is_empty()
                    && knows(self.revision, &method)
                    && method != "initialize"
                    && !method.starts_with("tasks/");
                if sample.result.is_none() != once_in(u, 20)? {
                    What::Notify { method, params, edits }
                } else {
                    honest &= sample.result.is_some();
                    What::Request { method, params, id: odd_id, progress, edits }
                }
            }
        };
        let http = if self.http && once_in(u, 6)? { self.carriage(u)? } else { Carriage::default() };
        honest &= newline && http.is_honest() && matches!(what, What::Call { .. } | What::Request { .. });
        let repeat = if alone { 1 } else { *u.choose(&[0, 2, 5, 120])? };
        let split = if once_in(u, 10)? { u.int_in_range(0..=9)? } else { 1 };
        Ok(Say { what, wait: !once_in(u, 4)?, repeat, split, newline, honest, http })
    }

    /// How a message travels over HTTP.
    pub(super) fn carriage(&self, u: &mut Unstructured<'_>) -> Result<Carriage> {
        let mut carriage = Carriage::default();
        if !self.http {
            return Ok(carriage);
        }
        let (name, values) = *u.choose(HEADERS)?;
        let line = (name.to_owned(), (*u.choose(values)?).to_owned());
        match u.int_in_range(0..=9)? {
            0..=3 => carriage.set.extend([line]),
            4 => carriage.add.push(line),
            5 | 6 => carriage.drop.push(line.0),
            7 => carriage.client = u.int_in_range(1..=2)?,
            8 => carriage.verb = Some((*u.choose(&["GET", "PUT", "DELETE", "OPTIONS"])?).to_owned()),
            _ => {
                use Framing::{Chunked, NoNumber, TooShort, Truncated, TwoLengths, Unended, Unframed};
                let framings = [Chunked, Chunked, Truncated, Unended, TooShort, TwoLengths, NoNumber, Unframed];
                carriage.body = *u.choose(&framings)?;
            }
        }
        Ok(carriage)
    }
}

pub(super) fn hello(u: &mut Unstructured<'_>) -> Result<Hello> {
    let version = if u.arbitrary()? { Some((*u.choose(WORDS)?).to_owned()) } else { None };
    Ok(Hello { version, edits: edits(u)?, http: Carriage::default() })
}

pub(super) fn edits(u: &mut Unstructured<'_>) -> Result<Edits> {
    let mut edits = Edits::default();
    for _ in 0..=few(u, 3)? {
        let pointer = (*u.choose(POINTERS)?).to_owned();
        if once_in(u, 3)? {
            edits.drop.push(pointer);
        } else {
            let value = if once_in(u, 3)? { json!(u.choose(PLACEHOLDERS)?) } else { anything(u, None, 2)? };
            edits.set.insert(pointer, value);
        }
    }
    Ok(edits)
}

/// An id of any kind; those that no tree holds go through a placeholder.
pub(super) fn odd_id(u: &mut Unstructured<'_>) -> Result<Json> {
    Ok(json!(format!("${{json:{}}}", id(u)?)))
}
