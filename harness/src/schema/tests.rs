use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::arguments::tests::any_json;

const NEWEST: Dialect = Dialect::Draft2020_12;

fn check(schema: &Json, instance: &Json) -> Outcome {
    match Schema::read(&schema.to_string(), NEWEST) {
        Ok(schema) => schema.check(instance),
        Err(outcome) => outcome,
    }
}

fn violation(schema: &Json, instance: &Json) -> Violation {
    match check(schema, instance) {
        Outcome::Invalid(violations) => violations.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn violations_say_where_and_how_bad() {
    let schema = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"anyOf": [{"type": "number"}, {"type": "null"}]}, "b": {"$ref": "#/$defs/b"}, "c": {"default": 1}},
        "$defs": {"b": {"type": "integer", "maximum": 4}}});
    assert!(violation(&schema, &json!({})).blatant);
    let wrong = violation(&schema, &json!({"a": {}}));
    assert_eq!((wrong.at.as_str(), wrong.keyword.as_str(), wrong.blatant), ("/a", "anyOf", true));
    assert!(!violation(&schema, &json!({"a": "5"})).blatant);
    let far = violation(&schema, &json!({"a": 1, "b": 5}));
    assert!(far.passes(&["$ref"]) && !far.blatant && far.keyword == "maximum", "{far:?}");
    let lenient = json!({"required": ["c"], "properties": {"c": {"default": 1}}});
    assert!(!violation(&lenient, &json!({})).blatant);
    assert_eq!(check(&schema, &json!({"a": null, "b": 4.0})), Outcome::Valid);
}

#[test]
fn formats_and_other_documents() {
    assert_eq!(check(&json!({"type": "string", "format": "date"}), &json!("no")), Outcome::Valid);
    for elsewhere in ["https://example.com/schema.json", "file:///etc/passwd", "other.json"] {
        assert!(matches!(check(&json!({"$ref": elsewhere}), &json!(1)), Outcome::Unusable(_)), "{elsewhere}");
        assert_eq!(problems(&json!({"$ref": elsewhere}), NEWEST), [Problem::Elsewhere(elsewhere.to_owned())]);
    }
}

#[test]
fn dialects_differ() {
    let tuple = json!({"items": [{"type": "string"}]}).to_string();
    assert!(matches!(Schema::read(&tuple, NEWEST), Err(Outcome::Unusable(_))));
    let draft07 = Schema::read(&tuple, Dialect::Draft07).unwrap();
    assert!(matches!(draft07.check(&json!([1])), Outcome::Invalid(_)));
    assert!(matches!(metaschema(&tuple, NEWEST), Outcome::Invalid(_)));
    assert_eq!(metaschema(&tuple, Dialect::Draft07), Outcome::Valid);
    let declared = |uri| Dialect::declared(&json!({ "$schema": uri }));
    assert_eq!(declared("http://json-schema.org/draft-07/schema#"), Declared::Known(Dialect::Draft07));
    assert_eq!(declared("https://json-schema.org/draft/2020-12/schema"), Declared::Known(NEWEST));
    assert_eq!(
        declared("https://example.invalid/dialect"),
        Declared::Unknown("\"https://example.invalid/dialect\"".into())
    );
}

#[test]
fn patterns_are_our_engines_business() {
    assert_eq!(metaschema(r#"{"pattern":"(?<=a)\\cA("}"#, NEWEST), Outcome::Valid);
    let slow = json!({"pattern": "^(a+)+\\1$"});
    let text = json!(format!("{}!", "a".repeat(60)));
    assert!(!matches!(check(&slow, &text), Outcome::Valid));
}

#[test]
fn references_are_followed_to_their_ends() {
    let tree = json!({"$defs": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}},
        "$ref": "#/$defs/tree"});
    assert_eq!(problems(&tree, NEWEST), []);
    assert_eq!(check(&tree, &json!({"next": {"next": {}}})), Outcome::Valid);
    assert_eq!(violation(&tree, &json!({"next": {"next": 5}})).at, "/next/next");
    let missing = json!({"properties": {"a": {"items": {"$ref": "#/$defs/no"}}}, "$defs": {"b": {"$ref": "#gone"}}});
    let names = ["#/$defs/no", "#gone"].map(|name| Problem::Missing(name.to_owned()));
    assert_eq!(problems(&missing, NEWEST), names);
    let anchors =
        json!({"$id": "https://example.com/a", "$ref": "https://example.com/a#x", "$defs": {"b": {"$anchor": "x"}}});
    assert_eq!(problems(&anchors, NEWEST), []);
}

