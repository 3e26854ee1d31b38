//! A process on stdio, in a process group of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::stream::Pump;
use super::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture};
use crate::revision::Side;
use crate::script::Fixtures;
use crate::transcript::Vitals;

/// How much standard error of one session is kept, in bytes.
const MOST_STDERR: usize = 256 << 10;

/// A server or client that is started anew for each session and talks on its standard input and output.
#[derive(Clone, Debug)]
pub struct Process {
    side: Side,
    command: Vec<String>,
    environment: BTreeMap<String, String>,
    fixtures: Fixtures,
}

impl Process {
    /// A server with this command line; the first word is the program.
    #[must_use]
    pub fn server(command: Vec<String>) -> Self {
        Self { side: Side::Server, command, environment: BTreeMap::new(), fixtures: Fixtures::new() }
    }

    /// The same with these variables added to its environment.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The same with these things for scripts to use.
    #[must_use]
    pub fn with_fixtures(mut self, fixtures: Fixtures) -> Self {
        self.fixtures = fixtures;
        self
    }

    fn spawn(&self) -> io::Result<Box<dyn Link>> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).map(Group::new);
        let missing = || io::Error::other("a pipe is missing");
        let (input, output, stderr) = (
            child.stdin.take().ok_or_else(missing)?,
            child.stdout.take().ok_or_else(missing)?,
            child.stderr.take().ok_or_else(missing)?,
        );
        Ok(Box::new(Running {
            child,
            group,
            pump: Pump::new(output, input),
            stderr: Some(stderr),
            stderr_left: MOST_STDERR,
            output_ended: false,
            exit: None,
            told: false,
            early: VecDeque::new(),
        }))
    }
}

impl Adapter for Process {
    fn side(&self) -> Side {
        self.side
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async { self.spawn().map_err(|source| OpenError { subject: self.command.join(" "), source }) })
    }

    fn describe(&self) -> Description {
        let words = self.command.iter().map(|word| quoted(word));
        Description {
            transport: "stdio".to_owned(),
            command: Some(self.command.clone()),
            url: None,
            mode: vec![self.side.to_string()],
            target: std::iter::once("--".to_owned()).chain(words).collect(),
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn fixtures(&self) -> Fixtures {
        self.fixtures.clone()
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

struct Running {
    child: Child,
    group: Option<Group>,
    pump: Pump<ChildStdout, ChildStdin>,
    stderr: Option<ChildStderr>,
    stderr_left: usize,
    output_ended: bool,
    exit: Option<Incoming>,
    told: bool,
    early: VecDeque<Incoming>,
}

impl Running {
    async fn step(&mut self) -> Incoming {
        if let Some(incoming) = self.early.pop_front() {
            return incoming;
        }
        loop {
            if self.output_ended && self.exit.is_some() && !self.told {
                self.told = true;
                return self.exit.clone().unwrap_or(Incoming::Ended);
            }
            if self.told {
                pending::<()>().await;
            }
            let mut chunk = [0; 4096];
            tokio::select! {
                incoming = self.pump.next() => {
                    self.output_ended |= incoming == Incoming::Ended;
                    return incoming;
                }
                count = read_stderr(&mut self.stderr, &mut chunk) => {
                    let kept = count.min(self.stderr_left);
                    self.stderr_left -= kept;
                    if kept > 0 {
                        return Incoming::Stderr(String::from_utf8_lossy(&chunk[..kept]).into_owned());
                    }
                }
                status = wait(&mut self.child, self.exit.is_some()) => {
                    let orphans = self.reap_group();
                    self.exit = Some(exited(&status, orphans));
                    // A child that inherited the output would keep it open for ever: it was ended with the group.
                }
            }
        }
    }

    /// Ends what is left of the group, and says whether anything was.
    fn reap_group(&mut self) -> bool {
        self.group.take().is_some_and(Group::end)
    }
}

/// The process groups that live, for [`kill_all`].
static LIVING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn living() -> MutexGuard<'static, BTreeSet<i32>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every process that was started here and what those started, for a harness that is about to exit without
/// unwinding.
pub fn kill_all() {
    for group in living().iter().filter_map(|raw| Pid::from_raw(*raw)) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A process group that is noted as living until it was ended.
#[derive(Debug)]
struct Group(Pid);

impl Group {
    fn new(leader: Pid) -> Self {
        living().insert(leader.as_raw_nonzero().get());
        Self(leader)
    }

    /// Kills what is left of it, and says whether anything was.
    fn end(self) -> bool {
        let left = test_kill_process_group(self.0).is_ok();
        if left {
            let _ = kill_process_group(self.0, Signal::KILL);
        }
        living().remove(&self.0.as_raw_nonzero().get());
        left
    }
}

async fn read_stderr(stderr: &mut Option<ChildStderr>, chunk: &mut [u8]) -> usize {
    let Some(open) = stderr else { return pending().await };
    match open.read(chunk).await {
        Ok(count) if count > 0 => count,
        _ => {
            *stderr = None;
            0
        }
    }
}

async fn wait(child: &mut Child, done: bool) -> io::Result<ExitStatus> {
    if done { pending().await } else { child.wait().await }
}

fn exited(status: &io::Result<ExitStatus>, orphans: bool) -> Incoming {
    use std::os::unix::process::ExitStatusExt as _;
    let (code, signal) = match status {
        Ok(status) => (status.code(), status.signal()),
        Err(_) => (None, None),
    };
    Incoming::Exited { code, signal, orphans }
}

impl Link for Running {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        self.pump.write(pieces);
    }

    fn stop_reading(&mut self) {
        self.pump.stop_reading();
    }

    fn read_on(&mut self) {
        self.pump.read_on();
    }

    fn close(&mut self) {
        self.pump.close();
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        vitals_of(self.child.id()?)
    }

    fn kill(&mut self) {
        self.reap_group();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.reap_group();
    }
}

/// Peak memory and processor time of a process, from Linux's `/proc`.
fn vitals_of(process: u32) -> Option<Vitals> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Vitals { peak_bytes: kibibytes * 1024, cpu_micros: ticks * 1_000_000 / per_second })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a-b/c.js"), "a-b/c.js");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
