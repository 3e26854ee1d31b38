//! A server behind a URL: a connection to it for each request that cannot have an idle one.
//!
//! The harness must send what a library would refuse to, and see what one would hide; so requests are written as they
//! are, and responses become [`Incoming`]s, whatever they are. Reading and writing go on at once, within bounds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture, Sent};
use crate::revision::Side;
use crate::script::Fixtures;
use crate::transcript::{Ending, EventData, Http, Vitals};
use crate::wire::http::{Endpoint, Headers, Part, Reader, Request, Start};
use crate::wire::{Frame, sse};

mod prompt;
#[cfg(feature = "tls")]
pub mod tls;
pub mod url;

use prompt::Prompt;
pub use url::Url;

/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;
/// The longest body that is kept whole, in bytes.
const LONGEST_BODY: usize = 64 << 20;
/// The most characters of a body that is no message.
const LONGEST_TEXT: usize = 8 << 10;
/// How many connections one session has at once; further requests wait for one that is over. More than any floor asks for.
pub const MOST_CONNECTIONS: usize = 128;
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a connection may be idle and still be used again.
const IDLE: Duration = Duration::from_secs(1);
/// How many incoming things wait for the peer; the subject is not read on beyond them.
const BACKLOG: usize = 256;

/// Anything that a connection can be.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections to one server.
pub trait Connect: Send + Sync {
    /// Opens one.
    fn connect(&self) -> ConnectFuture<'_>;

    /// Vital signs of the server, if it has any that can be seen.
    fn vitals(&self) -> Option<Vitals> {
        None
    }
}

/// The future of [`Connect::connect`].
pub type ConnectFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// A server that is already running, by its URL.
#[derive(Clone)]
pub struct Server {
    url: Url,
    endpoint: Endpoint,
    connect: Arc<dyn Connect>,
    fixtures: Fixtures,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).field("fixtures", &self.fixtures).finish_non_exhaustive()
    }
}

impl Server {
    /// The server at a URL, over plain TCP.
    #[must_use]
    pub fn new(url: Url) -> Self {
        let connect = Arc::new(Tcp { host: url.host().to_owned(), port: url.port() });
        Self::over(url, connect)
    }

    /// The server at an `https` URL, if those who are trusted vouch for it.
    ///
    /// # Errors
    ///
    /// When the authorities cannot be read, or the host is none that a certificate can name.
    #[cfg(feature = "tls")]
    pub fn secure(url: Url, trust: &tls::Trust) -> Result<Self, tls::TlsError> {
        let connect = Arc::new(tls::Tls::new(&url, trust)?);
        Ok(Self::over(url, connect))
    }

    /// The server at a URL, over connections that somebody else opens.
    #[must_use]
    pub fn over(url: Url, connect: Arc<dyn Connect>) -> Self {
        let endpoint =
            Endpoint { authority: url.authority(), target: url.target(), sse: None, headers: Headers::new() };
        Self { url, endpoint, connect, fixtures: Fixtures::new() }
    }

    /// The same, and every request has these header lines.
    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        headers.into_iter().for_each(|(name, value)| self.endpoint.headers.push(name, value));
        self
    }

    /// The same, and scripts may use these fixtures.
    #[must_use]
    pub fn with_fixtures(mut self, fixtures: Fixtures) -> Self {
        self.fixtures = fixtures;
        self
    }
}

