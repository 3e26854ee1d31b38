//! Where the faults do their work: one file an area, and here the places where the client lets them in.
//!
//! Most faults tamper with a message on its way out, or with an answer before it is one. The others sit in a hook that the
//! client passes only if it has any fault, or in a single condition beside the honest code.

use std::time::Duration;

use serde_json::Value;

use super::fault::ClientFault;
use super::{Client, Deed, Outlet};
use crate::reference::incoming::RequestId;
use crate::reference::message::{Message, Object};
use crate::user::Kind;

mod answers;
mod hearing;
mod outgoing;
mod rounds;

/// How often a faulty client does what it should not go on doing; more would show nothing new.
pub(super) const OFTEN: u32 = 300;
/// Longer than anybody waits.
pub(super) const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The signal of a process that aborts, and of one that overflows its stack.
pub(super) const ABORTED: i32 = 6;
pub(super) const OVERFLOWED: i32 = 11;

/// What only a faulty client remembers.
#[derive(Debug, Default)]
pub(super) struct Grudge {
    pub(super) greeted: bool,
    /// It hears and says nothing more.
    pub(super) is_stuck: bool,
    pub(super) hoard: usize,
    pub(super) busy: Duration,
    /// Notifications so far.
    heard: u32,
    /// How often it has done something again.
    pub(super) loops: u32,
    /// Ids of questions that were answered.
    answered: Vec<RequestId>,
    /// Ids of requests that were cancelled, with their methods.
    pub(super) withdrawn: Vec<(RequestId, &'static str)>,
    /// The latest request state.
    pub(super) state: Option<Value>,
    /// The id to ask under.
    pub(super) same_id: Option<Value>,
    /// The params of the latest request for a page.
    pub(super) page: Object,
    /// Answers that wait for their moment.
    pub(super) delayed: Vec<(Duration, Message)>,
    /// Where a walk was when the server ended.
    pub(super) cursor: Option<(Kind, String)>,
    /// When to list the tools again.
    pub(super) poll: Option<Duration>,
}

impl Client {
    /// Whether there is any fault: the honest path asks this once and saves the rest.
    pub(super) fn tampers(&self) -> bool {
        !self.conduct.is_honest()
    }

    /// Whether there is this fault, and it shows in the revision that is spoken, if one is.
    pub(super) fn faulty(&self, fault: ClientFault) -> bool {
        self.conduct.faulty(fault) && self.revision().is_none_or(|revision| fault.revisions().has(revision))
    }

    /// The faults that show in the revision that is spoken.
    pub(super) fn faults(&self) -> Vec<ClientFault> {
        self.conduct.faults().iter().copied().filter(|fault| self.faulty(*fault)).collect()
    }

    /// One more time of something; false once it was often.
    pub(super) fn once_more(&mut self) -> bool {
        self.grudge.loops += 1;
        self.grudge.loops <= OFTEN
    }

    /// Ends by a signal.
    pub(super) fn die(&mut self, signal: i32, out: &mut Outlet) {
        if !self.exited {
            (self.exited, self.hung_up) = (true, true);
            out.deeds.push(Deed::Die(signal));
        }
    }

    /// The next moment at which a fault wants to act.
    pub(super) fn grudge_wakes(&self) -> Option<Duration> {
        self.grudge.delayed.iter().map(|(at, _)| *at).chain(self.grudge.poll).min()
    }

    /// Does what a fault wants done by this moment. Gives whether there was anything.
    pub(super) fn act_on_grudge(&mut self, due: Duration, out: &mut Outlet) -> bool {
        if let Some(position) = self.grudge.delayed.iter().position(|(at, _)| *at == due) {
            let (_, message) = self.grudge.delayed.remove(position);
            self.send(message, out);
            return true;
        }
        if self.grudge.poll == Some(due) {
            self.grudge.poll = None;
            self.request(0, Kind::Tools.method(), Object::new(), out);
            return true;
        }
        false
    }

    /// What is done wrong as soon as both sides know what they speak.
    pub(super) fn misopens(&mut self, out: &mut Outlet) {
        use ClientFault::{
            InsistsOnExtension, ListsTasksUndeclared, PingsModern, UsesNewerMethods, UsesNewerMethodsEarly,
        };
        for fault in self.faults() {
            let method = match fault {
                ListsTasksUndeclared | UsesNewerMethods | UsesNewerMethodsEarly => "tasks/list",
                PingsModern => "ping",
                InsistsOnExtension => "com.example.turncoat/run",
                ClientFault::SaysInitialized => {
                    self.send(Message::notification("notifications/initialized", None), out);
                    continue;
                }
                _ => continue,
            };
            self.request(0, method, Object::new(), out);
        }
    }
}
