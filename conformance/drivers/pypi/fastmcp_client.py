"""Drives a client on FastMCP; the command of the server is the arguments, or its URL."""

import asyncio
import sys

import mcp_types as types
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from driver import PATIENCE, ROOT, Unsupported, converse, form, is_url, plain


class Driver:
    def __init__(self, command):
        self.client = Client(
            # Left to itself it keeps the server for the next connection.
            command[0] if is_url(command[0]) else StdioTransport(command[0], command[1:], keep_alive=False),
            timeout=PATIENCE,
            init_timeout=PATIENCE,
            roots=lambda context: self.roots_now,
            sampling_handler=lambda messages, params, context: "Forty-two.",
            elicitation_handler=self.on_elicit,
            log_handler=self.on_log,
        )
        self.roots_now = [ROOT]
        self.shown = {"log": []}

    async def connect(self):
        await self.client.__aenter__()
        self.shown["protocolVersion"] = self.client.protocol_version
        self.shown["serverInfo"] = plain(self.client.server_info)
        self.shown["capabilities"] = plain(self.client.server_capabilities)
        self.shown["instructions"] = self.client.instructions

    async def list(self, what):
        fetch = {
            "tools": self.client.list_tools,
            "prompts": self.client.list_prompts,
            "resources": self.client.list_resources,
            "templates": self.client.list_resource_templates,
        }[what]
        self.shown[what] = plain(await fetch())
        return self.shown[what]

    async def call(self, tool, arguments):
        result = await self.client.call_tool(tool, arguments, raise_on_error=False)
        return {"content": plain(result.content), "structuredContent": result.structured_content, "isError": result.is_error}

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

    async def roots(self, uris):
        self.roots_now = uris
        if self.client.protocol_version < "2026":
            await self.client.send_roots_list_changed()

    async def close(self):
        await self.client.close()

    async def on_elicit(self, message, kind, params, context):
        return types.ElicitResult(action="accept", content=form(getattr(params, "requested_schema", None)))

    async def on_log(self, message):
        self.shown["log"].append(plain(message))


asyncio.run(converse(Driver(sys.argv[1:])))
