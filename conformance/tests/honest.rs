//! The honest reference server and each of its honest variants: no rule may say a word against them.

use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded;
use turncoat::reference::{Behaviour, variants};
use turncoat::rules::Level;
use turncoat::script::corpus;
use turncoat::transcript::Transport;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for transport in [Transport::Stdio, Transport::Http] {
        let named = |name: &str| format!("{}/{name}", if transport.is_stdio() { "stdio" } else { "http" });
        trials.push(Trial::test(named("reference"), move || check(Behaviour::default(), transport, true)));
        let reached = variants().iter().filter(|variant| variant.reach.has(transport));
        trials.extend(reached.map(|variant| {
            Trial::test(named(&format!("variant/{}", variant.name)), move || {
                check(variant.behaviour(), transport, false)
            })
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What weighs on a server's resources and meets no reading of any clause; played against the plain reference only.
const HEAVY: &[&str] = &["a-flood-of-notifications", "a-flood-of-requests", "deep-nesting", "huge-messages"];

/// The plain reference keeps every rule; a variant may leave undone what is only recommended.
fn check(behaviour: Behaviour, transport: Transport, strictly: bool) -> Result<(), Failed> {
    let scripts = corpus::all()?.iter().map(|script| script.name.clone());
    let light = scripts.filter(|name| !HEAVY.contains(&name.as_str())).collect();
    let plan = Plan { jobs: Some(1), only: if strictly { Vec::new() } else { light }, ..Plan::default() };
    let report = runner::check(&plan, &*embedded::over(transport, behaviour), &Quiet, &AtomicBool::new(false))?;
    let counts = |level| strictly || matches!(level, Level::Must | Level::Robustness);
    let findings: Vec<_> = report.findings.iter().filter(|finding| counts(finding.level)).collect();
    if findings.is_empty() { Ok(()) } else { Err(format!("{findings:#?}").into()) }
}
