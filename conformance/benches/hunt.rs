//! How many made-up sessions it takes to find each fault of the embedded reference server.
//!
//! `cargo bench --bench hunt -- [--seeds N] [FAULT...]` fuzzes a server with each fault that shows on stdio, without any of the
//! named scripts, until the rule that the fault was made for fails or warns, or for 2,000 sessions. One line for each
//! fault gives the median over the seeds of the number of the session that first showed it.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use turncoat::adapter::embedded::Embedded;
use turncoat::reference::{Behaviour, FAULTS, FaultInfo};
use turncoat::transcript::Transport;
use turncoat_conformance::fuzz::{self, Bounds, Figures, Watch};
use turncoat_conformance::report::Finding;
use turncoat_conformance::runner::{Plan, Profile};

/// The most sessions for one fault.
const RUNS: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench" && word != "--");
    let (mut seeds, mut wanted) = (1, Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => seeds = words.next().ok_or("--seeds needs a number")?.parse()?,
            _ => wanted.push(word),
        }
    }
    let faults: Vec<_> = FAULTS
        .iter()
        .filter(|fault| {
            fault.reach.has(Transport::Stdio) && (wanted.is_empty() || wanted.iter().any(|id| id == fault.id))
        })
        .collect();
    let (next, medians) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut shown: Vec<u64> = (0..seeds).map(|seed| hunt(fault, seed).unwrap_or(RUNS)).collect();
            shown.sort_unstable();
            let median = shown.get(shown.len() / 2).copied().unwrap_or(RUNS);
            let _ = match median {
                RUNS => writeln!(io::stdout(), "   not {} ({})", fault.id, fault.rule),
                median => writeln!(io::stdout(), "{median:6} {} ({})", fault.id, fault.rule),
            };
            if let Ok(mut medians) = medians.lock() {
                medians.push(median);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    let medians = medians.into_inner()?;
    let found = medians.iter().filter(|median| **median < RUNS).count();
    writeln!(io::stdout(), "{found} of {} faults within {RUNS} sessions, over {seeds} seeds", medians.len())?;
    Ok(())
}

/// The number of the session that first showed a fault.
fn hunt<F>(fault: &FaultInfo<F>, seed: u64) -> Option<u64> {
    let folder = std::env::temp_dir().join(format!("turncoat-hunt-{}-{}-{seed}", std::process::id(), fault.id));
    let all = vec![Profile::Spec, Profile::Robustness, Profile::Hardening];
    let plan = Plan { seed, jobs: Some(1), profiles: all, ..Plan::default() };
    let bounds = Bounds { runs: Some(RUNS), time: None, corpus: folder.clone() };
    let subject = Embedded::server(Behaviour::default().with_fault(fault.id).ok()?);
    let stop = AtomicBool::new(false);
    let fuzzed = fuzz::fuzz(&plan, &bounds, &subject, &Until { rule: fault.rule, stop: &stop }, &stop).ok();
    let _ = std::fs::remove_dir_all(folder);
    fuzzed?.first_shown.get(fault.rule).copied()
}

/// Stops when a rule is found to be broken.
struct Until<'a> {
    rule: &'static str,
    stop: &'a AtomicBool,
}

impl Watch for Until<'_> {
    fn played(&self, _so_far: Figures) {}

    fn found(&self, finding: &Finding) {
        if finding.rule == self.rule {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    // Some faults are of a kind that a clause leaves open: their rule warns, and that is what it is meant to do.
    fn warned(&self, warning: &Finding) {
        self.found(warning);
    }
}
