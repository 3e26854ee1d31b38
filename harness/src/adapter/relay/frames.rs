//! How a relay and the harness talk: frames of a tag, a length in four bytes (the most significant first), and as many bytes.
//!
//! Not a public format: both ends are always the same build.

/// The most bytes in one frame; whoever sends more is not one of ours.
pub const LONGEST: usize = 1 << 20;

const HEAD: usize = 5;

/// Something that one end tells the other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// From the relay, first of all: the token that it was given.
    Hello(String),
    /// Bytes: from the relay of its input, from the harness for its output.
    Data(Vec<u8>),
    /// From the relay: its input ended.
    Ended,
    /// From the relay: somebody sent it this signal.
    Signal(i32),
    /// From the relay: it is about to end.
    Bye,
    /// From the harness: text for its standard error.
    Stderr(Vec<u8>),
    /// From the harness: it closes its output.
    CloseOutput,
    /// From the harness: it ends with this status.
    Exit(i32),
    /// From the harness: it outlives signals that ask it to end.
    Endure,
}

impl Frame {
    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let number = |number: &i32| number.to_be_bytes().to_vec();
        let (tag, body) = match self {
            Self::Hello(token) => (b'h', token.clone().into_bytes()),
            Self::Data(bytes) => (b'd', bytes.clone()),
            Self::Ended => (b'e', Vec::new()),
            Self::Signal(signal) => (b's', number(signal)),
            Self::Bye => (b'b', Vec::new()),
            Self::Stderr(text) => (b't', text.clone()),
            Self::CloseOutput => (b'c', Vec::new()),
            Self::Exit(status) => (b'x', number(status)),
            Self::Endure => (b'n', Vec::new()),
        };
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        [&[tag][..], &length.to_be_bytes(), &body].concat()
    }

    /// Bytes as frames that are short enough.
    pub fn data(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks(LONGEST).map(|chunk| Self::Data(chunk.to_vec()))
    }

    fn read(tag: u8, body: &[u8]) -> Option<Self> {
        let number = || Some(i32::from_be_bytes(body.try_into().ok()?));
        Some(match tag {
            b'h' => Self::Hello(std::str::from_utf8(body).ok()?.to_owned()),
            b'd' => Self::Data(body.to_vec()),
            b'e' => Self::Ended,
            b's' => Self::Signal(number()?),
            b'b' => Self::Bye,
            b't' => Self::Stderr(body.to_vec()),
            b'c' => Self::CloseOutput,
            b'x' => Self::Exit(number()?),
            b'n' => Self::Endure,
            _ => return None,
        })
    }
}

/// Cuts a stream into frames; bounded in memory.
#[derive(Debug, Default)]
pub struct Frames {
    pending: Vec<u8>,
}

/// The other end is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("what came is no frame")]
pub struct NoFrame;

impl Frames {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next frame, if it is complete.
    ///
    /// # Errors
    ///
    /// What came is no frame; nothing behind it can be read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, NoFrame> {
        let Some(([tag, length @ ..], rest)) = self.pending.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(NoFrame);
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let frame = Frame::read(*tag, body).ok_or(NoFrame)?;
        self.pending.drain(..HEAD + length);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        prop_oneof![
            "[a-f0-9]{0,32}".prop_map(Frame::Hello),
            bytes().prop_map(Frame::Data),
            Just(Frame::Ended),
            any::<i32>().prop_map(Frame::Signal),
            Just(Frame::Bye),
            bytes().prop_map(Frame::Stderr),
            Just(Frame::CloseOutput),
            any::<i32>().prop_map(Frame::Exit),
            Just(Frame::Endure),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_however_it_is_cut(frames in prop::collection::vec(frame(), 0..8), size in 1_usize..20) {
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
            let (mut reader, mut read) = (Frames::default(), Vec::new());
            for chunk in bytes.chunks(size) {
                reader.push(chunk);
                while let Some(frame) = reader.next_frame().unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut reader = Frames::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next_frame() {}
        }
    }

    #[test]
    fn what_is_too_long_is_no_frame() {
        let mut reader = Frames::default();
        reader.push(b"GET / HTTP/1.1\r\n");
        assert!(reader.next_frame().is_err());
    }
}
