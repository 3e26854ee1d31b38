//! Sessions, streams and their resumption.

use serde_json::json;

use super::{Bench, SESSIONS, altered};
use crate::reference::{Behaviour, fixture};
use crate::revision::Revision;

#[test]
fn a_session_from_its_beginning_to_its_end() {
    for revision in SESSIONS {
        let mut bench = Bench::new(Behaviour::default(), revision);
        let opened = bench.initialize();
        assert_eq!(opened.message()["result"]["protocolVersion"], revision.as_str());
        let id = bench.session.clone().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_graphic()));
        let listed = bench.ask("tools/list", json!({}));
        assert_eq!((listed.status, listed.header("content-type")), (200, Some("application/json")));
        assert!(listed.message()["result"]["tools"].is_array());
        assert_eq!(listed.header("mcp-session-id"), None);
        let accepted = bench.notify("notifications/cancelled", json!({"requestId": 99}));
        assert_eq!((accepted.status, accepted.body.len()), (202, 0));
        assert_eq!(bench.ask("x/y", json!({})).status, 200);
        let get = bench.get();
        assert_eq!(bench.delete().status, 204);
        assert!(bench.answer(get).ended);
        assert_eq!(bench.ask("tools/list", json!({})).status, 404);
        assert_eq!(bench.notify("notifications/cancelled", json!({"requestId": 99})).status, 404);
        assert_eq!(bench.delete().status, 404);
        bench.session = None;
        assert_eq!(bench.ask("tools/list", json!({})).status, 400);
        assert_eq!(bench.ask("initialize", json!({"protocolVersion": 5})).header("mcp-session-id"), None);
        bench.initialize();
        assert_ne!(bench.session.unwrap(), id);
    }
}

#[test]
fn a_slow_call_reports_on_its_stream() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let first = bench.slow(100);
        let second = bench.slow(100);
        assert!(bench.answer(first).streams() && !bench.answer(first).ended);
        assert_eq!(bench.ask("ping", json!({})).status, 200);
        bench.wait();
        for number in [first, second] {
            let answer = bench.answer(number);
            let progress = answer.messages().into_iter().filter(|one| one["params"]["progressToken"] == number);
            assert_eq!((progress.count(), answer.message()["id"].as_u64()), (4, Some(number.into())));
            assert!(answer.ended && answer.messages().last().unwrap().get("result").is_some());
            let primed = answer.events()[0].data.is_empty();
            assert_eq!(primed, revision == Revision::V2025_11_25);
        }
        let mut ids: Vec<_> = [first, second].iter().flat_map(|one| bench.answer(*one).events()).collect();
        ids.sort_by(|one, other| one.id.cmp(&other.id));
        assert!(ids.windows(2).all(|two| two[0].id.is_some() && two[0].id != two[1].id));
    }
}

#[test]
fn changes_come_on_the_get_stream() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        assert_eq!(bench.call(fixture::TOGGLE_TOOL, json!({})).methods(), Vec::<String>::new());
        let get = bench.get();
        let second = bench.get();
        assert_eq!((bench.answer(get).status, bench.answer(second).status), (200, 409));
        let toggled = bench.call(fixture::TOGGLE_TOOL, json!({}));
        assert!(!toggled.streams());
        assert_eq!(bench.answer(get).methods(), ["notifications/tools/list_changed"]);
        bench.leave(get);
        bench.call(fixture::TOGGLE_PROMPT, json!({}));
        let last = bench.answer(get).events().pop().unwrap().id.unwrap();
        let again = bench.resume(&last);
        assert_eq!(bench.answer(again).methods(), ["notifications/prompts/list_changed"]);
        bench.call(fixture::TOGGLE_PROMPT, json!({}));
        assert_eq!(bench.answer(again).methods().len(), 2);
        assert!(!bench.answer(again).ended);
    }
}

