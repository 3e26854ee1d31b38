//! Readers against arbitrary bytes: they agree with an independent reading, and with themselves.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::script::{self, Script};
use crate::transcript::Transcript;
use crate::wire::lines::Lines;
use crate::wire::{Document, Frame, Id, Kind, Value};

/// Reads bytes as a frame.
///
/// # Panics
///
/// If serde_json disagrees on what is JSON or what a string, integer or object is, or if a value is not itself.
pub fn json(bytes: &[u8]) {
    let frame = Frame::new(bytes);
    let expected = serde_json::from_slice::<&RawValue>(bytes).map(RawValue::get);
    let root = match (frame.json(), expected) {
        (Ok(root), Ok(raw)) => {
            assert_eq!(root.raw(), raw.trim_matches([' ', '\t', '\r', '\n']));
            root
        }
        (Err(_), Err(_)) => return,
        (ours, theirs) => panic!("{ours:?}, but serde_json says {theirs:?}"),
    };
    let mut repeated = 0;
    for value in root.descendants() {
        let again = Document::parse(value.raw()).expect("a value is a document");
        assert!(value.same(again.root(value.raw())), "{value} is not itself");
        assert_eq!(value.offset(), value.raw().as_ptr() as usize - frame.bytes().as_ptr() as usize);
        match value.kind() {
            Kind::String => match serde_json::from_str::<String>(value.raw()) {
                Ok(text) => assert!(value.is(&text) && !value.has_lone_surrogate(), "{value} is not {text:?}"),
                Err(_) => assert!(value.has_lone_surrogate(), "{value} is no string to serde_json"),
            },
            Kind::Number => {
                let _ = (value.as_f64(), value.is_integral());
                if let Ok(number) = value.raw().parse::<i64>() {
                    assert_eq!(value.as_i64(), Some(number));
                }
            }
            Kind::Object => {
                let mut known = HashSet::new();
                for (key, inner) in value.members() {
                    let first = value.member(&key).expect("a key of the object").offset() == inner.offset();
                    assert_eq!(first, known.insert(key.clone()), "{key:?} in {value}");
                    assert!(
                        value.member(inner.raw()).is_none_or(|_| value.members().any(|(key, _)| key == inner.raw()))
                    );
                    repeated += usize::from(!first);
                }
            }
            Kind::Array => assert!(value.items().count() < value.descendants().count()),
            Kind::Null | Kind::Bool => {}
        }
    }
    assert_eq!(frame.has_duplicate_keys(), repeated > 0);
    ids(root);
}

/// Ids are equal exactly if their values are the same.
fn ids(root: Value<'_>) {
    let scalars: Vec<_> = root.descendants().filter(|value| !value.is_array() && !value.is_object()).take(12).collect();
    for left in &scalars {
        for right in &scalars {
            let (a, b) = (Id::read(*left), Id::read(*right));
            assert_eq!(a == b, left.same(*right), "{left} and {right}");
            assert!(!(a.resembles(&b) && a == b));
            let _ = (a.is_legal(), a.is_safe(), a.is_null());
        }
    }
}

/// Cuts a stream into lines, reading it in chunks of these sizes in turn.
///
/// # Panics
///
/// If the lines are not what stands between newlines.
pub fn cuts(sizes: &[u8], bytes: &[u8]) {
    let (mut lines, mut found, mut rest) = (Lines::default(), Vec::new(), bytes);
    for size in sizes.iter().cycle().take(bytes.len()) {
        let (chunk, after) = rest.split_at(usize::from(*size).min(rest.len()));
        lines.push(chunk, |line| found.push(line.bytes));
        rest = after;
    }
    lines.push(rest, |line| found.push(line.bytes));
    found.extend(lines.finish().map(|line| line.bytes));
    let mut expected: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if expected.last().is_some_and(Vec::is_empty) {
        expected.pop();
    }
    assert_eq!(found, expected);
}

/// Reads bytes as a transcript.
///
/// # Panics
///
/// If what was read is not read again from what it is written as.
#[must_use]
pub fn transcript_file(bytes: &[u8]) -> Option<Transcript> {
    let transcript = Transcript::read(bytes).ok()?;
    let mut written = Vec::new();
    transcript.write(&mut written).expect("memory can be written");
    assert_eq!(Transcript::read(&written[..]).expect("what was written can be read"), transcript);
    Some(transcript)
}

/// Reads bytes as a script.
///
/// # Panics
///
/// If a mistake is not within the file, or what is written of a script reads as another one.
pub fn script_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match script::file::read("arbitrary.toml", "arbitrary", &text) {
        Ok(script) => {
            rewritten(&script);
        }
        Err(error) => {
            let line = text.split('\n').nth(error.line - 1).expect("the line is in the file");
            assert!(error.column <= line.chars().count() + 1, "{error} is beyond {line:?}");
        }
    }
}

/// Writes a script that plays the client, and reads it again.
///
/// # Panics
///
/// If that cannot be done, or would be written otherwise the second time.
pub fn rewritten(script: &Script) -> Option<Script> {
    let text = script::file::write(script)?;
    let again = script::file::read("written.toml", &script.name, &text).expect("what was written can be read");
    assert_eq!(script::file::write(&again).as_ref(), Some(&text), "a script changes by being written");
    Some(again)
}
