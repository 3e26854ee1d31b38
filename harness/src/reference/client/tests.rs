//! The client as a whole, in conversation with the reference server.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Client, Conduct, Deed, Outlet, variants};
use crate::reference::{Behaviour, Outbox, Server, fixture};
use crate::revision::{Revision, Revisions, code, meta};
use crate::user::{Kind, Wish, usual};

mod faults;

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
                Deed::Die(signal) => panic!("died of {signal}"),
                Deed::Write(_) | Deed::Restart | Deed::Fetch { .. } | Deed::Signal(_) | Deed::HangUp => {}
                Deed::Ask(..) | Deed::Abandon(_) => {}
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

/// Everything that a user may want of the reference server.
fn everything() -> Vec<Wish> {
    let call = |tool: &str| json!({"do": "call", "tool": tool});
    let mut all = usual();
    all.truncate(all.len() - 2);
    all.extend(wishes(json!([
        {"do": "watch", "uri": fixture::TOUCHED}, {"do": "log-level", "level": "debug"},
        {"do": "complete", "prompt": fixture::GREET, "argument": "name", "value": "A"},
        call(fixture::ASK_ROOTS), call(fixture::ASK_MODEL),
        {"do": "call", "tool": fixture::ASK_MODEL, "arguments": {"tools": true}},
        call(fixture::ASK_USER), {"do": "call", "tool": fixture::ASK_USER, "arguments": {"mode": "url"}},
        call(fixture::TOGGLE_TOOL), call(fixture::EXTRA), call(fixture::TOUCH_RESOURCE), call(fixture::FAIL),
        call(fixture::MEDIA), {"do": "roots", "uris": ["file:///b", "http://c"]}, call(fixture::ASK_ROOTS),
        {"do": "unwatch", "uri": fixture::TOUCHED}, {"do": "read", "uri": "memo:///none"},
        {"do": "get", "prompt": fixture::GREET, "arguments": {"name": 5}},
        {"do": "call", "tool": fixture::SLOW, "arguments": {"milliseconds": 9000}, "wait": false},
        {"do": "idle", "milliseconds": 300}, {"do": "abort"}, {"do": "surface"}, {"do": "close"},
    ])));
    all
}