#[test]
fn a_broken_stream_is_resumed_and_no_other() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let first = bench.slow(100);
        let second = bench.slow(150);
        bench.now += std::time::Duration::from_millis(30);
        let _ = bench.ask("ping", json!({}));
        let last = bench.answer(first).events().pop().unwrap().id.unwrap();
        bench.leave(first);
        bench.wait();
        let resumed = bench.resume(&last);
        let answer = bench.answer(resumed);
        assert!(answer.ended);
        assert_eq!(answer.message()["id"], first);
        assert!(answer.messages().iter().all(|one| one["params"]["progressToken"].as_u64() != Some(second.into())));
        assert_eq!(answer.reports(), 3, "one report was seen before");
        let garbage = bench.resume("nonsense");
        assert!(bench.answer(garbage).messages().is_empty() && !bench.answer(garbage).ended);
    }
}

#[test]
fn a_lost_connection_cancels_nothing_and_a_notification_does() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let record = json!({"name": fixture::RECORD, "arguments": {"milliseconds": 50}});
        let left = bench.begin("tools/call", record.clone());
        bench.leave(left);
        bench.wait();
        assert_eq!(bench.call(fixture::COUNT, json!({})).text(), "1");
        let cancelled = bench.begin("tools/call", record);
        bench.notify("notifications/cancelled", json!({"requestId": cancelled}));
        bench.wait();
        assert_eq!(bench.call(fixture::COUNT, json!({})).text(), "1");
        let answer = bench.answer(cancelled);
        assert!(answer.ended && answer.message().is_null());
    }
}

#[test]
fn the_client_is_asked_on_the_stream_of_the_call() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let get = bench.get();
        let call = bench.begin("tools/call", json!({"name": fixture::ASK_ROOTS, "arguments": {}}));
        let asked = bench.answer(call).messages().remove(0);
        assert_eq!(asked["method"], "roots/list");
        let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}}).to_string();
        let request = bench.request("POST", &reply);
        let number = bench.send(request);
        assert_eq!((bench.answer(number).status, bench.answer(number).body.len()), (202, 0));
        assert!(bench.answer(call).ended && bench.answer(call).text().starts_with("roots:"));
        assert!(bench.answer(get).messages().is_empty());
    }
}

#[test]
fn batches_are_answered_where_there_are_batches() {
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":"b","method":"tools/list"}]"#;
    let quiet = r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#;
    let slow = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call",
        "params":{"name":"slow","arguments":{"milliseconds":50}}}]"#;
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let [both, silent, late] = [batch, quiet, slow].map(|body| {
            let request = bench.request("POST", body);
            bench.send(request)
        });
        bench.wait();
        if revision > Revision::V2025_03_26 {
            assert!([both, silent, late].iter().all(|number| bench.answer(*number).status == 400));
            continue;
        }
        assert_eq!(bench.answer(both).messages()[0].as_array().unwrap().len(), 2);
        assert!(!bench.answer(both).streams());
        assert_eq!((bench.answer(silent).status, bench.answer(silent).body.len()), (202, 0));
        let late = bench.answer(late);
        assert!(late.streams() && late.ended);
        assert_eq!(late.messages().last().unwrap()["id"], 2);
    }
}

#[test]
fn the_version_header_is_read_where_there_is_one() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let reads = revision >= Revision::V2025_06_18;
        for (value, refused) in
            [(Some("1999-01-01"), reads), (Some("garbage"), reads), (Some(""), reads), (None, false)]
        {
            let request = bench.post("ping", json!({}));
            let number = bench.send(altered(request, "MCP-Protocol-Version", value));
            assert_eq!(bench.answer(number).status, if refused { 400 } else { 200 }, "{value:?} in {revision}");
        }
    }
}

#[test]
fn sessions_know_nothing_of_each_other() {
    for revision in SESSIONS {
        let mut bench = Bench::open(Behaviour::default(), revision);
        let first = bench.session.clone();
        bench.initialize();
        let second = bench.session.clone();
        assert_ne!(first, second);
        let call = |milliseconds: u32| {
            let slow =
                json!({"name": "slow", "arguments": {"milliseconds": milliseconds}, "_meta": {"progressToken": 1}});
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": slow}).to_string()
        };
        let [one, two] = [(first, 40), (second, 60)].map(|(session, milliseconds)| {
            bench.session = session;
            let request = bench.request("POST", &call(milliseconds));
            bench.send(request)
        });
        bench.wait();
        assert_eq!(bench.answer(one).text(), "waited 40 ms");
        assert_eq!(bench.answer(two).text(), "waited 60 ms");
        assert_eq!(bench.answer(one).reports(), 4);
    }
}
