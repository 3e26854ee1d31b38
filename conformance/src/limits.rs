//! Measures how much a subject bears: one search per dimension, several at once, and a table of what they found.
//!
//! Every probe is a session of its own. What misbehaves must do so again in a fresh session before it counts. A process
//! is ended when it takes more memory or processor time than the plan allows, and the search of that dimension with it.
//!
//! - `hunt`: the search of one dimension
//! - `probe`: one session
//! - [`table`]: what came out, as plain data
//! - [`human`], [`json`], [`markdown`]: its formats

pub mod human;
mod hunt;
pub mod json;
pub mod markdown;
mod probe;
pub mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use turncoat::adapter::Adapter;
use turncoat::limits::dimension::first_list;
use turncoat::limits::{Carrier, DIMENSIONS, Dimension};
use turncoat::revision::Revision;
use turncoat::transcript::{Transport, Vitals};

use crate::glob;
use crate::runner::{self, Progress, Selection, Untestable, control};
use hunt::Hunt;
use probe::Prober;
use table::{Bounds, Limit, Table};

/// What to measure and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The revision to speak; the newest that the subject speaks if not said.
    pub revision: Option<Revision>,
    /// Names of dimensions to confine the run to; empty for all.
    pub only: Vec<String>,
    /// How many sessions run at once; as many as there are cores if not said, and one against a running server.
    pub jobs: Option<usize>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What a process of the subject may take in one session.
    pub most: Vitals,
    /// Options that a replay command must repeat.
    pub replay_options: Vec<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            revision: None,
            only: Vec::new(),
            jobs: None,
            timeout: Duration::from_secs(10),
            most: Vitals { peak_bytes: 2 << 30, cpu_micros: 120_000_000 },
            replay_options: Vec::new(),
        }
    }
}

impl Plan {
    /// The dimensions that the plan asks for.
    ///
    /// # Errors
    ///
    /// A glob that fits none.
    pub fn dimensions(&self) -> Result<Vec<&'static Dimension>, String> {
        for glob in &self.only {
            if !DIMENSIONS.iter().any(|dimension| glob::matches(glob, dimension.name)) {
                let names: Vec<_> = DIMENSIONS.iter().map(|dimension| dimension.name).collect();
                return Err(format!("no dimension is named `{glob}`; there are {}", names.join(", ")));
            }
        }
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|glob| glob::matches(glob, name));
        Ok(DIMENSIONS.iter().filter(|dimension| wanted(dimension.name)).collect())
    }
}

/// Measures a subject.
///
/// # Errors
///
/// Only if nothing could be said about the subject. What it does not bear is no error.
pub fn measure(
    plan: &Plan,
    adapter: &dyn Adapter,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Table, Untestable> {
    let started = Instant::now();
    let untestable = |why| Untestable { why, stderr: String::new() };
    let dimensions = plan.dimensions().map_err(untestable)?;
    let learning = runner::Plan { timeout: plan.timeout, jobs: plan.jobs, ..runner::Plan::default() };
    let nothing = Selection { rules: Vec::new(), scripts: Vec::new() };
    let control = control::learn(&learning, adapter, progress, stop, &nothing)?;
    let revision = match plan.revision {
        Some(revision) if control.spoken.contains(&revision) => revision,
        Some(revision) => return Err(untestable(format!("the subject does not speak revision {revision}"))),
        None => *control.spoken.last().ok_or_else(|| untestable("the subject speaks no known revision".to_owned()))?,
    };
    let lists = control.facts.get(&revision).map(|facts| &facts.lists);
    let carrier = Carrier {
        revision,
        transport: adapter.transport(),
        list: first_list(|method| lists.is_some_and(|lists| lists.contains_key(method))),
        echo: adapter.fixtures().get("echo").cloned(),
    };
    let prober = Prober { adapter, carrier: &carrier, timeout: plan.timeout, most: plan.most, progress, stop };
    let fitting: Vec<_> = dimensions.into_iter().filter(|it| it.transports.has(carrier.transport)).collect();
    let (mut limits, sessions) = all(plan, &prober, &fitting);
    let description = adapter.describe();
    for limit in &mut limits {
        let chosen = ["--only", &limit.dimension, "--revision", revision.as_str()].map(str::to_owned);
        let words = [&["turncoat limits".to_owned()], description.mode.as_slice(), &chosen, &plan.replay_options];
        limit.replay = [&words.concat(), description.target.as_slice()].concat().join(" ");
    }
    Ok(Table {
        turncoat: env!("CARGO_PKG_VERSION").to_owned(),
        interrupted: stop.load(Ordering::Relaxed),
        subject: runner::subject(&description, adapter.side(), control),
        revision,
        bounds: Bounds {
            timeout_seconds: plan.timeout.as_secs_f64(),
            memory_bytes: plan.most.peak_bytes,
            cpu_seconds: plan.most.cpu_micros / 1_000_000,
        },
        limits,
        sessions,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Measures several dimensions at once, and gives what was found in their order, with the number of sessions.
fn all(plan: &Plan, prober: &Prober<'_>, dimensions: &[&'static Dimension]) -> (Vec<Limit>, usize) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let shared = prober.carrier.transport == Transport::Http && !prober.adapter.is_virtual();
    // A server that others load meanwhile would be measured with them.
    let usual = if shared { 1 } else { cores };
    let jobs = plan.jobs.unwrap_or(usual).clamp(1, dimensions.len().max(1));
    let (next, sessions) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let limits = Mutex::new(dimensions.iter().map(|_| None).collect::<Vec<Option<Limit>>>());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(dimension) = dimensions.get(index) else { break };
                    let (limit, count) = Hunt::new(prober, dimension).run();
                    sessions.fetch_add(count, Ordering::Relaxed);
                    if let Ok(mut limits) = limits.lock()
                        && let Some(place) = limits.get_mut(index)
                    {
                        *place = Some(limit);
                    }
                }
            });
        }
    });
    let limits = limits.into_inner().unwrap_or_default().into_iter().flatten().collect();
    (limits, sessions.into_inner())
}
