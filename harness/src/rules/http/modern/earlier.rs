//! What earlier revisions did by HTTP and this one does not: streams by GET, sessions, and resuming.

use super::is_modern_only;
use super::post::{Oddity, Twins, posts};
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{HttpExchange, View};

const EARLIER: &str = "2026-07-28/basic/transports/streamable-http#earlier-streamable-http-revisions";

/// `http.modern.get-delete-405`
pub static GET_DELETE: Rule = Rule {
    id: "http.modern.get-delete-405",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: EARLIER,
    requires: "A server that speaks only modern revisions answers GET and DELETE with 405.",
    judged: "Only servers that control sessions know to speak no legacy revision. What authorization or a limit of some rate \
             refuses is not judged.",
    untested: "no GET and no DELETE was sent to a server that is known to speak only modern revisions",
    judge: get_delete,
};

fn get_delete(view: View<'_>) -> Verdict {
    if !is_modern_only(view) {
        return Verdict::untested();
    }
    let all = view.http();
    let place = all.iter().find(|http| http.verb == "POST").map(|http| http.target);
    all.iter()
        .filter(|http| matches!(http.verb, "GET" | "DELETE") && Some(http.target) == place)
        .filter(|http| http.headers.value("origin").is_none() && http.headers.value("upgrade").is_none())
        .filter_map(|http| {
            let status = http.status().filter(|status| !matches!(status, 401 | 403 | 407 | 429 | 503))?;
            let what = || format!("answers {} with {status} in place of 405", http.verb);
            Some(if status == 405 { Ok(()) } else { Err(at_response(http, what())) })
        })
        .collect()
}

/// `http.modern.session-header-ignored`
pub static SESSION_HEADER: Rule = Rule {
    id: "http.modern.session-header-ignored",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: EARLIER,
    requires: "A server that speaks only modern revisions ignores Mcp-Session-Id and Last-Event-ID, and gives out no session \
               ids.",
    judged: "Requests with these lines of which the like was served without them: they are served as well. A session id in the \
             response to any modern request breaks the rule, of servers of both eras too; these are not held to serving a \
             modern request with a line that has a meaning to them.",
    untested: "no modern request had a session id or asked for the rest of a stream",
    judge: session_header,
};

fn session_header(view: View<'_>) -> Verdict {
    let (posts, is_modern) = (posts(view), is_modern_only(view));
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str())
        .filter_map(|post| {
            let minted = post.http.response.and_then(|response| response.headers.value("mcp-session-id"));
            if minted.is_some() && post.faults.is_empty() {
                return Some(Err(at_response(
                    post.http,
                    "gives out a session id in answer to a modern request".into(),
                )));
            }
            let probe = post.is_only(Oddity::Earlier) && twins.have(post);
            let check: Option<Check> = match probe {
                true if is_modern => post.served("with a session id or the id of an event"),
                true => Some(Ok(())),
                false => None,
            };
            check
        })
        .collect()
}

fn at_response(http: &HttpExchange<'_>, what: String) -> Breach {
    let entry = http.response.map_or(http.entry, |response| response.entry);
    Breach::at_entry(entry, what).after_entry(http.entry)
}
