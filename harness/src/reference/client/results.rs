//! What a result says, and what of it the user sees.

use serde_json::{Map, Value, json};

use super::fault::ClientFault;
use super::{Client, Habit};
use crate::reference::message::Object;

/// The longest text that is shown of one thing, in characters.
const LONGEST: usize = 4_000;
/// The most blocks that are shown.
const MOST_BLOCKS: usize = 200;

/// What came of a wish.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) failed: bool,
    pub(super) text: String,
    /// In full, as far as it is shown.
    pub(super) shown: Value,
}

impl Outcome {
    pub(super) fn failure(why: impl AsRef<str>) -> Self {
        Self { failed: true, text: cut(why.as_ref()), shown: Value::Null }
    }

    /// Blocks of content, in their order.
    pub(super) fn of_blocks<'a>(blocks: impl Iterator<Item = &'a Value>) -> Self {
        let shown: Vec<Value> = blocks.take(MOST_BLOCKS).map(block).collect();
        let texts: Vec<&str> = shown.iter().filter_map(|block| block["text"].as_str()).collect();
        Self { failed: false, text: cut(&texts.join("\n")), shown: json!({"content": shown}) }
    }
}

/// How a result is to be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Judged {
    /// It is the answer.
    Complete,
    /// The server wants to know something first.
    InputRequired,
}

impl Client {
    /// How a result is to be taken, or why it is invalid.
    pub(super) fn judge(&self, method: &str, result: &Object) -> Result<Judged, String> {
        if self.tampers()
            && let Some(judged) = self.misjudges(method, result)
        {
            return judged;
        }
        if !self.is_modern() && method != "server/discover" {
            return Ok(Judged::Complete);
        }
        match result.get("resultType") {
            None if self.is_given_to(Habit::NeedsResultType) || self.faulty(ClientFault::NeedsResultType) => {
                Err("the result has no type".to_owned())
            }
            None => Ok(Judged::Complete),
            Some(kind) if kind == "complete" => Ok(Judged::Complete),
            Some(kind) if kind == "input_required" => match method {
                "tools/call" | "prompts/get" | "resources/read" => Ok(Judged::InputRequired),
                _ => Err(format!("{method} cannot require input")),
            },
            Some(kind) => Err(cut(&format!("the result has the unknown type {kind}"))),
        }
    }
}

impl Client {
    /// How a fault takes a result, if it does.
    fn misjudges(&self, method: &str, result: &Object) -> Option<Result<Judged, String>> {
        let mut keys = result.get("_meta").and_then(Value::as_object).into_iter().flat_map(Object::keys);
        let is_odd = keys.any(|key| !key.starts_with("io.modelcontextprotocol/"));
        if is_odd && self.faulty(ClientFault::RefusesOddMeta) {
            return Some(Err("the result has metadata that is unknown here".to_owned()));
        }
        let kind = result.get("resultType").and_then(Value::as_str);
        let is_unknown = kind.is_some_and(|kind| !matches!(kind, "complete" | "input_required"));
        if is_unknown && self.faulty(ClientFault::TakesUnknownTypes) {
            return Some(Ok(Judged::Complete));
        }
        let takes_for_interim = kind.is_none() && method == "tools/call" && self.is_modern();
        (takes_for_interim && self.faulty(ClientFault::RetriesUntyped)).then_some(Ok(Judged::InputRequired))
    }
}

/// One block as it is shown: a type that is unknown here is named, and does no harm.
fn block(block: &Value) -> Value {
    let member = |name: &str| block.get(name).and_then(Value::as_str).map(cut);
    match block.get("type").and_then(Value::as_str) {
        Some("text") => json!({"type": "text", "text": member("text")}),
        Some(kind @ ("image" | "audio")) => json!({"type": kind, "mimeType": member("mimeType")}),
        Some("resource") => json!({"type": "resource", "uri": block["resource"]["uri"].as_str().map(cut)}),
        Some("resource_link") => json!({"type": "resource_link", "uri": member("uri")}),
        kind => json!({"type": "unsupported", "was": kind.map(cut)}),
    }
}

/// A value, if it is not too long to show.
pub(super) fn shown(value: &Value) -> Value {
    if value.to_string().len() <= 16 * LONGEST { value.clone() } else { json!("too long to show") }
}

/// The beginning of a text, if it is long.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The arguments of a prompt as the protocol has them: texts.
pub(super) fn texts(arguments: &Map<String, Value>) -> Object {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    arguments.iter().map(|(name, value)| (name.clone(), text(value).into())).collect()
}
