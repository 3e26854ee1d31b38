//! The annotations of tools that a server publishes.

use super::annotated::annotations;
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;

/// `http.modern.param-header.server-definitions-valid`
pub static VALID: Rule = Rule {
    id: "http.modern.param-header.server-definitions-valid",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#x-mcp-header",
    requires: "A tool wants an argument in a header line only if clients can put it there: under a name that is a token and \
               not used twice, of an integer, a string or a boolean, and reached by nothing but properties.",
    judged: "Every tool that was listed with an annotation x-mcp-header in the schema of its arguments. Names that differ in \
             case alone are the same. A schema without a type is given the benefit of the doubt, and null beside another \
             type does no harm. What is no schema (a default, an example, the name of a property) is not looked at.",
    untested: "no tool was listed that wants an argument in a header line",
    judge: valid,
};

fn valid(view: View<'_>) -> Verdict {
    view.listed("tools/list")
        .filter_map(|(answer, tool)| {
            let found = annotations(tool.member("inputSchema")?);
            let fault = found.iter().find_map(|annotation| annotation.fault);
            let name = tool.member("name").map(|name| name.brief()).unwrap_or_default();
            match fault {
                Some(fault) => Some(Err(Breach::at(answer, format!("{fault}, in the tool {name}")))),
                None => (!found.is_empty()).then_some(Ok(())),
            }
        })
        .collect()
}
