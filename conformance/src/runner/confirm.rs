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
    if outcome.gone {
        // A server that all sessions share and that has died cannot die again; that nobody answers there says it all.
        // Sessions at the same time all saw it die, and which of them it died of cannot be seen: each is blamed.
        let mut offences = offences(&outcome.judgements);
        offences.retain(|(rule, ..)| rule.starts_with("robust."));
        return offences;
    }
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

#[cfg(test)]
mod tests {
    use turncoat::rules;
    use turncoat::script::corpus;
    use turncoat::transcript::Facts;

    use super::super::judge::Shown;
    use super::super::schedule::Planned;
    use super::*;

    fn judgements(ways: &[&str]) -> Vec<Judgement> {
        let rule = rules::find("jsonrpc.version-member").unwrap();
        let breaches = ways.iter().map(|what| Shown { what: (*what).to_owned(), evidence: Vec::new() }).collect();
        vec![Judgement { rule, revision: Revision::V2025_11_25, breaches, warnings: Vec::new(), figure: None }]
    }

    fn outcome(ways: &[&str], again: Option<&[&str]>) -> Outcome {
        let script = corpus::all().unwrap().first().unwrap();
        let planned = Planned { script, revision: Revision::V2025_11_25, facts: Facts::default(), exits: true };
        let (judgements, again) = (judgements(ways), again.map(judgements));
        Outcome { planned, transcript: None, judgements, failed_to_open: None, again, gone: false }
    }

    #[test]
    fn a_server_that_is_gone_has_confirmed_its_end() {
        let rule = rules::find("robust.survives-session").unwrap();
        let breaches = vec![Shown { what: "a".to_owned(), evidence: Vec::new() }];
        let judgement =
            Judgement { rule, revision: Revision::V2025_11_25, breaches, warnings: Vec::new(), figure: None };
        let mut gone = Outcome { judgements: vec![judgement], gone: true, ..outcome(&[], Some(&[])) };
        assert_eq!(confirmed(&gone).len(), 1);
        gone.gone = false;
        assert_eq!(confirmed(&gone).len(), 0);
        assert_eq!(confirmed(&Outcome { gone: true, ..outcome(&["a"], Some(&[])) }).len(), 0);
    }

    #[test]
    fn one_session_is_enough_for_what_several_show() {
        let outcomes = [outcome(&[], None), outcome(&["a", "b"], None), outcome(&["b"], None), outcome(&["c"], None)];
        assert_eq!(next(&outcomes), [1, 3]);
    }

    #[test]
    fn what_came_back_is_not_run_again() {
        assert_eq!(next(&[outcome(&["a 1"], Some(&["a 2"])), outcome(&["a 3"], None)]), [0_usize; 0]);
        assert_eq!(confirmed(&outcome(&["a"], Some(&[]))).len(), 0);
        assert_eq!(confirmed(&outcome(&["a"], None)).len(), 0);
    }

    #[test]
    fn what_does_not_come_back_has_its_chances_in_other_sessions() {
        let mut outcomes: Vec<Outcome> = (0..5).map(|_| outcome(&["a"], None)).collect();
        for chance in 0..CHANCES {
            assert_eq!(next(&outcomes), [chance]);
            outcomes[chance].again = Some(Vec::new());
        }
        assert_eq!(next(&outcomes), [0_usize; 0]);
    }
}
