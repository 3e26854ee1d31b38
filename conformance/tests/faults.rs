//! Every fault of the reference server is caught by the rule meant for it, and every rule catches a fault.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded;
use turncoat::reference::client::CLIENT_FAULTS;
use turncoat::reference::{Behaviour, FAULTS, FaultInfo};
use turncoat::revision::{Revision, Side};
use turncoat::rules;
use turncoat::transcript::Transport;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for transport in [Transport::Stdio, Transport::Http] {
        let applies = |fault: &&FaultInfo| {
            let rule = rules::find(fault.rule);
            fault.reach.has(transport) && rule.is_some_and(|rule| rule.applies(Side::Server, transport))
        };
        let place = if transport.is_stdio() { "stdio" } else { "http" };
        trials.extend(FAULTS.iter().filter(applies).map(|fault| {
            Trial::test(format!("{place}/{}/{}", fault.rule, fault.id), move || caught(fault, transport))
        }));
    }
    let of_servers: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.rule).collect();
    let of_clients: BTreeSet<&str> = CLIENT_FAULTS.iter().map(|fault| fault.rule).collect();
    // What binds clients alone is proved on the reference client; what binds both sides, on either.
    trials.extend(rules::all().filter(|rule| rule.side != Some(Side::Client)).map(|rule| {
        let either = rule.side.is_none() && of_clients.contains(rule.id);
        let has = of_servers.contains(rule.id) || either;
        Trial::test(format!("{}/has-a-fault", rule.id), move || {
            if has { Ok(()) } else { Err("no fault of the reference server breaks this rule".into()) }
        })
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// Faults of a kind that a clause leaves open: their rule warns and fails nobody.
const ONLY_WARNED_OF: &[&str] = &[
    "accepts-any-level",
    "accepts-forged-state",
    "argument-errors-as-protocol-errors",
    "compares-integers-as-text",
    "confuses-cancel-types",
    "counts-sessions",
    "embeds-without-resources",
    "ends-subscriptions-silently",
    "fails-as-protocol-error",
    "fails-over-missing-input",
    "forward-dns-meta",
    "gaps-in-pages",
    "hints-with-questions",
    "ignores-bad-cursor",
    "ignores-bad-log-level",
    "includes-context",
    "invents-reserved-meta",
    "keeps-header-space",
    "keeps-old-roots",
    "keeps-removed-methods",
    "knows-only-what-it-listed",
    "legacy-range-code",
    "lets-proxies-buffer",
    "mixes-streams",
    "modern-vocabulary-in-legacy",
    "needs-version-header",
    "no-text-copy",
    "omits-server-info",
    "overlapping-pages",
    "ping-with-result",
    "plain-url",
    "primes-no-stream",
    "refuses-declared-lists-legacy",
    "refuses-local-references",
    "refuses-subscriptions",
    "refuses-the-level-alert",
    "silent-updates",
    "silent-updates-stateless",
    "spaced-tool-name",
    "stays-working",
    "times-out-without-cancelling",
    "trusts-forms",
    "wrong-internal-code",
    "wrong-not-found-code",
    "wrong-unknown-method-code",
    "wrong-unknown-tool-code",
];

/// Faults that do not show over HTTP, or not in all of their revisions.
fn is_out_of_reach(fault: &str, revision: Revision) -> bool {
    match fault {
        // A modern client over HTTP lists the tools before it calls one, to know what belongs into header lines.
        "knows-only-what-it-listed" => true,
        // There is no stream to ask on before the session is open.
        "asks-before-initialized" => true,
        // An array of notifications gets an HTTP status, which http.post.notification-202 judges.
        "answers-notifications-by-empty-array" => true,
        // What is malformed is looked at on one endpoint, and HTTP+SSE has two.
        "dies-of-malformed-body" | "hangs-on-malformed-body" => revision == Revision::V2024_11_05,
        // HTTP+SSE has one revision: there is nothing to compare its version with.
        "always-offers-newest" | "counter-offers-oldest" | "counter-offers-unusable" | "needs-meta-in-session" => {
            revision == Revision::V2024_11_05
        }
        // Requests of 2026-07-28 are cancelled by closing their connections.
        "confuses-cancel-types" | "answers-late-cancel" | "dies-on-late-cancel" | "cancels-everything" => {
            revision == Revision::V2026_07_28
        }
        _ => false,
    }
}

/// The rule must notice it in a run of every revision in which it shows.
fn caught(fault: &FaultInfo, transport: Transport) -> Result<(), Failed> {
    let subject = embedded::over(transport, Behaviour::default().with_fault(fault.id)?);
    let mut missed = Vec::new();
    for revision in fault.revisions.iter() {
        if transport == Transport::Http && is_out_of_reach(fault.id, revision) {
            continue;
        }
        let plan =
            Plan { jobs: Some(1), only: vec![fault.rule.to_owned()], revisions: vec![revision], ..Plan::default() };
        let report = match runner::check(&plan, &*subject, &Quiet, &AtomicBool::new(false)) {
            Ok(report) => report,
            Err(untestable) => return Err(untestable.why.into()),
        };
        let heeded = if ONLY_WARNED_OF.contains(&fault.id) { &report.warnings } else { &report.findings };
        let noticed = heeded.iter().any(|finding| finding.rule == fault.rule);
        if !noticed {
            missed.push(revision.as_str());
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("missed in {}", missed.join(", ")).into()) }
}
