//! Header lines that look unusual and say what the body says.

use super::post::{Oddity, Twins, posts};
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;

/// `http.modern.header-whitespace-tolerated`
pub static WHITESPACE: Rule = Rule {
    id: "http.modern.header-whitespace-tolerated",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#server-validation",
    requires: "Whitespace around a value in a header line is no part of the value.",
    judged: "Requests of which the like was served, with spaces and tabs around right values. That they do not count is a \
             matter of the syntax of HTTP, to which the page refers, so a refusal is a warning.",
    untested: "no request had whitespace around its values while its like was served",
    judge: whitespace,
};

fn whitespace(view: View<'_>) -> Verdict {
    only(view, Oddity::Padded, "with whitespace around a value in its header lines", true)
}

/// `http.header-names-case-insensitive`
pub static CASE: Rule = Rule {
    id: "http.header-names-case-insensitive",
    level: Level::Must,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#case-sensitivity",
    requires: "The names of header lines are compared without regard to case.",
    judged: "Requests of which the like was served, with names of header lines in another case than the specification writes \
             them.",
    untested: "no request had the names of its header lines in another case while its like was served",
    judge: case,
};

fn case(view: View<'_>) -> Verdict {
    only(view, Oddity::OtherCase, "with the names of its header lines in another case", false)
}

fn only(view: View<'_>, oddity: Oddity, like: &str, is_warning: bool) -> Verdict {
    let posts = posts(view);
    let twins = Twins::of(&posts);
    posts
        .iter()
        .filter(|post| post.version == view.revision().as_str() && twins.have(post) && post.is_only(oddity))
        .filter_map(|post| post.served(like))
        .map(|check| check.map_err(|breach| if is_warning { Breach::as_warning(breach) } else { breach }))
        .collect()
}
