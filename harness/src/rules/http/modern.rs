//! Streamable HTTP of 2026-07-28.
//!
//! - `post`: a POST held against its body
//! - [`version`]: the header line with the version, and the status of what is not implemented
//! - [`standard`]: the header lines with the method and its subject
//! - `annotated`, [`definitions`], [`params`]: arguments that stand in header lines too
//! - [`lines`]: header lines that look unusual and are right
//! - [`streams`]: responses that are streams of events
//! - [`earlier`]: what earlier revisions did by HTTP and this one does not

use crate::revision::Era;
use crate::session::View;

pub(super) mod annotated;
pub mod definitions;
pub mod earlier;
pub mod lines;
pub mod params;
mod post;
pub mod standard;
pub mod streams;
pub mod version;

/// Whether control sessions found that the server speaks no legacy revision.
fn is_modern_only(view: View<'_>) -> bool {
    let spoken = &view.facts().revisions;
    !spoken.is_empty() && spoken.iter().all(|revision| revision.era() == Era::Modern)
}
