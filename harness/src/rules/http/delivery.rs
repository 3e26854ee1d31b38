//! Several streams at once: which of them a message comes on, and what asking for the rest of one brings.

use std::collections::{BTreeSet, HashMap};

use super::{LAST_EVENT_ID, SESSION_ID, answered_id, is_resumption, method_of, streamable, within};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::http::Part;
use crate::session::{HttpExchange, View};
use crate::transcript::EventData;
use crate::wire::{Id, Value};

const STREAMABLE: Revisions = Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25);

pub(super) static NO_BROADCAST: Rule = Rule {
    id: "http.sse.no-broadcast",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#multiple-connections",
    requires: "A message is sent on one of the connected streams only.",
    judged: "Requests of the server and progress while several streams of one client were open: the same id or the same \
             progress on two of them is one message. Changes of lists and resources are counted: a tool call that leads to \
             as many notices on each of several streams as it does on one alone has them broadcast. What comes when a stream \
             is resumed is no duplicate, and a second stream may be refused.",
    untested: "no message came while several streams of one client were open",
    judge: no_broadcast,
};

fn no_broadcast(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let heard = heard(&all);
    let mut seen: HashMap<(u32, String, String), &Heard<'_>> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for one in heard.iter().filter(|one| one.open.len() > 1) {
        let Some(instance) = one.instance() else { continue };
        let Some(http) = all.get(one.stream) else { continue };
        let first = *seen.entry((http.client, one.method.clone(), instance)).or_insert(one);
        if first.stream == one.stream || !one.open.contains(&first.stream) {
            checks.push(Ok(()));
        } else {
            let breach = within(http, one.entry, format!("sends the same {} on two streams", one.method));
            checks.push(Err(breach.after_entry(first.entry)));
        }
    }
    checks.extend(broadcast_changes(view, &all, &heard));
    checks.into_iter().collect()
}

/// A request or notification on a stream that resumes no other.
struct Heard<'s> {
    /// The place of the stream among all requests.
    stream: usize,
    entry: usize,
    method: String,
    message: Value<'s>,
    /// The places of all streams of the client that were open.
    open: BTreeSet<usize>,
}

impl Heard<'_> {
    /// What two messages have in common if they are the same one; nothing where that cannot be told.
    fn instance(&self) -> Option<String> {
        if self.message.member("id").is_some() {
            return Some(self.message.raw().to_owned());
        }
        let params = self.message.member("params").filter(|_| self.method == "notifications/progress")?;
        Some(params.raw().to_owned())
    }
}

fn heard<'s>(all: &[&'s HttpExchange<'s>]) -> Vec<Heard<'s>> {
    enum Moment<'s> {
        Opened,
        Said(String, Value<'s>),
        Over,
    }
    let mut moments: Vec<(usize, usize, Moment<'s>)> = Vec::new();
    for (place, http) in all.iter().enumerate().filter(|(_, http)| http.is_stream() && !is_resumption(http)) {
        let Some(response) = http.response else { continue };
        moments.push((response.entry, place, Moment::Opened));
        let said = http.messages().filter_map(|(entry, message)| Some((entry, method_of(message)?, message)));
        moments.extend(said.map(|(entry, method, message)| (entry, place, Moment::Said(method, message))));
        moments.extend(http.end.map(|(end, _)| (end, place, Moment::Over)));
    }
    moments.sort_by_key(|(entry, ..)| *entry);
    let mut open: HashMap<u32, BTreeSet<usize>> = HashMap::new();
    let mut heard = Vec::new();
    for (entry, stream, moment) in moments {
        let Some(http) = all.get(stream) else { continue };
        let open = open.entry(http.client).or_default();
        match moment {
            Moment::Opened => {
                open.insert(stream);
            }
            Moment::Said(method, message) => {
                heard.push(Heard { stream, entry, method, message, open: open.clone() });
            }
            Moment::Over => {
                open.remove(&stream);
            }
        }
    }
    heard
}

/// What a tool call led to, told on the streams of GETs.
struct Change<'h, 's> {
    /// The tool and its arguments.
    call: (&'s str, &'s str),
    /// The notices, and how many streams of GETs were open.
    notices: Vec<&'h Heard<'s>>,
    listening: usize,
}

/// Changes of which as many notices came on each of several streams as on one alone.
fn broadcast_changes<'s>(view: View<'s>, all: &[&'s HttpExchange<'s>], heard: &[Heard<'s>]) -> Vec<Check> {
    let is_get = |place: &usize| all.get(*place).is_some_and(|http| http.verb == "GET" && http.client == 0);
    let calls: Vec<_> = view.exchanges().filter(|exchange| exchange.is("tools/call")).collect();
    let mut changes: Vec<Change<'_, 's>> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let until = calls.get(index + 1).map_or(usize::MAX, |next| next.request().entry);
        let notices: Vec<&Heard<'_>> = heard
            .iter()
            .filter(|one| (call.request().entry..until).contains(&one.entry) && is_get(&one.stream))
            .filter(|one| one.method.ends_with("/list_changed") || one.method == "notifications/resources/updated")
            .collect();
        let listening = notices.iter().map(|one| one.open.iter().filter(|place| is_get(place)).count()).max();
        let part = |key: &str| call.param(key).map_or("", Value::raw);
        let call = (part("name"), part("arguments"));
        changes.extend(listening.map(|listening| Change { call, notices, listening }));
    }
    let mut checks = Vec::new();
    for change in changes.iter().filter(|change| change.listening > 1) {
        let alone = changes.iter().filter(|other| other.listening == 1 && other.call == change.call);
        for other in alone.take(1) {
            checks.extend(other.methods().into_iter().map(|method| compare(change, method, other.count(method), all)));
        }
    }
    checks
}

