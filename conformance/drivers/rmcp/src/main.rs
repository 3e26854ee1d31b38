//! Drives a client on the Rust SDK; the command of the server is the arguments, or its URL. `../README.md` has the protocol.
#![expect(deprecated, reason = "the legacy era is half of what is tried")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::*;
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext};
use rmcp::service::{RoleClient, RunningService, Subscription};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ErrorData};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How far a list is followed that does not end.
const MOST_PAGES: usize = 100;

/// The items of all pages. Whoever pages for ever is not followed for ever, as `list_all_tools` and its like would.
macro_rules! pages {
    ($peer:ident.$list:ident, $member:ident) => {{
        let mut items = Vec::new();
        let mut seen = Vec::new();
        loop {
            let cursor = PaginatedRequestParams::default().with_cursor(seen.last().cloned());
            let page = $peer.$list(Some(cursor)).await.map_err(failed)?;
            items.extend(page.$member);
            match page.next_cursor {
                Some(next) if seen.len() < MOST_PAGES && !seen.contains(&next) => seen.push(next),
                _ => break json!(items),
            }
        }
    }};
}
/// Why a wish was not fulfilled; none if the SDK has no such thing, or not in this revision.
type Failure = Option<Box<dyn Error + Send + Sync>>;

/// What the host of the client knows and shows.
#[derive(Clone)]
struct Host(Arc<Mutex<Memory>>);

struct Memory {
    roots: Vec<String>,
    shown: serde_json::Map<String, Value>,
    log: Vec<Value>,
    news: Vec<String>,
}

impl Host {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hears(&self, news: impl Into<String>) {
        self.memory().news.push(news.into());
    }
}

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        let all = json!({"elicitation": {"form": {}, "url": {}}, "roots": {"listChanged": true}, "sampling": {}});
        let capabilities = serde_json::from_value(all).unwrap_or_default();
        ClientConfig::new(capabilities, Implementation::new("turncoat-driver", "1.0.0"))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(self.memory().roots.iter().map(Root::new).collect()))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("Forty-two."), "fixed".to_owned()))
    }

    async fn create_elicitation(
        &self,
        asked: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let accepted = ElicitResult::new(ElicitationAction::Accept);
        Ok(match asked {
            ElicitRequestParams::FormElicitationParams { requested_schema, .. } => {
                accepted.with_content(form(&json!(requested_schema)))
            }
            _ => accepted,
        })
    }

    async fn on_logging_message(&self, said: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        self.memory().log.push(json!(said));
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.hears("tools changed");
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.hears("prompts changed");
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.hears("resources changed");
    }

    async fn on_resource_updated(&self, what: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        self.hears(format!("{} updated", what.uri));
    }
}

/// What a user in a hurry puts into a form: the defaults, and else anything that fits.
fn form(schema: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.map(|(name, field)| (name.clone(), guess(field))).collect()
}

fn guess(field: &Value) -> Value {
    if !field["default"].is_null() {
        return field["default"].clone();
    }
    if let Some(choice) = choices(field).into_iter().next() {
        return choice;
    }
    match field["type"].as_str() {
        Some("string") => json!(match field["format"].as_str() {
            Some("date") => "2026-01-31".to_owned(),
            Some("date-time") => "2026-01-31T12:00:00Z".to_owned(),
            Some("email") => "ada@example.com".to_owned(),
            Some("uri") => "https://example.com/".to_owned(),
            _ => {
                let least = field["minLength"].as_u64().unwrap_or(0) as usize;
                let most = field["maxLength"].as_u64().unwrap_or(u64::MAX) as usize;
                format!("{:!<least$}", "text").chars().take(most).collect()
            }
        }),
        Some("boolean") => json!(true),
        Some("array") => {
            let least = field["minItems"].as_u64().unwrap_or(0) as usize;
            choices(&field["items"]).into_iter().take(least).collect()
        }
        _ => {
            let bound = |key: &str| field[key].as_f64();
            let least = bound("minimum").unwrap_or(1.0).max(1.0);
            let number = bound("maximum").map_or(least, |most| least.min(most));
            if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
        }
    }
}

