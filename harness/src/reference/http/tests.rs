//! The gateway as its clients see it: requests in, reactions out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Gateway, Reaction, Request};
use crate::reference::{Behaviour, fixture};
use crate::revision::{Revision, code, meta};

mod faults;
mod legacy;
mod modern;
mod old;
mod variants;

/// What has come back on the connection of one request.
#[derive(Clone, Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    ended: bool,
    aborted: bool,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn streams(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The events so far; what is unfinished is dropped, as every client drops it.
    fn events(&self) -> Vec<Event> {
        let text = String::from_utf8_lossy(&self.body).replace("\r\n", "\n").replace('\r', "\n");
        let complete = text.rfind("\n\n").map_or("", |end| &text[..end + 1]);
        complete.split("\n\n").map(Event::read).filter(|event| *event != Event::default()).collect()
    }

    /// The messages so far, of either form.
    fn messages(&self) -> Vec<Value> {
        if self.streams() {
            let filled = self.events().into_iter().filter(|event| !event.data.is_empty());
            return filled.filter_map(|event| serde_json::from_str(&event.data).ok()).collect();
        }
        serde_json::from_slice(&self.body).into_iter().collect()
    }

    /// The answer among the messages.
    fn message(&self) -> Value {
        let found = self.messages().into_iter().find(|message| message.get("method").is_none());
        found.unwrap_or(Value::Null)
    }

    fn methods(&self) -> Vec<String> {
        let messages = self.messages();
        messages.iter().filter_map(|message| message["method"].as_str()).map(str::to_owned).collect()
    }

    /// How often progress was reported.
    fn reports(&self) -> usize {
        self.methods().iter().filter(|method| *method == "notifications/progress").count()
    }

    fn code(&self) -> Option<i64> {
        self.message()["error"]["code"].as_i64()
    }

    fn text(&self) -> String {
        self.message()["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Event {
    id: Option<String>,
    name: Option<String>,
    data: String,
    retry: Option<u32>,
}

impl Event {
    fn read(text: &str) -> Self {
        let mut event = Self::default();
        let mut data = Vec::new();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => event.id = Some(value.to_owned()),
                "event" => event.name = Some(value.to_owned()),
                "data" => data.push(value),
                "retry" => event.retry = value.parse().ok(),
                _ => {}
            }
        }
        event.data = data.join("\n");
        event
    }
}

/// A gateway, a clock that stands still unless it is asked to move, and one client or several.
struct Bench {
    gateway: Gateway,
    now: Duration,
    answers: BTreeMap<u32, Answer>,
    next: u32,
    revision: Revision,
    session: Option<String>,
    client: Value,
}

impl Bench {
    fn new(behaviour: Behaviour, revision: Revision) -> Self {
        Self {
            gateway: Gateway::new(behaviour),
            now: Duration::ZERO,
            answers: BTreeMap::new(),
            next: 0,
            revision,
            session: None,
            client: json!({"roots": {"listChanged": true}, "sampling": {}, "elicitation": {"form": {}, "url": {}}}),
        }
    }

    /// A gateway with a session, where the revision has any.
    fn open(behaviour: Behaviour, revision: Revision) -> Self {
        let mut bench = Self::new(behaviour, revision);
        if revision < Revision::V2026_07_28 {
            bench.initialize();
        }
        bench
    }

    /// Opens a session; the one before goes on.
    fn initialize(&mut self) -> Answer {
        self.session = None;
        let params = json!({
            "protocolVersion": self.revision.as_str(),
            "capabilities": self.client,
            "clientInfo": {"name": "bench", "version": "1"},
        });
        let answer = self.ask("initialize", params);
        self.session = answer.header("mcp-session-id").map(str::to_owned);
        assert_eq!(self.notify("notifications/initialized", json!({})).status / 100, 2);
        answer
    }

    fn react(&mut self, reactions: Vec<Reaction>) {
        for reaction in reactions {
            match reaction {
                Reaction::Head { number, status, headers } => {
                    let answer = self.answers.entry(number).or_default();
                    assert_eq!(answer.status, 0, "two heads");
                    (answer.status, answer.headers) = (status, headers);
                }
                Reaction::Whole { number, status, headers, body } => {
                    let answer = self.answers.entry(number).or_default();
                    assert_eq!(answer.status, 0, "two heads");
                    *answer = Answer { status, headers, body, ended: true, aborted: false };
                }
                Reaction::Data { number, bytes } => {
                    let answer = self.answers.get_mut(&number).expect("a head comes first");
                    assert!(answer.status != 0 && !answer.ended && !answer.aborted);
                    answer.body.extend(bytes);
                }
                Reaction::End { number } => {
                    let answer = self.answers.get_mut(&number).expect("a head comes first");
                    assert!(!answer.aborted && !std::mem::replace(&mut answer.ended, true), "it ends once");
                }
                Reaction::Abort { number } => {
                    let answer = self.answers.entry(number).or_default();
                    assert!(!answer.ended && !std::mem::replace(&mut answer.aborted, true), "it ends once");
                }
            }
        }
    }

