//! What a run found, as plain data, and its three renderings.
//!
//! The runner builds a [`Report`], the baseline marks what was expected, and a format turns it into text. Nothing here
//! prints, and nothing here decides anew whether a subject was right. All text that a subject wrote is kept as it is;
//! each format makes it harmless in its own way.
//!
//! - [`verdict`]: what it all comes to, and the exit status
//! - [`group`]: findings by requirement, as people read them
//! - [`human`], [`json`], [`markdown`]: the formats
//! - [`clause`], [`text`]: addresses and strangers' text made fit to be shown
//! - [`redact`]: what differs from run to run taken out, for snapshots

pub mod clause;
pub mod group;
pub mod human;
pub mod json;
pub mod markdown;
pub mod redact;
#[cfg(test)]
pub(crate) mod sample;
pub mod text;
pub mod verdict;

pub use text::elide;

use serde::{Deserialize, Serialize};

use turncoat::revision::{Revision, Side};
use turncoat::rules::{Figure, Level};

/// Everything that is known when a run ends.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Report {
    /// The version of the tool.
    pub turncoat: String,
    /// The seed of the peers' choices.
    pub seed: u64,
    /// The hash of rules and scripts, so that two reports can be told to have asked the same.
    pub catalogue: String,
    /// Who was tested.
    pub subject: Subject,
    /// One outcome per rule and revision that it was run for.
    pub rules: Vec<RuleOutcome>,
    /// Where requirements were broken.
    pub findings: Vec<Finding>,
    /// What is worth a word and never fails anyone.
    pub warnings: Vec<Finding>,
    /// The figures.
    pub summary: Summary,
    /// The run was stopped before its end; what is here is what was known by then.
    pub interrupted: bool,
    /// Every failed rule decides the verdict, not only MUST and robustness.
    #[serde(default)]
    pub strict: bool,
    /// Expectations of the baseline that did not come true; they fail the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Stale>,
}

/// The implementation under test.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Subject {
    /// The side that it plays.
    pub side: Side,
    /// How it was talked to: `stdio`, `http`, `memory`.
    pub transport: String,
    /// The command that starts it, if it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Where it listens, if it was running already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who it says it is.
    pub identity: Option<Identity>,
    /// The revisions that it was seen to speak.
    pub revisions: Vec<Revision>,
}

/// Who a subject says it is; its own words.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Identity {
    /// The name for programs.
    pub name: String,
    /// The version, empty if it gave none.
    pub version: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What became of one rule in one revision.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RuleOutcome {
    /// The id of the rule.
    pub rule: String,
    /// Its weight.
    pub level: Level,
    /// The revision that it was judged in.
    pub revision: Revision,
    /// What came out.
    pub outcome: Outcome,
    /// The scripts whose sessions put the rule to the test.
    pub scripts: Vec<String>,
    /// Why it is untested or inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The most that was borne in a session that kept the rule, if it is one about load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// The baseline's reason, if it expected this failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// The four things that can become of a rule.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Put to the test and kept, every time.
    Pass,
    /// Broken, and broken again in a fresh session.
    Fail,
    /// Broken once and not again.
    Inconclusive,
    /// Its situation never arose.
    Untested,
}

/// A broken requirement (or a warning): one rule, one revision, one way of breaking it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Finding {
    /// The id of the rule.
    pub rule: String,
    /// Its weight.
    pub level: Level,
    /// The revision that it was judged in.
    pub revision: Revision,
    /// The script whose session is shown.
    pub script: String,
    /// What the subject does wrong, as a clause without subject.
    pub message: String,
    /// Page and anchor relative to the specification's root; empty for a rule without a clause.
    pub clause: String,
    /// The requirement in one sentence.
    pub requires: String,
    /// The entries of the transcript that show it, the offence last.
    pub evidence: Vec<Evidence>,
    /// The command that shows it again.
    pub replay: String,
    /// How often it was seen, over all sessions.
    pub occurrences: usize,
    /// The other scripts in whose sessions it was seen.
    #[serde(default)]
    pub also: Vec<String>,
    /// The baseline's reason, if it expected this finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// One entry of a transcript, bounded for display.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Evidence {
    /// Its index in the transcript.
    pub entry: usize,
    /// Microseconds since the session was opened.
    pub at_micros: u64,
    /// Who did it.
    pub kind: EvidenceKind,
    /// The message or the event as text; long middles are elided, see [`text::elide`].
    pub text: String,
}

/// Who did what an entry tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// The harness sent it.
    Sent,
    /// The subject sent it.
    Received,
    /// Anything else: an exit, a silence, standard error.
    Note,
}

/// The figures of a run. The first four count outcomes, one per rule and revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Summary {
    /// Rules kept.
    pub passed: usize,
    /// Rules broken.
    pub failed: usize,
    /// Rules broken once and not again.
    pub inconclusive: usize,
    /// Rules whose situation never arose.
    pub untested: usize,
    /// Sessions opened, repetitions included.
    pub sessions: usize,
    /// How long the run took.
    pub seconds: f64,
}

impl Summary {
    /// The figures of these outcomes.
    #[must_use]
    pub fn of(rules: &[RuleOutcome], sessions: usize, seconds: f64) -> Self {
        let count = |outcome| rules.iter().filter(|rule| rule.outcome == outcome).count();
        Self {
            passed: count(Outcome::Pass),
            failed: count(Outcome::Fail),
            inconclusive: count(Outcome::Inconclusive),
            untested: count(Outcome::Untested),
            sessions,
            seconds,
        }
    }
}

/// An expectation of the baseline that did not come true.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Stale {
    /// The rule that was expected to fail.
    pub rule: String,
    /// The revision in which it was; none for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// What became of it instead.
    pub why: String,
}
