//! The server as a whole, driven through its public door.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Behaviour, FAULTS, Outbox, Server, fixture, variants};
use crate::revision::{LISTS, Revision, Revisions, code, meta};
use crate::transcript::Transport;

mod faults;

/// A server and a clock that stands still unless it is asked to move.
pub(super) struct Bench {
    server: Server,
    now: Duration,
    next_id: u64,
    revision: Revision,
    capabilities: Value,
    exit: Option<i32>,
}

impl Bench {
    fn new(behaviour: Behaviour, revision: Revision) -> Self {
        let capabilities = json!({"roots": {"listChanged": true}, "sampling": {"tools": {}}, "elicitation": {
            "form": {}, "url": {},
        }});
        Self { server: Server::new(behaviour), now: Duration::ZERO, next_id: 0, revision, capabilities, exit: None }
    }

    /// A server with which a conversation in this revision has begun.
    fn open(behaviour: Behaviour, revision: Revision) -> Self {
        let mut bench = Self::new(behaviour, revision);
        if revision < Revision::V2026_07_28 {
            let params = json!({
                "protocolVersion": revision.as_str(),
                "capabilities": bench.capabilities,
                "clientInfo": {"name": "bench", "version": "1"},
            });
            let answer = bench.bare("initialize", params);
            assert_eq!(answer["result"]["protocolVersion"], revision.as_str());
            assert_eq!(bench.line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#), Vec::<Value>::new());
        }
        bench
    }

    fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Outbox::default();
        self.server.receive(self.now, bytes, &mut out);
        self.exit = self.exit.or(out.exit);
        out.bytes
    }

    fn line(&mut self, line: &str) -> Vec<Value> {
        parse(&self.raw(format!("{line}\n").as_bytes()))
    }

    fn end(&mut self) -> Vec<Value> {
        let mut out = Outbox::default();
        self.server.end_of_input(self.now, &mut out);
        self.exit = self.exit.or(out.exit);
        parse(&out.bytes)
    }

    fn wait(&mut self) -> Vec<Value> {
        let mut out = Outbox::default();
        while let Some(at) = self.server.wake_at() {
            self.now = self.now.max(at);
            self.server.wake(self.now, &mut out);
        }
        parse(&out.bytes)
    }

    fn metadata(&self) -> Value {
        json!({
            meta::PROTOCOL_VERSION: "2026-07-28",
            meta::CLIENT_CAPABILITIES: self.capabilities,
            meta::CLIENT_INFO: {"name": "bench", "version": "1"},
        })
    }

    /// Everything that a request leads to at once.
    fn all(&mut self, method: &str, mut params: Value) -> Vec<Value> {
        if self.revision == Revision::V2026_07_28 {
            let mut metadata = self.metadata();
            if let Some(Value::Object(more)) = params.get("_meta").cloned() {
                metadata.as_object_mut().unwrap().extend(more);
            }
            params["_meta"] = metadata;
        }
        self.next_id += 1;
        self.line(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).to_string())
    }

    /// The answer to a request.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answers = self.all(method, params);
        answers.into_iter().find(|message| message["id"] == self.next_id).unwrap_or(Value::Null)
    }

    /// The answer to a request without metadata.
    fn bare(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let line = json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).to_string();
        self.line(&line).pop().unwrap_or(Value::Null)
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    fn walk(&mut self, method: &str, member: &str, key: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut params = json!({});
        for _ in 0..50 {
            let answer = self.ask(method, params);
            let items = answer["result"][member].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
            names.extend(items.iter().map(|item| item[key].as_str().unwrap().to_owned()));
            match answer["result"].get("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => return names,
            }
        }
        panic!("{method} never ends");
    }
}

fn parse(bytes: &[u8]) -> Vec<Value> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"));
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn honest(revision: Revision) -> Bench {
    Bench::open(Behaviour::default(), revision)
}

