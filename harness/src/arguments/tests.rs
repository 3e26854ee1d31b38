use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn only_required_members_are_filled_in() {
    let schema = json!({"type": "object", "required": ["a", "c"], "properties": {
        "a": {"type": "integer", "minimum": 5, "multipleOf": 4}, "b": {"type": "string"},
        "c": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}});
    assert_eq!(Value::from(valid(&schema).unwrap()), json!({"a": 8, "c": "2025-01-31"}));
}

#[test]
fn const_enum_default_and_examples_come_first() {
    let schema = json!({"type": "object", "required": ["a", "b", "c", "d", "e"], "properties": {
        "a": {"const": null}, "b": {"enum": [2, 1]}, "c": {"type": "string", "default": "x"},
        "d": {"type": "number", "examples": ["no", 9.5]}, "e": {"type": "number", "default": 5, "maximum": 4}}});
    assert_eq!(Value::from(valid(&schema).unwrap()), json!({"a": null, "b": 2, "c": "x", "d": 9.5, "e": 1}));
}

#[test]
fn references_and_recursion_end() {
    let schema = json!({"$ref": "#/$defs/a~1tree", "$defs": {"a/tree": {"type": "object", "required": ["left", "right"],
        "properties": {"left": {"anyOf": [{"$ref": "#/$defs/a~1tree"}, {"type": "null"}]}, "right": {"$ref": "#leaf"}}},
        "x": {"$anchor": "leaf", "type": "array", "minItems": 2, "prefixItems": [{"type": "boolean"}], "items": {"type": "null"}}}});
    assert_eq!(Value::from(valid(&schema).unwrap()), json!({"left": null, "right": [true, null]}));
    for endless in [
        json!({"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#"}}}),
        json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}),
        json!({"type": "object", "$ref": "#/$defs/missing"}),
        json!({"type": "object", "$ref": "https://example.com/schema"}),
        json!({"type": "string"}),
        json!(false),
        json!([]),
    ] {
        assert_eq!(valid(&endless), None, "{endless}");
    }
    let loops = json!({"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    assert_eq!(valid(&loops), Some(Map::new()));
}

#[test]
fn a_doubling_schema_is_given_up() {
    let mut defs = Map::new();
    for level in 0..40 {
        let below = format!("#/$defs/d{}", level + 1);
        let one = json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"$ref": below}, "b": {"$ref": below}}});
        defs.insert(format!("d{level}"), one);
    }
    defs.insert("d40".to_owned(), json!({}));
    assert_eq!(valid(&json!({"type": "object", "allOf": [{"$ref": "#/$defs/d0"}], "$defs": defs})), None);
}

#[test]
fn spoilt_in_one_place() {
    let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
        "a": {"type": "string"}, "b": {"type": "number"}}});
    assert_eq!(spoilt(&schema, Spoil::MissingRequired), Some(Map::new()));
    assert!(spoilt(&schema, Spoil::WrongType).unwrap()["a"].is_object());
    assert_eq!(spoilt(&schema, Spoil::UnknownMember).unwrap().len(), 2);
    let open = json!({"type": "object", "properties": {"o": {"type": "object"}}});
    assert_eq!(spoilt(&open, Spoil::MissingRequired), None);
    assert_eq!(spoilt(&open, Spoil::UnknownMember), None);
    assert!(spoilt(&open, Spoil::WrongType).unwrap()["o"].is_number());
    let either = json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "properties": {"a": {}, "b": {"anyOf": [{"type": "string"}, {"type": "object"}]}}});
    assert!(valid(&either).unwrap().contains_key("a"));
    assert_eq!(spoilt(&either, Spoil::MissingRequired), None);
    assert_eq!(spoilt(&either, Spoil::WrongType), None);
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let keyword = proptest::sample::select(vec![
        "type",
        "properties",
        "required",
        "enum",
        "const",
        "default",
        "examples",
        "minimum",
        "maximum",
        "multipleOf",
        "exclusiveMinimum",
        "minLength",
        "maxLength",
        "format",
        "items",
        "prefixItems",
        "minItems",
        "contains",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "$defs",
        "additionalProperties",
        "minProperties",
        "dependentRequired",
        "a",
        "object",
    ]);
    let word =
        proptest::sample::select(vec!["object", "string", "number", "#", "#/$defs/a", "#/properties/a", "#a", "a"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let member = (keyword.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::from),
            proptest::collection::vec(member, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn simple_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": ["null", "string"]})),
        Just(json!({"type": "string", "format": "date-time"})),
        (0..9u64, 0..9u64)
            .prop_map(|(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})),
        (-99..99i64, 0..9i64).prop_map(|(low, more)| json!({"type": "integer", "minimum": low, "maximum": low + more})),
        (-99..99i64).prop_map(|low| json!({"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + 1})),
        (1..9i64, -99..99i64).prop_map(|(step, low)| json!({"type": "integer", "multipleOf": step, "minimum": low})),
        (-99..99i64).prop_map(|one| json!({"enum": [one, "x"]})),
        any::<i32>().prop_map(|one| json!({"const": one})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..4u64)
                .prop_map(|(item, least)| json!({"type": "array", "items": item, "minItems": least})),
            simple_object(inner.clone()),
            inner.clone().prop_map(|one| json!({"allOf": [one, true]})),
            (inner.clone(), inner).prop_map(|(one, other)| json!({"anyOf": [one, other]})),
        ]
    })
}

fn simple_object(member: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (proptest::collection::vec((member, any::<bool>()), 0..5), any::<bool>()).prop_map(|(members, closed)| {
        let name = |index: usize| format!("m{index}");
        let required = members.iter().enumerate().filter(|(_, (_, required))| *required).map(|(index, _)| name(index));
        let required: Vec<String> = required.collect();
        let properties: Map<String, Value> =
            members.into_iter().enumerate().map(|(index, (schema, _))| (name(index), schema)).collect();
        let mut schema = json!({"type": "object", "properties": properties, "required": required});
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    })
}

proptest! {
    #[test]
    fn any_schema_is_survived(schema in any_json()) {
        let _ = valid(&schema);
        for spoil in [Spoil::MissingRequired, Spoil::WrongType, Spoil::UnknownMember] {
            let _ = spoilt(&schema, spoil);
        }
    }

    #[test]
    fn simple_schemas_are_satisfied_and_spoilt(schema in simple_object(simple_value())) {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let arguments = valid(&schema).map(Value::Object);
        prop_assert!(arguments.is_some(), "{}", schema);
        prop_assert!(arguments.is_some_and(|arguments| validator.is_valid(&arguments)), "{}", schema);
        let places = [
            (Spoil::MissingRequired, schema["required"].as_array().is_some_and(|names| !names.is_empty())),
            (Spoil::UnknownMember, schema["additionalProperties"] == false),
            (Spoil::WrongType, false),
        ];
        for (spoil, certain) in places {
            let arguments = spoilt(&schema, spoil).map(Value::Object);
            prop_assert!(arguments.is_some() || !certain, "{:?}: {}", spoil, schema);
            if let Some(arguments) = arguments {
                prop_assert!(!validator.is_valid(&arguments), "{:?}: {} {}", spoil, schema, arguments);
            }
        }
    }
}
