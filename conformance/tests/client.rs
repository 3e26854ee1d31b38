//! Clients as processes of their own: how they are started, spoken to and watched, and what the binary says of those that
//! cannot be tested.

use std::process::{Command, Stdio};

use turncoat::adapter::driven::Driven;
use turncoat::adapter::{Adapter as _, Incoming, Link};
use turncoat::revision::Revision;
use turncoat::user::{Brief, Kind, Wish};

const TURNCOAT: &str = env!("CARGO_BIN_EXE_turncoat");

/// What the harness does about something.
type React<'a> = &'a mut dyn FnMut(&Incoming, &mut dyn Link);

/// Runs a client to its end and gives what came of it.
fn session(command: &[&str], wishes: Vec<Wish>, react: React<'_>) -> Vec<Incoming> {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let client = Driven::new(command, vec![TURNCOAT.to_owned(), "relay".to_owned()]);
    let brief = Brief {
        script: "a-script".to_owned(),
        scenario: "tools_call".to_owned(),
        revision: Revision::V2025_06_18,
        wishes,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut link = client.open_for(&brief).await.expect("it starts");
        let mut heard = Vec::new();
        loop {
            let incoming = link.next().await;
            react(&incoming, &mut *link);
            let over = matches!(incoming, Incoming::Exited { .. });
            heard.push(incoming);
            if over {
                // A client that was gone at once had none to see.
                let seen = link.vitals().is_some_and(|vitals| vitals.peak_bytes > 0);
                assert!(seen || !heard.contains(&FIRST), "vital signs outlive the client");
                return heard;
            }
        }
    })
}

/// Runs a shell script in which `"$@"` is the server.
fn shell(script: &str, react: React<'_>) -> Vec<Incoming> {
    session(&["sh", "-c", script, "client", "{server}"], Vec::new(), react)
}

/// Lets every server end once its input has.
fn polite(incoming: &Incoming, link: &mut dyn Link) {
    if *incoming == Incoming::Ended {
        link.close();
    }
}

fn line(text: &str) -> Incoming {
    Incoming::Line { bytes: text.as_bytes().to_vec(), cut: false, unfinished: false, via: None }
}

fn exited(code: i32) -> Incoming {
    Incoming::Exited { code: Some(code), signal: None, orphans: false }
}

const FIRST: Incoming = Incoming::Connected { number: 1, beside: false };

