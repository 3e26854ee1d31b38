//! Black-box fuzzing: sessions made up, and made anew from those that showed something new.
//!
//! A session is a script, an honest session and its departures, drawn from a seed. It is played, every rule judges it, and
//! if it shows behaviour that no session showed before, its script is kept and changed further. A broken rule is confirmed
//! in a fresh session, and the honest reference must bear the same script; then departures are taken away for as long as
//! the same rule is broken in the same way, and what is left is written as a script file that `turncoat replay` runs.
//!
//! - [`behaviour`]: what a session shows of its subject
//! - [`folder`]: scripts on disk
//! - `shrink`: fewer departures

pub mod behaviour;
pub mod folder;
mod shrink;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;

use turncoat::adapter::{Adapter, embedded};
use turncoat::generate;
use turncoat::reference::Behaviour;
use turncoat::revision::{Revision, Revisions};
use turncoat::rules::Rule;
use turncoat::script::{Fixtures, Script};
use turncoat::transcript::{Ending, Event, Facts, Http, Transcript};

use crate::report::group::pattern;
use crate::report::{Finding, Outcome, Report, RuleOutcome, Summary};
use crate::runner::arena::{Arena, Match};
use crate::runner::control::{self, Control};
use crate::runner::judge::{Judgement, Shown, judge};
use crate::runner::{self, Plan, Quiet, Selection, Untestable, catalogue_hash, finding};

use folder::Folder;

/// The most random bytes that a script is made from.
const MOST_BYTES: usize = 2_048;
/// Why a rule that was broken is not said to fail.
const UNCERTAIN: &str = "broken, and not again in a fresh session, or by the honest reference as well";
/// After so many times in a row that no session can be opened, the subject is gone.
const MOST_REFUSED: u32 = 5;
/// How often an offence that does not come back is tried in other sessions.
const CHANCES: u32 = 3;
/// How many sessions with processes run at once for each core: some always wait.
const SESSIONS_PER_CORE: usize = 4;

/// For how long to go on, and where scripts are kept.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The most sessions, those for confirmation and shrinking aside.
    pub runs: Option<u64>,
    /// The longest time, until the last sessions begin.
    pub time: Option<Duration>,
    /// The folder that scripts are kept in and taken from.
    pub corpus: PathBuf,
}

/// Hears how fuzzing goes on. Called from several threads.
pub trait Watch: Sync {
    /// A session is over.
    fn played(&self, so_far: Figures);
    /// A finding is certain.
    fn found(&self, finding: &Finding);
    /// Something is worth a word.
    fn warned(&self, warning: &Finding) {
        let _ = warning;
    }
}

/// How far fuzzing is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Sessions, all of them.
    pub sessions: u64,
    /// Marks of behaviour that were seen.
    pub behaviours: usize,
    /// Scripts that showed new ones.
    pub kept: usize,
    /// Ways of breaking a rule that came back in a fresh session.
    pub findings: usize,
}

/// What came of fuzzing.
#[derive(Debug)]
pub struct Fuzzed {
    /// The findings, and what became of every rule that was put to the test.
    pub report: Report,
    /// How far it got.
    pub figures: Figures,
    /// For each finding, the number of the session that first showed it.
    pub first_shown: BTreeMap<String, u64>,
    /// Why no session could be opened any more, which ended the run. What the report says was known until then.
    pub gone: Option<String>,
}

