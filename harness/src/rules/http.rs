//! Streamable HTTP: what the transport asks beyond the messages that it carries.
//!
//! - [`modern`]: of 2026-07-28
//! - [`crossing`]: several clients at once, in every revision

use super::Rule;

pub mod crossing;
pub mod modern;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &crossing::RESPONSES_NOT_CROSSED,
    &modern::version::MISMATCH,
    &modern::version::MISSING,
    &modern::version::UNSUPPORTED,
    &modern::version::UNKNOWN_METHOD,
    &modern::standard::MISSING,
    &modern::standard::MISMATCH,
    &modern::standard::NAME_DECODED,
    &modern::definitions::VALID,
    &modern::params::MISSING,
    &modern::params::ABSENT_VALUE,
    &modern::params::INTEGER_COMPARE,
    &modern::streams::RELATED_ONLY,
    &modern::streams::LISTEN_IS_SSE,
    &modern::streams::NO_BUFFERING,
    &modern::earlier::GET_DELETE,
    &modern::earlier::SESSION_HEADER,
    &modern::lines::WHITESPACE,
    &modern::lines::CASE,
];
