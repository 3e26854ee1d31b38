//! Calling tools: those that a vendor names, and those whose schemas say how.

use serde_json::{Map, Value as Json, json};

use super::{Peer, Task, annotated, fill};
use crate::arguments;
use crate::revision::Era;
use crate::script::{Fixture, Say, What};

/// The most tools that a step `call` with `each` calls.
const MOST_TOOLS: usize = 40;

impl Peer<'_> {
    /// Whether a step `call` must wait until the tools are listed.
    pub(super) fn needs_tools(&self, say: &Say) -> bool {
        let What::Call { tool, spoil, .. } = &say.what else { return false };
        // Over HTTP a modern client must know which arguments belong into header lines.
        let mirrors = self.part.endpoint.is_some() && self.part.revision.era() == Era::Modern;
        let by_schema = matches!(tool.as_str(), "any" | "each" | "mirrored") || spoil.is_some() || mirrors;
        by_schema && !self.heard.items.contains_key("tools")
    }

    /// Turns a step `call` into requests, now that the tools are known.
    pub(super) fn plan_calls(&mut self, say: Say) {
        let What::Call { tool, text, arguments, spoil, mirrored, id, progress, edits } = &say.what else { return };
        let tools = self.heard.items.get("tools").map(Vec::as_slice).unwrap_or_default();
        let listed = |name: &str| tools.iter().find(|tool| tool["name"] == name);
        let mut chosen: Vec<(String, Map<String, Json>)> = Vec::new();
        let spoilt = |schema: &Json| match spoil {
            Some(spoil) => arguments::spoilt(schema, *spoil),
            None => arguments::valid(schema),
        };
        if matches!(tool.as_str(), "any" | "each" | "mirrored") {
            let most = if tool == "each" { MOST_TOOLS } else { 1 };
            // What the vendor calls a tool with beats what its schema would allow.
            let named = |name: &str| {
                let fixture = self.part.fixtures.values().find(|fixture| fixture.tool.as_deref() == Some(name));
                fixture.filter(|_| spoil.is_none()).map(|fixture| told(fixture.arguments.clone(), text.as_deref()))
            };
            let mirrors = tool == "mirrored";
            let allowed = |tool: &Json| {
                self.part.call_tools
                    || is_safe(tool)
                    || (mirrors && tool["name"].as_str().is_some_and(|name| named(name).is_some()))
            };
            let callable = tools.iter().filter(|tool| allowed(tool));
            chosen.extend(
                callable
                    .filter_map(|tool| {
                        let name = tool["name"].as_str()?;
                        let own = named(name).or_else(|| spoilt(&tool["inputSchema"]))?;
                        let own = if mirrors { annotated::varied(tool, own, *mirrored)? } else { own };
                        Some((name.to_owned(), own))
                    })
                    .take(most),
            );
        } else if let Some(Fixture { tool: Some(name), arguments, .. }) = self.part.fixtures.get(tool) {
            let own = match (spoil, listed(name)) {
                (None, _) => Some(told(arguments.clone(), text.as_deref())),
                (Some(_), Some(tool)) => spoilt(&tool["inputSchema"]),
                (Some(_), None) => None,
            };
            chosen.extend(own.map(|arguments| (name.clone(), arguments)));
        }
        let calls: Vec<Task> = chosen
            .into_iter()
            .map(|(name, mut own)| {
                own.extend(arguments.clone());
                let mut edits = edits.clone();
                for value in edits.set.values_mut().filter(|value| **value == "${tool-upper}") {
                    // Of the tool that is called here, which is safe, and not of the first one that is listed.
                    *value = fill::other_case(&name).map_or(Json::Null, Json::from);
                }
                let what = What::Request {
                    method: "tools/call".to_owned(),
                    params: Some(json!({"name": name, "arguments": own})),
                    id: id.clone(),
                    progress: progress.clone(),
                    edits,
                };
                Task::Say(Say { what, ..say.clone() })
            })
            .collect();
        calls.into_iter().rev().for_each(|call| self.tasks.push_front(call));
    }
}

/// The arguments with a text in the place that a fixture leaves open.
fn told(mut arguments: Map<String, Json>, text: Option<&str>) -> Map<String, Json> {
    for argument in arguments.values_mut().filter(|argument| **argument == "${text}") {
        *argument = Json::from(text.unwrap_or("a text"));
    }
    arguments
}

/// Whether a tool says of itself that it only reads, and nothing of the open world.
fn is_safe(tool: &Json) -> bool {
    let hints = &tool["annotations"];
    hints["readOnlyHint"] == true && hints["openWorldHint"] != true && hints["destructiveHint"] != true
}
