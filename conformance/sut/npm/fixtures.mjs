// One thing of each kind that the harness can use, for the servers on either TypeScript SDK.
//
// `sdk` says what differs between the two: the class `ResourceTemplate`, how a prompt's arguments are written, and what
// a handler is given to talk to the client with.
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

export const SAFE = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
export const text = (value) => ({ content: [{ type: "text", text: value }] });

// `lists` remembers whether the lists have grown, and tells of it. One that is shared by many servers tells only: what one
// client changed would otherwise show to all.
export function addFixtures(server, sdk, lists = ownLists(server)) {
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
        async ({ milliseconds, steps }, context) => {
            const { signal, progressToken, notify } = sdk.call(context);
            for (let step = 1; step <= steps; step++) {
                await sleep(milliseconds / steps, undefined, { signal });
                if (progressToken !== undefined) {
                    await notify({ method: "notifications/progress", params: { progressToken, progress: step, total: steps } });
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
    server.registerTool("grow", { description: "Adds a tool, a resource and a prompt (once), and says so every time." }, () => {
        if (lists.shared || lists.grown) {
            lists.changed();
        } else {
            lists.grown = true;
            addGrown(server);
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
        new sdk.ResourceTemplate("note://numbers/{n}", { list: undefined }),
        { description: "A resource for every number.", mimeType: "text/plain" },
        (uri, { n }) => ({ contents: [{ uri: uri.href, mimeType: "text/plain", text: `number ${n}` }] }),
    );
    server.registerPrompt(
        "greet",
        { description: "Asks for a greeting.", argsSchema: sdk.promptArguments({ name: z.string() }) },
        ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Please greet ${name}.` } }] }),
    );
    server.registerPrompt("broken", { description: "A prompt that cannot be rendered." }, () => {
        throw new Error("this prompt always crashes");
    });
}

function addGrown(server) {
    server.registerTool("grown", { description: "Exists once `grow` was called.", annotations: SAFE }, () => text("grown"));
    server.registerResource("grown", "note://grown", {}, (uri) => ({ contents: [{ uri: uri.href, text: "grown" }] }));
    server.registerPrompt("grown", {}, () => ({ messages: [{ role: "user", content: { type: "text", text: "grown" } }] }));
}

// Of a server that lives as long as its session: the SDK itself tells of what is added.
function ownLists(server) {
    return {
        grown: false,
        shared: false,
        changed() {
            server.sendToolListChanged();
            server.sendResourceListChanged();
            server.sendPromptListChanged();
        },
    };
}
