//! The life of a session: the handshake, the version, the capabilities, the end.

use super::Rule;

pub(in crate::rules) mod capabilities;
mod ending;
mod handshake;
mod opening;
mod respected;
mod restarting;
mod version;
mod waiting;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &handshake::RESULT_FIELDS,
    &handshake::SERVER_WAITS,
    &handshake::PING_DURING_HANDSHAKE,
    &opening::FIRST_MESSAGE,
    &opening::REQUEST_FIELDS,
    &opening::INITIALIZED_SENT,
    &opening::CLIENT_WAITS,
    &opening::NOT_CANCELLED,
    &opening::OFFERS_SUPPORTED,
    &opening::OFFERS_LATEST,
    &opening::DISCONNECTS,
    &opening::ACCEPTS_DOWNGRADE,
    &opening::CLOSES_STDIN_FIRST,
    &version::ECHO_SUPPORTED,
    &version::COUNTER_OFFER,
    &version::COUNTER_OFFER_LATEST,
    &version::COUNTER_OFFER_USABLE,
    &respected::RESPECTED,
    &respected::RESPECTED_WEAK,
    &capabilities::OPEN_SET,
    &capabilities::SHAPE,
    &ending::TIMEOUT_CANCELS,
    &restarting::SERVER_RESTART,
    &ending::EXITS_ON_EOF,
    &waiting::TIMEOUT_CANCELS_STATELESS,
];

/// Requirements of this area that no rule judges, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[
    (
        "lifecycle.timeout-exists",
        "how long a subject waits is its own affair, so waiting longer than the harness does is no defect, and giving up leaves nothing on the wire",
    ),
    (
        "lifecycle.timeout-max-despite-progress",
        "the maximum is a setting of the subject that no run knows, and in 2026-07-28 only clients send requests",
    ),
];
