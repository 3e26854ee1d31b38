//! The process that a client under test starts as its server: it hands everything on between its standard streams and the
//! harness, and has no mind of its own.
//!
//! - [`frames`]: how the two talk

pub mod frames;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc as channel};
use tokio::time::timeout;

use frames::{Frame, Frames};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;
/// How much may wait for the client to read it before the harness has to wait too, in bytes.
const MOST_WAITING: usize = 64 << 20;
/// How long it may take to reach the harness, which is on the same machine and listens.
const REACH: Duration = Duration::from_secs(10);

/// Relays until the harness or a signal ends it, and gives the exit status.
///
/// # Errors
///
/// The harness is not there or has gone.
pub fn run(address: SocketAddr, token: &str) -> io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Dropping the runtime waits for nothing: what blocks are threads of our own, which end with the process.
    runtime.block_on(relay(address, token))
}

async fn relay(address: SocketAddr, token: &str) -> io::Result<i32> {
    // Before the harness knows of this process, so that no signal goes unheard from then on.
    let mut signals = Signals::new()?;
    let mut stream = timeout(REACH, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.split();
    writer.write_all(&Frame::Hello(token.to_owned()).bytes()).await?;

    let mut input = input();
    let mut output = Output::new();
    let (mut frames, mut endures) = (Frames::default(), false);
    let mut buffer = vec![0; CHUNK];
    loop {
        while let Some(order) = frames.next_frame().map_err(io::Error::other)? {
            match order {
                Frame::Endure => endures = true,
                order => output.order(order),
            }
        }
        tokio::select! {
            count = reader.read(&mut buffer), if output.has_room() => match count? {
                0 => return Err(io::ErrorKind::ConnectionAborted.into()),
                count => frames.push(&buffer[..count]),
            },
            chunk = input.recv() => {
                writer.write_all(&chunk.unwrap_or(Frame::Ended).bytes()).await?;
            }
            number = signals.next() => {
                writer.write_all(&Frame::Signal(number).bytes()).await?;
                if !endures {
                    writer.write_all(&Frame::Bye.bytes()).await?;
                    return Ok(128 + number);
                }
            }
            status = output.ended.recv() => {
                writer.write_all(&Frame::Bye.bytes()).await?;
                return Ok(status.unwrap_or(1));
            }
            () = output.written.notified() => {}
        }
    }
}

/// The standard input, piece by piece, its end last of all. Behind that it pends.
fn input() -> Input {
    let (sender, pieces) = channel::channel(16);
    thread::spawn(move || {
        let mut chunk = vec![0; CHUNK];
        loop {
            let piece = match io::stdin().read(&mut chunk) {
                Ok(count @ 1..) => Frame::Data(chunk[..count].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => Frame::Ended,
            };
            let last = piece == Frame::Ended;
            if sender.blocking_send(piece).is_err() || last {
                break;
            }
        }
    });
    Input { pieces, ended: false }
}

struct Input {
    pieces: channel::Receiver<Frame>,
    ended: bool,
}

impl Input {
    async fn recv(&mut self) -> Option<Frame> {
        if self.ended {
            std::future::pending::<()>().await;
        }
        let piece = self.pieces.recv().await;
        self.ended = piece.as_ref().is_none_or(|piece| *piece == Frame::Ended);
        piece
    }
}

/// The standard output and error: a thread that writes, since a client that does not read must not keep the relay from
/// hearing the harness.
struct Output {
    orders: mpsc::Sender<Frame>,
    /// How many bytes wait.
    waiting: Arc<AtomicUsize>,
    /// Some were written.
    written: Arc<Notify>,
    /// The status to end with, once everything before it is written.
    ended: channel::UnboundedReceiver<i32>,
}

impl Output {
    fn new() -> Self {
        let (orders, received) = mpsc::channel();
        let (tell, ended) = channel::unbounded_channel();
        let (waiting, written) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (count, notify) = (Arc::clone(&waiting), Arc::clone(&written));
        thread::spawn(move || {
            // Not by way of the standard library's buffer, so that each piece stays a write of its own.
            let mut stdout = io::stdout().as_fd().try_clone_to_owned().ok().map(File::from);
            for order in received {
                let size = size(&order);
                if let Some(status) = carry_out(order, &mut stdout) {
                    let _ = tell.send(status);
                    // The loop ends with the process: ending it here would tell the same again.
                }
                count.fetch_sub(size, Ordering::Relaxed);
                notify.notify_one();
            }
        });
        Self { orders, waiting, written, ended }
    }

    fn order(&self, order: Frame) {
        self.waiting.fetch_add(size(&order), Ordering::Relaxed);
        let _ = self.orders.send(order);
    }

    fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < MOST_WAITING
    }
}

fn size(order: &Frame) -> usize {
    match order {
        Frame::Data(bytes) | Frame::Stderr(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Does as the harness says; a status to end with ends the relay. A client that reads no more is no reason to stop: what it
/// does next is of interest.
fn carry_out(order: Frame, stdout: &mut Option<File>) -> Option<i32> {
    match order {
        Frame::Data(bytes) => {
            let _ = stdout.as_mut().map(|stdout| stdout.write_all(&bytes));
        }
        Frame::Stderr(text) => {
            let _ = io::stderr().write_all(&text);
        }
        Frame::CloseOutput => {
            *stdout = None;
            // The stream itself cannot be closed, but something else can take its place.
            if let Ok(nowhere) = OpenOptions::new().write(true).open("/dev/null") {
                let _ = rustix::stdio::dup2_stdout(nowhere);
            }
        }
        Frame::Exit(status) => return Some(status),
        _ => {}
    }
    None
}

/// The signals that ask a process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let (terminate, interrupt, hang_up) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
        Ok(Self { terminate, interrupt, hang_up })
    }

    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }
}
