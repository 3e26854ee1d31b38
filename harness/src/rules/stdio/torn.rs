//! Messages that were broken over several lines: pretty-printed, or with a line break inside a string.

use std::ops::Range;

use crate::session::{Message, Shape, Speaker, View};
use crate::wire::Frame;

/// A run of lines that are one message together.
#[derive(Clone, Debug)]
pub(crate) struct Torn {
    /// The entries from its first line to the one behind its last.
    pub(crate) entries: Range<usize>,
}

/// Every broken message of the subject. Each line is read once: brackets are counted, and what closes is parsed.
pub(crate) fn torn(view: View<'_>) -> Vec<Torn> {
    let mut found = Vec::new();
    let mut open: Option<Joined> = None;
    for line in view.messages_by(Speaker::Subject) {
        if line.in_batch || matches!(line.shape, Shape::Request | Shape::Notification | Shape::Response) {
            open = None;
            continue;
        }
        let mut joined = match open.take() {
            Some(joined) => joined,
            None if begins_object(line) => Joined::new(line.entry),
            None => continue,
        };
        if joined.add(line.frame.bytes()) {
            let entries = joined.first..line.entry + 1;
            if joined.is_message() {
                found.push(Torn { entries });
            }
        } else {
            open = Some(joined);
        }
    }
    found
}

fn begins_object(line: &Message<'_>) -> bool {
    line.shape == Shape::Unreadable && line.frame.bytes().trim_ascii_start().first() == Some(&b'{')
}

/// Lines put together again.
struct Joined {
    first: usize,
    text: Vec<u8>,
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Joined {
    fn new(first: usize) -> Self {
        Self { first, text: Vec::new(), depth: 0, quoted: false, escaped: false }
    }

    /// Adds a line; whether the brackets are all closed behind it.
    fn add(&mut self, line: &[u8]) -> bool {
        if !self.text.is_empty() {
            self.text.extend_from_slice(if self.quoted { b"\\n" } else { b" " });
        }
        for &byte in line.strip_suffix(b"\r").unwrap_or(line) {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                b'{' | b'[' if !self.quoted => self.depth += 1,
                b'}' | b']' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.text.push(byte);
        }
        self.depth == 0 && !self.quoted
    }

    fn is_message(&self) -> bool {
        let frame = Frame::new(self.text.as_slice());
        frame.json().is_ok_and(|value| {
            value.is_object() && ["method", "result", "error", "id"].iter().any(|key| value.member(key).is_some())
        })
    }
}
