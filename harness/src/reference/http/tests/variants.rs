//! Every permitted way of speaking HTTP serves the same client, and garbage kills none.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::super::{Gateway, HttpReading, Reaction, Request};
use super::{Bench, STREAMABLE, altered, old};
use crate::reference::{Behaviour, FAULTS, Temper, fixture, variants};
use crate::revision::{Revision, code};
use crate::transcript::Transport;

fn bench(reading: HttpReading, revision: Revision) -> Bench {
    let mut behaviour = Behaviour::default();
    behaviour.http.push(reading);
    Bench::open(behaviour, revision)
}

/// Waits for the end of an answer, and comes back for it where the server has closed the connection before.
fn patiently(bench: &mut Bench, number: u32) -> super::Answer {
    let answer = bench.answer(number);
    let last = answer.events().into_iter().filter_map(|event| event.id).next_back();
    let Some(last) = last.filter(|_| answer.ended) else {
        bench.wait();
        return bench.answer(number);
    };
    assert!(answer.events().iter().any(|event| event.retry.is_some()));
    bench.wait();
    let resumed = bench.resume(&last);
    bench.answer(resumed)
}

#[test]
fn every_variant_serves() {
    for variant in variants().iter().filter(|variant| variant.reach.has(Transport::Http)) {
        let behaviour = variant.behaviour();
        let spoken: Vec<_> = STREAMABLE.into_iter().filter(|revision| behaviour.revisions.has(*revision)).collect();
        for revision in spoken {
            let mut bench = Bench::open(variant.behaviour(), revision);
            let first = if revision == Revision::V2026_07_28 { "server/discover" } else { "ping" };
            assert!(bench.ask(first, json!({})).message()["result"].is_object(), "{} in {revision}", variant.name);
            if !behaviour.features.tools.present() {
                continue;
            }
            assert_eq!(bench.call(fixture::ECHO, json!({"text": "ü\n"})).text(), "ü\n", "{}", variant.name);
            let slow = bench.slow(40);
            let ended = patiently(&mut bench, slow);
            assert_eq!((ended.text().as_str(), ended.ended), ("waited 40 ms", true), "{} in {revision}", variant.name);
        }
        if behaviour.revisions.has(Revision::V2024_11_05) {
            let mut bench = Bench::new(variant.behaviour(), Revision::V2024_11_05);
            let (stream, endpoint) = old::open(&mut bench);
            let params = json!({"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "b", "version": "1"}});
            old::post(
                &mut bench,
                &endpoint,
                &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}),
            );
            assert_eq!(bench.answer(stream).message()["id"], 1, "{}", variant.name);
        }
    }
}

#[test]
fn readings_do_what_they_say() {
    let revision = Revision::V2025_11_25;
    let mut json_only = bench(HttpReading::JsonOnly, revision);
    let slow = json_only.slow(40);
    assert_eq!(json_only.answer(slow).status, 0);
    json_only.wait();
    assert!(!json_only.answer(slow).streams());
    let unanswered = json_only.slow(40);
    assert!(json_only.call(fixture::ASK_ROOTS, json!({})).text().contains("does not offer"));
    json_only.delete();
    assert_eq!(json_only.answer(unanswered).status, 404);
    let mut events_only = bench(HttpReading::EventsOnly, revision);
    assert!(events_only.ask("ping", json!({})).streams());
    let mut stateless = bench(HttpReading::NoSessions, revision);
    assert_eq!(stateless.session, None);
    stateless.call(fixture::RECORD, json!({}));
    assert_eq!(stateless.call(fixture::COUNT, json!({})).text(), "1");
    let get = stateless.get();
    assert_eq!((stateless.answer(get).status, stateless.delete().status), (405, 405));
    assert!(stateless.gateway.conversations.len() == 1, "nothing is kept but the modern era");
    let mut second = bench(HttpReading::SecondListener, revision);
    let (one, two) = (second.get(), second.get());
    second.call(fixture::TOGGLE_TOOL, json!({}));
    assert_eq!((second.answer(one).methods().len(), second.answer(two).methods().len()), (1, 0));
    let mut newest = bench(HttpReading::NewestListens, revision);
    let (one, two) = (newest.get(), newest.get());
    newest.call(fixture::TOGGLE_TOOL, json!({}));
    assert!(newest.answer(one).ended && newest.answer(two).methods().len() == 1);
    let mut short = bench(HttpReading::ShortListening, revision);
    let get = short.get();
    short.call(fixture::TOGGLE_TOOL, json!({}));
    short.call(fixture::TOGGLE_TOOL, json!({}));
    assert!(short.answer(get).ended && short.answer(get).methods().len() == 1);
    let again = short.get();
    assert!(short.answer(again).streams() && !short.answer(again).ended);
    let mut plain = bench(HttpReading::PlainRefusals, revision);
    plain.session = Some("never-was".to_owned());
    assert_eq!(plain.ask("ping", json!({})).header("content-type"), Some("text/plain; charset=utf-8"));
    let mut unknown = bench(HttpReading::UnknownSessionIs400, revision);
    let ended = unknown.session.clone();
    unknown.delete();
    assert_eq!(unknown.ask("ping", json!({})).status, 404);
    unknown.session = Some("never-was".to_owned());
    assert_eq!(unknown.ask("ping", json!({})).status, 400);
    assert!(ended.is_some());
    let mut modern = bench(HttpReading::MissingVersionIsLegacy, Revision::V2026_07_28);
    let request = modern.post("tools/list", json!({}));
    let number = modern.send(altered(request, "MCP-Protocol-Version", None));
    assert_eq!((modern.answer(number).status, modern.answer(number).code()), (400, Some(code::INVALID_REQUEST)));
    let mut failures = bench(HttpReading::FailuresAre200, Revision::V2026_07_28);
    assert_eq!(failures.call("none", json!({})).status, 200);
    assert_eq!(failures.ask("x/none", json!({})).status, 404);
    let mut request = failures.post("tools/list", json!({}));
    request.body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec();
    let number = failures.send(request);
    assert_eq!(failures.answer(number).status, 400);
}

