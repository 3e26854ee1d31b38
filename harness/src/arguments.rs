//! Arguments for a tool, made from its input schema: valid ones, and valid ones with exactly one defect.
//!
//! The schema comes from a subject and may be hostile, so depth, size and work are bounded, and what the generator does
//! not understand it leaves alone (`not`, `if`, `patternProperties`, `propertyNames`, references to other documents).
//! The same schema always gives the same arguments.
//!
//! - `parts`: which keywords hold together for one value, through references and branches
//! - `scalar`: numbers and strings within their limits

mod parts;
mod scalar;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use parts::{Gatherer, Parts};

/// How deep generated values nest at most.
const DEPTH: usize = 24;

/// The most items that an array is given, and the most members beyond the required ones that an object is given.
const MOST_ITEMS: u64 = 64;

/// A name that no schema is likely to know.
const UNKNOWN: &str = "turncoatUnknownMember";

/// The one defect of spoilt arguments.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spoil {
    /// A required member is left out.
    MissingRequired,
    /// A member has a type that nothing can be coerced from: an object in place of a scalar or array, a number in place
    /// of an object.
    WrongType,
    /// A member is there that a schema without additional properties does not know.
    UnknownMember,
}

/// Arguments that satisfy the schema of a tool, as far as this generator understands it.
///
/// Optional members are left out. `None` if the schema asks for something that the generator cannot make.
#[must_use]
pub fn valid(schema: &Value) -> Option<Map<String, Value>> {
    Generator::new(schema).arguments(schema)
}

/// The same with exactly one defect; `None` where the schema offers no place for it.
#[must_use]
pub fn spoilt(schema: &Value, spoil: Spoil) -> Option<Map<String, Value>> {
    let mut generator = Generator::new(schema);
    let mut arguments = generator.arguments(schema)?;
    let parts = generator.gatherer.gather(&[schema])?;
    match spoil {
        Spoil::MissingRequired => {
            // What has a default may be filled in by a lenient subject.
            let defaulted = |name: &str| parts.properties(name).any(|schema| schema.get("default").is_some());
            let name = parts
                .certain("required")
                .flat_map(names)
                .find(|name| arguments.contains_key(*name) && !defaulted(name))?;
            arguments.remove(name);
        }
        Spoil::WrongType => {
            let (name, value) = generator.wrong(&parts, &arguments)?;
            arguments.insert(name.to_owned(), value);
        }
        Spoil::UnknownMember => {
            let closed = parts.certain("additionalProperties").chain(parts.certain("unevaluatedProperties"));
            let open_names = parts.all("patternProperties").next().is_some();
            if open_names || parts.properties(UNKNOWN).next().is_some() || !closed.into_iter().any(|one| *one == false)
            {
                return None;
            }
            arguments.insert(UNKNOWN.to_owned(), json!(1));
        }
    }
    Some(arguments)
}

struct Generator<'s> {
    gatherer: Gatherer<'s>,
}

impl<'s> Generator<'s> {
    fn new(root: &'s Value) -> Self {
        Self { gatherer: Gatherer::new(root) }
    }

    fn arguments(&mut self, schema: &'s Value) -> Option<Map<String, Value>> {
        let parts = self.gatherer.gather(&[schema])?;
        if parts.kinds().contains(&"object") { self.object(&parts, DEPTH) } else { None }
    }

