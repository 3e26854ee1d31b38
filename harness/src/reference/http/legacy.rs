//! Streamable HTTP up to 2025-11-25: sessions, POSTs that are answered by JSON or by a stream, and the GET stream.

use super::conversation::Kind;
use super::reading::HttpReading;
use super::reply::Reply;
use super::{Gateway, HttpFault, Post, Reaction, Request, guard};
use crate::reference::declared::Declared;
use crate::reference::incoming::{self, Incoming, RequestId};
use crate::reference::legacy::Session;
use crate::reference::logging::Level;
use crate::revision::{Revision, code};

impl Gateway {
    /// Serves a POST of the legacy era.
    pub(super) fn post_legacy(&mut self, post: &Post<'_>, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        let request = post.request;
        let opens = matches!(&post.incoming, Incoming::Request { method, .. } if method == "initialize");
        let named = request.header("mcp-session-id").is_some();
        let position = if self.reads(HttpReading::NoSessions) {
            self.stand_alone(request, opens)?
        } else if opens && !named {
            match self.shared_session() {
                Some(position) => position,
                None => self.open(Kind::Streamable)?,
            }
        } else if !named && is_unreadable(&post.incoming) {
            return Err(Reply::refusal(400, code::PARSE_ERROR, "the body is no message"));
        } else {
            let position = self.session(request)?;
            if !opens {
                self.check_version_header(position, request)?;
            }
            position
        };
        self.hand_over(post, position, out)
    }

    /// Gives a message to a conversation and answers what the conversation leaves unanswered.
    pub(super) fn hand_over(&mut self, post: &Post<'_>, position: usize, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        let ids = requests(post, self.conversations[position].lane(post.number));
        self.refuse_parallel(position, &ids)?;
        if !ids.is_empty() {
            self.with(position, |conversation| conversation.ask(post, ids, out));
            let ignored =
                matches!(post.incoming, Incoming::Array) && self.conversations[position].gives_up(post.number);
            return if ignored { Err(Reply::empty(400)) } else { Ok(()) };
        }
        if let Incoming::Response { id, .. } = &post.incoming
            && self.strict()
            && !self.conversations[position].server.awaits(id)
        {
            return Err(Reply::refusal(400, code::INVALID_REQUEST, "nobody asked"));
        }
        let said =
            self.with(position, |conversation| conversation.tell(post.now, post.number, &post.request.body, out));
        if self.conversations[position].exited.is_some() {
            out.push(Reaction::Abort { number: post.number });
            return Ok(());
        }
        let accepted = match post.incoming {
            Incoming::Notification { .. } | Incoming::Response { .. } => true,
            Incoming::Array => said.is_empty(),
            _ => false,
        };
        match (accepted, said.into_iter().next()) {
            (true, None) => self.accepted().send(post.number, out),
            (true, Some(body)) => Reply::json(200, body).send(post.number, out),
            (false, Some(body)) => return Err(Reply::json(400, body)),
            (false, None) => return Err(Reply::empty(400)),
        }
        Ok(())
    }

    /// Serves a GET: a stream for what belongs to no request, or the rest of a stream that broke.
    pub(super) fn listen(&mut self, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        if self.reads(HttpReading::NoListening) || self.reads(HttpReading::NoSessions) {
            return Err(Reply::wrong_verb("POST, DELETE"));
        }
        if self.fails(HttpFault::AnswersGetByJson) {
            return Err(Reply::json(200, b"{}".to_vec()));
        }
        if !guard::accepts(request, guard::EVENT_STREAM) {
            return Err(Reply::empty(406));
        }
        let position = self.session(request)?;
        self.check_version_header(position, request)?;
        let several = self.reads(HttpReading::SecondListener) || self.fails(HttpFault::Broadcasts);
        let replaces = self.reads(HttpReading::NewestListens);
        let conversation = &mut self.conversations[position];
        if let Some(last) = request.header("last-event-id")
            && conversation.resume(number, last, out)
        {
            return Ok(());
        }
        if let Some(listener) = conversation.listener() {
            let stream = &mut conversation.streams[listener];
            if stream.connection.is_some() && !several && !replaces {
                return Err(Reply::refusal(409, code::INVALID_REQUEST, "a stream is open already"));
            }
            if stream.connection.is_none() || replaces {
                stream.over = true;
                stream.hang_up(out);
            }
        }
        conversation.listen(number, out);
        Ok(())
    }

    /// Refuses a version that the server does not speak. A session of 2025-03-26 knows no such header.
    pub(super) fn check_version_header(&self, position: usize, request: &Request) -> Result<(), Reply> {
        let revision = self.conversations[position].revision();
        if revision < Revision::V2025_06_18 {
            return Ok(());
        }
        match request.header("mcp-protocol-version") {
            None if self.fails(HttpFault::NeedsVersionHeader) => {
                Err(Reply::refusal(400, code::INVALID_REQUEST, "the version header is missing"))
            }
            Some(version) if !self.fails(HttpFault::IgnoresVersionHeader) => {
                let known = Revision::from_wire(version).filter(|known| self.streamable().has(*known));
                let known = known.filter(|known| *known == revision || !self.strict());
                known.map(drop).ok_or_else(unsupported)
            }
            _ => Ok(()),
        }
    }

    /// A conversation of one request, for a server without sessions. Gives its position.
    fn stand_alone(&mut self, request: &Request, opens: bool) -> Result<usize, Reply> {
        let spoken = self.streamable();
        let revision = match request.header("mcp-protocol-version") {
            _ if opens => None,
            None => spoken.iter().next(),
            Some(version) => {
                let known = Revision::from_wire(version).filter(|known| spoken.has(*known));
                Some(known.ok_or_else(unsupported)?)
            }
        };
        let position = self.open(Kind::Stateless)?;
        self.conversations[position].server.session = revision.map(|revision| Session {
            revision,
            client: Declared::default(),
            initialized: true,
            level: Level::Info,
            subscribed: Vec::new(),
            asked_roots: false,
        });
        Ok(position)
    }

    /// What an accepted notification gets.
    fn accepted(&self) -> Reply {
        let mut reply = Reply::empty(202);
        reply.unmeasured = self.reads(HttpReading::EmptyWithoutLength);
        self.misaccept(reply)
    }
}

fn unsupported() -> Reply {
    Reply::refusal(400, code::INVALID_REQUEST, "the version is not supported")
}

/// Whether nothing can be told of a message, not even whether it asks for something.
fn is_unreadable(incoming: &Incoming<'_>) -> bool {
    matches!(incoming, Incoming::Blank | Incoming::NotJson | Incoming::Invalid { .. })
}

/// The ids of the requests in a message, as this client uses them.
fn requests(post: &Post<'_>, lane: u32) -> Vec<RequestId> {
    match &post.incoming {
        Incoming::Request { id, .. } => vec![id.clone().on(lane)],
        Incoming::Array => incoming::entries(&post.request.body)
            .iter()
            .filter_map(|entry| match Incoming::sort(entry.get().as_bytes(), false) {
                Incoming::Request { id, .. } => Some(id.on(lane)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