impl<'h, 's> Change<'h, 's> {
    fn methods(&self) -> BTreeSet<&'h str> {
        self.notices.iter().map(|one| one.method.as_str()).collect()
    }

    fn count(&self, method: &str) -> usize {
        self.notices.iter().filter(|one| one.method == method).count()
    }
}

fn compare(change: &Change<'_, '_>, method: &str, alone: usize, all: &[&HttpExchange<'_>]) -> Check {
    let mut per_stream: HashMap<usize, Vec<&Heard<'_>>> = HashMap::new();
    for one in change.notices.iter().filter(|one| one.method == method) {
        per_stream.entry(one.stream).or_default().push(one);
    }
    let full: Vec<&Vec<&Heard<'_>>> = per_stream.values().filter(|notices| notices.len() >= alone).collect();
    let last = full.iter().filter_map(|notices| notices.last()).max_by_key(|one| one.entry);
    match last.and_then(|last| Some((last, all.get(last.stream)?))) {
        Some((last, http)) if full.len() > 1 => {
            let mut breach: Breach = within(http, last.entry, format!("sends {method} on every stream of the client"));
            let others = full.iter().filter_map(|notices| notices.last()).filter(|one| one.stream != last.stream);
            let mut before: Vec<usize> = others.map(|one| one.entry).collect();
            before.sort_unstable();
            breach.entries.splice(0..0, before);
            Err(breach)
        }
        _ => Ok(()),
    }
}

pub(super) static EVENT_ID_UNIQUE: Rule = Rule {
    id: "http.sse.event-id-unique",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#resumability-and-redelivery",
    requires: "Event ids are unique over all streams of a session.",
    judged: "The ids of events on all streams of a session, or of a client where there are no session ids. What comes when a \
             stream is resumed may have come before. Within one stream, an event without data may share its id.",
    untested: "the server gives events no ids, or sent only one event",
    judge: event_id_unique,
};

fn event_id_unique(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let mut seen: HashMap<(u32, &str, &str), (usize, bool)> = HashMap::new();
    let mut checks: Vec<Check> = Vec::new();
    for (place, http) in all.iter().enumerate().filter(|(_, http)| !is_resumption(http)) {
        let given = http.response.and_then(|response| response.headers.value(SESSION_ID));
        let session = http.headers.value(SESSION_ID).or(given).unwrap_or_default();
        for (entry, id, empty) in events(http) {
            let before = seen.insert((http.client, session, id), (place, empty));
            checks.push(match before {
                Some((other, without)) if other != place || !(empty || without) => {
                    let what = format!("gives two events the id {:?}", id.chars().take(60).collect::<String>());
                    Err(within(http, entry, what))
                }
                _ => Ok(()),
            });
        }
    }
    if checks.len() < 2 { Verdict::untested() } else { checks.into_iter().collect() }
}

/// The events of a response that have an id: entry, id, and whether they have no data.
fn events<'h, 's>(http: &'h HttpExchange<'s>) -> impl Iterator<Item = (usize, &'s str, bool)> + use<'h, 's> {
    http.events().filter_map(|event| match event {
        Part::Event { entry, id: Some(id), data, .. } if !id.is_empty() => Some((entry, id, *data == EventData::Empty)),
        _ => None,
    })
}

pub(super) static REPLAY_OWN_STREAM_ONLY: Rule = Rule {
    id: "http.sse.replay-own-stream-only",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: STREAMABLE,
    transports: Transports::HTTP,
    clause: "2025-11-25/basic/transports#resumability-and-redelivery",
    requires: "What is replayed is what came later on the stream whose event id was given, and nothing of another stream.",
    judged: "What came on GETs with a Last-Event-ID that the server gave before: responses and progress of requests that \
             opened another stream, events that came on another stream, and events from before the id break the rule. The \
             event of the id itself is a warning. A server may ignore the header, and new notices are no replay.",
    untested: "nothing came when a stream was resumed, or the server gives events no ids",
    judge: replay_own_stream_only,
};

fn replay_own_stream_only(view: View<'_>) -> Verdict {
    let all = streamable(view);
    let streams = Streams::of(&all);
    all.iter()
        .enumerate()
        .filter(|(_, http)| is_resumption(http) && http.is_stream() && http.parts.iter().any(is_message))
        .filter_map(|(place, http)| streams.replay(place, http))
        .flatten()
        .collect()
}

fn is_message(part: &Part<'_>) -> bool {
    matches!(part, Part::Message { .. })
}

/// Where events and requests have their place: streams by their place among all requests, for each client.
pub(in crate::rules) struct Streams<'h, 's> {
    all: &'h [&'s HttpExchange<'s>],
    /// The stream and entry at which an event came first.
    events: HashMap<(u32, &'s str), (usize, usize)>,
    requests: HashMap<(u32, Id), usize>,
    tokens: HashMap<(u32, Id), usize>,
}

impl<'h, 's> Streams<'h, 's> {
    pub(in crate::rules) fn of(all: &'h [&'s HttpExchange<'s>]) -> Self {
        let mut events_by_id: HashMap<(u32, &'s str), (usize, usize)> = HashMap::new();
        let (mut requests, mut tokens) = (HashMap::new(), HashMap::new());
        for (place, http) in all.iter().enumerate() {
            for (entry, id, _) in events(http) {
                let first = events_by_id.entry((http.client, id)).or_insert((place, entry));
                if entry < first.1 {
                    *first = (place, entry);
                }
            }
            requests.extend(http.id().map(|id| ((http.client, id), place)));
            let token = http.body().and_then(|body| body.path(&["params", "_meta", "progressToken"]));
            tokens.extend(token.map(|token| ((http.client, Id::read(token)), place)));
        }
        Self { all, events: events_by_id, requests, tokens }
    }

    /// The stream that a response belongs to: itself, or the one that it resumes. None if that is unknown.
    pub(in crate::rules) fn root(&self, place: usize) -> Option<usize> {
        let mut place = place;
        loop {
            let http = self.all.get(place)?;
            if !is_resumption(http) {
                return Some(place);
            }
            let after = http.headers.value(LAST_EVENT_ID)?;
            let (earlier, _) = *self.events.get(&(http.client, after))?;
            if earlier >= place {
                return None;
            }
            place = earlier;
        }
    }

    fn replay(&self, place: usize, http: &HttpExchange<'s>) -> Option<Vec<Check>> {
        let root = self.root(place)?;
        let after = http.headers.value(LAST_EVENT_ID)?;
        let (_, given) = *self.events.get(&(http.client, after))?;
        if given > http.entry {
            return None;
        }
        let mut checks = vec![Ok(())];
        let mut fault = |entry: usize, what: &str, warning: bool| {
            let breach = within(http, entry, what);
            checks.push(Err(if warning { breach.as_warning() } else { breach }));
        };
        for (entry, id, _) in events(http) {
            let Some((first, came)) = self.events.get(&(http.client, id)).copied() else { continue };
            if came >= entry {
                continue;
            }
            if self.root(first) != Some(root) {
                fault(entry, "replays an event of another stream", false);
            } else if came < given {
                fault(entry, "replays an event from before the last one that the client has", false);
            } else if came == given {
                fault(entry, "replays the last event that the client has", true);
            }
        }
        for (entry, message) in http.messages() {
            let owner = match answered_id(message) {
                Some(id) => self.requests.get(&(http.client, id)),
                None => {
                    let token = message.path(&["params", "progressToken"]).map(Id::read);
                    token.and_then(|token| self.tokens.get(&(http.client, token)))
                }
            };
            if owner.is_some_and(|owner| *owner != root) {
                fault(entry, "replays what belongs to the stream of another request", false);
            }
        }
        Some(checks)
    }
}
