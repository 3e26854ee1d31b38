//! The interpreter of a script: what to say next, given what was heard. It does no I/O and knows no clock.
//!
//! Apart from its script's departures it is a scrupulously honest client. The driver ([`crate::play`]) owns the link: it
//! asks for the next [`Action`], carries it out, and tells the peer what happened.
//!
//! - `annotated`: arguments that belong into header lines too
//! - `calls`: calling tools
//! - `carried`: messages on their way over HTTP
//! - `compose`: building messages
//! - `each`: asking for everything that was listed
//! - `fill`: placeholders in scripts
//! - `heard`: what is remembered of what the subject said
//! - `http`: messages over HTTP
//! - `reply`: answering the subject's requests
//! - `saying`: what a script says, as bytes
//! - [`server`]: the other side, for clients under test

mod annotated;
mod calls;
mod carried;
mod compose;
mod each;
mod fill;
mod heard;
mod http;
mod reply;
mod saying;
pub mod server;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::adapter::{Asked, Then};
use crate::revision::{Era, Revision};
use crate::script::{Answer, Carriage, Fixtures, Framing, Hello, Opening, Request, Say, Script, Step, What};
use crate::session::{Message, Speaker};
use crate::transcript::{Delivery, Event, Http as Happening, Intent};
use crate::wire::http::{self as wire, Endpoint, Headers};
use crate::wire::{Frame, Id};

use heard::Heard;
use http::Http;

/// How often an input-required result is answered before the peer gives up.
const MOST_ROUNDS: u32 = 4;

/// What the driver should do.
#[derive(Debug)]
pub enum Action {
    /// Write this.
    Send(Sending),
    /// Close the connection of the HTTP request of this number.
    HangUp(u32),
    /// Read nothing more; over HTTP, no responses to what is sent from here on, but to fences.
    StopReading,
    /// Read on, once all is written that there is to write, or no more of it is taken.
    ReadOn,
    /// Wait for the subject, this patiently.
    Wait(Patience),
    /// Nothing is open any more: listen for a grace, then note that the session is settled.
    Settle,
    /// Write this to the harness's standard error, as a server may.
    Complain(String),
    /// Close the harness's half, and listen until the subject has ended.
    Close,
    /// End as a server does that has failed, with this exit status, and listen until the subject has ended.
    Exit(i32),
    /// Nothing is left to do.
    Done,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// For an answer that is due: the time-out.
    Full,
    /// For an answer that may never come, after a departure: some round trips.
    Brief,
    /// For a client to give up by itself.
    Long,
    /// Until this long after the session was opened: the harness has something to do then.
    Until(Duration),
}

/// The interpreter of a script, on either side.
pub trait Player: Send {
    /// What to do now, this long after the session was opened.
    fn proceed(&mut self, now: Duration) -> Action;

    /// The subject said something; what comes back is to be sent at once.
    ///
    /// Over HTTP it stood in the response to the request of that number.
    fn heard(&mut self, frame: &Frame, via: Option<u32>) -> Vec<Sending>;

    /// The subject sent a whole HTTP request.
    fn asked(&mut self, number: u32, asked: Asked) {
        let _ = (number, asked);
    }

    /// Something else happened to an HTTP request; what comes back is to be sent at once.
    fn happened(&mut self, number: u32, what: &Happening) -> Vec<Sending>;

    /// The wait was in vain. Gives the ids that were due an answer and did not get one.
    fn expired(&mut self) -> Vec<Id>;

    /// Whether the answer to a fence is awaited.
    fn awaits_fence(&self) -> bool;

    /// Asks for another fence before the rest.
    fn fence_first(&mut self);

    /// Puts the fences back in front.
    fn settle_again(&mut self);

    /// Fences were answered and a grace passed.
    fn settled(&mut self) {}

    /// The subject's output ended.
    fn ended(&mut self);

    /// The subject, a client, started its server anew.
    fn restarted(&mut self) {}

    /// Whether the subject's output ended.
    fn has_ended(&self) -> bool;
}

/// Bytes to write, and the messages that they are.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// To be written one after the other; more than one only where a message is split.
    pub pieces: Vec<Vec<u8>>,
    /// What the transcript records.
    pub records: Vec<Record>,
    /// Over HTTP, in place of the pieces: the requests that carry the messages, one each, or that carry none.
    pub requests: Vec<HttpRequest>,
    /// Over HTTP, to a client: parts of responses to its requests.
    pub responses: Vec<Responding>,
}

