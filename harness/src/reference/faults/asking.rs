//! Faults of what the server asks of the client, and of the handshake before it may ask.

use serde_json::{Value, json};

use crate::reference::Outbox;
use crate::reference::asking::Question;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Message, Object};
use crate::reference::server::Server;
use crate::reference::tools::text_result;
use crate::revision::{Revision, code};

pub(super) fn tamper(fault: Fault, asked: u64, message: &mut Message) {
    if fault == Fault::IncludesContext {
        if let Some(params) = sampling(message) {
            params.insert("includeContext".into(), "allServers".into());
        }
        return;
    }
    questions(fault, message);
    if !message.is_request() {
        return;
    }
    let token = match fault {
        Fault::FractionalRequestId => return message.id = Some(format!("{asked}.5").into()),
        Fault::BooleanRequestId => return message.id = Some("true".into()),
        Fault::NullRequestId => return message.id = Some("null".into()),
        Fault::ReusesRequestIds => return message.id = Some("\"ask-1\"".into()),
        Fault::FractionalOwnToken => json!(0.5),
        Fault::SharedOwnToken => json!("token"),
        Fault::AsksByTask if message.method != Some("roots/list") => {
            if let Some(params) = message.params_mut() {
                params.insert("task".into(), json!({"ttl": 1000}));
            }
            return;
        }
        _ => return,
    };
    let params = message.params.get_or_insert_with(|| json!({}));
    params["_meta"] = json!({"progressToken": token});
}

/// Faults of what is asked.
fn questions(fault: Fault, message: &mut Message) {
    if message.method == Some("notifications/elicitation/complete") && fault == Fault::CompletesUnknownElicitation {
        message.params = Some(json!({"elicitationId": "consent-0"}));
    }
    if fault == Fault::UrlErrorWithoutElicitations && message.code() == Some(code::URL_ELICITATION_REQUIRED) {
        drop(message.error_mut().and_then(|error| error.remove("data")));
    }
    if let Some(params) = question(message, "elicitation/create") {
        let by_url = params.get("mode").is_some_and(|mode| mode == "url");
        match fault {
            Fault::NestedForm if !by_url => {
                let address = json!({"type": "object", "properties": {"street": {"type": "string"}}});
                params["requestedSchema"]["properties"]["address"] = address;
            }
            Fault::ListOfForms if !by_url => {
                let friends = json!({"type": "array", "items": {"type": "object"}});
                params["requestedSchema"]["properties"]["friends"] = friends;
            }
            Fault::ElicitsWithoutMessage => drop(params.remove("message")),
            Fault::ElicitsWithoutForm if !by_url => drop(params.remove("requestedSchema")),
            Fault::ElicitsWithoutUrl if by_url => drop(params.remove("url")),
            Fault::PlainUrl if by_url => drop(params.insert("url".into(), "http://turncoat.example/consent".into())),
            _ => {}
        }
    }
    if let Some(params) = sampling(message) {
        let messages = params.get_mut("messages").and_then(Value::as_array_mut);
        let results = messages.filter(|messages| messages.len() > 2).and_then(|messages| messages.last_mut());
        let results = results.and_then(|last| last.get_mut("content")).and_then(Value::as_array_mut);
        match (fault, results) {
            (Fault::SamplesWithoutLimit, _) => drop(params.remove("maxTokens")),
            (Fault::SamplesAsSystem, _) => params["messages"][0]["role"] = "system".into(),
            (Fault::HighPriority, _) => {
                params.insert("modelPreferences".into(), json!({"costPriority": 10}));
            }
            (Fault::MixesToolResults, Some(results)) => results.push(json!({"type": "text", "text": "Here they are."})),
            (Fault::LosesToolResults, Some(results)) => results.truncate(1),
            _ => {}
        }
    }
}

/// The params of a sampling request, in either way of asking.
fn sampling(message: &mut Message) -> Option<&mut Object> {
    question(message, "sampling/createMessage")
}

fn question<'m>(message: &'m mut Message, method: &str) -> Option<&'m mut Object> {
    if message.method == Some(method) {
        return message.params_mut();
    }
    let requests = message.result_mut()?.get_mut("inputRequests")?.as_object_mut()?;
    let request = requests.values_mut().find(|request| request["method"] == method)?;
    request.get_mut("params").and_then(Value::as_object_mut)
}

impl Server {
    /// Whether a faulty server asks although the client did not declare that it answers.
    pub(in crate::reference) fn asks_anyway(&self, question: Question, call: &Call<'_>) -> bool {
        let old = call.revision < Revision::V2025_06_18;
        match question {
            Question::User if self.faulty(Fault::FormModeUndeclared) => call.client.url,
            Question::Consent if self.faulty(Fault::UrlModeUndeclared) => {
                call.client.form && call.revision >= Revision::V2025_11_25
            }
            Question::Roots | Question::Model { .. } if old => self.faulty(Fault::AsksUndeclaredOld),
            Question::Roots | Question::Model { .. } | Question::User => {
                let fault = if call.modern() { Fault::AsksUndeclaredModern } else { Fault::AsksUndeclared };
                !old && self.faulty(fault)
            }
            Question::Consent => false,
        }
    }

    /// The result that an answer leads to.
    pub(in crate::reference) fn concluded(&self, question: Question, answer: &Value) -> Option<Object> {
        if question == Question::User && answer["action"] == "accept" && self.faulty(Fault::TrustsForms) {
            return Some(text_result(format!("the user says {}", answer["content"])));
        }
        question.conclude(answer)
    }

    /// Treats the answer to a question wrongly; true if that is all that happens. No answer is an error.
    pub(in crate::reference) fn mishandles_answer(&self, answer: Option<&Value>) -> bool {
        let declined = answer.is_some_and(|answer| answer["action"] == "decline");
        (declined && self.faulty(Fault::HangsWhenDeclined))
            || (answer.is_none() && self.faulty(Fault::HangsWhenRefused))
    }

    /// What a faulty server settles in place of the right revision.
    pub(in crate::reference) fn misnegotiates(&self, known: Option<Revision>, declares: bool) -> Option<Revision> {
        let legacy = self.behaviour.legacy();
        if declares && self.faulty(Fault::AlwaysOffersNewest) {
            return self.behaviour.newest_legacy();
        }
        let unsupported = known.is_none_or(|revision| !legacy.has(revision));
        (unsupported && self.faulty(Fault::CounterOffersOldest)).then(|| legacy.iter().next()).flatten()
    }

    /// The version named in the answer to `initialize`: the settled one, unless there is a fault.
    pub(in crate::reference) fn offered(&self, asked: &str, settled: Revision) -> String {
        if self.faulty(Fault::EchoesAnyVersion) {
            return asked.to_owned();
        }
        let unusable = Revision::V2025_11_25.as_str();
        if self.faulty(Fault::CounterOffersUnusable) && asked != settled.as_str() && asked != unusable {
            return unusable.to_owned();
        }
        settled.as_str().to_owned()
    }

    /// What follows the answer to `initialize`; nothing, unless there is a fault.
    pub(in crate::reference) fn after_initialize(&mut self, out: &mut Outbox) {
        if !self.faulty(Fault::AsksBeforeInitialized) {
            return;
        }
        let Some(session) = &self.session else { return };
        if session.client.roots && !session.initialized && !session.asked_roots {
            let (revision, client) = (session.revision, session.client);
            self.put(Question::Roots, revision, client, None, None, out);
        }
    }
}
