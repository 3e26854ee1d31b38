//! Resources: what lists of them say, what reading them gives, and who hears of their changes.
//!
//! - `list`: resources/list and resources/templates/list
//! - `read`: resources/read and the shape of its results
//! - `missing`: reading what is not there
//! - `updates`: subscriptions to single resources
//! - `client`: what a client makes of resources that are not there
//! - `uri`: the syntax of URIs and of their templates

mod client;
mod list;
mod missing;
mod read;
mod updates;
pub(super) mod uri;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &list::ITEM_FIELDS,
    &list::URI_RFC3986,
    &read::CONTENTS_SHAPE,
    &missing::NOT_FOUND_LEGACY,
    &missing::NOT_FOUND,
    &missing::NO_EMPTY_CONTENTS,
    &read::URI_VALIDATED,
    &updates::WORKS_IF_DECLARED,
    &updates::ONLY_SUBSCRIBED,
    &updates::EMITTED,
    &updates::EMITTED_ON_SUBSCRIPTION,
    &client::ACCEPTS_OLD_CODE,
];

/// Requirements of this area that no rule judges, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[(
    "resources.read.no-traversal",
    "which directories a server serves is not on the wire, so nobody can tell an escape from a file that it offers",
)];
