//! Cutting a byte stream at its newlines.

/// The longest line that is kept whole, in bytes: 64 MiB and a little for an envelope.
pub const LONGEST_LINE: usize = (64 << 20) + (1 << 16);

/// Collects bytes and gives back whole lines; linear in the bytes, bounded in memory.
#[derive(Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
    overlong: bool,
}

/// A line, without its newline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// The bytes, at most [`LONGEST_LINE`].
    pub bytes: Vec<u8>,
    /// More bytes came than are kept.
    pub cut: bool,
}

impl Lines {
    /// Takes the next bytes of the stream and calls back with each line that they complete.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(Line)) {
        while let Some(position) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..position]);
            line(self.take());
            bytes = &bytes[position + 1..];
        }
        self.keep(bytes);
    }

    /// What stands behind the last newline, if anything; called at the end of the stream.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.pending.is_empty() || self.overlong).then(|| self.take())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.pending.len());
        self.overlong |= bytes.len() > room;
        self.pending.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take(&mut self) -> Line {
        Line { bytes: std::mem::take(&mut self.pending), cut: std::mem::take(&mut self.overlong) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn borders_are_the_newlines_and_not_the_chunks(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            size in 1_usize..20,
        ) {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for chunk in bytes.chunks(size) {
                lines.push(chunk, |line| found.push(line.bytes));
            }
            found.extend(lines.finish().map(|line| line.bytes));
            let mut expected: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            if expected.last().is_some_and(Vec::is_empty) {
                expected.pop();
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut lines = Lines::default();
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..70 {
            lines.push(&chunk, |_| panic!("no line yet"));
        }
        let line = lines.finish().unwrap();
        assert!(line.cut && line.bytes.len() == LONGEST_LINE);
    }
}
