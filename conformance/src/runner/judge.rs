//! One transcript against every rule.

use turncoat::revision::{Revision, Side};
use turncoat::rules::{Breach, Figure, Rule, Verdict};
use turncoat::session::{Session, Speaker, View};
use turncoat::transcript::{Ending, Event, EventData, Http, Intent, Transcript};
use turncoat::wire::http::Headers;

use crate::report::{Evidence, EvidenceKind, elide};

/// The most characters of one message that a report shows.
const SHOWN: usize = 4_000;

/// The most breaches of one rule in one session that are shown; the rest is counted.
const MOST_SHOWN: usize = 16;

/// What one rule said of one revision's part of a session, with all that a report needs of the transcript.
#[derive(Debug)]
pub struct Judgement {
    /// The rule.
    pub rule: &'static Rule,
    /// The revision.
    pub revision: Revision,
    /// Where it was broken.
    pub breaches: Vec<Shown>,
    /// What is worth a word.
    pub warnings: Vec<Shown>,
    /// How much was borne, of a rule about load.
    pub figure: Option<Figure>,
}

impl Judgement {
    /// Whether the rule was broken.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.breaches.is_empty()
    }
}

/// A breach with its evidence.
#[derive(Debug)]
pub struct Shown {
    /// What happened, as a clause without subject.
    pub what: String,
    /// The entries that show it.
    pub evidence: Vec<Evidence>,
}

/// Judges a transcript by every rule, in every revision that governs part of it. Leaves out what was not put to the
/// test.
#[must_use]
pub fn judge(rules: &[&'static Rule], transcript: &Transcript) -> Vec<Judgement> {
    let session = Session::new(transcript);
    let side = transcript.header.side;
    let mut judgements = Vec::new();
    for revision in session.revisions().iter() {
        let view = session.view(revision);
        for &rule in rules {
            if !rule.revisions.has(revision) || !rule.applies(side, session.transport()) {
                continue;
            }
            let Verdict { checked, breaches, warnings, figure } = (rule.judge)(view);
            if checked == 0 {
                continue;
            }
            let show = |breaches: Vec<Breach>| -> Vec<Shown> {
                let shown = breaches.into_iter().take(MOST_SHOWN);
                shown.map(|breach| Shown { evidence: evidence(view, &breach), what: breach.what }).collect()
            };
            let (breaches, warnings) = (show(breaches), show(warnings));
            judgements.push(Judgement { rule, revision, breaches, warnings, figure });
        }
    }
    judgements
}

/// The entries that show a breach. A lone one of the subject says little, so what it answers is added, or else what it
/// may be a reaction to.
fn evidence(view: View<'_>, breach: &Breach) -> Vec<Evidence> {
    let mut entries = breach.entries.clone();
    if let [only] = entries[..] {
        let asked = view
            .responses_by(Speaker::Subject)
            .find(|message| message.entry == only)
            .and_then(|answer| view.exchange_of(answer));
        let before = match asked {
            Some(exchange) => Some(exchange.request().entry),
            None => last_sent_before(view, only),
        };
        entries.splice(0..0, before);
    }
    entries.dedup();
    entries
        .into_iter()
        .filter_map(|index| {
            let entry = view.entries().get(index)?;
            let (kind, text) = shown(view.subject_side(), &entry.event);
            Some(Evidence { entry: index, at_micros: entry.at, kind, text: elide(&text, SHOWN) })
        })
        .collect()
}

/// What a message or the end of the subject may be a reaction to: the last departure from honesty, or else what the
/// harness said last that was no fence.
fn last_sent_before(view: View<'_>, entry: usize) -> Option<usize> {
    let (earlier, rest) = view.entries().split_at_checked(entry)?;
    if !matches!(rest.first()?.event, Event::Received { .. } | Event::Ended | Event::Exited { .. } | Event::Http { .. })
    {
        return None;
    }
    let last = |wanted: fn(Intent) -> bool| {
        earlier.iter().rposition(|entry| match entry.event {
            Event::Sent { intent, .. } | Event::Http { what: Http::Request { intent, .. }, .. } => wanted(intent),
            _ => false,
        })
    };
    last(|intent| intent == Intent::Departure).or_else(|| last(|intent| intent == Intent::Honest))
}

/// The header lines that say nothing about a subject.
const USUAL: &[&str] = &["host", "user-agent", "date", "server", "connection", "keep-alive"];

fn http(subject: Side, number: u32, what: &Http) -> (EvidenceKind, String) {
    let (asked, answered) = match subject {
        Side::Server => (EvidenceKind::Sent, EvidenceKind::Received),
        Side::Client => (EvidenceKind::Received, EvidenceKind::Sent),
    };
    let lines = |headers: &Headers| {
        let telling = headers.iter().filter(|(name, _)| !USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual)));
        telling.map(|(name, value)| format!("; {name}: {value}")).collect::<String>()
    };
    let note = |text: String| (EvidenceKind::Note, text);
    match what {
        Http::Request { client: 0, verb, target, headers, .. } => {
            (asked, format!("{verb} {target}{} (request {number})", lines(headers)))
        }
        Http::Request { client, verb, target, headers, .. } => {
            (asked, format!("{verb} {target}{} (request {number}, of client {client})", lines(headers)))
        }
        Http::Response { status, headers } => {
            (answered, format!("HTTP {status}{} (to request {number})", lines(headers)))
        }
        Http::Event { id, name, retry, data } => {
            let field =
                |name: &str, value: Option<&str>| value.map(|value| format!(" {name}: {value};")).unwrap_or_default();
            let retry = retry.map(|retry| retry.to_string());
            let data = match data {
                EventData::Empty => "no data",
                EventData::Message => "a message",
                EventData::Text(text) => text,
            };
            let fields =
                [field("id", id.as_deref()), field("event", name.as_deref()), field("retry", retry.as_deref())]
                    .concat();
            (answered, format!("event:{fields} {data} (to request {number})"))
        }
        Http::Style { words } => {
            (answered, format!("a stream written with {} (to request {number})", words.join(", ")))
        }
        Http::Body { text } => (answered, format!("{text} (to request {number})")),
        Http::End { how } => note(match how {
            Ending::Complete => format!("the response to request {number} was complete"),
            Ending::Cut => format!("the connection of request {number} ended before the response did"),
            Ending::Refused(why) => format!("no connection for request {number}: {why}"),
            Ending::Malformed(why) if subject == Side::Client => format!("request {number} is no HTTP: {why}"),
            Ending::Malformed(why) => format!("the response to request {number} is no HTTP: {why}"),
            Ending::Dropped => {
                let who = if subject == Side::Client { "client" } else { "harness" };
                format!("the {who} closed the connection of request {number}")
            }
        }),
    }
}