#[test]
fn a_handshake_in_each_legacy_revision() {
    for revision in Revisions::LEGACY.iter() {
        let mut bench = honest(revision);
        assert_eq!(bench.ask("ping", json!({}))["result"], json!({}));
        assert_eq!(bench.bare("initialize", json!({}))["error"]["code"], code::INVALID_REQUEST);
        assert_eq!(bench.call(fixture::ECHO, json!({"text": "é"}))["result"]["content"][0]["text"], "é");
    }
}

#[test]
fn an_unknown_version_gets_the_newest_legacy_one() {
    for version in ["1999-01-01", "2099-12-31", "", "2026-07-28"] {
        let mut bench = Bench::new(Behaviour::default(), Revision::V2025_11_25);
        let answer = bench.bare("initialize", json!({"protocolVersion": version, "capabilities": {}}));
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    }
}

#[test]
fn modern_requests_stand_alone() {
    let mut bench = honest(Revision::V2026_07_28);
    let tools = bench.ask("tools/list", json!({}));
    assert_eq!(tools["result"]["resultType"], "complete");
    assert_eq!(tools["result"]["ttlMs"], 1000);
    let discovered = bench.ask("server/discover", json!({}));
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(bench.ask("ping", json!({}))["error"]["code"], code::METHOD_NOT_FOUND);
    let wrong = json!({"_meta": {meta::PROTOCOL_VERSION: "1900-01-01"}});
    let refused = bench.ask("tools/list", wrong);
    assert_eq!(refused["error"]["code"], code::UNSUPPORTED_PROTOCOL_VERSION);
    assert_eq!(refused["error"]["data"], json!({"supported": ["2026-07-28"], "requested": "1900-01-01"}));
    let lacking = bench.bare("tools/list", json!({"_meta": {meta::PROTOCOL_VERSION: "2026-07-28"}}));
    assert_eq!(lacking["error"]["code"], code::INVALID_PARAMS);
}