impl Adapter for Server {
    fn side(&self) -> Side {
        Side::Server
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            // So that a server that is not there is said to be so before anything else is tried.
            let first =
                open_one(&*self.connect).await.map_err(|source| OpenError { subject: self.url.to_string(), source })?;
            Ok(Box::new(HttpLink::new(Arc::clone(&self.connect), Some(first))) as Box<dyn Link>)
        })
    }

    fn describe(&self) -> Description {
        Description {
            transport: "http".to_owned(),
            command: None,
            url: Some(self.url.to_string()),
            mode: vec!["server".to_owned()],
            target: vec!["--url".to_owned(), self.url.to_string()],
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn fixtures(&self) -> Fixtures {
        self.fixtures.clone()
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        Some(&self.endpoint)
    }
}

struct Tcp {
    host: String,
    port: u16,
}

impl Connect for Tcp {
    fn connect(&self) -> ConnectFuture<'_> {
        Box::pin(async {
            let stream = Prompt::connect(&self.host, self.port).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

async fn open_one(connect: &dyn Connect) -> io::Result<Box<dyn Stream>> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection within 10 seconds");
    timeout(CONNECTING, connect.connect()).await.map_err(late)?
}

/// The requests of one session.
pub(super) struct HttpLink {
    shared: Arc<Shared>,
    running: HashMap<u32, AbortHandle>,
    dropped: HashSet<u32>,
    sender: mpsc::Sender<Incoming>,
    receiver: mpsc::Receiver<Incoming>,
}

struct Shared {
    connect: Arc<dyn Connect>,
    /// Connections that may be used again, each with the time since when.
    idle: Mutex<Vec<(Instant, Box<dyn Stream>)>>,
    slots: Semaphore,
    /// Whether responses are read that were to be left unread.
    reading: watch::Sender<bool>,
}

impl Shared {
    /// A connection that was used before and is open still. One that has been idle for long may be closed by the server
    /// just when it is used, so it is left alone: nobody could tell whether the request was carried out.
    async fn take_idle(&self) -> Option<Box<dyn Stream>> {
        loop {
            let (since, mut stream) = self.idle.lock().ok()?.pop()?;
            if since.elapsed() < IDLE && is_silent(&mut stream).await {
                return Some(stream);
            }
        }
    }

    fn keep_idle(&self, stream: Box<dyn Stream>) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.push((Instant::now(), stream));
        }
    }
}

/// Whether nothing has come on a connection since its last response, not even its end.
async fn is_silent(stream: &mut Box<dyn Stream>) -> bool {
    poll_fn(|context| {
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut *stream).poll_read(context, &mut buffer).is_pending())
    })
    .await
}

impl HttpLink {
    /// A session with a server, on which one connection may be open already.
    pub(super) fn new(connect: Arc<dyn Connect>, first: Option<Box<dyn Stream>>) -> Self {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let slots = Semaphore::new(MOST_CONNECTIONS);
        let shared = Arc::new(Shared {
            connect,
            idle: Mutex::new(first.into_iter().map(|first| (Instant::now(), first)).collect()),
            slots,
            reading: watch::Sender::new(true),
        });
        Self { shared, running: HashMap::new(), dropped: HashSet::new(), sender, receiver }
    }

    async fn step(&mut self) -> Incoming {
        loop {
            // The link holds a sender itself, so the channel never closes.
            let Some(incoming) = self.receiver.recv().await else { continue };
            let number = match &incoming {
                Incoming::Http(number, _) | Incoming::Line { via: Some(number), .. } => *number,
                _ => return incoming,
            };
            if matches!(incoming, Incoming::Http(_, Http::End { .. })) {
                self.running.remove(&number);
            }
            if !self.dropped.contains(&number) {
                return incoming;
            }
        }
    }
}

impl Link for HttpLink {
    fn write(&mut self, _pieces: Vec<Vec<u8>>) {}

    fn request(&mut self, number: u32, request: Request, how: Sent) {
        let shared = Arc::clone(&self.shared);
        let told = Told { number, to: self.sender.clone() };
        let task = tokio::spawn(async move {
            if !how.delay.is_zero() {
                sleep(how.delay).await;
            }
            let ending = exchange(&shared, &told, &request, how).await;
            told.happened(Http::End { how: ending }).await;
        });
        self.running.insert(number, task.abort_handle());
    }

    fn stop_reading(&mut self) {
        self.shared.reading.send_replace(false);
    }

    fn read_on(&mut self) {
        self.shared.reading.send_replace(true);
    }

    fn hang_up(&mut self, number: u32) {
        self.dropped.insert(number);
        if let Some(task) = self.running.remove(&number) {
            task.abort();
        }
    }

    fn close(&mut self) {
        self.running.drain().for_each(|(_, task)| task.abort());
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        self.shared.connect.vitals()
    }
}

impl Drop for HttpLink {
    fn drop(&mut self) {
        self.close();
    }
}

