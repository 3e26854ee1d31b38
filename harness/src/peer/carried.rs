//! The messages on their way over HTTP: put into requests, waited for, and followed.

use std::collections::HashSet;

use super::{Due, For, HttpRequest, Patience, Peer, Player as _, Purpose, Record, Sending, Waiting};
use crate::script::Carriage;
use crate::transcript::{Ending, Http as Happening};

impl Peer<'_> {
    /// Something else happened to an HTTP request; what comes back is to be sent at once.
    pub(super) fn took_place(&mut self, number: u32, what: &Happening) -> Vec<Sending> {
        let outcome = self.http.happened(self.part, number, what);
        let mut resumed = None;
        let mut replies = Vec::new();
        if let (Some(resumption), Some(endpoint)) = (&outcome.resumption, self.part.endpoint) {
            let request = self.http.resume(endpoint, &Carriage::default(), resumption);
            resumed = Some(request.number);
            replies.push(Sending { requests: vec![request], ..Sending::default() });
        }
        let lost = outcome.over.filter(|post| resumed.is_none() && post.client == 0).map(|post| post.ids);
        for id in lost.iter().flatten() {
            if matches!(self.open.remove(id), Some(Purpose::Hello { .. } | Purpose::Fence)) {
                self.stalled = true;
            }
        }
        match &mut self.waiting {
            Some(Waiting { what: For::Connection, .. }) if outcome.connected => self.waiting = None,
            // A server without the old transport has said so.
            Some(Waiting { what: For::Connection, .. }) if matches!(what, Happening::End { .. }) => {
                self.waiting = None;
                self.stalled = true;
            }
            Some(Waiting { what: For::Answers(due), .. }) => {
                let over = matches!(what, Happening::End { .. });
                if outcome.headed || over {
                    due.heads.remove(&number);
                }
                if over && due.over.remove(&number) {
                    due.over.extend(resumed);
                }
                due.missing.retain(|id| lost.iter().flatten().all(|lost| lost != id));
                if due.is_done() {
                    self.waiting = None;
                }
            }
            _ => {}
        }
        if outcome.disconnected || matches!(what, Happening::End { how: Ending::Refused(_) }) {
            self.ended();
        }
        replies
    }

    /// An HTTP request that carries no message.
    pub(super) fn bare(&mut self, carriage: &Carriage, body: Option<&str>, honest: bool) -> Option<Sending> {
        let request = self.http.bare(self.part, self.part.endpoint?, carriage, body, honest);
        if carriage.verb.as_deref() == Some("DELETE") && carriage.client == 0 {
            self.established = false;
        }
        Some(Sending { requests: vec![request], ..Sending::default() })
    }

    pub(super) fn wait_for_heads(&mut self, sending: Option<&Sending>, patience: Patience) {
        let heads: HashSet<u32> =
            sending.iter().flat_map(|sending| &sending.requests).map(|request| request.number).collect();
        if !heads.is_empty() {
            self.waiting = Some(Waiting { what: For::Answers(Due { heads, ..Due::default() }), patience });
        }
    }

    /// The messages with the requests that carry them, if they travel over HTTP; what has no answer is waited for until
    /// it was accepted.
    pub(super) fn dispatch(&mut self, sending: Sending) -> Sending {
        if self.part.endpoint.is_none() {
            return sending;
        }
        let sending = self.carried(sending);
        let carried = || sending.requests.iter().zip(&sending.records);
        let patience = if sending.records.iter().all(Record::is_honest) { Patience::Full } else { Patience::Brief };
        let over: HashSet<u32> =
            carried().filter(|(_, record)| record.awaited).map(|(request, _)| request.number).collect();
        if !over.is_empty() {
            let waiting = self.waiting.get_or_insert(Waiting { what: For::Answers(Due::default()), patience });
            if let For::Answers(due) = &mut waiting.what {
                due.over = over;
            }
        } else if self.waiting.is_none() {
            let unasked =
                |request: &HttpRequest| self.http.post(request.number).is_some_and(|post| post.ids.is_empty());
            let heads: HashSet<u32> =
                carried().filter(|(request, _)| unasked(request)).map(|(request, _)| request.number).collect();
            if !heads.is_empty() {
                self.waiting = Some(Waiting { what: For::Answers(Due { heads, ..Due::default() }), patience });
            }
        }
        sending
    }

    pub(super) fn carried(&mut self, mut sending: Sending) -> Sending {
        let Some(endpoint) = self.part.endpoint else { return sending };
        let tools = self.heard.items.get("tools").map(Vec::as_slice).unwrap_or_default();
        let carried = sending.records.iter().map(|record| self.http.carry(self.part, endpoint, record, tools));
        sending.requests.extend(carried);
        sending
    }
}
