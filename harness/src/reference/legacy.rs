//! The legacy era: a handshake, then a session in the revision that it settled.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::Reading;
use super::declared::Declared;
use super::fault::Fault;
use super::incoming::{self, RequestId};
use super::logging::Level;
use super::message::{Failure, Object, object};
use super::server::{Answer, Occasion, Server};
use crate::revision::{Revision, code, meta};

/// A session that `initialize` opened.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) revision: Revision,
    pub(super) client: Declared,
    /// Whether `notifications/initialized` came.
    pub(super) initialized: bool,
    /// The lowest level that is logged.
    pub(super) level: Level,
    /// URIs with a subscription.
    pub(super) subscribed: Vec<String>,
    /// Whether the client was ever asked for its roots.
    pub(super) asked_roots: bool,
}

/// A request, once its era is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) now: Duration,
    pub(super) id: &'a RequestId,
    pub(super) revision: Revision,
    pub(super) method: &'a str,
    pub(super) params: &'a Object,
    pub(super) client: Declared,
    /// The lowest level to log while this request runs; `None` for silence.
    pub(super) log: Option<Level>,
}

impl<'a> Call<'a> {
    /// A member of the params that must be a string.
    pub(super) fn text(&self, member: &str) -> Result<&'a str, Failure> {
        self.params.get(member).and_then(Value::as_str).ok_or_else(|| {
            Failure::new(code::INVALID_PARAMS, format!("{} needs the string member {member}", self.method))
        })
    }

    /// The progress token, if the request has a proper one.
    pub(super) fn token(&self) -> Option<Value> {
        let token = self.params.get("_meta")?.get("progressToken")?;
        (token.is_string() || token.is_i64() || token.is_u64()).then(|| token.clone())
    }

    /// Whether the request belongs to the modern era.
    pub(super) fn modern(&self) -> bool {
        self.revision == Revision::V2026_07_28
    }

    pub(super) fn occasion(&self) -> Occasion<'a> {
        let about = self.params.get("name").or_else(|| self.params.get("uri"));
        Occasion { revision: self.revision, method: self.method, name: about.and_then(Value::as_str).unwrap_or("") }
    }
}

impl Server {
    /// A request of either era: finds out which, serves it, answers it.
    pub(super) fn request(
        &mut self,
        now: Duration,
        id: &RequestId,
        method: &str,
        params: Option<&RawValue>,
        out: &mut Outbox,
    ) {
        let params = params.filter(|raw| !(self.lenient() && raw.get() == "null"));
        let Some(params) = incoming::members(params) else {
            let occasion = Occasion { revision: self.revision_in_use(), method, name: "" };
            let failure = Failure::new(code::INVALID_PARAMS, "params are no object, or too deep or large to hold");
            self.answer(id, occasion, Err(failure), out);
            return;
        };
        let mut call = Call {
            now,
            id,
            revision: Revision::V2026_07_28,
            method,
            params: &params,
            client: Declared::default(),
            log: None,
        };
        let answer = if self.in_modern_era(method, &params) {
            self.modern_request(&mut call, out)
        } else {
            call.revision = self.session.as_ref().map_or_else(
                || self.behaviour.newest_legacy().unwrap_or(Revision::V2025_11_25),
                |session| session.revision,
            );
            if self.session.is_none() && !matches!(method, "initialize" | "ping") && self.reads(Reading::EarlySilent) {
                return;
            }
            self.legacy_request(&mut call, out)
        };
        self.answer(id, call.occasion(), answer, out);
        if method == "initialize" && self.tampers() {
            self.after_initialize(out);
        }
    }

    /// A message with the modern version in its metadata is modern; on a server of both eras every other message is
    /// legacy, unless it can only be a defective modern one.
    fn in_modern_era(&self, method: &str, params: &Object) -> bool {
        if self.stateless {
            return true;
        }
        if !self.behaviour.modern() || self.behaviour.legacy().is_empty() {
            return self.behaviour.modern();
        }
        let carries = |key| params.get("_meta").and_then(|meta| meta.get(key)).is_some();
        if carries(meta::PROTOCOL_VERSION) {
            return true;
        }
        self.session.is_none()
            && !matches!(method, "initialize" | "ping")
            && (carries(meta::CLIENT_CAPABILITIES)
                || carries(meta::CLIENT_INFO)
                || matches!(method, "server/discover" | "subscriptions/listen")
                || self.reads(Reading::MissingMetaIsModern))
    }

    fn legacy_request(&mut self, call: &mut Call<'_>, out: &mut Outbox) -> Answer {
        if call.method == "initialize" {
            return self.initialize(call);
        }
        if call.method == "ping" {
            return self.ping();
        }
        match &self.session {
            Some(session) => {
                let early = !session.initialized && (self.strict() || self.reads(Reading::EarlyRefused));
                if early {
                    return Err(Failure::new(code::INVALID_REQUEST, "the client has not said that it is initialized"));
                }
                call.client = session.client;
                call.log = Some(session.level);
            }
            None if self.reads(Reading::EarlyServed) => {}
            None => return Err(Failure::new(code::INVALID_REQUEST, "initialize comes first")),
        }
        if self.tampers()
            && let Some(answer) = self.misserves_legacy(call, out)
        {
            return answer;
        }
        match call.method {
            "logging/setLevel" if self.offers("logging") => self.set_level(call),
            "resources/subscribe" if self.offers("subscribe") => self.subscribe(call, true),
            "resources/unsubscribe" if self.offers("subscribe") => self.subscribe(call, false),
            "tools/call" if self.augments(call) => self.make_task(call, out),
            "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel"
                if self.offers("tasks") && call.revision == Revision::V2025_11_25 =>
            {
                self.serve_task(call, out)
            }
            _ => self.serve(call, out),
        }
    }

