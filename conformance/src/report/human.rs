//! The report for people at a terminal.
//!
//! The verdict is the first line and begins with our own words, so that no name a subject gives itself can pose as one.

use anstyle::{AnsiColor, Style};

use turncoat::revision::Side;
use turncoat::rules::Level;

use super::clause::Clause;
use super::group::{Group, Way, figures, groups, revisions, untested};
use super::text::{count, cut, elide, fold, names, visible, wrap};
use super::verdict::Verdict;
use super::{Evidence, EvidenceKind, Outcome, Report, Stale, Subject};

/// How the text is to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// The columns of the terminal; replay commands alone may be longer, since they are there to be copied.
    pub width: usize,
    /// Whether there are colours.
    pub colour: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 80, colour: false }
    }
}

/// Renders the report.
#[must_use]
pub fn render(report: &Report, look: Look) -> String {
    let mut page = Page::new(look);
    page.verdict(report);
    page.subject(report);
    page.findings(report);
    page.expected(report);
    page.stale(&report.stale);
    page.warnings(report);
    page.inconclusive(report);
    page.untested(report);
    page.figures(report);
    page.summary(report);
    page.finish()
}

/// The width of a label with the space around it.
const INDENT: usize = 12;
/// How many ways of breaking one requirement are shown with their evidence.
const WAYS: usize = 3;
/// How many lines an entry of the evidence may take: the offence, and what led to it.
const OFFENCE_LINES: usize = 6;
const EARLIER_LINES: usize = 3;
/// How many entries of the evidence are shown.
const ENTRIES: usize = 6;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const SENT: Style = AnsiColor::Cyan.on_default();
const RECEIVED: Style = AnsiColor::Magenta.on_default();

/// How many reasons for not having tested are shown.
const REASONS: usize = 16;

/// A report as it is written, line by line.
pub(crate) struct Page {
    text: String,
    look: Look,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { text: String::new(), look: Look { width: look.width.clamp(40, 140), ..look } }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// The columns that a line may take.
    pub(crate) fn width(&self) -> usize {
        self.look.width
    }

    /// The first line, which is our own.
    pub(crate) fn headline(&mut self, style: Style, text: &str) {
        for line in wrap(text, self.look.width) {
            let line = self.paint(style, &line);
            self.line(&line);
        }
    }

    fn verdict(&mut self, report: &Report) {
        let style = match report.verdict() {
            Verdict::Conforms => GOOD,
            Verdict::DoesNotConform => BAD,
            Verdict::NothingVerified | Verdict::Interrupted => DOUBTFUL,
        };
        self.headline(style, &report.headline());
    }

    fn subject(&mut self, report: &Report) {
        self.who(&report.subject);
        let summary = &report.summary;
        let outcomes = format!(
            "{} passed, {} failed, {} inconclusive, {} untested (each rule once per revision)",
            summary.passed, summary.failed, summary.inconclusive, summary.untested
        );
        self.field("outcomes", &outcomes);
        let hash: String = report.catalogue.chars().take(12).collect();
        self.field("run", &format!("seed {}, catalogue {hash}, turncoat {}", report.seed, report.turncoat));
    }

    /// Who was tested, and how it was reached.
    pub(crate) fn who(&mut self, subject: &Subject) {
        let Subject { side, transport, command, url, identity, revisions: spoken } = subject;
        self.line("");
        let name = match identity {
            None => "nameless".to_owned(),
            Some(identity) => {
                let title = identity.title.as_ref().map(|title| format!(" ({})", elide(&visible(title), 60)));
                let name = elide(&visible(&identity.name), 60);
                let version = elide(&visible(&identity.version), 40);
                format!("{name} {version}{}", title.unwrap_or_default())
            }
        };
        let place = match transport.as_str() {
            "memory" => "in memory".to_owned(),
            transport => format!("over {}", visible(transport)),
        };
        self.field("subject", &format!("{name}, a {side} {place}"));
        if let Some(command) = command {
            self.field("command", &elide(&visible(&shell(command)), 240));
        }
        if let Some(url) = url {
            self.field("url", &elide(&visible(url), 240));
        }
        self.field("speaks", &revisions(spoken));
    }

