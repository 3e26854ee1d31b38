//! The tools: what they are called, what they take, in which revisions and with which features they exist.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::declare::icons;
use super::fault::Fault;
use super::fixture;
use super::lists::in_revision;
use super::message::object;
use super::server::Server;
use super::tasks;
use crate::revision::Revision;

mod run;

pub(super) use run::{error_result, text_result};

/// The member of a property that wants its value repeated in a header.
const MIRRORED: &str = "x-mcp-header";

/// A tool as it is offered.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    about: &'static str,
    since: Revision,
    /// The feature without which there is no such tool; empty for none.
    needs: &'static str,
    schema: Value,
    output: Option<Value>,
    hints: Hints,
    /// `None` for a schema whose dialect is unknown here.
    pub(super) validator: Option<Validator>,
}

#[derive(Clone, Copy, Debug)]
enum Hints {
    /// Reads and changes nothing.
    ReadOnly,
    /// Changes something here, again with every call.
    Changes,
    /// Asks somebody.
    Asks,
}

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(table);

static ITEMS: LazyLock<[Vec<(&'static Tool, Value)>; 5]> = LazyLock::new(|| {
    Revision::ALL.map(|revision| {
        let known = TOOLS.iter().filter(|tool| match tool.name {
            fixture::TASK_ONLY => revision == Revision::V2025_11_25,
            _ => tool.since <= revision,
        });
        known.map(|tool| (tool, tool.item(revision))).collect()
    })
});

impl Tool {
    fn item(&self, revision: Revision) -> Value {
        let (read_only, idempotent, open) = match self.hints {
            Hints::ReadOnly => (true, true, false),
            Hints::Changes => (false, false, false),
            Hints::Asks => (true, false, true),
        };
        let mut item = object(json!({
            "name": self.name,
            "title": self.name.replace('-', " "),
            "description": self.about,
            "inputSchema": self.schema,
            "annotations": {
                "readOnlyHint": read_only,
                "destructiveHint": false,
                "idempotentHint": idempotent,
                "openWorldHint": open,
            },
        }));
        if let Some(output) = &self.output {
            item.insert("outputSchema".into(), output.clone());
        }
        if let Some(support) = tasks::support(self.name).filter(|_| revision == Revision::V2025_11_25) {
            item.insert("execution".into(), json!({"taskSupport": support}));
        }
        if self.name == fixture::MEDIA {
            item.insert("icons".into(), icons(false));
        }
        in_revision(item, revision)
    }
}

impl Server {
    /// The tools of this moment, in their order.
    pub(super) fn tool_items(&self, revision: Revision) -> Vec<&'static Value> {
        let all = ITEMS[revision as usize].iter();
        all.filter(|(tool, _)| self.has_tool(tool)).map(|(_, item)| item).collect()
    }

    /// The tool of this name.
    pub(super) fn tool(&self, revision: Revision, name: &str) -> Option<&'static Tool> {
        let name = if name == "count them" && self.faulty(Fault::SpacedToolName) { fixture::COUNT } else { name };
        let same = |tool: &Tool| match self.faulty(Fault::ForgetsCase) {
            true => tool.name.eq_ignore_ascii_case(name),
            false => tool.name == name,
        };
        let all = ITEMS[revision as usize].iter();
        all.map(|(tool, _)| *tool).find(|tool| same(tool) && self.has_tool(tool))
    }

    fn has_tool(&self, tool: &Tool) -> bool {
        match tool.name {
            fixture::EXTRA => self.changed.extra_tool,
            fixture::TASK_ONLY => self.offers("tasks"),
            fixture::ODD_DIALECT => self.behaviour.features.odd_dialect,
            _ => tool.needs.is_empty() || self.offers(tool.needs),
        }
    }
}

/// The arguments of a tool that are to be repeated in headers: the way to each, and what its header is called.
pub(super) fn mirrored(revision: Revision, name: &str) -> Vec<(Vec<&'static str>, &'static str)> {
    let mut found = Vec::new();
    if let Some((tool, _)) = ITEMS[revision as usize].iter().find(|(tool, _)| tool.name == name) {
        annotated(&tool.schema, &mut Vec::new(), &mut found);
    }
    found
}

fn annotated(schema: &'static Value, way: &mut Vec<&'static str>, found: &mut Vec<(Vec<&'static str>, &'static str)>) {
    if let Some(header) = schema.get(MIRRORED).and_then(Value::as_str) {
        found.push((way.clone(), header));
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        way.push(name);
        annotated(property, way, found);
        way.pop();
    }
}

