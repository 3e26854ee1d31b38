//! The interpreter of a script that plays the server: the reference server's logic, and the moves that depart from it.
//!
//! What the client says goes to an honest server within. What that one says goes out as it is, unless a move of the script
//! is about the message that it answers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::heard::Heard;
use super::{Action, Part, Patience, Player, Sending, compose, fill};
use crate::floor;
use crate::reference::{Behaviour, Features, Offer, Outbox, Server};
use crate::revision::{Era, Revisions, meta};
use crate::script::hosting::{Act, Feature, Hosting, Move, Reply, Timing};
use crate::script::{Edits, Say, What};
use crate::session::{Message, Speaker};
use crate::transcript::{Delivery, Http, Intent};
use crate::wire::{Frame, Id};

/// More ids of the client are not remembered one by one.
const MOST_IDS: usize = 64;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The interpreter of one script in one session with a client.
#[derive(Debug)]
pub struct ServerPeer<'a> {
    part: Part<'a>,
    server: Server,
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
    Act(&'a Act),
    /// An honest line.
    Line(Vec<u8>),
    /// An honest answer, and what a move makes of it; it is due if it has waited for long enough.
    Answer {
        line: Vec<u8>,
        departure: &'a Move,
        due: bool,
    },
    Fence,
    Settle,
}

#[derive(Debug)]
struct Waiting {
    ids: Vec<Id>,
    patience: Patience,
    fence: bool,
}

impl<'a> ServerPeer<'a> {
    /// A server at the start of its script.
    #[must_use]
    pub fn new(part: Part<'a>) -> Self {
        Self::started(part, vec![0; part.script.hosting.moves.len()])
    }

    /// A process that knows nothing of the last one; the script goes on where it was.
    fn started(part: Part<'a>, counts: Vec<u32>) -> Self {
        let mut peer = Self {
            part,
            server: Server::new(behaviour(part)),
            now: Duration::ZERO,
            counts,
            tasks: VecDeque::new(),
            urgent: VecDeque::new(),
            awaited: HashMap::new(),
            late: VecDeque::new(),
            swapped: Vec::new(),
            open: HashSet::new(),
            waiting: None,
            heard: Heard::default(),
            next_id: 1,
            established: false,
            ended: false,
            idle: false,
            stalled: false,
            settled: false,
        };
        if let Some(first) = peer.fitting("connection", None) {
            peer.tasks.extend(first.before.iter().chain(&first.after).map(Task::Act));
        }
        peer
    }

