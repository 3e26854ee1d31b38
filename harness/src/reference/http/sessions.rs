//! The sessions of the legacy era: their ids, and how they end.

use super::conversation::{Conversation, Kind};
use super::reading::HttpReading;
use super::reply::Reply;
use super::{Gateway, HttpFault, Reaction, Request};
use crate::reference::behaviour::{Behaviour, Offer};
use crate::revision::{Revision, Revisions, code};

/// More sessions at a time are refused.
const MOST: usize = 512;
/// So many ids of ended sessions are remembered.
const REMEMBERED: usize = 4096;

impl Gateway {
    /// A fresh conversation of the legacy era, under an id of its own. Gives its position.
    pub(super) fn open(&mut self, kind: Kind) -> Result<usize, Reply> {
        if self.conversations.len() >= MOST {
            return Err(Reply::empty(503));
        }
        let id = self.mint();
        let revisions = match kind {
            Kind::Old => Revisions::of(&[Revision::V2024_11_05]),
            _ => self.streamable(),
        };
        let mut behaviour = self.behaviour.clone();
        behaviour.revisions = revisions;
        if kind == Kind::Stateless {
            without_memory(&mut behaviour);
        }
        self.conversations.push(Conversation::new(&behaviour, kind, id));
        Ok(self.conversations.len() - 1)
    }

    /// The session that a request names, or what to say of the one that it does not name.
    pub(super) fn session(&self, request: &Request) -> Result<usize, Reply> {
        let Some(id) = request.header("mcp-session-id") else {
            let status = if self.fails(HttpFault::MissingSessionIs500) { 500 } else { 400 };
            return Err(Reply::refusal(status, code::INVALID_REQUEST, "the session id is missing"));
        };
        let found = self.conversations.iter().position(|one| one.kind == Kind::Streamable && one.id == id);
        found.ok_or_else(|| {
            let ended = self.ended.iter().any(|ended| ended == id);
            let bad_request = if ended {
                self.fails(HttpFault::EndedSessionIs400)
            } else {
                self.reads(HttpReading::UnknownSessionIs400)
            };
            Reply::refusal(if bad_request { 400 } else { 404 }, code::INVALID_REQUEST, "there is no such session")
        })
    }

    /// Ends the session that a request names.
    pub(super) fn delete(&mut self, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        if self.reads(HttpReading::NoDeleting) || self.reads(HttpReading::NoSessions) {
            return Err(Reply::wrong_verb("POST, GET"));
        }
        let position = self.session(request)?;
        self.check_version_header(position, request)?;
        if !self.fails(HttpFault::ServesEndedSessions) {
            let mut conversation = self.conversations.remove(position);
            for stream in &mut conversation.streams {
                // What has not begun to be answered is answered like all that comes from now on.
                match stream.connection.filter(|_| !stream.begun) {
                    Some(number) => Reply::empty(404).send(number, out),
                    None => stream.hang_up(out),
                }
            }
            self.ended.push(conversation.id);
            if self.ended.len() > REMEMBERED {
                self.ended.remove(0);
            }
        }
        if self.reads(HttpReading::DeletedWithBody) {
            Reply::json(200, b"{\"deleted\":true}".to_vec()).send(number, out);
        } else {
            Reply::empty(204).send(number, out);
        }
        Ok(())
    }

    /// An id that nobody can guess who does not know the seed.
    fn mint(&mut self) -> String {
        self.minted += 1;
        let first = mixed(self.seed ^ mixed(self.minted));
        let second = mixed(first ^ self.minted.rotate_left(32));
        self.disguise(format!("{first:016x}{second:016x}"))
    }
}

/// Leaves out what needs a session.
fn without_memory(behaviour: &mut Behaviour) {
    let features = &mut behaviour.features;
    for offer in [&mut features.tools, &mut features.prompts, &mut features.resources] {
        if *offer == Offer::Announced {
            *offer = Offer::Quiet;
        }
    }
    (features.subscribe, features.logging, features.tasks) = (false, false, false);
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