    /// A value that satisfies all of these schemas.
    fn value(&mut self, schemas: &[&'s Value], depth: usize) -> Option<Value> {
        if depth == 0 {
            return None;
        }
        let open = self.gatherer.open.len();
        let made = self.gatherer.gather(schemas).and_then(|parts| self.satisfying(&parts, depth));
        self.gatherer.open.truncate(open);
        made
    }

    fn satisfying(&mut self, parts: &Parts<'s>, depth: usize) -> Option<Value> {
        let kinds = parts.kinds();
        let fixed = parts.all("const").chain(parts.all("enum").flat_map(items)).next().is_some();
        if fixed {
            let found = parts.fixed().find(|value| kinds.iter().any(|kind| is_of(value, kind)))?;
            return self.gatherer.afford(found).then(|| found.clone());
        }
        let suggested = parts.all("default").chain(parts.all("examples").flat_map(items));
        for value in suggested {
            let (number, text) = (value.is_number(), value.as_str());
            let scalar = number || text.is_some() || value.is_boolean();
            if scalar
                && kinds.iter().any(|kind| is_of(value, kind))
                && (!number || scalar::Range::of(parts).admits(value))
                && text.is_none_or(|text| scalar::Length::of(parts).admits(text))
            {
                return Some(value.clone());
            }
        }
        kinds.into_iter().find_map(|kind| match kind {
            "object" => self.object(parts, depth).map(Value::Object),
            "array" => self.array(parts, depth).map(Value::Array),
            "string" => scalar::text(parts).map(Value::String),
            "integer" => scalar::Range::of(parts).integer(),
            "number" => scalar::Range::of(parts).number(),
            "boolean" => Some(Value::Bool(true)),
            "null" => Some(Value::Null),
            _ => None,
        })
    }

    fn object(&mut self, parts: &Parts<'s>, depth: usize) -> Option<Map<String, Value>> {
        let mut wanted: Vec<&str> = Vec::new();
        let want = |wanted: &mut Vec<&'s str>, name: &'s str| {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        };
        parts.all("required").flat_map(names).take(256).for_each(|name| want(&mut wanted, name));
        let fewest = parts.all("minProperties").filter_map(Value::as_u64).max().unwrap_or(0).min(MOST_ITEMS);
        let known = parts.all("properties").filter_map(Value::as_object).flat_map(Map::keys);
        for name in known {
            if wanted.len() as u64 >= fewest {
                break;
            }
            want(&mut wanted, name);
        }
        let mut next = 0;
        while let Some(name) = wanted.get(next).copied() {
            next += 1;
            for dependents in parts.all("dependentRequired").filter_map(|map| map.get(name)).flat_map(names) {
                want(&mut wanted, dependents);
            }
            if wanted.len() > 512 {
                return None;
            }
        }
        let mut object = Map::new();
        for name in wanted {
            let value = self.member(parts, name, depth)?;
            object.insert(name.to_owned(), value);
        }
        for extra in 0..fewest.saturating_sub(object.len() as u64) {
            let name = format!("extra{extra}");
            let value = self.member(parts, &name, depth)?;
            object.insert(name, value);
        }
        Some(object)
    }

    fn member(&mut self, parts: &Parts<'s>, name: &str, depth: usize) -> Option<Value> {
        let schemas: Vec<&Value> = parts.of_member(name).collect();
        if schemas.is_empty() {
            return self.gatherer.spend().map(|()| json!("a"));
        }
        self.value(&schemas, depth - 1)
    }

    fn array(&mut self, parts: &Parts<'s>, depth: usize) -> Option<Vec<Value>> {
        let contained = parts.all("contains").next();
        let fewest = parts.all("minItems").filter_map(Value::as_u64).max().unwrap_or(0);
        let most = parts.all("maxItems").filter_map(Value::as_u64).min().unwrap_or(u64::MAX);
        let least_contained = parts.all("minContains").filter_map(Value::as_u64).max().unwrap_or(1);
        let fewest = fewest.max(if contained.is_some() { least_contained } else { 0 });
        if fewest > most.min(MOST_ITEMS) {
            return None;
        }
        let mut array = Vec::new();
        for position in 0..fewest as usize {
            let mut schemas: Vec<&Value> = parts.of_item(position).collect();
            schemas.extend(contained.filter(|_| (position as u64) < least_contained));
            array.push(match &schemas[..] {
                [] => self.gatherer.spend().map(|()| json!("a"))?,
                schemas => self.value(schemas, depth - 1)?,
            });
        }
        let unique = parts.all("uniqueItems").any(|unique| *unique == true);
        if unique && (1..array.len()).any(|index| array[..index].contains(&array[index])) {
            return None;
        }
        Some(array)
    }

    /// A member of the root with a value that its schema cannot take; those already there come first.
    fn wrong(&mut self, parts: &Parts<'s>, arguments: &Map<String, Value>) -> Option<(&'s str, Value)> {
        let mut properties: Vec<(&'s str, &'s Value)> = parts
            .certain("properties")
            .filter_map(Value::as_object)
            .flat_map(|members| members.iter().map(|(name, schema)| (name.as_str(), schema)))
            .take(256)
            .collect();
        properties.sort_by_key(|(name, _)| !arguments.contains_key(*name));
        let refuses =
            |this: &mut Self, schema, kinds: &[&str]| kinds.iter().all(|kind| this.gatherer.refuses(schema, kind, 8));
        for (name, schema) in properties {
            if refuses(self, schema, &["object"]) {
                return Some((name, json!({ "turncoat": { "wrong": true } })));
            }
            if refuses(self, schema, &["number", "string", "boolean"]) {
                return Some((name, json!(0.5)));
            }
        }
        None
    }
}

/// The strings of an array.
fn names(list: &Value) -> impl Iterator<Item = &str> {
    items(list).filter_map(Value::as_str)
}

/// The items of an array.
fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Whether a value is of a type of JSON Schema.
fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
