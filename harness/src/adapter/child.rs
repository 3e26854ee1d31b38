//! A process on stdio, in a process group of its own.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;

use tokio::process::{ChildStdin, ChildStdout};

use super::process::{Seen, Started, quoted};
use super::stream::Pump;
use super::{Adapter, Description, Incoming, Link, NextFuture, OpenError, OpenFuture};
use crate::revision::Side;
use crate::script::Fixtures;
use crate::transcript::Vitals;

/// A server or client that is started anew for each session and talks on its standard input and output.
#[derive(Clone, Debug)]
pub struct Process {
    side: Side,
    command: Vec<String>,
    environment: BTreeMap<String, String>,
    fixtures: Fixtures,
}

impl Process {
    /// A server with this command line; the first word is the program.
    #[must_use]
    pub fn server(command: Vec<String>) -> Self {
        Self { side: Side::Server, command, environment: BTreeMap::new(), fixtures: Fixtures::new() }
    }

    /// The same with these variables added to its environment.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The same with these things for scripts to use.
    #[must_use]
    pub fn with_fixtures(mut self, fixtures: Fixtures) -> Self {
        self.fixtures = fixtures;
        self
    }

    fn spawn(&self) -> io::Result<Box<dyn Link>> {
        let (process, input, output) = Started::new(&self.command, &self.environment)?;
        Ok(Box::new(Running { process, pump: Pump::new(output, input), output_ended: false, exit: None, told: false }))
    }
}

impl Adapter for Process {
    fn side(&self) -> Side {
        self.side
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async { self.spawn().map_err(|source| OpenError { subject: self.command.join(" "), source }) })
    }

    fn describe(&self) -> Description {
        let words = self.command.iter().map(|word| quoted(word));
        Description {
            transport: "stdio".to_owned(),
            command: Some(self.command.clone()),
            url: None,
            mode: vec![self.side.to_string()],
            target: std::iter::once("--".to_owned()).chain(words).collect(),
        }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn fixtures(&self) -> Fixtures {
        self.fixtures.clone()
    }
}

struct Running {
    process: Started,
    pump: Pump<ChildStdout, ChildStdin>,
    output_ended: bool,
    exit: Option<Incoming>,
    told: bool,
}

impl Running {
    async fn step(&mut self) -> Incoming {
        loop {
            if self.told {
                pending::<()>().await;
            }
            if self.output_ended
                && let Some(exit) = &self.exit
            {
                self.told = true;
                return exit.clone();
            }
            tokio::select! {
                incoming = self.pump.next() => {
                    self.output_ended |= incoming == Incoming::Ended;
                    return incoming;
                }
                seen = self.process.watch() => match seen {
                    Seen::Stderr(text) => return Incoming::Stderr(text),
                    Seen::Mute => {}
                    Seen::Gone => {
                        // A child that inherited the output would keep it open for ever: it is ended with the group.
                        let orphans = self.process.end();
                        self.exit = Some(self.process.exited(orphans));
                    }
                },
            }
        }
    }
}

impl Link for Running {
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
        Box::pin(self.step())
    }

    fn vitals(&mut self) -> Option<Vitals> {
        self.process.vitals()
    }

    fn kill(&mut self) {
        self.process.end();
    }
}
