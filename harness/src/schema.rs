//! JSON Schemas that a subject sent, and instances held against them, within budgets.
//!
//! A subject chooses schema and instance, so both may be hostile. Nothing is ever fetched; size and nesting are bounded;
//! and before the validator runs, its work is counted, because references can multiply without end in a few lines.
//! `format` asserts nothing here, as in the default vocabulary of 2020-12: a rule that wants it looks itself.
//!
//! - `graph`: subschemas and the references between them
//! - `cost`: what a validation would cost
//! - `reading`: what is known of a schema, found once
//! - `shelf`: the schemas of one revision

mod cost;
mod graph;
mod reading;
mod shelf;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, PatternOptions, ValidationError, Validator};
use serde_json::Value as Json;

pub(crate) use graph::unescape;
pub use graph::{Problem, problems};
pub use reading::Reading;
pub use shelf::{Judgement, Shelf};

/// The longest text of a schema that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// The most violations that are told of one instance.
const MOST_VIOLATIONS: usize = 16;

/// What comparing something with a schema led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It satisfies the schema.
    Valid,
    /// It does not; the first violations, at least one.
    Invalid(Vec<Violation>),
    /// Schema or instance ask for more work than is put into one comparison.
    OverBudget,
    /// The schema cannot be used, and why: no JSON, an unresolvable or endless reference, an invalid keyword.
    Unusable(String),
}

/// One way in which an instance breaks a schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The JSON Pointer of the value at fault; empty for the whole.
    pub at: String,
    /// The keyword that it breaks.
    pub keyword: String,
    /// What is wrong, in the validator's words, shortened.
    pub why: String,
    /// Whether no leniency explains accepting it: a required member without a default is missing, or a value has a type
    /// that does not convert into the right one.
    pub blatant: bool,
    /// The way to the keyword through the schema, references included, as a JSON Pointer.
    pub way: String,
}

impl Violation {
    /// Whether the way to the keyword leads through one of these.
    #[must_use]
    pub fn passes(&self, keywords: &[&str]) -> bool {
        self.way.split('/').any(|part| keywords.contains(&part))
    }
}

/// A dialect of JSON Schema.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dialect {
    /// draft-04
    Draft04,
    /// draft-06
    Draft06,
    /// draft-07
    Draft07,
    /// 2019-09
    Draft2019_09,
    /// 2020-12, the one that every implementation supports since 2025-11-25.
    Draft2020_12,
}

/// What a schema says of its dialect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Declared {
    /// Nothing.
    Nothing,
    /// One that is known here.
    Known(Dialect),
    /// Another one, or something that is no string; its JSON text.
    Unknown(String),
}

impl Dialect {
    /// What the member `$schema` of a schema says.
    #[must_use]
    pub fn declared(schema: &Json) -> Declared {
        let Some(declared) = schema.get("$schema") else { return Declared::Nothing };
        let name = declared.as_str().and_then(|uri| {
            let uri = uri.strip_suffix('#').unwrap_or(uri);
            uri.strip_prefix("https://json-schema.org/").or_else(|| uri.strip_prefix("http://json-schema.org/"))
        });
        match name {
            Some("draft-04/schema") => Declared::Known(Self::Draft04),
            Some("draft-06/schema") => Declared::Known(Self::Draft06),
            Some("draft-07/schema") => Declared::Known(Self::Draft07),
            Some("draft/2019-09/schema") => Declared::Known(Self::Draft2019_09),
            Some("draft/2020-12/schema") => Declared::Known(Self::Draft2020_12),
            _ => Declared::Unknown(declared.to_string()),
        }
    }

    /// Whether `$ref` makes its neighbours meaningless.
    fn reference_stands_alone(self) -> bool {
        matches!(self, Self::Draft04 | Self::Draft06 | Self::Draft07)
    }

    fn draft(self) -> Draft {
        match self {
            Self::Draft04 => Draft::Draft4,
            Self::Draft06 => Draft::Draft6,
            Self::Draft07 => Draft::Draft7,
            Self::Draft2019_09 => Draft::Draft201909,
            Self::Draft2020_12 => Draft::Draft202012,
        }
    }
}

/// A schema that was read and can be used.
#[derive(Debug)]
pub struct Schema {
    tree: Json,
    dialect: Dialect,
    validator: Validator,
}

