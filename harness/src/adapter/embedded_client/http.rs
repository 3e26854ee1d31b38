//! The reference client of this crate over HTTP, on connections in memory; time is tokio's.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::{CANARY, fetched, measured};
use crate::adapter::listening::{Entrance, Listening, path};
use crate::adapter::{Adapter, Description, Incoming, Link, NextFuture, OpenFuture, Then};
use crate::reference::client::http::HttpClient;
use crate::reference::client::{Conduct, Deed, Outlet};
use crate::revision::{Revision, Side};
use crate::transcript::{Ending, Http, Transport, Vitals};
use crate::user::{self, Brief, Wish};
use crate::wire::http::{Headers, Part, Reader, Request, Start};

/// Host and port of the harness, as the client knows them.
const AUTHORITY: &str = "127.0.0.1";
/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;
/// How much a connection holds in each direction, in bytes.
const PIPE: usize = 64 << 10;
/// How many connections wait to be taken.
const BACKLOG: usize = 1_024;
/// The shortest time there is.
const BLINK: Duration = Duration::from_millis(1);

/// The embedded reference client of some conduct, over HTTP in memory.
#[derive(Clone, Debug)]
pub struct EmbeddedHttpClient {
    conduct: Conduct,
    options: Vec<String>,
}

impl EmbeddedHttpClient {
    /// A client that behaves like this.
    #[must_use]
    pub fn new(conduct: Conduct) -> Self {
        Self { conduct, options: vec!["--http".to_owned()] }
    }

    /// The same, with further options of `turncoat check` that lead to this conduct, for replay commands.
    #[must_use]
    pub fn called(mut self, options: Vec<String>) -> Self {
        self.options.extend(options);
        self
    }

    fn client(&self, revision: Revision, wishes: Vec<Wish>) -> HttpClient {
        HttpClient::new(self.conduct.clone(), wishes, AUTHORITY, path(revision))
    }

    fn start(&self, client: HttpClient) -> OpenFuture<'_> {
        Box::pin(async move {
            let (connect, connections) = mpsc::channel(BACKLOG);
            let (tell, news) = mpsc::unbounded_channel();
            let link = Running {
                client,
                listening: Listening::at(Entrance::Memory(connections)),
                connect,
                tell,
                news,
                exchanges: HashMap::new(),
                start: Instant::now(),
                out: Outlet::default(),
                ready: VecDeque::new(),
                asked: 0,
                arrived: 0,
                begun: false,
                closed: false,
                ended: false,
            };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}

impl Adapter for EmbeddedHttpClient {
    fn side(&self) -> Side {
        Side::Client
    }

    fn open(&self) -> OpenFuture<'_> {
        self.start(self.client(Revision::V2026_07_28, user::usual()))
    }

    fn open_for<'a>(&'a self, brief: &'a Brief) -> OpenFuture<'a> {
        self.start(self.client(brief.revision, brief.wishes.clone()).told(brief.revision))
    }

    fn describe(&self) -> Description {
        let transport = "http in memory".to_owned();
        Description { transport, mode: self.options.clone(), ..Description::default() }
    }

    fn transport(&self) -> Transport {
        Transport::Http
    }
}

/// A client and the harness's end of its session; the harness is the server.
struct Running {
    client: HttpClient,
    listening: Listening,
    connect: mpsc::Sender<DuplexStream>,
    /// For the exchanges, to say what came.
    tell: mpsc::UnboundedSender<(u32, News)>,
    news: mpsc::UnboundedReceiver<(u32, News)>,
    /// What is dropped closes the connection.
    exchanges: HashMap<u32, oneshot::Sender<()>>,
    start: Instant,
    out: Outlet,
    ready: VecDeque<Ready>,
    /// How many requests were sent.
    asked: u32,
    /// How many of them have arrived.
    arrived: u32,
    begun: bool,
    /// The harness has ended the session: nobody takes connections any more.
    closed: bool,
    ended: bool,
}

/// What the client did, in order.
enum Ready {
    Told(Incoming),
    /// So many requests must have arrived before what stands behind this is told.
    Arrived(u32),
    /// Time must have passed up to this moment, which it does only once nobody has anything to do.
    Settled(Instant),
}

/// What became of an exchange.
enum News {
    Head(u16, Headers),
    Body(Vec<u8>),
    End { is_whole: bool },
    Refused,
}

/// What happens next.
enum Next {
    Came(Incoming),
    Said(u32, News),
    Due,
}

impl Running {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn collect(&mut self) {
        for deed in std::mem::take(&mut self.out.deeds) {
            match deed {
                Deed::Ask(number, request) => self.ask(number, request),
                Deed::Abandon(number) => {
                    self.exchanges.remove(&number);
                    self.settle();
                }
                Deed::Stderr(text) => self.tell(Incoming::Stderr(text)),
                Deed::Wish(text) => self.tell(Incoming::Wish(text)),
                Deed::Surface(text) => self.tell(Incoming::Surface(text)),
                Deed::Fetch { url, follows } => fetched(&url, follows).into_iter().for_each(|told| self.tell(told)),
                Deed::Exit(code) => self.end(Some(code), None),
                Deed::Die(signal) => self.end(None, Some(signal)),
                // There is no process, and nothing is written but requests.
                Deed::Write(_) | Deed::HangUp | Deed::Signal(_) | Deed::Restart => {}
            }
        }
    }

    fn tell(&mut self, incoming: Incoming) {
        self.ready.push_back(Ready::Told(incoming));
    }

