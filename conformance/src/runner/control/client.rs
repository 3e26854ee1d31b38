//! What a client speaks and declares.

use std::sync::LazyLock;

use turncoat::adapter::Adapter;
use turncoat::revision::{Era, Revision, Revisions, Side, code, meta};
use turncoat::script::hosting::{Hosting, Move, Reply, Trigger};
use turncoat::script::{Edits, Hello, Needs, Opening, Script};
use turncoat::session::{Message, Session, Shape, Speaker, View};
use turncoat::transcript::{Ending, Event, Facts, Http, Transcript, Transport, Transports};
use turncoat::user;
use turncoat::wire::Value;

use super::{NAME, stderr_of};
use crate::report::Identity;
use crate::runner::Untestable;
use crate::runner::schedule::Outcome;

/// An honest server of one revision, and a user who wants to see everything.
pub(super) static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script {
    name: NAME.to_owned(),
    about: "An honest server that has everything.".to_owned(),
    side: Side::Server,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    provokes: Vec::new(),
    needs: Needs::default(),
    open: Opening::None,
    listens: false,
    capabilities: serde_json::json!({}),
    hello: Hello::default(),
    answers: std::collections::BTreeMap::new(),
    steps: Vec::new(),
    hosting: Hosting {
        scenario: "tools_call".to_owned(),
        wishes: user::usual(),
        // The commonest refusal: a client that falls back on one code alone falls back on this one.
        moves: vec![refusal_of_the_probe()],
        ..Hosting::default()
    },
});

/// An older server does not know `server/discover`.
fn refusal_of_the_probe() -> Move {
    let code = ("/error/code".to_owned(), serde_json::json!(code::METHOD_NOT_FOUND));
    let edits = Edits { set: [code].into_iter().collect(), ..Edits::default() };
    Move {
        on: Trigger { method: "server/discover".to_owned(), name: None, first: 1, last: u32::MAX },
        before: Vec::new(),
        answer: Reply { edits, honest: true, split: 1, ..Reply::default() },
        after: Vec::new(),
    }
}

/// Whether the client went on in the revision of the run.
pub(super) fn speaks(view: View<'_>) -> bool {
    match view.revision().era() {
        Era::Legacy => {
            let answered = view.exchanges_by(Speaker::Subject).any(|exchange| {
                let version = exchange.result().and_then(|result| result.member("protocolVersion"));
                exchange.is("initialize") && version.is_some_and(|version| version.is(view.revision().as_str()))
            });
            // Whoever forgets to say that it is initialized shows by what it asks that it goes on.
            let goes_on = |message: &Message<'_>| {
                let asks = message.shape == Shape::Request && !["initialize", "ping"].iter().any(|own| message.is(own));
                message.is("notifications/initialized") || (asks && message.modern_version().is_none())
            };
            answered && view.messages_by(Speaker::Subject).any(goes_on)
        }
        // Whoever only asks what the server speaks may not like the answer.
        Era::Modern => view
            .exchanges_by(Speaker::Subject)
            .any(|exchange| !exchange.is("server/discover") && exchange.request().modern_version().is_some()),
    }
}

pub(super) fn facts_of(view: View<'_>, spoken: &[Revision]) -> Facts {
    let capabilities = openings(view).find_map(|opening| opening.capabilities).map(|value| value.raw().to_owned());
    Facts { revisions: spoken.to_vec(), capabilities, ..Facts::default() }
}

pub(super) fn identity_of(view: View<'_>) -> Option<Identity> {
    let info = openings(view).find_map(|opening| opening.info)?;
    super::identity(info)
}

struct Introduction<'s> {
    capabilities: Option<Value<'s>>,
    info: Option<Value<'s>>,
}

/// What each request that says who the client is says of it.
fn openings(view: View<'_>) -> impl Iterator<Item = Introduction<'_>> {
    view.exchanges_by(Speaker::Subject).filter_map(|exchange| {
        let params = exchange.request().params()?;
        Some(if exchange.is("initialize") {
            Introduction { capabilities: params.member("capabilities"), info: params.member("clientInfo") }
        } else {
            let member = |key| params.path(&["_meta", key]);
            Introduction { capabilities: member(meta::CLIENT_CAPABILITIES), info: member(meta::CLIENT_INFO) }
        })
    })
}

/// Why nothing can be said about a client. On stdio, those that are processes start their server themselves.
pub(super) fn untestable(sessions: &[Outcome], client: &dyn Adapter) -> Untestable {
    let over_http = client.transport() == Transport::Http;
    let is_process = !client.is_virtual() && !over_http;
    let failed = sessions.iter().find_map(|session| session.failed_to_open.clone());
    let transcripts: Vec<&Transcript> = sessions.iter().filter_map(|session| session.transcript.as_ref()).collect();
    let stderr = transcripts.iter().map(|transcript| stderr_of(transcript)).find(|text| !text.is_empty());
    let events = || transcripts.iter().flat_map(|transcript| &transcript.entries).map(|entry| &entry.event);
    let lines = || {
        events().filter_map(|event| match event {
            Event::Received { frame, .. } => Some(frame),
            _ => None,
        })
    };
    let exit = events().find_map(|event| match event {
        Event::Exited { code, signal, .. } => Some((*code, *signal)),
        _ => None,
    });
    let asked = transcripts.iter().any(|transcript| {
        let session = Session::new(transcript);
        session.view(transcript.header.revision).exchanges_by(Speaker::Subject).next().is_some()
    });
    let started = events().any(|event| matches!(event, Event::Connected { .. }));
    let twice = events().any(|event| matches!(event, Event::Connected { beside: true, .. }));
    let before = match is_process && !started {
        true => "it started its server",
        false if over_http => "it came to its URL",
        false => "it said anything",
    };
    let malformed = events().find_map(|event| match event {
        Event::Http { what: Http::End { how: Ending::Malformed(why) }, .. } => Some(why),
        _ => None,
    });
    let http = lines().any(|frame| frame.text().is_some_and(|text| text.contains(" HTTP/1.")));
    let why = match (failed, exit) {
        (Some(why), _) => format!("the client did not start: {why}"),
        (None, _) if malformed.is_some() && !asked => {
            format!("what the client sends to its URL is no HTTP: {}", malformed.map_or("", String::as_str))
        }
        (None, _) if http => "the client speaks HTTP to a server on stdio".to_owned(),
        (None, _) if twice => "the client starts its server while the one that it started before still runs".to_owned(),
        (None, _) if asked => {
            "the client asks, but goes on in no known revision when an honest server answers".to_owned()
        }
        (None, _) if lines().next().is_some() && over_http => {
            "the client came to its URL, but never with a request of MCP".to_owned()
        }
        (None, _) if lines().next().is_some() => {
            "the client started its server and wrote to it, but never a request".to_owned()
        }
        (None, Some((Some(code), _))) => format!("the client exited with code {code} before {before}"),
        (None, Some((None, Some(signal)))) => {
            format!("the client was ended by signal {signal} before {before}")
        }
        _ if is_process && !started => "the client never started its server within the time-out".to_owned(),
        _ if over_http => "the client never came to its URL within the time-out".to_owned(),
        _ => "the client never said anything to its server within the time-out".to_owned(),
    };
    Untestable { why, stderr: stderr.unwrap_or_default() }
}