#[test]
fn a_modern_only_server_names_its_version_to_initialize() {
    let behaviour = Behaviour::of(Revisions::MODERN);
    let mut bench = Bench::new(behaviour, Revision::V2026_07_28);
    let answer = bench.bare("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}}));
    assert_eq!(answer["error"]["data"]["supported"], json!(["2026-07-28"]));
}

#[test]
fn lists_are_walked_page_by_page() {
    for revision in Revision::ALL {
        let mut bench = honest(revision);
        for (method, member, key) in LISTS {
            let names = bench.walk(method, member, key);
            assert!(names.len() > 3, "{method} has more than one page");
            assert_eq!(names, bench.walk(method, member, key));
            for cursor in [json!("bogus"), json!(5), json!(null), json!("x".repeat(1 << 20))] {
                assert_eq!(bench.ask(method, json!({"cursor": cursor}))["error"]["code"], code::INVALID_PARAMS);
            }
        }
        let cursor = bench.ask("tools/list", json!({}))["result"]["nextCursor"].clone();
        assert_eq!(bench.ask("prompts/list", json!({"cursor": cursor}))["error"]["code"], code::INVALID_PARAMS);
    }
}

#[test]
fn slow_reports_finishes_and_is_cancelled() {
    for revision in Revision::ALL {
        let mut bench = honest(revision);
        let slow = json!({"name": "slow", "arguments": {"milliseconds": 100}, "_meta": {"progressToken": "1"}});
        assert!(bench.all("tools/call", slow.clone()).iter().all(|message| message.get("id").is_none()));
        let ended = bench.wait();
        let reports = ended.iter().filter(|message| message["method"] == "notifications/progress").count();
        assert_eq!(reports, 4, "{ended:?}");
        assert_eq!(ended.last().unwrap()["id"], bench.next_id);
        bench.all("tools/call", slow);
        let id = bench.next_id;
        assert_eq!(bench.ask("tools/list", json!({}))["id"], bench.next_id);
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        assert!(bench.line(&cancel.to_string()).is_empty());
        assert!(bench.wait().is_empty());
    }
}

#[test]
fn changes_are_announced_to_those_who_listen() {
    for revision in Revision::ALL {
        let mut bench = honest(revision);
        let modern = revision == Revision::V2026_07_28;
        if modern {
            let filter =
                json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": [fixture::TOUCHED]}});
            let opened = bench.all("subscriptions/listen", filter);
            assert_eq!(opened[0]["method"], "notifications/subscriptions/acknowledged");
            assert_eq!(opened.len(), 1);
        } else {
            bench.ask("resources/subscribe", json!({"uri": fixture::TOUCHED}));
        }
        let toggled = bench.all("tools/call", json!({"name": fixture::TOGGLE_TOOL}));
        assert_eq!(toggled[0]["method"], "notifications/tools/list_changed");
        assert!(bench.walk("tools/list", "tools", "name").contains(&"extra".to_owned()));
        let touched = bench.all("tools/call", json!({"name": fixture::TOUCH_RESOURCE}));
        assert_eq!(touched[0]["params"]["uri"], fixture::TOUCHED);
        let quiet = bench.all("tools/call", json!({"name": fixture::TOGGLE_PROMPT}));
        assert_eq!(quiet.len(), if modern { 1 } else { 2 });
        let ended = bench.end();
        assert_eq!(bench.exit, Some(0));
        assert_eq!(ended.len(), if modern { 2 } else { 0 });
    }
}

#[test]
fn the_client_is_asked_in_the_way_of_the_era() {
    let mut bench = honest(Revision::V2026_07_28);
    let asked = bench.call(fixture::ASK_USER, json!({}));
    assert_eq!(asked["result"]["resultType"], "input_required");
    let answered = json!({
        "name": fixture::ASK_USER,
        "requestState": asked["result"]["requestState"],
        "inputResponses": {"answer": {"action": "accept", "content": {"name": "Ada"}}},
    });
    assert_eq!(bench.ask("tools/call", answered)["result"]["content"][0]["text"], "the user is Ada");
    for revision in Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25).iter() {
        let mut bench = honest(revision);
        let asked = bench.all("tools/call", json!({"name": fixture::ASK_USER})).remove(0);
        assert_eq!(asked["method"], "elicitation/create");
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
        assert_eq!(bench.line(&answer.to_string())[0]["result"]["content"][0]["text"], "the user declined");
        bench.all("tools/call", json!({"name": fixture::ASK_ROOTS}));
        let late = bench.wait();
        assert_eq!(late[0]["method"], "notifications/cancelled");
        assert_eq!(late[1]["result"]["isError"], true);
    }
}

#[test]
fn ids_come_back_as_they_were() {
    let mut bench = honest(Revision::V2025_06_18);
    for id in ["0", "-1", "9007199254740993", "123456789012345678901234567890", "\"\"", "\"\\u0041\"", "\"null\""] {
        let bytes = bench.raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n").as_bytes());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(&format!("\"id\":{id},")), "{text}");
    }
}

#[test]
fn batches_exist_in_one_revision() {
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;
    for revision in Revisions::LEGACY.iter() {
        let mut bench = honest(revision);
        let answers = bench.line(batch);
        assert_eq!(answers.len(), 1);
        if revision == Revision::V2025_03_26 {
            assert_eq!(answers[0].as_array().unwrap().len(), 2);
            assert!(bench.line(r#"[{"jsonrpc":"2.0","method":"x"}]"#).is_empty());
        } else {
            assert_eq!(answers[0]["error"]["code"], code::INVALID_REQUEST);
        }
    }
}

#[test]
fn what_is_no_message_is_refused_and_the_next_one_served() {
    let deep = "[".repeat(50_000);
    let deep_params =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}1{}}}}}"#, "[".repeat(500), "]".repeat(500));
    for revision in Revision::ALL {
        let mut bench = honest(revision);
        for (line, expected) in [
            ("nonsense", code::PARSE_ERROR),
            ("{\"jsonrpc\":", code::PARSE_ERROR),
            (deep.as_str(), code::PARSE_ERROR),
            ("{}", code::INVALID_REQUEST),
            ("42", code::INVALID_REQUEST),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, code::INVALID_REQUEST),
            (deep_params.as_str(), code::INVALID_PARAMS),
        ] {
            let answers = bench.line(line);
            assert_eq!(answers.len(), 1);
            assert_eq!(answers[0]["error"]["code"], expected, "{answers:?}");
        }
        assert_eq!(bench.call(fixture::ECHO, json!({"text": "on"}))["result"]["content"][0]["text"], "on");
    }
}

