//! What a script does that plays the server: an honest one, and when and how it departs from honesty.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Edits, Say};
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
    /// said anything.
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
