//! resources/list and resources/templates/list.

use std::collections::HashSet;

use super::uri::{self, Flaw};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Message, View};
use crate::wire::Value;

pub(super) static ITEM_FIELDS: Rule = Rule {
    id: "resources.list.item-fields",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Resource",
    requires: "Each listed resource has a uri and a name, and each template a uriTemplate and a name.",
    judged: "Both are strings, a size is a number, and the braces of a template hold names of variables. A request may \
             well get an empty array.",
    untested: "no resource and no template was listed",
    judge: item_fields,
};

fn item_fields(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    let mut seen = HashSet::new();
    for (exchange, member) in view.lists() {
        let key = match member {
            "resources" => "uri",
            "resourceTemplates" => "uriTemplate",
            _ => continue,
        };
        let Some((answer, result)) = exchange.answer().zip(exchange.result()) else { continue };
        match result.member(member) {
            Some(items) if items.is_array() => {
                let new = items.items().filter(|item| seen.insert((key, item.raw())));
                checks.extend(new.map(|item| well_formed(item, key).map_err(|what| Breach::at(answer, what))));
            }
            Some(other) => checks.push(Err(Breach::at(answer, format!("lists {} as {member}", other.brief())))),
            None => {
                let what = format!("answers {} without the member {member}", exchange.method());
                checks.push(Err(Breach::at(answer, what)));
            }
        }
    }
    checks.into_iter().collect()
}

fn well_formed(item: Value<'_>, key: &str) -> Result<(), String> {
    let thing = if key == "uri" { "resource" } else { "template" };
    if !item.is_object() {
        return Err(format!("lists {} as a {thing}", item.brief()));
    }
    for needed in [key, "name"] {
        match item.member(needed) {
            Some(value) if value.is_string() => {}
            Some(value) => return Err(format!("lists a {thing} with the {needed} {}", value.brief())),
            None => return Err(format!("lists the {thing} {} without {needed}", item.brief())),
        }
    }
    if let Some(size) = item.member("size").filter(|size| thing == "resource" && !size.is_number()) {
        return Err(format!("lists a resource with the size {}", size.brief()));
    }
    let template = item.member("uriTemplate").and_then(Value::as_str).filter(|_| thing == "template");
    if let Some(flaw) = template.as_deref().and_then(uri::template_flaw) {
        return Err(format!(
            "lists the template {}, which {flaw}",
            item.member(key).map(Value::brief).unwrap_or_default()
        ));
    }
    Ok(())
}

pub(super) static URI_RFC3986: Rule = Rule {
    id: "resources.uri-rfc3986",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_06_18),
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#custom-uri-schemes",
    requires: "The URIs of resources follow RFC 3986, those of custom schemes too.",
    judged: "The URIs in lists and in what reading gives: a legal scheme, and neither spaces nor control characters. Other \
             characters that the grammar wants encoded, letters beyond ASCII among them, are a warning.",
    untested: "no resource was listed or read",
    judge: uri_rfc3986,
};

fn uri_rfc3986(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    let listed = view.listed("resources/list");
    let read = view.exchanges().filter(|exchange| exchange.is("resources/read")).flat_map(|exchange| {
        let contents = exchange.result().and_then(|result| result.member("contents"));
        let answer = exchange.answer();
        contents.into_iter().flat_map(Value::items).filter_map(move |item| Some((answer?, item)))
    });
    let all: Vec<(&Message<'_>, Value<'_>)> = listed.chain(read).collect();
    all.into_iter()
        .filter_map(|(answer, item)| Some((answer, item.member("uri")?)))
        .filter(|(_, uri)| seen.insert(uri.raw()))
        .filter_map(|(answer, uri)| {
            let breach = |why: &str| Breach::at(answer, format!("gives the URI {}, which {why}", uri.brief()));
            Some(match uri::flaw(&uri.as_str()?) {
                None => Ok(()),
                Some(Flaw::Wrong(why)) => Err(breach(why)),
                Some(Flaw::Unusual(why)) => Err(breach(why).as_warning()),
            })
        })
        .collect()
}
