//! How much every subject is expected to bear, in one place.
//!
//! A floor is generous to the subject: what stays below it comes from honest peers too, on a bad day. To refuse even
//! that by an error is right at any measure; to die of it or to stop serving is not. `turncoat limits` passes a verdict
//! up to these measures only, and the robustness rules that judge by size, depth or count begin to look at them.

/// Bytes of a message: a mebibyte, which a picture or a file in base64 takes.
pub const MESSAGE: u64 = 1 << 20;

/// Levels of nesting: a parser that recurses without a bound of its own reaches the end of a usual stack soon behind them.
pub const NESTING: u64 = 10_000;

/// Members of one object.
pub const MEMBERS: u64 = 10_000;

/// Characters of an id, of the name of a method and of a cursor; and bytes of a whole message, below which to leave it
/// without an answer has no excuse. Some read lines of 64 KiB.
pub const NAME: u64 = 64 << 10;

/// Requests without an answer at a time; from so many on they are a flood.
pub const IN_FLIGHT: u64 = 100;

/// Streams of events open at a time: what a team of people with a client each keeps open all day.
pub const STREAMS: u64 = 32;

/// Bytes of one header line: what common HTTP servers take for a whole head at the least.
pub const HEADER: u64 = 8 << 10;
