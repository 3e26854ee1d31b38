//! A model that has little to say, and uses the first tool that it gets.

use serde_json::{Value, json};

use crate::reference::message::{Failure, Object};
use crate::revision::{Revision, code};

/// What the model says, or why it cannot be asked.
pub(super) fn answer(params: &Value, revision: Revision, has_tools: bool, checks: bool) -> Result<Value, Failure> {
    let invalid = |why: &str| Failure::new(code::INVALID_PARAMS, why);
    let messages = params.get("messages").and_then(Value::as_array).ok_or_else(|| invalid("there are no messages"))?;
    let knows_tools = revision >= Revision::V2025_11_25;
    if knows_tools && !has_tools && (params.get("tools").is_some() || params.get("toolChoice").is_some()) {
        return Err(invalid("the model uses no tools"));
    }
    if knows_tools && checks {
        check(messages).map_err(invalid)?;
    }
    let tool = params["tools"].as_array().and_then(|tools| tools.first()).filter(|_| knows_tools);
    let may = params["toolChoice"]["mode"] != "none" && !messages.iter().any(|message| has(message, "tool_result"));
    if let Some(tool) = tool.filter(|_| may) {
        let using = json!({"type": "tool_use", "id": "use-1", "name": tool["name"], "input": input(tool)});
        return Ok(said(json!([using]), "toolUse"));
    }
    Ok(said(json!({"type": "text", "text": "You are doing well."}), "endTurn"))
}

fn said(content: Value, reason: &str) -> Value {
    json!({"role": "assistant", "content": content, "model": "turncoat-reference", "stopReason": reason})
}

/// Something for each argument that the tool must have.
fn input(tool: &Value) -> Value {
    let required = tool["inputSchema"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Value::Object(required.map(|name| (name.to_owned(), json!("Paris"))).collect::<Object>())
}

/// Every use of a tool is followed by its result, and results stand by themselves.
fn check(messages: &[Value]) -> Result<(), &'static str> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let results: Vec<&str> = of(message, "tool_result").filter_map(|block| block["toolUseId"].as_str()).collect();
        if !results.is_empty() && results.len() != blocks(message).count() {
            return Err("tool results stand next to something else");
        }
        if open.len() != results.len() || open.iter().any(|id| !results.contains(id)) {
            return Err("uses and results of tools do not match");
        }
        open = of(message, "tool_use").filter_map(|block| block["id"].as_str()).collect();
    }
    if open.is_empty() { Ok(()) } else { Err("a use of a tool has no result") }
}

fn blocks(message: &Value) -> impl Iterator<Item = &Value> {
    let content = &message["content"];
    let one = std::slice::from_ref(content);
    content.as_array().map_or(one, |list| list).iter()
}

fn of<'a>(message: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    blocks(message).filter(move |block| block["type"] == kind)
}

fn has(message: &Value, kind: &str) -> bool {
    of(message, kind).next().is_some()
}
