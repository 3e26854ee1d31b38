//! Transcripts as JSON Lines.

use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::{Delivery, Entry, Event, FORMAT, Header, Http, Intent, Transcript, Vitals};
use crate::wire::Frame;

/// The longest line of a transcript that is read, in bytes.
const LONGEST: usize = 256 << 20;

/// Why a file is not a transcript, with the number of the line, counted from 1.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ReadError {
    /// The line.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub kind: ReadErrorKind,
}

/// What is wrong with a line of a transcript.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The file could not be read on.
    #[error("failed to read")]
    Io(#[from] io::Error),
    /// The first line is missing or is no header.
    #[error("not the header of a turncoat transcript: {0}")]
    Header(String),
    /// A later build wrote it.
    #[error("format {0} is newer than this build reads ({FORMAT})")]
    Newer(u32),
    /// A line is no entry.
    #[error("not an entry: {0}")]
    Entry(#[from] serde_json::Error),
    /// The last line has no end: the writer was cut off.
    #[error("the file was cut off in this line")]
    Truncated,
    /// A line is longer than is read.
    #[error("longer than {LONGEST} bytes")]
    TooLong,
    /// A frame's base64 is wrong.
    #[error("not base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    ///
    /// The first line that does not belong to one, truncated files included.
    pub fn read(mut from: impl BufRead) -> Result<Self, ReadError> {
        let mut number = 0;
        let mut header = None;
        let mut entries = Vec::new();
        let mut line = Vec::new();
        loop {
            number += 1;
            let fail = |kind| ReadError { line: number, kind };
            line.clear();
            let read = io::Read::take(&mut from, LONGEST as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|error| fail(error.into()))?;
            if read == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                return Err(fail(if read > LONGEST { ReadErrorKind::TooLong } else { ReadErrorKind::Truncated }));
            }
            if header.is_none() {
                header = Some(read_header(&line).map_err(fail)?);
            } else {
                entries.push(read_entry(&line).map_err(fail)?);
            }
        }
        let header =
            header.ok_or(ReadError { line: 1, kind: ReadErrorKind::Header("the file is empty".to_owned()) })?;
        Ok(Self { header, entries })
    }

    /// Writes the whole transcript.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        write_header(&mut to, &self.header)?;
        self.entries.iter().try_for_each(|entry| write_entry(&mut to, entry))
    }
}

/// Writes the first line.
///
/// # Errors
///
/// Those of the writer.
pub fn write_header(mut to: impl Write, header: &Header) -> io::Result<()> {
    serde_json::to_writer(&mut to, header)?;
    to.write_all(b"\n")
}

/// Writes one line.
///
/// # Errors
///
/// Those of the writer.
pub fn write_entry(mut to: impl Write, entry: &Entry) -> io::Result<()> {
    serde_json::to_writer(&mut to, &Line::from(entry))?;
    to.write_all(b"\n")
}

fn read_header(line: &[u8]) -> Result<Header, ReadErrorKind> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "turncoat-transcript")]
        format: u32,
    }
    let format =
        serde_json::from_slice::<Version>(line).map_err(|error| ReadErrorKind::Header(error.to_string()))?.format;
    if format > FORMAT {
        return Err(ReadErrorKind::Newer(format));
    }
    serde_json::from_slice(line).map_err(|error| ReadErrorKind::Header(error.to_string()))
}

fn read_entry(line: &[u8]) -> Result<Entry, ReadErrorKind> {
    serde_json::from_slice::<Line>(line)?.into_entry()
}

