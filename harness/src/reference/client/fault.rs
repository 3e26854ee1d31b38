//! The catalogue of faults: what can be wrong with the client, and which rule must notice.
//!
//! One row is one cause. Where it shows in several ways, the row names the rule whose requirement the cause breaks. What
//! only a connection to somewhere else would show is told by the client itself, as a deed.

use super::conduct::{Conduct, Declares, Habit, Host};
use crate::reference::FaultInfo;
use crate::reference::fault::joined;
use crate::revision::Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};
use crate::revision::Revisions;
use crate::transcript::Transports;

mod http;

pub use http::ClientHttpFault;

const ALL: Revisions = Revisions::ALL;
const LEGACY: Revisions = Revisions::LEGACY;
const MODERN: Revisions = Revisions::MODERN;
const SINCE_03: Revisions = Revisions::since(V2025_03_26);
const SINCE_06: Revisions = Revisions::since(V2025_06_18);
const SINCE_11: Revisions = Revisions::since(V2025_11_25);
const RANGE_03_11: Revisions = Revisions::range(V2025_03_26, V2025_11_25);
const OLDER: Revisions = Revisions::range(V2024_11_05, V2025_06_18);
const ONLY_24: Revisions = Revisions::of(&[V2024_11_05]);
const ONLY_24_03: Revisions = Revisions::of(&[V2024_11_05, V2025_03_26]);
const ONLY_03: Revisions = Revisions::of(&[V2025_03_26]);
const ONLY_06: Revisions = Revisions::of(&[V2025_06_18]);
const ONLY_06_11: Revisions = Revisions::of(&[V2025_06_18, V2025_11_25]);
const ONLY_11: Revisions = Revisions::of(&[V2025_11_25]);

/// The legacy revisions with Streamable HTTP, and those of them with the version header.
const LEGACY_STREAMABLE: Revisions = RANGE_03_11;
const SINCE_06_LEGACY: Revisions = ONLY_06_11;

/// One row of the catalogue.
pub type ClientFaultInfo = FaultInfo<ClientFault>;

macro_rules! reach {
    () => {
        Transports::BOTH
    };
    ($reach:ident) => {
        Transports::$reach
    };
}

macro_rules! faults {
    ($($name:ident: $id:literal, $rule:literal, $revisions:ident $(over $reach:ident)?, $about:literal;)*) => {
        /// Something that is wrong with a client.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum ClientFault {
            $(#[doc = $about] $name,)*
            /// Something that shows over HTTP only.
            Http(ClientHttpFault),
        }

        const TABLE: &[ClientFaultInfo] = &[
            $(FaultInfo {
                id: $id,
                rule: $rule,
                about: $about,
                fault: ClientFault::$name,
                revisions: $revisions,
                reach: reach!($($reach)?),
            },)*
        ];
    };
}

/// Every fault, by area.
pub static CLIENT_FAULTS: &[ClientFaultInfo] = &ALL_TABLES;

static ALL_TABLES: [ClientFaultInfo; TABLE.len() + http::TABLE.len()] = joined(TABLE, http::TABLE);

impl ClientFault {
    /// The revisions in which it shows.
    pub(super) fn revisions(self) -> Revisions {
        CLIENT_FAULTS.iter().find(|info| info.fault == self).map_or(ALL, |info| info.revisions)
    }

    /// Gives the client what it needs for the fault to show, as far as it must differ from the honest one.
    pub(super) fn prepare(self, conduct: &mut Conduct) {
        let declares = &mut conduct.declares;
        match self {
            Self::OffersUnspoken => {
                conduct.revisions = conduct.revisions.iter().filter(|revision| *revision != V2025_11_25).collect();
            }
            Self::NeedsResultType => {
                conduct.revisions = MODERN;
                conduct.habits.push(Habit::NoProbe);
            }
            Self::TakesLegacyForModern => conduct.revisions = MODERN,
            Self::ServesUndeclaredRoots | Self::WrongRootsCode => declares.roots = false,
            Self::ServesUndeclaredSampling => declares.sampling = false,
            Self::ServesUndeclaredElicitation => (declares.form, declares.url) = (false, false),
            Self::WrongModeCode | Self::ServesAnyMode => declares.url = false,
            Self::PlainModelTakesTools => declares.sampling_tools = false,
            Self::AnnouncesUndeclaredRoots => declares.roots_changed = false,
            Self::InventsInput => *declares = Declares::NONE,
            Self::PrefetchesUrls => conduct.host = Host::Declining,
            Self::InventsForRejection => conduct.host = Host::Declining,
            Self::WrongRootsFailure => conduct.host = Host::Failing,
            _ => {}
        }
    }
}

