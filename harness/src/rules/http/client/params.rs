//! Arguments of tools in header lines.

use super::super::modern::annotated::{Annotation, annotations};
use super::modern::{decoded, encoded_check, is_plain};
use super::{modern_requests, rule};
use crate::revision::{Revisions, code};
use crate::rules::{Breach, Check, Level, Rule, Verdict};
use crate::session::{HttpExchange, View};
use crate::wire::Value;

const CLIENTS: &str = "2026-07-28/basic/transports/streamable-http#client-behavior";

/// An annotated argument in a call of a tool that the client had listed.
struct Argument<'h, 's> {
    http: &'h HttpExchange<'s>,
    header: String,
    /// None if it is absent or null.
    value: Option<Value<'s>>,
}

/// Every annotated argument in the calls of tools without a faulty annotation.
fn arguments(view: View<'_>) -> Vec<Argument<'_, '_>> {
    let mut found = Vec::new();
    for http in modern_requests(view).filter(|http| http.method().as_deref() == Some("tools/call")) {
        let Some(params) = http.body().and_then(|body| body.member("params")) else { continue };
        let name = params.member("name").and_then(Value::as_str).unwrap_or_default();
        // The latest description before the call.
        let listed = view
            .listed("tools/list")
            .filter(|(answer, tool)| answer.entry < http.entry && tool.member("name").is_some_and(|own| own.is(&name)));
        let Some(schema) = listed.last().and_then(|(_, tool)| tool.member("inputSchema")) else { continue };
        let all = annotations(schema);
        if all.iter().any(|annotation| annotation.fault.is_some()) {
            continue;
        }
        for Annotation { path, header, .. } in all {
            let steps: Vec<&str> = std::iter::once("arguments").chain(path.iter().map(String::as_str)).collect();
            let value = params.path(&steps).filter(|value| !value.is_null());
            found.push(Argument { http, header: format!("Mcp-Param-{header}"), value });
        }
    }
    found
}

impl Argument<'_, '_> {
    /// The text that the header line must say.
    fn text(&self) -> Option<String> {
        let value = self.value?;
        if let Some(text) = value.as_str() {
            return Some(text.into_owned());
        }
        let truth = value.as_bool().map(|truth| truth.to_string());
        truth.or_else(|| value.as_i64().map(|number| number.to_string()))
    }
}

pub(in crate::rules::http) static MIRRORS: Rule = Rule {
    requires: "A client copies arguments that are annotated with `x-mcp-header` into `Mcp-Param-` header lines.",
    judged: "Calls of tools that the client had listed, whose annotations are all valid. Strings as they are or encoded, \
             integers in decimal, booleans as words; one line each.",
    untested: "the client called no tool with an annotated argument that it had listed",
    judge: mirrors,
    ..rule("http.modern.param-header.client-mirrors", Level::Must, Revisions::MODERN, CLIENTS)
};

fn mirrors(view: View<'_>) -> Verdict {
    let all = arguments(view);
    let present = all.iter().filter_map(|argument| Some((argument, argument.text()?)));
    present
        .filter(|(_, text)| !text.is_empty())
        .map(|(Argument { http, header, .. }, text)| {
            let sent: Vec<&str> = http.headers.values(header).collect();
            let says = |value: &&str| {
                decoded(value.trim()).is_some_and(|own| own == text || own.trim() == text.trim()) || !is_plain(&text)
            };
            let what = match &sent[..] {
                [value] if says(value) => return Ok(()),
                [] => format!("sends no {header} for an argument that wants it"),
                [value] => format!("sends {header} {value:?} for the argument {text:?}"),
                _ => format!("sends {header} more than once"),
            };
            Err(Breach::at_entry(http.entry, what))
        })
        .collect()
}

pub(in crate::rules::http) static OMITS: Rule = Rule {
    requires: "No header line is sent for an annotated argument that is null or absent.",
    judged: "Not even an empty one.",
    untested: "the client called no tool without one of its annotated arguments",
    judge: omits,
    ..rule(
        "http.modern.param-header.client-omits",
        Level::Must,
        Revisions::MODERN,
        "2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers",
    )
};

fn omits(view: View<'_>) -> Verdict {
    let all = arguments(view);
    let absent = all.iter().filter(|argument| argument.value.is_none());
    absent
        .map(|Argument { http, header, .. }| match http.headers.value(header) {
            None => Ok(()),
            Some(value) => {
                let what = format!("sends {header} {value:?} for an argument that is not there");
                Err(Breach::at_entry(http.entry, what))
            }
        })
        .collect()
}

pub(in crate::rules::http) static ENCODES: Rule = Rule {
    requires: "Arguments that cannot stand in a header line as they are, are sent as `=?base64?...?=`.",
    judged: "Line ends, characters beyond ASCII, white space around the value, and the marker of the encoding itself. A \
             tab or blank inside may be plain. Of an empty argument, no line at all is a warning.",
    untested: "the client called no tool with such an argument",
    judge: encodes,
    ..rule(
        "http.modern.param-header.client-encodes",
        Level::Must,
        Revisions::MODERN,
        "2026-07-28/basic/transports/streamable-http#value-encoding",
    )
};

