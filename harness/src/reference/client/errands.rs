//! Wishes on their way: each becomes an errand, and the next one begins when nobody waits for the ones before.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::ClientFault;
use super::handshake::Connection;
use super::lists::Walk;
use super::requests::Pending;
use super::results::Outcome;
use super::tasks::Following;
use super::{Client, Deed, Habit, Outlet};
use crate::reference::message::Object;
use crate::revision::Revision;
use crate::user::Wish;

/// A wish that is being carried out.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    number: u64,
    pub(super) wish: Wish,
    /// Whether the next wish waits.
    is_waited_for: bool,
    pub(super) stage: Stage,
    /// The list that it needs was walked for it.
    pub(super) has_walked: bool,
    /// The call was refused for its header lines once, and the tools were listed anew.
    pub(super) has_refreshed: bool,
}

/// How far an errand has got.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The request that it is about is under way, or about to be.
    Asking,
    /// A list is needed first, or is all that is wanted.
    Walking(Walk),
    /// Until this moment nothing needs to happen.
    Idling(Duration),
    /// A task is under way.
    Following(Following),
}

impl Errand {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// When it goes on by itself.
    pub(super) fn wakes(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Idling(until) => Some(*until),
            Stage::Following(following) => following.next,
            Stage::Asking | Stage::Walking(_) => None,
        }
    }
}

impl Client {
    /// Begins whatever can begin.
    pub(super) fn proceed(&mut self, out: &mut Outlet) {
        while self.is_free() {
            match self.wishes.pop_front() {
                Some(wish) => self.undertake(wish, out),
                None if self.errands.is_empty() => self.leave(out),
                None => return,
            }
        }
    }

    /// Whether nobody waits before the next wish.
    fn is_free(&self) -> bool {
        let is_busy = self.errands.iter().any(|errand| errand.is_waited_for);
        !self.exited && !self.grudge.is_stuck && !is_busy && !self.is_renewing()
    }

    fn undertake(&mut self, wish: Wish, out: &mut Outlet) {
        out.deeds.push(Deed::Wish(Value::Object(written(&wish)).to_string()));
        self.revive(&wish, out);
        self.errands_so_far += 1;
        let number = self.errands_so_far;
        let is_waited_for = !matches!(wish, Wish::Call { wait: false, .. } | Wish::Read { wait: false, .. });
        self.errands.push(Errand {
            number,
            wish: wish.clone(),
            is_waited_for,
            stage: Stage::Asking,
            has_walked: false,
            has_refreshed: false,
        });
        match wish {
            Wish::Connect => self.connect(number, out),
            Wish::Surface => {
                self.errands.pop();
                let surface = self.surface();
                out.deeds.push(Deed::Surface(surface.to_string()));
            }
            Wish::Close => {
                self.errands.pop();
                self.leave(out);
            }
            Wish::Idle { milliseconds } if !self.server_gone => {
                let until = self.now.saturating_add(Duration::from_millis(milliseconds));
                self.stage(number, Stage::Idling(until));
            }
            Wish::Idle { .. } => self.succeed(number, json!({}), out),
            Wish::Abort => self.abort(number, out),
            _ => match &self.connection {
                Connection::Open(terms) => match self.lacking(&wish, terms.revision) {
                    Some(why) => self.fail(number, why, out),
                    None => self.attempt(number, wish, out),
                },
                Connection::Lost(why) => {
                    let why = format!("there is no connection: {why}");
                    self.fail(number, why, out);
                }
                _ => self.fail(number, "there is no connection".to_owned(), out),
            },
        }
    }

    /// What the server would have to offer and does not.
    fn lacking(&self, wish: &Wish, revision: Revision) -> Option<String> {
        let is_legacy = revision < Revision::V2026_07_28;
        let path: &[&str] = match wish {
            Wish::List { what } => what.gate(),
            Wish::Call { .. } => &["tools"],
            Wish::Read { .. } => &["resources"],
            Wish::Get { .. } => &["prompts"],
            Wish::Complete { .. } if revision >= Revision::V2025_03_26 => &["completions"],
            Wish::LogLevel { .. } => &["logging"],
            Wish::Watch { .. } | Wish::Unwatch { .. } if is_legacy => &["resources", "subscribe"],
            _ => return None,
        };
        let offered = self.terms().is_some_and(|terms| terms.offers(path));
        let offered = offered
            || (!is_legacy && self.is_given_to(Habit::UsesUndeclared))
            || self.faulty(ClientFault::UsesUndeclared)
            || self.faulty(ClientFault::UsesUndeclaredEarly)
            || (path.len() > 1 && self.faulty(ClientFault::SubscribesUndeclared));
        (!offered).then(|| format!("the server does not declare {}", path.join(".")))
    }

