//! What a measurement found, as plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use turncoat::limits::{Reaction, Unit};
use turncoat::revision::Revision;

use crate::report::Subject;
use crate::report::text::count;

/// How much a subject bears, in every dimension that was measured.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Table {
    /// The version of the tool.
    pub turncoat: String,
    /// The run was stopped before its end; what is here is what was known by then.
    pub interrupted: bool,
    /// Who was measured.
    pub subject: Subject,
    /// The revision that was spoken.
    pub revision: Revision,
    /// What a session was allowed to cost.
    pub bounds: Bounds,
    /// One row per dimension.
    pub limits: Vec<Limit>,
    /// Sessions opened, repetitions included and the control sessions not.
    pub sessions: usize,
    /// How long the run took.
    pub seconds: f64,
}

/// What a session was allowed to cost.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Bounds {
    /// For one answer.
    pub timeout_seconds: f64,
    /// Of the subject's process, where it can be seen.
    pub memory_bytes: u64,
    /// Of the subject's process, where it can be seen.
    pub cpu_seconds: u64,
}

/// What was found in one dimension.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Limit {
    /// Its name.
    pub dimension: String,
    /// What is measured.
    pub what: String,
    /// What a measure counts.
    pub unit: Unit,
    /// Nothing is judged above this measure.
    pub floor: u64,
    /// The search goes no further than this.
    pub ceiling: u64,
    /// The reaction at the smallest measure, which the others are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Reaction>,
    /// The largest measure with the usual reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u64>,
    /// The most memory in bytes that the subject held there, where it can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The first measure with another reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Change>,
    /// The first measure at which the subject ends or leaves something unanswered for good; often the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<Change>,
    /// Why the search ended early, or why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What was seen once and not again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsteady: Vec<Change>,
    /// The command that measures this dimension again.
    pub replay: String,
}

/// A reaction at a measure.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Change {
    /// The measure.
    pub measure: u64,
    /// The reaction.
    pub reaction: Reaction,
}

/// What a measurement comes to, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing below the floors ended the subject or stopped it from serving.
    KeepsFloors,
    /// Something did.
    BreaksBelowFloors,
    /// Not one dimension was measured as far as its floor, which proves nothing.
    NothingMeasured,
    /// Stopped before its end, and nothing below the floors was found by then.
    Interrupted,
}

impl Verdict {
    /// The exit status of the command.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::KeepsFloors => 0,
            Self::BreaksBelowFloors => 1,
            Self::NothingMeasured => 3,
            Self::Interrupted => 130,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeepsFloors => "keeps its floors",
            Self::BreaksBelowFloors => "breaks below its floors",
            Self::NothingMeasured => "nothing was measured",
            Self::Interrupted => "interrupted",
        })
    }
}

impl Limit {
    /// What broke the subject at or below the floor.
    #[must_use]
    pub fn offence(&self) -> Option<Change> {
        self.breaks.filter(|change| change.measure <= self.floor)
    }

    /// Whether it is known what happens up to the floor, or up to the end of the search if that comes before.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let bound = self.floor.min(self.ceiling);
        let reached = |change: Option<Change>| change.is_some_and(|change| change.measure >= bound);
        let whole = self.stopped.is_none() && self.usual.is_some();
        whole || self.offence().is_some() || self.kept.is_some_and(|kept| kept >= bound) || reached(self.changes)
    }
}

impl Table {
    /// What it comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.limits.iter().any(|limit| limit.offence().is_some()) {
            Verdict::BreaksBelowFloors
        } else if self.interrupted {
            Verdict::Interrupted
        } else if !self.limits.iter().any(Limit::is_known) {
            Verdict::NothingMeasured
        } else {
            Verdict::KeepsFloors
        }
    }

    /// The verdict with its grounds, in our own words: `breaks below its floors: nesting`.
    #[must_use]
    pub fn headline(&self) -> String {
        let verdict = self.verdict();
        let offended: Vec<_> =
            self.limits.iter().filter(|it| it.offence().is_some()).map(|it| it.dimension.as_str()).collect();
        let known = self.limits.iter().filter(|limit| limit.is_known()).count();
        let rest = self.limits.len() - known;
        let mut text = verdict.to_string();
        match verdict {
            Verdict::BreaksBelowFloors => text.push_str(&format!(": {}", offended.join(", "))),
            Verdict::KeepsFloors => text.push_str(&format!(" in {}", count(known, "dimension"))),
            Verdict::NothingMeasured | Verdict::Interrupted => {}
        }
        if rest > 0 && known > 0 {
            text.push_str(&format!(" ({rest} could not be measured)"));
        }
        text
    }
}

impl Limit {
    /// What happens from the first change on, in a few words, one line for each thing.
    #[must_use]
    pub fn story(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let usual = self.usual.filter(|usual| *usual != Reaction::Served);
        let told = |change: Change| {
            let aside = if self.offence() == Some(change) { ", below the floor" } else { "" };
            format!("{}{aside}", change.reaction)
        };
        match (self.changes, usual) {
            (Some(change), None) => lines.push(told(change)),
            (Some(change), Some(usual)) => lines.push(format!("{} in place of {usual}", told(change))),
            (None, None) if self.kept == Some(self.ceiling) => lines.push("served to the end".to_owned()),
            (None, Some(usual)) if self.kept == Some(self.ceiling) => lines.push(format!("{usual} to the end")),
            _ => {}
        }
        if let Some(breaks) = self.breaks.filter(|breaks| Some(*breaks) != self.changes) {
            lines.push(format!("at {}: {}", figure(self.unit, breaks.measure), told(breaks)));
        }
        lines.extend(self.stopped.clone());
        for change in &self.unsteady {
            lines.push(format!("once at {}: {}", figure(self.unit, change.measure), change.reaction));
        }
        lines
    }
}

/// A measure as people read it: bytes in binary units, everything else with its thousands apart.
#[must_use]
pub fn figure(unit: Unit, measure: u64) -> String {
    match unit {
        Unit::Bytes => bytes(measure),
        _ => thousands(measure),
    }
}

/// A number of bytes in the largest unit that leaves something in front of the point.
#[must_use]
pub fn bytes(number: u64) -> String {
    let (divisor, unit) = match number {
        0..1024 => return format!("{number} B"),
        1024..0x10_0000 => (10, "KiB"),
        0x10_0000..0x4000_0000 => (20, "MiB"),
        _ => (30, "GiB"),
    };
    let tenths = (u128::from(number) * 10) >> divisor;
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown = [0, 1023, 1024, 1536, 1 << 20, (1 << 20) - 1, 5 << 29].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB", "1023.9 KiB", "2.5 GiB"]);
        assert_eq!([7, 999, 1000, 1_234_567].map(thousands), ["7", "999", "1,000", "1,234,567"]);
    }
}
