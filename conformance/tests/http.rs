//! The binary against servers behind URLs: the reference server, and what is no MCP server at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::{env, fs, thread};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

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
    assert!(run.stdout.contains("robustness robust."), "{}", run.stdout);
}

/// A server with a certificate of its own in front of the reference server.
struct Secure {
    behind: Reference,
    url: String,
    certificate: CertifiedKey<rcgen::KeyPair>,
}

impl Secure {
    fn new() -> Self {
        let behind = Reference::new(&[]);
        let certificate = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.cert.der().clone()], key.into())
            .expect("the key belongs to the certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("https://localhost:{}/mcp", listener.local_addr().expect("it has an address").port());
        let authority = behind.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
        thread::spawn(move || pass_on(listener, acceptor, authority));
        Self { behind, url, certificate }
    }

    fn fingerprint(&self) -> String {
        Sha256::digest(self.certificate.cert.der()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Takes connections by TLS and hands on what comes in them, both ways.
fn pass_on(listener: TcpListener, acceptor: TlsAcceptor, to: String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                // Who does not trust the certificate goes away.
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let Ok(mut far) = tokio::net::TcpStream::connect(to).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
}

#[test]
fn a_certificate_is_trusted_for_its_authority_or_its_fingerprint_and_for_nothing_else() {
    let server = Secure::new();
    assert!(server.behind.url.starts_with("http://"), "only the way to it is by TLS");
    let file = env::temp_dir().join(format!("turncoat-{}.pem", std::process::id()));
    fs::write(&file, server.certificate.cert.pem()).expect("a temporary file");
    let (file, pin, wrong) = (file.to_string_lossy(), server.fingerprint(), "0".repeat(64));
    let cases = [
        (&["--ca", &*file][..], Some(0)),
        (&["--pin", &pin][..], Some(0)),
        (&["--pin", &wrong][..], Some(3)),
        (&[][..], Some(3)),
    ];
    for (trust, status) in cases {
        let options = ["check", "server", "--only", "ping.*", "--revision", "2025-11-25", "--url", &server.url];
        let run = turncoat(&[&options, trust].concat());
        assert_eq!(run.status, status, "{trust:?}: {}{}", run.stdout, run.stderr);
        if status == Some(3) {
            assert!(run.stderr.contains("certificate"), "{trust:?}: {}", run.stderr);
        }
    }
    fs::remove_file(&*file).expect("it is there");
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
