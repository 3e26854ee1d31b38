//! What the scenarios of the official conformance suite ask for by name, added to the small server.

#![expect(deprecated, reason = "sampling, roots and logging are, and are still to be tried")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        AudioContent, CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities,
        CompleteRequestParams, CompleteResult, ContentBlock, CreateMessageRequest, CreateMessageRequestParams,
        ElicitRequest, ElicitRequestParams, ElicitationAction, GetPromptRequestParams, GetPromptResponse,
        GetPromptResult, ImageContent, InputRequest, InputRequests, InputRequiredResult, InputResponses, JsonObject,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListRootsRequest, ListToolsResult,
        LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams, ProgressNotificationParam, Prompt,
        PromptArgument, PromptMessage, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse,
        ReadResourceResult, Reference, RequestStateCodec, Resource, ResourceContents, ResourceTemplate, Role,
        SamplingMessage, ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext, SubscriptionSink},
};
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::sleep};

const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const AUDIO: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";
/// Signs what goes through the client's hands between two rounds. A secret, were this not a fixture.
const KEY: &[u8] = b"turncoat-fixture-request-state-key";

/// A server and its official fixtures.
#[derive(Clone)]
pub struct Official<S> {
    server: S,
    listeners: Arc<Mutex<BTreeMap<usize, SubscriptionSink>>>,
    listened: Arc<AtomicUsize>,
    state: RequestStateCodec,
}

impl<S> Official<S> {
    /// Adds the fixtures to a server. Its clones know of the same subscriptions.
    pub fn new(server: S) -> Self {
        Self {
            server,
            listeners: Arc::default(),
            listened: Arc::default(),
            state: RequestStateCodec::new_unchecked(KEY),
        }
    }

