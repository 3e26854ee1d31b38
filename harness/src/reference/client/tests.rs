//! The client as a whole, in conversation with the reference server.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, Conduct, Deed, Outlet};
use crate::reference::{Behaviour, Outbox, Server, fixture};
use crate::revision::{Revision, Revisions, code, meta};
use crate::user::{Kind, Wish, usual};

/// What came of a whole session.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// Everything that the client wrote.
    pub(super) written: Vec<Value>,
    pub(super) surface: Vec<Value>,
    pub(super) stderr: String,
    pub(super) exit: Option<i32>,
    pub(super) took: Duration,
}

impl Told {
    fn take(&mut self, out: &mut Outlet) -> Vec<u8> {
        let bytes = out.bytes();
        self.written.extend(parse(&bytes));
        for deed in std::mem::take(&mut out.deeds) {
            match deed {
                Deed::Surface(text) => self.surface.push(serde_json::from_str(&text).unwrap()),
                Deed::Stderr(text) => self.stderr.push_str(&text),
                Deed::Exit(status) => self.exit = Some(status),
                Deed::Wish(text) => assert!(serde_json::from_str::<Wish>(&text).is_ok(), "{text}"),
                Deed::Write(_) | Deed::Signal(_) | Deed::HangUp => {}
            }
        }
        bytes
    }

    /// The methods that the client used, in order.
    pub(super) fn methods(&self) -> Vec<&str> {
        self.written.iter().filter_map(|message| message["method"].as_str()).collect()
    }

    /// What was said of the last wish of this kind.
    pub(super) fn done(&self, kind: &str) -> &Value {
        let of_kind = |line: &&Value| line["turncoat"] == "done" && line["do"] == kind;
        self.surface.iter().rfind(of_kind).unwrap_or(&Value::Null)
    }

    fn shown(&self) -> &Value {
        self.surface.iter().rfind(|line| line["turncoat"] == "surface").unwrap_or(&Value::Null)
    }
}

pub(super) fn parse(bytes: &[u8]) -> Vec<Value> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"));
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// Whatever the client talks to.
pub(super) trait Other {
    fn hear(&mut self, now: Duration, bytes: &[u8]) -> Vec<u8>;
    fn wake_at(&self) -> Option<Duration> {
        None
    }
    fn wake(&mut self, _now: Duration) -> Vec<u8> {
        Vec::new()
    }
}

impl Other for Server {
    fn hear(&mut self, now: Duration, bytes: &[u8]) -> Vec<u8> {
        let mut out = Outbox::default();
        self.receive(now, bytes, &mut out);
        out.bytes
    }

    fn wake_at(&self) -> Option<Duration> {
        self.wake_at()
    }

    fn wake(&mut self, now: Duration) -> Vec<u8> {
        let mut out = Outbox::default();
        self.wake(now, &mut out);
        out.bytes
    }
}

/// Answers each message by a function of it; what it gives is said.
pub(super) struct Scripted<F>(pub(super) F);

impl<F: FnMut(&Value) -> Vec<Value>> Other for Scripted<F> {
    fn hear(&mut self, _now: Duration, bytes: &[u8]) -> Vec<u8> {
        parse(bytes).iter().flat_map(&mut self.0).flat_map(|said| format!("{said}\n").into_bytes()).collect()
    }
}

/// Lets a client and a server talk until the client ends.
pub(super) fn converse(conduct: Conduct, wishes: Vec<Wish>, server: &mut dyn Other) -> Told {
    let mut client = Client::new(conduct, wishes);
    let (mut now, mut told, mut out) = (Duration::ZERO, Told::default(), Outlet::default());
    client.begin(now, &mut out);
    for _ in 0..20_000 {
        let mut bytes = told.take(&mut out);
        if told.exit.is_some() {
            told.took = now;
            return told;
        }
        bytes = if bytes.is_empty() { Vec::new() } else { server.hear(now, &bytes) };
        if bytes.is_empty() {
            let Some(at) = [client.wake_at(), server.wake_at()].into_iter().flatten().min() else {
                panic!("both sides wait: {told:?}");
            };
            now = now.max(at);
            client.wake(now, &mut out);
            bytes = server.wake(now);
        }
        client.receive(now, &bytes, &mut out);
    }
    panic!("no end: {:?}", told.methods());
}