#[derive(Deserialize, Serialize)]
struct Line {
    at: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum What {
    Sent {
        #[serde(flatten)]
        bytes: Bytes,
        #[serde(default, skip_serializing_if = "is_default")]
        intent: Intent,
        #[serde(default, skip_serializing_if = "is_default")]
        delivery: Delivery,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<u32>,
    },
    Received {
        #[serde(flatten)]
        bytes: Bytes,
        #[serde(default, skip_serializing_if = "is_default")]
        cut: bool,
        #[serde(default, skip_serializing_if = "is_default")]
        unfinished: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<u32>,
    },
    Http {
        number: u32,
        #[serde(flatten)]
        what: Http,
    },
    Stderr {
        text: String,
    },
    Wish {
        text: String,
    },
    Surface {
        text: String,
    },
    Aside {
        text: String,
    },
    Connected {
        number: u32,
        #[serde(default, skip_serializing_if = "is_default")]
        beside: bool,
    },
    Signalled {
        signal: i32,
    },
    Canary {
        field: String,
    },
    Expired {
        id: String,
    },
    Settled,
    StoppedReading,
    ReadOn,
    Closed,
    Ended,
    Exited {
        code: Option<i32>,
        signal: Option<i32>,
        #[serde(default, skip_serializing_if = "is_default")]
        orphans: bool,
    },
    Killed,
    Vitals(Vitals),
}

/// The bytes of a frame: as text where they are UTF-8.
#[derive(Deserialize, Serialize)]
struct Bytes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Bytes {
    fn of(frame: &Frame) -> Self {
        match std::str::from_utf8(frame.bytes()) {
            Ok(text) => Self { text: Some(text.to_owned()), base64: None },
            Err(_) => Self { text: None, base64: Some(BASE64.encode(frame.bytes())) },
        }
    }

