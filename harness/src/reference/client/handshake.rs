//! Which revision to speak: a probe that tells the eras apart, and the handshake of the older one.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::{ClientFault, ClientHttpFault};
use super::requests::{Answer, Pending, Trouble};
use super::{Client, Conduct, Habit, Outlet, Way};
use crate::reference::message::{Message, Object, object};
use crate::revision::{Revision, Revisions, code, meta};

/// How matters stand with the server.
#[derive(Clone, Debug)]
pub(super) enum Connection {
    /// Nobody has asked for one.
    None,
    /// It is being found out what the server speaks.
    Probing {
        /// How often the modern era was tried.
        tries: u32,
    },
    /// A handshake of the legacy era is under way.
    Initializing,
    /// Both sides know what they speak.
    Open(Terms),
    /// There is none, and why.
    Lost(String),
}

/// What both sides have agreed on.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) revision: Revision,
    /// What the server declared; `None` if it was never asked.
    pub(super) capabilities: Option<Object>,
}

/// Codes that only a modern server uses.
const MODERN_ONLY: [i64; 3] =
    [code::HEADER_MISMATCH, code::MISSING_CLIENT_CAPABILITY, code::UNSUPPORTED_PROTOCOL_VERSION];

/// How often the modern era is tried.
const MOST_TRIES: u32 = 2;
/// How many sessions in a row may be gone before anything was answered.
const MOST_SESSIONS: u32 = 3;

impl Terms {
    /// Whether the server declared this.
    pub(super) fn offers(&self, path: &[&str]) -> bool {
        let (Some(capabilities), Some((first, rest))) = (&self.capabilities, path.split_first()) else { return true };
        let mut here = capabilities.get(*first).filter(|feature| feature.is_object());
        for member in rest {
            here = here.and_then(|feature| feature.get(*member)).filter(|member| is_declared(member));
        }
        here.is_some()
    }
}

/// Whether the value of a member of a capability declares anything.
fn is_declared(value: &Value) -> bool {
    value.is_object() || *value == true
}

impl Client {
    /// What was agreed on, if anything was.
    pub(super) fn terms(&self) -> Option<&Terms> {
        if let Connection::Open(terms) = &self.connection { Some(terms) } else { None }
    }

    pub(super) fn is_modern(&self) -> bool {
        self.terms().is_some_and(|terms| terms.revision == Revision::V2026_07_28)
    }

    /// Begins to connect.
    pub(super) fn connect(&mut self, errand: u64, out: &mut Outlet) {
        match &self.connection {
            Connection::None if self.conduct.modern() && self.is_given_to(Habit::NoProbe) => {
                self.agree(errand, Revision::V2026_07_28, None, out);
            }
            Connection::None if self.faulty(ClientFault::InitializesFirst) => {
                self.initialize(errand, Revision::V2025_11_25, out);
            }
            Connection::None if self.conduct.modern() => self.probe(errand, 1, out),
            Connection::None => match self.conduct.newest_legacy() {
                Some(newest) => self.initialize(errand, newest, out),
                None => self.give_up(errand, "no version is left to speak".to_owned(), out),
            },
            Connection::Lost(why) => {
                let why = why.clone();
                self.fail(errand, why, out);
            }
            _ => self.succeed(errand, json!({}), out),
        }
    }

    fn probe(&mut self, errand: u64, tries: u32, out: &mut Outlet) {
        self.connection = Connection::Probing { tries };
        self.request(errand, "server/discover", Object::new(), out);
    }