faults! {
    // Messages.
    OmitsJsonrpc: "omits-jsonrpc", "jsonrpc.version-member", ALL,
        "requests for lists lack the member jsonrpc";
    OldJsonrpc: "says-jsonrpc-1-0", "jsonrpc.version-member", LEGACY,
        "answers say jsonrpc \"1.0\"";
    FractionalRequestId: "fractional-request-id", "jsonrpc.request.id-string-or-integer", ALL,
        "requests for prompts have fractional ids";
    BooleanRequestId: "boolean-request-id", "jsonrpc.request.id-string-or-integer", ALL,
        "requests for prompts have the id true";
    NullRequestId: "null-request-id", "jsonrpc.request.id-not-null", ALL,
        "requests for prompts have a null id";
    ReusesRequestIds: "reuses-request-ids", "jsonrpc.request.id-unique-in-session", LEGACY,
        "every request behind the handshake has the same id";
    ReusesOpenIds: "reuses-open-ids", "jsonrpc.request.id-unique-in-flight", MODERN,
        "a request has the id of another one that is still open";
    AnswersAnotherId: "answers-another-id", "jsonrpc.response.same-id", LEGACY,
        "answers have an id that nobody asked under";
    AnswersTextIds: "answers-ids-of-another-type", "jsonrpc.response.id-type-preserved", LEGACY,
        "numbers come back as strings, and strings of digits as numbers";
    AnswersTwice: "answers-twice", "jsonrpc.response.exactly-one", LEGACY,
        "every answer comes twice";
    NeverAnswersModel: "never-answers-for-the-model", "jsonrpc.response.exactly-one", LEGACY,
        "sampling/createMessage is never answered";
    ResultAndError: "result-and-error", "jsonrpc.response.result-xor-error", LEGACY,
        "errors have a result too";
    NeitherResultNorError: "neither-result-nor-error", "jsonrpc.response.result-xor-error", LEGACY,
        "errors have lost their error";
    NullResult: "null-result", "jsonrpc.response.result-is-object", LEGACY,
        "ping has a null result";
    ArrayResult: "array-result", "jsonrpc.response.result-is-object", LEGACY,
        "roots are a result without an object around them";
    ErrorWithoutMessage: "error-without-message", "jsonrpc.error.has-code-and-message", LEGACY,
        "errors have no message";
    ErrorWithoutCode: "error-without-code", "jsonrpc.error.has-code-and-message", LEGACY,
        "errors have no code";
    TextErrorCode: "text-error-code", "jsonrpc.error.code-integer", LEGACY,
        "error codes are strings";
    FractionalErrorCode: "fractional-error-code", "jsonrpc.error.code-integer", LEGACY,
        "error codes have a fraction";
    DropsIdFromErrors: "drops-id-from-errors", "jsonrpc.response.error-id-omission", ONLY_11,
        "errors lack the id that could be read";
    NullsIdInErrors: "nulls-id-in-errors", "jsonrpc.response.error-id-omission", ONLY_11,
        "errors have a null id";
    NotificationsWithId: "notifications-with-id", "jsonrpc.notification.no-id", LEGACY,
        "notifications have an id";
    AnswersNotifications: "answers-notifications", "jsonrpc.notification.no-response", LEGACY,
        "every notification gets a result with a null id";
    IgnoresUnknownMethods: "ignores-unknown-methods", "jsonrpc.unknown-method.answered", LEGACY,
        "unknown methods get no answer";
    ExitsOnUnknownMethod: "exits-on-unknown-method", "jsonrpc.unknown-method.answered", LEGACY,
        "it exits when it meets an unknown method";
    WrongUnknownMethodCode: "wrong-unknown-method-code", "jsonrpc.unknown-method.code", LEGACY,
        "unknown methods get -32603";
    DiesOnGarbage: "dies-on-garbage", "robust.client-survives", ALL,
        "it exits when a line is not JSON";
    WrongParseErrorCode: "wrong-parse-error-code", "jsonrpc.parse-error", LEGACY,
        "text that is not JSON gets -32603";
    WrongInvalidRequestCode: "wrong-invalid-request-code", "jsonrpc.invalid-request", LEGACY,
        "JSON that is no request gets -32603";
    RunsInvalidRequests: "runs-invalid-requests", "jsonrpc.invalid-request", LEGACY,
        "the member jsonrpc of requests is not looked at";
    ArrayParams: "array-params", "jsonrpc.params-object", ALL,
        "params of requests for lists are an array";
    NullParams: "null-params", "jsonrpc.params-object", LEGACY,
        "params of notifications/initialized are null";
    Latin1: "writes-latin-1", "jsonrpc.utf8", SINCE_03,
        "calls have an accent in Latin-1";
    RefusesBatches: "ignores-batches", "jsonrpc.batch.receive", ONLY_03,
        "batches are ignored";
    AnswersHalfABatch: "answers-half-a-batch", "jsonrpc.batch.receive", ONLY_03,
        "the second half of a batch is dropped";
    BatchesInitialize: "batches-initialize", "jsonrpc.batch.initialize-excluded", ONLY_03,
        "initialize comes in an array";
    AnswersEmptyArray: "answers-notifications-by-empty-array", "jsonrpc.batch.notifications-only-silent", ONLY_03,
        "a batch of notifications gets an empty array";
    SendsBatches: "sends-batches", "jsonrpc.batch.not-sent", SINCE_06,
        "requests for lists come in arrays";
    AnswersModernRequests: "answers-modern-requests", "message.client-no-responses", MODERN,
        "requests of a modern server are answered";
    RefusesModernRequests: "refuses-modern-requests", "message.client-no-responses", MODERN,
        "requests of a modern server get -32601";
    TakesUnknownTypes: "takes-unknown-result-types", "result.resulttype-unknown-invalid", MODERN,
        "a result of an unknown type is taken for a complete one";
    NeedsResultType: "needs-a-result-type", "result.resulttype-absent-complete", MODERN,
        "a result without a type is refused, by a client that does not probe";
    RetriesUntyped: "takes-untyped-results-for-interim", "result.resulttype-absent-complete", MODERN,
        "a result of a tool without a type is taken for one that requires input";
    ReadsLegacyRange: "reads-codes-of-the-legacy-range", "error.legacy-range-no-meaning", MODERN,
        "-32001, -32003 and -32004 mean what they meant in drafts";

    // Metadata.
    MetaArray: "meta-is-an-array", "meta.is-object", ALL,
        "the metadata of prompts/get is an array";
    BadMetaKey: "bad-meta-key", "meta.key-name-format", SINCE_06,
        "calls have a metadata key with a space in it";
    ForwardDnsMeta: "forward-dns-meta", "meta.reverse-dns-prefix", SINCE_11,
        "calls have a metadata key under example.com/";
    InventsReservedMeta: "invents-reserved-meta", "meta.reserved-prefix-not-invented", SINCE_06,
        "calls have a metadata key under a reserved prefix";
    RefusesOddMeta: "refuses-odd-meta", "meta.reserved-values-no-assumption", SINCE_06,
        "a result with an unknown metadata key is refused";
    BadTraceparent: "bad-traceparent", "meta.trace-context-format", MODERN,
        "calls have a traceparent of another form";
    OmitsMetaVersion: "omits-meta-version", "meta.request.protocol-version", MODERN,
        "requests for resources do not name the version";
    OmitsMetaCapabilities: "omits-meta-capabilities", "meta.request.client-capabilities", MODERN,
        "requests for prompts do not declare capabilities";
    OmitsClientInfo: "omits-client-info", "meta.request.client-info", MODERN,
        "requests do not name the client";
    ClientInfoWithoutVersion: "client-info-without-version", "meta.request.client-info", MODERN,
        "the client's identity in metadata has no version";
    NeedsServerInfo: "needs-server-info", "meta.identity-not-behavioural", MODERN,
        "a server that does not name itself is given up";

    // Handshake.
    ListsFirst: "lists-first", "lifecycle.init.first-message", LEGACY,
        "tools/list comes before initialize";
    OmitsClientVersion: "omits-client-version", "lifecycle.init.request-fields", LEGACY,
        "clientInfo of initialize has no version";
    OmitsCapabilities: "omits-capabilities", "lifecycle.init.request-fields", LEGACY,
        "initialize has no capabilities";
    NeverInitialized: "never-initialized", "lifecycle.init.initialized-sent", LEGACY,
        "notifications/initialized is not sent";
    Hurries: "hurries", "lifecycle.init.client-waits", LEGACY,
        "tools/list follows initialize before its answer";
    CancelsInitialize: "cancels-initialize", "lifecycle.init.not-cancelled", LEGACY,
        "an unanswered initialize is cancelled";
    IgnoresEarlyPings: "ignores-early-pings", "lifecycle.init.ping-during-handshake", LEGACY over STDIO,
        "a ping before the answer to initialize is not answered";
    OffersUnspoken: "offers-a-version-it-does-not-speak", "lifecycle.version.client-offers-supported", OLDER,
        "initialize names 2025-11-25, and the client leaves when the server agrees";
    OffersOldest: "offers-its-oldest-version", "lifecycle.version.client-offers-latest", RANGE_03_11,
        "initialize names the oldest version that the client speaks";
    SpeaksAnything: "speaks-any-version", "lifecycle.version.client-disconnects", LEGACY,
        "an unknown version in the answer to initialize is accepted";
    LingersAfterVersion: "lingers-after-an-unknown-version", "lifecycle.version.client-disconnects", LEGACY,
        "after an unknown version it says nothing more and stays";
    RefusesDowngrade: "refuses-any-other-version", "lifecycle.version.client-accepts-downgrade", OLDER,
        "it leaves unless the server answers with the offered version";
    UsesNewerMethods: "uses-newer-methods", "lifecycle.version.respected", ONLY_06,
        "tasks/list is sent in a session that has no tasks";
    UsesNewerMethodsEarly: "uses-newer-methods-in-old-sessions", "lifecycle.version.respected-weak", ONLY_24_03,
        "tasks/list is sent in a session that has no tasks";
    ChokesOnCapabilities: "chokes-on-capabilities", "lifecycle.capabilities-open-set", ALL,
        "a server with an unknown capability is given up";
    CapabilityTrue: "capability-is-true", "lifecycle.capability-shape", ALL,
        "the capability roots is declared by true";
    NeverGivesUp: "never-gives-up", "lifecycle.timeout-exists", ONLY_24,
        "an answer may take for ever";
    WaitsForEver: "waits-for-ever", "robust.client-gives-up", ALL,
        "an answer may take for ever, and nobody is told";
    TimesOutSilently: "times-out-silently", "lifecycle.timeout-cancels", RANGE_03_11,
        "a request that is given up is not cancelled";
    TimesOutSilentlyModern: "times-out-silently-stateless", "lifecycle.timeout-cancels-stateless", MODERN,
        "a request that is given up is not cancelled";
    ProgressForEver: "waits-as-long-as-there-is-progress", "lifecycle.timeout-max-despite-progress", SINCE_03,
        "progress puts the end off for ever";
    SignalsFirst: "signals-first", "lifecycle.shutdown.client-closes-stdin-first", ALL over STDIO,
        "the server gets SIGTERM before its input is closed";
    LingersAtEnd: "lingers-at-the-end", "robust.client-ends", ALL over STDIO,
        "it does not notice that the server has gone";

    // Capabilities.
    ServesUndeclaredRoots: "serves-undeclared-roots", "capability.client.roots-declared", ALL,
        "roots are handed out and not declared";
    ServesUndeclaredSampling: "serves-undeclared-sampling", "capability.client.sampling-declared", ALL,
        "the model answers and is not declared";
    ServesUndeclaredElicitation: "serves-undeclared-elicitation", "capability.client.elicitation-declared", SINCE_06,
        "the user fills in forms and is not declared";
    FormTrue: "form-is-true", "capability.client.elicitation-mode-declared", SINCE_11,
        "the mode form is declared by true";
    RefusesDeclaredUrl: "refuses-a-declared-mode", "capability.client.elicitation-mode-declared", ONLY_11,
        "the mode url is declared and refused";
    MakesTasks: "makes-undeclared-tasks", "capability.client.tasks-declared", ONLY_11,
        "sampling becomes a task, which was not declared";
    RefusesTaskMember: "refuses-the-member-task", "tasks.receiver.undeclared-ignored", ONLY_11,
        "a question with the member task is refused";
    WrongRootsCode: "wrong-code-for-undeclared-roots", "capability.client.roots-unsupported-code", LEGACY,
        "undeclared roots get -32603";
    WrongModeCode: "wrong-code-for-undeclared-mode", "capability.client.elicitation-mode-unsupported-code", ONLY_11,
        "an undeclared mode gets -32603";
    ServesAnyMode: "serves-any-mode", "capability.client.elicitation-mode-unsupported-code", ONLY_11,
        "the user accepts in every mode";
    PlainModelTakesTools: "plain-model-takes-tools", "capability.client.sampling-tools-unsupported-error", ONLY_11,
        "a model that was declared without tools answers a request that has some";
    UsesUndeclared: "uses-undeclared-features", "capability.client.no-undeclared-server-features", ONLY_06_11,
        "features are used whether the server declares them or not";
    UsesUndeclaredEarly: "uses-undeclared-features-in-old-sessions", "capability.client.only-negotiated", ONLY_24_03,
        "features are used whether the server declares them or not";
    SubscribesUndeclared: "subscribes-undeclared", "capability.client.no-subscribe-undeclared", ONLY_06_11,
        "resources are subscribed to whether the server declares that or not";
    AnnouncesUndeclaredRoots: "announces-undeclared-roots", "capability.client.no-roots-changed-undeclared", ONLY_06_11,
        "changes of roots are announced and were not declared";
    ListsTasksUndeclared: "lists-tasks-undeclared", "capability.client.no-task-methods-undeclared", ONLY_11,
        "tasks/list is sent whether the server declares it or not";
    ExtensionWithoutPrefix: "extension-without-prefix", "extension.identifier-format", MODERN,
        "an extension is declared under a name without prefix";
    InsistsOnExtension: "insists-on-its-extension", "extension.fallback-to-core", MODERN,
        "a method of an extension is used that only the client has";

    // Versions and eras.
    RetriesVersionForEver: "retries-a-version-for-ever", "version.client-retries-supported", MODERN,
        "after every refusal of its version it tries the same one again";
    FallsBackAnyway: "falls-back-after-modern-errors", "version.client-no-fallback-after-modern-error", MODERN,
        "-32022 and -32021 lead to initialize";
    UsesUnlisted: "uses-an-unlisted-version", "discover.client-picks-listed-version", MODERN,
        "the versions that a server supports are not looked at";
    InitializesFirst: "initializes-first", "dual.client.probe-first", MODERN,
        "initialize comes first, and the probe when it fails";
    FallsBackOnOneCode: "falls-back-on-one-code", "dual.client.fallback-any-error", MODERN,
        "only -32601 leads to initialize";
    WaitsForTheProbe: "waits-for-the-probe", "dual.client.fallback-on-silence", MODERN,
        "a server that does not answer the probe is given up";
    DiesOnLateProbe: "dies-on-a-late-probe", "dual.client.fallback-on-silence", MODERN,
        "it exits when the probe is answered after the fallback";
    ProbesAgain: "probes-again", "dual.client.era-cached", MODERN,
        "a legacy server is probed before every request";
    TakesLegacyForModern: "takes-legacy-for-modern", "modern-only.client.legacy-server-clean-failure", MODERN,
        "a server that does not know the probe is used all the same, by a client that speaks 2026-07-28 only";
    PingsModern: "pings-modern-servers", "modern.client.no-legacy-messages", MODERN,
        "a modern server gets a ping";
    SubscribesModern: "subscribes-in-the-old-way", "modern.client.no-legacy-messages", MODERN,
        "resources/subscribe is sent to a modern server";
    SetsLevelModern: "sets-levels-in-the-old-way", "modern.client.no-legacy-messages", MODERN,
        "logging/setLevel is sent to a modern server";
    AnnouncesRootsModern: "announces-roots-in-the-old-way", "modern.client.no-legacy-messages", MODERN,
        "changes of roots are announced to a modern server";
    SaysInitialized: "says-initialized-to-modern-servers", "modern.client.no-legacy-messages", MODERN,
        "notifications/initialized follows server/discover";
    ModernMetaInLegacy: "modern-meta-in-legacy-sessions", "dual.legacy-session-plain", LEGACY,
        "requests of a legacy session say in their metadata who asks";

    // Pings, cancellation and progress.
    RefusesPings: "refuses-pings", "ping.empty-result", LEGACY,
        "a ping gets -32601";
    IgnoresPingsWhileBusy: "ignores-pings-while-busy", "ping.empty-result", LEGACY,
        "a ping during a call is not answered";
    CancelsFinished: "cancels-finished-calls", "cancel.only-own-active-requests", LEGACY,
        "a call is cancelled once its result is there";
    CancelsFinishedModern: "cancels-finished-calls-stateless", "cancel.only-own-active-requests-stateless", MODERN,
        "a call is cancelled once its result is there";
    CancelsWithoutId: "cancels-without-id", "cancel.request-id-present", ALL,
        "cancellations do not say of what";
    AnswersCancelled: "answers-cancelled-questions", "cancel.no-response-after", LEGACY,
        "the model takes its time and answers although nobody wants to know any more";
    DiesOnUnknownCancellation: "dies-on-unknown-cancellations", "cancel.unknown-ignored", LEGACY,
        "it exits when something is cancelled that it does not know";
    DiesOnCrossingCancellation: "dies-on-crossing-cancellations", "cancel.race-tolerated", LEGACY,
        "it exits when something is cancelled that it has answered";
    DiesOnLateAnswer: "dies-on-late-answers", "cancel.sender-ignores-late-response", ALL,
        "it exits when something is answered that it has cancelled";
    AbortsEverything: "aborts-everything", "cancel.others-unaffected", LEGACY,
        "a cancellation ends every question that is open";
    AbortsSilently: "aborts-silently", "cancel.stdio-client-notifies", MODERN,
        "a call that is no longer wanted is not cancelled";
    FractionalToken: "fractional-progress-token", "progress.token-type", ALL,
        "progress tokens have a fraction";
    SameToken: "same-progress-token", "progress.token-unique", ALL,
        "every call has the same progress token";
    ReportsUnknownProgress: "reports-unknown-progress", "progress.known-token-only", LEGACY,
        "progress of a question is reported under a token that nobody gave";
    ProgressGoesBack: "progress-goes-back", "progress.increasing", LEGACY,
        "progress of a question goes from 2 to 1";
    ProgressAfterAnswer: "progress-after-the-answer", "progress.stops-at-completion", LEGACY,
        "progress of a question is reported behind its answer";
    ProgressAsText: "progress-as-text", "progress.fields", LEGACY,
        "progress of a question is a string";

    // Lists and caches.
    TrimsCursors: "trims-cursors", "pagination.client-echoes-cursor", ALL,
        "cursors come back without blanks around them, and no longer than 100 characters";
    ReadsCursors: "reads-cursors", "pagination.client-echoes-cursor", ALL,
        "cursors that look like numbers come back as numbers";
    InventsCursors: "invents-cursors", "pagination.client-echoes-cursor", ALL,
        "cursors are not echoed but made up";
    EmptyCursorEnds: "empty-cursor-ends", "pagination.client-empty-string-cursor", MODERN,
        "an empty cursor is the end of a list";
    AsksOnceMore: "asks-once-more", "pagination.client-stops-without-cursor", ALL,
        "the last page is asked for twice";
    AssumesPageSize: "assumes-a-page-size", "pagination.client-no-fixed-page-size", ALL,
        "a page that is shorter than the first one is the last one";
    KeepsRootsToItself: "keeps-roots-to-itself", "list-changed.roots-emitted", LEGACY,
        "changes of roots are declared and not announced";
    IgnoresListChanges: "ignores-list-changes", "list-changed.client-refetches", MODERN,
        "a list that has changed is still served from the cache";
    CacheForgetsParams: "cache-forgets-params", "caching.client-key", MODERN,
        "cached results are found by method alone";
    CachesRetries: "caches-retries", "caching.client-no-cache-of-retries", MODERN,
        "results of retries are cached";
    KeepsCursors: "keeps-cursors", "pagination.client-no-cursor-across-sessions", LEGACY over STDIO,
        "a list that the end of a session broke off goes on in the next one where it was";
    IgnoresTtl: "ignores-time-to-live", "caching.client-stale-after-ttl", MODERN,
        "every list is cached for ever";
    DiesOnNegativeTtl: "dies-on-a-negative-time-to-live", "caching.client-stale-after-ttl", MODERN,
        "it exits when a time to live is negative";
    Polls: "polls", "caching.client-no-ttl-polling", MODERN,
        "the tools are listed again each time that they expire";
    RestartsForEver: "restarts-for-ever", "caching.client-restarts-on-bad-cursor", MODERN,
        "a list whose cursor was refused is begun again each time";

    // Tools, prompts and resources.
    UnknownSampledContent: "unknown-sampled-content", "content.block-types", ALL,
        "the model answers with content of the type hologram";
    RefusesImages: "refuses-images", "content.client-accepts-all-types", ALL,
        "content with an image is refused";
    RefusesAudio: "refuses-audio", "content.client-accepts-all-types", SINCE_03,
        "content with audio is refused";
    RefusesLinks: "refuses-links", "content.client-accepts-all-types", SINCE_06,
        "content with a resource link is refused";
    SkipsValidation: "skips-validation", "tools.structured.client-validates", SINCE_06,
        "structured content is not held against its schema";
    NullArguments: "null-arguments", "tools.call.client-arguments-object", ALL,
        "a call without arguments has null in their place";
    TextArguments: "arguments-as-text", "tools.call.client-arguments-object", ALL,
        "arguments are sent as a text of JSON";
    RenamesTools: "renames-tools", "tools.call.client-arguments-object", ALL,
        "tools are called by names in capitals";
    TakesOldCodeForSuccess: "takes-the-old-code-for-success", "resources.read.client-accepts-old-code", MODERN,
        "a resource that is not found, by the old code, is an empty one";
    TypedPromptArguments: "typed-prompt-arguments", "prompts.get.client-string-arguments", ALL,
        "arguments of prompts are sent as they were typed";

    // Subscriptions and rounds.
    OmitsFilter: "omits-the-filter", "subscription.client-filter-sent", MODERN,
        "subscriptions/listen does not say for what";
    TextFilter: "filter-as-text", "subscription.client-filter-sent", MODERN,
        "the members of the filter are strings";
    IgnoresSubscriptionIds: "ignores-subscription-ids", "subscription.client-correlates", MODERN,
        "news is news, whatever subscription it belongs to";
    ForgetsSubscriptions: "forgets-subscriptions", "subscription.client-resubscribes", MODERN,
        "a server that is started again is asked for no news";
    InsistsOnFilter: "insists-on-its-filter", "subscription.client-handles-reduced-ack", MODERN,
        "it listens anew as long as the filter is not granted in full";
    DiesOnReducedFilter: "dies-on-a-reduced-filter", "subscription.client-handles-reduced-ack", MODERN,
        "it exits when the filter is not granted in full";
    TrimsState: "trims-state", "mrtr.client-echoes-state", MODERN,
        "request state comes back without blanks and padding, and no longer than 1,000 characters";
    RewritesState: "rewrites-state", "mrtr.client-echoes-state", MODERN,
        "request state comes back with a mark of the client";
    KeepsOldState: "keeps-old-state", "mrtr.client-no-invented-state", MODERN,
        "a retry repeats the state of the round before if there is no new one";
    InventsState: "invents-state", "mrtr.client-no-invented-state", MODERN,
        "a retry has an empty state where there is none";
    RetriesUnderSameId: "retries-under-the-same-id", "mrtr.client-new-id", MODERN,
        "a retry has the id of the first attempt";
    AnswersFirstRequestOnly: "answers-the-first-request-only", "mrtr.client-answers-every-request", MODERN,
        "of several input requests one is answered";
    DropsArguments: "drops-arguments-of-retries", "mrtr.client-same-operation", MODERN,
        "a retry has no arguments";
    SharesState: "shares-state", "mrtr.client-state-not-shared", MODERN,
        "the next requests have the state of the last one too";
    InventsInput: "invents-input", "mrtr.client-state-only-retry", MODERN,
        "a retry for which only state was given has input too";
    RefusesStateOnly: "refuses-state-only", "mrtr.client-state-only-retry", MODERN,
        "a result with nothing but state ends the session";

    // Questions.
    NeedsMode: "needs-a-mode", "elicitation.mode-default-form", ONLY_11,
        "an elicitation without mode is refused";
    NestedContent: "nested-content", "elicitation.result-shape", SINCE_06,
        "what the user filled in is inside another object";
    OddAction: "odd-action", "elicitation.result-shape", SINCE_06,
        "the user says ok in place of accept";
    MisfitContent: "misfit-content", "elicitation.accept-conforms", SINCE_06,
        "every member of a form is filled in with the number -1";
    UrlWithContent: "url-with-content", "elicitation.url-accept-without-content", SINCE_11,
        "accepting a URL comes with content";
    PrefetchesUrls: "prefetches-urls", "elicitation.url-not-prefetched", SINCE_11,
        "the URL of an elicitation is fetched, and then the user declines";
    DiesOnUnknownCompletion: "dies-on-unknown-completions", "elicitation.complete-unknown-ignored", ONLY_11,
        "it exits when an elicitation is complete";
    IgnoresDefaults: "ignores-defaults", "elicitation.defaults-prefilled", SINCE_11,
        "members of a form that have a default get another value";
    AcceptsBadHistories: "accepts-bad-histories", "sampling.bad-history-code", ONLY_11,
        "the model answers whatever came before";
    NamelessModel: "nameless-model", "sampling.result-shape", ALL,
        "the model does not say what it is called";
    ContentAsText: "sampled-content-as-text", "sampling.result-shape", ALL,
        "what the model says is a string";
    InventsForRejection: "invents-for-rejections", "sampling.rejection-is-error", LEGACY,
        "a rejected sampling request gets an empty message";
    RefusesContentLists: "refuses-content-lists", "sampling.client-accepts-content-forms", ONLY_11,
        "a message with several blocks of content is refused";
    HttpRoots: "http-roots", "roots.file-uri", ALL,
        "roots are at http URLs";
    WrongRootsFailure: "wrong-code-for-failing-roots", "roots.internal-error-code", LEGACY,
        "roots that cannot be found out get -32000";

    // Lines and schemas.
    Chatters: "chatters", "stdio.stdin-only-messages", ALL over STDIO,
        "a greeting comes before the first message";
    PrettyPrints: "pretty-prints", "stdio.no-embedded-newlines", ALL over STDIO,
        "calls are written on several lines";
    TakesStderrForFailure: "takes-complaints-for-failures", "stdio.stderr-not-an-error", SINCE_11 over STDIO,
        "it hangs up when its server writes to its standard error";
    NeverRestarts: "leaves-a-dead-server-be", "lifecycle.server-restart", MODERN over STDIO,
        "a server that has ended is not started again";
    ReadsChunks: "reads-chunks", "stdio.framing-by-newline-only", ALL over STDIO,
        "a line that comes in pieces is dropped";
    TakesAnythingForElsewhere: "takes-anything-for-schemas-elsewhere", "schema.ref.unresolved-rejected", MODERN,
        "a schema that lies elsewhere allows everything";
    BurnsOnSchemas: "burns-on-schemas", "schema.composition-bounded", MODERN,
        "a schema that goes in circles or is large takes all its time";
    NeedsObjectOutput: "needs-objects-as-output", "schema.composition-root-accepted", MODERN,
        "a list with an output schema that is not of type object is refused";
    OldDialect: "reads-every-schema-as-draft-07", "schema.2020-12-supported", SINCE_11,
        "schemas without a dialect are read as draft-07";
    IgnoresDialect: "ignores-the-dialect", "schema.declared-dialect-used", SINCE_11,
        "schemas in draft-07 are read as 2020-12";
    ChokesOnDialect: "chokes-on-a-dialect", "schema.unsupported-dialect-error", SINCE_11,
        "a list with a schema in an unknown dialect is refused";
    FetchesReferences: "fetches-references", "schema.ref.no-network", MODERN,
        "references to other documents are fetched when tools are listed";
    FetchesUnsafeIcons: "fetches-unsafe-icons", "icons.unsafe-scheme-rejected", SINCE_11,
        "icons are fetched by whatever scheme they have";
    FollowsIcons: "follows-icons-elsewhere", "icons.unsafe-scheme-rejected", SINCE_11,
        "icons are fetched from wherever they are led on to";
    RefusesReferences: "refuses-references", "schema.ref.local-resolved", SINCE_11,
        "a tool with any reference in its schemas is set aside";

    // Tasks.
    AugmentsUndeclared: "augments-undeclared", "tasks.client.no-augment-undeclared", ONLY_11,
        "every call is to become a task";
    AugmentsForbidden: "augments-forbidden", "tasks.client.tool-support-respected", ONLY_11,
        "calls of tools that forbid tasks are to become tasks";
    NeverAugments: "never-augments", "tasks.client.tool-support-respected", ONLY_11,
        "calls of tools that need a task are not augmented";
    WaitsForTaskNews: "waits-for-news-of-tasks", "tasks.requestor.polls", ONLY_11,
        "a task is looked after only when its status is announced";
    CancelsTasksByNotification: "cancels-tasks-by-notification", "tasks.requestor.cancels-with-tasks-cancel", ONLY_11,
        "a task that is no longer wanted is cancelled as its call";
    OnlyPolls: "only-polls", "tasks.requestor.fetches-on-input-required", ONLY_11,
        "a task that requires input is looked after like any other";
    ForgetsRelatedTask: "forgets-related-tasks", "tasks.related-metadata", ONLY_11,
        "an answer to a question of a task does not name the task";

    // What nobody forbids and nobody wants.
    DiesOnCycles: "dies-on-cycles", "robust.client-survives", ALL,
        "a schema that goes in circles overflows the stack";
    DiesOnUnknownContent: "dies-on-unknown-content", "robust.client-survives", ALL,
        "content of an unknown type is the end";
    WalksForEver: "walks-for-ever", "robust.client-bounded-walk", ALL,
        "pages are followed as long as there are cursors";
    Hoards: "hoards", "robust.bounded-memory", ALL,
        "notifications are kept many times over";
    StuckInStorms: "stuck-in-storms", "robust.client-ends", ALL over STDIO,
        "after a thousand notifications it hears and says nothing more";
    OneBadToolSpoilsAll: "one-bad-tool-spoils-all", "robust.client-keeps-others", ALL,
        "a list with one tool that cannot be used is refused";
    DuplicatesSpoilAll: "duplicates-spoil-all", "robust.client-keeps-others", ALL,
        "a list with two tools of one name is refused";
}
