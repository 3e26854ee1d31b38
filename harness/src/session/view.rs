//! The part of a session that one revision governs: what rules read.

use super::user::{self, User};
use super::{Exchange, HttpExchange, Message, Session, Shape, Speaker};
use crate::revision::{Era, LISTS, Revision, Side, meta};
use crate::transcript::{Entry, Event, Facts, Transport, Vitals};
use crate::wire::Value;

/// A session seen through one revision. Every iterator yields only messages that this revision governs, in order.
#[derive(Clone, Copy, Debug)]
pub struct View<'s> {
    pub(super) session: &'s Session<'s>,
    revision: Revision,
}

impl<'s> View<'s> {
    pub(super) fn new(session: &'s Session<'s>, revision: Revision) -> Self {
        Self { session, revision }
    }

    /// The revision.
    #[must_use]
    pub fn revision(self) -> Revision {
        self.revision
    }

    /// The side that the subject plays.
    #[must_use]
    pub fn subject_side(self) -> Side {
        self.session.transcript.header.side
    }

    /// What control sessions taught about the subject. Lists and capabilities belong to the revision of the run.
    #[must_use]
    pub fn facts(self) -> &'s Facts {
        &self.session.transcript.header.facts
    }

    /// Which process of a server that its client starts an entry belongs to: how often it was started again before.
    #[must_use]
    pub fn process(self, entry: usize) -> usize {
        self.session.restarts.partition_point(|restart| *restart <= entry)
    }

    /// The entry at which the client started its server again behind another one; beyond all if it did not.
    #[must_use]
    pub fn process_end(self, entry: usize) -> usize {
        self.session.restarts.get(self.process(entry)).copied().unwrap_or(usize::MAX)
    }

    /// Whether this is the revision that the script was run for, which the [`Facts`] are about.
    #[must_use]
    pub fn is_of_the_run(self) -> bool {
        self.session.transcript.header.revision == self.revision
    }

    /// Everything recorded, whatever governs it.
    #[must_use]
    pub fn entries(self) -> &'s [Entry] {
        &self.session.transcript.entries
    }

    /// Every message of both sides.
    pub fn messages(self) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.session.messages.iter().filter(move |message| message.revision == Some(self.revision))
    }

    /// Every message of one side, malformed and unreadable ones included.
    pub fn messages_by(self, speaker: Speaker) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.messages().filter(move |message| message.by == speaker)
    }

    /// The notifications of one side.
    pub fn notifications_by(self, speaker: Speaker) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.messages_by(speaker).filter(|message| message.shape == Shape::Notification)
    }

    /// The requests of one side.
    pub fn requests_by(self, speaker: Speaker) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.messages_by(speaker).filter(|message| message.shape == Shape::Request)
    }

    /// The responses of one side, to open requests or not.
    pub fn responses_by(self, speaker: Speaker) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.messages_by(speaker).filter(|message| message.shape == Shape::Response)
    }

    /// The requests of one side with their answers. Those that the harness sent under an id that was in use are left out:
    /// which answer is whose is anybody's guess.
    pub fn exchanges_by(self, asker: Speaker) -> impl DoubleEndedIterator<Item = Exchange<'s>> {
        self.unambiguous().filter(move |exchange| {
            let request = exchange.request();
            request.by == asker && request.revision == Some(self.revision)
        })
    }

    fn unambiguous(self) -> impl DoubleEndedIterator<Item = Exchange<'s>> {
        (0..self.session.exchanges.len())
            .filter(move |index| !self.session.exchanges[*index].ambiguous)
            .map(move |index| Exchange { session: self.session, index })
    }

    /// Every message of the session, whatever governs it: what a later message may be a reaction to.
    pub fn every_message(self) -> impl DoubleEndedIterator<Item = &'s Message<'s>> {
        self.session.messages.iter()
    }

    /// Every request of the harness in the session, whatever governs it; those under an id in use are left out here too.
    pub fn every_exchange(self) -> impl DoubleEndedIterator<Item = Exchange<'s>> {
        self.every_exchange_by(Speaker::Peer)
    }

    /// Every request of one side in the session, whatever governs it.
    pub fn every_exchange_by(self, asker: Speaker) -> impl DoubleEndedIterator<Item = Exchange<'s>> {
        self.unambiguous().filter(move |exchange| exchange.request().by == asker)
    }

    /// The entry of the latest request of the harness that was answered: what was sent before it had its turn.
    #[must_use]
    pub fn last_served(self) -> Option<usize> {
        self.every_exchange().filter(|exchange| exchange.answer().is_some()).map(|served| served.request().entry).max()
    }

    /// The requests of the harness with the subject's answers.
    pub fn exchanges(self) -> impl DoubleEndedIterator<Item = Exchange<'s>> {
        self.exchanges_by(Speaker::Peer)
    }

    /// Whether the subject is known to speak this revision: the script was run for it, or a control session heard it.
    #[must_use]
    pub fn subject_speaks(self) -> bool {
        self.is_of_the_run() || self.facts().revisions.contains(&self.revision)
    }

    /// The entry of the legacy `initialize` that opened a session, whichever revision it negotiated.
    #[must_use]
    pub fn legacy_since(self) -> Option<usize> {
        let client = self.client();
        (0..self.session.exchanges.len())
            .map(|index| Exchange { session: self.session, index })
            .filter(|exchange| exchange.is("initialize") && exchange.result().is_some())
            .map(Exchange::request)
            .find(|request| request.by == client && request.modern_version().is_none())
            .map(|request| request.entry)
    }

    /// The exchange that a response belongs to.
    #[must_use]
    pub fn exchange_of(self, response: &Message<'_>) -> Option<Exchange<'s>> {
        response.answers.map(|index| Exchange { session: self.session, index })
    }

    /// The capability object of the server: from the first successful `initialize`, or the latest `server/discover`.
    #[must_use]
    pub fn server_capabilities(self) -> Option<Value<'s>> {
        let client = self.client();
        match self.revision.era() {
            Era::Legacy => self
                .exchanges_by(client)
                .filter(|exchange| exchange.is("initialize"))
                .find_map(|exchange| exchange.result()?.member("capabilities")),
            Era::Modern => self
                .exchanges_by(client)
                .filter(|exchange| exchange.is("server/discover"))
                .rev()
                .find_map(|exchange| exchange.result()?.member("capabilities")),
        }
    }

    /// Whether the server declared a capability: the path leads to something other than `false` and `null`.
    /// `None` if its declaration was never seen.
    #[must_use]
    pub fn server_declares(self, path: &[&str]) -> Option<bool> {
        Some(declared(self.server_capabilities()?, path))
    }

    /// The capability object of the client in force for a message: of `initialize`, or of the message's own `_meta`.
    #[must_use]
    pub fn client_capabilities(self, message: &Message<'s>) -> Option<Value<'s>> {
        match self.revision.era() {
            Era::Legacy => self
                .exchanges_by(self.client())
                .find(|exchange| exchange.is("initialize") && exchange.result().is_some())
                .and_then(|exchange| exchange.param("capabilities")),
            Era::Modern => message.params()?.path(&["_meta", meta::CLIENT_CAPABILITIES]),
        }
    }

    /// Whether the client declared a capability for a message; `false` if its declaration was never seen.
    #[must_use]
    pub fn client_declares(self, message: &Message<'s>, path: &[&str]) -> bool {
        self.client_capabilities(message).is_some_and(|capabilities| declared(capabilities, path))
    }

    /// Every successful answer to a list method, with the member that holds its items.
    pub fn lists(self) -> impl Iterator<Item = (Exchange<'s>, &'static str)> {
        self.exchanges_by(self.client()).filter_map(|exchange| {
            let (_, member, _) = LISTS.iter().find(|(method, _, _)| exchange.is(method))?;
            exchange.result().map(|_| (exchange, *member))
        })
    }

    /// Every item that a list method gave, with the answer that it stood in; repeated pages repeat their items.
    pub fn listed(self, method: &'static str) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
        self.lists().filter(move |(exchange, _)| exchange.is(method)).flat_map(|(exchange, member)| {
            let answer = exchange.answer();
            let items = exchange.result().and_then(|result| result.member(member));
            items.into_iter().flat_map(Value::items).filter_map(move |item| Some((answer?, item)))
        })
    }

    /// The latest description of a tool with this name.
    #[must_use]
    pub fn tool(self, name: &str) -> Option<Value<'s>> {
        self.listed("tools/list")
            .map(|(_, tool)| tool)
            .filter(|tool| tool.member("name").is_some_and(|own| own.is(name)))
            .last()
    }

    /// Whether every message recorded up to this entry had its turn: fences behind it were answered and a grace passed.
    #[must_use]
    pub fn settled_after(self, entry: usize) -> bool {
        self.session.last_settled.is_some_and(|settled| settled >= entry)
    }

    /// How the messages travelled.
    #[must_use]
    pub fn transport(self) -> Transport {
        self.session.transport
    }

    /// Whether the messages travelled by the HTTP+SSE of 2024-11-05, whichever revision governs one.
    #[must_use]
    pub fn is_http_sse(self) -> bool {
        self.transport() == Transport::Http && self.session.transcript.header.revision == Revision::V2024_11_05
    }

    /// The HTTP requests of every client with their responses, in order.
    #[must_use]
    pub fn http(self) -> Vec<&'s HttpExchange<'s>> {
        let all = self.session.http_exchanges().iter();
        all.filter(|exchange| exchange.revision == Some(self.revision)).collect()
    }

    /// The HTTP requests of every client with their responses, whatever governs them.
    #[must_use]
    pub fn session_http(self) -> &'s [HttpExchange<'s>] {
        self.session.http_exchanges()
    }

    /// What the user of a client wanted, and what came of it.
    #[must_use]
    pub fn user(self) -> &'s User {
        self.session.user.get_or_init(|| user::user(self.session.transcript))
    }

    /// The vital signs, if they were taken.
    #[must_use]
    pub fn vitals(self) -> Option<Vitals> {
        self.entries().iter().rev().find_map(|entry| match entry.event {
            Event::Vitals(vitals) => Some(vitals),
            _ => None,
        })
    }

    /// Who plays the client.
    #[must_use]
    pub fn client(self) -> Speaker {
        match self.subject_side() {
            Side::Server => Speaker::Peer,
            Side::Client => Speaker::Subject,
        }
    }
}

/// Whether a path into a capability object leads to a declaration.
#[must_use]
pub fn declared(capabilities: Value<'_>, path: &[&str]) -> bool {
    capabilities.path(path).is_some_and(|value| !value.is_null() && value.as_bool() != Some(false))
}
