//! Questions of the server that are answered wrongly, or not at all.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::reference::client::fault::ClientFault;
use crate::reference::client::{Client, Outlet};
use crate::reference::incoming::{self, RequestId};
use crate::reference::message::{Failure, Message, Object, object};
use crate::revision::{Revision, code};

/// How long a model takes that takes its time.
const THINKING: Duration = Duration::from_millis(1);

impl Client {
    /// Whether a request of the server is dealt with by a fault. `revision` is `None` where nothing may answer.
    pub(in crate::reference::client) fn misanswers(
        &mut self,
        id: &RequestId,
        method: &str,
        params: Option<&RawValue>,
        revision: Option<Revision>,
        out: &mut Outlet,
    ) -> bool {
        self.grudge.answered.push(id.clone());
        let is_ping = method == "ping";
        let known = ["ping", "roots/list", "sampling/createMessage", "elicitation/create"].contains(&method);
        let refuse = |code: i64| Message::error(Some(&id.raw), Failure::new(code, "no"));
        let params = incoming::members(params).unwrap_or_default();
        for fault in self.faults() {
            let message = match fault {
                ClientFault::AnswersModernRequests if self.is_modern() => {
                    match self.answer(method, &Value::Object(params.clone()), Revision::V2026_07_28) {
                        Ok(result) => Message::result(&id.raw, object(result)),
                        Err(_) => Message::result(&id.raw, Object::new()),
                    }
                }
                ClientFault::RefusesModernRequests if self.is_modern() => refuse(code::METHOD_NOT_FOUND),
                _ if revision.is_none() => continue,
                ClientFault::IgnoresUnknownMethods if !known => return true,
                ClientFault::ExitsOnUnknownMethod if !known => {
                    self.exit(1, out);
                    return true;
                }
                ClientFault::WrongUnknownMethodCode if !known => refuse(code::INTERNAL_ERROR),
                ClientFault::NeverAnswersModel if method == "sampling/createMessage" => return true,
                ClientFault::IgnoresEarlyPings if is_ping && self.revision().is_none() => return true,
                ClientFault::IgnoresPingsWhileBusy if is_ping && self.pending.iter().any(|one| one.errand > 0) => {
                    return true;
                }
                ClientFault::RefusesPings if is_ping => refuse(code::METHOD_NOT_FOUND),
                ClientFault::MakesTasks if params.contains_key("task") => Message::result(&id.raw, task()),
                ClientFault::RefusesTaskMember if params.contains_key("task") => refuse(code::INVALID_PARAMS),
                ClientFault::AnswersCancelled | ClientFault::AbortsEverything if method == "sampling/createMessage" => {
                    if let Ok(result) = self.answer(method, &Value::Object(params.clone()), Revision::V2025_11_25) {
                        let answer = Message::result(&id.raw, object(result));
                        self.grudge.delayed.push((self.now + THINKING, answer));
                    }
                    return true;
                }
                _ => continue,
            };
            self.send(message, out);
            return true;
        }
        false
    }

    /// Reports progress of a question in a wrong way, before its answer or behind it.
    pub(in crate::reference::client) fn misreport(
        &mut self,
        params: Option<&RawValue>,
        is_answered: bool,
        out: &mut Outlet,
    ) {
        let params = incoming::members(params).unwrap_or_default();
        let token = params.get("_meta").and_then(|metadata| metadata.get("progressToken")).cloned();
        for fault in self.faults() {
            let given = token.clone();
            let (token, steps) = match (fault, is_answered) {
                (ClientFault::ReportsUnknownProgress, false) => (Some(json!("nobody")), vec![json!(1)]),
                (ClientFault::ProgressGoesBack, false) => (given, vec![json!(2), json!(1)]),
                (ClientFault::ProgressAfterAnswer, true) => (given, vec![json!(3)]),
                (ClientFault::ProgressAsText, false) => (given, vec![json!("half")]),
                _ => continue,
            };
            let Some(token) = token else { continue };
            for step in steps {
                let params = json!({"progressToken": token, "progress": step});
                self.send(Message::notification("notifications/progress", Some(params)), out);
            }
        }
    }

