//! A link over anything that reads and writes.

use std::collections::VecDeque;
use std::future::pending;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};

use super::{Incoming, Link, NextFuture};
use crate::wire::lines::{Line, Lines};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Reads lines and writes pieces, both at once so that neither side can block the other.
#[derive(Debug)]
pub(super) struct Pump<R, W> {
    reader: Option<R>,
    writer: Option<W>,
    closing: bool,
    queue: VecDeque<Vec<u8>>,
    /// How much of the first piece in the queue is written.
    written: usize,
    lines: Lines,
    ready: VecDeque<Incoming>,
    buffer: Vec<u8>,
    reading: bool,
    /// That all is written was said since nothing is read.
    told: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<R, W> {
    pub(super) fn new(reader: R, writer: W) -> Self {
        Self {
            reader: Some(reader),
            writer: Some(writer),
            closing: false,
            queue: VecDeque::new(),
            written: 0,
            lines: Lines::default(),
            ready: VecDeque::new(),
            buffer: Vec::new(),
            reading: true,
            told: false,
        }
    }

    pub(super) fn write(&mut self, pieces: Vec<Vec<u8>>) {
        if self.writer.is_some() {
            self.queue.extend(pieces);
        }
    }

    pub(super) fn stop_reading(&mut self) {
        (self.reading, self.told) = (false, false);
    }

    pub(super) fn read_on(&mut self) {
        self.reading = true;
    }

    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// The next line or the end of the output; pends for ever after that. Cancel-safe.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return incoming;
            }
            if !self.reading && self.queue.is_empty() && !std::mem::replace(&mut self.told, true) {
                return Incoming::Written;
            }
            self.buffer.resize(CHUNK, 0);
            let Self { reader, writer, queue, written, closing, buffer, reading, .. } = self;
            tokio::select! {
                read = read_some(reader.as_mut(), buffer), if *reading => self.took(read),
                () = write_some(writer, queue, written, *closing) => {}
            }
        }
    }

    fn took(&mut self, count: usize) {
        if count > 0 {
            let Self { lines, ready, buffer, .. } = self;
            lines.push(&buffer[..count.min(buffer.len())], |line| ready.push_back(incoming(line, false)));
            return;
        }
        self.reader = None;
        self.ready.extend(self.lines.finish().map(|line| incoming(line, true)));
        self.ready.push_back(Incoming::Ended);
    }
}

fn incoming(line: Line, unfinished: bool) -> Incoming {
    Incoming::Line { bytes: line.bytes, cut: line.cut, unfinished, via: None }
}

/// Reads; zero at the end, which an error is too. Pends without a reader.
async fn read_some<R: AsyncRead + Unpin>(reader: Option<&mut R>, buffer: &mut [u8]) -> usize {
    match reader {
        Some(reader) => reader.read(buffer).await.unwrap_or(0),
        None => pending().await,
    }
}

/// Writes some of the queue, or closes behind it. Pends when there is nothing to do.
async fn write_some<W: AsyncWrite + Unpin>(
    writer: &mut Option<W>,
    queue: &mut VecDeque<Vec<u8>>,
    written: &mut usize,
    closing: bool,
) {
    let Some(open) = writer.as_mut() else { return pending().await };
    let Some(piece) = queue.front() else {
        if closing {
            let _ = open.shutdown().await;
            *writer = None;
            return;
        }
        return pending().await;
    };
    let rest = piece.get(*written..).unwrap_or_default();
    let done = if rest.is_empty() { Ok(0) } else { open.write(rest).await };
    match done {
        Ok(count) => {
            *written += count;
            if *written >= piece.len() {
                let _ = open.flush().await;
                queue.pop_front();
                *written = 0;
                tokio::task::yield_now().await;
            }
        }
        // The subject closed its input: what it says and how it ends is still of interest.
        Err(_) => {
            *writer = None;
            queue.clear();
        }
    }
}

/// A link over one end of a stream; the subject is gone when its output has ended.
struct StreamLink<T> {
    pump: Pump<ReadHalf<T>, WriteHalf<T>>,
    ended: bool,
}

/// A link over one end of a stream in memory, such as one of [`tokio::io::duplex`].
#[must_use]
pub fn duplex(end: DuplexStream) -> Box<dyn Link> {
    over(end)
}

/// A link over anything that reads and writes.
pub fn over<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(stream: T) -> Box<dyn Link> {
    let (reader, writer) = tokio::io::split(stream);
    Box::new(StreamLink { pump: Pump::new(reader, writer), ended: false })
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Link for StreamLink<T> {
    fn write(&mut self, pieces: Vec<Vec<u8>>) {
        self.pump.write(pieces);
    }

    fn stop_reading(&mut self) {
        self.pump.stop_reading();
    }

    fn read_on(&mut self) {
        self.pump.read_on();
    }

    fn close(&mut self) {
        self.pump.close();
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(async move {
            if std::mem::take(&mut self.ended) {
                return Incoming::Exited { code: Some(0), signal: None, orphans: false };
            }
            let incoming = self.pump.next().await;
            self.ended = incoming == Incoming::Ended;
            incoming
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_writes_on_and_hears_all_later() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut link = duplex(near);
        link.stop_reading();
        link.write(vec![b"a\n".to_vec(), b"b\n".to_vec()]);
        far.write_all(b"x\ny\n").await.unwrap();
        assert_eq!(link.next().await, Incoming::Written);
        assert!(timeout(Duration::from_secs(60), link.next()).await.is_err(), "said once, and nothing is read");
        let mut taken = [0; 4];
        far.read_exact(&mut taken).await.unwrap();
        assert_eq!(&taken, b"a\nb\n");
        link.read_on();
        for line in [b"x", b"y"] {
            let Incoming::Line { bytes, .. } = link.next().await else { panic!("a line comes") };
            assert_eq!(bytes, line);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_taken_is_not_said_to_be_written() {
        let (near, _far) = tokio::io::duplex(8);
        let mut link = duplex(near);
        link.stop_reading();
        link.write(vec![vec![b'a'; 64]]);
        assert!(timeout(Duration::from_secs(60), link.next()).await.is_err());
    }
}