    pub(super) fn stage(&mut self, number: u64, stage: Stage) {
        if let Some(errand) = self.errand_mut(number) {
            errand.stage = stage;
        }
    }

    pub(super) fn errand(&self, number: u64) -> Option<&Errand> {
        self.errands.iter().find(|errand| errand.number == number)
    }

    pub(super) fn errands_mut(&mut self) -> &mut [Errand] {
        &mut self.errands
    }

    pub(super) fn errand_mut(&mut self, number: u64) -> Option<&mut Errand> {
        self.errands.iter_mut().find(|errand| errand.number == number)
    }

    /// An errand goes on by itself.
    pub(super) fn awaken(&mut self, number: u64, out: &mut Outlet) {
        match self.errand(number).map(|errand| &errand.stage) {
            Some(Stage::Following(_)) => self.look(number, out),
            _ => self.succeed(number, json!({}), out),
        }
    }

    pub(super) fn succeed(&mut self, number: u64, shown: Value, out: &mut Outlet) {
        self.finish(number, Outcome { failed: false, text: String::new(), shown }, out);
    }

    pub(super) fn fail(&mut self, number: u64, why: String, out: &mut Outlet) {
        if matches!(self.connection, Connection::Lost(_)) {
            self.disappointed = true;
        }
        self.finish(number, Outcome::failure(why), out);
    }

    /// An errand has come to its end: says so.
    pub(super) fn finish(&mut self, number: u64, outcome: Outcome, out: &mut Outlet) {
        let found = self.errands.iter().position(|errand| errand.number == number).filter(|_| !self.exited);
        let Some(position) = found else { return };
        let errand = self.errands.remove(position);
        let mut done = written(&errand.wish);
        done.insert("turncoat".into(), "done".into());
        done.insert("failed".into(), outcome.failed.into());
        let (member, told) =
            if outcome.failed { ("error", outcome.text.clone().into()) } else { ("result", outcome.shown.clone()) };
        done.insert(member.into(), told);
        self.journal.keep(&done, outcome);
        out.deeds.push(Deed::Surface(Value::Object(done).to_string()));
    }

    /// The last errand that nobody waits for is no longer wanted.
    fn abort(&mut self, number: u64, out: &mut Outlet) {
        let unwaited = self.errands.iter().rev().find(|errand| !errand.is_waited_for).map(|errand| errand.number);
        if let Some(unwanted) = unwaited {
            let followed = self.errand(unwanted).and_then(|errand| match &errand.stage {
                Stage::Following(following) => Some(following.clone()),
                _ => None,
            });
            if let Some(following) = followed {
                self.cancel_task(&following, out);
            }
            // Looks at a task are not worth a cancellation: the task itself is what is no longer wanted.
            let asked = self.taken_back(unwanted).into_iter().filter(|one| !one.method.starts_with("tasks/"));
            for pending in asked.collect::<Vec<_>>() {
                self.withdraw(&pending, "no longer wanted", out);
            }
            self.fail(unwanted, "aborted".to_owned(), out);
        }
        self.succeed(number, json!({"aborted": unwaited.is_some()}), out);
    }

    /// Forgets the open requests of an errand.
    fn taken_back(&mut self, errand: u64) -> Vec<Pending> {
        let (taken, kept) = self.pending.drain(..).partition(|pending| pending.errand == errand);
        self.pending = kept;
        taken
    }

    /// The server will not answer any more.
    pub(super) fn lose_everything(&mut self, out: &mut Outlet) {
        if !matches!(self.connection, Connection::Lost(_)) {
            let lost = Connection::Lost("the server has gone".to_owned());
            self.former = match std::mem::replace(&mut self.connection, lost) {
                Connection::Open(terms) => Some(terms),
                _ => None,
            };
        }
        self.keep_cursor();
        self.pending.clear();
        self.unserved.clear();
        for errand in std::mem::take(&mut self.errands) {
            let number = errand.number;
            let idles = matches!(errand.stage, Stage::Idling(_));
            self.errands.push(errand);
            if idles {
                self.succeed(number, json!({}), out);
            } else {
                self.fail(number, "the server has gone".to_owned(), out);
            }
        }
    }

    /// Ends the connection and itself.
    fn leave(&mut self, out: &mut Outlet) {
        while let Some(errand) = self.errands.first() {
            let number = errand.number;
            self.fail(number, "the connection was closed".to_owned(), out);
        }
        self.exit(i32::from(self.disappointed), out);
    }
}

fn written(wish: &Wish) -> Object {
    match serde_json::to_value(wish) {
        Ok(Value::Object(members)) => members,
        _ => Object::new(),
    }
}