    async fn call(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Called {
        let RequestContext { peer, meta, .. } = &context;
        let arguments = request.arguments.clone().unwrap_or_default();
        let argument = |name| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let declared = context.client_capabilities().unwrap_or_default();
        let answers = request.input_responses.clone().unwrap_or_default();
        let answer = |key, field| filled_in(&answers, key, field);
        match &*request.name {
            "test_simple_text" => text("This is a simple text response for testing."),
            "test_image_content" => content([ContentBlock::image(IMAGE, "image/png")]),
            "test_audio_content" => content([ContentBlock::Audio(AudioContent::new(AUDIO, "audio/wav"))]),
            "test_embedded_resource" => content([embedded("test://embedded-resource")]),
            "test_multiple_content_types" => content([
                ContentBlock::text("Multiple content types test:"),
                ContentBlock::image(IMAGE, "image/png"),
                embedded("test://mixed-content-resource"),
            ]),
            "test_error_handling" => Ok(CallToolResult::error(vec![ContentBlock::text("always fails")]).into()),
            "test_x_mcp_header" => text(format!("region={}", argument("region"))),
            "json_schema_2020_12_tool" => text("called"),
            "test_streaming_elicitation" => text("answered"),
            "test_tool_with_logging" => {
                for step in ["started", "is at work", "is done"] {
                    let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(step));
                    let _ = peer.notify_logging_message(message).await;
                    sleep(Duration::from_millis(50)).await;
                }
                text("logged")
            }
            "test_logging_tool" => {
                if let Some(level) = meta.log_level() {
                    let message = LoggingMessageNotificationParam::new(level, json!("the tool ran"));
                    let _ = peer.notify_logging_message(message).await;
                }
                text("logged")
            }
            "test_tool_with_progress" => {
                for progress in [0.0, 50.0, 100.0] {
                    if let Some(token) = meta.get_progress_token() {
                        let progress = ProgressNotificationParam::new(token, progress).with_total(100.0);
                        let _ = peer.notify_progress(progress).await;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
                text("done")
            }
            // The SDK has no way for a tool to close its own stream.
            "test_reconnection" => {
                sleep(Duration::from_millis(100)).await;
                text("answered")
            }
            "test_trigger_tool_change" => {
                for listener in self.listeners.lock().await.values() {
                    let _ = listener.notify_tool_list_changed().await;
                }
                if !modern {
                    let _ = peer.notify_tool_list_changed().await;
                }
                text("told")
            }
            "test_trigger_prompt_change" => {
                for listener in self.listeners.lock().await.values() {
                    let _ = listener.notify_prompt_list_changed().await;
                }
                if !modern {
                    let _ = peer.notify_prompt_list_changed().await;
                }
                text("told")
            }
            "test_missing_capability" if meta.client_capabilities().unwrap_or_default().sampling.is_none() => {
                let required = ClientCapabilities::builder().enable_sampling().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            "test_missing_capability" => text("asked"),
            "test_sampling" if declared.sampling.is_none() => {
                refuse(modern, ClientCapabilities::builder().enable_sampling().build())
            }
            "test_sampling" if modern => match answer("answer", "text") {
                Some(said) => text(format!("LLM response: {said}")),
                None => self.require([("answer", ask_model(argument("prompt")))], None),
            },
            "test_sampling" => {
                let messages = vec![SamplingMessage::user_text(argument("prompt"))];
                let answer = peer.create_message(CreateMessageRequestParams::new(messages, 100)).await;
                let answer = answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
                let said = answer.message.content.first().and_then(|content| content.as_text());
                text(format!("LLM response: {}", said.map_or("", |said| &said.text)))
            }
            "test_elicitation" | "test_elicitation_sep1034_defaults" | "test_elicitation_sep1330_enums"
                // Elicitation of no stated mode is by form, and so are the questions here.
                if declared.elicitation.as_ref().is_none_or(|modes| modes.form.is_none() && modes.url.is_some()) =>
            {
                refuse(modern, ClientCapabilities::builder().enable_elicitation().build())
            }
            "test_elicitation" => {
                let schema = json!({ "response": { "type": "string" } });
                match answer("answer", "response") {
                    Some(said) => text(said),
                    None if modern => {
                        self.require([("answer", ask(argument("message"), schema, json!(["response"])))], None)
                    }
                    None => elicit(&context, argument("message"), schema, json!(["response"])).await,
                }
            }
            "test_elicitation_sep1034_defaults" => {
                let schema = json!({
                    "name": { "type": "string", "default": "John Doe" },
                    "age": { "type": "integer", "default": 30 },
                    "score": { "type": "number", "default": 95.5 },
                    "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
                    "verified": { "type": "boolean", "default": true },
                });
                elicit(&context, "Please review the defaults", schema, json!([])).await
            }
            "test_elicitation_sep1330_enums" => {
                let names = json!(["one", "two", "three"]);
                let titled = json!([
                    { "const": "one", "title": "ONE" },
                    { "const": "two", "title": "TWO" },
                    { "const": "three", "title": "THREE" },
                ]);
                let schema = json!({
                    "untitledSingle": { "type": "string", "enum": names },
                    "titledSingle": { "type": "string", "oneOf": titled },
                    "legacyEnum": { "type": "string", "enum": names, "enumNames": ["ONE", "TWO", "THREE"] },
                    "untitledMulti": { "type": "array", "items": { "type": "string", "enum": names } },
                    "titledMulti": { "type": "array", "items": { "anyOf": titled } },
                });
                elicit(&context, "Please choose", schema, json!([])).await
            }
            _ => self.call_in_rounds(request, &context),
        }
    }

    /// The tools that ask in the way of the modern revision: with a result that requires input.
    fn call_in_rounds(&self, request: CallToolRequestParams, context: &RequestContext<RoleServer>) -> Called {
        let answers = request.input_responses.unwrap_or_default();
        let state = request.request_state.map(|sealed| self.state.open_json::<Value>(&sealed)).transpose();
        let state = state.map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let answered = |key: &str| answers.get(key).is_some_and(Value::is_object);
        let filled_in = |key, field| filled_in(&answers, key, field);
        match &*request.name {
            "test_input_required_result_elicitation" => match filled_in("user_name", "name") {
                Some(name) => text(format!("Hello, {name}!")),
                None => self.require([("user_name", ask_name("What is your name?"))], None),
            },
            "test_input_required_result_sampling" => match filled_in("capital_question", "text") {
                Some(said) => text(format!("The model said: {said}")),
                None => self.require([("capital_question", ask_model("What is the capital of France?"))], None),
            },
            "test_input_required_result_list_roots" if answered("client_roots") => text("There are roots."),
            "test_input_required_result_list_roots" => self.require([("client_roots", ask_roots())], None),
            "test_input_required_result_multiple_inputs"
                if ["user_name", "greeting", "client_roots"].into_iter().all(answered) =>
            {
                text("All inputs received.")
            }
            "test_input_required_result_multiple_inputs" => self.require(
                [
                    ("user_name", ask_name("What is your name?")),
                    ("greeting", ask_model("Generate a greeting")),
                    ("client_roots", ask_roots()),
                ],
                Some(json!({ "round": 1 })),
            ),
            "test_input_required_result_request_state" | "test_input_required_result_tampered_state"
                if state.is_some() && answered("confirm") =>
            {
                text("state-ok")
            }
            "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
                let confirm = ask("Please confirm", json!({ "ok": { "type": "boolean" } }), json!(["ok"]));
                self.require([("confirm", confirm)], Some(json!({ "round": 1 })))
            }
            "test_input_required_result_multi_round" => {
                match state.as_ref().and_then(|state| state["round"].as_u64()) {
                    None => {
                        self.require([("step1", ask_name("Step 1: What is your name?"))], Some(json!({ "round": 1 })))
                    }
                    Some(1) => {
                        let color = json!({ "color": { "type": "string" } });
                        let color = ask("Step 2: What is your favorite color?", color, json!(["color"]));
                        self.require(
                            [("step2", color)],
                            Some(json!({ "round": 2, "name": filled_in("step1", "name") })),
                        )
                    }
                    Some(_) => text(format!("likes {}", filled_in("step2", "color").unwrap_or_default())),
                }
            }
            "test_input_required_result_capabilities" => {
                let declared = context.client_capabilities().unwrap_or_default();
                let mut requests = Vec::new();
                if declared.elicitation.is_some() {
                    requests.push(("user_name", ask_name("What is your name?")));
                }
                if declared.sampling.is_some() {
                    requests.push(("greeting", ask_model("Generate a greeting")));
                }
                if declared.roots.is_some() {
                    requests.push(("client_roots", ask_roots()));
                }
                if requests.is_empty() || !answers.is_empty() {
                    text("nothing to ask")
                } else {
                    self.require(requests, None)
                }
            }
            name => Err(ErrorData::invalid_params(format!("no such tool: {name}"), None)),
        }
    }

    fn require(
        &self,
        requests: impl IntoIterator<Item = (&'static str, InputRequest)>,
        state: Option<Value>,
    ) -> Called {
        let requests = requests.into_iter().map(|(key, request)| (key.to_owned(), request)).collect::<InputRequests>();
        let sealed = state.map(|state| self.state.seal_json(&state)).transpose();
        let sealed = sealed.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(InputRequiredResult::new(Some(requests), sealed).into())
    }
}

type Called = Result<CallToolResponse, ErrorData>;

fn text(value: impl Into<String>) -> Called {
    content([ContentBlock::text(value)])
}

fn content(blocks: impl IntoIterator<Item = ContentBlock>) -> Called {
    Ok(CallToolResult::success(blocks.into_iter().collect()).into())
}

/// What a client gets that cannot be asked.
fn refuse(modern: bool, required: ClientCapabilities) -> Called {
    if modern {
        return Err(ErrorData::missing_required_client_capability(required));
    }
    Ok(CallToolResult::error(vec![ContentBlock::text("the client did not declare that it can be asked")]).into())
}

fn embedded(uri: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text("This is an embedded resource content.", uri))
}

async fn elicit(context: &RequestContext<RoleServer>, message: &str, properties: Value, required: Value) -> Called {
    let asked = context.peer.create_elicitation(form(message, properties, required)).await;
    let answer = asked.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let action = if answer.action == ElicitationAction::Accept { "accept" } else { "decline" };
    text(format!("action={action}, content={}", answer.content.unwrap_or_default()))
}

fn form(message: &str, properties: Value, required: Value) -> ElicitRequestParams {
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: serde_json::from_value(schema).expect("the fixtures have valid schemas"),
    }
}

fn ask(message: &str, properties: Value, required: Value) -> InputRequest {
    InputRequest::Elicitation(ElicitRequest::new(form(message, properties, required)))
}

fn ask_name(message: &str) -> InputRequest {
    ask(message, json!({ "name": { "type": "string" } }), json!(["name"]))
}

fn ask_model(prompt: &str) -> InputRequest {
    let messages = vec![SamplingMessage::user_text(prompt)];
    InputRequest::CreateMessage(CreateMessageRequest::new(CreateMessageRequestParams::new(messages, 100)))
}

fn ask_roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// What was answered to a question of an earlier round.
fn filled_in(answers: &InputResponses, key: &str, field: &str) -> Option<String> {
    Some(answers.get(key)?.get("content")?.get(field)?.as_str()?.to_owned())
}

fn tools() -> BTreeMap<&'static str, Tool> {
    let empty = json!({ "type": "object", "properties": {} });
    let string =
        |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } }, "required": [name] });
    let without_arguments = [
        "test_simple_text",
        "test_image_content",
        "test_audio_content",
        "test_embedded_resource",
        "test_multiple_content_types",
        "test_error_handling",
        "test_streaming_elicitation",
        "test_tool_with_logging",
        "test_logging_tool",
        "test_tool_with_progress",
        "test_reconnection",
        "test_trigger_tool_change",
        "test_trigger_prompt_change",
        "test_missing_capability",
        "test_elicitation_sep1034_defaults",
        "test_elicitation_sep1330_enums",
        "test_input_required_result_elicitation",
        "test_input_required_result_sampling",
        "test_input_required_result_list_roots",
        "test_input_required_result_multiple_inputs",
        "test_input_required_result_request_state",
        "test_input_required_result_tampered_state",
        "test_input_required_result_multi_round",
        "test_input_required_result_capabilities",
    ];
    let with_arguments = [
        ("test_sampling", string("prompt")),
        ("test_elicitation", string("message")),
        (
            "test_x_mcp_header",
            json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } }),
        ),
        (
            "json_schema_2020_12_tool",
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "$defs": {
                    "address": {
                        "$anchor": "addressDef",
                        "type": "object",
                        "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                    },
                },
                "properties": {
                    "name": { "type": "string" },
                    "address": { "$ref": "#/$defs/address" },
                    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                    "phone": { "type": "string" },
                    "email": { "type": "string" },
                },
                "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
                "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
                "then": { "required": ["phone"] },
                "else": { "required": ["email"] },
                "additionalProperties": false,
            }),
        ),
    ];
    without_arguments
        .into_iter()
        .map(|name| (name, empty.clone()))
        .chain(with_arguments)
        .map(|(name, schema)| {
            let schema: JsonObject = serde_json::from_value(schema).expect("the fixtures have objects for schemas");
            (name, Tool::new(name, "A fixture of the official suite.", schema))
        })
        .collect()
}

