//! The honest reference server and each of its honest variants: no rule may say a word against them.

use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded::Embedded;
use turncoat::reference::{Behaviour, variants};
use turncoat::rules::Level;
use turncoat::script::corpus;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("reference", || check(Behaviour::default(), true))];
    trials.extend(
        variants()
            .iter()
            .filter(|variant| variant.reach.stdio())
            .map(|variant| Trial::test(format!("variant/{}", variant.name), || check(variant.behaviour(), false))),
    );
    libtest_mimic::run(&arguments, trials).exit();
}

/// What weighs on a server's resources and meets no reading of any clause; played against the plain reference only.
const HEAVY: &[&str] = &["a-flood-of-notifications", "a-flood-of-requests", "deep-nesting", "huge-messages"];

/// The plain reference keeps every rule; a variant may leave undone what is only recommended.
fn check(behaviour: Behaviour, strictly: bool) -> Result<(), Failed> {
    let scripts = corpus::all()?.iter().map(|script| script.name.clone());
    let light = scripts.filter(|name| !HEAVY.contains(&name.as_str())).collect();
    let plan = Plan { jobs: Some(1), only: if strictly { Vec::new() } else { light }, ..Plan::default() };
    let report = runner::check(&plan, &Embedded::server(behaviour), &Quiet, &AtomicBool::new(false))?;
    let counts = |level| strictly || matches!(level, Level::Must | Level::Robustness);
    let findings: Vec<_> = report.findings.iter().filter(|finding| counts(finding.level)).collect();
    if findings.is_empty() { Ok(()) } else { Err(format!("{findings:#?}").into()) }
}
