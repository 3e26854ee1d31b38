//! Several sessions at once: so many that are busy, and beside them any number that merely wait for the other side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How many sessions there are at the most for each one that may be busy: to a slow server, all seem to wait.
const WAITING_PER_BUSY: usize = 4;

/// Whom a session bears beside itself.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Company {
    /// Everybody: nothing of it is felt in other sessions.
    Any,
    /// Only those that merely wait: it weighs on the server.
    Waiting,
    /// Nobody: it changes what others see.
    Nobody,
}

/// How sessions share the machine and the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew {
    /// How many are busy at once.
    pub(super) jobs: usize,
    /// A session in which nothing happened for this long waits rather than works. None if every session counts until its
    /// end.
    pub(super) busy: Option<Duration>,
}

/// When something happened in a session last; none before the first time, when the subject is about to start.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(super) fn beat(&self) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(Instant::now());
        }
    }

    /// Whoever starts works, however long that takes.
    fn idle(&self) -> Duration {
        self.0.lock().ok().and_then(|last| *last).map_or(Duration::ZERO, |last| last.elapsed())
    }
}

impl Crew {
    /// Does all the work, each item given by its company, in this order and on threads of its own.
    pub(super) fn run(self, items: &[Company], stop: &AtomicBool, work: impl Fn(usize, &Pulse) + Sync) {
        let shift = Mutex::new(Shift::default());
        let changed = Condvar::new();
        let on = |(mut index, mut pulse): (usize, Arc<Pulse>)| {
            loop {
                work(index, &pulse);
                let Ok(mut shift) = shift.lock() else { return };
                shift.running.remove(&index);
                changed.notify_one();
                match self.take(&mut shift, items) {
                    Some(next) if !stop.load(Ordering::Relaxed) => (index, pulse) = next,
                    _ => return,
                }
            }
        };
        thread::scope(|scope| {
            let Ok(mut now) = shift.lock() else { return };
            while now.next < items.len() && !stop.load(Ordering::Relaxed) {
                if let Some(next) = self.take(&mut now, items) {
                    scope.spawn(move || on(next));
                    continue;
                }
                let room = self.until_one_waits(&now, items);
                now = match room {
                    Some(room) => match changed.wait_timeout(now, room) {
                        Ok((now, _)) => now,
                        Err(_) => return,
                    },
                    None => match changed.wait(now) {
                        Ok(now) => now,
                        Err(_) => return,
                    },
                };
            }
        });
    }

    /// The next item, if there is room for it.
    fn take(self, shift: &mut Shift, items: &[Company]) -> Option<(usize, Arc<Pulse>)> {
        let index = shift.next;
        let busy = || shift.running.iter().filter(|(index, pulse)| self.is_busy(items, **index, pulse)).count();
        let room = match items.get(index)? {
            Company::Any => busy() < self.jobs && shift.running.len() < self.jobs * WAITING_PER_BUSY,
            Company::Waiting => busy() == 0,
            Company::Nobody => shift.running.is_empty(),
        };
        room.then(|| {
            let pulse = Arc::new(Pulse::new());
            shift.next += 1;
            shift.running.insert(index, Arc::clone(&pulse));
            (index, pulse)
        })
    }

    fn is_busy(self, items: &[Company], index: usize, pulse: &Pulse) -> bool {
        items.get(index) != Some(&Company::Any) || self.busy.is_none_or(|busy| pulse.idle() < busy)
    }

    /// How long until one of the busy may be taken to wait.
    fn until_one_waits(self, shift: &Shift, items: &[Company]) -> Option<Duration> {
        let bound = self.busy?;
        let running = shift.running.iter().filter(|(index, _)| items.get(**index) == Some(&Company::Any));
        running.filter_map(|(_, pulse)| bound.checked_sub(pulse.idle())).filter(|left| !left.is_zero()).min()
    }
}

#[derive(Debug, Default)]
struct Shift {
    next: usize,
    /// What is worked at.
    running: BTreeMap<usize, Arc<Pulse>>,
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    #[test]
    fn all_the_work_is_done_once() {
        for busy in [None, Some(Duration::ZERO)] {
            let done = Mutex::new(Vec::new());
            let items = [Company::Any, Company::Any, Company::Any, Company::Waiting, Company::Nobody];
            Crew { jobs: 2, busy }.run(&items, &NEVER, |index, _| done.lock().unwrap().push(index));
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            assert_eq!(done, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn those_that_wait_let_others_work_except_what_bears_nobody() {
        let (send, receive) = mpsc::channel();
        let receive = Mutex::new(receive);
        let order = Mutex::new(Vec::new());
        let items = [Company::Any, Company::Any, Company::Waiting, Company::Nobody];
        // The first ends only once the third is done; only then the last one begins.
        Crew { jobs: 1, busy: Some(Duration::ZERO) }.run(&items, &NEVER, |index, _| {
            match index {
                0 => receive.lock().unwrap().recv().unwrap(),
                2 => send.send(()).unwrap(),
                _ => {}
            }
            order.lock().unwrap().push(index);
        });
        let order = order.into_inner().unwrap();
        assert_eq!(order.last(), Some(&3));
        assert_eq!(order.len(), 4);
    }

    #[test]
    fn what_is_stopped_begins_nothing_more() {
        let stop = AtomicBool::new(false);
        let done = Mutex::new(Vec::new());
        Crew { jobs: 1, busy: None }.run(&[Company::Any; 3], &stop, |index, _| {
            stop.store(true, Ordering::Relaxed);
            done.lock().unwrap().push(index);
        });
        assert_eq!(done.into_inner().unwrap(), [0]);
    }
}
