//! Server-sent events: the event stream format of the HTML standard, read piece by piece.
//!
//! What a browser would hide is kept: events without data, fields that nobody knows, comments, and an event that the end
//! of the stream cut off.

/// The longest event that is kept, in bytes of its lines; the rest is dropped.
const LONGEST: usize = 16 << 20;

/// A block of lines up to an empty one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Event {
    /// The field `event`.
    pub name: Option<String>,
    /// The field `id`.
    pub id: Option<String>,
    /// The field `retry`, in milliseconds, where it is a number.
    pub retry: Option<u64>,
    /// The lines of the fields `data`, joined by newlines; none if there was no such field.
    pub data: Option<Vec<u8>>,
    /// Longer than is kept.
    pub cut: bool,
    /// The stream ended before the empty line.
    pub unfinished: bool,
}

/// Reads a stream of events.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    event: Event,
    /// Something stood in the event: a field, not only comments.
    begun: bool,
    size: usize,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    returned: bool,
    /// Something was read: a byte order mark is one only at the start.
    started: bool,
    comments: u64,
}

impl Reader {
    /// How many comment lines were read.
    #[must_use]
    pub const fn comments(&self) -> u64 {
        self.comments
    }

    /// Takes bytes as they arrive, cut anywhere, and hands over each whole event.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Event)) {
        for byte in bytes {
            let after_return = std::mem::take(&mut self.returned);
            match byte {
                b'\n' if after_return => {}
                b'\n' => self.end_line(&mut each),
                b'\r' => {
                    self.returned = true;
                    self.end_line(&mut each);
                }
                _ if self.size < LONGEST => {
                    self.size += 1;
                    self.line.push(*byte);
                }
                _ => self.event.cut = true,
            }
        }
    }

    /// The stream ended: the event that it cut off, if there was one.
    pub fn finish(&mut self) -> Option<Event> {
        if !self.line.is_empty() {
            self.take_line();
        }
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.begun).then_some(Event { unfinished: true, ..event })
    }

    fn end_line(&mut self, each: &mut impl FnMut(Event)) {
        if !self.line.is_empty() {
            self.take_line();
            return;
        }
        let event = std::mem::take(&mut self.event);
        self.size = 0;
        if std::mem::take(&mut self.begun) {
            each(event);
        }
    }

    fn take_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.started, true) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..'\u{feff}'.len_utf8());
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon {
            Some(0) => {
                self.comments += 1;
                // A comment is no part of an event, however long it is.
                self.size = self.size.saturating_sub(line.len());
                return;
            }
            Some(colon) => (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default()),
            None => (&line[..], &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        self.begun = true;
        match name {
            b"event" => self.event.name = Some(text()),
            b"id" if !value.contains(&0) => self.event.id = Some(text()),
            b"retry" => {
                let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                self.event.retry = text().parse().ok().filter(|_| digits).or(self.event.retry);
            }
            b"data" => match &mut self.event.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.event.data = Some(value.to_vec()),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], piece: usize) -> Vec<Event> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        text.chunks(piece.max(1)).for_each(|piece| reader.push(piece, |event| events.push(event)));
        events.extend(reader.finish());
        events
    }

    fn data(text: &str) -> Event {
        Event { data: Some(text.as_bytes().to_vec()), ..Event::default() }
    }

    #[test]
    fn every_legal_shape_reads() {
        let cases: [(&str, Vec<Event>); 9] = [
            ("data: a\n\n", vec![data("a")]),
            ("data:a\r\n\r\ndata: b\r\rdata:  c\n\n", vec![data("a"), data("b"), data(" c")]),
            ("\u{feff}data: a\ndata:\ndata: b\n\n", vec![data("a\n\nb")]),
            (": hello\n\ndata: a\n: more\n\n:\n", vec![data("a")]),
            ("data\n\n", vec![data("")]),
            (
                "id: 1\nretry: 20\nevent: message\ndata: a\n\n",
                vec![Event { id: Some("1".into()), retry: Some(20), name: Some("message".into()), ..data("a") }],
            ),
            ("id: 7\n\n", vec![Event { id: Some("7".into()), ..Event::default() }]),
            ("retry: +1\ndata: a\n\n", vec![data("a")]),
            ("data: a\n\ndata: b\n", vec![data("a"), Event { unfinished: true, ..data("b") }]),
        ];
        for (text, expected) in cases {
            for piece in [1, 2, 3, text.len()] {
                assert_eq!(read(text.as_bytes(), piece), expected, "{text:?} by {piece}");
            }
        }
    }

    #[test]
    fn an_endless_event_is_cut() {
        let mut reader = Reader::default();
        reader.push(b"data: ", |_| {});
        let chunk = vec![b'x'; 1 << 20];
        (0..20).for_each(|_| reader.push(&chunk, |_| {}));
        let mut events = Vec::new();
        reader.push(b"\n\ndata: next\n\n", |event| events.push(event));
        assert!(events[0].cut && events[0].data.as_ref().is_some_and(|data| data.len() < LONGEST));
        assert_eq!(events[1], data("next"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            texts in prop::collection::vec("[ -~é]{0,12}(\n[ -~]{0,12}){0,2}", 1..5), end in "(\n|\r|\r\n)", piece in 1_usize..20,
        ) {
            let mut written = String::new();
            for text in &texts {
                text.split('\n').for_each(|line| written += &format!("data: {line}{end}"));
                written += &end;
            }
            let expected: Vec<Event> = texts.iter().map(|text| data(text)).collect();
            prop_assert_eq!(read(written.as_bytes(), piece), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..50) {
            let whole = read(&bytes, bytes.len());
            prop_assert_eq!(read(&bytes, piece), whole);
        }
    }
}