fn with(revisions: &[Revision], wishes: Vec<Wish>) -> Told {
    let mut server = Server::new(Behaviour::of(Revisions::of(revisions)));
    converse(Conduct::default(), wishes, &mut server)
}

pub(super) fn wishes(text: Value) -> Vec<Wish> {
    serde_json::from_value(text).unwrap()
}

/// A legacy server that answers `initialize` and leaves the rest to a function.
pub(super) fn legacy(
    revision: Revision,
    mut rest: impl FnMut(&Value) -> Vec<Value>,
) -> Scripted<impl FnMut(&Value) -> Vec<Value>> {
    Scripted(move |message: &Value| match message["method"].as_str() {
        Some("server/discover") => vec![refuse(message, code::METHOD_NOT_FOUND)],
        Some("initialize") => vec![answer(
            message,
            json!({
                "protocolVersion": revision.as_str(),
                "capabilities": {"tools": {}, "prompts": {}, "resources": {}, "logging": {}, "completions": {}},
                "serverInfo": {"name": "scripted", "version": "1"},
            }),
        )],
        _ => rest(message),
    })
}

/// A modern server that answers `server/discover` and leaves the rest to a function.
pub(super) fn modern(mut rest: impl FnMut(&Value) -> Vec<Value>) -> Scripted<impl FnMut(&Value) -> Vec<Value>> {
    Scripted(move |message: &Value| match message["method"].as_str() {
        Some("server/discover") => vec![answer(
            message,
            json!({
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {"listChanged": true}, "prompts": {}, "resources": {"subscribe": true}},
            }),
        )],
        _ => rest(message),
    })
}

pub(super) fn answer(request: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": request["id"], "result": result})
}

pub(super) fn refuse(request: &Value, code: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": "no"}})
}

#[test]
fn the_usual_wishes_come_true_in_every_revision() {
    for revision in Revision::ALL {
        let told = with(&[revision], usual());
        assert_eq!(told.exit, Some(0));
        assert_eq!(told.done("connect")["result"]["revision"], revision.as_str());
        assert_eq!(told.shown()["errors"], json!([]), "{revision}");
        assert!(told.shown()["tools"].as_array().unwrap().len() > 10);
        assert_eq!(told.done("call")["result"]["content"][0]["text"], "turncoat");
        assert_eq!(told.stderr, "");
    }
}

#[test]
fn eras_are_told_apart() {
    let dual = with(&Revision::ALL, usual());
    assert_eq!(dual.done("connect")["result"]["revision"], "2026-07-28");
    assert!(!dual.methods().contains(&"initialize"));
    let legacy = with(&[Revision::V2025_06_18], usual());
    assert_eq!(legacy.methods()[..3], ["server/discover", "initialize", "notifications/initialized"]);
    assert_eq!(legacy.written[1]["params"]["protocolVersion"], "2025-11-25");
    assert!(legacy.written[1..].iter().all(|message| message["params"]["_meta"].get(meta::PROTOCOL_VERSION).is_none()));
}

#[test]
fn a_silent_server_is_taken_for_a_legacy_one() {
    let mut late = legacy(Revision::V2025_11_25, |_| Vec::new());
    let mut server = Scripted(
        move |message: &Value| {
            if message["method"] == "server/discover" { Vec::new() } else { late.0(message) }
        },
    );
    let told = converse(Conduct::default(), wishes(json!([{"do": "connect"}, {"do": "close"}])), &mut server);
    let expected = ["server/discover", "notifications/cancelled", "initialize", "notifications/initialized"];
    assert_eq!(told.methods(), expected);
    assert_eq!((told.exit, told.took.as_secs()), (Some(0), 5));
}

