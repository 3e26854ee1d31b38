//! The binary against servers behind URLs: the reference server, and what is no MCP server at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn turncoat(words: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_turncoat"));
    let output = command.args(words).stdin(Stdio::null()).env("NO_COLOR", "1").output().expect("the binary is built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("turncoat writes UTF-8");
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The reference server in a process of its own, gone at the end of the test.
struct Reference {
    process: Child,
    url: String,
}

impl Reference {
    fn new(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turncoat"));
        command.args(["reference", "--http", "0"]).args(options).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the binary is built");
        let mut url = String::new();
        let stdout = process.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("it says where it listens");
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Something that listens and answers every connection in the same way.
fn listener(answer: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("it has an address"));
    thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    url
}

/// Answers a request, once its head is there, with these bytes.
fn saying(bytes: &'static str) -> String {
    listener(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(bytes.as_bytes());
    })
}

#[test]
fn the_reference_server_conforms_behind_a_url() {
    let server = Reference::new(&[]);
    let run = turncoat(&["check", "server", "--only", "http.*", "--url", &server.url]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("conforms"), "{}", run.stdout);
}

#[test]
fn a_fault_is_found_behind_a_url_and_replays() {
    let server = Reference::new(&["--fault", "accepts-any-origin"]);
    let run =
        turncoat(&["check", "server", "--only", "http.origin.*", "--revision", "2025-11-25", "--url", &server.url]);
    assert_eq!(run.status, Some(1), "{}{}", run.stdout, run.stderr);
    let replay = run.stdout.lines().find_map(|line| line.trim().strip_prefix("replay")).expect("a command to replay");
    let words: Vec<&str> = replay.split_whitespace().skip(1).collect();
    assert_eq!(turncoat(&words).status, Some(1), "{replay}");
}

#[test]
fn a_server_that_dies_midway_loses_nothing_and_ends_the_run() {
    let server = Reference::new(&["--fault", "exits-on-unknown-method"]);
    let run = turncoat(&["check", "server", "--jobs", "1", "--timeout", "2", "--url", &server.url]);
    assert_eq!(run.status, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("untested"), "{}", run.stdout);
}

#[test]
fn what_is_no_mcp_server_gets_one_clear_line() {
    let nowhere = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        format!("http://{}/mcp", listener.local_addr().expect("it has an address"))
    };
    let silent = listener(|stream| {
        thread::spawn(move || {
            let mut stream = stream;
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
    });
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
    let elsewhere =
        "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let cases = [
        (nowhere.clone(), "no connection"),
        (saying(html), "HTML"),
        (saying(elsewhere), "redirects to http://127.0.0.1:1/other"),
        (saying("SSH-2.0-hello\r\n"), "no HTTP"),
        (saying("HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "authorization"),
        (silent, "never answered"),
        (nowhere.replace("http", "https"), "no connection"),
        (saying(html).replace("http", "https"), "TLS"),
    ];
    for (url, why) in cases {
        let run = turncoat(&["check", "server", "--timeout", "0.2", "--url", &url]);
        assert_eq!(run.status, Some(3), "{url}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(why), "{why:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error")).count(), 1, "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
}

#[test]
fn wrong_usage_names_the_mistake() {
    for (words, why) in [
        (&["--url", "localhost:1"][..], "no URL"),
        (&["--url", "http://u:p@127.0.0.1:1/"], "names a user"),
        (&["--url", "http://127.0.0.1:1/", "--ca", "x.pem"], "https"),
        (&["--url", "https://127.0.0.1:1/", "--ca", "/nonexistent.pem"], "/nonexistent.pem"),
        (&["--url", "https://127.0.0.1:1/", "--pin", "00"], "64 hexadecimal digits"),
    ] {
        let run = turncoat(&[&["check", "server"], words].concat());
        assert_eq!(run.status, Some(2), "{words:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(why), "{words:?}: {}", run.stderr);
    }
}
