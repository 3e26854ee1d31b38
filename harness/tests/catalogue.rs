//! The rules against the catalogue of requirements: none forgotten, none misquoted.
//!
//! The catalogue is no part of this project: TURNCOAT_REQUIREMENTS names its file. Without it, only what the rules say
//! of each other is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;

use serde::Deserialize;
use turncoat::revision::{Revision, Revisions, Side};
use turncoat::rules::{self, Level};
use turncoat::script::corpus;

/// The areas that have rules so far.
const AREAS: &[&str] = &[
    "jsonrpc",
    "message",
    "stdio",
    "lifecycle",
    "version",
    "modern",
    "modern-only",
    "dual",
    "discover",
    "stateless",
    "meta",
    "result",
    "error",
    "capability",
    "extension",
    "list-changed",
    "pagination",
    "lists",
    "tools",
    "schema",
    "ping",
    "cancel",
    "progress",
    "server",
    "annotations",
    "subscription",
    "caching",
    "mrtr",
    "tasks",
    "resources",
    "prompts",
    "completion",
    "logging",
    "content",
    "elicitation",
    "sampling",
    "http",
    "http-sse",
];

#[derive(Deserialize)]
struct Catalogue {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
struct Requirement {
    id: String,
    side: String,
    level: String,
    revisions: Vec<Revision>,
    spec: String,
}

#[test]
fn ids_are_unique() {
    let mut seen = BTreeSet::new();
    for id in rules::all().map(|rule| rule.id).chain(rules::unjudged().map(|(id, _)| id)) {
        assert!(seen.insert(id), "{id} stands twice");
    }
}

#[test]
fn every_rule_is_provoked_by_a_script() {
    let provoked: BTreeSet<&str> =
        corpus::all().unwrap().iter().flat_map(|script| script.provokes.iter().map(String::as_str)).collect();
    let forgotten: Vec<&str> = rules::all().map(|rule| rule.id).filter(|id| !provoked.contains(id)).collect();
    assert!(forgotten.is_empty(), "no script provokes {forgotten:#?}");
}

#[test]
fn rules_without_a_clause_are_named_so() {
    for rule in rules::all() {
        let own = rule.id.starts_with("robust.") || rule.id.starts_with("harden.");
        assert_eq!(rule.clause.is_empty(), own, "{}", rule.id);
        assert_eq!(matches!(rule.level, Level::Robustness | Level::Hardening), own, "{}", rule.id);
        assert!(!rule.requires.is_empty() && !rule.judged.is_empty() && !rule.untested.is_empty(), "{}", rule.id);
    }
}

/// The list of what has no rule; a change in it is a change to be seen in review.
#[test]
fn what_has_no_rule_has_a_reason() {
    let list: Vec<String> = rules::unjudged().map(|(id, reason)| format!("{id}: {reason}")).collect();
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("unjudged", list.join("\n"));
    });
}

#[test]
fn rules_quote_the_catalogue() {
    let Some(file) = env::var_os("TURNCOAT_REQUIREMENTS") else { return };
    let catalogue: Catalogue = toml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let requirements: BTreeMap<&str, &Requirement> =
        catalogue.requirement.iter().map(|requirement| (requirement.id.as_str(), requirement)).collect();
    let unjudged: BTreeSet<&str> = rules::unjudged().map(|(id, _)| id).collect();
    let mut wrong = Vec::new();
    for requirement in requirements.values() {
        let area = requirement.id.split('.').next().unwrap_or_default();
        let asked = AREAS.contains(&area) && requirement.side != "client";
        if asked && rules::find(&requirement.id).is_none() && !unjudged.contains(requirement.id.as_str()) {
            wrong.push(format!("{} has neither a rule nor a reason", requirement.id));
        }
    }
    for rule in rules::all().filter(|rule| !rule.clause.is_empty()) {
        let Some(requirement) = requirements.get(rule.id) else {
            wrong.push(format!("{} is not in the catalogue", rule.id));
            continue;
        };
        let side = match rule.side {
            None => "both",
            Some(Side::Client) => "client",
            Some(Side::Server) => "server",
        };
        let level = requirement.level.trim_end_matches(" NOT");
        let revisions: Revisions = requirement.revisions.iter().copied().collect();
        let deviates = (side != requirement.side, rule.level.as_str() != level, revisions != rule.revisions);
        if deviates != (false, false, false) || rule.clause != requirement.spec {
            wrong.push(format!(
                "{}: side, level, revisions deviate: {deviates:?}; clause {} against {}",
                rule.id, rule.clause, requirement.spec
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
