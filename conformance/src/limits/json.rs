//! The table for machines; its members are a contract.

use serde::Serialize;

use super::table::{Table, Verdict};
use crate::report::json::written;

#[derive(Serialize)]
struct Document<'a> {
    verdict: Verdict,
    #[serde(flatten)]
    table: &'a Table,
}

/// Renders the table.
#[must_use]
pub fn render(table: &Table) -> String {
    written(&Document { verdict: table.verdict(), table })
}
