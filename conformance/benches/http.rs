//! How fast scripted sessions over HTTP run and are judged: in memory, and on sockets of the loopback interface.
//!
//! `cargo bench --bench http` prints sessions a second. On sockets time is real, so the scripts that wait (for slow tools,
//! for answers that never come) say more of patience than of speed; `without_waiting` leaves them out: those whose session
//! took longer than a tenth of a second by itself.

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::net::TcpListener;
use turncoat::adapter::embedded::fixtures;
use turncoat::adapter::host::{self, EmbeddedHttp};
use turncoat::adapter::http::{Server, Url};
use turncoat::reference::Behaviour;
use turncoat::revision::Revision;
use turncoat_conformance::runner::{self, Plan, Progress, Quiet};

/// What a session may take by itself to count as one that does not wait.
const SWIFT: Duration = Duration::from_millis(100);
/// How many sessions run at once on sockets: most of the time they wait for the other side.
const JOBS: usize = 32;

fn main() {
    divan::main();
}

/// The whole catalogue in memory, every revision, on every core: items are sessions.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn in_memory(bencher: Bencher<'_, '_>) {
    let subject = EmbeddedHttp::server(Behaviour::default());
    let run = || runner::check(&Plan::default(), &subject, &Quiet, &AtomicBool::new(false));
    let sessions = run().map_or(0, |report| report.summary.sessions);
    bencher.counter(ItemsCount::new(sessions)).bench(run);
}

/// The scripts that do not wait, on sockets, every revision: items are sessions.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn without_waiting(bencher: Bencher<'_, '_>) {
    let Some(url) = serve() else { return };
    let subject = Server::new(url).with_fixtures(fixtures());
    let alone = Plan { jobs: Some(1), ..Plan::default() };
    let times = Times::default();
    let _ = runner::check(&alone, &subject, &times, &AtomicBool::new(false));
    let plan = Plan { only: times.swift(), jobs: Some(JOBS), ..Plan::default() };
    let run = || runner::check(&plan, &subject, &Quiet, &AtomicBool::new(false));
    let sessions = run().map_or(0, |report| report.summary.sessions);
    bencher.counter(ItemsCount::new(sessions)).bench(run);
}

/// Starts the reference server on a free port, for as long as the benchmark runs.
fn serve() -> Option<Url> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await else { return };
            let address = listener.local_addr().ok();
            let _ = sender.send(address.and_then(|address| format!("http://{address}/mcp").parse().ok()));
            let _ = host::serve(Behaviour::default(), listener).await;
        });
    });
    receiver.recv().ok().flatten()
}

/// How long the sessions of a run with one job took, by script.
struct Times {
    last: Mutex<Instant>,
    slow: Mutex<Vec<String>>,
}

impl Default for Times {
    fn default() -> Self {
        Self { last: Mutex::new(Instant::now()), slow: Mutex::default() }
    }
}

impl Times {
    fn swift(&self) -> Vec<String> {
        let slow = self.slow.lock().map(|slow| slow.clone()).unwrap_or_default();
        let all = turncoat::script::corpus::all().unwrap_or_default();
        all.iter().map(|script| script.name.clone()).filter(|name| !slow.contains(name)).collect()
    }
}

impl Progress for Times {
    fn planned(&self, _sessions: usize) {}

    fn finished(&self, script: &str, _revision: Revision, _broken: usize) {
        let Ok(mut last) = self.last.lock() else { return };
        let took = std::mem::replace(&mut *last, Instant::now()).elapsed();
        if let Ok(mut slow) = self.slow.lock()
            && took > SWIFT
        {
            slow.push(script.to_owned());
        }
    }
}