/// A part of the response to an HTTP request of the subject.
#[derive(Clone, Debug)]
pub struct Responding {
    /// The number of the request.
    pub number: u32,
    /// What the transcript records of it.
    pub events: Vec<Event>,
    /// To be written one after the other.
    pub pieces: Vec<Vec<u8>>,
    /// What becomes of the connection behind them.
    pub then: Then,
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its bytes.
    pub frame: Frame,
    /// Why it is sent.
    pub intent: Intent,
    /// How it is put on the wire.
    pub delivery: Delivery,
    /// How it travels over HTTP.
    carriage: Carriage,
    split: u32,
    /// The end of the response is waited for, since its answers are another client's.
    awaited: bool,
}

impl Record {
    fn new(text: impl Into<Vec<u8>>, intent: Intent, delivery: Delivery) -> Self {
        Self { frame: Frame::new(text), intent, delivery, carriage: Carriage::default(), split: 1, awaited: false }
    }

    fn said(frame: Frame, intent: Intent, delivery: Delivery, say: &Say) -> Self {
        let awaited = say.wait && say.http.client != 0;
        let delivery = match say.http.body {
            Framing::Truncated | Framing::Unended => Delivery::Unended,
            Framing::HalfClosed => Delivery::HalfClosed,
            _ => delivery,
        };
        Self { frame, intent, delivery, carriage: say.http.clone(), split: say.split, awaited }
    }

    fn is_honest(&self) -> bool {
        self.intent != Intent::Departure
    }
}

/// An HTTP request to send.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Its number in the session.
    pub number: u32,
    /// Which client sends it.
    pub client: u32,
    /// Whether a script departed from honesty in it, apart from the message that it carries.
    pub intent: Intent,
    /// The request itself.
    pub request: wire::Request,
    /// Its header lines as a transcript shows them: what the operator of the subject wants is nobody else's business.
    pub shown: Headers,
    /// The connection is closed behind it.
    pub cut: bool,
    /// How long to wait before, as the server wanted.
    pub delay: Duration,
}

/// What the peer is to play.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The script.
    pub script: &'a Script,
    /// The revision that the honest side speaks.
    pub revision: Revision,
    /// What may be used of the subject.
    pub fixtures: &'a Fixtures,
    /// Whether tools that may have effects are called too.
    pub call_tools: bool,
    /// Where the subject is, if it is reached over HTTP.
    pub endpoint: Option<&'a Endpoint>,
}

/// The interpreter of one script in one session.
#[derive(Debug)]
pub struct Peer<'a> {
    part: Part<'a>,
    tasks: VecDeque<Task>,
    waiting: Option<Waiting>,
    next_id: i64,
    /// Requests without an answer: the text of the id, and what the answer is needed for.
    open: HashMap<Id, Purpose>,
    /// The ids that stood in anything that the script said.
    used: HashSet<Id>,
    /// The subject can be asked something whose answer is certain.
    established: bool,
    heard: Heard,
    /// How requests of the subject are answered from now on.
    answers: BTreeMap<String, Answer>,
    rounds: u32,
    ended: bool,
    stalled: bool,
    reading: bool,
    http: Http,
}

/// A piece of work; steps become one or more of them.
#[derive(Clone, Debug)]
enum Task {
    Step(Step),
    /// The stream of HTTP+SSE, before anything can be said.
    Connect,
    Hello(Hello, bool),
    Initialized(u32),
    /// The stream of a legacy client for what belongs to no request.
    Listen,
    Http(Request),
    HangUp(String),
    Resume(String, Carriage),
    /// Ends the sessions.
    Farewell,
    Say(Say),
    /// The next page of a walk.
    Page {
        method: String,
        cursor: Option<String>,
        left: u32,
    },
    /// Calls of a step, once the tools are known.
    Calls(Say),
    /// Requests for everything of a kind, once the lists are known.
    Each(String),
    /// A call again, with the input that the subject asked for.
    Again {
        params: Json,
        intent: Intent,
    },
    Fence,
    Settle,
    Close,
}

/// What an answer is needed for.
#[derive(Clone, Debug)]
enum Purpose {
    Nothing,
    Hello { and_initialized: bool },
    Page { method: String, left: u32 },
    Call { params: Json },
    Fence,
}

#[derive(Debug)]
struct Waiting {
    what: For,
    patience: Patience,
}

