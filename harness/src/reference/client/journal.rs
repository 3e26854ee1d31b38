//! What the user gets to see, within bounds.

use serde_json::{Value, json};

use super::Client;
use super::results::{Outcome, cut};
use crate::reference::message::Object;
use crate::user::Kind;

/// The most notes on standard error.
const MOST_NOTES: usize = 200;
/// The most finished wishes that are remembered.
const MOST_RESULTS: usize = 500;

/// What came of the wishes so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    notes: usize,
    results: Vec<Value>,
    errors: Vec<String>,
    updates: Vec<String>,
}

impl Journal {
    /// Whether one more note may be written.
    pub(super) fn may_note(&mut self) -> bool {
        self.notes += 1;
        self.notes <= MOST_NOTES
    }

    pub(super) fn keep(&mut self, done: &Object, outcome: Outcome) {
        if outcome.failed {
            self.complain(&outcome.text);
        }
        if self.results.len() < MOST_RESULTS {
            let kind = done.get("do").cloned().unwrap_or_default();
            self.results.push(json!({"do": kind, "failed": outcome.failed, "text": outcome.text}));
        }
    }

    /// Something that went wrong and belongs to no wish.
    pub(super) fn complain(&mut self, what: &str) {
        if self.errors.len() < MOST_RESULTS {
            self.errors.push(cut(what));
        }
    }

    /// A resource has changed.
    pub(super) fn update(&mut self, uri: &str) {
        if self.updates.len() < MOST_RESULTS {
            self.updates.push(cut(uri));
        }
    }
}

impl Client {
    /// What there is to see now.
    pub(super) fn surface(&self) -> Value {
        json!({
            "turncoat": "surface",
            "tools": self.listings.names(Kind::Tools),
            "prompts": self.listings.names(Kind::Prompts),
            "resources": self.listings.names(Kind::Resources),
            "templates": self.listings.names(Kind::Templates),
            "updates": self.journal.updates,
            "errors": self.journal.errors,
            "results": self.journal.results,
        })
    }
}
