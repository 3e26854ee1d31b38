//! What the user of a client wants from it: the half of a session that a script which plays a server has no other way to
//! bring about.
//!
//! A client under test gets a [`Brief`]. Drivers that hold a conversation carry out its wishes one by one and say what
//! came of each; others go by the name of the scenario alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::revision::Revision;
use crate::script::Script;

/// What a client is told before its session begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The name of the script.
    pub script: String,
    /// The situation, by the name that drivers know: `initialize`, `tools_call`.
    pub scenario: String,
    /// The revision that the server prefers.
    pub revision: Revision,
    /// What the user wants, in order.
    pub wishes: Vec<Wish>,
}

impl Brief {
    /// What a client is told before this script.
    #[must_use]
    pub fn of(script: &Script, revision: Revision) -> Self {
        Self {
            script: script.name.clone(),
            scenario: script.hosting.scenario.clone(),
            revision,
            wishes: script.hosting.wishes.clone(),
        }
    }
}

/// One thing that a user wants.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wish {
    /// A connection to the server.
    Connect,
    /// Everything of a kind, all pages of it, asked for anew.
    List {
        /// The kind.
        what: Kind,
    },
    /// What a tool does.
    Call {
        /// Its name.
        tool: String,
        /// Its arguments.
        #[serde(default)]
        arguments: Map<String, Json>,
        /// Whether the next wish waits until this one is fulfilled.
        #[serde(default = "yes")]
        wait: bool,
    },
    /// A resource.
    Read {
        /// Its URI.
        uri: String,
        /// Whether the next wish waits until this one is fulfilled.
        #[serde(default = "yes")]
        wait: bool,
    },
    /// A prompt.
    Get {
        /// Its name.
        prompt: String,
        /// Its arguments, as the user typed them: not necessarily text.
        #[serde(default)]
        arguments: Map<String, Json>,
    },
    /// Suggestions for an argument of a prompt.
    Complete {
        /// The name of the prompt.
        prompt: String,
        /// The name of the argument.
        argument: String,
        /// What was typed so far.
        value: String,
    },
    /// Log messages from this level on.
    LogLevel {
        /// The level.
        level: String,
    },
    /// News of a resource, or in the modern era of lists too.
    Watch {
        /// Its URI.
        uri: String,
    },
    /// No more news of a resource.
    Unwatch {
        /// Its URI.
        uri: String,
    },
    /// Folders that the server may know of, in place of those so far.
    Roots {
        /// Their URIs.
        uris: Vec<String>,
    },
    /// The last wish that nobody waits for is no longer wanted.
    Abort,
    /// Time passes, until nothing happens any more or for this long.
    Idle {
        /// In milliseconds.
        milliseconds: u64,
    },
    /// To see what the client shows.
    Surface,
    /// An end of the connection.
    Close,
}

/// A kind of things that a server lists.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// Templates of resources.
    Templates,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The method that lists it.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }
}

fn yes() -> bool {
    true
}

/// What a user wants where a script does not say: to see everything, and to use one thing of each kind.
#[must_use]
pub fn usual() -> Vec<Wish> {
    use crate::reference::fixture;
    let map = |value: Json| value.as_object().cloned().unwrap_or_default();
    let call = |tool: &str, arguments| Wish::Call { tool: tool.to_owned(), arguments: map(arguments), wait: true };
    let mut wishes = vec![Wish::Connect];
    wishes.extend(Kind::ALL.map(|what| Wish::List { what }));
    wishes.extend([
        call(fixture::ADD, json!({"a": 5, "b": 3})),
        call(fixture::ECHO, json!({"text": "turncoat"})),
        Wish::Read { uri: fixture::README.to_owned(), wait: true },
        Wish::Get { prompt: fixture::GREET.to_owned(), arguments: map(json!({"name": "Ada"})) },
        Wish::Surface,
        Wish::Close,
    ]);
    wishes
}
