//! Every fault of the reference server is caught by the rule meant for it, and every rule catches a fault.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::embedded::Embedded;
use turncoat::reference::{Behaviour, FAULTS, FaultInfo};
use turncoat::rules;
use turncoat_conformance::runner::{self, Plan, Quiet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> =
        FAULTS.iter().map(|fault| Trial::test(format!("{}/{}", fault.rule, fault.id), || caught(fault))).collect();
    let proven: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.rule).collect();
    trials.extend(rules::all().map(|rule| {
        let has = proven.contains(rule.id);
        Trial::test(format!("{}/has-a-fault", rule.id), move || {
            if has { Ok(()) } else { Err("no fault of the reference server breaks this rule".into()) }
        })
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn caught(fault: &FaultInfo) -> Result<(), Failed> {
    let behaviour = Behaviour::default().with_fault(fault.id)?;
    let plan = Plan {
        jobs: Some(1),
        only: vec![fault.rule.to_owned()],
        revisions: fault.revisions.iter().collect(),
        ..Plan::default()
    };
    let report = runner::check(&plan, &Embedded::server(behaviour), &Quiet, &AtomicBool::new(false))?;
    let found = report.findings.iter().chain(&report.warnings).any(|finding| finding.rule == fault.rule);
    if found { Ok(()) } else { Err(format!("not caught; {:#?}", report.rules).into()) }
}
