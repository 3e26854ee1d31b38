//! How fast scripted sessions run and are judged in memory.
//!
//! `cargo bench --bench catalogue` prints sessions a second of a whole run, on every core, and what a single session
//! costs on one. The figures of one run compare with each other; machines differ.

use std::sync::atomic::AtomicBool;

use divan::Bencher;
use divan::counter::ItemsCount;
use turncoat::adapter::embedded::Embedded;
use turncoat::reference::Behaviour;
use turncoat::revision::Revision;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    divan::main();
}

/// The whole catalogue, every revision, on every core: items are sessions.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn whole_catalogue(bencher: Bencher<'_, '_>) {
    let subject = Embedded::server(Behaviour::default());
    let run = || runner::check(&Plan::default(), &subject, &Quiet, &AtomicBool::new(false));
    let sessions = run().map_or(0, |report| report.summary.sessions);
    bencher.counter(ItemsCount::new(sessions)).bench(run);
}

/// The catalogue in one revision on one core: items are sessions.
#[divan::bench(args = Revision::ALL, sample_count = 10, sample_size = 1)]
fn one_revision(bencher: Bencher<'_, '_>, revision: Revision) {
    let subject = Embedded::server(Behaviour::default());
    let plan = Plan { revisions: vec![revision], jobs: Some(1), ..Plan::default() };
    let run = || runner::check(&plan, &subject, &Quiet, &AtomicBool::new(false));
    let sessions = run().map_or(0, |report| report.summary.sessions);
    bencher.counter(ItemsCount::new(sessions)).bench(run);
}
