//! Messages of the client as HTTP requests, and their header lines.

use serde_json::Value;

use super::{Exchange, HttpClient, Purpose};
use crate::reference::client::fault::ClientHttpFault;
use crate::reference::client::mirror;
use crate::reference::client::{Outlet, Way};
use crate::reference::incoming::RequestId;
use crate::revision::{Revision, meta};
use crate::wire::http::{Headers, Request};

/// What a POST takes for an answer.
const ANSWERS: &str = "application/json, text/event-stream";
/// What a GET takes.
pub(super) const EVENTS: &str = "text/event-stream";

/// What is to be known of a message in order to send it.
struct Outgoing {
    value: Value,
    requests: Vec<RequestId>,
    is_modern: bool,
}

impl Outgoing {
    fn method(&self) -> &str {
        self.value["method"].as_str().unwrap_or_default()
    }

    fn purpose(&self) -> Purpose {
        match self.method() {
            "initialize" => Purpose::Opens,
            "notifications/initialized" => Purpose::Confirms,
            _ if self.requests.is_empty() => Purpose::Tells,
            _ => Purpose::Asks,
        }
    }
}

impl HttpClient {
    /// Sends a message.
    pub(super) fn say(&mut self, line: &[u8], out: &mut Outlet) {
        let outgoing = self.outgoing(line);
        if outgoing.method() == "notifications/cancelled" && self.cancels(&outgoing, out) {
            return;
        }
        if self.client.way == Way::Old {
            return self.say_in_the_old_way(line, &outgoing, out);
        }
        let purpose = outgoing.purpose();
        if purpose == Purpose::Opens {
            (self.session, self.agreed) = (None, None);
        }
        let mut headers = self.lines(ANSWERS);
        headers.push("Content-Type", "application/json");
        if outgoing.is_modern {
            self.modern_lines(&outgoing.value, &mut headers)
        } else {
            self.session_lines(&mut headers)
        }
        headers.push("Content-Length", line.len().to_string());
        let exchange = Exchange {
            awaited: outgoing.requests,
            session: self.session.clone().filter(|_| !outgoing.is_modern),
            is_modern: outgoing.is_modern,
            line: self.client.tampers().then(|| line.to_vec()),
            ..Exchange::new(purpose)
        };
        let mut request = Request { verb: "POST".to_owned(), target: self.target.clone(), headers, body: Vec::new() };
        if self.client.tampers() {
            self.misposts(&outgoing.value, outgoing.is_modern, &mut request);
            self.listens_in_vain(out);
        }
        let Request { verb, target, headers, .. } = request;
        self.ask(exchange, &verb, target, headers, line, out);
    }

    fn outgoing(&self, line: &[u8]) -> Outgoing {
        let value = serde_json::from_str::<Value>(&String::from_utf8_lossy(line)).unwrap_or_default();
        let alone = std::slice::from_ref(&value);
        let requests =
            value.as_array().map_or(alone, Vec::as_slice).iter().filter(|message| message["method"].is_string());
        let requests = requests.filter_map(|message| RequestId::read(&message.get("id")?.to_string())).collect();
        let is_modern = self.client.is_modern() || value["method"] == "server/discover";
        Outgoing { value, requests, is_modern }
    }

    /// A modern request is cancelled by closing its connection. Gives whether that is all that is to be done.
    fn cancels(&mut self, outgoing: &Outgoing, out: &mut Outlet) -> bool {
        let about = RequestId::read(&outgoing.value["params"]["requestId"].to_string());
        let holds = |exchange: &Exchange| {
            about.as_ref().is_some_and(|id| exchange.awaited.iter().any(|awaited| awaited.same(id)))
        };
        let is_modern = self.exchanges.values().find(|exchange| holds(exchange)).map(|exchange| exchange.is_modern);
        let is_modern = is_modern.unwrap_or(outgoing.is_modern);
        if (is_modern && self.fails(ClientHttpFault::KeepsCancelledStreams))
            || (!is_modern && self.fails(ClientHttpFault::NeverCancels))
        {
            return true;
        }
        if is_modern {
            self.abandon(|exchange| exchange.is_modern && holds(exchange), out);
            return true;
        }
        false
    }

