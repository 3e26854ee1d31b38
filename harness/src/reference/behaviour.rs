//! What a reference server is like: revisions, features, temper, readings of ambiguous clauses, faults.

use super::fault::{FAULTS, Fault, HttpFault};
use super::http::HttpReading;
use crate::revision::{Revision, Revisions, Side};

/// The character of one server. The default is the honest server that speaks all five revisions and has every feature.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The revisions it speaks.
    pub revisions: Revisions,
    /// What it offers and declares.
    pub features: Features,
    /// How it treats what it is free to refuse or to tolerate.
    pub temper: Temper,
    /// Where it departs from the usual reading of a clause that leaves a choice.
    pub readings: Vec<Reading>,
    /// Where it departs from the usual way of speaking HTTP.
    pub http: Vec<HttpReading>,
    faults: Vec<Fault>,
}

/// What a server offers and declares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Features {
    /// Tools, and whether changes of their list are announced.
    pub tools: Offer,
    /// Prompts, and whether changes of their list are announced.
    pub prompts: Offer,
    /// Resources, and whether changes of their list are announced.
    pub resources: Offer,
    /// Updates of single resources.
    pub subscribe: bool,
    /// Completion of arguments.
    pub completions: bool,
    /// Log messages.
    pub logging: bool,
    /// Calls as tasks, in 2025-11-25.
    pub tasks: bool,
    /// The tool `odd-dialect`, whose schema is in a dialect that nobody knows.
    pub odd_dialect: bool,
    /// Items per page of every list.
    pub page: usize,
}

/// How far a feature with a list goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offer {
    /// Not offered and not declared.
    Absent,
    /// Offered; changes of the list are not announced.
    Quiet,
    /// Offered; changes of the list are announced.
    Announced,
}

impl Offer {
    /// Whether the feature is there at all.
    #[must_use]
    pub const fn present(self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// How a server treats what the specification lets it refuse or tolerate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Temper {
    /// Tolerates whatever it may tolerate.
    Lenient,
    /// Neither picky nor generous.
    #[default]
    Even,
    /// Refuses whatever it may refuse.
    Strict,
}

/// A permitted reading of an ambiguous clause that differs from the default; the number is that of the trap in the
/// notes on the specification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// 1: `initialize` with an unsupported version is refused.
    VersionError,
    /// 5: requests between `initialize` and `initialized` are refused.
    EarlyRefused,
    /// 5: requests before `initialize` get no answer.
    EarlySilent,
    /// 5: requests before `initialize` are served in the newest legacy revision.
    EarlyServed,
    /// 5: a second `initialize` starts the session anew.
    Renegotiates,
    /// 9: `initialize` for a modern version is refused.
    ModernInitializeRefused,
    /// 14: an undeclared feature answers its list with nothing in it.
    EmptyLists,
    /// 20: no id in the answer to a line that cannot be read.
    AbsentId,
    /// 20: a null id in the answer to a line that cannot be read.
    NullId,
    /// 20: no answer to a line that cannot be read.
    SilentOnGarbage,
    /// 22: an unknown tool is a tool error.
    UnknownToolAsResult,
    /// 23: bad arguments are reported in the way of the other revisions.
    OtherArgumentErrors,
    /// 25: legacy results carry members of the modern revision.
    ModernMembersInLegacy,
    /// 26: the cursor of the second page is the empty string.
    EmptyCursor,
    /// 27: the result of a ping has `_meta`.
    PingMeta,
    /// 28: an array is answered by an array in every legacy revision.
    ArrayAnswered,
    /// 28: an array gets no answer where batches do not exist.
    ArrayIgnored,
    /// 30: an update names a part of the resource that was subscribed to.
    SubResourceUpdates,
    /// 31: templates come on one page.
    TemplatesOnOnePage,
    /// 33: an elicitation schema has a `pattern`.
    ElicitationPattern,
    /// 34: annotations of an embedded resource are inside it.
    AnnotationsInside,
    /// 35: an icon has a plain `http` source.
    HttpIcon,
    /// 45: a subscription ends with its result only.
    EndByResult,
    /// 45: a subscription ends with a cancellation only.
    EndByCancellation,
    /// 46: `slow` cannot be cancelled in a legacy session.
    Uncancellable,
    /// 50: a legacy version inside modern metadata is served like the modern one.
    LegacyVersionInMeta,
    /// 51: the supported versions include legacy ones.
    ListsLegacyVersions,
    /// 57: `subscriptions/listen` is unknown where no change is announced.
    ListenUnknown,
    /// 59: no request state, only input requests.
    NoRequestState,
    /// 62: results do not name the server.
    NoServerInfo,
    /// 65: `ping` is answered in the modern era too.
    ModernPing,
    /// 66: the time to live is written with a fraction.
    FractionalTtl,
    /// 69: a first message without modern metadata is judged as a modern one.
    MissingMetaIsModern,
    /// 75: capabilities that no revision knows are declared too.
    ExtraCapabilities,
    /// 76: the acknowledgment says `false` for what it does not grant.
    FalseInAcknowledgement,
    /// 76: a subscription ends after its first notification.
    ShortSubscriptions,
    /// 80: modern requests are refused while a legacy session is open.
    OneEraAtATime,
    /// 81: `resources/templates/list` is unknown.
    NoTemplates,
    /// A tool that lacks a client capability says so in its result instead of -32021.
    MissingCapabilityAsResult,
}

