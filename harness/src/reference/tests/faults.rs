//! Every fault shows: in each of its revisions some short session goes otherwise than with the honest server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::reference::{Behaviour, FAULTS, FaultInfo, Outbox, Server, fixture};
use crate::revision::{LISTS, Revision, meta};
use crate::transcript::Transport;

enum Step {
    Chunk(Vec<u8>),
    Wait(u64),
}

/// A session in the making.
struct Play {
    revision: Revision,
    capabilities: Value,
    info: Value,
    steps: Vec<Step>,
    next: u64,
}

impl Play {
    fn fresh(revision: Revision, capabilities: Value) -> Self {
        Self { revision, capabilities, info: json!({"name": "play", "version": "1"}), steps: Vec::new(), next: 100 }
    }

    fn open(revision: Revision, capabilities: Value) -> Self {
        let mut play = Self::fresh(revision, capabilities);
        if !play.modern() {
            play.shake_hands(revision.as_str());
            play.say("notifications/initialized", json!({}));
        }
        play
    }

    fn modern(&self) -> bool {
        self.revision == Revision::V2026_07_28
    }

    fn shake_hands(&mut self, version: &str) {
        let params = json!({"protocolVersion": version, "capabilities": self.capabilities, "clientInfo": self.info});
        self.say("initialize", params);
    }

    fn line(&mut self, line: &str) {
        self.steps.push(Step::Chunk(format!("{line}\n").into_bytes()));
    }

    fn wait(&mut self, milliseconds: u64) {
        self.steps.push(Step::Wait(milliseconds));
    }

    fn say(&mut self, method: &str, params: Value) {
        self.next += 1;
        self.say_as(self.next.to_string().as_str(), method, params);
    }

    fn say_as(&mut self, id: &str, method: &str, mut params: Value) {
        if self.modern() && !method.starts_with("notifications/") && params["_meta"] != "none" {
            let mut metadata = json!({
                meta::PROTOCOL_VERSION: "2026-07-28", meta::CLIENT_CAPABILITIES: self.capabilities,
                meta::LOG_LEVEL: "debug", meta::CLIENT_INFO: self.info,
            });
            let metadata_object = metadata.as_object_mut().unwrap();
            metadata_object.extend(params["_meta"].as_object().cloned().unwrap_or_default());
            metadata_object.retain(|_, value| value != "gone");
            params["_meta"] = metadata;
        }
        let id = if method.starts_with("notifications/") { String::new() } else { format!("\"id\":{id},") };
        self.line(&format!("{{\"jsonrpc\":\"2.0\",{id}\"method\":\"{method}\",\"params\":{params}}}"));
    }

    fn call(&mut self, tool: &str, arguments: Value) {
        self.say("tools/call", json!({"name": tool, "arguments": arguments}));
    }

    fn walk(&mut self, method: &str) {
        self.say(method, json!({}));
        use base64::Engine;
        let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        for _ in 0..2 {
            self.say(method, json!({"cursor": encode(format!("{method} from 3 on"))}));
        }
        for offset in [6, 9, 12, 15] {
            self.say(method, json!({"cursor": encode(format!("{method} from {offset} on"))}));
        }
    }

    fn run(&self, behaviour: Behaviour) -> String {
        let mut server = Server::new(behaviour);
        let (mut now, mut out) = (Duration::ZERO, Outbox::default());
        for step in &self.steps {
            match step {
                Step::Chunk(bytes) => server.receive(now, bytes, &mut out),
                Step::Wait(milliseconds) => {
                    let end = now + Duration::from_millis(*milliseconds);
                    while let Some(at) = server.wake_at().filter(|at| *at <= end) {
                        now = now.max(at);
                        server.wake(now, &mut out);
                    }
                    now = end;
                }
            }
        }
        server.end_of_input(now, &mut out);
        format!("{} {:?} {:?}", String::from_utf8_lossy(&out.bytes), out.exit, server.vitals())
    }
}

fn everything() -> Value {
    json!({"roots": {}, "sampling": {}, "elicitation": {"form": {}}})
}

/// Short sessions, each of which some faults cannot bear.
fn plays(revision: Revision) -> Vec<Play> {
    let mut plays = vec![tour(revision), lists(revision), odd_messages(revision), running(revision)];
    for capabilities in [everything(), json!({}), json!({"elicitation": {"url": {}}})] {
        plays.push(asking(revision, capabilities));
    }
    plays.extend([subscribed(revision), retried(revision), tasks(revision)]);
    plays.extend([offers(revision), watching(revision), filling(revision), consenting(revision), using(revision)]);
    plays.extend(handshakes(revision));
    plays.extend(hostile(revision));
    plays
}