#[derive(Debug)]
enum For {
    Answers(Due),
    Method(String),
    /// The place where an HTTP+SSE server takes messages.
    Connection,
}

/// The answers that are waited for.
#[derive(Debug, Default)]
struct Due {
    /// All of them, in the order in which those that never come are recorded.
    asked: Vec<Id>,
    /// Those that have not come.
    missing: HashSet<Id>,
    /// One of them shows that the subject lives.
    fence: bool,
    /// The numbers of HTTP requests whose responses have not begun.
    heads: HashSet<u32>,
    /// The numbers of HTTP requests whose responses are not over.
    over: HashSet<u32>,
}

impl Due {
    fn is_done(&self) -> bool {
        self.missing.is_empty() && self.heads.is_empty() && self.over.is_empty()
    }
}

impl<'a> Peer<'a> {
    /// A peer at the start of its script.
    #[must_use]
    pub fn new(part: Part<'a>) -> Self {
        let mut tasks = VecDeque::new();
        if part.endpoint.is_some() && http::is_sse(part) {
            tasks.push_back(Task::Connect);
        }
        if part.script.open != Opening::None {
            tasks.push_back(Task::Hello(part.script.hello.clone(), part.script.open == Opening::Handshake));
        }
        tasks.extend(part.script.steps.iter().cloned().map(Task::Step));
        tasks.extend([Task::Settle, Task::Farewell, Task::Close]);
        Self {
            part,
            tasks,
            waiting: None,
            next_id: 1,
            open: HashMap::new(),
            used: HashSet::new(),
            established: part.revision.era() == Era::Modern,
            heard: Heard::default(),
            answers: part.script.answers.clone(),
            rounds: 0,
            ended: false,
            stalled: false,
            reading: true,
            http: Http::default(),
        }
    }

    /// Takes the place where an HTTP+SSE server takes messages even from an event of another name, so that the session can
    /// go on and a rule can speak of it.
    fn heard_address(&mut self, frame: &Frame) {
        let address = frame.text().filter(|text| text.starts_with('/') || text.starts_with("http"));
        if let (Some(Waiting { what: For::Connection, .. }), Some(address)) = (&self.waiting, address) {
            self.http.connect(address);
            self.waiting = None;
        }
    }

    fn heard_message(&mut self, message: &Message<'_>, replies: &mut Vec<Sending>) {
        if let Some(method) = message.method() {
            if let Some(Waiting { what: For::Method(wanted), .. }) = &self.waiting
                && wanted == method
            {
                self.waiting = None;
            }
            if let Some(id) = &message.id {
                self.heard.asked = Some(id.text().to_owned());
                replies.extend(reply::answer(self.part, &self.answers, message));
            }
            return;
        }
        let Some(purpose) = message.id.as_ref().and_then(|id| self.open.remove(id)) else { return };
        if let (Some(Waiting { what: For::Answers(due), .. }), Some(id)) = (&mut self.waiting, &message.id) {
            due.missing.remove(id);
            if due.is_done() {
                self.waiting = None;
            }
        }
        self.heard.remember(self.part.revision, message);
        self.act_on(purpose, message);
    }

    fn act_on(&mut self, purpose: Purpose, answer: &Message<'_>) {
        match purpose {
            Purpose::Nothing | Purpose::Fence => {}
            Purpose::Hello { and_initialized } => {
                let version = answer.result().and_then(|result| result.member("protocolVersion")?.as_str());
                if let Some(version) = version.filter(|_| self.part.endpoint.is_some()) {
                    self.http.agreed(&version);
                }
                if answer.is_success() {
                    self.established = true;
                    if and_initialized && self.part.revision.era() == Era::Legacy {
                        if self.part.endpoint.is_some() && self.part.script.listens && !http::is_sse(self.part) {
                            self.tasks.push_front(Task::Listen);
                        }
                        self.tasks.push_front(Task::Initialized(0));
                    }
                }
            }
            Purpose::Page { method, left } => {
                let cursor = answer.result().and_then(|result| result.member("nextCursor"));
                if let Some(cursor) = cursor.and_then(|cursor| cursor.as_str())
                    && left > 0
                {
                    self.tasks.push_front(Task::Page { method, cursor: Some(cursor.into_owned()), left });
                }
            }
            Purpose::Call { params } => {
                let wants_input = answer
                    .result()
                    .and_then(|result| result.member("resultType"))
                    .is_some_and(|kind| kind.is("input_required"));
                let silent = self.answers.values().any(|answer| *answer == Answer::Silent);
                if wants_input && !silent && self.rounds < MOST_ROUNDS {
                    self.rounds += 1;
                    if let Some((params, intent)) = reply::with_input(self.part, &self.answers, params, answer) {
                        self.tasks.push_front(Task::Again { params, intent });
                    }
                } else {
                    self.rounds = 0;
                }
            }
        }
    }

