//! HTTP+SSE of 2024-11-05: one stream for everything that the server says, and an address for what the client says.

use std::time::Duration;

use super::conversation::Kind;
use super::reply::Reply;
use super::{Gateway, HttpFault, MESSAGES, Reaction, Request, guard};
use crate::revision::code;

impl Gateway {
    /// Opens a session with its stream; the first event says where messages go.
    pub(super) fn open_old(&mut self, number: u32, request: &Request, out: &mut Vec<Reaction>) -> Result<(), Reply> {
        if !guard::accepts(request, guard::EVENT_STREAM) {
            return Err(Reply::empty(406));
        }
        let position = self.open(Kind::Old)?;
        let name = if self.fails(HttpFault::NamesEndpointMessage) { "message" } else { "endpoint" };
        let conversation = &mut self.conversations[position];
        conversation.listen(number, out);
        let endpoint = format!("{MESSAGES}?session={}", conversation.id);
        out.push(Reaction::Data { number, bytes: conversation.style.event(None, Some(name), endpoint.as_bytes()) });
        Ok(())
    }

    /// Takes a message; whatever answers it comes on the stream.
    pub(super) fn post_old(
        &mut self,
        now: Duration,
        number: u32,
        request: &Request,
        out: &mut Vec<Reaction>,
    ) -> Result<(), Reply> {
        if request.body.len() > super::LARGEST {
            return Err(Reply::empty(413));
        }
        let Some(id) = request.query("session") else { return Err(Reply::empty(400)) };
        let found = self.conversations.iter().position(|one| one.kind == Kind::Old && one.id == id);
        let position = found.ok_or_else(|| Reply::refusal(404, code::INVALID_REQUEST, "there is no such session"))?;
        let mut reply = Reply::empty(202).with("Content-Type", "text/plain");
        reply.body = b"Accepted".to_vec();
        reply.send(number, out);
        self.with(position, |conversation| conversation.tell(now, number, &request.body, out));
        Ok(())
    }
}
