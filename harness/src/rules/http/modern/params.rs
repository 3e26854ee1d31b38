//! Arguments of tool calls that stand in header lines too.

use super::post::{How, Line, Oddity, Twins, posts};
use crate::revision::{Revisions, Side, code};
use crate::rules::{Check, Level, Rule, Transports, Verdict};
use crate::session::View;

const CUSTOM: &str = "2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers";
const UNTESTED: &str =
    "the server listed no tool that wants an argument in a header line, or no call of one was served";

/// `http.modern.param-header.missing-rejected`
pub static MISSING: Rule = Rule {
    id: "http.modern.param-header.missing-rejected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: CUSTOM,
    requires: "A call is refused with status 400 and -32020 if an argument that belongs into a header line is missing there, \
               differs, or is badly encoded.",
    judged: "Calls of which the like was served, with one line wrong and nothing else. For bytes that no value may have, any \
             status of an error will do, and so will a closed connection, since HTTP itself may refuse them. Two lines of \
             which one is right are not judged.",
    untested: UNTESTED,
    judge: missing,
};

fn missing(view: View<'_>) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post))
        .filter_map(|post| {
            let fault = post.only_fault().filter(|fault| fault.line == Line::Param)?;
            match fault.how {
                How::Missing => post.refused("without the header line of an argument"),
                How::Differs => post.refused("whose argument and header line differ"),
                How::DiffersEncoded => post.refused("whose argument and encoded header line differ"),
                How::Undecodable => post.refused("with a header line of an argument that cannot be decoded"),
                How::Marker => post.refused("with the marker of an encoded value in capital letters"),
                How::Forbidden if post.is_cut() || post.http.is_refused() => Some(Ok(())),
                How::Forbidden => post.refused("with bytes in the header line of an argument that no value may have"),
                How::Several => None,
            }
        })
        .collect()
}

/// `http.modern.param-header.absent-value-accepted`
pub static ABSENT_VALUE: Rule = Rule {
    id: "http.modern.param-header.absent-value-accepted",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: CUSTOM,
    requires: "A server does not ask for the header line of an argument that is null or absent.",
    judged: "Calls without an argument that belongs into a header line, and without that line, with nothing else wrong about \
             the lines: -32020 breaks the rule. What else is wrong with the arguments does not matter.",
    untested: "no tool was called without an argument that it wants in a header line",
    judge: absent_value,
};

fn absent_value(view: View<'_>) -> Verdict {
    posts(view)
        .iter()
        .filter(|post| post.version == view.revision().as_str())
        .filter(|post| post.lacks_value && post.faults.is_empty() && post.oddities.is_empty())
        .filter_map(|post| {
            let check: Check = match post.error_code() {
                Some(code::HEADER_MISMATCH) => {
                    Err(post.breach("asks for the header line of an argument that has no value"))
                }
                Some(_) => Ok(()),
                None if post.exchange.result().is_some() => Ok(()),
                None => return None,
            };
            Some(check)
        })
        .collect()
}

/// `http.modern.param-header.integer-compare`
pub static INTEGER_COMPARE: Rule = Rule {
    id: "http.modern.param-header.integer-compare",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#server-validation",
    requires: "Integers in header lines are compared as numbers, so that 42.0 is 42.",
    judged: "Calls of tools that were served with the same text in both places. A refusal with -32020 is a warning, and any \
             other error a matter of the arguments.",
    untested: "no tool was called whose integer argument is written in another way in its header line",
    judge: integer_compare,
};

fn integer_compare(view: View<'_>) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str())
        .filter(|post| post.is_only(Oddity::Numeric) && twins.have_alike(post))
        .filter_map(|post| {
            let refused = post.error_code() == Some(code::HEADER_MISMATCH);
            let what = "refuses a call whose integer is written in another way in its header line";
            let check: Check = if refused { Err(post.breach(what).as_warning()) } else { Ok(()) };
            (refused || post.exchange.result().is_some()).then_some(check)
        })
        .collect()
}
