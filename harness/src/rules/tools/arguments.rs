//! Arguments against input schemas.

use super::offer::{Offer, Reply, blocks};
use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::{Level, Rule, Transports, Verdict};
use crate::schema::{Shelf, Violation};
use crate::session::View;

const NOT_CALLED_WRONGLY: &str = "no listed tool was called with arguments that break its inputSchema; that needs a tool that is \
                                  marked read-only or named in the subject file, and a schema that requires something";

pub(super) static INPUTS_VALIDATED: Rule = Rule {
    id: "tools.call.inputs-validated",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#security-considerations",
    requires: "Arguments that do not satisfy the inputSchema of a tool are refused.",
    judged: "A JSON-RPC error and a result with isError are both refusals, whatever the code. Success fails if a required \
             member without a default is missing or a value has a type that nothing converts into the right one, such as an \
             object for a number. A value that converts (\"5\" for 5) and any other keyword are warnings. Tasks and requests \
             for input are left out, and so are schemas that cannot be used.",
    untested: NOT_CALLED_WRONGLY,
    judge: inputs_validated,
};

fn inputs_validated(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    offer
        .calls()
        .filter_map(|call| {
            if matches!(call.reply, Reply::Open) {
                return None;
            }
            let violations = call.violations(&mut shelf)?;
            let Reply::Done(_) = call.reply else { return Some(Ok(())) };
            let worst = violations.iter().find(|violation| violation.blatant).or(violations.first())?;
            let breach = call.breach(format!("calls the tool although {}", said(worst)));
            Some(Err(if worst.blatant { breach } else { breach.as_warning() }))
        })
        .collect()
}

pub(super) static INPUT_ERROR_AS_TOOL_ERROR: Rule = Rule {
    id: "tools.call.input-error-as-tool-error",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#error-handling",
    requires: "Arguments that break the inputSchema are reported in a tool result with isError, so that a model can correct \
               itself.",
    judged: "-32602 and -32600 are warnings, since the schema of 2026-07-28 lists invalid tool arguments under -32602; other \
             codes fail, unless they are about the request and not its arguments. A result without any content is a warning. \
             Success is the business of tools.call.inputs-validated.",
    untested: NOT_CALLED_WRONGLY,
    judge: input_error_as_tool_error,
};

fn input_error_as_tool_error(view: View<'_>) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    offer
        .calls()
        .filter(|call| call.in_operation() && !call.refused_otherwise())
        .filter_map(|call| {
            // A tool that wants to be called as a task is refused with -32601.
            if matches!(call.reply, Reply::Open | Reply::Done(_) | Reply::Refused(Some(code::METHOD_NOT_FOUND))) {
                return None;
            }
            let violations = call.violations(&mut shelf)?;
            let why = said(violations.first()?);
            Some(match call.reply {
                Reply::Failed(result) if blocks(result).next().is_none() => {
                    Err(call.breach(format!("does not say in its content that {why}")).as_warning())
                }
                Reply::Refused(found @ Some(code::INVALID_PARAMS | code::INVALID_REQUEST)) => {
                    let found = found.unwrap_or_default();
                    Err(call.breach(format!("reports with the protocol error {found} that {why}")).as_warning())
                }
                Reply::Refused(found) => {
                    let found = found.map_or_else(|| "without a code".to_owned(), |found| found.to_string());
                    Err(call.breach(format!("reports with the protocol error {found} that {why}")))
                }
                _ => Ok(()),
            })
        })
        .collect()
}

fn said(violation: &Violation) -> String {
    let place = if violation.at.is_empty() { String::new() } else { format!(" at {}", violation.at) };
    format!("the arguments break `{}`{place}: {}", violation.keyword, violation.why)
}
