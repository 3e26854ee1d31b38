//! Answering the subject's requests as an honest client would, or as the script wants.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Heard, Part, Sending, compose};
use crate::arguments;
use crate::revision::code;
use crate::script::{Answer, Input};
use crate::session::Message;
use crate::transcript::Intent;
use crate::wire::Value;

/// A value that no form asks for, and that is found again in what comes back.
const ODD_TEXT: &str = "turncoat-8675309";
const ODD_NUMBER: u64 = 8_675_309;

/// The answer to a request of the server; nothing where the script wants silence.
pub(super) fn answer(part: Part<'_>, answers: &BTreeMap<String, Answer>, request: &Message<'_>) -> Option<Sending> {
    let method = request.method()?;
    let id: &serde_json::value::RawValue = serde_json::from_str(request.id.as_ref()?.text()).ok()?;
    let refused = |code: i64, message: &str| json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}});
    let way = answers.get(method).copied().unwrap_or_default();
    let mut reply = match way {
        Answer::Silent => return None,
        Answer::Error => refused(code::INTERNAL_ERROR, "the user's client failed"),
        _ => match content(part, way, method, request.params()) {
            Some(result) => json!({"jsonrpc": "2.0", "result": result}),
            None => refused(code::METHOD_NOT_FOUND, "method not found"),
        },
    };
    reply["id"] = json!("${id}");
    let text = reply.to_string().replacen("\"${id}\"", id.get(), 1);
    Some(compose::line(text, intent(way)))
}

/// The params of a call with the input that its result asked for; none if there is nothing to add, or if the client
/// failed to get it.
pub(super) fn with_input(
    part: Part<'_>,
    answers: &BTreeMap<String, Answer>,
    mut params: Json,
    answer: &Message<'_>,
) -> Option<(Json, Intent)> {
    let result = answer.result()?;
    let mut responses = Map::new();
    let mut all = Intent::Honest;
    for (key, wanted) in result.member("inputRequests").into_iter().flat_map(Value::members) {
        let method = wanted.member("method")?.as_str()?;
        let way = answers.get(&*method).copied().unwrap_or_default();
        if way == Answer::Error {
            return None;
        }
        if !way.is_honest() {
            all = intent(way);
        }
        responses.insert(key.into_owned(), content(part, way, &method, wanted.member("params"))?);
    }
    params["inputResponses"] = Json::Object(responses);
    match result.member("requestState").and_then(Value::to_tree) {
        Some(state) => params["requestState"] = state,
        None => drop(params.as_object_mut()?.remove("requestState")),
    }
    Some((params, all))
}

/// Adds the input that was last asked for to a request; none if nothing was.
pub(super) fn add_input(part: Part<'_>, heard: &Heard, input: Input, message: &mut Json) -> Option<()> {
    if heard.inputs.is_empty() {
        return None;
    }
    let mut responses = Map::new();
    for (key, method) in heard.inputs.iter().filter(|_| input != Input::Missing) {
        let honest = content(part, Answer::Honest, method, None)?;
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

fn intent(way: Answer) -> Intent {
    if way.is_honest() { Intent::Honest } else { Intent::Departure }
}

/// What a client with the script's capabilities gives back.
fn content(part: Part<'_>, way: Answer, method: &str, params: Option<Value<'_>>) -> Option<Json> {
    let declared = |key: &str| part.script.capabilities.get(key).is_some();
    match method {
        "ping" => Some(json!({})),
        "roots/list" if declared("roots") => Some(json!({"roots": [{"uri": "file:///turncoat/root", "name": "root"}]})),
        "sampling/createMessage" if declared("sampling") => Some(said(way, params)),
        "elicitation/create" if declared("elicitation") => Some(elicited(way, params)),
        _ => None,
    }
}

fn said(way: Answer, params: Option<Value<'_>>) -> Json {
    let params = params.and_then(Value::to_tree).unwrap_or_default();
    let results = params["messages"].to_string().contains("tool_result");
    let tool = params["tools"].get(0).filter(|_| way == Answer::UseTools && !results);
    match tool {
        Some(tool) => {
            let input = arguments::valid(&tool["inputSchema"]).unwrap_or_default();
            let wanted = |id: &str| json!({"type": "tool_use", "id": id, "name": tool["name"], "input": input});
            let content = [wanted("turncoat-use-1"), wanted("turncoat-use-2")];
            json!({"role": "assistant", "content": content, "model": "turncoat", "stopReason": "toolUse"})
        }
        None => json!({
            "role": "assistant", "content": {"type": "text", "text": "an answer"},
            "model": "turncoat", "stopReason": "endTurn",
        }),
    }
}

fn elicited(way: Answer, params: Option<Value<'_>>) -> Json {
    let params = params.and_then(Value::to_tree).unwrap_or_default();
    let accepted = match way {
        Answer::Cancel => return json!({"action": "cancel"}),
        Answer::Accept | Answer::NoContent => true,
        Answer::MissingRequired | Answer::WrongType | Answer::OutsideEnum => true,
        Answer::Honest | Answer::Error | Answer::Silent | Answer::UseTools => false,
    };
    if !accepted {
        return json!({"action": "decline"});
    }
    let schema = &params["requestedSchema"];
    if params["mode"] == "url" || way == Answer::NoContent || !schema.is_object() {
        return json!({"action": "accept"});
    }
    let mut content = arguments::valid(schema).unwrap_or_default();
    let properties: Vec<(&String, &Json)> = schema["properties"].as_object().into_iter().flatten().collect();
    let choices = |property: &Json| property.get("enum").is_some() || property.get("oneOf").is_some();
    match way {
        Answer::MissingRequired => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
            required.for_each(|name| drop(content.remove(name)));
        }
        Answer::WrongType => {
            if let Some((name, property)) = properties.iter().find(|(_, property)| !choices(property)) {
                let text = property["type"] == "string";
                let odd = if text { json!(ODD_NUMBER) } else { json!(ODD_TEXT) };
                content.insert((*name).clone(), odd);
            }
        }
        Answer::OutsideEnum => {
            if let Some((name, _)) = properties.iter().find(|(_, property)| choices(property)) {
                content.insert((*name).clone(), json!(ODD_TEXT));
            }
        }
        _ => {}
    }
    json!({"action": "accept", "content": content})
}
