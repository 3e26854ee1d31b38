//! A tool as the server offers it: whether it can be used, and what its results must look like.
//!
//! What a comparison with a schema costs is arithmetic and no reading of the specification, so the budgets are those of
//! [`crate::schema`].

use serde_json::Value;

use super::fault::{ClientFault, ClientHttpFault};
use super::lists::Manner;
use super::mirror::{self, Mirror};
use super::results::cut;
use crate::schema::{Declared, Dialect, Outcome, Problem, Reading, problems};

/// The longest schema, in bytes of its text.
const LONGEST: usize = 256 << 10;

/// A listed tool.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    /// Why it cannot be used, if it cannot.
    pub(super) problem: Option<String>,
    output: Option<Value>,
    /// What it takes to keep, in bytes.
    pub(super) size: usize,
    /// Whether it can be called as a task only.
    pub(super) needs_task: bool,
    /// The arguments that are repeated in header lines.
    pub(super) mirrors: Vec<Mirror>,
}

impl Offer {
    /// Reads an item of the list. Nothing that is wrong with it is a reason not to read the others, to an honest client.
    pub(super) fn read(item: &Value, manner: &Manner) -> Result<Self, String> {
        let Manner { strict, lenient, mirrors, faults, .. } = manner;
        let has = |fault| faults.contains(&ClientFault::Http(fault));
        let output = item.get("outputSchema").cloned();
        let problem = match item.get("inputSchema") {
            None if *lenient => None,
            Some(schema) if schema.is_object() => unusable(schema, *strict),
            _ => Some("its inputSchema is no object".to_owned()),
        };
        let problem = problem.or_else(|| output.as_ref().and_then(|schema| unusable(schema, true)));
        let (mirrors, problem) =
            match item.get("inputSchema").filter(|_| *mirrors && problem.is_none()).map(mirror::read) {
                None => (Vec::new(), problem),
                Some(Ok(mirrors)) => (mirrors, None),
                Some(Err(_)) if has(ClientHttpFault::KeepsBadlyAnnotated) => (Vec::new(), None),
                Some(Err(why)) if has(ClientHttpFault::OneBadAnnotationSpoilsAll) => return Err(why),
                Some(Err(why)) => (Vec::new(), Some(why)),
            };
        let support = item["execution"]["taskSupport"].as_str();
        let output = output.filter(|_| problem.is_none());
        let size = output.as_ref().map_or(0, size);
        let mut offer = Self { output, size, problem, needs_task: support == Some("required"), mirrors };
        for fault in faults {
            offer.misread(*fault, item)?;
        }
        Ok(offer)
    }

    /// What is wrong with structured content; `None` if nothing is.
    pub(super) fn objects(&self, content: Option<&Value>, faults: &[ClientFault]) -> Option<String> {
        let schema = self.output.as_ref().filter(|_| !faults.contains(&ClientFault::SkipsValidation))?;
        let Some(content) = content else {
            return Some("the result lacks the structured content of its schema".into());
        };
        let dialect = match Dialect::declared(schema) {
            Declared::Nothing if faults.contains(&ClientFault::OldDialect) => Dialect::Draft07,
            _ if faults.contains(&ClientFault::IgnoresDialect) => Dialect::Draft2020_12,
            _ => dialect(schema),
        };
        let reading = Reading::of(&schema.to_string(), dialect);
        match reading.schema().map_or_else(Outcome::clone, |schema| schema.check(content)) {
            Outcome::Valid => None,
            Outcome::Invalid(violations) => {
                let first = violations.first().map_or("", |violation| &violation.why);
                Some(format!("the structured content does not fit its schema: {first}"))
            }
            Outcome::OverBudget => Some("the schema asks for too much work".to_owned()),
            Outcome::Unusable(why) => Some(format!("the schema is unusable: {why}")),
        }
    }

    fn misread(&mut self, fault: ClientFault, item: &Value) -> Result<(), String> {
        let schemas = || ["inputSchema", "outputSchema"].into_iter().filter_map(|member| item.get(member));
        let about = |what: &str| self.problem.clone().filter(|problem| problem.contains(what));
        match fault {
            ClientFault::OneBadToolSpoilsAll => self.problem.clone().map_or(Ok(()), Err),
            ClientFault::DiesOnCycles => about("circles").map_or(Ok(()), Err),
            ClientFault::BurnsOnSchemas => about("its schema").map_or(Ok(()), Err),
            ClientFault::ChokesOnDialect => {
                let is_odd = schemas().any(|schema| matches!(Dialect::declared(schema), Declared::Unknown(_)));
                if is_odd { Err("a schema is in an unknown dialect".to_owned()) } else { Ok(()) }
            }
            ClientFault::NeedsObjectOutput => match item.get("outputSchema") {
                Some(schema) if schema["type"] != "object" => Err("an output schema is not of type object".to_owned()),
                _ => Ok(()),
            },
            ClientFault::TakesAnythingForElsewhere => {
                if about("elsewhere").is_some() {
                    self.problem = None;
                }
                Ok(())
            }
            ClientFault::RefusesReferences => {
                if schemas().any(|schema| survey(schema, &mut 0)) {
                    self.problem = Some("its schema has references".to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn dialect(schema: &Value) -> Dialect {
    if let Declared::Known(dialect) = Dialect::declared(schema) { dialect } else { Dialect::Draft2020_12 }
}

/// Why a schema cannot be used; `None` if nothing speaks against it.
fn unusable(schema: &Value, needs_dialect: bool) -> Option<String> {
    if let Declared::Unknown(name) = Dialect::declared(schema)
        && needs_dialect
    {
        return Some(cut(&format!("its schema is in the unsupported dialect {name}")));
    }
    let mut size = 0;
    let refers = survey(schema, &mut size);
    if size > LONGEST {
        return Some("its schema is too large".to_owned());
    }
    let found = if refers { problems(schema, dialect(schema)) } else { Vec::new() };
    found.first().map(|problem| {
        cut(&match problem {
            Problem::Missing(reference) => format!("its schema has no {reference}"),
            Problem::Endless(reference) => format!("its schema goes in circles at {reference}"),
            Problem::Elsewhere(reference) => format!("its schema lies elsewhere, at {reference}"),
        })
    })
}

/// About what it takes to keep a value, in bytes.
pub(super) fn size(value: &Value) -> usize {
    let mut size = 0;
    survey(value, &mut size);
    size
}

/// Adds up the size of a value, and says whether there is any reference in it.
fn survey(value: &Value, size: &mut usize) -> bool {
    *size += 8;
    match value {
        Value::Object(members) => {
            let mut refers = false;
            for (name, member) in members {
                *size += name.len();
                refers |= matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") && member.is_string();
                refers |= survey(member, size);
            }
            refers
        }
        Value::Array(items) => items.iter().filter(|item| survey(item, size)).count() > 0,
        Value::String(text) => {
            *size += text.len();
            false
        }
        _ => false,
    }
}
