// The small server on the TypeScript SDK 2, over Streamable HTTP, in both eras: a request without the metadata of the
// modern one belongs to a session, with streams that can be resumed.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { NodeStreamableHTTPServerTransport, localhostHostValidation, localhostOriginValidation, toNodeHandler, toWebRequest } from "@modelcontextprotocol/node";
import { McpServer, createMcpHandler, isLegacyRequest } from "@modelcontextprotocol/server";

import { EventStore } from "./event_store.mjs";
import { addFixtures } from "./fixtures.mjs";
import { addModernFixtures, addOfficialFixtures, requestState } from "./official_fixtures.mjs";
import { sdk2 } from "./sdk2.mjs";

const sessions = new Map();
const hostAllowed = localhostHostValidation();
const originAllowed = localhostOriginValidation();

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

// Every modern request meets a server of its own, so changes are told outside of them.
const modern = createMcpHandler(() => create(lists), { legacy: "reject" });
const lists = {
    shared: true,
    changed() {
        modern.notify.toolsChanged();
        modern.notify.resourcesChanged();
        modern.notify.promptsChanged();
        modern.notify.resourceUpdated("note://greeting");
    },
};
const serveModern = toNodeHandler(modern, { onerror: console.error });

async function handle(request, response) {
    if (!hostAllowed(request, response) || !originAllowed(request, response)) {
        return;
    }
    if (new URL(request.url, "http://localhost").pathname !== "/mcp") {
        response.writeHead(404).end();
        return;
    }
    let body;
    let legacy;
    try {
        const read = await toWebRequest(request);
        legacy = await isLegacyRequest(read);
        body = request.method === "POST" ? JSON.parse(await read.text()) : undefined;
    } catch (error) {
        const malformed = error instanceof SyntaxError;
        refuse(response, malformed ? 400 : (error.status ?? 500), malformed ? -32700 : -32000, error.message);
        return;
    }
    await (legacy ? serveLegacy : serveModern)(request, response, body);
}

// A session is the author's to find; whatever else may be wrong with a request is left to the SDK to say.
async function serveLegacy(request, response, body) {
    const id = request.headers["mcp-session-id"];
    if (id !== undefined && !sessions.has(id)) {
        refuse(response, 404, -32001, "Session not found");
        return;
    }
    const transport = sessions.get(id) ?? (await open());
    await transport.handleRequest(request, response, body);
}

async function open() {
    const server = create();
    const transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: new EventStore(),
        retryInterval: 500,
        onsessioninitialized: (id) => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await server.connect(transport);
    return transport;
}

function refuse(response, status, code, message) {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }));
}

createServer((request, response) => {
    handle(request, response).catch((error) => {
        console.error(error);
        response.destroy();
    });
}).listen(Number(process.env.PORT), "127.0.0.1");