    fn carry_out(&mut self, task: Task) -> Option<Sending> {
        match task {
            Task::Step(step) => self.step(step),
            Task::Hello(hello, and_initialized) => Some(self.hello(&hello, and_initialized)),
            Task::Initialized(client) => {
                let message = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
                let mut sending = compose::lone(&message, Intent::Honest);
                sending.records.iter_mut().for_each(|record| record.carriage.client = client);
                Some(sending)
            }
            Task::Connect => {
                let sending = self.bare(&Carriage::default(), None, true);
                self.waiting = Some(Waiting { what: For::Connection, patience: Patience::Full });
                sending
            }
            Task::Listen => {
                let sending = self.bare(&Carriage::default(), None, true);
                self.wait_for_heads(sending.as_ref(), Patience::Brief);
                sending
            }
            Task::Http(request) => {
                let sending = self.bare(&request.http, request.body.as_deref(), request.honest);
                if request.wait {
                    let patience = if request.honest { Patience::Full } else { Patience::Brief };
                    self.wait_for_heads(sending.as_ref(), patience);
                }
                sending
            }
            Task::Resume(stream, carriage) => {
                let resumption = self.http.resumption(&stream)?;
                let request = self.http.resume(self.part.endpoint?, &carriage, &resumption);
                let sending = Some(Sending { requests: vec![request], ..Sending::default() });
                self.wait_for_heads(sending.as_ref(), Patience::Brief);
                sending
            }
            Task::Farewell => {
                let mut sending = Sending::default();
                for client in self.http.sessions() {
                    let carriage = Carriage { client, verb: Some("DELETE".to_owned()), ..Carriage::default() };
                    sending.requests.extend(self.bare(&carriage, None, true).into_iter().flat_map(|one| one.requests));
                }
                self.wait_for_heads(Some(&sending), Patience::Brief);
                (!sending.requests.is_empty()).then_some(sending)
            }
            Task::Say(say) => self.say(say),
            Task::Page { method, cursor, left } => Some(self.page(method, cursor, left.saturating_sub(1))),
            Task::Calls(say) => {
                self.plan_calls(say);
                None
            }
            Task::Each(method) => {
                let requests = each::requests(&method, &self.heard.items, self.part.revision);
                requests.into_iter().rev().for_each(|say| self.tasks.push_front(Task::Say(say)));
                None
            }
            Task::Again { params, intent } => {
                let id = self.fresh_id();
                let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params.clone()});
                Some(self.ask(&message, intent, Purpose::Call { params }, Patience::Full))
            }
            Task::Fence => Some(self.fence()),
            Task::HangUp(_) | Task::Settle | Task::Close => None,
        }
    }

    fn step(&mut self, step: Step) -> Option<Sending> {
        match step {
            Step::Say(say) if matches!(say.what, What::Call { .. }) => {
                self.tasks.push_front(Task::Calls(say.clone()));
                if self.needs_tools(&say) {
                    self.tasks.push_front(Task::Page { method: "tools/list".to_owned(), cursor: None, left: 50 });
                }
                None
            }
            Step::Say(say) => self.say(say),
            Step::Burst(says) => self.together(says, false),
            Step::Batch(says) => self.together(says, true),
            Step::Walk { method, pages } => {
                self.tasks.push_front(Task::Page { method, cursor: None, left: pages });
                None
            }
            Step::Each { method } => {
                let lists = each::lists(&method).iter().filter(|(_, member)| !self.heard.items.contains_key(member));
                let walks: Vec<Task> =
                    lists.map(|(list, _)| Task::Page { method: (*list).to_owned(), cursor: None, left: 50 }).collect();
                self.tasks.push_front(Task::Each(method));
                walks.into_iter().for_each(|walk| self.tasks.push_front(walk));
                None
            }
            Step::Answer { method, with } => {
                self.answers.insert(method, with);
                None
            }
            Step::Until { method } => {
                self.waiting = Some(Waiting { what: For::Method(method), patience: Patience::Brief });
                None
            }
            Step::Collect => {
                let mut ids: Vec<Id> = self.open.keys().cloned().collect();
                // Those that are never answered are recorded in this order.
                ids.sort_by(|a, b| (a.text().len(), a.text()).cmp(&(b.text().len(), b.text())));
                self.wait_for(ids, Patience::Full);
                None
            }
            Step::Fence => {
                self.fence_first();
                None
            }
            Step::Handshake(hello) => Some(self.hello(&hello, true)),
            Step::Http(request) => {
                self.tasks.push_front(Task::Http(request));
                None
            }
            Step::Disconnect { stream } => {
                self.tasks.push_front(Task::HangUp(stream));
                None
            }
            Step::Resume { stream, http } => {
                self.tasks.push_front(Task::Resume(stream, http));
                None
            }
            Step::StopReading | Step::ReadOn => None,
            Step::Close => {
                self.tasks.retain(|task| !matches!(task, Task::Close | Task::Settle));
                self.tasks.push_front(Task::Close);
                None
            }
        }
    }

    /// An id that nothing was sent under. A script may have used the next ones in texts of its own, and even what is no
    /// request may be answered.
    fn fresh_id(&mut self) -> i64 {
        while self.used.contains(&Id::number(self.next_id)) {
            self.next_id += 1;
        }
        self.next_id += 1;
        self.next_id - 1
    }

    fn wait_for(&mut self, asked: Vec<Id>, patience: Patience) {
        if !asked.is_empty() {
            let fence = asked.iter().any(|id| matches!(self.open.get(id), Some(Purpose::Fence)));
            let missing = asked.iter().cloned().collect();
            let due = Due { asked, missing, fence, ..Due::default() };
            self.waiting = Some(Waiting { what: For::Answers(due), patience });
        }
    }

    fn ask(&mut self, message: &Json, intent: Intent, purpose: Purpose, patience: Patience) -> Sending {
        let sending = compose::lone(message, intent);
        if let Some(id) = sending.records.first().and_then(|record| compose::id_of(&record.frame)) {
            self.open.insert(id.clone(), purpose);
            self.wait_for(vec![id], patience);
        }
        sending
    }

    fn hello(&mut self, hello: &Hello, and_initialized: bool) -> Sending {
        let id = self.fresh_id();
        let (text, honest) = compose::hello(self.part, hello, id);
        let mut sending = compose::line(text, if honest { Intent::Honest } else { Intent::Departure });
        let other = hello.http.client != 0;
        for record in &mut sending.records {
            record.carriage = hello.http.clone();
            record.awaited = other;
        }
        if other {
            if self.part.revision.era() == Era::Legacy && and_initialized {
                self.tasks.push_front(Task::Initialized(hello.http.client));
            }
            return sending;
        }
        if let Some(id) = sending.records.first().and_then(|record| compose::id_of(&record.frame)) {
            self.open.insert(id.clone(), Purpose::Hello { and_initialized });
            self.wait_for(vec![id], Patience::Full);
        }
        sending
    }

    fn fence(&mut self) -> Sending {
        let id = self.fresh_id();
        let message = compose::fence(self.part, id);
        self.ask(&message, Intent::Fence, Purpose::Fence, Patience::Full)
    }

    fn page(&mut self, method: String, cursor: Option<String>, left: u32) -> Sending {
        let id = self.fresh_id();
        let params = cursor.map(|cursor| json!({"cursor": cursor}));
        let message = compose::request(self.part, json!(id), &method, params);
        self.ask(&message, Intent::Honest, Purpose::Page { method, left }, Patience::Full)
    }
}

