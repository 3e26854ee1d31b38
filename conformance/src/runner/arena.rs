//! Where sessions are played: a subject, and what a plan says of every session with it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use turncoat::adapter::Adapter;
use turncoat::peer::Part;
use turncoat::play::{self, Bounds};
use turncoat::revision::{Revision, Side};
use turncoat::script::{Fixtures, Script};
use turncoat::transcript::{Entry, Facts, Header, Transcript, file};
use turncoat::user::Brief;

use super::{Plan, control, world};

/// How long a subject that was seen not to end by itself is waited for.
const EXIT_OF_THE_STUBBORN: Duration = Duration::from_millis(300);
/// How many times the time-out a control session waits for an answer: the first session may compile, download, warm up.
const START_UP: u32 = 3;

/// A subject, and what every session with it has in common.
#[derive(Clone, Copy)]
pub(crate) struct Arena<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) adapter: &'a dyn Adapter,
    pub(crate) fixtures: &'a Fixtures,
    pub(crate) stop: &'a AtomicBool,
}

/// One session.
#[derive(Clone, Copy)]
pub(crate) struct Match<'a> {
    pub(crate) script: &'a Script,
    pub(crate) revision: Revision,
    /// What rules may know of the subject.
    pub(crate) facts: &'a Facts,
    /// The subject is known to end by itself when its input ends.
    pub(crate) exits: bool,
    /// Where the transcript is kept while it grows.
    pub(crate) kept: Option<&'a Path>,
}

impl Arena<'_> {
    /// Whether each session has a client's process for itself.
    pub(crate) fn is_client(&self) -> bool {
        self.adapter.side() == Side::Client && !self.adapter.is_virtual()
    }

    /// Whether one server serves all sessions.
    pub(crate) fn is_shared(&self) -> bool {
        self.adapter.endpoint().is_some() && !self.adapter.is_virtual()
    }

    /// Plays a session in a runtime of its own; none if the run was stopped meanwhile.
    pub(crate) fn play(&self, session: Match<'_>) -> Option<Result<Transcript, String>> {
        let is_virtual = self.adapter.is_virtual();
        world::play(is_virtual, self.stop, self.session(session, &|| {}))
            .unwrap_or_else(|error| Some(Err(error.to_string())))
    }

    /// The session itself, or why none could be opened. `beat` is called at each entry.
    pub(crate) async fn session(&self, session: Match<'_>, beat: &(dyn Fn() + Sync)) -> Result<Transcript, String> {
        let Match { script, revision, facts, exits, kept } = session;
        let brief = Brief::of(script, revision);
        let mut link = self.adapter.open_for(&brief).await.map_err(|error| format!("{error}: {}", error.source))?;
        let part = Part {
            script,
            revision,
            fixtures: self.fixtures,
            call_tools: self.plan.call_tools,
            endpoint: self.adapter.endpoint(),
        };
        let mut header = Header::new(self.adapter.side(), revision);
        header.script.clone_from(&script.name);
        header.seed = self.plan.seed;
        header.transport = self.adapter.transport();
        header.facts = facts.clone();
        let start = self.plan.timeout * START_UP;
        let mut bounds = Bounds { answer: self.plan.timeout, start, ..Bounds::default() };
        if self.is_client() {
            // Beside others that start, to end takes as long.
            bounds.exit = bounds.exit.max(start);
        }
        if script.name == control::NAME {
            bounds.answer *= START_UP;
        }
        if !exits {
            bounds.exit = EXIT_OF_THE_STUBBORN;
        }
        let mut kept = kept.map(|path| keep(path, &header)).transpose().map_err(|error| error.to_string())?;
        let mut keeper = |entry: &Entry| {
            beat();
            if let Some(open) = &mut kept {
                // A full disk must not end the run; the transcript in memory is still judged.
                let _ = file::write_entry(&mut *open, entry).and_then(|()| open.flush());
            }
        };
        Ok(play::play(part, header, &mut *link, bounds, &mut keeper).await)
    }
}

fn keep(path: &Path, header: &Header) -> io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut open = BufWriter::new(File::create(path)?);
    file::write_header(&mut open, header)?;
    Ok(open)
}