/// Why fuzzing did not begin.
#[derive(Debug, thiserror::Error)]
pub enum FuzzError {
    /// Nothing could be said about the subject.
    #[error(transparent)]
    Untestable(#[from] Untestable),
    /// The folder cannot be used.
    #[error("cannot keep scripts in {}: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Fuzzes a subject until a bound is reached or the run is stopped.
///
/// # Errors
///
/// Nothing could be said about the subject, or the folder cannot be used. Findings are no error.
pub fn fuzz(
    plan: &Plan,
    bounds: &Bounds,
    adapter: &dyn Adapter,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Result<Fuzzed, FuzzError> {
    let started = Instant::now();
    let unusable = |error| FuzzError::Folder { folder: bounds.corpus.clone(), error };
    let folder = Folder::open(&bounds.corpus).map_err(unusable)?;
    let selection = Selection::for_subject(plan, adapter)?;
    let control = control::learn(plan, adapter, &Quiet, stop, &selection)?;
    let fixtures = adapter.fixtures();
    let arena = Arena { plan, adapter, fixtures: &fixtures, stop };
    let wanted = |revision: &Revision| plan.revisions.is_empty() || plan.revisions.contains(revision);
    let revisions: Revisions = control.spoken.iter().copied().filter(wanted).collect();
    if revisions.is_empty() {
        let why = "the subject speaks none of the revisions that were asked for".to_owned();
        return Err(Untestable { why, stderr: String::new() }.into());
    }
    let twin = Twin::of(plan, adapter, stop)?;
    let seeds = folder.scripts(adapter.side().other(), revisions).map_err(unusable)?;
    let ends = bounds.time.map(|time| started + time);
    let hunt = Hunt {
        arena,
        selection: &selection,
        control: &control,
        twin: &twin,
        revisions,
        seeds: &seeds,
        folder: &folder,
        watch,
        ends,
        next: AtomicU64::new(0),
        state: Mutex::new(State::default()),
    };
    let runs = bounds.runs.unwrap_or(u64::MAX);
    thread::scope(|scope| {
        for _ in 0..hunt.jobs() {
            scope.spawn(|| hunt.work(runs));
        }
    });
    let Hunt { state, .. } = hunt;
    let state = state.into_inner().unwrap_or_default();
    let (figures, first_shown, gone) = (state.figures(), state.first_shown.clone(), state.gone.clone());
    let report = state.report(plan, adapter, &selection, control, started.elapsed(), stop);
    Ok(Fuzzed { report, figures, first_shown, gone })
}

/// A way of breaking a rule.
type Offence = (&'static str, String);

struct Hunt<'a> {
    arena: Arena<'a>,
    selection: &'a Selection,
    control: &'a Control,
    twin: &'a Twin,
    revisions: Revisions,
    /// The scripts of the folder; they are played first.
    seeds: &'a [folder::Kept],
    folder: &'a Folder,
    watch: &'a dyn Watch,
    ends: Option<Instant>,
    next: AtomicU64,
    state: Mutex<State>,
}

/// What is known so far.
#[derive(Debug, Default)]
struct State {
    sessions: u64,
    /// How many times in a row no session could be opened.
    refused: u32,
    /// Why none can be opened any more.
    gone: Option<String>,
    marks: HashSet<u64>,
    /// The scripts that showed something new.
    pool: Vec<Script>,
    /// How often each offence was looked for again.
    tried: HashMap<Offence, u32>,
    /// Those that somebody looks for now.
    pursued: HashSet<Offence>,
    found: BTreeMap<Offence, Finding>,
    /// What is worth a word, each once and as it was first seen; none if the honest reference gave cause for it too.
    warned: BTreeMap<Offence, Option<Finding>>,
    first_shown: BTreeMap<String, u64>,
    rules: BTreeMap<(&'static str, Revision), RuleState>,
}

/// What became of a rule in a revision.
#[derive(Debug)]
struct RuleState {
    rule: &'static Rule,
    broken: bool,
    confirmed: bool,
}

impl State {
    fn figures(&self) -> Figures {
        let (behaviours, kept, findings) = (self.marks.len(), self.pool.len(), self.found.len());
        Figures { sessions: self.sessions, behaviours, kept, findings }
    }

    /// Notes what rules said.
    fn note(&mut self, judgements: &[Judgement]) {
        for judgement in judgements {
            let key = (judgement.rule.id, judgement.revision);
            let new = RuleState { rule: judgement.rule, broken: false, confirmed: false };
            self.rules.entry(key).or_insert(new).broken |= judgement.is_broken();
        }
    }

    fn report(
        self,
        plan: &Plan,
        adapter: &dyn Adapter,
        selection: &Selection,
        control: Control,
        took: Duration,
        stop: &AtomicBool,
    ) -> Report {
        let description = adapter.describe();
        let scripts = |id: &str, revision: Revision| {
            let own = self.found.values().filter(|found| found.rule == id && found.revision == revision);
            own.map(|found| found.script.clone()).collect()
        };
        let order = |id: &str| selection.rules.iter().position(|rule| rule.id == id);
        let mut rules: Vec<RuleOutcome> = self
            .rules
            .iter()
            .map(|((id, revision), state)| {
                let (outcome, reason) = match (state.confirmed, state.broken) {
                    (true, _) => (Outcome::Fail, None),
                    (false, true) => (Outcome::Inconclusive, Some(UNCERTAIN.to_owned())),
                    (false, false) => (Outcome::Pass, None),
                };
                RuleOutcome {
                    rule: (*id).to_owned(),
                    level: state.rule.level,
                    revision: *revision,
                    outcome,
                    scripts: scripts(id, *revision),
                    reason,
                    figure: None,
                    expected: None,
                }
            })
            .collect();
        rules.sort_by_key(|outcome| (order(&outcome.rule), outcome.revision));
        let summary = Summary::of(&rules, usize::try_from(self.sessions).unwrap_or(usize::MAX), took.as_secs_f64());
        let mut findings: Vec<Finding> = self.found.into_values().collect();
        findings.sort_by_key(|finding| finding.level);
        Report {
            turncoat: env!("CARGO_PKG_VERSION").to_owned(),
            seed: plan.seed,
            catalogue: catalogue_hash(),
            subject: runner::subject(&description, adapter.side(), control),
            rules,
            findings,
            warnings: self.warned.into_values().flatten().collect(),
            summary,
            interrupted: stop.load(Ordering::Relaxed),
            strict: false,
            stale: Vec::new(),
        }
    }
}

impl Hunt<'_> {
    fn jobs(&self) -> usize {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let usual = if self.arena.adapter.is_virtual() { cores } else { cores * SESSIONS_PER_CORE };
        self.arena.plan.jobs.unwrap_or(usual).max(1)
    }

    /// Plays sessions until a bound is reached.
    fn work(&self, runs: u64) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= runs || self.is_over() {
                return;
            }
            self.session(number);
        }
    }

    fn is_over(&self) -> bool {
        self.arena.stop.load(Ordering::Relaxed)
            || self.ends.is_some_and(|ends| Instant::now() >= ends)
            || self.with(|state| state.gone.is_some()).unwrap_or(true)
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.lock().ok().map(|mut state| look(&mut state))
    }

    fn session(&self, number: u64) {
        let seed = usize::try_from(number).ok().and_then(|number| self.seeds.get(number));
        let made = match seed {
            Some(kept) => Some(kept.script.clone()),
            None => self.made_up(number),
        };
        let Some(script) = made else { return };
        let Some(played) = self.play(&script) else { return };
        let offences: BTreeSet<Offence> = offences(&played.judgements);
        let claimed = self.with(|state| {
            state.note(&played.judgements);
            let before = state.marks.len();
            state.marks.extend(&played.marks);
            let is_new = state.marks.len() > before;
            if is_new {
                state.pool.push(script.clone());
            }
            let claimed: Vec<Offence> = offences.into_iter().filter(|offence| state.claim(offence)).collect();
            (is_new, claimed, state.figures())
        });
        let Some((is_new, claimed, figures)) = claimed else { return };
        self.watch.played(figures);
        if is_new && seed.is_none() {
            self.folder.keep(&script);
        }
        for judgement in &played.judgements {
            judgement.warnings.iter().for_each(|shown| self.warn(number, &script, judgement, shown));
        }
        for offence in claimed {
            self.pursue(number, &script, seed.is_some_and(|kept| kept.is_finding), &offence);
            self.with(|state| state.pursued.remove(&offence));
        }
    }

    /// A script: near one that showed something, or from nothing.
    fn made_up(&self, number: u64) -> Option<Script> {
        let Plan { seed, shard, .. } = self.arena.plan;
        // Each of several machines draws numbers of its own.
        let (shard, of) = shard.unwrap_or((1, 1));
        let number = number.wrapping_mul(u64::from(of)).wrapping_add(u64::from(shard) - 1);
        let mut random = fastrand::Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = vec![0; random.usize(64..=MOST_BYTES)];
        random.fill(&mut bytes);
        let mut input = Unstructured::new(&bytes);
        let parents = self.with(|state| match state.pool.as_slice() {
            [] => None,
            pool if random.u8(..3) > 0 => {
                Some((pool[random.usize(..pool.len())].clone(), pool[random.usize(..pool.len())].clone()))
            }
            _ => None,
        })?;
        let made = match parents {
            Some((script, other)) => generate::mutated(&mut input, &script, &other),
            None => generate::script(&mut input, self.revisions, self.arena.adapter.transport()),
        };
        made.ok().map(|script| Script { about: ABOUT.to_owned(), ..script })
    }

    fn play(&self, script: &Script) -> Option<Played> {
        let played = self.arena.play(at(self.control, script, self.revisions)?)?;
        let transcript = self.with(|state| state.opened(played))??;
        let judgements = judge(&self.selection.rules, &transcript);
        let marks = behaviour::marks(&transcript, &judgements);
        Some(Played { judgements, marks })
    }

    /// What a rule says of the honest reference, for which a script is no harder.
    fn of_the_honest(&self, script: &Script, rule: &'static Rule) -> Vec<Judgement> {
        let Twin { adapter, control, fixtures } = self.twin;
        let arena = Arena { adapter: &**adapter, fixtures, ..self.arena };
        let played = at(control, script, self.revisions).and_then(|session| arena.play(session)?.ok());
        played.map(|transcript| judge(&[rule], &transcript)).unwrap_or_default()
    }

    /// Whether a script shows an offence, and would not with an honest subject; where.
    fn shows(&self, script: &Script, offence: &Offence) -> Option<(Revision, &'static Rule, Shown)> {
        let (id, way) = offence;
        let played = self.play(script)?;
        let mut own = played.judgements.into_iter().filter(|judgement| judgement.rule.id == *id);
        let (revision, rule, shown) = own.find_map(|Judgement { rule, revision, breaches, .. }| {
            let shown = breaches.into_iter().find(|breach| pattern(&breach.what) == *way)?;
            Some((revision, rule, shown))
        })?;
        let is_blamed_too = self.of_the_honest(script, rule).iter().any(Judgement::is_broken);
        (!is_blamed_too).then_some((revision, rule, shown))
    }

    /// Makes sure of an offence, takes away what it does not need, and keeps the rest.
    fn pursue(&self, number: u64, script: &Script, is_finding: bool, offence: &Offence) {
        let Some(first) = self.shows(script, offence) else { return };
        let mut best = (script.clone(), first);
        if !is_finding {
            shrink::shrink(
                &mut best,
                |simpler| self.shows(simpler, offence),
                || self.arena.stop.load(Ordering::Relaxed),
            );
        }
        let (mut script, (revision, rule, shown)) = best;
        script.provokes = vec![rule.id.to_owned()];
        script.about.clone_from(&shown.what);
        let path = self.folder.keep_finding(&mut script);
        let found = finding(rule, revision, &shown, &script.name, self.replay(&path));
        let figures = self.with(|state| {
            if let Some(state) = state.rules.get_mut(&(rule.id, revision)) {
                state.confirmed = true;
            }
            state.first_shown.entry(rule.id.to_owned()).or_insert(number);
            state.found.insert(offence.clone(), found.clone());
            state.figures()
        });
        self.watch.found(&found);
        figures.into_iter().for_each(|figures| self.watch.played(figures));
    }

    /// Notes what is worth a word, unless the honest reference gives cause for it as well. It fails nobody, so it is neither
    /// confirmed nor shrunk.
    fn warn(&self, number: u64, script: &Script, judgement: &Judgement, shown: &Shown) {
        let Judgement { rule, revision, .. } = judgement;
        let key = (rule.id, pattern(&shown.what));
        let is_new = self.with(|state| {
            let is_new = !state.warned.contains_key(&key);
            state.warned.entry(key.clone()).or_default();
            is_new
        });
        let gives_cause = |judgement: &Judgement| judgement.is_broken() || !judgement.warnings.is_empty();
        if is_new != Some(true) || self.of_the_honest(script, rule).iter().any(gives_cause) {
            return;
        }
        let path = self.folder.keep(script);
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let warning = finding(rule, *revision, shown, &name, self.replay(&path));
        self.watch.warned(&warning);
        self.with(|state| {
            state.first_shown.entry(rule.id.to_owned()).or_insert(number);
            state.warned.insert(key, Some(warning));
        });
    }

    /// The command that plays a script file again.
    fn replay(&self, path: &std::path::Path) -> String {
        let description = self.arena.adapter.describe();
        let mut words = vec!["turncoat".to_owned(), "replay".to_owned()];
        words.push(crate::report::human::shell(&[path.display().to_string()]));
        words.extend(description.mode);
        words.extend(self.arena.plan.replay_options.iter().cloned());
        words.extend(description.target);
        words.join(" ")
    }
}

/// The session of a script with a subject; none if they share no revision.
fn at<'a>(control: &'a Control, script: &'a Script, revisions: Revisions) -> Option<Match<'a>> {
    static UNKNOWN: LazyLock<Facts> = LazyLock::new(Facts::default);
    let revision = script.revisions.and(revisions).iter().next()?;
    let facts = control.facts.get(&revision).unwrap_or(&UNKNOWN);
    Some(Match { script, revision, facts, exits: control.exits, kept: None })
}

/// The honest reference of the same side and transport. A sequence that nobody thought of may break a rule's own
/// assumptions, and what the honest reference is blamed for as well says nothing of the subject.
struct Twin {
    adapter: Box<dyn Adapter>,
    control: Control,
    fixtures: Fixtures,
}

impl Twin {
    fn of(plan: &Plan, subject: &dyn Adapter, stop: &AtomicBool) -> Result<Self, Untestable> {
        let adapter = embedded::over(subject.transport(), Behaviour::default());
        let selection = Selection::for_subject(plan, &*adapter)?;
        let control = control::learn(plan, &*adapter, &Quiet, stop, &selection)?;
        let fixtures = adapter.fixtures();
        Ok(Self { adapter, control, fixtures })
    }
}

/// What scripts that were made up say of themselves.
const ABOUT: &str = "Was made up, and showed what no session had shown before.";

/// A session, judged.
struct Played {
    judgements: Vec<Judgement>,
    marks: Vec<u64>,
}

/// Whether nobody takes connections where the server was.
fn is_unreachable(transcript: &Transcript) -> bool {
    let ends = transcript.entries.iter().filter_map(|entry| match &entry.event {
        Event::Http { what: Http::End { how }, .. } => Some(matches!(how, Ending::Refused(_))),
        _ => None,
    });
    let (refused, others): (Vec<bool>, Vec<bool>) = ends.partition(|refused| *refused);
    !refused.is_empty() && others.is_empty()
}

impl State {
    /// Counts a session, or that none could be opened.
    fn opened(&mut self, played: Result<Transcript, String>) -> Option<Transcript> {
        match played {
            Ok(transcript) if !is_unreachable(&transcript) => {
                self.sessions += 1;
                self.refused = 0;
                Some(transcript)
            }
            failed => {
                self.refused += 1;
                if self.refused >= MOST_REFUSED {
                    self.gone =
                        Some(failed.err().unwrap_or_else(|| "nobody takes connections there any more".to_owned()));
                }
                None
            }
        }
    }

    /// Whether an offence is to be pursued by whoever asks.
    fn claim(&mut self, offence: &Offence) -> bool {
        if self.found.contains_key(offence) || self.pursued.contains(offence) {
            return false;
        }
        let tried = self.tried.entry(offence.clone()).or_default();
        *tried += 1;
        *tried <= CHANCES && self.pursued.insert(offence.clone())
    }
}

fn offences(judgements: &[Judgement]) -> BTreeSet<Offence> {
    judgements
        .iter()
        .flat_map(|judgement| judgement.breaches.iter().map(|breach| (judgement.rule.id, pattern(&breach.what))))
        .collect()
}
