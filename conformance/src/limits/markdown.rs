//! The table for issues and pull requests, in GitHub's Markdown.

use super::human::{LEGEND, NOT_HERE, bounds};
use super::table::{Limit, Table, bytes, figure};
use crate::report::markdown::{block, cell, own, who};
use crate::report::text::visible;

/// Renders the table.
#[must_use]
pub fn render(table: &Table) -> String {
    let mut page = format!("# turncoat: {}\n\n", table.headline());
    who(&mut page, &table.subject);
    page.push_str(&format!("| run | {} |\n", own(&bounds(table))));
    page.push_str("\n| dimension | floor | bears | then at | what happens then | memory |\n");
    page.push_str("| --- | ---: | ---: | ---: | --- | ---: |\n");
    for limit in &table.limits {
        row(&mut page, limit);
    }
    page.push_str(&format!("\n{}\n\n{}\n", own(LEGEND), own(NOT_HERE)));
    for limit in table.limits.iter().filter(|limit| limit.offence().is_some()) {
        page.push_str(&format!("\n{}", block("sh", &visible(&limit.replay))));
    }
    page
}

fn row(page: &mut String, limit: &Limit) {
    let shown = |measure: Option<u64>| measure.map_or("-".to_owned(), |measure| figure(limit.unit, measure));
    let story: Vec<_> = limit.story().iter().map(|line| cell(line)).collect();
    page.push_str(&format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        limit.dimension,
        figure(limit.unit, limit.floor),
        shown(limit.kept),
        shown(limit.changes.map(|change| change.measure)),
        story.join("; "),
        limit.memory_bytes.map_or("-".to_owned(), bytes)
    ));
}
