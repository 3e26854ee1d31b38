//! One requirement, one rule: a static with its clause and a pure function from a session to a verdict.
//!
//! A rule never touches the wire, knows no clock and no subject by name. It judges a [`View`]: the messages that one
//! revision governs. One file per area of the specification; [`all`] lists every rule.

use crate::revision::{Revisions, Side};
use crate::session::{Message, View};
use crate::transcript::Transport;
pub use crate::transcript::Transports;
pub use figure::Figure;

/// A requirement that a transcript can be held against.
#[derive(Debug)]
pub struct Rule {
    /// The public name; it never changes meaning. `robust.*` and `harden.*` cite no clause.
    pub id: &'static str,
    /// How much weight the requirement has.
    pub level: Level,
    /// The side that it binds; none for both.
    pub side: Option<Side>,
    /// The revisions in which it holds with this level.
    pub revisions: Revisions,
    /// The transports on which it can be judged.
    pub transports: Transports,
    /// Page and anchor in the newest revision that has it, relative to the specification's root; empty without one.
    pub clause: &'static str,
    /// The requirement in one sentence of our own.
    pub requires: &'static str,
    /// How it is judged, and what is deliberately not held against anyone.
    pub judged: &'static str,
    /// What must arise before it can be judged, said when it never did.
    pub untested: &'static str,
    /// The judgement.
    pub judge: fn(View<'_>) -> Verdict,
}

impl Rule {
    /// Whether it binds implementations of this side on this transport.
    #[must_use]
    pub fn applies(&self, side: Side, transport: Transport) -> bool {
        self.side.is_none_or(|bound| bound == side) && self.transports.has(transport)
    }
}

/// How much weight a requirement has.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub enum Level {
    /// MUST and MUST NOT of a clause, and what the schema fixes.
    #[serde(rename = "MUST")]
    Must,
    /// SHOULD and SHOULD NOT, and prose without a keyword.
    #[serde(rename = "SHOULD")]
    Should,
    /// No crash, no hang, bounded resources, still serving.
    #[serde(rename = "robustness")]
    Robustness,
    /// Advice of the security literature.
    #[serde(rename = "hardening")]
    Hardening,
}

impl Level {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Robustness => "robustness",
            Self::Hardening => "hardening",
        }
    }
}

/// What a rule says of one view of one session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How often the requirement was put to the test; zero means untested.
    pub checked: usize,
    /// Where it was broken.
    pub breaches: Vec<Breach>,
    /// What is worth a word and never fails anyone.
    pub warnings: Vec<Breach>,
    /// How much was borne, of a rule about load.
    pub figure: Option<Figure>,
}

impl Verdict {
    /// The situation never arose.
    #[must_use]
    pub fn untested() -> Self {
        Self::default()
    }

    /// The same, with how much was borne. Where the requirement was broken, or not put to the test, that says nothing.
    #[must_use]
    pub fn bearing(mut self, figure: Option<Figure>) -> Self {
        self.figure = figure.filter(|_| self.checked > 0 && self.breaches.is_empty());
        self
    }
}

/// One time that a requirement was put to the test.
pub type Check = Result<(), Breach>;

impl FromIterator<Check> for Verdict {
    fn from_iter<I: IntoIterator<Item = Check>>(checks: I) -> Self {
        let mut verdict = Self::default();
        for check in checks {
            verdict.checked += 1;
            match check {
                Ok(()) => {}
                Err(breach) if breach.warning => verdict.warnings.push(breach),
                Err(breach) => verdict.breaches.push(breach),
            }
        }
        verdict
    }
}

/// What is wrong and the entries that show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Breach {
    /// Indexes into the entries of the transcript, in the order of the story; the last one is the offence.
    pub entries: Vec<usize>,
    /// What happened, as a clause without subject: "answers with the id of another request".
    pub what: String,
    /// Whether it is a mere warning.
    pub warning: bool,
}

impl Breach {
    /// A breach that one message shows.
    #[must_use]
    pub fn at(message: &Message<'_>, what: impl Into<String>) -> Self {
        Self { entries: vec![message.entry], what: what.into(), warning: false }
    }

    /// A breach that an entry other than a message shows.
    #[must_use]
    pub fn at_entry(entry: usize, what: impl Into<String>) -> Self {
        Self { entries: vec![entry], what: what.into(), warning: false }
    }

    /// The same, and the message before it that explains it.
    #[must_use]
    pub fn after(self, earlier: &Message<'_>) -> Self {
        self.after_entry(earlier.entry)
    }

    /// The same, and the entry before it that explains it.
    #[must_use]
    pub fn after_entry(mut self, earlier: usize) -> Self {
        self.entries.insert(0, earlier);
        self
    }

    /// The same as a warning, which never fails anyone.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

/// Every rule, by area.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    AREAS.iter().flat_map(|area| area.iter().copied())
}

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The ids that have no rule, each with the reason.
pub fn unjudged() -> impl Iterator<Item = (&'static str, &'static str)> {
    UNJUDGED.iter().flat_map(|area| area.iter().copied())
}

static UNJUDGED: &[&[(&str, &str)]] =
    &[http::UNJUDGED, http_sse::UNJUDGED, lifecycle::UNJUDGED, progress::UNJUDGED, resources::UNJUDGED];

static AREAS: &[&[&Rule]] = &[
    annotations::RULES,
    caching::RULES,
    cancel::RULES,
    capability::RULES,
    completion::RULES,
    content::RULES,
    discover::RULES,
    dual::RULES,
    elicitation::RULES,
    error::RULES,
    extension::RULES,
    http::RULES,
    http_sse::RULES,
    icons::RULES,
    jsonrpc::RULES,
    lifecycle::RULES,
    list_changed::RULES,
    lists::RULES,
    logging::RULES,
    message::RULES,
    meta::RULES,
    modern::RULES,
    modern_only::RULES,
    mrtr::RULES,
    pagination::RULES,
    ping::RULES,
    progress::RULES,
    prompts::RULES,
    resources::RULES,
    result::RULES,
    robust::RULES,
    roots::RULES,
    sampling::RULES,
    schema::RULES,
    server::RULES,
    stateless::RULES,
    stdio::RULES,
    subscription::RULES,
    tasks::RULES,
    tools::RULES,
    version::RULES,
];

pub mod annotations;
mod asked;
mod bait;
pub mod caching;
pub mod cancel;
pub mod capability;
mod client;
pub mod completion;
pub mod content;
pub mod discover;
pub mod dual;
pub mod elicitation;
mod errand;
pub mod error;
pub mod extension;
pub mod figure;
pub mod http;
pub mod http_sse;
pub mod icons;
mod inventory;
pub mod jsonrpc;
pub mod lifecycle;
pub mod list_changed;
pub mod lists;
pub mod logging;
pub mod message;
pub mod meta;
pub mod modern;
pub mod modern_only;
pub mod mrtr;
pub mod pagination;
pub mod ping;
mod probe;
pub mod progress;
pub mod prompts;
pub mod resources;
pub mod result;
pub mod robust;
pub mod roots;
pub mod sampling;
pub mod schema;
pub mod server;
pub mod stateless;
pub mod stdio;
pub mod subscription;
pub mod tasks;
pub mod tools;
pub mod version;
mod witness;
