//! The reference server on HTTP connections, in memory or on a socket: the one place where its gateway meets the wire.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::embedded::fixtures;
use super::http::{Connect, ConnectFuture, HttpLink, Stream};
use super::{Adapter, Description, Link, OpenFuture};
use crate::reference::Behaviour;
use crate::reference::http::{Gateway, Reaction, Request};
use crate::revision::Side;
use crate::script::Fixtures;
use crate::transcript::Vitals;
use crate::wire::http::{Endpoint, Headers, LAST_CHUNK, Malformed, Part, Reader, Start, chunk, response_head};

/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;
/// How much a connection in memory holds in each direction, in bytes.
const PIPE: usize = 64 << 10;
/// The longest body that is handed over, in bytes; the gateway's own bound is lower.
const LONGEST_BODY: usize = 5 << 20;

/// The embedded reference server with some behaviour, over HTTP in memory; time is tokio's.
#[derive(Clone, Debug)]
pub struct EmbeddedHttp {
    behaviour: Behaviour,
    options: Vec<String>,
    endpoint: Endpoint,
}

impl EmbeddedHttp {
    /// A server that behaves like this.
    #[must_use]
    pub fn server(behaviour: Behaviour) -> Self {
        let endpoint = Endpoint {
            authority: "127.0.0.1".to_owned(),
            target: "/mcp".to_owned(),
            sse: Some("/sse".to_owned()),
            headers: Headers::new(),
        };
        Self { behaviour, options: vec!["--http".to_owned()], endpoint }
    }

    /// The same, with further options of `turncoat check` that lead to this behaviour, for replay commands.
    #[must_use]
    pub fn called(mut self, options: Vec<String>) -> Self {
        self.options.extend(options);
        self
    }
}

impl Adapter for EmbeddedHttp {
    fn side(&self) -> Side {
        Side::Server
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let connect = Arc::new(Memory::new(self.behaviour.clone()));
            Ok(Box::new(HttpLink::new(connect, None)) as Box<dyn Link>)
        })
    }

    fn describe(&self) -> Description {
        Description {
            transport: "http in memory".to_owned(),
            command: None,
            url: None,
            mode: self.options.clone(),
            target: Vec::new(),
        }
    }

    fn fixtures(&self) -> Fixtures {
        fixtures()
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        Some(&self.endpoint)
    }
}

/// Connections in memory to a server of their own.
struct Memory {
    host: Arc<Host>,
    clock: AbortHandle,
}

impl Memory {
    fn new(behaviour: Behaviour) -> Self {
        let host = Arc::new(Host::new(behaviour));
        let clock = tokio::spawn(Arc::clone(&host).keep_time()).abort_handle();
        Self { host, clock }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

impl Connect for Memory {
    fn connect(&self) -> ConnectFuture<'_> {
        Box::pin(async {
            if self.host.exited().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionRefused));
            }
            let (near, far) = tokio::io::duplex(PIPE);
            tokio::spawn(Arc::clone(&self.host).serve(Box::new(far)));
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }

    fn vitals(&self) -> Option<Vitals> {
        let vitals = self.host.state.lock().ok()?.gateway.vitals();
        let cpu_micros = u64::try_from(vitals.cpu.as_micros()).unwrap_or(u64::MAX);
        Some(Vitals { peak_bytes: vitals.peak_bytes, cpu_micros })
    }
}

/// Serves on a socket until the server ends, and gives the exit status that it ended with.
///
/// # Errors
///
/// Those of the socket.
pub async fn serve(behaviour: Behaviour, listener: TcpListener) -> io::Result<i32> {
    let host = Arc::new(Host::new(behaviour));
    tokio::spawn(Arc::clone(&host).keep_time());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(Arc::clone(&host).serve(Box::new(stream)));
            }
            () = host.ended.notified() => return Ok(host.exited().unwrap_or_default()),
        }
    }
}

/// A gateway and those who wait for what it says.
struct Host {
    state: Mutex<State>,
    start: Instant,
    /// The gateway may want to be woken at another time than before.
    stirred: Notify,
    ended: Notify,
    /// Held while a response is written, by a server that writes one at a time.
    writing: tokio::sync::Mutex<()>,
    one_at_a_time: bool,
    keeps_half_closed: bool,
}

struct State {
    gateway: Gateway,
    last: u32,
    waiting: HashMap<u32, mpsc::UnboundedSender<Reaction>>,
}

impl State {
    fn hand_out(&mut self, reactions: Vec<Reaction>) {
        for reaction in reactions {
            let (Reaction::Head { number, .. }
            | Reaction::Whole { number, .. }
            | Reaction::Data { number, .. }
            | Reaction::End { number }
            | Reaction::Abort { number }) = &reaction;
            if let Some(waiting) = self.waiting.get(number) {
                let _ = waiting.send(reaction);
            }
        }
    }
}

impl Host {
    fn new(behaviour: Behaviour) -> Self {
        let one_at_a_time = behaviour.has("waits-for-slow-readers");
        let keeps_half_closed = behaviour.has("keeps-half-closed");
        let state = State { gateway: Gateway::new(behaviour), last: 0, waiting: HashMap::new() };
        Self {
            state: Mutex::new(state),
            start: Instant::now(),
            stirred: Notify::new(),
            ended: Notify::new(),
            writing: tokio::sync::Mutex::default(),
            one_at_a_time,
            keeps_half_closed,
        }
    }

    fn exited(&self) -> Option<i32> {
        self.state.lock().ok()?.gateway.exited()
    }

