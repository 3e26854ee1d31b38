//! The faults that show over HTTP only.

use super::{ALL, LEGACY_STREAMABLE, MODERN, ONLY_11, ONLY_24, RANGE_03_06, SINCE_03, SINCE_06_LEGACY, SINCE_11};
use super::{Fault, FaultInfo};
use crate::reference::behaviour::{Behaviour, Reading};
use crate::revision::Revisions;
use crate::transcript::Transports;

macro_rules! faults {
    ($($name:ident: $id:literal, $rule:literal, $revisions:ident, $about:literal;)*) => {
        /// Something that is wrong with the HTTP side of a server.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum HttpFault {
            $(#[doc = $about] $name,)*
        }

        /// Every one of them.
        pub(super) const TABLE: &[FaultInfo] = &[
            $(FaultInfo {
                id: $id,
                rule: $rule,
                about: $about,
                fault: Fault::Http(HttpFault::$name),
                revisions: $revisions,
                reach: Transports::HTTP,
            },)*
        ];
    };
}

impl HttpFault {
    /// Gives the server what it needs for the fault to show.
    pub(super) fn prepare(self, behaviour: &mut Behaviour) {
        match self {
            // What these rules demand, they demand of servers of one era.
            Self::ToleratesMissingVersionHeader
            | Self::GetIs404
            | Self::MintsModernSessions
            | Self::RefusesModernSessions => behaviour.revisions = Revisions::MODERN,
            Self::SharesSessions => behaviour.readings.push(Reading::Renegotiates),
            _ => {}
        }
    }
}

