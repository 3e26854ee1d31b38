//! Implementations under test, and the harness's end of a session with one.
//!
//! Nothing above [`Adapter`] knows how the bytes travel. Whatever a subject does, hanging up in the middle of a line
//! included, is an [`Incoming`]; only the harness's own failures are errors.
//!
//! - `canary`: an address that nobody must call
//! - [`child`]: a process on stdio
//! - [`driven`]: a client that starts the harness as its server
//! - [`process`]: what the two have in common
//! - [`relay`]: the server that it starts
//! - [`stream`]: anything that reads and writes, such as one end of a pipe in memory
//! - [`embedded`]: the reference server of this crate
//! - [`embedded_client`]: the reference client of this crate
//! - [`guarded`]: any of them within bounds on memory and processor time
//! - [`host`]: the reference server of this crate over HTTP, in memory or on a socket
//! - [`http`]: a server behind a URL
//! - [`listening`]: a client of HTTP, which comes to the harness
//! - [`stdio`]: the same reference server on the standard streams of this process

mod canary;
pub mod child;
pub mod driven;
pub mod embedded;
pub mod embedded_client;
pub mod guarded;
pub mod host;
pub mod http;
pub mod listening;
pub mod process;
pub mod relay;
pub mod stdio;
pub mod stream;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use crate::revision::Side;
use crate::script::Fixtures;
use crate::transcript::{Http, Transport, Vitals};
use crate::user::Brief;
use crate::wire::http::{Endpoint, Headers, Request};

/// An implementation under test.
///
/// Every session that it opens is fresh and shares nothing with the last, so a failure replays from its script alone.
pub trait Adapter: Send + Sync {
    /// The side of the protocol that the implementation plays; the harness plays the other.
    fn side(&self) -> Side;

    /// Opens a session.
    fn open(&self) -> OpenFuture<'_>;

    /// Opens a session with a client whose user wants this. Servers have no user.
    fn open_for<'a>(&'a self, brief: &'a Brief) -> OpenFuture<'a> {
        let _ = brief;
        self.open()
    }

    /// What reports call it, and how it is started again.
    fn describe(&self) -> Description;

    /// Whether time passes only when everybody waits. True for what lives in this process and uses tokio's clock.
    fn is_virtual(&self) -> bool {
        true
    }

    /// What scripts may use of it.
    fn fixtures(&self) -> Fixtures {
        Fixtures::new()
    }

    /// Where it is, if it is reached over HTTP.
    fn endpoint(&self) -> Option<&Endpoint> {
        None
    }

    /// How messages travel to it.
    fn transport(&self) -> Transport {
        if self.endpoint().is_some() { Transport::Http } else { Transport::Stdio }
    }
}

/// The future of [`Adapter::open`].
pub type OpenFuture<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Link>, OpenError>> + Send + 'a>>;

/// A session could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to open a session with {subject}")]
pub struct OpenError {
    /// What reports call the subject.
    pub subject: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// What reports say about a subject.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// `stdio`, `http`, or `memory` for what lives in this process.
    pub transport: String,
    /// The command that starts it, if there is one.
    pub command: Option<Vec<String>>,
    /// Its URL, if it has one.
    pub url: Option<String>,
    /// The words behind `turncoat check` that mean this subject, in front of all options: `server`.
    pub mode: Vec<String>,
    /// The words behind all options: `-- node index.js`.
    pub target: Vec<String>,
}

/// The harness's end of a session: raw bytes out, raw lines in. Dropping it ends the subject with all its processes.
pub trait Link: Send {
    /// Hands over bytes to be written, each piece in a write of its own. Never waits: [`Link::next`] does the writing.
    fn write(&mut self, pieces: Vec<Vec<u8>>);

    /// Sends an HTTP request under a number of its own, once this time has passed. Never waits. A link of lines ignores it.
    fn request(&mut self, number: u32, request: Request, how: Sent) {
        let _ = (number, request, how);
    }

