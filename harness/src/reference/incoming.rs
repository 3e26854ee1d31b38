//! What a server or client receives: one line, sorted into request, notification, response and everything else.
//!
//! A line is parsed once. Params stay raw text until a handler wants them, ids stay raw text for good.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::message::Object;

/// The id of a request, as text for the answer and as a value for comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RequestId {
    /// As it came, for echoing.
    pub(super) raw: Box<str>,
    key: Key,
    /// Which of several clients asked, where one core serves many at once and they may choose the same ids; else 0.
    pub(super) lane: u32,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Key {
    Text(Box<str>),
    /// Canonical decimal digits, so that no integer is too large to compare.
    Integer(Box<str>),
    /// Of a call inside the server.
    Inner(u64),
    /// Of a message whose id could not be read.
    Unread,
}

impl RequestId {
    /// Reads an id; `None` for JSON that is neither a string nor an integer.
    pub(super) fn read(raw: &str) -> Option<Self> {
        let key = match raw.as_bytes().first()? {
            // A string that cannot be decoded (a lone surrogate) is still equal to itself.
            b'"' => Key::Text(serde_json::from_str::<Box<str>>(raw).unwrap_or_else(|_| raw.into())),
            b'-' | b'0'..=b'9' => Key::Integer(integer(raw)?),
            _ => return None,
        };
        Some(Self { raw: raw.into(), key, lane: 0 })
    }

    /// The id of one of the server's own requests.
    pub(super) fn own(number: u64) -> Self {
        let text = format!("ask-{number}");
        Self { raw: format!("\"{text}\"").into(), key: Key::Text(text.into()), lane: 0 }
    }

    /// An id that no message can have.
    pub(super) fn inner(number: u64) -> Self {
        Self { raw: "null".into(), key: Key::Inner(number), lane: 0 }
    }

    /// What stands for the id of a message that has none, or whose id could not be read.
    pub(super) fn unread(lane: u32) -> Self {
        Self { raw: "null".into(), key: Key::Unread, lane }
    }

    /// The same id, as this client uses it.
    pub(super) fn on(mut self, lane: u32) -> Self {
        self.lane = lane;
        self
    }

    /// Whether it stands for an id that could not be read.
    pub(super) fn is_unread(&self) -> bool {
        self.key == Key::Unread
    }

    /// Whether it is one that no message can have.
    pub(super) fn is_inner(&self) -> bool {
        matches!(self.key, Key::Inner(_))
    }

    /// Whether both are the same id of the same client: same JSON type and same value.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.key == other.key && self.lane == other.lane
    }

    /// Whether they look alike when their types are forgotten, as a careless server compares.
    pub(super) fn alike(&self, other: &Self) -> bool {
        let text = |key: &Key| match key {
            Key::Text(text) | Key::Integer(text) => text.clone(),
            Key::Inner(number) => format!("inner {number}").into(),
            Key::Unread => "unread".into(),
        };
        text(&self.key) == text(&other.key) && self.lane == other.lane
    }

    /// The text, if the id is a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.key {
            Key::Text(text) => Some(text),
            Key::Integer(_) | Key::Inner(_) | Key::Unread => None,
        }
    }

    /// The id as a value that writes back the same; `None` for integers beyond 64 bits.
    pub(super) fn value(&self) -> Option<Value> {
        let value = serde_json::from_str::<Value>(&self.raw).ok()?;
        (value.is_string() || value.is_i64() || value.is_u64()).then_some(value)
    }
}

/// The canonical digits of a JSON number that is an integer.
fn integer(raw: &str) -> Option<Box<str>> {
    if !raw.contains(['.', 'e', 'E']) {
        return Some(if raw == "-0" { "0".into() } else { raw.into() });
    }
    let number = raw.parse::<f64>().ok()?;
    if !number.is_finite() || number.fract() != 0.0 {
        return None;
    }
    // Below 2^53 the conversion is exact; above it the text itself serves as the value.
    Some(if number.abs() < 9_007_199_254_740_992.0 { format!("{}", number as i64).into() } else { raw.into() })
}

