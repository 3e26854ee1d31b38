//! The reference server on the standard input and output of this process, for others to be tried against.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::reference::{Behaviour, Outbox, Server};

/// How long to wait when the server wants nothing; any length would do.
const IDLE: Duration = Duration::from_secs(3600);

/// Serves one session and gives the exit status that the server ended with.
///
/// # Errors
///
/// Those of the standard output.
pub fn serve(behaviour: Behaviour) -> io::Result<i32> {
    let (sender, input) = mpsc::sync_channel::<Vec<u8>>(16);
    // Detached: a blocked read of standard input cannot be interrupted, and the process ends when the server does.
    thread::spawn(move || {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = io::stdin().read(&mut chunk) {
            if sender.send(chunk[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let start = Instant::now();
    let mut server = Server::new(behaviour);
    let mut out = Outbox::default();
    let mut open = true;
    loop {
        let now = start.elapsed();
        let patience = server.wake_at().map_or(IDLE, |at| at.saturating_sub(now));
        match input.recv_timeout(patience) {
            Ok(bytes) => server.receive(start.elapsed(), &bytes, &mut out),
            Err(RecvTimeoutError::Timeout) => server.wake(start.elapsed(), &mut out),
            Err(RecvTimeoutError::Disconnected) if open => {
                open = false;
                server.end_of_input(start.elapsed(), &mut out);
            }
            // Nothing can come any more; a server that stays all the same is left to its own clock.
            Err(RecvTimeoutError::Disconnected) => {
                thread::park_timeout(patience);
                server.wake(start.elapsed(), &mut out);
            }
        }
        io::stdout().write_all(&out.bytes)?;
        io::stdout().flush()?;
        io::stderr().write_all(&out.stderr)?;
        out.bytes.clear();
        out.stderr.clear();
        if let Some(code) = out.exit {
            return Ok(code);
        }
    }
}
