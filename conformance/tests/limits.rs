//! `turncoat limits` from outside: what it finds, and with which exit status.

use std::process::{Command, Stdio};

use turncoat::limits::{Death, Reaction};
use turncoat_conformance::limits::table::Table;

struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn limits(words: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_turncoat"))
        .arg("limits")
        .args(words)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary was built for this test");
    let text = |bytes| String::from_utf8(bytes).expect("turncoat writes UTF-8");
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The table, as the report for machines has it.
fn table(words: &[&str]) -> (Option<i32>, Table) {
    let run = limits(&[&["--report", "json=-"], words].concat());
    (run.status, serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr)))
}

/// Those of a process stand behind `server`.
fn table_of(options: &[&str], command: &[&str]) -> (Option<i32>, Table) {
    let run = limits(&[&["server", "--report", "json=-"], options, &["--"], command].concat());
    (run.status, serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr)))
}

const THIS: &str = env!("CARGO_BIN_EXE_turncoat");

#[test]
fn the_reference_server_keeps_its_floors() {
    let run = limits(&["--only", "nesting", "--only", "in-flight"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert!(run.stdout.starts_with("keeps its floors in 2 dimensions\n"), "{}", run.stdout);
    assert!(run.stdout.contains("in-flight         100      8,192          - "), "{}", run.stdout);
    assert!(run.stdout.contains("dimensions of clients"), "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
}

#[test]
fn a_refusal_is_no_failure_and_its_place_is_found() {
    for (transport, refusal) in
        [(&[][..], Reaction::Error { code: Some(-32600) }), (&["--http"], Reaction::Refused { status: 413 })]
    {
        let (status, table) = table(&[transport, &["--only", "cursor", "--revision", "2025-11-25"]].concat());
        assert_eq!(status, Some(0));
        let [limit] = table.limits.as_slice() else { panic!("{} rows", table.limits.len()) };
        let (kept, change) = (limit.kept.unwrap(), limit.changes.unwrap());
        assert_eq!((change.reaction, limit.breaks), (refusal, None));
        assert!(kept < change.measure && (change.measure - kept) * 20 <= change.measure, "{limit:?}");
    }
}

#[test]
fn header_lines_are_measured_over_http_alone() {
    let (status, over_http) = table(&["--http", "--only", "header"]);
    assert_eq!((status, over_http.limits.len()), (Some(0), 1));
    assert!(over_http.limits[0].changes.is_some());
    let (status, over_stdio) = table(&["--only", "header"]);
    assert_eq!((status, over_stdio.limits.len()), (Some(3), 0));
}

#[test]
fn streams_are_measured_over_http_in_both_eras() {
    for revision in ["2025-11-25", "2026-07-28"] {
        let (status, table) = table(&["--http", "--only", "streams", "--revision", revision]);
        let limit = &table.limits[0];
        assert_eq!((status, limit.usual, limit.changes), (Some(0), Some(Reaction::Served), None), "{limit:?}");
        assert!(limit.kept > Some(limit.floor), "{limit:?}");
    }
    let silent = ["--http", "--variant", "trap-39-no-get", "--only", "streams", "--revision", "2025-11-25"];
    let (status, table) = table(&silent);
    assert_eq!((status, table.limits[0].usual), (Some(0), Some(Reaction::Refused { status: 405 })));
}

#[test]
fn a_death_below_the_floor_fails_and_is_named() {
    let run = limits(&["--fault", "dies-of-depth", "--only", "nesting", "--revision", "2025-11-25"]);
    assert_eq!(run.status, Some(1), "{}", run.stdout);
    assert!(run.stdout.starts_with("breaks below its floors: nesting\n"), "{}", run.stdout);
    let replay = "turncoat limits --fault dies-of-depth --only nesting --revision 2025-11-25\n";
    assert!(run.stdout.contains(replay), "{}", run.stdout);

    // As a process it dies in earnest, behind the depth from which on it refuses.
    let command = [THIS, "reference", "--fault", "dies-of-depth"];
    let (status, table) = table_of(&["--only", "nesting", "--revision", "2025-11-25"], &command);
    assert_eq!(status, Some(1));
    let limit = &table.limits[0];
    let breaks = limit.breaks.unwrap();
    assert!((950..1100).contains(&breaks.measure), "{limit:?}");
    assert!(matches!(breaks.reaction, Reaction::Death { how: Death::Exit(_) }), "{limit:?}");
    assert!(limit.memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{limit:?}");
}

#[test]
fn a_subject_that_stops_serving_fails() {
    let (status, table) = table(&["--fault", "deaf-after-huge-line", "--only", "message"]);
    let limit = &table.limits[0];
    assert_eq!(limit.breaks.map(|change| change.reaction), Some(Reaction::Stall), "{limit:?}");
    assert_eq!(status, Some(i32::from(limit.breaks.is_some_and(|change| change.measure <= limit.floor))));
}

#[test]
fn a_process_that_takes_too_much_is_ended() {
    let (status, table) = table_of(&["--only", "message", "--memory", "1"], &[THIS, "reference"]);
    let limit = &table.limits[0];
    let stopped = limit.stopped.as_deref().unwrap_or_default();
    assert!(stopped.starts_with("ended by turncoat at ") && stopped.ends_with(" of memory"), "{limit:?}");
    // Nothing was measured as far as its floor, and that is no pass.
    assert_eq!((status, limit.breaks), (Some(3), None), "{limit:?}");
}

#[test]
fn what_is_not_offered_is_said_and_not_passed() {
    let (status, table) = table_of(&["--only", "argument"], &[THIS, "reference"]);
    assert_eq!(status, Some(3));
    assert!(table.limits[0].stopped.as_deref().is_some_and(|why| why.contains("no fixture `echo`")));
}

#[test]
fn markdown_is_a_table() {
    let run = limits(&["--only", "nesting", "--report", "markdown=-"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), "keeps its floors in 1 dimension\n"));
    assert!(run.stdout.contains("| nesting | 10,000 | 124 | 128 | `error -32602` |"), "{}", run.stdout);
}

#[test]
fn wrong_usage_names_the_mistake_and_the_right_form() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["server"], "which server?", "turncoat limits server -- node build/index.js"),
        (&["client", "--", "x"], "clients cannot be measured yet", "turncoat limits server"),
        (&["--", "node", "x.js"], "'node'", "turncoat limits server -- node x.js"),
        (&["server", "--fault", "a", "--", "x"], "'--fault'", "turncoat limits --fault NAME"),
        (&["server", "--memory", "0", "--", "x"], "0 is not in", "--memory 1024"),
        (&["--only", "width"], "no dimension is named `width`", "--only nesting"),
        (&["--subject", "x"], "a subject file tells about a server of yours", "limits server --subject"),
        (&["server", "--url", "ftp://x"], "ftp", "turncoat limits server --url"),
    ];
    for (words, mistake, right) in cases {
        let run = limits(words);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{words:?}");
        assert!(run.stderr.contains(mistake) && run.stderr.contains(right), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn what_cannot_be_measured_says_why() {
    let run = limits(&["server", "--", "sh", "-c", "exit 7"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.contains("exited with code 7"), "{}", run.stderr);
    let run = limits(&["server", "--revision", "2025-06-18", "--", "sh", WRONG_VERSION]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("does not speak revision 2025-06-18"), "{}", run.stderr);
}

const WRONG_VERSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/wrong-version.sh");
