//! Every fault shows: in each of its revisions some traffic goes otherwise than with the honest server.

use serde_json::{Value, json};

use super::{Answer, Bench, altered, old};
use crate::reference::{Behaviour, FAULTS, FaultInfo, fixture};
use crate::revision::{Revision, meta};
use crate::transcript::{Transport, Transports};

/// What a client sees of a gateway on a way past everything that it has.
fn tour(behaviour: Behaviour, revision: Revision) -> Vec<String> {
    let mut bench = Bench::new(behaviour, revision);
    match revision {
        Revision::V2024_11_05 => tour_old(&mut bench),
        Revision::V2026_07_28 => tour_modern(&mut bench),
        _ => tour_legacy(&mut bench),
    }
    bench.wait();
    let mut seen = snapshot(&bench);
    bench.delete();
    bench.ask("ping", json!({}));
    let garbage = bench.request("POST", "{nonsense");
    bench.send(garbage);
    let request = bench.request("POST", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    bench.send(request);
    seen.extend(snapshot(&bench));
    seen
}

fn snapshot(bench: &Bench) -> Vec<String> {
    let show = |answer: &Answer| {
        let Answer { status, headers, body, ended, aborted } = answer;
        format!("{status} {headers:?} {} {ended} {aborted}", String::from_utf8_lossy(body))
    };
    (1..=bench.next).map(|number| bench.answers.get(&number).map_or_else(String::new, show)).collect()
}

fn tour_legacy(bench: &mut Bench) {
    let try_open = |bench: &mut Bench| {
        bench.session = None;
        let params = json!({
            "protocolVersion": bench.revision.as_str(),
            "capabilities": bench.client,
            "clientInfo": {"name": "bench", "version": "1"},
        });
        let answer = bench.ask("initialize", params);
        bench.session = answer.header("mcp-session-id").map(str::to_owned);
        bench.notify("notifications/initialized", json!({}));
    };
    try_open(bench);
    try_open(bench);
    for origin in ["http://evil.example", "http://localhost.evil.example"] {
        let request = bench.post("tools/call", json!({"name": fixture::RECORD, "arguments": {}}));
        bench.send(altered(request, "Origin", Some(origin)));
    }
    bench.ask("tools/list", json!({}));
    let get = bench.get();
    bench.get();
    let first = bench.slow(100);
    let second = bench.slow(100);
    bench.call(fixture::TOGGLE_TOOL, json!({}));
    bench.now += std::time::Duration::from_millis(30);
    bench.ask("ping", json!({}));
    let last = bench.answer(first).events().pop().and_then(|event| event.id);
    bench.leave(first);
    let record = bench.begin("tools/call", json!({"name": "record", "arguments": {"milliseconds": 40}}));
    bench.leave(record);
    bench.call(fixture::TOGGLE_PROMPT, json!({}));
    bench.wait();
    bench.call(fixture::COUNT, json!({}));
    bench.resume(last.as_deref().unwrap_or("1-0"));
    assert!(get < second);
    let response = bench.request("POST", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    bench.send(response);
    for value in [Some("1999-01-01"), None] {
        let request = bench.post("ping", json!({}));
        bench.send(altered(request, "MCP-Protocol-Version", value));
    }
    for method in ["ping", "notifications/x"] {
        let request = bench.post(method, json!({}));
        bench.send(altered(request, "Mcp-Session-Id", None));
    }
}

fn tour_modern(bench: &mut Bench) {
    bench.ask("server/discover", json!({}));
    bench.ask("tools/list", json!({}));
    let version = json!({"_meta": {meta::PROTOCOL_VERSION: "2099-12-31"}});
    let request = bench.post("tools/list", version);
    bench.send(altered(request, "MCP-Protocol-Version", Some("2099-12-31")));
    for (name, value) in [
        ("Origin", Some("null")),
        ("Origin", Some("http://localhost.evil.example")),
        ("MCP-Protocol-Version", None),
        ("MCP-Protocol-Version", Some("1900-01-01")),
        ("Mcp-Name", None),
        ("Mcp-Name", Some("count")),
        ("Mcp-Name", Some("=?base64?ZWNobw==?=")),
        ("Mcp-Name", Some("=?BASE64?ZWNobw==?=")),
        ("MCP-NAME", Some("echo")),
        ("Mcp-Name", Some("  echo ")),
        ("Mcp-Session-Id", Some("x")),
    ] {
        let request = bench.post("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
        bench.send(altered(request, name, value));
    }
    bench.ask("x/none", json!({}));
    let mirror = |shard: Value, header: Option<&str>| {
        let arguments = json!({"region": "r", "shard": shard, "dry": true, "place": {"zone": "z"}});
        let all = [("Region", Some("r")), ("Shard", header), ("Dry-Run", Some("true")), ("Zone", Some("z"))];
        (arguments, all.map(|(name, value)| value.map(|value| (format!("Mcp-Param-{name}"), value.to_owned()))))
    };
    for (arguments, headers) in [
        mirror(json!(42), Some("42")),
        mirror(json!(42), Some("42.0")),
        mirror(json!(42), Some("43")),
        mirror(json!(42), Some("=?base64?%?=")),
        mirror(json!(null), None),
    ] {
        let mut request = bench.post("tools/call", json!({"name": fixture::MIRROR, "arguments": arguments}));
        request.headers.extend(headers.into_iter().flatten());
        bench.send(request);
    }
    for (name, value) in [("Mcp-Name", "count"), ("Origin", "null")] {
        let request = bench.post("tools/call", json!({"name": fixture::RECORD, "arguments": {}}));
        bench.send(altered(request, name, Some(value)));
    }
    bench.begin("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    let twins = [40, 60].map(|milliseconds: u32| {
        let slow = json!({"name": "slow", "arguments": {"milliseconds": milliseconds}, "_meta": {"progressToken": 7}});
        let mut request = bench.post("tools/call", slow);
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        body["id"] = 7.into();
        request.body = body.to_string().into_bytes();
        bench.send(request)
    });
    bench.call(fixture::TOGGLE_TOOL, json!({}));
    assert!(twins[0] < twins[1]);
    bench.wait();
    let record = bench.begin("tools/call", json!({"name": "record", "arguments": {"milliseconds": 40}}));
    bench.leave(record);
    bench.wait();
    bench.call(fixture::COUNT, json!({}));
    bench.notify("notifications/x", json!({}));
    let request = bench.post("notifications/x", json!({}));
    bench.send(altered(request, "MCP-Protocol-Version", Some("1900-01-01")));
    bench.get();
}

fn tour_old(bench: &mut Bench) {
    let request = bench.request("GET", "");
    for origin in ["http://evil.example", "http://localhost.evil.example"] {
        let mut request = altered(request.clone(), "Origin", Some(origin));
        request.target = "/sse".to_owned();
        bench.send(request);
    }
    let (_, endpoint) = old::open(bench);
    let params = json!({"protocolVersion": "2024-11-05", "capabilities": {}});
    old::post(bench, &endpoint, &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}));
    let mut garbage = bench.request("POST", "{nonsense");
    garbage.target = endpoint;
    bench.send(garbage);
}

