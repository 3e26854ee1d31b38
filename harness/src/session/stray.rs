//! Responses that answer no request by their id, and what they may be answers to.
//!
//! JSON-RPC lets a receiver answer text that it cannot read without an id. Which text such an answer belongs to cannot be
//! seen, only narrowed down: to what was malformed and sent since the last answered request. One answer is allowed for
//! each malformed message, however late it comes.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Exchange, Fate, Message, Session, Shape, Speaker, View};
use crate::revision::{Era, Revision};
use crate::transcript::Delivery;
use crate::wire::{Id, Unreadable};

/// A response that answers no request by its id.
#[derive(Clone, Copy, Debug)]
pub struct Stray<'s> {
    /// The response, or a line that looks like one.
    pub response: &'s Message<'s>,
    /// What it is taken for.
    pub cause: Cause<&'s Message<'s>>,
}

/// What a stray response is most leniently taken for.
#[derive(Clone, Copy, Debug)]
pub enum Cause<M> {
    /// The answer to text that is no JSON.
    Garbage(M),
    /// The answer to JSON that is no request.
    Invalid(M),
    /// The answer to something that is wrong in another way, or to one of several things.
    Unclear,
    /// The answer to this request, with its id in another type.
    Mistyped(M),
    /// The answer to this request, which got none, without its id.
    Unanswered(M),
    /// An answer under an id that nobody used, perhaps to this request, which got none.
    Foreign(Option<M>),
    /// A line that cannot be read, perhaps the answer to this request, which got none.
    Unreadable(M),
    /// The answer to this notification.
    Notification(M),
    /// Nothing that was sent explains it.
    Nothing,
}

impl<M> Cause<M> {
    fn map<N>(self, find: impl Fn(M) -> N) -> Cause<N> {
        match self {
            Self::Garbage(message) => Cause::Garbage(find(message)),
            Self::Invalid(message) => Cause::Invalid(find(message)),
            Self::Unclear => Cause::Unclear,
            Self::Mistyped(request) => Cause::Mistyped(find(request)),
            Self::Unanswered(request) => Cause::Unanswered(find(request)),
            Self::Foreign(request) => Cause::Foreign(request.map(find)),
            Self::Unreadable(request) => Cause::Unreadable(find(request)),
            Self::Notification(notification) => Cause::Notification(find(notification)),
            Self::Nothing => Cause::Nothing,
        }
    }
}

/// How a message of the harness is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is JSON to no reader.
    Garbage,
    /// It is JSON and surely no request.
    Invalid,
    /// A receiver may stumble over it in one way or another.
    Unclear,
}

/// The characters of an id without its type.
#[must_use]
pub fn spelling(id: &Id) -> &str {
    id.text().trim_matches('"')
}

impl Message<'_> {
    /// How the message is wrong; none if a receiver has no excuse for not understanding it.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        *self.fault.get_or_init(|| fault(self))
    }
}

fn fault(message: &Message<'_>) -> Option<Fault> {
    let batch_allowed = message.revision == Some(Revision::V2025_03_26);
    let unusual = message.is_large() || message.holds_other_line_ends();
    if message.is_sound() && !unusual && (!message.in_batch || batch_allowed) {
        return None;
    }
    if !message.own_line || message.in_batch || unusual || message.frame.bytes().contains(&b'\n') {
        return Some(Fault::Unclear);
    }
    Some(match message.shape {
        Shape::Unreadable if is_no_json(message) => Fault::Garbage,
        _ if is_no_request(message) => Fault::Invalid,
        _ => Fault::Unclear,
    })
}

/// Whether the text is JSON to no reader, however lenient: blank lines and the words NaN and Infinity are left alone, and
/// so is what begins with a byte order mark, which readers may ignore (RFC 8259, section 8.1).
fn is_no_json(message: &Message<'_>) -> bool {
    let bytes = message.frame.bytes();
    let lenient = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    matches!(message.frame.json(), Err(Unreadable::NotJson { fault, .. }) if fault != crate::wire::json::Fault::TooManyValues)
        && !bytes.trim_ascii().is_empty()
        && !bytes.starts_with(b"\xef\xbb\xbf")
        && !lenient(b"NaN")
        && !lenient(b"Infinity")
}

/// Whether the JSON is surely no request: no object, another version of JSON-RPC, an id of an impossible type, no method.
/// A message whose era is open is left alone, and so is what came before the session was open.
fn is_no_request(message: &Message<'_>) -> bool {
    let Some(value) = message.value.filter(|value| !value.is_array()) else { return false };
    if message.frame.has_duplicate_keys() {
        return false;
    }
    let modern = message.revision.is_some_and(|revision| revision.era() == Era::Modern);
    if !value.is_object() {
        return modern || message.phase == super::Phase::Operating;
    }
    let open = if modern {
        message.shape != Shape::Request || message.modern_version().is_some()
    } else {
        message.phase == super::Phase::Operating
    };
    let other_version = message.member("jsonrpc").is_none_or(|version| !version.is("2.0"));
    let impossible_id = message.id.as_ref().is_some_and(|id| id.text().starts_with(['{', '[', 't', 'f']));
    let has_content = message.result().is_some() || message.error().is_some();
    open && !has_content
        && match message.shape {
            Shape::Request => other_version || impossible_id,
            Shape::Response | Shape::Other => true,
            Shape::Notification | Shape::Unreadable => false,
        }
}

