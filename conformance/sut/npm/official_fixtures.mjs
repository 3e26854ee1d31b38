// The tools, resources and prompts that the scenarios of the official conformance suite ask for by name, so that what it
// finds is about the SDKs and not about their absence.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { CLIENT_CAPABILITIES_META_KEY, acceptedContent, createRequestStateCodec, fromJsonSchema, inputRequired } from "@modelcontextprotocol/server";
import { z } from "zod";

import { text } from "./fixtures.mjs";

// One pixel, and one sample.
const IMAGE = { data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==", mimeType: "image/png" };
const AUDIO = { data: "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=", mimeType: "audio/wav" };
const NOTHING = z.object({});

export function addOfficialFixtures(server, sdk) {
    addContents(server);
    addConversations(server, sdk);
    addResources(server, sdk);
    addPrompts(server, sdk);
    server.server.registerCapabilities({ resources: { subscribe: true } });
    server.server.setRequestHandler(...sdk.request("resources/subscribe", () => ({})));
    server.server.setRequestHandler(...sdk.request("resources/unsubscribe", () => ({})));
}

function addContents(server) {
    const embedded = (uri, mimeType, content) => ({ type: "resource", resource: { uri, mimeType, text: content } });
    const contents = {
        test_simple_text: text("This is a simple text response for testing.").content,
        test_image_content: [{ type: "image", ...IMAGE }],
        test_audio_content: [{ type: "audio", ...AUDIO }],
        test_embedded_resource: [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
        test_multiple_content_types: [
            ...text("Multiple content types test:").content,
            { type: "image", ...IMAGE },
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ],
    };
    for (const [name, content] of Object.entries(contents)) {
        server.registerTool(name, { description: "Answers with content of a fixed kind." }, () => ({ content }));
    }
    server.registerTool("test_error_handling", { description: "Always fails." }, () => {
        throw new Error("This tool intentionally returns an error for testing");
    });
}

// What a tool says and asks while it runs; questions are asked in the way of the legacy revisions.
function addConversations(server, sdk) {
    const tool = (name, description, shape, run) =>
        server.registerTool(name, { description, inputSchema: z.object(shape) }, async (args, context) => text(await run(args, sdk.call(context))));

    const declared = () => server.server.getClientCapabilities() ?? {};
    const needs = (capability) => {
        if (!capability) {
            throw new Error("the client did not declare that it can be asked");
        }
    };

    tool("test_tool_with_logging", "Logs three times.", {}, async (_, { log }) => {
        for (const step of ["started", "is at work", "is done"]) {
            await log(`the tool ${step}`);
            await sleep(50);
        }
        return "logged";
    });
    tool("test_tool_with_progress", "Reports progress three times.", {}, async (_, { notify, progressToken }) => {
        for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
            await notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
            await sleep(50);
        }
        return String(progressToken);
    });
    tool("test_reconnection", "Closes its stream and answers to whoever resumes it.", {}, async (_, { closeStream }) => {
        closeStream();
        await sleep(100);
        return "answered after the stream was closed";
    });
    tool("test_sampling", "Asks the model.", { prompt: z.string() }, async ({ prompt }, { ask }) => {
        needs(declared().sampling);
        const messages = [{ role: "user", content: { type: "text", text: prompt } }];
        const { content } = await ask("sampling/createMessage", { messages, maxTokens: 100 });
        return `LLM response: ${content.text}`;
    });
    const elicit = async (ask, message, properties, required = []) => {
        const { form, url } = declared().elicitation ?? { url: {} };
        needs(form ?? !url);
        const { action, content } = await ask("elicitation/create", { message, requestedSchema: { type: "object", properties, required } });
        return `action=${action}, content=${JSON.stringify(content ?? {})}`;
    };
    tool("test_elicitation", "Asks the user.", { message: z.string() }, ({ message }, { ask }) =>
        elicit(ask, message, { response: { type: "string" } }, ["response"]),
    );
    tool("test_elicitation_sep1034_defaults", "Asks the user with a default for every primitive type.", {}, (_, { ask }) =>
        elicit(ask, "Please review the defaults", {
            name: { type: "string", default: "John Doe" },
            age: { type: "integer", default: 30 },
            score: { type: "number", default: 95.5 },
            status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
            verified: { type: "boolean", default: true },
        }),
    );
    const names = ["one", "two", "three"];
    const titled = names.map((name) => ({ const: name, title: name.toUpperCase() }));
    tool("test_elicitation_sep1330_enums", "Asks the user to choose, in each way that a choice can be written.", {}, (_, { ask }) =>
        elicit(ask, "Please choose", {
            untitledSingle: { type: "string", enum: names },
            titledSingle: { type: "string", oneOf: titled },
            legacyEnum: { type: "string", enum: names, enumNames: titled.map(({ title }) => title) },
            untitledMulti: { type: "array", items: { type: "string", enum: names } },
            titledMulti: { type: "array", items: { anyOf: titled } },
        }),
    );
}

function addResources(server, sdk) {
    const add = (name, mimeType, content) =>
        server.registerResource(name, `test://${name}`, { mimeType }, (uri) => ({ contents: [{ uri: uri.href, mimeType, ...content }] }));
    add("static-text", "text/plain", { text: "This is the content of the static text resource." });
    add("static-binary", "image/png", { blob: IMAGE.data });
    add("watched-resource", "text/plain", { text: "Watched resource content" });
    server.registerResource(
        "template",
        new sdk.ResourceTemplate("test://template/{id}/data", { list: undefined }),
        { mimeType: "application/json" },
        (uri, { id }) => ({ contents: [{ uri: uri.href, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true }) }] }),
    );
}

