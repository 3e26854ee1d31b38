//! Events of a stream, written in any way that the standard allows, and in some that it does not.

use serde_json::Value as Json;

use crate::script::hosting::{EventStyle, LineEnd};
use crate::wire::http::chunk;

/// An event on its way out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) retry: Option<u64>,
    pub(super) data: Option<Vec<u8>>,
}

/// The data of a message as the style wants it: with or without line ends between its tokens.
pub(super) fn laid_out(style: &EventStyle, data: Vec<u8>) -> Vec<u8> {
    let value = serde_json::from_slice::<Json>(&data).ok().filter(|_| style.lines);
    value.and_then(|value| serde_json::to_vec_pretty(&value).ok()).unwrap_or(data)
}

/// What is unusual about a style.
pub(super) fn words(style: &EventStyle) -> Vec<String> {
    let all = [
        (style.end == LineEnd::Cr, "bare CRs"),
        (style.end == LineEnd::CrLf, "CRs and LFs"),
        (style.mark, "a byte order mark"),
        (style.comments, "comments"),
        (style.lines, "data over several lines"),
        (style.tight, "no space behind colons"),
        (style.fields, "fields that nobody knows"),
        (style.empty, "events without data"),
        (style.name.is_some(), "named events"),
        (style.chunks, "chunks that end inside of characters"),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned()).collect()
}

/// What stands at the start of a stream.
pub(super) fn opening(style: &EventStyle) -> Vec<u8> {
    let mut bytes = Vec::new();
    if style.mark {
        bytes.extend_from_slice("\u{feff}".as_bytes());
    }
    if style.comments {
        line(style, &mut bytes, "", b"welcome");
        bytes.extend_from_slice(end(style));
    }
    bytes
}

/// An event with the empty line behind it.
pub(super) fn event(style: &EventStyle, event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    if style.empty {
        line(style, &mut bytes, "data", b"");
        bytes.extend_from_slice(end(style));
    }
    if style.comments {
        line(style, &mut bytes, "", b"still here");
    }
    if style.fields {
        line(style, &mut bytes, "flavour", b"vanilla");
    }
    if let Some(id) = &event.id {
        line(style, &mut bytes, "id", id.as_bytes());
    }
    if let Some(retry) = event.retry {
        line(style, &mut bytes, "retry", retry.to_string().as_bytes());
    }
    if let Some(name) = event.name.as_deref().or(style.name.as_deref()) {
        line(style, &mut bytes, "event", name.as_bytes());
    }
    for data in event.data.iter().flat_map(|data| data.split(|byte| *byte == b'\n')) {
        line(style, &mut bytes, "data", data);
    }
    bytes.extend_from_slice(end(style));
    bytes
}

/// The message in an event that is not finished.
pub(super) const UNFINISHED: &[u8] = br#"{"jsonrpc":"2.0","id":"unfinished","method":"ping"}"#;

/// An event that is not finished.
pub(super) fn unfinished(style: &EventStyle) -> Vec<u8> {
    let mut bytes = Vec::new();
    line(style, &mut bytes, "data", UNFINISHED);
    bytes
}

/// The bytes in chunked coding, if that is how the body is framed, in the pieces in which they are written.
pub(super) fn framed(style: &EventStyle, bytes: &[u8], chunked: bool) -> Vec<Vec<u8>> {
    let frame = |bytes: &[u8]| if chunked { chunk(bytes) } else { bytes.to_vec() };
    if bytes.is_empty() {
        return Vec::new();
    }
    if !style.chunks {
        return vec![frame(bytes)];
    }
    let mut pieces = Vec::new();
    let mut rest = bytes;
    // Behind the first byte of each character of several.
    while let Some(border) = rest.windows(2).position(|pair| pair.get(1).is_some_and(|byte| byte & 0xc0 == 0x80)) {
        let (piece, behind) = rest.split_at(border + 1);
        pieces.push(frame(piece));
        rest = behind;
    }
    let (first, last) = rest.split_at(rest.len() / 2);
    pieces.extend([first, last].into_iter().filter(|piece| !piece.is_empty()).map(frame));
    pieces
}

fn line(style: &EventStyle, bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(if style.tight { b":" } else { b": " });
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(end(style));
}

fn end(style: &EventStyle) -> &'static [u8] {
    match style.end {
        LineEnd::Lf => b"\n",
        LineEnd::Cr => b"\r",
        LineEnd::CrLf => b"\r\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sse;

    #[test]
    fn every_style_reads_as_the_same_message() {
        let message = r#"{"a":["é","世"],"b":"café"}"#.as_bytes().to_vec();
        let styles = [
            EventStyle { lines: true, end: LineEnd::Cr, ..EventStyle::default() },
            EventStyle { mark: true, tight: true, fields: true, ..EventStyle::default() },
            EventStyle { empty: true, comments: true, end: LineEnd::CrLf, ..EventStyle::default() },
        ];
        for style in styles {
            let data = laid_out(&style, message.clone());
            let one = Event { id: Some("7".to_owned()), data: Some(data), ..Event::default() };
            let bytes = [opening(&style), event(&style, &one), unfinished(&style)].concat();
            let mut events = Vec::new();
            sse::Reader::default().push(&bytes, |event| events.push(event));
            let read = events.iter().filter_map(|event| event.data.as_ref()).filter(|data| !data.is_empty());
            let read: Vec<Json> = read.map(|data| serde_json::from_slice(data).unwrap()).collect();
            assert_eq!(read, [serde_json::from_slice::<Json>(&message).unwrap()], "{style:?}");
        }
    }

    #[test]
    fn chunks_end_inside_of_characters() {
        let style = EventStyle { chunks: true, ..EventStyle::default() };
        let pieces = framed(&style, "aé世b".as_bytes(), false);
        assert!(pieces.len() > 3 && pieces.iter().any(|piece| std::str::from_utf8(piece).is_err()));
        assert_eq!(pieces.concat(), "aé世b".as_bytes());
    }
}
