//! What the server wants to know, in the words of either era, and what user and model answer.

use serde_json::{Value, json};

use super::fault::ClientFault;
use super::requests::Pending;
use super::{Client, Habit, Host, Outlet, form, model};
use crate::reference::message::{Failure, Object};
use crate::revision::{Revision, code};

/// The folder that the server may know of if the user says nothing else.
pub(super) const FOLDER: &str = "file:///home/ada/project";
/// The most times that the server may require input for one request.
const MOST_ROUNDS: u32 = 8;
/// The error of a user who does not want the model to be asked.
const REJECTED: i64 = -1;

impl Client {
    /// The answer to one question, or why there is none.
    pub(super) fn answer(&self, method: &str, params: &Value, revision: Revision) -> Result<Value, Failure> {
        let answer = self.honest_answer(method, params, revision);
        if self.tampers() { self.misput(method, params, answer) } else { answer }
    }

    fn honest_answer(&self, method: &str, params: &Value, revision: Revision) -> Result<Value, Failure> {
        let declares = self.conduct.declares;
        match method {
            "roots/list" if declares.roots || self.faulty(ClientFault::ServesUndeclaredRoots) => self.folders(),
            "sampling/createMessage" if declares.sampling || self.faulty(ClientFault::ServesUndeclaredSampling) => {
                if self.conduct.host != Host::Willing && self.conduct.host != Host::Failing {
                    return Err(Failure::new(REJECTED, "the user rejected the request"));
                }
                let has_tools = declares.sampling_tools || self.faulty(ClientFault::PlainModelTakesTools);
                let mut messages = params["messages"].as_array().into_iter().flatten();
                let refuses = self.faulty(ClientFault::RefusesContentLists);
                if refuses && messages.any(|message| message["content"].is_array()) {
                    return Err(Failure::new(code::INVALID_PARAMS, "content is one block"));
                }
                model::answer(params, revision, has_tools, !self.faulty(ClientFault::AcceptsBadHistories))
            }
            "elicitation/create" if revision >= Revision::V2025_06_18 => self.elicited(params, revision),
            _ => Err(Failure::new(code::METHOD_NOT_FOUND, "there is no such method here")),
        }
    }

    fn folders(&self) -> Result<Value, Failure> {
        if self.conduct.host == Host::Failing {
            return Err(Failure::new(code::INTERNAL_ERROR, "the folders cannot be found out"));
        }
        let roots: Vec<_> = self.roots.iter().map(|uri| json!({"uri": uri, "name": "project"})).collect();
        Ok(json!({"roots": roots}))
    }

    fn elicited(&self, params: &Value, revision: Revision) -> Result<Value, Failure> {
        let mut declares = self.conduct.declares;
        declares.form |= self.faulty(ClientFault::ServesUndeclaredElicitation);
        declares.url &= !self.faulty(ClientFault::RefusesDeclaredUrl);
        if params.get("mode").is_none() && self.faulty(ClientFault::NeedsMode) {
            return Err(Failure::new(code::INVALID_PARAMS, "there is no mode"));
        }
        if !declares.form && !declares.url {
            return if self.is_given_to(Habit::DeclinesUndeclared) {
                Ok(json!({"action": "decline"}))
            } else {
                Err(Failure::new(code::METHOD_NOT_FOUND, "there is no such method here"))
            };
        }
        let mode = match params.get("mode") {
            Some(mode) if revision >= Revision::V2025_11_25 => mode.as_str().unwrap_or(""),
            _ => "form",
        };
        let is_form = match mode {
            // Before there were modes, whoever declared elicitation declared forms.
            "form" if declares.form || revision < Revision::V2025_11_25 => true,
            "url" if declares.url => false,
            _ => return Err(Failure::new(code::INVALID_PARAMS, "this mode of elicitation was not declared")),
        };
        match self.conduct.host {
            Host::Declining => return Ok(json!({"action": "decline"})),
            Host::Dismissing => return Ok(json!({"action": "cancel"})),
            Host::Willing | Host::Failing => {}
        }
        if !is_form {
            return match params.get("url").is_some_and(Value::is_string) {
                true => Ok(json!({"action": "accept"})),
                false => Err(Failure::new(code::INVALID_PARAMS, "there is no URL")),
            };
        }
        let Some(schema) = params.get("requestedSchema").filter(|schema| schema.is_object()) else {
            return Err(Failure::new(code::INVALID_PARAMS, "there is no requestedSchema"));
        };
        Ok(match form::filled(schema, self.is_given_to(Habit::FillsEverything)) {
            Some(content) => json!({"action": "accept", "content": content}),
            None => json!({"action": "decline"}),
        })
    }

    /// The server requires input: gathers all of it and asks again.
    pub(super) fn retry(&mut self, pending: &Pending, result: &Object, out: &mut Outlet) {
        let mut params = pending.params.clone();
        params.remove("inputResponses");
        params.remove("requestState");
        self.go_to_all(result, out);
        match self.gathered(pending, result) {
            Ok(more) => params.extend(more),
            Err(why) => return self.fail(pending.errand, why, out),
        }
        if self.tampers() {
            match self.misretried(pending, params, out) {
                Some(other) => params = other,
                None => return,
            }
        }
        self.request_again(pending.errand, pending.method, params, pending.rounds + 1, out);
    }

    /// What a retry has in addition, or why there is none.
    fn gathered(&self, pending: &Pending, result: &Object) -> Result<Object, String> {
        if pending.rounds >= MOST_ROUNDS {
            return Err("the server requires input again and again".to_owned());
        }
        if self.is_given_to(Habit::NeverRetries) {
            return Err("the server requires input, and none is given".to_owned());
        }
        let mut more = Object::new();
        match result.get("inputRequests") {
            None => {}
            Some(Value::Object(requests)) => {
                let mut responses = Object::new();
                for (key, request) in requests {
                    let method = request.get("method").and_then(Value::as_str).unwrap_or("");
                    let params = request.get("params").unwrap_or(&Value::Null);
                    let answer = self.answer(method, params, Revision::V2026_07_28);
                    responses.insert(key.clone(), answer.map_err(|failure| format!("no input: {}", failure.message))?);
                }
                if !responses.is_empty() {
                    more.insert("inputResponses".into(), Value::Object(responses));
                }
            }
            Some(_) => return Err("inputRequests is no object".to_owned()),
        }
        match result.get("requestState") {
            None => {}
            Some(state @ Value::String(_)) => {
                more.insert("requestState".into(), state.clone());
            }
            Some(_) => return Err("requestState is no string".to_owned()),
        }
        if more.is_empty() && !self.faulty(ClientFault::RetriesUntyped) {
            return Err("the server requires input and does not say which".to_owned());
        }
        Ok(more)
    }
}
