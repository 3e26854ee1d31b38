//! Requests that stand alone.

use serde_json::json;

use super::{Bench, altered};
use crate::reference::http::Request;
use crate::reference::{Behaviour, fixture};
use crate::revision::{Revision, Revisions, code, meta};

const MODERN: Revision = Revision::V2026_07_28;

fn bench() -> Bench {
    Bench::new(Behaviour::default(), MODERN)
}

/// The status and the code that a request gets.
fn outcome(bench: &mut Bench, request: Request) -> (u16, Option<i64>) {
    let number = bench.send(request);
    (bench.answer(number).status, bench.answer(number).code())
}

#[test]
fn discovery_lists_and_calls() {
    let mut bench = bench();
    let found = bench.ask("server/discover", json!({}));
    assert_eq!((found.status, found.header("mcp-session-id")), (200, None));
    assert!(bench.ask("tools/list", json!({})).message()["result"]["tools"].is_array());
    assert_eq!(bench.call(fixture::ECHO, json!({"text": "x"})).text(), "x");
    assert_eq!(bench.ask("prompts/get", json!({"name": fixture::BABEL})).status, 200);
    assert_eq!(bench.ask("resources/read", json!({"uri": fixture::README})).status, 200);
    let slow = bench.slow(100);
    assert_eq!(bench.answer(slow).header("x-accel-buffering"), Some("no"));
    bench.wait();
    let answer = bench.answer(slow);
    assert!(answer.ended && answer.events().iter().all(|event| event.id.is_none()));
    assert_eq!((answer.reports(), answer.text().as_str()), (4, "waited 100 ms"));
}