function addPrompts(server, sdk) {
    const message = (content) => ({ role: "user", content });
    const says = (value) => message({ type: "text", text: value });
    server.registerPrompt("test_simple_prompt", {}, () => ({ messages: [says("This is a simple prompt for testing.")] }));
    server.registerPrompt(
        "test_prompt_with_arguments",
        { argsSchema: sdk.promptArguments({ arg1: sdk.completable(z.string(), () => ["one", "two"]), arg2: z.string() }) },
        ({ arg1, arg2 }) => ({ messages: [says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
    );
    server.registerPrompt(
        "test_prompt_with_embedded_resource",
        { argsSchema: sdk.promptArguments({ resourceUri: z.string() }) },
        ({ resourceUri }) => ({
            messages: [
                message({ type: "resource", resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." } }),
                says("Please process the embedded resource above."),
            ],
        }),
    );
    server.registerPrompt("test_prompt_with_image", {}, () => ({
        messages: [message({ type: "image", ...IMAGE }), says("Please analyze the image above.")],
    }));
}

// Signs what goes through the client's hands between two rounds.
export const requestState = createRequestStateCodec({ key: randomBytes(32) });

const askName = (message = "What is your name?") => ask(message, { name: { type: "string" } });
const askConfirmation = () => ask("Please confirm", { ok: { type: "boolean" } });
const askModel = (prompt) => inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens: 100 });
const ask = (message, properties) =>
    inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required: Object.keys(properties) } });

