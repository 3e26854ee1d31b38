//! Arbitrary sessions from a fuzzer's bytes: data only, which oracles and rules then judge.
//!
//! Every generator is a plain function of its `Unstructured`; when the bytes run out it goes on with zeros, so any
//! input means something and equal inputs mean the same.
//!
//! - `sample`: one plausible message of every method, the stock that everything is made from
//! - `damage`: members dropped, retyped and replaced
//! - `http`: what happens to HTTP requests
//! - `message`: JSON-RPC messages that share their ids, and texts that are none
//! - [`transcript`]: sessions that never happened
//! - [`script`]: honest sessions with departures
//! - [`mutated`]: the same, near others
//! - [`schema`]: input schemas of tools

mod damage;
mod http;
mod message;
mod mutation;
mod sample;
mod schema;
mod script;
mod transcript;

pub use mutation::mutated;
pub use schema::schema;
pub use script::script;
pub use transcript::{long_transcript, transcript};

use arbitrary::{Result, Unstructured};

use crate::revision::{Revision, Revisions};

/// Whether something happens that does so once in so many times; never when the bytes have run out.
fn once_in(u: &mut Unstructured<'_>, times: u8) -> Result<bool> {
    Ok(u.int_in_range(1..=times)? == times)
}

/// Some bytes, at most this many.
fn bytes(u: &mut Unstructured<'_>, most: usize) -> Result<Vec<u8>> {
    let length = u.int_in_range(0..=most)?.min(u.len());
    Ok(u.bytes(length)?.to_vec())
}

/// Some characters, from at most this many bytes.
fn text(u: &mut Unstructured<'_>, most: usize) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(u, most)?).into_owned())
}

/// A number of things, usually few.
fn few(u: &mut Unstructured<'_>, most: usize) -> Result<usize> {
    let most = if once_in(u, 4)? { most } else { most.min(4) };
    u.int_in_range(0..=most)
}

/// One of these revisions; half of the time the one without a handshake.
fn revision(u: &mut Unstructured<'_>, among: Revisions) -> Result<Revision> {
    let half = if u.arbitrary()? { Revisions::MODERN } else { Revisions::LEGACY };
    let fitting = if among.and(half).is_empty() { among } else { among.and(half) };
    let fitting: Vec<Revision> = fitting.iter().collect();
    u.choose(&fitting).copied()
}
