//! The catalogue of faults: what can be wrong with the server, and which rule must notice.
//!
//! One row is one cause. Where it shows in several ways, the row names the rule whose requirement the cause breaks.

use super::behaviour::{Behaviour, Offer};
use crate::revision::Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};
use crate::revision::Revisions;
use crate::transcript::Transports;

mod http;

pub use http::HttpFault;

const ALL: Revisions = Revisions::ALL;
const LEGACY: Revisions = Revisions::LEGACY;
const MODERN: Revisions = Revisions::MODERN;
const SINCE_03: Revisions = Revisions::since(V2025_03_26);
const SINCE_06: Revisions = Revisions::since(V2025_06_18);
const SINCE_11: Revisions = Revisions::since(V2025_11_25);
const RANGE_03_11: Revisions = Revisions::range(V2025_03_26, V2025_11_25);
const ONLY_03: Revisions = Revisions::of(&[V2025_03_26]);
const ONLY_11: Revisions = Revisions::of(&[V2025_11_25]);
const ONLY_24_03: Revisions = Revisions::of(&[V2024_11_05, V2025_03_26]);
const ONLY_06_11: Revisions = Revisions::of(&[V2025_06_18, V2025_11_25]);
const ONLY_24: Revisions = Revisions::of(&[V2024_11_05]);
const RANGE_03_06: Revisions = Revisions::range(V2025_03_26, V2025_06_18);
/// The legacy revisions with Streamable HTTP, and those of them with the version header.
const LEGACY_STREAMABLE: Revisions = RANGE_03_11;
const SINCE_06_LEGACY: Revisions = ONLY_06_11;
const OLDER: Revisions = Revisions::range(V2024_11_05, V2025_06_18);

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo<F = Fault> {
    /// The name by which it is switched on.
    pub id: &'static str,
    /// The rule that must catch it.
    pub rule: &'static str,
    /// What is wrong, as a sentence.
    pub about: &'static str,
    /// The fault itself.
    pub fault: F,
    /// The revisions in which it shows.
    pub revisions: Revisions,
    /// The transports over which it shows.
    pub reach: Transports,
}

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
        /// Something that is wrong with a server.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Fault {
            $(#[doc = $about] $name,)*
            /// Something that shows over HTTP only.
            Http(HttpFault),
        }

        const TABLE: &[FaultInfo] = &[
            $(FaultInfo {
                id: $id,
                rule: $rule,
                about: $about,
                fault: Fault::$name,
                revisions: $revisions,
                reach: reach!($($reach)?),
            },)*
        ];
    };
}

/// Every fault, by area.
pub static FAULTS: &[FaultInfo] = &ALL_TABLES;

static ALL_TABLES: [FaultInfo; TABLE.len() + http::TABLE.len()] = joined(TABLE, http::TABLE);

/// Two tables as one of the length of both.
pub(super) const fn joined<F: Copy, const LENGTH: usize>(
    first: &[FaultInfo<F>],
    second: &[FaultInfo<F>],
) -> [FaultInfo<F>; LENGTH] {
    let mut all = [first[0]; LENGTH];
    let mut next = 0;
    while next < LENGTH {
        all[next] = if next < first.len() { first[next] } else { second[next - first.len()] };
        next += 1;
    }
    all
}

impl Fault {
    /// The revisions in which it shows.
    pub(super) fn revisions(self) -> Revisions {
        FAULTS.iter().find(|info| info.fault == self).map_or(ALL, |info| info.revisions)
    }

    /// Gives the server what it needs for the fault to show, as far as it must differ from the honest one.
    pub(super) fn prepare(self, behaviour: &mut Behaviour) {
        let features = &mut behaviour.features;
        match self {
            Self::HidesVersions => behaviour.revisions = MODERN,
            Self::CounterOffersUnusable => {
                behaviour.revisions = behaviour.revisions.iter().filter(|revision| *revision != V2025_11_25).collect();
            }
            Self::UndeclaredMethodWrongCode => {
                features.completions = false;
                features.logging = false;
            }
            Self::UndeclaredCompletionCode => features.completions = false,
            Self::AcceptsUnknownDialect | Self::DiesOnUnknownDialect => features.odd_dialect = true,
            Self::UndeclaredTask | Self::RefusesTaskMember => features.tasks = false,
            Self::EmbedsWithoutResources => features.resources = Offer::Absent,
            Self::Http(fault) => fault.prepare(behaviour),
            _ => {}
        }
    }
}

