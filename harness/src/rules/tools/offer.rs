//! Which tools the subject offered when, and what became of the calls.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use crate::revision::{Era, Revision, code};
use crate::rules::Breach;
use crate::schema::{Outcome, Shelf, Violation};
use crate::session::{Exchange, Message, Phase, Shape, Speaker, View};
use crate::wire::Value;

/// A list that was followed from its first page on.
#[derive(Debug)]
pub(in crate::rules) struct Walk<'s> {
    /// Its pages.
    pub(in crate::rules) pages: Vec<Exchange<'s>>,
    /// The names of its tools, in order.
    pub(in crate::rules) names: Vec<Cow<'s, str>>,
    /// Whether the last page was reached.
    pub(in crate::rules) complete: bool,
}

impl<'s> Walk<'s> {
    /// The answer with the last page.
    pub(in crate::rules) fn last(&self) -> Option<&'s Message<'s>> {
        self.pages.last().and_then(|page| page.answer())
    }

    /// The entries of its first and of its last answer. A change that was told before the first is in it.
    pub(in crate::rules) fn span(&self) -> (usize, usize) {
        let entry = |page: Option<&Exchange<'s>>| page.and_then(|page| page.answer()).map_or(0, |answer| answer.entry);
        (entry(self.pages.first()), entry(self.pages.last()))
    }
}

/// The walks through tools/list, in the order of their first pages.
pub(in crate::rules) fn walks<'s>(view: View<'s>) -> Vec<Walk<'s>> {
    let mut walks: Vec<Walk<'s>> = Vec::new();
    let mut awaited: HashMap<Cow<'s, str>, usize> = HashMap::new();
    for page in view.exchanges().filter(|exchange| exchange.is("tools/list")) {
        let Some(result) = page.result() else { continue };
        let walk = match page.param("cursor") {
            None => {
                walks.push(Walk { pages: Vec::new(), names: Vec::new(), complete: false });
                walks.len() - 1
            }
            Some(cursor) => match cursor.as_str().and_then(|cursor| awaited.remove(&cursor)) {
                Some(walk) => walk,
                None => continue,
            },
        };
        let next = result.member("nextCursor").filter(|next| !next.is_null());
        if let Some(next) = next.and_then(Value::as_str) {
            awaited.insert(next, walk);
        }
        if let Some(walk) = walks.get_mut(walk) {
            let tools = result.member("tools").into_iter().flat_map(Value::items);
            walk.names.extend(tools.filter_map(|tool| tool.member("name")?.as_str()));
            walk.pages.push(page);
            walk.complete = next.is_none();
        }
    }
    walks
}

/// The entries in which the subject says that its tools changed.
pub(in crate::rules) fn changes(view: View<'_>) -> Vec<usize> {
    let told = view.notifications_by(Speaker::Subject);
    told.filter(|told| told.is("notifications/tools/list_changed")).map(|told| told.entry).collect()
}

/// Whether one of these changes, which are in order, lies between two entries.
pub(in crate::rules) fn changed(changes: &[usize], from: usize, to: usize) -> bool {
    let first = changes.partition_point(|change| *change < from);
    changes.get(first).is_some_and(|change| *change <= to)
}

/// Every tool that was listed in a session.
#[derive(Debug)]
pub(in crate::rules) struct Offer<'s> {
    view: View<'s>,
    /// The descriptions of each name with the entries that they came in.
    tools: BTreeMap<Cow<'s, str>, Vec<(usize, Value<'s>)>>,
    /// The first and last entries of complete walks, in order.
    complete: Vec<(usize, usize)>,
    /// The entries that say that the list changed.
    changes: Vec<usize>,
}

impl<'s> Offer<'s> {
    pub(in crate::rules) fn of(view: View<'s>) -> Self {
        let mut tools: BTreeMap<Cow<'s, str>, Vec<(usize, Value<'s>)>> = BTreeMap::new();
        for (answer, tool) in view.listed("tools/list") {
            if let Some(name) = tool.member("name").and_then(Value::as_str) {
                tools.entry(name).or_default().push((answer.entry, tool));
            }
        }
        let complete = walks(view).into_iter().filter(|walk| walk.complete).map(|walk| walk.span()).collect();
        Self { view, tools, complete, changes: changes(view) }
    }

    /// The description of a tool that was in force at an entry.
    pub(in crate::rules) fn tool(&self, name: &str, at: usize) -> Option<Value<'s>> {
        let listed = self.tools.get(name)?;
        let later = listed.partition_point(|(entry, _)| *entry < at);
        listed.get(later.saturating_sub(1)).map(|(_, tool)| *tool)
    }

    /// The names that were listed.
    pub(in crate::rules) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(|name| &**name)
    }

    /// Whether no list of this session or of the control session has the name, and one of them was complete and still
    /// held when this call was made. The control session declared no capability of a client; what it was not offered,
    /// those who declare one may be.
    pub(in crate::rules) fn certainly_lacks(&self, name: &str, call: &Message<'s>) -> bool {
        let at = call.entry;
        let control = self.view.facts().lists.get("tools/list").filter(|_| self.view.is_of_the_run());
        if self.tools.contains_key(name) || control.is_some_and(|names| names.iter().any(|known| known == name)) {
            return false;
        }
        let like_control = self.view.client_capabilities(call).is_none_or(Value::is_empty);
        if control.is_some() && like_control && !changed(&self.changes, 0, at) {
            return true;
        }
        // The nearest walk on either side has the least time for a change.
        let after = self.complete.partition_point(|(first, _)| *first < at);
        let nearest = self.complete.iter().skip(after.saturating_sub(1)).take(2);
        nearest.into_iter().any(|(first, last)| !changed(&self.changes, at.min(*first), at.max(*last)))
    }

    /// The calls, in order.
    pub(in crate::rules) fn calls(&self) -> impl Iterator<Item = Call<'s>> {
        calls(self.view).map(|mut call| {
            call.tool = call.name.as_ref().and_then(|name| self.tool(name, call.exchange.request().entry));
            call
        })
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) enum Reply<'s> {
    /// A result without `isError: true`.
    Done(Value<'s>),
    /// A result with `isError: true`.
    Failed(Value<'s>),
    /// A JSON-RPC error, with its code if that is a whole number.
    Refused(Option<i64>),
    /// Nothing that settles the call: no answer, a task, a request for input.
    Open,
}

/// A tools/call.
#[derive(Debug)]
pub(in crate::rules) struct Call<'s> {
    pub(in crate::rules) exchange: Exchange<'s>,
    pub(in crate::rules) name: Option<Cow<'s, str>>,
    /// The tool as it was listed; none if it never was, or if nobody looked.
    pub(in crate::rules) tool: Option<Value<'s>>,
    pub(in crate::rules) reply: Reply<'s>,
    /// The first answer.
    pub(in crate::rules) answer: Option<&'s Message<'s>>,
}