    fn findings(&mut self, report: &Report) {
        let groups = groups(report.findings.iter().filter(|finding| finding.expected.is_none()));
        if groups.is_empty() {
            return;
        }
        self.section(&count(groups.len(), "broken requirement"), "-> turncoat, <- the subject, -- anything else");
        for (position, group) in groups.iter().enumerate() {
            if position > 0 {
                self.line("");
            }
            self.group(group);
        }
    }

    fn group(&mut self, group: &Group<'_>) {
        let weighty = matches!(group.level, Level::Must | Level::Robustness);
        let level = self.paint(if weighty { BAD } else { DOUBTFUL }, group.level.as_str());
        let rule = self.paint(BOLD, &visible(group.rule));
        self.line(&format!("{level} {rule}"));
        self.field("required", &visible(group.requires));
        if let Some(clause) = Clause::parse(group.clause) {
            self.field("clause", &visible(&clause.title()));
            if weighty {
                // A link is there to be followed: never broken.
                let url = self.paint(DIM, &visible(&clause.url()));
                self.line(&format!("{:INDENT$}{url}", ""));
            }
        }
        for way in group.ways.iter().take(WAYS) {
            self.way(way, weighty);
        }
        if let Some(more) = group.ways.len().checked_sub(WAYS).filter(|more| *more > 0) {
            self.field("", &format!("and {} of breaking it; the JSON report has them all", count(more, "more way")));
        }
    }

    fn way(&mut self, way: &Way<'_>, weighty: bool) {
        self.field("found", &elide(&visible(&way.shown.message), 400));
        let evidence = &way.shown.evidence;
        let skipped = match weighty {
            true => evidence.len().saturating_sub(ENTRIES),
            // A short form: what was asked, and the offence.
            false => evidence.len().saturating_sub(2),
        };
        if weighty && skipped > 0 {
            let note = self.paint(DIM, &format!("({} before)", count(skipped, "message")));
            self.line(&format!("    {note}"));
        }
        let last = evidence.len().saturating_sub(1);
        for (position, evidence) in evidence.iter().enumerate().skip(skipped) {
            self.evidence(evidence, if position == last { OFFENCE_LINES } else { EARLIER_LINES });
        }
        let scripts: Vec<_> = way.scripts.iter().map(|script| visible(script)).collect();
        let times = match way.occurrences {
            0 | 1 => String::new(),
            several => format!(" ({several} times)"),
        };
        self.field("seen", &format!("in {} by {}{times}", revisions(&way.revisions), names(&scripts, 4)));
        let replay = visible(&way.shown.replay);
        self.label("replay");
        self.line(&replay);
    }

    fn evidence(&mut self, evidence: &Evidence, lines: usize) {
        let (mark, style) = match evidence.kind {
            EvidenceKind::Sent => ("->", SENT),
            EvidenceKind::Received => ("<-", RECEIVED),
            EvidenceKind::Note => ("--", DIM),
        };
        let parts = fold(&visible(&evidence.text), self.look.width.saturating_sub(7));
        let tail = lines / 3;
        let head = match parts.len() {
            short if short <= lines => short,
            _ => lines - tail - 1,
        };
        for (position, part) in parts.iter().take(head).enumerate() {
            let mark = self.paint(style, if position == 0 { mark } else { "  " });
            self.line(&format!("    {mark} {part}"));
        }
        if head < parts.len() {
            let (gone, end) = parts.split_at(parts.len() - tail);
            let gone: usize = gone.iter().skip(head).map(|part| part.chars().count()).sum();
            let note = self.paint(DIM, &format!("({gone} characters left out)"));
            self.line(&format!("       {note}"));
            for part in end {
                self.line(&format!("       {part}"));
            }
        }
    }