faults! {
    // Messages.
    OmitsJsonrpc: "omits-jsonrpc", "jsonrpc.version-member", ALL,
        "tool results lack the member jsonrpc";
    OldJsonrpc: "says-jsonrpc-1-0", "jsonrpc.version-member", ALL,
        "errors say jsonrpc \"1.0\"";
    NumericJsonrpc: "numeric-jsonrpc", "jsonrpc.version-member", ALL,
        "list results say jsonrpc 2.0 as a number";
    FractionalRequestId: "fractional-request-id", "jsonrpc.request.id-string-or-integer", LEGACY,
        "its own requests have fractional ids";
    BooleanRequestId: "boolean-request-id", "jsonrpc.request.id-string-or-integer", LEGACY,
        "its own requests have the id true";
    NullRequestId: "null-request-id", "jsonrpc.request.id-not-null", LEGACY,
        "its own requests have a null id";
    ReusesRequestIds: "reuses-request-ids", "jsonrpc.request.id-unique-in-session", LEGACY,
        "its own requests all have one id";
    AnswersWithAnotherId: "answers-with-another-id", "jsonrpc.response.same-id", ALL,
        "tool results answer an id that nobody asked under";
    CutsLongIds: "cuts-long-ids", "jsonrpc.response.same-id", ALL,
        "ids of more than 64 characters come back shorter";
    WrapsBigIds: "wraps-big-ids", "jsonrpc.response.same-id", ALL,
        "integer ids beyond 32 bits come back wrapped around";
    ForgetsIdsThatLookEmpty: "ignores-id-zero", "jsonrpc.response.id-type-preserved", ALL,
        "a request with id 0 or \"\" is taken for a notification";
    NumbersFromText: "turns-text-ids-into-numbers", "jsonrpc.response.id-type-preserved", ALL,
        "an id like \"7\" comes back as 7";
    TextFromNumbers: "turns-number-ids-into-text", "jsonrpc.response.id-type-preserved", ALL,
        "the id 7 comes back as \"7\" with tool and list results";
    AnswersTwice: "answers-twice", "jsonrpc.response.exactly-one", ALL,
        "tool results come twice";
    AnswersErrorThenResult: "answers-error-then-result", "jsonrpc.response.exactly-one", ALL,
        "a failed tools/call gets a result after its error";
    NeverAnswersFailure: "never-answers-a-failing-tool", "jsonrpc.response.exactly-one", ALL,
        "a tool that fails is never answered";
    ResultAndError: "result-and-error", "jsonrpc.response.result-xor-error", ALL,
        "errors have a result too";
    NeitherResultNorError: "neither-result-nor-error", "jsonrpc.response.result-xor-error", ALL,
        "errors of tools/call and prompts/get have lost their error";
    NullResult: "null-result", "jsonrpc.response.result-is-object", LEGACY,
        "ping and logging/setLevel have a null result";
    TrueResult: "true-result", "jsonrpc.response.result-is-object", LEGACY,
        "logging/setLevel and resources/subscribe have the result true";
    ArrayResult: "array-result", "jsonrpc.response.result-is-object", ALL,
        "lists are results without an object around them";
    ErrorWithoutMessage: "error-without-message", "jsonrpc.error.has-code-and-message", ALL,
        "errors have no message";
    ErrorWithoutCode: "error-without-code", "jsonrpc.error.has-code-and-message", ALL,
        "errors have no code";
    ErrorAsText: "error-as-text", "jsonrpc.error.has-code-and-message", ALL,
        "errors are strings";
    TextErrorCode: "text-error-code", "jsonrpc.error.code-integer", ALL,
        "error codes are strings";
    FractionalErrorCode: "fractional-error-code", "jsonrpc.error.code-integer", ALL,
        "error codes have a fraction";
    DropsIdFromErrors: "drops-id-from-errors", "jsonrpc.response.error-id-omission", SINCE_11,
        "errors about params and methods lack the id that could be read";
    NullsIdInErrors: "nulls-id-in-errors", "jsonrpc.response.error-id-omission", SINCE_11,
        "errors about params and methods have a null id";
    NotificationsWithId: "notifications-with-id", "jsonrpc.notification.no-id", ALL,
        "notifications have an id";
    NotificationsWithNullId: "notifications-with-null-id", "jsonrpc.notification.no-id", ALL,
        "notifications have a null id";
    AnswersNotifications: "answers-notifications", "jsonrpc.notification.no-response", ALL,
        "every notification gets a result with a null id";
    AnswersUnknownNotifications: "answers-unknown-notifications", "jsonrpc.notification.no-response", ALL,
        "unknown notifications get an error without id";
    IgnoresUnknownMethods: "ignores-unknown-methods", "jsonrpc.unknown-method.answered", ALL,
        "unknown methods get no answer";
    ExitsOnUnknownMethod: "exits-on-unknown-method", "jsonrpc.unknown-method.answered", ALL,
        "it exits when it meets an unknown method";
    AcceptsUnknownMethods: "accepts-unknown-methods", "jsonrpc.unknown-method.answered", ALL,
        "unknown methods succeed";
    WrongUnknownMethodCode: "wrong-unknown-method-code", "jsonrpc.unknown-method.code", LEGACY,
        "unknown methods get -32603";
    WrongUnknownMethodCodeModern: "wrong-unknown-method-code-stateless", "jsonrpc.unknown-method.code-stateless", MODERN,
        "unknown methods get -32603";
    WrongParseErrorCode: "wrong-parse-error-code", "jsonrpc.parse-error", ALL,
        "text that is not JSON gets -32603";
    WrongInvalidRequestCode: "wrong-invalid-request-code", "jsonrpc.invalid-request", ALL,
        "JSON that is no request gets -32603";
    RunsInvalidRequests: "runs-invalid-requests", "jsonrpc.invalid-request", ALL,
        "the member jsonrpc of requests is not looked at";
    ArrayParams: "array-params", "jsonrpc.params-object", ALL,
        "params of list changes are an empty array";
    NullParams: "null-params", "jsonrpc.params-object", ALL,
        "params of list changes are null";
    Latin1: "writes-latin-1", "jsonrpc.utf8", SINCE_03,
        "tool results and prompts are written in Latin-1";
    Surrogates: "writes-surrogates", "jsonrpc.utf8", SINCE_03,
        "characters beyond the basic plane are written as encoded surrogates";
    MangledText: "mangles-text", "jsonrpc.utf8", SINCE_03,
        "echo gives question marks for what is not ASCII";
    RefusesBatches: "refuses-batches", "jsonrpc.batch.receive", ONLY_03,
        "batches are refused";
    AnswersHalfABatch: "answers-half-a-batch", "jsonrpc.batch.receive", ONLY_03,
        "the second half of a batch is dropped";
    AnswersEmptyArray: "answers-notifications-by-empty-array", "jsonrpc.batch.notifications-only-silent", ONLY_03,
        "a batch of notifications gets an empty array";
    SendsBatches: "sends-batches", "jsonrpc.batch.not-sent", SINCE_06,
        "lists come as an array of one message";
    PingsModernClients: "sends-requests-to-modern-clients", "message.server-no-requests", MODERN,
        "a call of slow makes it ping the client";
    AsksModernClients: "elicits-by-request-in-the-modern-era", "message.server-no-requests", MODERN,
        "it asks modern clients by request and not by result";
    OmitsResultType: "omits-result-type", "result.resulttype-present", MODERN,
        "results of tools and lists have no resultType";
    NumericResultType: "numeric-result-type", "result.resulttype-present", MODERN,
        "resultType is a number";
    UnknownResultType: "unknown-result-type", "result.resulttype-known", MODERN,
        "tool results have the type task, which nobody declared";
    UndefinedReservedCode: "undefined-reserved-code", "error.reserved-range-undefined", MODERN,
        "an unknown tool, prompt or cursor gets -32050";
    CapabilityCodeForTool: "capability-code-for-unknown-tool", "error.defined-code-meaning", MODERN,
        "an unknown tool gets -32021";
    HeaderCodeOnStdio: "header-code-on-stdio", "error.defined-code-meaning", MODERN over STDIO,
        "a bad cursor gets -32020";
    RetiredNotFound: "retired-not-found-code", "error.retired-codes", MODERN,
        "a missing resource gets -32002";
    RetiredUrlElicitation: "retired-url-elicitation-code", "error.retired-codes", MODERN,
        "a tool that needs a capability gets -32042";
    LegacyRangeCode: "legacy-range-code", "error.legacy-range-not-used", MODERN,
        "an unknown prompt or tool gets -32000";

    // Metadata and eras.
    MetaArray: "meta-is-an-array", "meta.is-object", ALL,
        "tool results have an array for metadata";
    MetaNull: "meta-is-null", "meta.is-object", ALL,
        "lists have null for metadata";
    BadMetaKey: "bad-meta-key", "meta.key-name-format", SINCE_06,
        "results have a metadata key with a space in it";
    BadMetaPrefix: "bad-meta-prefix", "meta.key-name-format", SINCE_06,
        "results have a metadata key whose prefix begins with a digit";
    ForwardDnsMeta: "forward-dns-meta", "meta.reverse-dns-prefix", SINCE_11,
        "results have a metadata key under example.com/";
    InventsReservedMeta: "invents-reserved-meta", "meta.reserved-prefix-not-invented", SINCE_06,
        "results have a metadata key under a reserved prefix";
    RejectsOddMeta: "rejects-odd-meta", "meta.reserved-values-no-assumption", SINCE_06,
        "a request with an unknown metadata key is refused";
    DiesOnNullMeta: "dies-on-null-meta", "robust.serves-after-hostile-input", SINCE_06,
        "it exits when a metadata value is null";
    BadTraceparent: "bad-traceparent", "meta.trace-context-format", MODERN,
        "results have a traceparent of another form";
    ToleratesMissingCapabilities: "tolerates-missing-capabilities", "meta.request.missing-required-rejected", MODERN,
        "a request without client capabilities is served";
    ToleratesMissingVersion: "tolerates-missing-version", "meta.request.missing-required-rejected", MODERN,
        "a request without version is served";
    WrongCodeForMissingMeta: "wrong-code-for-missing-meta", "meta.request.missing-required-rejected", MODERN,
        "a request without client capabilities gets -32603";
    ServerInfoWithoutVersion: "server-info-without-version", "meta.result.server-info", MODERN,
        "the server's identity in metadata has no version";
    OmitsServerInfo: "omits-server-info", "meta.result.server-info", MODERN,
        "results do not identify the server";
    PrefersClients: "prefers-popular-clients", "meta.identity-not-behavioural", MODERN,
        "clients of a popular name see fewer tools";
    NeedsClientInfo: "needs-client-info", "meta.identity-not-behavioural", MODERN,
        "clients without a name see fewer tools";
    NeedsDiscovery: "needs-discovery", "stateless.no-context-from-earlier-requests", MODERN,
        "requests before server/discover are refused";
    InheritsCapabilities: "inherits-capabilities", "stateless.capabilities-not-inherited", MODERN,
        "client capabilities of earlier requests still count";
    RemembersVersionRefusal: "remembers-version-refusal", "stateless.version-not-inherited", MODERN,
        "after one unsupported version every request is refused";
    KnowsOnlyWhatItListed: "knows-only-what-it-listed", "stateless.connection-independent", MODERN,
        "a tool can be called only where the tools were listed";

    // Handshake.
    OmitsServerIdentity: "omits-server-identity", "lifecycle.init.result-fields", LEGACY,
        "the answer to initialize has no serverInfo";
    NumericInstructions: "numeric-instructions", "lifecycle.init.result-fields", LEGACY,
        "instructions are a number";
    OmitsCapabilities: "omits-capabilities", "lifecycle.init.result-fields", LEGACY,
        "the answer to initialize has no capabilities";
    AsksBeforeInitialized: "asks-before-initialized", "lifecycle.init.server-waits", LEGACY,
        "it asks for roots before the client is initialized";
    RefusesPingInHandshake: "refuses-ping-in-handshake", "lifecycle.init.ping-during-handshake", LEGACY,
        "a ping before initialized is refused";
    AlwaysOffersNewest: "always-offers-newest", "lifecycle.version.echo-supported", OLDER,
        "it answers every version with its newest, if the client declares capabilities";
    EchoesAnyVersion: "echoes-any-version", "lifecycle.version.counter-offer", LEGACY,
        "it echoes versions that do not exist";
    CounterOffersOldest: "counter-offers-oldest", "lifecycle.version.counter-offer-latest", LEGACY,
        "an unknown version is answered by the oldest one";
    CounterOffersUnusable: "counter-offers-unusable", "lifecycle.version.counter-offer-usable", OLDER,
        "it counter-offers a version that it does not speak";
    UsesNewerVocabulary: "uses-newer-vocabulary", "lifecycle.version.respected", ONLY_06_11,
        "slow sends a notification that only a newer revision has";
    NewerBlocks: "newer-content-blocks", "lifecycle.version.respected-weak", ONLY_24_03,
        "media has blocks that only newer revisions know";
    RefusesUnknownCapabilities: "refuses-unknown-capabilities", "lifecycle.capabilities-open-set", ALL,
        "a client with an unknown capability is refused";
    BooleanCapability: "boolean-capability", "lifecycle.capability-shape", ALL,
        "the capability tools is true";
    TextListChanged: "text-list-changed", "lifecycle.capability-shape", ALL,
        "listChanged is a string";
    NullCapability: "null-capability", "lifecycle.capability-shape", ALL,
        "the capability prompts is null";
    TimesOutWithoutCancelling: "times-out-without-cancelling", "lifecycle.timeout-cancels", RANGE_03_11,
        "it stops waiting without saying so";
    StaysAfterEof: "stays-after-eof", "robust.exits-after-eof", ALL over STDIO,
        "it does not exit at the end of its input";
    StaysWhileListening: "stays-while-listening", "lifecycle.shutdown.server-exits-on-eof", MODERN over STDIO,
        "it does not exit while a subscription is open";

    // Capabilities.
    UndeclaredTools: "undeclared-tools", "capability.server.tools-declared", ALL,
        "it has tools and does not declare them";
    UndeclaredResources: "undeclared-resources", "capability.server.resources-declared", ALL,
        "it has resources and does not declare them";
    UndeclaredPrompts: "undeclared-prompts", "capability.server.prompts-declared", ALL,
        "it has prompts and does not declare them";
    UndeclaredCompletions: "undeclared-completions", "capability.server.completions-declared", SINCE_03,
        "it completes and does not declare it";
    UndeclaredLogging: "undeclared-logging", "capability.server.logging-declared", ALL,
        "it logs and does not declare it";
    UndeclaredMethodWrongCode: "undeclared-method-wrong-code", "capability.server.undeclared-method-rejected", RANGE_03_11,
        "without completions and logging their methods get -32603";
    UndeclaredTask: "undeclared-task", "capability.server.tasks-declared", ONLY_11,
        "a call with a task gets a task, undeclared";
    AsksUndeclaredOld: "asks-undeclared-old", "capability.server.only-negotiated", ONLY_24_03,
        "it asks clients what they did not declare";
    AsksUndeclared: "asks-undeclared", "capability.server.no-undeclared-client-features", ONLY_06_11,
        "it asks clients what they did not declare";
    UrlModeUndeclared: "url-mode-undeclared", "capability.server.elicitation-mode-respected", SINCE_11,
        "it elicits by URL where only the form was declared";
    FormModeUndeclared: "form-mode-undeclared", "capability.server.elicitation-mode-respected", SINCE_11,
        "it elicits by form where only URLs were declared";
    OffersToolsToAnyModel: "offers-tools-to-any-model", "capability.server.sampling-tools-respected", SINCE_11,
        "sampling has tools whatever the client declared";
    IncludesContext: "includes-context", "capability.server.sampling-context-respected", SINCE_11,
        "sampling includes all context, whatever the client declared";
    UndeclaredListChanged: "undeclared-list-changed", "capability.server.list-changed-declared", ONLY_06_11,
        "it announces list changes without declaring that";
    UndeclaredResourceUpdates: "undeclared-resource-updates", "capability.server.resource-updates-declared", ONLY_06_11,
        "it announces resource updates without declaring that";
    AsksByTask: "asks-by-task", "capability.server.tasks-respected", ONLY_11,
        "its own requests are tasks, undeclared by the client";
    ExtensionWithoutPrefix: "extension-without-prefix", "extension.identifier-format", MODERN,
        "an extension is declared without prefix";
    ExtensionNotAnObject: "extension-not-an-object", "extension.identifier-format", MODERN,
        "an extension is declared by true";
    ExtensionWithoutConsent: "extension-without-consent", "extension.fallback-to-core", MODERN,
        "slow sends notifications of an extension that the client lacks";

    // Versions and discovery.
    WrongVersionCode: "wrong-version-code", "version.unsupported.error", MODERN,
        "an unsupported version gets -32602";
    IgnoresVersion: "ignores-version", "version.unsupported.error", MODERN,
        "every version is served";
    VersionErrorWithoutData: "version-error-without-data", "version.unsupported.data", MODERN,
        "the version error has no data";
    VersionErrorWithoutRequested: "version-error-without-requested", "version.unsupported.data", MODERN,
        "the version error does not repeat the version";
    VersionErrorListsRefused: "version-error-lists-refused", "version.unsupported.data", MODERN,
        "the version error lists the refused version as supported";
    RunsBeforeVersionCheck: "runs-before-version-check", "version.unsupported.precedes-side-effects", MODERN,
        "a request is executed before its version is refused";
    ListsVersionItRefuses: "lists-version-it-refuses", "version.supported-list-honest", MODERN,
        "a version is listed that is then refused";
    LacksDiscover: "lacks-discover", "discover.implemented", MODERN,
        "server/discover is unknown";
    DiscoverWithoutVersions: "discover-without-versions", "discover.result-fields", MODERN,
        "server/discover names no versions";
    DiscoverWithoutTtl: "discover-without-ttl", "discover.result-fields", MODERN,
        "server/discover has no ttlMs";
    NegativeTtl: "negative-ttl", "discover.result-fields", MODERN,
        "ttlMs of server/discover is negative";
    OddCacheScope: "odd-cache-scope", "discover.result-fields", MODERN,
        "cacheScope of server/discover is shared";
    DiscoverListsOthers: "discover-lists-others", "discover.lists-version-in-use", MODERN,
        "server/discover lists legacy versions only";
    NeedsMetaInSession: "needs-meta-in-session", "dual.server.initialize-selects-legacy", LEGACY,
        "after initialize it refuses requests without modern metadata";
    ModernNeedsInitialize: "modern-needs-initialize", "dual.server.modern-without-initialize", MODERN,
        "modern requests but server/discover are refused without initialize";
    HidesVersions: "hides-versions", "modern-only.server.initialize-error-names-versions", MODERN,
        "speaks the modern revision only, and does not name it to initialize";
    RemovedMethods: "keeps-removed-methods", "modern.server.removed-methods-refused", MODERN,
        "ping, logging/setLevel and resources/subscribe are served in the modern era";
    ModernVocabulary: "modern-vocabulary-in-legacy", "dual.legacy-session-plain", LEGACY,
        "legacy results have resultType and modern metadata";

    // Utilities.
    PingWithResult: "ping-with-result", "ping.empty-result", LEGACY,
        "the result of a ping has members";
    IgnoresPingWhileBusy: "ignores-ping-while-busy", "ping.empty-result", LEGACY,
        "a ping gets no answer while a call is running";
    CancelsForeignRequests: "cancels-foreign-requests", "cancel.only-own-active-requests", LEGACY,
        "it cancels requests of the client";
    CancelsFinishedQuestions: "cancels-finished-questions", "cancel.only-own-active-requests", LEGACY,
        "it cancels its own requests after their answer";
    CancelsWithoutId: "cancels-without-id", "cancel.request-id-present", LEGACY,
        "its cancellations have no requestId";
    AnswersCancelled: "answers-cancelled", "cancel.no-response-after", LEGACY,
        "a cancelled call is answered all the same";
    GoesOnAfterCancel: "goes-on-after-cancel", "cancel.nothing-after-stateless", MODERN,
        "a cancelled call goes on with progress and answer";
    AnswersUnknownCancel: "answers-unknown-cancel", "cancel.unknown-ignored", ALL,
        "a cancellation of an unknown request gets an error";
    DiesOnMalformedCancel: "dies-on-malformed-cancel", "cancel.unknown-ignored", ALL,
        "it exits when a cancellation has no proper requestId";
    ConfusesCancelTypes: "confuses-cancel-types", "cancel.unknown-ignored", ALL,
        "a cancellation of \"1\" ends the request 1";
    AnswersLateCancel: "answers-late-cancel", "cancel.race-tolerated", ALL,
        "a cancellation after the answer makes it answer again";
    DiesOnLateCancel: "dies-on-late-cancel", "cancel.race-tolerated", ALL,
        "a cancellation after the answer makes it exit";
    DiesOnLateResponse: "dies-on-late-response", "cancel.sender-ignores-late-response", LEGACY,
        "an answer that it no longer waits for makes it exit";
    AnswersLateResponse: "answers-late-response", "cancel.sender-ignores-late-response", LEGACY,
        "an answer that it no longer waits for is answered by an error";
    CancelsSlowCalls: "cancels-slow-calls", "cancel.server-only-for-listen", MODERN,
        "slow is announced to be cancelled by the server";
    EndsSubscriptionsSilently: "ends-subscriptions-silently", "cancel.server-announces-listen-end", MODERN over STDIO,
        "it ends subscriptions without a word";
    CancelsEverything: "cancels-everything", "cancel.others-unaffected", ALL,
        "a cancellation ends all running calls";
    InventsProgressToken: "invents-progress-token", "progress.known-token-only", ALL,
        "slow reports progress although nobody asked";
    TextProgressToken: "text-progress-token", "progress.known-token-only", ALL,
        "numeric progress tokens come back as text";
    ConstantProgress: "constant-progress", "progress.increasing", ALL,
        "progress is always 1";
    FallingProgress: "falling-progress", "progress.increasing", ALL,
        "progress falls";
    ProgressAfterAnswer: "progress-after-answer", "progress.stops-at-completion", ALL,
        "the last report comes after the answer";
    FractionalOwnToken: "fractional-own-token", "progress.token-type", LEGACY,
        "its own requests have a fractional progress token";
    SharedOwnToken: "shared-own-token", "progress.token-unique", LEGACY,
        "its own requests share a progress token";
    ProgressWithoutValue: "progress-without-value", "progress.fields", ALL,
        "reports have no progress";
    TextProgress: "text-progress", "progress.fields", ALL,
        "progress is text";
    ProgressWithoutToken: "progress-without-token", "progress.fields", ALL,
        "reports have no token";
    NullCursor: "null-next-cursor", "pagination.next-cursor-type", ALL,
        "the last page has a null cursor";
    NumericCursor: "numeric-next-cursor", "pagination.next-cursor-type", ALL,
        "the last page has a numeric cursor";
    RefusesOwnCursors: "refuses-own-cursors", "pagination.server-accepts-own-cursor", ALL,
        "every cursor is refused";
    EndlessCursor: "endless-cursor", "pagination.server-accepts-own-cursor", ALL,
        "every cursor leads to the second page";
    OneTimeCursors: "one-time-cursors", "pagination.server-stable-cursor", ALL,
        "a cursor works once";
    IgnoresBadCursor: "ignores-bad-cursor", "pagination.invalid-cursor", ALL,
        "an unknown cursor gives the first page";
    WrongCursorCode: "wrong-cursor-code", "pagination.invalid-cursor", ALL,
        "an unknown cursor gets -32603";
    CrashesOnOddCursor: "internal-error-on-odd-cursor", "pagination.invalid-cursor", ALL,
        "a cursor that is no string gets -32603";
    OverlappingPages: "overlapping-pages", "pagination.walk-complete", ALL,
        "each page begins with the last item of the one before";
    GapsInPages: "gaps-in-pages", "pagination.walk-complete", ALL,
        "every other walk misses an item";
    SilentChangesLegacy: "silent-list-changes", "list-changed.emitted", LEGACY,
        "declared list changes are not announced";
    SilentChangesModern: "silent-subscriptions", "list-changed.emitted-on-subscription", MODERN,
        "list changes do not reach subscriptions";
    KeepsOldRoots: "keeps-old-roots", "list-changed.roots-refetched", LEGACY,
        "it does not ask again when the roots have changed";

    // Lists and tools.
    RefusesDeclaredLists: "refuses-declared-lists", "lists.answered-if-declared", MODERN,
        "prompts are declared, but prompts/list is unknown";
    RefusesDeclaredListsLegacy: "refuses-declared-lists-legacy", "lists.answered-if-declared-legacy", LEGACY,
        "prompts are declared, but prompts/list is unknown";
    ListsDependOnConnection: "lists-depend-on-connection", "lists.same-on-every-connection", MODERN,
        "a subscription on the connection changes the lists";
    ListsDependOnCapabilities: "lists-depend-on-earlier-capabilities", "lists.same-on-every-connection", MODERN,
        "a request with capabilities changes later lists";
    ShuffledTools: "shuffled-tools", "tools.list.deterministic-order", MODERN,
        "the order of tools changes with every listing";
    ToolWithoutSchema: "tool-without-schema", "tools.list.item-fields", ALL,
        "tools without parameters have no inputSchema";
    NullSchema: "null-schema", "tools.list.item-fields", ALL,
        "tools without parameters have a null inputSchema";
    UntypedSchema: "untyped-schema", "tools.list.item-fields", ALL,
        "input schemas have no type";
    NamelessTool: "nameless-tool", "tools.list.item-fields", ALL,
        "a tool has no name";
    UntypedOutputSchema: "untyped-output-schema", "tools.output-schema.object-root", ONLY_06_11,
        "the output schema of add does not say that it describes an object";
    SpacedToolName: "spaced-tool-name", "tools.name.format", SINCE_11,
        "a tool has spaces in its name";
    DuplicateTool: "duplicate-tool", "tools.name.unique", SINCE_11,
        "a tool is listed twice";
    ForgetsCase: "forgets-case", "tools.name.case-sensitive", SINCE_11,
        "tools are found whatever the case";
    NoContent: "no-content", "tools.call.result-shape", ALL,
        "tool results have no content";
    ObjectContent: "object-content", "tools.call.result-shape", ALL,
        "content is one block and not an array";
    UnknownBlock: "unknown-block", "tools.call.result-shape", ALL,
        "content has a block of an unknown type";
    TextIsError: "text-is-error", "tools.call.result-shape", ALL,
        "isError is text";
    AcceptsUnknownTool: "accepts-unknown-tool", "tools.call.unknown-tool", ALL,
        "an unknown tool succeeds";
    WrongUnknownToolCode: "wrong-unknown-tool-code", "tools.call.unknown-tool", ALL,
        "an unknown tool gets -32603";
    MalformedCallAsResult: "malformed-call-as-result", "tools.call.malformed-request", SINCE_11,
        "a malformed tools/call gets a tool result";
    ValidatesNothing: "validates-nothing", "tools.call.inputs-validated", ALL,
        "arguments are not validated";
    ArgumentErrorsAsProtocolErrors: "argument-errors-as-protocol-errors", "tools.call.input-error-as-tool-error", SINCE_11,
        "bad arguments get -32602";
    ArrayStructured: "array-structured-content", "tools.structured.object", ONLY_06_11,
        "structured content is an array";
    NonconformingStructured: "nonconforming-structured-content", "tools.structured.conforms", SINCE_06,
        "structured content does not fit its schema";
    MissingStructured: "missing-structured-content", "tools.structured.conforms", SINCE_06,
        "structured content is missing although there is a schema";
    NoTextCopy: "no-text-copy", "tools.structured.text-copy", SINCE_06,
        "structured content is not repeated as text";
    EmbedsWithoutResources: "embeds-without-resources", "tools.call.embedded-resource-capability", SINCE_06,
        "a tool embeds a resource, and resources are not declared";
    FailsAsProtocolError: "fails-as-protocol-error", "tools.call.execution-error-as-result", ALL,
        "a tool that fails is a protocol error";
    WrongInternalCode: "wrong-internal-code", "server.internal-error-code", ALL,
        "handlers that raise get the code 0";
    HidesInternalErrors: "hides-internal-errors", "server.internal-error-code", ALL,
        "handlers that raise seem to succeed";
    BadPriority: "bad-priority", "annotations.shape", ALL,
        "a priority is greater than 1";
    BadAudience: "bad-audience", "annotations.shape", ALL,
        "an audience is text";
    TextHint: "text-hint", "annotations.shape", SINCE_03,
        "a hint of a tool is text";
    IconWithoutSource: "icon-without-source", "annotations.shape", SINCE_11,
        "an icon has no source";

    // Resources, prompts, completion.
    NamelessResource: "nameless-resource", "resources.list.item-fields", ALL,
        "a resource has no name";
    TextSize: "text-size", "resources.list.item-fields", ALL,
        "the size of a resource is text";
    BrokenTemplate: "broken-template", "resources.list.item-fields", ALL,
        "a template has a brace that nothing closes";
    SpacedUri: "spaced-uri", "resources.uri-rfc3986", SINCE_06,
        "the URI of a resource has a space";
    RelativeUri: "relative-uri", "resources.uri-rfc3986", SINCE_06,
        "the URI of a resource has no scheme";
    ContentsAsObject: "contents-as-object", "resources.read.contents-shape", ALL,
        "contents are one object and no array";
    ContentsWithoutText: "contents-without-text", "resources.read.contents-shape", ALL,
        "contents have neither text nor blob";
    WrongNotFoundCode: "wrong-not-found-code", "resources.read.not-found-legacy", LEGACY,
        "a missing resource gets -32603";
    GivesAnotherResource: "gives-another-resource", "resources.read.not-found-legacy", LEGACY,
        "a missing resource is read as the first one";
    WrongNotFoundCodeModern: "wrong-not-found-code-stateless", "resources.read.not-found", MODERN,
        "a missing resource gets -32603";
    EmptyForMissing: "empty-contents-for-missing", "resources.read.no-empty-contents", MODERN,
        "a missing resource has no contents";
    ReadsAnyUri: "reads-any-uri", "resources.read.uri-validated", ALL,
        "what is no URI is read as the first resource";
    RefusesSubscriptions: "refuses-subscriptions", "resources.subscribe.works-if-declared", LEGACY,
        "subscriptions are declared and refused";
    UpdatesForEverybody: "updates-for-everybody", "resources.updated.only-subscribed", LEGACY,
        "updates are announced to clients that did not subscribe";
    ForgetsUnsubscription: "forgets-unsubscription", "resources.updated.only-subscribed", LEGACY,
        "updates go on after resources/unsubscribe";
    SilentUpdates: "silent-updates", "resources.updated.emitted", LEGACY,
        "updates are not announced to those who subscribed";
    SilentUpdatesModern: "silent-updates-stateless", "resources.updated.emitted-on-subscription", MODERN,
        "updates do not reach subscriptions";
    NamelessPromptArgument: "nameless-prompt-argument", "prompts.list.item-fields", ALL,
        "arguments of prompts have no name";
    TextRequired: "text-required", "prompts.list.item-fields", ALL,
        "required of an argument of a prompt is text";
    SystemRole: "system-role", "prompts.get.result-shape", ALL,
        "messages of prompts have the role system";
    ArrayOfPromptContent: "array-of-prompt-content", "prompts.get.result-shape", ALL,
        "the content of a message is an array of blocks";
    AcceptsUnknownPrompt: "accepts-unknown-prompt", "prompts.get.unknown", ALL,
        "an unknown prompt has no messages";
    WrongUnknownPromptCode: "wrong-unknown-prompt-code", "prompts.get.unknown", ALL,
        "an unknown prompt gets -32603";
    IgnoresMissingArguments: "ignores-missing-prompt-arguments", "prompts.get.missing-arguments", ALL,
        "required arguments of prompts may be left out";
    TooManyCompletions: "too-many-completions", "completion.max-values", ALL,
        "a completion has 101 values";
    CompletesAnything: "completes-anything", "completion.bad-reference", SINCE_03,
        "an unknown prompt has no completions";
    WrongCompletionCode: "wrong-completion-code", "completion.bad-reference", SINCE_03,
        "bad requests for completions get -32600";
    UndeclaredCompletionCode: "undeclared-completion-code", "completion.undeclared-code", SINCE_03,
        "without completions their method gets -32600";
    DeclaresCompletionsInVain: "declares-completions-in-vain", "completion.answered-if-declared", SINCE_03,
        "completions are declared and their method is unknown";
    ContextConfusesCompletion: "context-confuses-completion", "completion.answered-if-declared", SINCE_06,
        "completions with context are refused";

    // Logging and content.
    UnknownLogLevel: "unknown-log-level", "logging.message-shape", ALL,
        "log messages have the level fatal";
    LogsWithoutData: "logs-without-data", "logging.message-shape", ALL,
        "log messages have no data";
    RefusesAlert: "refuses-the-level-alert", "logging.set-level-answered", LEGACY,
        "the level alert cannot be set";
    AcceptsAnyLevel: "accepts-any-level", "logging.set-level-invalid", LEGACY,
        "levels that are none can be set";
    WrongLevelCode: "wrong-level-code", "logging.set-level-invalid", LEGACY,
        "levels that are none get -32603";
    LogsBelowLevel: "logs-below-level", "logging.level-filter", LEGACY,
        "setting a level has no effect";
    LogsUnasked: "logs-unasked", "logging.opt-in", MODERN,
        "it logs for requests that did not ask for it";
    LogsBelowRequest: "logs-below-request", "logging.level-floor", MODERN,
        "it logs below the level that was asked for";
    LogsAfterAnswer: "logs-after-answer", "logging.request-stream-only", MODERN,
        "the tool log logs once more after its answer";
    LogsOnSubscription: "logs-on-subscription", "logging.request-stream-only", MODERN,
        "log messages carry the id of a subscription";
    IgnoresBadLogLevel: "ignores-bad-log-level", "logging.invalid-level-rejected", MODERN,
        "log levels that are none have no effect";
    ImageWithoutType: "image-without-mime-type", "content.block-types", ALL,
        "images have no MIME type";
    UnknownPromptBlock: "unknown-prompt-block", "content.block-types", ALL,
        "prompts have a block of an unknown type";
    UrlSafeBase64: "url-safe-base64", "content.base64", ALL,
        "binary data is in the alphabet for URLs";

    // Elicitation and sampling.
    NestedForm: "nested-form", "elicitation.schema-flat", SINCE_06,
        "a form asks for an object inside the object";
    ListOfForms: "list-of-forms", "elicitation.schema-flat", SINCE_06,
        "a form asks for an array of objects";
    ElicitsWithoutMessage: "elicits-without-message", "elicitation.params", SINCE_06,
        "elicitations have no message";
    ElicitsWithoutForm: "elicits-without-form", "elicitation.params", SINCE_06,
        "elicitations by form have no schema";
    ElicitsWithoutUrl: "elicits-without-url", "elicitation.params", SINCE_11,
        "elicitations by URL have no URL";
    PlainUrl: "plain-url", "elicitation.url-https", SINCE_11,
        "elicitations by URL lead to plain http";
    CompletesUnknownElicitation: "completes-unknown-elicitation", "elicitation.complete-carries-id", ONLY_11,
        "completed elicitations have the id of none";
    UrlErrorWithoutElicitations: "url-error-without-elicitations", "elicitation.url-required-error", ONLY_11,
        "the demand for an elicitation by URL names none";
    TrustsForms: "trusts-forms", "elicitation.server-validates-content", SINCE_06,
        "what was filled in is not validated";
    HangsWhenDeclined: "hangs-when-declined", "elicitation.decline-handled-legacy", ONLY_06_11,
        "a call is never answered if the user declines";
    HangsWhenRefused: "hangs-when-refused", "elicitation.decline-handled-legacy", ONLY_06_11,
        "a call is never answered if the client fails";
    SamplesWithoutLimit: "samples-without-limit", "sampling.request-shape", ALL,
        "sampling has no maxTokens";
    SamplesAsSystem: "samples-as-system", "sampling.request-shape", ALL,
        "a message to the model has the role system";
    HighPriority: "high-priority", "sampling.request-shape", ALL,
        "a priority among models is greater than 1";
    MixesToolResults: "mixes-tool-results", "sampling.tool-results-only", SINCE_11,
        "results of tools come with a text beside them";
    LosesToolResults: "loses-tool-results", "sampling.tool-results-only", SINCE_11,
        "the model gets one result for two uses of tools";

    // Headers that repeat arguments, which every transport publishes.
    SpacedParamHeader: "spaced-param-header", "http.modern.param-header.server-definitions-valid", MODERN,
        "the header of an argument has a space in its name";
    NumberParamHeader: "number-param-header", "http.modern.param-header.server-definitions-valid", MODERN,
        "an argument that is any number has a header";
    TwinParamHeaders: "twin-param-headers", "http.modern.param-header.server-definitions-valid", MODERN,
        "two arguments have headers that differ in case only";

    // Stdio.
    PrintsBanner: "prints-banner", "stdio.stdout-only-messages", ALL over STDIO,
        "a banner comes before the first message";
    LogsToStdout: "logs-to-stdout", "stdio.stdout-only-messages", ALL over STDIO,
        "refusals are logged to stdout";
    SaysGoodbye: "says-goodbye", "stdio.stdout-only-messages", ALL over STDIO,
        "it takes leave on stdout when it exits";
    PrettyPrints: "pretty-prints", "stdio.no-embedded-newlines", ALL over STDIO,
        "lists are written on several lines";
    RawNewlines: "raw-newlines", "stdio.no-embedded-newlines", ALL over STDIO,
        "newlines in tool results are not escaped";
    ChunksAreMessages: "chunks-are-messages", "robust.split-message", ALL over STDIO,
        "every chunk of input is taken for a message";
    NeedsWholeLines: "needs-whole-lines", "stdio.framing-by-newline-only", ALL over STDIO,
        "what comes after the last newline of a chunk is dropped";
    SplitsAtSeparators: "splits-at-unicode-separators", "stdio.framing-by-newline-only", ALL over STDIO,
        "a line ends at U+2028 too";

    // Schemas.
    ValidatesAsDraft7: "validates-as-draft-07", "schema.2020-12-supported", SINCE_11,
        "prefixItems have no effect";
    IgnoresDialect: "ignores-dialect", "schema.declared-dialect-used", SINCE_11,
        "a draft-07 schema is read as 2020-12";
    AcceptsUnknownDialect: "accepts-unknown-dialect", "schema.unsupported-dialect-error", SINCE_11,
        "a schema in an unknown dialect allows everything";
    DiesOnUnknownDialect: "dies-on-unknown-dialect", "schema.unsupported-dialect-error", SINCE_11,
        "it exits when a tool with an unknown dialect is called";
    InvalidInputSchema: "invalid-input-schema", "schema.published-schemas-valid", SINCE_11,
        "an input schema is not a valid schema";
    DanglingReference: "dangling-reference", "schema.published-schemas-valid", SINCE_11,
        "a schema refers to a definition that is not there";
    IgnoresReferences: "refuses-local-references", "schema.ref.local-resolved", SINCE_11,
        "a value behind a local reference is always refused";

    // Caching and subscriptions.
    ReadsWithoutHints: "reads-without-hints", "caching.hints-present", MODERN,
        "results of resources/read have no cacheScope";
    NegativeListTtl: "negative-list-ttl", "caching.ttl-valid", MODERN,
        "ttlMs of tools/list is negative";
    FractionalReadTtl: "fractional-read-ttl", "caching.ttl-valid", MODERN,
        "ttlMs of resources/read has a fraction";
    NullReadScope: "null-read-scope", "caching.scope-valid", MODERN,
        "cacheScope of resources/read is null";
    ScopeChangesWithPage: "scope-changes-with-page", "caching.scope-same-on-pages", MODERN,
        "the last page of each list is private, the others are public";
    HintsWithQuestions: "hints-with-questions", "caching.input-required-without-hints", MODERN,
        "results that ask for input may be kept for a while";
    LacksListen: "lacks-listen", "subscription.supported", MODERN,
        "changes are declared, but subscriptions/listen is unknown";
    ListensInSilence: "listens-in-silence", "subscription.supported", MODERN,
        "subscriptions/listen gets neither acknowledgment nor answer";
    AnnouncesBeforeAcknowledging: "announces-before-acknowledging", "subscription.ack-first", MODERN,
        "a subscription begins with a notice, and is acknowledged after it";
    GrantsEverything: "grants-everything", "subscription.ack-subset", MODERN,
        "every subscription is granted every list";
    AnnouncesToAll: "announces-to-all", "subscription.only-requested", MODERN over STDIO,
        "list changes are announced to everybody, subscribed or not";
    IgnoresFilter: "ignores-filter", "subscription.only-requested", MODERN,
        "a subscription hears of every list";
    UntaggedNotices: "untagged-notices", "subscription.id-on-notifications", MODERN,
        "notices do not name their subscription";
    TextSubscriptionIds: "text-subscription-ids", "subscription.id-on-notifications", MODERN,
        "subscriptions with a number for an id are named by text";
    ServesLastSubscriptionOnly: "serves-last-subscription-only", "subscription.multiple", MODERN,
        "only the newest of several subscriptions hears of a change";
    RefusesSecondSubscription: "refuses-second-subscription", "subscription.multiple", MODERN,
        "a second subscription is refused while one is open";
    ListensOnAfterCancel: "listens-on-after-cancel", "subscription.stops-on-cancel", MODERN over STDIO,
        "a cancelled subscription goes on";
    LeavesWithoutGoodbye: "leaves-without-goodbye", "subscription.graceful-close", MODERN,
        "it exits where it should end its subscriptions";
    NamelessClosing: "nameless-closing", "subscription.close-result-shape", MODERN,
        "the result that ends a subscription does not name it";

    // Input that is asked for by results.
    AsksForCompletions: "asks-for-completions", "mrtr.only-on-supported-methods", MODERN,
        "completions ask for input";
    AsksForNothing: "asks-for-nothing", "mrtr.has-requests-or-state", MODERN,
        "results ask for input, and neither say for what nor give a state";
    NumericState: "numeric-state", "mrtr.has-requests-or-state", MODERN,
        "the request state is a number";
    AsksForTools: "asks-for-tools", "mrtr.request-kinds", MODERN,
        "what is asked for is a list of tools";
    AsksWithoutParams: "asks-without-params", "mrtr.request-kinds", MODERN,
        "what is asked for has no params";
    AsksUndeclaredModern: "asks-undeclared-modern", "mrtr.capabilities-respected", MODERN,
        "it asks clients what they did not declare";
    WrongMissingCapabilityCode: "wrong-missing-capability-code", "mrtr.missing-capability-error", MODERN,
        "a missing capability gets -32603";
    HidesMissingCapability: "hides-missing-capability", "mrtr.missing-capability-error", MODERN,
        "the error about a missing capability does not say which";
    AcceptsForgedState: "accepts-forged-state", "mrtr.state-tamper-rejected", MODERN,
        "any request state will do";
    FailsOverMissingInput: "fails-over-missing-input", "mrtr.missing-input-asked-again", MODERN,
        "missing input is an error";
    RefusesExtraInput: "refuses-extra-input", "mrtr.extra-input-ignored", MODERN,
        "input that nobody asked for is an error";
    AcceptsMalformedInput: "accepts-malformed-input", "mrtr.malformed-input-error", MODERN,
        "malformed input is as good as any";
    ForgetsDeclinedCalls: "forgets-declined-calls", "mrtr.decline-handled", MODERN,
        "a call whose question was declined is never answered";

    // Tasks.
    RunsRequiredPlainly: "runs-task-only-tools-plainly", "tasks.server.required-enforced", ONLY_11,
        "a tool that requires a task runs without one";
    MakesTasksOfAnything: "makes-tasks-of-anything", "tasks.server.forbidden-refused", ONLY_11,
        "a tool that forbids tasks becomes one";
    RefusesTaskMember: "refuses-task-member", "tasks.receiver.undeclared-ignored", ONLY_11,
        "tasks are not declared, and a call with one is refused";
    RunsTasksAtOnce: "runs-tasks-at-once", "tasks.receiver.create-result", ONLY_11,
        "a call as a task gets its result and no task";
    RevivesTasks: "revives-tasks", "tasks.receiver.status-transitions", ONLY_11,
        "tasks/get says of ended tasks that they work";
    WrongUnknownTaskCode: "wrong-unknown-task-code", "tasks.receiver.unknown-task", ONLY_11,
        "a task that does not exist gets -32603";
    CancelsEndedTasks: "cancels-ended-tasks", "tasks.receiver.cancel-terminal-refused", ONLY_11,
        "a task that has ended is cancelled once more";
    CancelsInWordsOnly: "cancels-in-words-only", "tasks.receiver.cancel-takes-effect", ONLY_11,
        "the cancellation of a task is confirmed and has no effect";
    GivesResultsEarly: "gives-results-early", "tasks.receiver.result-blocks", ONLY_11,
        "tasks/result gives something empty at once";
    ResultWithoutTask: "result-without-task", "tasks.receiver.result-faithful", ONLY_11,
        "the result of a task does not name the task";
    WrapsTaskResult: "wraps-task-result", "tasks.receiver.result-faithful", ONLY_11,
        "the result of a task is another one, as text";
    AsksWithoutRelatedTask: "asks-without-related-task", "tasks.related-metadata", ONLY_11,
        "a task asks the client without saying that it is one";
    MetadataNamesTask: "metadata-names-task", "tasks.receiver.id-parameter-wins", ONLY_11,
        "tasks/get goes by the metadata of the request";
    HidesTasks: "hides-tasks", "tasks.receiver.list", ONLY_11,
        "the list of tasks is always empty";
    TaskWithoutTtl: "task-without-ttl", "tasks.receiver.response-fields", ONLY_11,
        "tasks/get does not say how long the task is kept";
    TaskWithLocalTime: "task-with-local-time", "tasks.receiver.response-fields", ONLY_11,
        "tasks/get gives the time in words";
    StaysWorking: "stays-working", "tasks.receiver.input-required-status", ONLY_11,
        "a task that waits for the client says that it works";

    // Robustness.
    DiesAfterGarbage: "dies-after-garbage", "robust.serves-after-hostile-input", ALL,
        "it exits after a line that is not JSON";
    DeafAfterGarbage: "deaf-after-garbage", "robust.serves-after-hostile-input", ALL,
        "it answers nothing after a line that is not JSON";
    DiesOfDepth: "dies-of-depth", "robust.serves-after-hostile-input", ALL,
        "it exits on a line nested more than 1000 deep";
    DeafAfterHugeLine: "deaf-after-huge-line", "robust.serves-after-hostile-input", ALL,
        "it answers nothing after a line of more than 64 KiB";
    DiesOnOddId: "dies-on-odd-id", "robust.serves-after-hostile-input", ALL,
        "it exits when an id is an object or an array";
    DiesOnUnknownNotification: "dies-on-unknown-notification", "robust.serves-after-hostile-input", ALL,
        "it exits on an unknown notification";
    DiesWithItsTool: "dies-with-its-tool", "robust.survives-session", ALL,
        "it exits when one of its tools fails";
    DropsBeforeEof: "drops-what-came-before-eof", "robust.answers-before-eof", ALL over STDIO,
        "what came with the last bytes is not answered";
    LeavesAChild: "leaves-a-child", "robust.no-orphans", ALL over STDIO,
        "it leaves a child process behind";
    Hoards: "hoards", "robust.bounded-memory", ALL,
        "it keeps a hundredfold of all it was ever sent";
    Spins: "spins", "robust.bounded-cpu", ALL,
        "every line costs it a second of processor time";
    AnswersFirstOfChunk: "answers-first-of-chunk", "robust.burst-answered", ALL over STDIO,
        "of several messages in one chunk all but the first two are lost";
    DropsWhatIsNotRead: "drops-what-is-not-read", "robust.slow-reader", ALL over STDIO,
        "what it says while its output is full is lost";
}
