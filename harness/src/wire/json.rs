//! A JSON reader that forgets nothing: number text, duplicate keys, spelling of strings.
//!
//! It is iterative, so depth costs memory and never stack, and linear in the length of the text.
//! serde_json serves for data that this project writes; it drops what a judge of the wire must see.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value as Tree;

pub use super::decimal::Decimal;

/// The most values one document may hold; a longer one is refused as [`Fault::TooManyValues`] to bound memory.
pub const MOST_VALUES: usize = 2_000_000;

/// The most keys of an object that are compared pair by pair.
const FEW_KEYS: usize = 8;

/// Containers compared member by member below this depth, and by their text above it.
const COMPARED_DEPTH: usize = 128;

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number; its text is kept.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// Why a text is not JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The text ends inside a value, or is empty.
    #[error("text ends early")]
    EndsEarly,
    /// A byte that the grammar does not allow here.
    #[error("unexpected byte")]
    Unexpected,
    /// Something follows the value.
    #[error("more text follows the value")]
    Trailing,
    /// More than [`MOST_VALUES`] values.
    #[error("too many values to look into")]
    TooManyValues,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// A string with a backslash in it.
    escaped: bool,
    start: u32,
    end: u32,
    /// The index of the first node behind this value and all that it holds.
    after: u32,
}

/// A parsed text: offsets into it, never a copy of it.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
    duplicate_keys: Vec<u32>,
    depth: usize,
}

impl Document {
    /// Parses a text, which must stay at hand for [`Document::root`].
    ///
    /// # Errors
    ///
    /// The fault with its byte offset. Texts of 4 GiB and more are refused as too long.
    pub fn parse(text: &str) -> Result<Self, (Fault, usize)> {
        if u32::try_from(text.len()).is_err() {
            return Err((Fault::TooManyValues, 0));
        }
        Reader { text: text.as_bytes(), at: 0, nodes: Vec::new(), open: Vec::new(), depth: 0 }.read(text)
    }

    /// The outermost value, over the text that was parsed.
    #[must_use]
    pub fn root<'a>(&'a self, text: &'a str) -> Value<'a> {
        Value { text, document: self, index: 0 }
    }