fn encodes(view: View<'_>) -> Verdict {
    let all = arguments(view);
    let texts = all.iter().filter(|argument| argument.value.is_some_and(Value::is_string));
    texts
        .filter_map(|argument| Some((argument, argument.text()?)))
        .filter(|(_, text)| text.is_empty() || !is_plain(text))
        .filter_map(|(Argument { http, header, .. }, text)| {
            let check: Check = match http.headers.value(header) {
                Some(sent) if text.is_empty() && sent.trim().is_empty() => Ok(()),
                Some(sent) => encoded_check(http, header, sent, &text),
                None if text.is_empty() => {
                    Err(Breach::at_entry(http.entry, format!("sends no {header} for an empty argument")).as_warning())
                }
                // Judged elsewhere.
                None => return None,
            };
            Some(check)
        })
        .collect()
}

pub(in crate::rules::http) static BAD_TOOL: Rule = Rule {
    requires: "A client drops tools whose `x-mcp-header` annotations are invalid, and keeps the others.",
    judged: "By what the client shows behind the list, and by what it calls.",
    untested: "no list had a tool with an invalid annotation beside a valid one, or the client neither showed nor called any",
    judge: bad_tool,
    ..rule(
        "http.modern.param-header.bad-tool-excluded",
        Level::Must,
        Revisions::MODERN,
        "2026-07-28/basic/transports/streamable-http#schema-extension",
    )
};

fn bad_tool(view: View<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut names: Vec<(usize, String, bool)> = Vec::new();
    for (answer, tool) in view.listed("tools/list") {
        let Some(name) = tool.member("name").and_then(Value::as_str) else { continue };
        let all = tool.member("inputSchema").map(annotations).unwrap_or_default();
        let bad = all.iter().any(|annotation| annotation.fault.is_some());
        names.push((answer.entry, name.into_owned(), bad));
    }
    let is_bad = |wanted: &str| names.iter().any(|(_, name, bad)| *bad && name == wanted);
    let Some((listed, ..)) = names.iter().find(|(_, _, bad)| *bad) else { return verdict };
    let mut check = |check: Check| match check {
        Ok(()) => verdict.checked += 1,
        Err(breach) => {
            verdict.checked += 1;
            verdict.breaches.push(breach);
        }
    };
    for shown in view.user().surfaces.iter().filter(|shown| shown.entry > *listed) {
        let Some(tools) = shown.names("tools") else { continue };
        let offered = tools.iter().find(|name| is_bad(name));
        let lost =
            names.iter().find(|(entry, name, bad)| !bad && *entry < shown.entry && !tools.contains(&name.as_str()));
        check(match (offered, lost) {
            (Some(name), _) => {
                let what = format!("shows the tool {name:?}, whose annotations are invalid");
                Err(Breach::at_entry(shown.entry, what).after_entry(*listed))
            }
            (None, Some((_, name, _))) => {
                let what = format!("does not show the tool {name:?}, which stood beside one with invalid annotations");
                Err(Breach::at_entry(shown.entry, what).after_entry(*listed))
            }
            (None, None) => Ok(()),
        });
    }
    for http in modern_requests(view).filter(|http| http.entry > *listed) {
        let called = || http.body()?.path(&["params", "name"])?.as_str();
        if let Some(name) = called().filter(|name| http.method().as_deref() == Some("tools/call") && is_bad(name)) {
            let what = format!("calls the tool {name:?}, whose annotations are invalid");
            check(Err(Breach::at_entry(http.entry, what).after_entry(*listed)));
        }
    }
    verdict
}

pub(in crate::rules::http) static REFRESHES: Rule = Rule {
    requires: "Where a call is refused since its header lines and arguments do not match, a client lists the tools again \
               and tries once more.",
    judged: "Refusals with 400 and -32020. Broken by a client that calls again without having listed the tools, that \
             calls on and on, or that fails its user without either.",
    untested: "no call of the client was refused for its header lines",
    judge: refreshes,
    ..rule("http.modern.param-header.client-refreshes", Level::Should, Revisions::MODERN, CLIENTS)
};

fn refreshes(view: View<'_>) -> Verdict {
    /// More calls of the same tool are a loop.
    const MOST: usize = 5;
    let all: Vec<_> = modern_requests(view).collect();
    let name = |http: &HttpExchange<'_>| Some(http.body()?.path(&["params", "name"])?.as_str()?.into_owned());
    let is_call = |http: &HttpExchange<'_>| http.method().as_deref() == Some("tools/call");
    let refused = all
        .iter()
        .find(|http| is_call(http) && http.status() == Some(400) && http.error_code() == Some(code::HEADER_MISMATCH));
    let Some(refused) = refused else { return Verdict::untested() };
    let behind = || all.iter().filter(|http| http.entry > refused.last_entry());
    let again: Vec<_> = behind().filter(|http| is_call(http) && name(http) == name(refused)).collect();
    let listed = behind().find(|http| http.method().as_deref() == Some("tools/list"));
    let late = |entry: usize, what: &str| Err(Breach::at_entry(entry, what).after_entry(refused.entry));
    let lost =
        view.user().wishes.iter().find(|wish| wish.entry < refused.entry && wish.kind() == "call" && wish.has_failed());
    let check: Check = match (again.first(), listed) {
        _ if again.len() > MOST => late(again[MOST].entry, "calls the tool again and again"),
        (Some(first), None) => late(first.entry, "calls the tool again without having listed the tools"),
        (Some(first), Some(listed)) if listed.entry > first.entry => {
            late(first.entry, "calls the tool again before it has listed the tools")
        }
        (Some(_), Some(_)) | (None, Some(_)) => Ok(()),
        (None, None) => match lost.and_then(|wish| wish.came.as_ref()) {
            Some(came) => late(came.entry, "gives up on the call without having listed the tools again"),
            None => return Verdict::untested(),
        },
    };
    [check].into_iter().collect()
}