    fn initialize(&mut self, errand: u64, offered: Revision, out: &mut Outlet) {
        self.connection = Connection::Initializing;
        if self.way == Way::Streamable && self.conduct.legacy() == Revisions::of(&[Revision::V2024_11_05]) {
            self.way = Way::Old;
        }
        let offered = match (self.faulty(ClientFault::OffersOldest), self.faulty(ClientFault::OffersUnspoken)) {
            (true, _) => self.conduct.legacy().iter().next().unwrap_or(offered),
            (_, true) => Revision::V2025_11_25,
            _ => offered,
        };
        if self.faulty(ClientFault::ListsFirst) {
            self.request(0, "tools/list", Object::new(), out);
        }
        let params = object(json!({
            "protocolVersion": offered.as_str(),
            "capabilities": self.conduct.capabilities(offered),
            "clientInfo": Conduct::identity(),
        }));
        self.request(errand, "initialize", params, out);
        if self.faulty(ClientFault::Hurries) {
            self.request(0, "tools/list", Object::new(), out);
        }
        if self.is_given_to(Habit::PingsInHandshake) {
            self.request(0, "ping", Object::new(), out);
        }
    }

    /// The answer to the probe.
    pub(super) fn discovered(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        let Connection::Probing { tries } = self.connection else { return };
        let errand = pending.errand;
        let trouble = match answer {
            Ok(result) => match self.judge("server/discover", &result) {
                Ok(_) => return self.choose(errand, result, out),
                Err(why) => return self.give_up(errand, why, out),
            },
            Err(trouble) => trouble,
        };
        let code = trouble.code();
        let gives_up = self.faulty(ClientFault::Http(ClientHttpFault::GivesUpOnPlain400));
        if trouble == Trouble::Status(400) && gives_up {
            return self.give_up(errand, trouble.told(), out);
        }
        if self.tampers() && self.misreads_refusal(errand, code, out) {
            return;
        }
        match code {
            Some(code::UNSUPPORTED_PROTOCOL_VERSION) => self.repick(errand, tries, &trouble, out),
            Some(-32_004) if self.faulty(ClientFault::ReadsLegacyRange) => self.repick(errand, tries, &trouble, out),
            Some(code) if MODERN_ONLY.contains(&code) => self.give_up(errand, trouble.told(), out),
            _ => self.fall_back(errand, trouble.told(), out),
        }
    }

    /// Whether a refusal of the probe is dealt with by a fault.
    fn misreads_refusal(&mut self, errand: u64, code: Option<i64>, out: &mut Outlet) -> bool {
        let is_modern = code.is_some_and(|code| MODERN_ONLY.contains(&code));
        let any_400 = self.faulty(ClientFault::Http(ClientHttpFault::FallsBackOnAny400)) && self.way == Way::Streamable;
        if is_modern && (any_400 || self.faulty(ClientFault::FallsBackAnyway)) {
            self.fall_back(errand, String::new(), out);
        } else if code == Some(code::UNSUPPORTED_PROTOCOL_VERSION)
            && self.faulty(ClientFault::RetriesVersionForEver)
            && self.once_more()
        {
            self.probe(errand, 1, out);
        } else if (!is_modern
            && code.is_some_and(|code| code != code::METHOD_NOT_FOUND)
            && self.faulty(ClientFault::FallsBackOnOneCode))
            || (code.is_none() && self.faulty(ClientFault::WaitsForTheProbe))
            || (matches!(code, Some(-32_001 | -32_003)) && self.faulty(ClientFault::ReadsLegacyRange))
        {
            self.give_up(errand, "the probe was not answered as it should be".to_owned(), out);
        } else {
            return false;
        }
        true
    }

    /// A modern server says what it speaks.
    fn choose(&mut self, errand: u64, result: Object, out: &mut Outlet) {
        let Some(listed) = versions(result.get("supportedVersions")) else {
            return self.fall_back(errand, "the server does not say which versions it supports".to_owned(), out);
        };
        if self.tampers() && self.dislikes(&result) {
            return self.give_up(errand, "the server is not to the client's liking".to_owned(), out);
        }
        if listed.contains(&Revision::V2026_07_28) || self.faulty(ClientFault::UsesUnlisted) {
            let capabilities = result.get("capabilities").and_then(Value::as_object).cloned().unwrap_or_default();
            self.agree(errand, Revision::V2026_07_28, Some(capabilities), out);
            let identity = result.get("_meta").and_then(|metadata| metadata.get(meta::SERVER_INFO));
            return self.illustrate(identity.map_or(&[], std::slice::from_ref), out);
        }
        self.settle_for(errand, &listed, out);
    }

