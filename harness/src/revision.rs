//! The facts of every MCP revision: methods, gates, notifications and error codes, as tables.
//!
//! Rules, peers and the runner ask here; no other module compares version strings.
//! Source: the specification pages and `schema.ts` of each revision.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A released revision of the specification, oldest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub enum Revision {
    /// 2024-11-05
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// 2025-03-26
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// 2025-06-18
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// 2025-11-25
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// 2026-07-28
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// How the two sides agree on version and capabilities.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Era {
    /// `initialize` and `notifications/initialized`, once per session.
    Legacy,
    /// Version, capabilities and identity in the `_meta` of every request.
    Modern,
}

/// The side of the protocol that an implementation plays.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Sends `initialize` or modern requests.
    Client,
    /// Offers tools, resources and prompts.
    Server,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The identifier as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision with this identifier, if it was ever released.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// The era that the revision belongs to.
    #[must_use]
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether an honest implementation cannot support this version: it is no date of a release and no draft's name.
///
/// Lenient: dates near the releases may be drafts, early versions or revisions younger than this build.
#[must_use]
pub fn never_released(version: &str) -> bool {
    let is_date = version.len() == 10
        && version.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if is_date {
        return !("2024-10-07".."2090").contains(&version);
    }
    let upper = version.to_ascii_uppercase();
    !upper.contains("DRAFT") && !upper.contains("-RC")
}

/// A string that names no released revision.
#[derive(Debug, thiserror::Error)]
#[error("unknown revision {0:?}; known are 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28")]
pub struct UnknownRevision(pub String);

impl FromStr for Revision {
    type Err = UnknownRevision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_wire(text).ok_or_else(|| UnknownRevision(text.to_owned()))
    }
}

/// A set of revisions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Revisions(u8);

impl Revisions {
    /// No revision.
    pub const NONE: Self = Self(0);
    /// All five.
    pub const ALL: Self = Self(0b1_1111);
    /// The four with a handshake, 2024-11-05 to 2025-11-25.
    pub const LEGACY: Self = Self(0b0_1111);
    /// The stateless one, 2026-07-28.
    pub const MODERN: Self = Self(0b1_0000);

    /// Exactly these revisions.
    #[must_use]
    pub const fn of(list: &[Revision]) -> Self {
        let (mut bits, mut next) = (0, 0);
        while next < list.len() {
            bits |= list[next].bit();
            next += 1;
        }
        Self(bits)
    }

    /// This revision and every later one.
    #[must_use]
    pub const fn since(first: Revision) -> Self {
        Self(Self::ALL.0 & !(first.bit() - 1))
    }

    /// From the first to the last revision, both included.
    #[must_use]
    pub const fn range(first: Revision, last: Revision) -> Self {
        Self(Self::since(first).0 & (last.bit() | (last.bit() - 1)))
    }

    /// Whether the set has this revision.
    #[must_use]
    pub const fn has(self, revision: Revision) -> bool {
        self.0 & revision.bit() != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The revisions that both sets have.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members, oldest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Revision> {
        Revision::ALL.into_iter().filter(move |revision| self.has(*revision))
    }
}

impl FromIterator<Revision> for Revisions {
    fn from_iter<I: IntoIterator<Item = Revision>>(list: I) -> Self {
        Self(list.into_iter().fold(0, |bits, revision| bits | revision.bit()))
    }
}

/// One row of the method table.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// The side that sends it.
    pub from: Sender,
    /// Whether it expects an answer.
    pub kind: MethodKind,
    /// The capability of the *receiving* side (for a notification: of the sending side) that must be declared, as a
    /// path of members into the capability object; empty when nothing gates the method.
    pub gate: &'static [&'static str],
    /// The revisions that know the method.
    pub revisions: Revisions,
}

/// Who may send a method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sender {
    /// Clients only.
    Client,
    /// Servers only.
    Server,
    /// Both sides.
    Both,
}

impl Sender {
    /// Whether this side is among the senders.
    #[must_use]
    pub fn includes(self, side: Side) -> bool {
        matches!((self, side), (Self::Both, _) | (Self::Client, Side::Client) | (Self::Server, Side::Server))
    }
}

/// Whether a method is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MethodKind {
    /// Answered by a response.
    Request,
    /// Never answered.
    Notification,
}

use MethodKind::{Notification, Request};
use Revision::{V2025_03_26, V2025_06_18, V2025_11_25};
use Sender::{Both, Client, Server};

const ALL: Revisions = Revisions::ALL;
const LEGACY: Revisions = Revisions::LEGACY;
const MODERN: Revisions = Revisions::MODERN;
const SINCE_03: Revisions = Revisions::since(V2025_03_26);
const ELICITING: Revisions = Revisions::range(V2025_06_18, V2025_11_25);
const TASKS: Revisions = Revisions::of(&[V2025_11_25]);

const fn row(
    name: &'static str,
    from: Sender,
    kind: MethodKind,
    gate: &'static [&'static str],
    revisions: Revisions,
) -> Method {
    Method { name, from, kind, gate, revisions }
}

