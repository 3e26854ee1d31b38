//! Every fault shows: in each of its revisions some session goes otherwise than with the honest client.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Other, answer, everything, refuse, wishes};
use crate::reference::client::{CLIENT_FAULTS, Client, Conduct, Outlet};
use crate::reference::{Behaviour, Server};
use crate::revision::{Revision, Revisions, meta};
use crate::transcript::Transport;
use crate::user::Wish;

/// A server that answers each line by some lines.
struct Lines<F>(F);

impl<F: FnMut(&Value) -> Vec<String>> Other for Lines<F> {
    fn hear(&mut self, _now: Duration, bytes: &[u8]) -> Vec<u8> {
        let lines = bytes.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let single = messages.flat_map(|message| message.as_array().cloned().unwrap_or_else(|| vec![message]));
        single.flat_map(|message| (self.0)(&message)).flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }
}

/// What stands for the end of the server's process, and for something on its standard error.
const ENDS: &[u8] = b"!ends\n";
const COMPLAINS: &[u8] = b"!complains\n";

/// Everything that happened, as a text.
fn run(conduct: Conduct, user: Vec<Wish>, server: &mut dyn Other) -> String {
    let mut client = Client::new(conduct, user);
    let (mut now, mut all, mut out) = (Duration::ZERO, String::new(), Outlet::default());
    client.begin(now, &mut out);
    for _ in 0..3_000 {
        let bytes = out.bytes();
        let ended = out.deeds.iter().any(|deed| format!("{deed:?}").starts_with(['E', 'D']));
        write!(all, "{:?}", std::mem::take(&mut out.deeds)).unwrap();
        if ended {
            return format!("{all} {now:?} {:?}", client.vitals());
        }
        let mut said = if bytes.is_empty() { Vec::new() } else { server.hear(now, &bytes) };
        if said.is_empty() {
            let Some(at) = [client.wake_at(), server.wake_at()].into_iter().flatten().min() else {
                client.end_of_input(now, &mut out);
                let after = std::mem::take(&mut out.deeds);
                return format!("{all} stuck {after:?} {:?}", client.vitals());
            };
            now = now.max(at);
            client.wake(now, &mut out);
            said = server.wake(now);
        }
        match said.as_slice() {
            ENDS => client.end_of_input(now, &mut out),
            COMPLAINS => client.overhear(now, "ERROR", &mut out),
            _ => {}
        }
        if said.starts_with(b"!") {
            continue;
        }
        let (first, second) = said.split_at(said.len() / 2);
        client.receive(now, first, &mut out);
        client.receive(now, second, &mut out);
    }
    format!("{all} no end {:?}", client.vitals())
}

fn capabilities(revision: Revision) -> Value {
    let mut all = json!({
        "tools": {"listChanged": true}, "prompts": {}, "resources": {"subscribe": true}, "logging": {}, "completions": {},
    });
    if revision == Revision::V2025_11_25 {
        all["tasks"] = json!({"cancel": {}, "requests": {"tools": {"call": {}}}});
    }
    all
}

/// The beginning of a session with an honest server.
fn hello(message: &Value, revision: Revision, capabilities: &Value) -> Option<Vec<String>> {
    let is_modern = revision == Revision::V2026_07_28;
    Some(vec![
        match message["method"].as_str() {
            Some("server/discover") if is_modern => answer(
                message,
                json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities,
                "_meta": {meta::SERVER_INFO: {"name": "x", "version": "1"}}}),
            ),
            Some("initialize") if !is_modern => answer(
                message,
                json!({"protocolVersion": revision.as_str(), "capabilities": capabilities,
                "serverInfo": {"name": "x", "version": "1"}}),
            ),
            Some("server/discover" | "initialize") => refuse(message, -32601),
            _ => return None,
        }
        .to_string(),
    ])
}