    /// The server lacks the version of the probe, and says which it has.
    fn repick(&mut self, errand: u64, tries: u32, trouble: &Trouble, out: &mut Outlet) {
        let Trouble::Refused { data, .. } = trouble else { return };
        let listed = versions(data.get("supported")).unwrap_or_default();
        if !listed.contains(&Revision::V2026_07_28) {
            self.settle_for(errand, &listed, out);
        } else if tries < MOST_TRIES {
            self.probe(errand, tries + 1, out);
        } else {
            self.give_up(errand, trouble.told(), out);
        }
    }

    /// The newest listed version of the legacy era, if there is any.
    fn settle_for(&mut self, errand: u64, listed: &[Revision], out: &mut Outlet) {
        let legacy = self.conduct.legacy();
        match listed.iter().filter(|revision| legacy.has(**revision)).max() {
            Some(newest) if !self.is_given_to(Habit::LeavesLegacyListed) => self.initialize(errand, *newest, out),
            _ => self.give_up(errand, "the server supports no version that is spoken here".to_owned(), out),
        }
    }

    fn fall_back(&mut self, errand: u64, why: String, out: &mut Outlet) {
        if self.faulty(ClientFault::TakesLegacyForModern) {
            return self.agree(errand, Revision::V2026_07_28, None, out);
        }
        let told = self.told.filter(|_| self.conduct.faulty(ClientFault::RefusesDowngrade));
        match told.or(self.conduct.newest_legacy()) {
            Some(newest) => self.initialize(errand, newest, out),
            None => self.give_up(errand, format!("this is no server of 2026-07-28: {why}"), out),
        }
    }

    /// The answer to `initialize`.
    pub(super) fn initialized(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        let errand = pending.errand;
        let result = match answer {
            Ok(result) => result,
            Err(trouble) => return self.refused_handshake(pending, &trouble, out),
        };
        let version = result.get("protocolVersion").and_then(Value::as_str).and_then(Revision::from_wire);
        let speaks = |revision: &Revision| {
            let offered = pending.params.get("protocolVersion").is_some_and(|offered| *offered == revision.as_str());
            self.conduct.legacy().has(*revision) && (offered || !self.conduct.faulty(ClientFault::RefusesDowngrade))
        };
        let anything = self.faulty(ClientFault::SpeaksAnything).then_some(Revision::V2025_11_25);
        let Some(revision) = version.filter(speaks).or(anything) else {
            if self.faulty(ClientFault::LingersAfterVersion) {
                return;
            }
            return self.give_up(errand, "the server answers with a version that is not spoken here".to_owned(), out);
        };
        if self.tampers() && self.dislikes(&result) {
            return self.give_up(errand, "the server is not to the client's liking".to_owned(), out);
        }
        for _ in 0..=u32::from(self.is_given_to(Habit::InitializedTwice)) {
            self.send(Message::notification("notifications/initialized", None), out);
        }
        let capabilities = result.get("capabilities").and_then(Value::as_object).cloned().unwrap_or_default();
        self.agree(errand, revision, Some(capabilities), out);
        self.illustrate(result.get("serverInfo").map_or(&[], std::slice::from_ref), out);
    }

