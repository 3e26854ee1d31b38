//! `turncoat serve`: one script, for a client that a person starts by hand.
//!
//! Standard output belongs to the protocol, so the conversation and the verdicts go to standard error.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use turncoat::adapter::stream;
use turncoat::peer::Part;
use turncoat::play::{self, Bounds};
use turncoat::revision::{Revision, Side};
use turncoat::rules::{self, Level};
use turncoat::script::{Fixtures, Script, corpus, file};
use turncoat::transcript::{Entry, Header, Transcript};
use turncoat_conformance::names::nearest;
use turncoat_conformance::report::text::visible;
use turncoat_conformance::report::{EvidenceKind, elide};
use turncoat_conformance::runner::judge;

use super::output::diagnose;
use super::usage::Usage;

/// The most characters of a message that are shown.
const SHOWN: usize = 600;
/// People start clients by hand, and take their time.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Plays the server of a script on standard input and output.
pub(super) fn serve(name: &str, revision: Option<Revision>) -> Result<ExitCode, Usage> {
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
    let transcript = play_on_stdio(&script, revision)
        .map_err(|error| Usage::new(format!("cannot serve on standard input and output: {error}"), ""))?;
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
    let fixtures = Fixtures::new();
    let part = Part { script, revision, fixtures: &fixtures, call_tools: false, endpoint: None };
    let header = Header { script: script.name.clone(), ..Header::new(Side::Client, revision) };
    let bounds = Bounds { answer: PATIENCE, patience: PATIENCE, session: PATIENCE, ..Bounds::default() };
    let mut tell = |entry: &Entry| {
        let (kind, text) = judge::shown(&entry.event);
        let arrow = match kind {
            EvidenceKind::Sent => "<-",
            EvidenceKind::Received => "->",
            EvidenceKind::Note => "--",
        };
        diagnose(&format!("{:>8.3} {arrow} {}", entry.at as f64 / 1e6, elide(&visible(&text), SHOWN)));
    };
    let transcript = runtime.block_on(async {
        let mut link = stream::over(tokio::io::join(tokio::io::stdin(), tokio::io::stdout()));
        play::play(part, header, &mut *link, bounds, &mut tell).await
    });
    // A blocked read of standard input cannot be interrupted.
    runtime.shutdown_background();
    Ok(transcript)
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
