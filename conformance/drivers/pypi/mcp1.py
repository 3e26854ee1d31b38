"""Drives a client on the Python SDK 1; the command of the server is the arguments, or its URL."""

import asyncio
import contextlib
import sys
from datetime import timedelta

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import AnyUrl

from driver import PATIENCE, ROOT, converse, form, is_url, pages, plain


class Driver:
    def __init__(self, command):
        self.command = command
        self.stack = contextlib.AsyncExitStack()
        self.roots_now = [ROOT]
        self.shown = {"log": []}

    async def connect(self):
        reader, writer, *_ = await self.stack.enter_async_context(transport(self.command))
        session = ClientSession(
            reader,
            writer,
            read_timeout_seconds=timedelta(seconds=PATIENCE),
            sampling_callback=self.on_sample,
            elicitation_callback=self.on_elicit,
            list_roots_callback=self.on_roots,
            logging_callback=self.on_log,
        )
        self.session = await self.stack.enter_async_context(session)
        self.shown |= plain(await self.session.initialize())

    async def list(self, what):
        fetch, member = {
            "tools": (self.session.list_tools, "tools"),
            "prompts": (self.session.list_prompts, "prompts"),
            "resources": (self.session.list_resources, "resources"),
            "templates": (self.session.list_resource_templates, "resourceTemplates"),
        }[what]
        self.shown[what] = plain(await pages(lambda cursor: fetch(params=page(cursor)), member))
        return self.shown[what]

    async def call(self, tool, arguments):
        return await self.session.call_tool(tool, arguments)

    async def read(self, uri):
        return await self.session.read_resource(AnyUrl(uri))

    async def get(self, prompt, arguments):
        return await self.session.get_prompt(prompt, arguments)

    async def complete(self, prompt, argument, value):
        reference = types.PromptReference(type="ref/prompt", name=prompt)
        return await self.session.complete(reference, {"name": argument, "value": value})

    async def log_level(self, level):
        return await self.session.set_logging_level(level)

    async def watch(self, uri):
        return await self.session.subscribe_resource(AnyUrl(uri))

    async def unwatch(self, uri):
        return await self.session.unsubscribe_resource(AnyUrl(uri))

    async def roots(self, uris):
        self.roots_now = uris
        await self.session.send_roots_list_changed()

    async def close(self):
        await self.stack.aclose()

    async def on_roots(self, context):
        return types.ListRootsResult(roots=[types.Root(uri=uri) for uri in self.roots_now])

    async def on_sample(self, context, params):
        content = types.TextContent(type="text", text="Forty-two.")
        return types.CreateMessageResult(role="assistant", content=content, model="fixed", stopReason="endTurn")

    async def on_elicit(self, context, params):
        return types.ElicitResult(action="accept", content=form(getattr(params, "requestedSchema", None)))

    async def on_log(self, params):
        self.shown["log"].append(plain(params))


def transport(command):
    if not is_url(command[0]):
        return stdio_client(StdioServerParameters(command=command[0], args=command[1:]))
    # By its usual path, as hosts do.
    return sse_client(command[0]) if command[0].endswith("/sse") else streamable_http_client(command[0])


def page(cursor):
    return None if cursor is None else types.PaginatedRequestParams(cursor=cursor)


asyncio.run(converse(Driver(sys.argv[1:])))