    /// The server does not answer with a version of its own but with an error.
    fn refused_handshake(&mut self, pending: &Pending, trouble: &Trouble, out: &mut Outlet) {
        if self.faulty(ClientFault::InitializesFirst) && self.grudge.loops == 0 && self.once_more() {
            return self.probe(pending.errand, 1, out);
        }
        let legacy = self.conduct.legacy();
        // A server of the older transport knows no such endpoint.
        let is_elsewhere = matches!(trouble, Trouble::Status(400 | 404 | 405)) && self.way == Way::Streamable;
        if let Some(newest) = legacy.iter().next_back().filter(|_| is_elsewhere && legacy.has(Revision::V2024_11_05)) {
            self.way = Way::Old;
            return self.initialize(pending.errand, newest, out);
        }
        let offered = pending.params.get("protocolVersion").and_then(Value::as_str).and_then(Revision::from_wire);
        let listed = match trouble {
            Trouble::Refused { data, .. } if self.is_given_to(Habit::OffersAnother) => versions(data.get("supported")),
            _ => None,
        };
        let older = |revision: &Revision| legacy.has(*revision) && Some(*revision) < offered;
        match listed.and_then(|listed| listed.into_iter().filter(older).max()) {
            Some(another) => self.initialize(pending.errand, another, out),
            None => self.give_up(pending.errand, trouble.told(), out),
        }
    }

    fn agree(&mut self, errand: u64, revision: Revision, capabilities: Option<Object>, out: &mut Outlet) {
        self.connection = Connection::Open(Terms { revision, capabilities });
        if self.tampers() {
            self.misopens(out);
        }
        self.succeed(errand, json!({"revision": revision.as_str()}), out);
        for Pending { errand, method, params, rounds, .. } in std::mem::take(&mut self.unserved) {
            if self.errand(errand).is_some() {
                self.request_again(errand, method, params, rounds, out);
            }
        }
    }

    /// The server has forgotten the session: begins another one, and asks there what was not answered.
    pub(super) fn renew(&mut self, now: Duration, out: &mut Outlet) {
        self.wake(now, out);
        self.now = self.now.max(now);
        let Connection::Open(terms) = &self.connection else { return };
        let revision = terms.revision;
        if self.exited || self.hung_up || self.grudge.is_stuck {
            return;
        }
        self.sessions_lost += 1;
        self.unserved.append(&mut self.pending);
        self.forget_lists();
        if self.sessions_lost > MOST_SESSIONS {
            self.give_up(0, "the server forgets every session".to_owned(), out);
        } else {
            self.initialize(0, self.conduct.newest_legacy().unwrap_or(revision), out);
        }
        self.proceed(out);
    }

    /// Whether a session is opened in the place of one that is gone.
    pub(super) fn is_renewing(&self) -> bool {
        matches!(self.connection, Connection::Initializing) && self.sessions_lost > 0
    }

    /// Whether a fault has something against a server that an honest client has nothing against.
    fn dislikes(&self, result: &Object) -> bool {
        let known = ["experimental", "extensions", "tools", "prompts", "resources", "logging", "completions", "tasks"];
        let declared = result.get("capabilities").and_then(Value::as_object);
        let is_odd = declared.is_some_and(|declared| declared.keys().any(|key| !known.contains(&key.as_str())));
        let is_nameless = result.get("_meta").and_then(|metadata| metadata.get(meta::SERVER_INFO)).is_none();
        (is_odd && self.faulty(ClientFault::ChokesOnCapabilities))
            || (is_nameless && self.faulty(ClientFault::NeedsServerInfo) && result.contains_key("supportedVersions"))
    }

    fn give_up(&mut self, errand: u64, why: String, out: &mut Outlet) {
        self.connection = Connection::Lost(why.clone());
        self.hang_up(out);
        for unserved in std::mem::take(&mut self.unserved) {
            self.fail(unserved.errand, why.clone(), out);
        }
        self.fail(errand, why, out);
    }
}

/// The known versions of a list; `None` for what is no list.
fn versions(listed: Option<&Value>) -> Option<Vec<Revision>> {
    let listed = listed?.as_array()?;
    Some(listed.iter().filter_map(Value::as_str).filter_map(Revision::from_wire).collect())
}
