//! Findings that are known and accepted, each with its reason.
//!
//! ```toml
//! [[expected]]
//! rule = "jsonrpc.response.id-matches"
//! revision = "2025-06-18"              # optional: any revision
//! reason = "fixed in the next release"
//! sometimes = true                     # optional: a race that does not show in every run
//! ```
//!
//! An expected finding does not fail the run. An expectation that no longer comes true does, so a baseline cannot go
//! stale.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use turncoat::revision::Revision;
use turncoat::rules;

use crate::mistake::FileMistake;
use crate::names::nearest;
use crate::report::{Outcome, Report, Stale};

/// What is expected to fail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// The expectations, in the order of the file.
    pub expected: Vec<Expectation>,
}

/// One thing that is expected to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The rule.
    pub rule: String,
    /// Where; none for any revision.
    pub revision: Option<Revision>,
    /// Why that is accepted.
    pub reason: String,
    /// It depends on chance, so it is not in vain where it does not come.
    pub sometimes: bool,
}

/// How much of what the baseline was made for a run has covered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coverage {
    /// All revisions and scripts.
    Whole,
    /// Certain revisions only; what a baseline says of any revision may still come true in another.
    SomeRevisions,
    /// Certain rules, scripts or shards only; a rule that passed here may be broken by what was left out.
    Part,
}

impl Baseline {
    /// Reads a baseline file.
    ///
    /// # Errors
    ///
    /// The first mistake in the file.
    pub fn read(path: &Path) -> Result<Self, FileMistake> {
        let text = std::fs::read_to_string(path).map_err(|error| FileMistake::unreadable(path, &error))?;
        Self::parse(path, &text)
    }

