//! Taking out of a report what differs from run to run.

use turncoat::rules::figure::Unit;

use super::{Evidence, Finding, Report};

/// The same report without versions of the tool, times and ids of processes, for snapshots.
///
/// Figures become 0 and texts become words in brackets, so the shape of the report stays.
#[must_use]
pub fn redacted(mut report: Report) -> Report {
    report.turncoat = "[version]".to_owned();
    report.catalogue = "[hash]".to_owned();
    report.summary.seconds = 0.0;
    for figure in report.rules.iter_mut().filter_map(|rule| rule.figure.as_mut()) {
        figure.micros = figure.micros.map(|_| 0);
        if figure.unit != Unit::Count {
            figure.amount = 0;
        }
    }
    for finding in report.findings.iter_mut().chain(&mut report.warnings) {
        redact(finding);
    }
    report
}

fn redact(finding: &mut Finding) {
    for Evidence { at_micros, text, .. } in &mut finding.evidence {
        *at_micros = 0;
        *text = without_process_ids(text);
    }
}

/// Replaces the number after each `pid` or `process`, as they stand in notes and in what servers log.
fn without_process_ids(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(digit) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, from) = rest.split_at(digit);
        let end = from.find(|character: char| !character.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        let word = before.trim_end_matches(|character: char| " \":=[(#".contains(character));
        let named = word.len() < before.len() && ["pid", "PID", "process"].iter().any(|name| word.ends_with(name));
        kept.push_str(before);
        kept.push_str(if named { "0" } else { number });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn only_process_ids_are_taken_out() {
        let text = "process 4711 read 12 bytes, pid=99, [PID: 5] \"pid\":6, pid7, id 8";
        assert_eq!(without_process_ids(text), "process 0 read 12 bytes, pid=0, [PID: 0] \"pid\":0, pid7, id 8");
    }

    #[test]
    fn redacting_twice_changes_nothing_more() {
        let once = redacted(sample());
        assert_eq!(redacted(once.clone()), once);
    }
}
