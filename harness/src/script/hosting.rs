//! What a script does that plays the server: an honest one, and when and how it departs from honesty.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Edits, Say};
use crate::reference::http::HttpReading;
use crate::revision::Revisions;
use crate::user::Wish;

/// The part of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hosting {
    /// The situation, by the name that drivers of clients know.
    pub scenario: String,
    /// What the user of the client wants.
    pub wishes: Vec<Wish>,
    /// The revisions that the server speaks; empty for the run's alone.
    pub speaks: Revisions,
    /// Features that it neither has nor declares.
    pub without: BTreeSet<Feature>,
    /// Items per page of every list, if not the usual number.
    pub page: Option<usize>,
    /// When it departs from honesty.
    pub moves: Vec<Move>,
    /// Whether the client is given the time to give up by itself.
    pub patient: bool,
    /// Whether an address that nobody is to call stands in it.
    pub has_canary: bool,
    /// Where it speaks HTTP in another way than usual, as it may.
    pub http: Vec<HttpReading>,
}

/// A feature that a server may lack.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// News of single resources.
    Subscribe,
    /// Completion of arguments.
    Completions,
    /// Log messages.
    Logging,
    /// Calls as tasks.
    Tasks,
    /// News of lists.
    ListChanged,
}

/// A departure: when, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// What the client must have sent.
    pub on: Trigger,
    /// What is done before the answer.
    pub before: Vec<Act>,
    /// What becomes of the answer.
    pub answer: Reply,
    /// What is done behind the answer.
    pub after: Vec<Act>,
}

/// What brings a move about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trigger {
    /// The method of a request or notification; `*` for every request, `connection` for the moment before the client has
    /// said anything; or over HTTP the verb of an HTTP request, such as `GET`.
    pub method: String,
    /// The name or URI that the params must have.
    pub name: Option<String>,
    /// The first of them that counts, from 1.
    pub first: u32,
    /// The last of them that counts.
    pub last: u32,
}

/// What becomes of the honest answer to a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Changes of the answer; pointers start at the message.
    pub edits: Edits,
    /// A text in place of the answer, with placeholders: `${id}` is the JSON text of the request's id.
    pub text: Option<String>,
    /// Whether and when it is sent.
    pub timing: Timing,
    /// In how many writes.
    pub split: u32,
    /// Whether the newline behind it is missing.
    pub unended: bool,
    /// Whether it is what an honest server may say.
    pub honest: bool,
    /// Its way over HTTP.
    pub http: Wrapping,
}

/// What becomes of the HTTP response around an answer. Over lines it means nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wrapping {
    /// A status in place of the honest one.
    pub status: Option<u16>,
    /// Header lines in place of those of the same name.
    pub set: BTreeMap<String, String>,
    /// Header lines beside those of the same name.
    pub add: BTreeMap<String, String>,
    /// The names of header lines that are left out.
    pub drop: Vec<String>,
    /// A body in place of the honest one, with placeholders.
    pub body: Option<String>,
    /// Whether the honest server within never hears of the request.
    pub unheard: bool,
    /// JSON or events, where the honest answer could be either.
    pub form: Option<Form>,
    /// How events are written.
    pub events: EventStyle,
    /// Where the response breaks off.
    pub cut: Option<Cut>,
    /// Whether a response that breaks off ends properly all the same, as one that is to be resumed may.
    pub orderly: bool,
    /// The session id that the response gives, whatever the honest server calls the session.
    pub session: Option<String>,
    /// Whether the session of the request is gone from now on.
    pub forgets: bool,
    /// Whether it is what an honest server may do.
    pub honest: bool,
}

impl Wrapping {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self { honest: self.honest, ..Self::default() }
    }
}

/// The form of an answer over HTTP.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A body of JSON.
    Json,
    /// A stream of events.
    Stream,
}

/// Where a response breaks off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// Before its first byte.
    Before,
    /// In the middle of the answer.
    Middle,
    /// In front of the event behind this many.
    After(u32),
}

/// How the events of a stream are written.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EventStyle {
    /// Whether they have ids; by default as the honest server has it.
    pub ids: Option<bool>,
    /// The id of every event, or of each with a number behind it if that is what `#` in it is.
    pub id: Option<String>,
    /// An event without a message comes first, which has an id.
    pub prime: bool,
    /// The time to wait before reconnecting, in milliseconds; it comes first.
    pub retry: Option<u64>,
    /// The name of every event.
    pub name: Option<String>,
    /// Comments stand between the events.
    pub comments: bool,
    /// The message takes several lines.
    pub lines: bool,
    /// What ends a line.
    pub end: LineEnd,
    /// A byte order mark comes first.
    pub mark: bool,
    /// No space stands behind a colon.
    pub tight: bool,
    /// Fields that nobody knows.
    pub fields: bool,
    /// Events without data stand between the events.
    pub empty: bool,
    /// Writes and chunks end inside of characters.
    pub chunks: bool,
    /// The stream ends with an event that is not finished.
    pub unfinished: bool,
}

/// What ends a line of a stream.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// A carriage return.
    Cr,
    /// Both.
    CrLf,
}

/// Whether and when an answer is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// As soon as it is there.
    #[default]
    Now,
    /// Never.
    Never,
    /// Two times.
    Twice,
    /// Once the client says nothing more.
    Late,
    /// Behind the answer to the next request.
    Swapped,
}

/// Something that the server does of its own accord.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a script has few of them, and says something by most")]
pub enum Act {
    /// Says something. Of a request that is waited for, the answer comes before anything else is done.
    Say(Say),
    /// Writes to its standard error.
    Stderr(String),
    /// Fences: the client is asked something whose answer is certain.
    Fence,
    /// Ends, with this exit status.
    Exit(i32),
}
