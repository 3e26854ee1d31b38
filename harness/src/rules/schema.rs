//! JSON Schema in MCP: the dialects of schemas, and the schemas that a server publishes.
//!
//! - `client`: what a client must take, and what it must bear
//! - `network`: references that it must not follow
//! - `output`: what it makes of structured content

use std::collections::HashSet;

use super::tools::offer::{Call, Offer, Reply};
use super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revision, Revisions, Side, code};
use crate::schema::{Declared, Dialect, Outcome, Problem, Reading, Shelf};
use crate::session::{Fate, Message, Speaker, View};
use crate::wire::Value;

mod client;
mod network;
mod output;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &DEFAULT_DIALECT_SUPPORTED,
    &DECLARED_DIALECT_USED,
    &UNSUPPORTED_DIALECT_ERROR,
    &PUBLISHED_SCHEMAS_VALID,
    &LOCAL_REFERENCES_RESOLVED,
    &client::UNRESOLVED_REJECTED,
    &client::COMPOSITION_BOUNDED,
    &client::COMPOSITION_ROOT_ACCEPTED,
    &network::NO_NETWORK,
];

const REFERENCE: &[&str] = &["$ref", "$dynamicRef"];

/// Keywords of 2020-12 that draft-07 does not know.
const NEWER: &[&str] = &[
    "prefixItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "dependentRequired",
    "dependentSchemas",
    "minContains",
    "maxContains",
    "$dynamicRef",
];

const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);

static DEFAULT_DIALECT_SUPPORTED: Rule = Rule {
    id: "schema.2020-12-supported",
    level: Level::Must,
    side: None,
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#implementation-requirements",
    requires: "A schema without $schema is read as JSON Schema 2020-12.",
    judged: "Calls with arguments on which 2020-12 and draft-07 disagree. Accepting what draft-07 allows, or what only keywords \
             unknown to it forbid, fails if the server has shown that it validates this tool, and is a warning otherwise; \
             refusing with -32602 what only draft-07 forbids fails. A result with isError may have other reasons and proves \
             nothing then. `dependencies` does not count: 2020-12 keeps it for compatibility. A client keeps tools with keywords of \
             2020-12, does not fail at structured content that only draft-07 forbids, and gives its user none that only \
             2020-12 forbids where it has shown that it validates.",
    untested: "no tool was called with arguments that separate 2020-12 from draft-07; name a tool that validates such a schema \
               in the subject file. Of a client, no driver told what came of such tools and their results",
    judge: default_dialect_supported,
};

fn default_dialect_supported(view: View<'_>) -> Verdict {
    if view.client() == Speaker::Subject {
        return output::default_dialect_supported(view);
    }
    telling_calls(view, |shelf, call, validated| {
        let (schema, arguments) = (call.input_schema()?, call.arguments()?);
        if *shelf.declared(schema) != Declared::Nothing {
            return None;
        }
        let newer = shelf.check_as(schema, Dialect::Draft2020_12, &arguments);
        let older = match &newer {
            Outcome::Invalid(broken) if broken.iter().all(|violation| violation.passes(NEWER)) => Outcome::Valid,
            _ => shelf.check_as(schema, Dialect::Draft07, &arguments),
        };
        separated(call, validated, &newer, &older, "2020-12", "draft-07")
    })
}

static DECLARED_DIALECT_USED: Rule = Rule {
    id: "schema.declared-dialect-used",
    level: Level::Must,
    side: None,
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#implementation-requirements",
    requires: "A schema is validated under the dialect that its $schema names, or the dialect is refused.",
    judged: "Calls with arguments that the named dialect refuses and 2020-12 allows. Accepting them fails if the server has \
             shown that it validates this tool, and is a warning otherwise. Every refusal passes: only 2020-12 is mandatory. A client \
             that has shown that it validates gives its user no structured content of that kind.",
    untested: "no tool with a $schema other than 2020-12 was called with arguments that its dialect refuses and 2020-12 allows; \
               of a client, no driver told what came of such structured content",
    judge: declared_dialect_used,
};