impl Player for Peer<'_> {
    fn proceed(&mut self, _now: Duration) -> Action {
        loop {
            if let Some(waiting) = &self.waiting {
                return Action::Wait(waiting.patience);
            }
            let Some(task) = self.tasks.pop_front() else { return Action::Done };
            let closing = matches!(task, Task::Close | Task::Settle | Task::Farewell);
            // Nothing can be settled while nothing is heard.
            if closing && !std::mem::replace(&mut self.reading, true) {
                self.tasks.push_front(task);
                return Action::ReadOn;
            }
            if (self.ended || self.stalled) && !closing {
                continue;
            }
            match task {
                Task::Step(Step::StopReading) if self.reading => {
                    self.reading = false;
                    return Action::StopReading;
                }
                Task::Step(Step::ReadOn) if !self.reading => {
                    self.reading = true;
                    return Action::ReadOn;
                }
                Task::Close => return Action::Close,
                Task::Settle if self.ended || self.stalled => {}
                Task::Settle if self.http.is_busy() => {
                    self.tasks.push_front(Task::Settle);
                    let due = Due { over: self.http.pending(), ..Due::default() };
                    self.waiting = Some(Waiting { what: For::Answers(due), patience: Patience::Full });
                }
                Task::Settle if !self.established => {}
                Task::Settle => return Action::Settle,
                Task::Farewell if self.ended => {}
                Task::HangUp(stream) => {
                    let open = self.http.named(&stream).filter(|number| self.http.post(*number).is_some());
                    if let Some(number) = open {
                        return Action::HangUp(number);
                    }
                }
                other => {
                    if let Some(sending) = self.carry_out(other) {
                        return Action::Send(self.dispatch(sending));
                    }
                }
            }
        }
    }

    fn fence_first(&mut self) {
        if self.established {
            self.tasks.push_front(Task::Fence);
        }
    }

    fn settle_again(&mut self) {
        self.tasks.push_front(Task::Settle);
    }

    fn awaits_fence(&self) -> bool {
        matches!(&self.waiting, Some(Waiting { what: For::Answers(due), .. }) if due.fence)
    }

    fn heard(&mut self, frame: &Frame, via: Option<u32>) -> Vec<Sending> {
        let Ok(value) = frame.json() else {
            self.heard_address(frame);
            return Vec::new();
        };
        let client = via.and_then(|number| self.http.post(number)).map_or(0, |post| post.client);
        let mut replies = Vec::new();
        let mut each = |item| {
            let message = Message::alone(frame, item, Speaker::Subject);
            if client == 0 {
                self.heard_message(&message, &mut replies);
            } else if message.method().is_some() {
                replies.extend(reply::answer(self.part, &self.answers, &message));
            }
            if let Some(id) = message.id.filter(|_| self.part.endpoint.is_some()) {
                self.http.answered(client, &id);
            }
        };
        if value.is_array() {
            value.items().for_each(each)
        } else {
            each(value)
        }
        for record in replies.iter_mut().flat_map(|reply: &mut Sending| &mut reply.records) {
            record.carriage.client = client;
        }
        replies.into_iter().map(|reply| self.carried(reply)).collect()
    }

    fn ended(&mut self) {
        self.ended = true;
        self.waiting = None;
    }

    fn has_ended(&self) -> bool {
        self.ended
    }

    fn expired(&mut self) -> Vec<Id> {
        let Some(waiting) = self.waiting.take() else { return Vec::new() };
        let Due { mut asked, missing, fence, over, .. } = match waiting.what {
            For::Answers(due) => due,
            For::Method(_) => return Vec::new(),
            For::Connection => {
                self.stalled = true;
                return Vec::new();
            }
        };
        asked.retain(|id| missing.contains(id));
        if waiting.patience == Patience::Brief {
            return Vec::new();
        }
        if !over.is_empty() {
            return self.http.give_up();
        }
        self.http.expired(&asked);
        let hello = asked.iter().any(|id| matches!(self.open.get(id), Some(Purpose::Hello { .. })));
        if fence || hello {
            self.stalled = true;
        } else {
            self.fence_first();
        }
        asked
    }

    fn happened(&mut self, number: u32, what: &Happening) -> Vec<Sending> {
        self.took_place(number, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;

    #[test]
    fn a_message_without_its_newline_is_recorded_as_such_in_a_burst_too() {
        let text = "about = \"\"\nprovokes = []\nopen = \"none\"\n[[step]]\ndo = \"burst\"\nsteps = [\n\
                    { do = \"notify\", method = \"a\" },\n{ do = \"notify\", method = \"b\", newline = false },\n]\n";
        let script = script::file::read("x.toml", "x", text).unwrap();
        let fixtures = Fixtures::new();
        let part = Part {
            script: &script,
            revision: Revision::V2025_11_25,
            fixtures: &fixtures,
            call_tools: false,
            endpoint: None,
        };
        let Action::Send(sending) = Peer::new(part).proceed(Duration::ZERO) else { panic!("a burst comes first") };
        let deliveries: Vec<Delivery> = sending.records.iter().map(|record| record.delivery).collect();
        assert_eq!(deliveries, [Delivery::Burst, Delivery::Unended]);
    }
}