    /// How deep its arrays and objects nest.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Byte offsets of keys that repeat an earlier key of the same object.
    #[must_use]
    pub fn duplicate_keys(&self) -> &[u32] {
        &self.duplicate_keys
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<u32>,
    /// The most that were open at once.
    depth: usize,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

impl Reader<'_> {
    fn read(mut self, text: &str) -> Result<Document, (Fault, usize)> {
        let mut duplicate_keys = Vec::new();
        let mut expect = Expect::Value;
        loop {
            self.skip_space();
            let Some(&byte) = self.text.get(self.at) else {
                return if expect == Expect::Nothing {
                    Ok(Document { nodes: self.nodes, duplicate_keys, depth: self.depth })
                } else {
                    Err((Fault::EndsEarly, self.at))
                };
            };
            expect = match (expect, byte) {
                (Expect::Nothing, _) => return Err((Fault::Trailing, self.at)),
                (Expect::Value | Expect::ValueOrEnd, b'{') => {
                    self.open(Kind::Object)?;
                    Expect::KeyOrEnd
                }
                (Expect::Value | Expect::ValueOrEnd, b'[') => {
                    self.open(Kind::Array)?;
                    Expect::ValueOrEnd
                }
                (Expect::ValueOrEnd | Expect::CommaOrEnd, b']') => self.close(Kind::Array)?,
                (Expect::KeyOrEnd | Expect::CommaOrEnd, b'}') => {
                    let object = self.open.last().copied();
                    let next = self.close(Kind::Object)?;
                    if let Some(object) = object {
                        self.note_duplicates(text, object, &mut duplicate_keys);
                    }
                    next
                }
                (Expect::Key | Expect::KeyOrEnd, b'"') => {
                    self.string()?;
                    self.skip_space();
                    match self.text.get(self.at) {
                        Some(b':') => self.at += 1,
                        Some(_) => return Err((Fault::Unexpected, self.at)),
                        None => return Err((Fault::EndsEarly, self.at)),
                    }
                    Expect::Value
                }
                (Expect::CommaOrEnd, b',') => {
                    self.at += 1;
                    match self.innermost() {
                        Some(Kind::Object) => Expect::Key,
                        _ => Expect::Value,
                    }
                }
                (Expect::Value | Expect::ValueOrEnd, _) => {
                    self.scalar(byte)?;
                    self.behind_value()
                }
                _ => return Err((Fault::Unexpected, self.at)),
            };
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn innermost(&self) -> Option<Kind> {
        self.open.last().map(|index| self.nodes[*index as usize].kind)
    }

    fn behind_value(&self) -> Expect {
        if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Result<(), (Fault, usize)> {
        self.push_text(kind, start, end, false)
    }

    fn push_text(&mut self, kind: Kind, start: usize, end: usize, escaped: bool) -> Result<(), (Fault, usize)> {
        if self.nodes.len() >= MOST_VALUES {
            return Err((Fault::TooManyValues, start));
        }
        let after = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped, start: start as u32, end: end as u32, after });
        Ok(())
    }

    fn open(&mut self, kind: Kind) -> Result<(), (Fault, usize)> {
        self.open.push(self.nodes.len() as u32);
        self.depth = self.depth.max(self.open.len());
        self.push(kind, self.at, self.at)?;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, kind: Kind) -> Result<Expect, (Fault, usize)> {
        if self.innermost() != Some(kind) {
            return Err((Fault::Unexpected, self.at));
        }
        self.at += 1;
        if let Some(index) = self.open.pop() {
            let after = self.nodes.len() as u32;
            let node = &mut self.nodes[index as usize];
            node.end = self.at as u32;
            node.after = after;
        }
        Ok(self.behind_value())
    }

    fn note_duplicates(&self, text: &str, object: u32, found: &mut Vec<u32>) {
        // Most objects are small and spell their keys plainly: for those nothing is set aside.
        let keys = || {
            let (mut index, after) = (object + 1, self.nodes[object as usize].after);
            std::iter::from_fn(move || {
                (index < after).then(|| {
                    let key = self.nodes[index as usize];
                    index = self.nodes[index as usize + 1].after;
                    key
                })
            })
        };
        if keys().take(FEW_KEYS + 1).count() <= FEW_KEYS && keys().all(|key| !key.escaped) {
            let spelling = |key: &Node| &self.text[key.start as usize..key.end as usize];
            for (position, key) in keys().enumerate() {
                if keys().take(position).any(|earlier| spelling(&earlier) == spelling(&key)) {
                    found.push(key.start);
                }
            }
            return;
        }
        let mut known = HashSet::new();
        for key in keys() {
            if !known.insert(unescape(&text[key.start as usize..key.end as usize], key.escaped)) {
                found.push(key.start);
            }
        }
    }

    fn scalar(&mut self, first: u8) -> Result<(), (Fault, usize)> {
        match first {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", Kind::Bool),
            b'f' => self.word(b"false", Kind::Bool),
            b'n' => self.word(b"null", Kind::Null),
            _ => Err((Fault::Unexpected, self.at)),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), (Fault, usize)> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word) {
            self.push(kind, self.at, self.at + word.len())?;
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err((Fault::EndsEarly, self.text.len()))
        } else {
            Err((Fault::Unexpected, self.at))
        }
    }

    fn string(&mut self) -> Result<(), (Fault, usize)> {
        let start = self.at;
        let mut at = start + 1;
        let mut escaped = false;
        loop {
            at += plain_prefix(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                None => return Err((Fault::EndsEarly, at)),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += self.escape(at)?;
                }
                Some(0..=0x1f) => return Err((Fault::Unexpected, at)),
                Some(_) => at += 1,
            }
        }
        self.push_text(Kind::String, start, at + 1, escaped)?;
        self.at = at + 1;
        Ok(())
    }

    /// The length of the escape at this place.
    fn escape(&self, at: usize) -> Result<usize, (Fault, usize)> {
        match self.text.get(at + 1) {
            None => Err((Fault::EndsEarly, at + 1)),
            Some(b'u') => {
                for digit in at + 2..at + 6 {
                    match self.text.get(digit) {
                        None => return Err((Fault::EndsEarly, digit)),
                        Some(byte) if byte.is_ascii_hexdigit() => {}
                        Some(_) => return Err((Fault::Unexpected, digit)),
                    }
                }
                Ok(6)
            }
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(_) => Err((Fault::Unexpected, at + 1)),
        }
    }