fn tour(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    let filter = json!({"toolsListChanged": true, "resourceSubscriptions": [fixture::TOUCHED]});
    play.say("subscriptions/listen", json!({"notifications": filter}));
    for method in ["server/discover", "ping", "resources/subscribe", "nonsense"] {
        play.say(method, json!({"uri": fixture::TOUCHED}));
    }
    play.say("logging/setLevel", json!({"level": "debug"}));
    for tool in ["toggle-tool", "touch-resource", "media", "log", "fail", "nonsense", "FAIL", "odd-dialect", "count"] {
        play.call(tool, json!({}));
    }
    play.call("hang-up", json!({}));
    play.call("echo", json!({}));
    play.call("echo", json!({"text": "naïve 🦀"}));
    play.call("add_numbers", json!({"a": 1, "b": 2}));
    play.call("count them", json!({}));
    let order = |more: Value| {
        let mut order = json!({"count": 1, "colour": "red"});
        order.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        order
    };
    play.call("validate", order(json!({"point": [1, 2]})));
    play.call("validate", order(json!({"tree": {"name": "leaf"}})));
    play.call("tuple", json!({"pair": [1, 2]}));
    play.say("tools/call", json!({"arguments": {}}));
    play.say("tools/call", json!({"name": "record", "task": {"ttl": 1}}));
    play.say("resources/read", json!({"uri": "memo:///none"}));
    play.say("prompts/get", json!({"name": "raise"}));
    play.say("prompts/get", json!({"name": "nonsense"}));
    play.say(
        "completion/complete",
        json!({"ref": {"type": "ref/prompt", "name": "raise"},
        "argument": {"name": "reason", "value": ""}}),
    );
    play
}

fn lists(revision: Revision) -> Play {
    let mut play = Play::open(revision, json!({}));
    for (method, _, _) in LISTS {
        play.walk(method);
        play.walk(method);
        for cursor in [json!("bogus"), json!(5)] {
            play.say(method, json!({"cursor": cursor}));
        }
    }
    play.capabilities = everything();
    play.say("tools/list", json!({}));
    play.capabilities = json!({});
    play.info = json!("gone");
    play.walk("tools/list");
    play.info = json!({"name": "Claude Code", "version": "1"});
    play.walk("tools/list");
    play.info = json!({"name": "play", "version": "1"});
    play.walk("tools/list");
    play.say("subscriptions/listen", json!({"notifications": {}}));
    play.walk("tools/list");
    play
}

