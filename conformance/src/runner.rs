//! Runs scripts against a subject and lets every rule judge every session.
//!
//! First come control sessions, one per revision: they show which revisions the subject speaks and what it offers, or
//! that it cannot be tested at all. Then every script runs in every revision that fits, several sessions at once. An
//! offence is reported once it came back in a fresh session.
//!
//! - `arena`: where sessions are played
//! - [`control`]: what the subject speaks and offers
//! - [`judge`]: one transcript against every rule
//! - [`schedule`]: which sessions to run, and running them
//! - `confirm`: which sessions to run again
//! - `crew`: several sessions at once
//! - `tally`: from verdicts to a report
//! - `world`: the runtime that a session has for itself

pub(crate) mod arena;
pub(crate) mod confirm;
pub mod control;
mod crew;
pub mod judge;
pub mod schedule;
mod tally;
pub(crate) mod world;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use turncoat::adapter::Adapter;
use turncoat::revision::Revision;
use turncoat::rules::{self, Level, Rule};
use turncoat::script::{Script, corpus};

use crate::glob;
pub(crate) use tally::{finding, subject};

use crate::report::{Finding, Report};

/// What to run and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The revisions to run in; empty for all that the subject speaks.
    pub revisions: Vec<Revision>,
    /// Rules and scripts to confine the run to; empty for all.
    pub only: Vec<String>,
    /// The kinds of rules to judge by.
    pub profiles: Vec<Profile>,
    /// The seed of the peers' choices.
    pub seed: u64,
    /// How many sessions run at once; twice the number of cores if not said.
    pub jobs: Option<usize>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which part of the sessions to run: the first of two is (1, 2).
    pub shard: Option<(u32, u32)>,
    /// Whether tools that may have effects are called.
    pub call_tools: bool,
    /// A folder to keep every transcript in.
    pub transcripts: Option<PathBuf>,
    /// Options that a replay command must repeat.
    pub replay_options: Vec<String>,
    /// A script file that takes the place of the catalogue's scripts.
    pub file: Option<ScriptFile>,
}

/// A script from a file of somebody's own. It is judged by the rules that it provokes, or by all if it names none.
#[derive(Clone, Debug)]
pub struct ScriptFile {
    /// The script; it lives as long as the process, like those that are built in.
    pub script: &'static Script,
    /// Where it was read.
    pub path: PathBuf,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            revisions: Vec::new(),
            only: Vec::new(),
            profiles: vec![Profile::Spec, Profile::Robustness],
            seed: 0,
            jobs: None,
            timeout: Duration::from_secs(10),
            shard: None,
            call_tools: false,
            transcripts: None,
            replay_options: Vec::new(),
            file: None,
        }
    }
}

/// A kind of rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// What the specification says.
    Spec,
    /// No crash, no hang, bounded resources.
    Robustness,
    /// Advice of the security literature.
    Hardening,
}

impl Profile {
    fn covers(self, level: Level) -> bool {
        match self {
            Self::Spec => matches!(level, Level::Must | Level::Should),
            Self::Robustness => level == Level::Robustness,
            Self::Hardening => level == Level::Hardening,
        }
    }
}

/// Hears how a run goes on. Called from several threads.
pub trait Progress: Sync {
    /// This many more sessions are planned.
    fn planned(&self, sessions: usize);
    /// A session is over and broke this many rules.
    fn finished(&self, script: &str, revision: Revision, broken: usize);
}

/// For callers that do not want to hear.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _sessions: usize) {}
    fn finished(&self, _script: &str, _revision: Revision, _broken: usize) {}
}

/// The subject could not be tested: it did not start, never answered, or speaks no known revision.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Untestable {
    /// Why, in one sentence.
    pub why: String,
    /// What the subject wrote to its standard error.
    pub stderr: String,
}

