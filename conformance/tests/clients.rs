//! The embedded reference client: honest in every permitted way, no rule may say a word against it; faulty, the rule meant
//! for it must. And every rule about clients catches a fault.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::{Adapter, embedded_client};
use turncoat::reference::client::{CLIENT_FAULTS, ClientFaultInfo, Conduct, variants};
use turncoat::revision::{Revision, Side};
use turncoat::rules::{self, Level};
use turncoat::transcript::Transport;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for transport in [Transport::Stdio, Transport::Http] {
        let place = if transport.is_stdio() { "stdio" } else { "http" };
        let honest = move || check(transport, Conduct::default(), true);
        trials.push(Trial::test(format!("{place}/honest/reference"), honest));
        trials.extend(variants().iter().map(|variant| {
            let name = format!("{place}/honest/variant/{}", variant.name);
            Trial::test(name, move || check(transport, variant.conduct(), false))
        }));
        let applies = |fault: &&ClientFaultInfo| {
            let rule = rules::find(fault.rule);
            fault.reach.has(transport) && rule.is_some_and(|rule| rule.applies(Side::Client, transport))
        };
        trials.extend(CLIENT_FAULTS.iter().filter(applies).map(|fault| {
            Trial::test(format!("{place}/{}/{}", fault.rule, fault.id), move || caught(fault, transport))
        }));
    }
    let proven: BTreeSet<&str> = CLIENT_FAULTS.iter().map(|fault| fault.rule).collect();
    trials.extend(rules::all().filter(|rule| rule.side == Some(Side::Client)).map(|rule| {
        let has = proven.contains(rule.id) || UNPROVEN.contains(&rule.id);
        Trial::test(format!("{}/has-a-fault", rule.id), move || {
            if has { Ok(()) } else { Err("no fault of the reference client breaks this rule".into()) }
        })
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The plain reference keeps every rule; a variant may leave undone what is only recommended.
fn check(transport: Transport, conduct: Conduct, strictly: bool) -> Result<(), Failed> {
    let plan = Plan { jobs: Some(1), ..Plan::default() };
    let report = runner::check(&plan, &*embedded_client::over(transport, conduct), &Quiet, &AtomicBool::new(false))?;
    let counts = |level| strictly || matches!(level, Level::Must | Level::Robustness);
    let findings: Vec<_> = report.findings.iter().filter(|finding| counts(finding.level)).collect();
    if findings.is_empty() { Ok(()) } else { Err(format!("{findings:#?}").into()) }
}

/// Faults of a kind that a clause leaves open: their rule warns and fails nobody.
const ONLY_WARNED_OF: &[&str] = &[
    "answers-cancelled-questions",
    "forward-dns-meta",
    "ignores-defaults",
    "initializes-first",
    "invents-for-rejections",
    "invents-reserved-meta",
    "modern-meta-in-legacy-sessions",
    "offers-its-oldest-version",
    "omits-client-info",
    "only-polls",
    "takes-anything-for-schemas-elsewhere",
    "wrong-code-for-failing-roots",
    "wrong-unknown-method-code",
];

/// Faults that are not noticed yet in all of their revisions: no script brings their situation about, or their rule knows
/// servers alone. What is noticed after all has to leave the list.
const MISSED: &[&str] = &[
    // No honest server opens a session for it, so there is none to judge.
    "batches-initialize",
];

/// The same over HTTP: those that are missed on stdio too, and others whose scripts or rules do not show them there yet.
const MISSED_OVER_HTTP: &[&str] = &[
    "answers-half-a-batch",
    "batches-initialize",
    "chokes-on-capabilities",
    "drops-id-from-errors",
    "ignores-batches",
    "needs-server-info",
    "nulls-id-in-errors",
    // An older version of Streamable HTTP has no script that answers with it.
    "refuses-any-other-version",
    // Whatever is open when a client leaves is closed with it.
    "times-out-silently-stateless",
    "waits-for-ever",
    "wrong-parse-error-code",
];

/// Faults that do not show over HTTP in some of their revisions.
fn is_out_of_reach(fault: &str, revision: Revision) -> bool {
    match fault {
        // To a server of HTTP+SSE a client of later revisions says `initialize` twice, the first time where nobody takes
        // it, and the rules look at the first.
        "hurries"
        | "lingers-after-an-unknown-version"
        | "never-initialized"
        | "offers-a-version-it-does-not-speak"
        | "speaks-any-version" => revision == Revision::V2024_11_05,
        // Requests of 2026-07-28 are cancelled by closing their connections.
        "cancels-without-id" | "dies-on-late-answers" => revision == Revision::V2026_07_28,
        _ => false,
    }
}

/// Rules that no fault breaks yet.
const UNPROVEN: &[&str] = &[];

/// The rule must notice it in a run of every revision in which it shows.
fn caught(fault: &ClientFaultInfo, transport: Transport) -> Result<(), Failed> {
    let subject = embedded_client::over(transport, Conduct::default().with_fault(fault.id)?);
    let shows = fault.revisions.iter().filter(|revision| transport.is_stdio() || !is_out_of_reach(fault.id, *revision));
    let missed: Vec<&str> =
        shows.filter(|revision| !noticed(fault, &*subject, *revision)).map(Revision::as_str).collect();
    let known = if transport.is_stdio() { MISSED } else { MISSED_OVER_HTTP };
    match (missed.is_empty(), known.contains(&fault.id)) {
        (true, false) | (false, true) => Ok(()),
        (true, true) => Err("it is noticed now: take it off the list of those that are not".into()),
        (false, false) => Err(format!("missed in {}", missed.join(", ")).into()),
    }
}

fn noticed(fault: &ClientFaultInfo, subject: &dyn Adapter, revision: Revision) -> bool {
    let plan = Plan { jobs: Some(1), only: vec![fault.rule.to_owned()], revisions: vec![revision], ..Plan::default() };
    let Ok(report) = runner::check(&plan, subject, &Quiet, &AtomicBool::new(false)) else { return false };
    let heeded = if ONLY_WARNED_OF.contains(&fault.id) { &report.warnings } else { &report.findings };
    heeded.iter().any(|finding| finding.rule == fault.rule)
}