fn declared_dialect_used(view: View<'_>) -> Verdict {
    if view.client() == Speaker::Subject {
        return output::declared_dialect_used(view);
    }
    telling_calls(view, |shelf, call, validated| {
        let (schema, arguments) = (call.input_schema()?, call.arguments()?);
        let Declared::Known(dialect) = *shelf.declared(schema) else { return None };
        if dialect == Dialect::Draft2020_12 {
            return None;
        }
        let own = shelf.check_as(schema, dialect, &arguments);
        // What 2020-12 finds no schema at all it refuses as well, and no reaction tells the two apart.
        let newest = shelf.check_as(schema, Dialect::Draft2020_12, &arguments);
        let newest = if let Outcome::Unusable(_) = newest { Outcome::Valid } else { newest };
        if !matches!(own, Outcome::Invalid(_)) {
            return None;
        }
        separated(call, validated, &own, &newest, "its own dialect", "2020-12")
    })
}

/// Judges the calls that nothing but their arguments gives a reason to refuse, with the schemas that the server enforces.
fn telling_calls<'s>(
    view: View<'s>,
    mut judge: impl FnMut(&mut Shelf<'s>, &Call<'s>, &HashSet<&'s str>) -> Option<Check>,
) -> Verdict {
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    let validated = validated_tools(&offer, &mut shelf);
    offer
        .calls()
        .filter(|call| call.in_operation() && !call.refused_otherwise())
        .filter_map(|call| judge(&mut shelf, &call, &validated))
        .collect()
}

/// Judges a call whose arguments the right dialect and another one see differently.
fn separated(
    call: &Call<'_>,
    validated: &HashSet<&str>,
    right: &Outcome,
    other: &Outcome,
    right_name: &str,
    other_name: &str,
) -> Option<Check> {
    match (right, other) {
        (Outcome::Invalid(violations), Outcome::Valid) => match call.reply {
            Reply::Done(_) => {
                let keyword = violations.first().map_or("", |violation| &violation.keyword);
                let what = format!(
                    "accepts arguments that break `{keyword}` under {right_name}, as if the schema were {other_name}"
                );
                let shown = call.input_schema().is_some_and(|schema| validated.contains(schema.raw()));
                Some(Err(if shown { call.breach(what) } else { call.breach(what).as_warning() }))
            }
            Reply::Failed(_) | Reply::Refused(_) => Some(Ok(())),
            Reply::Open => None,
        },
        (Outcome::Valid, Outcome::Invalid(_)) => match call.reply {
            Reply::Done(_) => Some(Ok(())),
            Reply::Refused(Some(code::INVALID_PARAMS)) => {
                Some(Err(call.breach(format!("refuses arguments that only {other_name} forbids, not {right_name}"))))
            }
            Reply::Failed(_) | Reply::Refused(_) | Reply::Open => None,
        },
        _ => None,
    }
}

/// The input schemas that the server enforces: it refused arguments that blatantly break them, in the same keywords in
/// every dialect and without a reference, and took arguments that satisfy them.
fn validated_tools<'s>(offer: &Offer<'s>, shelf: &mut Shelf<'s>) -> HashSet<&'s str> {
    let (mut refused, mut taken) = (HashSet::new(), HashSet::new());
    for call in offer.calls() {
        let Some((schema, arguments)) = call.input_schema().zip(call.arguments()) else { continue };
        match (call.reply, shelf.check(schema, &arguments).outcome) {
            (Reply::Failed(_) | Reply::Refused(_), Outcome::Invalid(violations))
                if violations.iter().any(|violation| violation.blatant && !violation.passes(REFERENCE)) =>
            {
                refused.insert(schema.raw());
            }
            (Reply::Done(_), Outcome::Valid) => {
                taken.insert(schema.raw());
            }
            _ => {}
        }
    }
    refused.intersection(&taken).copied().collect()
}

static UNSUPPORTED_DIALECT_ERROR: Rule = Rule {
    id: "schema.unsupported-dialect-error",
    level: Level::Must,
    side: None,
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#implementation-requirements",
    requires: "A dialect that is not supported is handled gracefully, with an error that says so.",
    judged: "Calls of tools whose $schema lies in the domain .invalid, which nobody can know. Success fails, and so does a \
             server that ends or falls silent. Every refusal passes. Other unknown dialects may be the server's own. A client loses \
             no whole list over one tool of that kind; to give its user structured content of it without a word is a warning.",
    untested: "no tool with a $schema in the domain .invalid was called, or no driver showed a client's tools behind one",
    judge: unsupported_dialect_error,
};

