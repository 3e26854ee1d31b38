//! Faults of results: their metadata and type, the handshake, discovery, tool results, annotations.

use serde_json::{Value, json};

use crate::reference::fault::Fault;
use crate::reference::message::{Message, Object};
use crate::reference::server::Occasion;
use crate::reference::{content, fixture};
use crate::revision::{Revision, code, meta};

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    let failed_for_version = message.code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION);
    let Some(result) = message.result_mut().filter(|_| !failed_for_version) else { return };
    match occasion.method {
        "initialize" | "server/discover" => introduction(fault, occasion, result),
        "tools/call" => tool_result(fault, occasion, result),
        "ping" if fault == Fault::PingWithResult => drop(result.insert("pong".into(), true.into())),
        _ => {}
    }
    let list = occasion.method.ends_with("/list");
    let tool = occasion.method == "tools/call";
    if list || tool {
        metadata(fault, list, result);
        result_type(fault, tool, result);
    }
    match fault {
        Fault::OmitsServerInfo => with_meta(result, |metadata| drop(metadata.remove(meta::SERVER_INFO))),
        Fault::ServerInfoWithoutVersion => with_meta(result, |metadata| {
            if let Some(identity) = metadata.get_mut(meta::SERVER_INFO).and_then(Value::as_object_mut) {
                identity.remove("version");
            }
        }),
        Fault::BadPriority => each(result, &mut |object| replace(object, "priority", json!(5))),
        Fault::BadAudience => each(result, &mut |object| replace(object, "audience", json!("user"))),
        Fault::TextHint => each(result, &mut |object| replace(object, "readOnlyHint", json!("yes"))),
        Fault::IconWithoutSource => each(result, &mut |object| drop(object.remove("src"))),
        _ => {}
    }
}

fn replace(object: &mut Object, member: &str, value: Value) {
    if let Some(found) = object.get_mut(member) {
        *found = value;
    }
}

/// Visits every object inside.
fn each(object: &mut Object, visit: &mut impl FnMut(&mut Object)) {
    visit(object);
    for value in object.values_mut() {
        match value {
            Value::Object(inner) => each(inner, visit),
            Value::Array(list) => list.iter_mut().filter_map(Value::as_object_mut).for_each(|inner| each(inner, visit)),
            _ => {}
        }
    }
}

fn with_meta(result: &mut Object, change: impl FnOnce(&mut Object)) {
    let metadata = result.entry("_meta").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        change(metadata);
    }
}

fn metadata(fault: Fault, list: bool, result: &mut Object) {
    let (key, value) = match fault {
        Fault::MetaArray if !list => return drop(result.insert("_meta".into(), json!([]))),
        Fault::MetaNull if list => return drop(result.insert("_meta".into(), Value::Null)),
        Fault::BadMetaKey => ("com.example/bad key", json!(1)),
        Fault::BadMetaPrefix => ("2com.example/key", json!(1)),
        Fault::ForwardDnsMeta => ("example.com/key", json!(1)),
        Fault::InventsReservedMeta => ("dev.mcp.turncoat/key", json!(1)),
        Fault::BadTraceparent => ("traceparent", json!("00-trace-me-01")),
        Fault::ModernVocabulary => {
            result.insert("resultType".into(), "complete".into());
            (meta::SERVER_INFO, json!({"name": "turncoat-reference", "version": "1.0.0"}))
        }
        _ => return,
    };
    with_meta(result, |metadata| drop(metadata.insert(key.into(), value)));
}

fn result_type(fault: Fault, tool: bool, result: &mut Object) {
    let complete = result.get("resultType").is_some_and(|kind| kind == "complete");
    match fault {
        Fault::OmitsResultType if complete => drop(result.remove("resultType")),
        Fault::NumericResultType if complete => drop(result.insert("resultType".into(), json!(1))),
        Fault::UnknownResultType if tool && complete => drop(result.insert("resultType".into(), json!("task"))),
        _ => {}
    }
}

