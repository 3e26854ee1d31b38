"""Drives a client on the Python SDK 2; the command of the server is the arguments, or its URL."""

import asyncio
import contextlib
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

from driver import PATIENCE, ROOT, Unsupported, converse, form, is_url, pages, plain


class Driver:
    def __init__(self, command):
        self.client = Client(
            server(command),
            read_timeout_seconds=PATIENCE,
            sampling_callback=self.on_sample,
            elicitation_callback=self.on_elicit,
            list_roots_callback=self.on_roots,
            logging_callback=self.on_log,
        )
        self.stack = contextlib.AsyncExitStack()
        self.watching = {}
        self.roots_now = [ROOT]
        self.shown = {"log": [], "news": []}

    async def connect(self):
        await self.stack.enter_async_context(self.client)
        self.shown["protocolVersion"] = self.client.protocol_version
        self.shown["serverInfo"] = plain(self.client.server_info)
        self.shown["capabilities"] = plain(self.client.server_capabilities)
        self.shown["instructions"] = self.client.instructions

    async def list(self, what):
        fetch, member = {
            "tools": (self.client.list_tools, "tools"),
            "prompts": (self.client.list_prompts, "prompts"),
            "resources": (self.client.list_resources, "resources"),
            "templates": (self.client.list_resource_templates, "resource_templates"),
        }[what]
        # Asked for anew: what was kept is of no interest.
        self.shown[what] = plain(await pages(lambda cursor: fetch(cursor=cursor, cache_mode="refresh"), member))
        return self.shown[what]

    async def call(self, tool, arguments):
        return await self.client.call_tool(tool, arguments)

    async def read(self, uri):
        return await self.client.read_resource(uri)

    async def get(self, prompt, arguments):
        return await self.client.get_prompt(prompt, arguments)

    async def complete(self, prompt, argument, value):
        return await self.client.complete(types.PromptReference(name=prompt), {"name": argument, "value": value})

    async def log_level(self, level):
        if self.client.protocol_version >= "2026":
            raise Unsupported
        return await self.client.set_logging_level(level)

    async def watch(self, uri):
        if self.client.protocol_version < "2026":
            return await self.client.subscribe_resource(uri)
        heard = asyncio.Event()
        self.watching[uri] = asyncio.create_task(self.follow(uri, heard))
        ready = asyncio.create_task(heard.wait())
        await asyncio.wait([ready, self.watching[uri]], return_when=asyncio.FIRST_COMPLETED)
        if self.watching[uri].done():
            await self.watching[uri]

    async def follow(self, uri, heard):
        lists = {"tools_list_changed": True, "prompts_list_changed": True, "resources_list_changed": True}
        async with self.client.listen(**lists, resource_subscriptions=[uri]) as news:
            heard.set()
            async for event in news:
                self.shown["news"].append(repr(event))

    async def unwatch(self, uri):
        if uri in self.watching:
            self.watching.pop(uri).cancel()
        else:
            return await self.client.unsubscribe_resource(uri)

    async def roots(self, uris):
        self.roots_now = uris
        if self.client.protocol_version < "2026":
            await self.client.send_roots_list_changed()

    async def close(self):
        for task in self.watching.values():
            task.cancel()
        await asyncio.gather(*self.watching.values(), return_exceptions=True)
        await self.stack.aclose()

    async def on_roots(self, context):
        return types.ListRootsResult(roots=[types.Root(uri=uri) for uri in self.roots_now])

    async def on_sample(self, context, params):
        content = types.TextContent(text="Forty-two.")
        return types.CreateMessageResult(role="assistant", content=content, model="fixed", stop_reason="endTurn")

    async def on_elicit(self, context, params):
        return types.ElicitResult(action="accept", content=form(getattr(params, "requested_schema", None)))

    async def on_log(self, params):
        self.shown["log"].append(plain(params))


def server(command):
    if not is_url(command[0]):
        return StdioServerParameters(command=command[0], args=command[1:])
    # By its usual path, as hosts do.
    return sse_client(command[0]) if command[0].endswith("/sse") else command[0]


asyncio.run(converse(Driver(sys.argv[1:])))