#[test]
fn endless_references_are_found() {
    let endless = |name: &str| Problem::Endless(name.to_owned());
    assert_eq!(problems(&json!({"$ref": "#"}), NEWEST), [endless("#")]);
    let pair = json!({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"allOf": [{"$ref": "#/$defs/c"}]}, "c": {"$ref": "#/$defs/b"}}});
    assert_eq!(problems(&pair, NEWEST).len(), 1, "{:?}", problems(&pair, NEWEST));
    assert!(matches!(check(&pair, &json!({"a": 1})), Outcome::Unusable(_)));
    assert_eq!(check(&pair, &json!({"b": 1})), Outcome::Valid);
    let harmless = json!({"$ref": "#/definitions/a", "allOf": [{"$ref": "#"}], "definitions": {"a": {}}});
    assert_eq!(problems(&harmless, Dialect::Draft07), []);
}

#[test]
fn bombs_are_refused_at_once() {
    let began = Instant::now();
    let mut defs = Map::new();
    for level in 0..40 {
        let below = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        defs.insert(format!("d{level}"), json!({"allOf": [below, below]}));
    }
    defs.insert("d40".to_owned(), json!({"type": "number"}));
    assert_eq!(check(&json!({"$ref": "#/$defs/d0", "$defs": defs}), &json!(1)), Outcome::OverBudget);
    let doubling = json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let deep = (0..60).fold(json!({}), |inner, _| json!({ "a": inner }));
    assert_eq!(check(&doubling, &deep), Outcome::OverBudget);
    let chain: Map<String, Json> =
        (0..20_000).map(|level| (format!("d{level}"), json!({"$ref": format!("#/$defs/d{}", level + 1)}))).collect();
    assert_eq!(check(&json!({"$ref": "#/$defs/d0", "$defs": chain}), &json!(1)), Outcome::OverBudget);
    assert_eq!(check(&json!({"enum": vec![0; 60_000]}), &json!(0)), Outcome::OverBudget);
    let nested = format!("{}{}{}", r#"{"not":"#.repeat(200), "true", "}".repeat(200));
    assert!(matches!(Schema::read(&nested, NEWEST), Err(Outcome::OverBudget)));
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn the_longest_way_that_is_allowed_fits_the_stack() {
    let mut defs: Map<String, Json> =
        (0..380).map(|level| (format!("d{level}"), json!({"$ref": format!("#/$defs/d{}", level + 1)}))).collect();
    defs.insert("d380".to_owned(), json!({"type": "object", "properties": {"a": {"$ref": "#"}}}));
    let deep = (0..100).fold(json!({}), |inner, _| json!({ "a": inner }));
    let outcome = check(&json!({"$ref": "#/$defs/d0", "$defs": defs}), &deep);
    assert!(matches!(outcome, Outcome::Valid | Outcome::OverBudget), "{outcome:?}");
}

proptest! {
    #[test]
    fn any_schema_is_survived(schema in any_json(), instance in any_json()) {
        let text = schema.to_string();
        for dialect in [Dialect::Draft04, Dialect::Draft07, Dialect::Draft2019_09, NEWEST] {
            let _ = (metaschema(&text, dialect), problems(&schema, dialect));
            if let Ok(schema) = Schema::read(&text, dialect) {
                let _ = schema.check(&instance);
            }
        }
    }
}
