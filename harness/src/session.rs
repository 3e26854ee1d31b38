//! What a transcript means: who asked what, who answered, under which revision, with which capabilities declared.
//!
//! A [`Session`] is built once from a [`Transcript`]. Rules read a [`View`] of it, which shows only the messages that one
//! revision governs: an implementation may speak several in one process, and a message is judged by its own.
//!
//! - [`http`]: HTTP requests with their responses
//! - [`message`]: one message with its place in the protocol
//! - [`sound`]: whether a message leaves a receiver no excuse
//! - [`stray`]: responses that answer nothing by their id, and what they may be answers to
//! - [`exchange`]: a request with its answers and its fate
//! - [`user`]: what the user of a client wanted and what came of it
//! - [`view`]: what rules read

pub mod exchange;
pub mod http;
pub mod message;
pub mod sound;
pub mod stray;
pub mod user;
pub mod view;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

pub use exchange::{Exchange, Fate};
pub use http::HttpExchange;
pub use message::{Message, Phase, Shape, Speaker};
pub use view::View;

use crate::revision::{Era, Revision, Revisions, Side, meta};
use crate::transcript::{Delivery, Ending, Event, Http, Intent, Transcript, Transport};
use crate::wire::{Frame, Id, Value};

/// A transcript with its messages sorted out.
#[derive(Debug)]
pub struct Session<'t> {
    transcript: &'t Transcript,
    messages: Vec<Message<'t>>,
    exchanges: Vec<Pairing>,
    revisions: Revisions,
    last_settled: Option<usize>,
    strays: OnceCell<Vec<stray::Found>>,
    transport: Transport,
    http: Vec<HttpExchange<'t>>,
    user: OnceCell<user::User>,
    /// The entries at which a client started its server again.
    restarts: Vec<usize>,
}

/// A request and what became of it, by index into the messages.
#[derive(Debug)]
struct Pairing {
    request: usize,
    answers: Vec<usize>,
    cancelled: Option<usize>,
    overdue: bool,
    /// The harness asked something else under the same id meanwhile: nobody can say which answer is whose.
    ambiguous: bool,
    fate: Fate,
}

impl<'t> Session<'t> {
    /// Sorts out a transcript. Linear in its length; never fails, whatever is in it.
    #[must_use]
    pub fn new(transcript: &'t Transcript) -> Self {
        Sorter::new(transcript).sort()
    }

    /// The transcript underneath.
    #[must_use]
    pub fn transcript(&self) -> &'t Transcript {
        self.transcript
    }

    /// The revisions that govern at least one message, and the one that the script was run for.
    #[must_use]
    pub fn revisions(&self) -> Revisions {
        self.revisions
    }

    /// How the messages travelled.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Every HTTP request with its response, in order.
    #[must_use]
    pub fn http_exchanges(&self) -> &[HttpExchange<'t>] {
        &self.http
    }

    /// The part of the session that one revision governs.
    #[must_use]
    pub fn view(&'t self, revision: Revision) -> View<'t> {
        View::new(self, revision)
    }
}

/// The exchanges of one asking side under one id. A response goes to the oldest open one, so those that are answered come
/// first, and a peer that asks everything under one id costs no more than another.
#[derive(Debug, Default)]
struct Namesakes {
    /// None for what was no request and may be answered all the same.
    sent: Vec<Option<usize>>,
    answered: usize,
    newest: Option<usize>,
}

impl Namesakes {
    /// The newest exchange, if any is open; of several open ones, the others were newest before.
    fn open(&self) -> Option<usize> {
        self.sent[self.answered..].last().copied().flatten()
    }

    fn push(&mut self, exchange: Option<usize>) {
        self.sent.push(exchange);
        self.newest = exchange.or(self.newest);
    }

    /// The exchange that the next response under this id belongs to.
    fn answer(&mut self) -> Option<usize> {
        let Some(open) = self.sent.get(self.answered) else { return self.newest };
        self.answered += 1;
        *open
    }
}

