//! The interpreter of a script that plays the server: the reference server's logic, and the moves that depart from it.
//!
//! What the client says goes to an honest server within. What that one says goes out as it is, unless a move of the script
//! is about the message that it answers.
//!
//! - `events`: events of a stream as they are written
//! - `http`: what comes and goes over HTTP
//! - `within`: the honest server

mod events;
mod http;
mod within;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::heard::Heard;
use super::{Action, Part, Patience, Player, Responding, Sending, compose, fill};
use crate::adapter::Asked;
use crate::floor;
use crate::revision::{Era, meta};
use crate::script::hosting::{Act, Hosting, Move, Reply, Timing};
use crate::script::{Edits, Say, What};
use crate::session::{Message, Speaker};
use crate::transcript::{Delivery, Ending, Http, Intent, Transport};
use crate::wire::http::Headers;
use crate::wire::{Frame, Id};

use http::Said;
use within::{Saying, Within, web};

/// More ids of the client are not remembered one by one.
const MOST_IDS: usize = 64;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The interpreter of one script in one session with a client.
#[derive(Debug)]
pub struct ServerPeer<'a> {
    part: Part<'a>,
    transport: Transport,
    within: Within<'a>,
    now: Duration,
    /// How often each move's message came.
    counts: Vec<u32>,
    tasks: VecDeque<Task<'a>>,
    /// What is done even while an answer is waited for: clients need not answer first.
    urgent: VecDeque<Task<'a>>,
    /// Requests of the client whose honest answer a move changes, once it comes.
    awaited: HashMap<Id, &'a Move>,
    /// Answers that are sent once the client says nothing more.
    late: VecDeque<Task<'a>>,
    /// Answers that are sent behind the next one.
    swapped: Vec<Task<'a>>,
    /// The server's own requests without an answer.
    open: HashSet<Id>,
    waiting: Option<Waiting>,
    heard: Heard,
    next_id: i64,
    /// The client can be asked something whose answer is certain.
    established: bool,
    ended: bool,
    /// The client said nothing for as long as it was waited for.
    idle: bool,
    /// A fence was not answered.
    stalled: bool,
    settled: bool,
}

#[derive(Clone, Debug)]
enum Task<'a> {
    Act(&'a Act, Place),
    /// What the honest server within says.
    Honest(Saying),
    /// An honest answer, and what a move makes of it; it is due if it has waited for long enough.
    Answer {
        answer: Saying,
        departure: &'a Move,
        due: bool,
    },
    /// Something that was held back together.
    Several(Vec<Self>),
    Fence,
    Settle,
}

impl Task<'_> {
    /// What it says of the response to the HTTP request of this number.
    fn of(&self, number: u32) -> Option<&Saying> {
        match self {
            Task::Honest(saying) | Task::Answer { answer: saying, .. } if saying.number() == Some(number) => {
                Some(saying)
            }
            _ => None,
        }
    }
}

/// Where over HTTP something is said: in front of or behind the answer to this HTTP request, or wherever a client listens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Anywhere,
    Before(u32),
    Behind(u32),
}

#[derive(Debug)]
struct Waiting {
    ids: Vec<Id>,
    patience: Patience,
    fence: bool,
}

impl<'a> ServerPeer<'a> {
    /// A server at the start of its script, with host and port of an address that nobody is to call, if there is one.
    #[must_use]
    pub fn new(part: Part<'a>, transport: Transport, canary: Option<String>) -> Self {
        let heard = Heard { canary, ..Heard::default() };
        Self::started(part, transport, heard, vec![0; part.script.hosting.moves.len()])
    }

