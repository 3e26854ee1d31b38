//! Subschemas and the references between them.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::Dialect;

/// The most values in one schema.
const MOST_VALUES: usize = 50_000;

/// The longest way through a schema without going in circles.
const LONGEST_WAY: usize = 400;

/// What is wrong with a reference of a schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// Its target should be in this document and is not.
    Missing(String),
    /// Following it leads back to itself with no step into the instance.
    Endless(String),
    /// Its target is in another document.
    Elsewhere(String),
}

/// Whether a subschema is about the same value or about a part of it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About {
    Same,
    Part,
}

/// Where a reference leads.
pub(super) enum Target<'s> {
    Here(&'s Json),
    Missing,
    Elsewhere,
}

/// A schema document by its names.
pub(super) struct Graph<'s> {
    root: &'s Json,
    dialect: Dialect,
    id: Option<&'s str>,
    anchors: HashMap<&'s str, &'s Json>,
    /// Whether a part of the document is a resource of its own, in which fragments mean something else.
    has_resources: bool,
}

impl<'s> Graph<'s> {
    /// `None` if the document is too large.
    pub(super) fn new(root: &'s Json, dialect: Dialect) -> Option<Self> {
        let id_key = if dialect == Dialect::Draft04 { "id" } else { "$id" };
        let id = root.get(id_key).and_then(Json::as_str).map(|id| id.strip_suffix('#').unwrap_or(id));
        let mut graph = Self { root, dialect, id, anchors: HashMap::new(), has_resources: false };
        let (mut waiting, mut seen) = (vec![root], 0);
        while let Some(value) = waiting.pop() {
            seen += 1;
            if seen > MOST_VALUES {
                return None;
            }
            for key in ["$anchor", "$dynamicAnchor"] {
                if let Some(anchor) = value.get(key).and_then(Json::as_str) {
                    graph.anchors.insert(anchor, value);
                }
            }
            match value.get(id_key).and_then(Json::as_str) {
                Some(id) if id.len() > 1 && id.starts_with('#') => {
                    graph.anchors.insert(&id[1..], value);
                }
                Some(_) if !std::ptr::eq(value, root) => graph.has_resources = true,
                _ => {}
            }
            match value {
                Json::Object(members) => waiting.extend(members.values()),
                Json::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
        Some(graph)
    }

    pub(super) fn resolve(&self, reference: &str) -> Target<'s> {
        let local =
            self.id.and_then(|id| reference.strip_prefix(id)).filter(|rest| rest.is_empty() || rest.starts_with('#'));
        let reference = local.unwrap_or(reference);
        let fragment = match reference.strip_prefix('#') {
            Some(fragment) => fragment,
            None if local.is_some() => "",
            None => return Target::Elsewhere,
        };
        let found = match fragment {
            "" => Some(self.root),
            _ if fragment.starts_with('/') => self.root.pointer(&unescape(fragment)),
            anchor => self.anchors.get(anchor).copied(),
        };
        match found {
            _ if self.has_resources => Target::Elsewhere,
            Some(target) => Target::Here(target),
            None => Target::Missing,
        }
    }

    /// The references of a schema, by keyword.
    pub(super) fn references(&self, schema: &'s Json) -> impl Iterator<Item = &'s str> {
        ["$ref", "$dynamicRef", "$recursiveRef"].into_iter().filter_map(|key| schema.get(key)?.as_str())
    }

    /// Calls with every subschema that validation may descend into, references apart.
    pub(super) fn subschemas(&self, schema: &'s Json, mut found: impl FnMut(&'s Json, About)) {
        let alone = self.dialect.reference_stands_alone() && schema.get("$ref").is_some();
        let Json::Object(keywords) = schema else { return };
        if alone {
            return;
        }
        for (keyword, value) in keywords {
            let about = match keyword.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" => {
                    About::Same
                }
                "properties"
                | "patternProperties"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "items"
                | "prefixItems"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains" => About::Part,
                _ => continue,
            };
            let named =
                matches!(keyword.as_str(), "properties" | "patternProperties" | "dependentSchemas" | "dependencies");
            match value {
                Json::Object(members) if named => {
                    members.values().filter(|schema| is_schema(schema)).for_each(|schema| found(schema, about));
                }
                Json::Array(items) => {
                    items.iter().filter(|schema| is_schema(schema)).for_each(|schema| found(schema, about))
                }
                schema if is_schema(schema) => found(schema, about),
                _ => {}
            }
        }
    }

    /// Everything that validation may go on to from a schema.
    fn next(&self, schema: &'s Json) -> Vec<(&'s Json, About)> {
        let mut next = Vec::new();
        self.subschemas(schema, |subschema, about| next.push((subschema, about)));
        for reference in self.references(schema) {
            if let Target::Here(target) = self.resolve(reference) {
                next.push((target, About::Same));
            }
        }
        next
    }

    /// Walks in depth from the root and from every definition. Calls when a schema is entered, and with every edge that
    /// leads back to a schema that is being walked, counted as one step each in the length of the way.
    fn walk(
        &self,
        over: impl Fn(About) -> bool,
        mut entered: impl FnMut(&'s Json, usize),
        mut back: impl FnMut(&'s Json),
    ) {
        let mut state: HashMap<*const Json, bool> = HashMap::new();
        let definitions = ["$defs", "definitions"].into_iter().filter_map(|key| self.root.get(key)?.as_object());
        let mut starts: Vec<&Json> = definitions.flat_map(|map| map.values()).collect();
        starts.push(self.root);
        // Every schema is a start once, so that ways over the other kind of edge are seen too.
        while let Some(start) = starts.pop() {
            if state.contains_key(&std::ptr::from_ref(start)) {
                continue;
            }
            let mut way: Vec<(&Json, Vec<(&Json, About)>)> = Vec::new();
            let mut enter = Some(start);
            loop {
                if let Some(schema) = enter.take() {
                    state.insert(schema, true);
                    entered(schema, way.len());
                    way.push((schema, self.next(schema)));
                }
                let Some((schema, next)) = way.last_mut() else { break };
                match next.pop() {
                    None => {
                        state.insert(*schema, false);
                        way.pop();
                    }
                    Some((target, about)) if over(about) => match state.get(&std::ptr::from_ref(target)) {
                        None => enter = Some(target),
                        Some(true) => back(schema),
                        Some(false) => {}
                    },
                    Some((target, _)) => starts.push(target),
                }
            }
        }
    }
}

/// Whether a schema is small enough to be given to the validator.
pub(super) fn is_modest(schema: &Json, dialect: Dialect) -> bool {
    let Some(graph) = Graph::new(schema, dialect) else { return false };
    let mut longest = 0;
    graph.walk(|_| true, |_, way| longest = longest.max(way), |_| {});
    longest <= LONGEST_WAY
}

/// What is wrong with the references of a schema, each once, in no more than 16 findings.
#[must_use]
pub fn problems(schema: &Json, dialect: Dialect) -> Vec<Problem> {
    let Some(graph) = Graph::new(schema, dialect) else { return Vec::new() };
    let mut found: Vec<Problem> = Vec::new();
    let mut loops: HashSet<&str> = HashSet::new();
    let mut references: HashSet<&str> = HashSet::new();
    graph.walk(
        |about| about == About::Same,
        |schema, _| references.extend(graph.references(schema)),
        |schema| loops.extend(graph.references(schema).next().or(Some("#"))),
    );
    let mut references: Vec<&str> = references.into_iter().collect();
    references.sort_unstable();
    for reference in references {
        match graph.resolve(reference) {
            Target::Here(_) => {}
            Target::Missing => found.push(Problem::Missing(reference.to_owned())),
            Target::Elsewhere => found.push(Problem::Elsewhere(reference.to_owned())),
        }
    }
    let mut loops: Vec<&str> = loops.into_iter().collect();
    loops.sort_unstable();
    found.extend(loops.into_iter().map(|reference| Problem::Endless(reference.to_owned())));
    found.truncate(16);
    found
}

fn is_schema(value: &Json) -> bool {
    value.is_object() || value.is_boolean()
}

/// Undoes the percent encoding of a fragment.
pub(crate) fn unescape(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
