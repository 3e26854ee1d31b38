//! A made-up report for the tests of everything that reads one.

use turncoat::revision::{Revision, Side};
use turncoat::rules::{Figure, Level};

use super::{Evidence, EvidenceKind, Finding, Identity, Outcome, Report, RuleOutcome, Stale, Subject, Summary};

/// Holds a rendered report against its snapshot.
pub(crate) fn pinned(name: &str, shown: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown));
}

/// A subject that breaks requirements of every level and puts into its words what could hurt whoever shows them.
pub(crate) fn sample() -> Report {
    let evidence =
        |entry, kind, text: &str| Evidence { entry, at_micros: 1234 * entry as u64, kind, text: text.into() };
    let replay = |script: &str, revision: &str| {
        format!("turncoat check server --only {script} --revision {revision} --seed 7 -- npx -y 'my server'")
    };
    let outcome = |rule: &str, level, revision, outcome, reason: Option<&str>| RuleOutcome {
        rule: rule.to_owned(),
        level,
        revision,
        outcome,
        scripts: vec!["tour".to_owned()],
        reason: reason.map(str::to_owned),
        figure: None,
        expected: None,
    };
    let ids = Finding {
        rule: "jsonrpc.response.id-matches".to_owned(),
        level: Level::Must,
        revision: Revision::V2025_06_18,
        script: "string-ids".to_owned(),
        message: "answers under the id 7 what was asked under \"7\u{1b}]0;owned\u{7}\"".to_owned(),
        clause: "2026-07-28/basic/index#responses".to_owned(),
        requires: "An answer carries the `id` of the request that it answers, unchanged in type and value.".to_owned(),
        evidence: vec![
            evidence(3, EvidenceKind::Sent, r#"{"jsonrpc":"2.0","id":"7","method":"tools/list"}"#),
            evidence(
                4,
                EvidenceKind::Received,
                &format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"tools\":[\u{1b}[2J<img src=x onerror=alert(1)>```{}\u{202e}]}}}}",
                    "0123456789 ".repeat(80)
                ),
            ),
        ],
        replay: replay("string-ids", "2025-06-18"),
        occurrences: 2,
        also: vec!["tour".to_owned()],
        expected: None,
    };
    let newer = Finding { revision: Revision::V2025_11_25, ..ids.clone() };
    let crash = Finding {
        rule: "robust.survives".to_owned(),
        level: Level::Robustness,
        revision: Revision::V2025_11_25,
        script: "deep-nesting".to_owned(),
        message: "ends while a request is open".to_owned(),
        clause: String::new(),
        requires: "No message makes the process end.".to_owned(),
        evidence: vec![
            evidence(3, EvidenceKind::Sent, &format!("{}1{}", "[".repeat(2000), "]".repeat(2000))),
            evidence(4, EvidenceKind::Note, "process 4711 ended by signal 6"),
            evidence(5, EvidenceKind::Note, "stderr: fatal: \u{9b}31mstack overflow\r\n@everyone | see #1"),
        ],
        replay: replay("deep-nesting", "2025-11-25"),
        occurrences: 1,
        also: Vec::new(),
        expected: None,
    };
    let order = Finding {
        rule: "lists.order-is-stable".to_owned(),
        level: Level::Should,
        revision: Revision::V2025_11_25,
        script: "tour".to_owned(),
        message: "lists its tools in another order the second time".to_owned(),
        clause: "schema/2026-07-28/schema.ts#ListToolsResult".to_owned(),
        requires: "A list that did not change comes in the same order.".to_owned(),
        evidence: vec![
            evidence(8, EvidenceKind::Received, r#"{"jsonrpc":"2.0","id":2,"result":{"tools":["a","b"]}}"#),
            evidence(10, EvidenceKind::Received, r#"{"jsonrpc":"2.0","id":3,"result":{"tools":["b","a"]}}"#),
        ],
        replay: replay("tour", "2025-11-25"),
        occurrences: 1,
        also: Vec::new(),
        expected: None,
    };
    let known = Finding {
        rule: "error.unknown-tool".to_owned(),
        level: Level::Must,
        message: "answers with the code -32603".to_owned(),
        clause: "2025-11-25/server/tools#error-handling".to_owned(),
        expected: Some("reported upstream as issue 12".to_owned()),
        also: vec!["tour".to_owned(), "x".to_owned(), "y".to_owned(), "z".to_owned()],
        ..order.clone()
    };
    let warning = Finding {
        rule: "lifecycle.capabilities-known".to_owned(),
        message: "declares the capability <b>\u{200b}\"magic\"</b>, which no revision knows".to_owned(),
        ..order.clone()
    };
    let mut rules = vec![
        outcome(&ids.rule, Level::Must, Revision::V2025_06_18, Outcome::Fail, None),
        outcome(&ids.rule, Level::Must, Revision::V2025_11_25, Outcome::Fail, None),
        outcome(&crash.rule, Level::Robustness, Revision::V2025_11_25, Outcome::Fail, None),
        outcome(&order.rule, Level::Should, Revision::V2025_11_25, Outcome::Fail, None),
        outcome(&known.rule, Level::Must, Revision::V2025_11_25, Outcome::Fail, None),
        outcome("jsonrpc.version-member", Level::Must, Revision::V2025_06_18, Outcome::Pass, None),
        RuleOutcome {
            figure: Some(Figure { micros: Some(312_000), ..Figure::bytes("answers read late", 1_600_000) }),
            ..outcome("robust.slow-reader", Level::Robustness, Revision::V2025_11_25, Outcome::Pass, None)
        },
        outcome("jsonrpc.version-member", Level::Must, Revision::V2025_11_25, Outcome::Pass, None),
    ];
    rules[4].expected = known.expected.clone();
    rules.push(outcome(
        "ping.answered",
        Level::Must,
        Revision::V2025_06_18,
        Outcome::Inconclusive,
        Some("broken in one of three sessions: no answer to id \"\u{1b}[1m\""),
    ));
    for rule in ["cancel.no-answer-after", "cancel.work-stops"] {
        let reason = "no tool call took long enough to be cancelled; name a slow tool in the subject file";
        for revision in [Revision::V2025_06_18, Revision::V2025_11_25] {
            rules.push(outcome(rule, Level::Should, revision, Outcome::Untested, Some(reason)));
        }
    }
    let reason = Some("the subject sent no sampling request");
    rules.push(outcome("sampling.roles", Level::Must, Revision::V2025_11_25, Outcome::Untested, reason));
    Report {
        turncoat: "0.1.0".to_owned(),
        seed: 7,
        catalogue: "5f1d7a84db00d2fce00b31a7fc73224f".to_owned(),
        subject: Subject {
            side: Side::Server,
            transport: "stdio".to_owned(),
            command: Some(vec!["npx".to_owned(), "-y".to_owned(), "my server".to_owned()]),
            url: None,
            identity: Some(Identity {
                name: "everything\u{1b}[31m | `<script>alert(1)</script>`".to_owned(),
                version: "1.0\n# conforms".to_owned(),
                title: Some("Everything 日本語 @octocat".to_owned()),
            }),
            revisions: vec![Revision::V2025_06_18, Revision::V2025_11_25],
        },
        summary: Summary::of(&rules, 66, 12.345),
        rules,
        findings: vec![order, crash, known, ids, newer],
        warnings: vec![warning],
        interrupted: true,
        strict: false,
        stale: vec![Stale {
            rule: "tools.name-unique".to_owned(),
            revision: Some(Revision::V2025_06_18),
            why: "it passed".to_owned(),
        }],
    }
}