    /// Lets everybody notice first which connections were closed.
    fn settle(&mut self) {
        self.ready.push_back(Ready::Settled(Instant::now() + BLINK));
    }

    fn end(&mut self, code: Option<i32>, signal: Option<i32>) {
        self.exchanges.clear();
        self.settle();
        self.tell(Incoming::Ended);
        self.tell(Incoming::Exited { code, signal, orphans: false });
    }

    fn ask(&mut self, number: u32, request: Request) {
        let (near, far) = tokio::io::duplex(PIPE);
        if self.closed || self.connect.try_send(far).is_err() {
            // The channel is open as long as this end of it is.
            let _ = self.tell.send((number, News::Refused));
            return;
        }
        self.asked += 1;
        self.ready.push_back(Ready::Arrived(self.asked));
        let (wanted, abandoned) = oneshot::channel();
        self.exchanges.insert(number, wanted);
        tokio::spawn(exchange(number, near, request, abandoned, self.tell.clone()));
    }

    /// What the client did next, if it can be told already.
    fn told(&mut self) -> Option<Incoming> {
        loop {
            match self.ready.front()? {
                Ready::Arrived(count) if *count > self.arrived && !self.closed => return None,
                Ready::Settled(at) if *at > Instant::now() => return None,
                _ => {}
            }
            if let Some(Ready::Told(incoming)) = self.ready.pop_front() {
                return Some(incoming);
            }
        }
    }

    /// When time alone brings something about.
    fn wake_at(&self) -> Option<Instant> {
        let settled = match self.ready.front() {
            Some(Ready::Settled(at)) => Some(*at),
            _ => None,
        };
        self.client.wake_at().map(|at| self.start + at).into_iter().chain(settled).min()
    }

    async fn step(&mut self) -> Incoming {
        loop {
            if !std::mem::replace(&mut self.begun, true) {
                let now = self.now();
                self.client.begin(now, &mut self.out);
                self.collect();
            }
            if let Some(incoming) = self.told() {
                self.ended = matches!(incoming, Incoming::Exited { .. });
                return incoming;
            }
            if self.ended {
                return pending().await;
            }
            let wake_at = self.wake_at();
            let next = tokio::select! {
                biased; // A request arrives before the client learns what becomes of it.
                came = self.listening.next() => Next::Came(came),
                said = self.news.recv() => match said {
                    Some((number, news)) => Next::Said(number, news),
                    None => Next::Due,
                },
                () = until(wake_at) => Next::Due,
            };
            let now = self.now();
            match next {
                Next::Came(incoming) => {
                    let malformed = matches!(&incoming, Incoming::Http(_, Http::End { how: Ending::Malformed(_) }));
                    self.arrived += u32::from(malformed || matches!(incoming, Incoming::Asked(..)));
                    return incoming;
                }
                Next::Said(number, news) => match news {
                    News::Head(status, headers) => self.client.head(now, number, status, &headers, &mut self.out),
                    News::Body(bytes) => self.client.body(now, number, &bytes, &mut self.out),
                    News::End { is_whole } => {
                        self.exchanges.remove(&number);
                        self.client.end(now, number, is_whole, &mut self.out);
                    }
                    News::Refused => self.client.refused(now, number, &mut self.out),
                },
                Next::Due => self.client.wake(now, &mut self.out),
            }
            self.collect();
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// Sends a request on a connection of its own, and hands on what comes back.
async fn exchange(
    number: u32,
    mut stream: DuplexStream,
    request: Request,
    mut abandoned: oneshot::Receiver<()>,
    tell: mpsc::UnboundedSender<(u32, News)>,
) {
    // Fails only when the link is gone, and then nobody wants to know.
    let say = |news| drop(tell.send((number, news)));
    let mut is_written = stream.write_all(&request.head()).await.is_ok();
    for piece in request.body {
        is_written = is_written && stream.write_all(&piece).await.is_ok();
    }
    if !is_written {
        return say(News::End { is_whole: false });
    }
    let mut reader = Reader::responses();
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.next() {
            Ok(Some(Part::Head(Start::Response { status }, headers))) => say(News::Head(status, headers)),
            Ok(Some(Part::Body(bytes))) => say(News::Body(bytes)),
            Ok(Some(Part::End { .. })) => return say(News::End { is_whole: true }),
            Ok(Some(Part::Head(Start::Request { .. }, _))) | Err(_) => return say(News::End { is_whole: false }),
            Ok(None) => {
                let count = tokio::select! {
                    biased;
                    _ = &mut abandoned => return,
                    read = stream.read(&mut buffer) => read.unwrap_or(0),
                };
                if count == 0 {
                    let is_whole = matches!(reader.finish(), Ok(Some(Part::End { .. })));
                    return say(News::End { is_whole });
                }
                reader.push(buffer.get(..count).unwrap_or_default());
            }
        }
    }
}

impl Link for Running {
    fn write(&mut self, _pieces: Vec<Vec<u8>>) {}

    fn respond(&mut self, number: u32, pieces: Vec<Vec<u8>>, then: Then) {
        self.listening.respond(number, pieces, then);
    }

    fn close(&mut self) {
        self.closed = true;
        self.listening.close();
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn canary(&mut self) -> Option<String> {
        Some(CANARY.to_owned())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        Some(measured(self.client.vitals()))
    }

    fn kill(&mut self) {
        self.close();
        self.exchanges.clear();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
