//! Living through a session, and ending with it.

use std::collections::{HashMap, HashSet};

use super::super::jsonrpc::response::is_missing;
use super::super::{Breach, Check, Figure, Level, Rule, Transports, Verdict, figure};
use super::patience::is_half_closed;
use super::wire::malformation;
use crate::revision::{Era, LISTS, Revisions, Side};
use crate::session::{Exchange, Fate, Phase, Speaker, View};
use crate::transcript::{Ending, Event, Http, Intent, Transport};

/// `robust.serves-after-hostile-input`
pub static SERVES_AFTER_HOSTILE_INPUT: Rule = Rule {
    id: "robust.serves-after-hostile-input",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "The subject goes on serving after whatever it was sent.",
    judged: "Behind each departure from honesty stands a request whose answer is certain. Not answering it, and ending the \
             session, break the rule, once a session; over HTTP the end shows as connections that are refused or that end \
             without an answer, and what follows a malformed HTTP request is the matter of `robust.http-malformed`, and a half-closed connection that of \
             `robust.half-closed`. No \
             floor is named, since refusing is an answer at any measure; the scripts go up to 4 MiB and 50,000 levels, and \
             `turncoat limits` finds where a subject breaks. Before anything succeeded in the session, an end that no \
             signal forced is a warning: a refusal to go on without a handshake looks the same. An answer may be an error.",
    untested: "nothing hostile was sent",
    judge: serves_after_hostile_input,
};

fn serves_after_hostile_input(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || ended_by_unknown_method(view) {
        return Verdict::untested();
    }
    let end = own_end(view);
    let fences = fences(view);
    let opened = opened(view);
    let astray = view.answered_astray();
    let malformed = malformed(view);
    let is_http = view.transport() == Transport::Http;
    let mut checks: Vec<Check> = Vec::new();
    let (mut latest, mut unfenced, mut latest_fence) = (None, false, None);
    for (index, entry) in view.entries().iter().enumerate() {
        match (&entry.event, latest) {
            (event, _) if is_departure(event) => {
                latest = Some(index);
                unfenced = true;
            }
            (Event::Sent { intent: Intent::Fence, .. }, Some(departure)) => {
                let Some(fence) = fences.get(&index).filter(|fence| fence.request().own_line) else { continue };
                match fence.fate() {
                    Fate::Answered | Fate::Refused if std::mem::take(&mut unfenced) => {
                        latest_fence = Some(index);
                        checks.push(Ok(()));
                    }
                    Fate::Silent | Fate::Cut if is_http && malformed.contains(&departure) => break,
                    Fate::Cut if is_http && opened.is_some_and(|opened| opened < index) => {
                        checks.push(Err(
                            Breach::at_entry(index, "stops serving after hostile input").after_entry(departure)
                        ));
                        break;
                    }
                    Fate::Silent if opened.is_some_and(|opened| opened < index) && !astray.contains(&index) => {
                        checks.push(Err(
                            Breach::at_entry(index, "stops serving after hostile input").after_entry(departure)
                        ));
                        break;
                    }
                    _ => {}
                }
            }
            (_, Some(departure)) if end.is_some_and(|end| end.entry == index) && malformed.contains(&departure) => {
                break;
            }
            (_, Some(departure)) if end.is_some_and(|end| end.entry == index) => {
                let how = end.map(|end| end.how()).unwrap_or_default();
                let breach = Breach::at_entry(index, format!("{how} after hostile input")).after_entry(departure);
                let before_anything = opened.is_none_or(|opened| opened > departure);
                let may_be_refusal = before_anything && end.is_some_and(|end| end.signal.is_none());
                checks.push(Err(if may_be_refusal { breach.as_warning() } else { breach }));
                break;
            }
            _ => {}
        }
    }
    // A request over HTTP and the message in it are one.
    let request = |departure: usize| match view.entries().get(departure).map(|entry| &entry.event) {
        Some(Event::Sent { via: Some(number), .. } | Event::Http { number, .. }) => Ok(*number),
        _ => Err(departure),
    };
    let borne: HashSet<Result<u32, usize>> =
        departures(view).filter(|departure| latest_fence > Some(*departure)).map(request).collect();
    Verdict::from_iter(checks).bearing(Figure::count("hostile messages", borne.len()))
}

/// The entries of HTTP requests whose consequences other rules look at, and of what they carry.
fn malformed(view: View<'_>) -> HashSet<usize> {
    let all = view.session_http();
    let entries = all.iter().filter(|http| malformation(view, http).is_some() || is_half_closed(view, http));
    entries.flat_map(|http| std::iter::once(http.entry).chain(http.sent.iter().map(|sent| sent.entry))).collect()
}