#[test]
fn refusals_of_the_probe() {
    let only = || wishes(json!([{"do": "connect"}, {"do": "close"}]));
    let with = |conduct: &Conduct, code: i64, data: Value| {
        let mut server = Scripted(|message: &Value| {
            let mut refusal = refuse(message, code);
            refusal["error"]["data"] = data.clone();
            if message.get("id").is_some() { vec![refusal] } else { Vec::new() }
        });
        converse(conduct.clone(), only(), &mut server)
    };
    let dual = Conduct::default();
    for code in [-32601, -32602, -32600, -32603, -32700, -32000, -32001, -32004, -1, 0, 1] {
        let told = with(&dual, code, json!({"supported": ["2026-07-28"]}));
        assert_eq!(told.methods(), ["server/discover", "initialize"], "{code}");
        assert_eq!(told.exit, Some(1));
    }
    let again = with(&dual, -32022, json!({"supported": ["2026-07-28"]}));
    assert_eq!(again.methods(), ["server/discover", "server/discover"]);
    let never = with(&dual, -32022, json!({"supported": ["2099-01-01"]}));
    assert_eq!(never.methods(), ["server/discover"]);
    let older = with(&dual, -32022, json!({"supported": ["2025-06-18", "2024-11-05"]}));
    assert_eq!(older.written[1]["params"]["protocolVersion"], "2025-06-18");
    let lacking = with(&dual, -32021, json!({"requiredCapabilities": {"x": {}}}));
    assert_eq!(lacking.methods(), ["server/discover"]);
    let modern = with(&Conduct::of(Revisions::MODERN), -32601, Value::Null);
    assert_eq!(modern.methods(), ["server/discover"]);
}

#[test]
fn an_unspoken_version_ends_the_handshake() {
    for version in [json!("1999-01-01"), json!(20_251_125), Value::Null, json!("2026-07-28")] {
        let mut server = Scripted(|message: &Value| match message["method"].as_str() {
            Some("initialize") => vec![answer(message, json!({"protocolVersion": version, "capabilities": {}}))],
            _ => Vec::new(),
        });
        let told = converse(Conduct::of(Revisions::LEGACY), usual(), &mut server);
        assert_eq!((told.methods(), told.exit), (vec!["initialize"], Some(1)));
        assert_eq!(told.done("call")["failed"], true);
    }
}

#[test]
fn undeclared_features_are_not_used() {
    let mut server = Scripted(|message: &Value| match message["method"].as_str() {
        Some("initialize") => vec![answer(message, json!({"protocolVersion": "2025-11-25", "capabilities": {}}))],
        _ => Vec::new(),
    });
    let told = converse(Conduct::of(Revisions::LEGACY), usual(), &mut server);
    assert_eq!(told.methods(), ["initialize", "notifications/initialized"]);
    assert_eq!(told.exit, Some(0));
}

#[test]
fn an_unanswered_request_is_cancelled_and_progress_buys_time_up_to_a_point() {
    let call = || wishes(json!([{"do": "connect"}, {"do": "call", "tool": "t"}, {"do": "close"}]));
    let page = |message: &Value| answer(message, json!({"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}));
    let mut silent = legacy(Revision::V2025_11_25, |message| match message["method"].as_str() {
        Some("tools/list") => vec![page(message)],
        _ => Vec::new(),
    });
    let told = converse(Conduct::default(), call(), &mut silent);
    let id = &told.written.iter().find(|message| message["method"] == "tools/call").unwrap()["id"];
    let cancelled = told.written.iter().find(|message| message["method"] == "notifications/cancelled").unwrap();
    assert_eq!(cancelled["params"]["requestId"], *id);
    assert_eq!((told.took.as_secs(), told.exit), (30, Some(0)));
    let mut client = Client::new(Conduct::of(Revisions::LEGACY), call());
    let mut out = Outlet::default();
    client.begin(Duration::ZERO, &mut out);
    for line in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}}),
        page(&json!({"id": 2})),
    ] {
        client.receive(Duration::ZERO, format!("{line}\n").as_bytes(), &mut out);
    }
    let mut seconds = 0;
    while client.wake_at().is_some_and(|at| at > Duration::from_secs(seconds + 10)) {
        seconds += 10;
        let progress = json!({"progressToken": 3, "progress": seconds});
        let line = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress});
        client.receive(Duration::from_secs(seconds), format!("{line}\n").as_bytes(), &mut out);
    }
    assert_eq!(client.wake_at(), Some(Duration::from_secs(60)));
}

