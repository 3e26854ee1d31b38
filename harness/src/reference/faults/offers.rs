//! Faults of resources, prompts, completion, logging and content.

use serde_json::{Value, json};

use crate::reference::declare::PIXEL;
use crate::reference::fault::Fault;
use crate::reference::fixture;
use crate::reference::message::{Failure, Message, Object, object};
use crate::reference::server::{Answer, Occasion, Server};
use crate::revision::{Revision, code, meta};

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    if message.method == Some("notifications/message") {
        if let Some(params) = message.params_mut() {
            log_message(fault, params);
        }
        return;
    }
    let Some(result) = message.result_mut() else { return };
    match occasion.method {
        "tools/list" => items(result, "tools", |tool| mirrored(fault, tool)),
        "resources/list" => items(result, "resources", |item| resource(fault, item)),
        "resources/templates/list" if fault == Fault::BrokenTemplate => {
            items(result, "resourceTemplates", |item| drop(item.insert("uriTemplate".into(), "memo:///{year".into())));
        }
        "resources/read" => contents(fault, result),
        "prompts/list" => items(result, "prompts", |prompt| prompt_item(fault, prompt)),
        "prompts/get" => items(result, "messages", |message| prompt_message(fault, message)),
        "completion/complete" if fault == Fault::TooManyCompletions => {
            let values: Vec<String> = (0..101).map(|number| format!("value {number}")).collect();
            result.insert("completion".into(), json!({"values": values}));
        }
        _ => {}
    }
    if matches!(occasion.method, "tools/call" | "prompts/get" | "resources/read") {
        media(fault, result);
    }
}

fn items(result: &mut Object, member: &str, mut change: impl FnMut(&mut Object)) {
    let items = result.get_mut(member).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut change);
}

/// What the schema of a tool says of headers.
fn mirrored(fault: Fault, tool: &mut Object) {
    if tool.get("name").is_none_or(|name| name != fixture::MIRROR) {
        return;
    }
    let Some(properties) = tool.get_mut("inputSchema").and_then(|schema| schema.get_mut("properties")) else { return };
    match fault {
        Fault::SpacedParamHeader => properties["region"]["x-mcp-header"] = "Home Region".into(),
        Fault::NumberParamHeader => properties["shard"]["type"] = "number".into(),
        Fault::TwinParamHeaders => properties["shard"]["x-mcp-header"] = "REGION".into(),
        _ => {}
    }
}

fn log_message(fault: Fault, params: &mut Object) {
    match fault {
        Fault::UnknownLogLevel => drop(params.insert("level".into(), "fatal".into())),
        Fault::LogsWithoutData => drop(params.remove("data")),
        Fault::LogsOnSubscription => drop(params.insert("_meta".into(), json!({meta::SUBSCRIPTION_ID: 1}))),
        _ => {}
    }
}

fn resource(fault: Fault, item: &mut Object) {
    if item.get("uri").is_none_or(|uri| uri != fixture::DATA) {
        return;
    }
    match fault {
        Fault::NamelessResource => drop(item.remove("name")),
        Fault::TextSize => drop(item.insert("size".into(), "14 bytes".into())),
        Fault::SpacedUri => drop(item.insert("uri".into(), "memo:///some data".into())),
        Fault::RelativeUri => drop(item.insert("uri".into(), "data".into())),
        _ => {}
    }
}

fn contents(fault: Fault, result: &mut Object) {
    match fault {
        Fault::ContentsAsObject => {
            let first = result.get("contents").and_then(|contents| contents.get(0)).cloned().unwrap_or_default();
            result.insert("contents".into(), first);
        }
        Fault::ContentsWithoutText => items(result, "contents", |item| drop(item.remove("text"))),
        _ => {}
    }
}

fn prompt_item(fault: Fault, prompt: &mut Object) {
    items(prompt, "arguments", |argument| match fault {
        Fault::NamelessPromptArgument => drop(argument.remove("name")),
        Fault::TextRequired => drop(argument.insert("required".into(), "yes".into())),
        _ => {}
    });
}

fn prompt_message(fault: Fault, message: &mut Object) {
    match fault {
        Fault::SystemRole => drop(message.insert("role".into(), "system".into())),
        Fault::ArrayOfPromptContent => {
            let content = message.remove("content").unwrap_or_default();
            message.insert("content".into(), json!([content]));
        }
        Fault::UnknownPromptBlock => drop(message.insert("content".into(), json!({"type": "hologram"}))),
        _ => {}
    }
}

/// Faults of images, in content blocks or as resources.
fn media(fault: Fault, result: &mut Object) {
    let image = |object: &mut Object| {
        if fault == Fault::ImageWithoutType && object.get("type").is_some_and(|kind| kind == "image") {
            object.remove("mimeType");
        }
        for member in ["data", "blob"] {
            if fault == Fault::UrlSafeBase64
                && let Some(Value::String(data)) = object.get_mut(member)
                && data == PIXEL
            {
                *data = data.replace('+', "-").replace('/', "_");
            }
        }
    };
    items(result, "content", image);
    items(result, "contents", image);
    items(result, "messages", |message| {
        if let Some(content) = message.get_mut("content").and_then(Value::as_object_mut) {
            image(content);
        }
    });
}

impl Server {
    /// A wrong answer to a request for a resource.
    pub(in crate::reference) fn misreads(&self, uri: &str, revision: Revision) -> Option<Answer> {
        let readme = json!({"uri": fixture::README, "mimeType": "text/plain", "text": "Read this instead."});
        let first = || Some(Ok(Some(object(json!({"contents": [readme]})))));
        let modern = revision == Revision::V2026_07_28;
        let is_uri = uri.contains(':') && uri.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_uri {
            return if self.faulty(Fault::ReadsAnyUri) { first() } else { None };
        }
        if self.knows_resource(uri) {
            return None;
        }
        let wrong = if modern { Fault::WrongNotFoundCodeModern } else { Fault::WrongNotFoundCode };
        if self.faulty(wrong) {
            return Some(Err(Failure::new(code::INTERNAL_ERROR, "no such file")));
        }
        if self.faulty(Fault::EmptyForMissing) && modern {
            return Some(Ok(Some(object(json!({"contents": []})))));
        }
        if self.faulty(Fault::GivesAnotherResource) && !modern { first() } else { None }
    }
}
