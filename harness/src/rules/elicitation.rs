//! What a server asks of the user, and what it does with the answer.
//!
//! - `asking`: the requests
//! - `form`: the schemas of forms, and what was filled in
//! - `answered`: what follows an answer

mod answered;
mod asking;
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
];

const UNTESTED: &str =
    "the server elicited nothing; name a tool that asks the user in the subject file, under `asks-user`";
