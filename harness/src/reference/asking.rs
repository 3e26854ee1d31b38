//! What a tool asks of the client: by a request in a legacy session, by an input-required result in the modern era.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::Reading;
use super::declared::Declared;
use super::fault::Fault;
use super::form;
use super::incoming::RequestId;
use super::legacy::Call;
use super::message::{Failure, Message, Object, object};
use super::server::{Answer, Occasion, Server};
use super::slow::Ticket;
use super::tools::{error_result, text_result};
use crate::revision::{Revision, code};

/// How long the client may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// More open questions are not asked.
const MOST: usize = 64;
/// The name of the one entry of `inputRequests`.
const KEY: &str = "answer";

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    Roots,
    Model {
        tools: bool,
    },
    /// Elicitation by form.
    User,
    /// Elicitation by URL.
    Consent,
}

/// A request of the server that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) id: RequestId,
    pub(super) question: Question,
    /// The tool call that waits for it, if any does.
    pub(super) ticket: Option<Ticket>,
    pub(super) deadline: Option<Duration>,
    pub(super) revision: Revision,
    client: Declared,
    /// The name of an elicitation by URL.
    consent: String,
    /// The model has got the results of its tools.
    followed_up: bool,
}

impl Question {
    fn method(self) -> &'static str {
        match self {
            Self::Roots => "roots/list",
            Self::Model { .. } => "sampling/createMessage",
            Self::User | Self::Consent => "elicitation/create",
        }
    }

    fn capability(self) -> Value {
        match self {
            Self::Roots => json!({"roots": {}}),
            Self::Model { .. } => json!({"sampling": {}}),
            Self::User => json!({"elicitation": {"form": {}}}),
            Self::Consent => json!({"elicitation": {"url": {}}}),
        }
    }

    /// Whether the revision has the question and the client declared that it answers it.
    fn allowed(self, revision: Revision, client: Declared) -> bool {
        match self {
            Self::Roots => client.roots,
            Self::Model { .. } => client.sampling,
            // Before 2025-11-25 there was one mode, and its object had no members to speak of.
            Self::User if revision == Revision::V2025_06_18 => client.form || client.url,
            Self::User => revision > Revision::V2025_06_18 && client.form,
            Self::Consent => revision >= Revision::V2025_11_25 && client.url,
        }
    }

    /// The tool result that a sound answer leads to; `None` for an unsound one.
    pub(super) fn conclude(self, answer: &Value) -> Option<Object> {
        let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::Roots => {
                let roots = answer.get("roots")?.as_array()?;
                let uris: Option<Vec<_>> = roots.iter().map(|root| text(root, "uri")).collect();
                Some(text_result(format!("roots: {}", uris?.join(" "))))
            }
            Self::Model { .. } => {
                let model = text(answer, "model")?;
                let content = answer.get("content")?;
                let said = text(content, "text").unwrap_or_else(|| "something else than text".into());
                Some(text_result(format!("{model} says: {said}")))
            }
            Self::User | Self::Consent => match text(answer, "action")?.as_str() {
                "accept" if self == Self::Consent => Some(text_result("the user consented")),
                "accept" => Some(text_result(form::person(answer.get("content")?)?)),
                "decline" => Some(text_result("the user declined")),
                "cancel" => Some(text_result("the user dismissed the question")),
                _ => None,
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Roots => "roots",
            Self::Model { .. } => "model",
            Self::User => "user",
            Self::Consent => "consent",
        }
    }
}

impl Server {
    /// Asks the client, in the way of the era.
    pub(super) fn ask(&mut self, call: &Call<'_>, question: Question, out: &mut Outbox) -> Answer {
        let allowed = question.allowed(call.revision, call.client) || self.asks_anyway(question, call);
        if call.modern() {
            return self.require_input(call, question, allowed);
        }
        if !allowed {
            return Ok(Some(error_result("the client does not offer what this tool needs")));
        }
        if self.session.as_ref().is_none_or(|session| !session.initialized) {
            return Ok(Some(error_result("the client cannot be asked before it is initialized")));
        }
        if self.asked.len() >= MOST {
            return Ok(Some(error_result("too many questions are open")));
        }
        let tool = self.tool(call.revision, call.text("name")?).map_or("", |tool| tool.name);
        let deadline = Some(call.now + PATIENCE);
        self.put(question, call.revision, call.client, Some(Ticket::of(call, tool)), deadline, out);
        Ok(None)
    }

    /// Sends the request of a question.
    pub(super) fn put(
        &mut self,
        question: Question,
        revision: Revision,
        client: Declared,
        ticket: Option<Ticket>,
        deadline: Option<Duration>,
        out: &mut Outbox,
    ) {
        self.asked_so_far += 1;
        let id = RequestId::own(self.asked_so_far);
        if question == Question::Roots
            && let Some(session) = &mut self.session
        {
            session.asked_roots = true;
        }
        let mut params = self.params(question, revision, client);
        if let Some(metadata) = ticket.as_ref().and_then(|ticket| self.task_metadata(&ticket.id)) {
            params.get_or_insert_with(|| json!({}))["_meta"] = metadata;
        }
        let occasion = Occasion { revision, method: "", name: "" };
        let message = Message::request(&id.raw, question.method(), params);
        let about = ticket.as_ref().map(|ticket| ticket.id.clone());
        self.concerning(about, |server| server.send(occasion, message, out));
        if let Some(ticket) = &ticket {
            self.touch_task(&ticket.id);
        }
        let consent = self.consent();
        self.asked.push(Asked { id, question, ticket, deadline, revision, client, consent, followed_up: false });
    }

