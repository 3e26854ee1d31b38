// Drives a client on the TypeScript SDK 1; the command of the server is the arguments.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
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

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "turncoat-driver", version: "1.0.0" }, { capabilities });
await converse({
    client,
    transport: new StdioClientTransport({ command, args }),
    handle: (method, handler) => client.setRequestHandler(schemas[method], handler),
    hear: (method, handler) => client.setNotificationHandler(schemas[method], handler),
    call: (params, options) => client.callTool(params, undefined, options),
});
