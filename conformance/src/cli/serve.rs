//! `turncoat serve`: one script, for a client that a person starts by hand.
//!
//! On stdio, standard output belongs to the protocol, so the conversation and the verdicts go to standard error. Over HTTP
//! it has the URL, for scripts.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use turncoat::adapter::listening::{self, Entrance, Listening};
use turncoat::adapter::{Link, stream};
use turncoat::peer::Part;
use turncoat::play::{self, Bounds};
use turncoat::revision::{Revision, Side};
use turncoat::rules::{self, Level};
use turncoat::script::{Fixtures, Script, corpus, file};
use turncoat::transcript::{Entry, Header, Transcript, Transport};
use turncoat_conformance::names::nearest;
use turncoat_conformance::report::text::visible;
use turncoat_conformance::report::{EvidenceKind, elide};
use turncoat_conformance::runner::judge;

use super::output::{diagnose, result};
use super::usage::Usage;

/// The most characters of a message that are shown.
const SHOWN: usize = 600;
/// People start clients by hand, and take their time.
const PATIENCE: Duration = Duration::from_secs(3600);
/// A client that had no connection for this long has gone.
const QUIET: Duration = Duration::from_secs(3);

/// Plays the server of a script on standard input and output, or on a port of the loopback interface.
pub(super) fn serve(name: &str, revision: Option<Revision>, http: Option<u16>) -> Result<ExitCode, Usage> {
    let script = script(name)?;
    let newest = script.revisions.iter().next_back();
    let revision = revision.or(newest).unwrap_or(Revision::V2025_11_25);
    if !script.revisions.has(revision) {
        let known: Vec<_> = script.revisions.iter().map(Revision::as_str).collect();
        return Err(Usage::new(
            format!("the script {} makes no sense in {revision}", visible(&script.name)),
            format!("turncoat serve {} --revision {}", script.name, known.join("|")),
        ));
    }
    diagnose(&format!("turncoat: {} ({revision})", script.about));
    let played = match http {
        Some(port) => play_over_http(&script, revision, port),
        None => play_on_stdio(&script, revision),
    };
    let place = if http.is_some() { "over HTTP" } else { "on standard input and output" };
    let transcript = played.map_err(|error| Usage::new(format!("cannot serve {place}: {error}"), ""))?;
    Ok(tell_verdicts(&transcript))
}

fn script(name: &str) -> Result<Script, Usage> {
    let is_server = |script: &&Script| script.side == Side::Server;
    if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let text = fs::read_to_string(name).map_err(|error| Usage::new(format!("cannot read {name}: {error}"), ""))?;
        let script = file::read(name, name, &text).map_err(|error| Usage::new(error.to_string(), ""))?;
        return Some(script).filter(|script| is_server(&script)).ok_or_else(|| {
            Usage::new(
                format!("{name} plays a client, and a client needs a server"),
                "turncoat check server -- COMMAND",
            )
        });
    }
    let all = corpus::all().map_err(|error| Usage::new(error.to_string(), ""))?;
    let servers = || all.iter().filter(is_server);
    servers().find(|script| script.name == name).cloned().ok_or_else(|| {
        let near = nearest(name, servers().map(|script| script.name.as_str()));
        let near: Vec<_> = near.into_iter().map(|near| format!("turncoat serve {near}")).collect();
        Usage::new(
            format!("no script that plays a server is named `{}`", visible(name)),
            if near.is_empty() { "see turncoat list scripts".to_owned() } else { near.join("\n") },
        )
    })
}

fn play_on_stdio(script: &Script, revision: Revision) -> std::io::Result<Transcript> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transcript = runtime.block_on(async {
        let mut link = stream::over(tokio::io::join(tokio::io::stdin(), tokio::io::stdout()));
        show(script, revision, Transport::Stdio, &mut *link).await
    });
    // A blocked read of standard input cannot be interrupted.
    runtime.shutdown_background();
    Ok(transcript)
}

/// One session, which is over when the client has had no connection for a while.
fn play_over_http(script: &Script, revision: Revision, port: u16) -> std::io::Result<Transcript> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        result(&format!("http://{}{}\n", listener.local_addr()?, listening::path(revision)))?;
        let mut link = Listening::at(Entrance::Socket(listener)).until_quiet(QUIET);
        Ok(show(script, revision, Transport::Http, &mut link).await)
    })
}

/// Plays a session and shows it as it happens.
async fn show(script: &Script, revision: Revision, transport: Transport, link: &mut dyn Link) -> Transcript {
    let fixtures = Fixtures::new();
    let part = Part { script, revision, fixtures: &fixtures, call_tools: false, endpoint: None };
    let header = Header { script: script.name.clone(), transport, ..Header::new(Side::Client, revision) };
    let exit = Duration::ZERO;
    let bounds = Bounds { answer: PATIENCE, patience: PATIENCE, session: PATIENCE, exit, ..Bounds::default() };
    let mut tell = |entry: &Entry| {
        let (kind, text) = judge::shown(Side::Client, &entry.event);
        let arrow = match kind {
            EvidenceKind::Sent => "<-",
            EvidenceKind::Received => "->",
            EvidenceKind::Note => "--",
        };
        diagnose(&format!("{:>8.3} {arrow} {}", entry.at as f64 / 1e6, elide(&visible(&text), SHOWN)));
    };
    play::play(part, header, link, bounds, &mut tell).await
}

/// Says what the rules make of the session, and whether one of weight is broken.
fn tell_verdicts(transcript: &Transcript) -> ExitCode {
    let all: Vec<_> = rules::all().filter(|rule| rule.applies(Side::Client, transcript.header.transport)).collect();
    let judgements = judge::judge(&all, transcript);
    diagnose("");
    let mut failed = false;
    for judgement in &judgements {
        let level = judgement.rule.level;
        for breach in &judgement.breaches {
            failed |= matches!(level, Level::Must | Level::Robustness);
            diagnose(&format!("{} {}: {}", level.as_str(), judgement.rule.id, visible(&breach.what)));
        }
        for warning in &judgement.warnings {
            diagnose(&format!("warning {}: {}", judgement.rule.id, visible(&warning.what)));
        }
    }
    let kept = judgements.iter().filter(|judgement| !judgement.is_broken()).count();
    diagnose(&format!("{} of {} rules put to the test were kept", kept, judgements.len()));
    ExitCode::from(u8::from(failed))
}