/// `robust.survives-session`
pub static SURVIVES_SESSION: Rule = Rule {
    id: "robust.survives-session",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "",
    requires: "The subject does not end a session in which its peer is honest.",
    judged: "An end of the output or of the process before the harness closed its half breaks it, if nothing hostile was \
             sent; over HTTP, connections that are refused, or that end without an answer and are the last ones. An exit with code 0 is a warning in 2026-07-28, where a server may end the session.",
    untested: "no honest session ran to its end",
    judge: survives_session,
};

fn survives_session(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || ended_by_unknown_method(view) || departures(view).next().is_some() {
        return Verdict::untested();
    }
    if let Some(end) = own_end(view) {
        let breach = Breach::at_entry(end.entry, format!("{} during an honest session", end.how()));
        let allowed = view.revision().era() == Era::Modern && end.code == Some(0);
        return [Err(if allowed { breach.as_warning() } else { breach })].into_iter().collect();
    }
    let served = view.last_served().is_some();
    let ran = view.entries().iter().any(|entry| matches!(entry.event, Event::Settled | Event::Closed));
    let verdict: Verdict = (served && ran).then_some(Ok(())).into_iter().collect();
    let said = view.every_message().filter(|message| message.by == Speaker::Peer).count();
    verdict.bearing(Figure::count("messages in one session", said))
}

/// `robust.exits-after-eof`
pub static EXITS_AFTER_EOF: Rule = Rule {
    id: "robust.exits-after-eof",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "",
    requires: "The process ends soon after its input ended.",
    judged: "Having to be killed breaks it; the exit code does not matter. A subject that had stopped answering before is \
             left to the rule about that.",
    untested: "the harness did not close the input of a living process",
    judge: exits_after_eof,
};

fn exits_after_eof(view: View<'_>) -> Verdict {
    let stalled = || fences(view).values().any(|fence| fence.fate() == Fate::Silent);
    if !view.is_of_the_run() || own_end(view).is_some() || stalled() {
        return Verdict::untested();
    }
    let Some(closed) = closed(view) else { return Verdict::untested() };
    let mut behind = view.entries().iter().enumerate().skip(closed);
    let Some((last, gone)) = behind.find(|(_, entry)| matches!(entry.event, Event::Exited { .. } | Event::Killed))
    else {
        return Verdict::untested();
    };
    let breach = || Breach::at_entry(last, "still runs after its input was closed").after_entry(closed);
    let check = if gone.event == Event::Killed { Err(breach()) } else { Ok(()) };
    let took = gone.at.saturating_sub(view.entries().get(closed).map_or(gone.at, |entry| entry.at));
    Verdict::from_iter([check]).bearing(Some(Figure::time("end of input to exit", took)))
}

/// `robust.no-orphans`
pub static NO_ORPHANS: Rule = Rule {
    id: "robust.no-orphans",
    level: Level::Robustness,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "",
    requires: "The subject leaves no process behind.",
    judged: "Looked at is whether processes that it started still ran when its own had ended.",
    untested: "the process did not end by itself",
    judge: no_orphans,
};

fn no_orphans(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() {
        return Verdict::untested();
    }
    view.entries()
        .iter()
        .enumerate()
        .find_map(|(index, entry)| match entry.event {
            Event::Exited { orphans: true, .. } => Some(Err(Breach::at_entry(index, "leaves processes behind"))),
            Event::Exited { orphans: false, .. } => Some(Ok(())),
            _ => None,
        })
        .into_iter()
        .collect()
}

/// `robust.answers-before-eof`
pub static ANSWERS_BEFORE_EOF: Rule = Rule {
    id: "robust.answers-before-eof",
    level: Level::Robustness,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::STDIO,
    clause: "",
    requires: "Requests that arrived before the end of the input are answered before the subject ends.",
    judged: "Only `ping`, `server/discover` and the lists are looked at, since tools may run on for long, and only if \
             they were still open when the harness closed its half of an honest session. Several lost answers are one \
             finding. A subject that does not end at all is left to the rule about that.",
    untested: "no request was open when the harness closed its half",
    judge: answers_before_eof,
};

fn answers_before_eof(view: View<'_>) -> Verdict {
    if !view.is_of_the_run() || own_end(view).is_some() || departures(view).next().is_some() {
        return Verdict::untested();
    }
    let Some(closed) = closed(view) else { return Verdict::untested() };
    let ended =
        view.entries().iter().skip(closed).any(|entry| matches!(entry.event, Event::Ended | Event::Exited { .. }));
    let (opened, astray) = (opened(view), view.answered_astray());
    let mut lost = false;
    let open = || {
        view.every_exchange()
            .filter(|exchange| exchange.request().entry < closed && exchange.open_at(closed))
            .filter(|exchange| !astray.contains(&exchange.request().entry))
            .filter(|exchange| is_quick(*exchange) && opened.is_some_and(|opened| opened < exchange.request().entry))
    };
    let verdict: Verdict = open()
        .filter_map(|exchange| match exchange.fate() {
            Fate::Answered => Some(Ok(())),
            Fate::Unsettled if ended && !std::mem::replace(&mut lost, true) => {
                let what = "ends without an answer to what came before the end of its input";
                Some(Err(Breach::at_entry(closed, what).after(exchange.request())))
            }
            _ => None,
        })
        .collect();
    verdict.bearing(figure::at_once(view, "requests open at the end of the input", open()))
}

