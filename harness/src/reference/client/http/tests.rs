//! The client over HTTP, in conversation with the reference server's gateway.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::HttpClient;
use crate::reference::Behaviour;
use crate::reference::client::{Conduct, Deed, Outlet, variants};
use crate::reference::http::{Gateway, HttpReading, Reaction, Request};
use crate::revision::{Revision, Revisions};
use crate::user::{Wish, usual};
use crate::wire::http::{self, Headers};

/// What came of a whole session.
#[derive(Debug, Default)]
struct Told {
    requests: Vec<http::Request>,
    surface: Vec<Value>,
    exit: Option<i32>,
}

impl Told {
    /// Verbs and JSON-RPC methods, in order.
    fn asked(&self) -> Vec<String> {
        let method = |request: &http::Request| body(request)["method"].as_str().unwrap_or_default().to_owned();
        self.requests.iter().map(|request| format!("{} {}", request.verb, method(request)).trim().to_owned()).collect()
    }

    fn done(&self, kind: &str) -> &Value {
        let of_kind = |line: &&Value| line["turncoat"] == "done" && line["do"] == kind;
        self.surface.iter().rfind(of_kind).unwrap_or(&Value::Null)
    }
}

fn body(request: &http::Request) -> Value {
    serde_json::from_slice(&request.body.concat()).unwrap_or_default()
}

/// Lets a client and a gateway talk until the client ends.
fn converse(conduct: Conduct, wishes: Vec<Wish>, behaviour: Behaviour, target: &str) -> Told {
    let mut client = HttpClient::new(conduct, wishes, "127.0.0.1", target);
    let mut gateway = Gateway::new(behaviour);
    let (mut now, mut told, mut out) = (Duration::ZERO, Told::default(), Outlet::default());
    let mut reactions: VecDeque<Reaction> = VecDeque::new();
    client.begin(now, &mut out);
    for _ in 0..20_000 {
        let mut made = Vec::new();
        for deed in std::mem::take(&mut out.deeds) {
            match deed {
                Deed::Ask(number, request) => {
                    told.requests.push(request.clone());
                    let headers = request.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                    let http::Request { verb, target, body, .. } = request.clone();
                    let request = Request { verb, target, headers: headers.collect(), body: body.concat() };
                    gateway.request(now, number, request, &mut made);
                }
                Deed::Abandon(number) => gateway.disconnected(now, number, &mut made),
                Deed::Surface(text) => told.surface.push(serde_json::from_str(&text).unwrap()),
                Deed::Exit(status) => told.exit = Some(status),
                _ => {}
            }
        }
        reactions.extend(made);
        if told.exit.is_some() {
            return told;
        }
        match reactions.pop_front() {
            Some(reaction) => react(&mut client, now, reaction, &mut out),
            None => {
                let Some(at) = [client.wake_at(), gateway.wake_at()].into_iter().flatten().min() else {
                    panic!("both sides wait: {told:?}");
                };
                now = now.max(at);
                client.wake(now, &mut out);
                let mut made = Vec::new();
                gateway.wake(now, &mut made);
                reactions.extend(made);
            }
        }
    }
    panic!("no end: {:?}", told.asked());
}

fn react(client: &mut HttpClient, now: Duration, reaction: Reaction, out: &mut Outlet) {
    match reaction {
        Reaction::Head { number, status, headers } => client.head(now, number, status, &Headers::from(headers), out),
        Reaction::Whole { number, status, headers, body } => {
            client.head(now, number, status, &Headers::from(headers), out);
            client.body(now, number, &body, out);
            client.end(now, number, true, out);
        }
        Reaction::Data { number, bytes } => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            client.body(now, number, first, out);
            client.body(now, number, second, out);
        }
        Reaction::End { number } => client.end(now, number, true, out),
        Reaction::Abort { number } => client.end(now, number, false, out),
    }
}

fn target(revision: Revision) -> &'static str {
    if revision == Revision::V2024_11_05 { "/sse" } else { "/mcp" }
}

fn with(revision: Revision, wishes: Vec<Wish>) -> Told {
    converse(Conduct::default(), wishes, Behaviour::of(Revisions::of(&[revision])), target(revision))
}

fn wishes(text: Value) -> Vec<Wish> {
    serde_json::from_value(text).unwrap()
}

#[test]
fn the_usual_wishes_come_true_in_every_revision() {
    for revision in Revision::ALL {
        let told = with(revision, usual());
        assert_eq!(told.exit, Some(0), "{revision}");
        assert_eq!(told.done("connect")["result"]["revision"], revision.as_str());
        assert_eq!(told.done("call")["result"]["content"][0]["text"], "turncoat");
    }
}

#[test]
fn sessions_are_opened_listened_to_and_ended() {
    let told = with(Revision::V2025_11_25, usual());
    let asked = told.asked();
    assert_eq!(asked[..3], ["POST server/discover", "POST initialize", "POST notifications/initialized"]);
    assert!(asked.contains(&"GET".to_owned()));
    assert_eq!(asked.last().unwrap(), "DELETE");
    for request in &told.requests[2..] {
        assert!(request.headers.value("mcp-session-id").is_some(), "{request:?}");
        assert_eq!(request.headers.value("mcp-protocol-version"), Some("2025-11-25"));
    }
    assert!(told.requests[1].headers.value("mcp-session-id").is_none());
    let older = with(Revision::V2025_03_26, usual());
    assert!(older.requests[1..].iter().all(|request| request.headers.value("mcp-protocol-version").is_none()));
}

#[test]
fn the_modern_era_has_posts_alone() {
    let told = with(Revision::V2026_07_28, usual());
    for request in &told.requests {
        let method = body(request)["method"].clone();
        assert_eq!(request.verb, "POST");
        assert_eq!(request.headers.value("mcp-method"), method.as_str());
        assert_eq!(request.headers.value("mcp-protocol-version"), Some("2026-07-28"));
        assert!(request.headers.value("mcp-session-id").is_none());
    }
}

#[test]
fn the_oldest_transport_is_found_behind_a_refusal() {
    let told = with(Revision::V2024_11_05, usual());
    assert_eq!(told.asked()[..3], ["POST server/discover", "POST initialize", "GET"]);
    assert!(told.requests[3..].iter().all(|request| request.target.starts_with("/messages?")));
}

#[test]
fn a_server_that_closes_streams_is_come_back_to() {
    let mut behaviour = Behaviour::of(Revisions::of(&[Revision::V2025_11_25]));
    behaviour.http.push(HttpReading::Polls);
    let call = json!({"do": "call", "tool": "slow", "arguments": {"milliseconds": 500}});
    let told = converse(Conduct::default(), wishes(json!([{"do": "connect"}, call])), behaviour, "/mcp");
    assert_eq!(told.done("call")["failed"], false, "{told:?}");
    assert!(told.requests.iter().any(|request| request.headers.value("last-event-id").is_some()));
}

#[test]
fn every_variant_ends() {
    for variant in variants() {
        for revision in Revision::ALL {
            let told =
                converse(variant.conduct(), usual(), Behaviour::of(Revisions::of(&[revision])), target(revision));
            assert!(told.exit.is_some(), "{} {revision}", variant.name);
        }
    }
}
