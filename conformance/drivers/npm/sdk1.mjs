// Drives a client on the TypeScript SDK 1; the command of the server is the arguments, or its URL.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import * as types from "@modelcontextprotocol/sdk/types.js";

import { capabilities, converse } from "./driver.mjs";

const schemas = {
    "roots/list": types.ListRootsRequestSchema,
    "sampling/createMessage": types.CreateMessageRequestSchema,
    "elicitation/create": types.ElicitRequestSchema,
    "notifications/message": types.LoggingMessageNotificationSchema,
    "notifications/tools/list_changed": types.ToolListChangedNotificationSchema,
    "notifications/prompts/list_changed": types.PromptListChangedNotificationSchema,
    "notifications/resources/list_changed": types.ResourceListChangedNotificationSchema,
    "notifications/resources/updated": types.ResourceUpdatedNotificationSchema,
};

// Left to itself it asks servers for what they do not offer.
const options = { capabilities, enforceStrictCapabilities: true };
const client = new Client({ name: "turncoat-driver", version: "1.0.0" }, options);
await converse({
    client,
    transports: { Stdio: StdioClientTransport, Http: StreamableHTTPClientTransport, Sse: SSEClientTransport },
    handle: (method, handler) => client.setRequestHandler(schemas[method], handler),
    hear: (method, handler) => client.setNotificationHandler(schemas[method], handler),
    call: (params, options) => client.callTool(params, undefined, options),
});
