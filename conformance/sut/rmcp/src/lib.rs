//! A small MCP server on the Rust SDK, with one thing of each kind that the harness can use.
//!
//! It leaves to the SDK whatever the SDK offers to do, so that what is tried is the SDK and not this file.

use std::{borrow::Cow, error::Error, time::Duration};

use rmcp::{
    ErrorData, Json, RoleServer, ServerHandler, ServiceExt,
    handler::server::{
        router::{prompt::PromptRouter, tool::ToolRouter},
        wrapper::Parameters,
    },
    model::{
        Implementation, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
        ProgressNotificationParam, PromptMessage, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
        Resource, ResourceContents, ResourceTemplate, Role, ServerCapabilities, ServerConfig,
    },
    prompt, prompt_handler, prompt_router,
    service::RequestContext,
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "http")]
pub mod official;

/// The server, ready to be served over any transport of the SDK.
pub fn server() -> impl ServerHandler + Clone {
    Fixtures { tools: Fixtures::tool_router(), prompts: Fixtures::prompt_router() }
}

/// Serves one session, over a duplex pipe or anything like it, until its input ends.
///
/// # Errors
///
/// Fails when the session could not be begun, as when the first message is none that can open one.
pub async fn serve<T>(io: T) -> Result<(), Box<dyn Error + Send + Sync>>
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    server().serve(io).await?.waiting().await?;
    Ok(())
}

#[derive(Clone)]
struct Fixtures {
    tools: ToolRouter<Self>,
    prompts: PromptRouter<Self>,
}

#[derive(Deserialize, JsonSchema)]
struct Echo {
    message: String,
}

#[derive(Deserialize, JsonSchema)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(JsonSchema, Serialize)]
struct Sum {
    sum: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Slow {
    milliseconds: u64,
    steps: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Greet {
    name: String,
}

#[tool_router]
impl Fixtures {
    /// Gives the message back.
    #[tool(annotations(read_only_hint = true))]
    async fn echo(&self, Parameters(Echo { message }): Parameters<Echo>) -> String {
        message
    }

    /// Adds two integers.
    #[tool(annotations(read_only_hint = true))]
    async fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> Result<Json<Sum>, ErrorData> {
        let sum = a.checked_add(b).ok_or_else(|| ErrorData::invalid_params("the sum does not fit", None))?;
        Ok(Json(Sum { sum }))
    }

    /// Takes its time and reports progress.
    #[tool(annotations(read_only_hint = true))]
    async fn slow(
        &self,
        Parameters(Slow { milliseconds, steps }): Parameters<Slow>,
        request: RequestContext<RoleServer>,
    ) -> Result<String, ErrorData> {
        let steps = steps.max(1);
        for step in 1..=steps {
            tokio::select! {
                () = request.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
                () = tokio::time::sleep(Duration::from_millis(milliseconds / u64::from(steps))) => {}
            }
            if let Some(token) = request.meta.get_progress_token() {
                let progress = ProgressNotificationParam::new(token, step.into()).with_total(steps.into());
                // A client that went away shows as the end of the session, not here.
                let _ = request.peer.notify_progress(progress).await;
            }
        }
        Ok("done".to_owned())
    }

    /// Always fails, in the way that a tool means to.
    #[tool(annotations(read_only_hint = true))]
    async fn fail(&self) -> Result<String, String> {
        Err("this tool always fails".to_owned())
    }

    /// Always fails, in a way that nobody meant.
    #[tool(annotations(read_only_hint = true))]
    async fn crash(&self) -> String {
        panic!("this tool always crashes")
    }
}

#[prompt_router]
impl Fixtures {
    /// Asks for a greeting.
    #[prompt]
    async fn greet(&self, Parameters(Greet { name }): Parameters<Greet>) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(Role::User, format!("Please greet {name}."))]
    }

    /// A prompt that cannot be rendered.
    #[prompt]
    async fn broken(&self) -> Result<Vec<PromptMessage>, ErrorData> {
        Err(ErrorData::internal_error("this prompt always fails", None))
    }
}

#[tool_handler(router = self.tools)]
#[prompt_handler(router = self.prompts)]
impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("turncoat-rmcp", env!("CARGO_PKG_VERSION")))
            .with_instructions("Fixtures of a test harness.")
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(vec![
            Resource::new("note://greeting", "greeting"),
            Resource::new("note://broken", "broken"),
        ]))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(vec![ResourceTemplate::new("note://numbers/{n}", "number")]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text: Cow<'static, str> = match request.uri.strip_prefix("note://") {
            Some("greeting") => "hello".into(),
            Some("broken") => return Err(ErrorData::internal_error("this resource always fails", None)),
            Some(rest) if rest.starts_with("numbers/") => rest.replace('/', " ").into(),
            _ => return Err(ErrorData::resource_not_found("no such note", None)),
        };
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, request.uri)]).into())
    }
}
