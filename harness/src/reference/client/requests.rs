//! What was asked and not answered: ids, metadata, deadlines, and the way back to whoever asked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fault::ClientFault;
use super::faults::FOR_EVER;
use super::{Client, Conduct, Habit, Outlet};
use crate::reference::incoming::RequestId;
use crate::reference::message::{Message, Object};
use crate::revision::{Revision, meta};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take when there is progress.
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// How long a server that may be a legacy one is probed.
const PROBE: Duration = Duration::from_secs(5);

/// A request without an answer.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: RequestId,
    /// The id as a value; the progress token too.
    pub(super) token: Value,
    /// The errand that it belongs to.
    pub(super) errand: u64,
    pub(super) method: &'static str,
    /// Without metadata.
    pub(super) params: Object,
    pub(super) deadline: Duration,
    last_deadline: Duration,
    /// How often the server has required input for this.
    pub(super) rounds: u32,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    /// The server answered with an error.
    Refused {
        /// Its code, if there was an integer.
        code: Option<i64>,
        /// Its message.
        message: String,
        /// What came with it.
        data: Value,
    },
    /// The time for an answer is over.
    Silent,
    /// The HTTP request was refused with this status.
    Status(u16),
    /// The answer was lost on its way, and how.
    Lost(&'static str),
    /// The answer cannot be used, and why.
    Unusable(String),
}

impl Trouble {
    pub(super) fn code(&self) -> Option<i64> {
        if let Self::Refused { code, .. } = self { *code } else { None }
    }

    /// What the user is told.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Refused { code: Some(code), message, .. } => format!("error {code}: {message}"),
            Self::Refused { code: None, message, .. } => format!("error: {message}"),
            Self::Silent => "no answer in time".to_owned(),
            Self::Status(status) => format!("HTTP status {status}"),
            Self::Lost(how) => (*how).to_owned(),
            Self::Unusable(why) => why.clone(),
        }
    }

    pub(super) fn read(error: &RawValue) -> Self {
        let error: Value = serde_json::from_str(error.get()).unwrap_or_default();
        Self::Refused {
            code: error["code"].as_i64(),
            message: error["message"].as_str().unwrap_or("without a message").to_owned(),
            data: error["data"].clone(),
        }
    }
}

/// What came of a request.
pub(super) type Answer = Result<Object, Trouble>;

impl Client {
    /// Asks the server something for an errand. Gives the id of the request.
    pub(super) fn request(&mut self, errand: u64, method: &'static str, params: Object, out: &mut Outlet) -> Value {
        self.request_again(errand, method, params, 0, out)
    }

    /// Asks the server, for the nth time since it required input.
    pub(super) fn request_again(
        &mut self,
        errand: u64,
        method: &'static str,
        params: Object,
        rounds: u32,
        out: &mut Outlet,
    ) -> Value {
        self.requests_so_far += 1;
        let number = self.requests_so_far;
        let token = if self.is_given_to(Habit::StringIds) { format!("c-{number}").into() } else { Value::from(number) };
        let token = if self.tampers() { self.mischosen_id().unwrap_or(token) } else { token };
        let raw = token.to_string();
        let mut written = params.clone();
        let metadata = self.metadata(method, &token);
        if !metadata.is_empty() {
            written.insert("_meta".into(), Value::Object(metadata));
        }
        let written = Some(Value::Object(written)).filter(|written| *written != json!({}));
        let waits = self.faulty(ClientFault::WaitsForEver) || self.faulty(ClientFault::NeverGivesUp);
        let (patience, most) = match method {
            _ if waits => (FOR_EVER, FOR_EVER),
            "server/discover" if !self.conduct.legacy().is_empty() => (PROBE, PROBE),
            _ if self.faulty(ClientFault::ProgressForEver) => (PATIENCE, FOR_EVER),
            _ => (PATIENCE, MOST_PATIENCE),
        };
        if method.ends_with("/list") && self.tampers() {
            self.grudge.page = params.clone();
        }
        let Some(id) = RequestId::read(&raw) else { return token };
        self.send(Message::request(&raw, method, written), out);
        self.pending.push(Pending {
            id,
            token: token.clone(),
            errand,
            method,
            params,
            deadline: self.now + patience,
            last_deadline: self.now + most,
            rounds,
        });
        token
    }