/// What a session keeps of its strays: places in its messages.
#[derive(Debug)]
pub(super) struct Found {
    response: usize,
    cause: Cause<usize>,
}

impl<'s> View<'s> {
    /// Every stray response of the subject that the revision governs.
    pub fn strays(self) -> impl Iterator<Item = Stray<'s>> {
        self.every_stray().filter(move |stray| stray.response.revision == Some(self.revision()))
    }

    /// Every stray response of the session: one without a known id shows no revision.
    fn every_stray(self) -> impl Iterator<Item = Stray<'s>> {
        let message = move |index: usize| &self.session.messages[index];
        self.session
            .strays()
            .iter()
            .map(move |found| Stray { response: message(found.response), cause: found.cause.map(message) })
    }

    /// The entries of requests that were answered under a wrong id or without one, where another rule has found that.
    /// Their silence is no second finding.
    #[must_use]
    pub fn answered_astray(self) -> HashSet<usize> {
        let omission_is_judged = self.revision() >= Revision::V2025_11_25;
        self.every_stray()
            .filter_map(|stray| match stray.cause {
                Cause::Mistyped(request) | Cause::Foreign(Some(request)) | Cause::Unreadable(request) => {
                    Some(request.entry)
                }
                Cause::Unanswered(request) if omission_is_judged => Some(request.entry),
                _ => None,
            })
            .collect()
    }
}

impl Session<'_> {
    fn strays(&self) -> &[Found] {
        self.strays.get_or_init(|| find(self))
    }
}

fn find(session: &Session<'_>) -> Vec<Found> {
    let mut open = Open::new(session);
    let mut found = Vec::new();
    let mut carried: HashMap<u32, Vec<usize>> = HashMap::new();
    let refused: HashSet<u32> = session.http.iter().filter(|http| http.is_refused()).map(|http| http.number).collect();
    for (index, message) in session.messages.iter().enumerate() {
        match (message.by, message.shape) {
            (Speaker::Peer, _) => {
                message.via.into_iter().for_each(|via| carried.entry(via).or_default().push(index));
                open.sent(index);
            }
            (Speaker::Subject, Shape::Response) => match message.answers {
                Some(exchange) => open.answered(session.exchanges[exchange].request),
                None => {
                    let carried = message.via.and_then(|via| carried.get(&via));
                    let cause = match carried {
                        Some(carried) => {
                            let refused = message.via.is_some_and(|via| refused.contains(&via));
                            explain_carried(session, carried, message, refused)
                        }
                        None => open.explain(message),
                    };
                    found.push(Found { response: index, cause });
                }
            },
            (Speaker::Subject, Shape::Unreadable | Shape::Other) if begins_like_a_message(message) => {
                found.extend(
                    open.waiting(message).map(|request| Found { response: index, cause: Cause::Unreadable(request) }),
                );
            }
            _ => {}
        }
    }
    found
}

/// What a response over HTTP is about is known: it stands in the response to the request that carried it. An HTTP error
/// may have an error response without an id, whatever is refused.
fn explain_carried(session: &Session<'_>, carried: &[usize], response: &Message<'_>, refused: bool) -> Cause<usize> {
    let &[index] = carried else { return Cause::Unclear };
    let message = &session.messages[index];
    // Who speaks of methods, params or header lines has read the id.
    let read = matches!(response.error_code(), Some(-32603..=-32601 | -32022..=-32020));
    let refused = refused && !read;
    match message.fault() {
        Some(Fault::Garbage) => Cause::Garbage(index),
        Some(Fault::Invalid) => Cause::Invalid(index),
        Some(Fault::Unclear) => Cause::Unclear,
        None if refused => Cause::Unclear,
        None => match (message.shape, &message.id, response.id.as_ref().filter(|id| !id.is_null())) {
            (Shape::Notification, ..) => Cause::Notification(index),
            (Shape::Request, Some(own), Some(id)) if own.resembles(id) => Cause::Mistyped(index),
            (Shape::Request, _, Some(_)) => Cause::Foreign(Some(index)),
            (Shape::Request, _, None) => Cause::Unanswered(index),
            _ => Cause::Unclear,
        },
    }
}

fn begins_like_a_message(line: &Message<'_>) -> bool {
    line.frame.bytes().trim_ascii_start().starts_with(b"{")
}

