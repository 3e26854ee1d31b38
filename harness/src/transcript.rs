//! Everything that happened on a link, in order.
//!
//! A transcript is a plain value: no clock, handle or socket is in it. Everything either makes one or judges one.
//! On disk it is JSON Lines: a [`Header`] with a format version, then one [`Entry`] a line, written as the session runs.
//!
//! - [`mod@file`]: reading and writing the format
//! - [`sketch`]: a short notation for transcripts that people write by hand

pub mod file;
pub mod sketch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::revision::{Revision, Side};
use crate::wire::Frame;
use crate::wire::http::Headers;

/// The format version that this build writes; it reads this one and all earlier ones. The second has HTTP, the third
/// what clients are asked for and show, and pauses in which nothing is read.
pub const FORMAT: u32 = 3;

/// A whole session as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// What was run against whom.
    pub header: Header,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
}

/// The first line of a transcript.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Header {
    /// The format version, [`FORMAT`].
    #[serde(rename = "turncoat-transcript")]
    pub format: u32,
    /// The version of the tool that wrote it.
    pub tool: String,
    /// The side that the subject plays.
    pub side: Side,
    /// The revision that the script was run for; the session may have negotiated another.
    pub revision: Revision,
    /// The name of the script, empty for a recording.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub script: String,
    /// The seed of the peer's choices.
    #[serde(default)]
    pub seed: u64,
    /// How the messages travel.
    #[serde(default, skip_serializing_if = "Transport::is_stdio")]
    pub transport: Transport,
    /// What was known about the subject before the session began.
    #[serde(default)]
    pub facts: Facts,
}

/// How the messages of a session travel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// As lines of a process or of a stream in memory.
    #[default]
    Stdio,
    /// By HTTP: Streamable HTTP, or in 2024-11-05 HTTP+SSE.
    Http,
}

impl Transport {
    /// Whether messages are lines.
    #[must_use]
    pub const fn is_stdio(&self) -> bool {
        matches!(self, Self::Stdio)
    }
}

/// A set of transports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transports {
    stdio: bool,
    http: bool,
}

impl Transports {
    /// Lines of a process or of a stream in memory.
    pub const STDIO: Self = Self { stdio: true, http: false };
    /// HTTP.
    pub const HTTP: Self = Self { stdio: false, http: true };
    /// Every one.
    pub const BOTH: Self = Self { stdio: true, http: true };

    /// No transport.
    pub const NONE: Self = Self { stdio: false, http: false };

    /// Whether a transport is in the set.
    #[must_use]
    pub const fn has(self, transport: Transport) -> bool {
        match transport {
            Transport::Stdio => self.stdio,
            Transport::Http => self.http,
        }
    }
}

impl FromIterator<Transport> for Transports {
    fn from_iter<I: IntoIterator<Item = Transport>>(transports: I) -> Self {
        transports.into_iter().fold(Self::NONE, |set, transport| match transport {
            Transport::Stdio => Self { stdio: true, ..set },
            Transport::Http => Self { http: true, ..set },
        })
    }
}

impl Header {
    /// A header for a session of this build with a subject of this side.
    #[must_use]
    pub fn new(side: Side, revision: Revision) -> Self {
        Self {
            format: FORMAT,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            side,
            revision,
            script: String::new(),
            seed: 0,
            transport: Transport::Stdio,
            facts: Facts::default(),
        }
    }
}

/// What control sessions taught about a subject; lets a rule compare sessions and stay a pure function.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub struct Facts {
    /// The revisions that the subject was seen to speak, out of all released ones; empty if nobody asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// Per list method, the item keys (name, uri, uriTemplate) of a full walk in a control session of this revision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, Vec<String>>,
    /// The text of the capability object that the subject declared in a control session of this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
    /// The names of prompts and URIs of resources whose handlers always fail, as the vendor says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<String>,
    /// The names of tools that stop when they are cancelled, and whose end changes what can be seen, as the vendor says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopping: Vec<String>,
}

/// One event with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Microseconds since the session was opened.
    pub at: u64,
    /// What happened.
    pub event: Event,
}