fn table() -> Vec<Tool> {
    use Hints::{Asks, Changes, ReadOnly};
    use Revision::{V2025_11_25, V2026_07_28};
    let oldest = Revision::V2024_11_05;
    let nothing = || json!({"type": "object", "properties": {}});
    let number = || json!({"type": "number"});
    let sum = json!({"type": "object", "properties": {"sum": number()}, "required": ["sum"]});
    let mut tools = Vec::new();
    let mut tool = |name, about, since, needs, hints, schema: Value, output: Option<Value>| {
        let validator = jsonschema::validator_for(&schema).ok();
        tools.push(Tool { name, about, since, needs, schema, output, hints, validator });
    };
    let two_numbers = json!({"type": "object", "properties": {"a": number(), "b": number()}, "required": ["a", "b"]});
    tool(fixture::ADD, "The sum of two numbers.", oldest, "", ReadOnly, two_numbers, Some(sum));
    let model = json!({"type": "object", "properties": {
        "tools": {"type": "boolean", "description": "Offer the model a tool, if the client can."},
    }});
    tool(fixture::ASK_MODEL, "Asks the client's model.", oldest, "", Asks, model, None);
    tool(fixture::ASK_ROOTS, "Asks for the client's roots.", oldest, "", Asks, nothing(), None);
    let user = json!({"type": "object", "properties": {
        "mode": {"type": "string", "enum": ["form", "url", "demand"], "description": "How to ask; by form if left out."},
    }});
    tool(fixture::ASK_USER, "Asks the user for a name.", oldest, "", Asks, user, None);
    tool(fixture::COUNT, "How often record was called.", oldest, "", ReadOnly, nothing(), None);
    let text = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    tool(fixture::ECHO, "Gives the text back.", oldest, "", ReadOnly, text, None);
    tool(fixture::EXTRA, "Comes and goes.", oldest, "", ReadOnly, nothing(), None);
    tool(fixture::FAIL, "Always fails.", oldest, "", ReadOnly, nothing(), None);
    tool(fixture::HANG_UP, "Ends every open subscription.", V2026_07_28, "", Changes, nothing(), None);
    let level = json!({"enum": ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]});
    let message = json!({"type": "object", "properties": {"level": level, "message": {"type": "string"}}});
    tool(fixture::LOG, "Logs a message.", oldest, "logging", ReadOnly, message, None);
    tool(fixture::MEDIA, "One content block of every type.", oldest, "", ReadOnly, nothing(), None);
    tool(fixture::MIRROR, "Gives its arguments back.", V2026_07_28, "", ReadOnly, mirror(), None);
    let odd = json!({"$schema": "https://example.invalid/dialect", "type": "object"});
    tool(fixture::ODD_DIALECT, "Takes arguments in an unknown dialect.", oldest, "", ReadOnly, odd, None);
    let wait = json!({"type": "object", "properties": {
        "milliseconds": {"type": "integer", "minimum": 0, "maximum": 60000},
    }});
    tool(fixture::RECORD, "Has an effect that count shows.", oldest, "", Changes, wait.clone(), None);
    tool(fixture::SLOW, "Takes its time.", oldest, "", ReadOnly, wait, None);
    tool(fixture::TASK_ONLY, "Is done as a task.", V2025_11_25, "", ReadOnly, nothing(), None);
    tool(fixture::TOGGLE_PROMPT, "Adds or removes a prompt.", oldest, "prompts", Changes, nothing(), None);
    tool(fixture::TOGGLE_RESOURCE, "Adds or removes a resource.", oldest, "resources", Changes, nothing(), None);
    tool(fixture::TOGGLE_TOOL, "Adds or removes a tool.", oldest, "", Changes, nothing(), None);
    let uri = json!({"type": "object", "properties": {"uri": {"type": "string"}}});
    tool(fixture::TOUCH_RESOURCE, "Announces an update.", oldest, "subscribe", Changes, uri, None);
    let tuple = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"pair": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}},
        "required": ["pair"],
    });
    tool(fixture::TUPLE, "Takes a pair, in the words of draft-07.", V2025_11_25, "", ReadOnly, tuple, None);
    tool(fixture::VALIDATE, "Takes an order, validated closely.", oldest, "", ReadOnly, order(), None);
    tools
}

/// A schema whose values are to be repeated in headers.
fn mirror() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": {"type": "string", MIRRORED: "Region"},
            "shard": {"type": "integer", MIRRORED: "Shard"},
            "dry": {"type": "boolean", MIRRORED: "Dry-Run"},
            "place": {"type": "object", "properties": {"zone": {"type": "string", MIRRORED: "Zone"}}},
            "note": {"type": "string"},
        },
        "required": ["region"],
    })
}

/// A schema that uses many keywords; every one of them is in 2020-12.
fn order() -> Value {
    json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": 9},
            "colour": {"type": "string", "enum": ["red", "green", "blue"]},
            "address": {
                "type": "object",
                "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
                "required": ["street"],
                "additionalProperties": false,
            },
            "point": {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "integer"}],
                "items": false,
            },
            "tree": {"$ref": "#/$defs/tree"},
        },
        "required": ["count", "colour"],
        "additionalProperties": false,
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                },
                "required": ["name"],
            },
        },
    })
}
