//! From verdicts to a report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use turncoat::adapter::{Adapter, Description};
use turncoat::revision::{Revision, Side};
use turncoat::rules::{Figure, Rule};

use super::confirm::{self, Offence};
use super::control::Control;
use super::judge::{Judgement, Shown};
use super::schedule::{Outcome as Ran, Skipped};
use super::{Plan, ScriptFile, Selection, catalogue_hash};
use crate::report::group::pattern;
use crate::report::human::shell;
use crate::report::{Finding, Outcome, Report, RuleOutcome, Subject, Summary};

/// What is known of one rule in one revision.
#[derive(Debug, Default)]
struct Column {
    scripts: Vec<String>,
    confirmed: bool,
    unconfirmed: bool,
    /// It was looked for again.
    retried: bool,
    /// The most that was borne.
    figure: Option<Figure>,
}

/// Findings (or warnings) by rule, revision and kind of offence.
type Found = BTreeMap<(usize, Revision, String), Finding>;

#[expect(clippy::too_many_arguments, reason = "called once; everything that a run knows ends here")]
pub(super) fn report(
    plan: &Plan,
    adapter: &dyn Adapter,
    selection: &Selection,
    control: Control,
    done: &[Ran],
    skipped: &[Skipped],
    took: Duration,
    stop: &AtomicBool,
) -> Report {
    let description = adapter.describe();
    let tally = Tally::of(plan, selection, &description, done);
    let revisions: Vec<Revision> = control
        .spoken
        .iter()
        .copied()
        .filter(|revision| plan.revisions.is_empty() || plan.revisions.contains(revision))
        .collect();
    let rules = tally.outcomes(adapter, &revisions, skipped);
    let by_weight = |findings: Found| {
        let mut findings: Vec<Finding> = findings.into_values().collect();
        findings.sort_by_key(|finding| finding.level);
        findings
    };
    let summary = Summary::of(&rules, tally.sessions, took.as_secs_f64());
    Report {
        turncoat: env!("CARGO_PKG_VERSION").to_owned(),
        seed: plan.seed,
        catalogue: catalogue_hash(),
        subject: subject(&description, adapter.side(), control),
        rules,
        findings: by_weight(tally.findings),
        warnings: by_weight(tally.warnings),
        summary,
        interrupted: stop.load(Ordering::Relaxed),
        strict: false,
        stale: Vec::new(),
    }
}

/// Who was tested, as a report has it.
pub(crate) fn subject(description: &Description, side: Side, control: Control) -> Subject {
    Subject {
        side,
        transport: description.transport.clone(),
        command: description.command.clone(),
        url: description.url.clone(),
        identity: control.identity,
        revisions: control.spoken,
    }
}

/// The confirmed findings of some sessions.
pub(super) fn findings(plan: &Plan, adapter: &dyn Adapter, selection: &Selection, done: &[Ran]) -> Vec<Finding> {
    let description = adapter.describe();
    Tally::of(plan, selection, &description, done).findings.into_values().collect()
}

struct Tally<'a> {
    plan: &'a Plan,
    selection: &'a Selection,
    description: &'a Description,
    columns: BTreeMap<(usize, Revision), Column>,
    confirmed: BTreeSet<Offence>,
    findings: Found,
    warnings: Found,
    sessions: usize,
}

impl<'a> Tally<'a> {
    fn of(plan: &'a Plan, selection: &'a Selection, description: &'a Description, sessions: &[Ran]) -> Self {
        let confirmed = sessions.iter().flat_map(confirm::confirmed).collect();
        let (columns, findings, warnings) = (BTreeMap::new(), Found::new(), Found::new());
        let mut tally = Self { plan, selection, description, columns, confirmed, findings, warnings, sessions: 0 };
        // Which session confirmed a finding is chance, so it is shown as the first one has it. What did not come back in
        // the same session is shown last.
        let came_back = |session: &&Ran| {
            session.again.is_none() || confirm::confirmed(session) == confirm::offences(&session.judgements)
        };
        let (sure, doubtful): (Vec<&Ran>, Vec<&Ran>) = sessions.iter().partition(came_back);
        sure.into_iter().chain(doubtful).for_each(|session| tally.add(session));
        tally
    }

    fn add(&mut self, session: &Ran) {
        self.sessions += 1 + usize::from(session.again.is_some());
        for judgement in &session.judgements {
            let Some(place) = self.place(judgement.rule) else { continue };
            let broken = judgement.is_broken();
            let confirmed = broken && self.is_confirmed(judgement);
            let column = self.columns.entry((place, judgement.revision)).or_default();
            if !column.scripts.contains(&session.planned.script.name) {
                column.scripts.push(session.planned.script.name.clone());
            }
            column.confirmed |= confirmed;
            column.unconfirmed |= broken && !confirmed;
            column.retried |= broken && session.again.is_some();
            if let Some(figure) = &judgement.figure {
                column.figure = Some(figure.clone().or(column.figure.take()));
            }
            if confirmed {
                self.note(session, judgement, place, false);
            }
            self.note(session, judgement, place, true);
        }
    }

