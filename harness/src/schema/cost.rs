//! What a validation would cost, found without doing it.
//!
//! A validator visits a subschema once for every way that leads to it, and ways multiply: thirty definitions that each
//! refer twice to the next are a thousand million visits. Counted per pair of subschema and value, each pair once, the
//! number is found in the time that the pairs take.

use std::collections::HashMap;
use std::ptr::from_ref;

use serde_json::Value as Json;

use super::Dialect;
use super::graph::{About, Graph, Target};

/// The most visits of a subschema that a validation may make.
const MOST_VISITS: u64 = 1_000_000;

/// The most pairs of a subschema and a value that are counted.
const MOST_PAIRS: usize = 200_000;

/// The deepest that subschemas and values may nest together.
const DEEPEST: usize = 600;

/// Why a validation is not tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Excess {
    /// It would take too long.
    Work,
    /// It would never end.
    Loop,
}

/// Whether a validation ends within the budget.
pub(super) fn of(schema: &Json, dialect: Dialect, instance: &Json) -> Result<(), Excess> {
    let graph = Graph::new(schema, dialect).ok_or(Excess::Work)?;
    let visits = Counter { graph, known: HashMap::new() }.visits(schema, instance, 0)?;
    if visits > MOST_VISITS { Err(Excess::Work) } else { Ok(()) }
}

struct Counter<'s> {
    graph: Graph<'s>,
    /// The visits per pair; none while the pair is being counted.
    known: HashMap<(*const Json, *const Json), Option<u64>>,
}

impl<'s> Counter<'s> {
    fn visits(&mut self, schema: &'s Json, value: &Json, depth: usize) -> Result<u64, Excess> {
        let pair = (from_ref(schema), from_ref(value));
        match self.known.get(&pair) {
            Some(Some(visits)) => return Ok(*visits),
            Some(None) => return Err(Excess::Loop),
            None => {}
        }
        if self.known.len() >= MOST_PAIRS || depth >= DEEPEST {
            return Err(Excess::Work);
        }
        self.known.insert(pair, None);
        let mut next: Vec<(&'s Json, About)> = Vec::new();
        self.graph.subschemas(schema, |subschema, about| next.push((subschema, about)));
        for reference in self.graph.references(schema) {
            if let Target::Here(target) = self.graph.resolve(reference) {
                next.push((target, About::Same));
            }
        }
        let mut visits = 1_u64;
        for (subschema, about) in next {
            let more = match about {
                About::Same => self.visits(subschema, value, depth + 1)?,
                About::Part => self.visits_of_parts(schema, subschema, value, depth + 1)?,
            };
            visits = visits.saturating_add(more);
        }
        // What is unevaluated is found by evaluating everything beside it once more.
        if schema.get("unevaluatedProperties").is_some() || schema.get("unevaluatedItems").is_some() {
            visits = visits.saturating_mul(2);
        }
        self.known.insert(pair, Some(visits));
        Ok(visits)
    }

    fn visits_of_parts(
        &mut self,
        parent: &'s Json,
        schema: &'s Json,
        value: &Json,
        depth: usize,
    ) -> Result<u64, Excess> {
        let own = parent.get("properties").and_then(Json::as_object);
        let owner = own.and_then(|own| own.iter().find(|(_, own)| std::ptr::eq(*own, schema)));
        let mut visits = 0_u64;
        match (value, owner) {
            (Json::Object(members), Some((name, _))) => {
                if let Some(member) = members.get(name) {
                    visits = self.visits(schema, member, depth)?;
                }
            }
            (Json::Object(members), None) => {
                for (name, member) in members {
                    if own.is_none_or(|own| !own.contains_key(name)) || parent.get("patternProperties").is_some() {
                        visits = visits.saturating_add(self.visits(schema, member, depth)?);
                    }
                }
            }
            (Json::Array(items), None) => {
                for item in items {
                    visits = visits.saturating_add(self.visits(schema, item, depth)?);
                }
            }
            _ => {}
        }
        Ok(visits)
    }
}
