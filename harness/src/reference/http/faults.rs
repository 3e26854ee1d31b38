//! Faults of the HTTP side: each hook is passed by an honest server without effect.

use super::conversation::{Conversation, Kind};
use super::reply::Reply;
use super::stream::read_event_id;
use super::{ENDPOINT, Gateway, HttpFault, Post, Reaction, Request};
use crate::reference::Route;
use crate::reference::behaviour::Behaviour;
use crate::reference::incoming::{Incoming, RequestId};
use crate::reference::message::Failure;
use crate::revision::{Revision, code};

/// Where `tools/call` is served by a server that has split its endpoint.
const TOOLS: &str = "/mcp/tools";

/// The faults of a conversation in its revision.
#[derive(Clone, Debug, Default)]
pub(super) struct Slips(Vec<HttpFault>);

impl Slips {
    pub(super) fn of(behaviour: &Behaviour, revision: Revision) -> Self {
        Self(behaviour.http_faults(revision))
    }

    pub(super) fn has(&self, fault: HttpFault) -> bool {
        self.0.contains(&fault)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of an event of HTTP+SSE.
    pub(super) fn event_name(&self, answers: bool) -> &'static str {
        match (self.has(HttpFault::NamesEventsByKind), answers) {
            (false, _) => "message",
            (true, true) => "response",
            (true, false) => "notification",
        }
    }

    /// A wrong status for an error.
    pub(super) fn misstate(&self, code: i64) -> Option<u16> {
        let wrong = match code {
            code::METHOD_NOT_FOUND if self.has(HttpFault::UnknownMethodIs400) => return Some(400),
            code::METHOD_NOT_FOUND => self.has(HttpFault::UnknownMethodIs200),
            code::UNSUPPORTED_PROTOCOL_VERSION => self.has(HttpFault::UnsupportedVersionIs200),
            _ => false,
        };
        wrong.then_some(200)
    }

    /// Whether it gives session ids to those who want none.
    pub(super) fn mints_for(&self, kind: Kind) -> bool {
        kind == Kind::Modern && self.has(HttpFault::MintsModernSessions)
    }

    /// Sends an answer of JSON, which is perhaps a list.
    pub(super) fn finish(&self, mut reply: Reply, lists: bool, number: u32, out: &mut Vec<Reaction>) {
        if self.is_empty() || !lists || reply.status != 200 {
            reply.send(number, out);
            return;
        }
        if self.has(HttpFault::LabelsAnswersAsText) {
            reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            reply = reply.with("Content-Type", "text/plain");
        }
        if self.has(HttpFault::CutsJson) {
            let Reply { status, headers, mut body, .. } = reply;
            body.truncate(body.len() / 2);
            out.push(Reaction::Head { number, status, headers });
            out.push(Reaction::Data { number, bytes: body });
            out.push(Reaction::Abort { number });
            return;
        }
        if self.has(HttpFault::AnswersRequestsBy202) {
            reply.status = 202;
        }
        reply.send(number, out);
    }
}

/// How many requests a server takes that is easily overwhelmed.
const MANY: u32 = 60;

impl Gateway {
    /// Treats a request wrongly before it is read; true if that is all that happens.
    pub(super) fn misreceives(&mut self, number: u32, request: &Request, out: &mut Vec<Reaction>) -> bool {
        let garbage = || request.verb == "POST" && matches!(Incoming::sort(&request.body, false), Incoming::NotJson);
        if self.fails(HttpFault::DiesOfMalformedBody) && garbage() {
            self.exited = Some(101);
            out.push(Reaction::Abort { number });
            self.tidy(out);
            return true;
        }
        if self.fails(HttpFault::DropsSomeOfMany) && number > MANY && number.is_multiple_of(7) {
            out.push(Reaction::Abort { number });
            return true;
        }
        self.fails(HttpFault::HangsOnMalformedBody) && garbage()
    }

    /// Whether a path is that of the endpoint.
    pub(super) fn is_endpoint(&self, path: &str) -> bool {
        path == ENDPOINT || (path == TOOLS && self.fails(HttpFault::SplitsEndpoint))
    }

    /// Refuses what a faulty server wants elsewhere.
    pub(super) fn misplaces(&self, post: &Post<'_>) -> Result<(), Reply> {
        let calls = matches!(&post.incoming, Incoming::Request { method, .. } if method == "tools/call");
        let elsewhere = self.fails(HttpFault::SplitsEndpoint) && calls && post.request.path() == ENDPOINT;
        if elsewhere { Err(Reply::empty(404)) } else { Ok(()) }
    }

    /// Serves a request that is refused, without telling.
    pub(super) fn serves_anyway(
        &mut self,
        fault: HttpFault,
        number: u32,
        serve: impl FnOnce(&mut Self, &mut Vec<Reaction>) -> Result<(), Reply>,
    ) {
        if !self.fails(fault) {
            return;
        }
        let _ = serve(self, &mut Vec::new());
        for stream in self.conversations.iter_mut().flat_map(|conversation| &mut conversation.streams) {
            stream.connection = stream.connection.filter(|connection| *connection != number);
        }
    }

    /// The error about a header, as a faulty server words it.
    pub(super) fn recode(&self, mut failure: Failure) -> Failure {
        if self.fails(HttpFault::HeaderErrorIsInvalidParams) {
            failure.code = code::INVALID_PARAMS;
        }
        failure
    }

