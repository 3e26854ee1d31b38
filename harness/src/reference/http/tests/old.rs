//! HTTP+SSE.

use serde_json::{Value, json};

use super::{Bench, Request};
use crate::reference::{Behaviour, fixture};
use crate::revision::{Revision, Revisions};

const OLD: Revision = Revision::V2024_11_05;

pub(super) fn post(bench: &mut Bench, endpoint: &str, message: &Value) -> u16 {
    let mut request = bench.request("POST", &message.to_string());
    request.target = endpoint.to_owned();
    let number = bench.send(request);
    bench.answer(number).status
}

/// Opens a stream; gives its number and the address for messages.
pub(super) fn open(bench: &mut Bench) -> (u32, String) {
    let request = Request { target: "/sse".to_owned(), ..bench.request("GET", "") };
    let stream = bench.send(request);
    let first = bench.answer(stream).events().remove(0);
    (stream, first.data)
}

#[test]
fn a_session_of_the_older_transport() {
    for behaviour in [Behaviour::default(), Behaviour::of(Revisions::of(&[OLD]))] {
        let mut bench = Bench::new(behaviour, OLD);
        let (stream, endpoint) = open(&mut bench);
        assert_eq!(bench.answer(stream).events()[0].name.as_deref(), Some("endpoint"));
        assert!(endpoint.starts_with("/messages?session="));
        let (other, other_endpoint) = open(&mut bench);
        let params = json!({"protocolVersion": OLD.as_str(), "capabilities": {}});
        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        assert_eq!(post(&mut bench, &endpoint, &initialize), 202);
        assert_eq!(bench.answer(stream).message()["result"]["protocolVersion"], "2024-11-05");
        assert!(bench.answer(other).messages().is_empty());
        assert_ne!(endpoint, other_endpoint);
        post(&mut bench, &endpoint, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        let slow = json!({"name": "slow", "arguments": {"milliseconds": 40}, "_meta": {"progressToken": 1}});
        post(&mut bench, &endpoint, &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": slow}));
        let toggle = json!({"name": fixture::TOGGLE_TOOL});
        post(&mut bench, &endpoint, &json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": toggle}));
        bench.wait();
        assert!(bench.answer(stream).events()[1..].iter().all(|event| event.name.as_deref() == Some("message")));
        assert_eq!(bench.answer(stream).reports(), 4);
        assert_eq!(bench.answer(stream).messages().last().unwrap()["id"], 2);
        assert!(!bench.answer(stream).ended);
        bench.leave(stream);
        assert_eq!(post(&mut bench, &endpoint, &json!({"jsonrpc": "2.0", "id": 4, "method": "ping"})), 404);
        assert_eq!(post(&mut bench, "/messages", &json!({"jsonrpc": "2.0", "id": 4, "method": "ping"})), 400);
    }
}
