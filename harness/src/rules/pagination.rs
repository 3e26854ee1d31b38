//! Cursors and pages of lists.

use super::Rule;

mod cursors;
mod pages;
pub(in crate::rules) mod walks;

/// The rules of this area.
pub static RULES: &[&Rule] =
    &[&pages::NEXT_CURSOR_TYPE, &cursors::ACCEPTS_OWN, &cursors::STABLE, &cursors::INVALID, &pages::WALK_COMPLETE];
