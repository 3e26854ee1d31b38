//! The embedded reference client: honest in every permitted way, no rule may say a word against it; faulty, the rule meant
//! for it must. And every rule about clients catches a fault.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded_client::EmbeddedClient;
use turncoat::reference::client::{CLIENT_FAULTS, ClientFaultInfo, Conduct, variants};
use turncoat::revision::{Revision, Side};
use turncoat::rules::{self, Level};
use turncoat::transcript::Transport;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("honest/reference", || check(Conduct::default(), true))];
    trials.extend(variants().iter().map(|variant| {
        Trial::test(format!("honest/variant/{}", variant.name), move || check(variant.conduct(), false))
    }));
    let has_rule = |fault: &&ClientFaultInfo| rules::find(fault.rule).is_some();
    trials.extend(
        CLIENT_FAULTS
            .iter()
            .filter(has_rule)
            .map(|fault| Trial::test(format!("{}/{}", fault.rule, fault.id), move || caught(fault))),
    );
    let proven: BTreeSet<&str> = CLIENT_FAULTS.iter().map(|fault| fault.rule).collect();
    let of_clients = rules::all().filter(|rule| rule.side == Some(Side::Client));
    // The reference client speaks no HTTP yet.
    trials.extend(of_clients.filter(|rule| rule.transports.has(Transport::Stdio)).map(|rule| {
        let has = proven.contains(rule.id) || UNPROVEN.contains(&rule.id);
        Trial::test(format!("{}/has-a-fault", rule.id), move || {
            if has { Ok(()) } else { Err("no fault of the reference client breaks this rule".into()) }
        })
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// The plain reference keeps every rule; a variant may leave undone what is only recommended.
fn check(conduct: Conduct, strictly: bool) -> Result<(), Failed> {
    let plan = Plan { jobs: Some(1), ..Plan::default() };
    let report = runner::check(&plan, &EmbeddedClient::new(conduct), &Quiet, &AtomicBool::new(false))?;
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
    "chokes-on-a-dialect",
    "ignores-the-dialect",
    "reads-every-schema-as-draft-07",
    "refuses-references",
    "takes-untyped-results-for-interim",
];

/// Rules that no fault breaks yet.
const UNPROVEN: &[&str] = &["pagination.client-no-cursor-across-sessions", "stdio.stderr-not-an-error"];

/// The rule must notice it in a run of every revision in which it shows.
fn caught(fault: &ClientFaultInfo) -> Result<(), Failed> {
    let subject = EmbeddedClient::new(Conduct::default().with_fault(fault.id)?);
    let missed: Vec<&str> =
        fault.revisions.iter().filter(|revision| !noticed(fault, &subject, *revision)).map(Revision::as_str).collect();
    match (missed.is_empty(), MISSED.contains(&fault.id)) {
        (true, false) | (false, true) => Ok(()),
        (true, true) => Err("it is noticed now: take it off the list of those that are not".into()),
        (false, false) => Err(format!("missed in {}", missed.join(", ")).into()),
    }
}

fn noticed(fault: &ClientFaultInfo, subject: &EmbeddedClient, revision: Revision) -> bool {
    let plan = Plan { jobs: Some(1), only: vec![fault.rule.to_owned()], revisions: vec![revision], ..Plan::default() };
    let Ok(report) = runner::check(&plan, subject, &Quiet, &AtomicBool::new(false)) else { return false };
    let heeded = if ONLY_WARNED_OF.contains(&fault.id) { &report.warnings } else { &report.findings };
    heeded.iter().any(|finding| finding.rule == fault.rule)
}