    fn number(&mut self) -> Result<(), (Fault, usize)> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, self.at)
    }

    fn digits(&mut self) -> Result<(), (Fault, usize)> {
        let start = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.text.get(self.at) {
            _ if self.at > start => Ok(()),
            None => Err((Fault::EndsEarly, self.at)),
            Some(_) => Err((Fault::Unexpected, self.at)),
        }
    }
}

/// A value inside a [`Document`], as cheap to copy as a reference.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    text: &'a str,
    document: &'a Document,
    index: u32,
}

impl<'a> Value<'a> {
    /// What the value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The exact text of the value.
    #[must_use]
    pub fn raw(self) -> &'a str {
        let node = self.node();
        &self.text[node.start as usize..node.end as usize]
    }

    /// The text of the value for a message, cut off where it grows long.
    #[must_use]
    pub fn brief(self) -> String {
        let raw = self.raw();
        match raw.char_indices().nth(80) {
            Some((end, _)) => format!("{}…", &raw[..end]),
            None => raw.to_owned(),
        }
    }

    /// The byte offset of the value in its frame.
    #[must_use]
    pub fn offset(self) -> usize {
        self.node().start as usize
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Whether it is a string.
    #[must_use]
    pub fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    /// Whether it is a number.
    #[must_use]
    pub fn is_number(self) -> bool {
        self.kind() == Kind::Number
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether it is `true` or `false`.
    #[must_use]
    pub fn is_bool(self) -> bool {
        self.kind() == Kind::Bool
    }

    /// The truth value of a boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        self.is_bool().then(|| self.raw() == "true")
    }

    /// The characters of a string; a lone surrogate becomes U+FFFD (see [`Value::has_lone_surrogate`]).
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        self.is_string().then(|| self.characters())
    }

    fn characters(self) -> Cow<'a, str> {
        unescape(self.raw(), self.node().escaped)
    }

    /// Whether the value is this string.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let node = self.node();
        node.kind == Kind::String && if node.escaped { self.characters() == text } else { self.spells(text) }
    }

    /// Whether the string has an escaped half of a surrogate pair.
    #[must_use]
    pub fn has_lone_surrogate(self) -> bool {
        self.node().escaped && decode(self.raw()).1
    }

    /// The number as `f64`, with all its rounding.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.is_number().then(|| self.raw().parse().ok()).flatten()
    }

    /// The number as `i64`, if it is integral and fits, however it is spelt (`1e3` is 1000).
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        let raw = self.is_number().then(|| self.raw())?;
        raw.parse().ok().or_else(|| Decimal::read(raw)?.to_i64())
    }

    /// Whether it is a number without a fraction, however it is spelt (`1.0` is one).
    #[must_use]
    pub fn is_integral(self) -> bool {
        self.is_number() && Decimal::read(self.raw()).is_some_and(|decimal| decimal.is_integral())
    }

    /// The first member of an object with this key.
    #[must_use]
    pub fn member(self, key: &str) -> Option<Self> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.after } else { 0 };
        let mut index = self.index + 1;
        while index < end {
            let (name, value) = (self.at(index), self.at(index + 1));
            if name.is(key) {
                return Some(value);
            }
            index = value.node().after;
        }
        None
    }

    /// Whether the text between the quotes is this, in a string without escapes.
    fn spells(self, text: &str) -> bool {
        let node = self.node();
        let length = (node.end - node.start) as usize;
        length == text.len() + 2
            && &self.text.as_bytes()[node.start as usize + 1..node.end as usize - 1] == text.as_bytes()
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |value, key| value.member(key))
    }

    /// The members of an object in their order, duplicates included; nothing for other values.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.after } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            (index < end).then(|| {
                let key = self.at(index);
                let value = self.at(index + 1);
                index = value.node().after;
                (key.characters(), value)
            })
        })
    }

    /// The items of an array; nothing for other values.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let node = self.node();
        let end = if node.kind == Kind::Array { node.after } else { 0 };
        let mut index = self.index + 1;
        std::iter::from_fn(move || {
            (index < end).then(|| {
                let value = self.at(index);
                index = value.node().after;
                value
            })
        })
    }

    /// Whether an array or object holds nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.node().after == self.index + 1
    }

    /// Every value in this one, itself first, in the order of the text.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        (self.index..self.node().after).map(move |index| self.at(index))
    }

    /// Whether both are the same JSON value: members in any order, numbers by value, strings by characters.
    #[must_use]
    pub fn same(self, other: Value<'_>) -> bool {
        same(self, other, COMPARED_DEPTH)
    }

    /// The value as a tree for data that nests at most 128 deep; number spelling and duplicate keys are lost.
    #[must_use]
    pub fn to_tree(self) -> Option<Tree> {
        serde_json::from_str(self.raw()).ok()
    }

    fn at(self, index: u32) -> Self {
        Self { index, ..self }
    }

    fn node(self) -> Node {
        self.document.nodes[self.index as usize]
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

fn same(left: Value<'_>, right: Value<'_>, depth: usize) -> bool {
    if left.kind() != right.kind() {
        return false;
    }
    if left.raw() == right.raw() {
        return true;
    }
    match left.kind() {
        Kind::Number => Decimal::read(left.raw()).is_some_and(|number| Decimal::read(right.raw()) == Some(number)),
        Kind::String => left.as_str() == right.as_str(),
        Kind::Array | Kind::Object if depth == 0 => false,
        Kind::Array => {
            let (mut ours, mut theirs) = (left.items(), right.items());
            loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => return true,
                    (Some(a), Some(b)) if same(a, b, depth - 1) => {}
                    _ => return false,
                }
            }
        }
        Kind::Object => {
            let (ours, theirs) = (sorted(left), sorted(right));
            ours.len() == theirs.len()
                && ours.iter().zip(&theirs).all(|((a, x), (b, y))| a == b && same(*x, *y, depth - 1))
        }
        Kind::Null | Kind::Bool => false,
    }
}