    /// The answer that is given in place of an honest one.
    pub(in crate::reference::client) fn misput(
        &self,
        method: &str,
        params: &Value,
        answer: Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        self.faults().into_iter().fold(answer, |answer, fault| match answer {
            Ok(result) => Ok(misput(fault, method, params, result)),
            Err(failure) => misrefused(fault, method, params, failure),
        })
    }
}

fn task() -> Object {
    let moment = "2026-07-28T12:00:00Z";
    object(json!({"task": {
        "taskId": "task-1", "status": "working", "createdAt": moment, "lastUpdatedAt": moment, "ttl": null,
    }}))
}

fn misput(fault: ClientFault, method: &str, params: &Value, mut result: Value) -> Value {
    let is_form = method == "elicitation/create" && result.get("content").is_some();
    match (fault, method) {
        (ClientFault::UnknownSampledContent, "sampling/createMessage") => {
            result["content"] = json!({"type": "hologram", "text": "a face"});
        }
        (ClientFault::ContentAsText, "sampling/createMessage") => result["content"] = json!("You are doing well."),
        (ClientFault::NamelessModel, "sampling/createMessage") => {
            if let Some(members) = result.as_object_mut() {
                members.remove("model");
            }
        }
        (ClientFault::HttpRoots, "roots/list") => result["roots"] = json!([{"uri": "http://127.0.0.1/project"}]),
        (ClientFault::NestedContent, _) if is_form => result["content"] = json!({"form": result["content"]}),
        (ClientFault::MisfitContent, _) if is_form => each(params, &mut result, |_| Some(json!(-1))),
        (ClientFault::IgnoresDefaults, _) if is_form => each(params, &mut result, another),
        (ClientFault::OddAction, "elicitation/create") if result["action"] == "accept" => {
            result["action"] = json!("ok");
        }
        (ClientFault::UrlWithContent, "elicitation/create") if params["mode"] == "url" => {
            result["content"] = json!({"visited": true});
        }
        _ => {}
    }
    result
}

fn misrefused(fault: ClientFault, method: &str, params: &Value, failure: Failure) -> Result<Value, Failure> {
    let is_mode = method == "elicitation/create" && failure.code == code::INVALID_PARAMS;
    match fault {
        ClientFault::WrongRootsCode if method == "roots/list" => Err(Failure::new(code::INTERNAL_ERROR, "no roots")),
        ClientFault::WrongRootsFailure if method == "roots/list" => Err(Failure::new(-32_000, "no roots")),
        ClientFault::WrongModeCode if is_mode => Err(Failure::new(code::INTERNAL_ERROR, "no such mode")),
        ClientFault::ServesAnyMode if is_mode && params.get("mode").is_some() => Ok(json!({"action": "accept"})),
        ClientFault::InventsForRejection if method == "sampling/createMessage" => Ok(json!({
            "role": "assistant", "content": {"type": "text", "text": ""}, "model": "none",
        })),
        _ => Err(failure),
    }
}

/// Fills in the members of a form anew.
fn each(params: &Value, result: &mut Value, value: impl Fn(&Value) -> Option<Value>) {
    for (name, property) in params["requestedSchema"]["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value(property) {
            result["content"][name] = value;
        }
    }
}

/// A value that is not the default, if there is a default.
fn another(property: &Value) -> Option<Value> {
    let choices = property["enum"].as_array().into_iter().flatten();
    match property.get("default")? {
        Value::Bool(yes) => Some(json!(!yes)),
        Value::Number(number) => Some(json!(number.as_i64().unwrap_or(0) + 1)),
        default @ Value::String(_) if property.get("enum").is_some() => {
            choices.into_iter().find(|choice| *choice != default).cloned()
        }
        Value::String(text) => Some(json!(format!("{text}!"))),
        Value::Array(_) => Some(json!([])),
        _ => None,
    }
}