/// The state of the walk over the entries.
struct Sorter<'t> {
    transcript: &'t Transcript,
    messages: Vec<Message<'t>>,
    exchanges: Vec<Pairing>,
    by_id: HashMap<(Speaker, Id), Namesakes>,
    /// The exchange of each request that an HTTP request carried.
    by_carrier: HashMap<(u32, Speaker, Id), Namesakes>,
    /// The numbers of the HTTP requests of clients other than the first, whose messages are a session of their own, and of
    /// those whose response says nothing in JSON-RPC: a refusal of what asked for no answer.
    others: HashSet<u32>,
    /// The numbers of the HTTP requests that depart from an honest client's apart from their messages.
    odd: HashSet<u32>,
    /// The HTTP requests that ask for an answer in JSON-RPC.
    asking: HashSet<u32>,
    /// The HTTP requests for the rest of a stream, and the events that came so far: what comes again is no new message.
    resumptions: HashSet<u32>,
    events: HashSet<&'t str>,
    /// The ids of what the harness sent as answers before anything was asked under them.
    early: HashSet<Id>,
    again: Option<u32>,
    /// The exchange of each progress token that the peer or subject gave, by its JSON value.
    by_token: HashMap<(Speaker, Id), usize>,
    negotiated: Option<Revision>,
    /// An `initialize` has succeeded.
    opened: bool,
    phase: Phase,
    /// The entries at which a client started its server again.
    restarts: Vec<usize>,
}

impl<'t> Sorter<'t> {
    fn new(transcript: &'t Transcript) -> Self {
        Self {
            transcript,
            messages: Vec::new(),
            exchanges: Vec::new(),
            by_id: HashMap::new(),
            by_carrier: HashMap::new(),
            others: HashSet::new(),
            odd: HashSet::new(),
            asking: HashSet::new(),
            resumptions: HashSet::new(),
            events: HashSet::new(),
            early: HashSet::new(),
            again: None,
            by_token: HashMap::new(),
            negotiated: None,
            opened: false,
            phase: Phase::Before,
            restarts: Vec::new(),
        }
    }

