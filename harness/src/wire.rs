//! What travels: raw bytes first, then a lossless view of the JSON in them.
//!
//! Nothing here rejects. A frame that is not JSON, not UTF-8 or 64 MiB long is still a frame; it says what it is instead.
//!
//! - [`frame`]: one message as it came, and what is odd about it
//! - [`json`]: a reader that keeps number text, duplicate keys and offsets
//! - [`decimal`]: numbers by their value
//! - [`http`]: HTTP/1.1 heads and bodies, read piece by piece and written exactly as told
//! - [`id`]: request ids, compared by value and by spelling
//! - [`lines`]: cutting a byte stream at its newlines, within a bound
//! - [`sse`]: server-sent events

pub mod decimal;
pub mod frame;
pub mod http;
pub mod id;
pub mod json;
pub mod lines;
pub mod sse;

pub use frame::{Frame, Unreadable};
pub use id::Id;
pub use json::{Document, Kind, Value};
