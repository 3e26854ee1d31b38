//! Which sessions to run again, so that every finding is seen twice.
//!
//! An offence that many scripts bring about need not be confirmed in each of them: what has come back once is real.

use std::collections::{BTreeMap, BTreeSet};

use turncoat::revision::Revision;

use super::judge::Judgement;
use super::schedule::Outcome;
use crate::report::group::pattern;

/// In how many sessions an offence that does not come back is looked for.
const CHANCES: usize = 3;

/// One way of breaking one rule in one revision.
pub(super) type Offence = (&'static str, Revision, String);

/// The offences of a session.
pub(super) fn offences(judgements: &[Judgement]) -> BTreeSet<Offence> {
    judgements
        .iter()
        .flat_map(|judgement| {
            let ways = judgement.breaches.iter();
            ways.map(|breach| (judgement.rule.id, judgement.revision, pattern(&breach.what)))
        })
        .collect()
}

/// The offences of a session that came back when it was run again. The way of breaking the rule may differ.
pub(super) fn confirmed(outcome: &Outcome) -> BTreeSet<Offence> {
    let Some(again) = &outcome.again else { return BTreeSet::new() };
    let broken: BTreeSet<(&str, Revision)> = again
        .iter()
        .filter(|judgement| judgement.is_broken())
        .map(|judgement| (judgement.rule.id, judgement.revision))
        .collect();
    let mut offences = offences(&outcome.judgements);
    offences.retain(|(rule, revision, _)| broken.contains(&(*rule, *revision)));
    offences
}

/// The sessions to run again next, by their places: for each unconfirmed offence the first that has not been.
pub(super) fn next(outcomes: &[Outcome]) -> Vec<usize> {
    let settled: BTreeSet<Offence> = outcomes.iter().flat_map(confirmed).collect();
    let mut open: BTreeMap<Offence, (usize, Option<usize>)> = BTreeMap::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        for offence in offences(&outcome.judgements) {
            let (tried, first) = open.entry(offence).or_default();
            match outcome.again {
                Some(_) => *tried += 1,
                None => *first = first.or(Some(index)),
            }
        }
    }
    let chosen: BTreeSet<usize> = open
        .into_iter()
        .filter(|(offence, (tried, _))| *tried < CHANCES && !settled.contains(offence))
        .filter_map(|(_, (_, first))| first)
        .collect();
    chosen.into_iter().collect()
}
