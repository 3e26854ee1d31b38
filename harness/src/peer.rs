//! The interpreter of a script: what to say next, given what was heard. It does no I/O and knows no clock.
//!
//! Apart from its script's departures it is a scrupulously honest client. The driver ([`crate::play`]) owns the link: it
//! asks for the next [`Action`], carries it out, and tells the peer what happened.
//!
//! - `calls`: calling tools
//! - `compose`: building messages
//! - `each`: asking for everything that was listed
//! - `fill`: placeholders in scripts
//! - `heard`: what is remembered of what the subject said
//! - `reply`: answering the subject's requests

mod calls;
mod compose;
mod each;
mod fill;
mod heard;
mod reply;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::{Value as Json, json};

use crate::revision::{Era, Revision};
use crate::script::{Answer, Fixtures, Hello, Opening, Say, Script, Step, What};
use crate::session::{Message, Speaker};
use crate::transcript::{Delivery, Intent};
use crate::wire::{Frame, Id};

use heard::Heard;

/// How often an input-required result is answered before the peer gives up.
const MOST_ROUNDS: u32 = 4;
/// From this many repetitions on, messages count as a flood.
const FLOOD: u32 = 100;

/// What the driver should do.
#[derive(Debug)]
pub enum Action {
    /// Write this.
    Send(Sending),
    /// Wait for the subject, this patiently.
    Wait(Patience),
    /// Nothing is open any more: listen for a grace, then note that the session is settled.
    Settle,
    /// Close the harness's half, and listen until the subject has ended.
    Close,
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
}

/// Bytes to write, and the messages that they are.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// To be written one after the other; more than one only where a message is split.
    pub pieces: Vec<Vec<u8>>,
    /// What the transcript records.
    pub records: Vec<(Frame, Intent, Delivery)>,
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
}

/// A piece of work; steps become one or more of them.
#[derive(Clone, Debug)]
enum Task {
    Step(Step),
    Hello(Hello, bool),
    Initialized,
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
}

/// The answers that are waited for.
#[derive(Debug)]
struct Due {
    /// All of them, in the order in which those that never come are recorded.
    asked: Vec<Id>,
    /// Those that have not come.
    missing: HashSet<Id>,
    /// One of them shows that the subject lives.
    fence: bool,
}