    /// The refusal for a header, as a faulty server sends it.
    pub(super) fn misreport(&self, mut reply: Reply) -> Reply {
        if self.fails(HttpFault::HeaderErrorIs200) {
            reply.status = 200;
        }
        reply
    }

    /// Refuses a request because another one is under way.
    pub(super) fn refuse_parallel(&self, position: usize, ids: &[RequestId]) -> Result<(), Reply> {
        let conversation = &self.conversations[position];
        let calls = || {
            conversation
                .streams
                .iter()
                .filter(|stream| stream.is_worked_on())
                .any(|stream| stream.expected.iter().all(|expected| !conversation.server.subscribes(&expected.id)))
        };
        let busy = !ids.is_empty() && self.fails(HttpFault::OneRequestAtATime) && calls();
        if busy { Err(Reply::empty(503)) } else { Ok(()) }
    }

    /// Refuses modern requests that name a session.
    pub(super) fn refuse_sessions(&self, request: &Request) -> Result<(), Reply> {
        let named = request.header("mcp-session-id").is_some();
        let refused = named && self.fails(HttpFault::RefusesModernSessions);
        if refused { Err(Reply::refusal(404, code::INVALID_REQUEST, "there is no such session")) } else { Ok(()) }
    }

    /// The refusal of a message that is no request, as a faulty server words it.
    pub(super) fn misrefuses(&self, incoming: &Incoming<'_>, mut reply: Reply) -> Reply {
        let silent = matches!(
            incoming,
            Incoming::Notification { .. } | Incoming::Response { .. } | Incoming::Invalid { silent: true, .. }
        );
        if silent && self.fails(HttpFault::RefusesNotificationsBy200) {
            reply.status = 200;
        }
        reply
    }

    /// What an accepted notification gets from a faulty server.
    pub(super) fn misaccept(&self, mut reply: Reply) -> Reply {
        if self.fails(HttpFault::AcceptsNotificationsBy200) {
            reply.status = 200;
        }
        if self.fails(HttpFault::AcceptsNotificationsWithBody) {
            return Reply::json(202, b"{}".to_vec());
        }
        reply
    }

    /// The session that everybody shares.
    pub(super) fn shared_session(&self) -> Option<usize> {
        let shares = self.fails(HttpFault::SharesSessions);
        shares.then(|| self.conversations.iter().position(|one| one.kind == Kind::Streamable)).flatten()
    }

    /// The session id that is handed out in place of the honest one.
    pub(super) fn disguise(&self, id: String) -> String {
        if self.fails(HttpFault::CountsSessions) {
            return format!("session-{}", self.minted);
        }
        if self.fails(HttpFault::SpacedSessionIds) {
            return format!("session {id}");
        }
        id
    }
}

impl Conversation {
    /// The streams that a faulty server sends a message to.
    pub(super) fn misrouted(&self, route: &Route, asking: Option<usize>, honest: Option<usize>) -> Vec<usize> {
        let mut targets: Vec<usize> = honest.into_iter().collect();
        let open = |stream: usize| !self.streams[stream].over && self.streams[stream].connection.is_some();
        let listens = |stream: &usize| open(*stream) && self.streams[*stream].listens;
        let subscribes =
            |stream: usize| self.streams[stream].expected.iter().any(|expected| self.server.subscribes(&expected.id));
        let all = 0..self.streams.len();
        match route {
            Route::Loose if self.slips().has(HttpFault::Broadcasts) => targets = all.filter(listens).collect(),
            Route::Loose if self.slips().has(HttpFault::MixesStreams) => {
                let other = asking.or_else(|| all.clone().find(|one| open(*one) && !self.streams[*one].listens));
                targets = other.or(honest).into_iter().collect();
            }
            Route::Answer(_) if self.slips().has(HttpFault::CopiesAnswersToListener) => {
                targets.extend(all.clone().find(listens));
            }
            Route::About(id) if self.slips().has(HttpFault::ReportsToListeners) && !self.server.subscribes(id) => {
                targets.extend(all.clone().find(|one| open(*one) && subscribes(*one)));
            }
            Route::About(id) if self.slips().has(HttpFault::NoticesOnEveryStream) && self.server.subscribes(id) => {
                let stranger = |one: &usize| open(*one) && Some(*one) != honest && !subscribes(*one);
                targets.extend(all.clone().filter(stranger));
            }
            _ => {}
        }
        targets
    }

    /// Sends again whatever came after an event, on whichever stream it came.
    pub(super) fn replay_everything(&mut self, number: u32, last: &str, out: &mut Vec<Reaction>) -> bool {
        let Some((key, sequence)) = read_event_id(last) else { return false };
        let revision = self.revision();
        let Some(position) = self.streams.iter().position(|stream| stream.key == key) else { return false };
        let stream = &mut self.streams[position];
        stream.hang_up(out);
        stream.connection = Some(number);
        stream.begun = true;
        stream.begin(&self.style, Vec::new(), revision, out);
        stream.replay(&self.style, Some(sequence), out);
        for other in self.streams.iter_mut().filter(|stream| stream.key != key) {
            let own = other.connection.replace(number);
            other.replay(&self.style, None, out);
            other.connection = own;
        }
        let stream = &mut self.streams[position];
        if stream.over {
            stream.hang_up(out);
        }
        true
    }
}
