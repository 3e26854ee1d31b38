//! What a run comes to.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use turncoat::rules::Level;

use super::group::untested;
use super::text::count;
use super::{Outcome, Report, RuleOutcome};

/// What a run comes to, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Something was verified and no deciding rule is broken, save as expected.
    Conforms,
    /// A deciding rule is broken, or an expectation of the baseline did not come true.
    DoesNotConform,
    /// Not one requirement was put to the test, which proves nothing.
    NothingVerified,
    /// Stopped before its end, and no deciding rule was broken by then.
    Interrupted,
}

impl Verdict {
    /// The exit status of the command.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Conforms => 0,
            Self::DoesNotConform => 1,
            Self::NothingVerified => 3,
            // As a shell reports a command that Ctrl-C ended.
            Self::Interrupted => 130,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conforms => "conforms",
            Self::DoesNotConform => "does not conform",
            Self::NothingVerified => "nothing was verified",
            Self::Interrupted => "interrupted",
        })
    }
}

/// The order in which levels matter to a reader; MUST and robustness decide.
#[must_use]
pub const fn rank(level: Level) -> u8 {
    match level {
        Level::Must => 0,
        Level::Robustness => 1,
        Level::Should => 2,
        Level::Hardening => 3,
    }
}

impl Report {
    /// What the run comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.stale.is_empty() || self.broken().any(|rule| self.decides(rule.level)) {
            Verdict::DoesNotConform
        } else if self.interrupted {
            Verdict::Interrupted
        } else if !self.rules.iter().any(|rule| matches!(rule.outcome, Outcome::Pass | Outcome::Fail)) {
            Verdict::NothingVerified
        } else {
            Verdict::Conforms
        }
    }

    /// The verdict with its grounds: `does not conform: 3 MUST, 1 robustness (also 2 SHOULD)`.
    ///
    /// The figures count rules, in however many revisions they are broken.
    #[must_use]
    pub fn headline(&self) -> String {
        let figures = |wanted: bool| -> Vec<String> {
            let levels = [Level::Must, Level::Robustness, Level::Should, Level::Hardening].into_iter();
            levels
                .filter(|level| self.decides(*level) == wanted)
                .filter_map(|level| {
                    let rules: BTreeSet<_> =
                        self.broken().filter(|rule| rule.level == level).map(|r| &r.rule).collect();
                    (!rules.is_empty()).then(|| format!("{} {}", rules.len(), level.as_str()))
                })
                .collect()
        };
        let mut grounds = figures(true);
        if !self.stale.is_empty() {
            grounds.push(count(self.stale.len(), "stale expectation"));
        }
        let expected: BTreeSet<_> =
            self.rules.iter().filter(|rule| rule.expected.is_some()).map(|rule| &rule.rule).collect();
        let mut asides = figures(false);
        if !expected.is_empty() {
            asides.push(format!("{} expected", expected.len()));
        }
        let untested: usize = untested(&self.rules).iter().map(|reason| reason.rules.len()).sum();
        if untested > 0 {
            asides.push(format!("{untested} untested"));
        }
        let mut line = self.verdict().to_string();
        if !grounds.is_empty() {
            line = format!("{line}: {}", grounds.join(", "));
        }
        if !asides.is_empty() {
            line = format!("{line} (also {})", asides.join(", "));
        }
        if self.interrupted && self.verdict() != Verdict::Interrupted {
            line.push_str(", and was interrupted");
        }
        line
    }

    /// Failed rules that no baseline expected.
    fn broken(&self) -> impl Iterator<Item = &RuleOutcome> {
        self.rules.iter().filter(|rule| rule.outcome == Outcome::Fail && rule.expected.is_none())
    }

    fn decides(&self, level: Level) -> bool {
        self.strict || matches!(level, Level::Must | Level::Robustness)
    }
}

#[cfg(test)]
mod tests {
    use turncoat::revision::Revision;

    use super::super::sample::sample;
    use super::*;

    fn outcome(level: Level, outcome: Outcome) -> RuleOutcome {
        RuleOutcome {
            rule: format!("rule.{}", level.as_str()),
            level,
            revision: Revision::V2025_11_25,
            outcome,
            scripts: Vec::new(),
            reason: None,
            figure: None,
            expected: None,
        }
    }

    fn of(rules: Vec<RuleOutcome>) -> Report {
        Report { rules, interrupted: false, stale: Vec::new(), ..sample() }
    }

    #[test]
    fn must_and_robustness_decide() {
        for level in [Level::Must, Level::Robustness] {
            assert_eq!(of(vec![outcome(level, Outcome::Fail)]).verdict(), Verdict::DoesNotConform);
        }
        for level in [Level::Should, Level::Hardening] {
            let mut report = of(vec![outcome(level, Outcome::Fail)]);
            assert_eq!(report.verdict(), Verdict::Conforms);
            report.strict = true;
            assert_eq!(report.verdict(), Verdict::DoesNotConform);
        }
    }

    #[test]
    fn a_run_that_verified_nothing_is_not_green() {
        assert_eq!(of(Vec::new()).verdict(), Verdict::NothingVerified);
        assert_eq!(of(vec![outcome(Level::Must, Outcome::Untested)]).verdict(), Verdict::NothingVerified);
        assert_eq!(of(vec![outcome(Level::Must, Outcome::Inconclusive)]).verdict(), Verdict::NothingVerified);
    }

    #[test]
    fn an_interruption_is_neither_green_nor_hides_red() {
        let mut report = of(vec![outcome(Level::Must, Outcome::Pass)]);
        report.interrupted = true;
        assert_eq!(report.verdict(), Verdict::Interrupted);
        report.rules.push(outcome(Level::Robustness, Outcome::Fail));
        assert_eq!(report.headline(), "does not conform: 1 robustness, and was interrupted");
    }

    #[test]
    fn what_was_expected_does_not_fail() {
        let mut report = of(vec![outcome(Level::Must, Outcome::Fail), outcome(Level::Should, Outcome::Fail)]);
        assert_eq!(report.headline(), "does not conform: 1 MUST (also 1 SHOULD)");
        report.rules.push(outcome(Level::Robustness, Outcome::Untested));
        report.rules[0].expected = Some("known".to_owned());
        assert_eq!(report.headline(), "conforms (also 1 SHOULD, 1 expected, 1 untested)");
    }
}
