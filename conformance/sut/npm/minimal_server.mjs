// A small MCP server on the TypeScript SDK 2, over stdio, with one thing of each kind that the harness can use.
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

import { addFixtures } from "./fixtures.mjs";
import { sdk2 } from "./sdk2.mjs";

serveStdio(() => {
    const server = new McpServer({ name: "turncoat-minimal", version: "1.0.0" }, { instructions: "Fixtures of a test harness." });
    addFixtures(server, sdk2);
    return server;
});
