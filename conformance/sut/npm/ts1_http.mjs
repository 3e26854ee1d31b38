// The small server on the TypeScript SDK 1, over Streamable HTTP, with sessions and streams that can be resumed.
import { randomUUID } from "node:crypto";

import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";

import { EventStore } from "./event_store.mjs";
import { addFixtures } from "./fixtures.mjs";
import { addOfficialFixtures } from "./official_fixtures.mjs";
import { sdk1 } from "./sdk1.mjs";

const sessions = new Map();

// A session is the author's to find; whatever else may be wrong with a request is left to the SDK to say.
async function handle(request, response) {
    const id = request.headers["mcp-session-id"];
    if (id !== undefined && !sessions.has(id)) {
        response.status(404).json({ jsonrpc: "2.0", error: { code: -32001, message: "Session not found" }, id: null });
        return;
    }
    const transport = sessions.get(id) ?? (await open());
    await transport.handleRequest(request, response, request.body);
}

async function open() {
    const server = new McpServer(
        { name: "turncoat-minimal", version: "1.0.0" },
        { instructions: "Fixtures of a test harness.", capabilities: { logging: {} } },
    );
    addFixtures(server, sdk1);
    addOfficialFixtures(server, sdk1);
    const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: new EventStore(),
        retryInterval: 500,
        onsessioninitialized: (id) => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await server.connect(transport);
    return transport;
}

const app = createMcpExpressApp();
app.all("/mcp", handle);
app.listen(Number(process.env.PORT), "127.0.0.1");
