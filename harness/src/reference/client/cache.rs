//! Results that the server said may be kept, for as long as it said.

use std::time::Duration;

use serde_json::Value;

use super::fault::ClientFault;
use super::offer::size;
use super::requests::Pending;
use super::{Client, Habit, Outlet};
use crate::reference::message::Object;

/// The most results that are kept.
const MOST: usize = 256;
/// The largest result that is kept, in bytes.
const LARGEST: usize = 256 << 10;
/// The longest that one is kept, in milliseconds.
const LONGEST: f64 = 86_400_000.0;

/// Results by method and params.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache(Vec<Kept>);

#[derive(Clone, Debug)]
struct Kept {
    method: &'static str,
    params: Object,
    result: Object,
    until: Duration,
}

impl Cache {
    /// The result of exactly this request, as long as it is fresh.
    fn find(&self, method: &str, params: &Object, now: Duration) -> Option<Object> {
        let same = |kept: &&Kept| kept.method == method && kept.params == *params && kept.until > now;
        self.0.iter().find(same).map(|kept| kept.result.clone())
    }

    /// Some result of this method, as a careless client finds one.
    fn any(&self, method: &str, now: Duration) -> Option<Object> {
        self.0.iter().find(|kept| kept.method == method && kept.until > now).map(|kept| kept.result.clone())
    }

    /// Keeps a result, if it may be kept at all.
    fn keep(&mut self, method: &'static str, params: &Object, result: &Object, now: Duration) {
        self.0.retain(|kept| kept.until > now && !(kept.method == method && kept.params == *params));
        let ttl = result.get("ttlMs").and_then(Value::as_f64).unwrap_or(0.0);
        if ttl > 0.0 && self.0.len() < MOST && result.values().map(size).sum::<usize>() <= LARGEST {
            let until = now + Duration::from_secs_f64(ttl.min(LONGEST) / 1_000.0);
            self.0.push(Kept { method, params: params.clone(), result: result.clone(), until });
        }
    }

    /// Forgets every result of a method.
    pub(super) fn forget(&mut self, method: &str) {
        self.0.retain(|kept| kept.method != method);
    }
}

impl Client {
    /// What is known of the answer to a request, if that may still be used.
    pub(super) fn cached(&self, method: &str, params: &Object) -> Option<Object> {
        if self.faulty(ClientFault::CacheForgetsParams) {
            return self.cache.any(method, self.now);
        }
        self.cache.find(method, params, self.now)
    }

    /// Keeps a result, if the server and the client's habits allow it.
    pub(super) fn remember(&mut self, pending: &Pending, result: &Object, out: &mut Outlet) {
        if !self.is_modern() || self.is_given_to(Habit::NoCache) {
            return;
        }
        let mut params = pending.params.clone();
        if pending.rounds > 0 {
            if !self.faulty(ClientFault::CachesRetries) {
                return;
            }
            params.retain(|name, _| name == "uri");
        }
        let mut result = result.clone();
        if self.tampers() {
            let ttl = result.get("ttlMs").and_then(Value::as_f64);
            if self.faulty(ClientFault::DiesOnNegativeTtl) && ttl.is_some_and(|ttl| ttl < 0.0) {
                return self.exit(1, out);
            }
            if self.faulty(ClientFault::IgnoresTtl) {
                result.insert("ttlMs".into(), LONGEST.into());
            }
            if self.faulty(ClientFault::Polls) && pending.method == "tools/list" && params.is_empty() {
                let ttl = ttl.filter(|ttl| *ttl >= 1.0).map(|ttl| Duration::from_secs_f64(ttl.min(LONGEST) / 1_000.0));
                self.grudge.poll = ttl.map(|ttl| self.now + ttl);
            }
        }
        self.cache.keep(pending.method, &params, &result, self.now);
    }
}