#[test]
fn walks_end() {
    let list = |kind: &str| wishes(json!([{"do": "connect"}, {"do": "list", "what": kind}, {"do": "close"}]));
    let count = |told: &Told| told.methods().iter().filter(|method| **method == "tools/list").count();
    let mut pages = 0;
    let mut endless = legacy(Revision::V2025_11_25, |message| {
        pages += 1;
        let tool = json!({"name": format!("t{pages}"), "inputSchema": {"type": "object"}});
        vec![answer(message, json!({"tools": [tool], "nextCursor": format!("{pages}")}))]
    });
    assert_eq!(count(&converse(Conduct::default(), list("tools"), &mut endless)), 1_000);
    let mut repeating =
        legacy(Revision::V2025_11_25, |message| vec![answer(message, json!({"tools": [], "nextCursor": ""}))]);
    let told = converse(Conduct::default(), list("tools"), &mut repeating);
    assert_eq!(count(&told), 2);
    assert_eq!(told.written.last().unwrap()["params"]["cursor"], "");
    let mut refusing = legacy(Revision::V2025_11_25, |message| match message["params"].get("cursor") {
        Some(_) => vec![refuse(message, code::INVALID_PARAMS)],
        None => vec![answer(message, json!({"tools": [], "nextCursor": "x"}))],
    });
    let told = converse(Conduct::default(), list("tools"), &mut refusing);
    assert_eq!((count(&told), &told.done("list")["failed"]), (4, &json!(true)));
}

#[test]
fn modern_results_are_judged_by_their_type_and_kept_as_long_as_they_may() {
    let list = json!({"do": "list", "what": "tools"});
    let idle = json!({"do": "idle", "milliseconds": 2000});
    let user = || wishes(json!([{"do": "connect"}, list, list, idle, list, {"do": "close"}]));
    let count = |told: &Told| told.methods().iter().filter(|method| **method == "tools/list").count();
    for (ttl, asked) in [(json!(1500), 2), (json!(10_000.0), 1), (json!(0), 3), (json!(-5), 3), (Value::Null, 3)] {
        let page = json!({"resultType": "complete", "tools": [], "ttlMs": ttl, "cacheScope": "public"});
        let told = converse(Conduct::default(), user(), &mut modern(|message| vec![answer(message, page.clone())]));
        assert_eq!(count(&told), asked, "{ttl}");
    }
    for (kind, failed) in [(json!("x-bogus"), true), (json!("complete"), false), (json!("input_required"), true)] {
        let page = json!({"resultType": kind, "tools": []});
        let told = converse(Conduct::default(), user(), &mut modern(|message| vec![answer(message, page.clone())]));
        assert_eq!(told.done("list")["failed"], failed);
    }
    let told = converse(Conduct::default(), user(), &mut modern(|message| vec![answer(message, json!({"tools": []}))]));
    assert_eq!(told.done("list")["failed"], false);
}

#[test]
fn the_end_of_the_server_is_told_and_costs_the_exit_status() {
    let mut client = Client::new(Conduct::default(), usual());
    let mut out = Outlet::default();
    client.begin(Duration::ZERO, &mut out);
    client.end_of_input(Duration::ZERO, &mut out);
    let mut told = Told::default();
    told.take(&mut out);
    assert_eq!(told.exit, Some(1));
    assert_eq!(told.done("get")["failed"], true);
    assert_eq!(told.shown()["results"].as_array().unwrap().len(), 9);
}

#[test]
fn every_list_is_named() {
    let told = with(&[Revision::V2025_11_25], usual());
    for kind in Kind::ALL {
        assert!(told.methods().contains(&kind.method()));
    }
    assert_eq!(told.done("read")["result"]["uris"], json!([fixture::README]));
}
