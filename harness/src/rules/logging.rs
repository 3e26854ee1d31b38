//! Log messages: their form, who asked for them, and how grave they are.
//!
//! - `level`: logging/setLevel of the legacy era
//! - `request`: the level in a modern request's metadata

mod level;
mod request;

use super::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::revision::{Revisions, Side};
use crate::session::{Message, Speaker, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &MESSAGE_SHAPE,
    &level::SET_LEVEL_ANSWERED,
    &level::SET_LEVEL_INVALID,
    &level::LEVEL_FILTER,
    &request::OPT_IN,
    &request::LEVEL_FLOOR,
    &request::REQUEST_STREAM_ONLY,
    &request::INVALID_LEVEL_REJECTED,
];

const UNTESTED: &str = "the server logged nothing; name a tool that logs in the subject file, under `logs`";

static MESSAGE_SHAPE: Rule = Rule {
    id: "logging.message-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#LoggingMessageNotificationParams",
    requires: "A log message has one of the eight levels and data.",
    judged: "The data may be any JSON, null too. The logger is a string where there is one.",
    untested: UNTESTED,
    judge: message_shape,
};

fn message_shape(view: View<'_>) -> Verdict {
    messages(view)
        .map(|message| {
            let flaw = match (message.param("level"), message.param("data"), message.param("logger")) {
                (None, ..) => Some("logs without a level".to_owned()),
                (Some(level), ..) if severity(level).is_none() => Some(format!("logs at the level {}", level.brief())),
                (_, None, _) => Some("logs without data".to_owned()),
                (_, _, Some(logger)) if !logger.is_string() => Some(format!("logs as the logger {}", logger.brief())),
                _ => None,
            };
            flaw.map_or(Ok(()), |what| Err(Breach::at(message, what)))
        })
        .collect()
}

/// The log messages of the subject.
fn messages(view: View<'_>) -> impl Iterator<Item = &Message<'_>> {
    view.notifications_by(Speaker::Subject).filter(|message| message.is("notifications/message"))
}

/// How grave a level is; none for what is no level.
fn severity(level: Value<'_>) -> Option<usize> {
    probe::LEVELS.iter().position(|known| level.is(known))
}

fn name_of(severity: usize) -> &'static str {
    probe::LEVELS.get(severity).copied().unwrap_or_default()
}
