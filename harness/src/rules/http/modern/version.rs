//! The header line with the version, and the status of what a server does not implement.

use super::is_modern_only;
use super::post::{How, Line, Twins, posts};
use crate::revision::{Era, Revision, Revisions, Side, code};
use crate::rules::jsonrpc::response::is_unknown;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Fate, View};
use crate::wire::Id;

const VERSION_HEADER: &str = "2026-07-28/basic/transports/streamable-http#protocol-version-header";

/// `http.modern.version-header.mismatch`
pub static MISMATCH: Rule = Rule {
    id: "http.modern.version-header.mismatch",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: VERSION_HEADER,
    requires: "A request whose MCP-Protocol-Version line differs from the version in its body is refused with status 400 \
               and -32020.",
    judged: "Requests of which the like was served, with nothing else wrong. -32022 under status 400 is a warning: the line \
             names a version that the server lacks, and which of the two is looked at first is open. Serving a request with \
             two such lines, one of them right, is a warning too, since HTTP lets a server see only one. A legacy version in \
             the line is not judged where the server speaks one.",
    untested: "no request had a line MCP-Protocol-Version that differed from its body while its like was served",
    judge: mismatch,
};

fn mismatch(view: View<'_>) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    let speaks_legacy = !is_modern_only(view);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post))
        .filter_map(|post| {
            let fault = post.only_fault().filter(|fault| fault.line == Line::Version)?;
            let names_legacy =
                Revision::ALL.iter().any(|known| known.era() == Era::Legacy && fault.value.contains(known.as_str()));
            if speaks_legacy && names_legacy {
                return None;
            }
            match fault.how {
                How::Differs => {
                    if post.http.status() == Some(400) && post.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION)
                    {
                        let what = "takes a version in the header line that differs from the body for unsupported";
                        return Some(Err(post.breach(what).as_warning()));
                    }
                    post.refused("whose MCP-Protocol-Version line differs from its body")
                }
                How::Several if post.http.status() == Some(400) => Some(Ok(())),
                How::Several => {
                    let check = post.refused("with two lines MCP-Protocol-Version that differ")?;
                    Some(check.map_err(Breach::as_warning))
                }
                _ => None,
            }
        })
        .collect()
}

/// `http.modern.version-header.missing`
pub static MISSING: Rule = Rule {
    id: "http.modern.version-header.missing",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#server-validation",
    requires: "A server that speaks only modern revisions refuses a request without the line MCP-Protocol-Version, with \
               status 400 and -32020.",
    judged: "Requests of which the like was served, with nothing else wrong. A server that control sessions found to speak a \
             legacy revision may take the request for one of 2025-03-26.",
    untested: "no request lacked the line MCP-Protocol-Version while its like was served, or the server speaks a legacy \
               revision too",
    judge: missing,
};

fn missing(view: View<'_>) -> Verdict {
    if !is_modern_only(view) {
        return Verdict::untested();
    }
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post))
        .filter(|post| post.only_fault().is_some_and(|fault| fault.line == Line::Version && fault.how == How::Missing))
        .filter_map(|post| post.refused("without the line MCP-Protocol-Version"))
        .collect()
}

/// `http.modern.unsupported-version-400`
pub static UNSUPPORTED: Rule = Rule {
    id: "http.modern.unsupported-version-400",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: VERSION_HEADER,
    requires: "A version that the server does not implement is refused with status 400 and -32022.",
    judged: "Requests whose header line and body name the same version, one that was never released, with nothing else wrong. \
             Serving such a request is the matter of `version.unsupported.error`.",
    untested: "no sound request was refused that named one unknown version in its header line and in its body",
    judge: unsupported,
};

fn unsupported(view: View<'_>) -> Verdict {
    posts(view)
        .iter()
        .filter(|post| post.faults.is_empty() && post.oddities.is_empty())
        .filter(|post| Revision::from_wire(&post.version).is_none() && !post.is_held_off())
        .filter(|post| post.exchange.result().is_none())
        .filter_map(|post| {
            let status = post.http.status()?;
            if status == 400 && post.error_code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION) {
                return Some(Ok(()));
            }
            let code = post.error_code().map_or_else(|| "no JSON-RPC error".to_owned(), |code| code.to_string());
            let what = format!("refuses an unknown version with {status} and {code} in place of 400 and -32022");
            Some(Err(post.breach(what)))
        })
        .collect()
}

/// `http.modern.unknown-method-404`
pub static UNKNOWN_METHOD: Rule = Rule {
    id: "http.modern.unknown-method-404",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: VERSION_HEADER,
    requires: "A method that the server does not implement is answered with status 404 and -32601 under the id of the request.",
    judged: "Requests with nothing wrong but their method: one that no revision has, and any that the server answers with \
             -32601. Another code is the matter of `jsonrpc.method-not-found`; serving a method whose capability was not \
             declared is that of the rules about capabilities.",
    untested: "no method was called that the server does not implement",
    judge: unknown_method,
};

fn unknown_method(view: View<'_>) -> Verdict {
    posts(view)
        .iter()
        .filter(|post| post.faults.is_empty() && post.oddities.is_empty() && !post.is_held_off())
        .filter(|post| post.version == view.revision().as_str())
        .filter_map(|post| {
            let status = post.http.status()?;
            if post.exchange.error_code() == Some(code::METHOD_NOT_FOUND) {
                let what = format!("answers a method that it does not have with {status} in place of 404");
                return Some(if status == 404 { Ok(()) } else { Err(post.breach(what)) });
            }
            if !is_unknown(post.exchange) {
                return None;
            }
            if post.error_code() == Some(code::METHOD_NOT_FOUND) {
                let named = post.http.messages().find_map(|(_, message)| message.member("id")).map(Id::read);
                let named =
                    named.map_or_else(|| "without an id".to_owned(), |id| format!("under the id {}", id.text()));
                return Some(Err(post.breach(format!("says {named} that it does not have the method"))));
            }
            let what = format!("answers a method that it does not have with {status} and without a JSON-RPC error");
            (post.exchange.fate() == Fate::Refused && post.error_code().is_none()).then(|| Err(post.breach(what)))
        })
        .collect()
}