    /// Closes the connection of an HTTP request; nothing more comes of it.
    fn hang_up(&mut self, number: u32) {
        let _ = number;
    }

    /// Writes a part of the response to an HTTP request of the subject, each piece in a write of its own. Never waits.
    fn respond(&mut self, number: u32, pieces: Vec<Vec<u8>>, then: Then) {
        let _ = (number, pieces, then);
    }

    /// Reads nothing more: [`Link::next`] goes on writing, and says once by [`Incoming::Written`] that all is written. Over
    /// HTTP, the responses to requests that are sent so are left unread, and each is said to be written.
    fn stop_reading(&mut self) {}

    /// Reads on.
    fn read_on(&mut self) {}

    /// Closes the subject's input behind everything that was written.
    fn close(&mut self);

    /// Writes to the standard error of the process that speaks for the harness, if it is a server's.
    fn complain(&mut self, text: String) {
        let _ = text;
    }

    /// Ends the process that speaks for the harness, if it is a server's, with this exit status.
    fn exit(&mut self, status: i32) {
        let _ = status;
        self.close();
    }

    /// From now on the process that speaks for the harness, if it is a server's, outlives signals that ask it to end.
    fn endure(&mut self) {}

    /// Host and port of an address that nobody is to call in this session; calls are told by [`Incoming::Canary`]. Only
    /// subjects that have sockets can call one.
    fn canary(&mut self) -> Option<String> {
        None
    }

    /// What comes next; pends for ever after [`Incoming::Exited`]. Safe to drop and call again.
    fn next(&mut self) -> NextFuture<'_>;

    /// Vital signs of the subject, if it has any of its own.
    fn vitals(&mut self) -> Option<Vitals> {
        None
    }

    /// Ends the subject now.
    fn kill(&mut self) {}
}

/// The future of [`Link::next`].
pub type NextFuture<'a> = Pin<Box<dyn Future<Output = Incoming> + Send + 'a>>;

/// How an HTTP request is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// How long to wait before.
    pub delay: Duration,
    /// The connection is closed behind it.
    pub cut: bool,
    /// The response is not read before [`Link::read_on`].
    pub unread: bool,
}

/// What becomes of a connection behind a part of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// More of the response comes.
    GoesOn,
    /// The response is over; another request may come.
    Over,
    /// The connection is closed.
    Closed,
}

/// An HTTP request of the subject, as it came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Asked {
    /// The method.
    pub verb: String,
    /// The path and query.
    pub target: String,
    /// The header lines.
    pub headers: Headers,
    /// The body, without what frames it.
    pub body: Vec<u8>,
    /// Longer than the harness keeps.
    pub cut: bool,
    /// The connection ended before the body did.
    pub unfinished: bool,
}

/// Something that came from the subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Incoming {
    /// A line of its output.
    Line {
        /// Without the newline.
        bytes: Vec<u8>,
        /// Longer than the harness keeps.
        cut: bool,
        /// The output ended before a newline.
        unfinished: bool,
        /// The number of the HTTP request whose response has it.
        via: Option<u32>,
    },
    /// Something else happened to an HTTP request of this number.
    Http(u32, Http),
    /// It sent an HTTP request, which has this number from now on.
    Asked(u32, Asked),
    /// Some of its standard error.
    Stderr(String),
    /// What the user of the client was said to want.
    Wish(String),
    /// What the driver of the client said.
    Surface(String),
    /// It started the process that speaks for the harness.
    Connected {
        /// How often it has done so in this session.
        number: u32,
        /// The last one still lived.
        beside: bool,
    },
    /// It called the address that nobody is to call, by the name of this field.
    Canary(String),
    /// It sent the process that speaks for the harness this signal.
    Signalled(i32),
    /// All that there was to write is written, while nothing is read; over HTTP, all of one request.
    Written,
    /// Its output ended.
    Ended,
    /// It is gone. Subjects in memory are gone when their output has ended.
    Exited {
        /// The exit code, unless a signal ended it.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// Whether processes of it were left.
        orphans: bool,
    },
}
