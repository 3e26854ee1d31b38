//! Tasks, an experiment of 2025-11-25: requests whose answer is fetched later.
//!
//! - `making`: which calls become tasks, and what is said of a new one
//! - `following`: its status from then on
//! - `ending`: cancellation
//! - `fetching`: its result, and what is asked of the client meanwhile
//! - `requesting`: what a client makes of tasks

use std::borrow::Cow;
use std::collections::HashMap;

use super::Rule;
use crate::revision::{Revision, Revisions, meta};
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

mod ending;
mod fetching;
mod following;
mod making;
mod requesting;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &making::REQUIRED_ENFORCED,
    &making::FORBIDDEN_REFUSED,
    &making::UNDECLARED_IGNORED,
    &making::CREATE_RESULT,
    &following::STATUS_TRANSITIONS,
    &following::UNKNOWN_TASK,
    &following::ID_PARAMETER_WINS,
    &following::LIST,
    &following::RESPONSE_FIELDS,
    &ending::CANCEL_TERMINAL_REFUSED,
    &ending::CANCEL_TAKES_EFFECT,
    &fetching::RESULT_BLOCKS,
    &fetching::RESULT_FAITHFUL,
    &fetching::RELATED_METADATA,
    &fetching::INPUT_REQUIRED_STATUS,
    &requesting::NO_AUGMENT_UNDECLARED,
    &requesting::TOOL_SUPPORT_RESPECTED,
    &requesting::POLLS,
    &requesting::CANCELS,
    &requesting::FETCHES_ON_INPUT_REQUIRED,
];

/// The one revision that has tasks.
const ONLY_11: Revisions = Revisions::of(&[Revision::V2025_11_25]);

/// More of anything in one session is not looked at.
const MOST: usize = 256;

const UNTESTED: &str =
    "no call became a task; name a tool that may be called as a task in the subject file, under `task`";

/// What a tool says of tasks in its latest description.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Support {
    Forbidden,
    Optional,
    Required,
}

/// What the tools that were listed say of tasks.
fn supports(view: View<'_>) -> HashMap<Cow<'_, str>, Support> {
    view.listed("tools/list")
        .filter_map(|(_, tool)| {
            let said = tool.path(&["execution", "taskSupport"]);
            let says = |word: &str| said.is_some_and(|said| said.is(word));
            let support = if says("required") {
                Support::Required
            } else if says("optional") {
                Support::Optional
            } else {
                Support::Forbidden
            };
            Some((tool.member("name")?.as_str()?, support))
        })
        .collect()
}

/// Whether the server declared a capability of tasks; none if its declaration was never seen.
fn declares(view: View<'_>, path: &[&str]) -> Option<bool> {
    view.server_declares(&[&["tasks"], path].concat())
}

/// Whether calls of tools may become tasks here.
fn takes_calls(view: View<'_>) -> Option<bool> {
    declares(view, &["requests", "tools", "call"])
}

/// The calls of tools, each with whether it is to become a task.
fn calls(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, bool)> {
    view.exchanges().filter(|exchange| exchange.is("tools/call") && exchange.request().is_sound()).filter_map(
        |exchange| match exchange.param("task") {
            None => Some((exchange, false)),
            Some(task) if task.is_object() => Some((exchange, true)),
            Some(_) => None,
        },
    )
}

fn same_call(one: Exchange<'_>, other: Exchange<'_>) -> bool {
    ["name", "arguments"].into_iter().all(|key| match (one.param(key), other.param(key)) {
        (None, None) => true,
        (Some(one), Some(other)) => one.same(other),
        _ => false,
    })
}

/// Where a task was described.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    Made,
    Got,
    Cancelled,
    Listed,
    Noticed,
}

/// What a message of the subject says of a task.
struct Sighting<'s> {
    message: &'s Message<'s>,
    /// The entry of the request that it answers, or its own: what was true at some moment since.
    since: usize,
    source: Source,
    task: Value<'s>,
}

impl<'s> Sighting<'s> {
    fn id(&self) -> Option<Cow<'s, str>> {
        self.task.member("taskId")?.as_str()
    }

    fn is(&self, id: &str) -> bool {
        self.task.member("taskId").is_some_and(|own| own.is(id))
    }

    fn has_status(&self, status: &str) -> bool {
        self.task.member("status").is_some_and(|own| own.is(status))
    }

    fn is_terminal(&self) -> bool {
        ["completed", "failed", "cancelled"].into_iter().any(|status| self.has_status(status))
    }
}

/// Everything that the subject said of its own tasks, in order.
fn sightings(view: View<'_>) -> Vec<Sighting<'_>> {
    let answered = view.exchanges().flat_map(|exchange| {
        let source = match exchange.method() {
            "tools/call" if exchange.param("task").is_some_and(Value::is_object) => Some(Source::Made),
            "tasks/get" => Some(Source::Got),
            "tasks/cancel" => Some(Source::Cancelled),
            "tasks/list" => Some(Source::Listed),
            _ => None,
        };
        let said = source.and_then(|source| Some((source, exchange.answer()?, exchange.result()?)));
        said.into_iter().flat_map(move |(source, message, result)| {
            let (one, many) = match source {
                Source::Made => (result.member("task"), None),
                Source::Listed => (None, result.member("tasks").filter(|tasks| tasks.is_array())),
                _ => (Some(result), None),
            };
            let tasks = one.into_iter().chain(many.into_iter().flat_map(Value::items));
            tasks.map(move |task| Sighting { message, since: exchange.request().entry, source, task })
        })
    });
    let noticed = view
        .notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/tasks/status"))
        .filter_map(|message| {
            Some(Sighting { message, since: message.entry, source: Source::Noticed, task: message.params()? })
        });
    let mut all: Vec<_> = answered.chain(noticed).filter(|sighting| sighting.task.is_object()).take(MOST * 4).collect();
    all.sort_by_key(|sighting| sighting.message.entry);
    all
}

/// The task that the metadata of a message names.
fn related<'s>(message: &Message<'s>) -> Option<Cow<'s, str>> {
    let metadata = message.params().or_else(|| message.result())?.member("_meta")?;
    metadata.member(meta::RELATED_TASK)?.member("taskId")?.as_str()
}

/// The id that a request about a task names.
fn target(exchange: Exchange<'_>) -> Option<Cow<'_, str>> {
    exchange.param("taskId").and_then(Value::as_str)
}