impl<'a> Peer<'a> {
    /// A peer at the start of its script.
    #[must_use]
    pub fn new(part: Part<'a>) -> Self {
        let mut tasks = VecDeque::new();
        if part.script.open != Opening::None {
            tasks.push_back(Task::Hello(part.script.hello.clone(), part.script.open == Opening::Handshake));
        }
        tasks.extend(part.script.steps.iter().cloned().map(Task::Step));
        tasks.extend([Task::Settle, Task::Close]);
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
        }
    }

    /// What to do now.
    pub fn proceed(&mut self) -> Action {
        loop {
            if let Some(waiting) = &self.waiting {
                return Action::Wait(waiting.patience);
            }
            let Some(task) = self.tasks.pop_front() else { return Action::Done };
            let closing = matches!(task, Task::Close | Task::Settle);
            if (self.ended || self.stalled) && !closing {
                continue;
            }
            match task {
                Task::Close => return Action::Close,
                Task::Settle if self.ended || self.stalled || !self.established => {}
                Task::Settle => return Action::Settle,
                other => {
                    if let Some(sending) = self.carry_out(other) {
                        return Action::Send(sending);
                    }
                }
            }
        }
    }

    /// Asks for another fence before the rest.
    pub fn fence_first(&mut self) {
        if self.established {
            self.tasks.push_front(Task::Fence);
        }
    }

    /// Puts the end of the session, fences included, back in front.
    pub fn settle_again(&mut self) {
        self.tasks.push_front(Task::Settle);
    }

    /// Whether the answer to a fence is awaited.
    #[must_use]
    pub fn awaits_fence(&self) -> bool {
        matches!(&self.waiting, Some(Waiting { what: For::Answers(due), .. }) if due.fence)
    }

    /// The subject said something; what comes back is to be sent at once.
    pub fn heard(&mut self, frame: &Frame) -> Vec<Sending> {
        let Ok(value) = frame.json() else { return Vec::new() };
        let mut replies = Vec::new();
        if value.is_array() {
            value
                .items()
                .for_each(|item| self.heard_message(&Message::alone(frame, item, Speaker::Subject), &mut replies));
        } else {
            self.heard_message(&Message::alone(frame, value, Speaker::Subject), &mut replies);
        }
        replies
    }

    /// The subject's output ended.
    pub fn ended(&mut self) {
        self.ended = true;
        self.waiting = None;
    }

    /// The wait was in vain. Gives the ids that were due an answer and did not get one.
    pub fn expired(&mut self) -> Vec<Id> {
        let Some(waiting) = self.waiting.take() else { return Vec::new() };
        let For::Answers(Due { mut asked, missing, fence }) = waiting.what else { return Vec::new() };
        asked.retain(|id| missing.contains(id));
        if waiting.patience == Patience::Brief {
            return Vec::new();
        }
        let hello = asked.iter().any(|id| matches!(self.open.get(id), Some(Purpose::Hello { .. })));
        if fence || hello {
            self.stalled = true;
        } else {
            self.fence_first();
        }
        asked
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
            if due.missing.is_empty() {
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
                if answer.is_success() {
                    self.established = true;
                    if and_initialized && self.part.revision.era() == Era::Legacy {
                        self.tasks.push_front(Task::Initialized);
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
            Task::Initialized => {
                Some(compose::lone(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), Intent::Honest))
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
            Task::Settle | Task::Close => None,
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
            self.waiting = Some(Waiting { what: For::Answers(Due { asked, missing, fence }), patience });
        }
    }

    fn ask(&mut self, message: &Json, intent: Intent, purpose: Purpose, patience: Patience) -> Sending {
        let sending = compose::lone(message, intent);
        if let Some(id) = sending.records.first().and_then(|(frame, ..)| compose::id_of(frame)) {
            self.open.insert(id.clone(), purpose);
            self.wait_for(vec![id], patience);
        }
        sending
    }

    fn hello(&mut self, hello: &Hello, and_initialized: bool) -> Sending {
        let id = self.fresh_id();
        let (text, honest) = compose::hello(self.part, hello, id);
        let sending = compose::line(text, if honest { Intent::Honest } else { Intent::Departure });
        if let Some(id) = sending.records.first().and_then(|(frame, ..)| compose::id_of(frame)) {
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

    fn say(&mut self, say: Say) -> Option<Sending> {
        let mut sending = Sending::default();
        let mut ids = Vec::new();
        let delivery = match &say {
            say if !say.newline => Delivery::Unended,
            say if say.split > 1 => Delivery::Split,
            say if say.repeat >= FLOOD => Delivery::Flood,
            say if say.repeat > 1 => Delivery::Burst,
            _ => Delivery::Whole,
        };
        let mut bytes = Vec::new();
        for _ in 0..say.repeat {
            let (text, purpose) = self.text_of(&say)?;
            ids.extend(self.note(&text, purpose));
            let intent = if say.honest { Intent::Honest } else { Intent::Departure };
            bytes.extend_from_slice(&text);
            if say.newline {
                bytes.push(b'\n');
            }
            sending.records.push((Frame::new(text), intent, delivery));
        }
        sending.pieces = compose::pieces(bytes, say.split);
        if say.wait {
            self.wait_for(ids, if say.honest { Patience::Full } else { Patience::Brief });
        }
        Some(sending)
    }

    fn together(&mut self, says: Vec<Say>, as_array: bool) -> Option<Sending> {
        let mut sending = Sending::default();
        let (mut bytes, mut ids, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let honest = says.iter().all(|say| say.honest);
        for say in &says {
            let Some((text, purpose)) = self.text_of(say) else { continue };
            let noted = self.note(&text, purpose);
            if say.wait {
                ids.extend(noted);
            }
            if as_array {
                texts.push(text);
                continue;
            }
            bytes.extend_from_slice(&text);
            if say.newline {
                bytes.push(b'\n');
            }
            let intent = if say.honest { Intent::Honest } else { Intent::Departure };
            let delivery = if say.newline { Delivery::Burst } else { Delivery::Unended };
            sending.records.push((Frame::new(text), intent, delivery));
        }
        if as_array {
            let legal = self.part.revision == Revision::V2025_03_26 && !texts.is_empty();
            let array = [b"[".to_vec(), texts.join(&b","[..]), b"]".to_vec()].concat();
            bytes.extend_from_slice(&array);
            bytes.push(b'\n');
            let intent = if honest && legal { Intent::Honest } else { Intent::Departure };
            sending.records.push((Frame::new(array), intent, Delivery::Whole));
        }
        sending.pieces = vec![bytes];
        self.wait_for(ids, if honest && !as_array { Patience::Full } else { Patience::Brief });
        Some(sending)
    }

    /// Opens the request that a text is, if it is one, and gives its id.
    fn note(&mut self, text: &[u8], purpose: Purpose) -> Option<Id> {
        let frame = Frame::new(text);
        self.used.extend(text.split(|byte| *byte == b'\n').flat_map(compose::ids_in));
        let id = compose::id_of(&frame)?;
        self.open.insert(id.clone(), purpose);
        Some(id)
    }

    /// The text of something to say; none where a placeholder has no value.
    fn text_of(&mut self, say: &Say) -> Option<(Vec<u8>, Purpose)> {
        let fresh = matches!(say.what, What::Request { id: None, .. }).then(|| json!(self.fresh_id()));
        let filling = fill::Filling { part: self.part, heard: &self.heard };
        match &say.what {
            What::Bytes(bytes) => Some((bytes.clone(), Purpose::Nothing)),
            What::Text(text) => Some((filling.text(text)?.into_bytes(), Purpose::Nothing)),
            What::Notify { method, params, edits } => {
                let message = compose::notification(self.part, method, params.clone());
                Some((filling.message(compose::edited(message, edits))?.into_bytes(), Purpose::Nothing))
            }
            What::Request { method, params, id, progress, edits } => {
                let id = id.clone().or(fresh).unwrap_or_default();
                let mut message = compose::request(self.part, id, method, params.clone());
                compose::add_progress(&mut message, progress.as_ref());
                if let Some(input) = edits.input {
                    reply::add_input(self.part, &self.heard, input, &mut message)?;
                }
                let text = filling.message(compose::edited(message, edits))?;
                let purpose = match method.as_str() {
                    "initialize" => Purpose::Hello { and_initialized: false },
                    "tools/call" if say.honest => {
                        compose::params_of(&text).map_or(Purpose::Nothing, |params| Purpose::Call { params })
                    }
                    _ => Purpose::Nothing,
                };
                Some((text.into_bytes(), purpose))
            }
            What::Call { .. } => None,
        }
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
        let part = Part { script: &script, revision: Revision::V2025_11_25, fixtures: &fixtures, call_tools: false };
        let Action::Send(sending) = Peer::new(part).proceed() else { panic!("a burst comes first") };
        let deliveries: Vec<Delivery> = sending.records.iter().map(|(_, _, delivery)| *delivery).collect();
        assert_eq!(deliveries, [Delivery::Burst, Delivery::Unended]);
    }
}