/// Every method of every revision. Completion has no capability in 2024-11-05: ask [`gate`], which knows.
pub static METHODS: &[Method] = &[
    row("initialize", Client, Request, &[], LEGACY),
    row("ping", Both, Request, &[], LEGACY),
    row("server/discover", Client, Request, &[], MODERN),
    row("tools/list", Client, Request, &["tools"], ALL),
    row("tools/call", Client, Request, &["tools"], ALL),
    row("resources/list", Client, Request, &["resources"], ALL),
    row("resources/read", Client, Request, &["resources"], ALL),
    row("resources/templates/list", Client, Request, &["resources"], ALL),
    row("resources/subscribe", Client, Request, &["resources", "subscribe"], LEGACY),
    row("resources/unsubscribe", Client, Request, &["resources", "subscribe"], LEGACY),
    row("prompts/list", Client, Request, &["prompts"], ALL),
    row("prompts/get", Client, Request, &["prompts"], ALL),
    row("completion/complete", Client, Request, &["completions"], ALL),
    row("logging/setLevel", Client, Request, &["logging"], LEGACY),
    row("tasks/get", Both, Request, &["tasks"], TASKS),
    row("tasks/result", Both, Request, &["tasks"], TASKS),
    row("tasks/list", Both, Request, &["tasks", "list"], TASKS),
    row("tasks/cancel", Both, Request, &["tasks", "cancel"], TASKS),
    row("subscriptions/listen", Client, Request, &[], MODERN),
    row("roots/list", Server, Request, &["roots"], LEGACY),
    row("sampling/createMessage", Server, Request, &["sampling"], LEGACY),
    row("elicitation/create", Server, Request, &["elicitation"], ELICITING),
    row("notifications/initialized", Client, Notification, &[], LEGACY),
    row("notifications/cancelled", Both, Notification, &[], ALL),
    row("notifications/progress", Both, Notification, &[], ALL),
    row("notifications/message", Server, Notification, &["logging"], ALL),
    row("notifications/tools/list_changed", Server, Notification, &["tools", "listChanged"], ALL),
    row("notifications/prompts/list_changed", Server, Notification, &["prompts", "listChanged"], ALL),
    row("notifications/resources/list_changed", Server, Notification, &["resources", "listChanged"], ALL),
    row("notifications/resources/updated", Server, Notification, &["resources", "subscribe"], ALL),
    row("notifications/roots/list_changed", Client, Notification, &["roots", "listChanged"], LEGACY),
    row("notifications/elicitation/complete", Server, Notification, &[], TASKS),
    row("notifications/tasks/status", Both, Notification, &[], TASKS),
    row("notifications/subscriptions/acknowledged", Server, Notification, &[], MODERN),
];

/// The row of a method, whichever revision knows it.
#[must_use]
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// Whether the revision has the method at all.
#[must_use]
pub fn knows(revision: Revision, name: &str) -> bool {
    method(name).is_some_and(|method| method.revisions.has(revision))
}

/// The path into the declared capabilities that gates the method in this revision; `None` for an ungated one.
#[must_use]
pub fn gate(revision: Revision, name: &str) -> Option<&'static [&'static str]> {
    let found = method(name).filter(|method| method.revisions.has(revision))?;
    let ungated = found.gate.is_empty() || (found.gate == ["completions"] && !SINCE_03.has(revision));
    (!ungated).then_some(found.gate)
}

/// The four list methods with the member that holds the items and the member that names one.
pub static LISTS: &[(&str, &str, &str)] = &[
    ("tools/list", "tools", "name"),
    ("resources/list", "resources", "uri"),
    ("resources/templates/list", "resourceTemplates", "uriTemplate"),
    ("prompts/list", "prompts", "name"),
];

/// Error codes with a meaning in the specification.
pub mod code {
    /// The text is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// The JSON is not a request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The params do not fit the method.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The receiver failed.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// A resource that is not there, up to 2025-11-25.
    pub const RESOURCE_NOT_FOUND: i64 = -32002;
    /// A URL elicitation must come first, 2025-11-25 only.
    pub const URL_ELICITATION_REQUIRED: i64 = -32042;
    /// HTTP header and body disagree, since 2026-07-28.
    pub const HEADER_MISMATCH: i64 = -32020;
    /// The request lacks a client capability, since 2026-07-28.
    pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
    /// The request names a version that the server lacks, since 2026-07-28.
    pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;
}

/// Keys that 2026-07-28 defines inside `_meta`.
pub mod meta {
    /// The version of a request; required.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// The client's capabilities for this request; required.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// The client's name and version.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// The lowest level of log messages wanted for this request.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// The server's name and version, in results.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// The subscription that a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// The task that a message belongs to, 2025-11-25 only.
    pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_revisions() {
        assert_eq!(Revisions::since(V2025_06_18).iter().count(), 3);
        assert_eq!(Revisions::range(V2025_03_26, V2025_06_18).iter().count(), 2);
        assert_eq!(LEGACY.and(MODERN), Revisions::NONE);
        assert_eq!(Revision::ALL.into_iter().collect::<Revisions>(), ALL);
    }

    #[test]
    fn a_revision_reads_back() {
        for revision in Revision::ALL {
            assert_eq!(revision.as_str().parse::<Revision>().unwrap(), revision);
        }
        assert!("2026-03-05".parse::<Revision>().is_err());
    }

    #[test]
    fn versions_that_nobody_can_support() {
        for never in ["1900-01-01", "2099-12-31", "not-a-version", "", "2025-11-25 ", "20251125"] {
            assert!(never_released(never), "{never}");
        }
        for perhaps in ["2024-10-07", "2025-11-25", "2027-01-01", "DRAFT-2026-v1", "2026-07-28-RC"] {
            assert!(!never_released(perhaps), "{perhaps}");
        }
    }

    #[test]
    fn completion_has_no_gate_in_the_oldest_revision() {
        assert_eq!(gate(Revision::V2024_11_05, "completion/complete"), None);
        assert_eq!(gate(V2025_03_26, "completion/complete"), Some(&["completions"][..]));
        assert_eq!(gate(V2025_06_18, "server/discover"), None);
    }

    #[test]
    fn method_names_are_unique() {
        for (position, method) in METHODS.iter().enumerate() {
            assert!(METHODS[position + 1..].iter().all(|other| other.name != method.name), "{}", method.name);
        }
    }
}
