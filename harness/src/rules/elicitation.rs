//! What a server asks of the user, what a client answers, and what the server does with the answer.
//!
//! - `asking`: the requests
//! - `form`: the schemas of forms, and what was filled in
//! - `answered`: what follows an answer
//! - `client`: what a client makes of the requests

mod answered;
mod asking;
mod client;
mod form;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &form::SCHEMA_FLAT,
    &asking::PARAMS,
    &asking::URL_HTTPS,
    &asking::COMPLETE_CARRIES_ID,
    &asking::URL_REQUIRED_ERROR,
    &answered::SERVER_VALIDATES_CONTENT,
    &answered::DECLINE_HANDLED_LEGACY,
    &client::MODE_DEFAULT_FORM,
    &client::RESULT_SHAPE,
    &client::ACCEPT_CONFORMS,
    &client::URL_WITHOUT_CONTENT,
    &client::URL_NOT_PREFETCHED,
    &client::COMPLETE_UNKNOWN_IGNORED,
    &client::DEFAULTS_PREFILLED,
];

const UNTESTED: &str =
    "the server elicited nothing; name a tool that asks the user in the subject file, under `asks-user`";
