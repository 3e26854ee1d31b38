//! What the reports about two real servers say, as `conformance/sut/check` wrote them to the folder `$TURNCOAT_SUT`.

use std::error::Error;
use std::path::PathBuf;

use turncoat_conformance::report::human::{self, Look};
use turncoat_conformance::report::redact::redacted;
use turncoat_conformance::report::{Finding, Outcome, Report, Summary};

#[test]
#[ignore = "needs reports about real servers: run conformance/sut/check"]
fn filesystem() -> Result<(), Box<dyn Error>> {
    pinned("filesystem")
}

#[test]
#[ignore = "needs reports about real servers: run conformance/sut/check"]
fn time() -> Result<(), Box<dyn Error>> {
    pinned("time")
}

fn pinned(name: &str) -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("TURNCOAT_SUT")?);
    let report: Report = serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json")))?)?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let shown = human::render(&unhurried(redacted(report)), Look::default());
    settings.bind(|| insta::assert_snapshot!(format!("real.{name}"), shown));
    Ok(())
}

/// Rules that a server breaks now and then, as its expectations say.
const RACES: &[&str] = &["cancel.race-tolerated", "robust.answers-before-eof", "robust.survives-session"];

/// Takes out what depends on how busy the machine was: how often something was seen and where else, how many
/// requests were answered before, how much was borne, and what came once and not again. What was expected is shown in full all the same.
fn unhurried(mut report: Report) -> Report {
    report.stale.clear();
    report.findings.retain(|finding| !RACES.contains(&finding.rule.as_str()));
    for rule in &mut report.rules {
        rule.figure = None;
        let raced = RACES.contains(&rule.rule.as_str()) && rule.outcome == Outcome::Fail;
        if raced || rule.outcome == Outcome::Inconclusive {
            (rule.outcome, rule.reason, rule.expected) = (Outcome::Pass, None, None);
        }
    }
    report.summary = Summary::of(&report.rules, 0, 0.0);
    for finding in report.findings.iter_mut().chain(&mut report.warnings) {
        let Finding { occurrences, also, expected, evidence, .. } = finding;
        *occurrences = 1;
        also.clear();
        *expected = None;
        for evidence in evidence {
            evidence.text = without_id(&evidence.text);
        }
    }
    report
}

/// Replaces the number of the first `"id":`.
fn without_id(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"id\":") else { return text.to_owned() };
    let rest = rest.trim_start_matches(|character: char| character.is_ascii_digit());
    format!("{before}\"id\":[id]{rest}")
}