fn choices(field: &Value) -> Vec<Value> {
    let titled = field["oneOf"].as_array().or(field["anyOf"].as_array());
    match (field["enum"].as_array(), titled) {
        (Some(values), _) => values.clone(),
        (None, Some(titled)) => titled.iter().map(|choice| choice["const"].clone()).collect(),
        (None, None) => Vec::new(),
    }
}

struct Driver {
    command: Vec<String>,
    host: Host,
    service: Option<Arc<Service>>,
    watching: HashMap<String, Subscription>,
    unawaited: Vec<oneshot::Sender<()>>,
    tasks: JoinSet<()>,
}

type Service = RunningService<RoleClient, Host>;

fn say(line: Value) {
    println!("{line}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let roots = vec!["file:///home/ada/project".to_owned()];
    let memory = Memory { roots, shown: serde_json::Map::new(), log: Vec::new(), news: Vec::new() };
    let mut driver = Driver {
        command: std::env::args().skip(1).collect(),
        host: Host(Arc::new(Mutex::new(memory))),
        service: None,
        watching: HashMap::new(),
        unawaited: Vec::new(),
        tasks: JoinSet::new(),
    };
    say(json!({"turncoat": "driver", "version": 1}));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        driver.fulfil(&serde_json::from_str(&line)?).await;
    }
    driver.close().await;
    Ok(())
}

impl Driver {
    async fn fulfil(&mut self, wish: &Value) {
        let id = wish["id"].clone();
        if wish["wait"] == false
            && let Ok(service) = self.service()
        {
            // Dropping a request tells the server that it is no longer wanted.
            let (abort, aborted) = oneshot::channel();
            let wish = wish.clone();
            self.unawaited.push(abort);
            self.tasks.spawn(async move {
                tokio::select! {
                    came = ask(&service, &wish) => report(&id, came),
                    _ = aborted => say(json!({"turncoat": "failed", "id": id, "error": "aborted"})),
                }
            });
            return;
        }
        if wish["do"] == "surface" {
            let memory = self.host.memory();
            let mut line = json!({"turncoat": "surface", "id": id, "log": memory.log, "news": memory.news});
            if let Some(line) = line.as_object_mut() {
                line.extend(memory.shown.clone());
            }
            return say(line);
        }
        let came = self.carry_out(wish).await;
        report(&id, came);
    }

    fn service(&self) -> Result<Arc<Service>, Failure> {
        self.service.clone().ok_or_else(|| Some("not connected".into()))
    }

    fn is_modern(&self) -> bool {
        let info = self.service.as_ref().and_then(|service| service.peer_info());
        info.is_some_and(|info| info.protocol_version >= ProtocolVersion::V_2026_07_28)
    }

    async fn carry_out(&mut self, wish: &Value) -> Result<Value, Failure> {
        let uri = || wish["uri"].as_str().unwrap_or_default().to_owned();
        match wish["do"].as_str().unwrap_or_default() {
            "connect" => self.connect().await,
            "list" => {
                let peer = self.service()?;
                let what = wish["what"].as_str().unwrap_or_default();
                let items = match what {
                    "tools" => pages!(peer.list_tools, tools),
                    "prompts" => pages!(peer.list_prompts, prompts),
                    "resources" => pages!(peer.list_resources, resources),
                    _ => pages!(peer.list_resource_templates, resource_templates),
                };
                self.host.memory().shown.insert(what.to_owned(), items.clone());
                Ok(items)
            }
            "watch" if self.is_modern() => {
                let filter = json!({
                    "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
                    "resourceSubscriptions": [uri()],
                });
                let filter = serde_json::from_value(filter).map_err(failed)?;
                let subscription = self.service()?.listen(filter).await.map_err(failed)?;
                self.watching.insert(uri(), subscription);
                Ok(Value::Null)
            }
            "watch" => {
                self.service()?.subscribe(SubscribeRequestParams::new(uri())).await.map_err(failed)?;
                Ok(Value::Null)
            }
            "unwatch" if self.is_modern() => {
                if let Some(mut subscription) = self.watching.remove(&uri()) {
                    subscription.cancel().await.map_err(failed)?;
                }
                Ok(Value::Null)
            }
            "unwatch" => {
                self.service()?.unsubscribe(UnsubscribeRequestParams::new(uri())).await.map_err(failed)?;
                Ok(Value::Null)
            }
            "log-level" if !self.is_modern() => {
                let level = serde_json::from_value(wish["level"].clone()).map_err(failed)?;
                self.service()?.set_level(SetLevelRequestParams::new(level)).await.map_err(failed)?;
                Ok(Value::Null)
            }
            "roots" => {
                let uris = wish["uris"].as_array().into_iter().flatten();
                self.host.memory().roots = uris.filter_map(Value::as_str).map(str::to_owned).collect();
                if !self.is_modern() {
                    self.service()?.notify_roots_list_changed().await.map_err(failed)?;
                }
                Ok(Value::Null)
            }
            "abort" => {
                if let Some(abort) = self.unawaited.pop() {
                    let _ = abort.send(());
                }
                Ok(Value::Null)
            }
            "close" => {
                self.close().await;
                Ok(Value::Null)
            }
            _ => ask(&*self.service()?, wish).await,
        }
    }

