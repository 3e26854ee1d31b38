//! Sessions that never happened: plausible enough to reach every branch of a rule, odd enough to break a careless one.

use arbitrary::{Result, Unstructured};

use super::message::{Talk, id};
use super::{http, once_in, revision, text};
use crate::revision::{Era, LISTS, Revision, Revisions, Side};
use crate::transcript::{Delivery, Entry, Event, Facts, Header, Intent, Transcript, Transport, Vitals};
use crate::wire::Frame;

/// The most entries of a transcript.
const MOST: usize = 64;

/// A transcript of up to 64 entries.
///
/// # Errors
///
/// None that comes up: generators go on with zeros.
pub fn transcript(u: &mut Unstructured<'_>) -> Result<Transcript> {
    let length = u.int_in_range(0..=MOST)?;
    long_transcript(u, length)
}

/// A transcript of this many entries, or of fewer if the bytes run out.
///
/// # Errors
///
/// None that comes up: generators go on with zeros.
pub fn long_transcript(u: &mut Unstructured<'_>, length: usize) -> Result<Transcript> {
    let revision = revision(u, Revisions::ALL)?;
    let side = if once_in(u, 6)? { Side::Client } else { Side::Server };
    let mut header = Header { facts: facts(u)?, seed: u.arbitrary()?, ..Header::new(side, revision) };
    if once_in(u, 3)? {
        header.transport = Transport::Http;
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut talk = Talk::new(revision);
    if revision.era() == Era::Legacy && !once_in(u, 4)? {
        entries.extend(handshake(revision, side));
    }
    let mut at = 0_u64;
    for _ in 0..length {
        if u.is_empty() {
            break;
        }
        at = if once_in(u, 30)? { u.arbitrary()? } else { at.saturating_add(u.int_in_range(0..=5_000)?) };
        let mut event = event(u, &mut talk, side)?;
        if header.transport == Transport::Http {
            event = if once_in(u, 3)? { http::event(u)? } else { carried(u, event)? };
        }
        entries.push(Entry { at, event });
    }
    Ok(Transcript { header, entries })
}

/// The same event, mostly in an HTTP request or its response.
fn carried(u: &mut Unstructured<'_>, mut event: Event) -> Result<Event> {
    if let Event::Sent { via, .. } | Event::Received { via, .. } = &mut event
        && !once_in(u, 20)?
    {
        *via = Some(http::number(u)?);
    }
    Ok(event)
}

fn event(u: &mut Unstructured<'_>, talk: &mut Talk, side: Side) -> Result<Event> {
    Ok(match u.int_in_range(0..=31)? {
        0 => Event::Stderr { text: text(u, 24)? },
        1 => Event::Expired { id: if once_in(u, 4)? { text(u, 8)? } else { id(u)?.to_owned() } },
        2 if u.arbitrary()? => Event::StoppedReading,
        3 if u.arbitrary()? => Event::ReadOn,
        2 | 3 => Event::Settled,
        4 if u.arbitrary()? => Event::Closed,
        4 if u.arbitrary()? => Event::Ended,
        4 if u.arbitrary()? => Event::Killed,
        4 => {
            let (code, signal) = *u.choose(&[(Some(0), None), (Some(1), None), (None, Some(9)), (None, None)])?;
            Event::Exited { code, signal, orphans: u.arbitrary()? }
        }
        5 if once_in(u, 4)? => Event::Wish { text: r#"{"do":"list","what":"tools"}"#.to_owned() },
        5 if once_in(u, 4)? => Event::Surface { text: text(u, 24)? },
        5 if once_in(u, 4)? => Event::Connected { number: u.int_in_range(1..=3)?, beside: u.arbitrary()? },
        5 if once_in(u, 4)? => Event::Signalled { signal: 15 },
        5 if u.arbitrary()? => Event::Vitals(Vitals { peak_bytes: u.arbitrary()?, cpu_micros: u.arbitrary()? }),
        6..=17 => {
            let delivery = if once_in(u, 4)? {
                *u.choose(&[
                    Delivery::Split,
                    Delivery::Burst,
                    Delivery::Flood,
                    Delivery::Unended,
                    Delivery::HalfClosed,
                ])?
            } else {
                Delivery::Whole
            };
            let intent = *u.choose(&[Intent::Honest, Intent::Honest, Intent::Departure, Intent::Fence])?;
            Event::Sent { frame: Frame::new(talk.text(u, side.other())?), intent, delivery, via: None }
        }
        _ => {
            let (cut, unfinished) = (once_in(u, 40)?, once_in(u, 40)?);
            Event::Received { frame: Frame::new(talk.text(u, side)?), cut, unfinished, via: None }
        }
    })
}

/// An opening as it should be.
fn handshake(revision: Revision, side: Side) -> Vec<Entry> {
    let sides = if side == Side::Server { ["peer", "subject", "peer"] } else { ["subject", "peer", "subject"] };
    let texts = [
        format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{"roots":{{}},"elicitation":{{}}}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}","capabilities":{{"tools":{{"listChanged":true}},"resources":{{"subscribe":true}},"logging":{{}}}},"serverInfo":{{"name":"s","version":"1"}}}}}}"#
        ),
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(),
    ];
    let entry = |(by, text): (&str, String)| {
        let frame = Frame::new(text);
        let event = match by {
            "peer" => Event::Sent { frame, intent: Intent::Honest, delivery: Delivery::Whole, via: None },
            _ => Event::Received { frame, cut: false, unfinished: false, via: None },
        };
        Entry { at: 0, event }
    };
    sides.into_iter().zip(texts).map(entry).collect()
}

fn facts(u: &mut Unstructured<'_>) -> Result<Facts> {
    let mut facts = Facts::default();
    if u.arbitrary()? {
        return Ok(facts);
    }
    facts.revisions = Revision::ALL.into_iter().filter(|_| u.arbitrary().unwrap_or(false)).collect();
    for (method, ..) in LISTS {
        if u.arbitrary()? {
            let items = ["echo", "memo:///readme", "", "echo"];
            let count = u.int_in_range(0..=items.len())?;
            facts.lists.insert((*method).to_owned(), items[..count].iter().map(|&item| item.to_owned()).collect());
        }
    }
    let declared =
        ["", "{}", "[]", r#"{"tools":{"listChanged":true}}"#, r#"{"tools":null,"resources":false}"#, "{\"a\""];
    facts.capabilities = if u.arbitrary()? { Some((*u.choose(&declared)?).to_owned()) } else { None };
    Ok(facts)
}
