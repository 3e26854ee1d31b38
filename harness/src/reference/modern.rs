//! The modern era: every request stands alone and carries its version and the client's capabilities.

use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::Reading;
use super::declared::Declared;
use super::fault::Fault;
use super::legacy::Call;
use super::logging::Level;
use super::message::{Failure, Object, object};
use super::server::{Answer, Occasion, Server};
use crate::revision::{Revision, code, meta};

/// Results that say how long they may be kept.
const CACHEABLE: [&str; 6] =
    ["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"];

impl Server {
    pub(super) fn modern_request(&mut self, call: &mut Call<'_>, out: &mut Outbox) -> Answer {
        if call.method == "initialize" && self.behaviour.legacy().is_empty() {
            return Err(self.names_versions(Failure::new(
                code::INVALID_PARAMS,
                "there is no handshake in the versions spoken here; send each request with its own metadata",
            )));
        }
        if self.session.is_some() && self.reads(Reading::OneEraAtATime) {
            return Err(Failure::new(code::INVALID_REQUEST, "a legacy session is open"));
        }
        self.read_metadata(call, out)?;
        if self.tampers()
            && let Some(answer) = self.misserves_modern(call, out)
        {
            return answer;
        }
        match call.method {
            "server/discover" => Ok(Some(self.discover(call.revision))),
            "subscriptions/listen" if !self.reads(Reading::ListenUnknown) || self.behaviour.features.announces() => {
                self.listen(call, out)
            }
            "ping" if self.reads(Reading::ModernPing) => Ok(Some(Object::new())),
            _ => self.serve(call, out),
        }
    }

    /// Judges the request by its own `_meta`, and by nothing else.
    fn read_metadata(&mut self, call: &mut Call<'_>, out: &mut Outbox) -> Result<(), Failure> {
        let missing = |key| Failure::new(code::INVALID_PARAMS, format!("the request metadata needs {key}"));
        let metadata = call.params.get("_meta").and_then(Value::as_object);
        let version = metadata.and_then(|metadata| metadata.get(meta::PROTOCOL_VERSION)).and_then(Value::as_str);
        match version {
            Some(version) => self.check_version(call, version, out)?,
            None if self.faulty(Fault::ToleratesMissingVersion) => {}
            None => return Err(self.names_versions(missing(meta::PROTOCOL_VERSION))),
        }
        let capabilities = metadata.and_then(|metadata| metadata.get(meta::CLIENT_CAPABILITIES));
        match capabilities {
            Some(capabilities) if capabilities.is_object() => call.client = Declared::read(capabilities),
            _ if self.faulty(Fault::ToleratesMissingCapabilities) => {}
            _ if self.faulty(Fault::WrongCodeForMissingMeta) => {
                return Err(Failure::new(code::INTERNAL_ERROR, "no client capabilities"));
            }
            _ => return Err(missing(meta::CLIENT_CAPABILITIES)),
        }
        match metadata.and_then(|metadata| metadata.get(meta::LOG_LEVEL)) {
            None => Ok(()),
            Some(level) => {
                call.log = level.as_str().and_then(Level::from_wire);
                match call.log {
                    Some(_) => Ok(()),
                    None if self.faulty(Fault::IgnoresBadLogLevel) => Ok(()),
                    None => Err(Failure::new(code::INVALID_PARAMS, "there is no such log level")),
                }
            }
        }
    }

    fn check_version(&mut self, call: &mut Call<'_>, version: &str, out: &mut Outbox) -> Result<(), Failure> {
        if self.faulty(Fault::RemembersVersionRefusal) && self.grudge.version_refused {
            return Err(self.unsupported("1900-01-01"));
        }
        let known = Revision::from_wire(version);
        let supported = match known {
            Some(Revision::V2026_07_28) => true,
            Some(legacy) => self.reads(Reading::LegacyVersionInMeta) && self.behaviour.revisions.has(legacy),
            None => false,
        };
        if supported || self.faulty(Fault::IgnoresVersion) {
            return Ok(());
        }
        self.grudge.version_refused = true;
        if self.faulty(Fault::RunsBeforeVersionCheck) {
            let _ = self.serve(call, out);
        }
        Err(self.unsupported(version))
    }

    fn unsupported(&self, version: &str) -> Failure {
        let mut supported = self.supported_versions();
        supported.retain(|known| *known != version);
        Failure::new(code::UNSUPPORTED_PROTOCOL_VERSION, "unsupported protocol version")
            .with(json!({"supported": supported, "requested": version}))
    }

    fn names_versions(&self, failure: Failure) -> Failure {
        if self.faulty(Fault::HidesVersions) {
            return failure;
        }
        failure.with(json!({"supported": self.supported_versions()}))
    }

    /// The versions for modern requests; legacy ones are found by `initialize`, so they are not named by default.
    pub(super) fn supported_versions(&self) -> Vec<&'static str> {
        let mut versions = vec![Revision::V2026_07_28.as_str()];
        if self.reads(Reading::ListsLegacyVersions) {
            versions.extend(self.behaviour.legacy().iter().rev().map(Revision::as_str));
        }
        if self.faulty(Fault::ListsVersionItRefuses) {
            versions.push("2027-01-01");
        }
        versions
    }

    fn discover(&mut self, revision: Revision) -> Object {
        self.grudge.discovered = true;
        object(json!({
            "supportedVersions": self.supported_versions(),
            "capabilities": self.capabilities(revision),
            "instructions": "A reference server of turncoat: every feature, nothing real.",
        }))
    }

    /// Adds to a result what every result of its revision and method carries.
    pub(super) fn dress(&self, occasion: Occasion<'_>, result: &mut Object) {
        let modern = occasion.revision == Revision::V2026_07_28;
        if !modern && !self.reads(Reading::ModernMembersInLegacy) {
            return;
        }
        let complete = result.entry("resultType").or_insert_with(|| "complete".into()) == "complete";
        if complete && CACHEABLE.contains(&occasion.method) {
            let scope = if occasion.method == "resources/read" { "private" } else { "public" };
            let ttl = if self.reads(Reading::FractionalTtl) { json!(1000.0) } else { json!(1000) };
            result.insert("ttlMs".into(), ttl);
            result.insert("cacheScope".into(), scope.into());
        }
        if !modern || self.reads(Reading::NoServerInfo) {
            return;
        }
        let metadata = result.entry("_meta").or_insert_with(|| Value::Object(Object::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(meta::SERVER_INFO.into(), self.identity(occasion.revision));
        }
    }
}