/// An event as people read it; the side is that of the subject.
#[must_use]
pub fn shown(subject: Side, event: &Event) -> (EvidenceKind, String) {
    let note = |text: String| (EvidenceKind::Note, text);
    let text = |bytes: &[u8]| {
        // Long frames are cut before they are copied; `elide` works on what is left.
        let most = SHOWN * 8;
        if bytes.len() <= most {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let (head, tail) = (&bytes[..most / 2], &bytes[bytes.len() - most / 2..]);
        let gone = bytes.len() - most;
        format!("{}[… {gone} bytes …]{}", String::from_utf8_lossy(head), String::from_utf8_lossy(tail))
    };
    match event {
        Event::Sent { frame, .. } => (EvidenceKind::Sent, text(frame.bytes())),
        Event::Received { frame, .. } => (EvidenceKind::Received, text(frame.bytes())),
        Event::Http { number, what } => http(subject, *number, what),
        Event::Stderr { text } => note(format!("standard error: {text}")),
        Event::Wish { text } => note(format!("the user of the client wants {text}")),
        Event::Surface { text } => note(format!("the driver of the client says {text}")),
        Event::Aside { text } => note(format!("the harness wrote to its standard error: {text}")),
        Event::Connected { number: 1, .. } => note("the client started its server".to_owned()),
        Event::Connected { number, beside: false } => note(format!("the client started its server for time {number}")),
        Event::Connected { number, beside: true } => {
            note(format!("the client started its server for time {number}, beside the one that it has"))
        }
        Event::Canary { field } => note(format!("somebody called the address in {field}, which nobody is to call")),
        Event::Signalled { signal } => note(format!("the client sent its server the signal {signal}")),
        Event::Expired { id } => note(format!("no answer to the request with id {id} within the time-out")),
        Event::Settled => note("later requests were answered and a grace passed".to_owned()),
        Event::StoppedReading => note("the harness stopped reading".to_owned()),
        Event::ReadOn => note("the harness read on".to_owned()),
        Event::Closed => note("the harness closed the subject's input".to_owned()),
        Event::Ended => note("the subject's output ended".to_owned()),
        Event::Exited { code: Some(code), .. } => note(format!("the subject exited with code {code}")),
        Event::Exited { signal: Some(signal), .. } => note(format!("the subject was ended by signal {signal}")),
        Event::Exited { .. } => note("the subject exited".to_owned()),
        Event::Killed => note("the subject did not end by itself and was killed".to_owned()),
        Event::Vitals(vitals) => {
            note(format!("peak memory {} MiB, processor time {} ms", vitals.peak_bytes >> 20, vitals.cpu_micros / 1000))
        }
    }
}