/// Runs a plan against a subject.
///
/// # Errors
///
/// Only if nothing could be said about the subject. Findings are no error.
pub fn check(
    plan: &Plan,
    adapter: &dyn Adapter,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Report, Untestable> {
    let started = Instant::now();
    let selection = Selection::for_subject(plan, adapter)?;
    let mut control = control::learn(plan, adapter, progress, stop, &selection)?;
    let (sessions, skipped) = schedule::plan(plan, &selection, &control, adapter);
    let mut done = std::mem::take(&mut control.sessions);
    // A file is judged by what it does itself.
    done.retain(|session| {
        plan.file.is_none() && (plan.revisions.is_empty() || plan.revisions.contains(&session.planned.revision))
    });
    done.extend(schedule::run(plan, adapter, &selection, &sessions, progress, stop));
    schedule::confirm(plan, adapter, &selection, &mut done, progress, stop);
    Ok(tally::report(plan, adapter, &selection, control, &done, &skipped, started.elapsed(), stop))
}

/// The sessions that make sense for a subject, to be run one by one.
#[derive(Debug)]
pub struct Catalogue {
    selection: Selection,
    planned: Vec<schedule::Planned>,
}

/// Opens the control sessions and plans the others.
///
/// # Errors
///
/// Only if nothing could be said about the subject.
pub fn sessions(plan: &Plan, adapter: &dyn Adapter) -> Result<Catalogue, Untestable> {
    let selection = Selection::for_subject(plan, adapter)?;
    let control = control::learn(plan, adapter, &Quiet, &AtomicBool::new(false), &selection)?;
    let (planned, _) = schedule::plan(plan, &selection, &control, adapter);
    Ok(Catalogue { selection, planned })
}

impl Catalogue {
    /// The names of the sessions: revision and script.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.planned.iter().map(|session| format!("{}/{}", session.revision, session.script.name))
    }

    /// Runs one session and gives what broke a rule twice.
    #[must_use]
    pub fn run(
        &self,
        index: usize,
        plan: &Plan,
        adapter: &dyn Adapter,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Vec<Finding> {
        let planned: Vec<_> = self.planned.get(index).cloned().into_iter().collect();
        let mut done = schedule::run(plan, adapter, &self.selection, &planned, progress, stop);
        schedule::confirm(plan, adapter, &self.selection, &mut done, progress, stop);
        tally::findings(plan, adapter, &self.selection, &done)
    }
}

/// The rules and scripts that a plan is about.
#[derive(Debug)]
pub struct Selection {
    /// Rules to judge by.
    pub rules: Vec<&'static Rule>,
    /// Scripts to play.
    pub scripts: Vec<&'static Script>,
}

impl Selection {
    /// Applies the plan's globs and profiles.
    ///
    /// # Errors
    ///
    /// A glob that means nothing, or a built-in script that cannot be read.
    pub fn of(plan: &Plan) -> Result<Self, String> {
        let all = corpus::all().map_err(|error| error.to_string())?;
        let wanted = |rule: &Rule| plan.profiles.iter().any(|profile| profile.covers(rule.level));
        let named = |name: &str| plan.only.iter().any(|glob| glob::matches(glob, name));
        for glob in &plan.only {
            let known = rules::all().any(|rule| glob::matches(glob, rule.id))
                || all.iter().any(|script| glob::matches(glob, &script.name))
                || glob::matches(glob, control::NAME);
            if !known {
                return Err(format!("no rule and no script is named `{glob}`; see `turncoat list`"));
            }
        }
        if let Some(ScriptFile { script, .. }) = plan.file {
            let judged = |rule: &Rule| script.provokes.is_empty() || script.provokes.iter().any(|id| id == rule.id);
            let rules = rules::all().filter(|rule| judged(rule) && (plan.only.is_empty() || named(rule.id)));
            return Ok(Self { rules: rules.collect(), scripts: vec![script] });
        }
        let by_rule = rules::all().any(|rule| named(rule.id));
        let rules = rules::all().filter(|rule| wanted(rule) && (!by_rule || named(rule.id))).collect::<Vec<_>>();
        let provoking = |script: &Script| by_rule && script.provokes.iter().any(|rule| named(rule));
        let scripts =
            all.iter().filter(|script| plan.only.is_empty() || named(&script.name) || provoking(script)).collect();
        Ok(Self { rules, scripts })
    }
}

impl Selection {
    /// What a plan is about for a subject.
    ///
    /// # Errors
    ///
    /// As [`Selection::of`] has them.
    pub(crate) fn for_subject(plan: &Plan, adapter: &dyn Adapter) -> Result<Self, Untestable> {
        let all = Self::of(plan).map_err(|why| Untestable { why, stderr: String::new() })?;
        Ok(all.of_subject(adapter))
    }

    /// What is left of it for a subject: its side, its transport.
    fn of_subject(mut self, adapter: &dyn Adapter) -> Self {
        let (side, transport) = (adapter.side(), adapter.transport());
        self.rules.retain(|rule| rule.applies(side, transport));
        self.scripts.retain(|script| script.side == side.other() && script.transports.has(transport));
        self
    }
}

/// The hash of all rules and scripts: reports with the same one asked the same.
#[must_use]
pub fn catalogue_hash() -> String {
    use sha2::{Digest as _, Sha256};
    use std::fmt::Write as _;
    let mut hash = Sha256::new();
    for rule in rules::all() {
        hash.update(rule.id);
        hash.update([0]);
    }
    for (name, text) in corpus::texts() {
        hash.update(name);
        hash.update([0]);
        hash.update(text);
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
