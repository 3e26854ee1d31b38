//! A client under test that comes to the harness over HTTP.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;

use tokio::net::TcpListener;

use super::guided::{Guided, Moved};
use crate::adapter::listening::{Entrance, Listening, URL, path};
use crate::adapter::process::quoted;
use crate::adapter::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture, Then};
use crate::revision::{Revision, Side};
use crate::transcript::{Transport, Vitals};
use crate::user::{self, Brief};

/// A client of HTTP that is started anew for each session, and finds its server at a port of its own.
#[derive(Clone, Debug)]
pub struct DrivenHttp {
    command: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl DrivenHttp {
    /// A client with this command line, in which [`URL`] stands for the server's; it comes last where it stands nowhere.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        Self { command, environment: BTreeMap::new() }
    }

    /// The same with these variables added to its environment.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    async fn start(&self, brief: &Brief) -> io::Result<Box<dyn Link>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}{}", listener.local_addr()?, path(brief.revision));
        let client = Guided::start(&with_url(&self.command, &url), &self.environment, brief)?;
        let listening = Listening::at(Entrance::Socket(listener));
        Ok(Box::new(Running { client, listening, told: false }))
    }
}

/// The command line with the URL of the server in its places.
fn with_url(command: &[String], url: &str) -> Vec<String> {
    let named = command.iter().any(|word| word.contains(URL));
    let last = (!named).then(|| url.to_owned());
    command.iter().map(|word| word.replace(URL, url)).chain(last).collect()
}

impl Adapter for DrivenHttp {
    fn side(&self) -> Side {
        Side::Client
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let revision = Revision::V2026_07_28;
            let scenario = "tools_call".to_owned();
            let brief = Brief { script: String::new(), scenario, revision, wishes: user::usual() };
            self.start(&brief).await.map_err(|source| OpenError { subject: self.command.join(" "), source })
        })
    }

    fn open_for<'a>(&'a self, brief: &'a Brief) -> OpenFuture<'a> {
        Box::pin(async {
            self.start(brief).await.map_err(|source| OpenError { subject: self.command.join(" "), source })
        })
    }

    fn describe(&self) -> Description {
        let words = self.command.iter().map(|word| quoted(word));
        Description {
            transport: "http".to_owned(),
            command: Some(self.command.clone()),
            url: None,
            mode: vec!["client".to_owned(), "--http".to_owned()],
            target: std::iter::once("--".to_owned()).chain(words).collect(),
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn transport(&self) -> Transport {
        Transport::Http
    }
}

struct Running {
    client: Guided,
    listening: Listening,
    /// The end was told.
    told: bool,
}

enum Next {
    Came(Incoming),
    Moved(Moved),
}

impl Running {
    async fn step(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.client.ready.pop_front() {
                return incoming;
            }
            if self.told {
                pending::<()>().await;
            }
            if let Some(exited) = self.client.has_left(true) {
                self.told = true;
                self.client.process.end();
                self.client.ready.extend([Incoming::Ended, exited]);
                continue;
            }
            if self.client.converse() {
                continue;
            }
            let next = tokio::select! {
                biased; // What came over HTTP before the driver spoke of it is first.
                came = self.listening.next() => Next::Came(came),
                moved = self.client.moves() => Next::Moved(moved),
            };
            match next {
                Next::Came(incoming) => {
                    self.client.interrupted();
                    if matches!(incoming, Incoming::Asked(..)) {
                        self.client.conversation.started();
                    }
                    // Behind what the client printed before.
                    self.client.ready.push_back(incoming);
                }
                Next::Moved(moved) => {
                    if self.client.took(moved) {
                        let orphans = self.client.process.end();
                        self.client.leaves(orphans);
                    }
                }
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
        self.listening.close();
    }

    fn canary(&mut self) -> Option<String> {
        self.client.canary()
    }

    fn next(&mut self) -> NextFuture<'_> {
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        self.client.vitals()
    }

    fn kill(&mut self) {
        self.listening.close();
        self.client.process.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_takes_its_place_or_comes_last() {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(with_url(&owned(&["x", "--url={url}", "y"]), "u"), owned(&["x", "--url=u", "y"]));
        assert_eq!(with_url(&owned(&["x"]), "u"), owned(&["x", "u"]));
    }
}
