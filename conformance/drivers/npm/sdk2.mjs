// Drives a client on the TypeScript SDK 2; the command of the server is the arguments, or its URL.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { capabilities, converse } from "./driver.mjs";

// Left to itself it knows the legacy era only, and asks servers for what they do not offer.
const options = { capabilities, versionNegotiation: { mode: "auto" }, enforceStrictCapabilities: true };
const client = new Client({ name: "turncoat-driver", version: "1.0.0" }, options);
await converse({
    client,
    transports: { Stdio: StdioClientTransport, Http: StreamableHTTPClientTransport, Sse: SSEClientTransport },
    handle: (method, handler) => client.setRequestHandler(method, handler),
    hear: (method, handler) => client.setNotificationHandler(method, handler),
    call: (params, options) => client.callTool(params, options),
});
