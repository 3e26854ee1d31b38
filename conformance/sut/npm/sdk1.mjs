// What the fixtures need to know of the TypeScript SDK 1.
import { completable } from "@modelcontextprotocol/sdk/server/completable.js";
import { ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { CreateMessageResultSchema, ElicitResultSchema, SubscribeRequestSchema, UnsubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const RESULTS = { "sampling/createMessage": CreateMessageResultSchema, "elicitation/create": ElicitResultSchema };
const REQUESTS = {
    "resources/subscribe": SubscribeRequestSchema,
    "resources/unsubscribe": UnsubscribeRequestSchema,
};

export const sdk1 = {
    ResourceTemplate,
    completable,
    promptArguments: (shape) => shape,
    request: (method, handler) => [REQUESTS[method], handler],
    call: (extra) => ({
        signal: extra.signal,
        progressToken: extra._meta?.progressToken,
        notify: (notification) => extra.sendNotification(notification),
        ask: (method, params) => extra.sendRequest({ method, params }, RESULTS[method]),
        log: (data) => extra.sendNotification({ method: "notifications/message", params: { level: "info", data } }),
        closeStream: () => extra.closeSSEStream?.(),
    }),
};