    /// The name of the latest elicitation by URL.
    fn consent(&self) -> String {
        format!("consent-{}", self.asked_so_far)
    }

    /// Gives the model the results of the tools that it wanted; false if it wanted none.
    fn follow_up(&mut self, asked: &Asked, answer: &Value, out: &mut Outbox) -> bool {
        let params = self.params(asked.question, asked.revision, asked.client);
        let more = params.filter(|_| !asked.followed_up).and_then(|params| form::continued(params, answer));
        let Some(mut params) = more else { return false };
        if let Some(metadata) = asked.ticket.as_ref().and_then(|ticket| self.task_metadata(&ticket.id)) {
            params["_meta"] = metadata;
        }
        self.asked_so_far += 1;
        let id = RequestId::own(self.asked_so_far);
        let occasion = Occasion { revision: asked.revision, method: "", name: "" };
        self.send(occasion, Message::request(&id.raw, asked.question.method(), Some(params)), out);
        self.asked.push(Asked { id, followed_up: true, ..asked.clone() });
        true
    }

    /// Refuses a call until the user has been at a URL, by the error that is there for it.
    pub(super) fn demand(&mut self, call: &Call<'_>) -> Answer {
        if !call.client.url {
            return Ok(Some(error_result("the client does not offer what this tool needs")));
        }
        self.asked_so_far += 1;
        let elicitation = self.params(Question::Consent, call.revision, call.client);
        let failure = Failure::new(code::URL_ELICITATION_REQUIRED, "the user must consent first");
        Err(failure.with(json!({"elicitations": [elicitation]})))
    }

    fn params(&self, question: Question, revision: Revision, client: Declared) -> Option<Value> {
        match question {
            Question::Roots => None,
            Question::Model { tools } => {
                let mut params = json!({
                    "messages": [{"role": "user", "content": {"type": "text", "text": "Say something kind."}}],
                    "systemPrompt": "You are kind.",
                    "maxTokens": 100,
                });
                let knows = revision >= Revision::V2025_11_25;
                if (tools && knows && client.sampling_tools) || (knows && self.faulty(Fault::OffersToolsToAnyModel)) {
                    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
                    params["tools"] =
                        json!([{"name": "weather", "description": "The weather.", "inputSchema": schema}]);
                    params["toolChoice"] = json!({"mode": "auto"});
                }
                Some(params)
            }
            Question::User => {
                let mut name = json!({"type": "string", "title": "Name", "minLength": 1});
                if self.reads(Reading::ElicitationPattern) && revision == Revision::V2025_11_25 {
                    name["pattern"] = "^\\S".into();
                }
                let schema = json!({
                    "type": "object",
                    "properties": {
                        "name": name,
                        "age": {"type": "integer", "minimum": 0, "maximum": 150},
                        "colour": {"type": "string", "enum": form::COLOURS},
                        "news": {"type": "boolean", "default": false},
                    },
                    "required": ["name"],
                });
                let mut params = json!({"message": "Who are you?", "requestedSchema": schema});
                if revision >= Revision::V2025_11_25 {
                    params["mode"] = "form".into();
                }
                Some(params)
            }
            Question::Consent => {
                let mut params = json!({
                    "mode": "url", "message": "Please consent.", "url": "https://turncoat.example/consent",
                });
                if revision == Revision::V2025_11_25 {
                    params["elicitationId"] = self.consent().into();
                }
                Some(params)
            }
        }
    }

    /// The modern way: the answer says what is missing, and the client calls again with it.
    fn require_input(&mut self, call: &Call<'_>, question: Question, allowed: bool) -> Answer {
        let invalid = |why: &str| Failure::new(code::INVALID_PARAMS, why);
        let state = format!("turncoat/1/{}", question.name());
        let second = format!("{state}/2");
        let given = call.params.get("requestState");
        let is_forged = given.is_some_and(|given| *given != *state && *given != *second);
        if is_forged && !self.faulty(Fault::AcceptsForgedState) {
            return Err(invalid("the request state is not from here"));
        }
        if self.tampers()
            && let Some(answer) = self.misreads_input(call, question, KEY)
        {
            return answer;
        }
        let responses = match call.params.get("inputResponses") {
            None => None,
            Some(Value::Object(responses)) => responses.get(KEY),
            Some(_) => return Err(invalid("inputResponses is no object")),
        };
        if let Some(response) = responses {
            let first = given.is_some_and(|given| *given == *state);
            let params = self.params(question, call.revision, call.client).filter(|_| first);
            if let Some(params) = params.and_then(|params| form::continued(params, response)) {
                let request = json!({"method": question.method(), "params": params});
                return Ok(Some(object(json!({
                    "resultType": "input_required", "inputRequests": {KEY: request}, "requestState": second,
                }))));
            }
            let done = self.concluded(question, response).ok_or_else(|| invalid("the input response does not fit"))?;
            return Ok(Some(done));
        }
        if !allowed {
            if self.reads(Reading::MissingCapabilityAsResult) {
                return Ok(Some(error_result("the client does not offer what this tool needs")));
            }
            let failure = Failure::new(code::MISSING_CLIENT_CAPABILITY, "the client lacks a capability");
            return Err(failure.with(json!({"requiredCapabilities": question.capability()})));
        }
        let mut request = object(json!({"method": question.method()}));
        if let Some(params) = self.params(question, call.revision, call.client) {
            request.insert("params".into(), params);
        }
        let mut result = object(json!({"resultType": "input_required", "inputRequests": {KEY: request}}));
        if !self.reads(Reading::NoRequestState) {
            result.insert("requestState".into(), state.into());
        }
        Ok(Some(result))
    }

