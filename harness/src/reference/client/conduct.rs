//! What a reference client is like: revisions, capabilities, habits, faults.

use serde_json::{Value, json};

use crate::reference::message::{Object, object};
use crate::revision::{Revision, Revisions};

/// The character of one client. The default is the honest client that speaks all five revisions and declares every
/// capability.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// The revisions it speaks.
    pub revisions: Revisions,
    /// What it declares, and serves.
    pub declares: Declares,
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
        Self { revisions: Revisions::ALL, declares: Declares::ALL }
    }
}

impl Conduct {
    /// An honest client of these revisions.
    #[must_use]
    pub fn of(revisions: Revisions) -> Self {
        Self { revisions, ..Self::default() }
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