/// The calls of a view, without their tools.
pub(in crate::rules) fn calls<'s>(view: View<'s>) -> impl Iterator<Item = Call<'s>> {
    view.exchanges().filter(|exchange| exchange.is("tools/call")).map(move |exchange| {
        let name = exchange.param("name").and_then(Value::as_str);
        let reply = reply(view.revision(), exchange);
        Call { exchange, name, tool: None, reply, answer: exchange.answer() }
    })
}

fn reply<'s>(revision: Revision, exchange: Exchange<'s>) -> Reply<'s> {
    let Some(answer) = exchange.answer().filter(|answer| answer.shape == Shape::Response) else { return Reply::Open };
    if answer.is_error() {
        return Reply::Refused(answer.error_code());
    }
    let Some(result) = exchange.result().filter(|result| result.is_object()) else { return Reply::Open };
    let open = match revision.era() {
        Era::Modern => {
            let other = result.member("resultType").is_some_and(|kind| !kind.is("complete"));
            other || result.member("inputRequests").is_some() || result.member("requestState").is_some()
        }
        Era::Legacy => result.member("task").is_some_and(Value::is_object) && result.member("content").is_none(),
    };
    match result.member("isError").and_then(Value::as_bool) {
        _ if open => Reply::Open,
        Some(true) => Reply::Failed(result),
        _ => Reply::Done(result),
    }
}

impl<'s> Call<'s> {
    /// A breach that the answer shows, told after the call.
    pub(in crate::rules) fn breach(&self, what: impl Into<String>) -> Breach {
        let request = self.exchange.request();
        match self.answer {
            Some(answer) => Breach::at(answer, what).after(request),
            None => Breach::at(request, what),
        }
    }

    /// Whether the call was made in the phase that tools are for.
    pub(in crate::rules) fn in_operation(&self) -> bool {
        self.exchange.request().phase == Phase::Operating
    }

    /// The arguments: none given are no arguments. `None` if they are no object, or too deep to look into.
    pub(in crate::rules) fn arguments(&self) -> Option<Json> {
        match self.exchange.param("arguments") {
            None => Some(json!({})),
            Some(arguments) if arguments.is_object() => arguments.to_tree(),
            Some(_) => None,
        }
    }

    /// The input schema of the tool.
    pub(in crate::rules) fn input_schema(&self) -> Option<Value<'s>> {
        self.tool?.member("inputSchema").filter(|schema| schema.is_object())
    }

    /// What the arguments break in the input schema; none if nothing, or if that cannot be told.
    pub(in crate::rules) fn violations(&self, shelf: &mut Shelf<'s>) -> Option<Vec<Violation>> {
        match shelf.check(self.input_schema()?, &self.arguments()?).outcome {
            Outcome::Invalid(violations) => Some(violations),
            _ => None,
        }
    }

    /// Whether the arguments satisfy the input schema for certain.
    pub(in crate::rules) fn is_valid(&self, shelf: &mut Shelf<'s>) -> bool {
        let compared = self.input_schema().zip(self.arguments());
        compared.is_some_and(|(schema, arguments)| shelf.check(schema, &arguments).outcome == Outcome::Valid)
    }

    /// Whether the call was refused for a reason that has nothing to do with its tool or arguments.
    pub(in crate::rules) fn refused_otherwise(&self) -> bool {
        let Reply::Refused(Some(refused)) = self.reply else { return false };
        // A server may not run the tool as a task.
        let as_task = self.exchange.param("task").is_some() && refused != code::INVALID_PARAMS;
        let codes = [
            code::HEADER_MISMATCH,
            code::MISSING_CLIENT_CAPABILITY,
            code::UNSUPPORTED_PROTOCOL_VERSION,
            code::URL_ELICITATION_REQUIRED,
        ];
        as_task || codes.contains(&refused)
    }
}

/// The content blocks of a result.
pub(in crate::rules) fn blocks<'s>(result: Value<'s>) -> impl Iterator<Item = Value<'s>> {
    result.member("content").into_iter().flat_map(Value::items)
}
