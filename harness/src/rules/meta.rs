//! `_meta`: its form, its keys, and what a receiver may conclude from it.

use super::Rule;

mod client;
pub(in crate::rules) mod keys;
mod request;
pub(in crate::rules) mod trace;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &keys::IS_OBJECT,
    &keys::KEY_NAME_FORMAT,
    &keys::REVERSE_DNS_PREFIX,
    &keys::RESERVED_PREFIX_NOT_INVENTED,
    &trace::TRACE_CONTEXT_FORMAT,
    &request::RESERVED_VALUES_NO_ASSUMPTION,
    &request::MISSING_REQUIRED_REJECTED,
    &request::SERVER_INFO,
    &request::IDENTITY_NOT_BEHAVIOURAL,
    &client::PROTOCOL_VERSION,
    &client::CLIENT_CAPABILITIES,
    &client::CLIENT_INFO,
];