impl Schema {
    /// Reads a schema as one of this dialect, whatever its own `$schema` says.
    ///
    /// # Errors
    ///
    /// [`Outcome::OverBudget`] or [`Outcome::Unusable`].
    pub fn read(text: &str, dialect: Dialect) -> Result<Self, Outcome> {
        let mut tree = parse(text)?;
        if !graph::is_modest(&tree, dialect) {
            return Err(Outcome::OverBudget);
        }
        if let Some(members) = tree.as_object_mut() {
            members.remove("$schema");
        }
        let patterns =
            PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1 << 20).dfa_size_limit(1 << 20);
        let options = jsonschema::options()
            .with_draft(dialect.draft())
            .should_validate_formats(false)
            .should_ignore_unknown_formats(true)
            .with_pattern_options(patterns);
        let built = guarded(|| options.build(&tree).map_err(|error| Outcome::Unusable(shorten(&error.to_string()))));
        built.and_then(|built| built).map(|validator| Self { tree, dialect, validator })
    }

    /// Holds an instance against the schema.
    #[must_use]
    pub fn check(&self, instance: &Json) -> Outcome {
        match cost::of(&self.tree, self.dialect, instance) {
            Ok(()) => {}
            Err(cost::Excess::Work) => return Outcome::OverBudget,
            Err(cost::Excess::Loop) => return Outcome::Unusable("a reference leads back to itself".to_owned()),
        }
        let found = guarded(|| {
            let errors = self.validator.iter_errors(instance);
            let exhausted = |error: &ValidationError<'_>| {
                use ValidationErrorKind::{BacktrackLimitExceeded, RegexEngineFailure};
                matches!(error.kind(), BacktrackLimitExceeded { .. } | RegexEngineFailure { .. })
            };
            let (hopeless, errors): (Vec<_>, Vec<_>) = errors.take(MOST_VIOLATIONS).partition(exhausted);
            (!hopeless.is_empty(), errors.iter().map(|error| self.violation(error)).collect::<Vec<_>>())
        });
        match found {
            Ok((_, violations)) if !violations.is_empty() => Outcome::Invalid(violations),
            Ok((true, _)) => Outcome::OverBudget,
            Ok((false, _)) => Outcome::Valid,
            Err(outcome) => outcome,
        }
    }

    fn violation(&self, error: &ValidationError<'_>) -> Violation {
        Violation {
            at: error.instance_path().to_string(),
            keyword: error.kind().keyword().to_owned(),
            why: shorten(&error.to_string()),
            blatant: self.is_blatant(error),
            way: error.evaluation_path().to_string(),
        }
    }

    fn is_blatant(&self, error: &ValidationError<'_>) -> bool {
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let parent = error.schema_path().to_string();
                let parent = parent.rsplit_once('/').map(|(parent, _)| self.tree.pointer(parent));
                let own = parent.flatten().and_then(|schema| schema.get("properties")?.get(property.as_str()?));
                own.is_none_or(|own| own.get("default").is_none())
            }
            ValidationErrorKind::Type { kind } => {
                let object = match kind {
                    TypeKind::Single(one) => *one == JsonType::Object,
                    TypeKind::Multiple(set) => set.contains(JsonType::Object),
                };
                // A lone scalar may be taken for a list of one, and texts, numbers and booleans for one another.
                let instance: &Json = error.instance();
                instance.is_object() || (object && !instance.is_null() && !instance.is_string())
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                let hopeless = |branch: &Vec<ValidationError<'_>>| branch.iter().any(|error| self.is_blatant(error));
                !context.is_empty() && context.iter().all(hopeless)
            }
            _ => false,
        }
    }
}

/// Holds a schema against the metaschema of a dialect. Formats and references are not looked at; see [`problems`].
#[must_use]
pub fn metaschema(text: &str, dialect: Dialect) -> Outcome {
    let tree = match parse(text) {
        Ok(tree) => tree,
        Err(outcome) => return outcome,
    };
    let validator = match dialect {
        Dialect::Draft04 => jsonschema::draft4::meta::validator(),
        Dialect::Draft06 => jsonschema::draft6::meta::validator(),
        Dialect::Draft07 => jsonschema::draft7::meta::validator(),
        Dialect::Draft2019_09 => jsonschema::draft201909::meta::validator(),
        Dialect::Draft2020_12 => jsonschema::draft202012::meta::validator(),
    };
    let violations = guarded(|| {
        let errors = validator.iter_errors(&tree).filter(|error| error.kind().keyword() != "format");
        let told = errors.take(MOST_VIOLATIONS).map(|error| Violation {
            at: error.instance_path().to_string(),
            keyword: error.kind().keyword().to_owned(),
            why: shorten(&error.to_string()),
            blatant: true,
            way: error.evaluation_path().to_string(),
        });
        told.collect::<Vec<_>>()
    });
    match violations {
        Ok(violations) if violations.is_empty() => Outcome::Valid,
        Ok(violations) => Outcome::Invalid(violations),
        Err(outcome) => outcome,
    }
}

fn parse(text: &str) -> Result<Json, Outcome> {
    if text.len() > LONGEST {
        return Err(Outcome::OverBudget);
    }
    // Nesting of more than 128 is refused by the parser; the text itself was read before, so this is the only reason.
    serde_json::from_str(text).map_err(|_| Outcome::OverBudget)
}

/// Runs the validator; its panics are its defects, not the subject's and not ours.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Outcome> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Outcome::Unusable("the validator failed on it".to_owned()))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