    fn hosting(&self) -> &'a Hosting {
        &self.part.script.hosting
    }

    /// The move that a message of the client brings about.
    fn fitting(&mut self, method: &str, name: Option<&str>) -> Option<&'a Move> {
        let mut found = None;
        for (one, count) in self.hosting().moves.iter().zip(&mut self.counts) {
            let named = one.on.name.as_deref().is_none_or(|wanted| name == Some(wanted));
            let every = one.on.method == "*" && method != "connection" && !method.starts_with("notifications/");
            if named && (one.on.method == method || every) {
                *count += 1;
                if (one.on.first..=one.on.last).contains(count) && found.is_none() {
                    found = Some(one);
                }
            }
        }
        found
    }

    /// What the honest server within has to say.
    fn collect(&mut self, out: &mut Outbox) {
        let bytes = std::mem::take(&mut out.bytes);
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let task = match self.changes(line) {
                Some(departure) => Task::Answer { line: line.to_vec(), departure, due: false },
                None => Task::Line(line.to_vec()),
            };
            self.plan(task);
        }
    }

    /// The move that is about the request which this line answers. A request for news is answered by its acknowledgement.
    fn changes(&mut self, line: &[u8]) -> Option<&'a Move> {
        if self.awaited.is_empty() {
            return None;
        }
        let frame = Frame::new(line);
        let value = frame.json().ok()?;
        let id = match value.member("method") {
            None => value.member("id"),
            Some(method) if method.is(ACKNOWLEDGED) => value.path(&["params", "_meta", meta::SUBSCRIPTION_ID]),
            Some(_) => None,
        };
        self.awaited.remove(&Id::read(id?))
    }

    fn plan(&mut self, task: Task<'a>) {
        if self.waiting.is_some() { self.urgent.push_back(task) } else { self.tasks.push_back(task) }
    }

    fn take(&mut self, message: &Message<'_>) {
        let Some(method) = message.method() else {
            let Some(id) = message.id.as_ref().filter(|id| self.open.remove(id)) else { return };
            if let Some(waiting) = &mut self.waiting {
                waiting.ids.retain(|awaited| awaited != id);
                if waiting.ids.is_empty() {
                    self.waiting = None;
                }
            }
            return;
        };
        let params = message.params();
        let name = params.and_then(|params| params.member("name").or(params.member("uri"))?.as_str());
        let departure = self.fitting(method, name.as_deref());
        if let Some(departure) = departure {
            departure.before.iter().for_each(|act| self.plan(Task::Act(act)));
        }
        match &message.id {
            Some(id) => {
                self.heard.asked = Some(id.text().to_owned());
                self.heard.requests += 1;
                if self.heard.ids.len() < MOST_IDS {
                    self.heard.ids.push(id.text().to_owned());
                }
                if method == "subscriptions/listen" {
                    self.heard.listening.push(id.text().to_owned());
                }
                departure.into_iter().for_each(|departure| {
                    self.awaited.insert(id.clone(), departure);
                });
            }
            None => {
                departure.into_iter().flat_map(|departure| &departure.after).for_each(|act| self.plan(Task::Act(act)));
            }
        }
        self.established |= method == "notifications/initialized";
    }

    fn perform(&mut self, task: Task<'a>) -> Option<Action> {
        match task {
            Task::Line(line) => {
                if !self.swapped.is_empty() && is_answer(&line) {
                    self.swapped.drain(..).for_each(|held| self.tasks.push_front(held));
                }
                Some(Action::Send(compose::line(line, Intent::Honest)))
            }
            Task::Answer { line, departure, due } => self.answer(line, departure, due),
            Task::Act(Act::Say(say)) => self.say(say).map(Action::Send),
            Task::Act(Act::Stderr(text)) => Some(Action::Complain(self.filling().text(text)?)),
            Task::Act(Act::Exit(status)) => Some(Action::Exit(*status)),
            Task::Act(Act::Fence) => {
                self.tasks.push_front(Task::Settle);
                None
            }
            Task::Settle if self.stalled || !self.can_fence() => None,
            Task::Settle => Some(Action::Settle),
            Task::Fence => {
                let id = self.fresh_id();
                self.open.insert(Id::number(id));
                self.waiting = Some(Waiting { ids: vec![Id::number(id)], patience: Patience::Full, fence: true });
                let message = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
                Some(Action::Send(compose::lone(&message, Intent::Fence)))
            }
        }
    }

    fn can_fence(&self) -> bool {
        self.established && !self.ended && self.part.revision.era() == Era::Legacy
    }

    /// The honest answer as the move wants it, and when.
    fn answer(&mut self, line: Vec<u8>, departure: &'a Move, due: bool) -> Option<Action> {
        let Reply { edits, text, timing, split, unended, honest } = &departure.answer;
        let later = |line| Task::Answer { line, departure, due: true };
        match timing {
            Timing::Late if !due => {
                self.late.push_back(later(line));
                return None;
            }
            Timing::Swapped if !due && self.swapped.is_empty() => {
                self.swapped.push(later(line));
                return None;
            }
            _ => {}
        }
        self.swapped.drain(..).for_each(|held| self.tasks.push_front(held));
        departure.after.iter().rev().for_each(|act| self.tasks.push_front(Task::Act(act)));
        if *timing == Timing::Never {
            return None;
        }
        let bytes = match text {
            Some(text) => {
                let text = if text.contains("${id}") { text.replace("${id}", &id_in(&line)) } else { text.clone() };
                self.filling().text(&text)?.into_bytes()
            }
            None if edits.is_empty() => line,
            None => {
                let honest: Json = serde_json::from_slice(&line).ok()?;
                let edits = fitting_edits(&honest, edits);
                self.filling().message(compose::edited(honest, &edits))?.into_bytes()
            }
        };
        let intent = if *honest { Intent::Honest } else { Intent::Departure };
        let copies = if *timing == Timing::Twice { 2 } else { 1 };
        let delivery = match (unended, *split > 1) {
            (true, _) => Delivery::Unended,
            (false, true) => Delivery::Split,
            (false, false) => Delivery::Whole,
        };
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

    fn say(&mut self, say: &Say) -> Option<Sending> {
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
        for _ in 0..say.repeat {
            let text = self.text_of(say)?;
            if let Some(id) = compose::id_of(&Frame::new(&*text)) {
                self.open.insert(id.clone());
                ids.push(id);
            }
            bytes.extend_from_slice(&text);
            if say.newline {
                bytes.push(b'\n');
            }
            sending.records.push(super::Record::new(text, intent, delivery));
        }
        if say.wait && !ids.is_empty() {
            let patience = if say.honest { Patience::Full } else { Patience::Brief };
            self.waiting = Some(Waiting { ids, patience, fence: false });
        }
        sending.pieces = compose::pieces(bytes, say.split);
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
        let mut out = Outbox::default();
        self.server.wake(now, &mut out);
        self.collect(&mut out);
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
            if let Some(at) = self.server.wake_at() {
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
            let each = |item| self.take(&Message::alone(frame, item, Speaker::Subject));
            if value.is_array() { value.items().for_each(each) } else { std::iter::once(value).for_each(each) }
        }
        let mut out = Outbox::default();
        let mut line = frame.bytes().to_vec();
        line.push(b'\n');
        self.server.receive(self.now, &line, &mut out);
        self.collect(&mut out);
        Vec::new()
    }

    fn happened(&mut self, _number: u32, _what: &Http) -> Vec<Sending> {
        Vec::new()
    }

    fn ended(&mut self) {
        self.ended = true;
        self.waiting = None;
    }

    fn restarted(&mut self) {
        *self = Self::started(self.part, std::mem::take(&mut self.counts));
    }

    fn has_ended(&self) -> bool {
        self.ended
    }

    fn expired(&mut self) -> Vec<Id> {
        let Some(waiting) = self.waiting.take() else {
            self.idle = self.server.wake_at().is_none();
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

/// Whether a line is a response.
fn is_answer(line: &[u8]) -> bool {
    let frame = Frame::new(line);
    frame.json().is_ok_and(|value| value.member("id").is_some() && value.member("method").is_none())
}

/// The changes of an answer without those inside of a result or an error that it does not have.
fn fitting_edits(answer: &Json, edits: &Edits) -> Edits {
    let fits = |pointer: &String| {
        let inside = |member: &str| pointer.strip_prefix('/').is_some_and(|rest| rest.starts_with(member));
        !["result", "error"].iter().any(|member| inside(&format!("{member}/")) && answer.get(member).is_none())
    };
    let mut edits = edits.clone();
    edits.set.retain(|pointer, _| fits(pointer));
    edits
}

/// The JSON text of the id in a line.
fn id_in(line: &[u8]) -> String {
    let frame = Frame::new(line);
    let id = frame.json().ok().and_then(|value| value.member("id"));
    id.map_or_else(|| "null".to_owned(), |id| id.raw().to_owned())
}

/// What the honest server within is like.
fn behaviour(part: Part<'_>) -> Behaviour {
    let hosting = &part.script.hosting;
    let run = Revisions::of(&[part.revision]);
    let mut behaviour = Behaviour::of(if hosting.speaks.is_empty() { run } else { hosting.speaks });
    let features = &mut behaviour.features;
    for feature in &hosting.without {
        without(features, *feature);
    }
    features.page = hosting.page.unwrap_or(features.page);
    behaviour
}

fn without(features: &mut Features, feature: Feature) {
    match feature {
        Feature::Tools => features.tools = Offer::Absent,
        Feature::Prompts => features.prompts = Offer::Absent,
        Feature::Resources => (features.resources, features.subscribe) = (Offer::Absent, false),
        Feature::Subscribe => features.subscribe = false,
        Feature::Completions => features.completions = false,
        Feature::Logging => features.logging = false,
        Feature::Tasks => features.tasks = false,
        Feature::ListChanged => {
            for offer in [&mut features.tools, &mut features.prompts, &mut features.resources] {
                if offer.present() {
                    *offer = Offer::Quiet;
                }
            }
        }
    }
}
