//! An address that nobody must call: a hit names the field that it stood in.
//!
//! What is called below `redirect/` is led on to another origin, where what is behind it names the field.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The most bytes that are read of a caller.
const MOST: usize = 2048;
/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many hits wait to be told; more are dropped.
const BACKLOG: usize = 64;
/// What a path begins with that is led on.
const REDIRECT: &str = "redirect/";

/// A port of the loopback interface on which nobody is expected.
#[derive(Debug)]
pub(super) struct Canary {
    authority: String,
    hits: mpsc::Receiver<String>,
    accepting: AbortHandle,
}

impl Canary {
    /// Opens one. Needs a runtime.
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let authority = listener.local_addr()?.to_string();
        let port = listener.local_addr()?.port();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (sender, hits) = mpsc::channel(BACKLOG);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tell(stream, port, sender.clone()));
            }
        });
        Ok(Self { authority, hits, accepting: accepting.abort_handle() })
    }

    /// Host and port.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The field whose address was called next. Safe to drop and call again.
    pub(super) async fn hit(&mut self) -> String {
        match self.hits.recv().await {
            Some(field) => field,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Tells what a caller asks for. The connection is closed without an answer, unless it leads the caller on.
async fn tell(mut stream: TcpStream, port: u16, hits: mpsc::Sender<String>) {
    let mut said = Vec::new();
    let mut buffer = [0; 512];
    let line = async {
        while said.len() < MOST && !said.contains(&b'\n') {
            match stream.read(&mut buffer).await {
                Ok(count) if count > 0 => said.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                _ => break,
            }
        }
    };
    // Whoever connects and says nothing has called all the same.
    let _ = timeout(PATIENCE, line).await;
    let field = field(&said);
    if let Some(elsewhere) = field.strip_prefix(REDIRECT) {
        // The same place by another name is another origin.
        let place = format!("http://localhost:{port}/{elsewhere}");
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = timeout(PATIENCE, stream.write_all(answer.as_bytes())).await;
    }
    let _ = hits.try_send(field);
}

/// The field in the path of a request; empty where there is none.
fn field(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let target = text.lines().next().unwrap_or_default().split(' ').nth(1).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    path.trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_call_names_the_field() {
        let mut canary = Canary::open().unwrap();
        let mut stream = TcpStream::connect(canary.authority()).await.unwrap();
        stream.write_all(b"GET /icon-src?x=1 HTTP/1.1\r\n\r\n").await.unwrap();
        let field = timeout(Duration::from_secs(10), canary.hit()).await.unwrap();
        assert_eq!(field, "icon-src");
    }

    #[tokio::test]
    async fn a_caller_is_led_on() {
        let mut canary = Canary::open().unwrap();
        let mut stream = TcpStream::connect(canary.authority()).await.unwrap();
        stream.write_all(b"GET /redirect/icon-src HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.contains("\r\nLocation: http://localhost:") && answer.contains("/icon-src\r\n"), "{answer}");
        let field = timeout(Duration::from_secs(10), canary.hit()).await.unwrap();
        assert_eq!(field, "redirect/icon-src");
    }
}
