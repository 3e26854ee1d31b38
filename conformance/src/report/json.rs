//! The report for machines; its members are a contract.

use serde::Serialize;

use super::verdict::Verdict;
use super::{Finding, Report, RuleOutcome, Stale, Subject, Summary};

/// The document in the order in which a person would look through it.
#[derive(Serialize)]
struct Document<'a> {
    turncoat: &'a str,
    verdict: Verdict,
    seed: u64,
    catalogue: &'a str,
    interrupted: bool,
    strict: bool,
    subject: &'a Subject,
    summary: &'a Summary,
    findings: &'a [Finding],
    warnings: &'a [Finding],
    stale: &'a [Stale],
    rules: &'a [RuleOutcome],
}

/// Renders the report. Strangers' text is kept exactly; JSON's own escapes make control characters harmless, and those
/// that only mislead a reader are escaped as well.
#[must_use]
pub fn render(report: &Report) -> String {
    let document = Document {
        turncoat: &report.turncoat,
        verdict: report.verdict(),
        seed: report.seed,
        catalogue: &report.catalogue,
        interrupted: report.interrupted,
        strict: report.strict,
        subject: &report.subject,
        summary: &report.summary,
        findings: &report.findings,
        warnings: &report.warnings,
        stale: &report.stale,
        rules: &report.rules,
    };
    written(&document)
}

/// A document as JSON that no terminal and no reader can be misled by.
pub(crate) fn written(document: &impl Serialize) -> String {
    // Strings, numbers and lists in derived structs: there is nothing in it that serialization could refuse.
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character != '\n' && super::text::is_treacherous(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    safe.push('\n');
    safe
}

#[cfg(test)]
mod tests {
    use super::super::redact::redacted;
    use super::super::sample::{pinned, sample};
    use super::super::text::is_treacherous;
    use super::*;

    #[test]
    fn reads_back_as_it_was() {
        let report = sample();
        let text = render(&report);
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        assert!(!text.chars().any(|character| character != '\n' && is_treacherous(character)));
    }

    #[test]
    fn snapshot() {
        pinned("report.json", &render(&redacted(sample())));
    }
}