fn introduction(fault: Fault, occasion: Occasion<'_>, result: &mut Object) {
    let handshake = occasion.method == "initialize";
    let capability = |result: &mut Object, name: &str, value: Value| {
        if let Some(capabilities) = result.get_mut("capabilities").and_then(Value::as_object_mut) {
            replace(capabilities, name, value);
        }
    };
    match fault {
        Fault::OmitsServerIdentity => drop(result.remove("serverInfo")),
        Fault::OmitsCapabilities if handshake => drop(result.remove("capabilities")),
        Fault::NumericInstructions if handshake => replace(result, "instructions", json!(5)),
        Fault::BooleanCapability => capability(result, "tools", json!(true)),
        Fault::TextListChanged => capability(result, "tools", json!({"listChanged": "yes"})),
        Fault::NullCapability => capability(result, "prompts", Value::Null),
        Fault::DiscoverWithoutVersions => drop(result.remove("supportedVersions")),
        Fault::DiscoverWithoutTtl => drop(result.remove("ttlMs")),
        Fault::NegativeTtl => replace(result, "ttlMs", json!(-1)),
        Fault::OddCacheScope => replace(result, "cacheScope", json!("shared")),
        Fault::DiscoverListsOthers => replace(result, "supportedVersions", json!(["2025-11-25", "2025-06-18"])),
        _ => {}
    }
}

fn tool_result(fault: Fault, occasion: Occasion<'_>, result: &mut Object) {
    if !result.contains_key("content") {
        return;
    }
    let structured = result.contains_key("structuredContent");
    let blocks = |result: &mut Object, more: Vec<Value>| {
        if let Some(content) = result.get_mut("content").and_then(Value::as_array_mut) {
            content.extend(more);
        }
    };
    match fault {
        Fault::NoContent => drop(result.remove("content")),
        Fault::ObjectContent => {
            let first = result["content"].get(0).cloned().unwrap_or_default();
            result.insert("content".into(), first);
        }
        Fault::UnknownBlock => blocks(result, vec![json!({"type": "hologram", "data": ""})]),
        Fault::TextIsError => {
            let is_error = result.contains_key("isError");
            result.insert("isError".into(), is_error.to_string().into());
        }
        Fault::MangledText if occasion.name == fixture::ECHO => each(result, &mut |object| {
            if let Some(Value::String(text)) = object.get_mut("text") {
                *text = text.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect();
            }
        }),
        Fault::NewerBlocks if occasion.name == fixture::MEDIA => {
            let link = json!({"type": "resource_link", "uri": fixture::README, "name": "readme"});
            blocks(result, vec![link]);
        }
        Fault::EmbedsWithoutResources if occasion.name == fixture::MEDIA => {
            blocks(result, vec![content::embedded(false)]);
        }
        Fault::ArrayStructured if occasion.name == fixture::COUNT => {
            result.insert("structuredContent".into(), json!([0]));
        }
        Fault::NonconformingStructured if structured => {
            let wrong = json!({"sum": "many"});
            result.insert("content".into(), json!([{"type": "text", "text": wrong.to_string()}]));
            result.insert("structuredContent".into(), wrong);
        }
        Fault::MissingStructured => drop(result.remove("structuredContent")),
        Fault::NoTextCopy if structured => {
            result.insert("content".into(), json!([{"type": "text", "text": "see the structured content"}]));
        }
        _ => {}
    }
}

/// The revision after this one, in which the server of a handshake has no business.
pub(super) fn newer_notification(revision: Revision) -> (&'static str, Value) {
    if revision == Revision::V2025_11_25 {
        return ("notifications/subscriptions/acknowledged", json!({"notifications": {}}));
    }
    let moment = "2025-11-25T00:00:00Z";
    let task = json!({
        "taskId": "none", "status": "working", "createdAt": moment, "lastUpdatedAt": moment, "ttl": null,
    });
    ("notifications/tasks/status", task)
}
