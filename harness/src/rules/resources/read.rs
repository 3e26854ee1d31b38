//! resources/read and the shape of its results.

use super::uri::{self, Flaw};
use crate::revision::{Revisions, Side};
use crate::rules::capability::declares;
use crate::rules::inventory::Inventory;
use crate::rules::{Breach, Level, Rule, Transports, Verdict, probe};
use crate::session::{Exchange, View};
use crate::wire::Value;

pub(super) static CONTENTS_SHAPE: Rule = Rule {
    id: "resources.read.contents-shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ReadResourceResult",
    requires: "Reading gives an array of contents, each with a uri and either text or a blob.",
    judged: "All of them are strings. Both text and blob are a warning. Several contents, none, and URIs other than the \
             one asked for are fine, and results that ask for input are left out.",
    untested: "no resource was read",
    judge: contents_shape,
};

fn contents_shape(view: View<'_>) -> Verdict {
    view.exchanges()
        .filter(|exchange| exchange.is("resources/read"))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let result = exchange.result().filter(|result| result.is_object())?;
            if !probe::is_final(view.revision(), result) {
                return None;
            }
            let breach = |what: String| Err(Breach::at(answer, what).after(exchange.request()));
            Some(match result.member("contents") {
                None => breach("gives a resource without contents".to_owned()),
                Some(contents) if !contents.is_array() => breach(format!("gives {} as contents", contents.brief())),
                Some(contents) => match contents.items().find_map(|item| wrong(item, &["text", "blob"])) {
                    Some(what) => breach(what),
                    None if contents
                        .items()
                        .any(|item| item.member("text").is_some() && item.member("blob").is_some()) =>
                    {
                        breach("gives contents with both text and a blob".to_owned()).map_err(Breach::as_warning)
                    }
                    None => Ok(()),
                },
            })
        })
        .collect()
}

/// What is wrong with one item of contents.
fn wrong(item: Value<'_>, kinds: &[&str]) -> Option<String> {
    match item.member("uri") {
        Some(uri) if uri.is_string() => {}
        _ => return Some(format!("gives {} as contents, which has no uri", item.brief())),
    }
    let given = || kinds.iter().filter_map(|kind| item.member(kind));
    if given().next().is_none() {
        return Some(format!("gives {} as contents, which has neither text nor blob", item.brief()));
    }
    let other = given().find(|value| !value.is_string())?;
    Some(format!("gives contents whose text or blob is {}", other.brief()))
}

pub(super) static URI_VALIDATED: Rule = Rule {
    id: "resources.read.uri-validated",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#security-considerations",
    requires: "A server validates the URIs that it is asked to read.",
    judged: "A uri that is missing, that is no string, or that nobody can take for a URI gets an error, any error. What the \
             server itself listed, and what a template of its might cover, is left alone, and so are URIs with nothing \
             worse than characters that should have been encoded.",
    untested: "a server with resources was not asked for anything that is no URI",
    judge: uri_validated,
};

fn uri_validated(view: View<'_>) -> Verdict {
    if declares(view, &["resources"]) == Some(false) {
        return Verdict::untested();
    }
    let resources = Inventory::of(view, "resources/list");
    let templates = Inventory::of(view, "resources/templates/list");
    view.exchanges()
        .filter(|exchange| exchange.is("resources/read") && probe::is_fair(view, *exchange))
        .filter(|exchange| !probe::is_refused_otherwise(*exchange))
        .filter_map(|exchange| {
            let given = exchange.param("uri");
            let defect = defect(given)?;
            let text = given.and_then(Value::as_str).unwrap_or_default();
            if !text.is_empty() && (resources.has(&text) || templates.names().any(|one| uri::may_cover(one, &text))) {
                return None;
            }
            reaction(view, exchange, &defect)
        })
        .collect()
}

fn defect(given: Option<Value<'_>>) -> Option<String> {
    match given {
        None => Some("no URI".to_owned()),
        Some(given) => match given.as_str() {
            None => Some(format!("{} as a URI", given.brief())),
            Some(text) => match uri::flaw(&text)? {
                Flaw::Wrong(why) => Some(format!("the URI {}, which {why}", given.brief())),
                Flaw::Unusual(_) => None,
            },
        },
    }
}

fn reaction(view: View<'_>, exchange: Exchange<'_>, defect: &str) -> Option<Result<(), Breach>> {
    let answer = exchange.answer()?;
    if answer.is_error() {
        return Some(Ok(()));
    }
    exchange.result().filter(|result| probe::is_final(view.revision(), *result))?;
    Some(Err(Breach::at(answer, format!("reads with success when asked for {defect}")).after(exchange.request())))
}
