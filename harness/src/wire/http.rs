//! HTTP/1.1 as it travels: heads and bodies, read piece by piece and written exactly as told.
//!
//! A library would refuse to send what a hostile client sends and would hide what a broken server answers; here both are
//! plain data. Reading is strict only where nobody could go on: what is odd about a head is left in it for the rules.

use serde::{Deserialize, Serialize};

/// The longest head that is read, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// The most header lines that are read.
const MOST_HEADERS: usize = 256;
/// The longest line that says how long a chunk is, in bytes.
const LONGEST_SIZE: usize = 1024;

/// Header lines in the order in which they stand. Values are bytes, each kept as the character of that number.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No lines.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of the first line of this name, whatever its case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The values of all lines of this name, whatever its case.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every line, name and value.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts one line in the place of all lines of this name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let place = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        self.remove(name);
        let place = place.unwrap_or(self.0.len()).min(self.0.len());
        self.0.insert(place, (name.to_owned(), value.into()));
    }

    /// Takes away all lines of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The media type that `Content-Type` names: lower case, without its parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.value("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}

impl From<Vec<(String, String)>> for Headers {
    fn from(lines: Vec<(String, String)>) -> Self {
        Self(lines)
    }
}

/// Where a server is, as an honest client asks for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoint {
    /// Host and port, for the line `Host`.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// Path and query of the stream of HTTP+SSE, where that is another.
    pub sse: Option<String>,
    /// Lines that its operator wants in every request, such as `Authorization`.
    pub headers: Headers,
}

/// A request as it is to be written: the body goes out as it is, whatever the header lines say about it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Request {
    /// The method.
    pub verb: String,
    /// The path and query, or whatever stands in their place.
    pub target: String,
    /// The header lines, those that frame the body included.
    pub headers: Headers,
    /// The bytes behind the head, in the pieces in which they are written.
    pub body: Vec<Vec<u8>>,
}

impl Request {
    /// The bytes of the head, the empty line included.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        head(&format!("{} {} HTTP/1.1", self.verb, self.target), &self.headers)
    }
}

/// The bytes of a response's head, the empty line included.
#[must_use]
pub fn response_head(status: u16, headers: &Headers) -> Vec<u8> {
    head(&format!("HTTP/1.1 {status} {}", reason(status)), headers)
}

fn head(first: &str, headers: &Headers) -> Vec<u8> {
    let mut bytes = to_bytes(first);
    bytes.extend_from_slice(b"\r\n");
    for (name, value) in headers.iter() {
        bytes.extend(to_bytes(name));
        bytes.extend_from_slice(b": ");
        bytes.extend(to_bytes(value));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The bytes of a text whose characters are bytes; others become UTF-8.
fn to_bytes(text: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
    latin.unwrap_or_else(|| text.as_bytes().to_vec())
}

fn from_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// A chunk of a body in chunked coding.
#[must_use]
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}

/// What ends a body in chunked coding.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        _ => "Status",
    }
}

/// The first line of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Start {
    /// Of a request.
    Request {
        /// The method.
        verb: String,
        /// The path and query.
        target: String,
    },
    /// Of a response.
    Response {
        /// The status code.
        status: u16,
    },
}

/// A part of a message that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// The head.
    Head(Start, Headers),
    /// Some of the body, decoded.
    Body(Vec<u8>),
    /// The end of the body as its framing has it.
    End {
        /// Whether another message may follow on the same connection.
        reusable: bool,
    },
}

/// Bytes that are no HTTP/1.1 message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// The head does not parse.
    #[error("the head is not HTTP/1.1: {0}")]
    Head(String),
    /// The head does not end.
    #[error("the head is longer than {LONGEST_HEAD} bytes")]
    LongHead,
    /// A request has lengths that differ, or one that is no number.
    #[error("the length of the body is contradictory or no number")]
    Length,
    /// A chunk has no size.
    #[error("a chunk without a size")]
    Chunk,
    /// The connection ended in the middle.
    #[error("the connection ended before the message did")]
    Ended,
}

