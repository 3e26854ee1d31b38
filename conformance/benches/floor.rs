//! How much a run against a real stdio server costs beyond what the server itself costs.
//!
//! `cargo bench --bench floor -- COMMAND...` prints the ratio of the wall time of a whole run to its floor: sessions
//! opened, times the server's own start-to-first-answer time, over the number of cores. Both are measured in this run,
//! the server's time before and after.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use turncoat::adapter::child::Process;
use turncoat_conformance::runner::{self, Plan, Quiet};

const STARTS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let command: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench" && word != "--").collect();
    let mut out = io::stdout().lock();
    if command.is_empty() {
        writeln!(out, "floor: no server given; use `cargo bench --bench floor -- COMMAND...`")?;
        return Ok(());
    }
    // Cargo starts benchmarks in the folder of the package; paths are meant from where it was called.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;
    let cores = std::thread::available_parallelism()?.get();
    let before = first_answer(&command)?;
    let started = Instant::now();
    let report = runner::check(&Plan::default(), &Process::server(command.clone()), &Quiet, &AtomicBool::new(false))?;
    let wall = started.elapsed();
    let start = (before + first_answer(&command)?) / 2;
    let sessions = report.summary.sessions;
    let floor = start * u32::try_from(sessions)? / u32::try_from(cores)?;
    writeln!(out, "sessions {sessions}, wall {wall:.2?}, start to first answer {start:.2?}, cores {cores}")?;
    writeln!(out, "floor {floor:.2?}, ratio {:.2}", wall.as_secs_f64() / floor.as_secs_f64())?;
    Ok(())
}

/// The mean time from starting the server to its first answer, with as many at once as there are cores.
fn first_answer(command: &[String]) -> Result<Duration, Box<dyn Error>> {
    let cores = std::thread::available_parallelism()?.get();
    let times = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..cores).map(|_| scope.spawn(|| (0..STARTS).map(|_| once(command)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(times.iter().sum::<Duration>() / u32::try_from(times.len())?)
}

fn once(command: &[String]) -> Result<Duration, io::Error> {
    let started = Instant::now();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let missing = || io::Error::other("a pipe is missing");
    let mut input = child.stdin.take().ok_or_else(missing)?;
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
    writeln!(input, "{hello}")?;
    BufReader::new(child.stdout.take().ok_or_else(missing)?).read_line(&mut String::new())?;
    let took = started.elapsed();
    drop(input);
    let _ = child.wait();
    Ok(took)
}
