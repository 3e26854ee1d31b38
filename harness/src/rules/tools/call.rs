//! tools/call and the shape of its results.

use std::collections::HashMap;

use super::offer::{Offer, Reply, blocks, calls};
use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::schema::{Outcome, Shelf};
use crate::session::View;
use crate::transcript::Intent;
use crate::wire::Value;

pub(super) static NAME_CASE_SENSITIVE: Rule = Rule {
    id: "tools.name.case-sensitive",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#tool-names",
    requires: "Tool names are compared with case.",
    judged: "A name that is not listed, but would be if case did not matter, must not be called with success. It is judged \
             only for arguments that satisfy the schema of the listed tool, since others fail anyway.",
    untested: "no listed tool was called under its name in another case, with arguments that it takes",
    judge: name_case_sensitive,
};

fn name_case_sensitive(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    let lower: HashMap<String, &str> = offer.names().map(|name| (name.to_lowercase(), name)).collect();
    calls(view)
        .filter(|call| call.in_operation() && !call.refused_otherwise())
        .filter_map(|mut call| {
            let name = call.name.clone()?;
            let at = call.exchange.request().entry;
            let twin = *lower.get(&name.to_lowercase())?;
            if !offer.certainly_lacks(&name, call.exchange.request()) {
                return None;
            }
            call.tool = offer.tool(twin, at);
            if !call.is_valid(&mut shelf) {
                return None;
            }
            match call.reply {
                Reply::Done(_) => Some(Err(call.breach(format!("calls {twin:?} when asked for {:?}", short(&name))))),
                Reply::Failed(_) | Reply::Refused(_) => Some(Ok(())),
                Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static RESULT_SHAPE: Rule = Rule {
    id: "tools.call.result-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CallToolResult",
    requires: "A tool result has an array of content blocks of types that the revision knows.",
    judged: "The array may be empty, and is required also beside isError and structuredContent; isError is a boolean. Tasks \
             and requests for input are left out. The members of blocks belong to content.block-types.",
    untested: "no tool was called to an end; the server must offer a tool that is marked read-only or named in the subject file",
    judge: result_shape,
};

fn result_shape(view: View<'_>) -> Verdict {
    calls(view)
        .filter_map(|call| match call.reply {
            Reply::Done(result) | Reply::Failed(result) => {
                Some(well_formed(view.revision(), result).map_err(|what| call.breach(what)))
            }
            Reply::Refused(_) | Reply::Open => None,
        })
        .collect()
}

fn well_formed(revision: Revision, result: Value<'_>) -> Result<(), String> {
    match result.member("content") {
        Some(content) if content.is_array() => {}
        Some(content) => return Err(format!("gives {} as content of a tool result", content.brief())),
        None => return Err("gives a tool result without content".to_owned()),
    }
    if let Some(flag) = result.member("isError").filter(|flag| !flag.is_bool()) {
        return Err(format!("gives {} as isError", flag.brief()));
    }
    for block in blocks(result) {
        let Some(kind) = block.member("type").and_then(Value::as_str) else {
            return Err(format!("gives {} as a content block, which has no type", block.brief()));
        };
        let since = match &*kind {
            "text" | "image" | "resource" => Some(Revision::V2024_11_05),
            "audio" => Some(Revision::V2025_03_26),
            "resource_link" => Some(Revision::V2025_06_18),
            _ => None,
        };
        if since.is_none_or(|since| revision < since) {
            return Err(format!(
                "gives a content block of the type {:?}, which {revision} does not have",
                short(&kind)
            ));
        }
    }
    Ok(())
}

pub(super) static UNKNOWN_TOOL: Rule = Rule {
    id: "tools.call.unknown-tool",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#error-handling",
    requires: "Calling a tool that does not exist gives a protocol error, -32602.",
    judged: "A success fails; another code and a result with isError are warnings, since the pages use no keyword. A tool does \
             not exist if it is in no list and one list was complete. Names that differ from a listed one in case only belong \
             to tools.name.case-sensitive.",
    untested: "no tool was called that the server certainly lacks; a complete list of its tools is needed first",
    judge: unknown_tool,
};

fn unknown_tool(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let lower: Vec<String> = offer.names().map(str::to_lowercase).collect();
    let lower: std::collections::HashSet<String> = lower.into_iter().collect();
    let offered = view.server_declares(&["tools"]) != Some(false);
    calls(view)
        .filter(|call| offered && call.in_operation() && !call.refused_otherwise() && call.arguments().is_some())
        .filter_map(|call| {
            let name = call.name.as_ref()?;
            let lacking = offer.certainly_lacks(name, call.exchange.request());
            if !lacking || lower.contains(&name.to_lowercase()) {
                return None;
            }
            let name = short(name);
            match call.reply {
                Reply::Refused(Some(code::INVALID_PARAMS)) => Some(Ok(())),
                Reply::Refused(Some(other)) => {
                    Some(Err(call.breach(format!("refuses the unknown tool {name:?} with {other}")).as_warning()))
                }
                Reply::Refused(None) => {
                    Some(Err(call.breach(format!("refuses the unknown tool {name:?} without a code")).as_warning()))
                }
                Reply::Failed(_) => {
                    Some(Err(call.breach(format!("reports the unknown tool {name:?} as a tool result")).as_warning()))
                }
                Reply::Done(_) => Some(Err(call.breach(format!("calls the unknown tool {name:?} with success")))),
                Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static MALFORMED_REQUEST: Rule = Rule {
    id: "tools.call.malformed-request",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#error-handling",
    requires: "A tools/call that does not match the schema of the request gives a protocol error, -32602.",
    judged: "Params that are missing or no object, a name that is missing or no string, arguments that are no object. Arguments \
             null pass for none and are left alone. Another code is a warning; a tool result fails, with isError or without.",
    untested: "no malformed tools/call was sent to a server with tools",
    judge: malformed_request,
};

fn malformed_request(view: View<'_>) -> Verdict {
    let offered = view.server_declares(&["tools"]) != Some(false);
    calls(view)
        .filter(|call| offered && call.in_operation() && !call.refused_otherwise())
        .filter_map(|call| {
            let arguments = call.exchange.param("arguments").filter(|arguments| !arguments.is_null());
            let defect = match (call.exchange.params(), call.exchange.param("name"), arguments) {
                (None, ..) => "no params".to_owned(),
                (Some(params), ..) if !params.is_object() => format!("the params {}", params.brief()),
                (_, None, _) => "no name".to_owned(),
                (_, Some(name), _) if !name.is_string() => format!("the name {}", name.brief()),
                (_, _, Some(arguments)) if !arguments.is_object() => format!("the arguments {}", arguments.brief()),
                _ => return None,
            };
            match call.reply {
                Reply::Refused(Some(code::INVALID_PARAMS)) => Some(Ok(())),
                Reply::Refused(found) => {
                    let found = found.map_or_else(|| "no code".to_owned(), |found| found.to_string());
                    Some(Err(call.breach(format!("refuses a tools/call with {defect} with {found}")).as_warning()))
                }
                Reply::Done(_) | Reply::Failed(_) => {
                    Some(Err(call.breach(format!("answers a tools/call with {defect} by a tool result"))))
                }
                Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static EMBEDDED_RESOURCE_CAPABILITY: Rule = Rule {
    id: "tools.call.embedded-resource-capability",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#embedded-resources",
    requires: "A server whose tools embed resources implements the resources capability.",
    judged: "A tool result with a block of the type resource while resources is not declared is a warning. Resource links are \
             not embedded.",
    untested: "no tool result embedded a resource, or the server's capabilities were not seen",
    judge: embedded_resource_capability,
};

fn embedded_resource_capability(view: View<'_>) -> Verdict {
    let Some(declared) = view.server_declares(&["resources"]) else { return Verdict::untested() };
    calls(view)
        .filter_map(|call| match call.reply {
            Reply::Done(result) | Reply::Failed(result) => {
                let mut kinds = blocks(result).filter_map(|block| block.member("type"));
                kinds.any(|kind| kind.is("resource")).then_some(call)
            }
            Reply::Refused(_) | Reply::Open => None,
        })
        .map(|call| match declared {
            true => Ok(()),
            false => Err(call.breach("embeds a resource and does not declare resources").as_warning()),
        })
        .collect()
}

pub(super) static EXECUTION_ERROR_AS_RESULT: Rule = Rule {
    id: "tools.call.execution-error-as-result",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#CallToolResult",
    requires: "A tool that fails while running reports it in a tool result with isError, and with content that says why.",
    judged: "Honest calls of listed tools with arguments that satisfy the schema. A JSON-RPC error is a warning, since the \
             pages list server errors under protocol errors; -32600 to -32602 and errors about the request are left out, for \
             they may be about the values. Empty content is a warning.",
    untested: "no tool failed with arguments that satisfy its schema; name a tool that fails in the subject file",
    judge: execution_error_as_result,
};

fn execution_error_as_result(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    offer
        .calls()
        .filter(|call| call.in_operation() && !call.refused_otherwise())
        .filter(|call| call.exchange.request().intent == Intent::Honest)
        .filter_map(|call| {
            let check = match call.reply {
                Reply::Failed(result) if blocks(result).next().is_some() => Ok(()),
                Reply::Failed(_) => Err(call.breach("reports a failure of a tool without any content").as_warning()),
                Reply::Refused(Some(code::INVALID_PARAMS | code::INVALID_REQUEST | code::METHOD_NOT_FOUND)) => {
                    return None;
                }
                Reply::Refused(found) => {
                    let found = found.map_or_else(|| "without a code".to_owned(), |found| found.to_string());
                    Err(call.breach(format!("reports a failure of a tool as the protocol error {found}")).as_warning())
                }
                Reply::Done(_) | Reply::Open => return None,
            };
            let (schema, arguments) = (call.input_schema()?, call.arguments()?);
            (shelf.check(schema, &arguments).outcome == Outcome::Valid).then_some(check)
        })
        .collect()
}

fn short(text: &str) -> String {
    text.chars().take(140).collect()
}