fn sorted(object: Value<'_>) -> Vec<(Cow<'_, str>, Value<'_>)> {
    let mut members: Vec<_> = object.members().collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members
}

/// How many bytes at the beginning of a string's text are neither its end nor an escape nor forbidden; perhaps fewer.
fn plain_prefix(text: &[u8]) -> usize {
    const BLOCK: usize = 32;
    // Without a branch for each byte, so that it compiles to a few vector instructions a block.
    let is_plain = |block: &&[u8; BLOCK]| {
        !block.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
    };
    text.as_chunks::<BLOCK>().0.iter().take_while(is_plain).count() * BLOCK
}

fn unescape(raw: &str, escaped: bool) -> Cow<'_, str> {
    if escaped { Cow::Owned(decode(raw).0) } else { Cow::Borrowed(&raw[1..raw.len() - 1]) }
}

/// The characters of a quoted string, and whether half of a surrogate pair stood alone in it.
fn decode(raw: &str) -> (String, bool) {
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
    let mut decoded = String::with_capacity(inner.len());
    let mut lone = false;
    let mut rest = inner;
    while let Some(position) = rest.find('\\') {
        decoded.push_str(&rest[..position]);
        let escape = rest.as_bytes().get(position + 1).copied().unwrap_or(b'\\');
        let mut used = 2;
        match escape {
            b'b' => decoded.push('\u{8}'),
            b'f' => decoded.push('\u{c}'),
            b'n' => decoded.push('\n'),
            b'r' => decoded.push('\r'),
            b't' => decoded.push('\t'),
            b'u' => {
                let first = hex(&rest[position + 2..]);
                used = 6;
                let second = (0xd800..0xdc00)
                    .contains(&first)
                    .then(|| rest[position + 6..].strip_prefix("\\u").map(hex))
                    .flatten()
                    .filter(|low| (0xdc00..0xe000).contains(low));
                let point = match second {
                    Some(low) => {
                        used = 12;
                        0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)
                    }
                    None => first,
                };
                lone |= char::from_u32(point).is_none();
                decoded.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => decoded.push(other as char),
        }
        rest = &rest[position + used..];
    }
    decoded.push_str(rest);
    (decoded, lone)
}

fn hex(text: &str) -> u32 {
    text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

#[cfg(test)]
mod tests;