    fn metadata(&self, method: &str, token: &Value) -> Object {
        let mut metadata = Object::new();
        if self.is_modern() || method == "server/discover" {
            let declared = self.conduct.capabilities(Revision::V2026_07_28);
            metadata.insert(meta::PROTOCOL_VERSION.into(), Revision::V2026_07_28.as_str().into());
            metadata.insert(meta::CLIENT_CAPABILITIES.into(), Value::Object(declared));
            metadata.insert(meta::CLIENT_INFO.into(), Conduct::identity());
            if let Some(level) = &self.level {
                metadata.insert(meta::LOG_LEVEL.into(), level.as_str().into());
            }
        }
        if method == "tools/call" && !self.is_given_to(Habit::NoProgress) {
            metadata.insert("progressToken".into(), token.clone());
        }
        metadata
    }

    /// An answer of the server.
    pub(super) fn response(
        &mut self,
        id: &RequestId,
        result: Option<&RawValue>,
        error: Option<&RawValue>,
        out: &mut Outlet,
    ) {
        let Some(position) = self.pending.iter().position(|pending| pending.id.same(id)) else {
            if !self.ended_by_answer(id) {
                self.note("an answer to nothing that is open", out);
                self.mishears_late_answer(id, out);
            }
            return;
        };
        let answer = match (result, error) {
            (Some(_), Some(_)) => {
                self.note("an answer with both result and error", out);
                return;
            }
            (_, Some(error)) => Err(Trouble::read(error)),
            (Some(result), None) => held(result.get())
                .ok_or_else(|| Trouble::Unusable("the result is no object, or too deep to hold".to_owned())),
            (None, None) => return,
        };
        let pending = self.pending.remove(position);
        if answer.is_ok() && pending.method != "initialize" {
            self.sessions_lost = 0;
        }
        self.answered(pending, answer, out);
    }

    /// Whether the answer to a request, or the end of a subscription, is still to come.
    pub(super) fn awaits(&self, id: &RequestId) -> bool {
        self.pending.iter().any(|pending| pending.id.same(id)) || self.subscriptions.iter().any(|one| one.id.same(id))
    }

    /// Learns that a request will not be answered, and why.
    pub(super) fn lose(&mut self, now: Duration, id: &RequestId, why: Trouble, out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        if self.exited || self.grudge.is_stuck {
            return;
        }
        match self.pending.iter().position(|pending| pending.id.same(id)) {
            Some(position) => {
                let pending = self.pending.remove(position);
                self.answered(pending, Err(why), out);
            }
            None => drop(self.ended_by_answer(id)),
        }
        self.proceed(out);
    }

    fn answered(&mut self, pending: Pending, answer: Answer, out: &mut Outlet) {
        match pending.method {
            "server/discover" => self.discovered(&pending, answer, out),
            "initialize" => self.initialized(&pending, answer, out),
            "subscriptions/listen" => self.listening_ended(&pending, answer, out),
            method if method.starts_with("tasks/") => self.followed(&pending, answer, out),
            method if method.ends_with("/list") => self.listed(&pending, answer, out),
            _ => self.used(&pending, answer, out),
        }
    }

    /// Progress of a request: there is time for it anew, up to a point.
    pub(super) fn progressed(&mut self, token: &Value) {
        let now = self.now;
        let known = |pending: &&mut Pending| pending.method == "tools/call" && *token == pending.token;
        if let Some(pending) = self.pending.iter_mut().find(known) {
            pending.deadline = (now + PATIENCE).min(pending.last_deadline);
        }
    }

    /// The time for an answer is over.
    pub(super) fn expire(&mut self, position: usize, out: &mut Outlet) {
        let pending = self.pending.remove(position);
        self.withdraw(&pending, "no answer in time", out);
        self.answered(pending, Err(Trouble::Silent), out);
    }

    /// Tells the server that a request is no longer of interest.
    pub(super) fn withdraw(&mut self, pending: &Pending, why: &str, out: &mut Outlet) {
        if self.tampers() {
            self.grudge.withdrawn.push((pending.id.clone(), pending.method));
        }
        if pending.method == "initialize" && !self.faulty(ClientFault::CancelsInitialize) {
            return;
        }
        let params = json!({"requestId": pending.token, "reason": why});
        self.send(Message::notification("notifications/cancelled", Some(params)), out);
    }
}

/// The members of an object. Where something in it nests too deep, as much as can be held: an item of a list that is
/// too deep does not cost the others.
fn held(text: &str) -> Option<Object> {
    if let Ok(whole) = serde_json::from_str(text) {
        return Some(whole);
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let value = |raw: &RawValue| -> Option<Value> {
        let whole = serde_json::from_str(raw.get()).ok();
        whole.or_else(|| {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
            Some(items.iter().filter_map(|item| serde_json::from_str::<Value>(item.get()).ok()).collect())
        })
    };
    Some(members.into_iter().filter_map(|(name, raw)| Some((name, value(raw)?))).collect())
}