/// A line, sorted.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// Nothing but white space.
    Blank,
    /// Not JSON, or not UTF-8.
    NotJson,
    /// A JSON array.
    Array,
    /// JSON that is no message; with the id where one can be read. `silent` when it looks like a notification.
    Invalid { id: Option<RequestId>, silent: bool },
    /// A request.
    Request { id: RequestId, method: Cow<'a, str>, params: Option<&'a RawValue> },
    /// A notification.
    Notification { method: Cow<'a, str>, params: Option<&'a RawValue> },
    /// A response to a request of the receiver, with whatever it holds.
    Response { id: RequestId, result: Option<&'a RawValue>, error: Option<&'a RawValue> },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Keeps a null that is there apart from a member that is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Incoming<'a> {
    /// Sorts a line; `any_version` for a server that does not look at the member `jsonrpc`.
    pub(super) fn sort(line: &'a [u8], any_version: bool) -> Self {
        let Some(first) = line.iter().find(|byte| !byte.is_ascii_whitespace()) else { return Self::Blank };
        let Ok(text) = std::str::from_utf8(line) else { return Self::NotJson };
        if *first != b'{' {
            return match serde_json::from_str::<&RawValue>(text) {
                Ok(_) if *first == b'[' => Self::Array,
                Ok(_) => Self::Invalid { id: None, silent: false },
                Err(_) => Self::NotJson,
            };
        }
        match serde_json::from_str::<Envelope<'_>>(text) {
            Ok(envelope) => envelope.sort(any_version),
            Err(error) if error.is_data() => Self::Invalid { id: None, silent: false },
            Err(_) => Self::NotJson,
        }
    }
}

impl<'a> Envelope<'a> {
    fn sort(self, any_version: bool) -> Incoming<'a> {
        let id = self.id.and_then(|raw| RequestId::read(raw.get()));
        let sound = any_version || self.jsonrpc.is_some_and(|raw| raw.get() == "\"2.0\"");
        if let Some(raw) = self.method {
            let Ok(method) = serde_json::from_str::<Name<'_>>(raw.get()) else {
                return Incoming::Invalid { id, silent: false };
            };
            return match (self.id.is_some(), id) {
                (true, Some(id)) if sound => Incoming::Request { id, method: method.0, params: self.params },
                (false, _) if sound => Incoming::Notification { method: method.0, params: self.params },
                (asked, id) => Incoming::Invalid { id, silent: !asked },
            };
        }
        match id {
            Some(id) if sound && (self.result.is_some() || self.error.is_some()) => {
                Incoming::Response { id, result: self.result, error: self.error }
            }
            // Answering what may itself be an answer invites a loop.
            id => Incoming::Invalid { silent: self.result.is_some() || self.error.is_some(), id },
        }
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of params; none for absent params, `None` for anything that is not an object or cannot be held.
pub(super) fn members(params: Option<&RawValue>) -> Option<Object> {
    params.map_or_else(|| Some(Object::new()), |raw| serde_json::from_str(raw.get()).ok())
}

/// The entries of an array line.
pub(super) fn entries(line: &[u8]) -> Vec<&RawValue> {
    serde_json::from_slice(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(raw: &str) -> RequestId {
        RequestId::read(raw).unwrap()
    }

    #[test]
    fn ids_compare_by_type_and_exact_value() {
        assert!(!id("9007199254740993").same(&id("9007199254740992")));
        assert!(!id("1").same(&id("\"1\"")));
        assert!(id("1").same(&id("1.0")));
        assert!(id("\"A\"").same(&id("\"\\u0041\"")));
        assert!(id("1").alike(&id("\"1\"")));
        for raw in ["1.5", "true", "null", "{}", "[]"] {
            assert!(RequestId::read(raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn lines_are_sorted() {
        let sort = |text: &'static str| Incoming::sort(text.as_bytes(), false);
        assert!(matches!(sort(" \r"), Incoming::Blank));
        assert!(matches!(sort("{\"a\":"), Incoming::NotJson));
        assert!(matches!(sort("[1]"), Incoming::Array));
        assert!(matches!(sort("42"), Incoming::Invalid { id: None, silent: false }));
        assert!(matches!(sort("{}"), Incoming::Invalid { id: None, silent: false }));
        assert!(matches!(sort(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#), Incoming::Invalid { id: Some(_), .. }));
        assert!(matches!(sort(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), Incoming::Invalid { id: None, .. }));
        assert!(matches!(sort(r#"{"jsonrpc":"2.0","method":"x"}"#), Incoming::Notification { .. }));
        assert!(matches!(sort(r#"{"jsonrpc":"2.0","id":1,"error":{}}"#), Incoming::Response { result: None, .. }));
    }
}
