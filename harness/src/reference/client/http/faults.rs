//! Where the faults of HTTP do their work.

use serde_json::Value;

use super::{Exchange, HttpClient, Purpose};
use crate::reference::client::Outlet;
use crate::reference::client::fault::ClientFault;
use crate::reference::client::fault::ClientHttpFault as Fault;
use crate::revision::Revision;
use crate::wire::http::{Headers, Request};

/// What only a faulty client remembers.
#[derive(Debug, Default)]
pub(super) struct Slips {
    /// The id of the session that is gone.
    stale: Option<String>,
}

impl HttpClient {
    pub(super) fn fails(&self, fault: Fault) -> bool {
        self.client.tampers() && self.client.faulty(ClientFault::Http(fault))
    }

    /// Remembers a session that is gone.
    pub(super) fn mourn(&mut self) {
        self.slips.stale.clone_from(&self.session);
    }

    /// Whether a 404 for the session is taken otherwise than it is meant.
    pub(super) fn misreads_end(&mut self, out: &mut Outlet) -> bool {
        if self.fails(Fault::StaysWithoutSession) {
            self.client.lose_everything(out);
            return true;
        }
        self.fails(Fault::KeepsDeadSessions)
    }

    /// Changes a POST.
    pub(super) fn misposts(&mut self, message: &Value, is_modern: bool, request: &mut Request) {
        let method = message["method"].as_str().unwrap_or_default();
        let (lists, calls) = (method.ends_with("/list"), method == "tools/call");
        if self.fails(Fault::AcceptsJsonOnly) {
            request.headers.set("Accept", "application/json");
        }
        if lists && self.fails(Fault::PutsLists) {
            request.verb = "PUT".to_owned();
        }
        if calls && self.fails(Fault::PostsElsewhere) {
            request.target.push_str("/calls");
        }
        if is_modern {
            self.misposts_modern(message, &mut request.headers);
        } else {
            self.missays(&mut request.headers, lists);
            let stale = self.slips.stale.clone().filter(|_| method == "initialize");
            if let Some(stale) = stale.filter(|_| self.fails(Fault::RestartsUnderOldId)) {
                request.headers.set("Mcp-Session-Id", stale);
            }
        }
    }

    /// Changes what a request says of its legacy session.
    pub(super) fn missays(&self, headers: &mut Headers, lists: bool) {
        if lists && self.fails(Fault::ForgetsSessionIds) {
            headers.remove("Mcp-Session-Id");
        }
        if let Some(id) = headers.value("Mcp-Session-Id").map(str::to_owned)
            && self.fails(Fault::StripsSessionIds)
        {
            let kept: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
            headers.set("Mcp-Session-Id", kept);
        }
        if self.fails(Fault::OmitsVersionHeader) {
            headers.remove("MCP-Protocol-Version");
        }
        if headers.value("MCP-Protocol-Version").is_some() && self.fails(Fault::NamesOldVersion) {
            headers.set("MCP-Protocol-Version", Revision::V2025_03_26.as_str());
        }
    }

    /// Changes a GET or a DELETE.
    pub(super) fn misasks(&self, headers: &mut Headers) {
        if headers.value("Accept").is_some() && self.fails(Fault::AcceptsAnythingOnGet) {
            headers.set("Accept", "*/*");
        }
        if self.fails(Fault::OmitsVersionOnGet) {
            headers.remove("MCP-Protocol-Version");
        }
        self.missays(headers, false);
    }

    fn misposts_modern(&mut self, message: &Value, headers: &mut Headers) {
        let method = message["method"].as_str().unwrap_or_default();
        let params = &message["params"];
        let (lists, calls) = (method.ends_with("/list"), method == "tools/call");
        if lists && self.fails(Fault::OmitsModernVersion) {
            headers.remove("MCP-Protocol-Version");
        }
        if lists && self.fails(Fault::OmitsMethodHeader) {
            headers.remove("Mcp-Method");
        }
        if lists && self.fails(Fault::ShoutsMethods) {
            headers.set("Mcp-Method", method.to_uppercase());
        }
        if calls && self.fails(Fault::OmitsNameHeader) {
            headers.remove("Mcp-Name");
        }
        if method != "server/discover" && self.fails(Fault::InventsSessionIds) {
            headers.push("Mcp-Session-Id", "turncoat");
        }
        let name = params["name"].as_str().unwrap_or_default();
        if calls && self.fails(Fault::PlainNames) {
            headers.set("Mcp-Name", plain(name));
        }
        let mirrors = self.client.listings.offer(name).filter(|_| calls).map(|offer| offer.mirrors.clone());
        for argument in mirrors.unwrap_or_default() {
            match argument.text(&params["arguments"]) {
                Some(_) if self.fails(Fault::OmitsArguments) => headers.remove(&argument.header()),
                Some(text) if self.fails(Fault::PlainArguments) => headers.set(&argument.header(), plain(&text)),
                None if self.fails(Fault::RepeatsAbsentArguments) => headers.push(argument.header(), ""),
                _ => {}
            }
        }
    }

    /// Opens a stream where there is none in this era.
    pub(super) fn listens_in_vain(&mut self, out: &mut Outlet) {
        let is_first = !self.client.grudge.greeted;
        if is_first && self.client.is_modern() && self.fails(Fault::ListensInModern) {
            self.client.grudge.greeted = true;
            let headers = self.lines(super::posting::EVENTS);
            self.ask(Exchange::new(Purpose::Tells), "GET", self.target.clone(), headers, b"", out);
        }
    }

    /// Whether a request whose stream broke is sent once more as it was.
    pub(super) fn repeats(&mut self, exchange: &Exchange, out: &mut Outlet) -> bool {
        let again = self.fails(Fault::PostsAgain) || self.fails(Fault::ReissuesUnderSameId);
        let is_first = exchange.purpose == Purpose::Asks && exchange.is_accepted();
        let Some(line) = exchange.line.clone().filter(|_| again && is_first) else { return false };
        if self.client.once_more() {
            self.say(&line, out);
            return true;
        }
        false
    }
}

/// A text in a header line as it is, but for what would end the line.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
