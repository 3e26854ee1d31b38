//! Which keywords hold together for one value: through local references, `allOf`, and the first branch of a choice.

use serde_json::{Map, Value};

use super::{is_of, items};
use crate::schema::unescape;

/// The most schemas that are looked at for one tool.
const MOST_WORK: usize = 20_000;

/// The most schemas that may hold together for one value.
const MOST_PARTS: usize = 64;

/// The types of JSON Schema, in the order in which they are tried.
const KINDS: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];

/// One schema among those that hold together for a value.
#[derive(Clone, Copy, Debug)]
struct Part<'s> {
    keywords: &'s Map<String, Value>,
    /// Whether it holds for every valid value, or only because its branch of a choice was taken.
    certain: bool,
}

/// The schemas that hold together for one value.
#[derive(Debug, Default)]
pub(super) struct Parts<'s> {
    list: Vec<Part<'s>>,
}

impl<'s> Parts<'s> {
    /// The values of a keyword.
    pub(super) fn all(&self, keyword: &str) -> impl Iterator<Item = &'s Value> {
        self.list.iter().filter_map(move |part| part.keywords.get(keyword))
    }

    /// The values of a keyword in schemas that hold whichever branch is taken.
    pub(super) fn certain(&self, keyword: &str) -> impl Iterator<Item = &'s Value> {
        self.list.iter().filter(|part| part.certain).filter_map(move |part| part.keywords.get(keyword))
    }

    /// The schemas of a property that is named.
    pub(super) fn properties(&self, name: &str) -> impl Iterator<Item = &'s Value> {
        self.all("properties").filter_map(move |properties| properties.get(name))
    }

    /// The schemas that a member must satisfy.
    pub(super) fn of_member(&self, name: &str) -> impl Iterator<Item = &'s Value> {
        self.list.iter().filter_map(move |part| {
            let own = part.keywords.get("properties").and_then(|properties| properties.get(name));
            own.or_else(|| part.keywords.get("additionalProperties"))
        })
    }

    /// The schemas that the item at this position of an array must satisfy.
    pub(super) fn of_item(&self, position: usize) -> impl Iterator<Item = &'s Value> {
        self.list.iter().filter_map(move |part| {
            let rest = part.keywords.get("items");
            let (first, rest) = match (part.keywords.get("prefixItems"), rest) {
                (None, Some(Value::Array(_))) => (rest, part.keywords.get("additionalItems")),
                (first, rest) => (first, rest),
            };
            first.and_then(|first| first.get(position)).or(rest)
        })
    }

    /// The types that a value may have, those first that say most.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        let mut kinds = KINDS.to_vec();
        let mut typed = false;
        for stated in self.all("type") {
            typed = true;
            let stated = |kind: &str| match stated {
                Value::String(one) => one == kind || (one == "number" && kind == "integer"),
                list => items(list).any(|one| one == kind || (one == "number" && kind == "integer")),
            };
            kinds.retain(|kind| stated(kind));
        }
        if !typed {
            kinds.sort_by_key(|kind| !self.hints_at(kind));
            if !self.hints_at(kinds[0]) {
                kinds = vec!["string"];
                if self.fixed().next().is_some() {
                    kinds = KINDS.to_vec();
                }
            }
        }
        kinds
    }

    /// Whether a keyword is there that concerns values of this type only.
    fn hints_at(&self, kind: &str) -> bool {
        let keywords: &[&str] = match kind {
            "object" => &["properties", "required", "additionalProperties", "minProperties", "patternProperties"],
            "array" => &["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"],
            "string" => &["minLength", "maxLength", "pattern", "format"],
            "number" => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            _ => &[],
        };
        keywords.iter().any(|keyword| self.all(keyword).next().is_some())
    }

    /// The values that `const` and `enum` leave.
    pub(super) fn fixed(&self) -> impl Iterator<Item = &'s Value> {
        let candidates = self.all("const").chain(self.all("enum").flat_map(items));
        // Comparing all with all would be quadratic in what the subject sent.
        candidates.take(256).filter(|value| {
            self.all("const").all(|only| only == *value)
                && self.all("enum").all(|list| items(list).any(|item| item == *value))
        })
    }
}

/// Walks the schemas of one tool.
#[derive(Debug)]
pub(super) struct Gatherer<'s> {
    root: &'s Value,
    work: usize,
    /// The references that were followed to reach the value at hand: a choice avoids them, so that recursion ends.
    pub(super) open: Vec<&'s str>,
}

