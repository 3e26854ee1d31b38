//! Log messages, for those who asked for them.

use serde_json::{Value, json};

use super::Outbox;
use super::fault::Fault;
use super::server::Server;
use crate::revision::Revision;

/// How grave a log message is, from the least to the most.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

const NAMES: [(Level, &str); 8] = [
    (Level::Debug, "debug"),
    (Level::Info, "info"),
    (Level::Notice, "notice"),
    (Level::Warning, "warning"),
    (Level::Error, "error"),
    (Level::Critical, "critical"),
    (Level::Alert, "alert"),
    (Level::Emergency, "emergency"),
];

impl Level {
    pub(super) fn from_wire(text: &str) -> Option<Self> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(level, _)| *level)
    }

    fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }
}

impl Server {
    /// Logs, if the level is at or above what was asked for.
    pub(super) fn log(&mut self, to: (Revision, Option<Level>), level: Level, data: Value, out: &mut Outbox) {
        let (revision, threshold) = to;
        let unasked = match revision {
            Revision::V2026_07_28 if threshold.is_none() => !self.faulty(Fault::LogsUnasked),
            Revision::V2026_07_28 => threshold > Some(level) && !self.faulty(Fault::LogsBelowRequest),
            _ => threshold.is_none_or(|threshold| level < threshold) && !self.faulty(Fault::LogsBelowLevel),
        };
        if !self.behaviour.features.logging || unasked {
            return;
        }
        let params = json!({"level": level.as_str(), "logger": "reference", "data": data});
        self.notify(revision, "notifications/message", Some(params), out);
    }
}
