//! Honest servers of every permitted kind: whoever reports one of them has read a clause too narrowly.

use super::behaviour::{Behaviour, Features, Offer, Reading, Temper};
use super::http::HttpReading;
use crate::revision::Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};
use crate::revision::Revisions;
use crate::transcript::Transports;

/// An honest server that differs from the default.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it does differently.
    pub about: &'static str,
    /// The transports over which it does.
    pub reach: Transports,
    change: fn(&mut Behaviour),
}

impl Variant {
    /// The behaviour of this server.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        let mut behaviour = Behaviour::default();
        (self.change)(&mut behaviour);
        behaviour
    }
}

/// Every variant.
#[must_use]
pub fn variants() -> &'static [Variant] {
    VARIANTS
}

const fn variant(name: &'static str, about: &'static str, change: fn(&mut Behaviour)) -> Variant {
    Variant { name, about, reach: Transports::BOTH, change }
}

macro_rules! reading {
    ($name:literal, $about:literal, $reading:ident) => {
        variant($name, $about, |behaviour| behaviour.readings.push(Reading::$reading))
    };
}

macro_rules! over_http {
    ($name:literal, $about:literal, $reading:ident) => {
        Variant {
            name: $name,
            about: $about,
            reach: Transports::HTTP,
            change: |behaviour| behaviour.http.push(HttpReading::$reading),
        }
    };
}