/// A fault id that names no fault.
#[derive(Debug, thiserror::Error)]
#[error("unknown fault {id:?} of the reference {side}")]
pub struct UnknownFault {
    /// What was asked for.
    pub id: String,
    /// The side that has no such fault.
    pub side: Side,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            tools: Offer::Announced,
            prompts: Offer::Announced,
            resources: Offer::Announced,
            subscribe: true,
            completions: true,
            logging: true,
            tasks: true,
            odd_dialect: false,
            page: 3,
        }
    }
}

impl Features {
    /// No feature at all.
    pub const NONE: Self = Self {
        tools: Offer::Absent,
        prompts: Offer::Absent,
        resources: Offer::Absent,
        subscribe: false,
        completions: false,
        logging: false,
        tasks: false,
        odd_dialect: false,
        page: 3,
    };

    /// Whether any change is announced.
    pub(super) fn announces(&self) -> bool {
        [self.tools, self.prompts, self.resources].contains(&Offer::Announced) || self.subscribe
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            revisions: Revisions::ALL,
            features: Features::default(),
            temper: Temper::default(),
            readings: Vec::new(),
            http: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Behaviour {
    /// An honest server of these revisions.
    #[must_use]
    pub fn of(revisions: Revisions) -> Self {
        Self { revisions, ..Self::default() }
    }

    /// The same server with one more reading.
    #[must_use]
    pub fn reading(mut self, reading: Reading) -> Self {
        self.readings.push(reading);
        self
    }

    /// The same server with one more fault, by its id in [`FAULTS`].
    ///
    /// # Errors
    ///
    /// When no fault has this id.
    pub fn with_fault(mut self, id: &str) -> Result<Self, UnknownFault> {
        let found = FAULTS
            .iter()
            .find(|info| info.id == id)
            .ok_or_else(|| UnknownFault { id: id.to_owned(), side: Side::Server })?;
        self.faults.push(found.fault);
        found.fault.prepare(&mut self);
        Ok(self)
    }

    /// Whether the server has this fault.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        FAULTS.iter().any(|info| info.id == id && self.faults.contains(&info.fault))
    }

    /// Whether the server has no fault.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.faults.is_empty()
    }

    /// The same server without its faults, but with what they need in order to show.
    #[cfg(test)]
    pub(super) fn reformed(mut self) -> Self {
        self.faults.clear();
        self
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(super) fn faulty(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    pub(super) fn fails(&self, fault: HttpFault) -> bool {
        self.faulty(Fault::Http(fault))
    }

    /// The faults of HTTP that show in this revision.
    pub(super) fn http_faults(&self, revision: Revision) -> Vec<HttpFault> {
        let shown = self.faults.iter().filter(|fault| fault.revisions().has(revision));
        shown.filter_map(|fault| if let Fault::Http(fault) = fault { Some(*fault) } else { None }).collect()
    }

    pub(super) fn reads(&self, reading: Reading) -> bool {
        self.readings.contains(&reading)
    }

    pub(super) fn modern(&self) -> bool {
        self.revisions.has(Revision::V2026_07_28)
    }

    /// The legacy revisions it speaks.
    pub(super) fn legacy(&self) -> Revisions {
        self.revisions.and(Revisions::LEGACY)
    }

    pub(super) fn newest_legacy(&self) -> Option<Revision> {
        self.legacy().iter().next_back()
    }
}