    /// Lets the gateway do something and hands out what comes of it.
    fn with<T>(&self, act: impl FnOnce(&mut State, Duration, &mut Vec<Reaction>) -> T) -> Option<T> {
        let mut state = self.state.lock().ok()?;
        let mut reactions = Vec::new();
        let done = act(&mut state, self.start.elapsed(), &mut reactions);
        state.hand_out(reactions);
        if state.gateway.exited().is_some() {
            // Whoever still waits learns it by the end of its channel.
            state.waiting.clear();
            self.ended.notify_one();
        }
        self.stirred.notify_one();
        Some(done)
    }

    async fn keep_time(self: Arc<Self>) {
        loop {
            let at = self.state.lock().ok().and_then(|state| state.gateway.wake_at());
            let due = async {
                match at {
                    Some(at) => sleep_until(self.start + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {
                    self.with(|state, now, reactions| state.gateway.wake(now, reactions));
                }
                () = self.stirred.notified() => {}
            }
        }
    }

    /// Serves one connection.
    async fn serve(self: Arc<Self>, mut stream: Box<dyn Stream>) {
        let mut reader = Reader::requests();
        let mut buffer = vec![0; CHUNK];
        loop {
            let request = match receive(&mut *stream, &mut reader, &mut buffer).await {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(_) => {
                    let mut headers = Headers::new();
                    headers.push("Content-Length", "0");
                    headers.push("Connection", "close");
                    let _ = stream.write_all(&response_head(400, &headers)).await;
                    return;
                }
            };
            if self.keeps_half_closed && is_half_closed(&mut *stream, &mut reader).await {
                return std::future::pending().await;
            }
            let (sender, receiver) = mpsc::unbounded_channel();
            let number = self.with(|state, now, reactions| {
                state.last += 1;
                state.waiting.insert(state.last, sender);
                state.gateway.request(now, state.last, request, reactions);
                state.last
            });
            let Some(number) = number else { return };
            let goes_on = self.respond(&mut *stream, &mut reader, &mut buffer, receiver).await;
            self.with(|state, now, reactions| {
                state.waiting.remove(&number);
                if !goes_on {
                    state.gateway.disconnected(now, number, reactions);
                }
            });
            if !goes_on {
                return;
            }
        }
    }

    /// Writes the answer to a request as it comes. Gives whether the connection goes on.
    async fn respond(
        &self,
        stream: &mut dyn Stream,
        reader: &mut Reader,
        buffer: &mut [u8],
        mut reactions: mpsc::UnboundedReceiver<Reaction>,
    ) -> bool {
        loop {
            let reaction = tokio::select! {
                biased;
                reaction = reactions.recv() => reaction,
                read = stream.read(buffer) => {
                    let count = read.unwrap_or(0);
                    if count == 0 {
                        return false;
                    }
                    // The next request, before its turn.
                    reader.push(buffer.get(..count).unwrap_or_default());
                    continue;
                }
            };
            let (bytes, over) = match reaction {
                Some(Reaction::Head { status, headers, .. }) => {
                    let mut headers = Headers::from(headers);
                    headers.push("Transfer-Encoding", "chunked");
                    (response_head(status, &headers), false)
                }
                Some(Reaction::Whole { status, headers, body, .. }) => {
                    let mut headers = Headers::from(headers);
                    if status != 204 && headers.value("transfer-encoding").is_none() {
                        headers.push("Content-Length", body.len().to_string());
                    }
                    ([response_head(status, &headers), body].concat(), true)
                }
                Some(Reaction::Data { bytes, .. }) if bytes.is_empty() => continue,
                Some(Reaction::Data { bytes, .. }) => (chunk(&bytes), false),
                Some(Reaction::End { .. }) => (LAST_CHUNK.to_vec(), true),
                Some(Reaction::Abort { .. }) | None => return false,
            };
            let _turn = if self.one_at_a_time { Some(self.writing.lock().await) } else { None };
            if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                return false;
            }
            if over {
                return true;
            }
        }
    }
}

/// Whether the end of what the client says has come already.
async fn is_half_closed(stream: &mut dyn Stream, reader: &mut Reader) -> bool {
    let mut buffer = vec![0; CHUNK];
    poll_fn(|context| {
        let mut read = ReadBuf::new(&mut buffer);
        let ready = Pin::new(&mut *stream).poll_read(context, &mut read).is_ready();
        reader.push(read.filled());
        Poll::Ready(ready && read.filled().is_empty())
    })
    .await
}

/// The next request on a connection; none if there is no further one.
async fn receive(
    stream: &mut dyn Stream,
    reader: &mut Reader,
    buffer: &mut [u8],
) -> Result<Option<Request>, Malformed> {
    let mut request = Request::default();
    loop {
        match reader.next()? {
            Some(Part::Head(Start::Request { verb, target }, headers)) => {
                let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                request = Request { verb, target, headers, body: Vec::new() };
            }
            Some(Part::Head(Start::Response { .. }, _)) => return Ok(None),
            Some(Part::Body(bytes)) => {
                let room = LONGEST_BODY.saturating_sub(request.body.len());
                request.body.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
            }
            Some(Part::End { .. }) => return Ok(Some(request)),
            None => {
                let count = stream.read(buffer).await.unwrap_or(0);
                if count == 0 {
                    return reader.finish().map(|_| None);
                }
                reader.push(buffer.get(..count).unwrap_or_default());
            }
        }
    }
}
