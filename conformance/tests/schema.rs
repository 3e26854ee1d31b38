//! The harness's own words against the official JSON Schemas, and the official examples against the rules.
//!
//! The schemas are no part of this project: TURNCOAT_SCHEMAS names a folder with `<revision>/schema.json` and
//! `<revision>/examples/<type>/*.json`. Without it these tests are ignored.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jsonschema::Validator;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use turncoat::adapter::embedded_client::EmbeddedClient;
use turncoat::adapter::{Adapter, embedded};
use turncoat::reference::client::Conduct;
use turncoat::reference::{Behaviour, variants};
use turncoat::revision::{Revision, meta};
use turncoat::rules::{self, Level};
use turncoat::session::{Message, Session, Shape, View};
use turncoat::transcript::{Intent, Transcript, Transport, sketch};
use turncoat::wire::Id;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let folder = env::var_os("TURNCOAT_SCHEMAS").map(PathBuf::from);
    let ignored = folder.is_none();
    let folder = folder.unwrap_or_default();
    let mut trials = Vec::new();
    for revision in Revision::ALL {
        let mut add = |name: &str, subject: Box<dyn Adapter>| {
            let folder = folder.clone();
            let trial = Trial::test(format!("honest-frames/{name}{revision}"), move || {
                honest_frames(&folder, revision, &*subject, &[])
            });
            trials.push(trial.with_ignored_flag(ignored));
        };
        add("", embedded::over(Transport::Stdio, Behaviour::default()));
        add("client/", Box::new(EmbeddedClient::new(Conduct::default())));
    }
    for variant in variants() {
        // What shows over HTTP alone is looked at there.
        let transport = if variant.reach.has(Transport::Stdio) { Transport::Stdio } else { Transport::Http };
        for revision in variant.behaviour().revisions.iter() {
            let folder = folder.clone();
            let trial = Trial::test(format!("honest-frames/{}/{revision}", variant.name), move || {
                honest_frames(&folder, revision, &*embedded::over(transport, variant.behaviour()), TOUR)
            });
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    trials.extend(examples(&folder).into_iter().map(|file| {
        let kind = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(format!("example/{kind}/{name}"), move || example(&kind, &file))
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The types of results by the method of their request.
const RESULTS: &[(&str, &str)] = &[
    ("initialize", "InitializeResult"),
    ("ping", "EmptyResult"),
    ("server/discover", "DiscoverResult"),
    ("tools/list", "ListToolsResult"),
    ("tools/call", "CallToolResult"),
    ("resources/list", "ListResourcesResult"),
    ("resources/read", "ReadResourceResult"),
    ("resources/templates/list", "ListResourceTemplatesResult"),
    ("resources/subscribe", "EmptyResult"),
    ("resources/unsubscribe", "EmptyResult"),
    ("prompts/list", "ListPromptsResult"),
    ("prompts/get", "GetPromptResult"),
    ("completion/complete", "CompleteResult"),
    ("logging/setLevel", "EmptyResult"),
    ("subscriptions/listen", "SubscriptionsListenResult"),
    ("tasks/get", "GetTaskResult"),
    ("tasks/cancel", "CancelTaskResult"),
    ("tasks/list", "ListTasksResult"),
    ("roots/list", "ListRootsResult"),
    ("sampling/createMessage", "CreateMessageResult"),
    ("elicitation/create", "ElicitResult"),
];

/// What shows most of what a server sends; variants differ in little.
const TOUR: &[&str] = &[
    "calls-every-safe-tool",
    "calls-methods-of-every-capability",
    "lists-everything-twice",
    "methods-that-do-not-exist",
    "text-that-is-no-json",
];

struct Schema {
    whole: Value,
    key: &'static str,
    validators: BTreeMap<String, Validator>,
}

impl Schema {
    fn read(folder: &Path, revision: Revision) -> Result<Self, Failed> {
        let file = folder.join(revision.as_str()).join("schema.json");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let whole: Value = serde_json::from_str(&text)?;
        let key = if whole.get("$defs").is_some() { "$defs" } else { "definitions" };
        Ok(Self { whole, key, validators: BTreeMap::new() })
    }

    fn has(&self, name: &str) -> bool {
        self.whole[self.key].get(name).is_some()
    }

    fn check(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if !self.validators.contains_key(name) {
            let mut schema = self.whole.clone();
            schema["$ref"] = json!(format!("#/{}/{name}", self.key));
            let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
            self.validators.insert(name.to_owned(), validator);
        }
        self.validators[name]
            .validate(value)
            .map_err(|error| format!("no {name}: {error} at {}", error.instance_path()))
    }
}

fn honest_frames(folder: &Path, revision: Revision, subject: &dyn Adapter, only: &[&str]) -> Result<(), Failed> {
    let mut schema = Schema::read(folder, revision)?;
    static RUN: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let kept = env::temp_dir().join(format!("turncoat-schema-{}-{run}", std::process::id()));
    let plan = Plan {
        revisions: vec![revision],
        only: only.iter().map(|&name| name.to_owned()).collect(),
        transcripts: Some(kept.clone()),
        call_tools: true,
        jobs: Some(1),
        ..Plan::default()
    };
    runner::check(&plan, subject, &Quiet, &AtomicBool::new(false))?;
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for file in fs::read_dir(&kept)? {
        let path = file?.path();
        let transcript = Transcript::read(BufReader::new(File::open(&path)?))?;
        let session = Session::new(&transcript);
        let view = session.view(revision);
        for message in view.messages() {
            if message.intent == Intent::Departure || message.in_batch {
                continue;
            }
            if !message.own_line || is_of_another_era(view, message) {
                continue;
            }
            let Some(mut value) = message.value.and_then(|value| value.to_tree()) else { continue };
            whole_numbers(value.pointer_mut("/result/content"));
            whole_numbers(value.pointer_mut("/params/inputResponses"));
            if message.is_error() && message.id.as_ref().is_none_or(Id::is_null) {
                // An answer to what cannot be read has no id to repeat. JSON-RPC wants null there, the later schemas no
                // member, the earlier ones have no word for it: the rest of the answer is checked.
                value["id"] = json!(0);
            }
            checked += 1;
            if let Err(why) = types_of(view, message, &schema).iter().try_for_each(|name| {
                let part = if name.ends_with("Result") { &value["result"] } else { &value };
                schema.check(name, part)
            }) {
                wrong.push(format!("{} entry {}: {why}\n    {value}", transcript.header.script, message.entry));
            }
        }
    }
    fs::remove_dir_all(&kept)?;
    if checked < if only.is_empty() { 50 } else { 10 } {
        return Err(format!("only {checked} frames were looked at").into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} of {checked}:\n{}", wrong.len(), wrong.join("\n")).into()) }
}

/// Whether a client falls back to the handshake in a session of the modern revision, which has no such messages.
fn is_of_another_era(view: View<'_>, message: &Message<'_>) -> bool {
    let opens = |name: Option<&str>| matches!(name, Some("initialize" | "notifications/initialized"));
    let answered = view.exchange_of(message).map(|exchange| exchange.method());
    view.revision() == Revision::V2026_07_28 && (opens(message.method()) || opens(answered))
}

/// What users fill into forms may be any number, as `schema.ts` and the pages say; the generated schemas know integers alone.
fn whole_numbers(value: Option<&mut Value>) {
    match value {
        Some(Value::Object(members)) => members.values_mut().for_each(|member| whole_numbers(Some(member))),
        Some(number @ Value::Number(_)) => *number = json!(0),
        _ => {}
    }
}

/// The types that a message must be of.
fn types_of(view: View<'_>, message: &Message<'_>, schema: &Schema) -> Vec<&'static str> {
    let from_client = message.by == view.client();
    let error = if schema.has("JSONRPCErrorResponse") { "JSONRPCErrorResponse" } else { "JSONRPCError" };
    match message.shape {
        Shape::Request if from_client => vec!["JSONRPCRequest", "ClientRequest"],
        Shape::Request => vec!["JSONRPCRequest", "ServerRequest"],
        Shape::Notification if from_client => vec!["JSONRPCNotification", "ClientNotification"],
        Shape::Notification => vec!["JSONRPCNotification", "ServerNotification"],
        Shape::Response if message.is_error() => vec![error],
        Shape::Response => {
            let Some(exchange) = view.exchange_of(message) else { return vec!["JSONRPCMessage"] };
            if message
                .result()
                .and_then(|result| result.member("resultType"))
                .is_some_and(|kind| kind.is("input_required"))
            {
                return vec!["InputRequiredResult"];
            }
            if exchange.is("tools/call") && message.result().is_some_and(|result| result.member("task").is_some()) {
                return vec!["JSONRPCMessage", "CreateTaskResult"];
            }
            let result = RESULTS.iter().find(|(method, _)| exchange.is(method)).map_or("Result", |(_, name)| *name);
            vec!["JSONRPCMessage", result]
        }
        Shape::Other | Shape::Unreadable => vec!["JSONRPCMessage"],
    }
}

/// An example that lacks what its own schema requires: a resource without caching hints.
const INVALID: &str = "ReadResourceResultResponse/read-resource-result-response.json";

fn examples(folder: &Path) -> Vec<PathBuf> {
    let root = folder.join(Revision::V2026_07_28.as_str()).join("examples");
    let mut files: Vec<PathBuf> = fs::read_dir(&root)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|kind| fs::read_dir(kind.path()).into_iter().flatten().flatten())
        .map(|file| file.path())
        .filter(|file| !file.ends_with(INVALID))
        .collect();
    files.sort();
    files
}

/// No MUST rule may object to an official example where it stands in its proper place.
fn example(kind: &str, file: &Path) -> Result<(), Failed> {
    let value: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let Some(lines) = place(kind, &value) else { return Ok(()) };
    let capabilities = json!({"tools": {"listChanged": true}, "prompts": {"listChanged": true},
        "resources": {"listChanged": true, "subscribe": true}, "completions": {}, "logging": {}});
    let text = format!("handshake {capabilities}\n{lines}\nsettled");
    let transcript = sketch::server(Revision::V2026_07_28, &text)?;
    let session = Session::new(&transcript);
    let view = session.view(Revision::V2026_07_28);
    for rule in rules::all().filter(|rule| rule.level == Level::Must && rule.revisions.has(Revision::V2026_07_28)) {
        let verdict = (rule.judge)(view);
        if let Some(breach) = verdict.breaches.first() {
            return Err(format!("{} objects: {}\n{text}", rule.id, breach.what).into());
        }
    }
    Ok(())
}

/// A piece of a conversation in which an example of this type is right; none for types that no server sends.
fn place(kind: &str, value: &Value) -> Option<String> {
    let ask = |method: &str, params: Value, answer: Value| {
        let mut params = params;
        params["_meta"] = json!({
            meta::PROTOCOL_VERSION: "2026-07-28",
            meta::CLIENT_CAPABILITIES: {"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}, "context": {}}, "roots": {}},
            meta::LOG_LEVEL: "debug",
            "progressToken": "a token",
        });
        let request = json!({"jsonrpc": "2.0", "id": 9, "method": method, "params": params});
        let mut answer = answer;
        answer["jsonrpc"] = json!("2.0");
        answer["id"] = json!(9);
        format!("> {request}\n< {answer}")
    };
    let params = |method: &str| match method {
        "tools/call" => json!({"name": "a-tool", "arguments": {}}),
        "prompts/get" => json!({"name": "a-prompt"}),
        "resources/read" => json!({"uri": "file:///a"}),
        "completion/complete" => {
            json!({"ref": {"type": "ref/prompt", "name": "a"}, "argument": {"name": "a", "value": ""}})
        }
        _ => json!({}),
    };
    let complete = |mut result: Value| {
        result["resultType"] = json!("complete");
        json!({"result": result})
    };
    let cached = |mut result: Value| {
        result["ttlMs"] = json!(0);
        result["cacheScope"] = json!("private");
        complete(result)
    };
    if let Some(name) = kind.strip_suffix("Response") {
        let (method, _) = RESULTS.iter().find(|(_, result)| *result == name)?;
        return (*method != "subscriptions/listen").then(|| ask(method, params(method), value.clone()));
    }
    if kind == "InputRequiredResult" {
        return Some(ask("tools/call", params("tools/call"), json!({"result": value})));
    }
    if let Some((method, _)) = RESULTS.iter().find(|(method, result)| *result == kind && *method != "ping") {
        let of_client = ["roots/list", "sampling/createMessage", "elicitation/create", "subscriptions/listen"];
        return (!of_client.contains(method)).then(|| ask(method, params(method), json!({"result": value})));
    }
    let block = |value: &Value| ask("tools/call", params("tools/call"), complete(json!({"content": [value]})));
    match kind {
        "Tool" => Some(ask("tools/list", json!({}), cached(json!({"tools": [value]})))),
        "Resource" => Some(ask("resources/list", json!({}), cached(json!({"resources": [value]})))),
        "TextResourceContents" | "BlobResourceContents" => {
            Some(ask("resources/read", params("resources/read"), cached(json!({"contents": [value]}))))
        }
        "TextContent" | "ImageContent" | "AudioContent" | "EmbeddedResource" | "ResourceLink" => Some(block(value)),
        "ServerCapabilities" => Some(ask(
            "server/discover",
            json!({}),
            cached(json!({"supportedVersions": ["2026-07-28"], "capabilities": value})),
        )),
        "MethodNotFoundError" => Some(ask("no/such", json!({}), json!({"error": value}))),
        "InvalidParamsError" => Some(ask("tools/call", params("tools/call"), json!({"error": value}))),
        "InternalError" => Some(ask("prompts/get", params("prompts/get"), json!({"error": value}))),
        _ => None,
    }
}
