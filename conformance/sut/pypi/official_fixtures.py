"""The tools, resources and prompts that the scenarios of the official conformance suite ask for by name."""

import base64
import json
from typing import Annotated, Any

import anyio
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    Completion,
    CompletionArgument,
    CompletionContext,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

# One pixel, and one sample.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
AUDIO = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


class Answer(BaseModel):
    response: str


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: str = Field(default="active", json_schema_extra={"enum": ["active", "inactive", "pending"]})
    verified: bool = True


NAMES = ["one", "two", "three"]
TITLED: list[Any] = [{"const": name, "title": name.upper()} for name in NAMES]


class Choices(BaseModel):
    untitledSingle: str = Field(json_schema_extra={"enum": [*NAMES]})
    titledSingle: str = Field(json_schema_extra={"oneOf": TITLED})
    legacyEnum: str = Field(json_schema_extra={"enum": [*NAMES], "enumNames": ["ONE", "TWO", "THREE"]})
    untitledMulti: list[str] = Field(json_schema_extra={"items": {"type": "string", "enum": [*NAMES]}})
    titledMulti: list[str] = Field(json_schema_extra={"items": {"anyOf": TITLED}})


def add_official_fixtures(server: MCPServer) -> None:
    """Adds them all."""
    add_contents(server)
    add_conversations(server)
    add_rounds(server)
    add_resources(server)
    add_prompts(server)
    add_handlers(server)


def add_contents(server: MCPServer) -> None:
    """Adds tools that answer with content of a fixed kind."""

    @server.tool()
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool()
    def test_image_content() -> list[ImageContent]:
        return [ImageContent(type="image", data=IMAGE, mime_type="image/png")]

    @server.tool()
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=AUDIO, mime_type="audio/wav")]

    @server.tool()
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool()
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        return [
            TextContent(type="text", text="Multiple content types test:"),
            ImageContent(type="image", data=IMAGE, mime_type="image/png"),
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ]

    @server.tool()
    def test_error_handling() -> str:
        raise RuntimeError("This tool intentionally returns an error for testing")

    @server.tool()
    def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "") -> str:
        return f"region={region}"

    @server.tool()
    def json_schema_2020_12_tool() -> str:
        return "called"

    # The SDK has no public way to give a tool a schema that was written by hand.
    server._tool_manager._tools["json_schema_2020_12_tool"].parameters = SCHEMA


def embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    """Content that is a resource."""
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def add_conversations(server: MCPServer) -> None:
    """Adds tools that say or ask something while they run, in the way of the revision where it has one of its own."""

    @server.tool()
    async def test_tool_with_logging(ctx: Context) -> str:
        for step in ["started", "is at work", "is done"]:
            await ctx.info(f"the tool {step}")
            await anyio.sleep(0.05)
        return "logged"

    @server.tool()
    async def test_logging_tool(ctx: Context) -> str:
        await ctx.info("the tool ran")
        return "logged"

    @server.tool()
    async def test_tool_with_progress(ctx: Context) -> str:
        for progress in [0, 50, 100]:
            await ctx.report_progress(progress, 100)
            await anyio.sleep(0.05)
        return "done"

    @server.tool()
    async def test_reconnection(ctx: Context) -> str:
        await ctx.close_sse_stream()
        await anyio.sleep(0.1)
        return "answered after the stream was closed"

    @server.tool()
    async def test_sampling(prompt: str, ctx: Context) -> str | InputRequiredResult:
        need(ctx, "sampling")
        if modern(ctx):
            answer = (ctx.input_responses or {}).get("answer")
            return f"LLM response: {answer.content.text}" if answer else required(answer=ask_model(prompt))
        message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        result = await ctx.session.create_message(messages=[message], max_tokens=100, related_request_id=ctx.request_id)
        return f"LLM response: {result.content.text}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Context) -> str | InputRequiredResult:
        need(ctx, "elicitation")
        if modern(ctx):
            said = content_of(ctx, "answer").get("response")
            return said if isinstance(said, str) else required(answer=ask(message, {"response": {"type": "string"}}))
        return told(await ctx.elicit(message=message, schema=Answer))

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        need(ctx, "elicitation")
        return told(await ctx.elicit(message="Please review the defaults", schema=Defaults))

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        need(ctx, "elicitation")
        return told(await ctx.elicit(message="Please choose", schema=Choices))

    @server.tool()
    async def test_trigger_tool_change(ctx: Context) -> str:
        await ctx.notify_tools_changed()
        return "told"

    @server.tool()
    async def test_trigger_prompt_change(ctx: Context) -> str:
        await ctx.notify_prompts_changed()
        return "told"

    @server.tool()
    def test_streaming_elicitation() -> str:
        return "answered"

    @server.tool()
    def test_missing_capability(ctx: Context) -> str:
        need(ctx, "sampling")
        return "asked"


def need(ctx: Context, name: str) -> None:
    """Refuses a client that did not declare that it can be asked in this way."""
    declared = getattr(ctx.client_capabilities, name, None)
    # Elicitation of no stated mode is by form, and so are the questions here.
    if declared is not None and (name != "elicitation" or declared.form is not None or declared.url is None):
        return
    message = f"this tool needs a client that declares {name}"
    if modern(ctx):
        raise MCPError(code=MISSING_REQUIRED_CLIENT_CAPABILITY, message=message, data={"requiredCapabilities": {name: {}}})
    raise ToolError(message)


def modern(ctx: Context) -> bool:
    """Whether the revision has no requests from servers."""
    return (ctx.protocol_version or "") >= "2026-07-28"


