//! The folders that a client shows its server.

use super::asked::{self, Reply};
use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Revisions, Side, code};
use crate::session::View;
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&FILE_URI, &INTERNAL_ERROR_CODE];

static FILE_URI: Rule = Rule {
    id: "roots.file-uri",
    level: Level::Must,
    side: Some(Side::Client),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/roots#root",
    requires: "The URIs of roots are file URIs.",
    judged: "Every result to roots/list, or entry of input responses: an array of objects whose uri begins with file://. An \
             empty array is one.",
    untested: "the harness got no roots; the client must declare them",
    judge: file_uri,
};

fn file_uri(view: View<'_>) -> Verdict {
    asked::of(view, "roots/list")
        .filter_map(|asked| {
            let (by, result) = asked.given()?;
            let breach = |what: String| Err(Breach::at(by, what).after(asked.message));
            let Some(roots) = result.member("roots").filter(|roots| roots.is_array()) else {
                return Some(breach("answers roots/list without the array roots".to_owned()));
            };
            let odd = roots.items().find(|root| !root.member("uri").is_some_and(is_file));
            Some(odd.map_or(Ok(()), |odd| breach(format!("has the root {}", odd.brief()))))
        })
        .collect()
}

fn is_file(uri: Value<'_>) -> bool {
    let scheme = |uri: &str| uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://"));
    uri.as_str().is_some_and(|uri| scheme(&uri))
}

static INTERNAL_ERROR_CODE: Rule = Rule {
    id: "roots.internal-error-code",
    level: Level::Should,
    side: Some(Side::Client),
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/client/roots#error-handling",
    requires: "A client that has roots and fails to produce them says so by an internal error.",
    judged: "Errors of clients that declared roots, for nothing else can be wrong with roots/list. A code other than -32603 is a \
             warning, and silence breaks the rule.",
    untested: "no client that declared roots failed to produce them",
    judge: internal_error_code,
};

fn internal_error_code(view: View<'_>) -> Verdict {
    asked::of(view, "roots/list")
        .filter(|asked| asked.declared.member("roots").is_some_and(Value::is_object))
        .filter_map(|asked| match asked.reply {
            Reply::Refused(by) if by.error_code() == Some(code::INTERNAL_ERROR) => Some(Ok(())),
            Reply::Refused(by) => {
                let what = "fails to produce its roots, and does not call that an internal error";
                Some(Err(Breach::at(by, what).after(asked.message).as_warning()))
            }
            Reply::Withheld => Some(Err(Breach::at(asked.message, "never answers roots/list"))),
            Reply::Given(..) | Reply::Open => None,
        })
        .collect()
}
