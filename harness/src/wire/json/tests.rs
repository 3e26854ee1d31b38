use proptest::prelude::*;

use super::*;

fn accepts(text: &str) -> bool {
    Document::parse(text).is_ok()
}

#[test]
fn numbers_keep_their_text() {
    let text = r#"{"id":9007199254740993,"other":1.0}"#;
    let document = Document::parse(text).unwrap();
    let root = document.root(text);
    assert_eq!(root.member("id").unwrap().raw(), "9007199254740993");
    assert_eq!(root.member("other").unwrap().as_i64(), Some(1));
    assert!(root.member("other").unwrap().is_integral());
}

#[test]
fn duplicate_keys_are_noticed_however_spelt() {
    let text = r#"{"a":1,"b":{"a":2},"\u0061":3}"#;
    let document = Document::parse(text).unwrap();
    assert_eq!(document.duplicate_keys().len(), 1);
    assert_eq!(document.root(text).member("a").unwrap().raw(), "1");
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let document = Document::parse(&deep).unwrap();
    assert!(document.root(&deep).same(document.root(&deep)));
    assert_eq!(Document::parse(&"[".repeat(50_000)).unwrap_err().0, Fault::EndsEarly);
}

#[test]
fn numbers_compare_by_value() {
    for (left, right) in [("1", "1.0"), ("1e3", "1000"), ("-0", "0.0"), ("120e-1", "12")] {
        assert_eq!(Decimal::read(left), Decimal::read(right), "{left} {right}");
    }
    assert_ne!(Decimal::read("9007199254740993"), Decimal::read("9007199254740992"));
    assert_eq!(Decimal::read("1e99999999999999999999"), None);
}

#[test]
fn surrogates() {
    let text = r#"["\ud83d\ude00","\ud83d","\u0041\n"]"#;
    let document = Document::parse(text).unwrap();
    let items: Vec<_> = document.root(text).items().collect();
    assert_eq!(items[0].as_str().unwrap(), "\u{1f600}");
    assert!(!items[0].has_lone_surrogate());
    assert!(items[1].has_lone_surrogate());
    assert_eq!(items[2].as_str().unwrap(), "A\n");
}

#[test]
fn too_many_values_are_refused() {
    let long = format!("[{}0]", "0,".repeat(MOST_VALUES));
    assert_eq!(Document::parse(&long).unwrap_err().0, Fault::TooManyValues);
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::from),
        any::<i64>().prop_map(Tree::from),
        any::<String>().prop_map(Tree::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Tree::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{}",:0-9a-z\\ .eE+-]{0,40}"#) {
        prop_assert_eq!(accepts(&text), serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok());
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = Document::parse(&text);
    }

    #[test]
    fn reads_what_serde_json_writes(tree in tree()) {
        let text = tree.to_string();
        let document = Document::parse(&text).unwrap();
        let root = document.root(&text);
        prop_assert_eq!(root.raw(), text.as_str());
        prop_assert!(document.duplicate_keys().is_empty());
        let pretty = serde_json::to_string_pretty(&tree).unwrap();
        let again = Document::parse(&pretty).unwrap();
        prop_assert!(root.same(again.root(&pretty)));
        for value in root.descendants().filter(|value| value.is_string()) {
            let expected: String = serde_json::from_str(value.raw()).unwrap();
            prop_assert_eq!(value.as_str().unwrap(), expected);
        }
    }
}
