//! The table for people at a terminal.

use turncoat::limits::search::PRECISION;

use super::table::{Limit, Table, Verdict, bytes, figure};
use crate::report::human::{BAD, BOLD, DIM, DOUBTFUL, GOOD, Look, Page, duration};
use crate::report::text::{count, visible, width, wrap};

/// How to read the columns.
pub const LEGEND: &str = "A subject bears a measure if it reacts as it does to the smallest; where it bears the \
                          largest that is tried, nothing follows. Above the floor nothing is judged, and refusing by \
                          an error is right anywhere: to end and to stop serving below the floor fails, and so does \
                          leaving a request without an answer that is neither deep nor of 64 KiB and more. Memory is \
                          the most that the process held in the session with the largest measure that it bears.";

/// What belongs to a table of limits and is not in this one.
pub const NOT_HERE: &str = "The number of pages and the number of tools are dimensions of clients, for which the harness \
                            is the server; they are not measured here.";

/// The columns but the last, which takes what room there is.
const HEADS: [&str; 5] = ["dimension", "floor", "bears", "then at", "memory"];
const WIDTHS: [usize; 5] = [10, 9, 9, 9, 9];
const GAP: usize = 2;

/// Renders the table.
#[must_use]
pub fn render(table: &Table, look: Look) -> String {
    let mut page = Page::new(look);
    let style = match table.verdict() {
        Verdict::KeepsFloors => GOOD,
        Verdict::BreaksBelowFloors => BAD,
        Verdict::NothingMeasured | Verdict::Interrupted => DOUBTFUL,
    };
    page.headline(style, &table.headline());
    page.who(&table.subject);
    page.field("run", &bounds(table));
    page.section(&count(table.limits.len(), "dimension"), "each measure is reached in a fresh session");
    let head = line(HEADS.map(str::to_owned));
    let head = page.paint(BOLD, &format!("{head}what happens then"));
    page.line(&format!("  {head}"));
    for limit in &table.limits {
        row(&mut page, limit);
    }
    page.line("");
    for limit in &table.limits {
        let name = format!("{:<width$}", limit.dimension, width = WIDTHS[0]);
        paragraph(&mut page, &format!("{name}{}", " ".repeat(GAP)), &limit.what);
    }
    for text in [LEGEND, NOT_HERE] {
        page.line("");
        paragraph(&mut page, "", text);
    }
    let offended: Vec<_> = table.limits.iter().filter(|limit| limit.offence().is_some()).collect();
    if !offended.is_empty() {
        page.section("below the floor", "to see it again");
        for limit in offended {
            page.line(&format!("  {}", visible(&limit.replay)));
        }
    }
    page.line("");
    page.line(&format!("{}; {} in {}", table.verdict(), count(table.sessions, "session"), duration(table.seconds)));
    page.finish()
}

/// What the run was allowed, in one sentence.
#[must_use]
pub fn bounds(table: &Table) -> String {
    let answer = table.bounds.timeout_seconds;
    let mut text = format!("revision {}, to {} %; {answer} s for an answer", table.revision, 100 / PRECISION);
    // What a server behind a URL takes cannot be seen, and what one in memory takes is its own word.
    if table.subject.command.is_some() {
        let (memory, seconds) = (bytes(table.bounds.memory_bytes), table.bounds.cpu_seconds);
        text.push_str(&format!(", {memory} and {seconds} s of processor time for a process"));
    }
    text
}

fn row(page: &mut Page, limit: &Limit) {
    let shown = |measure: Option<u64>| measure.map_or("-".to_owned(), |measure| figure(limit.unit, measure));
    let front = line([
        limit.dimension.clone(),
        figure(limit.unit, limit.floor),
        shown(limit.kept),
        shown(limit.changes.map(|change| change.measure)),
        limit.memory_bytes.map_or("-".to_owned(), bytes),
    ]);
    let indent = width(&front);
    let room = page.width().saturating_sub(indent + 2).max(12);
    let story = limit.story();
    let mut lines = story.iter().flat_map(|text| wrap(&visible(text), room));
    let style = match limit {
        limit if limit.offence().is_some() => Some(BAD),
        limit if limit.breaks.is_some() => Some(DOUBTFUL),
        _ => None,
    };
    let paint = |page: &Page, text: &str| style.map_or(text.to_owned(), |style| page.paint(style, text));
    let first = paint(page, &lines.next().unwrap_or_default());
    page.line(&format!("  {front}{first}"));
    for text in lines {
        let text = paint(page, &text);
        page.line(&format!("  {:indent$}{text}", ""));
    }
}

/// The name on the left, figures on the right of their columns.
fn line(cells: [String; 5]) -> String {
    let mut text = String::new();
    for (position, (cell, columns)) in cells.iter().zip(WIDTHS).enumerate() {
        match position {
            0 => text.push_str(&format!("{cell:<columns$}")),
            _ => text.push_str(&format!("{:GAP$}{cell:>columns$}", "")),
        }
    }
    text.push_str(&" ".repeat(GAP));
    text
}

fn paragraph(page: &mut Page, label: &str, text: &str) {
    let room = page.width().saturating_sub(2 + label.len()).max(12);
    for (position, line) in wrap(text, room).iter().enumerate() {
        let label = if position == 0 { label.to_owned() } else { " ".repeat(label.len()) };
        let line = page.paint(DIM, &format!("{label}{line}"));
        page.line(&format!("  {line}"));
    }
}
