//! The folders that a client shows its server.

use super::{Breach, Level, Rule, Transports, Verdict, asked};
use crate::revision::{Revisions, Side};
use crate::session::View;
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&FILE_URI];

/// Requirements of this area that no rule judges, with the reason.
pub static UNJUDGED: &[(&str, &str)] = &[(
    "roots.internal-error-code",
    "whether a client failed to produce its roots or has no method for them is the host's secret: no driver can be told to \
     fail",
)];

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