// What exists on the SDK 2 only: the fixtures of the modern revision, and schemas that are written by hand.
export function addModernFixtures(server, notify) {
    const tool = (name, description, run, inputSchema = NOTHING) =>
        server.registerTool(name, { description, inputSchema }, async (args, context) => {
            const result = await run(context.mcpReq, args);
            return typeof result === "string" ? text(result) : result;
        });

    tool("test_missing_capability", "Needs a client that can ask a model.", ({ inputResponses }) =>
        inputResponses?.answer === undefined ? inputRequired({ inputRequests: { answer: askModel("Say hello") } }) : "asked",
    );
    tool("test_streaming_elicitation", "Answers at once.", () => "answered");
    tool("test_logging_tool", "Logs once, to a client that asks for logs.", async ({ log }) => {
        await log("info", "the tool ran");
        return "logged";
    });
    tool("test_trigger_tool_change", "Says that the list of tools changed.", () => {
        notify.toolsChanged();
        return "told";
    });
    tool("test_trigger_prompt_change", "Says that the list of prompts changed.", () => {
        notify.promptsChanged();
        return "told";
    });

    const nameOf = ({ inputResponses }, key) => acceptedContent(inputResponses, key)?.name;
    tool("test_input_required_result_elicitation", "Asks for a name.", (request) =>
        typeof nameOf(request, "user_name") === "string"
            ? `Hello, ${nameOf(request, "user_name")}!`
            : inputRequired({ inputRequests: { user_name: askName() } }),
    );
    tool("test_input_required_result_sampling", "Asks the model.", ({ inputResponses }) =>
        inputResponses?.capital_question === undefined
            ? inputRequired({ inputRequests: { capital_question: askModel("What is the capital of France?") } })
            : `The model said: ${inputResponses.capital_question.content?.text}`,
    );
    tool("test_input_required_result_list_roots", "Asks for the roots.", ({ inputResponses }) =>
        Array.isArray(inputResponses?.client_roots?.roots)
            ? `There are ${inputResponses.client_roots.roots.length} roots.`
            : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }),
    );
    tool("test_input_required_result_multiple_inputs", "Asks for everything at once.", async ({ inputResponses }) =>
        ["user_name", "greeting", "client_roots"].every((key) => inputResponses?.[key] !== undefined)
            ? "All inputs received."
            : inputRequired({
                  inputRequests: { user_name: askName(), greeting: askModel("Generate a greeting"), client_roots: inputRequired.listRoots() },
                  requestState: await requestState.mint({ round: 1 }),
              }),
    );
    for (const name of ["test_input_required_result_request_state", "test_input_required_result_tampered_state"]) {
        tool(name, "Asks for confirmation and remembers it.", async (request) =>
            request.requestState() !== undefined && acceptedContent(request.inputResponses, "confirm") !== undefined
                ? "state-ok"
                : inputRequired({ inputRequests: { confirm: askConfirmation() }, requestState: await requestState.mint({ round: 1 }) }),
        );
    }
    tool("test_input_required_result_multi_round", "Asks twice, one after the other.", async (request) => {
        const { round = 0, name } = request.requestState() ?? {};
        if (round === 0) {
            return inputRequired({
                inputRequests: { step1: askName("Step 1: What is your name?") },
                requestState: await requestState.mint({ round: 1 }),
            });
        }
        if (round === 1) {
            return inputRequired({
                inputRequests: { step2: ask("Step 2: What is your favorite color?", { color: { type: "string" } }) },
                requestState: await requestState.mint({ round: 2, name: nameOf(request, "step1") }),
            });
        }
        return `${name} likes ${acceptedContent(request.inputResponses, "step2")?.color}.`;
    });
    tool("test_input_required_result_capabilities", "Asks for what the client can answer.", ({ envelope, inputResponses }) => {
        const declared = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
        const inputRequests = {
            ...(declared.elicitation && { user_name: askName() }),
            ...(declared.sampling && { greeting: askModel("Generate a greeting") }),
            ...(declared.roots && { client_roots: inputRequired.listRoots() }),
        };
        return inputResponses !== undefined || Object.keys(inputRequests).length === 0 ? "nothing to ask" : inputRequired({ inputRequests });
    });
    server.registerPrompt("test_input_required_result_prompt", {}, ({ mcpReq }) => {
        const context = acceptedContent(mcpReq.inputResponses, "user_context")?.context;
        return typeof context === "string"
            ? { messages: [{ role: "user", content: { type: "text", text: `Use the following context: ${context}` } }] }
            : inputRequired({ inputRequests: { user_context: ask("What context should the prompt use?", { context: { type: "string" } }) } });
    });

    const region = { type: "string", "x-mcp-header": "Region" };
    tool("test_x_mcp_header", "Has an argument that is repeated in a header.", (_, args) => `region=${args.region}`, fromJsonSchema({
        type: "object",
        properties: { region },
    }));
    tool("json_schema_2020_12_tool", "Has a schema of many keywords.", () => "called", fromJsonSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: { address: { $anchor: "addressDef", type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
        properties: {
            name: { type: "string" },
            address: { $ref: "#/$defs/address" },
            contactMethod: { type: "string", enum: ["phone", "email"] },
            phone: { type: "string" },
            email: { type: "string" },
        },
        allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
        if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
        then: { required: ["phone"] },
        else: { required: ["email"] },
        additionalProperties: false,
    }));
}
