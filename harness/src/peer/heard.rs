//! What the peer remembers of what the subject said.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value as Json;

use crate::revision::{Era, LISTS, Revision};
use crate::session::Message;
use crate::wire::Value;

/// The most items of a kind that are remembered.
const MOST_ITEMS: usize = 10_000;

/// What the peer remembers of what the subject said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) cursors: BTreeMap<String, String>,
    /// The first description of each item.
    pub(super) items: BTreeMap<&'static str, Vec<Json>>,
    pub(super) names: HashSet<(&'static str, String)>,
    pub(super) state: Option<String>,
    /// The keys and methods of the input that the subject last asked for by a result.
    pub(super) inputs: Vec<(String, String)>,
    /// The tasks that the subject made, in order.
    pub(super) tasks: Vec<String>,
    /// The JSON text of the id under which the subject last asked something.
    pub(super) asked: Option<String>,
    /// The JSON texts of the first ids under which the subject asked something, in order.
    pub(super) ids: Vec<String>,
    /// The JSON texts of the ids under which the subject asked for news, in order.
    pub(super) listening: Vec<String>,
    /// How often the subject asked something.
    pub(super) requests: u64,
    /// Host and port of the address that nobody is to call.
    pub(super) canary: Option<String>,
    /// A modern version other than the run's that the subject says it supports.
    pub(super) version: Option<String>,
}

impl Heard {
    /// Takes what later steps may refer to from an answer. The revision is that of the run.
    pub(super) fn remember(&mut self, revision: Revision, answer: &Message<'_>) {
        let listed = answer.result().and_then(|result| result.member("supportedVersions"));
        let supported = || answer.error()?.path(&["data", "supported"]);
        for version in listed.or_else(supported).into_iter().flat_map(Value::items).filter_map(Value::as_str) {
            let modern = *version > *revision.as_str() && revision.era() == Era::Modern;
            if modern && version.len() == revision.as_str().len() {
                self.version = Some(version.into_owned());
            }
        }
        let Some(result) = answer.result() else { return };
        if let Some(state) = result.member("requestState").and_then(|state| state.as_str()) {
            self.state = Some(state.into_owned());
        }
        if let Some(inputs) = result.member("inputRequests") {
            let method = |input: Value<'_>| Some(input.member("method")?.as_str()?.into_owned());
            let asked = inputs.members().filter_map(|(key, input)| Some((key.into_owned(), method(input)?)));
            self.inputs = asked.collect();
        }
        if let Some(task) = result.path(&["task", "taskId"]).and_then(|task| task.as_str()) {
            self.tasks.push(task.into_owned());
        }
        for (method, member, key) in LISTS {
            let Some(items) = result.member(member) else { continue };
            let known = self.items.entry(member).or_default();
            for item in items.items().take(MOST_ITEMS.saturating_sub(known.len())) {
                let name = item.member(key).map_or_else(String::new, |name| name.raw().to_owned());
                if self.names.insert((member, name)) {
                    known.extend(item.to_tree());
                }
            }
            if let Some(cursor) = result.member("nextCursor").and_then(|cursor| cursor.as_str()) {
                self.cursors.insert((*method).to_owned(), cursor.into_owned());
            }
        }
    }
}
