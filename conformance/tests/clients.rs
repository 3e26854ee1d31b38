//! The embedded reference client: honest, no rule may say a word against it; faulty, the rule meant for it must.

use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded_client::EmbeddedClient;
use turncoat::reference::client::{CLIENT_FAULTS, ClientFaultInfo, ClientVariant, Conduct, variants};
use turncoat::revision::{Revision, Side};
use turncoat::rules;
use turncoat::transcript::Transport;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let honest = |variant: &ClientVariant| {
        let conduct = variant.conduct();
        Trial::test(format!("honest/{}", variant.name), move || check(conduct))
    };
    let mut trials: Vec<Trial> = variants().iter().map(honest).collect();
    let has_rule = |fault: &&ClientFaultInfo| {
        rules::find(fault.rule).is_some_and(|rule| rule.applies(Side::Client, Transport::Stdio))
    };
    trials.extend(
        CLIENT_FAULTS
            .iter()
            .filter(has_rule)
            .map(|fault| Trial::test(format!("{}/{}", fault.rule, fault.id), move || caught(fault))),
    );
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(conduct: Conduct) -> Result<(), Failed> {
    let plan = Plan { jobs: Some(1), transcripts: std::env::var_os("KEEP").map(Into::into), ..Plan::default() };
    let report = runner::check(&plan, &EmbeddedClient::new(conduct), &Quiet, &AtomicBool::new(false))?;
    eprintln!("{:#?}", report.summary);
    for finding in report.findings.iter().chain(&report.warnings) {
        eprintln!(
            "{} {} {} {}: {:#?}",
            finding.rule, finding.revision, finding.script, finding.message, finding.evidence
        );
    }
    eprintln!("{:?}", report.subject);
    if report.findings.is_empty() { Ok(()) } else { Err("findings".into()) }
}

/// Faults of a kind that a clause leaves open: their rule warns and fails nobody.
const ONLY_WARNED_OF: &[&str] =
    &["initializes-first", "needs-a-result-type", "offers-its-oldest-version", "omits-client-info"];

/// The rule must notice it in a run of every revision in which it shows.
fn caught(fault: &ClientFaultInfo) -> Result<(), Failed> {
    let subject = EmbeddedClient::new(Conduct::default().with_fault(fault.id)?);
    let missed: Vec<&str> =
        fault.revisions.iter().filter(|revision| !noticed(fault, &subject, *revision)).map(Revision::as_str).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("missed in {}", missed.join(", ")).into()) }
}

fn noticed(fault: &ClientFaultInfo, subject: &EmbeddedClient, revision: Revision) -> bool {
    let plan = Plan { jobs: Some(1), only: vec![fault.rule.to_owned()], revisions: vec![revision], ..Plan::default() };
    let Ok(report) = runner::check(&plan, subject, &Quiet, &AtomicBool::new(false)) else { return false };
    let heeded = if ONLY_WARNED_OF.contains(&fault.id) { &report.warnings } else { &report.findings };
    heeded.iter().any(|finding| finding.rule == fault.rule)
}