#[test]
fn every_fault_shows_in_each_of_its_revisions() {
    let mut hidden = Vec::new();
    // One shows only among more requests than a tour has, the others on connections alone.
    let elsewhere = ["drops-some-of-many", "waits-for-slow-readers", "keeps-half-closed"];
    let shown = |fault: &&FaultInfo| fault.reach == Transports::HTTP && !elsewhere.contains(&fault.id);
    for fault in FAULTS.iter().filter(shown) {
        let faulty = Behaviour::default().with_fault(fault.id).unwrap();
        for revision in fault.revisions.iter().filter(|revision| faulty.revisions.has(*revision)) {
            if tour(faulty.clone(), revision) == tour(faulty.clone().reformed(), revision) {
                hidden.push((fault.id, revision.as_str()));
            }
        }
    }
    assert!(hidden.is_empty(), "{hidden:#?}");
}

#[test]
fn the_same_requests_get_the_same_reactions() {
    for revision in Revision::ALL {
        let first = tour(Behaviour::default(), revision);
        assert!(first.concat().len() > 500, "{first:#?}");
        assert_eq!(first, tour(Behaviour::default(), revision));
    }
}

#[test]
fn a_server_that_exits_takes_its_connections_along() {
    for revision in super::STREAMABLE {
        let mut bench = Bench::open(Behaviour::default().with_fault("dies-with-its-tool").unwrap(), revision);
        let slow = bench.slow(1000);
        let dead = bench.call(fixture::FAIL, json!({}));
        assert!(dead.aborted && bench.answer(slow).aborted);
        assert!(bench.gateway.exited().is_some());
        assert!(bench.ask("ping", json!({})).aborted);
    }
}

/// Whatever is wrong, the reactions to a request are a head, then a body, then an end; the bench sees to that.
#[test]
fn reactions_come_in_their_order() {
    for fault in FAULTS.iter().filter(|fault| fault.reach.has(Transport::Http)) {
        let faulty = Behaviour::default().with_fault(fault.id).unwrap();
        for revision in fault.revisions.iter().filter(|revision| faulty.revisions.has(*revision)) {
            assert!(!tour(faulty.clone(), revision).is_empty(), "{}", fault.id);
        }
    }
}

/// What a fault must leave alone, so that a client gets as far as to where it shows.
#[test]
fn faults_leave_the_rest_alone() {
    for fault in FAULTS.iter().filter(|fault| fault.reach == Transports::HTTP && fault.id != "splits-endpoint") {
        let faulty = Behaviour::default().with_fault(fault.id).unwrap();
        for revision in super::STREAMABLE.into_iter().filter(|revision| faulty.revisions.has(*revision)) {
            let mut bench = Bench::open(faulty.clone(), revision);
            let echoed = bench.call(fixture::ECHO, json!({"text": "x"}));
            assert_eq!((echoed.status, echoed.text().as_str()), (200, "x"), "{} in {revision}", fault.id);
            assert_eq!(bench.call("none", json!({})).code(), Some(-32602), "{} in {revision}", fault.id);
        }
    }
}
