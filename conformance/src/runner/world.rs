//! The world of one session: a runtime of its own, and an ear for the order to stop.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// How often a running session looks whether the run was stopped.
const STOP_POLL: Duration = Duration::from_millis(50);

/// A runtime for one session. Virtual time passes only when everybody waits.
///
/// # Errors
///
/// Those of the system.
pub(crate) fn runtime(is_virtual: bool) -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().start_paused(is_virtual).build()
}

/// Runs a session to its end; none if the run was stopped meanwhile. In virtual time a session is over at once, so
/// nothing is waited for.
pub(crate) async fn unless_stopped<T>(
    is_virtual: bool,
    stop: &AtomicBool,
    session: impl Future<Output = T>,
) -> Option<T> {
    if is_virtual {
        return Some(session.await);
    }
    tokio::select! {
        played = session => Some(played),
        () = stopped(stop) => None,
    }
}

/// The same in a runtime of its own.
///
/// # Errors
///
/// No runtime can be had.
pub(crate) fn play<T>(is_virtual: bool, stop: &AtomicBool, session: impl Future<Output = T>) -> io::Result<Option<T>> {
    Ok(runtime(is_virtual)?.block_on(unless_stopped(is_virtual, stop, session)))
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
}
