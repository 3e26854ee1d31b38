//! The embedded reference server: honest in every revision, and faulty on demand.
//!
//! It stands beside the peer and shares no logic with the rules, so that a misreading of a clause in one shows up
//! against the other. A [`Behaviour`] says what the server is like; [`variants`] are honest in every one of their
//! readings, and each of [`FAULTS`] breaks one requirement and leaves the rest alone.

use std::time::Duration;

use self::incoming::RequestId;

mod asking;
mod behaviour;
pub mod client;
mod completion;
mod content;
mod declare;
mod declared;
mod fault;
mod faults;
mod form;
pub mod http;
mod incoming;
mod legacy;
mod lines;
mod lists;
mod logging;
mod message;
mod modern;
mod prompts;
mod resources;
mod server;
mod slow;
mod subscriptions;
mod tasks;
mod tools;
mod variants;

#[cfg(test)]
mod tests;

pub use behaviour::{Behaviour, Features, Offer, Reading, Temper, UnknownFault};
pub use fault::{FAULTS, Fault, FaultInfo, HttpFault};
pub use server::Server;
pub use variants::{Variant, variants};

/// What the server wants written, and whether it is done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outbox {
    /// Bytes for stdout.
    pub bytes: Vec<u8>,
    /// Bytes for stderr.
    pub stderr: Vec<u8>,
    /// The exit status, once the server has ended.
    pub exit: Option<i32>,
    /// How many bytes wait to be read, while nobody reads.
    pub unread: Option<usize>,
    /// What in `bytes` belongs to what, for a server that was asked to say so.
    marks: Vec<Mark>,
}

/// How much of the output a pipe holds, in bytes.
const PIPE: usize = 64 << 10;

impl Outbox {
    /// Whether nobody reads, and a pipe would hold no more.
    fn is_full(&self) -> bool {
        self.unread.is_some_and(|unread| unread + self.bytes.len() > PIPE)
    }
}

/// The end of one message in the output.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Mark {
    /// The number of bytes up to and with its newline.
    end: usize,
    route: Route,
}

/// To what a message of the server belongs, which decides where a transport with several ways sends it.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Route {
    /// It answers this request.
    Answer(RequestId),
    /// It is a notification or a question that this request gave rise to.
    About(RequestId),
    /// It belongs to no request.
    Loose,
}

/// Vital signs as a process would show them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Vitals {
    /// The most bytes of input ever held.
    pub peak_bytes: u64,
    /// Processor time spent.
    pub cpu: Duration,
    /// Child processes that outlive the server.
    pub children_left: u32,
}

/// The fixtures that scripts may rely on, by what they are for.
pub mod fixture {
    /// Tool: gives the string `text` back.
    pub const ECHO: &str = "echo";
    /// Tool: the sum of the numbers `a` and `b`, with structured content where the revision has it.
    pub const ADD: &str = "add_numbers";
    /// Tool: finishes after `milliseconds` (200 if not given, at most 60000), with progress and log messages.
    pub const SLOW: &str = "slow";
    /// Tool: takes nothing and always fails.
    pub const FAIL: &str = "fail";
    /// Tool: one content block of every type that the revision knows.
    pub const MEDIA: &str = "media";
    /// Tool: logs `message` at `level`.
    pub const LOG: &str = "log";
    /// Tool: has an effect that [`COUNT`] shows, at once or after `milliseconds`.
    pub const RECORD: &str = "record";
    /// Tool: how often [`RECORD`] was called.
    pub const COUNT: &str = "count";
    /// Tool: an input schema with many keywords of 2020-12.
    pub const VALIDATE: &str = "validate";
    /// Tool: an input schema that declares draft-07; from 2025-11-25 on.
    pub const TUPLE: &str = "tuple";
    /// Tool: an input schema in an unknown dialect; only with [`super::Features::odd_dialect`].
    pub const ODD_DIALECT: &str = "odd-dialect";
    /// Tool: asks the user, by `mode` form (the default) or url; or demands the latter by an error, where the revision
    /// has that.
    pub const ASK_USER: &str = "ask-user";
    /// Tool: asks the client's model; with `tools` true, offering it tools.
    pub const ASK_MODEL: &str = "ask-model";
    /// Tool: asks for the client's roots.
    pub const ASK_ROOTS: &str = "ask-roots";
    /// Tool: adds [`EXTRA`] to the tools or takes it away.
    pub const TOGGLE_TOOL: &str = "toggle-tool";
    /// Tool: adds [`EXTRA`] to the prompts or takes it away.
    pub const TOGGLE_PROMPT: &str = "toggle-prompt";
    /// Tool: adds [`EXTRA_RESOURCE`] to the resources or takes it away.
    pub const TOGGLE_RESOURCE: &str = "toggle-resource";
    /// Tool: announces an update of the resource `uri` ([`TOUCHED`] if not given).
    pub const TOUCH_RESOURCE: &str = "touch-resource";
    /// Tool: ends every open subscription; in the modern revision only.
    pub const HANG_UP: &str = "hang-up";
    /// Tool: gives back its arguments, of which `region` (required), `shard` and the nested `place.zone` are to be
    /// repeated in headers; in the modern revision only.
    pub const MIRROR: &str = "mirror";
    /// Tool: can be called as a task only; in 2025-11-25 only, and only with [`super::Features::tasks`].
    pub const TASK_ONLY: &str = "task-only";
    /// Tool and prompt: the one that comes and goes.
    pub const EXTRA: &str = "extra";

    /// Prompt: takes `name` (required) and `style`; completes both.
    pub const GREET: &str = "greet";
    /// Prompt: takes nothing; text in several languages.
    pub const BABEL: &str = "babel";
    /// Prompt: takes nothing; an image and an embedded resource.
    pub const PICTURE: &str = "picture";
    /// Prompt: its handler raises, and so does the completion of its argument `reason`.
    pub const RAISE: &str = "raise";

    /// Resource: text.
    pub const README: &str = "memo:///readme";
    /// Resource: an image.
    pub const LOGO: &str = "memo:///logo";
    /// Resource: JSON text, with annotations.
    pub const DATA: &str = "memo:///data";
    /// Resource: the one that [`TOUCH_RESOURCE`] updates.
    pub const TOUCHED: &str = "memo:///touched";
    /// Resource: its handler raises.
    pub const RAISING: &str = "memo:///raise";
    /// Resource: the one that comes and goes.
    pub const EXTRA_RESOURCE: &str = "memo:///extra";
    /// Template: a text for every one-digit `number`; completes it.
    pub const NOTES: &str = "memo:///notes/{number}";
}