fn ask(id: &str, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

fn tell(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

fn text(text: &str) -> Value {
    json!({"role": "user", "content": {"type": "text", "text": text}})
}

fn forms() -> [Value; 3] {
    let schema = json!({"type": "object", "required": ["n"], "properties": {
        "n": {"type": "string"}, "d": {"type": "boolean", "default": true},
    }});
    [
        json!({"message": "", "requestedSchema": schema}),
        json!({"mode": "form", "message": "", "requestedSchema": schema}),
        json!({"mode": "url", "message": "", "url": "https://example.com", "elicitationId": "e"}),
    ]
}

/// Whatever a server may ask or say of its own accord, and some of what it may not.
fn questions() -> Vec<String> {
    let used = json!({"role": "assistant", "content": {"type": "tool_use", "id": "1", "name": "x", "input": {}}});
    let weather = json!([{"name": "w", "inputSchema": {"type": "object"}}]);
    let [form, mode, url] = forms();
    let ping = |id: &str| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let related = json!({meta::RELATED_TASK: {"taskId": "t"}});
    vec![
        "garbage".to_owned(),
        json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}).to_string(),
        "{}".to_owned(),
        ask("5", "ping", json!({})),
        json!({"jsonrpc": "2.0", "id": 6, "method": "ping"}).to_string(),
        ask("q0", "x/unknown", json!({})),
        ask("q1", "roots/list", json!({"_meta": related})),
        ask("q2", "sampling/createMessage", json!({"messages": [text("x")], "_meta": {"progressToken": "p"}})),
        ask("q3", "sampling/createMessage", json!({"messages": [text("x")], "tools": weather})),
        ask("q4", "sampling/createMessage", json!({"messages": [used], "task": {"ttl": 1}})),
        ask("q5", "sampling/createMessage", json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]})),
        ask("q6", "elicitation/create", form),
        ask("q7", "elicitation/create", mode),
        ask("q8", "elicitation/create", url),
        ask("q9", "elicitation/create", json!({"mode": "telepathy"})),
        tell("notifications/cancelled", json!({"requestId": "q2"})),
        tell("notifications/elicitation/complete", json!({"elicitationId": "unknown"})),
        tell("notifications/cancelled", json!({"requestId": "nobody"})),
        json!([ping("b1"), ping("b2")]).to_string(),
        json!([{"jsonrpc": "2.0", "method": "notifications/x"}]).to_string(),
    ]
}

fn tools() -> Value {
    let object = json!({"type": "object"});
    let draft7 = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": {"p": {"items": [{"type": "string"}]}}});
    let tuple = json!({"type": "object", "properties": {"p": {"prefixItems": [{"type": "string"}]}}});
    let local =
        json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "array"}}});
    json!([
        {"name": "t", "inputSchema": object, "icons": [{"src": "ftp://a/b"}, {"src": "https://a/b"}]},
        {"name": "t7", "inputSchema": object, "outputSchema": draft7},
        {"name": "tuple", "inputSchema": object, "outputSchema": tuple},
        {"name": "local", "inputSchema": local},
        {"name": "elsewhere", "inputSchema": object, "outputSchema": {"$ref": "http://127.0.0.1:9/x"}},
    ])
}

fn odd_tools(which: usize) -> Value {
    let object = json!({"type": "object"});
    let odd = [
        json!({"name": "odd", "inputSchema": {"type": "object", "allOf": [{"$ref": "#"}]}}),
        json!({"name": "odd", "inputSchema": {"$schema": "https://example.invalid/dialect", "type": "object"}}),
        json!({"name": "odd", "inputSchema": object, "outputSchema": {"type": "array"}}),
        json!({"name": "t", "inputSchema": object}),
        json!({"name": "odd", "inputSchema": null}),
    ];
    json!([{"name": "t", "inputSchema": object}, odd[which]])
}

fn user(more: Value) -> Vec<Wish> {
    let mut all = wishes(json!([{"do": "connect"}]));
    all.extend(wishes(more));
    all.extend(wishes(json!([{"do": "surface"}, {"do": "close"}])));
    all
}

