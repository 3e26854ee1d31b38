//! The search of one dimension: first for the end of the usual reaction, then, if that is a refusal, for a breakdown
//! behind it.

use turncoat::adapter::guarded::Excess;
use turncoat::limits::{Death, Dimension, Reaction, Search};
use turncoat::transcript::{Transport, Vitals};

use super::probe::{Probed, Prober};
use super::table::{Change, Limit, bytes, figure};

/// The search of one dimension.
pub(super) struct Hunt<'a> {
    prober: &'a Prober<'a>,
    dimension: &'static Dimension,
    limit: Limit,
    sessions: usize,
}

/// The search cannot go on; why is noted.
struct Stopped;

impl<'a> Hunt<'a> {
    pub(super) fn new(prober: &'a Prober<'a>, dimension: &'static Dimension) -> Self {
        let limit = Limit {
            dimension: dimension.name.to_owned(),
            what: dimension.what.to_owned(),
            unit: dimension.unit,
            floor: dimension.floor,
            ceiling: dimension.ceiling_on(prober.carrier.transport),
            usual: None,
            kept: None,
            memory_bytes: None,
            changes: None,
            breaks: None,
            stopped: None,
            unsteady: Vec::new(),
            replay: String::new(),
        };
        Self { prober, dimension, limit, sessions: 0 }
    }

    /// Searches, and gives what was found and how many sessions that took.
    pub(super) fn run(mut self) -> (Limit, usize) {
        // Why it stopped stands in the limit already.
        let _ = self.search();
        (self.limit, self.sessions)
    }

    fn search(&mut self) -> Result<(), Stopped> {
        let mut search = Search::new(self.dimension.start, self.limit.ceiling);
        while let Some(measure) = search.measure() {
            let usual = self.limit.usual;
            // The first reaction is the usual one, unless it breaks the subject.
            let kept = |reaction: Reaction| usual.map_or(!reaction.is_breakdown(), |usual| reaction == usual);
            let (reaction, vitals) = self.confirmed(measure, &kept)?;
            search.tell(kept(reaction));
            if kept(reaction) {
                self.limit.usual = Some(reaction);
                self.limit.kept = Some(measure);
                self.limit.memory_bytes = vitals.map(|vitals| vitals.peak_bytes);
            } else {
                self.changed(measure, reaction)?;
            }
        }
        let Some(refused) = self.limit.changes.filter(|change| !change.reaction.is_breakdown()) else { return Ok(()) };
        let mut search = Search::above(refused.measure, self.limit.ceiling);
        while let Some(measure) = search.measure() {
            let kept = |reaction: Reaction| !reaction.is_breakdown();
            let (reaction, _) = self.confirmed(measure, &kept)?;
            search.tell(kept(reaction));
            if !kept(reaction) {
                self.broke(measure, reaction)?;
            }
        }
        Ok(())
    }

    fn changed(&mut self, measure: u64, reaction: Reaction) -> Result<(), Stopped> {
        self.limit.changes = Some(Change { measure, reaction });
        if reaction.is_breakdown() {
            return self.broke(measure, reaction);
        }
        // A refusal at a smaller measure than a breakdown leaves the breakdown where it was seen.
        Ok(())
    }

    fn broke(&mut self, measure: u64, reaction: Reaction) -> Result<(), Stopped> {
        self.limit.breaks = Some(Change { measure, reaction });
        // Nobody starts a server anew that is reached by its address.
        let gone = reaction == Reaction::Death { how: Death::Unreachable } && !self.prober.adapter.is_virtual();
        if gone { self.stopped("the server is gone, so no more could be tried".to_owned()) } else { Ok(()) }
    }

    /// The reaction at a measure. One that is not kept must come back in a fresh session.
    fn confirmed(
        &mut self,
        measure: u64,
        kept: &dyn Fn(Reaction) -> bool,
    ) -> Result<(Reaction, Option<Vitals>), Stopped> {
        let first = self.probe(measure)?;
        let (reaction, vitals) = match first {
            Ok(probed) => probed,
            // It may have been chance.
            Err(_) => match self.probe(measure)? {
                Ok(probed) => probed,
                Err(why) => return self.stopped(why),
            },
        };
        if kept(reaction) {
            return Ok((reaction, vitals));
        }
        match self.probe(measure)? {
            Ok((again, vitals)) => {
                if kept(again) {
                    self.limit.unsteady.push(Change { measure, reaction });
                }
                Ok((again, vitals))
            }
            // A server that is shared may be past opening sessions at all: that it broke is plain enough.
            Err(_) if reaction.is_breakdown() && self.prober.carrier.transport == Transport::Http => {
                Ok((reaction, vitals))
            }
            Err(why) => {
                self.limit.unsteady.push(Change { measure, reaction });
                self.stopped(why)
            }
        }
    }

    /// One session; a reason where it was not opened.
    fn probe(&mut self, measure: u64) -> Result<Result<(Reaction, Option<Vitals>), String>, Stopped> {
        let probed = self.prober.probe(self.dimension, measure);
        self.sessions += usize::from(!matches!(probed, Probed::Unmeasurable(_) | Probed::Stopped));
        let at = figure(self.dimension.unit, measure);
        match probed {
            Probed::Reaction(reaction, vitals) => Ok(Ok((reaction, vitals))),
            Probed::Unopened(why) => Ok(Err(why)),
            Probed::Unmeasurable(why) => self.stopped(why),
            Probed::Stopped => self.stopped(format!("interrupted at {at}")),
            Probed::Excess(Excess::Memory, vitals) => {
                let taken = vitals.map(|vitals| bytes(vitals.peak_bytes)).unwrap_or_default();
                self.stopped(format!("ended by turncoat at {at}: {taken} of memory"))
            }
            Probed::Excess(Excess::Cpu, vitals) => {
                let taken = vitals.map_or(0, |vitals| vitals.cpu_micros / 1_000_000);
                self.stopped(format!("ended by turncoat at {at}: {taken} s of processor time"))
            }
        }
    }

    fn stopped<T>(&mut self, why: String) -> Result<T, Stopped> {
        self.limit.stopped = Some(why);
        Err(Stopped)
    }
}
