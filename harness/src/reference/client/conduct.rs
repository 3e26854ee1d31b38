//! What a reference client is like: revisions, capabilities, habits, faults.

use serde_json::{Value, json};

use super::fault::{CLIENT_FAULTS, ClientFault};
use crate::reference::message::{Object, object};
use crate::reference::{Temper, UnknownFault};
use crate::revision::{Revision, Revisions, Side};

/// The character of one client. The default is the honest client that speaks all five revisions and declares every
/// capability.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// The revisions it speaks.
    pub revisions: Revisions,
    /// What it declares, and serves.
    pub declares: Declares,
    /// How it treats what it is free to refuse or to tolerate.
    pub temper: Temper,
    /// What its user does when asked.
    pub host: Host,
    /// Where it departs from the usual way where a clause leaves a choice.
    pub habits: Vec<Habit>,
    faults: Vec<ClientFault>,
}

/// What the user and the surroundings of a client do when the server wants something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Host {
    /// Whatever is asked.
    #[default]
    Willing,
    /// Nothing: forms are declined, and the model may not be asked.
    Declining,
    /// Nothing: forms are dismissed, and the model may not be asked.
    Dismissing,
    /// The folders cannot be found out.
    Failing,
}

/// A permitted way that differs from the default; the number is that of the trap in the notes on the specification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Habit {
    /// 1: an error to `initialize` that lists versions is followed by an `initialize` with one of them.
    OffersAnother,
    /// 5: a ping follows `initialize` at once.
    PingsInHandshake,
    /// 18: input that the server requires is never given.
    NeverRetries,
    /// 20: what cannot be read is answered by an error, in a legacy session.
    AnswersGarbage,
    /// 26: an empty cursor ends a list, in a legacy session.
    EmptyCursorEnds,
    /// 28: messages travel in arrays of one in 2025-03-26.
    SendsBatches,
    /// 28: arrays get one error, in a legacy session without batches.
    RefusesArrays,
    /// 51: a modern server that supports legacy versions only is given up.
    LeavesLegacyListed,
    /// 71: request ids are strings.
    StringIds,
    /// 74: an elicitation is declined by itself where none was declared.
    DeclinesUndeclared,
    /// 75: capabilities that no revision knows are declared too.
    ExtraCapabilities,
    /// 78: a modern result without a type is refused.
    NeedsResultType,
    /// 82: `notifications/initialized` is sent twice.
    InitializedTwice,
    /// A client of the modern era does not probe: no variant, since the probe is recommended.
    NoProbe,
    /// No result is kept.
    NoCache,
    /// No call asks for progress.
    NoProgress,
    /// The members of a form that may be left out are filled in.
    FillsEverything,
    /// Modern features are used whether the server declares them or not.
    UsesUndeclared,
    /// A server that has ended is not started again.
    NeverRestarts,
    /// The ids of requests begin anew with each process of the server.
    CountsAnew,
    /// 35: icons are fetched, by http too.
    ShowsIcons,
    /// Where the user accepts to go to a URL, it is opened.
    OpensUrls,
}

/// What a client declares, and serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Declares {
    /// Folders that the server may know of.
    pub roots: bool,
    /// News of these folders, in the legacy era.
    pub roots_changed: bool,
    /// A model that answers.
    pub sampling: bool,
    /// A model that uses tools.
    pub sampling_tools: bool,
    /// A user who fills in forms.
    pub form: bool,
    /// A user who goes to URLs.
    pub url: bool,
}

impl Declares {
    /// Every capability.
    pub const ALL: Self =
        Self { roots: true, roots_changed: true, sampling: true, sampling_tools: true, form: true, url: true };
    /// No capability.
    pub const NONE: Self =
        Self { roots: false, roots_changed: false, sampling: false, sampling_tools: false, form: false, url: false };

    /// The capabilities in the shape of this revision.
    pub(super) fn written(&self, revision: Revision) -> Object {
        let mut all = Object::new();
        if self.roots {
            let changed = self.roots_changed && revision < Revision::V2026_07_28;
            all.insert("roots".into(), if changed { json!({"listChanged": true}) } else { json!({}) });
        }
        if self.sampling {
            let tools = self.sampling_tools && revision >= Revision::V2025_11_25;
            all.insert("sampling".into(), if tools { json!({"tools": {}}) } else { json!({}) });
        }
        let modes = [("form", self.form), ("url", self.url && revision >= Revision::V2025_11_25)];
        if revision >= Revision::V2025_06_18 && modes.iter().any(|(_, has)| *has) {
            let named = |(name, has): &(&str, bool)| has.then(|| ((*name).to_owned(), json!({})));
            let modes: Object = if revision >= Revision::V2025_11_25 {
                modes.iter().filter_map(named).collect()
            } else {
                Object::new()
            };
            all.insert("elicitation".into(), Value::Object(modes));
        }
        all
    }
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            revisions: Revisions::ALL,
            declares: Declares::ALL,
            temper: Temper::default(),
            host: Host::default(),
            habits: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Conduct {
    /// An honest client of these revisions.
    #[must_use]
    pub fn of(revisions: Revisions) -> Self {
        Self { revisions, ..Self::default() }
    }

    /// The same client with one more habit.
    #[must_use]
    pub fn given_to(mut self, habit: Habit) -> Self {
        self.habits.push(habit);
        self
    }

    /// The same client with one more fault, by its id in [`CLIENT_FAULTS`].
    ///
    /// # Errors
    ///
    /// When no fault has this id.
    pub fn with_fault(mut self, id: &str) -> Result<Self, UnknownFault> {
        let found = CLIENT_FAULTS
            .iter()
            .find(|info| info.id == id)
            .ok_or_else(|| UnknownFault { id: id.to_owned(), side: Side::Client })?;
        self.faults.push(found.fault);
        found.fault.prepare(&mut self);
        Ok(self)
    }

    /// Whether the client has no fault.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.faults.is_empty()
    }

    /// The same client without its faults, but with what they need in order to show.
    #[cfg(test)]
    pub(super) fn reformed(mut self) -> Self {
        self.faults.clear();
        self
    }

    pub(super) fn faults(&self) -> &[ClientFault] {
        &self.faults
    }

    pub(super) fn faulty(&self, fault: ClientFault) -> bool {
        self.faults.contains(&fault)
    }

    /// The capabilities in the shape of this revision.
    pub(super) fn capabilities(&self, revision: Revision) -> Object {
        let mut declared = self.declares.written(revision);
        if self.habits.contains(&Habit::ExtraCapabilities) {
            declared.insert("x-unknown".into(), json!({"a": [1]}));
            declared.insert("experimental".into(), json!({"com.example/x": {}}));
        }
        declared
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

    /// What the client says about itself.
    pub(super) fn identity() -> Value {
        Value::Object(object(json!({"name": "turncoat-reference-client", "version": env!("CARGO_PKG_VERSION")})))
    }
}