impl<S: ServerHandler + Clone> ServerHandler for Official<S> {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.server.get_info();
        info.capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_logging()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        info
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools().remove(name).or_else(|| self.server.get_tool(name))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut result = self.server.list_tools(request, context).await?;
        result.tools.extend(tools().into_values());
        Ok(result)
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Called {
        if tools().contains_key(&*request.name) {
            self.call(request, context).await
        } else {
            self.server.call_tool(request, context).await
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompt = |name, arguments: &[&str]| {
            let arguments = arguments.iter().map(|name| PromptArgument::new(*name).with_required(true)).collect();
            Prompt::new(name, Some("A fixture of the official suite."), Some(arguments))
        };
        let mut result = self.server.list_prompts(request, context).await?;
        result.prompts.extend([
            prompt("test_simple_prompt", &[]),
            prompt("test_prompt_with_arguments", &["arg1", "arg2"]),
            prompt("test_prompt_with_embedded_resource", &["resourceUri"]),
            prompt("test_prompt_with_image", &[]),
            prompt("test_input_required_result_prompt", &[]),
        ]);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.clone().unwrap_or_default();
        let argument = |name| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let says = |value: String| PromptMessage::new_text(Role::User, value);
        let messages = match &*request.name {
            "test_simple_prompt" => vec![says("This is a simple prompt for testing.".to_owned())],
            "test_prompt_with_arguments" => {
                let (one, two) = (argument("arg1"), argument("arg2"));
                vec![says(format!("Prompt with arguments: arg1='{one}', arg2='{two}'"))]
            }
            "test_prompt_with_embedded_resource" => {
                let resource =
                    ResourceContents::text("Embedded resource content for testing.", argument("resourceUri"));
                vec![
                    PromptMessage::new(Role::User, ContentBlock::resource(resource)),
                    says("Please process the embedded resource above.".to_owned()),
                ]
            }
            "test_prompt_with_image" => vec![
                PromptMessage::new(Role::User, ContentBlock::Image(ImageContent::new(IMAGE, "image/png"))),
                says("Please analyze the image above.".to_owned()),
            ],
            "test_input_required_result_prompt" => {
                let answer = request.input_responses.as_ref().and_then(|answers| answers.get("user_context"));
                let filled_in = answer.and_then(|answer| answer.get("content")?.get("context")?.as_str());
                let Some(filled_in) = filled_in else {
                    let context = json!({ "context": { "type": "string" } });
                    let context = ask("What context should the prompt use?", context, json!(["context"]));
                    let requests = InputRequests::from([("user_context".to_owned(), context)]);
                    return Ok(InputRequiredResult::new(Some(requests), None).into());
                };
                vec![says(format!("Use the following context: {filled_in}"))]
            }
            _ => return self.server.get_prompt(request, context).await,
        };
        Ok(GetPromptResult::new(messages).into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = self.server.list_resources(request, context).await?;
        result.resources.extend([
            Resource::new("test://static-text", "static-text").with_mime_type("text/plain"),
            Resource::new("test://static-binary", "static-binary").with_mime_type("image/png"),
            Resource::new("test://watched-resource", "watched-resource").with_mime_type("text/plain"),
        ]);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = self.server.list_resource_templates(request, context).await?;
        result.resource_templates.push(ResourceTemplate::new("test://template/{id}/data", "template"));
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.clone();
        let template = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = match (&*uri, template) {
            ("test://static-text", _) => {
                ResourceContents::text("This is the content of the static text resource.", uri)
                    .with_mime_type("text/plain")
            }
            ("test://static-binary", _) => ResourceContents::blob(IMAGE, uri).with_mime_type("image/png"),
            ("test://watched-resource", _) => {
                ResourceContents::text("Watched resource content", uri).with_mime_type("text/plain")
            }
            (_, Some(id)) => {
                let data = json!({ "id": id, "templateTest": true }).to_string();
                ResourceContents::text(data, uri.clone()).with_mime_type("application/json")
            }
            _ => return self.server.read_resource(request, context).await,
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let key = self.listened.fetch_add(1, Ordering::Relaxed);
        self.listeners.lock().await.insert(key, context.sink().clone());
        context.cancelled().await;
        self.listeners.lock().await.remove(&key);
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let known = match request.r#ref {
            Reference::Prompt(prompt) => {
                self.list_prompts(None, context).await?.prompts.iter().any(|known| known.name == prompt.name)
            }
            Reference::Resource(resource) => {
                let templates = self.list_resource_templates(None, context).await?.resource_templates;
                templates.iter().any(|known| known.uri_template == resource.uri)
            }
            _ => false,
        };
        if known {
            Ok(CompleteResult::default())
        } else {
            Err(ErrorData::invalid_params("there is no such thing to complete for", None))
        }
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }
}
