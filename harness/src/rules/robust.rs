//! Robustness: no crash, no hang, bounded resources, still serving. No clause demands it; any peer may need it.
//!
//! What these rules judge happens to a whole session, whatever revision governs its messages, so each judges it once: in
//! the view of the revision that the session was run for. Lines on the standard output that are no messages have no rule
//! here, since `stdio.stdout-only-messages` has a clause for them in every revision.
//!
//! - [`client`]: what else is asked of clients
//! - [`survival`]: living through a session, and ending with it
//! - [`load`]: floods, bursts, splits, memory and processor time
//! - [`patience`]: peers that take their time to read, and connections that are closed by half
//! - [`wire`]: HTTP requests that are none, and many clients at once

pub mod client;
pub mod load;
pub mod patience;
pub mod survival;
pub mod wire;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &survival::SERVES_AFTER_HOSTILE_INPUT,
    &survival::SURVIVES_SESSION,
    &survival::EXITS_AFTER_EOF,
    &survival::NO_ORPHANS,
    &survival::ANSWERS_BEFORE_EOF,
    &client::SURVIVES,
    &client::ENDS,
    &client::GIVES_UP,
    &client::BOUNDED_WALK,
    &client::KEEPS_OTHERS,
    &load::BURST_ANSWERED,
    &load::SPLIT_MESSAGE,
    &load::BOUNDED_MEMORY,
    &load::BOUNDED_CPU,
    &patience::SLOW_READER,
    &patience::HALF_CLOSED,
    &wire::HTTP_MALFORMED,
    &wire::MANY_CLIENTS,
];