    fn initialize(&mut self, call: &Call<'_>) -> Answer {
        if self.in_batch() {
            return Err(Failure::new(code::INVALID_REQUEST, "initialize cannot be part of a batch"));
        }
        if self.session.is_some() && !self.reads(Reading::Renegotiates) {
            return Err(Failure::new(code::INVALID_REQUEST, "the session is already open"));
        }
        let asked = call.text("protocolVersion")?;
        let capabilities = call.params.get("capabilities").filter(|value| value.is_object());
        let capabilities = match capabilities {
            Some(capabilities) => capabilities,
            None if self.lenient() => &Value::Null,
            None => return Err(Failure::new(code::INVALID_PARAMS, "initialize needs the object capabilities")),
        };
        if self.strict() && !call.params.get("clientInfo").is_some_and(Value::is_object) {
            return Err(Failure::new(code::INVALID_PARAMS, "initialize needs the object clientInfo"));
        }
        if self.refuses_capabilities(Some(capabilities)) {
            return Err(Failure::new(code::INVALID_PARAMS, "an unknown capability"));
        }
        let revision = self.negotiate(asked, capabilities.as_object().is_some_and(|declared| !declared.is_empty()))?;
        self.session = Some(Session {
            revision,
            client: Declared::read(capabilities),
            initialized: false,
            level: Level::Info,
            subscribed: Vec::new(),
            asked_roots: false,
        });
        let mut result = object(json!({
            "protocolVersion": self.offered(asked, revision),
            "capabilities": self.capabilities(revision),
            "serverInfo": self.identity(revision),
        }));
        result.insert("instructions".into(), "A reference server of turncoat: every feature, nothing real.".into());
        Ok(Some(result))
    }

    /// The revision asked for if the server speaks it, else its newest legacy one.
    fn negotiate(&self, asked: &str, declares: bool) -> Result<Revision, Failure> {
        let legacy = self.behaviour.legacy();
        let supported: Vec<_> = legacy.iter().map(Revision::as_str).collect();
        let refusal = || {
            Failure::new(code::INVALID_PARAMS, "unsupported protocol version")
                .with(json!({"supported": supported, "requested": asked}))
        };
        let known = Revision::from_wire(asked);
        if known == Some(Revision::V2026_07_28) && self.reads(Reading::ModernInitializeRefused) {
            return Err(refusal());
        }
        if let Some(revision) = self.misnegotiates(known, declares) {
            return Ok(revision);
        }
        match known.filter(|revision| legacy.has(*revision)) {
            Some(revision) => Ok(revision),
            None if self.reads(Reading::VersionError) => Err(refusal()),
            None => self.behaviour.newest_legacy().ok_or_else(refusal),
        }
    }

    fn ping(&self) -> Answer {
        if self.faulty(Fault::RefusesPingInHandshake) && self.session.as_ref().is_some_and(|s| !s.initialized) {
            return Err(Failure::new(code::INVALID_REQUEST, "not initialized"));
        }
        if self.faulty(Fault::IgnoresPingWhileBusy) && !self.running.is_empty() {
            return Ok(None);
        }
        let mut result = Object::new();
        if self.reads(Reading::PingMeta) {
            result.insert("_meta".into(), json!({"com.example/uptime": 0}));
        }
        Ok(Some(result))
    }

    fn set_level(&mut self, call: &Call<'_>) -> Answer {
        if self.faulty(Fault::AcceptsAnyLevel) {
            return Ok(Some(Object::new()));
        }
        let wrong = self.faulty(Fault::WrongLevelCode);
        let code = if wrong { code::INTERNAL_ERROR } else { code::INVALID_PARAMS };
        let refusal = || Failure::new(code, "there is no such log level");
        let level = call.params.get("level").and_then(Value::as_str).and_then(Level::from_wire).ok_or_else(refusal)?;
        if level == Level::Alert && self.faulty(Fault::RefusesAlert) {
            return Err(refusal());
        }
        if let Some(session) = &mut self.session {
            session.level = level;
        }
        Ok(Some(Object::new()))
    }

    fn subscribe(&mut self, call: &Call<'_>, on: bool) -> Answer {
        let uri = call.text("uri")?;
        if on && !self.knows_resource(uri) {
            return Err(super::resources::not_found(call.revision, uri));
        }
        if self.faulty(Fault::RefusesSubscriptions) {
            return Err(Failure::new(code::INTERNAL_ERROR, "nobody can subscribe today"));
        }
        if !on && self.faulty(Fault::ForgetsUnsubscription) {
            return Ok(Some(Object::new()));
        }
        if let Some(session) = &mut self.session {
            session.subscribed.retain(|known| known != uri);
            if on {
                session.subscribed.push(uri.to_owned());
            }
        }
        Ok(Some(Object::new()))
    }

    /// Takes note of a notification; whatever it is, nothing answers it.
    pub(super) fn notification(&mut self, now: Duration, method: &str, params: Option<&RawValue>, out: &mut Outbox) {
        if self.tampers() && self.mishandles_notification(method, params, out) {
            return;
        }
        match method {
            "notifications/initialized" => {
                if let Some(session) = &mut self.session {
                    session.initialized = true;
                }
            }
            "notifications/cancelled" => self.cancelled(params, out),
            "notifications/roots/list_changed" => self.roots_changed(now, out),
            _ => {}
        }
    }
}
