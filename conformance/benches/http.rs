//! How fast scripted sessions over HTTP run and are judged: in memory, and on sockets of the loopback interface.
//!
//! `cargo bench --bench http` prints sessions a second, all scripts in every revision as they are: five of a hundred sessions
//! are floods or send messages of a mebibyte, and take most of the processor's time.
//!
//! On sockets time is real, and some sessions wait for slow tools or for answers that never come, up to five seconds. So
//! several checks run side by side, each with a server of its own, and while some sessions wait others work.

use std::net::Ipv4Addr;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::net::TcpListener;
use turncoat::adapter::Adapter;
use turncoat::adapter::embedded::fixtures;
use turncoat::adapter::host::{self, EmbeddedHttp};
use turncoat::adapter::http::{Server, Url};
use turncoat::reference::Behaviour;
use turncoat_conformance::runner::{self, Plan, Quiet};

/// How many checks run side by side on sockets.
const SIDE_BY_SIDE: usize = 16;

fn main() {
    divan::main();
}

/// The whole catalogue in memory, every revision, on every core: items are sessions.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn in_memory(bencher: Bencher<'_, '_>) {
    let subject = EmbeddedHttp::server(Behaviour::default());
    bencher.counter(ItemsCount::new(sessions(&subject))).bench(|| sessions(&subject));
}

/// The same on sockets, several times at once: items are sessions.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn on_sockets(bencher: Bencher<'_, '_>) {
    let subjects: Vec<Server> =
        (0..SIDE_BY_SIDE).filter_map(|_| serve()).map(|url| Server::new(url).with_fixtures(fixtures())).collect();
    let run = || {
        thread::scope(|scope| {
            let checks: Vec<_> = subjects.iter().map(|subject| scope.spawn(|| sessions(subject))).collect();
            checks.into_iter().filter_map(|check| check.join().ok()).sum::<usize>()
        })
    };
    bencher.counter(ItemsCount::new(run())).bench(run);
}

/// Checks a subject and gives how many sessions that took.
fn sessions(subject: &dyn Adapter) -> usize {
    let report = runner::check(&Plan::default(), subject, &Quiet, &AtomicBool::new(false));
    report.map_or(0, |report| report.summary.sessions)
}

/// Starts a reference server on a free port, for as long as the benchmark runs.
fn serve() -> Option<Url> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
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
