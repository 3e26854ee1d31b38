//! A process in a group of its own: started, watched, measured, ended with all that it started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::pending;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Incoming;
use crate::transcript::Vitals;

/// How much standard error of one session is kept, in bytes.
const MOST_STDERR: usize = 256 << 10;

/// A running process. Dropping it ends its group.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    group: Option<Group>,
    stderr: Option<ChildStderr>,
    stderr_left: usize,
    status: Option<(Option<i32>, Option<i32>)>,
    command: Vec<String>,
}

/// What was seen of a process.
#[derive(Debug)]
pub(super) enum Seen {
    /// Some of its standard error.
    Stderr(String),
    /// Nothing comes of its standard error any more.
    Mute,
    /// It is gone; its group may not be.
    Gone,
}

impl Started {
    /// Starts a command; the first word is the program.
    pub(super) fn new(
        command: &[String],
        environment: &BTreeMap<String, String>,
    ) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(environment)
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
        let command = command.to_vec();
        let started = Self { child, group, stderr: Some(stderr), stderr_left: MOST_STDERR, status: None, command };
        Ok((started, input, output))
    }

    /// What is seen next; pends for ever behind the end of both the process and its standard error. Cancel-safe.
    pub(super) async fn watch(&mut self) -> Seen {
        loop {
            let mut chunk = [0; 4096];
            tokio::select! {
                count = read_stderr(&mut self.stderr, &mut chunk) => {
                    if count == 0 {
                        return Seen::Mute;
                    }
                    let kept = self.keep(&chunk[..count]);
                    if !kept.is_empty() {
                        return Seen::Stderr(kept);
                    }
                }
                status = wait(&mut self.child, self.status.is_some()) => {
                    self.status = Some(parts(&status));
                    return Seen::Gone;
                }
            }
        }
    }

    /// As much of this text as is kept in one session.
    pub(super) fn keep(&mut self, text: &[u8]) -> String {
        let kept = text.len().min(self.stderr_left);
        self.stderr_left -= kept;
        String::from_utf8_lossy(&text[..kept]).into_owned()
    }

    /// Whether nothing comes of its standard error any more.
    pub(super) fn is_mute(&self) -> bool {
        self.stderr.is_none()
    }

    /// Whether it is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.status.is_some()
    }

    /// How it ended.
    pub(super) fn exited(&self, orphans: bool) -> Incoming {
        let (code, signal) = self.status.unwrap_or_default();
        Incoming::Exited { code, signal, orphans }
    }

    /// Ends what is left of the group, and says whether anything was.
    pub(super) fn end(&mut self) -> bool {
        self.group.take().is_some_and(Group::end)
    }

    /// Ends those of the group that have no such word in their command lines, and says whether there were any.
    pub(super) fn end_others(&mut self, word: &str) -> bool {
        self.group.as_ref().is_some_and(|group| group.end_others(word, &self.command))
    }

    /// Peak memory and processor time, while it lives.
    pub(super) fn vitals(&self) -> Option<Vitals> {
        vitals_of(self.child.id()?)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.end();
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

/// The code, or the signal.
fn parts(status: &io::Result<ExitStatus>) -> (Option<i32>, Option<i32>) {
    use std::os::unix::process::ExitStatusExt as _;
    match status {
        Ok(status) => (status.code(), status.signal()),
        Err(_) => (None, None),
    }
}

/// A word as a shell reads it back.
pub(super) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
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

    /// Kills its members without this word in their command lines, where the system tells who they are. One that was
    /// just forked still has the command line of the leader, whatever is in that.
    fn end_others(&self, word: &str, leader: &[String]) -> bool {
        if test_kill_process_group(self.0).is_err() {
            return false;
        }
        let has_word = |pid: &Pid| {
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.contains(word) && !line.trim_end_matches('\0').split('\0').eq(leader.iter().map(String::as_str))
        };
        let others: Vec<_> = members(self.0).filter(|pid| !has_word(pid)).collect();
        for other in &others {
            let _ = kill_process(*other, Signal::KILL);
        }
        !others.is_empty()
    }
}

/// The living members of a process group, from Linux's `/proc`.
fn members(group: Pid) -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let (state, own) = (fields.next()?, fields.nth(1)?);
        (own.parse() == Ok(group.as_raw_nonzero().get()) && !["Z", "X"].contains(&state)).then_some(pid)
    })
}

/// Peak memory and processor time of a process, from Linux's `/proc`.
fn vitals_of(process: u32) -> Option<Vitals> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
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