fn texts(told: &Told, kind: &str) -> Vec<(bool, String)> {
    let of_kind = told.shown()["results"].as_array().unwrap().iter().filter(|result| result["do"] == kind);
    of_kind.map(|result| (result["failed"] == true, result["text"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn user_and_model_are_asked_in_every_revision() {
    for revision in Revision::ALL {
        let told = with(&[revision], everything());
        assert_eq!((told.exit, told.stderr.as_str()), (Some(0), ""), "{revision}");
        let calls = texts(&told, "call");
        let text = |at: usize| calls[at].1.as_str();
        assert_eq!(text(2), "roots: file:///home/ada/project");
        assert_eq!(text(3), "turncoat-reference says: You are doing well.");
        let elicits = revision >= Revision::V2025_06_18;
        assert_eq!(calls[5], if elicits { (false, "the user is Ada".into()) } else { calls[5].clone() }, "{revision}");
        if revision >= Revision::V2025_11_25 {
            assert_eq!(text(6), "the user consented");
        }
        assert!(!calls[8].0, "{revision}: the tool that came was found: {:?}", calls[8]);
        assert_eq!(told.shown()["updates"], json!([fixture::TOUCHED]), "{revision}");
        assert!(text(10).starts_with("the tool failed"), "{revision}: {calls:?}");
        assert_eq!(text(12), "roots: file:///b");
        assert_eq!(texts(&told, "read")[1].1, "not found: memo:///none");
        assert!(!texts(&told, "get")[1].0);
        assert_eq!(calls.last().unwrap().1, "aborted");
        assert!(told.methods().contains(&"notifications/cancelled"));
    }
}

#[test]
fn every_variant_gets_what_it_wants() {
    for variant in variants() {
        for revision in variant.conduct().revisions.iter() {
            let mut server = Server::new(Behaviour::of(Revisions::of(&[revision])));
            let told = converse(variant.conduct(), everything(), &mut server);
            assert_eq!((told.exit, told.stderr.as_str()), (Some(0), ""), "{} {revision}", variant.name);
            assert_eq!(told.done("connect")["result"]["revision"], revision.as_str(), "{}", variant.name);
            assert!(!texts(&told, "call")[1].0, "{} {revision}: {}", variant.name, told.shown());
        }
    }
}

#[test]
fn a_tool_that_needs_a_task_is_called_as_one() {
    let user = wishes(json!([{"do": "connect"}, {"do": "call", "tool": fixture::TASK_ONLY}, {"do": "surface"},
        {"do": "close"}]));
    let told = with(&[Revision::V2025_11_25], user);
    assert!(!texts(&told, "call")[0].0, "{}", told.shown());
    assert!(told.methods().contains(&"tasks/result"));
}

#[test]
fn odd_tools_do_not_cost_the_others() {
    let user =
        || wishes(json!([{"do": "connect"}, {"do": "call", "tool": "good"}, {"do": "surface"}, {"do": "close"}]));
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let line = |id: &Value| {
        let tools = json!([
            {"name": "cyclic", "inputSchema": {"type": "object", "allOf": [{"$ref": "#"}]}},
            {"name": "remote", "inputSchema": {"type": "object"}, "outputSchema": {"$ref": "http://127.0.0.1:1/x.json"}},
            {"name": "null", "inputSchema": null}, {"name": 5}, {"name": "good", "inputSchema": {"type": "object"}},
            {"name": "good", "inputSchema": {"type": "object"}},
        ]);
        let text = tools.to_string();
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"tools\":[{{\"name\":\"deep\",\"inputSchema\":{deep}}},{}}}}}\n",
            &text[1..]
        )
    };
    struct Deep<F>(F);
    impl<F: FnMut(&Value) -> Vec<u8>> Other for Deep<F> {
        fn hear(&mut self, _now: Duration, bytes: &[u8]) -> Vec<u8> {
            parse(bytes).iter().flat_map(&mut self.0).collect()
        }
    }
    let mut shaken = legacy(Revision::V2025_11_25, |message| {
        vec![answer(message, json!({"content": [{"type": "hologram"}, {"type": "text", "text": "x"}]}))]
    });
    let mut server = Deep(|message: &Value| match message["method"].as_str() {
        Some("tools/list") => line(&message["id"]).into_bytes(),
        _ => shaken.hear(Duration::ZERO, format!("{message}\n").as_bytes()),
    });
    let told = converse(Conduct::default(), user(), &mut server);
    assert_eq!(told.shown()["tools"], json!(["good"]));
    assert_eq!(told.done("call")["result"]["content"][0]["type"], "unsupported");
}

#[test]
fn retries_repeat_the_request_with_the_state_and_nothing_else() {
    let user = || {
        wishes(json!([{"do": "connect"}, {"do": "read", "uri": "a:b"}, {"do": "read", "uri": "a:b"},
        {"do": "close"}]))
    };
    let states = [json!(" \u{2028}=\\\""), Value::Null, json!("")];
    let mut rounds = 0;
    let mut server = modern(|message| {
        rounds += 1;
        let mut result = json!({"resultType": "input_required", "inputRequests": {"": {"method": "roots/list"}}});
        match states.get(rounds - 1) {
            Some(Value::Null) => {}
            Some(state) => result["requestState"] = state.clone(),
            None => result = json!({"resultType": "complete", "contents": [], "ttlMs": 60_000}),
        }
        vec![answer(message, result)]
    });
    let told = converse(Conduct::default(), user(), &mut server);
    let reads: Vec<_> = told.written.iter().filter(|message| message["method"] == "resources/read").collect();
    let sent: Vec<_> = reads.iter().map(|read| read["params"].get("requestState").cloned()).collect();
    let expected = [None, Some(states[0].clone()), None, Some(states[2].clone()), None];
    assert_eq!(sent, expected);
    assert_eq!(reads[1]["params"]["inputResponses"][""]["roots"][0]["uri"], "file:///home/ada/project");
    let endless = json!({"resultType": "input_required", "requestState": "s"});
    let told = converse(Conduct::default(), user(), &mut modern(|message| vec![answer(message, endless.clone())]));
    assert_eq!(told.methods().iter().filter(|method| **method == "resources/read").count(), 18);
}

#[test]
fn questions_of_a_legacy_server_are_answered_as_declared() {
    let bare = variants().iter().find(|variant| variant.name == "bare").unwrap().conduct();
    let form = variants().iter().find(|variant| variant.name == "form-only").unwrap().conduct();
    let asked = |conduct: Conduct, method: &str, params: Value| {
        let mut client = Client::new(conduct, wishes(json!([{"do": "connect"}, {"do": "idle", "milliseconds": 9}])));
        let mut out = Outlet::default();
        client.begin(Duration::ZERO, &mut out);
        let (refusal, hello) = (
            json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}),
            json!({"jsonrpc": "2.0", "id": 2, "result": {"protocolVersion": "2025-11-25", "capabilities": {}}}),
        );
        let question = json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params});
        for line in [refusal, hello, question] {
            client.receive(Duration::ZERO, format!("{line}\n").as_bytes(), &mut out);
        }
        parse(&out.bytes()).into_iter().find(|message| message["id"] == "q").unwrap()
    };
    assert_eq!(asked(bare.clone(), "ping", json!({}))["result"], json!({}));
    for method in ["roots/list", "sampling/createMessage", "elicitation/create", "x/y"] {
        assert_eq!(asked(bare.clone(), method, json!({}))["error"]["code"], code::METHOD_NOT_FOUND, "{method}");
    }
    for mode in ["url", "telepathy"] {
        let answer = asked(form.clone(), "elicitation/create", json!({"mode": mode, "message": "", "url": "x:y"}));
        assert_eq!(answer["error"]["code"], code::INVALID_PARAMS);
    }
    let schema = json!({"type": "object", "properties": {}});
    let accepted = asked(form, "elicitation/create", json!({"message": "", "requestedSchema": schema}));
    assert_eq!(accepted["result"], json!({"action": "accept", "content": {}}));
    let used = json!({"role": "assistant", "content": {"type": "tool_use", "id": "1", "name": "x", "input": {}}});
    let mixed =
        json!({"role": "user", "content": [{"type": "text", "text": ""}, {"type": "tool_result", "toolUseId": "1"}]});
    for history in [json!([used]), json!([used, mixed])] {
        let params = json!({"messages": history, "maxTokens": 5});
        let answer = asked(Conduct::default(), "sampling/createMessage", params);
        assert_eq!(answer["error"]["code"], code::INVALID_PARAMS);
    }
}