fn odd_messages(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    for id in ["0", "\"\"", "\"7\"", "3000000000", &format!("\"{}\"", "x".repeat(200))] {
        play.say_as(id, "tools/list", json!({}));
    }
    for line in
        ["nonsense", "{}", r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#]
    {
        play.line(line);
    }
    play.say("notifications/x-unknown", json!({}));
    let pair = r#"{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    play.line(&format!("[{pair}]"));
    play.line(r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#);
    play.say("tools/list", json!({"_meta": {"com.example/x": null}}));
    for gone in [meta::PROTOCOL_VERSION, meta::CLIENT_CAPABILITIES] {
        play.say("tools/list", json!({"_meta": {gone: "gone"}}));
    }
    play.say("tools/call", json!({"name": "record", "_meta": {meta::PROTOCOL_VERSION: "1900-01-01"}}));
    play.call("count", json!({}));
    play
}

fn running(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    let slow = |token: Value| json!({"name": "slow", "_meta": {"progressToken": token}});
    play.say_as("1", "tools/call", slow(json!(5)));
    play.say_as("2", "tools/call", slow(json!("a")));
    play.say_as("3", "tools/call", json!({"name": "slow"}));
    play.say("ping", json!({}));
    play.say("notifications/cancelled", json!({"requestId": "1"}));
    play.say("notifications/cancelled", json!({"requestId": 2}));
    play.say("notifications/cancelled", json!({"requestId": "nobody"}));
    play.wait(1000);
    play.say("notifications/cancelled", json!({"requestId": 3}));
    play.say("notifications/cancelled", json!({}));
    play.say("tools/list", json!({}));
    play
}

fn asking(revision: Revision, capabilities: Value) -> Play {
    let mut play = Play::open(revision, everything());
    if revision < Revision::V2026_07_28 {
        play = Play::open(revision, capabilities.clone());
    }
    play.call("ask-user", json!({}));
    play.capabilities = capabilities;
    play.call("ask-user", json!({}));
    play.call("ask-user", json!({"mode": "url"}));
    play.call("ask-model", json!({"tools": true}));
    play.call("ask-roots", json!({}));
    let answers = [json!({"roots": []}), json!({"action": "decline"})];
    for (number, answer) in [1, 2, 3, 4].into_iter().zip(answers.iter().cycle()) {
        play.line(&json!({"jsonrpc": "2.0", "id": format!("ask-{number}"), "result": answer}).to_string());
    }
    play.say("notifications/roots/list_changed", json!({}));
    play.say_as("77", "tools/call", json!({"name": "ask-roots"}));
    play.say("notifications/cancelled", json!({"requestId": 77}));
    play.call("ask-roots", json!({}));
    for _ in 0..3 {
        play.wait(4000);
        play.say("notifications/progress", json!({"progressToken": "token-1", "progress": 1}));
    }
    play.wait(4000);
    play.say("ping", json!({}));
    play
}

fn tasks(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    let task = json!({"ttl": 60000});
    for tool in ["slow", "slow", "ask-user", "add_numbers", "task-only"] {
        play.say("tools/call", json!({"name": tool, "arguments": {}, "task": task}));
    }
    play.call("task-only", json!({}));
    for id in ["task-1", "task-2", "task-3", "nobody"] {
        play.say("tasks/result", json!({"taskId": id}));
        play.say("tasks/get", json!({"taskId": id}));
    }
    play.say("tasks/cancel", json!({"taskId": "task-2"}));
    play.wait(1000);
    let other = json!({meta::RELATED_TASK: {"taskId": "task-2"}});
    play.say("tasks/get", json!({"taskId": "task-1", "_meta": other}));
    play.say("tasks/cancel", json!({"taskId": "task-1"}));
    play.say("tasks/list", json!({}));
    play
}

fn subscribed(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    let filter = json!({"toolsListChanged": true});
    for id in ["701", "\"sub\""] {
        play.say_as(id, "subscriptions/listen", json!({"notifications": filter}));
    }
    play.call("toggle-tool", json!({}));
    play.call("toggle-prompt", json!({}));
    play.say("notifications/cancelled", json!({"requestId": 701}));
    play.call("toggle-tool", json!({}));
    play.say("resources/read", json!({"uri": fixture::README}));
    play.call("hang-up", json!({}));
    play.call("toggle-tool", json!({}));
    play
}

fn retried(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    let decline = json!({"action": "decline"});
    let inputs = [
        json!({"answer": decline}),
        json!({"answer": decline, "more": decline}),
        json!({"answer": {"action": "maybe"}}),
        json!({}),
        json!([]),
    ];
    for (state, input) in
        ["turncoat/1/user", "forged"].into_iter().flat_map(|state| inputs.iter().map(move |i| (state, i)))
    {
        play.say("tools/call", json!({"name": "ask-user", "inputResponses": input, "requestState": state}));
    }
    play.say(
        "completion/complete",
        json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "style", "value": ""}}),
    );
    play
}

fn offers(revision: Revision) -> Play {
    let mut play = Play::open(revision, json!({}));
    for uri in [fixture::README, fixture::LOGO, "memo:///none", "not a uri"] {
        play.say("resources/read", json!({"uri": uri}));
    }
    for (prompt, arguments) in [("picture", json!({})), ("greet", json!({"name": "Ada"})), ("greet", json!({}))] {
        play.say("prompts/get", json!({"name": prompt, "arguments": arguments}));
    }
    let argument = json!({"name": "name", "value": ""});
    for prompt in ["greet", "nonsense"] {
        let params = json!({"ref": {"type": "ref/prompt", "name": prompt}, "argument": argument});
        play.say("completion/complete", params.clone());
        let mut resolved = params;
        resolved["context"] = json!({"arguments": {"style": "plain"}});
        play.say("completion/complete", resolved);
    }
    for level in ["verbose", "alert"] {
        play.say("logging/setLevel", json!({"level": level}));
    }
    play.call("log", json!({"level": "debug"}));
    for level in [json!("gone"), json!("emergency"), json!("verbose")] {
        let params = json!({"name": "log", "arguments": {}, "_meta": {meta::LOG_LEVEL: level}});
        play.say("tools/call", params);
    }
    play
}

fn watching(revision: Revision) -> Play {
    let mut play = Play::open(revision, json!({}));
    play.call("touch-resource", json!({}));
    play.say("resources/subscribe", json!({"uri": fixture::TOUCHED}));
    play.say("resources/unsubscribe", json!({"uri": fixture::TOUCHED}));
    play.call("touch-resource", json!({}));
    play
}