/// Where the parts of one response go.
struct Told {
    number: u32,
    to: mpsc::Sender<Incoming>,
}

impl Told {
    async fn happened(&self, what: Http) {
        // Fails only when the link is gone, and then nobody wants to know.
        let _ = self.to.send(Incoming::Http(self.number, what)).await;
    }

    async fn written(&self) {
        let _ = self.to.send(Incoming::Written).await;
    }

    async fn message(&self, bytes: Vec<u8>, cut: bool, unfinished: bool) {
        let _ = self.to.send(Incoming::Line { bytes, cut, unfinished, via: Some(self.number) }).await;
    }
}

/// Sends a request and takes the response.
async fn exchange(shared: &Shared, told: &Told, request: &Request, how: Sent) -> Ending {
    // Closed only with the link.
    let Ok(_slot) = shared.slots.acquire().await else { return Ending::Dropped };
    let stream = match shared.take_idle().await {
        Some(stream) => stream,
        None => match open_one(&*shared.connect).await {
            Ok(stream) => stream,
            Err(error) => return Ending::Refused(error.to_string()),
        },
    };
    on(stream, shared, told, request, how).await
}

/// The exchange on one connection.
async fn on(mut stream: Box<dyn Stream>, shared: &Shared, told: &Told, request: &Request, how: Sent) -> Ending {
    let Sent { cut, mut unread, .. } = how;
    let mut reading_again = shared.reading.subscribe();
    let mut response = Response { told, reader: Reader::responses(), kind: Kind::None, begun: false, reusable: None };
    let mut pieces: VecDeque<&[u8]> = VecDeque::new();
    let head = request.head();
    // An honest head and body go out together; pieces are there to be told apart.
    let together;
    if request.body.len() == 1 && !cut {
        together = [head.as_slice(), request.body.first().map(Vec::as_slice).unwrap_or_default()].concat();
        pieces.push_back(&together);
    } else {
        pieces.push_back(&head);
        pieces.extend(request.body.iter().map(Vec::as_slice));
    }
    let mut buffer = Vec::with_capacity(CHUNK);
    let (mut reading, mut writing) = tokio::io::split(&mut stream);
    let mut written = 0;
    let ending = loop {
        let piece = pieces.front().copied();
        if piece.is_none() && cut && !response.begun {
            // Half closed: a server that waits for the rest sees that there is none.
            let _ = writing.shutdown().await;
        }
        tokio::select! {
            biased;
            wrote = writing.write(piece.and_then(|piece| piece.get(written..)).unwrap_or_default()), if piece.is_some() => {
                match wrote {
                    Ok(count) => {
                        written += count;
                        if piece.is_none_or(|piece| written >= piece.len()) {
                            let _ = writing.flush().await;
                            pieces.pop_front();
                            written = 0;
                            if unread && pieces.is_empty() {
                                told.written().await;
                            }
                        }
                    }
                    // The server may have answered all the same.
                    Err(_) => pieces.clear(),
                }
            }
            () = read_again(&mut reading_again), if unread => unread = false,
            _ = reading.read_buf(&mut buffer), if !unread => {
                // Nothing is read at the end of the connection, and when it breaks.
                if let Some(ending) = response.took(&buffer).await {
                    break ending;
                }
                buffer.clear();
            }
        }
    };
    let unused = pieces.is_empty() && !cut && response.reusable == Some(true) && response.reader.is_idle();
    if unused {
        shared.keep_idle(stream);
    }
    ending
}

/// Waits until responses are read that were left unread. The sender lives as long as the link.
async fn read_again(reading: &mut watch::Receiver<bool>) {
    let _ = reading.wait_for(|reading| *reading).await;
}

/// A response on its way in.
struct Response<'a> {
    told: &'a Told,
    reader: Reader,
    kind: Kind,
    /// Bytes have come.
    begun: bool,
    reusable: Option<bool>,
}

/// What the body is.
enum Kind {
    /// There is none yet.
    None,
    Events(Box<sse::Reader>),
    Whole {
        status: u16,
        media: Option<String>,
        bytes: Vec<u8>,
        cut: bool,
    },
}

