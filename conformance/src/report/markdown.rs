//! The report for issues and pull requests, in GitHub's Markdown.
//!
//! Whatever a subject wrote stands in code spans and code blocks whose fences are longer than any run of backticks in
//! it: there, neither HTML nor links nor mentions have any effect.

use turncoat::rules::Level;

use super::clause::Clause;
use super::group::{Group, figures, groups, revisions, untested};
use super::human::shell;
use super::text::{count, elide, names, visible};
use super::{EvidenceKind, Outcome, Report, Stale, Subject};

/// The most characters of one entry of the evidence.
const ENTRY: usize = 1500;

/// Renders the report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    page.push_str(&format!("# turncoat: {}\n\n", report.headline()));
    facts(&mut page, report);
    let broken = groups(report.findings.iter().filter(|finding| finding.expected.is_none()));
    if !broken.is_empty() {
        page.push_str("\n## Broken requirements\n\n");
        page.push_str("`->` was sent by turncoat, `<-` by the subject; `--` is anything else.\n");
        for group in &broken {
            requirement(&mut page, group);
        }
    }
    expected(&mut page, report);
    stale(&mut page, &report.stale);
    warnings(&mut page, report);
    inconclusive(&mut page, report);
    unjudged(&mut page, report);
    borne(&mut page, report);
    page
}

fn facts(page: &mut String, report: &Report) {
    who(page, &report.subject);
    let summary = &report.summary;
    let mut row = |label: &str, value: String| page.push_str(&format!("| {label} | {value} |\n"));
    let outcomes = format!(
        "{} passed, {} failed, {} inconclusive, {} untested",
        summary.passed, summary.failed, summary.inconclusive, summary.untested
    );
    row("outcomes", format!("{outcomes} (each rule once per revision)"));
    row("run", format!("{} in {:.1} s, seed {}", count(summary.sessions, "session"), summary.seconds, report.seed));
    row("turncoat", format!("{}, catalogue {}", cell(&report.turncoat), cell(&report.catalogue)));
    if report.interrupted {
        page.push_str("\nThe run was interrupted: this is what was known by then.\n");
    }
}

/// The head of a table of facts, and who was tested.
pub(crate) fn who(page: &mut String, subject: &Subject) {
    let mut row = |label: &str, value: String| page.push_str(&format!("| {label} | {value} |\n"));
    row("", String::new());
    row("---", "---".to_owned());
    if let Some(identity) = &subject.identity {
        row("subject", cell(&format!("{} {}", identity.name, identity.version)));
        if let Some(title) = &identity.title {
            row("title", cell(title));
        }
    }
    row("side, transport", format!("{}, {}", subject.side, cell(&subject.transport)));
    if let Some(command) = &subject.command {
        row("command", cell(&shell(command)));
    }
    if let Some(url) = &subject.url {
        row("url", cell(url));
    }
    row("speaks", revisions(&subject.revisions));
}

fn requirement(page: &mut String, group: &Group<'_>) {
    page.push_str(&format!("\n### {} {}\n\n", group.level.as_str(), span(group.rule)));
    page.push_str(&own(group.requires));
    if let Some(clause) = Clause::parse(group.clause) {
        page.push_str(&format!(" ([{}]({}))", own(&clause.title()), target(&clause.url())));
    }
    page.push('\n');
    let weighty = matches!(group.level, Level::Must | Level::Robustness);
    for way in &group.ways {
        let finding = way.shown;
        let mut story = visible(&finding.message);
        let skipped = if weighty { 0 } else { finding.evidence.len().saturating_sub(1) };
        for evidence in finding.evidence.iter().skip(skipped) {
            let mark = match evidence.kind {
                EvidenceKind::Sent => "->",
                EvidenceKind::Received => "<-",
                EvidenceKind::Note => "--",
            };
            story.push_str(&format!("\n{mark} {}", elide(&visible(&evidence.text), ENTRY)));
        }
        page.push_str(&format!("\n{}", block("text", &story)));
        let scripts: Vec<_> = way.scripts.iter().map(|script| span(script)).collect();
        page.push_str(&format!("\nSeen in {} by {}.\n", revisions(&way.revisions), names(&scripts, 6)));
        page.push_str(&format!("\n{}", block("sh", &visible(&finding.replay))));
    }
}