fn call(tool: &str) -> Value {
    json!({"do": "call", "tool": tool})
}

fn page(message: &Value, tools: Value) -> String {
    answer(message, json!({"tools": tools, "resultType": "complete", "ttlMs": 1_000, "cacheScope": "public"}))
        .to_string()
}

/// A session: what the user wants, and the server.
type Play = (Vec<Wish>, Box<dyn Other>);

fn against(user: Vec<Wish>, server: impl FnMut(&Value) -> Vec<String> + 'static) -> Play {
    (user, Box::new(Lines(server)))
}

/// Short sessions, each of which some faults cannot bear.
fn play(number: usize, revision: Revision) -> Option<Play> {
    let is_modern = revision == Revision::V2026_07_28;
    let all = capabilities(revision);
    Some(match number {
        0 => (everything(), Box::new(Server::new(Behaviour::of(Revisions::of(&[revision]))))),
        1 => {
            let mut storm = questions();
            storm.extend((0..1_100).map(|_| tell("notifications/x", json!({}))));
            let mut asks = true;
            against(user(json!([call("t"), {"do": "idle", "milliseconds": 2_000}])), move |message| {
                let mut said = Vec::new();
                if matches!(message["method"].as_str(), Some("initialize" | "tools/call")) {
                    said.push(ask("early", "ping", json!({})));
                }
                match message["method"].as_str() {
                    Some("tools/list") if std::mem::take(&mut asks) => {
                        said.push(page(message, tools()));
                        said.extend(storm.clone());
                    }
                    Some("tools/list") => said.push(page(message, tools())),
                    Some("tools/call") => said.push(answer(message, json!({"content": []})).to_string()),
                    _ => said.extend(hello(message, revision, &all).unwrap_or_default()),
                }
                said
            })
        }
        2 => {
            let calls = json!([call("t"), call("t7"), call("tuple"), call("local"), call("elsewhere"),
                {"do": "read", "uri": "a:1"}, {"do": "list", "what": "resources"}, {"do": "list", "what": "prompts"}]);
            let mut so_far = 0;
            against(user(calls), move |message| {
                let result = match message["method"].as_str() {
                    Some("tools/list") => return vec![page(message, tools())],
                    Some("resources/read") => return vec![refuse(message, -32002).to_string()],
                    Some("resources/list") => json!({"resources": [{"uri": "a:1"}], "resultType": "x-bogus"}),
                    Some("prompts/list") => json!({"prompts": [], "ttlMs": -5}),
                    Some("tools/call") => {
                        so_far += 1;
                        let kinds = ["image", "audio", "resource_link", "hologram", "text"];
                        json!({"content": [{"type": kinds[so_far % 5]}], "structuredContent": {"p": [1]},
                            "_meta": {"com.example/x": null}})
                    }
                    _ => return hello(message, revision, &all).unwrap_or_default(),
                };
                vec![answer(message, result).to_string()]
            })
        }
        3..8 => against(user(json!([call("t")])), move |message| match message["method"].as_str() {
            Some("tools/list") => vec![page(message, odd_tools(number - 3))],
            Some("tools/call") => vec![answer(message, json!({"content": []})).to_string()],
            _ => hello(message, revision, &all).unwrap_or_default(),
        }),
        8 => {
            let cursors = [json!(" x "), json!("7"), json!(""), Value::Null];
            let mut pages = 0;
            let list = json!({"do": "list", "what": "tools"});
            against(user(json!([list])), move |message| match message["method"].as_str() {
                Some("tools/list") => {
                    let next = cursors[pages % 4].clone();
                    pages += 1;
                    let tools = if pages == 2 { json!([]) } else { tools() };
                    let mut result = json!({"tools": tools, "resultType": "complete"});
                    if !next.is_null() {
                        result["nextCursor"] = next;
                    }
                    vec![answer(message, result).to_string()]
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        9 => {
            // Two calls that nobody answers until one of them is aborted, and then both.
            let calls = json!([call("t"), {"do": "call", "tool": "t", "wait": false}, {"do": "call", "tool": "t", "wait": false},
                {"do": "idle", "milliseconds": 10}, {"do": "abort"}, {"do": "idle", "milliseconds": 10}]);
            let mut open = Vec::new();
            against(user(calls), move |message| match message["method"].as_str() {
                Some("tools/list") => vec![page(message, tools())],
                Some("tools/call") if open.is_empty() => {
                    open.push(Value::Null);
                    vec![answer(message, json!({"content": []})).to_string()]
                }
                Some("tools/call") => {
                    open.push(message.clone());
                    Vec::new()
                }
                Some("notifications/cancelled") => {
                    open.drain(1..).map(|call| answer(&call, json!({"content": []})).to_string()).collect()
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        10 => {
            // Silence, with progress now and then.
            struct Ticking<F>(Lines<F>, Duration, u32);
            impl<F: FnMut(&Value) -> Vec<String>> Other for Ticking<F> {
                fn hear(&mut self, now: Duration, bytes: &[u8]) -> Vec<u8> {
                    self.1 = now + Duration::from_secs(20);
                    self.0.hear(now, bytes)
                }
                fn wake_at(&self) -> Option<Duration> {
                    (self.2 < 6).then_some(self.1)
                }
                fn wake(&mut self, now: Duration) -> Vec<u8> {
                    if now < self.1 || self.2 >= 6 {
                        return Vec::new();
                    }
                    self.2 += 1;
                    self.1 = now + Duration::from_secs(20);
                    let tokens = (1..9).map(|token| {
                        let progress =
                            tell("notifications/progress", json!({"progressToken": token, "progress": self.2}));
                        format!("{progress}\n")
                    });
                    tokens.collect::<String>().into_bytes()
                }
            }
            let server = Lines(move |message: &Value| match message["method"].as_str() {
                Some("tools/list") => vec![page(message, tools())],
                _ => hello(message, revision, &all).unwrap_or_default(),
            });
            (user(json!([call("t")])), Box::new(Ticking(server, Duration::from_secs(20), 0)))
        }
        11 => against(user(json!([call("t")])), move |message| {
            // The probe is answered late, and initialize not at all.
            match message["method"].as_str() {
                Some("notifications/cancelled") => vec![answer(&json!({"id": 1}), json!({})).to_string()],
                Some("initialize") if !is_modern => hello(message, revision, &all).unwrap_or_default(),
                Some("initialize") => hello(message, Revision::V2025_11_25, &all).unwrap_or_default(),
                Some("tools/list") => vec![page(message, tools())],
                Some("tools/call") => vec![answer(message, json!({"content": []})).to_string()],
                _ => Vec::new(),
            }
        }),
        12 => against(user(json!([])), move |message| match message["method"].as_str() {
            Some("server/discover") => vec![refuse(message, -32601).to_string()],
            _ => Vec::new(),
        }),
        13 => against(user(json!([call("t")])), move |message| {
            let mut odd = all.clone();
            odd["x-unknown"] = json!({"a": [1]});
            hello(message, revision, &odd).unwrap_or_default()
        }),
        14 => {
            let wanted = json!([call("t"), {"do": "watch", "uri": "a:1"}, {"do": "log-level", "level": "debug"},
                {"do": "list", "what": "prompts"}]);
            let none = if is_modern { all } else { json!({}) };
            against(user(wanted), move |message| match message["method"].as_str() {
                Some("server/discover") => {
                    let mut said = hello(message, revision, &none).unwrap_or_default();
                    said[0] = said[0].replace("serverInfo", "other");
                    said
                }
                Some("initialize") => hello(message, revision, &none).unwrap_or_default(),
                Some(_) if message.get("id").is_some() => vec![refuse(message, -32601).to_string()],
                _ => Vec::new(),
            })
        }
        15 => {
            let resources = json!({"resources": {}, "tools": {"listChanged": true}});
            against(user(json!([{"do": "watch", "uri": "a:1"}, {"do": "unwatch", "uri": "a:1"}])), move |message| {
                hello(message, revision, &resources).unwrap_or_default()
            })
        }
        16 => against(user(json!([])), move |message| match message["method"].as_str() {
            Some("server/discover") => vec![refuse(message, -32601).to_string()],
            Some("initialize") => {
                vec![answer(message, json!({"protocolVersion": "2099-12-31", "capabilities": {}})).to_string()]
            }
            _ => Vec::new(),
        }),
        17..24 => {
            let (code, supported) = [
                (-32602, json!([])),
                (-32004, json!(["2026-07-28"])),
                (-32001, json!([])),
                (-32022, json!(["2026-07-28"])),
                (-32022, json!(["2099-01-01"])),
                (-32021, json!([])),
                (0, json!(["2099-01-01"])),
            ][number - 17]
                .clone();
            against(user(json!([call("t")])), move |message| match message["method"].as_str() {
                Some("server/discover") if code == 0 => {
                    let result = json!({"resultType": "complete", "supportedVersions": supported, "capabilities": {}});
                    vec![answer(message, result).to_string()]
                }
                Some("server/discover") => {
                    let mut refusal = refuse(message, code);
                    refusal["error"]["data"] = json!({"supported": supported});
                    vec![refusal.to_string()]
                }
                Some("initialize") => hello(message, Revision::V2025_11_25, &json!({})).unwrap_or_default(),
                _ => Vec::new(),
            })
        }
        24..27 => {
            // Rounds of input: with state, without, with state alone.
            let calls = json!([{"do": "call", "tool": "t", "arguments": {"a": 1}}, {"do": "read", "uri": "a:1"},
                {"do": "read", "uri": "a:1"}, {"do": "read", "uri": "a:2"}]);
            let mut rounds = 0;
            let [form, mode, url] = forms();
            let sampling = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]});
            against(user(calls), move |message| {
                let mut result = match message["method"].as_str() {
                    Some("tools/list") => return vec![page(message, tools())],
                    Some("tools/call") => json!({"content": []}),
                    Some("resources/read") => json!({"contents": [], "ttlMs": 60_000}),
                    _ => return hello(message, revision, &all).unwrap_or_default(),
                };
                result["resultType"] = json!("complete");
                rounds += 1;
                let is_first = message["params"].get("requestState").is_none();
                if rounds < 4 || (number == 26 && is_first && message["method"] == "resources/read") {
                    let requests = json!({
                        "a": {"method": "elicitation/create", "params": form},
                        "b": {"method": "elicitation/create", "params": mode},
                        "c": {"method": "elicitation/create", "params": url},
                        "d": {"method": "roots/list"},
                        "e": {"method": "sampling/createMessage", "params": sampling},
                    });
                    let few = json!({"a": requests[["a", "d", "e"][(rounds - 1) % 3]]});
                    result = json!({"resultType": "input_required"});
                    if number < 26 {
                        result["inputRequests"] = if number == 24 { requests } else { few };
                    }
                    if number != 24 || rounds == 1 {
                        result["requestState"] = json!(" state= ");
                    }
                }
                vec![answer(message, result).to_string()]
            })
        }
        27 => {
            let calls = json!([{"do": "list", "what": "tools"}, {"do": "watch", "uri": "a:1"}, {"do": "watch", "uri": "a:2"},
                {"do": "read", "uri": "a:1"}, call("t"), {"do": "list", "what": "tools"}]);
            let mut listens = Vec::new();
            against(user(calls), move |message| match message["method"].as_str() {
                Some("subscriptions/listen") => {
                    listens.push(message["id"].clone());
                    let mut filter = message["params"]["notifications"].clone();
                    if listens.len() == 2 {
                        filter = json!({});
                    }
                    let params = json!({"_meta": {meta::SUBSCRIPTION_ID: message["id"]}, "notifications": filter});
                    vec![tell("notifications/subscriptions/acknowledged", params)]
                }
                Some("resources/read") => {
                    let tagged = |id: &Value| json!({"_meta": {meta::SUBSCRIPTION_ID: id}});
                    let wrong = tell("notifications/tools/list_changed", tagged(&json!("none")));
                    vec![wrong, answer(message, json!({"contents": []})).to_string()]
                }
                Some("tools/list") => vec![page(message, tools())],
                Some("tools/call") => {
                    let tagged = json!({"_meta": {meta::SUBSCRIPTION_ID: listens.first()}});
                    let news = tell("notifications/tools/list_changed", tagged);
                    vec![news, answer(message, json!({"content": []})).to_string()]
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        28..30 => {
            let list = json!({"do": "list", "what": "tools"});
            let wanted = json!([list, {"do": "idle", "milliseconds": 5_000}, list, {"do": "read", "uri": "a:1"},
                {"do": "read", "uri": "a:2"}, {"do": "read", "uri": "a:1"}]);
            let mut reads = 0;
            against(user(wanted), move |message| match message["method"].as_str() {
                Some("tools/list") if number == 28 => vec![page(message, tools())],
                Some("tools/list") if message["params"].get("cursor").is_some() => {
                    vec![refuse(message, -32602).to_string()]
                }
                Some("tools/list") => vec![answer(message, json!({"tools": [], "nextCursor": "x"})).to_string()],
                Some("resources/read") => {
                    reads += 1;
                    let contents = json!([{"uri": message["params"]["uri"], "text": reads.to_string()}]);
                    vec![answer(message, json!({"contents": contents, "ttlMs": 60_000})).to_string()]
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        30..34 => {
            // Tools that are done as tasks, or must not be; one that requires input, and one that nobody wants any more.
            let name = ["need", "forbid", "need", "need"][number - 30];
            let wanted = json!([{"do": "call", "tool": name, "wait": false}, {"do": "idle", "milliseconds": 2_500},
                {"do": "abort"}]);
            let declared = if number == 33 { json!({"tools": {}}) } else { all };
            against(user(wanted), move |message| {
                let moment = "2026-07-28T12:00:00Z";
                let task = |status: &str| {
                    json!({"taskId": "k", "status": status, "createdAt": moment,
                    "lastUpdatedAt": moment, "ttl": null, "pollInterval": 1_000})
                };
                match message["method"].as_str() {
                    Some("tools/list") => {
                        let object = json!({"type": "object"});
                        let tools = json!([
                            {"name": "need", "inputSchema": object, "execution": {"taskSupport": "required"}},
                            {"name": "forbid", "inputSchema": object},
                        ]);
                        vec![page(message, tools)]
                    }
                    Some("tools/call") if message["params"].get("task").is_some() => {
                        let news = tell("notifications/tasks/status", task("working"));
                        vec![answer(message, json!({"task": task("working")})).to_string(), news]
                    }
                    Some("tools/call") => vec![answer(message, json!({"content": []})).to_string()],
                    Some("tasks/get") => {
                        let status = if number == 32 { "input_required" } else { "working" };
                        vec![answer(message, task(status)).to_string()]
                    }
                    Some("tasks/result") => vec![answer(message, json!({"content": []})).to_string()],
                    _ => hello(message, revision, &declared).unwrap_or_default(),
                }
            })
        }
        34 => {
            let mut pages = 0;
            against(user(json!([{"do": "list", "what": "tools"}])), move |message| match message["method"].as_str() {
                Some("tools/list") => {
                    pages += 1;
                    vec![answer(message, json!({"tools": [], "nextCursor": pages.to_string()})).to_string()]
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        35 => {
            // The server goes in the middle.
            against(user(json!([call("t")])), move |message| match message["method"].as_str() {
                Some("tools/list") => Vec::new(),
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        36 => {
            // It goes in the middle of a call, once, while news is wanted.
            let mut is_well = true;
            let wanted = json!([{"do": "watch", "uri": "a:1"}, call("t"), call("t")]);
            against(user(wanted), move |message| match message["method"].as_str() {
                Some("subscriptions/listen") => {
                    let filter = message["params"]["notifications"].clone();
                    let params = json!({"_meta": {meta::SUBSCRIPTION_ID: message["id"]}, "notifications": filter});
                    vec![tell("notifications/subscriptions/acknowledged", params)]
                }
                Some("tools/list") => vec![page(message, tools())],
                Some("tools/call") if std::mem::take(&mut is_well) => vec!["!ends".to_owned()],
                Some("tools/call") => vec![answer(message, json!({"content": []})).to_string()],
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        37 => {
            // It goes in the middle of a list, which is wanted of the next one too.
            let list = json!({"do": "list", "what": "tools"});
            let mut pages = 0;
            against(user(json!([list, {"do": "connect"}, list])), move |message| match message["method"].as_str() {
                Some("tools/list") => {
                    pages += 1;
                    match pages {
                        1 => vec![answer(message, json!({"tools": [], "nextCursor": "x"})).to_string()],
                        2 => vec!["!ends".to_owned()],
                        _ => vec![page(message, tools())],
                    }
                }
                _ => hello(message, revision, &all).unwrap_or_default(),
            })
        }
        38 => against(user(json!([call("t")])), move |message| match message["method"].as_str() {
            Some("tools/list") => vec![page(message, tools())],
            Some("tools/call") => vec!["!complains".to_owned()],
            _ => hello(message, revision, &all).unwrap_or_default(),
        }),
        _ => return None,
    })
}

/// Whether some session tells the two apart. What honest clients do is known from one fault to the next.
fn differ(faulty: &Conduct, honest: &Conduct, revision: Revision, known: &mut HashMap<String, String>) -> bool {
    let mut number = 0;
    while let Some((user, mut server)) = play(number, revision) {
        let one = run(faulty.clone(), user, &mut *server);
        let key = format!("{number} {revision} {honest:?}");
        let other = known.entry(key).or_insert_with(|| match play(number, revision) {
            Some((user, mut server)) => run(honest.clone(), user, &mut *server),
            None => String::new(),
        });
        if one != *other {
            return true;
        }
        number += 1;
    }
    let end = |conduct: &Conduct| {
        let mut client = Client::new(conduct.clone(), super::usual());
        let mut out = Outlet::default();
        client.begin(Duration::ZERO, &mut out);
        client.end_of_input(Duration::ZERO, &mut out);
        format!("{out:?} {:?}", client.vitals())
    };
    end(faulty) != end(honest)
}

#[test]
fn every_fault_shows_in_each_of_its_revisions() {
    let (mut hidden, mut known) = (Vec::new(), HashMap::new());
    for info in CLIENT_FAULTS.iter().filter(|info| info.reach.has(Transport::Stdio)) {
        let faulty = Conduct::default().with_fault(info.id).unwrap();
        for revision in info.revisions.iter() {
            if !differ(&faulty, &faulty.clone().reformed(), revision, &mut known) {
                hidden.push(format!("{} {revision}", info.id));
            }
        }
    }
    assert_eq!(hidden, Vec::<String>::new());
}

#[test]
fn faults_have_names_of_their_own() {
    let ids: BTreeSet<_> = CLIENT_FAULTS.iter().map(|info| info.id).collect();
    assert_eq!(ids.len(), CLIENT_FAULTS.len());
    assert!(Conduct::default().with_fault("no such fault").is_err());
    for info in CLIENT_FAULTS {
        assert!(!info.about.is_empty() && !info.rule.is_empty());
        assert_eq!(info.fault.revisions(), info.revisions, "{}", info.id);
    }
}