/// Something that happened on a link.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The harness sent a message.
    Sent {
        /// Its bytes, without the newline.
        frame: Frame,
        /// Why it was sent.
        intent: Intent,
        /// How it was put on the wire.
        delivery: Delivery,
        /// The number of the HTTP request whose body it is; with a client as the subject, of the one whose response has it.
        via: Option<u32>,
    },
    /// The subject sent a message (on stdio: a line; over HTTP: a JSON body, or the data of an event).
    Received {
        /// Its bytes, without the newline.
        frame: Frame,
        /// Longer than the harness keeps; the rest was dropped.
        cut: bool,
        /// The output ended before its newline came, or its event or body before their end.
        unfinished: bool,
        /// The number of the HTTP request whose response has it; with a client as the subject, of the one whose body it is.
        via: Option<u32>,
    },
    /// Something else happened to an HTTP request or to its response. The client's side asks: the harness, or the subject
    /// where that is a client.
    Http {
        /// The number of the request, unique in the session.
        number: u32,
        /// What happened.
        what: Http,
    },
    /// The subject wrote to its standard error.
    Stderr {
        /// As text, bounded.
        text: String,
    },
    /// What the user of a client was said to want, as the JSON that its driver was given.
    Wish {
        /// The JSON.
        text: String,
    },
    /// What the driver of a client said: what came of a wish, or what its host would have seen.
    Surface {
        /// The line.
        text: String,
    },
    /// The harness, as a server, wrote to its standard error.
    Aside {
        /// The text.
        text: String,
    },
    /// Somebody called an address of the harness that stood in a message, and that nobody is to call.
    Canary {
        /// The field that the script named it after.
        field: String,
    },
    /// The subject, a client, started the process that speaks for the harness.
    Connected {
        /// How often it has done so in this session.
        number: u32,
        /// The last one still lived.
        beside: bool,
    },
    /// The subject sent the process that speaks for the harness this signal.
    Signalled {
        /// The number of the signal.
        signal: i32,
    },
    /// The harness waited for an answer until its deadline.
    Expired {
        /// The JSON text of the id that was not answered.
        id: String,
    },
    /// Fences behind everything sent so far were answered and a grace has passed: what is not here now does not come.
    Settled,
    /// The harness stopped reading; what the subject says from here on waits.
    StoppedReading,
    /// The harness reads on, once all that it had to say was written or no more of it was taken.
    ReadOn,
    /// The harness closed its half; the subject may still talk.
    Closed,
    /// The subject's output ended.
    Ended,
    /// The subject's process ended by itself.
    Exited {
        /// The exit code; none if a signal ended it.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// Whether processes that it started were still running.
        orphans: bool,
    },
    /// The subject was still running at the end of its time and the harness ended it.
    Killed,
    /// Vital signs, taken when the session was about to end.
    Vitals(Vitals),
}

/// What happens to an HTTP request and its response, apart from the messages in their bodies.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "http", rename_all = "kebab-case")]
pub enum Http {
    /// It was sent; the messages in its body follow.
    Request {
        /// Which of several clients sent it, each with a session of its own; the first is 0.
        #[serde(default, skip_serializing_if = "is_zero")]
        client: u32,
        /// The method.
        verb: String,
        /// The path and query.
        target: String,
        /// Its header lines.
        headers: Headers,
        /// Whether a script departed from honesty in it.
        #[serde(default)]
        intent: Intent,
    },
    /// The head of the response came, or went to a client.
    Response {
        /// The status code.
        status: u16,
        /// Its header lines.
        headers: Headers,
    },
    /// An event came, or went to a client; a message in its data follows as an entry of its own.
    Event {
        /// Its id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The time to wait before reconnecting, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<u64>,
        /// Its data.
        #[serde(default)]
        data: EventData,
    },
    /// The harness writes the stream that follows in an unusual way.
    Style {
        /// What is unusual about it, as it completes "written with".
        words: Vec<String>,
    },
    /// A body that is no message, bounded.
    Body {
        /// As text.
        text: String,
    },
    /// It is over.
    End {
        /// How.
        how: Ending,
    },
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The data of an event.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventData {
    /// There is no field `data`, or it is empty.
    #[default]
    Empty,
    /// A message, which the next entry has.
    Message,
    /// Something else, bounded.
    Text(String),
}

/// How an HTTP request ended.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The response came whole.
    Complete,
    /// The side that answers ended the connection before the response.
    Cut,
    /// There was no connection, for this reason.
    Refused(String),
    /// What came was no HTTP, for this reason.
    Malformed(String),
    /// The side that asks closed the connection.
    Dropped,
}

/// Why the harness sent a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// As an honest peer would.
    #[default]
    Honest,
    /// A script departed from honesty here.
    Departure,
    /// An honest request whose answer is certain, to see that everything before it had its turn.
    Fence,
}

/// How a message was put on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// In one write of its own.
    #[default]
    Whole,
    /// In several writes.
    Split,
    /// In one write together with other messages.
    Burst,
    /// As part of a flood of many messages.
    Flood,
    /// Without the newline that should have ended it; over HTTP without the rest that its framing promised.
    Unended,
    /// Whole, and the harness closed its half of the connection right behind it.
    HalfClosed,
}

/// What a session cost the subject.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub struct Vitals {
    /// The most memory that it held, in bytes.
    pub peak_bytes: u64,
    /// The processor time that it used, in microseconds.
    pub cpu_micros: u64,
}
