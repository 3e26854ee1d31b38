//! What the subject speaks and offers, learnt from an honest session in each revision.
//!
//! - `client`: the same of clients

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use turncoat::adapter::Adapter;
use turncoat::revision::{Era, LISTS, Revision, Revisions, Side, meta};
use turncoat::script::{Answer, Hello, Hosting, Needs, Opening, Script, Step};
use turncoat::session::{Session, View};
use turncoat::transcript::{Ending, Event, Facts, Http, Transcript, Transport, Transports};
use turncoat::wire::Value;
use turncoat::wire::http::Headers;

mod client;

use super::schedule::{self, Outcome, Planned};
use super::{Plan, Progress, Selection, Untestable};
use crate::report::Identity;

/// The name that reports give to control sessions.
pub const NAME: &str = "control";

/// An honest session that looks at every list.
pub static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script {
    name: NAME.to_owned(),
    about: "An honest session that walks every list.".to_owned(),
    side: Side::Client,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    provokes: Vec::new(),
    needs: Needs::default(),
    open: Opening::Handshake,
    listens: true,
    capabilities: serde_json::json!({}),
    hello: Hello::default(),
    answers: BTreeMap::<String, Answer>::new(),
    steps: LISTS.iter().map(|(method, ..)| Step::Walk { method: (*method).to_owned(), pages: 100 }).collect(),
    hosting: Hosting::default(),
});

/// What the control sessions taught.
#[derive(Debug)]
pub struct Control {
    /// Who the subject says it is.
    pub identity: Option<Identity>,
    /// The revisions that it speaks, oldest first.
    pub spoken: Vec<Revision>,
    /// What rules may know of it, per revision.
    pub facts: BTreeMap<Revision, Facts>,
    /// It was seen to end by itself when its input ended.
    pub exits: bool,
    /// The sessions themselves, for the rules.
    pub sessions: Vec<Outcome>,
}

/// Opens a control session in every revision.
///
/// # Errors
///
/// The subject cannot be tested.
pub fn learn(
    plan: &Plan,
    adapter: &dyn Adapter,
    progress: &dyn Progress,
    stop: &AtomicBool,
    selection: &Selection,
) -> Result<Control, Untestable> {
    let side = adapter.side();
    let script: &'static Script = match side {
        Side::Server => &SCRIPT,
        Side::Client => &client::SCRIPT,
    };
    let planned =
        Revision::ALL.map(|revision| Planned { script, revision, facts: Facts::default(), exits: true }).to_vec();
    let mut sessions = schedule::run(plan, adapter, selection, &planned, progress, stop);
    sessions.sort_by_key(|session| session.planned.revision);
    let spoken: Vec<Revision> =
        sessions.iter().filter(|session| speaks(session)).map(|session| session.planned.revision).collect();
    if spoken.is_empty() {
        return Err(match side {
            Side::Server => untestable(&sessions, adapter.transport() == Transport::Http),
            Side::Client => client::untestable(&sessions, adapter),
        });
    }
    let mut facts = BTreeMap::new();
    let (mut identity, mut exits) = (None, false);
    for session in sessions.iter().filter(|session| spoken.contains(&session.planned.revision)) {
        let Some(transcript) = &session.transcript else { continue };
        let sorted = Session::new(transcript);
        let view = sorted.view(session.planned.revision);
        identity = match side {
            Side::Server => identity_of(view),
            Side::Client => client::identity_of(view),
        }
        .or(identity);
        exits |= !transcript.entries.iter().any(|entry| entry.event == Event::Killed);
        // Over HTTP the oldest revision has a transport of its own, which says nothing of the other one.
        let here = |revision: &Revision| {
            let oldest = Revision::V2024_11_05;
            adapter.transport() == Transport::Stdio || (*revision == oldest) == (session.planned.revision == oldest)
        };
        let spoken_here: Vec<Revision> = spoken.iter().copied().filter(here).collect();
        let known = match side {
            Side::Server => {
                Facts { failing: failing(adapter), stopping: stopping(adapter), ..facts_of(view, &spoken_here) }
            }
            Side::Client => client::facts_of(view, &spoken_here),
        };
        facts.insert(session.planned.revision, known);
    }
    sessions.retain(|session| spoken.contains(&session.planned.revision));
    Ok(Control { identity, spoken, facts, exits, sessions })
}

fn speaks(session: &Outcome) -> bool {
    let Some(transcript) = &session.transcript else { return false };
    let sorted = Session::new(transcript);
    let view = sorted.view(session.planned.revision);
    if transcript.header.side == Side::Client {
        return client::speaks(view);
    }
    match session.planned.revision.era() {
        Era::Legacy => view
            .exchanges()
            .filter(|exchange| exchange.is("initialize"))
            .filter_map(|exchange| exchange.result()?.member("protocolVersion"))
            .any(|answered| answered.is(session.planned.revision.as_str())),
        // Serving a modern request is speaking the revision, even where discovery is missing or does not say so.
        Era::Modern => view.exchanges().filter_map(|exchange| exchange.result()).any(|result| {
            let lists = |listed: Value<'_>| listed.items().any(|version| version.is(session.planned.revision.as_str()));
            result.member("resultType").is_some_and(|kind| kind.is("complete"))
                || result.member("supportedVersions").is_some_and(lists)
        }),
    }
}

fn facts_of(view: View<'_>, spoken: &[Revision]) -> Facts {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (exchange, member) in view.lists() {
        let Some((method, _, key)) = LISTS.iter().find(|(_, own, _)| *own == member) else { continue };
        let items = exchange.result().and_then(|result| result.member(member));
        let names = items
            .into_iter()
            .flat_map(|items| items.items().collect::<Vec<_>>())
            .filter_map(|item| Some(item.member(key)?.as_str()?.into_owned()));
        lists.entry((*method).to_owned()).or_default().extend(names);
    }
    let capabilities = view.server_capabilities().map(|value| value.raw().to_owned());
    Facts { revisions: spoken.to_vec(), lists, capabilities, failing: Vec::new(), stopping: Vec::new() }
}

