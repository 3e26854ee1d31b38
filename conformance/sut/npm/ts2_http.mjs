// The small server on the TypeScript SDK 2, over Streamable HTTP, in both eras: a request without the metadata of the
// modern one belongs to a session, with streams that can be resumed.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { toNodeHandler } from "@modelcontextprotocol/node";
import {
    McpServer,
    WebStandardStreamableHTTPServerTransport,
    createMcpHandler,
    hostHeaderValidationResponse,
    isLegacyRequest,
    localhostAllowedHostnames,
    localhostAllowedOrigins,
    originValidationResponse,
} from "@modelcontextprotocol/server";

import { EventStore } from "./event_store.mjs";
import { addFixtures } from "./fixtures.mjs";
import { addModernFixtures, addOfficialFixtures, requestState } from "./official_fixtures.mjs";
import { sdk2 } from "./sdk2.mjs";

const sessions = new Map();

function create(lists) {
    const server = new McpServer(
        { name: "turncoat-minimal", version: "1.0.0" },
        {
            instructions: "Fixtures of a test harness.",
            capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } },
            requestState: { verify: requestState.verify },
        },
    );
    addFixtures(server, sdk2, lists);
    addOfficialFixtures(server, sdk2);
    addModernFixtures(server, modern.notify);
    return server;
}

// Every modern request meets a server of its own, so what changes is kept and told outside of them.
const modern = createMcpHandler(() => create(lists), { legacy: "reject" });
const lists = {
    grown: false,
    shared: true,
    changed() {
        modern.notify.toolsChanged();
        modern.notify.resourcesChanged();
        modern.notify.promptsChanged();
        modern.notify.resourceUpdated("note://greeting");
    },
};

async function handle(request) {
    const refused =
        hostHeaderValidationResponse(request, localhostAllowedHostnames()) ?? originValidationResponse(request, localhostAllowedOrigins());
    if (refused) {
        return refused;
    }
    if (new URL(request.url).pathname !== "/mcp") {
        return new Response(null, { status: 404 });
    }
    return (await isLegacyRequest(request)) ? handleLegacy(request) : modern.fetch(request);
}

// A session is the author's to find; whatever else may be wrong with a request is left to the SDK to say.
async function handleLegacy(request) {
    const id = request.headers.get("mcp-session-id");
    if (id !== null && !sessions.has(id)) {
        return Response.json({ jsonrpc: "2.0", error: { code: -32001, message: "Session not found" }, id: null }, { status: 404 });
    }
    const transport = sessions.get(id) ?? (await open());
    return transport.handleRequest(request);
}

async function open() {
    const server = create();
    const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: new EventStore(),
        retryInterval: 500,
        onsessioninitialized: (id) => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await server.connect(transport);
    return transport;
}

createServer(toNodeHandler({ fetch: handle }, { onerror: console.error })).listen(Number(process.env.PORT), "127.0.0.1");