    /// Whether an answer under this id is waited for.
    pub(super) fn awaits(&self, id: &RequestId) -> bool {
        self.asked.iter().any(|asked| asked.id.same(id))
    }

    /// The client's answer to a question.
    pub(super) fn response(&mut self, id: &RequestId, result: Option<&RawValue>, out: &mut Outbox) {
        let Some(position) = self.asked.iter().position(|asked| asked.id.same(id)) else {
            if self.tampers() {
                self.mishandles_late_response(out);
            }
            return;
        };
        let asked = self.asked.remove(position);
        let about = asked.ticket.as_ref().map(|ticket| ticket.id.clone());
        self.concerning(about, |server| server.answered(asked, result, out));
    }

    fn answered(&mut self, asked: Asked, result: Option<&RawValue>, out: &mut Outbox) {
        if self.faulty(Fault::CancelsFinishedQuestions) {
            self.cancel_own(&asked, "no longer needed", out);
        }
        let value = result.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        if self.tampers() && self.mishandles_answer(value.as_ref()) {
            return;
        }
        if value.as_ref().is_some_and(|value| self.follow_up(&asked, value, out)) {
            return;
        }
        let accepted = value.as_ref().is_some_and(|value| value["action"] == "accept");
        if accepted && asked.question == Question::Consent && asked.revision == Revision::V2025_11_25 {
            // The user is quick: the page was filled in at once.
            let params = json!({"elicitationId": asked.consent});
            self.notify(asked.revision, "notifications/elicitation/complete", Some(params), out);
        }
        let Some(ticket) = asked.ticket else { return };
        let concluded = value.and_then(|value| self.concluded(asked.question, &value));
        let result = concluded.unwrap_or_else(|| error_result("the client did not give a usable answer"));
        self.answer(&ticket.id, ticket.occasion(), Ok(Some(result)), out);
    }

    /// The time for an answer is over: withdraws the question and answers the call that waits.
    pub(super) fn give_up(&mut self, position: usize, out: &mut Outbox) {
        let asked = self.asked.remove(position);
        if asked.revision >= Revision::V2025_03_26 && !self.faulty(Fault::TimesOutWithoutCancelling) {
            self.cancel_own(&asked, "no answer in time", out);
        }
        let Some(ticket) = asked.ticket else { return };
        let result = error_result("the client did not answer in time");
        self.answer(&ticket.id, ticket.occasion(), Ok(Some(result)), out);
    }

    /// The tool call was cancelled: so is the question that it asked.
    pub(super) fn withdraw(&mut self, id: &RequestId, out: &mut Outbox) {
        let waits = |asked: &Asked| asked.ticket.as_ref().is_some_and(|ticket| ticket.id.same(id));
        while let Some(position) = self.asked.iter().position(waits) {
            let asked = self.asked.remove(position);
            self.cancel_own(&asked, "no longer needed", out);
        }
    }

    pub(super) fn cancel_own(&mut self, asked: &Asked, why: &str, out: &mut Outbox) {
        let mut params = json!({"reason": why});
        if !self.faulty(Fault::CancelsWithoutId) {
            params["requestId"] = asked.id.text().unwrap_or_default().into();
        }
        let about = asked.ticket.as_ref().map(|ticket| ticket.id.clone());
        self.concerning(about, |server| server.notify(asked.revision, "notifications/cancelled", Some(params), out));
    }

    /// The client's roots have changed: asks again, if it asked before.
    pub(super) fn roots_changed(&mut self, now: Duration, out: &mut Outbox) {
        let Some(session) = self.session.as_ref().filter(|session| session.initialized) else { return };
        let (revision, client) = (session.revision, session.client);
        let wanted = session.asked_roots && client.roots && !self.faulty(Fault::KeepsOldRoots);
        let open = self.asked.iter().any(|asked| asked.ticket.is_none());
        if wanted && !open && self.asked.len() < MOST {
            let deadline = Some(now + PATIENCE);
            self.put(Question::Roots, revision, client, None, deadline, out);
        }
    }
}
