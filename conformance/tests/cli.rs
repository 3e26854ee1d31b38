//! The binary from outside: what it says to whom, and with which exit status.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use turncoat_conformance::report::Report;
use turncoat_conformance::report::text::is_treacherous;

struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn turncoat(words: &[&str]) -> Run {
    let Output { status, stdout, stderr } = command(words).output().expect("the binary was built for this test");
    let text = |bytes| String::from_utf8(bytes).expect("turncoat writes UTF-8");
    Run { status: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_turncoat"));
    command.args(words).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    command
}

/// A folder of this test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("turncoat-{}-{name}", process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn with(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).expect("the folder is writable");
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Links and commands stay in one piece.
fn is_to_be_copied(line: &str) -> bool {
    line.contains("https://") || line.starts_with("  try ")
}

const WRONG_VERSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/wrong-version.sh");

#[test]
fn wrong_usage_names_the_mistake_and_the_right_form() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["chek"], "unrecognized subcommand 'chek'", "turncoat check server"),
        (&["check", "server"], "which server?", "turncoat check server -- node build/index.js"),
        (
            &["check", "server", "node", "x.js", "-v"],
            "unexpected argument 'node'",
            "turncoat check server -- node x.js -v",
        ),
        (&["check", "--", "node", "x.js"], "'node'", "turncoat check server -- node x.js"),
        (&["check", "--seed", "3", "server", "--", "x"], "'--seed <N>'", "turncoat check server --seed 3 -- x"),
        (&["check", "server", "--fault", "a", "--", "x"], "'--fault'", "turncoat check --fault NAME"),
        (&["check", "server", "--timeout", "0", "--", "x"], "a number of seconds above 0", "--timeout 2.5"),
        (&["check", "server", "--shard", "4/3", "--", "x"], "I from 1 to N", "--shard 1/3"),
        (&["check", "server", "--jobs", "0", "--", "x"], "at least 1", "--jobs 4"),
        (&["check", "server", "--report", "json", "--", "x"], "json goes where?", "json=report.json"),
        (&["check", "server", "--report", "xml=a", "--", "x"], "no format `xml`", "human, json and markdown"),
        (
            &["check", "server", "--revision", "2025", "--", "x"],
            "known revisions are 2024-11-05",
            "--revision 2025-11-25",
        ),
        (
            &["check", "server", "--only", "jsonrpc.version-membr", "--", "x"],
            "no rule and no script",
            "did you mean jsonrpc.version-member?",
        ),
        (&["check", "server", "--url", "ftp://localhost"], "ftp", "turncoat check server --url http://"),
        (&["check", "client", "--", "x"], "its command has no {server}", "check client -- x"),
        (&["check", "--fault", "numeric-jsonrp"], "no fault `numeric-jsonrp`", "--fault numeric-jsonrpc"),
        (&["check", "--variant", "x"], "no variant `x`", "turncoat list variants"),
        (&["check", "--report", "json=-", "--report", "markdown=-"], "both go to standard output", "markdown=-"),
        (&["check", "--report", "json=/no/such/folder/x"], "/no/such/folder is no folder", "--report"),
        (&["check", "--subject", "x"], "a subject file tells about a server of yours", "check server --subject"),
        (&["explain", "jsonrpc.version-membr"], "no rule, script or fault", "turncoat explain jsonrpc.version-member"),
        (&["explain", "a\u{1b}[2Jb"], r"`a\u{1b}[2Jb`", "turncoat list"),
        (&["list", "everything"], "'everything'", "turncoat list rules"),
    ];
    for (words, mistake, right) in cases {
        let run = turncoat(words);
        assert_eq!(run.status, Some(2), "{words:?}");
        assert!(run.stdout.is_empty(), "{words:?} wrote to standard output: {}", run.stdout);
        assert!(run.stderr.starts_with("error: "), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(mistake), "{words:?} should name {mistake:?}: {}", run.stderr);
        assert!(run.stderr.contains(right), "{words:?} should show {right:?}: {}", run.stderr);
    }
}