fn with(temper: Temper) -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.temper = temper;
    behaviour
}

#[test]
fn tempers_show_over_http_too() {
    let outcome = |temper: Temper, revision: Revision, name: &str, value: Option<&str>, body: Option<&str>| {
        let mut bench = Bench::open(with(temper), revision);
        let mut request = altered(bench.post("tools/list", json!({})), name, value);
        if let Some(body) = body {
            request.body = body.as_bytes().to_vec();
        }
        let number = bench.send(request);
        bench.answer(number).status
    };
    let (old, new) = (Revision::V2025_11_25, Revision::V2026_07_28);
    for (revision, name, value, body, expected) in [
        (old, "Accept", None, None, [406, 200, 200]),
        (new, "Accept", Some("application/json"), None, [406, 406, 200]),
        (old, "Content-Type", None, None, [415, 415, 200]),
        (old, "MCP-Protocol-Version", Some("2025-06-18"), None, [400, 200, 200]),
        (old, "X", None, Some(r#"{"jsonrpc":"2.0","id":"ask-9","result":{}}"#), [400, 202, 202]),
        (new, "X", None, Some(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#), [202, 202, 202]),
    ] {
        let tempers = [Temper::Strict, Temper::Even, Temper::Lenient];
        assert_eq!(tempers.map(|temper| outcome(temper, revision, name, value, body)), expected, "{name}: {value:?}");
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(
        requests in prop::collection::vec((
            prop::sample::select(&["POST", "GET", "DELETE", "PUT"][..]),
            prop::sample::select(&["/mcp", "/sse", "/messages?session=1", "/", "http://x", ""][..]),
            prop::collection::vec((
                prop::sample::select(&[
                    "Host", "Origin", "Accept", "Content-Type", "Mcp-Session-Id", "Last-Event-ID", "Mcp-Method",
                    "MCP-Protocol-Version", "Mcp-Name",
                ][..]),
                prop_oneof![
                    Just("application/json".to_owned()), Just("2026-07-28".to_owned()), Just("1-0".to_owned()),
                    Just("localhost".to_owned()), ".{0,12}",
                ],
            ), 0..5),
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                Just(br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#.to_vec()),
                Just(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#.to_vec()),
            ],
            any::<bool>(),
        ), 0..12),
        fault in 0..FAULTS.len(),
    ) {
        for behaviour in [Behaviour::default(), Behaviour::default().with_fault(FAULTS[fault].id).unwrap()] {
            let mut gateway = Gateway::new(behaviour);
            let mut out: Vec<Reaction> = Vec::new();
            for (number, (verb, target, headers, body, leaves)) in (1..).zip(&requests) {
                let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                let request = Request { verb: (*verb).to_owned(), target: (*target).to_owned(), headers, body: body.clone() };
                let now = Duration::from_millis(u64::from(number));
                gateway.request(now, number, request, &mut out);
                if *leaves {
                    gateway.disconnected(now, number, &mut out);
                }
            }
            while let Some(at) = gateway.wake_at() {
                gateway.wake(at, &mut out);
            }
        }
    }
}
