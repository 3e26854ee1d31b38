//! Judges of what fuzzers and property tests made. They panic, for that is what a fuzzer notices.
//!
//! Limits on time and size belong here and not in the generators.

use std::time::Duration;

use tokio::runtime::Builder;

use crate::adapter::Adapter;
use crate::peer::Part;
use crate::play::{Bounds, play};
use crate::revision::Revision;
use crate::rules::{self, Level, Rule, Verdict};
use crate::script::Script;
use crate::session::Session;
use crate::transcript::{Header, Transcript};

mod reading;
mod schema;

pub use reading::{cuts, json, rewritten, script_file, transcript_file};
pub use schema::arguments;

/// Plays a script against a subject that lives in this process, in virtual time.
#[must_use]
pub fn converse(script: &Script, subject: &dyn Adapter) -> Transcript {
    let revision = script.revisions.iter().next().unwrap_or(Revision::V2026_07_28);
    let fixtures = subject.fixtures();
    let part = Part { script, revision, fixtures: &fixtures, call_tools: true, endpoint: subject.endpoint() };
    // Virtual time is free, so only a session that never ends may reach these.
    let bounds = Bounds { session: Duration::from_secs(86_400), entries: 200_000, ..Bounds::default() };
    let runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime without I/O");
    let transcript = runtime.block_on(async {
        let mut link = subject.open().await.expect("a subject in memory opens");
        let transport = subject.transport();
        let header = Header { script: script.name.clone(), transport, ..Header::new(subject.side(), revision) };
        play(part, header, link.as_mut(), bounds, &mut |_| {}).await
    });
    assert!(transcript.entries.len() < bounds.entries, "a session without end");
    transcript
}

/// What every rule that fits says of a transcript.
pub fn verdicts<'s>(session: &'s Session<'s>) -> impl Iterator<Item = (&'static Rule, Revision, Verdict)> + 's {
    let (side, transport) = (session.transcript().header.side, session.transport());
    session.revisions().iter().flat_map(move |revision| {
        rules::all()
            .filter(move |rule| rule.applies(side, transport) && rule.revisions.has(revision))
            .map(move |rule| (rule, revision, (rule.judge)(session.view(revision))))
    })
}

/// Lets every rule judge a transcript, whatever is in it.
///
/// # Panics
///
/// If a verdict points at nothing or contradicts itself.
pub fn judges(transcript: &Transcript) {
    for (rule, revision, verdict) in verdicts(&Session::new(transcript)) {
        holds_together(transcript, rule, revision, &verdict);
    }
}

/// Lets every rule judge a session with an honest subject.
///
/// # Panics
///
/// As [`judges`] does, and if a rule says that the subject broke a MUST or was not robust.
pub fn blameless(transcript: &Transcript) {
    for (rule, revision, verdict) in verdicts(&Session::new(transcript)) {
        holds_together(transcript, rule, revision, &verdict);
        if matches!(rule.level, Level::Must | Level::Robustness) && !verdict.breaches.is_empty() {
            let mut story = Vec::new();
            transcript.write(&mut story).expect("memory can be written");
            let (id, story) = (rule.id, String::from_utf8_lossy(&story));
            panic!("{id} blames the honest reference in {revision}: {:?}\n{story}", verdict.breaches);
        }
    }
}

fn holds_together(transcript: &Transcript, rule: &Rule, revision: Revision, verdict: &Verdict) {
    let said = verdict.breaches.iter().chain(&verdict.warnings);
    assert!(verdict.checked >= said.clone().count(), "{} in {revision} says more than it checked", rule.id);
    for breach in said {
        let within = breach.entries.iter().all(|entry| *entry < transcript.entries.len());
        assert!(within && !breach.entries.is_empty(), "{} in {revision} points at nothing: {breach:?}", rule.id);
    }
}