fn unsupported_dialect_error(view: View<'_>) -> Verdict {
    if view.client() == Speaker::Subject {
        return output::unsupported_dialect_error(view);
    }
    let offer = Offer::of(view);
    let mut shelf = Shelf::new(view.revision());
    offer
        .calls()
        .filter(|call| call.in_operation() && !call.refused_otherwise() && call.arguments().is_some())
        .filter_map(|call| {
            let Declared::Unknown(dialect) = shelf.declared(call.input_schema()?) else { return None };
            if !is_nowhere(dialect) {
                return None;
            }
            match (call.reply, call.exchange.fate()) {
                (Reply::Done(_), _) => Some(Err(
                    call.breach(format!("calls a tool with success whose schema is in the dialect {dialect}"))
                )),
                (Reply::Failed(_) | Reply::Refused(_), _) => Some(Ok(())),
                (Reply::Open, Fate::Cut) => Some(Err(
                    call.breach(format!("ends when a tool is called whose schema is in the dialect {dialect}"))
                )),
                (Reply::Open, Fate::Silent) => Some(Err(
                    call.breach(format!("never answers a call of a tool whose schema is in the dialect {dialect}"))
                )),
                (Reply::Open, _) => None,
            }
        })
        .collect()
}

/// Whether the host of a URI, given as JSON text, is in the domain that RFC 2606 keeps empty.
fn is_nowhere(uri: &str) -> bool {
    let rest = uri.trim_matches('"').split_once("://").map(|(_, rest)| rest);
    let host = rest.and_then(|rest| rest.split(['/', '?', '#', ':']).next());
    host.is_some_and(|host| host.ends_with(".invalid"))
}

static PUBLISHED_SCHEMAS_VALID: Rule = Rule {
    id: "schema.published-schemas-valid",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#schema-validation",
    requires: "The schemas that a server publishes are valid in the dialect that they name, or in 2020-12.",
    judged: "Input and output schemas of tools, schemas of elicitations and of tools for sampling, against the metaschema; and \
             local references must have targets. A reference that leads back to itself is a warning. Formats, references to \
             other documents and unknown dialects are not looked into.",
    untested: "the server published no schema; it must list a tool",
    judge: published_schemas_valid,
};

fn published_schemas_valid(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    let mut seen = HashSet::new();
    published(view)
        .filter(|(_, _, schema)| schema.is_object() && seen.insert(schema.raw()))
        .filter_map(|(message, place, schema)| {
            let dialect = *shelf.dialects(schema).first()?;
            let breach = |what: String| Breach::at(message, what);
            let reading = Reading::of(schema.raw(), dialect);
            match reading.metaschema() {
                Outcome::Invalid(violations) => {
                    let first = violations.first()?;
                    let at = if first.at.is_empty() { "its root" } else { &first.at };
                    return Some(Err(breach(format!(
                        "publishes {place} that is no valid schema at {at}: {}",
                        first.why
                    ))));
                }
                Outcome::OverBudget | Outcome::Unusable(_) => return None,
                Outcome::Valid => {}
            }
            let problems = reading.problems();
            let missing = problems.iter().find_map(|problem| match problem {
                Problem::Missing(reference) => Some(reference),
                _ => None,
            });
            let endless = problems.iter().find_map(|problem| match problem {
                Problem::Endless(reference) => Some(reference),
                _ => None,
            });
            Some(match (missing, endless) {
                (Some(reference), _) => {
                    Err(breach(format!("publishes {place} that refers to {reference:?}, which is not in it")))
                }
                (None, Some(reference)) => {
                    let what = format!("publishes {place} in which the reference {reference:?} leads back to itself");
                    Err(breach(what).as_warning())
                }
                (None, None) => Ok(()),
            })
        })
        .collect()
}