    fn send(&mut self, request: Request) -> u32 {
        self.next += 1;
        let mut out = Vec::new();
        self.gateway.request(self.now, self.next, request, &mut out);
        self.react(out);
        self.next
    }

    /// What has come back for a request so far.
    fn answer(&self, number: u32) -> Answer {
        self.answers.get(&number).cloned().unwrap_or_default()
    }

    fn request(&self, verb: &str, body: &str) -> Request {
        let mut headers = vec![("Host".to_owned(), " localhost:8080".to_owned())];
        let mut header = |name: &str, value: &str| headers.push((name.to_owned(), format!(" {value}")));
        if verb == "POST" {
            header("Content-Type", "application/json");
            header("Accept", "application/json, text/event-stream");
        } else {
            header("Accept", "text/event-stream");
        }
        if let Some(session) = &self.session {
            header("Mcp-Session-Id", session);
        }
        if self.revision >= Revision::V2025_06_18 {
            header("MCP-Protocol-Version", self.revision.as_str());
        }
        Request { verb: verb.to_owned(), target: "/mcp".to_owned(), headers, body: body.as_bytes().to_vec() }
    }

    /// A POST with everything that the revision demands of it.
    fn post(&mut self, method: &str, mut params: Value) -> Request {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        let asks = !method.starts_with("notifications/");
        if asks {
            message["id"] = (self.next + 1).into();
        }
        let modern = self.revision == Revision::V2026_07_28;
        if modern && asks {
            let mut metadata = json!({
                meta::PROTOCOL_VERSION: "2026-07-28",
                meta::CLIENT_CAPABILITIES: self.client,
                meta::CLIENT_INFO: {"name": "bench", "version": "1"},
            });
            if let Some(Value::Object(more)) = params.get("_meta").cloned() {
                metadata.as_object_mut().unwrap().extend(more);
            }
            params["_meta"] = metadata;
        }
        let name = params.get("name").or(params.get("uri")).and_then(Value::as_str).map(str::to_owned);
        message["params"] = params;
        let mut request = self.request("POST", &message.to_string());
        if method == "initialize" {
            request.headers.retain(|(name, _)| name != "MCP-Protocol-Version");
        }
        if modern && asks {
            request.headers.push(("Mcp-Method".to_owned(), format!(" {method}")));
            if let Some(name) = name.filter(|_| matches!(method, "tools/call" | "prompts/get" | "resources/read")) {
                request.headers.push(("Mcp-Name".to_owned(), format!(" {name}")));
            }
        }
        request
    }

    fn begin(&mut self, method: &str, params: Value) -> u32 {
        let request = self.post(method, params);
        self.send(request)
    }

