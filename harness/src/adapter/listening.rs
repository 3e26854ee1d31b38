//! A client of HTTP, which comes to the harness: connections on a socket or in memory, and the requests on them.
//!
//! A library would refuse to answer what a hostile server answers; so responses are written as they are, and requests
//! become [`Incoming`]s, whatever they are. Numbers are given in the order in which the requests are whole.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::http::Stream;
use super::{Asked, Incoming, Link, NextFuture, Then};
use crate::revision::Revision;
use crate::transcript::{Ending, Http};
use crate::wire::http::{Headers, Malformed, Part, Reader, Start, response_head};

/// What stands for the URL of the server in the command of a client.
pub const URL: &str = "{url}";

/// The path of that URL: where the transport of this revision begins.
#[must_use]
pub const fn path(revision: Revision) -> &'static str {
    match revision {
        Revision::V2024_11_05 => "/sse",
        _ => "/mcp",
    }
}

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;
/// The longest body that is kept, in bytes.
const LONGEST_BODY: usize = 16 << 20;
/// How many connections a client has at once; further ones wait for one that is over.
const MOST_CONNECTIONS: usize = 64;
/// How many things wait for the peer; the client is not read on beyond them.
const BACKLOG: usize = 256;

/// Where a client comes to.
#[derive(Debug)]
pub enum Entrance {
    /// A socket.
    Socket(TcpListener),
    /// Connections in memory.
    Memory(mpsc::Receiver<tokio::io::DuplexStream>),
}

impl Entrance {
    async fn next(&mut self) -> io::Result<Option<Box<dyn Stream>>> {
        match self {
            Self::Socket(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Some(Box::new(stream)))
            }
            Self::Memory(streams) => Ok(streams.recv().await.map(|stream| Box::new(stream) as Box<dyn Stream>)),
        }
    }
}

/// The requests of one client.
#[derive(Debug)]
pub struct Listening {
    news: mpsc::Receiver<News>,
    accepting: AbortHandle,
    /// Tells idle connections to close.
    over: watch::Sender<bool>,
    last: u32,
    /// The request that each connection is busy with.
    busy: HashMap<u32, u32>,
    answers: HashMap<u32, mpsc::UnboundedSender<Written>>,
    connected: usize,
    /// After this long without connections, and at least one request, the client is gone.
    quiet: Option<Duration>,
    quiet_at: Option<Instant>,
    /// What is left to be told once it has gone, or the server has.
    left: VecDeque<Incoming>,
    told: bool,
}

#[derive(Debug)]
struct News {
    connection: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    Came,
    Asked(Asked, mpsc::UnboundedSender<Written>),
    /// What came is no HTTP.
    Malformed(String),
    /// The client closed the connection before the response was over.
    Dropped,
    Gone,
}

#[derive(Debug)]
struct Written {
    pieces: Vec<Vec<u8>>,
    then: Then,
}

impl Listening {
    /// Listens at an entrance. Needs a runtime.
    #[must_use]
    pub fn at(entrance: Entrance) -> Self {
        let (sender, news) = mpsc::channel(BACKLOG);
        let (over, is_over) = watch::channel(false);
        let accepting = tokio::spawn(accept(entrance, sender, is_over)).abort_handle();
        Self {
            news,
            accepting,
            over,
            last: 0,
            busy: HashMap::new(),
            answers: HashMap::new(),
            connected: 0,
            quiet: None,
            quiet_at: None,
            left: VecDeque::new(),
            told: false,
        }
    }