    /// The header lines of every request.
    pub(super) fn lines(&self, accept: &str) -> Headers {
        let mut headers = Headers::new();
        headers.push("Host", self.authority.as_str());
        headers.push("Accept", accept);
        headers
    }

    /// What a request of a legacy session says of it.
    pub(super) fn session_lines(&self, headers: &mut Headers) {
        let agreed = self.agreed.filter(|agreed| *agreed >= Revision::V2025_06_18);
        if let Some(revision) = agreed {
            headers.push("MCP-Protocol-Version", revision.as_str());
        }
        if let Some(session) = &self.session {
            headers.push("Mcp-Session-Id", session.as_str());
        }
    }

    /// What a modern request repeats of its body.
    fn modern_lines(&self, message: &Value, headers: &mut Headers) {
        let params = &message["params"];
        let version = params["_meta"][meta::PROTOCOL_VERSION].as_str();
        headers.push("MCP-Protocol-Version", version.unwrap_or(Revision::V2026_07_28.as_str()));
        let Some(method) = message["method"].as_str() else { return };
        headers.push("Mcp-Method", method);
        let name = match method {
            "tools/call" | "prompts/get" => params["name"].as_str(),
            "resources/read" => params["uri"].as_str(),
            _ => None,
        };
        let Some(name) = name else { return };
        headers.push("Mcp-Name", mirror::encoded(name));
        if method != "tools/call" {
            return;
        }
        for argument in self.client.listings.offer(name).into_iter().flat_map(|offer| &offer.mirrors) {
            if let Some(text) = argument.text(&params["arguments"]) {
                headers.push(argument.header(), mirror::encoded(&text));
            }
        }
    }

    /// In HTTP+SSE the server says first where messages go.
    fn say_in_the_old_way(&mut self, line: &[u8], outgoing: &Outgoing, out: &mut Outlet) {
        let Some(endpoint) = self.endpoint.clone() else {
            self.waiting.push_back(line.to_vec());
            if !self.exchanges.values().any(|exchange| exchange.purpose == Purpose::Carries) {
                let headers = self.lines(EVENTS);
                self.ask(Exchange::new(Purpose::Carries), "GET", self.target.clone(), headers, b"", out);
            }
            return;
        };
        let mut headers = self.lines(ANSWERS);
        headers.push("Content-Type", "application/json");
        headers.push("Content-Length", line.len().to_string());
        let endpoint = if outgoing.method().ends_with("/list") && self.fails(ClientHttpFault::PostsToTheStream) {
            self.target.clone()
        } else {
            endpoint
        };
        let exchange = Exchange { awaited: outgoing.requests.clone(), ..Exchange::new(Purpose::Tells) };
        self.ask(exchange, "POST", endpoint, headers, line, out);
    }

    /// The server has said where messages go.
    pub(super) fn moved_to(&mut self, place: &str, out: &mut Outlet) {
        if self.endpoint.is_some() {
            return;
        }
        let Some(target) = self.resolved(place) else {
            self.client.note("the endpoint is at another server", out);
            return;
        };
        self.endpoint = Some(target);
        for line in std::mem::take(&mut self.waiting) {
            self.say(&line, out);
        }
    }

    /// The path of an address, if it is one of the same server.
    fn resolved(&self, place: &str) -> Option<String> {
        if let Some((scheme, rest)) = place.split_once("://") {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let is_here = scheme == "http" && authority.eq_ignore_ascii_case(&self.authority);
            return is_here.then(|| if path.is_empty() { "/".to_owned() } else { path.to_owned() });
        }
        let is_safe =
            !place.is_empty() && !place.starts_with("//") && place.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_safe {
            return None;
        }
        if place.starts_with('/') {
            return Some(place.to_owned());
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Some(format!("{folder}/{place}"))
    }
}