    fn ask(&mut self, method: &str, params: Value) -> Answer {
        let number = self.begin(method, params);
        self.answer(number)
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    fn slow(&mut self, milliseconds: u32) -> u32 {
        let token = self.next + 1;
        let params = json!({
            "name": fixture::SLOW, "arguments": {"milliseconds": milliseconds}, "_meta": {"progressToken": token},
        });
        self.begin("tools/call", params)
    }

    fn notify(&mut self, method: &str, params: Value) -> Answer {
        let request = self.post(method, params);
        let number = self.send(request);
        self.answer(number)
    }

    fn get(&mut self) -> u32 {
        let request = self.request("GET", "");
        self.send(request)
    }

    fn resume(&mut self, last: &str) -> u32 {
        let mut request = self.request("GET", "");
        request.headers.push(("Last-Event-ID".to_owned(), last.to_owned()));
        self.send(request)
    }

    fn delete(&mut self) -> Answer {
        let request = self.request("DELETE", "");
        let number = self.send(request);
        self.answer(number)
    }

    fn leave(&mut self, number: u32) {
        let mut out = Vec::new();
        self.gateway.disconnected(self.now, number, &mut out);
        self.react(out);
    }

    /// Lets everything happen that is due at some time.
    fn wait(&mut self) {
        let mut out = Vec::new();
        while let Some(at) = self.gateway.wake_at() {
            self.now = self.now.max(at);
            self.gateway.wake(self.now, &mut out);
        }
        self.react(out);
    }
}

/// The same request with one header changed, or without it.
fn altered(mut request: Request, name: &str, value: Option<&str>) -> Request {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    request
}

const STREAMABLE: [Revision; 4] =
    [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28];
const SESSIONS: [Revision; 3] = [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25];

#[test]
fn the_door_is_guarded() {
    for revision in STREAMABLE {
        let mut bench = Bench::open(Behaviour::default(), revision);
        for (name, value, status) in [
            ("Origin", Some("http://evil.example"), 403),
            ("Origin", Some("null"), 403),
            ("Origin", Some("http://localhost.evil.example"), 403),
            ("Origin", Some("http://localhost:80@evil.example"), 403),
            ("Host", Some("evil.example"), 403),
            ("Host", Some("localhost.evil.example:80"), 403),
            ("Origin", Some("http://localhost:5173"), 200),
            ("Origin", Some("http://[::1]:1"), 200),
            ("Host", Some("[::1]:8080"), 200),
            ("Host", Some("127.0.0.1"), 200),
            ("Host", None, 200),
            ("Content-Type", Some("text/plain"), 415),
            ("Content-Type", None, 415),
            ("Content-Type", Some("Application/JSON; charset=utf-8"), 200),
            ("Accept", Some("application/json"), 406),
            ("Accept", Some("text/event-stream"), 406),
            ("Accept", Some("*/*"), 200),
            ("Accept", Some("application/*;q=0.5, text/event-stream"), 200),
            ("Accept", None, 200),
        ] {
            let request = bench.post("tools/call", json!({"name": fixture::RECORD, "arguments": {}}));
            let before = bench.call(fixture::COUNT, json!({})).text();
            let number = bench.send(altered(request, name, value));
            assert_eq!(bench.answer(number).status, status, "{name}: {value:?} in {revision}");
            let done = bench.call(fixture::COUNT, json!({})).text() != before;
            assert_eq!(done, status == 200, "{name}: {value:?} in {revision}");
        }
        let mut request = bench.post("tools/list", json!({}));
        request.body = vec![b' '; super::LARGEST + 1];
        let number = bench.send(request);
        assert_eq!(bench.answer(number).status, 413);
    }
}

#[test]
fn there_is_one_endpoint() {
    let mut bench = Bench::open(Behaviour::default(), Revision::V2025_11_25);
    for (verb, target, status) in [
        ("PUT", "/mcp", 405),
        ("OPTIONS", "/mcp", 405),
        ("POST", "/", 404),
        ("POST", "/mcp/", 404),
        ("POST", "/sse", 405),
        ("GET", "/messages", 405),
    ] {
        let mut request = bench.request(verb, "{}");
        request.target = target.to_owned();
        let number = bench.send(request);
        let answer = bench.answer(number);
        assert_eq!(answer.status, status, "{verb} {target}");
        assert_eq!(answer.header("allow").is_some(), status == 405);
    }
    let mut request = bench.post("ping", json!({}));
    request.target = "http://localhost:8080/mcp?x=1".to_owned();
    let number = bench.send(request);
    assert_eq!(bench.answer(number).status, 200);
}

#[test]
fn what_is_no_message_gets_400() {
    for revision in STREAMABLE {
        let mut bench = Bench::open(Behaviour::default(), revision);
        for (body, expected) in [
            ("nonsense", code::PARSE_ERROR),
            ("{\"jsonrpc\":", code::PARSE_ERROR),
            ("42", code::INVALID_REQUEST),
            ("{}", code::INVALID_REQUEST),
            ("[]", code::INVALID_REQUEST),
        ] {
            let request = bench.request("POST", body);
            let number = bench.send(request);
            let answer = bench.answer(number);
            assert_eq!((answer.status, answer.code()), (400, Some(expected)), "{body} in {revision}");
            assert!(answer.message()["id"].is_null());
        }
        for body in ["", "{\"method\":\"notifications/x\"}"] {
            let request = bench.request("POST", body);
            let number = bench.send(request);
            assert_eq!(bench.answer(number).status, 400);
        }
        assert_eq!(bench.call(fixture::ECHO, json!({"text": "on"})).text(), "on");
    }
}