#[test]
fn every_variant_answers_the_control() {
    for variant in variants().iter().filter(|variant| variant.reach.has(Transport::Stdio)) {
        let behaviour = variant.behaviour();
        for revision in behaviour.revisions.iter() {
            let mut bench = Bench::open(variant.behaviour(), revision);
            let first = if revision == Revision::V2026_07_28 { "server/discover" } else { "ping" };
            assert!(bench.ask(first, json!({}))["result"].is_object(), "{} in {revision}", variant.name);
            if behaviour.features.tools.present() {
                assert!(bench.walk("tools/list", "tools", "name").len() > 9, "{} in {revision}", variant.name);
            }
            bench.end();
            assert_eq!(bench.exit, Some(0), "{}", variant.name);
        }
    }
}

#[test]
fn names_are_unique_and_every_fault_names_a_rule() {
    for (position, fault) in FAULTS.iter().enumerate() {
        assert!(!fault.rule.is_empty() && !fault.about.is_empty() && !fault.revisions.is_empty());
        assert!(FAULTS[position + 1..].iter().all(|other| other.id != fault.id), "{}", fault.id);
        assert!(!Behaviour::default().with_fault(fault.id).unwrap().is_honest());
    }
    for (position, variant) in variants().iter().enumerate() {
        assert!(variants()[position + 1..].iter().all(|other| other.name != variant.name), "{}", variant.name);
    }
    assert!(Behaviour::default().with_fault("no-such-fault").is_err());
}

/// A session that touches every feature; what it shows is for comparison.
fn tour(behaviour: Behaviour, revision: Revision) -> Vec<u8> {
    let mut bench = Bench::new(behaviour, revision);
    let mut seen = Vec::new();
    for line in tour_lines(&bench) {
        let mut out = Outbox::default();
        bench.now += Duration::from_millis(30);
        bench.server.receive(bench.now, format!("{line}\n").as_bytes(), &mut out);
        seen.extend_from_slice(&out.bytes);
    }
    let mut out = Outbox::default();
    while let Some(at) = bench.server.wake_at() {
        bench.now = bench.now.max(at);
        bench.server.wake(bench.now, &mut out);
    }
    bench.server.end_of_input(bench.now, &mut out);
    seen.extend_from_slice(&out.bytes);
    seen
}

