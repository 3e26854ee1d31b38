//! Findings by requirement, the weightiest first, as people read them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use turncoat::revision::Revision;
use turncoat::rules::{Figure, Level};

use super::verdict::rank;
use super::{Finding, Outcome, RuleOutcome};

/// Everything that was found against one requirement.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The id of the rule.
    pub rule: &'a str,
    /// Its weight.
    pub level: Level,
    /// The address of its clause, empty without one.
    pub clause: &'a str,
    /// The requirement in one sentence.
    pub requires: &'a str,
    /// The ways in which it is broken, the most frequent first.
    pub ways: Vec<Way<'a>>,
}

/// One way of breaking a requirement, in however many revisions and scripts.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    /// The finding whose evidence is shown.
    pub shown: &'a Finding,
    /// What the messages have in common, see [`pattern`].
    pub pattern: String,
    /// Where it was seen, oldest first.
    pub revisions: Vec<Revision>,
    /// The scripts that showed it, the shown one first.
    pub scripts: Vec<&'a str>,
    /// How often it was seen, over all sessions.
    pub occurrences: usize,
}

/// Groups findings by rule; findings whose messages differ in values only are one way.
#[must_use]
pub fn groups<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in findings {
        let position = groups.iter().position(|group| group.rule == finding.rule).unwrap_or_else(|| {
            groups.push(Group {
                rule: &finding.rule,
                level: finding.level,
                clause: &finding.clause,
                requires: &finding.requires,
                ways: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(position) {
            group.add(finding);
        }
    }
    for group in &mut groups {
        group.ways.sort_by_key(|way| Reverse(way.occurrences));
    }
    groups.sort_by_key(|group| (rank(group.level), group.rule));
    groups
}

impl<'a> Group<'a> {
    fn add(&mut self, finding: &'a Finding) {
        let pattern = pattern(&finding.message);
        let scripts = std::iter::once(&finding.script).chain(&finding.also).map(String::as_str);
        let Some(way) = self.ways.iter_mut().find(|way| way.pattern == pattern) else {
            self.ways.push(Way {
                pattern,
                shown: finding,
                revisions: vec![finding.revision],
                scripts: scripts.collect(),
                occurrences: finding.occurrences,
            });
            return;
        };
        way.revisions.push(finding.revision);
        way.revisions.sort_unstable();
        way.revisions.dedup();
        for script in scripts {
            if !way.scripts.contains(&script) {
                way.scripts.push(script);
            }
        }
        way.occurrences += finding.occurrences;
    }
}

/// An offence without what varies in it: digits, and what stands in quotes.
#[must_use]
pub fn pattern(what: &str) -> String {
    let mut pattern = String::new();
    let mut quoted = false;
    for character in what.chars() {
        match character {
            '"' | '`' => quoted = !quoted,
            _ if quoted => {}
            character if character.is_ascii_digit() => {}
            character => pattern.push(character),
        }
    }
    pattern
}

/// Rules that share the reason for which they were not judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unjudged<'a> {
    /// The reason, empty if none was given.
    pub reason: &'a str,
    /// The rules, by name.
    pub rules: Vec<&'a str>,
}

/// Rules that were untested in every revision they were run for, by reason, the commonest reason first.
#[must_use]
pub fn untested(rules: &[RuleOutcome]) -> Vec<Unjudged<'_>> {
    let tested: BTreeSet<&str> =
        rules.iter().filter(|rule| rule.outcome != Outcome::Untested).map(|rule| rule.rule.as_str()).collect();
    let mut reasons: Vec<Unjudged<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for rule in rules.iter().filter(|rule| !tested.contains(rule.rule.as_str())) {
        // Another revision's reason for the same rule would count the rule twice.
        if !seen.insert(&rule.rule) {
            continue;
        }
        let reason = rule.reason.as_deref().unwrap_or_default();
        match reasons.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.rules.push(&rule.rule),
            None => reasons.push(Unjudged { reason, rules: vec![&rule.rule] }),
        }
    }
    for reason in &mut reasons {
        reason.rules.sort_unstable();
    }
    reasons.sort_by_key(|known| (Reverse(known.rules.len()), known.reason));
    reasons
}

/// The largest figure of each rule over all revisions that kept it, in the order of the rules.
#[must_use]
pub fn figures(rules: &[RuleOutcome]) -> Vec<(&str, Figure)> {
    let mut largest: Vec<(&str, Figure)> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.outcome == Outcome::Pass) {
        let Some(figure) = rule.figure.clone() else { continue };
        match largest.iter_mut().find(|(known, _)| *known == rule.rule) {
            Some((_, known)) => *known = figure.or(Some(known.clone())),
            None => largest.push((&rule.rule, figure)),
        }
    }
    largest
}

/// Revisions as people write them: all names, with "and" before the last.
#[must_use]
pub fn revisions(list: &[Revision]) -> String {
    match list {
        [] => "none".to_owned(),
        [only] => only.to_string(),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|revision| revision.as_str()).collect();
            format!("{} and {last}", most.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::sample;
    use super::*;

    #[test]
    fn the_same_breach_in_two_revisions_is_one_way() {
        let mut finding = sample().findings.remove(0);
        finding.revision = Revision::V2025_11_25;
        finding.script = "a".to_owned();
        finding.also = vec!["b".to_owned()];
        finding.occurrences = 2;
        let mut older = finding.clone();
        older.revision = Revision::V2025_06_18;
        older.also = vec!["c".to_owned()];
        let mut other = finding.clone();
        other.message = "does something worse".to_owned();
        other.occurrences = 9;
        let findings = [finding, older, other];
        let groups = groups(&findings);
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].ways.len(), 2);
        assert_eq!(groups[0].ways[0].shown.message, "does something worse");
        let way = &groups[0].ways[1];
        assert_eq!(way.revisions, [Revision::V2025_06_18, Revision::V2025_11_25]);
        assert_eq!((way.scripts.as_slice(), way.occurrences), (&["a", "b", "c"][..], 4));
    }

    #[test]
    fn offences_that_differ_in_values_are_one() {
        assert_eq!(pattern("answers 7 with \"a\""), pattern("answers 12 with \"b c\""));
        assert_ne!(pattern("answers"), pattern("is silent"));
    }

    #[test]
    fn the_weightiest_comes_first() {
        let report = sample();
        let levels: Vec<_> = groups(&report.findings).iter().map(|group| rank(group.level)).collect();
        assert!(levels.is_sorted());
    }

    #[test]
    fn lists_of_revisions() {
        use Revision::{V2025_03_26, V2025_06_18, V2025_11_25};
        assert_eq!(revisions(&[V2025_03_26]), "2025-03-26");
        assert_eq!(revisions(&[V2025_03_26, V2025_06_18, V2025_11_25]), "2025-03-26, 2025-06-18 and 2025-11-25");
    }
}
