//! Results that the server said may be kept, for as long as it said.

use std::time::Duration;

use crate::reference::message::Object;

/// The most results that are kept.
const MOST: usize = 256;
/// The longest that one is kept.
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
    pub(super) fn find(&self, method: &str, params: &Object, now: Duration) -> Option<Object> {
        let same = |kept: &&Kept| kept.method == method && kept.params == *params && kept.until > now;
        self.0.iter().find(same).map(|kept| kept.result.clone())
    }

    /// Keeps a result, if it may be kept at all.
    pub(super) fn keep(&mut self, method: &'static str, params: &Object, result: &Object, now: Duration) {
        self.0.retain(|kept| kept.until > now && !(kept.method == method && kept.params == *params));
        let ttl = result.get("ttlMs").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        if ttl > 0.0 && self.0.len() < MOST {
            let until = now + Duration::from_secs_f64(ttl.min(LONGEST) / 1_000.0);
            self.0.push(Kept { method, params: params.clone(), result: result.clone(), until });
        }
    }

    /// Forgets every result of a method.
    pub(super) fn forget(&mut self, method: &str) {
        self.0.retain(|kept| kept.method != method);
    }
}