    fn sort(mut self) -> Session<'t> {
        let mut unended = false;
        for (entry, recorded) in self.transcript.entries.iter().enumerate() {
            let template = match &recorded.event {
                Event::Connected { number: 2.., .. } => {
                    self.restarted(entry);
                    continue;
                }
                Event::Http { number, what } => {
                    self.http(*number, what);
                    continue;
                }
                Event::Sent { via: Some(number), .. } | Event::Received { via: Some(number), .. }
                    if self.others.contains(number) =>
                {
                    continue;
                }
                Event::Received { via: Some(number), .. } | Event::Sent { via: Some(number), .. }
                    if self.answers_http(&recorded.event) && self.again.take() == Some(*number) =>
                {
                    continue;
                }
                Event::Sent { frame, intent, delivery, via } => {
                    self.asking.extend(via.filter(|_| self.is_client(Speaker::Peer) && asks(frame)));
                    let torn = *delivery == Delivery::Unended;
                    // Over HTTP nothing comes together with what follows.
                    let own_line = !std::mem::replace(&mut unended, torn && via.is_none()) && !torn;
                    let (intent, delivery) = (*intent, *delivery);
                    let (at, by, via) = (recorded.at, Speaker::Peer, *via);
                    let oddly_carried = via.is_some_and(|via| self.odd.contains(&via));
                    Template { entry, at, by, frame, intent, delivery, own_line, via, oddly_carried }
                }
                Event::Received { frame, via, .. } => {
                    let by = Speaker::Subject;
                    self.asking.extend(via.filter(|_| self.is_client(by) && asks(frame)));
                    Template {
                        entry,
                        at: recorded.at,
                        by,
                        frame,
                        intent: Intent::Honest,
                        delivery: Delivery::Whole,
                        own_line: true,
                        via: *via,
                        oddly_carried: false,
                    }
                }
                _ => continue,
            };
            match template.frame.json() {
                Ok(value) if value.is_array() && !value.is_empty() => {
                    value.items().for_each(|item| self.add(&template, Some(item), true));
                }
                Ok(value) => self.add(&template, Some(value), false),
                Err(_) => self.add(&template, None, false),
            }
        }
        self.note_shared_ids();
        let last_settled = self.transcript.entries.iter().rposition(|entry| entry.event == Event::Settled);
        let http = http::exchanges(self.transcript, &self.messages);
        self.settle(last_settled, &http);
        let asked_for = Revisions::of(&[self.transcript.header.revision]);
        let seen: Revisions =
            self.messages.iter().filter_map(|message| message.revision).chain(asked_for.iter()).collect();
        Session {
            transcript: self.transcript,
            messages: self.messages,
            exchanges: self.exchanges,
            revisions: seen,
            last_settled,
            strays: OnceCell::new(),
            transport: self.transcript.header.transport,
            http,
            user: OnceCell::new(),
            restarts: self.restarts,
        }
    }

    /// The client has started its server anew: what was said to the last process is no business of this one.
    fn restarted(&mut self, entry: usize) {
        self.restarts.push(entry);
        self.by_id.clear();
        self.by_carrier.clear();
        self.by_token.clear();
        self.early.clear();
        self.negotiated = None;
        self.opened = false;
        self.phase = Phase::Before;
    }

    /// Whether a message stands in a response, and not in a request.
    fn answers_http(&self, event: &Event) -> bool {
        matches!(event, Event::Sent { .. }) == (self.transcript.header.side == Side::Client)
    }

    /// Notes what an HTTP request and its response are to the messages in them.
    fn http(&mut self, number: u32, what: &'t Http) {
        match what {
            Http::Request { client: 1.., .. } => {
                self.others.insert(number);
            }
            Http::Request { verb, headers, intent, .. } => {
                if *intent == Intent::Departure {
                    self.odd.insert(number);
                }
                if verb == "DELETE" {
                    self.others.insert(number);
                } else if headers.value("last-event-id").is_some() {
                    self.resumptions.insert(number);
                }
            }
            Http::Response { status: 400.., .. } if !self.asking.contains(&number) => {
                self.others.insert(number);
            }
            Http::Event { id: Some(id), .. } if !self.others.contains(&number) => {
                let is_new = self.events.insert(id);
                self.again = (!is_new && self.resumptions.contains(&number)).then_some(number);
            }
            Http::Event { .. } => self.again = None,
            _ => {}
        }
    }

    fn add(&mut self, template: &Template<'t>, value: Option<Value<'t>>, in_batch: bool) {
        let index = self.messages.len();
        let mut message = Message::read(template, value, in_batch);
        message.phase = self.phase;
        message.revision = self.default_revision();
        self.messages.push(message);
        match self.messages[index].shape {
            Shape::Request => self.request(index),
            Shape::Response => self.response(index),
            Shape::Notification => self.notification(index),
            Shape::Other => self.nonsense(index),
            Shape::Unreadable => {}
        }
    }

    fn default_revision(&self) -> Option<Revision> {
        self.negotiated.or(Some(self.transcript.header.revision))
    }

    fn is_client(&self, by: Speaker) -> bool {
        (by == Speaker::Peer) == (self.transcript.header.side == Side::Server)
    }

    fn request(&mut self, index: usize) {
        let message = &mut self.messages[index];
        let by = message.by;
        let from_client = (by == Speaker::Peer) == (self.transcript.header.side == Side::Server);
        if from_client {
            if let Some(version) = message.modern_version() {
                message.revision = match version.as_str().and_then(|text| Revision::from_wire(&text)) {
                    Some(revision) if revision.era() == Era::Legacy => None,
                    _ => Some(Revision::V2026_07_28),
                };
                message.phase = Phase::Operating;
            } else if message.is("initialize") && self.phase == Phase::Before {
                self.phase = Phase::Handshake;
                message.phase = Phase::Handshake;
            }
        }
        let exchange = self.exchanges.len();
        let mut ambiguous = false;
        if let Some(id) = message.id.clone() {
            // A client may have taken for the answer what was sent under this id before.
            ambiguous = from_client && by == Speaker::Subject && message.via.is_none() && self.early.contains(&id);
            let everywhere = self.by_id.entry((by, id.clone())).or_default();
            // Over HTTP each has a response of its own.
            let here = message.via.map(|via| self.by_carrier.entry((via, by, id)).or_default());
            let namesakes = here.as_deref().unwrap_or(everywhere);
            if by == Speaker::Peer && namesakes.answered < namesakes.sent.len() {
                ambiguous = true;
                namesakes.open().into_iter().for_each(|open| self.exchanges[open].ambiguous = true);
            }
            everywhere.push(Some(exchange));
            here.into_iter().for_each(|here| here.push(Some(exchange)));
        }
        if let Some(token) = message.params().and_then(|params| params.path(&["_meta", "progressToken"])) {
            self.by_token.insert((by, Id::read(token)), exchange);
        }
        self.exchanges.push(Pairing {
            request: index,
            answers: Vec::new(),
            cancelled: None,
            overdue: false,
            ambiguous,
            fate: Fate::Unsettled,
        });
    }

    /// What is no request may be answered under its id, and that is not a second answer to what had the id before.
    fn nonsense(&mut self, index: usize) {
        let message = &self.messages[index];
        let by = message.by;
        let Some(namesakes) = message.id.clone().and_then(|id| self.by_id.get_mut(&(by, id))) else { return };
        if by == Speaker::Peer {
            namesakes.open().into_iter().for_each(|open| self.exchanges[open].ambiguous = true);
            namesakes.push(None);
        }
    }

    fn response(&mut self, index: usize) {
        let message = &self.messages[index];
        let asked_by = message.by.other();
        // What runs into another line is no answer that anybody can read.
        if message.by == Speaker::Peer && !message.own_line {
            return;
        }
        let Some(id) = message.id.clone().filter(|id| !id.is_null()) else { return };
        let carried = message.via.and_then(|via| self.by_carrier.get_mut(&(via, asked_by, id.clone()))?.answer());
        let oldest = self.by_id.get_mut(&(asked_by, id.clone())).and_then(Namesakes::answer);
        let Some(exchange) = carried.or(oldest) else {
            if asked_by == Speaker::Subject {
                self.early.insert(id);
            }
            return;
        };
        self.exchanges[exchange].answers.push(index);
        let request = self.exchanges[exchange].request;
        if self.messages[request].is("initialize") && self.is_client(asked_by) {
            self.initialize_answered(request, index);
        }
        self.messages[index].answers = Some(exchange);
        self.messages[index].revision = self.messages[request].revision;
    }

    fn initialize_answered(&mut self, request: usize, answer: usize) {
        self.opened |= self.messages[answer].is_success();
        let version = self.messages[answer].result().and_then(|result| result.member("protocolVersion"));
        let Some(version) = version else { return };
        let named = version.as_str().and_then(|text| Revision::from_wire(&text));
        let legacy = named.filter(|revision| revision.era() == Era::Legacy);
        if self.negotiated.is_none() {
            self.negotiated = legacy;
            self.messages[request].revision = legacy.or(self.messages[request].revision);
        }
    }

    fn notification(&mut self, index: usize) {
        let message = &self.messages[index];
        let by = message.by;
        let params = message.params();
        if self.is_client(by) {
            if message.is("notifications/initialized") && self.phase == Phase::Handshake && self.opened {
                self.phase = Phase::Operating;
            }
            if message.modern_version().is_some() {
                self.messages[index].revision = Some(Revision::V2026_07_28);
            }
        } else if params.is_some_and(|params| params.path(&["_meta", meta::SUBSCRIPTION_ID]).is_some()) {
            self.messages[index].revision = Some(Revision::V2026_07_28);
        }
        let message = &self.messages[index];
        let about = |member: &str| params.and_then(|params| params.member(member)).map(Id::read);
        if message.is("notifications/cancelled") {
            let exchange =
                about("requestId").and_then(|id| self.by_id.get(&(by, id))).and_then(|namesakes| namesakes.newest);
            if let Some(exchange) = exchange {
                let request = self.exchanges[exchange].request;
                self.messages[index].revision = self.messages[request].revision;
                self.exchanges[exchange].cancelled.get_or_insert(index);
            }
        } else if message.is("notifications/progress") {
            let exchange = about("progressToken").and_then(|token| self.by_token.get(&(by.other(), token)));
            if let Some(exchange) = exchange {
                self.messages[index].revision = self.messages[self.exchanges[*exchange].request].revision;
            }
        }
    }

    /// Marks the messages whose sender used the same id again in one process; 7 and "7" count as the same. Answers use the other's ids.
    fn note_shared_ids(&mut self) {
        fn used<'m>(message: &'m Message<'_>) -> Option<(Speaker, &'m str)> {
            let id = message.id.as_ref().filter(|_| message.answers.is_none())?;
            Some((message.by, id.text().trim_matches('"')))
        }
        let place = |message: &Message<'_>| self.restarts.partition_point(|restart| *restart < message.entry);
        let mut uses: HashMap<(usize, (Speaker, &str)), u32> = HashMap::new();
        for message in &self.messages {
            if let Some(key) = used(message) {
                *uses.entry((place(message), key)).or_default() += 1;
            }
        }
        let is_shared =
            |message: &Message<'_>| used(message).is_some_and(|key| uses.get(&(place(message), key)) > Some(&1));
        let shared: Vec<bool> = self.messages.iter().map(is_shared).collect();
        for (message, shares_id) in self.messages.iter_mut().zip(shared) {
            message.shares_id = shares_id;
        }
    }

    /// Decides what became of each request.
    fn settle(&mut self, last_settled: Option<usize>, http: &[HttpExchange<'_>]) {
        let entries = &self.transcript.entries;
        let end = entries.iter().position(|entry| matches!(entry.event, Event::Ended | Event::Exited { .. }));
        let closed = entries.iter().position(|entry| entry.event == Event::Closed);
        let expired: HashMap<&str, usize> = entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| match &entry.event {
                Event::Expired { id } => Some((id.as_str(), index)),
                _ => None,
            })
            .collect();
        let carriers: HashMap<u32, &HttpExchange<'_>> = http.iter().map(|http| (http.number, http)).collect();
        let sse = self.transcript.header.revision == Revision::V2024_11_05;
        let client = if self.is_client(Speaker::Peer) { Speaker::Peer } else { Speaker::Subject };
        for exchange in &mut self.exchanges {
            let request = &self.messages[exchange.request];
            let asked = request.entry;
            // What a server asks is not answered where it stands.
            let carrier = request.via.filter(|_| request.by == client).and_then(|via| carriers.get(&via).copied());
            // The answers of HTTP+SSE come elsewhere, and yet a refusal is one.
            let http = carrier.filter(|http| !sse || http.is_refused());
            exchange.overdue = request.id.as_ref().and_then(|id| expired.get(id.text())).is_some_and(|index| *index > asked)
                    // What is over without an answer is not waited for.
                    || http.is_some_and(|http| http.ending() == Some(&Ending::Complete) && exchange.answers.is_empty());
            exchange.fate = if !exchange.answers.is_empty() {
                Fate::Answered
            } else if exchange.cancelled.is_some() {
                Fate::Cancelled
            } else if let Some(fate) = http.and_then(fate_of) {
                fate
            } else if exchange.overdue || last_settled.is_some_and(|settled| settled > asked) {
                Fate::Silent
            } else if end.is_some_and(|end| end > asked && closed.is_none_or(|closed| closed > end)) {
                Fate::Cut
            } else {
                Fate::Unsettled
            };
        }
    }
}

