//! Which sessions to run, and running them: several at once, each in a world of its own.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;

use turncoat::adapter::Adapter;
use turncoat::revision::{Era, Revision};
use turncoat::script::{Fixtures, Script, Step};
use turncoat::session::view::declared;
use turncoat::transcript::{Facts, Transcript};
use turncoat::wire::Document;

use super::arena::{Arena, Match};
use super::confirm::Offence;
use super::control::Control;
use super::crew::{Company, Crew, Pulse};
use super::judge::{self, Judgement};
use super::{Plan, Progress, Selection, confirm, world};

/// How many sessions with processes run at once: some always wait for an answer that does not come.
const SESSIONS_PER_CORE: usize = 4;
/// A session with a server behind a URL in which nothing happened for this long waits rather than works.
const BUSY: Duration = Duration::from_millis(300);
/// The same for a process, which may be about to start another one.
const BUSY_PROCESS: Duration = Duration::from_secs(2);
/// After how long a second session begins while the first one still waits, in case that it is needed.
const LONG: Duration = Duration::from_secs(2);
/// What the transcript of a second session has in its name.
const AGAIN: &str = "-again";

/// A session to run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What is played.
    pub script: &'static Script,
    /// The revision that the honest side speaks.
    pub revision: Revision,
    /// What rules may know of the subject.
    pub facts: Facts,
    /// The subject is known to end by itself when its input ends.
    pub exits: bool,
}

/// A session that was run.
#[derive(Debug)]
pub struct Outcome {
    /// What was run.
    pub planned: Planned,
    /// What happened in a control session; the others are judged and dropped.
    pub transcript: Option<Transcript>,
    /// What the rules said.
    pub judgements: Vec<Judgement>,
    /// Why no session could be opened.
    pub failed_to_open: Option<String>,
    /// The same session run again, if it was chosen to confirm a finding.
    pub again: Option<Vec<Judgement>>,
    /// There was nobody to run it again with.
    pub gone: bool,
}

/// Why a script was left out in a revision.
#[derive(Debug)]
pub struct Skipped {
    /// The script.
    pub script: &'static Script,
    /// The revision.
    pub revision: Revision,
    /// The reason.
    pub why: String,
}

/// The sessions that make sense for the subject, and why the others do not.
#[must_use]
pub fn plan(
    plan: &Plan,
    selection: &Selection,
    control: &Control,
    adapter: &dyn Adapter,
) -> (Vec<Planned>, Vec<Skipped>) {
    let fixtures = adapter.fixtures();
    let (mut planned, mut skipped) = (Vec::new(), Vec::new());
    for &revision in &control.spoken {
        if !plan.revisions.is_empty() && !plan.revisions.contains(&revision) {
            continue;
        }
        for &script in &selection.scripts {
            let fits = script.side == adapter.side().other() && script.transports.has(adapter.transport());
            if !fits || !script.revisions.has(revision) {
                continue;
            }
            match missing(script, revision, control, &fixtures) {
                Some(why) => skipped.push(Skipped { script, revision, why }),
                None => planned.push(Planned {
                    script,
                    revision,
                    facts: control.facts.get(&revision).cloned().unwrap_or_default(),
                    exits: control.exits,
                }),
            }
        }
    }
    if let Some((shard, of)) = plan.shard {
        let mut index = 0;
        planned.retain(|_| {
            index += 1;
            (index - 1) % of == shard - 1
        });
    }
    (planned, skipped)
}

fn missing(script: &Script, revision: Revision, control: &Control, fixtures: &Fixtures) -> Option<String> {
    let needs = &script.needs;
    if needs.dual {
        let speaks = |era: Era| control.spoken.iter().any(|spoken| spoken.era() == era);
        if !speaks(Era::Legacy) || !speaks(Era::Modern) {
            return Some("the subject does not speak both eras".to_owned());
        }
    }
    if let Some(name) = &needs.fixture
        && !fixtures.contains_key(name)
    {
        return Some(format!("no fixture `{name}` is known; name one in a subject file (--subject FILE)"));
    }
    if !needs.capability.is_empty() {
        let text = control.facts.get(&revision).and_then(|facts| facts.capabilities.as_deref()).unwrap_or("{}");
        let path: Vec<&str> = needs.capability.iter().map(String::as_str).collect();
        let has = Document::parse(text).is_ok_and(|document| declared(document.root(text), &path));
        if !has {
            return Some(format!("the subject does not declare the capability {}", needs.capability.join(".")));
        }
    }
    None
}