/// What the vendor names as always failing.
fn failing(adapter: &dyn Adapter) -> Vec<String> {
    let fixtures = adapter.fixtures();
    let prompt = fixtures.get("failing-prompt").and_then(|fixture| fixture.prompt.clone());
    let resource = fixtures.get("failing-resource").and_then(|fixture| fixture.uri.clone());
    prompt.into_iter().chain(resource).collect()
}

/// What the vendor names as stopping when it is cancelled.
fn stopping(adapter: &dyn Adapter) -> Vec<String> {
    adapter.fixtures().get("stops-when-cancelled").and_then(|fixture| fixture.tool.clone()).into_iter().collect()
}

fn identity_of(view: View<'_>) -> Option<Identity> {
    let info = view.exchanges().find_map(|exchange| {
        let result = exchange.result()?;
        result.member("serverInfo").or_else(|| result.path(&["_meta", meta::SERVER_INFO]))
    })?;
    identity(info)
}

/// A name and a version as either side gives them.
fn identity(info: Value<'_>) -> Option<Identity> {
    let text = |key: &str| info.member(key).and_then(|value| value.as_str()).map(|text| text.into_owned());
    Some(Identity { name: text("name")?, version: text("version").unwrap_or_default(), title: text("title") })
}

fn untestable(sessions: &[Outcome], http: bool) -> Untestable {
    let failed = sessions.iter().find_map(|session| session.failed_to_open.clone());
    let transcripts: Vec<&Transcript> = sessions.iter().filter_map(|session| session.transcript.as_ref()).collect();
    let stderr = transcripts.iter().map(|transcript| stderr_of(transcript)).find(|text| !text.is_empty());
    let events = || transcripts.iter().flat_map(|transcript| &transcript.entries).map(|entry| &entry.event);
    let said_something = events().any(|event| matches!(event, Event::Received { .. }));
    let exit = events().find_map(|event| match event {
        Event::Exited { code, signal, .. } => Some((*code, *signal)),
        _ => None,
    });
    let answered = transcripts.iter().any(|transcript| {
        let session = Session::new(transcript);
        session.view(transcript.header.revision).exchanges().any(|exchange| exchange.answer().is_some())
    });
    let foreign = no_mcp(&transcripts).filter(|_| failed.is_none());
    let why = match (failed, exit) {
        (Some(why), _) if http => format!("no connection to the subject: {why}"),
        (Some(why), _) => format!("the subject did not start: {why}"),
        (None, _) if answered => {
            "the subject answers, but accepts neither `initialize` in any known revision nor `server/discover`"
                .to_owned()
        }
        (None, _) if said_something => "the subject wrote to its output, but never answered a request".to_owned(),
        (None, Some((Some(code), _))) => format!("the subject exited with code {code} before it answered anything"),
        (None, Some((None, Some(signal)))) => {
            format!("the subject was ended by signal {signal} before it answered anything")
        }
        _ => "the subject started but never answered within the time-out".to_owned(),
    };
    Untestable { why: foreign.unwrap_or(why), stderr: stderr.unwrap_or_default() }
}

/// What an HTTP server answered that is no MCP.
fn no_mcp(transcripts: &[&Transcript]) -> Option<String> {
    let events = || transcripts.iter().flat_map(|transcript| &transcript.entries).map(|entry| &entry.event);
    if !events().any(|event| matches!(event, Event::Http { .. }))
        || events().any(|event| matches!(event, Event::Received { .. }))
    {
        return None;
    }
    let heads = events().filter_map(|event| match event {
        Event::Http { what: Http::Response { status, headers }, .. } => Some((*status, headers)),
        _ => None,
    });
    let ends = events().filter_map(|event| match event {
        Event::Http { what: Http::End { how }, .. } => Some(how),
        _ => None,
    });
    let heads: Vec<_> = heads.collect();
    if let Some((status, headers)) = heads.iter().find(|(status, _)| (300..400).contains(status)) {
        let place = headers.value("location").map_or(String::new(), |place| format!(" to {place}"));
        return Some(format!("the URL redirects{place} (HTTP {status}); give the URL that it leads to"));
    }
    let html = |headers: &Headers| headers.media_type().as_deref() == Some("text/html");
    if let Some((status, _)) = heads.iter().find(|(_, headers)| html(headers)) {
        return Some(format!("the URL answers with HTML (HTTP {status}), not with MCP"));
    }
    if let Some((status @ (401 | 403), _)) = heads.iter().find(|(status, _)| matches!(status, 401 | 403)) {
        return Some(format!(
            "the server wants authorization (HTTP {status}); a subject file can name the header lines to send"
        ));
    }
    // The newest revision was asked last, and the oldest in the way of another transport.
    if let Some((status, _)) = heads.last() {
        return Some(format!("the URL answers with HTTP {status}, but never with a message of MCP"));
    }
    let how = ends.into_iter().find_map(|how| match how {
        Ending::Malformed(why) => Some(format!("what the URL answers is no HTTP: {why}")),
        Ending::Refused(why) => Some(format!("no connection to the subject: {why}")),
        Ending::Cut => Some("the server closes each connection without an answer".to_owned()),
        _ => None,
    });
    Some(how.unwrap_or_else(|| "the server takes connections, but never answered within the time-out".to_owned()))
}

fn stderr_of(transcript: &Transcript) -> String {
    transcript
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Stderr { text } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}