    fn expected(&mut self, report: &Report) {
        let groups = groups(report.findings.iter().filter(|finding| finding.expected.is_some()));
        if groups.is_empty() {
            return;
        }
        self.section(&format!("{} expected by the baseline", count(groups.len(), "finding")), "");
        for group in &groups {
            let reason = group.ways.iter().find_map(|way| way.shown.expected.as_deref()).unwrap_or_default();
            self.item(&format!("{} {}", group.level.as_str(), group.rule), reason);
        }
    }

    fn stale(&mut self, stale: &[Stale]) {
        if stale.is_empty() {
            return;
        }
        self.section(&count(stale.len(), "stale expectation"), "take them out of the baseline");
        for Stale { rule, revision, why } in stale {
            let revision = revision.map(|revision| format!(" in {revision}")).unwrap_or_default();
            self.item(&format!("{rule}{revision}"), &format!("expected to fail, but {why}"));
        }
    }

    fn warnings(&mut self, report: &Report) {
        let groups = groups(&report.warnings);
        if groups.is_empty() {
            return;
        }
        let number = groups.iter().map(|group| group.ways.len()).sum();
        self.section(&count(number, "warning"), "these never fail anyone");
        for group in &groups {
            for way in &group.ways {
                let line = format!("  {} ({}): {}", group.rule, revisions(&way.revisions), way.shown.message);
                self.line(&cut(&visible(&line), self.look.width));
            }
        }
    }

    fn inconclusive(&mut self, report: &Report) {
        let list: Vec<_> = report.rules.iter().filter(|rule| rule.outcome == Outcome::Inconclusive).collect();
        if list.is_empty() {
            return;
        }
        self.section(&format!("{} inconclusive", list.len()), "broken once, and not when tried again");
        for rule in list {
            self.item(&format!("{} in {}", rule.rule, rule.revision), rule.reason.as_deref().unwrap_or_default());
        }
    }

    fn untested(&mut self, report: &Report) {
        let reasons = untested(&report.rules);
        if reasons.is_empty() {
            return;
        }
        let number = reasons.iter().map(|reason| reason.rules.len()).sum();
        self.section(&format!("{} untested", count(number, "rule")), "untested is not passed");
        for unjudged in reasons.iter().take(REASONS) {
            let reason = match unjudged.reason {
                "" => "no reason given",
                reason => reason,
            };
            let text = format!("{reason} [{}]", names(&unjudged.rules, 3));
            let label = format!("{:>4}", unjudged.rules.len());
            let room = self.look.width.saturating_sub(6);
            for (position, line) in wrap(&visible(&text), room).iter().enumerate() {
                self.line(&format!("{}  {line}", if position == 0 { label.as_str() } else { "    " }));
            }
        }
        let rest: usize = reasons.iter().skip(REASONS).map(|reason| reason.rules.len()).sum();
        if rest > 0 {
            let others = count(reasons.len() - REASONS, "other reason");
            self.line(&format!("{rest:>4}  for {others}; the JSON report has them all"));
        }
        let more = match report.subject.side {
            Side::Server => {
                "--subject FILE names tools that the harness may use, --call-tools lets it call any tool that is listed"
            }
            Side::Client => "a driver that holds a conversation does whatever the harness asks for",
        };
        let hint = format!(
            "To test more: `turncoat explain RULE` says what a rule needs; {more}, and --revision, --only and --profile \
             choose what is run."
        );
        self.line("");
        for line in wrap(&hint, self.look.width.saturating_sub(2)) {
            let line = self.paint(DIM, &line);
            self.line(&format!("  {line}"));
        }
    }

    fn figures(&mut self, report: &Report) {
        let figures = figures(&report.rules);
        if figures.is_empty() {
            return;
        }
        self.section("How much was borne", "the most in any session that kept the rule");
        let name = figures.iter().map(|(rule, _)| rule.chars().count()).max().unwrap_or_default();
        for (rule, figure) in figures {
            self.line(&cut(&visible(&format!("  {rule:<name$}  {figure}")), self.look.width));
        }
    }

