//! Faults of what the server asks of the client, and of the handshake before it may ask.

use serde_json::{Value, json};

use crate::reference::Outbox;
use crate::reference::asking::Question;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Message, Object};
use crate::reference::server::Server;
use crate::revision::Revision;

pub(super) fn tamper(fault: Fault, asked: u64, message: &mut Message) {
    if fault == Fault::IncludesContext {
        if let Some(params) = sampling(message) {
            params.insert("includeContext".into(), "allServers".into());
        }
        return;
    }
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

/// The params of a sampling request, in either way of asking.
fn sampling(message: &mut Message) -> Option<&mut Object> {
    if message.method == Some("sampling/createMessage") {
        return message.params_mut();
    }
    let requests = message.result_mut()?.get_mut("inputRequests")?.as_object_mut()?;
    let request = requests.values_mut().find(|request| request["method"] == "sampling/createMessage")?;
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
