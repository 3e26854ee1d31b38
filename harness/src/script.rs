//! What the adversarial peer does, as data: an honest session and the steps that depart from it.
//!
//! Scripts are TOML files in `corpus/scripts/`, one attack each. They provoke; they never decide whether the subject was
//! right. CONTRIBUTING.md explains the format to people who write them.
//!
//! - [`mod@file`]: reading a script file, with errors that point at the line and the key, and writing one
//! - [`corpus`]: the scripts that are built in
//! - [`hosting`]: what a script does that plays the server
//! - [`simpler()`]: scripts with fewer departures

pub mod corpus;
pub mod file;
pub mod hosting;
mod simpler;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::arguments::Spoil;
use crate::revision::{Revisions, Side};
use crate::transcript::Transports;

pub use hosting::Hosting;
pub use simpler::simpler;

/// A script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The name, unique among the scripts; of a file its stem.
    pub name: String,
    /// What it does, in one sentence.
    pub about: String,
    /// The side that the harness plays.
    pub side: Side,
    /// The revisions that it makes sense in.
    pub revisions: Revisions,
    /// The rules whose situation it means to bring about.
    pub provokes: Vec<String>,
    /// The transports that it makes sense on.
    pub transports: Transports,
    /// What a subject must have for the script to make sense.
    pub needs: Needs,
    /// How the session begins.
    pub open: Opening,
    /// Whether a legacy client over HTTP opens a stream of its own for what belongs to no request, as it may.
    pub listens: bool,
    /// What the harness declares as a client, in its `initialize` or in each modern request.
    pub capabilities: Json,
    /// Departures of the first message of the opening.
    pub hello: Hello,
    /// How requests of the subject are answered, by method.
    pub answers: BTreeMap<String, Answer>,
    /// What is done after the opening, in order.
    pub steps: Vec<Step>,
    /// What is done where the harness plays the server; none of the keys from `open` on matters then.
    pub hosting: Hosting,
}

/// From this many messages in one step on, a script is a flood.
const FLOOD: u32 = 100;
/// From this many bytes in one message on, a script is a burden.
const BURDEN: usize = 64 << 10;

impl Script {
    /// Whether it is felt in other sessions with the same server by its load.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        self.says().any(Say::is_heavy)
    }

    /// Whether it changes what other sessions with the same server see.
    #[must_use]
    pub fn changes_lists(&self) -> bool {
        let changes = |name: &str| name.starts_with("changes-");
        self.needs.fixture.as_deref().is_some_and(changes) || self.tools().any(changes)
    }

    /// Whether a session takes its time: it calls what is slow, or leaves the subject waiting for an answer.
    #[must_use]
    pub fn takes_time(&self) -> bool {
        let slow = |name: &str| name == "slow" || name.contains("task");
        let silent = self.answers.values().any(|answer| *answer == Answer::Silent);
        silent || self.hosting.patient || self.tools().any(slow)
    }

    fn tools(&self) -> impl Iterator<Item = &str> {
        self.says().filter_map(|say| match &say.what {
            What::Call { tool, .. } => Some(tool.as_str()),
            _ => None,
        })
    }

    fn says(&self) -> impl Iterator<Item = &Say> {
        self.steps.iter().flat_map(|step| match step {
            Step::Say(say) => std::slice::from_ref(say),
            Step::Burst(says) | Step::Batch(says) => says,
            _ => &[],
        })
    }
}

impl Say {
    /// Whether it weighs on a server, by its number or its size.
    fn is_heavy(&self) -> bool {
        let large = |text: &str| text.len() >= BURDEN || text.contains("${text:") || text.contains("${nest:");
        let content = match &self.what {
            What::Text(text) => large(text),
            What::Bytes(bytes) => bytes.len() >= BURDEN,
            What::Request { params, edits, .. } | What::Notify { params, edits, .. } => {
                params.iter().chain(edits.set.values()).any(|value| large(&value.to_string()))
            }
            What::Call { text, arguments, .. } => {
                text.as_deref().is_some_and(large) || arguments.values().any(|value| large(&value.to_string()))
            }
        };
        self.repeat >= FLOOD || content
    }
}

/// What a subject must have for a script to make sense.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// A path into the capabilities that the server declares.
    pub capability: Vec<String>,
    /// A fixture that the adapter or the subject file names.
    pub fixture: Option<String>,
    /// Speaks both eras.
    pub dual: bool,
}