impl<'s> Gatherer<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root, work: MOST_WORK, open: Vec::new() }
    }

    /// Everything that holds together if all of these schemas do; `None` if nothing can satisfy them, or if they are
    /// more than the generator looks into.
    pub(super) fn gather(&mut self, schemas: &[&'s Value]) -> Option<Parts<'s>> {
        let mut parts = Parts::default();
        // Last in, first out; what was put in first is taken first.
        let mut waiting: Vec<(&'s Value, bool)> = schemas.iter().rev().map(|schema| (*schema, true)).collect();
        while let Some((schema, certain)) = waiting.pop() {
            self.spend()?;
            let keywords = match schema {
                Value::Bool(true) => continue,
                Value::Object(keywords) => keywords,
                _ => return None,
            };
            if let Some(known) = parts.list.iter_mut().find(|part| std::ptr::eq(part.keywords, keywords)) {
                known.certain |= certain;
                continue;
            }
            if parts.list.len() == MOST_PARTS {
                return None;
            }
            parts.list.push(Part { keywords, certain });
            for choice in ["oneOf", "anyOf"] {
                if let Some(branches) = keywords.get(choice) {
                    let branch = self.branch(branches)?;
                    waiting.push((branch, certain && items(branches).nth(1).is_none()));
                }
            }
            waiting
                .extend(keywords.get("allOf").into_iter().flat_map(items).take(MOST_PARTS).map(|all| (all, certain)));
            if let Some(reference) = keywords.get("$ref") {
                let reference = reference.as_str()?;
                waiting.push((self.resolve(reference)?, certain));
                self.open.push(reference);
            }
        }
        Some(parts)
    }

    /// The first branch that does not lead back to where we came from.
    fn branch(&self, branches: &'s Value) -> Option<&'s Value> {
        let leads_back = |branch: &Value| {
            let reference = branch.get("$ref").and_then(Value::as_str);
            reference.is_some_and(|reference| self.open.contains(&reference))
        };
        let possible = || items(branches).filter(|branch| **branch != false);
        possible().find(|branch| !leads_back(branch)).or_else(|| possible().next())
    }

    /// The target of a reference inside the document.
    pub(super) fn resolve(&mut self, reference: &str) -> Option<&'s Value> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() {
            return Some(self.root);
        }
        if fragment.starts_with('/') {
            return self.root.pointer(&unescape(fragment));
        }
        let mut waiting = vec![self.root];
        while let Some(value) = waiting.pop() {
            self.spend()?;
            if value.get("$anchor").and_then(Value::as_str) == Some(fragment) {
                return Some(value);
            }
            match value {
                Value::Object(members) => waiting.extend(members.values().filter(|value| !is_scalar(value))),
                Value::Array(items) => waiting.extend(items.iter().filter(|value| !is_scalar(value))),
                _ => {}
            }
        }
        None
    }

    /// Whether a schema certainly refuses every value of this type.
    pub(super) fn refuses(&mut self, schema: &'s Value, kind: &str, depth: usize) -> bool {
        if depth == 0 || self.spend().is_none() {
            return false;
        }
        let keywords = match schema {
            Value::Bool(admits) => return !admits,
            Value::Object(keywords) => keywords,
            _ => return false,
        };
        let other_type = keywords.get("type").is_some_and(|stated| match stated {
            Value::String(one) => one != kind,
            list => list.is_array() && items(list).all(|one| one != kind),
        });
        let other_value = keywords.get("const").is_some_and(|only| !is_of(only, kind))
            || keywords.get("enum").is_some_and(|list| list.is_array() && items(list).all(|item| !is_of(item, kind)));
        let target = keywords.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference));
        other_type
            || other_value
            || target.is_some_and(|target| self.refuses(target, kind, depth - 1))
            || keywords.get("allOf").is_some_and(|all| items(all).any(|one| self.refuses(one, kind, depth - 1)))
            || ["anyOf", "oneOf"].into_iter().any(|choice| {
                let branches = keywords.get(choice);
                branches
                    .is_some_and(|list| list.is_array() && items(list).all(|one| self.refuses(one, kind, depth - 1)))
            })
    }

    /// Takes note of one step; `None` once there were too many.
    pub(super) fn spend(&mut self) -> Option<()> {
        self.work = self.work.checked_sub(1)?;
        Some(())
    }

    /// Whether a ready-made value is small enough to be copied.
    pub(super) fn afford(&mut self, value: &Value) -> bool {
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop() {
            let long = value.as_str().is_some_and(|text| text.len() > MOST_WORK);
            if long || self.spend().is_none() {
                return false;
            }
            match value {
                Value::Object(members) => waiting.extend(members.values()),
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
        true
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}