/// Runs sessions, several at once, and gives the outcomes in the order of the plan. What was stopped is left out.
///
/// The first session to show an offence is run again at once, so that a run that is stopped has something to say.
#[must_use]
pub fn run(
    plan: &Plan,
    adapter: &dyn Adapter,
    selection: &Selection,
    planned: &[Planned],
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Vec<Outcome> {
    let fixtures = adapter.fixtures();
    let worker = Worker { arena: Arena { plan, adapter, fixtures: &fixtures, stop }, selection };
    let claimed = Mutex::new(BTreeSet::new());
    worker
        .all(planned, progress, |session, pulse| worker.confirmed(session, &claimed, progress, pulse))
        .into_iter()
        .flatten()
        .collect()
}

/// Runs again what could not be confirmed at once, until every offence has come back or had its chances.
pub fn confirm(
    plan: &Plan,
    adapter: &dyn Adapter,
    selection: &Selection,
    outcomes: &mut [Outcome],
    progress: &dyn Progress,
    stop: &AtomicBool,
) {
    let fixtures = adapter.fixtures();
    let worker = Worker { arena: Arena { plan, adapter, fixtures: &fixtures, stop }, selection };
    loop {
        let chosen = confirm::next(outcomes);
        if chosen.is_empty() || stop.load(Ordering::Relaxed) {
            return;
        }
        let sessions: Vec<Planned> =
            chosen.iter().filter_map(|index| Some(outcomes.get(*index)?.planned.clone())).collect();
        for (index, again) in
            chosen.iter().zip(worker.all(&sessions, progress, |session, pulse| worker.session(session, AGAIN, pulse)))
        {
            if let (Some(outcome), Some(again)) = (outcomes.get_mut(*index), again) {
                outcome.gone = worker.is_gone(&again);
                outcome.again = Some(again.judgements);
            }
        }
    }
}

/// What came of a session; none if the run was stopped meanwhile.
type Played = Option<Result<Transcript, String>>;
type Playing<'a> = Pin<Box<dyn Future<Output = Played> + 'a>>;

/// A second session that began while the first one waited.
enum Second<'a> {
    Playing(Playing<'a>, Runtime),
    Played(Played),
}

impl Second<'_> {
    fn finish(self) -> Played {
        match self {
            Self::Playing(playing, runtime) => runtime.block_on(playing),
            Self::Played(played) => played,
        }
    }
}

struct Worker<'a> {
    arena: Arena<'a>,
    selection: &'a Selection,
}

impl<'a> Worker<'a> {
    /// Runs sessions on several threads and gives the outcomes in the same order; none for what was stopped.
    ///
    /// Those that take their time begin first, and others beside them while they wait. A server behind a URL serves all
    /// sessions at once: those that others would feel come last.
    fn all(
        &self,
        planned: &[Planned],
        progress: &dyn Progress,
        run: impl Fn(&Planned, &Pulse) -> Option<Outcome> + Sync,
    ) -> Vec<Option<Outcome>> {
        progress.planned(planned.len());
        let mut order: Vec<(usize, &Planned)> = planned.iter().enumerate().collect();
        if self.waits() {
            // The newest revision has most that may take long.
            order.sort_by_key(|(_, session)| {
                let Planned { script, revision, .. } = session;
                (self.company(script), !script.takes_time(), Reverse(*revision))
            });
        }
        let companies: Vec<Company> = order.iter().map(|(_, session)| self.company(session.script)).collect();
        let outcomes = Mutex::new(planned.iter().map(|_| None).collect::<Vec<_>>());
        self.crew().run(&companies, self.arena.stop, |place, pulse| {
            let Some((index, session)) = order.get(place) else { return };
            let Some(outcome) = run(session, pulse) else { return };
            let broken = outcome.judgements.iter().filter(|it| it.is_broken()).count();
            progress.finished(&session.script.name, session.revision, broken);
            if let Ok(mut outcomes) = outcomes.lock()
                && let Some(place) = outcomes.get_mut(*index)
            {
                *place = Some(outcome);
            }
        });
        outcomes.into_inner().unwrap_or_default()
    }

    /// Whether a session in which nothing happens costs nothing: a server behind a URL serves others, and a client waits.
    fn waits(&self) -> bool {
        self.arena.is_shared() || self.arena.is_client()
    }

    fn company(&self, script: &Script) -> Company {
        match self.arena.is_shared() {
            true if script.changes_lists() => Company::Nobody,
            true if script.is_heavy() => Company::Waiting,
            _ => Company::Any,
        }
    }

    fn crew(&self) -> Crew {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let usual = if self.arena.adapter.is_virtual() { cores } else { cores * SESSIONS_PER_CORE };
        let bound = if self.arena.is_client() { BUSY_PROCESS } else { BUSY };
        let busy = (self.waits() && self.arena.plan.jobs.is_none()).then_some(bound);
        Crew { jobs: self.arena.plan.jobs.unwrap_or(usual).max(1), busy }
    }