/// How a session begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// The legacy handshake, or one `server/discover`.
    #[default]
    Handshake,
    /// The same without `notifications/initialized`.
    Initialize,
    /// Nothing is said first.
    None,
}

/// How the harness answers a request of the subject.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// As an honest client with the declared capabilities would.
    #[default]
    Honest,
    /// With an error.
    Error,
    /// Never.
    Silent,
    /// An elicitation is accepted, with content that the form allows.
    Accept,
    /// An elicitation is dismissed.
    Cancel,
    /// An elicitation is accepted without content.
    NoContent,
    /// The same with content that lacks a required member.
    MissingRequired,
    /// The same with content of which a member has another type than asked for.
    WrongType,
    /// The same with content of which a member is none of the choices.
    OutsideEnum,
    /// The model wants to use the first tool that it is offered, twice; once it has the results, it speaks.
    UseTools,
}

impl Answer {
    /// Whether a user and a client that keep to the rules may answer so.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        !matches!(self, Self::NoContent | Self::MissingRequired | Self::WrongType | Self::OutsideEnum)
    }
}

/// An `initialize` or `server/discover` with its departures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hello {
    /// A version in place of the run's.
    pub version: Option<String>,
    /// What is changed in the message.
    pub edits: Edits,
    /// How it travels over HTTP.
    pub http: Carriage,
}

/// The HTTP request that carries a message, or that carries none: what departs from an honest client's.
///
/// Values of header lines may hold placeholders: those of texts, `${session}` and `${session:N}` (the session id of the
/// client, or of client N), `${event:NAME}` and `${first-event:NAME}` (the id of the last event on a stream, and of the
/// first), `${encoded:TEXT}` (the text in the base64 form that the specification has for header values), `${own}`,
/// `${encoded-own}` and `${upper-own}` (what an honest client has in this line, as it is, in that form, and in capital
/// letters), `${upper-mark-own}` (in that form with its mark in capital letters) and `${text:N}`. A name of a line that
/// ends with an asterisk stands for the first line whose name begins like it, and `X-*=value` for the first of these that
/// has this value; without one, nothing is done.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Carriage {
    /// Which of several clients sends it; each has a session of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub client: u32,
    /// The method in place of `POST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// The path and query in place of the endpoint's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Header lines put in the place of those of the same name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Header lines added behind all others, so that there may be two of a name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<(String, String)>,
    /// Names of header lines to leave out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Names of header lines that are written in this way instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub spell: BTreeMap<String, String>,
    /// What is wrong with the framing of the body, or unusual about it.
    #[serde(skip_serializing_if = "is_default")]
    pub body: Framing,
    /// A name for the request and its response, for later steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Carriage {
    /// Whether it is an honest client's in all but its name.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        let named = Self { client: self.client, stream: self.stream.clone(), ..Self::default() };
        *self == named
    }
}

/// How the body of an HTTP request is framed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// With its length.
    #[default]
    Whole,
    /// In chunks of a few bytes.
    Chunked,
    /// With its length and then cut off: the connection is closed in the middle.
    Truncated,
    /// In chunks, of which the last never comes: the connection is closed.
    Unended,
    /// With a length that is one less than its own.
    TooShort,
    /// With two lengths that contradict each other.
    TwoLengths,
    /// With a length that is no number.
    NoNumber,
    /// With neither a length nor chunks.
    Unframed,
    /// With its length, and behind it the client closes its half of the connection.
    HalfClosed,
}

/// Changes to a message that was built honestly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// JSON pointers and the values to put there.
    pub set: BTreeMap<String, Json>,
    /// JSON pointers of members to take away.
    pub drop: Vec<String>,
    /// The input that the subject last asked for by a result, put in before the other changes.
    pub input: Option<Input>,
}

/// How a request gives the input that a result of the subject asked for. The state comes along.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// All of it; users decline what they are asked.
    Given,
    /// All of it; users dismiss what they are asked.
    Dismissed,
    /// None of it, in an object without members.
    Missing,
    /// All of it, and something that nobody asked for.
    Extra,
    /// All of it, each in a shape that it cannot have.
    Malformed,
    /// An array in place of the object.
    Array,
}

impl Edits {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.drop.is_empty() && self.input.is_none()
    }
}