/// Every schema that the subject published, with the message and a name for its place.
fn published<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, &'static str, Value<'s>)> {
    let tools = view.listed("tools/list").flat_map(|(answer, tool)| {
        let places = [("inputSchema", "an inputSchema"), ("outputSchema", "an outputSchema")];
        places.into_iter().filter_map(move |(member, place)| Some((answer, place, tool.member(member)?)))
    });
    let asked = view.requests_by(Speaker::Subject).flat_map(|request| {
        let params = request.params();
        let asked =
            if request.is("elicitation/create") || request.is("sampling/createMessage") { params } else { None };
        asked.into_iter().flat_map(in_params).map(move |(place, schema)| (request, place, schema))
    });
    let wanted = view.exchanges().filter(move |_| view.revision().era() == Era::Modern).flat_map(|exchange| {
        let entries = exchange.result().and_then(|result| result.member("inputRequests"));
        let params = entries.into_iter().flat_map(Value::members).filter_map(|(_, entry)| entry.member("params"));
        let schemas = params.flat_map(in_params);
        schemas.filter_map(move |(place, schema)| Some((exchange.answer()?, place, schema)))
    });
    tools.chain(asked).chain(wanted)
}

/// The schemas in the params of a request for input.
fn in_params<'s>(params: Value<'s>) -> impl Iterator<Item = (&'static str, Value<'s>)> {
    let form = params.member("requestedSchema").map(|schema| ("a requestedSchema", schema));
    let tools = params.member("tools").into_iter().flat_map(Value::items);
    form.into_iter().chain(tools.filter_map(|tool| Some(("an inputSchema for sampling", tool.member("inputSchema")?))))
}

static LOCAL_REFERENCES_RESOLVED: Rule = Rule {
    id: "schema.ref.local-resolved",
    level: Level::Must,
    side: None,
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#implementation-requirements",
    requires: "References inside the same schema work.",
    judged: "Calls whose arguments a local reference decides about. Accepting what only the referenced schema forbids fails if \
             the server has shown that it validates this tool. Refusing what it allows is a warning with -32602 or with a \
             result that a call without those members does not get: it may have other reasons. A client keeps tools whose schemas \
             have local references, does not fail at structured content that conforms to them, and gives its user none that \
             only the referenced schema forbids where it has shown that it validates.",
    untested: "no tool was called with arguments that a local reference of its inputSchema decides about; name a tool that \
               validates in the subject file. Of a client, no driver told what came of such tools and their results",
    judge: local_references_resolved,
};

fn local_references_resolved(view: View<'_>) -> Verdict {
    if view.client() == Speaker::Subject {
        return output::local_references_resolved(view);
    }
    telling_calls(view, |shelf, call, validated| {
        let (schema, arguments) = (call.input_schema()?, call.arguments()?);
        let shown = validated.contains(schema.raw());
        match (call.reply, shelf.check(schema, &arguments).outcome) {
            (Reply::Done(_), Outcome::Invalid(violations)) => {
                let hidden = violations.iter().all(|violation| violation.passes(REFERENCE) && violation.blatant);
                let keyword = violations.first().map_or("", |violation| &violation.keyword);
                let what = format!("accepts arguments that break `{keyword}` behind a local reference");
                (shown && hidden).then(|| Err(call.breach(what)))
            }
            (Reply::Failed(_) | Reply::Refused(_), Outcome::Invalid(violations)) => {
                (shown && violations.iter().all(|violation| violation.passes(REFERENCE))).then_some(Ok(()))
            }
            (reply, Outcome::Valid) if uses_reference(schema, call.exchange.param("arguments")) => match reply {
                Reply::Done(_) => Some(Ok(())),
                Reply::Failed(_) | Reply::Refused(Some(code::INVALID_PARAMS)) if shown => {
                    let what = "refuses arguments that satisfy a schema with local references";
                    Some(Err(call.breach(what).as_warning()))
                }
                _ => None,
            },
            _ => None,
        }
    })
}

/// Whether the arguments have a member whose schema is a local reference.
fn uses_reference(schema: Value<'_>, arguments: Option<Value<'_>>) -> bool {
    let given = |name: &str| arguments.is_some_and(|arguments| arguments.member(name).is_some());
    let properties = schema.member("properties").into_iter().flat_map(Value::members);
    let local = |value: Value<'_>| value.as_str().is_some_and(|reference| reference.starts_with('#'));
    let mut referring =
        properties.filter(|(_, own)| own.descendants().take(1_000).any(|part| part.member("$ref").is_some_and(local)));
    referring.any(|(name, _)| given(&name))
}