impl Response<'_> {
    /// Takes bytes, none at the end of the connection; gives how the response ended once it did.
    async fn took(&mut self, bytes: &[u8]) -> Option<Ending> {
        self.begun |= !bytes.is_empty();
        self.reader.push(bytes);
        loop {
            let part = match self.reader.next() {
                Ok(Some(part)) => part,
                Ok(None) if bytes.is_empty() => match self.reader.finish() {
                    Ok(Some(part)) => part,
                    _ => {
                        self.finish(true).await;
                        return Some(Ending::Cut);
                    }
                },
                Ok(None) => return None,
                Err(error) => {
                    self.finish(true).await;
                    return Some(Ending::Malformed(error.to_string()));
                }
            };
            match part {
                Part::Head(Start::Response { status }, headers) => {
                    let media = headers.media_type();
                    self.kind = match media.as_deref() {
                        Some("text/event-stream") if (200..300).contains(&status) => Kind::Events(Box::default()),
                        _ => Kind::Whole { status, media, bytes: Vec::new(), cut: false },
                    };
                    self.told.happened(Http::Response { status, headers }).await;
                }
                Part::Head(Start::Request { .. }, _) => {}
                Part::Body(bytes) => self.body(&bytes).await,
                Part::End { reusable } => {
                    self.reusable = Some(reusable);
                    self.finish(false).await;
                    return Some(Ending::Complete);
                }
            }
        }
    }

    async fn body(&mut self, bytes: &[u8]) {
        match &mut self.kind {
            Kind::None => {}
            Kind::Events(reader) => {
                let mut events = Vec::new();
                reader.push(bytes, |event| events.push(event));
                for event in events {
                    tell(self.told, event).await;
                }
            }
            Kind::Whole { bytes: whole, cut, .. } => {
                let room = LONGEST_BODY.saturating_sub(whole.len());
                *cut |= bytes.len() > room;
                whole.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
            }
        }
    }

    /// The body is over, or broken off.
    async fn finish(&mut self, unfinished: bool) {
        match std::mem::replace(&mut self.kind, Kind::None) {
            Kind::None => {}
            Kind::Events(mut reader) => {
                // An event that has no end is dropped by those who keep to the standard, and is seen all the same.
                if let Some(event) = reader.finish() {
                    tell(self.told, event).await;
                }
            }
            Kind::Whole { bytes, .. } if bytes.is_empty() => {}
            Kind::Whole { status, media, bytes, cut } => {
                if is_message(status, media.as_deref(), &bytes) {
                    self.told.message(bytes, cut, unfinished).await;
                } else {
                    self.told.happened(Http::Body { text: shortened(&bytes) }).await;
                }
            }
        }
    }
}

/// Whether a body is there to be judged as a message: JSON-RPC whatever its type, or what claims to be it.
fn is_message(status: u16, media: Option<&str>, bytes: &[u8]) -> bool {
    if (200..300).contains(&status) && media == Some("application/json") {
        return true;
    }
    is_json_rpc(bytes)
}

fn is_json_rpc(bytes: &[u8]) -> bool {
    let frame = Frame::new(bytes);
    let Ok(value) = frame.json() else { return false };
    std::iter::once(value).chain(value.items().take(1)).any(|value| value.member("jsonrpc").is_some())
}

async fn tell(told: &Told, event: sse::Event) {
    let sse::Event { name, id, retry, data, cut, unfinished } = event;
    let bytes = data.filter(|data| !data.is_empty());
    // One under another name is heard too, so that a rule can speak of it.
    let named = name.as_deref().is_some_and(|name| name != "message" && !name.is_empty());
    let is_message = !named || bytes.as_ref().is_some_and(|bytes| is_json_rpc(bytes));
    let kept = match &bytes {
        None => EventData::Empty,
        Some(_) if is_message => EventData::Message,
        Some(bytes) => EventData::Text(shortened(bytes)),
    };
    told.happened(Http::Event { id, name, retry, data: kept }).await;
    if let Some(bytes) = bytes.filter(|_| is_message) {
        told.message(bytes, cut, unfinished).await;
    }
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..LONGEST_TEXT).unwrap_or(bytes)).into_owned()
}
