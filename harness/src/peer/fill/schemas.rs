//! Schemas that cost whoever validates with them more than they cost whoever sends them.

/// A schema of objects inside `allOf`, this many deep.
pub(super) fn deep(levels: usize) -> String {
    let opening = r#"{"type":"object","allOf":["#;
    format!("{}{{}}{}", opening.repeat(levels), "]}".repeat(levels))
}

/// A schema of objects whose member `x` asks for twice as much work with each of so many definitions.
pub(super) fn doubling(levels: usize) -> String {
    let double = |level: usize| {
        let next = level + 1;
        format!(r##""d{level}":{{"anyOf":[{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{next}"}}]}},"##)
    };
    let definitions: String = (0..levels).map(double).collect();
    let properties = r##""properties":{"x":{"$ref":"#/$defs/d0"}}"##;
    format!(r#"{{"type":"object",{properties},"$defs":{{{definitions}"d{levels}":{{"type":"null"}}}}}}"#)
}

/// A schema of objects whose member `x` has this many alternatives, and each of them as many again.
pub(super) fn wide(count: usize) -> String {
    let inner: Vec<String> = (0..count).map(|number| format!(r#"{{"const":{number}}}"#)).collect();
    let inner = inner.join(",");
    let outer = vec![r##"{"$ref":"#/$defs/inner"}"##; count].join(",");
    format!(
        r#"{{"type":"object","properties":{{"x":{{"oneOf":[{outer}]}}}},"$defs":{{"inner":{{"oneOf":[{inner}]}}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_json_of_their_size() {
        for (text, depth) in [(deep(50), 50), (doubling(30), 0), (wide(20), 0)] {
            let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
            let mut inside = &schema;
            let mut levels = 0;
            while let Some(next) = inside.pointer("/allOf/0") {
                (inside, levels) = (next, levels + 1);
            }
            assert_eq!((schema["type"].as_str(), levels), (Some("object"), depth));
        }
    }
}