/// One thing that the peer does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Says something.
    Say(Say),
    /// Says several things in one write.
    Burst(Vec<Say>),
    /// Says several things as one JSON array.
    Batch(Vec<Say>),
    /// Follows the cursors of a list method to its end.
    Walk {
        /// The list method.
        method: String,
        /// The most pages to ask for.
        pages: u32,
    },
    /// Asks for everything that was listed, one after the other, up to a limit.
    Each {
        /// `resources/read`, `prompts/get`, or `completion/complete`.
        method: String,
    },
    /// From here on, answers requests of this method in another way.
    Answer {
        /// The method.
        method: String,
        /// The way.
        with: Answer,
    },
    /// Waits until the subject sends this method, or for a while.
    Until {
        /// The method.
        method: String,
    },
    /// Waits for every request that is still open.
    Collect,
    /// Asks something whose answer is certain, and waits for it.
    Fence,
    /// The opening, later.
    Handshake(Hello),
    /// An HTTP request that carries no message, or bytes that are none.
    Http(Request),
    /// Closes the connection of a request that was given a name.
    Disconnect {
        /// The name.
        stream: String,
    },
    /// Asks for the rest of a stream that was given a name, behind the last event that came.
    Resume {
        /// The name.
        stream: String,
        /// How the request travels.
        http: Carriage,
    },
    /// Reads nothing more; over HTTP, no responses but to fences.
    StopReading,
    /// Reads on, once all was written that there was to write, or no more of it is taken.
    ReadOn,
    /// Closes the harness's half of the conversation; the subject may still talk.
    Close,
}

/// An HTTP request that carries no message.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The request, its method included.
    pub http: Carriage,
    /// Its body.
    pub body: Option<String>,
    /// Whether to wait until the response has begun.
    pub wait: bool,
    /// Whether an honest client may send it.
    pub honest: bool,
}

/// Something to say, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Say {
    /// The message.
    pub what: What,
    /// Whether to wait for the answer.
    pub wait: bool,
    /// How often to say it.
    pub repeat: u32,
    /// In how many writes.
    pub split: u32,
    /// Whether a newline ends it.
    pub newline: bool,
    /// Whether it obeys the schema of the revision.
    pub honest: bool,
    /// How it travels over HTTP.
    pub http: Carriage,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A request.
    Request {
        /// Its method.
        method: String,
        /// Its params; an object, or absent.
        params: Option<Json>,
        /// An id in place of the next integer.
        id: Option<Json>,
        /// A progress token to ask for.
        progress: Option<Json>,
        /// Departures.
        edits: Edits,
    },
    /// A notification.
    Notify {
        /// Its method.
        method: String,
        /// Its params.
        params: Option<Json>,
        /// Departures.
        edits: Edits,
    },
    /// A call of a tool that the subject offers.
    Call {
        /// A fixture, `any`, `each`, or `mirrored`: any that wants arguments in header lines too.
        tool: String,
        /// What the argument says that a fixture leaves open with `${text}`.
        text: Option<String>,
        /// Laid over the arguments of the fixture, or over the generated ones.
        arguments: serde_json::Map<String, Json>,
        /// The defect that the arguments get.
        spoil: Option<Spoil>,
        /// What becomes of the arguments that belong into header lines too.
        mirrored: Option<Mirrored>,
        /// An id in place of the next integer.
        id: Option<Json>,
        /// A progress token to ask for.
        progress: Option<Json>,
        /// Departures.
        edits: Edits,
    },
    /// Text with placeholders, as it stands.
    Text(String),
    /// Bytes as they stand.
    Bytes(Vec<u8>),
}

/// What becomes of the arguments of a call that the tool wants in header lines too.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mirrored {
    /// The first of them has a value and no other.
    One,
    /// The first one that is a text has a value and no other.
    Text,
    /// The first one that is an integer has the value 42 and no other has any.
    Integer,
    /// The same, written as 42.0.
    Fraction,
    /// None of them is there.
    Absent,
    /// Each is null.
    Null,
}

/// What a vendor lets the harness use of a subject, by the names that scripts ask for.
pub type Fixtures = BTreeMap<String, Fixture>;

/// One thing that the harness may use.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// A tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The arguments for the tool; `${text}` stands for a text that the script chooses.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub arguments: serde_json::Map<String, Json>,
    /// A prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// A resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}