faults! {
    // Who may come in, and by which door.
    AcceptsAnyOrigin: "accepts-any-origin", "http.origin.validated", ALL,
        "requests of any origin and for any host are served";
    MatchesOriginsByPrefix: "matches-origins-by-prefix", "http.origin.validated", ALL,
        "an origin is welcome if it begins like one of this machine";
    ServesRefusedOrigins: "serves-refused-origins", "http.origin.validated", SINCE_03,
        "a foreign origin gets 403, and its message is served all the same";
    RefusesOriginsWith400: "refuses-origins-with-400", "http.origin.invalid-403", SINCE_11,
        "a foreign origin gets 400";
    SplitsEndpoint: "splits-endpoint", "http.post.endpoint", SINCE_03,
        "tools are called at another path than the endpoint";
    OneRequestAtATime: "one-request-at-a-time", "http.post.parallel-requests", SINCE_03,
        "a request gets 503 while another one is under way";
    CrossesClients: "crosses-clients", "http.responses-not-crossed", MODERN,
        "answers go by the id of the request alone, whoever sent it";
    SharesSessions: "shares-sessions", "http.responses-not-crossed", LEGACY_STREAMABLE,
        "every client gets the same session";

    // Answers to POSTs.
    AcceptsNotificationsBy200: "accepts-notifications-by-200", "http.post.notification-202", SINCE_03,
        "an accepted notification gets 200";
    AcceptsNotificationsWithBody: "accepts-notifications-with-body", "http.post.notification-202", SINCE_03,
        "an accepted notification gets 202 with a body";
    RefusesNotificationsBy200: "refuses-notifications-by-200", "http.post.notification-refused", SINCE_03,
        "a refused notification gets 200";
    LabelsAnswersAsText: "labels-answers-as-text", "http.post.request-content-type", SINCE_03,
        "lists that are JSON are labelled text/plain";
    AnswersRequestsBy202: "answers-requests-by-202", "http.post.request-content-type", SINCE_03,
        "lists that are JSON come with 202";
    CutsJson: "cuts-json", "jsonrpc.response.exactly-one", SINCE_03,
        "the connection is cut in the middle of a list that is JSON";

    // Streams.
    LosesStreamedAnswers: "loses-streamed-answers", "http.sse.response-delivered", LEGACY_STREAMABLE,
        "a stream ends without the answer";
    CutsLastEvent: "cuts-last-event", "http.sse.response-delivered", LEGACY_STREAMABLE,
        "the empty line after the last event of a stream is missing";
    KeepsStreamsOpen: "keeps-streams-open", "http.sse.closed-after-response", SINCE_03,
        "a stream does not end after the answer";
    AnswersGetByJson: "answers-get-by-json", "http.get.sse-or-405", LEGACY_STREAMABLE,
        "GET gets JSON";
    CopiesAnswersToListener: "copies-answers-to-listener", "http.get.no-responses", LEGACY_STREAMABLE,
        "answers come on the GET stream too";
    MixesStreams: "mixes-streams", "http.sse.related-only", LEGACY_STREAMABLE,
        "list changes come on the stream of a request";
    ClosesEarly: "closes-early", "http.sse.no-early-close", RANGE_03_06,
        "a stream is closed before the answer";
    Broadcasts: "broadcasts", "http.sse.no-broadcast", LEGACY_STREAMABLE,
        "list changes come on every GET stream";
    RepeatsEventIds: "repeats-event-ids", "http.sse.event-id-unique", LEGACY_STREAMABLE,
        "the events of every stream are counted from nought";
    ReplaysEveryStream: "replays-every-stream", "http.sse.replay-own-stream-only", LEGACY_STREAMABLE,
        "who resumes a stream gets the messages of all others too";
    PrimesNoStream: "primes-no-stream", "http.sse.priming-event", ONLY_11,
        "a stream begins with a message";
    LeavesWithoutRetry: "leaves-without-retry", "http.sse.retry-before-close", ONLY_11,
        "a stream that goes on later is closed without a word on when";

    // Sessions and versions.
    SpacedSessionIds: "spaced-session-ids", "http.session.id-charset", LEGACY_STREAMABLE,
        "session ids have a space in them";
    CountsSessions: "counts-sessions", "http.session.id-unpredictable", LEGACY_STREAMABLE,
        "session ids are counted";
    MissingSessionIs500: "missing-session-is-500", "http.session.missing-400", LEGACY_STREAMABLE,
        "a request without session id gets 500";
    ServesEndedSessions: "serves-ended-sessions", "http.session.terminated-404", LEGACY_STREAMABLE,
        "a session goes on after its end was confirmed";
    EndedSessionIs400: "ended-session-is-400", "http.session.terminated-404", LEGACY_STREAMABLE,
        "a request of an ended session gets 400";
    IgnoresVersionHeader: "ignores-version-header", "http.version-header.invalid-400", SINCE_06_LEGACY,
        "any version header will do";
    NeedsVersionHeader: "needs-version-header", "http.version-header.absent-default", SINCE_06_LEGACY,
        "requests of a session without version header get 400";
    CancelsOnDisconnect: "cancels-on-disconnect", "cancel.http-disconnect-is-not-cancel", LEGACY_STREAMABLE,
        "a call ends with its connection";

    // HTTP+SSE.
    NamesEndpointMessage: "names-endpoint-message", "http-sse.endpoint-event", ONLY_24,
        "the event with the address for messages is named message";
    NamesEventsByKind: "names-events-by-kind", "http-sse.message-events", ONLY_24,
        "events are named response and notification";

    // Headers of the modern era.
    ReadsHeadersByCase: "reads-headers-by-case", "http.header-names-case-insensitive", MODERN,
        "header names are known in two spellings";
    IgnoresVersionMismatch: "ignores-version-mismatch", "http.modern.version-header.mismatch", MODERN,
        "the version header need not be that of the body";
    ToleratesMissingVersionHeader: "tolerates-missing-version-header", "http.modern.version-header.missing", MODERN,
        "requests without version header are served";
    UnsupportedVersionIs200: "unsupported-version-is-200", "http.modern.unsupported-version-400", MODERN,
        "the version error comes with 200";
    UnknownMethodIs200: "unknown-method-is-200", "http.modern.unknown-method-404", MODERN,
        "an unknown method gets its error with 200";
    UnknownMethodIs400: "unknown-method-is-400", "http.modern.unknown-method-404", MODERN,
        "an unknown method gets its error with 400";
    HeaderErrorIs200: "header-error-is-200", "http.modern.standard-headers.mismatch-rejected", MODERN,
        "the error about a header comes with 200";
    HeaderErrorIsInvalidParams: "header-error-is-invalid-params", "http.modern.standard-headers.missing-rejected", MODERN,
        "the error about a header has the code -32602";
    RunsBeforeHeaderCheck: "runs-before-header-check", "http.modern.standard-headers.mismatch-rejected", MODERN,
        "a request is refused for its headers after it was served";
    ToleratesMissingHeaders: "tolerates-missing-headers", "http.modern.standard-headers.missing-rejected", MODERN,
        "Mcp-Method and Mcp-Name may be missing";
    ToleratesWrongHeaders: "tolerates-wrong-headers", "http.modern.standard-headers.mismatch-rejected", MODERN,
        "Mcp-Method and Mcp-Name may say what they like";
    ComparesEncodedNames: "compares-encoded-names", "http.modern.name-header.decoded", MODERN,
        "an encoded Mcp-Name is compared as it stands";
    TakesAnyMarker: "takes-any-marker", "http.modern.name-header.decoded", MODERN,
        "the marker of an encoded value may be in capitals";
    AcceptsBrokenEncoding: "accepts-broken-encoding", "http.modern.param-header.missing-rejected", MODERN,
        "a header of an argument that cannot be decoded is not looked at";
    IgnoresParamHeaders: "ignores-param-headers", "http.modern.param-header.missing-rejected", MODERN,
        "headers of arguments are not looked at";
    NeedsEveryParamHeader: "needs-every-param-header", "http.modern.param-header.absent-value-accepted", MODERN,
        "headers of arguments that are not there must not be missing";
    ComparesIntegersAsText: "compares-integers-as-text", "http.modern.param-header.integer-compare", MODERN,
        "42.0 in a header is not 42";
    KeepsHeaderSpace: "keeps-header-space", "http.modern.header-whitespace-tolerated", MODERN,
        "white space around a header value is taken for a part of it";

    // What is left of the rest in the modern era.
    GoesOnAfterDisconnect: "goes-on-after-disconnect", "cancel.http-disconnect-is-cancel", MODERN,
        "a call whose connection is closed goes on";
    ReportsToListeners: "reports-to-listeners", "subscription.no-request-scoped-traffic", MODERN,
        "progress and log messages come on the stream of a subscription too";
    NoticesOnEveryStream: "notices-on-every-stream", "http.modern.sse-related-only", MODERN,
        "notices of a subscription come on the streams of other requests too";
    ListensByJson: "listens-by-json", "http.modern.listen-is-sse", MODERN,
        "a subscription is answered by one JSON object";
    Buffers: "lets-proxies-buffer", "http.modern.no-buffering-header", MODERN,
        "streams lack the header X-Accel-Buffering";
    GetIs404: "get-is-404", "http.modern.get-delete-405", MODERN,
        "GET and DELETE get 404";
    MintsModernSessions: "mints-modern-sessions", "http.modern.session-header-ignored", MODERN,
        "answers to modern requests come with a session id";
    RefusesModernSessions: "refuses-modern-sessions", "http.modern.session-header-ignored", MODERN,
        "a modern request with a session id gets 404";

    // Robustness.
    DiesOfMalformedBody: "dies-of-malformed-body", "robust.http-malformed", ALL,
        "it exits when a body is not JSON";
    HangsOnMalformedBody: "hangs-on-malformed-body", "robust.http-malformed", ALL,
        "a body that is not JSON is never answered";
    DropsSomeOfMany: "drops-some-of-many", "robust.many-clients", SINCE_03,
        "of many requests it drops some connections without an answer";
    WaitsForSlowReaders: "waits-for-slow-readers", "robust.slow-reader", SINCE_03,
        "nobody is served while one response is not taken";
    KeepsHalfClosed: "keeps-half-closed", "robust.half-closed", SINCE_03,
        "a connection that its client closed halfway is neither used nor closed any more";
}