/// The answer to a question of the tool that was called last: as a response, or in another call.
fn answer(play: &mut Play, number: u64, tool: &str, arguments: Value, answer: &Value) {
    if play.modern() {
        let kind = match tool {
            "ask-model" => "model",
            _ if arguments["mode"] == "url" => "consent",
            _ => "user",
        };
        play.say(
            "tools/call",
            json!({"name": tool, "arguments": arguments, "inputResponses": {"answer": answer},
                "requestState": format!("turncoat/1/{kind}")}),
        );
    } else {
        play.line(&json!({"jsonrpc": "2.0", "id": format!("ask-{number}"), "result": answer}).to_string());
    }
}

fn filling(revision: Revision) -> Play {
    let mut play = Play::open(revision, everything());
    for (number, content) in [(1, json!({"name": "Ada"})), (2, json!({"name": 7}))] {
        play.call("ask-user", json!({}));
        answer(&mut play, number, "ask-user", json!({}), &json!({"action": "accept", "content": content}));
    }
    play.call("ask-user", json!({}));
    play.line(r#"{"jsonrpc":"2.0","id":"ask-3","error":{"code":-32603,"message":"failed"}}"#);
    play
}

fn consenting(revision: Revision) -> Play {
    let mut play = Play::open(revision, json!({"elicitation": {"url": {}}}));
    let by_url = json!({"mode": "url"});
    play.call("ask-user", by_url.clone());
    answer(&mut play, 1, "ask-user", by_url, &json!({"action": "accept"}));
    play.call("ask-user", json!({"mode": "demand"}));
    play
}

fn using(revision: Revision) -> Play {
    let mut play = Play::open(revision, json!({"sampling": {"tools": {}}}));
    let wanted = |id: &str| json!({"type": "tool_use", "id": id, "name": "weather", "input": {}});
    let said = json!({"role": "assistant", "content": [wanted("a"), wanted("b")], "model": "m"});
    play.call("ask-model", json!({"tools": true}));
    answer(&mut play, 1, "ask-model", json!({"tools": true}), &said);
    play
}

fn handshakes(revision: Revision) -> Vec<Play> {
    let mut plays = Vec::new();
    for version in [revision.as_str(), "1999-01-01"] {
        let mut play = Play::fresh(revision, everything());
        play.shake_hands(version);
        play.say("ping", json!({}));
        plays.push(play);
    }
    let mut unknown = Play::open(revision, json!({"x-unknown": {}}));
    unknown.say("tools/list", json!({}));
    plays.push(unknown);
    plays
}

fn hostile(revision: Revision) -> Vec<Play> {
    let deep = "[".repeat(2000);
    let huge = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{{\"a\":\"{}\"}}}}", "x".repeat(70_000));
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"nonsense","params":{"a":"b"}}"#;
    let chunks = [
        format!("{deep}\n"),
        format!("{huge}\n"),
        format!("{}\n", ping.replace('b', "\u{2028}")),
        format!("{ping}\n{ping}\n{ping}\n"),
        format!("{ping}\n{}", &ping[..20]),
    ];
    let mut plays = Vec::new();
    for chunk in chunks {
        let mut play = Play::open(revision, everything());
        play.wait(50);
        play.steps.push(Step::Chunk(chunk.into_bytes()));
        play.wait(50);
        play.line(&ping[20..]);
        play.line(ping);
        plays.push(play);
    }
    let mut listening = Play::open(revision, everything());
    listening.say("subscriptions/listen", json!({"notifications": {}}));
    plays.push(listening);
    plays
}

#[test]
fn every_fault_shows_in_each_of_its_revisions() {
    let mut hidden = Vec::new();
    for revision in Revision::ALL {
        let plays = plays(revision);
        let honest: Vec<_> = plays.iter().map(|play| play.run(Behaviour::default())).collect();
        // One shows only to who does not read.
        let shown = |info: &&FaultInfo| info.reach.has(Transport::Stdio) && info.id != "drops-what-is-not-read";
        for info in FAULTS.iter().filter(shown).filter(|info| info.revisions.has(revision)) {
            let faulty = Behaviour::default().with_fault(info.id).unwrap();
            let mut control = Behaviour::default();
            (control.revisions, control.features) = (faulty.revisions, faulty.features);
            let prepared = control.revisions != Behaviour::default().revisions
                || control.features != Behaviour::default().features;
            let shows = plays.iter().zip(&honest).any(|(play, honest)| {
                let expected = if prepared { &play.run(control.clone()) } else { honest };
                play.run(faulty.clone()) != *expected
            });
            if !shows {
                hidden.push((info.id, revision.as_str()));
            }
        }
    }
    assert!(hidden.is_empty(), "{hidden:#?}");
}