    async fn connect(&mut self) -> Result<Value, Failure> {
        let (program, arguments) = self.command.split_first().ok_or_else(|| Some("which server?".into()))?;
        // Left to itself it knows the legacy era only.
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        let lifecycle = ClientLifecycleMode::Auto { preferred_versions, legacy_version: None };
        let host = self.host.clone();
        let service = if program.starts_with("http://") {
            let transport = StreamableHttpClientTransport::from_uri(program.as_str());
            host.serve_with_lifecycle(transport, lifecycle).await
        } else {
            let mut command = Command::new(program);
            command.args(arguments);
            host.serve_with_lifecycle(TokioChildProcess::new(command).map_err(failed)?, lifecycle).await
        };
        let service = service.map_err(failed)?;
        if let Some(Value::Object(info)) = service.peer_info().map(|info| json!(*info)) {
            self.host.memory().shown.extend(info);
        }
        self.service = Some(Arc::new(service));
        Ok(Value::Null)
    }

    async fn close(&mut self) {
        self.watching.clear();
        for abort in self.unawaited.drain(..) {
            let _ = abort.send(());
        }
        while self.tasks.join_next().await.is_some() {}
        if let Some(service) = self.service.take().and_then(Arc::into_inner) {
            let _ = service.cancel().await;
        }
    }
}

/// Wishes that are one request each.
async fn ask(service: &Service, wish: &Value) -> Result<Value, Failure> {
    let text = |key: &str| wish[key].as_str().unwrap_or_default().to_owned();
    let arguments = || wish["arguments"].as_object().cloned().unwrap_or_default();
    match wish["do"].as_str().unwrap_or_default() {
        "call" => {
            let params = CallToolRequestParams::new(text("tool")).with_arguments(arguments());
            Ok(json!(service.call_tool(params).await.map_err(failed)?))
        }
        "read" => {
            let params = ReadResourceRequestParams::new(text("uri"));
            Ok(json!(service.read_resource(params).await.map_err(failed)?))
        }
        "get" => {
            let params = GetPromptRequestParams::new(text("prompt")).with_arguments(arguments());
            Ok(json!(service.get_prompt(params).await.map_err(failed)?))
        }
        "complete" => {
            let came = service.complete_prompt_simple(text("prompt"), text("argument"), text("value")).await;
            Ok(json!(came.map_err(failed)?))
        }
        _ => Err(None),
    }
}

fn failed(error: impl Error + Send + Sync + 'static) -> Failure {
    Some(Box::new(error))
}

fn report(id: &Value, came: Result<Value, Failure>) {
    say(match came {
        Ok(result) => json!({"turncoat": "done", "id": id, "result": result}),
        Err(Some(error)) => json!({"turncoat": "failed", "id": id, "error": error.to_string()}),
        Err(None) => json!({"turncoat": "unsupported", "id": id}),
    });
}
