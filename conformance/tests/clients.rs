//! The embedded reference client: honest, no rule may say a word against it.

use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded_client::EmbeddedClient;
use turncoat::reference::client::Conduct;
use turncoat_conformance::report::Outcome;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let trials = vec![Trial::test("honest/reference", || check(Conduct::default()))];
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
    for idle in report.rules.iter().filter(|rule| rule.outcome == Outcome::Untested) {
        eprintln!("untested: {} in {}", idle.rule, idle.revision);
    }
    eprintln!("{:?}", report.subject);
    if report.findings.is_empty() { Ok(()) } else { Err("findings".into()) }
}
