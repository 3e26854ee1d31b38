//! Whether a message leaves a receiver no excuse: no reader of JSON and no JSON-RPC library may stumble over it.
//!
//! Rules that demand a reaction demand it to sound messages only; the schema of a method's params is their own matter.

use super::{Message, Shape};
use crate::floor;
use crate::wire::Value;

/// How deep a sound message nests; readers of JSON are known to stop at 64.
const DEEPEST: usize = 32;

/// From this size in bytes on, a receiver may have a limit: no specification forbids one. Some read lines of 64 KiB.
pub const LARGE: usize = floor::NAME as usize;

impl Message<'_> {
    /// Whether the envelope is right, the JSON means the same to every reader, and over HTTP nothing about the request
    /// that carried it gives a reason to refuse it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.oddly_carried && self.is_sound_in_itself()
    }

    /// The same of the message alone, however it was carried.
    #[must_use]
    pub fn is_sound_in_itself(&self) -> bool {
        *self.sound.get_or_init(|| self.find_whether_sound())
    }

    fn find_whether_sound(&self) -> bool {
        let Some(value) = self.value else { return false };
        self.own_line
            && self.has_sound_envelope()
            && !self.frame.has_duplicate_keys()
            && !self.frame.bytes().contains(&b'\n')
            && self.nesting() <= DEEPEST
            && is_plain(value)
    }

    /// Whether the message is so long that a receiver may refuse it for that.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.frame.bytes().len() >= LARGE
    }

    /// Whether there is a character in it that some take for the end of a line, though JSON allows it inside a string:
    /// U+0085, U+2028 or U+2029.
    #[must_use]
    pub fn holds_other_line_ends(&self) -> bool {
        self.value.is_some_and(|value| {
            let raw = value.raw();
            !raw.is_ascii() && raw.contains(['\u{85}', '\u{2028}', '\u{2029}'])
        })
    }

    /// How deep the brackets of its text nest, whether or not the text is JSON.
    #[must_use]
    pub fn nesting(&self) -> usize {
        self.frame.nesting()
    }

    fn has_sound_envelope(&self) -> bool {
        let has = |key| self.member(key).is_some();
        let params = self.params().is_none_or(|params| {
            let token = params.path(&["_meta", "progressToken"]);
            params.is_object()
                && params.member("_meta").is_none_or(Value::is_object)
                && token.is_none_or(|token| token.is_string() || token.is_number())
        });
        self.member("jsonrpc").is_some_and(|version| version.is("2.0"))
            && match self.shape {
                Shape::Request => {
                    params && self.has_sound_id() && self.method() != Some("") && !has("result") && !has("error")
                }
                Shape::Notification => {
                    params
                        && self.method().is_some_and(|method| method.starts_with("notifications/"))
                        && !has("result")
                        && !has("error")
                }
                Shape::Response => self.has_sound_id() && has("result") != has("error") && self.has_content(),
                Shape::Other | Shape::Unreadable => false,
            }
    }

    fn has_sound_id(&self) -> bool {
        self.id.as_ref().is_some_and(|id| id.is_legal() && id.is_safe())
    }

    fn has_content(&self) -> bool {
        self.result().is_some_and(Value::is_object)
            || self.error().is_some_and(|error| {
                error.member("code").is_some_and(Value::is_integral)
                    && error.member("message").is_some_and(Value::is_string)
            })
    }
}

fn is_plain(value: Value<'_>) -> bool {
    let raw = value.raw();
    let surrogates = raw.contains("\\ud") || raw.contains("\\uD");
    value
        .descendants()
        .all(|inner| !(surrogates && inner.has_lone_surrogate()) && inner.as_f64().is_none_or(f64::is_finite))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Speaker;
    use crate::wire::Frame;

    fn is_sound(text: &str) -> bool {
        let frame = Frame::new(text);
        Message::alone(&frame, frame.json().unwrap(), Speaker::Peer).is_sound()
    }

    #[test]
    fn ordinary_messages_are_sound() {
        for text in [
            r#"{"jsonrpc":"2.0","id":"","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":-1,"method":"x","params":{"a":"[[\"","b":1e3}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/x","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":""}}"#,
        ] {
            assert!(is_sound(text), "{text}");
        }
    }

    #[test]
    fn excuses() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{0}{1}}}}}"#,
            "[".repeat(31),
            "]".repeat(31)
        );
        for text in [
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":""}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":true}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud800"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e999}}"#,
            r#"{"jsonrpc":"2.0","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            "42",
            &deep,
        ] {
            assert!(!is_sound(text), "{text}");
        }
    }
}
