//! The faults that show over HTTP only.

use super::{ClientFault, ClientFaultInfo};
use super::{LEGACY_STREAMABLE, MODERN, ONLY_11, ONLY_24, SINCE_03, SINCE_06_LEGACY};
use crate::reference::FaultInfo;
use crate::transcript::Transports;

macro_rules! faults {
    ($($name:ident: $id:literal, $rule:literal, $revisions:ident, $about:literal;)*) => {
        /// Something that is wrong with the HTTP side of a client.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum ClientHttpFault {
            $(#[doc = $about] $name,)*
        }

        /// Every one of them.
        pub(super) const TABLE: &[ClientFaultInfo] = &[
            $(FaultInfo {
                id: $id,
                rule: $rule,
                about: $about,
                fault: ClientFault::Http(ClientHttpFault::$name),
                revisions: $revisions,
                reach: Transports::HTTP,
            },)*
        ];
    };
}

faults! {
    // Requests.
    AcceptsJsonOnly: "accepts-json-only", "http.client.accept-post", SINCE_03,
        "POSTs say in Accept that JSON is taken, and nothing else";
    AcceptsAnythingOnGet: "accepts-anything-on-get", "http.client.accept-get", LEGACY_STREAMABLE,
        "GETs say */* in Accept";
    PutsLists: "puts-requests-for-lists", "http.client.one-message-per-post", SINCE_03,
        "requests for lists are sent by PUT";
    PostsElsewhere: "posts-elsewhere", "http.client.one-message-per-post", SINCE_03,
        "calls are posted to a path below the endpoint";
    PostsToTheStream: "posts-to-the-stream", "http-sse.client-posts-to-endpoint", ONLY_24,
        "requests for lists are posted to where the stream is";

    // Answers.
    RefusesStreams: "refuses-streams", "http.client.both-answer-types", SINCE_03,
        "an answer by a stream is dropped";
    ReadsLastLine: "reads-the-last-line-of-data", "http.client.sse-parsing", SINCE_03,
        "of data over several lines the last line is read";
    TakesUnfinished: "takes-unfinished-events", "http.client.sse-parsing", LEGACY_STREAMABLE,
        "an event that the end of a stream cut off is taken";
    GivesUpOn405: "gives-up-on-405", "http.client.get-405-tolerated", LEGACY_STREAMABLE,
        "a server that refuses GET is given up";
    AsksForStreamsAgain: "asks-for-refused-streams-again", "http.client.get-405-tolerated", LEGACY_STREAMABLE,
        "a stream that is refused is asked for a dozen times more";
    ComesBackAtOnce: "comes-back-at-once", "http.client.retry-respected", ONLY_11,
        "a stream that broke is asked for at once, whatever the server said";
    PostsAgain: "posts-again", "http.client.resumes-with-last-event-id", LEGACY_STREAMABLE,
        "a request whose stream broke is posted once more";

    // Sessions and versions.
    ForgetsSessionIds: "forgets-session-ids", "http.session.client-sends-id", LEGACY_STREAMABLE,
        "requests for lists lack the session id";
    StripsSessionIds: "strips-session-ids", "http.session.client-sends-id", LEGACY_STREAMABLE,
        "session ids come back without what is no letter and no digit";
    KeepsDeadSessions: "keeps-dead-sessions", "http.session.client-restarts-on-404", LEGACY_STREAMABLE,
        "a session that is gone is used on";
    StaysWithoutSession: "stays-without-session", "http.session.client-restarts-on-404", LEGACY_STREAMABLE,
        "behind a session that is gone nothing more is asked";
    RestartsUnderOldId: "restarts-under-the-old-id", "http.session.client-restarts-on-404", LEGACY_STREAMABLE,
        "a new session is begun under the id of the one that is gone";
    LeavesSilently: "leaves-silently", "http.session.client-deletes", LEGACY_STREAMABLE,
        "the session is not ended";
    OmitsVersionHeader: "omits-the-version-header", "http.version-header.client-sends", SINCE_06_LEGACY,
        "no request names the version";
    OmitsVersionOnGet: "omits-the-version-on-get", "http.version-header.client-sends", SINCE_06_LEGACY,
        "GET and DELETE do not name the version";
    NamesOldVersion: "names-an-old-version", "http.version-header.client-negotiated", SINCE_06_LEGACY,
        "the version header says 2025-03-26";
    NeverCancels: "never-cancels", "cancel.http-client-explicit", LEGACY_STREAMABLE,
        "requests that are no longer wanted are not cancelled";

    // The modern era.
    OmitsModernVersion: "omits-the-modern-version-header", "http.modern.version-header.client", MODERN,
        "requests for lists lack the version header";
    OmitsMethodHeader: "omits-the-method-header", "http.modern.method-header.client", MODERN,
        "requests for lists lack Mcp-Method";
    ShoutsMethods: "shouts-methods", "http.modern.method-header.client", MODERN,
        "Mcp-Method of requests for lists is in capitals";
    OmitsNameHeader: "omits-the-name-header", "http.modern.name-header.client", MODERN,
        "calls lack Mcp-Name";
    PlainNames: "plain-names", "http.modern.name-header.encoding", MODERN,
        "Mcp-Name of calls is never encoded";
    ListensInModern: "listens-to-modern-servers", "http.modern.client-no-legacy-mechanisms", MODERN,
        "a modern server is asked for a stream by GET";
    InventsSessionIds: "invents-session-ids", "http.modern.client-no-legacy-mechanisms", MODERN,
        "modern requests have a session id";
    ReissuesUnderSameId: "reissues-under-the-same-id", "http.modern.client-reissues-with-new-id", MODERN,
        "a request whose stream broke is posted once more under its id";
    ResumesModern: "resumes-modern-streams", "http.modern.client-reissues-with-new-id", MODERN,
        "a stream that broke is asked for by GET";
    OmitsArguments: "omits-arguments-in-headers", "http.modern.param-header.client-mirrors", MODERN,
        "annotated arguments are not repeated";
    RepeatsAbsentArguments: "repeats-absent-arguments", "http.modern.param-header.client-omits", MODERN,
        "an annotated argument that is not there has an empty header";
    PlainArguments: "plain-arguments", "http.modern.param-header.client-encodes", MODERN,
        "headers of arguments are never encoded";
    KeepsBadlyAnnotated: "keeps-badly-annotated-tools", "http.modern.param-header.bad-tool-excluded", MODERN,
        "tools with invalid annotations are shown";
    OneBadAnnotationSpoilsAll: "one-bad-annotation-spoils-all", "http.modern.param-header.bad-tool-excluded", MODERN,
        "a list with an invalid annotation is refused";
    GivesUpOnMismatch: "gives-up-on-header-mismatches", "http.modern.param-header.client-refreshes", MODERN,
        "a call that is refused for its headers has failed";
    CallsAgainAtOnce: "calls-again-at-once", "http.modern.param-header.client-refreshes", MODERN,
        "a call that is refused for its headers is made once more, and the tools are not listed";
    KeepsCancelledStreams: "keeps-cancelled-streams", "cancel.http-client-closes-stream", MODERN,
        "responses that are no longer wanted are left open";

    // Both eras.
    FallsBackOnAny400: "falls-back-on-any-400", "dual.client.http-inspects-400", MODERN,
        "every refusal of the probe leads to initialize";
    GivesUpOnPlain400: "gives-up-on-a-plain-400", "dual.client.http-fallback", MODERN,
        "a server that refuses the probe with 400 is given up";
}