    /// Runs a session, and once more if it is the first to show an offence.
    fn confirmed(
        &self,
        planned: &'a Planned,
        claimed: &Mutex<BTreeSet<Offence>>,
        progress: &dyn Progress,
        pulse: &'a Pulse,
    ) -> Option<Outcome> {
        let (mut outcome, second) = self.with_second(planned, pulse)?;
        let mut offences = confirm::offences(&outcome.judgements);
        if let Ok(mut claimed) = claimed.lock() {
            offences.retain(|offence| claimed.insert(offence.clone()));
        }
        if offences.is_empty() {
            self.forget(planned, second);
            return Some(outcome);
        }
        progress.planned(1);
        let again = match second {
            Some(second) => second.finish().map(|played| self.judged(planned, played)),
            None => self.session(planned, AGAIN, pulse),
        };
        if let Some(again) = again {
            outcome.gone = self.is_gone(&again);
            outcome.again = Some(again.judgements);
        }
        progress.finished(&planned.script.name, planned.revision, 0);
        Some(outcome)
    }

    /// Whether the server that all sessions share has died. A process that does not start a second time says nothing of
    /// what it did in the first.
    fn is_gone(&self, again: &Outcome) -> bool {
        self.arena.is_shared() && again.failed_to_open.is_some()
    }

    /// Runs and judges a session; none if the run was stopped meanwhile.
    fn session(&self, planned: &Planned, suffix: &str, pulse: &Pulse) -> Option<Outcome> {
        let played = match self.runtime() {
            Ok(runtime) => runtime.block_on(self.play(planned, suffix, pulse))?,
            Err(error) => Err(error.to_string()),
        };
        Some(self.judged(planned, played))
    }

    /// The same, and the session that would confirm it begins beside it once it takes long. To wait for an answer that
    /// never comes costs the server nothing, and both wait at the same time.
    fn with_second(&self, planned: &'a Planned, pulse: &'a Pulse) -> Option<(Outcome, Option<Second<'_>>)> {
        if self.arena.plan.jobs.is_some() || !self.may_overlap(planned.script) {
            return Some((self.session(planned, "", pulse)?, None));
        }
        let runtime = match self.runtime() {
            Ok(runtime) => runtime,
            Err(error) => return Some((self.judged(planned, Err(error.to_string())), None)),
        };
        let (played, second) = runtime.block_on(async {
            let mut first = Box::pin(self.play(planned, "", pulse));
            if let Ok(played) = timeout(LONG, &mut first).await {
                return (played, None);
            }
            let mut again: Playing<'_> = Box::pin(self.play(planned, AGAIN, pulse));
            tokio::select! {
                biased;
                played = &mut first => (played, Some(Ok(again))),
                early = &mut again => (first.await, Some(Err(early))),
            }
        });
        let second = second.map(|state| match state {
            Ok(playing) => Second::Playing(playing, runtime),
            Err(played) => Second::Played(played),
        });
        Some((self.judged(planned, played?), second))
    }

    /// Whether the same session may run twice at once. What asks for the rest of streams sees what a server mixes up between
    /// sessions, and two that use the same ids at the same time would each confirm what only the other one caused.
    fn may_overlap(&self, script: &Script) -> bool {
        if self.arena.is_client() {
            // A second process is not free: it is for those that will take longer still.
            return script.takes_time();
        }
        let resumes = script.steps.iter().any(|step| matches!(step, Step::Resume { .. }));
        self.arena.is_shared() && !resumes && self.company(script) == Company::Any
    }

    /// Ends a second session that is not needed.
    fn forget(&self, planned: &Planned, second: Option<Second<'_>>) {
        if let (Some(second), Some(folder)) = (second, &self.arena.plan.transcripts) {
            drop(second);
            let _ = fs::remove_file(transcript(folder, planned, AGAIN));
        }
    }

    fn judged(&self, planned: &Planned, played: Result<Transcript, String>) -> Outcome {
        let mut outcome = Outcome {
            planned: planned.clone(),
            transcript: None,
            judgements: Vec::new(),
            failed_to_open: None,
            again: None,
            gone: false,
        };
        match played {
            Err(why) => outcome.failed_to_open = Some(why),
            Ok(transcript) => {
                outcome.judgements = judge::judge(&self.selection.rules, &transcript);
                if planned.script.name == super::control::NAME {
                    outcome.transcript = Some(transcript);
                }
            }
        }
        outcome
    }

    fn runtime(&self) -> io::Result<Runtime> {
        world::runtime(self.arena.adapter.is_virtual())
    }

    async fn play(&self, planned: &Planned, suffix: &str, pulse: &Pulse) -> Played {
        let kept = self.arena.plan.transcripts.as_deref().map(|folder| transcript(folder, planned, suffix));
        let Planned { script, revision, ref facts, exits } = *planned;
        let session = Match { script, revision, facts, exits, kept: kept.as_deref() };
        let beat = || pulse.beat();
        let session = self.arena.session(session, &beat);
        world::unless_stopped(self.arena.adapter.is_virtual(), self.arena.stop, session).await
    }
}

/// Where the transcript of a session is kept.
fn transcript(folder: &Path, planned: &Planned, suffix: &str) -> PathBuf {
    folder.join(format!("{}--{}{suffix}.jsonl", planned.revision, planned.script.name))
}