#[test]
fn subscriptions_are_told_apart() {
    let user = wishes(json!([{"do": "connect"}, {"do": "list", "what": "tools"}, {"do": "watch", "uri": "a:1"},
        {"do": "watch", "uri": "a:2"}, {"do": "read", "uri": "a:9"}, {"do": "call", "tool": "t"},
        {"do": "surface"}, {"do": "close"}]));
    let mut ids = Vec::new();
    let news = |id: &Value, method: &str, params: Value| {
        let mut params = params;
        params["_meta"] = json!({meta::SUBSCRIPTION_ID: id});
        json!({"jsonrpc": "2.0", "method": method, "params": params})
    };
    let mut server = modern(move |message| match message["method"].as_str() {
        Some("subscriptions/listen") => {
            ids.push(message["id"].clone());
            let filter = json!({"notifications": message["params"]["notifications"]});
            vec![news(&message["id"], "notifications/subscriptions/acknowledged", filter)]
        }
        Some("tools/list") => {
            let tools = json!([{"name": "t", "inputSchema": {"type": "object"}}]);
            vec![answer(message, json!({"tools": tools, "ttlMs": 9_000}))]
        }
        Some("resources/read") => vec![
            news(&ids[1], "notifications/tools/list_changed", json!({})),
            news(&json!(ids[0].to_string()), "notifications/tools/list_changed", json!({})),
            news(&ids[0], "notifications/resources/updated", json!({"uri": "a:2"})),
            news(&ids[1], "notifications/resources/updated", json!({"uri": "a:2/part"})),
            answer(message, json!({"contents": []})),
        ],
        Some("tools/call") => vec![answer(message, json!({"content": []}))],
        _ => Vec::new(),
    });
    let told = converse(Conduct::default(), user, &mut server);
    assert_eq!(told.methods().iter().filter(|method| **method == "tools/list").count(), 1);
    assert_eq!(told.shown()["updates"], json!(["a:2/part"]));
}