    fn frame(self) -> Result<Frame, ReadErrorKind> {
        Ok(match (self.text, self.base64) {
            (Some(text), _) => Frame::new(text),
            (None, Some(base64)) => Frame::new(BASE64.decode(base64)?),
            (None, None) => Frame::new(Vec::new()),
        })
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let what = match &entry.event {
            Event::Sent { frame, intent, delivery, via } => {
                What::Sent { bytes: Bytes::of(frame), intent: *intent, delivery: *delivery, via: *via }
            }
            Event::Received { frame, cut, unfinished, via } => {
                What::Received { bytes: Bytes::of(frame), cut: *cut, unfinished: *unfinished, via: *via }
            }
            Event::Http { number, what } => What::Http { number: *number, what: what.clone() },
            Event::Stderr { text } => What::Stderr { text: text.clone() },
            Event::Wish { text } => What::Wish { text: text.clone() },
            Event::Surface { text } => What::Surface { text: text.clone() },
            Event::Aside { text } => What::Aside { text: text.clone() },
            Event::Connected { number, beside } => What::Connected { number: *number, beside: *beside },
            Event::Signalled { signal } => What::Signalled { signal: *signal },
            Event::Canary { field } => What::Canary { field: field.clone() },
            Event::Expired { id } => What::Expired { id: id.clone() },
            Event::Settled => What::Settled,
            Event::StoppedReading => What::StoppedReading,
            Event::ReadOn => What::ReadOn,
            Event::Closed => What::Closed,
            Event::Ended => What::Ended,
            Event::Exited { code, signal, orphans } => What::Exited { code: *code, signal: *signal, orphans: *orphans },
            Event::Killed => What::Killed,
            Event::Vitals(vitals) => What::Vitals(*vitals),
        };
        Self { at: entry.at, what }
    }
}

impl Line {
    fn into_entry(self) -> Result<Entry, ReadErrorKind> {
        let event = match self.what {
            What::Sent { bytes, intent, delivery, via } => Event::Sent { frame: bytes.frame()?, intent, delivery, via },
            What::Received { bytes, cut, unfinished, via } => {
                Event::Received { frame: bytes.frame()?, cut, unfinished, via }
            }
            What::Http { number, what } => Event::Http { number, what },
            What::Stderr { text } => Event::Stderr { text },
            What::Wish { text } => Event::Wish { text },
            What::Surface { text } => Event::Surface { text },
            What::Aside { text } => Event::Aside { text },
            What::Connected { number, beside } => Event::Connected { number, beside },
            What::Signalled { signal } => Event::Signalled { signal },
            What::Canary { field } => Event::Canary { field },
            What::Expired { id } => Event::Expired { id },
            What::Settled => Event::Settled,
            What::StoppedReading => Event::StoppedReading,
            What::ReadOn => Event::ReadOn,
            What::Closed => Event::Closed,
            What::Ended => Event::Ended,
            What::Exited { code, signal, orphans } => Event::Exited { code, signal, orphans },
            What::Killed => Event::Killed,
            What::Vitals(vitals) => Event::Vitals(vitals),
        };
        Ok(Entry { at: self.at, event })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::{Revision, Side};
    use crate::transcript::{Ending, EventData};
    use crate::wire::http::Headers;

    fn http() -> impl Strategy<Value = Http> {
        let headers = || prop::collection::vec((any::<String>(), any::<String>()), 0..3).prop_map(Headers::from);
        prop_oneof![
            (any::<u32>(), any::<String>(), headers()).prop_map(|(client, target, headers)| Http::Request {
                client,
                verb: "POST".to_owned(),
                target,
                headers,
                intent: Intent::Departure,
            }),
            (any::<u16>(), headers()).prop_map(|(status, headers)| Http::Response { status, headers }),
            (any::<Option<String>>(), any::<Option<u64>>(), any::<Option<String>>()).prop_map(|(id, retry, text)| {
                let data = text.map_or(EventData::Message, EventData::Text);
                Http::Event { id, name: None, retry, data }
            }),
            any::<String>().prop_map(|text| Http::Body { text }),
            any::<String>().prop_map(|word| Http::Style { words: vec![word] }),
            any::<String>().prop_map(|why| Http::End { how: Ending::Refused(why) }),
            Just(Http::End { how: Ending::Cut }),
        ]
    }

    fn event() -> impl Strategy<Value = Event> {
        let frame = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Frame::new);
        prop_oneof![
            (frame(), any::<Option<u32>>()).prop_map(|(frame, via)| Event::Sent {
                frame,
                intent: Intent::Departure,
                delivery: Delivery::Split,
                via
            }),
            (frame(), any::<bool>(), any::<bool>(), any::<Option<u32>>())
                .prop_map(|(frame, cut, unfinished, via)| { Event::Received { frame, cut, unfinished, via } }),
            (any::<u32>(), http()).prop_map(|(number, what)| Event::Http { number, what }),
            any::<String>().prop_map(|text| Event::Stderr { text }),
            any::<String>().prop_map(|id| Event::Expired { id }),
            Just(Event::Settled),
            any::<String>().prop_map(|text| Event::Wish { text }),
            any::<String>().prop_map(|text| Event::Surface { text }),
            any::<String>().prop_map(|text| Event::Aside { text }),
            (any::<u32>(), any::<bool>()).prop_map(|(number, beside)| Event::Connected { number, beside }),
            any::<i32>().prop_map(|signal| Event::Signalled { signal }),
            any::<String>().prop_map(|field| Event::Canary { field }),
            Just(Event::StoppedReading),
            Just(Event::ReadOn),
            Just(Event::Closed),
            Just(Event::Ended),
            Just(Event::Killed),
            (any::<Option<i32>>(), any::<Option<i32>>(), any::<bool>())
                .prop_map(|(code, signal, orphans)| Event::Exited { code, signal, orphans }),
            (any::<u64>(), any::<u64>())
                .prop_map(|(peak_bytes, cpu_micros)| Event::Vitals(Vitals { peak_bytes, cpu_micros })),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(events in prop::collection::vec((any::<u64>(), event()), 0..20)) {
            let entries = events.into_iter().map(|(at, event)| Entry { at, event }).collect();
            let header = Header::new(Side::Server, Revision::V2025_11_25);
            let transcript = Transcript { header, entries };
            let mut bytes = Vec::new();
            transcript.write(&mut bytes).unwrap();
            prop_assert_eq!(Transcript::read(&bytes[..]).unwrap(), transcript);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Transcript::read(&bytes[..]);
        }

        #[test]
        fn a_truncated_file_names_its_last_line(keep in 0_usize..400) {
            let header = Header::new(Side::Server, Revision::V2025_11_25);
            let entries = vec![Entry { at: 1, event: Event::Settled }, Entry { at: 2, event: Event::Closed }];
            let mut bytes = Vec::new();
            Transcript { header, entries }.write(&mut bytes).unwrap();
            let kept = &bytes[..keep.min(bytes.len())];
            let line = kept.iter().filter(|byte| **byte == b'\n').count() + 1;
            match Transcript::read(kept) {
                Ok(read) => prop_assert_eq!(read.entries.len() + 2, line),
                Err(error) => prop_assert_eq!(error.line, line),
            }
        }
    }

    #[test]
    fn foreign_files_are_named() {
        let error = Transcript::read(&b"{\"some\":\"json\"}\n"[..]).unwrap_err();
        assert_eq!(error.line, 1);
        assert!(matches!(error.kind, ReadErrorKind::Header(_)));
        let newer = Transcript::read(&b"{\"turncoat-transcript\":99}\n"[..]).unwrap_err();
        assert!(matches!(newer.kind, ReadErrorKind::Newer(99)));
    }
}