/// Reads the messages of one direction of a connection.
#[derive(Debug)]
pub struct Reader {
    requests: bool,
    buffer: Vec<u8>,
    /// How much of the buffer is used up.
    used: usize,
    state: State,
    reusable: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Head,
    /// This many bytes of the body are left.
    Length(u64),
    /// A line with the size of the next chunk comes.
    Size,
    /// This many bytes of the chunk are left, and the line end behind it.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    /// Lines behind the last chunk.
    Trailers,
    /// The body ends with the connection.
    Rest,
    /// The body is over.
    Over,
}

impl Reader {
    /// Reads requests.
    #[must_use]
    pub fn requests() -> Self {
        Self::new(true)
    }

    /// Reads responses.
    #[must_use]
    pub fn responses() -> Self {
        Self::new(false)
    }

    fn new(requests: bool) -> Self {
        Self { requests, buffer: Vec::new(), used: 0, state: State::Head, reusable: false }
    }

    /// Takes bytes as they arrive, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing was read since the last whole message.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Head && self.rest().is_empty()
    }

    /// The next part of what was taken; none where more bytes are needed.
    ///
    /// # Errors
    ///
    /// When the bytes are no HTTP; nothing more can be read then.
    #[expect(clippy::should_implement_trait, reason = "an iterator ends, and this waits for more")]
    pub fn next(&mut self) -> Result<Option<Part>, Malformed> {
        loop {
            match self.state {
                State::Head => return self.head(),
                State::Length(0) | State::Over => {
                    self.state = State::Head;
                    return Ok(Some(Part::End { reusable: self.reusable }));
                }
                State::Length(left) => {
                    let Some(part) = self.take(left) else { return Ok(None) };
                    self.state = State::Length(left.saturating_sub(part.len() as u64));
                    return Ok(Some(Part::Body(part)));
                }
                State::Rest => return Ok(self.take(u64::MAX).map(Part::Body)),
                State::Size => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    let digits: String = line.chars().take_while(char::is_ascii_hexdigit).collect();
                    let size = u64::from_str_radix(&digits, 16).map_err(|_| Malformed::Chunk)?;
                    self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
                }
                State::Chunk(left) => {
                    let Some(part) = self.take(left) else { return Ok(None) };
                    let left = left.saturating_sub(part.len() as u64);
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return Ok(Some(Part::Body(part)));
                }
                State::ChunkEnd => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    if !line.is_empty() {
                        return Err(Malformed::Chunk);
                    }
                    self.state = State::Size;
                }
                State::Trailers => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    if line.is_empty() {
                        self.state = State::Over;
                    }
                }
            }
        }
    }

    /// The connection ended: the last part, or what is wrong with its ending here.
    ///
    /// # Errors
    ///
    /// When a message was under way and its framing had promised more.
    pub fn finish(&mut self) -> Result<Option<Part>, Malformed> {
        match self.state {
            State::Rest => {
                self.state = State::Head;
                Ok(Some(Part::End { reusable: false }))
            }
            State::Head if self.rest().is_empty() => Ok(None),
            _ => Err(Malformed::Ended),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// At most so many of the bytes that are there; none if there are none.
    fn take(&mut self, most: u64) -> Option<Vec<u8>> {
        let rest = self.rest();
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        let part = rest.get(..count).filter(|part| !part.is_empty())?.to_vec();
        self.used += count;
        Some(part)
    }

    /// The next line without its end; none if it is not whole yet.
    fn line(&mut self) -> Result<Option<String>, Malformed> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return if rest.len() > LONGEST_SIZE { Err(Malformed::Chunk) } else { Ok(None) };
        };
        let line = rest.get(..end).unwrap_or_default();
        let line = from_bytes(line.strip_suffix(b"\r").unwrap_or(line));
        self.used += end + 1;
        Ok(Some(line))
    }

    fn head(&mut self) -> Result<Option<Part>, Malformed> {
        loop {
            let Some((size, start, headers)) = self.parse_head()? else {
                return if self.rest().len() > LONGEST_HEAD { Err(Malformed::LongHead) } else { Ok(None) };
            };
            self.used += size;
            // An interim response says nothing yet.
            if matches!(start, Start::Response { status: 100..=199 }) {
                continue;
            }
            self.reusable = !headers.values("connection").any(|value| value.to_ascii_lowercase().contains("close"));
            // Whose length nobody can know, somebody in front may have read in another way.
            if self.requests && !has_one_length(&headers) {
                return Err(Malformed::Length);
            }
            self.state = self.framing(&start, &headers);
            return Ok(Some(Part::Head(start, headers)));
        }
    }

    fn parse_head(&self) -> Result<Option<(usize, Start, Headers)>, Malformed> {
        let mut lines = vec![httparse::EMPTY_HEADER; MOST_HEADERS];
        let fail = |error: httparse::Error| Malformed::Head(error.to_string());
        let (status, start) = if self.requests {
            let mut request = httparse::Request::new(&mut lines);
            let status = request.parse(self.rest()).map_err(fail)?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (status, Start::Request { verb: text(request.method), target: text(request.path) })
        } else {
            let mut response = httparse::Response::new(&mut lines);
            let status = response.parse(self.rest()).map_err(fail)?;
            (status, Start::Response { status: response.code.unwrap_or_default() })
        };
        let httparse::Status::Complete(size) = status else { return Ok(None) };
        let used = lines.iter().filter(|line| !line.name.is_empty());
        let raw = self.rest().get(..size).unwrap_or_default();
        let value = |value| if self.requests { untrimmed(raw, value) } else { value };
        let headers = used.map(|line| (line.name.to_owned(), from_bytes(value(line.value)))).collect::<Vec<_>>();
        Ok(Some((size, start, Headers(headers))))
    }

    fn framing(&self, start: &Start, headers: &Headers) -> State {
        let chunked = headers.values("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"));
        let length = headers.value("content-length").and_then(|value| value.trim().parse::<u64>().ok());
        match (start, length) {
            (Start::Response { status: 204 | 304 }, _) => State::Over,
            _ if chunked => State::Size,
            (_, Some(length)) => State::Length(length),
            (Start::Request { .. }, None) => State::Over,
            (Start::Response { .. }, None) => State::Rest,
        }
    }
}