#[test]
fn a_batch_is_taken_apart_where_there_are_batches() {
    let mut server = legacy(Revision::V2025_03_26, |message| match message["method"].as_str() {
        Some("tools/list") => {
            let ping = |id: u8| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}});
            vec![json!([ping(8), cancelled, ping(9), answer(message, json!({"tools": []}))])]
        }
        _ => Vec::new(),
    });
    let user = wishes(json!([{"do": "connect"}, {"do": "list", "what": "tools"}, {"do": "close"}]));
    let told = converse(Conduct::default(), user, &mut server);
    assert_eq!(told.done("list")["failed"], false);
    let last = told.written.last().unwrap().as_array().unwrap();
    assert_eq!((last.len(), &last[1]["id"]), (2, &json!(9)));
}

#[test]
fn structured_content_is_held_against_its_schema() {
    for (content, failed) in [(json!({"n": 1}), false), (json!({"n": "x"}), true), (Value::Null, true)] {
        let mut server = legacy(Revision::V2025_06_18, |message| match message["method"].as_str() {
            Some("tools/list") => {
                let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
                let tool = json!({"name": "t", "inputSchema": {"type": "object"}, "outputSchema": schema});
                vec![answer(message, json!({"tools": [tool]}))]
            }
            Some("tools/call") => vec![answer(message, json!({"content": [], "structuredContent": content}))],
            _ => Vec::new(),
        });
        let user = wishes(json!([{"do": "connect"}, {"do": "call", "tool": "t"}, {"do": "close"}]));
        let told = converse(Conduct::default(), user, &mut server);
        assert_eq!(told.done("call")["failed"], failed, "{content}");
    }
}

/// What one piece after another leads to.
fn deeds(pieces: &[&[u8]]) -> String {
    let (mut client, mut out) = (Client::new(Conduct::default(), usual()), Outlet::default());
    client.begin(Duration::ZERO, &mut out);
    for piece in pieces {
        client.receive(Duration::ZERO, piece, &mut out);
    }
    while let Some(at) = client.wake_at() {
        client.wake(at, &mut out);
    }
    client.end_of_input(Duration::from_secs(600), &mut out);
    format!("{:?} {:?}", String::from_utf8_lossy(&out.bytes()), out.deeds.last())
}

/// What a server might say, sound or not, in either era.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let id = prop_oneof![Just("1"), Just("2"), Just("3"), Just("\"2\""), Just("null"), Just("1.5")];
    let values = prop_oneof![
        Just("{}"),
        Just("null"),
        Just("[[[]]]"),
        Just(r#"{"protocolVersion":"2025-03-26","capabilities":{"tools":{},"resources":{}}}"#),
        Just(r#"{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{}}}"#),
        Just(r#"{"tools":[{"name":"echo","inputSchema":{"type":"object"}},5],"nextCursor":"x"}"#),
        Just(r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"requestState":"s"}"#),
        Just(r#"{"content":[{"type":"text"},7],"structuredContent":[]}"#),
        Just(r#"{"code":-32022,"message":5,"data":{"supported":["2026-07-28","2024-11-05",1]}}"#),
        Just(r#"{"messages":[{"content":[{"type":"tool_result"}]}],"requestedSchema":{"properties":{"a":{}}}}"#),
    ];
    let methods = prop_oneof![
        Just("ping"),
        Just("roots/list"),
        Just("sampling/createMessage"),
        Just("elicitation/create"),
        Just("notifications/cancelled"),
        Just("notifications/tools/list_changed"),
        Just("notifications/progress"),
        Just("notifications/subscriptions/acknowledged"),
        Just("notifications/resources/updated"),
    ];
    let line = (id, values, methods, 0..7_u8).prop_map(|(id, value, method, form)| match form {
        0 | 1 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{value}}}"#),
        2 => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{value}}}"#),
        3 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{value}}}"#),
        4 => format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{value}}}"#),
        5 => format!(r#"[{{"jsonrpc":"2.0","id":{id},"method":"{method}"}},{value}]"#),
        _ => value.to_owned(),
    });
    proptest::collection::vec(line, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn garbage_never_panics_and_every_session_ends(lines in lines(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<u8>>();
        let told = deeds(&[&text, &bytes, b"\n"]);
        prop_assert!(told.contains("Exit"), "{}", told);
    }

    #[test]
    fn cuts_do_not_matter(lines in lines(), at in any::<prop::sample::Index>()) {
        let text = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<u8>>();
        let (first, second) = text.split_at(at.index(text.len() + 1));
        prop_assert_eq!(deeds(&[&text]), deeds(&[first, second]));
    }
}
