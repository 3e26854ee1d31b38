//! The schemas of one revision, and which dialects they may be in.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::{Declared, Dialect, Outcome, Reading, parse};
use crate::revision::Revision;
use crate::wire::Value;

/// The most comparisons with one schema that a judgement makes; a flood of equal calls teaches nothing new.
const MOST_CHECKS: u32 = 500;

/// The schemas of one revision.
#[derive(Debug)]
pub struct Shelf<'t> {
    revision: Revision,
    known: HashMap<(&'t str, Dialect), Rc<Reading>>,
    declared: HashMap<&'t str, Declared>,
    checks: HashMap<&'t str, u32>,
}

/// How an instance compares with a schema, in every dialect that the schema may be in.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The outcome: in a revision that fixes no default dialect, valid if it is valid in one of the usual ones.
    pub outcome: Outcome,
    /// The dialect that the outcome is about.
    pub dialect: Option<Dialect>,
}

impl<'t> Shelf<'t> {
    /// An empty shelf.
    #[must_use]
    pub fn new(revision: Revision) -> Self {
        Self { revision, known: HashMap::new(), declared: HashMap::new(), checks: HashMap::new() }
    }

    /// What a schema says of its dialect.
    pub fn declared(&mut self, schema: Value<'t>) -> &Declared {
        self.declared.entry(schema.raw()).or_insert_with(|| match parse(schema.raw()) {
            Ok(tree) => Dialect::declared(&tree),
            Err(_) => Declared::Nothing,
        })
    }

    /// The dialects that a schema may be read in: its own, or the default of the revision. Before 2025-11-25 there was no
    /// default, and what one of the two usual dialects allows is allowed.
    pub fn dialects(&mut self, schema: Value<'t>) -> &'static [Dialect] {
        let default: &[Dialect] = if self.revision >= Revision::V2025_11_25 {
            &[Dialect::Draft2020_12]
        } else {
            &[Dialect::Draft2020_12, Dialect::Draft07]
        };
        match self.declared(schema) {
            Declared::Nothing => default,
            Declared::Known(Dialect::Draft04) => &[Dialect::Draft04],
            Declared::Known(Dialect::Draft06) => &[Dialect::Draft06],
            Declared::Known(Dialect::Draft07) => &[Dialect::Draft07],
            Declared::Known(Dialect::Draft2019_09) => &[Dialect::Draft2019_09],
            Declared::Known(Dialect::Draft2020_12) => &[Dialect::Draft2020_12],
            Declared::Unknown(_) => &[],
        }
    }

    /// Holds an instance against a schema in the dialect that it is in.
    pub fn check(&mut self, schema: Value<'t>, instance: &Json) -> Judgement {
        let checks = self.checks.entry(schema.raw()).or_default();
        *checks += 1;
        if *checks > MOST_CHECKS {
            return Judgement { outcome: Outcome::OverBudget, dialect: None };
        }
        let mut worst: Option<Judgement> = None;
        for dialect in self.dialects(schema) {
            let outcome = self.check_as(schema, *dialect, instance);
            let judgement = Judgement { outcome, dialect: Some(*dialect) };
            match judgement.outcome {
                Outcome::Valid => return judgement,
                // Nobody knows whether that dialect would have allowed it.
                Outcome::OverBudget => worst = Some(judgement),
                Outcome::Unusable(_) | Outcome::Invalid(_) => {
                    let replaces = |known: &Judgement| matches!(known.outcome, Outcome::Unusable(_));
                    if worst.as_ref().is_none_or(replaces) {
                        worst = Some(judgement);
                    }
                }
            }
        }
        worst.unwrap_or_else(|| Judgement { outcome: Outcome::Unusable("unknown dialect".to_owned()), dialect: None })
    }

    /// Holds an instance against a schema read in a dialect that need not be its own.
    pub fn check_as(&mut self, schema: Value<'t>, dialect: Dialect, instance: &Json) -> Outcome {
        let reading = self.known.entry((schema.raw(), dialect)).or_insert_with(|| Reading::of(schema.raw(), dialect));
        match reading.schema() {
            Ok(schema) => schema.check(instance),
            Err(outcome) => outcome.clone(),
        }
    }
}
