//! Building messages: honest first, then edited.

use serde_json::{Map, Value as Json, json};

use super::{Part, Record, Sending};
use crate::revision::{Era, Revision, meta};
use crate::script::{Edits, Hello};
use crate::transcript::{Delivery, Intent};
use crate::wire::{Frame, Id};

/// A message as a line of its own.
pub(super) fn lone(message: &Json, intent: Intent) -> Sending {
    line(message.to_string().into_bytes(), intent)
}

/// A text as a line of its own.
pub(super) fn line(text: impl Into<Vec<u8>>, intent: Intent) -> Sending {
    let text = text.into();
    let mut bytes = text.clone();
    bytes.push(b'\n');
    Sending { pieces: vec![bytes], records: vec![Record::new(text, intent, Delivery::Whole)], ..Sending::default() }
}

/// The id under which a frame is a request.
pub(super) fn id_of(frame: &Frame) -> Option<Id> {
    let value = frame.json().ok()?;
    value.member("method")?;
    value.member("id").map(Id::read)
}

/// Every id in a line, be it of a message, of one in an array, or of something else.
pub(super) fn ids_in(frame: &Frame) -> Vec<Id> {
    let Ok(value) = frame.json() else { return Vec::new() };
    std::iter::once(value).chain(value.items()).filter_map(|object| object.member("id").map(Id::read)).collect()
}

/// The params of a message text.
pub(super) fn params_of(text: &str) -> Option<Json> {
    serde_json::from_str::<Json>(text).ok()?.get("params").cloned()
}

/// The first message of an opening, and whether it is free of departures.
pub(super) fn hello(part: Part<'_>, hello: &Hello, id: i64) -> (String, bool) {
    let version = hello.version.as_deref().unwrap_or(part.revision.as_str());
    let mut message = match part.revision.era() {
        Era::Legacy => json!({
            "jsonrpc": "2.0", "id": id, "method": "initialize",
            "params": {
                "protocolVersion": version,
                "capabilities": part.script.capabilities,
                "clientInfo": client_info(),
            },
        }),
        Era::Modern => request(part, json!(id), "server/discover", None),
    };
    if part.revision.era() == Era::Modern && hello.version.is_some() {
        message["params"]["_meta"][meta::PROTOCOL_VERSION] = json!(version);
    }
    // A version that the script made up is well-formed: it departs from the truth, not from the schema.
    let honest = hello.edits.is_empty() && hello.version.is_none();
    let edited = edited(message, &hello.edits);
    (super::fill::literal(&edited), honest)
}

/// A request whose answer is certain.
pub(super) fn fence(part: Part<'_>, id: i64) -> Json {
    match part.revision.era() {
        Era::Legacy => json!({"jsonrpc": "2.0", "id": id, "method": "ping"}),
        Era::Modern => request(part, json!(id), "server/discover", None),
    }
}

/// A request with what the era asks of every request.
pub(super) fn request(part: Part<'_>, id: Json, method: &str, params: Option<Json>) -> Json {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    let params = match part.revision.era() {
        Era::Legacy => params,
        Era::Modern => Some(with_meta(part, params)),
    };
    if let Some(params) = params {
        message["params"] = params;
    }
    message
}

/// A notification.
pub(super) fn notification(_part: Part<'_>, method: &str, params: Option<Json>) -> Json {
    let mut message = json!({"jsonrpc": "2.0", "method": method});
    if let Some(params) = params {
        message["params"] = params;
    }
    message
}

/// Asks for progress under a token.
pub(super) fn add_progress(message: &mut Json, token: Option<&Json>) {
    if let Some(token) = token {
        set_pointer(message, "/params/_meta/progressToken", token.clone());
    }
}

/// The message after its departures.
pub(super) fn edited(mut message: Json, edits: &Edits) -> Json {
    for (pointer, value) in &edits.set {
        set_pointer(&mut message, pointer, value.clone());
    }
    for pointer in &edits.drop {
        drop_pointer(&mut message, pointer);
    }
    message
}

/// The bytes in this many pieces of about the same size.
pub(super) fn pieces(bytes: Vec<u8>, count: u32) -> Vec<Vec<u8>> {
    if count <= 1 || bytes.is_empty() {
        return vec![bytes];
    }
    let size = bytes.len().div_ceil(count as usize).max(1);
    bytes.chunks(size).map(<[u8]>::to_vec).collect()
}

/// The `_meta` that 2026-07-28 wants in every request.
pub(super) fn modern_meta(part: Part<'_>) -> Json {
    json!({
        meta::PROTOCOL_VERSION: Revision::V2026_07_28.as_str(),
        meta::CLIENT_CAPABILITIES: part.script.capabilities,
        meta::CLIENT_INFO: client_info(),
    })
}

fn client_info() -> Json {
    json!({"name": "turncoat", "version": env!("CARGO_PKG_VERSION")})
}

fn with_meta(part: Part<'_>, params: Option<Json>) -> Json {
    let mut params = match params {
        None => Map::new(),
        Some(Json::Object(params)) => params,
        Some(other) => return other,
    };
    let mut all = modern_meta(part);
    if let (Some(own), Some(all)) = (params.get("_meta").and_then(Json::as_object), all.as_object_mut()) {
        all.extend(own.clone());
    }
    if params.get("_meta").is_none_or(Json::is_object) {
        params.insert("_meta".to_owned(), all);
    }
    Json::Object(params)
}

fn keys(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

/// Puts a value at a JSON pointer, making objects on the way.
fn set_pointer(message: &mut Json, pointer: &str, value: Json) {
    let mut place = message;
    for key in keys(pointer) {
        let index = key.parse::<usize>().ok();
        if place.as_array().zip(index).is_some_and(|(items, index)| index < items.len()) {
            place = &mut place[index.unwrap_or_default()];
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[key.as_str()];
        }
    }
    *place = value;
}

fn drop_pointer(message: &mut Json, pointer: &str) {
    let keys = keys(pointer);
    let Some((last, path)) = keys.split_last() else { return };
    let parent = path.iter().try_fold(message, |place, key| place.get_mut(key.as_str()));
    if let Some(parent) = parent.and_then(Json::as_object_mut) {
        parent.remove(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_set_and_drop() {
        let mut message = json!({"a": {"b": 1}});
        set_pointer(&mut message, "/a/c~1d/e", json!(2));
        drop_pointer(&mut message, "/a/b");
        drop_pointer(&mut message, "/x/y");
        assert_eq!(message, json!({"a": {"c/d": {"e": 2}}}));
    }

    #[test]
    fn pieces_are_the_whole() {
        for count in [0, 1, 2, 7, 100] {
            assert_eq!(pieces(b"hello world".to_vec(), count).concat(), b"hello world");
        }
    }
}
