//! Answering the subject's requests as an honest client would.

use serde_json::{Map, Value as Json, json};

use super::{Heard, Part, Sending, compose};
use crate::revision::code;
use crate::script::{Answer, Input};
use crate::session::Message;
use crate::transcript::Intent;

/// The answer to a request of the server; nothing where the script wants silence.
pub(super) fn answer(part: Part<'_>, request: &Message<'_>) -> Option<Sending> {
    let method = request.method()?;
    let id: &serde_json::value::RawValue = serde_json::from_str(request.id.as_ref()?.text()).ok()?;
    let refused = |code: i64, message: &str| json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}});
    let mut reply = match part.script.answers.get(method).copied().unwrap_or_default() {
        Answer::Silent => return None,
        Answer::Error => refused(code::INTERNAL_ERROR, "the user's client failed"),
        Answer::Honest => match content(part, method) {
            Some(result) => json!({"jsonrpc": "2.0", "result": result}),
            None => refused(code::METHOD_NOT_FOUND, "method not found"),
        },
    };
    reply["id"] = json!("${id}");
    let text = reply.to_string().replacen("\"${id}\"", id.get(), 1);
    Some(compose::line(text, Intent::Honest))
}

/// The params of a call with the input that its result asked for; none if there is nothing to add.
pub(super) fn with_input(part: Part<'_>, mut params: Json, answer: &Message<'_>) -> Option<Json> {
    let result = answer.result()?;
    let mut responses = Map::new();
    for (key, wanted) in result.member("inputRequests").into_iter().flat_map(crate::wire::Value::members) {
        let method = wanted.member("method")?.as_str()?;
        responses.insert(key.into_owned(), content(part, &method)?);
    }
    params["inputResponses"] = Json::Object(responses);
    if let Some(state) = result.member("requestState").and_then(crate::wire::Value::to_tree) {
        params["requestState"] = state;
    }
    Some(params)
}

/// Adds the input that was last asked for to a request; none if nothing was.
pub(super) fn add_input(part: Part<'_>, heard: &Heard, input: Input, message: &mut Json) -> Option<()> {
    if heard.inputs.is_empty() {
        return None;
    }
    let mut responses = Map::new();
    for (key, method) in heard.inputs.iter().filter(|_| input != Input::Missing) {
        let honest = content(part, method)?;
        let elicits = method == "elicitation/create";
        let response = match input {
            Input::Dismissed if elicits => json!({"action": "cancel"}),
            Input::Malformed if elicits => json!({"action": "maybe"}),
            Input::Malformed => json!({"roots": "none", "role": 7, "content": null}),
            _ => honest,
        };
        responses.insert(key.clone(), response);
    }
    if input == Input::Extra {
        responses.insert("turncoat-nobody-asked".to_owned(), json!({"action": "decline"}));
    }
    let array = input == Input::Array;
    message["params"]["inputResponses"] = if array { json!([]) } else { Json::Object(responses) };
    if let Some(state) = &heard.state {
        message["params"]["requestState"] = json!(state);
    }
    Some(())
}

/// What an honest client with the script's capabilities gives back.
fn content(part: Part<'_>, method: &str) -> Option<Json> {
    let declared = |key: &str| part.script.capabilities.get(key).is_some();
    match method {
        "ping" => Some(json!({})),
        "roots/list" if declared("roots") => Some(json!({"roots": [{"uri": "file:///turncoat/root", "name": "root"}]})),
        "sampling/createMessage" if declared("sampling") => Some(json!({
            "role": "assistant", "content": {"type": "text", "text": "an answer"},
            "model": "turncoat", "stopReason": "endTurn",
        })),
        "elicitation/create" if declared("elicitation") => Some(json!({"action": "decline"})),
        _ => None,
    }
}