/// What it printed and complained about.
fn stderr(heard: &[Incoming]) -> String {
    heard
        .iter()
        .filter_map(|incoming| match incoming {
            Incoming::Stderr(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn without_stderr(heard: Vec<Incoming>) -> Vec<Incoming> {
    heard.into_iter().filter(|incoming| !matches!(incoming, Incoming::Stderr(_))).collect()
}

#[test]
fn bytes_go_both_ways_and_the_server_ends_as_it_is_told() {
    let heard = shell(r#"printf '{}\nhalf' | "$@""#, &mut |incoming, link| {
        if *incoming == Incoming::Ended {
            link.write(vec![b"an".to_vec(), b"swer\n".to_vec()]);
            link.complain("woe\n".to_owned());
            link.exit(3);
        }
    });
    let text = stderr(&heard);
    assert!(text.contains("answer\n") && text.contains("woe\n"), "{text}");
    let half = Incoming::Line { bytes: b"half".to_vec(), cut: false, unfinished: true, via: None };
    assert_eq!(without_stderr(heard), [FIRST, line("{}"), half, Incoming::Ended, exited(3)]);
}

#[test]
fn the_server_may_stand_inside_an_argument_and_the_environment_says_what_is_played() {
    let script = r#"echo "$MCP_CONFORMANCE_SCENARIO $MCP_CONFORMANCE_PROTOCOL_VERSION $TURNCOAT_SCRIPT" | {server}"#;
    let heard = session(&["sh", "-c", script], Vec::new(), &mut polite);
    assert_eq!(heard, [FIRST, line("tools_call 2025-06-18 a-script"), Incoming::Ended, exited(0)]);
}

#[test]
fn what_is_written_before_the_client_connects_is_kept_for_it() {
    let mut first = true;
    let heard = shell("echo starting >&2; \"$@\" </dev/null", &mut |incoming, link| {
        if std::mem::take(&mut first) {
            link.write(vec![b"early\n".to_vec()]);
        }
        polite(incoming, link);
    });
    assert_eq!(stderr(&heard), "starting\nearly\n");
}

#[test]
fn a_server_that_is_started_again_is_told_from_two_at_once() {
    let heard = shell(r#"echo a | "$@"; echo b | "$@""#, &mut polite);
    let second = Incoming::Connected { number: 2, beside: false };
    assert_eq!(heard, [FIRST, line("a"), Incoming::Ended, second, line("b"), Incoming::Ended, exited(0)]);

    // The second is started once the first has answered.
    let script = r#"
        dir=$(mktemp -d); mkfifo "$dir/in" "$dir/out"
        "$@" <"$dir/in" >"$dir/out" & exec 3>"$dir/in" 4<"$dir/out"
        read -r _ <&4
        echo b | "$@"
        exec 3>&-; wait; rm -r "$dir""#;
    let heard = shell(script, &mut |incoming, link| {
        if *incoming == FIRST {
            link.write(vec![b"hello\n".to_vec()]);
        }
        polite(incoming, link);
    });
    let beside = Incoming::Connected { number: 2, beside: true };
    assert_eq!(heard, [FIRST, beside, line("b"), Incoming::Ended, exited(0)]);
}

/// Starts the server, waits for its first line, sends it a signal, and exits with its status.
fn signalled(signal: &str, endures: bool) -> Vec<Incoming> {
    let script = format!(
        r#"dir=$(mktemp -d); mkfifo "$dir/in" "$dir/out"
        "$@" <"$dir/in" >"$dir/out" & exec 3>"$dir/in" 4<"$dir/out"
        read -r _ <&4
        rm -r "$dir"; kill -{signal} $!; wait $!"#
    );
    let heard = shell(&script, &mut |incoming, link| match incoming {
        Incoming::Connected { .. } => {
            if endures {
                link.endure();
            }
            link.write(vec![b"hello\n".to_vec()]);
        }
        Incoming::Signalled(_) if endures => link.exit(7),
        _ => {}
    });
    without_stderr(heard)
}

#[test]
fn signals_to_the_server_are_told() {
    assert_eq!(signalled("TERM", false), [FIRST, Incoming::Signalled(15), Incoming::Ended, exited(128 + 15)]);
    assert_eq!(signalled("INT", false), [FIRST, Incoming::Signalled(2), Incoming::Ended, exited(128 + 2)]);
    assert_eq!(signalled("KILL", false), [FIRST, Incoming::Signalled(9), Incoming::Ended, exited(128 + 9)]);
    assert_eq!(signalled("TERM", true), [FIRST, Incoming::Signalled(15), exited(7)]);
}

#[test]
fn only_processes_of_the_client_are_left_behind() {
    let heard = shell("sleep 600 & exit 2", &mut |_, _| {});
    assert_eq!(heard, [Incoming::Exited { code: Some(2), signal: None, orphans: true }]);

    // The server is alive, since its input has not ended when the client does; it is the harness's.
    let script = r#"
        dir=$(mktemp -d); mkfifo "$dir/in" "$dir/out"
        "$@" <"$dir/in" >"$dir/out" & exec 3>"$dir/in" 4<"$dir/out"
        read -r _ <&4
        rm -r "$dir""#;
    let heard = shell(script, &mut |incoming, link| {
        if *incoming == FIRST {
            link.write(vec![b"hello\n".to_vec()]);
        }
    });
    assert_eq!(heard, [FIRST, Incoming::Ended, exited(0)]);
}

#[test]
fn nobody_without_the_token_speaks_for_the_harness() {
    let heard = shell(r#""$1" relay "$3" 00000000000000000000000000000000"#, &mut polite);
    assert!(stderr(&heard).contains("the check that this server belongs to is over"), "{heard:?}");
    assert_eq!(without_stderr(heard), [exited(3)]);
}

#[test]
fn a_server_of_a_client_that_is_killed_ends_with_it() {
    // Out of the client's process group, as some SDKs start their servers.
    let mut server = None;
    let script = r#"setsid -f sh -c 'echo $$ >&2; exec "$@"' server "$@" </dev/null >/dev/null; sleep 600"#;
    let heard = shell(script, &mut |incoming, link| match incoming {
        Incoming::Stderr(text) => server = text.trim().parse::<u32>().ok(),
        Incoming::Connected { .. } => link.kill(),
        _ => {}
    });
    assert!(matches!(heard.last(), Some(Incoming::Exited { signal: Some(9), .. })), "{heard:?}");
    let server = server.expect("the number of a process");
    // The link is dropped by now, so that the server ends; how soon is not ours to say.
    while std::fs::read_to_string(format!("/proc/{server}/cmdline")).is_ok_and(|line| line.contains("relay")) {
        std::thread::yield_now();
    }
}

#[test]
fn a_driver_is_told_one_wish_at_a_time() {
    // Its last answer but one comes without being waited for.
    let script = r#"
        echo '{"turncoat":"driver","version":1}'
        while read -r wish; do
            id=${wish##*\"id\":}; id=${id%%[!0-9]*}
            case $wish in
                *'"connect"'*) echo connected | "$@" >&2; echo "{\"turncoat\":\"done\",\"id\":$id}" ;;
                *'"surface"'*) echo "{\"turncoat\":\"surface\",\"id\":$id,\"tools\":[]}" ;;
                *) echo "{\"unsupported\":true,\"id\":$id}" ;;
            esac
        done"#;
    let wishes = vec![
        Wish::Connect,
        Wish::List { what: Kind::Tools },
        Wish::Read { uri: "file:///a".to_owned(), wait: false },
        Wish::Idle { milliseconds: 1 },
        Wish::Surface,
    ];
    let heard = session(&["sh", "-c", script, "client", "{server}"], wishes, &mut polite);
    let wish = |text: &str| Incoming::Wish(text.to_owned());
    let said = |text: &str| Incoming::Surface(text.to_owned());
    let of = |heard: &[Incoming], wanted: fn(&Incoming) -> bool| {
        heard.iter().filter(|one| wanted(one)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        of(&heard, |one| matches!(one, Incoming::Wish(_))),
        [
            wish(r#"{"do":"connect","id":1}"#),
            wish(r#"{"do":"list","id":2,"what":"tools"}"#),
            wish(r#"{"do":"read","id":3,"uri":"file:///a","wait":false}"#),
            wish(r#"{"do":"idle","id":4,"milliseconds":1}"#),
            wish(r#"{"do":"surface","id":5}"#),
        ]
    );
    assert_eq!(
        of(&heard, |one| matches!(one, Incoming::Surface(_))),
        [
            said(r#"{"turncoat":"done","id":1}"#),
            said(r#"{"unsupported":true,"id":2}"#),
            said(r#"{"unsupported":true,"id":3}"#),
            said(r#"{"turncoat":"surface","id":5,"tools":[]}"#),
        ]
    );
    assert!(heard.contains(&line("connected")));
    // Its input ends with the wishes, and so does the driver.
    assert_eq!(heard.last(), Some(&exited(0)));
}

struct Run {
    status: Option<i32>,
    stderr: String,
}

fn check(words: &[&str]) -> Run {
    let output = Command::new(TURNCOAT)
        .args(["check", "client"])
        .args(words)
        .stdin(Stdio::null())
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary was built for this test");
    Run { status: output.status.code(), stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

#[test]
fn a_client_that_starts_its_server_again_meets_a_new_one() {
    // Like one that asks for the era through a process of its own.
    let script = r#"
        echo '{"jsonrpc":"2.0","id":"probe","method":"server/discover"}' | "$@"
        printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}' \
            '{"jsonrpc":"2.0","method":"notifications/initialized"}' | "$@""#;
    let folder = std::env::temp_dir().join(format!("turncoat-{}-restart", std::process::id()));
    let kept = folder.display().to_string();
    let Run { status, stderr } =
        check(&["--only", "control", "--transcripts", &kept, "--", "sh", "-c", script, "client", "{server}"]);
    let transcript = std::fs::read_to_string(folder.join("2025-11-25--control.jsonl")).unwrap_or_default();
    let _ = std::fs::remove_dir_all(&folder);
    assert!(matches!(status, Some(0 | 1)), "{stderr}");
    let place = |what: &str| transcript.find(what).unwrap_or_else(|| panic!("no {what} in\n{transcript}"));
    let (again, answer) = (place(r#""event":"connected","number":2"#), place(r#"\"result\":{\"capabilities\""#));
    assert!(again < answer && answer < place(r#""event":"closed""#), "{transcript}");
}

#[test]
fn wrong_usage_shows_the_right_form() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&[], "which client?", "turncoat check client -- python driver.py {server}"),
        (&["--", "node", "x.js"], "has no {server}", "turncoat check client -- node x.js '{server}'"),
        (&["--http"], "which client?", "turncoat check client --http -- python driver.py {url}"),
        (&["node", "{server}"], "unexpected argument 'node'", "turncoat check client -- node '{server}'"),
    ];
    for (words, what, right) in cases {
        let Run { status, stderr } = check(words);
        assert_eq!(status, Some(2), "{words:?}: {stderr}");
        assert!(stderr.contains(what) && stderr.contains(right), "{words:?}: {stderr}");
    }
}

#[test]
fn a_client_that_cannot_be_tested_is_told_in_one_line() {
    let http = r#"printf 'POST /mcp HTTP/1.1\r\nHost: x\r\n\r\n' | {server}"#;
    let cases: &[(&[&str], &str)] = &[
        (&["/nonexistent/client", "{server}"], "No such file"),
        (&["sh", "-c", "exit 4", "client", "{server}"], "exited with code 4 before it started its server"),
        (&["sh", "-c", "kill -KILL $$", "client", "{server}"], "ended by signal 9 before it started its server"),
        (&["sh", "-c", "{server} </dev/null"], "exited with code 0 before it said anything"),
        (&["sh", "-c", http], "speaks HTTP to a server on stdio"),
    ];
    for (command, what) in cases {
        let words: Vec<_> = ["--timeout", "0.1", "--"].iter().chain(*command).copied().collect();
        let Run { status, stderr } = check(&words);
        assert_eq!(status, Some(3), "{command:?}: {stderr}");
        assert!(stderr.lines().next().is_some_and(|line| line.contains(what)), "{command:?}: {stderr}");
    }
}
