//! turncoat plays the dishonest half of an MCP conversation and judges how the honest half bears it.
//!
//! Data flows one way: a script drives a peer over a link to a subject; what happens is a [`transcript`]; [`rules`]
//! judge it through the [`session`] model. ARCHITECTURE.md has the picture and the invariants.

pub mod adapter;
pub mod arguments;
pub mod floor;
#[cfg(feature = "arbitrary")]
pub mod generate;
pub mod limits;
pub mod oracle;
pub mod peer;
pub mod play;
pub mod reference;
pub mod revision;
pub mod rules;
pub mod schema;
pub mod script;
pub mod session;
pub mod transcript;
pub mod user;
pub mod wire;