static VARIANTS: &[Variant] = &[
    variant("default", "speaks all five revisions and has every feature", |_| {}),
    variant("tools-only", "tools and nothing else, and no list changes", |behaviour| {
        behaviour.features = Features { tools: Offer::Quiet, ..Features::NONE };
    }),
    variant("bare", "no capability at all", |behaviour| behaviour.features = Features::NONE),
    variant("quiet", "every feature, but no announcements of changes", |behaviour| {
        let features = &mut behaviour.features;
        (features.tools, features.prompts, features.resources) = (Offer::Quiet, Offer::Quiet, Offer::Quiet);
        features.subscribe = false;
    }),
    variant("no-tasks", "no call becomes a task", |behaviour| behaviour.features.tasks = false),
    variant("one-page", "every list fits on one page", |behaviour| behaviour.features.page = 50),
    variant("unsupported-dialect", "one tool has a schema in a dialect that is not supported", |behaviour| {
        behaviour.features.odd_dialect = true;
    }),
    variant("modern-only", "speaks 2026-07-28 only", |behaviour| behaviour.revisions = Revisions::MODERN),
    variant("legacy", "speaks the four legacy revisions", |behaviour| behaviour.revisions = Revisions::LEGACY),
    variant("legacy-2024-11-05", "speaks 2024-11-05 only", |behaviour| {
        behaviour.revisions = Revisions::of(&[V2024_11_05]);
    }),
    variant("legacy-2025-03-26", "speaks 2025-03-26 only", |behaviour| {
        behaviour.revisions = Revisions::of(&[V2025_03_26]);
    }),
    variant("legacy-2025-06-18", "speaks 2025-06-18 only", |behaviour| {
        behaviour.revisions = Revisions::of(&[V2025_06_18]);
    }),
    variant("legacy-2025-11-25", "speaks 2025-11-25 only", |behaviour| {
        behaviour.revisions = Revisions::of(&[V2025_11_25]);
    }),
    variant("strict", "refuses whatever it may refuse", |behaviour| behaviour.temper = Temper::Strict),
    variant("lenient", "tolerates whatever it may tolerate", |behaviour| behaviour.temper = Temper::Lenient),
    reading!("trap-01-version-error", "initialize with an unsupported version is refused by -32602", VersionError),
    variant("trap-03-newer-counter-offer", "old versions are answered by a newer one", |behaviour| {
        behaviour.revisions = Revisions::of(&[V2025_06_18, V2025_11_25]);
    }),
    reading!("trap-05-early-refused", "requests between initialize and initialized are refused", EarlyRefused),
    reading!("trap-05-early-silent", "requests before initialize get no answer", EarlySilent),
    reading!("trap-05-early-served", "requests before initialize are served", EarlyServed),
    reading!("trap-05-renegotiates", "a second initialize starts the session anew", Renegotiates),
    reading!("trap-09-modern-initialize-refused", "initialize for 2026-07-28 is refused", ModernInitializeRefused),
    variant("trap-14-empty-lists", "undeclared features answer their lists, with nothing in them", |behaviour| {
        behaviour.features = Features::NONE;
        behaviour.readings.push(Reading::EmptyLists);
    }),
    reading!("trap-20-absent-id", "unreadable lines are answered without id", AbsentId),
    reading!("trap-20-null-id", "unreadable lines are answered with a null id", NullId),
    reading!("trap-20-silence", "unreadable lines get no answer", SilentOnGarbage),
    reading!("trap-22-unknown-tool-as-result", "an unknown tool is a tool error", UnknownToolAsResult),
    reading!(
        "trap-23-argument-errors",
        "bad arguments: tool error up to 2025-06-18, -32602 later",
        OtherArgumentErrors
    ),
    reading!("trap-25-modern-members", "legacy results carry resultType, ttlMs and cacheScope", ModernMembersInLegacy),
    reading!("trap-26-empty-cursor", "the cursor of the second page is the empty string", EmptyCursor),
    reading!("trap-27-ping-meta", "the result of a ping has metadata", PingMeta),
    reading!("trap-28-array-answered", "an array is answered by an array in every legacy session", ArrayAnswered),
    reading!("trap-28-array-ignored", "an array gets no answer where there are no batches", ArrayIgnored),
    reading!("trap-30-sub-resource-updates", "an update names a part of what was subscribed to", SubResourceUpdates),
    reading!("trap-31-templates-on-one-page", "resource templates are not paginated", TemplatesOnOnePage),
    reading!("trap-33-elicitation-pattern", "an elicitation schema of 2025-11-25 has a pattern", ElicitationPattern),
    reading!("trap-34-annotations-inside", "annotations of an embedded resource are inside it", AnnotationsInside),
    reading!("trap-35-http-icon", "the server's icon has a plain http source", HttpIcon),
    reading!("trap-45-end-by-result", "a subscription ends with its result only", EndByResult),
    reading!("trap-45-end-by-cancellation", "a subscription ends with a cancellation only", EndByCancellation),
    reading!("trap-46-uncancellable", "slow cannot be cancelled in a legacy session", Uncancellable),
    reading!("trap-50-legacy-version-in-meta", "a legacy version in modern metadata is served", LegacyVersionInMeta),
    reading!("trap-51-lists-legacy-versions", "supported versions include legacy ones", ListsLegacyVersions),
    variant("trap-57-listen-unknown", "no change is announced, and listen is unknown", |behaviour| {
        let features = &mut behaviour.features;
        (features.tools, features.prompts, features.resources) = (Offer::Quiet, Offer::Quiet, Offer::Quiet);
        features.subscribe = false;
        behaviour.readings.push(Reading::ListenUnknown);
    }),
    reading!("trap-59-no-request-state", "input-required results have no request state", NoRequestState),
    reading!("trap-62-no-server-info", "results do not name the server", NoServerInfo),
    reading!("trap-65-modern-ping", "ping is answered in the modern era too", ModernPing),
    reading!("trap-66-fractional-ttl", "the time to live is written 1000.0", FractionalTtl),
    reading!("trap-69-missing-meta", "a first message without modern metadata gets -32602", MissingMetaIsModern),
    reading!("trap-75-extra-capabilities", "capabilities that no revision knows are declared too", ExtraCapabilities),
    reading!(
        "trap-76-false-in-acknowledgement",
        "the acknowledgment spells out what it denies",
        FalseInAcknowledgement
    ),
    reading!("trap-76-short-subscriptions", "a subscription ends after its first notification", ShortSubscriptions),
    reading!("trap-80-one-era-at-a-time", "modern requests are refused during a legacy session", OneEraAtATime),
    reading!("trap-81-no-templates", "resources/templates/list is unknown", NoTemplates),
    reading!(
        "missing-capability-as-result",
        "a tool that lacks a client capability says so in a plain tool error",
        MissingCapabilityAsResult
    ),
    over_http!("trap-21-failures-are-200", "errors whose status no clause fixes come with 200", FailuresAre200),
    over_http!("trap-37-no-delete", "DELETE gets 405", NoDeleting),
    over_http!("trap-37-delete-with-body", "DELETE gets 200 with a body", DeletedWithBody),
    over_http!("trap-37-unknown-session-400", "a session id that never existed gets 400", UnknownSessionIs400),
    over_http!("trap-38-no-sessions", "no session ids: every legacy request stands alone", NoSessions),
    over_http!("trap-39-no-get", "GET gets 405", NoListening),
    over_http!("trap-39-short-get", "a GET stream ends after its first message", ShortListening),
    over_http!("trap-40-newest-get", "a second GET stream replaces the first", NewestListens),
    over_http!("trap-40-second-get", "a second GET stream is accepted", SecondListener),
    over_http!("trap-41-polling", "a stream of 2025-11-25 is closed at once and goes on when it is resumed", Polls),
    over_http!("trap-43-empty-without-length", "empty bodies are chunked", EmptyWithoutLength),
    over_http!("trap-44-no-origins", "every request with an origin is refused", NoOrigins),
    over_http!(
        "trap-49-missing-version-is-legacy",
        "a request without version header is taken for a legacy one",
        MissingVersionIsLegacy
    ),
    over_http!("http-plain-refusals", "refusals by HTTP come with a text", PlainRefusals),
    over_http!("http-json-only", "every answer but that to a subscription is JSON", JsonOnly),
    over_http!("http-events-only", "every answer with status 200 is a stream", EventsOnly),
    over_http!("http-no-event-ids", "events have no ids, and no stream can be resumed", NoEventIds),
    over_http!("http-named-events", "events are named message", NamedEvents),
    over_http!("http-cr-lf", "lines of a stream end in CR and LF", LinesEndInCrLf),
    over_http!("http-cr", "lines of a stream end in CR", LinesEndInCr),
    over_http!("http-comments", "comments stand between the events", Comments),
    over_http!("http-several-lines", "the data of an event takes several lines", SeveralLines),
    over_http!("http-odd-fields", "events have unknown fields, and no space behind the colon", OddFields),
    over_http!("http-odd-headers", "content types have parameters, and header names capitals", OddHeaders),
];