    /// The same; and a client that had no connection for this long has ended.
    #[must_use]
    pub fn until_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = Some(quiet);
        self
    }

    /// Tells that the client is gone, which nobody watches.
    fn part(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            self.left.extend([Incoming::Ended, Incoming::Exited { code: Some(0), signal: None, orphans: false }]);
        }
    }

    async fn step(&mut self) -> Incoming {
        loop {
            if let Some(left) = self.left.pop_front() {
                return left;
            }
            let quiet_at = self.quiet_at.filter(|_| !self.told);
            let news = tokio::select! {
                news = self.news.recv() => news,
                () = until(quiet_at) => {
                    self.part();
                    continue;
                }
            };
            let Some(News { connection, what }) = news else {
                // Nothing can come any more.
                return std::future::pending().await;
            };
            match what {
                What::Came => {
                    self.connected += 1;
                    self.quiet_at = None;
                }
                What::Asked(asked, answers) => {
                    self.last += 1;
                    self.busy.insert(connection, self.last);
                    self.answers.insert(self.last, answers);
                    return Incoming::Asked(self.last, asked);
                }
                What::Malformed(why) => {
                    self.last += 1;
                    return Incoming::Http(self.last, Http::End { how: Ending::Malformed(why) });
                }
                What::Dropped => {
                    let Some(number) = self.busy.remove(&connection) else { continue };
                    self.answers.remove(&number);
                    return Incoming::Http(number, Http::End { how: Ending::Dropped });
                }
                What::Gone => {
                    self.connected -= 1;
                    let over = self.connected == 0 && self.last > 0;
                    self.quiet_at = self.quiet.filter(|_| over).map(|quiet| Instant::now() + quiet);
                }
            }
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Link for Listening {
    fn write(&mut self, _pieces: Vec<Vec<u8>>) {}

    fn respond(&mut self, number: u32, pieces: Vec<Vec<u8>>, then: Then) {
        let Some(answers) = self.answers.get(&number) else { return };
        // Fails only when the connection is gone, which is told otherwise.
        let _ = answers.send(Written { pieces, then });
        if then != Then::GoesOn {
            self.answers.remove(&number);
            self.busy.retain(|_, busy| *busy != number);
        }
    }

    /// Ends the server: nobody gets in any more, and connections close behind what was written to them.
    fn close(&mut self) {
        self.accepting.abort();
        self.answers.clear();
        let _ = self.over.send(true);
        if self.quiet.is_some() {
            self.part();
        }
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.close();
    }
}

async fn accept(mut entrance: Entrance, news: mpsc::Sender<News>, over: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connection = 0;
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let stream = match entrance.next().await {
            Ok(Some(stream)) => stream,
            Ok(None) => return,
            // A connection that ended before it was taken.
            Err(_) => continue,
        };
        connection += 1;
        let mut line = Line { stream, reader: Reader::requests(), connection, news: news.clone() };
        let mut over = over.clone();
        tokio::spawn(async move {
            line.tell(What::Came).await;
            line.serve(&mut over).await;
            line.tell(What::Gone).await;
            drop(slot);
        });
    }
}

/// One connection.
struct Line {
    stream: Box<dyn Stream>,
    reader: Reader,
    connection: u32,
    news: mpsc::Sender<News>,
}

/// What became of a response.
enum Done {
    Whole,
    Closed,
    Dropped,
}

impl Line {
    // The stream need not be shared while it waits.
    fn tell(&self, what: What) -> impl Future<Output = ()> + Send + use<> {
        let (news, connection) = (self.news.clone(), self.connection);
        async move {
            // Fails only when the link is gone, and then nobody wants to know.
            let _ = news.send(News { connection, what }).await;
        }
    }

    async fn serve(&mut self, over: &mut watch::Receiver<bool>) {
        loop {
            let received = tokio::select! {
                received = self.receive() => received,
                _ = over.wait_for(|over| *over) => return,
            };
            let (asked, goes_on) = match received {
                Ok(Some(received)) => received,
                Ok(None) => return,
                Err((malformed, asked)) => return self.refuse(&malformed, asked).await,
            };
            let (sender, written) = mpsc::unbounded_channel();
            self.tell(What::Asked(asked, sender)).await;
            match self.respond(written).await {
                Done::Whole if goes_on => {}
                Done::Whole | Done::Closed => {
                    let _ = self.stream.shutdown().await;
                    return;
                }
                Done::Dropped => return self.tell(What::Dropped).await,
            }
        }
    }

    /// The next request, and whether another may follow; none if there is no further one.
    async fn receive(&mut self) -> Result<Option<(Asked, bool)>, (Malformed, Asked)> {
        let mut asked = Asked::default();
        let mut buffer = vec![0; CHUNK];
        loop {
            match self.reader.next() {
                Err(malformed) => return Err((malformed, asked)),
                Ok(Some(Part::Head(Start::Request { verb, target }, headers))) => {
                    let waits = headers.value("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
                    if waits {
                        let _ = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
                    }
                    asked = Asked { verb, target, headers, ..Asked::default() };
                }
                Ok(Some(Part::Head(Start::Response { .. }, _))) => return Ok(None),
                Ok(Some(Part::Body(bytes))) => {
                    let room = LONGEST_BODY.saturating_sub(asked.body.len());
                    asked.cut |= bytes.len() > room;
                    asked.body.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
                }
                Ok(Some(Part::End { reusable })) => return Ok(Some((asked, reusable))),
                Ok(None) => {
                    let count = self.stream.read(&mut buffer).await.unwrap_or(0);
                    if count == 0 {
                        return self.reader.finish().map(|_| None).map_err(|malformed| (malformed, asked));
                    }
                    self.reader.push(buffer.get(..count).unwrap_or_default());
                }
            }
        }
    }

    /// Says that what came is no request.
    async fn refuse(&mut self, malformed: &Malformed, asked: Asked) {
        let begun = !asked.verb.is_empty();
        if begun {
            let (sender, _) = mpsc::unbounded_channel();
            self.tell(What::Asked(Asked { unfinished: true, ..asked }, sender)).await;
        }
        if *malformed == Malformed::Ended {
            if begun {
                self.tell(What::Dropped).await;
            }
            return;
        }
        self.tell(What::Malformed(malformed.to_string())).await;
        let mut headers = Headers::new();
        headers.push("Content-Length", "0");
        headers.push("Connection", "close");
        let _ = self.stream.write_all(&response_head(400, &headers)).await;
    }

    /// Writes a response as it is made.
    async fn respond(&mut self, mut written: mpsc::UnboundedReceiver<Written>) -> Done {
        let mut buffer = vec![0; CHUNK];
        loop {
            let Written { pieces, then } = tokio::select! {
                biased;
                written = written.recv() => match written {
                    Some(written) => written,
                    None => return Done::Closed,
                },
                read = self.stream.read(&mut buffer) => {
                    let count = read.unwrap_or(0);
                    if count == 0 {
                        return Done::Dropped;
                    }
                    // The next request, before its turn.
                    self.reader.push(buffer.get(..count).unwrap_or_default());
                    continue;
                }
            };
            for piece in pieces {
                if self.stream.write_all(&piece).await.is_err() || self.stream.flush().await.is_err() {
                    return Done::Dropped;
                }
            }
            match then {
                Then::GoesOn => {}
                Then::Over => return Done::Whole,
                Then::Closed => return Done::Closed,
            }
        }
    }
}