fn expected(page: &mut String, report: &Report) {
    let groups = groups(report.findings.iter().filter(|finding| finding.expected.is_some()));
    if groups.is_empty() {
        return;
    }
    page.push_str("\n## Expected by the baseline\n\n");
    for group in &groups {
        let reason = group.ways.iter().find_map(|way| way.shown.expected.as_deref()).unwrap_or_default();
        page.push_str(&format!("- {} {}: {}\n", group.level.as_str(), span(group.rule), span(reason)));
    }
}

fn stale(page: &mut String, stale: &[Stale]) {
    if stale.is_empty() {
        return;
    }
    page.push_str("\n## Stale expectations\n\nTake these out of the baseline.\n\n");
    for Stale { rule, revision, why } in stale {
        let revision = revision.map(|revision| format!(" in {revision}")).unwrap_or_default();
        page.push_str(&format!("- {}{revision}: expected to fail, but {}\n", span(rule), own(why)));
    }
}

fn warnings(page: &mut String, report: &Report) {
    let groups = groups(&report.warnings);
    if groups.is_empty() {
        return;
    }
    page.push_str("\n## Warnings\n\nThese never fail anyone.\n\n");
    for group in &groups {
        for way in &group.ways {
            let message = span(&elide(&way.shown.message, 300));
            page.push_str(&format!("- {}: {message} ({})\n", span(group.rule), revisions(&way.revisions)));
        }
    }
}

fn inconclusive(page: &mut String, report: &Report) {
    let mut list = report.rules.iter().filter(|rule| rule.outcome == Outcome::Inconclusive).peekable();
    if list.peek().is_none() {
        return;
    }
    page.push_str("\n## Inconclusive\n\nBroken once, and not when tried again.\n\n");
    for rule in list {
        let reason = span(rule.reason.as_deref().unwrap_or("no reason given"));
        page.push_str(&format!("- {} in {}: {reason}\n", span(&rule.rule), rule.revision));
    }
}

fn unjudged(page: &mut String, report: &Report) {
    let reasons = untested(&report.rules);
    if reasons.is_empty() {
        return;
    }
    page.push_str("\n## Untested\n\nUntested is not passed. `turncoat explain RULE` says what a rule needs.\n\n");
    page.push_str("| rules | why | which |\n| ---: | --- | --- |\n");
    for unjudged in &reasons {
        let rules: Vec<_> = unjudged.rules.iter().map(|rule| cell(rule)).collect();
        let reason = if unjudged.reason.is_empty() { "no reason given".to_owned() } else { cell(unjudged.reason) };
        page.push_str(&format!("| {} | {reason} | {} |\n", rules.len(), names(&rules, 6)));
    }
}

fn borne(page: &mut String, report: &Report) {
    let figures = figures(&report.rules);
    if figures.is_empty() {
        return;
    }
    page.push_str("\n## How much was borne\n\nThe most in any session that kept the rule.\n\n");
    for (rule, figure) in figures {
        page.push_str(&format!("- {}: {}\n", span(rule), own(&figure.to_string())));
    }
}

/// A code span of any text.
fn span(text: &str) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // One space on each side is taken off again; without it, a backtick at the edge would join the fence.
    match text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// A code span in a table, where a bar would end the cell even inside code.
pub(crate) fn cell(text: &str) -> String {
    span(&elide(text, 300)).replace('|', "\\|")
}

/// A fenced block of any text.
pub(crate) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A sentence of our own, which uses backticks for code on purpose; nothing else in it has an effect.
pub(crate) fn own(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('<', "\\<").replace('[', "\\[").replace('|', "\\|").replace('@', "\\@")
}

/// A link that cannot leave its parentheses.
fn target(url: &str) -> String {
    visible(url).replace(['(', ')', '<', '>', ' '], "")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::redact::redacted;
    use super::super::sample::{pinned, sample};
    use super::*;

    #[test]
    fn snapshot() {
        pinned("report.markdown", &render(&redacted(sample())));
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(span("a`b"), "``a`b``");
        assert_eq!(span("``"), "``` `` ```");
        assert_eq!(block("text", "x\n````\ny"), "`````text\nx\n````\ny\n`````\n");
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    proptest! {
        #[test]
        fn a_span_cannot_be_left(text in "[a`| <>\n]{0,30}") {
            let span = span(&text);
            prop_assert!(!span.contains('\n'));
            let fence = span.chars().take_while(|character| *character == '`').count();
            let inner = &span[fence..span.len() - fence];
            prop_assert!(fence == 0 || longest_run(inner) < fence, "{}", span);
        }
    }
}
