//! Where the relays of one session come in: a port of the loopback interface, and a token that only they know.

use std::fmt::Write as _;
use std::future::pending;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::adapter::relay::frames::{Frame, Frames};

/// How long somebody who connects may take to say the token.
const INTRODUCTION: Duration = Duration::from_secs(5);
/// How many may be about to say it; more are turned away.
const MOST_STRANGERS: usize = 32;
/// How many frames wait to be heard, of all relays together.
const MOST_UNHEARD: usize = 64;
/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// The door of one session. Dropping it lets every relay go.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    token: String,
    news: Receiver<News>,
    /// Ended with the door.
    _porter: JoinSet<()>,
}

/// Something about the relay of this number; the first is 1.
#[derive(Debug)]
pub(super) struct News {
    pub(super) relay: u32,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// It is there.
    Came {
        /// Where its orders go.
        orders: UnboundedSender<Frame>,
    },
    /// It said something.
    Said(Frame),
    /// Its connection is gone.
    Gone,
}

impl Door {
    /// Opens a port that is free.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, token) = (listener.local_addr()?, token());
        let (tell, news) = mpsc::channel(MOST_UNHEARD);
        let mut porter = JoinSet::new();
        porter.spawn(receive(listener, token.clone(), tell));
        Ok(Self { address, token, news, _porter: porter })
    }

    /// What stands behind the words of the relay command.
    pub(super) fn words(&self) -> [String; 2] {
        [self.address.to_string(), self.token.clone()]
    }

    /// The token, which is among the words of every relay of this session.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// What is new. Cancel-safe.
    pub(super) async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // The porter never leaves.
            None => pending().await,
        }
    }
}

/// As good as a random number of 128 bits: the keys of the hasher are.
fn token() -> String {
    let keys = RandomState::new();
    (0_u8..2).fold(String::new(), |mut token, half| {
        let _ = write!(token, "{:016x}", keys.hash_one(half));
        token
    })
}

/// Lets in whoever knows the token.
async fn receive(listener: TcpListener, token: String, tell: Sender<News>) {
    let mut strangers = JoinSet::new();
    let mut relays = JoinSet::new();
    let mut count = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if strangers.len() < MOST_STRANGERS => {
                    strangers.spawn(timeout(INTRODUCTION, introduction(stream, token.clone())));
                }
                Ok(_) => {}
                // Out of file descriptors, for one: what is open goes on.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(introduced) = strangers.join_next(), if !strangers.is_empty() => {
                if let Ok(Ok(Some(guest))) = introduced {
                    count += 1;
                    relays.spawn(serve(count, guest, tell.clone()));
                }
            }
            Some(_) = relays.join_next(), if !relays.is_empty() => {}
        }
    }
}

struct Guest {
    stream: TcpStream,
    frames: Frames,
}

/// Who connects, if it knows the token.
async fn introduction(mut stream: TcpStream, token: String) -> Option<Guest> {
    let mut frames = Frames::default();
    let mut buffer = [0; 256];
    loop {
        match frames.next_frame().ok()? {
            Some(Frame::Hello(said)) if said == token => {
                stream.set_nodelay(true).ok()?;
                return Some(Guest { stream, frames });
            }
            Some(_) => return None,
            None => {}
        }
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => frames.push(&buffer[..count]),
            _ => return None,
        }
    }
}

async fn serve(relay: u32, guest: Guest, tell: Sender<News>) {
    let Guest { stream, frames } = guest;
    let (reader, writer) = stream.into_split();
    let (orders, received) = mpsc::unbounded_channel();
    if tell.send(News { relay, what: What::Came { orders } }).await.is_err() {
        return;
    }
    tokio::select! {
        () = hear(relay, reader, frames, &tell) => {}
        () = speak(writer, received) => {}
    }
    let _ = tell.send(News { relay, what: What::Gone }).await;
}

/// Hands on what a relay says, until it is gone.
async fn hear(relay: u32, mut reader: OwnedReadHalf, mut frames: Frames, tell: &Sender<News>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        match frames.next_frame() {
            Ok(Some(frame)) => {
                if tell.send(News { relay, what: What::Said(frame) }).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(_) => return,
        }
        match reader.read(&mut buffer).await {
            Ok(count @ 1..) => frames.push(&buffer[..count]),
            _ => return,
        }
    }
}

/// Writes what a relay is told. Pends behind that: only its own end is the end of a relay.
async fn speak(mut writer: OwnedWriteHalf, mut orders: UnboundedReceiver<Frame>) {
    while let Some(order) = orders.recv().await {
        if writer.write_all(&order.bytes()).await.is_err() {
            break;
        }
    }
    pending().await
}