/// Whether the lines that say how long a body is agree on a number, or there are none.
fn has_one_length(headers: &Headers) -> bool {
    let mut lengths = headers.values("content-length").map(|value| value.trim().parse::<u64>().ok());
    let Some(first) = lengths.next() else { return true };
    first.is_some() && lengths.all(|other| other == first)
}

/// A value with the white space that stood around it, but for the one space that is usual: whether that belongs to the
/// value is what implementations get wrong.
fn untrimmed<'h>(head: &'h [u8], value: &'h [u8]) -> &'h [u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = (value.as_ptr() as usize).checked_sub(head.as_ptr() as usize) else { return value };
    let (Some(before), Some(after)) = (head.get(..start), head.get(start + value.len()..)) else { return value };
    let leading = before.iter().rev().take_while(|byte| is_blank(byte)).count();
    let trailing = after.iter().take_while(|byte| is_blank(byte)).count();
    head.get(start - leading.saturating_sub(1)..start + value.len() + trailing).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that a reader finds, bodies joined; `None` at the end stands for a connection that is broken off.
    fn read(mut reader: Reader, bytes: &[u8], piece: usize) -> Vec<Result<Part, Malformed>> {
        let mut parts: Vec<Result<Part, Malformed>> = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            reader.push(piece);
            loop {
                match reader.next() {
                    Ok(None) => break,
                    Ok(Some(Part::Body(more))) => match parts.last_mut() {
                        Some(Ok(Part::Body(body))) => body.extend(more),
                        _ => parts.push(Ok(Part::Body(more))),
                    },
                    Ok(Some(part)) => parts.push(Ok(part)),
                    Err(error) => {
                        parts.push(Err(error));
                        return parts;
                    }
                }
            }
        }
        match reader.finish() {
            Ok(None) => {}
            Ok(Some(part)) => parts.push(Ok(part)),
            Err(error) => parts.push(Err(error)),
        }
        parts
    }

    fn head(status: u16, lines: &[(&str, &str)]) -> Part {
        let lines = lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        Part::Head(Start::Response { status }, Headers(lines))
    }

    #[test]
    fn bodies_end_as_their_framing_says() {
        let end = |reusable| Ok(Part::End { reusable });
        let body = |text: &str| Ok(Part::Body(text.as_bytes().to_vec()));
        let cases = [
            (
                "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi",
                vec![Ok(head(200, &[("A", "b"), ("Content-Length", "2")])), body("hi"), end(true)],
            ),
            (
                "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n2;x=y\r\nhi\r\n1\n!\n0\r\nT: u\r\n\r\n",
                vec![Ok(head(200, &[("Transfer-Encoding", "Chunked")])), body("hi!"), end(true)],
            ),
            ("HTTP/1.0 200\r\n\r\nall the rest", vec![Ok(head(200, &[])), body("all the rest"), end(false)]),
            (
                "HTTP/1.1 204 No\r\nConnection: close\r\n\r\n",
                vec![Ok(head(204, &[("Connection", "close")])), end(false)],
            ),
            (
                "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 202 A\r\nContent-Length: 0\r\n\r\n",
                vec![Ok(head(202, &[("Content-Length", "0")])), end(true)],
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
                vec![Ok(head(200, &[("Content-Length", "9")])), body("hi"), Err(Malformed::Ended)],
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                vec![Ok(head(200, &[("Transfer-Encoding", "chunked")])), Err(Malformed::Chunk)],
            ),
        ];
        for (text, expected) in cases {
            for piece in [1, 7, text.len()] {
                assert_eq!(read(Reader::responses(), text.as_bytes(), piece), expected, "{text:?} by {piece}");
            }
        }
        assert!(matches!(read(Reader::responses(), b"<html>", 6)[..], [Err(Malformed::Head(_))]));
    }

    #[test]
    fn header_lines_keep_order_case_and_bytes() {
        let mut headers = Headers::new();
        for (name, value) in [("A", "1"), ("b", "\u{e9}"), ("a", "2")] {
            headers.push(name, value);
        }
        assert_eq!(headers.values("a").collect::<Vec<_>>(), ["1", "2"]);
        headers.set("A", "3");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("A", "3"), ("b", "\u{e9}")]);
        let request = Request { verb: "GET".into(), target: "/x".into(), headers, body: Vec::new() };
        assert_eq!(request.head(), b"GET /x HTTP/1.1\r\nA: 3\r\nb: \xe9\r\n\r\n");
    }

    proptest! {
        #[test]
        fn requests_read_back_cut_anywhere(
            lines in prop::collection::vec(("[A-Za-z][A-Za-z-]{0,9}", "[!-~]([ -~]{0,9}[!-~])?"), 0..6),
            body in prop::collection::vec(any::<u8>(), 0..60),
            chunked in any::<bool>(),
            piece in 1_usize..40,
        ) {
            let special = ["connection", "content-length", "transfer-encoding"];
            let mut headers: Headers = lines.into_iter()
                .filter(|(name, _)| !special.contains(&name.to_ascii_lowercase().as_str())).collect::<Vec<_>>().into();
            let framed = if chunked {
                headers.push("Transfer-Encoding", "chunked");
                let mut framed: Vec<u8> = body.chunks(7).flat_map(chunk).collect();
                framed.extend_from_slice(LAST_CHUNK);
                framed
            } else {
                headers.push("Content-Length", body.len().to_string());
                body.clone()
            };
            let request = Request { verb: "POST".into(), target: "/mcp?x".into(), headers: headers.clone(), body: vec![] };
            let parts = read(Reader::requests(), &[request.head(), framed].concat(), piece);
            let start = Start::Request { verb: "POST".into(), target: "/mcp?x".into() };
            let mut expected = vec![Ok(Part::Head(start, headers))];
            if !body.is_empty() {
                expected.push(Ok(Part::Body(body)));
            }
            expected.push(Ok(Part::End { reusable: true }));
            prop_assert_eq!(parts, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..50) {
            read(Reader::responses(), &bytes, piece);
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            read(Reader::responses(), &[&head[..], &bytes].concat(), piece);
        }
    }
}
