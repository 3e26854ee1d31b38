//! One message as it came.

use std::fmt;
use std::string::FromUtf8Error;
use std::sync::{Arc, OnceLock};

use crate::wire::json::{Document, Fault, Value};

/// The bytes of one message, and on demand the JSON in them. Cloning shares both.
#[derive(Clone)]
pub struct Frame(Arc<Inner>);

struct Inner {
    content: Content,
    parsed: OnceLock<Result<Document, Unreadable>>,
}

/// Looked through once, when the frame is made: everybody asks for its text.
enum Content {
    Text(String),
    Bytes(FromUtf8Error),
}

/// Why a frame has no JSON to look at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are not UTF-8 from this offset on.
    #[error("not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Of the first wrong byte.
        offset: usize,
    },
    /// The text is not JSON.
    #[error("not JSON at byte {offset}: {fault}")]
    NotJson {
        /// What is wrong.
        fault: Fault,
        /// Where.
        offset: usize,
    },
}

impl Frame {
    /// A frame of these bytes, without the newline that ended it.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let content = String::from_utf8(bytes.into()).map_or_else(Content::Bytes, Content::Text);
        Self(Arc::new(Inner { content, parsed: OnceLock::new() }))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0.content {
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(error) => error.as_bytes(),
        }
    }

    /// The text, if the bytes are UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.utf8().ok()
    }

    /// The outermost JSON value; parsed at the first call and kept.
    ///
    /// # Errors
    ///
    /// What stands in the way of reading it.
    pub fn json(&self) -> Result<Value<'_>, Unreadable> {
        let document = self.parsed().as_ref().map_err(|why| *why)?;
        Ok(document.root(self.utf8()?))
    }

    /// Whether an object in it has a key twice.
    #[must_use]
    pub fn has_duplicate_keys(&self) -> bool {
        self.parsed().as_ref().is_ok_and(|document| !document.duplicate_keys().is_empty())
    }

    /// How deep the arrays and objects in it nest; of what is no JSON, the brackets outside its strings.
    #[must_use]
    pub fn nesting(&self) -> usize {
        self.parsed().as_ref().map_or_else(|_| depth(self.bytes()), Document::depth)
    }

    fn utf8(&self) -> Result<&str, Unreadable> {
        match &self.0.content {
            Content::Text(text) => Ok(text),
            Content::Bytes(error) => Err(Unreadable::NotUtf8 { offset: error.utf8_error().valid_up_to() }),
        }
    }

    fn parsed(&self) -> &Result<Document, Unreadable> {
        self.0.parsed.get_or_init(|| {
            Document::parse(self.utf8()?).map_err(|(fault, offset)| Unreadable::NotJson { fault, offset })
        })
    }
}

/// How deep the brackets outside the strings of a text nest.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = String::from_utf8_lossy(&self.bytes()[..self.bytes().len().min(200)]);
        write!(f, "Frame({} bytes: {shown})", self.bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_what_it_is() {
        assert_eq!(Frame::new(*b"\xff").json().unwrap_err(), Unreadable::NotUtf8 { offset: 0 });
        assert!(matches!(Frame::new("{").json(), Err(Unreadable::NotJson { fault: Fault::EndsEarly, offset: 1 })));
        assert!(Frame::new(r#"{"a":1,"a":2}"#).has_duplicate_keys());
        assert_eq!(Frame::new("[1]\r").json().unwrap().items().count(), 1);
    }

    #[test]
    fn sixty_four_mebibytes_are_a_frame() {
        let mut bytes = vec![b'a'; 64 << 20];
        bytes[0] = b'"';
        *bytes.last_mut().unwrap() = b'"';
        assert!(Frame::new(bytes).json().unwrap().is_string());
    }
}