    fn summary(&mut self, report: &Report) {
        let summary = &report.summary;
        self.line("");
        if report.verdict() == Verdict::NothingVerified {
            self.line("Not one requirement was put to the test, and that proves nothing.");
        }
        if report.interrupted {
            self.line("Interrupted: this is what was known by then.");
        }
        let line = format!(
            "{}: {} passed, {} failed, {} inconclusive, {} untested; {} in {}",
            report.verdict(),
            summary.passed,
            summary.failed,
            summary.inconclusive,
            summary.untested,
            count(summary.sessions, "session"),
            duration(summary.seconds)
        );
        for line in wrap(&line, self.look.width) {
            self.line(&line);
        }
    }

    pub(crate) fn section(&mut self, title: &str, aside: &str) {
        let title = self.paint(BOLD, title);
        let aside = match aside {
            "" => String::new(),
            aside => format!(" {}", self.paint(DIM, &format!("({aside})"))),
        };
        self.line("");
        self.line(&format!("{title}{aside}"));
        self.line("");
    }

    /// A name and what is to be said of it: on one line if it fits, else below.
    fn item(&mut self, name: &str, text: &str) {
        let name = visible(name);
        let text = elide(&visible(text), 400);
        let room = self.look.width.saturating_sub(4);
        let name = self.paint(BOLD, &name);
        self.line(&format!("  {name}"));
        for line in wrap(&text, room) {
            self.line(&format!("    {line}"));
        }
    }

    pub(crate) fn field(&mut self, label: &str, text: &str) {
        let lines = wrap(text, self.look.width.saturating_sub(INDENT));
        self.label(label);
        let mut lines = lines.iter();
        let first = lines.next().cloned().unwrap_or_default();
        self.line(&first);
        for line in lines {
            self.line(&format!("{:INDENT$}{line}", ""));
        }
    }

    fn label(&mut self, label: &str) {
        let padded = format!("  {label:<width$}", width = INDENT - 2);
        let label = self.paint(DIM, &padded);
        self.text.push_str(&label);
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        match self.look.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

/// The command as one would type it into a POSIX shell.
#[must_use]
pub fn shell(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        short if short < 60.0 => format!("{short:.1} s"),
        long => format!("{:.0} min {:02.0} s", (long / 60.0).floor(), (long % 60.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::redact::redacted;
    use super::super::sample::{pinned, sample};
    use super::super::text::{is_treacherous, width};
    use super::*;

    #[test]
    fn snapshot() {
        pinned("report.human", &render(&redacted(sample()), Look::default()));
    }

    #[test]
    fn a_subject_cannot_reach_the_terminal() {
        let text = render(&sample(), Look::default());
        assert!(!text.chars().any(|character| character != '\n' && is_treacherous(character)));
    }

    #[test]
    fn colours_are_the_only_difference_they_make() {
        let coloured = render(&sample(), Look { width: 80, colour: true });
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some(start) = rest.find('\u{1b}') {
            stripped.push_str(&rest[..start]);
            let end = rest[start..].find('m').unwrap();
            rest = &rest[start + end + 1..];
        }
        stripped.push_str(rest);
        let plain = render(&sample(), Look::default());
        let trimmed: Vec<_> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }

    #[test]
    fn stays_within_the_width() {
        for columns in [72, 80, 120] {
            for line in render(&sample(), Look { width: columns, colour: false }).lines() {
                let to_be_copied = line.contains("https://") || line.trim_start().starts_with("replay");
                assert!(to_be_copied || width(line) <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn the_first_line_is_ours() {
        let text = render(&sample(), Look::default());
        assert!(text.starts_with("does not conform: 1 MUST, 1 robustness, 1 stale expectation ("), "{text}");
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let command = ["node", "my server.js", "it's", "", "a=b"].map(str::to_owned);
        assert_eq!(shell(&command), r"node 'my server.js' 'it'\''s' '' a=b");
    }

    #[test]
    fn durations() {
        assert_eq!([0.04, 12.34, 61.0, 605.0].map(duration), ["0.0 s", "12.3 s", "1 min 01 s", "10 min 05 s"]);
    }
}