fn is_quick(exchange: Exchange<'_>) -> bool {
    let request = exchange.request();
    let method = exchange.method();
    request.is_sound()
        && !request.is_large()
        && !request.in_batch
        && (request.phase == Phase::Operating || request.modern_version().is_some())
        && (["ping", "server/discover"].contains(&method) || LISTS.iter().any(|(list, _, _)| *list == method))
}

/// How the subject ended a session that the harness had not ended.
#[derive(Clone, Copy, Debug)]
struct End {
    entry: usize,
    code: Option<i32>,
    signal: Option<i32>,
    is_http: bool,
}

impl End {
    fn how(self) -> String {
        match (self.code, self.signal) {
            _ if self.is_http => "cannot be reached any more".to_owned(),
            (Some(code), _) => format!("exits with code {code}"),
            (None, Some(signal)) => format!("is ended by signal {signal}"),
            (None, None) => "closes its output".to_owned(),
        }
    }
}

fn own_end(view: View<'_>) -> Option<End> {
    let is_http = view.transport() == Transport::Http;
    if let Some(end) = last_connection(view).filter(|_| is_http) {
        return Some(end);
    }
    let is_end = |event: &Event| matches!(event, Event::Ended | Event::Exited { .. });
    let entry = view.entries().iter().position(|entry| is_end(&entry.event))?;
    if closed(view).is_some_and(|closed| closed < entry) {
        return None;
    }
    let (code, signal) = view
        .entries()
        .iter()
        .find_map(|entry| match entry.event {
            Event::Exited { code, signal, .. } => Some((code, signal)),
            _ => None,
        })
        .unwrap_or_default();
    Some(End { entry, code, signal, is_http })
}

/// The end of a server over HTTP: the first connection that was refused, or was closed without an answer to an honest
/// request, if no response came any more.
fn last_connection(view: View<'_>) -> Option<End> {
    let closed = closed(view).unwrap_or(usize::MAX);
    let heard = view.entries().iter().rposition(|entry| {
        matches!(entry.event, Event::Http { what: Http::Response { .. }, .. } | Event::Received { .. })
    });
    let all = view.session_http();
    let entry = all
        .iter()
        .filter(|http| match http.ending() {
            Some(Ending::Refused(_)) => true,
            Some(Ending::Cut | Ending::Malformed(_)) => http.is_honest() && http.response.is_none(),
            _ => false,
        })
        .filter_map(|http| http.end.map(|(entry, _)| entry))
        .find(|entry| *entry < closed && heard.is_none_or(|heard| heard < *entry))?;
    Some(End { entry, code: None, signal: None, is_http: true })
}

fn closed(view: View<'_>) -> Option<usize> {
    view.entries().iter().position(|entry| matches!(entry.event, Event::Closed | Event::Killed))
}

fn departures(view: View<'_>) -> impl Iterator<Item = usize> {
    view.entries().iter().enumerate().filter(|(_, entry)| is_departure(&entry.event)).map(|(index, _)| index)
}

fn is_departure(event: &Event) -> bool {
    matches!(
        event,
        Event::Sent { intent: Intent::Departure, .. }
            | Event::Http { what: Http::Request { intent: Intent::Departure, .. }, .. }
    )
}

/// The requests whose answer is certain, by their entries.
fn fences<'s>(view: View<'s>) -> HashMap<usize, Exchange<'s>> {
    view.every_exchange()
        .filter(|exchange| exchange.request().intent == Intent::Fence)
        .map(|exchange| (exchange.request().entry, exchange))
        .collect()
}

/// The entry from which on the session is open: the first success, in the legacy era that of `initialize`.
fn opened(view: View<'_>) -> Option<usize> {
    view.every_exchange()
        .filter(|exchange| exchange.is("initialize") || exchange.request().modern_version().is_some())
        .find_map(|exchange| exchange.result().and(exchange.answer()).map(|answer| answer.entry))
}

/// Whether the session ended right behind a request for an unknown method, which has a rule with a clause.
fn ended_by_unknown_method(view: View<'_>) -> bool {
    let last = view.every_message().rev().find(|message| message.by == Speaker::Peer).map(|message| message.entry);
    own_end(view).is_some()
        && view.every_exchange().any(|exchange| {
            Some(exchange.request().entry) == last && exchange.fate() == Fate::Cut && is_missing(exchange)
        })
}
