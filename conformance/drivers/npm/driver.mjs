// The conversation that turncoat holds with the driver of a client; ../README.md has the protocol. The two TypeScript SDKs
// differ in where things are imported from, how handlers are named, and how eras are chosen; sdk1.mjs and sdk2.mjs say so.
import { createInterface } from "node:readline";

const ROOT = "file:///home/ada/project";
// Whoever pages for ever is not followed for ever.
const MOST_PAGES = 100;
// What a server of the older HTTP+SSE answers to a POST.
const FALL_BACK = [400, 404, 405];

export const capabilities = { elicitation: { form: {}, url: {} }, roots: { listChanged: true }, sampling: {} };

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

class Unsupported extends Error {}

// `handle(method, handler)` and `hear(method, handler)` register what answers requests and hears notifications, and
// `call(params, options)` calls a tool. The transports are the classes of the SDK; one over HTTP is taken for a URL.
export async function converse({ client, transports: { Stdio, Http, Sse }, handle, hear, call }) {
    const [command, ...args] = process.argv.slice(2);
    const url = /^https?:/.test(command) ? new URL(command) : undefined;
    let transport;
    const shown = { errors: [], log: [], news: [] };
    const unawaited = [];
    let roots = [ROOT];
    client.onerror = (error) => shown.errors.length < 100 && shown.errors.push(String(error).slice(0, 2000));
    handle("roots/list", () => ({ roots: roots.map((uri) => ({ uri })) }));
    handle("sampling/createMessage", () => ({ model: "fixed", role: "assistant", content: { type: "text", text: "Forty-two." }, stopReason: "endTurn" }));
    handle("elicitation/create", ({ params }) => (params.mode === "url" ? { action: "accept" } : { action: "accept", content: form(params.requestedSchema) }));
    hear("notifications/message", ({ params }) => shown.log.push(params));
    for (const what of ["tools", "prompts", "resources"]) {
        hear(`notifications/${what}/list_changed`, () => shown.news.push(`${what} changed`));
    }
    hear("notifications/resources/updated", ({ params }) => shown.news.push(`${params.uri} updated`));

    const lists = {
        tools: [(page) => client.listTools(page), "tools"],
        prompts: [(page) => client.listPrompts(page), "prompts"],
        resources: [(page) => client.listResources(page), "resources"],
        templates: [(page) => client.listResourceTemplates(page), "resourceTemplates"],
    };
    const isModern = () => (client.getNegotiatedProtocolVersion?.() ?? "") >= "2026";
    const watching = new Map();

    // As the examples of the SDKs do it, but only for the answers that the specification names.
    async function connect() {
        transport = url ? new Http(url) : new Stdio({ command, args });
        try {
            await client.connect(transport);
        } catch (error) {
            const status = [error.code, error.status].find((code) => FALL_BACK.includes(code));
            if (!url || status === undefined) throw error;
            await client.close();
            transport = new Sse(url);
            await client.connect(transport);
        }
    }

    async function close() {
        // A session that is no longer needed is ended, where there are sessions.
        await transport?.terminateSession?.().catch((error) => client.onerror(error));
        await client.close();
    }

    const wishes = {
        connect: async () => {
            await connect();
            shown.protocolVersion = client.getNegotiatedProtocolVersion?.();
            shown.serverInfo = client.getServerVersion();
            shown.capabilities = client.getServerCapabilities();
            shown.instructions = client.getInstructions();
        },
        list: async ({ what }) => (shown[what] = await pages(...lists[what])),
        call: ({ tool, arguments: given }, options) => call({ name: tool, arguments: given }, options),
        read: ({ uri }, options) => client.readResource({ uri }, options),
        // Text is all that the types of the SDK have room for.
        get: ({ prompt, arguments: given }) => client.getPrompt({ name: prompt, arguments: given && mapped(given, String) }),
        complete: ({ prompt, argument, value }) => client.complete({ ref: { type: "ref/prompt", name: prompt }, argument: { name: argument, value } }),
        "log-level": ({ level }) => {
            if (isModern()) throw new Unsupported();
            return client.setLoggingLevel(level);
        },
        watch: async ({ uri }) => {
            if (!isModern()) return client.subscribeResource({ uri });
            const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: [uri] };
            watching.set(uri, await client.listen(filter));
        },
        unwatch: async ({ uri }) => {
            if (!isModern()) return client.unsubscribeResource({ uri });
            await watching.get(uri)?.close();
        },
        roots: async ({ uris }) => {
            roots = uris;
            if (!isModern()) await client.sendRootsListChanged();
        },
        close,
    };

    function show(id) {
        try {
            say({ turncoat: "surface", id, ...shown });
        } catch {
            // A schema may be too deep to be written as JSON; no host would show that.
            const names = Object.keys(lists).filter((what) => what in shown).map((what) => [what, shown[what].map(({ name }) => ({ name }))]);
            say({ turncoat: "surface", id, ...shown, ...Object.fromEntries(names) });
        }
    }

    async function fulfil({ id, do: kind, ...wish }, signal) {
        if (kind === "surface") return show(id);
        if (!(kind in wishes)) return say({ turncoat: "unsupported", id });
        try {
            say({ turncoat: "done", id, result: (await wishes[kind](wish, { signal })) ?? null });
        } catch (error) {
            if (error instanceof Unsupported) return say({ turncoat: "unsupported", id });
            say({ turncoat: "failed", id, error: String(error).slice(0, 2000) });
        }
    }

    say({ turncoat: "driver", version: 1 });
    for await (const line of createInterface({ input: process.stdin })) {
        const wish = JSON.parse(line);
        if (wish.do === "abort") {
            unawaited.pop()?.abort();
            say({ turncoat: "done", id: wish.id });
        } else if (wish.wait === false) {
            unawaited.push(new AbortController());
            void fulfil(wish, unawaited.at(-1).signal);
        } else {
            await fulfil(wish);
        }
    }
    await close();
}

async function pages(fetch, member) {
    const items = [];
    const seen = new Set();
    let cursor;
    do {
        const page = await fetch(cursor === undefined ? undefined : { cursor });
        items.push(...page[member]);
        cursor = page.nextCursor;
        if (seen.has(cursor)) break;
        seen.add(cursor);
    } while (cursor !== undefined && seen.size < MOST_PAGES);
    return items;
}

// What a user in a hurry puts into a form: the defaults, and else anything that fits.
function form(schema) {
    const formats = { date: "2026-01-31", "date-time": "2026-01-31T12:00:00Z", email: "ada@example.com", uri: "https://example.com/" };
    const choices = ({ enum: values, oneOf, anyOf }) => values ?? (oneOf ?? anyOf)?.map((choice) => choice.const);
    const text = (field) => (formats[field.format] ?? "text".padEnd(field.minLength ?? 0, "!")).slice(0, field.maxLength);
    const number = ({ minimum = 1, maximum = minimum }) => Math.min(Math.max(1, minimum), maximum);
    const several = ({ items = {}, minItems = 0 }) => (choices(items) ?? []).slice(0, minItems);
    const guesses = { string: text, number, integer: number, boolean: () => true, array: several };
    return mapped(schema?.properties ?? {}, (field) => field.default ?? choices(field)?.[0] ?? guesses[field.type]?.(field));
}

function mapped(object, change) {
    return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
