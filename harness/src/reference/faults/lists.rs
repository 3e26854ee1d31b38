//! Faults of lists: items, order, pages, cursors.

use serde_json::{Value, json};

use crate::reference::declared::Declared;
use crate::reference::fault::Fault;
use crate::reference::fixture;
use crate::reference::legacy::Call;
use crate::reference::message::{Message, Object};
use crate::reference::server::{Occasion, Server};
use crate::revision::meta;

/// Names that a server has no business knowing.
const POPULAR: [&str; 6] = ["claude", "cursor", "copilot", "inspector", "vscode", "visual studio code"];

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    if !occasion.method.ends_with("/list") {
        return;
    }
    let Some(result) = message.result_mut() else { return };
    match fault {
        Fault::NullCursor => drop(result.entry("nextCursor").or_insert(Value::Null)),
        Fault::NumericCursor => drop(result.entry("nextCursor").or_insert(json!(7))),
        _ => {
            let tools = result.get_mut("tools").and_then(Value::as_array_mut);
            for tool in tools.into_iter().flatten().filter_map(Value::as_object_mut) {
                item(fault, tool);
            }
        }
    }
}

fn item(fault: Fault, tool: &mut Object) {
    let is = |tool: &Object, name: &str| tool.get("name").is_some_and(|found| found == name);
    let plain = tool.get("inputSchema").and_then(|schema| schema.get("properties")) == Some(&json!({}));
    let schema = tool.get_mut("inputSchema").and_then(Value::as_object_mut);
    match fault {
        Fault::ToolWithoutSchema if plain => drop(tool.remove("inputSchema")),
        Fault::NullSchema if plain => drop(tool.insert("inputSchema".into(), Value::Null)),
        Fault::UntypedSchema => drop(schema.and_then(|schema| schema.remove("type"))),
        Fault::NamelessTool if is(tool, fixture::FAIL) => drop(tool.remove("name")),
        Fault::UntypedOutputSchema if is(tool, fixture::ADD) => {
            tool.insert("outputSchema".into(), json!({"anyOf": [{"type": "object"}, {"type": "array"}]}));
        }
        Fault::SpacedToolName if is(tool, fixture::COUNT) => drop(tool.insert("name".into(), json!("count them"))),
        Fault::InvalidInputSchema if is(tool, fixture::FAIL) => {
            tool.insert("inputSchema".into(), json!({"type": "object", "required": "nothing"}));
        }
        Fault::DanglingReference if is(tool, fixture::FAIL) => {
            let reference = json!({"type": "object", "properties": {"why": {"$ref": "#/$defs/why"}}});
            tool.insert("inputSchema".into(), reference);
        }
        _ => {}
    }
}

impl Server {
    /// Puts the items of a list into the order and number that a faulty server has.
    pub(in crate::reference) fn disorder(&mut self, call: &Call<'_>, start: usize, items: &mut Vec<&Value>) {
        if start == 0 {
            self.grudge.walks += 1;
        }
        let walks = self.grudge.walks;
        let before = start.checked_sub(1).and_then(|before| items.get(before)).copied();
        if let Some(before) = before.filter(|_| self.faulty(Fault::OverlappingPages)) {
            items.insert(start.min(items.len()), before);
        }
        if self.faulty(Fault::GapsInPages) && walks.is_multiple_of(2) && items.len() > 1 {
            items.remove(1);
        }
        if call.method != "tools/list" || items.is_empty() {
            return;
        }
        if self.faulty(Fault::ShuffledTools) {
            let by = walks % items.len();
            items.rotate_left(by);
        }
        if self.faulty(Fault::DuplicateTool) {
            items.insert(1, items[0]);
        }
        if self.shows_less(call) {
            items.remove(0);
        }
    }

    fn shows_less(&self, call: &Call<'_>) -> bool {
        let identity = call.params.get("_meta").and_then(|metadata| metadata.get(meta::CLIENT_INFO));
        let name = identity.and_then(|identity| identity.get("name")).and_then(Value::as_str);
        let name = name.map(str::to_lowercase);
        let popular = || name.as_ref().is_some_and(|name| POPULAR.iter().any(|known| name.contains(known)));
        let earlier = || self.grudge.client.is_some_and(|client| client != Declared::default());
        call.modern()
            && ((self.faulty(Fault::PrefersClients) && popular())
                || (self.faulty(Fault::NeedsClientInfo) && name.is_none())
                || (self.faulty(Fault::ListsDependOnConnection) && self.grudge.listened)
                || (self.faulty(Fault::ListsDependOnCapabilities) && earlier()))
    }
}