    fn is_confirmed(&self, judgement: &Judgement) -> bool {
        confirm::offences(std::slice::from_ref(judgement)).iter().any(|offence| self.confirmed.contains(offence))
    }

    fn place(&self, rule: &Rule) -> Option<usize> {
        self.selection.rules.iter().position(|own| own.id == rule.id)
    }

    fn note(&mut self, session: &Ran, judgement: &Judgement, place: usize, as_warnings: bool) {
        let Judgement { rule, revision, breaches, warnings, .. } = judgement;
        let breaches = if as_warnings { warnings } else { breaches };
        for breach in breaches {
            let key = (place, *revision, pattern(&breach.what));
            let found = if as_warnings { &mut self.warnings } else { &mut self.findings };
            if let Some(finding) = found.get_mut(&key) {
                finding.occurrences += 1;
                let name = &session.planned.script.name;
                if finding.script != *name && !finding.also.contains(name) {
                    finding.also.push(name.clone());
                }
                continue;
            }
            let again = replay(self.plan, self.description, session);
            let finding = finding(rule, *revision, breach, &session.planned.script.name, again);
            found.insert(key, finding);
        }
    }

    fn outcomes(&self, adapter: &dyn Adapter, revisions: &[Revision], skipped: &[Skipped]) -> Vec<RuleOutcome> {
        let mut outcomes = Vec::new();
        for (place, rule) in self.selection.rules.iter().enumerate() {
            if rule.side.is_some_and(|side| side != adapter.side()) {
                continue;
            }
            // A session may be governed by a revision that the subject offers and does not speak.
            let judged = |revision: &Revision| self.columns.contains_key(&(place, *revision));
            let of_interest = |revision: &Revision| revisions.contains(revision) || judged(revision);
            for revision in rule.revisions.iter().filter(of_interest) {
                let column = self.columns.get(&(place, revision));
                let (outcome, reason) = match column {
                    Some(column) if column.confirmed => (Outcome::Fail, None),
                    Some(column) if column.unconfirmed => {
                        let why = match column.retried {
                            true => "broken once and not again in a fresh session",
                            false => "broken once, and the run ended before it could be run again",
                        };
                        (Outcome::Inconclusive, Some(why.to_owned()))
                    }
                    Some(_) => (Outcome::Pass, None),
                    None => (Outcome::Untested, Some(why_untested(rule, adapter.side(), revision, skipped))),
                };
                outcomes.push(RuleOutcome {
                    rule: rule.id.to_owned(),
                    level: rule.level,
                    revision,
                    outcome,
                    scripts: column.map(|column| column.scripts.clone()).unwrap_or_default(),
                    reason,
                    figure: column.and_then(|column| column.figure.clone()),
                    expected: None,
                });
            }
        }
        outcomes
    }
}

fn why_untested(rule: &Rule, side: Side, revision: Revision, skipped: &[Skipped]) -> String {
    skipped
        .iter()
        .find(|skip| skip.revision == revision && skip.script.provokes.iter().any(|id| id == rule.id))
        .map_or_else(|| untested(rule, side).to_owned(), |skip| skip.why.clone())
}

/// Why a rule of both sides may not have been put to the test; only of servers can a subject file name more.
fn untested(rule: &Rule, side: Side) -> &'static str {
    match side {
        Side::Server => rule.untested,
        Side::Client => rule.untested.split("; name ").next().unwrap_or_default(),
    }
}

/// A broken rule as reports tell of it.
pub(crate) fn finding(rule: &Rule, revision: Revision, breach: &Shown, script: &str, replay: String) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        level: rule.level,
        revision,
        script: script.to_owned(),
        message: breach.what.clone(),
        clause: rule.clause.to_owned(),
        requires: rule.requires.to_owned(),
        evidence: breach.evidence.clone(),
        replay,
        occurrences: 1,
        also: Vec::new(),
        expected: None,
    }
}

/// The command that runs the same session again.
fn replay(plan: &Plan, description: &Description, session: &Ran) -> String {
    let mut words = vec!["turncoat".to_owned()];
    match &plan.file {
        Some(ScriptFile { path, .. }) => {
            words.extend(["replay".to_owned(), shell(&[path.display().to_string()])]);
            words.extend(description.mode.iter().cloned());
        }
        None => {
            words.push("check".to_owned());
            words.extend(description.mode.iter().cloned());
            words.extend(["--only".to_owned(), session.planned.script.name.clone()]);
        }
    }
    words.extend(["--revision".to_owned(), session.planned.revision.to_string()]);
    if plan.seed != 0 {
        words.extend(["--seed".to_owned(), plan.seed.to_string()]);
    }
    words.extend(plan.replay_options.iter().cloned());
    words.extend(description.target.iter().cloned());
    words.join(" ")
}