#[test]
fn help_goes_to_standard_output() {
    for words in [&["--help"][..], &["check", "--help"], &["check", "server", "-h"]] {
        let run = turncoat(words);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
        assert!(run.stdout.contains("Usage: turncoat"));
    }
    assert!(turncoat(&["check", "--help"]).stdout.contains("Exit status:"));
    let bare = turncoat(&[]);
    assert_eq!((bare.status, bare.stdout.as_str()), (Some(2), ""));
}

#[test]
fn mistakes_in_files_point_at_the_place() {
    let folder = Folder::new("mistakes");
    let baseline = folder.with("expected.toml", "[[expected]]\nrule = \"jsonrpc.version-membr\"\nreason = \"x\"\n");
    let run = turncoat(&["check", "--baseline", &baseline]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("expected.toml:2:8: `rule`: there is no rule"), "{}", run.stderr);

    let subject = folder.with("subject.toml", "[fixtures]\necho = { tol = \"say\" }\n");
    let run = turncoat(&["check", "server", "--subject", &subject, "--", "true"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("subject.toml:2:10: unknown field `tol`"), "{}", run.stderr);

    let run = turncoat(&["check", "--baseline", &folder.file("missing.toml")]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("missing.toml: cannot be read"), "{}", run.stderr);
}

#[test]
fn the_reference_server_conforms() {
    let run = turncoat(&["check", "--only", "jsonrpc.version-member", "--revision", "2025-11-25"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("conforms\n"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_report_on_standard_output_stands_alone() {
    let run = turncoat(&["check", "--only", "jsonrpc.version-member", "--report", "json=-"]);
    assert_eq!(run.status, Some(0));
    let report: Report = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report.turncoat, env!("CARGO_PKG_VERSION"));
    assert_eq!(run.stderr, "conforms\n");
}

#[test]
fn what_is_listed_can_be_explained() {
    let run = turncoat(&["list", "rules"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    for id in run.stdout.lines().filter_map(|line| line.split_whitespace().next()) {
        let run = turncoat(&["explain", id]);
        assert_eq!(run.status, Some(0), "{id}: {}", run.stderr);
        assert!(run.stdout.starts_with(&format!("{id} (")), "{}", run.stdout);
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 80 || is_to_be_copied(line)), "{}", run.stdout);
    }
    for list in ["scripts", "faults", "variants"] {
        assert_eq!(turncoat(&["list", list]).status, Some(0));
    }
}

#[cfg(unix)]
#[test]
fn a_finding_is_shown_harmlessly_and_replays() {
    let folder = Folder::new("finding");
    let (json, markdown) = (folder.file("r.json"), folder.file("r.md"));
    let json_sink = format!("json={json}");
    let markdown_sink = format!("markdown={markdown}");
    let run = turncoat(&[
        "check",
        "server",
        "--only",
        "control",
        "--report",
        &json_sink,
        "--report",
        &markdown_sink,
        "--",
        "sh",
        WRONG_VERSION,
    ]);
    assert_eq!(run.status, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("does not conform: "), "{}", run.stdout);
    assert!(run.stdout.contains("MUST jsonrpc.version-member\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\n    <- {\"jsonrpc\":\"1.0\""), "{}", run.stdout);
    let report: Report = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report.subject.identity.as_ref().unwrap().name, "\u{1b}[2Jconforms");
    for text in [run.stdout, fs::read_to_string(&json).unwrap(), fs::read_to_string(&markdown).unwrap()] {
        assert!(!text.chars().any(|character| character != '\n' && is_treacherous(character)));
    }

    let finding = report.findings.iter().find(|finding| finding.rule == "jsonrpc.version-member").unwrap();
    let replay = finding.replay.strip_prefix("turncoat ").unwrap();
    let shell = format!("{} {replay}", env!("CARGO_BIN_EXE_turncoat"));
    let status = Command::new("sh").args(["-c", &shell]).stdout(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1), "{shell}");
}

#[cfg(unix)]
#[test]
fn a_baseline_accepts_what_it_expects_and_nothing_stale() {
    let folder = Folder::new("baseline");
    let entry = "[[expected]]\nrule = \"jsonrpc.version-member\"\nreason = \"it says 1.0\"\n";
    let baseline = folder.with("expected.toml", entry);
    let only = "jsonrpc.version-member";
    let words = ["check", "server", "--only", only, "--baseline", &baseline, "--", "sh", WRONG_VERSION];
    let run = turncoat(&words);
    assert!(run.stdout.contains("it says 1.0"), "{}", run.stdout);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);

    // The reference keeps the rule: the expectation is out of date, and the whole run shows it.
    let run = turncoat(&["check", "--baseline", &baseline]);
    assert_eq!(run.status, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("1 stale expectation"), "{}", run.stdout);
    assert!(run.stdout.contains("jsonrpc.version-member\n    expected to fail, but it passed"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_tested_says_why() {
    let run = turncoat(&["check", "server", "--", "sh", "-c", r"printf 'no \033[31mkey\n' >&2; exit 7"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.starts_with("error: the subject could not be tested: "), "{}", run.stderr);
    assert!(run.stderr.contains("exited with code 7"), "{}", run.stderr);
    assert!(run.stderr.contains("\n  no \\u{1b}[31mkey\n"), "{}", run.stderr);

    let run = turncoat(&["check", "server", "--", "/no/such/program"]);
    assert_eq!(run.status, Some(3));
    assert!(run.stderr.contains("/no/such/program"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_to_end_ends_the_run_and_the_subject() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folder = Folder::new(&format!("interruption{signal}"));
        // The subject says that it has been started, so the signal does not come too early.
        let started = folder.file("started");
        let script = format!("echo $$ >'{started}.new'; mv '{started}.new' '{started}'; exec sleep 60");
        let mut command = command(&["check", "server", "--jobs", "1", "--", "sh", "-c", &script]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !Path::new(&started).exists() {
            thread::yield_now();
        }
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("stopping, and reporting what is known"), "{signal}: {stderr}");
        let subject = fs::read_to_string(&started).unwrap();
        assert!(is_gone(subject.trim()), "{signal} left {subject}");
    }
}

#[cfg(unix)]
#[test]
fn what_was_found_before_an_interruption_is_reported() {
    let folder = Folder::new("found-before");
    let kept = folder.file("kept");
    let this = env!("CARGO_BIN_EXE_turncoat");
    let mut command = command(&["check", "server", "--jobs", "1", "--transcripts", &kept, "--", this]);
    let child = command.args(["reference", "--fault", "says-jsonrpc-1-0"]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let sessions = || fs::read_dir(&kept).map(|files| files.flatten().map(|file| file.file_name()).collect::<Vec<_>>());
    let is_again = |name: &std::ffi::OsString| name.to_string_lossy().ends_with("-again.jsonl");
    let first = loop {
        let names = sessions().unwrap_or_default();
        if names.iter().any(is_again) {
            break names.len();
        }
        thread::yield_now();
    };
    // The next session has begun, so the second run of the one before is over.
    while sessions().unwrap_or_default().len() == first {
        thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("and was interrupted") && stdout.contains("MUST jsonrpc.version-member"), "{stdout}");
}

/// Whether a process ended, or does so soon: what killed it need not have waited for it.
#[cfg(unix)]
fn is_gone(process: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    let lives =
        || Command::new("kill").args(["-0", process]).stderr(Stdio::null()).status().is_ok_and(|kill| kill.success());
    while lives() {
        if Instant::now() > deadline {
            return false;
        }
        thread::yield_now();
    }
    true
}
