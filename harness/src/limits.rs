//! How much a subject bears: at which size, depth or count it first reacts in another way, and how.
//!
//! A [`Dimension`] says what grows, from where to where, and up to which [`floor`](crate::floor) a breakdown is held against the
//! subject. A probe is one fresh session with one request of some measure and a fence behind it; its transcript is a
//! [`Reaction`]. A [`Search`] finds the measure at which the reaction changes. All three are data and pure functions;
//! who opens the sessions decides how many run at once and what they may cost.
//!
//! - [`dimension`]: what is measured, and the script of a probe
//! - [`reaction`]: what a transcript of a probe shows
//! - [`search`]: doubling and bisection

pub mod dimension;
pub mod reaction;
pub mod search;

pub use dimension::{Carrier, DIMENSIONS, Dimension, Unit};
pub use reaction::{Death, Reaction};
pub use search::Search;
