//! Cursors and pages of lists.

use super::Rule;

mod client;
mod cursors;
mod pages;
pub(in crate::rules) mod walks;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &pages::NEXT_CURSOR_TYPE,
    &cursors::ACCEPTS_OWN,
    &cursors::STABLE,
    &cursors::INVALID,
    &pages::WALK_COMPLETE,
    &client::ECHOES_CURSOR,
    &client::EMPTY_STRING_CURSOR,
    &client::STOPS_WITHOUT_CURSOR,
    &client::NO_FIXED_PAGE_SIZE,
    &client::NO_CURSOR_ACROSS_SESSIONS,
];
