//! Request ids: compared by JSON value, kept in their spelling.

use std::fmt;

use crate::wire::json::{Decimal, Kind, Value};

/// The id of a request or response, of whatever JSON type it was.
///
/// Two ids are equal if they are the same JSON value: `1` and `1.0` are, `1` and `"1"` are not. Equality is exact far
/// beyond 2^53. The spelling is in [`Id::text`].
#[derive(Clone, Debug)]
pub struct Id {
    key: Key,
    text: Box<str>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Key {
    Text(String),
    /// A number that is integral and fits, however it is spelt.
    Integer(i64),
    Number(Decimal),
    /// Null, booleans, containers, numbers beyond reason: equal if spelt alike.
    Other(String),
}

impl Id {
    /// Reads the value of an `id` member.
    #[must_use]
    pub fn read(value: Value<'_>) -> Self {
        let other = || Key::Other(value.raw().to_owned());
        let key = match value.kind() {
            Kind::String => value.as_str().map_or_else(other, |text| Key::Text(text.into_owned())),
            Kind::Number => match value.as_i64() {
                Some(integer) => Key::Integer(integer),
                None => Decimal::read(value.raw()).map_or_else(other, Key::Number),
            },
            _ => other(),
        };
        Self { key, text: value.raw().into() }
    }

    /// The id that is this integer.
    #[must_use]
    pub fn number(number: i64) -> Self {
        Self { key: Key::Integer(number), text: number.to_string().into() }
    }

    /// The JSON text as it was sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        &*self.text == "null"
    }

    /// Whether it has a type that every revision allows for a request: a string or an integer.
    #[must_use]
    pub fn is_legal(&self) -> bool {
        match &self.key {
            Key::Text(_) => true,
            Key::Integer(_) | Key::Number(_) => !self.text.contains(['.', 'e', 'E']),
            Key::Other(_) => false,
        }
    }

    /// Whether it is a number that a double holds exactly, or no number at all.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        match &self.key {
            Key::Integer(_) | Key::Number(_) => {
                self.text.parse::<i64>().is_ok_and(|number| number.unsigned_abs() < 1 << 53)
            }
            _ => true,
        }
    }

    /// Whether the other id would be mistaken for this one by a receiver that mixes up types: 1 for "1".
    #[must_use]
    pub fn resembles(&self, other: &Self) -> bool {
        self != other && self.text.trim_matches('"') == other.text.trim_matches('"')
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Id {}

impl std::hash::Hash for Id {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Document;

    fn id(text: &str) -> Id {
        Id::read(Document::parse(text).unwrap().root(text))
    }

    #[test]
    fn equality_is_of_values() {
        assert_eq!(id("1"), id("1.0"));
        assert_eq!(id("-10.0"), Id::number(-10));
        assert_ne!(id("1"), id("\"1\""));
        assert!(id("1").resembles(&id("\"1\"")));
        assert_ne!(id("9007199254740993"), id("9007199254740992"));
        assert_eq!(id(r#""\u0041""#), id("\"A\""));
    }

    #[test]
    fn legal_and_safe() {
        assert!(id("-1").is_legal() && id("\"\"").is_legal());
        assert!(!id("1.0").is_legal() && !id("null").is_legal() && !id("[1]").is_legal());
        assert!(!id("9007199254740993").is_safe());
    }
}
