//! Responses that answer no request by their id, and what they may be answers to.
//!
//! JSON-RPC lets a receiver answer text that it cannot read without an id. Which text such an answer belongs to cannot be
//! seen, only narrowed down: to what was malformed and sent since the last answered request. One answer is allowed for
//! each malformed message, however late it comes.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::revision::{Era, Revision};
use crate::session::{Fate, Message, Shape, Speaker, View};
use crate::transcript::Delivery;
use crate::wire::{Id, Unreadable};

/// A response that answers no request by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stray<'s> {
    pub(crate) response: &'s Message<'s>,
    pub(crate) cause: Cause<'s>,
}

/// What a stray response is most leniently taken for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'s> {
    /// The answer to text that is no JSON.
    Garbage(&'s Message<'s>),
    /// The answer to JSON that is no request.
    Invalid(&'s Message<'s>),
    /// The answer to something that is wrong in another way, or to one of several things.
    Unclear,
    /// The answer to this request, with its id in another type.
    Mistyped(&'s Message<'s>),
    /// The answer to this request, which got none, without its id.
    Unanswered(&'s Message<'s>),
    /// An answer under an id that nobody used, perhaps to this request, which got none.
    Foreign(Option<&'s Message<'s>>),
    /// A line that cannot be read, perhaps the answer to this request, which got none.
    Unreadable(&'s Message<'s>),
    /// The answer to this notification.
    Notification(&'s Message<'s>),
    /// Nothing that was sent explains it.
    Nothing,
}

/// How a message of the harness is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Garbage,
    Invalid,
    Unclear,
}

/// The characters of an id without its type.
pub(crate) fn spelling(id: &Id) -> &str {
    id.text().trim_matches('"')
}

/// How a message is wrong; none if a receiver has no excuse for not understanding it.
pub(crate) fn fault(message: &Message<'_>) -> Option<Fault> {
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
        return modern || message.phase == crate::session::Phase::Operating;
    }
    let open = if modern {
        message.shape != Shape::Request || message.modern_version().is_some()
    } else {
        message.phase == crate::session::Phase::Operating
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

/// Every stray response of the subject that the revision governs.
pub(crate) fn strays<'s>(view: View<'s>) -> Vec<Stray<'s>> {
    let mut strays = all_strays(view);
    strays.retain(|stray| stray.response.revision == Some(view.revision()));
    strays
}

/// Every stray response of the session: one without a known id shows no revision.
fn all_strays<'s>(view: View<'s>) -> Vec<Stray<'s>> {
    let mut open = Open::new(view);
    let mut found = Vec::new();
    for message in view.every_message() {
        match (message.by, message.shape) {
            (Speaker::Peer, _) => open.sent(view, message),
            (Speaker::Subject, Shape::Response) => {
                if let Some(exchange) = view.exchange_of(message) {
                    open.answered(exchange.request());
                } else {
                    found.push(Stray { response: message, cause: open.explain(message) });
                }
            }
            (Speaker::Subject, Shape::Unreadable | Shape::Other) if begins_like_a_message(message) => {
                found.extend(
                    open.waiting(message).map(|request| Stray { response: message, cause: Cause::Unreadable(request) }),
                );
            }
            _ => {}
        }
    }
    found
}

fn begins_like_a_message(line: &Message<'_>) -> bool {
    line.frame.bytes().trim_ascii_start().starts_with(b"{")
}

/// The entries of requests that were answered under a wrong id or without one, where another rule has found that. Their
/// silence is no second finding.
pub(crate) fn answered_astray(view: View<'_>) -> HashSet<usize> {
    let omission_is_judged = view.revision() >= Revision::V2025_11_25;
    all_strays(view)
        .into_iter()
        .filter_map(|stray| match stray.cause {
            Cause::Mistyped(request) | Cause::Foreign(Some(request)) | Cause::Unreadable(request) => {
                Some(request.entry)
            }
            Cause::Unanswered(request) if omission_is_judged => Some(request.entry),
            _ => None,
        })
        .collect()
}

/// What may still be answered without an id.
struct Open<'s> {
    /// Requests by the spelling of their ids.
    by_spelling: HashMap<&'s str, &'s Message<'s>>,
    /// Sound requests that never got an answer, oldest first.
    silent: VecDeque<&'s Message<'s>>,
    /// Malformed messages since the last answered request, oldest first.
    recent: VecDeque<(Fault, &'s Message<'s>)>,
    /// How many malformed messages there were before that and got no answer yet.
    earlier: usize,
    notification: Option<&'s Message<'s>>,
    /// Requests that never got an answer and that a receiver may have cut in the wrong places, by their entries.
    miscut: HashSet<usize>,
    /// Whether one of those was sent: its pieces may get any number of errors.
    confused: bool,
}

impl<'s> Open<'s> {
    fn new(view: View<'s>) -> Self {
        let silent: VecDeque<_> = view
            .every_exchange()
            .filter(|exchange| exchange.fate() == Fate::Silent)
            .map(|exchange| exchange.request())
            .filter(|request| request.is_sound())
            .collect();
        let miscut = silent
            .iter()
            .filter(|request| !is_on_its_own(request) || request.is_large() || request.holds_other_line_ends())
            .map(|request| request.entry)
            .collect();
        Self {
            by_spelling: HashMap::new(),
            silent,
            recent: VecDeque::new(),
            earlier: 0,
            notification: None,
            miscut,
            confused: false,
        }
    }

    fn sent(&mut self, view: View<'s>, message: &'s Message<'s>) {
        if message.shape == Shape::Response && view.exchange_of(message).is_some() {
            return;
        }
        if let Some(id) = message.id.as_ref() {
            self.by_spelling.insert(spelling(id), message);
        }
        self.confused |= self.miscut.contains(&message.entry);
        match fault(message) {
            Some(fault) => {
                let lines = message.frame.bytes().iter().filter(|byte| **byte == b'\n').count();
                self.recent.extend(std::iter::repeat_n((fault, message), lines.min(1000) + 1));
            }
            None if !is_on_its_own(message) => self.recent.push_back((Fault::Unclear, message)),
            None if message.shape == Shape::Notification => self.notification = Some(message),
            None if message.shape == Shape::Response => self.recent.push_back((Fault::Unclear, message)),
            None => {}
        }
    }

    /// A request got its answer: what was malformed before it had its turn, and it is not malformed itself.
    fn answered(&mut self, request: &Message<'s>) {
        while let Some((_, first)) = self.recent.front() {
            if first.entry > request.entry {
                break;
            }
            self.earlier += usize::from(first.entry != request.entry);
            self.recent.pop_front();
        }
    }

    fn explain(&mut self, response: &'s Message<'s>) -> Cause<'s> {
        let id = response.id.as_ref().filter(|id| !id.is_null());
        if let Some(request) = id.and_then(|id| self.by_spelling.get(spelling(id))) {
            let other_type = request.id.as_ref().is_some_and(|own| id.is_some_and(|id| own.resembles(id)));
            if other_type && request.is_sound() {
                return Cause::Mistyped(request);
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
    fn waiting(&mut self, answer: &Message<'_>) -> Option<&'s Message<'s>> {
        let waits = self.silent.front().is_some_and(|request| request.entry < answer.entry);
        if waits { self.silent.pop_front() } else { None }
    }
}

/// Whether the message was put on the wire plainly, so that no mistake in cutting the stream explains a reaction.
fn is_on_its_own(message: &Message<'_>) -> bool {
    matches!(message.delivery, Delivery::Whole)
}
