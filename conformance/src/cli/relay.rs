//! The server that a client under test starts, which leaves every word to the check that runs.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::UNTESTABLE;
use super::output::diagnose;

/// Relays between the standard streams and the check at this address.
pub(super) fn relay(address: SocketAddr, token: &str) -> ExitCode {
    match turncoat::adapter::relay::run(address, token) {
        Ok(status) => ExitCode::from(u8::try_from(status & 0xff).unwrap_or(1)),
        Err(error) => {
            diagnose(&format!("turncoat: the check that this server belongs to is over: {error}"));
            ExitCode::from(UNTESTABLE)
        }
    }
}