fn tour_lines(bench: &Bench) -> Vec<String> {
    let modern = bench.revision == Revision::V2026_07_28;
    let mut lines = Vec::new();
    let mut say = |method: &str, params: Value| lines.push(tour_line(bench, lines.len(), method, params));
    if modern {
        say("server/discover", json!({}));
        let filter = json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
            "resourceSubscriptions": [fixture::TOUCHED]});
        say("subscriptions/listen", json!({"notifications": filter}));
    } else {
        let info = json!({"name": "bench", "version": "1"});
        let version = bench.revision.as_str();
        say("initialize", json!({"protocolVersion": version, "capabilities": bench.capabilities, "clientInfo": info}));
        say("notifications/initialized", json!({}));
        say("ping", json!({}));
        say("logging/setLevel", json!({"level": "debug"}));
        say("resources/subscribe", json!({"uri": fixture::TOUCHED}));
    }
    for (method, _, _) in LISTS {
        say(method, json!({}));
        say(method, json!({"cursor": "bogus"}));
    }
    for tool in ["toggle-tool", "toggle-prompt", "toggle-resource", "touch-resource", "record", "count", "media"] {
        say("tools/call", json!({"name": tool, "arguments": {}}));
    }
    for tool in ["fail", "log", "ask-user", "ask-model", "ask-roots", "nonsense", "hang-up", "echo", "odd-dialect"] {
        say("tools/call", json!({"name": tool, "arguments": {}}));
    }
    say("tools/call", json!({"name": "ask-user", "arguments": {"mode": "url"}}));
    say("tools/call", json!({"name": "ask-model", "arguments": {"tools": true}}));
    say("tools/call", json!({"name": "add_numbers", "arguments": {"a": 1, "b": 2}}));
    say("tools/call", json!({"name": "echo", "arguments": {"text": "naïve 🦀"}}));
    let slow = json!({"name": "slow", "arguments": {"milliseconds": 100}, "_meta": {"progressToken": 7}});
    say("tools/call", slow.clone());
    say("tools/call", slow);
    let first = (lines.len() - 1) as u64;
    let mut say = |method: &str, params: Value| lines.push(tour_line(bench, lines.len(), method, params));
    say("notifications/cancelled", json!({"requestId": first}));
    for prompt in ["babel", "greet", "picture", "raise", "nonsense"] {
        say("prompts/get", json!({"name": prompt, "arguments": {"name": "Ada"}}));
    }
    for uri in [fixture::README, fixture::LOGO, fixture::DATA, fixture::RAISING, "memo:///notes/7", "memo:///none"] {
        say("resources/read", json!({"uri": uri}));
    }
    let reference = json!({"type": "ref/prompt", "name": "greet"});
    say("completion/complete", json!({"ref": reference, "argument": {"name": "name", "value": "A"}}));
    say("nonsense", json!({}));
    say("notifications/nonsense", json!({}));
    say("tools/call", json!({"arguments": 5}));
    lines.push("{nonsense".to_owned());
    lines
}

/// A line of the tour; its id says which.
fn tour_line(bench: &Bench, position: usize, method: &str, mut params: Value) -> String {
    let mut message = json!({"jsonrpc": "2.0", "method": method});
    if !method.starts_with("notifications/") {
        message["id"] = (position + 1).into();
        if bench.revision == Revision::V2026_07_28 {
            let mut metadata = bench.metadata();
            metadata[meta::LOG_LEVEL] = "debug".into();
            metadata["progressToken"] = position.into();
            params["_meta"] = metadata;
        }
    }
    message["params"] = params;
    message.to_string()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for revision in Revision::ALL {
        let first = tour(Behaviour::default(), revision);
        assert!(first.len() > 5_000);
        assert_eq!(first, tour(Behaviour::default(), revision));
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20),
        fault in 0..FAULTS.len(),
    ) {
        for behaviour in [Behaviour::default(), Behaviour::default().with_fault(FAULTS[fault].id).unwrap()] {
            let mut server = Server::new(behaviour);
            let mut out = Outbox::default();
            for (at, chunk) in chunks.iter().enumerate() {
                server.receive(Duration::from_millis(at as u64), chunk, &mut out);
            }
            server.end_of_input(Duration::from_secs(9), &mut out);
        }
    }

    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(1usize..200, 1..40), revision in 0..5usize) {
        let lines = tour_lines(&Bench::new(Behaviour::default(), Revision::ALL[revision])).join("\n") + "\n";
        let run = |cuts: &[usize]| {
            let mut server = Server::new(Behaviour::default());
            let mut out = Outbox::default();
            let mut rest = lines.as_bytes();
            for size in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (head, tail) = rest.split_at((*size).min(rest.len()));
                server.receive(Duration::ZERO, head, &mut out);
                rest = tail;
            }
            server.end_of_input(Duration::ZERO, &mut out);
            out
        };
        prop_assert_eq!(run(&cuts), run(&[lines.len()]));
    }
}
