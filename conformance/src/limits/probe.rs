//! One session with one request of some measure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use turncoat::adapter::Adapter;
use turncoat::adapter::guarded::{Excess, Guarded, Watch};
use turncoat::limits::reaction::reaction;
use turncoat::limits::{Carrier, Dimension, Reaction};
use turncoat::peer::Part;
use turncoat::play::{self, Bounds};
use turncoat::transcript::{Event, Header, Vitals};

use crate::runner::{Progress, world};

/// How long a subject may take to end after its input was closed; whether it does so at all is another matter.
const EXIT: Duration = Duration::from_millis(300);
/// How many times the time-out a whole session may take.
const ANSWERS: u32 = 12;

/// Opens sessions with one subject.
pub(super) struct Prober<'a> {
    pub(super) adapter: &'a dyn Adapter,
    pub(super) carrier: &'a Carrier,
    pub(super) timeout: Duration,
    pub(super) most: Vitals,
    pub(super) progress: &'a dyn Progress,
    pub(super) stop: &'a AtomicBool,
}

/// What became of a session.
#[derive(Clone, Debug)]
pub(super) enum Probed {
    /// The subject reacted.
    Reaction(Reaction, Option<Vitals>),
    /// It took more than it may.
    Excess(Excess, Option<Vitals>),
    /// It did not get as far as the request, for this reason.
    Unopened(String),
    /// There is nothing to build a probe upon, for this reason.
    Unmeasurable(String),
    /// The run was stopped.
    Stopped,
}

impl Prober<'_> {
    pub(super) fn probe(&self, dimension: &Dimension, measure: u64) -> Probed {
        if self.stop.load(Ordering::Relaxed) {
            return Probed::Stopped;
        }
        self.progress.planned(1);
        let probed = match world::play(self.adapter.is_virtual(), self.stop, self.session(dimension, measure)) {
            Ok(probed) => probed.unwrap_or(Probed::Stopped),
            Err(error) => Probed::Unopened(error.to_string()),
        };
        let broke = matches!(&probed, Probed::Reaction(reaction, _) if reaction.is_breakdown());
        self.progress.finished(dimension.name, self.carrier.revision, usize::from(broke));
        probed
    }

    async fn session(&self, dimension: &Dimension, measure: u64) -> Probed {
        let script = match dimension.script(self.carrier, measure) {
            Ok(script) => script,
            Err(why) => return Probed::Unmeasurable(why.to_owned()),
        };
        let link = match self.adapter.open().await {
            Ok(link) => link,
            Err(error) => return Probed::Unopened(format!("{error}: {}", error.source)),
        };
        let watch = Watch::default();
        let mut link = Guarded::new(link, self.most, watch.clone());
        let fixtures = self.adapter.fixtures();
        let part = Part {
            script: &script,
            revision: self.carrier.revision,
            fixtures: &fixtures,
            call_tools: false,
            endpoint: self.adapter.endpoint(),
        };
        let mut header = Header::new(self.adapter.side(), self.carrier.revision);
        header.script.clone_from(&script.name);
        header.transport = self.adapter.transport();
        let bounds = Bounds { answer: self.timeout, exit: EXIT, session: self.timeout * ANSWERS, ..Bounds::default() };
        let transcript = play::play(part, header, &mut link, bounds, &mut |_| {}).await;
        let measured = transcript.entries.iter().find_map(|entry| match entry.event {
            Event::Vitals(vitals) => Some(vitals),
            _ => None,
        });
        let vitals = measured.or(watch.vitals());
        if let Some(excess) = watch.excess() {
            return Probed::Excess(excess, vitals);
        }
        match reaction(&transcript) {
            Some(reaction) => Probed::Reaction(reaction, vitals),
            None => Probed::Unopened("a fresh session was not opened: no answer to its first request".to_owned()),
        }
    }
}
