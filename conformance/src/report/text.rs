//! Making text of strangers fit to be shown: visible, bounded, wrapped.
//!
//! A subject writes what it likes, and a terminal obeys what it is sent. Whatever came from a subject passes
//! [`visible`] before it is shown anywhere.

/// The same text with every character spelt out that would steer a terminal or hide from a reader.
///
/// Controls, line breaks, marks that turn the direction of writing, and characters without any shape come out as
/// `\u{1b}`, which no JSON text contains; so an escape of the subject's and one of ours are never confused.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_treacherous(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character steers a terminal, changes the order of its neighbours, or cannot be seen.
#[must_use]
pub fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Shortens a text to at most `limit` characters by taking out its middle, and says how much is gone.
///
/// Both ends of a message matter to a reader: the envelope is at the front, the defect of a cut-off one at the back.
/// A limit too small for the remark keeps the front alone.
#[must_use]
pub fn elide(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    // The remark is written for the most that can be gone, so it never turns out longer than the room made for it.
    let room = limit.saturating_sub(remark(length).chars().count());
    if room == 0 {
        return text.chars().take(limit).collect();
    }
    let tail = room / 3;
    let head: String = text.chars().take(room - tail).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{head}{}{end}", remark(length - room))
}

fn remark(gone: usize) -> String {
    format!("[... {gone} more ...]")
}

/// The front of the text that fits into this many columns, with dots if that is not all.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let front = fold(text, columns.saturating_sub(3)).into_iter().next().unwrap_or_default();
    format!("{front}...")
}

/// How many columns the text takes on a terminal, rather too many than too few.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115f}'
        | '\u{231a}'..='\u{231b}'
        | '\u{23e9}'..='\u{23f3}'
        | '\u{25fd}'..='\u{27bf}'
        | '\u{2b1b}'..='\u{2b55}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe10}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{16fe0}'..='\u{18cff}'
        | '\u{1b000}'..='\u{1b2ff}'
        | '\u{1f000}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text in lines of at most this many columns, broken between words where there are any.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let space = usize::from(!line.is_empty());
        if width(&line) + space + width(word) <= columns {
            line.extend((space == 1).then_some(' '));
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut pieces = fold(word, columns);
        line = pieces.pop().unwrap_or_default();
        lines.append(&mut pieces);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The text in lines of at most this many columns, broken wherever the edge is; nothing is lost.
#[must_use]
pub fn fold(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for character in text.chars() {
        if used + columns(character) > limit {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        used += columns(character);
        line.push(character);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The figure with its noun: `1 session`, `2 sessions`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The names, the first few of many.
#[must_use]
pub fn names<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_spelt_out() {
        assert_eq!(visible("\u{1b}[2J\rok\u{202e}\u{9b}31m"), r"\u{1b}[2J\u{d}ok\u{202e}\u{9b}31m");
        assert_eq!(visible("naïve 日本 {\"a\":1}"), "naïve 日本 {\"a\":1}");
    }

    #[test]
    fn the_middle_goes_first() {
        let long = format!("head{}tail", "x".repeat(1000));
        let short = elide(&long, 60);
        assert!(short.starts_with("head") && short.ends_with("tail"), "{short}");
        assert!(short.contains("[... 967 more ...]"), "{short}");
        assert_eq!(elide("short", 5), "short");
        assert_eq!(elide("longer", 3), "lon");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a extraordinary b", 5), ["a", "extra", "ordin", "ary b"]);
        assert!(wrap("  ", 5).is_empty());
    }

    proptest! {
        #[test]
        fn nothing_treacherous_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_treacherous));
        }

        #[test]
        fn limits_hold(text in any::<String>(), limit in 0usize..80) {
            prop_assert!(elide(&text, limit).chars().count() <= limit);
            for line in wrap(&text, limit.max(2)).iter().chain(&fold(&text, limit.max(2))) {
                prop_assert!(width(line) <= limit.max(2));
            }
        }

        #[test]
        fn folding_loses_nothing(text in any::<String>(), limit in 2usize..80) {
            prop_assert_eq!(fold(&text, limit).concat(), text);
        }
    }
}