    /// Reads the text of a baseline file; the path is for messages.
    ///
    /// # Errors
    ///
    /// The first mistake: bad TOML, an unknown key or rule, a revision in which the rule does not hold, an empty
    /// reason, or the same thing twice.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileMistake> {
        let written: Written = toml::from_str(text).map_err(|error| FileMistake::toml(path, text, &error))?;
        let mut expected: Vec<Expectation> = Vec::new();
        for Entry { rule, revision, reason, sometimes } in written.expected {
            let fail = |span, what: String| FileMistake::at(path, text, span, what);
            let name = rule.get_ref();
            let Some(known) = rules::find(name) else {
                let ids = rules::all().map(|rule| rule.id);
                let hint = nearest(name, ids).first().map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
                return Err(fail(rule.span(), format!("there is no rule {name:?}{hint}")));
            };
            if let Some(revision) = revision.as_ref().filter(|revision| !known.revisions.has(*revision.get_ref())) {
                return Err(fail(revision.span(), format!("{name} does not hold in {}", revision.get_ref())));
            }
            let revision = revision.map(Spanned::into_inner);
            if reason.get_ref().trim().is_empty() {
                return Err(fail(reason.span(), "an expectation needs a reason".to_owned()));
            }
            let same = |other: &&Expectation| {
                other.rule == *name && (other.revision.is_none() || revision.is_none() || other.revision == revision)
            };
            if expected.iter().find(same).is_some() {
                return Err(fail(rule.span(), format!("{name} is expected twice for the same revision")));
            }
            expected.push(Expectation { rule: rule.into_inner(), revision, reason: reason.into_inner(), sometimes });
        }
        Ok(Self { expected })
    }

    /// Marks in the report what was expected, and lists what was expected in vain.
    ///
    /// An expectation is in vain only if its rule was put to the test and kept; what was not tested stays expected.
    pub fn apply(&self, report: &mut Report, coverage: Coverage) {
        let settled = !report.interrupted && coverage != Coverage::Part;
        for expectation in &self.expected {
            let covers = |rule: &str, revision| {
                rule == expectation.rule && expectation.revision.is_none_or(|own| own == revision)
            };
            let mut outcomes = Vec::new();
            for rule in report.rules.iter_mut().filter(|rule| covers(&rule.rule, rule.revision)) {
                outcomes.push(rule.outcome);
                if rule.outcome == Outcome::Fail {
                    rule.expected = Some(expectation.reason.clone());
                }
            }
            for finding in report.findings.iter_mut().filter(|finding| covers(&finding.rule, finding.revision)) {
                finding.expected = Some(expectation.reason.clone());
            }
            let kept = outcomes.contains(&Outcome::Pass)
                && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Pass | Outcome::Untested));
            let certain = settled && (expectation.revision.is_some() || coverage == Coverage::Whole);
            if kept && certain && !expectation.sometimes {
                report.stale.push(Stale {
                    rule: expectation.rule.clone(),
                    revision: expectation.revision,
                    why: "it passed".to_owned(),
                });
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    expected: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: Spanned<String>,
    revision: Option<Spanned<Revision>>,
    reason: Spanned<String>,
    #[serde(default)]
    sometimes: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use turncoat::rules::Level;

    use super::*;
    use crate::report::RuleOutcome;
    use crate::report::sample::sample;
    use crate::report::verdict::Verdict;

    const RULE: &str = "jsonrpc.version-member";

    fn parse(text: &str) -> Result<Baseline, FileMistake> {
        Baseline::parse(Path::new("b.toml"), text)
    }

    fn report(outcomes: &[(Revision, Outcome)]) -> Report {
        let rules = outcomes.iter().map(|(revision, outcome)| RuleOutcome {
            rule: RULE.to_owned(),
            level: Level::Must,
            revision: *revision,
            outcome: *outcome,
            scripts: Vec::new(),
            reason: None,
            figure: None,
            expected: None,
        });
        let findings = Vec::new();
        Report { rules: rules.collect(), findings, stale: Vec::new(), interrupted: false, ..sample() }
    }

    fn expecting(revision: Option<Revision>) -> Baseline {
        let (rule, reason) = (RULE.to_owned(), "known".to_owned());
        Baseline { expected: vec![Expectation { rule, revision, reason, sometimes: false }] }
    }

    const OLD: Revision = Revision::V2025_06_18;
    const NEW: Revision = Revision::V2025_11_25;

    #[test]
    fn reads_what_the_documentation_shows() {
        let text = "[[expected]]\nrule = \"jsonrpc.version-member\"\nrevision = \"2025-06-18\"\nreason = \"known\"\n";
        assert_eq!(parse(text).unwrap(), expecting(Some(OLD)));
        assert_eq!(parse("").unwrap(), Baseline::default());
    }

    #[test]
    fn mistakes_name_file_line_and_key() {
        let entry = |line: &str| format!("[[expected]]\nrule = \"jsonrpc.version-member\"\n{line}\n");
        let cases = [
            ("[[expect]]".to_owned(), "b.toml:1:3: unknown field `expect`"),
            (entry("reason = 3"), "b.toml:3:10: `reason`: invalid type: integer `3`, expected a string"),
            (entry("revision = \"2025-06-19\"\nreason = \"x\""), "b.toml:3:12: `revision`: unknown variant"),
            (entry("reason = \" \""), "b.toml:3:10: `reason`: an expectation needs a reason"),
            (entry("why = \"x\""), "b.toml:3:1: unknown field `why`"),
            (
                "[[expected]]\nrule = \"jsonrpc.version\"\nreason = \"x\"".to_owned(),
                "b.toml:2:8: `rule`: there is no rule \"jsonrpc.version\"; did you mean `jsonrpc.version-member`?",
            ),
            (
                format!("{}{}", entry("reason = \"x\""), entry("revision = \"2025-06-18\"\nreason = \"x\"")),
                "b.toml:5:8: `rule`: jsonrpc.version-member is expected twice",
            ),
        ];
        for (text, message) in cases {
            let mistake = parse(&text).unwrap_err().to_string();
            assert!(mistake.starts_with(message), "{mistake}");
        }
    }

    #[test]
    fn an_expected_failure_does_not_fail() {
        let mut run = report(&[(OLD, Outcome::Fail), (NEW, Outcome::Pass)]);
        expecting(None).apply(&mut run, Coverage::Whole);
        assert_eq!(run.verdict(), Verdict::Conforms);
        assert_eq!(run.rules[0].expected.as_deref(), Some("known"));
        assert_eq!(run.rules[1].expected, None);
    }

    #[test]
    fn what_comes_sometimes_is_never_in_vain() {
        let text = format!("[[expected]]\nrule = \"{RULE}\"\nreason = \"a race\"\nsometimes = true\n");
        let mut run = report(&[(OLD, Outcome::Pass)]);
        parse(&text).unwrap().apply(&mut run, Coverage::Whole);
        assert!(run.stale.is_empty());
    }

    #[test]
    fn another_revision_is_not_expected() {
        let mut run = report(&[(OLD, Outcome::Fail), (NEW, Outcome::Fail)]);
        expecting(Some(OLD)).apply(&mut run, Coverage::Whole);
        assert_eq!(run.headline(), "does not conform: 1 MUST (also 1 expected)");
    }

    #[test]
    fn what_no_longer_fails_is_stale() {
        let mut run = report(&[(OLD, Outcome::Pass), (NEW, Outcome::Fail)]);
        expecting(Some(OLD)).apply(&mut run, Coverage::SomeRevisions);
        assert_eq!(run.headline(), "does not conform: 1 MUST, 1 stale expectation");
    }

    #[test]
    fn only_what_was_tested_can_be_stale() {
        for outcome in [Outcome::Untested, Outcome::Inconclusive, Outcome::Fail] {
            let mut run = report(&[(OLD, outcome)]);
            expecting(None).apply(&mut run, Coverage::Whole);
            assert!(run.stale.is_empty(), "{outcome:?}");
        }
        for (coverage, revision) in
            [(Coverage::Part, Some(OLD)), (Coverage::Part, None), (Coverage::SomeRevisions, None)]
        {
            let mut run = report(&[(OLD, Outcome::Pass)]);
            expecting(revision).apply(&mut run, coverage);
            assert!(run.stale.is_empty(), "{coverage:?}");
        }
        let mut run = report(&[(OLD, Outcome::Pass)]);
        run.interrupted = true;
        expecting(None).apply(&mut run, Coverage::Whole);
        assert!(run.stale.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text).map_err(|mistake| mistake.to_string());
        }

        #[test]
        fn nor_does_nearly_toml(lines in prop::collection::vec(
            "(\\[\\[expected\\]\\]|rule = \"(jsonrpc.version-member|é)\"|reason = (1|\"\"|\"r\")|revision = \"2025-(06-18|é)\"|#.*)",
            0..8,
        )) {
            let _ = parse(&lines.join("\n")).map_err(|mistake| mistake.to_string());
        }

        #[test]
        fn what_was_written_is_read(reason in "[a-z\"\\\\\n]{1,20}[a-z]", revision in prop::option::of(Just("2025-06-18"))) {
            let quoted = serde_json::to_string(&reason).unwrap();
            let revision = revision.map(|revision| format!("revision = \"{revision}\"\n")).unwrap_or_default();
            let text = format!("[[expected]]\nrule = \"{RULE}\"\n{revision}reason = {quoted}\n");
            prop_assert_eq!(&parse(&text).unwrap().expected[0].reason, &reason);
        }
    }
}
