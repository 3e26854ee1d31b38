"""A small MCP server on the Python SDK 2, with one thing of each kind that the harness can use.

Speaks over standard input and output, or with the argument `http` over Streamable HTTP on the port that PORT says.
"""

import os
import sys

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.resources import TextResource
from mcp.types import ToolAnnotations
from pydantic import BaseModel

SAFE = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
GROWN: list[bool] = []
OVER_HTTP = sys.argv[1:] == ["http"]

server = MCPServer("turncoat-minimal", version="1.0.0", instructions="Fixtures of a test harness.", log_level="WARNING")


class Sum(BaseModel):
    sum: int


@server.tool(annotations=SAFE)
def echo(message: str) -> str:
    """Gives the message back."""
    return message


@server.tool(annotations=SAFE)
def add(a: int, b: int) -> Sum:
    """Adds two integers."""
    return Sum(sum=a + b)


@server.tool(annotations=SAFE)
async def slow(ctx: Context, milliseconds: int = 1000, steps: int = 4) -> str:
    """Takes its time and reports progress."""
    for step in range(steps):
        await anyio.sleep(milliseconds / steps / 1000)
        await ctx.report_progress(step + 1, steps)
    return "done"


@server.tool(annotations=SAFE)
def fail() -> str:
    """Always fails, in the way that a tool means to."""
    raise ToolError("this tool always fails")


@server.tool(annotations=SAFE)
def crash() -> str:
    """Always fails, in a way that nobody meant."""
    raise RuntimeError("this tool always crashes")


@server.tool()
async def grow(ctx: Context) -> str:
    """Adds a tool, a resource and a prompt (once), and says so, every time, to whoever subscribed.

    Over HTTP it says so only: what one client changed would otherwise show to all.
    """
    if not OVER_HTTP and not GROWN:
        GROWN.append(True)
        server.add_tool(grown, name="grown", annotations=SAFE)
        server.add_resource(TextResource(uri="note://grown", name="grown", text="grown"))
        server.add_prompt(Prompt.from_function(grown, name="grown"))
    await ctx.notify_tools_changed()
    await ctx.notify_prompts_changed()
    await ctx.notify_resources_changed()
    await ctx.notify_resource_updated("note://greeting")
    return "grown"


def grown() -> str:
    """Exists once `grow` was called."""
    return "grown"


@server.resource("note://greeting", mime_type="text/plain")
def greeting() -> str:
    """A resource at a fixed address."""
    return "hello"


@server.resource("note://numbers/{n}", mime_type="text/plain")
def number(n: str) -> str:
    """A resource for every number."""
    return f"number {n}"


@server.resource("note://broken", mime_type="text/plain")
def broken() -> str:
    """A resource that cannot be read."""
    raise RuntimeError("this resource always crashes")


@server.prompt()
def greet(name: str) -> str:
    """Asks for a greeting."""
    return f"Please greet {name}."


@server.prompt()
def broken_prompt() -> str:
    """A prompt that cannot be rendered."""
    raise RuntimeError("this prompt always crashes")


if __name__ == "__main__":
    if OVER_HTTP:
        from event_store import MemoryEventStore
        from official_fixtures import add_official_fixtures

        add_official_fixtures(server)
        server.run("streamable-http", port=int(os.environ["PORT"]), event_store=MemoryEventStore(), retry_interval=500)
    else:
        server.run("stdio")