    /// A process that knows nothing of the last one; the script goes on where it was.
    fn started(part: Part<'a>, transport: Transport, heard: Heard, counts: Vec<u32>) -> Self {
        let mut peer = Self {
            part,
            transport,
            within: Within::new(part, transport),
            now: Duration::ZERO,
            counts,
            tasks: VecDeque::new(),
            urgent: VecDeque::new(),
            awaited: HashMap::new(),
            late: VecDeque::new(),
            swapped: Vec::new(),
            open: HashSet::new(),
            waiting: None,
            heard,
            next_id: 1,
            established: false,
            ended: false,
            idle: false,
            stalled: false,
            settled: false,
        };
        if let Some(first) = peer.fitting(&["connection"], None) {
            let acts = first.before.iter().chain(&first.after);
            peer.tasks.extend(acts.map(|act| Task::Act(act, Place::Anywhere)));
        }
        peer
    }

    fn hosting(&self) -> &'a Hosting {
        &self.part.script.hosting
    }

    /// The move that a message of the client brings about, by its method or by the verb that carried it.
    fn fitting(&mut self, names: &[&str], name: Option<&str>) -> Option<&'a Move> {
        let mut found = None;
        let every =
            names.first().is_some_and(|method| *method != "connection" && !method.starts_with("notifications/"));
        for (one, count) in self.hosting().moves.iter().zip(&mut self.counts) {
            let named = one.on.name.as_deref().is_none_or(|wanted| name == Some(wanted));
            if named && (names.contains(&one.on.method.as_str()) || (every && one.on.method == "*")) {
                *count += 1;
                if (one.on.first..=one.on.last).contains(count) && found.is_none() {
                    found = Some(one);
                }
            }
        }
        found
    }

    /// What the honest server within has to say.
    fn collect(&mut self, sayings: Vec<Saying>) {
        for saying in sayings {
            let task = match self.changes(&saying) {
                Some(departure) => Task::Answer { answer: saying, departure, due: false },
                None => Task::Honest(saying),
            };
            self.plan(task);
        }
    }

    /// The move that is about the request which this answers. A request for news is answered by its acknowledgement.
    fn changes(&mut self, saying: &Saying) -> Option<&'a Move> {
        if self.awaited.is_empty() {
            return None;
        }
        let frame = Frame::new(saying.message()?);
        let value = frame.json().ok()?;
        let id = match value.member("method") {
            None => value.member("id"),
            Some(method) if method.is(ACKNOWLEDGED) => value.path(&["params", "_meta", meta::SUBSCRIPTION_ID]),
            Some(_) => None,
        };
        self.awaited.remove(&Id::read(id?))
    }

    /// What comes while something is awaited does not wait as well: a client may want an answer before it gives one. A
    /// short wait holds it up, so that the client is still there to be judged by what it does next.
    fn plan(&mut self, task: Task<'a>) {
        let held_up = self.waiting.as_ref().is_none_or(|waiting| waiting.patience == Patience::Brief);
        if held_up { self.tasks.push_back(task) } else { self.urgent.push_back(task) }
    }

    /// Takes a message, which an HTTP request of this number and verb may have carried. Gives the move that it brings about.
    fn take(&mut self, message: &Message<'_>, carrier: Option<(u32, &str)>) -> Option<&'a Move> {
        let Some(method) = message.method() else {
            let departure = carrier.and_then(|(_, verb)| self.fitting(&[verb], None));
            let Some(id) = message.id.as_ref().filter(|id| self.open.remove(id)) else { return departure };
            if let Some(waiting) = &mut self.waiting {
                waiting.ids.retain(|awaited| awaited != id);
                if waiting.ids.is_empty() {
                    self.waiting = None;
                }
            }
            return departure;
        };
        let params = message.params();
        let name = params.and_then(|params| params.member("name").or(params.member("uri"))?.as_str());
        let names: Vec<&str> = std::iter::once(method).chain(carrier.map(|(_, verb)| verb)).collect();
        let departure = self.fitting(&names, name.as_deref());
        if let Some(id) = &message.id {
            self.heard.asked = Some(id.text().to_owned());
            self.heard.requests += 1;
            if self.heard.ids.len() < MOST_IDS {
                self.heard.ids.push(id.text().to_owned());
            }
            if method == "subscriptions/listen" {
                self.heard.listening.push(id.text().to_owned());
            }
            let unheard = |departure: &&Move| carrier.is_some() && departure.answer.http.unheard;
            if let Some(departure) = departure.filter(|departure| !unheard(departure)) {
                self.awaited.insert(id.clone(), departure);
            }
        }
        if let Some(departure) = departure {
            let place = match carrier {
                Some((number, _)) if message.id.is_some() => Place::Before(number),
                _ => Place::Anywhere,
            };
            departure.before.iter().for_each(|act| self.plan(Task::Act(act, place)));
            if message.id.is_none() && carrier.is_none() {
                departure.after.iter().for_each(|act| self.plan(Task::Act(act, Place::Anywhere)));
            }
        }
        self.established |= method == "notifications/initialized";
        departure
    }

    fn perform(&mut self, task: Task<'a>) -> Option<Action> {
        match task {
            Task::Honest(saying) => {
                if !self.swapped.is_empty() && saying.is_answer() {
                    self.swapped.drain(..).for_each(|held| self.tasks.push_front(held));
                }
                self.utter(saying, None).map(Action::Send)
            }
            Task::Answer { answer, departure, due } => self.answer(answer, departure, due),
            Task::Several(all) => {
                all.into_iter().rev().for_each(|one| self.tasks.push_front(one));
                None
            }
            Task::Act(Act::Say(say), place) => self.say(say, place).map(Action::Send),
            Task::Act(Act::Stderr(text), _) => Some(Action::Complain(self.filling().text(text)?)),
            Task::Act(Act::Exit(status), _) => Some(Action::Exit(*status)),
            Task::Act(Act::Fence, _) => {
                self.tasks.push_front(Task::Settle);
                None
            }
            Task::Settle if self.stalled || !self.can_fence() => None,
            Task::Settle => Some(Action::Settle),
            Task::Fence => {
                let id = self.fresh_id();
                let message = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
                let sending = match &self.within {
                    Within::Lines(_) => Some(compose::lone(&message, Intent::Fence)),
                    Within::Http(_) => {
                        let bytes = message.to_string().into_bytes();
                        self.speak(Place::Anywhere, vec![(bytes, Intent::Fence, Delivery::Whole)])
                    }
                };
                self.open.insert(Id::number(id));
                self.waiting = Some(Waiting { ids: vec![Id::number(id)], patience: Patience::Full, fence: true });
                sending.map(Action::Send)
            }
        }
    }

    /// Says what the honest server within does, or another message in its place.
    fn utter(&mut self, saying: Saying, said: Option<Said>) -> Option<Sending> {
        match (saying, &mut self.within) {
            (Saying::Line(line), _) => Some(match said {
                None => compose::line(line, Intent::Honest),
                Some(Said { bytes, intent, .. }) => compose::line(bytes, intent),
            }),
            (Saying::Web(number, web), Within::Http(front)) => front.carry(number, web, said).map(responding),
            (Saying::Web(..), Within::Lines(_)) => None,
        }
    }

    /// Says something of the server's own over HTTP, where there is a stream for it. Nothing is sent as long as there is
    /// none.
    fn speak(&mut self, place: Place, messages: Vec<(Vec<u8>, Intent, Delivery)>) -> Option<Sending> {
        let Within::Http(front) = &mut self.within else { return None };
        let number = match place {
            Place::Before(number) if front.is_open(number) => Some(number),
            Place::Behind(number) => front.listener().or_else(|| front.is_streaming(number).then_some(number)),
            _ => front.listener(),
        };
        let queued = |number| self.tasks.iter().chain(&self.urgent).find_map(|task| task.of(number));
        let headers: Option<Headers> = match number.and_then(queued) {
            Some(Saying::Web(_, web)) => web.headers().cloned(),
            _ => None,
        };
        let mut sending = Sending::default();
        for (bytes, intent, delivery) in messages {
            let said = Said { bytes, intent, delivery, copies: 1 };
            match number {
                Some(number) => sending.responses.extend(front.say(number, headers.as_ref(), said)),
                None => front.hold(said),
            }
        }
        (!sending.responses.is_empty()).then_some(sending)
    }

    fn can_fence(&self) -> bool {
        let listens = match &self.within {
            Within::Lines(_) => true,
            Within::Http(front) => front.listener().is_some(),
        };
        listens && self.established && !self.ended && self.part.revision.era() == Era::Legacy
    }

    /// The rest of the response that an answer stands in, in the order in which it was planned.
    fn with_rest(&mut self, first: Task<'a>, number: Option<u32>) -> Task<'a> {
        let Some(number) = number else { return first };
        let (rest, others) = self.tasks.drain(..).partition(|task| task.of(number).is_some());
        self.tasks = others;
        let rest: VecDeque<Task<'a>> = rest;
        Task::Several(std::iter::once(first).chain(rest).collect())
    }

    /// The honest answer as the move wants it, and when.
    fn answer(&mut self, answer: Saying, departure: &'a Move, due: bool) -> Option<Action> {
        let Reply { edits, text, timing, split, unended, honest, .. } = &departure.answer;
        let number = answer.number();
        let later = |answer| Task::Answer { answer, departure, due: true };
        match timing {
            Timing::Late if !due => {
                let held = self.with_rest(later(answer), number);
                self.late.push_back(held);
                return None;
            }
            Timing::Swapped if !due && self.swapped.is_empty() => {
                let held = self.with_rest(later(answer), number);
                self.swapped.push(held);
                return None;
            }
            _ => {}
        }
        self.swapped.drain(..).for_each(|held| self.tasks.push_front(held));
        let place = number.map_or(Place::Anywhere, Place::Behind);
        departure.after.iter().rev().for_each(|act| self.tasks.push_front(Task::Act(act, place)));
        if *timing == Timing::Never {
            let _ = self.with_rest(Task::Honest(answer), number);
            return None;
        }
        let line = answer.message()?.to_vec();
        let mut honest = *honest;
        let bytes = match text {
            Some(text) => {
                let text = if text.contains("${id}") { text.replace("${id}", &id_in(&line)) } else { text.clone() };
                self.filling().text(&text)?.into_bytes()
            }
            None if edits.is_empty() => line,
            None => {
                let whole: Json = serde_json::from_slice(&line).ok()?;
                let edits = fitting_edits(&whole, edits);
                honest |= edits.is_empty() && *timing == Timing::Now;
                self.filling().message(compose::edited(whole, &edits))?.into_bytes()
            }
        };
        let intent = if honest { Intent::Honest } else { Intent::Departure };
        let copies = if *timing == Timing::Twice { 2 } else { 1 };
        let delivery = match (unended, *split > 1) {
            (true, _) => Delivery::Unended,
            (false, true) => Delivery::Split,
            (false, false) => Delivery::Whole,
        };
        if number.is_some() {
            let mut sending = self.utter(answer, Some(Said { bytes, intent, delivery, copies }))?;
            for response in &mut sending.responses {
                response.pieces = compose::pieces(response.pieces.concat(), *split);
            }
            return Some(Action::Send(sending));
        }
        let mut sending = Sending::default();
        let mut all = Vec::new();
        for _ in 0..copies {
            all.extend_from_slice(&bytes);
            if !unended {
                all.push(b'\n');
            }
            sending.records.push(super::Record::new(bytes.clone(), intent, delivery));
        }
        sending.pieces = compose::pieces(all, *split);
        Some(Action::Send(sending))
    }

    fn say(&mut self, say: &Say, place: Place) -> Option<Sending> {
        let mut sending = Sending::default();
        let mut bytes = Vec::new();
        let mut ids = Vec::new();
        let delivery = match say {
            say if !say.newline => Delivery::Unended,
            say if say.split > 1 => Delivery::Split,
            say if u64::from(say.repeat) >= floor::IN_FLIGHT => Delivery::Flood,
            say if say.repeat > 1 => Delivery::Burst,
            _ => Delivery::Whole,
        };
        let intent = if say.honest { Intent::Honest } else { Intent::Departure };
        let mut messages = Vec::new();
        for _ in 0..say.repeat {
            let text = self.text_of(say)?;
            if let Some(id) = compose::id_of(&Frame::new(&*text)) {
                self.open.insert(id.clone());
                ids.push(id);
            }
            if matches!(self.within, Within::Http(_)) {
                messages.push((text, intent, delivery));
                continue;
            }
            bytes.extend_from_slice(&text);
            if say.newline {
                bytes.push(b'\n');
            }
            sending.records.push(super::Record::new(text, intent, delivery));
        }
        if !messages.is_empty() {
            // Nobody waits for the answer to what was not sent yet.
            sending = self.speak(place, messages)?;
        }
        if say.wait && !ids.is_empty() {
            let patience = if say.honest { Patience::Full } else { Patience::Brief };
            self.waiting = Some(Waiting { ids, patience, fence: false });
        }
        if sending.responses.is_empty() {
            sending.pieces = compose::pieces(bytes, say.split);
        }
        Some(sending)
    }

    fn text_of(&mut self, say: &Say) -> Option<Vec<u8>> {
        let (method, params, edits, id, progress) = match &say.what {
            What::Bytes(bytes) => return Some(bytes.clone()),
            What::Text(text) => return Some(self.filling().text(text)?.into_bytes()),
            What::Notify { method, params, edits } => (method, params, edits, None, None),
            What::Request { method, params, id, progress, edits } => {
                let id = id.clone().unwrap_or_else(|| json!(self.fresh_id()));
                (method, params, edits, Some(id), progress.as_ref())
            }
            What::Call { .. } => return None,
        };
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if let Some(id) = id {
            message["id"] = id;
        }
        if let Some(params) = params {
            message["params"] = params.clone();
        }
        compose::add_progress(&mut message, progress);
        Some(self.filling().message(compose::edited(message, edits))?.into_bytes())
    }

    fn filling(&self) -> fill::Filling<'_> {
        fill::Filling { part: self.part, heard: &self.heard }
    }

    fn fresh_id(&mut self) -> i64 {
        while self.open.contains(&Id::number(self.next_id)) {
            self.next_id += 1;
        }
        self.next_id += 1;
        self.next_id - 1
    }

    /// What is done once the client has said nothing for as long as it was waited for.
    fn wind_up(&mut self) -> Action {
        if let Some(held) = self.late.pop_front().or_else(|| self.swapped.pop()) {
            self.idle = false;
            self.tasks.push_back(held);
        } else if self.can_fence() && !self.settled && !self.stalled {
            self.tasks.push_back(Task::Settle);
        } else {
            return Action::Close;
        }
        self.proceed(self.now)
    }
}