def told(result: Any) -> str:
    """What the user answered."""
    content = result.data.model_dump_json() if result.action == "accept" else "{}"
    return f"action={result.action}, content={content}"


def add_rounds(server: MCPServer) -> None:
    """Adds tools that ask in the way of the modern revision: with a result that requires input."""

    @server.tool()
    def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
        name = content_of(ctx, "user_name").get("name")
        return f"Hello, {name}!" if isinstance(name, str) else required(user_name=ask_name())

    @server.tool()
    def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
        answer = (ctx.input_responses or {}).get("capital_question")
        return f"The model said: {answer.content.text}" if answer else required(capital_question=ask_model("What is the capital of France?"))

    @server.tool()
    def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
        answer = (ctx.input_responses or {}).get("client_roots")
        return f"There are {len(answer.roots)} roots." if answer else required(client_roots=ListRootsRequest())

    @server.tool()
    def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
        if {"user_name", "greeting", "client_roots"} <= (ctx.input_responses or {}).keys():
            return "All inputs received."
        return required("1", user_name=ask_name(), greeting=ask_model("Generate a greeting"), client_roots=ListRootsRequest())

    def confirm(ctx: Context) -> str | InputRequiredResult:
        confirmed = ctx.request_state is not None and "confirm" in (ctx.input_responses or {})
        return "state-ok" if confirmed else required("1", confirm=ask("Please confirm", {"ok": {"type": "boolean"}}))

    server.tool(name="test_input_required_result_request_state")(confirm)
    server.tool(name="test_input_required_result_tampered_state")(confirm)

    @server.tool()
    def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
        state = json.loads(ctx.request_state or '{"round": 0}')
        if state["round"] == 0:
            return required(json.dumps({"round": 1}), step1=ask_name("Step 1: What is your name?"))
        if state["round"] == 1:
            name = content_of(ctx, "step1").get("name")
            color = ask("Step 2: What is your favorite color?", {"color": {"type": "string"}})
            return required(json.dumps({"round": 2, "name": name}), step2=color)
        return f"{state['name']} likes {content_of(ctx, 'step2').get('color')}."

    @server.tool()
    def test_input_required_result_capabilities(ctx: Context) -> str | InputRequiredResult:
        capabilities = ctx.client_capabilities
        requests: dict[str, Any] = {}
        if capabilities and capabilities.elicitation is not None:
            requests["user_name"] = ask_name()
        if capabilities and capabilities.sampling is not None:
            requests["greeting"] = ask_model("Generate a greeting")
        if capabilities and capabilities.roots is not None:
            requests["client_roots"] = ListRootsRequest()
        return required(**requests) if requests and not ctx.input_responses else "nothing to ask"


def content_of(ctx: Context, key: str) -> dict[str, Any]:
    """What the user filled in, if it was answered and accepted."""
    answer = (ctx.input_responses or {}).get(key)
    return dict(answer.content or {}) if isinstance(answer, ElicitResult) else {}


def required(state: str | None = None, **requests: Any) -> InputRequiredResult:
    """A result that requires input."""
    return InputRequiredResult(input_requests=requests, request_state=state)


def ask(message: str, properties: dict[str, Any]) -> ElicitRequest:
    """A question to the user."""
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def ask_name(message: str = "What is your name?") -> ElicitRequest:
    """A question for a name."""
    return ask(message, {"name": {"type": "string"}})


def ask_model(prompt: str) -> CreateMessageRequest:
    """A question to the model."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=100))


def add_resources(server: MCPServer) -> None:
    """Adds resources of fixed content, and a template."""

    @server.resource("test://static-text")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(IMAGE)

    @server.resource("test://watched-resource")
    def watched_resource() -> str:
        return "Watched resource content"

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True})


def add_prompts(server: MCPServer) -> None:
    """Adds prompts, one of which asks for input."""

    def message(content: Any) -> UserMessage:
        return UserMessage(role="user", content=content)

    def says(text: str) -> UserMessage:
        return message(TextContent(type="text", text=text))

    @server.prompt()
    def test_simple_prompt() -> list[UserMessage]:
        return [says("This is a simple prompt for testing.")]

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        return [says(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
        content = embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [message(content), says("Please process the embedded resource above.")]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        image = ImageContent(type="image", data=IMAGE, mime_type="image/png")
        return [message(image), says("Please analyze the image above.")]

    @server.prompt()
    def test_input_required_result_prompt(ctx: Context) -> list[UserMessage] | InputRequiredResult:
        context = content_of(ctx, "user_context").get("context")
        if isinstance(context, str):
            return [says(f"Use the following context: {context}")]
        return required(user_context=ask("What context should the prompt use?", {"context": {"type": "string"}}))


def add_handlers(server: MCPServer) -> None:
    """Adds what the SDK leaves to the server's author."""

    @server.completion()
    async def complete(
        ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, context: CompletionContext | None
    ) -> Completion:
        if isinstance(ref, PromptReference):
            known = ref.name in [prompt.name for prompt in await server.list_prompts()]
        else:
            known = ref.uri in [template.uri_template for template in await server.list_resource_templates()]
        if not known:
            raise MCPError(code=INVALID_PARAMS, message="there is no such thing to complete for")
        return Completion(values=[], total=0, has_more=False)

    async def accept(ctx: ServerRequestContext, params: Any) -> EmptyResult:
        return EmptyResult()

    # There is no public way to add these.
    low_level = server._lowlevel_server
    low_level.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    low_level.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    low_level.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)
