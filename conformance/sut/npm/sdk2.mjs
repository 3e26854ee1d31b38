// What the fixtures need to know of the TypeScript SDK 2.
import { ResourceTemplate, completable } from "@modelcontextprotocol/server";
import { z } from "zod";

export const sdk2 = {
    ResourceTemplate,
    completable,
    promptArguments: (shape) => z.object(shape),
    request: (method, handler) => [method, handler],
    call: ({ mcpReq, http }) => ({
        signal: mcpReq.signal,
        progressToken: mcpReq._meta?.progressToken,
        notify: (notification) => mcpReq.notify(notification),
        ask: (method, params) => mcpReq.send({ method, params }),
        log: (data) => mcpReq.log("info", data),
        closeStream: () => http?.closeSSE?.(),
    }),
};
