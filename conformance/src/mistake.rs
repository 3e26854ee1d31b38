//! Mistakes in files that people write, pointing at the place.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A mistake in a file: where, in which key, and what is wrong.
///
/// Displayed it is `file:line:column: key: what`, the line itself, and a mark below the place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct FileMistake {
    /// The file.
    pub path: PathBuf,
    /// The place; none if the file could not be read at all.
    pub place: Option<Place>,
    /// What is wrong.
    pub what: String,
}

/// A place in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The key whose value it is, if it is one.
    pub key: Option<String>,
    /// The whole line.
    pub text: String,
    /// How many characters of the line are meant; at least one.
    pub length: usize,
}

impl FileMistake {
    /// The file cannot be read.
    #[must_use]
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self { path: path.to_owned(), place: None, what: format!("cannot be read: {error}") }
    }

    /// Something is wrong with these bytes of the text.
    #[must_use]
    pub fn at(path: &Path, text: &str, span: Range<usize>, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place: Some(Place::of(text, span)), what: what.into() }
    }

    /// What the TOML reader objects to.
    #[must_use]
    pub fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        Self::at(path, text, error.span().unwrap_or(0..0), error.message())
    }
}

impl fmt::Display for FileMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, place, what } = self;
        let Some(Place { line, column, key, text, length }) = place else {
            return write!(f, "{}: {what}", path.display());
        };
        let key = key.as_ref().map(|key| format!("`{key}`: ")).unwrap_or_default();
        writeln!(f, "{}:{line}:{column}: {key}{what}", path.display())?;
        let number = line.to_string();
        let gap = " ".repeat(number.len());
        // Tabs are copied, so that the mark stands below its place however wide they are.
        let before: String =
            text.chars().take(column - 1).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "{gap} |")?;
        writeln!(f, "{number} | {text}")?;
        write!(f, "{gap} | {before}{}", "^".repeat(*length))
    }
}

impl Place {
    fn of(text: &str, span: Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let (before, rest) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let head = before.get(line_start..).unwrap_or_default();
        let tail = rest.lines().next().unwrap_or_default();
        let wanted = text.get(start..span.end.max(start)).unwrap_or(tail);
        let length = wanted.lines().next().unwrap_or_default().chars().count().max(1);
        Self {
            line: before.matches('\n').count() + 1,
            column: head.chars().count() + 1,
            key: key_before(head),
            text: format!("{head}{tail}"),
            length,
        }
    }
}

/// The key that the front of a line ends with: `a = { b = ` has `b`.
fn key_before(head: &str) -> Option<String> {
    let head = head.trim_end().strip_suffix('=')?.trim_end();
    if let Some(quote) = head.chars().next_back().filter(|last| matches!(last, '"' | '\'')) {
        let open = head.get(..head.len() - 1)?.rfind(quote)?;
        return head.get(open..).map(str::to_owned);
    }
    let start = head
        .char_indices()
        .rev()
        .take_while(|(_, character)| character.is_alphanumeric() || "_-.".contains(*character))
        .last()
        .map_or(head.len(), |(position, _)| position);
    head.get(start..).filter(|key| !key.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_at_the_place() {
        let text = "[a]\n\tb = { cé = 12, d = 1 }\n";
        let start = text.find("12").unwrap();
        let mistake = FileMistake::at(Path::new("x.toml"), text, start..start + 2, "not a string");
        let shown = mistake.to_string();
        assert_eq!(shown, "x.toml:2:13: `cé`: not a string\n  |\n2 | \tb = { cé = 12, d = 1 }\n  | \t           ^^");
    }

    proptest! {
        #[test]
        fn never_fails(text in any::<String>(), start in 0usize..50, length in 0usize..50) {
            let _ = FileMistake::at(Path::new("x"), &text, start..start + length, "no").to_string();
        }
    }
}