/// What may still be answered without an id. Messages are named by their places.
struct Open<'s> {
    messages: &'s [Message<'s>],
    /// Requests by the spelling of their ids.
    by_spelling: HashMap<&'s str, usize>,
    /// The ids under which something malformed was sent, and may be refused.
    malformed: HashSet<&'s Id>,
    /// Sound requests that never got an answer, oldest first.
    silent: VecDeque<usize>,
    /// Malformed messages since the last answered request, oldest first.
    recent: VecDeque<(Fault, usize)>,
    /// How many malformed messages there were before that and got no answer yet.
    earlier: usize,
    notification: Option<usize>,
    /// Requests that never got an answer and that a receiver may have cut in the wrong places.
    miscut: HashSet<usize>,
    /// Whether one of those was sent: its pieces may get any number of errors.
    confused: bool,
}

impl<'s> Open<'s> {
    fn new(session: &'s Session<'s>) -> Self {
        let messages = &session.messages;
        let silent: VecDeque<usize> = (0..session.exchanges.len())
            .map(|index| Exchange { session, index })
            .filter(|exchange| !session.exchanges[exchange.index].ambiguous && exchange.request().by == Speaker::Peer)
            .filter(|exchange| exchange.fate() == Fate::Silent && exchange.request().is_sound())
            .map(|exchange| session.exchanges[exchange.index].request)
            .collect();
        let may_be_miscut =
            |request: &Message<'_>| !is_on_its_own(request) || request.is_large() || request.holds_other_line_ends();
        let miscut = silent.iter().copied().filter(|request| may_be_miscut(&messages[*request])).collect();
        Self {
            messages,
            by_spelling: HashMap::new(),
            malformed: HashSet::new(),
            silent,
            recent: VecDeque::new(),
            earlier: 0,
            notification: None,
            miscut,
            confused: false,
        }
    }

    fn sent(&mut self, index: usize) {
        let message = &self.messages[index];
        if message.shape == Shape::Response && message.answers.is_some() {
            return;
        }
        if let Some(id) = message.id.as_ref() {
            self.by_spelling.insert(spelling(id), index);
            if message.fault().is_some() {
                self.malformed.insert(id);
            }
        }
        self.confused |= self.miscut.contains(&index);
        match message.fault() {
            Some(fault) => {
                let lines = message.frame.bytes().iter().filter(|byte| **byte == b'\n').count();
                self.recent.extend(std::iter::repeat_n((fault, index), lines.min(1000) + 1));
            }
            None if !is_on_its_own(message) => self.recent.push_back((Fault::Unclear, index)),
            None if message.shape == Shape::Notification => self.notification = Some(index),
            None if message.shape == Shape::Response => self.recent.push_back((Fault::Unclear, index)),
            None => {}
        }
    }

    /// A request got its answer: what was malformed before it had its turn, and it is not malformed itself.
    fn answered(&mut self, request: usize) {
        let asked = self.messages[request].entry;
        while let Some((_, first)) = self.recent.front() {
            if self.messages[*first].entry > asked {
                break;
            }
            // Another element of the same batch still gets its own.
            self.earlier += usize::from(*first != request);
            self.recent.pop_front();
        }
    }

    fn explain(&mut self, response: &Message<'_>) -> Cause<usize> {
        let id = response.id.as_ref().filter(|id| !id.is_null());
        let of_request = id.filter(|id| !self.malformed.contains(id));
        if let Some(&index) = of_request.and_then(|id| self.by_spelling.get(spelling(id))) {
            let request = &self.messages[index];
            let other_type = request.id.as_ref().is_some_and(|own| id.is_some_and(|id| own.resembles(id)));
            if other_type && request.is_sound() {
                return Cause::Mistyped(index);
            }
        }
        if let (None, true, Some(notification)) = (id, response.is_success(), self.notification) {
            return Cause::Notification(notification);
        }
        if let Some((fault, message)) = self.recent.pop_front() {
            let alone = self.recent.iter().take(64).all(|(other, _)| *other == fault);
            return match fault {
                Fault::Garbage if alone => Cause::Garbage(message),
                Fault::Invalid if alone => Cause::Invalid(message),
                _ => Cause::Unclear,
            };
        }
        if self.earlier > 0 {
            self.earlier -= 1;
            return Cause::Unclear;
        }
        if id.is_none() && self.confused {
            return Cause::Unclear;
        }
        let request = self.waiting(response);
        if id.is_some() {
            return Cause::Foreign(request);
        }
        if let Some(request) = request {
            return Cause::Unanswered(request);
        }
        self.notification.map_or(Cause::Nothing, Cause::Notification)
    }

    /// Takes the oldest request from those that wait for an answer in vain.
    fn waiting(&mut self, answer: &Message<'_>) -> Option<usize> {
        let waits = self.silent.front().is_some_and(|request| self.messages[*request].entry < answer.entry);
        if waits { self.silent.pop_front() } else { None }
    }
}

/// Whether the message was put on the wire plainly, so that no mistake in cutting the stream explains a reaction.
fn is_on_its_own(message: &Message<'_>) -> bool {
    matches!(message.delivery, Delivery::Whole)
}
