// Drives a client on the TypeScript SDK 2; the command of the server is the arguments.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { capabilities, converse } from "./driver.mjs";

const [command, ...args] = process.argv.slice(2);
// Left to itself it knows the legacy era only.
const options = { capabilities, versionNegotiation: { mode: "auto" } };
const client = new Client({ name: "turncoat-driver", version: "1.0.0" }, options);
await converse({
    client,
    transport: new StdioClientTransport({ command, args }),
    handle: (method, handler) => client.setRequestHandler(method, handler),
    hear: (method, handler) => client.setNotificationHandler(method, handler),
    call: (params, options) => client.callTool(params, options),
});
