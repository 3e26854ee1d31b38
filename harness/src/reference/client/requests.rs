//! What was asked and not answered: ids, metadata, deadlines, and the way back to whoever asked.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::handshake::Connection;
use super::{Client, Outlet};
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
    /// The number that the id is made of; the progress token too.
    pub(super) number: u64,
    /// The errand that it belongs to.
    pub(super) errand: u64,
    pub(super) method: &'static str,
    /// Without metadata.
    pub(super) params: Object,
    pub(super) deadline: Duration,
    last_deadline: Duration,
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
            Self::Unusable(why) => why.clone(),
        }
    }

    fn read(error: &RawValue) -> Self {
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
    /// Asks the server something for an errand. Gives the number of the request.
    pub(super) fn request(&mut self, errand: u64, method: &'static str, params: Object, out: &mut Outlet) -> u64 {
        self.requests_so_far += 1;
        let number = self.requests_so_far;
        let raw = number.to_string();
        let mut written = params.clone();
        let metadata = self.metadata(method, number);
        if !metadata.is_empty() {
            written.insert("_meta".into(), Value::Object(metadata));
        }
        let written = Some(Value::Object(written)).filter(|written| *written != json!({}));
        let patience = if method == "server/discover" && !self.conduct.legacy().is_empty() { PROBE } else { PATIENCE };
        let Some(id) = RequestId::read(&raw) else { return number };
        self.send(&Message::request(&raw, method, written), out);
        self.pending.push(Pending {
            id,
            number,
            errand,
            method,
            params,
            deadline: self.now + patience,
            last_deadline: self.now + MOST_PATIENCE,
        });
        number
    }

    fn metadata(&self, method: &str, number: u64) -> Object {
        let mut metadata = Object::new();
        let is_modern = match &self.connection {
            Connection::Open(terms) => terms.revision == Revision::V2026_07_28,
            _ => method == "server/discover",
        };
        if is_modern {
            let declared = self.conduct.declares.written(Revision::V2026_07_28);
            metadata.insert(meta::PROTOCOL_VERSION.into(), Revision::V2026_07_28.as_str().into());
            metadata.insert(meta::CLIENT_CAPABILITIES.into(), Value::Object(declared));
            metadata.insert(meta::CLIENT_INFO.into(), super::Conduct::identity());
            if let Some(level) = &self.level {
                metadata.insert(meta::LOG_LEVEL.into(), level.as_str().into());
            }
        }
        if method == "tools/call" {
            metadata.insert("progressToken".into(), number.into());
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
            self.note("an answer to nothing that is open", out);
            return;
        };
        let answer = match (result, error) {
            (Some(_), Some(_)) => {
                self.note("an answer with both result and error", out);
                return;
            }
            (_, Some(error)) => Err(Trouble::read(error)),
            (Some(result), None) => serde_json::from_str(result.get())
                .map_err(|_| Trouble::Unusable("the result is no object, or too deep to hold".to_owned())),
            (None, None) => return,
        };
        let pending = self.pending.remove(position);
        self.answered(pending, answer, out);
    }

    fn answered(&mut self, pending: Pending, answer: Answer, out: &mut Outlet) {
        match pending.method {
            "server/discover" => self.discovered(&pending, answer, out),
            "initialize" => self.initialized(&pending, answer, out),
            method if method.ends_with("/list") => self.listed(&pending, answer, out),
            _ => self.used(&pending, answer, out),
        }
    }

    /// Progress of a request: there is time for it anew, up to a point.
    pub(super) fn progressed(&mut self, token: &Value) {
        let now = self.now;
        let known = |pending: &&mut Pending| pending.method == "tools/call" && *token == pending.number;
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
        if pending.method == "initialize" {
            return;
        }
        let params = json!({"requestId": pending.number, "reason": why});
        self.send(&Message::notification("notifications/cancelled", Some(params)), out);
    }
}
