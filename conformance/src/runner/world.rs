//! The world of one session: a runtime of its own, and an ear for the order to stop.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a running session looks whether the run was stopped.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Runs a session to its end; none if the run was stopped meanwhile. In virtual time a session is over at once, so
/// nothing is waited for.
///
/// # Errors
///
/// No runtime can be had.
pub(crate) fn play<T>(is_virtual: bool, stop: &AtomicBool, session: impl Future<Output = T>) -> io::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(is_virtual).build()?;
    Ok(runtime.block_on(async {
        if is_virtual {
            return Some(session.await);
        }
        tokio::select! {
            played = session => Some(played),
            () = stopped(stop) => None,
        }
    }))
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_POLL).await;
    }
}