impl Player for ServerPeer<'_> {
    fn proceed(&mut self, now: Duration) -> Action {
        self.now = now;
        let sayings = self.within.wake(now);
        self.collect(sayings);
        loop {
            if let Some(task) = self.urgent.pop_front() {
                match self.perform(task) {
                    Some(action) => return action,
                    None => continue,
                }
            }
            if self.ended {
                return Action::Close;
            }
            if let Some(waiting) = &self.waiting {
                return Action::Wait(waiting.patience);
            }
            if let Some(task) = self.tasks.pop_front() {
                match self.perform(task) {
                    Some(action) => return action,
                    None => continue,
                }
            }
            if let Some(at) = self.within.wake_at() {
                return Action::Wait(Patience::Until(at));
            }
            if self.idle {
                return self.wind_up();
            }
            return Action::Wait(if self.hosting().patient { Patience::Long } else { Patience::Full });
        }
    }

    fn heard(&mut self, frame: &Frame, _via: Option<u32>) -> Vec<Sending> {
        self.idle = false;
        if let Ok(value) = frame.json() {
            let mut each = |item| {
                self.take(&Message::alone(frame, item, Speaker::Subject), None);
            };
            if value.is_array() { value.items().for_each(each) } else { each(value) }
        }
        let sayings = self.within.heard(self.now, frame);
        self.collect(sayings);
        Vec::new()
    }

    fn asked(&mut self, number: u32, asked: Asked) {
        self.idle = false;
        let verb = asked.verb.clone();
        let frame = Frame::new(asked.body.clone());
        let value = frame.json().ok().filter(|_| verb == "POST");
        let mut asks = false;
        let departure = match value {
            Some(value) if value.is_array() => {
                let moves: Vec<_> = value
                    .items()
                    .filter_map(|item| {
                        self.take(&Message::alone(&frame, item, Speaker::Subject), Some((number, &verb)))
                    })
                    .collect();
                moves.first().copied()
            }
            Some(value) => {
                let message = Message::alone(&frame, value, Speaker::Subject);
                asks = message.method().is_some() && message.id.is_some();
                self.take(&message, Some((number, &verb)))
            }
            None => self.fitting(&[&verb], None),
        };
        let reply = departure.map(|departure| &departure.answer);
        let wrapping = reply.map(|reply| &reply.http);
        let body = wrapping.and_then(|wrapping| self.filling().text(wrapping.body.as_deref()?)).map(String::into_bytes);
        let Within::Http(front) = &mut self.within else { return };
        let pieces = front.asked(self.now, number, asked, asks, wrapping, body);
        let refused = asks && wrapping.is_some_and(|wrapping| wrapping.unheard);
        let silent = reply.is_some_and(|reply| reply.timing == Timing::Never) && (!asks || refused);
        if !silent {
            self.collect(web(pieces));
        }
        if !asks || refused {
            let acts = departure.into_iter().flat_map(|departure| &departure.after);
            acts.for_each(|act| self.plan(Task::Act(act, Place::Behind(number))));
        }
    }

    fn happened(&mut self, number: u32, what: &Http) -> Vec<Sending> {
        if let (Http::End { how: Ending::Dropped }, Within::Http(front)) = (what, &mut self.within) {
            self.idle = false;
            let pieces = front.disconnected(self.now, number);
            self.collect(web(pieces));
        }
        Vec::new()
    }

    fn ended(&mut self) {
        self.ended = true;
        self.waiting = None;
    }

    fn restarted(&mut self) {
        let heard = Heard { canary: self.heard.canary.take(), ..Heard::default() };
        *self = Self::started(self.part, self.transport, heard, std::mem::take(&mut self.counts));
    }

    fn has_ended(&self) -> bool {
        self.ended
    }

    fn expired(&mut self) -> Vec<Id> {
        let Some(waiting) = self.waiting.take() else {
            self.idle = self.within.wake_at().is_none();
            return Vec::new();
        };
        self.stalled |= waiting.fence;
        if waiting.patience == Patience::Brief {
            return Vec::new();
        }
        waiting.ids
    }

    fn awaits_fence(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.fence)
    }

    fn fence_first(&mut self) {
        self.tasks.push_front(Task::Fence);
    }

    fn settle_again(&mut self) {
        self.tasks.push_front(Task::Settle);
    }

    fn settled(&mut self) {
        self.settled = true;
    }
}

/// The changes of an answer without those inside of a result or an error that it does not have.
fn fitting_edits(answer: &Json, edits: &Edits) -> Edits {
    let fits = |pointer: &String| {
        let inside = |member: &str| pointer.strip_prefix('/').is_some_and(|rest| rest.starts_with(member));
        !["result", "error"].iter().any(|member| inside(&format!("{member}/")) && answer.get(member).is_none())
    };
    let mut edits = edits.clone();
    edits.set.retain(|pointer, _| fits(pointer));
    edits.drop.retain(fits);
    edits
}

/// The JSON text of the id in a line.
fn id_in(line: &[u8]) -> String {
    let frame = Frame::new(line);
    let id = frame.json().ok().and_then(|value| value.member("id"));
    id.map_or_else(|| "null".to_owned(), |id| id.raw().to_owned())
}

fn responding(response: Responding) -> Sending {
    Sending { responses: vec![response], ..Sending::default() }
}
