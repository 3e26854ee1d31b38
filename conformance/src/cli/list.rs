//! `turncoat list`: one line each, whole where the output is no terminal.

use std::process::ExitCode;

use turncoat::reference::client::{self, CLIENT_FAULTS};
use turncoat::reference::{FAULTS, FaultInfo, variants};
use turncoat::revision::{Revision, Revisions};
use turncoat::rules;
use turncoat::script::{Script, corpus};
use turncoat_conformance::report::text::{count, cut, width};

use super::usage::Usage;
use super::{Catalogue, output};

/// Lists part of the catalogue, or rules and scripts.
pub(super) fn list(what: Option<Catalogue>) -> Result<ExitCode, Usage> {
    let text = match what {
        Some(Catalogue::Rules) => table(rule_rows()),
        Some(Catalogue::Scripts) => table(script_rows()?),
        Some(Catalogue::Faults) => headed([
            ("fault", " of the reference server", FAULTS.iter().map(fault_row).collect()),
            ("fault", " of the reference client", CLIENT_FAULTS.iter().map(fault_row).collect()),
        ]),
        Some(Catalogue::Variants) => headed([
            (
                "variant",
                " of the reference server",
                variants().iter().map(|of| variant_row(of.name, of.about)).collect(),
            ),
            (
                "variant",
                " of the reference client",
                client::variants().iter().map(|of| variant_row(of.name, of.about)).collect(),
            ),
        ]),
        None => headed([("rule", "", rule_rows()), ("script", "", script_rows()?)]),
    };
    match output::result(&text) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Usage::new(format!("cannot write to standard output: {error}"), "")),
    }
}

type Row = [String; 4];

fn rule_rows() -> Vec<Row> {
    let mut rules: Vec<_> = rules::all().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
        .iter()
        .map(|rule| {
            [rule.id.to_owned(), rule.level.as_str().to_owned(), span(rule.revisions), rule.requires.to_owned()]
        })
        .collect()
}

fn script_rows() -> Result<Vec<Row>, Usage> {
    let scripts = scripts()?.iter();
    Ok(scripts
        .map(|script| [script.name.clone(), String::new(), span(script.revisions), script.about.clone()])
        .collect())
}

fn fault_row<F>(fault: &FaultInfo<F>) -> Row {
    [fault.id.to_owned(), fault.rule.to_owned(), span(fault.revisions), fault.about.to_owned()]
}

fn variant_row(name: &str, about: &str) -> Row {
    [name.to_owned(), String::new(), String::new(), about.to_owned()]
}

/// Two tables, each under the number of what it has.
fn headed(tables: [(&str, &str, Vec<Row>); 2]) -> String {
    let sections = tables.map(|(noun, of, rows)| format!("{}{of}\n\n{}", count(rows.len(), noun), table(rows)));
    sections.join("\n")
}

/// The built-in scripts; that one cannot be read is a defect of this tool, which its tests rule out.
pub(super) fn scripts() -> Result<&'static [Script], Usage> {
    corpus::all().map_err(|error| Usage::new(format!("a built-in script cannot be read: {error}"), ""))
}

fn table(rows: Vec<Row>) -> String {
    let columns = output::columns();
    let mut widths = [0; 4];
    for row in &rows {
        for (cell, widest) in row.iter().zip(&mut widths) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, widest) in row.iter().zip(widths).filter(|(_, widest)| *widest > 0) {
            let padding = widest.saturating_sub(width(cell)) + 2;
            line.push_str(cell);
            line.push_str(&" ".repeat(padding));
        }
        text.push_str(cut(line.trim_end(), columns).trim_end());
        text.push('\n');
    }
    text
}

/// A set of revisions in few words.
pub(super) fn span(revisions: Revisions) -> String {
    let list: Vec<Revision> = revisions.iter().collect();
    let newest = Revision::ALL.last();
    match list.as_slice() {
        _ if revisions == Revisions::ALL => "all".to_owned(),
        _ if revisions == Revisions::LEGACY => "legacy".to_owned(),
        [] => "none".to_owned(),
        [only] => only.to_string(),
        [first, .., last] if revisions == Revisions::range(*first, *last) => match newest == Some(last) {
            true => format!("since {first}"),
            false => format!("{first} to {last}"),
        },
        list => list.iter().map(|revision| revision.as_str()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_revisions() {
        use Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};
        let cases = [
            (Revisions::ALL, "all"),
            (Revisions::LEGACY, "legacy"),
            (Revisions::MODERN, "2026-07-28"),
            (Revisions::since(V2025_06_18), "since 2025-06-18"),
            (Revisions::range(V2025_03_26, V2025_11_25), "2025-03-26 to 2025-11-25"),
            (Revisions::of(&[V2024_11_05, V2025_06_18]), "2024-11-05, 2025-06-18"),
        ];
        for (revisions, words) in cases {
            assert_eq!(span(revisions), words);
        }
    }
}
