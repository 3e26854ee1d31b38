//! What the specification leaves to a server that speaks HTTP.

use serde::Deserialize;

/// A permitted way of speaking HTTP that differs from the default; the number is that of the trap in the notes on the
/// specification.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum HttpReading {
    /// 21: errors whose status no clause fixes come with 200.
    FailuresAre200,
    /// 37: DELETE gets 405.
    NoDeleting,
    /// 37: DELETE gets 200 with a body.
    DeletedWithBody,
    /// 37: a session id that never existed gets 400.
    UnknownSessionIs400,
    /// 38: no session ids; every legacy request stands alone.
    NoSessions,
    /// 39: GET gets 405, and nobody hears of changes in a legacy session.
    NoListening,
    /// 39: a GET stream ends after its first message.
    ShortListening,
    /// 40: a second GET stream replaces the first.
    NewestListens,
    /// 40: a second GET stream is accepted beside the first.
    SecondListener,
    /// 41: a stream of 2025-11-25 is closed at once, with a time to wait, and goes on when it is resumed.
    Polls,
    /// 43: empty bodies have no length.
    EmptyWithoutLength,
    /// 44: every origin is refused.
    NoOrigins,
    /// 49: without version header a request is taken for a legacy one.
    MissingVersionIsLegacy,
    /// Refusals that need no JSON-RPC error have none, but a text.
    PlainRefusals,
    /// Every answer is JSON, except to a subscription.
    JsonOnly,
    /// Every answer with status 200 is a stream.
    EventsOnly,
    /// Events have no ids, and no stream can be resumed.
    NoEventIds,
    /// Events are named `message`.
    NamedEvents,
    /// Lines of a stream end in CR and LF.
    LinesEndInCrLf,
    /// Lines of a stream end in CR.
    LinesEndInCr,
    /// Comments stand between the events.
    Comments,
    /// The data of an event takes several lines.
    SeveralLines,
    /// Events have fields that nobody knows, and no space behind the colon.
    OddFields,
    /// Content types have parameters, and header names capitals.
    OddHeaders,
}
