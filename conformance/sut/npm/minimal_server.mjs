// A small MCP server on the TypeScript SDK 2, over stdio, with one thing of each kind that the harness can use.
import { setTimeout as sleep } from "node:timers/promises";

import { McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const SAFE = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

function create() {
    const server = new McpServer({ name: "turncoat-minimal", version: "1.0.0" }, { instructions: "Fixtures of a test harness." });
    const text = (value) => ({ content: [{ type: "text", text: value }] });

    server.registerTool(
        "echo",
        { description: "Gives the message back.", inputSchema: z.object({ message: z.string() }), annotations: SAFE },
        ({ message }) => text(message),
    );
    server.registerTool(
        "add",
        {
            description: "Adds two integers.",
            inputSchema: z.object({ a: z.int(), b: z.int() }),
            outputSchema: z.object({ sum: z.int() }),
            annotations: SAFE,
        },
        ({ a, b }) => ({ ...text(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }),
    );
    server.registerTool(
        "slow",
        {
            description: "Takes its time and reports progress.",
            inputSchema: z.object({ milliseconds: z.int().default(1000), steps: z.int().min(1).default(4) }),
            annotations: SAFE,
        },
        async ({ milliseconds, steps }, { mcpReq }) => {
            for (let step = 1; step <= steps; step++) {
                await sleep(milliseconds / steps, undefined, { signal: mcpReq.signal });
                const progressToken = mcpReq._meta?.progressToken;
                if (progressToken !== undefined) {
                    await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: step, total: steps } });
                }
            }
            return text("done");
        },
    );
    server.registerTool("fail", { description: "Always fails, in the way that a tool means to.", annotations: SAFE }, () => ({
        ...text("this tool always fails"),
        isError: true,
    }));
    server.registerTool("crash", { description: "Always fails, in a way that nobody meant.", annotations: SAFE }, () => {
        throw new Error("this tool always crashes");
    });

    let grown = false;
    server.registerTool("grow", { description: "Adds a tool, a resource and a prompt (once), and says so every time." }, () => {
        if (!grown) {
            grown = true;
            server.registerTool("grown", { description: "Exists once `grow` was called.", annotations: SAFE }, () => text("grown"));
            server.registerResource("grown", "note://grown", {}, (uri) => ({ contents: [{ uri: uri.href, text: "grown" }] }));
            server.registerPrompt("grown", {}, () => ({ messages: [{ role: "user", content: { type: "text", text: "grown" } }] }));
        } else {
            server.sendToolListChanged();
            server.sendResourceListChanged();
            server.sendPromptListChanged();
        }
        return text("grown");
    });

    server.registerResource("greeting", "note://greeting", { description: "A resource at a fixed address.", mimeType: "text/plain" }, (uri) => ({
        contents: [{ uri: uri.href, mimeType: "text/plain", text: "hello" }],
    }));
    server.registerResource("broken", "note://broken", { description: "A resource that cannot be read." }, () => {
        throw new Error("this resource always crashes");
    });
    server.registerResource(
        "number",
        new ResourceTemplate("note://numbers/{n}", { list: undefined }),
        { description: "A resource for every number.", mimeType: "text/plain" },
        (uri, { n }) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: `number ${n}` }] }),
    );
    server.registerPrompt(
        "greet",
        { description: "Asks for a greeting.", argsSchema: z.object({ name: z.string() }) },
        ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Please greet ${name}.` } }] }),
    );
    server.registerPrompt("broken", { description: "A prompt that cannot be rendered." }, () => {
        throw new Error("this prompt always crashes");
    });
    return server;
}

serveStdio(create);
