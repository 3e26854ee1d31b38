//! The header lines with the method of a request and with what it is about.

use std::collections::HashMap;

use super::post::{Fault, How, Line, Oddity, Post, Twins, posts};
use crate::revision::{Revisions, Side};
use crate::rules::witness::{Call, Watch};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::View;

const VALIDATION: &str = "2026-07-28/basic/transports/streamable-http#server-validation";

/// `http.modern.standard-headers.missing-rejected`
pub static MISSING: Rule = Rule {
    id: "http.modern.standard-headers.missing-rejected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: VALIDATION,
    requires: "A request without the line Mcp-Method, or without Mcp-Name where its method needs one, is refused with status \
               400 and -32020.",
    judged: "Requests of which the like was served, with nothing else wrong. Only tools/call, prompts/get and resources/read \
             need Mcp-Name.",
    untested: "no request lacked Mcp-Method or Mcp-Name while its like was served",
    judge: missing,
};

fn missing(view: View<'_>) -> Verdict {
    judge(view, |post, fault| match (fault.line, fault.how) {
        (Line::Method, How::Missing) => post.refused("without the line Mcp-Method"),
        (Line::Name, How::Missing) => post.refused("without the line Mcp-Name"),
        _ => None,
    })
}

/// `http.modern.standard-headers.mismatch-rejected`
pub static MISMATCH: Rule = Rule {
    id: "http.modern.standard-headers.mismatch-rejected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: VALIDATION,
    requires: "A request whose line Mcp-Method or Mcp-Name contradicts its body is refused with status 400 and -32020.",
    judged: "Requests of which the like was served, with nothing else wrong; values differ if their case does. Serving a \
             request with two such lines, one of them right, is a warning, since HTTP lets a server see only one. A refused \
             call had an effect if another tool, called right before and right after it, tells so: its results were the \
             same without the refused call. Encoded names are the matter of `http.modern.name-header.decoded`.",
    untested: "no request had a line Mcp-Method or Mcp-Name that contradicted its body while its like was served",
    judge: mismatch,
};

fn mismatch(view: View<'_>) -> Verdict {
    let mut verdict = judge(view, |post, fault| match (fault.line, fault.how) {
        (Line::Method, How::Differs) => post.refused("whose line Mcp-Method contradicts its body"),
        (Line::Name, How::Differs) => post.refused("whose line Mcp-Name contradicts its body"),
        (Line::Method | Line::Name, How::Several) if post.http.status() == Some(400) => Some(Ok(())),
        (Line::Method | Line::Name, How::Several) => {
            let check = post.refused("with two lines Mcp-Method or Mcp-Name that differ")?;
            Some(check.map_err(Breach::as_warning))
        }
        _ => None,
    });
    let effects = effects(view);
    verdict.checked += effects.len();
    verdict.breaches.extend(effects);
    verdict
}

/// What calls did that were refused for these lines.
fn effects(view: View<'_>) -> Vec<Breach> {
    let posts = posts(view);
    let by_entry: HashMap<usize, &Post<'_>> = posts.iter().map(|post| (post.exchange.request().entry, post)).collect();
    let mut watch = Watch::default();
    let calls = probe::stateless(view).filter(|exchange| exchange.is("tools/call"));
    calls
        .filter_map(|call| {
            let answered = call.answer().map(|answer| answer.entry);
            let Some(post) = by_entry.get(&call.request().entry) else {
                return watch.hear(call, Call::Unclear, answered);
            };
            let contradicts =
                |fault: &Fault| matches!(fault.line, Line::Method | Line::Name) && fault.how == How::Differs;
            let is = if post.is_plain() {
                Call::Plain
            } else if call.result().is_none() && post.only_fault().is_some_and(contradicts) {
                Call::Refused
            } else {
                Call::Unclear
            };
            watch.hear(call, is, answered.or(post.http.end.map(|(entry, _)| entry)))
        })
        .map(|effect| effect.breach("for its header lines"))
        .collect()
}

fn judge(view: View<'_>, judge: impl Fn(&Post<'_>, &Fault) -> Option<Check>) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post))
        .filter_map(|post| judge(post, post.only_fault()?))
        .collect()
}

/// `http.modern.name-header.decoded`
pub static NAME_DECODED: Rule = Rule {
    id: "http.modern.name-header.decoded",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#value-encoding",
    requires: "An encoded Mcp-Name is decoded before it is compared with the body.",
    judged: "Requests of which the like was served with a plain line, with nothing else wrong. The right name encoded is \
             served, even where it needs no encoding. Another name, text that no reader of base64 takes, and a marker in \
             capital letters, which makes the value a literal one, are refused with status 400 and -32020.",
    untested: "no request had an encoded Mcp-Name while its like was served",
    judge: name_decoded,
};

fn name_decoded(view: View<'_>) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post))
        .filter_map(|post| {
            if post.is_only(Oddity::Encoded) {
                return if has_encoded_name(post) { post.served("whose Mcp-Name is right and encoded") } else { None };
            }
            let fault = post.only_fault().filter(|fault| fault.line == Line::Name)?;
            match fault.how {
                How::DiffersEncoded => post.refused("whose encoded Mcp-Name is another name"),
                How::Undecodable => post.refused("whose Mcp-Name cannot be decoded"),
                How::Marker => post.refused("whose Mcp-Name has the marker of an encoded value in capital letters"),
                _ => None,
            }
        })
        .collect()
}

fn has_encoded_name(post: &Post<'_>) -> bool {
    post.http.headers.value("Mcp-Name").is_some_and(|value| value.starts_with("=?base64?"))
}
