//! `turncoat fuzz` and `turncoat replay` from outside.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, process};

use turncoat_conformance::report::Report;

struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn turncoat(words: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_turncoat"));
    command.args(words).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    let output = command.output().expect("the binary was built for this test");
    let text = |bytes| String::from_utf8(bytes).expect("turncoat writes UTF-8");
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A folder of this test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("turncoat-{}-fuzz-{name}", process::id()));
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn report(&self, name: &str) -> Report {
        let text = fs::read_to_string(self.0.join(name)).expect("the report was written");
        serde_json::from_str(&text).expect("the report is one")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every file of a folder with its text.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let files = entries.filter_map(Result::ok).map(|file| file.path()).filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("files are text"))).collect()
}

#[test]
fn a_fault_is_found_shrunk_and_replayed() {
    let folder = Folder::new("fault");
    let (corpus, report) = (folder.file("corpus"), format!("json={}", folder.file("a.json")));
    let fault = ["--fault", "ignores-unknown-methods"];
    let common = ["--runs", "150", "--jobs", "1", "--corpus", &corpus];
    let run = turncoat(&[&["fuzz"], &fault[..], &common, &["--report", &report]].concat());
    assert_eq!(run.status, Some(1), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("jsonrpc.unknown-method.answered in "), "{}", run.stderr);
    assert!(run.stderr.contains(" behaviours seen, "), "{}", run.stderr);
    let found = folder.report("a.json");
    let finding = found.findings.iter().find(|finding| finding.rule == "jsonrpc.unknown-method.answered").unwrap();
    assert!(finding.replay.starts_with("turncoat replay "), "{}", finding.replay);
    assert!(finding.replay.ends_with(" --fault ignores-unknown-methods"), "{}", finding.replay);
    let file = format!("{corpus}/found/{}.toml", finding.script);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("[[step]]").count(), 1, "{text}");

    let again = turncoat(&[&["replay", &file], &fault[..]].concat());
    assert_eq!(again.status, Some(1), "{}\n{}", again.stdout, again.stderr);
    let mended = turncoat(&["replay", &file]);
    assert_eq!(mended.status, Some(0), "{}\n{}", mended.stdout, mended.stderr);

    // What was found before is found first, and has the same name.
    let before = files(&folder.0.join("corpus/found"));
    let report = format!("json={}", folder.file("b.json"));
    let known = before.len().to_string();
    let common = ["--runs", &known, "--jobs", "1", "--corpus", &corpus];
    let second = turncoat(&[&["fuzz"], &fault[..], &common, &["--report", &report]].concat());
    assert_eq!(second.status, Some(1), "{}\n{}", second.stdout, second.stderr);
    assert_eq!(files(&folder.0.join("corpus/found")), before);
    let rules = |report: &Report| report.findings.iter().map(|finding| finding.rule.clone()).collect::<Vec<_>>();
    assert_eq!(rules(&folder.report("b.json")), rules(&found));
}

#[test]
fn the_honest_server_is_blamed_for_nothing_and_a_seed_says_it_all() {
    let folder = Folder::new("honest");
    let fuzz = |corpus: &str, seed: &str| {
        let run = turncoat(&["fuzz", "--runs", "120", "--jobs", "1", "--seed", seed, "--corpus", &folder.file(corpus)]);
        assert_eq!(run.status, Some(0), "{}\n{}", run.stdout, run.stderr);
        let texts: Vec<String> = files(&folder.0.join(corpus)).into_values().collect();
        texts
    };
    let first = fuzz("a", "7");
    assert!(first.len() > 20);
    assert_eq!(first, fuzz("b", "7"));
    assert_ne!(first, fuzz("c", "8"));
    assert_eq!(files(&folder.0.join("a/found")).len(), 0);
    let http = turncoat(&["fuzz", "--http", "--runs", "60", "--corpus", &folder.file("d")]);
    assert_eq!(http.status, Some(0), "{}\n{}", http.stdout, http.stderr);
}

#[test]
fn a_server_that_is_gone_has_not_conformed() {
    let folder = Folder::new("gone");
    let mut server = Command::new(env!("CARGO_BIN_EXE_turncoat"))
        .args(["reference", "--http", "0", "--fault", "exits-on-unknown-method"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut url = String::new();
    BufReader::new(server.stdout.as_mut().expect("a pipe")).read_line(&mut url).expect("the server says where it is");
    let run = turncoat(&["fuzz", "server", "--time", "120", "--corpus", &folder.file("corpus"), "--url", url.trim()]);
    let _ = server.kill();
    let _ = server.wait();
    assert!(matches!(run.status, Some(1 | 3)), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("the subject is gone, and the run ended early"), "{}", run.stderr);
}

#[test]
fn a_file_of_the_first_version_still_replays() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/written-in-2026.toml");
    let wrong = turncoat(&["replay", file, "--fault", "ignores-unknown-methods"]);
    assert_eq!(wrong.status, Some(1), "{}\n{}", wrong.stdout, wrong.stderr);
    let right = turncoat(&["replay", file]);
    assert_eq!(right.status, Some(0), "{}\n{}", right.stdout, right.stderr);
    assert!(right.stdout.contains("conforms: 1 passed, 0 failed, 0 inconclusive, 0 untested"), "{}", right.stdout);
}

#[test]
fn what_cannot_be_used_is_said_in_a_line() {
    let folder = Folder::new("usage");
    let written = |name: &str, text: &str| {
        fs::write(folder.0.join(name), text).unwrap();
        folder.file(name)
    };
    let newer = written("newer.toml", "format = 99\nabout = \"x\"\nprovokes = []\n");
    let broken = written("broken.toml", "about = \"x\"\nprovokes = []\n[[step]]\ndo = \"dance\"\n");
    let host = written("host.toml", "about = \"x\"\nprovokes = []\nside = \"server\"\n");
    let missing = folder.file("missing.toml");
    let cases: &[(&[&str], &str)] = &[
        (&["replay", &missing], "cannot read"),
        (&["replay", &newer], "newer.toml:1:10: `format` is 99"),
        (&["replay", &broken], "broken.toml:4:"),
        (&["replay", &host, "server", "--", "x"], "is a script for a client"),
        (&["replay", &broken, "server"], "broken.toml:4:"),
        (&["fuzz", "server"], "which server?"),
        (&["fuzz", "client", "--", "x"], "clients cannot be fuzzed yet"),
        (&["fuzz", "--runs", "1", "--corpus", &newer], "cannot keep scripts in"),
        (&["fuzz", "--time", "soon"], "a number of seconds"),
    ];
    for (words, expected) in cases {
        let run = turncoat(words);
        assert_eq!(run.status, Some(2), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
    }
}