/// Whether an answer in JSON-RPC is due to what was sent: to all but notifications and responses.
fn asks(frame: &Frame) -> bool {
    let Some(message) = frame.json().ok().filter(|value| value.is_object()) else { return true };
    let has = |key| message.member(key).is_some();
    match message.member("method") {
        Some(method) => has("id") || !method.is_string(),
        None => !(has("id") || has("result") || has("error")),
    }
}

/// What the end of the HTTP request that carried a message means for it if it got no answer; nothing where the rest of
/// the session tells.
fn fate_of(http: &HttpExchange<'_>) -> Option<Fate> {
    // The stream may be taken up again.
    let resumable = http.parts.iter().any(|part| matches!(part, http::Part::Event { id: Some(_), .. }));
    match http.ending()? {
        Ending::Complete if http.is_refused() => Some(Fate::Refused),
        _ if resumable => None,
        Ending::Complete => Some(Fate::Silent),
        Ending::Cut | Ending::Malformed(_) => Some(Fate::Cut),
        Ending::Dropped | Ending::Refused(_) => Some(Fate::Unsettled),
    }
}

/// What the messages of one entry have in common.
struct Template<'t> {
    entry: usize,
    at: u64,
    by: Speaker,
    frame: &'t Frame,
    intent: Intent,
    delivery: Delivery,
    own_line: bool,
    via: Option<u32>,
    oddly_carried: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::sketch;

    const REVISION: Revision = Revision::V2025_11_25;

    #[test]
    fn requests_under_an_id_in_use_are_nobodys() {
        let transcript = sketch::server(
            REVISION,
            r#"
            handshake
            > {"jsonrpc":"2.0","id":"1","method":"tools/call","params":{"name":"a"}}
            > {"jsonrpc":"2.0","id":"\u0031","method":"tools/list"}
            > {"jsonrpc":"2.0","id":1,"method":"ping"}
            < {"jsonrpc":"2.0","id":"1","result":{"tools":[]}}
            < {"jsonrpc":"2.0","id":1,"result":{}}
            > {"jsonrpc":"2.0","id":1,"method":"prompts/list"}
            "#,
        )
        .unwrap();
        let session = Session::new(&transcript);
        let judged: Vec<&str> = session.view(REVISION).exchanges().map(Exchange::method).collect();
        assert_eq!(judged, ["initialize", "ping", "prompts/list"]);
    }

    #[test]
    fn answers_go_to_the_oldest_open_request_and_then_to_the_newest() {
        let one = |text: &str| format!("{text}\n").repeat(3);
        let asked = one(r#"< {"jsonrpc":"2.0","id":1,"method":"ping"}"#);
        let answered = one(r#"> {"jsonrpc":"2.0","id":1,"result":{}}"#);
        let transcript = sketch::server(REVISION, &format!("{asked}{answered}{answered}")).unwrap();
        let session = Session::new(&transcript);
        let answers: Vec<usize> =
            session.view(REVISION).exchanges_by(Speaker::Subject).map(|exchange| exchange.answers().count()).collect();
        assert_eq!(answers, [1, 1, 4]);
    }
}
