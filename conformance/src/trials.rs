//! The catalogue as tests of an adapter: one named test per script and revision.
//!
//! A test target of an SDK needs `harness = false` and three lines:
//!
//! ```no_run
//! use turncoat::adapter::child::Process;
//!
//! fn main() -> std::process::ExitCode {
//!     turncoat_conformance::trials::main(Process::server(vec!["my-server".to_owned()]))
//! }
//! ```
//!
//! `cargo test` then takes libtest's filters (`cargo test -- 2025-11-25/ping`), `--list`, `--exact` and `--skip`, and
//! nextest runs it as it is. A test fails for a broken MUST or robustness rule that broke again in a fresh session.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::adapter::Adapter;
use turncoat::rules::Level;

use crate::report::{EvidenceKind, Finding};
use crate::runner::{self, Plan, Quiet, Untestable};

/// Runs the whole catalogue, or what the arguments of the test binary ask for.
pub fn main(adapter: impl Adapter + 'static) -> ExitCode {
    run(&Arguments::from_args(), Plan::default(), Arc::new(adapter))
}

/// Runs a plan as tests.
#[must_use]
pub fn run(arguments: &Arguments, plan: Plan, adapter: Arc<dyn Adapter>) -> ExitCode {
    let trials = match trials(&plan, &adapter) {
        Ok(trials) => trials,
        Err(untestable) => vec![Trial::test("control", move || Err(failed(&untestable)))],
    };
    libtest_mimic::run(arguments, trials).exit_code()
}

/// One test per script and revision that make sense for the subject; opens the control sessions.
///
/// # Errors
///
/// The subject cannot be tested.
pub fn trials(plan: &Plan, adapter: &Arc<dyn Adapter>) -> Result<Vec<Trial>, Untestable> {
    let sessions = runner::sessions(plan, &**adapter)?;
    let catalogue = Arc::new(sessions);
    Ok(catalogue
        .names()
        .enumerate()
        .map(|(index, name)| {
            let (catalogue, adapter, plan) = (Arc::clone(&catalogue), Arc::clone(adapter), plan.clone());
            Trial::test(name, move || {
                let findings = catalogue.run(index, &plan, &*adapter, &Quiet, &AtomicBool::new(false));
                judge(&findings)
            })
        })
        .collect())
}

fn judge(findings: &[Finding]) -> Result<(), Failed> {
    let severe = |finding: &&Finding| matches!(finding.level, Level::Must | Level::Robustness);
    let mut text = String::new();
    for finding in findings.iter().filter(severe) {
        let Finding { rule, level, clause, message, requires, .. } = finding;
        let _ = writeln!(text, "{rule} ({}, {clause}): {message}\n  {requires}", level.as_str());
        for evidence in &finding.evidence {
            let arrow = match evidence.kind {
                EvidenceKind::Sent => "->",
                EvidenceKind::Received => "<-",
                EvidenceKind::Note => "--",
            };
            let _ = writeln!(text, "  {arrow} {}", crate::report::elide(&evidence.text, 500).escape_debug());
        }
    }
    if text.is_empty() { Ok(()) } else { Err(text.into()) }
}

fn failed(untestable: &Untestable) -> Failed {
    format!("{}\n{}", untestable.why, untestable.stderr).into()
}