#[test]
fn errors_have_their_status() {
    let mut bench = bench();
    for (method, params, expected) in [
        ("x/none", json!({}), (404, code::METHOD_NOT_FOUND)),
        ("resources/read", json!({"uri": "memo:///none"}), (400, code::INVALID_PARAMS)),
        ("tools/call", json!({"name": "none"}), (400, code::INVALID_PARAMS)),
        ("prompts/get", json!({"name": fixture::RAISE}), (500, code::INTERNAL_ERROR)),
    ] {
        let request = bench.post(method, params);
        assert_eq!(outcome(&mut bench, request), (expected.0, Some(expected.1)), "{method}");
    }
    bench.client = json!({});
    let lacking = bench.call(fixture::ASK_ROOTS, json!({}));
    assert_eq!((lacking.status, lacking.code()), (400, Some(code::MISSING_CLIENT_CAPABILITY)));
    let mut request = bench.post("tools/list", json!({}));
    request.body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec();
    assert_eq!(outcome(&mut bench, request), (400, Some(code::INVALID_PARAMS)));
    let request = bench.post("tools/list", json!({"_meta": {meta::PROTOCOL_VERSION: "2099-12-31"}}));
    let request = altered(request, "MCP-Protocol-Version", Some("2099-12-31"));
    assert_eq!(outcome(&mut bench, request), (400, Some(code::UNSUPPORTED_PROTOCOL_VERSION)));
    assert_eq!(bench.notify("notifications/x", json!({})).status, 202);
    let response = bench.request("POST", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(outcome(&mut bench, response).0, 400);
}

#[test]
fn headers_must_say_what_the_body_says() {
    let mut bench = bench();
    let good = (200, None);
    let bad = (400, Some(code::HEADER_MISMATCH));
    for (name, value, expected) in [
        ("MCP-Protocol-Version", None, bad),
        ("MCP-Protocol-Version", Some("2026-07-28 x"), bad),
        ("MCP-Protocol-Version", Some("2025-11-25"), bad),
        ("MCP-Protocol-Version", Some("1900-01-01"), bad),
        ("MCP-Protocol-Version", Some(" \t2026-07-28 "), good),
        ("Mcp-Method", None, bad),
        ("Mcp-Method", Some("tools/list"), bad),
        ("Mcp-Method", Some("TOOLS/CALL"), bad),
        ("Mcp-Method", Some("\ttools/call "), good),
        ("Mcp-Name", None, bad),
        ("Mcp-Name", Some("count"), bad),
        ("Mcp-Name", Some("echoes"), bad),
        ("Mcp-Name", Some("ech"), bad),
        ("Mcp-Name", Some("=?base64?ZWNobw==?="), good),
        ("Mcp-Name", Some("=?base64?Y291bnQ=?="), bad),
        ("Mcp-Name", Some("=?base64?ZWNobw?="), bad),
        ("Mcp-Name", Some("=?base64?!!!?="), bad),
        ("Mcp-Name", Some("=?BASE64?ZWNobw==?="), bad),
        ("mcp-name", Some("echo"), good),
        ("MCP-METHOD", Some("tools/call"), good),
        ("mCP-pROTOCOL-vERSION", Some("2026-07-28"), good),
    ] {
        let request = bench.post("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
        assert_eq!(outcome(&mut bench, altered(request, name, value)), expected, "{name}: {value:?}");
    }
    let mut request = bench.post("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    request.headers.push(("mcp-name".to_owned(), "count".to_owned()));
    assert_eq!(outcome(&mut bench, request), bad);
    let request = bench.post("tools/list", json!({}));
    assert_eq!(outcome(&mut bench, altered(request, "Mcp-Name", Some("stray"))), good);
}

#[test]
fn annotated_arguments_must_be_repeated() {
    let mut bench = bench();
    let good = (200, None);
    let bad = (400, Some(code::HEADER_MISMATCH));
    let full = json!({"region": "Süd", "shard": 42, "place": {"zone": "a"}});
    let plain = json!({"region": "us-west1"});
    for (arguments, headers, expected) in [
        (&plain, vec![("Mcp-Param-Region", "us-west1")], good),
        (&plain, vec![("MCP-PARAM-REGION", "=?base64?dXMtd2VzdDE=?=")], good),
        (&plain, vec![], bad),
        (&plain, vec![("Mcp-Param-Region", "us-west2")], bad),
        (&plain, vec![("Mcp-Param-Region", "=?base64?%?=")], bad),
        (&plain, vec![("Mcp-Param-Region", "us\u{7}west1")], bad),
        (&plain, vec![("Mcp-Param-Region", "us-west1"), ("Mcp-Param-Shard", "1")], bad),
        (&json!({"region": "r", "shard": null}), vec![("Mcp-Param-Region", "r")], good),
        (
            &full,
            vec![("Mcp-Param-Region", "=?base64?U8O8ZA==?="), ("Mcp-Param-Shard", "42.0"), ("mcp-param-zone", "a")],
            good,
        ),
        (&full, vec![("Mcp-Param-Region", "=?base64?U8O8ZA==?="), ("Mcp-Param-Shard", "42")], bad),
        (
            &full,
            vec![("Mcp-Param-Region", "=?base64?U8O8ZA==?="), ("Mcp-Param-Shard", "43"), ("Mcp-Param-Zone", "a")],
            bad,
        ),
    ] {
        let mut request = bench.post("tools/call", json!({"name": fixture::MIRROR, "arguments": arguments}));
        request.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        assert_eq!(outcome(&mut bench, request), expected, "{arguments} {headers:?}");
    }
}

#[test]
fn a_subscription_is_a_stream_that_stays() {
    let mut bench = bench();
    let listen = bench.begin("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    assert!(bench.answer(listen).streams() && !bench.answer(listen).ended);
    assert_eq!(bench.answer(listen).methods(), ["notifications/subscriptions/acknowledged"]);
    let toggled = bench.call(fixture::TOGGLE_TOOL, json!({}));
    assert!(toggled.methods().is_empty() && !toggled.streams());
    let slow = bench.slow(40);
    bench.wait();
    assert_eq!(bench.answer(slow).reports(), 4);
    assert_eq!(bench.answer(listen).methods()[1..], ["notifications/tools/list_changed"]);
    bench.leave(listen);
    bench.call(fixture::TOGGLE_TOOL, json!({}));
    assert_eq!(bench.answer(listen).methods().len(), 2);
    let again = bench.begin("subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    bench.call(fixture::HANG_UP, json!({}));
    assert!(bench.answer(again).ended);
    assert!(bench.answer(again).message()["result"].is_object());
}

#[test]
fn a_lost_connection_is_a_cancellation() {
    let mut bench = bench();
    let record = json!({"name": fixture::RECORD, "arguments": {"milliseconds": 50}});
    let left = bench.begin("tools/call", record.clone());
    let kept = bench.begin("tools/call", record);
    bench.leave(left);
    bench.wait();
    assert!(bench.answer(kept).ended && bench.answer(left).messages().is_empty());
    assert_eq!(bench.call(fixture::COUNT, json!({})).text(), "1");
}

#[test]
fn clients_may_choose_the_same_ids() {
    let mut bench = bench();
    let mut begin = |milliseconds: u32| {
        let slow = json!({"name": "slow", "arguments": {"milliseconds": milliseconds}, "_meta": {"progressToken": 7}});
        let mut request = bench.post("tools/call", slow);
        let text = String::from_utf8(request.body).unwrap();
        request.body = text.replacen(&format!("\"id\":{}", bench.next + 1), "\"id\":7", 1).into_bytes();
        bench.send(request)
    };
    let (first, second) = (begin(40), begin(60));
    let third = begin(80);
    bench.leave(third);
    bench.wait();
    for (number, text) in [(first, "waited 40 ms"), (second, "waited 60 ms")] {
        let answer = bench.answer(number);
        assert_eq!((answer.message()["id"].as_u64(), answer.text().as_str()), (Some(7), text));
        assert_eq!(answer.reports(), 4);
    }
}

#[test]
fn a_server_of_one_era_knows_no_sessions() {
    let mut bench = Bench::new(Behaviour::of(Revisions::MODERN), MODERN);
    let get = bench.get();
    assert_eq!((bench.answer(get).status, bench.delete().status), (405, 405));
    let request = bench.post("tools/list", json!({}));
    let request = altered(altered(request, "Mcp-Session-Id", Some("x")), "Last-Event-ID", Some("5"));
    assert_eq!(outcome(&mut bench, request), (200, None));
    bench.revision = Revision::V2025_11_25;
    let refused = bench.ask("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}}));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.message()["error"]["data"]["supported"], json!(["2026-07-28"]));
}

#[test]
fn both_eras_at_once() {
    let mut bench = Bench::open(Behaviour::default(), Revision::V2025_11_25);
    let session = bench.session.take();
    bench.revision = MODERN;
    assert_eq!(bench.call(fixture::ECHO, json!({"text": "modern"})).text(), "modern");
    (bench.revision, bench.session) = (Revision::V2025_11_25, session);
    assert_eq!(bench.call(fixture::ECHO, json!({"text": "legacy"})).text(), "legacy");
}
