//! What a session shows of its subject, as marks that sessions can be told apart by.
//!
//! A mark is the hash of a short description without anything that chance decides: which message came in which state,
//! what came before it, what became of each request, HTTP statuses, what rules said, lines of standard error without their
//! digits, and how the subject ended. Two sessions that a reader would call alike have the same marks.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use turncoat::session::{Message, Session, Speaker, View};
use turncoat::transcript::{Ending, Event, Http, Transcript};
use turncoat::wire::Value;

use crate::runner::judge::Judgement;

/// The most lines of standard error of one session that are looked at.
const MOST_LINES: usize = 32;
/// The most characters of such a line.
const LONGEST_LINE: usize = 120;
/// The most messages of one session whose order is looked at.
const MOST_MESSAGES: usize = 400;

/// The marks of a session, each once.
#[must_use]
pub fn marks(transcript: &Transcript, judgements: &[Judgement]) -> Vec<u64> {
    let mut marks = Marks(BTreeSet::new());
    let session = Session::new(transcript);
    marks.of_messages(session.view(transcript.header.revision));
    marks.of_events(transcript);
    for judgement in judgements {
        let said = (judgement.is_broken(), !judgement.warnings.is_empty());
        marks.add(("rule", judgement.rule.id, judgement.revision.as_str(), said));
    }
    marks.0.into_iter().collect()
}

struct Marks(BTreeSet<u64>);

impl Marks {
    fn add(&mut self, mark: impl Hash) {
        // With fixed keys: the same in every run.
        let mut hasher = DefaultHasher::new();
        mark.hash(&mut hasher);
        self.0.insert(hasher.finish());
    }

    fn of_messages(&mut self, view: View<'_>) {
        let mut before = String::new();
        for message in view.every_message().take(MOST_MESSAGES) {
            let kind = kind(view, message);
            if message.by == Speaker::Subject {
                self.add(("said", message.phase as u8, &kind));
                self.add(("then", &before, &kind));
            }
            before = kind;
        }
        for exchange in view.every_exchange() {
            self.add(("fate", exchange.method(), exchange.fate() as u8, exchange.answers().len().min(2)));
        }
    }

    fn of_events(&mut self, transcript: &Transcript) {
        let mut lines = 0;
        for entry in &transcript.entries {
            match &entry.event {
                Event::Stderr { text } => {
                    for line in text.lines() {
                        lines += 1;
                        if lines <= MOST_LINES {
                            let shown = line.chars().filter(|character| !character.is_ascii_digit());
                            self.add(("stderr", shown.take(LONGEST_LINE).collect::<String>()));
                        }
                    }
                }
                Event::Http { what: Http::Response { status, headers }, .. } => {
                    self.add(("status", status, headers.media_type()));
                }
                Event::Http { what: Http::End { how }, .. } => self.add((
                    "end",
                    match how {
                        Ending::Complete => 0,
                        Ending::Cut => 1,
                        Ending::Dropped => 2,
                        Ending::Refused(_) => 3,
                        Ending::Malformed(_) => 4,
                    },
                )),
                Event::Exited { code, signal, .. } => self.add(("exited", code, signal)),
                Event::Killed => self.add("killed"),
                Event::Ended => self.add("ended"),
                _ => {}
            }
        }
    }
}

/// A message without what chance decides: its method, or what it answers and how.
fn kind(view: View<'_>, message: &Message<'_>) -> String {
    let whose = if message.by == Speaker::Subject { "subject" } else { "peer" };
    if let Some(method) = message.method() {
        let shape = message.shape;
        let keys = if message.by == Speaker::Subject { message.params().map(keys) } else { None };
        return format!("{whose} {shape:?} {method} {}", keys.unwrap_or_default());
    }
    let asked = view.exchange_of(message).map_or("nothing", |exchange| exchange.method());
    match (message.error(), message.result()) {
        (Some(_), _) => format!("{whose} error {:?} to {asked}", message.error_code()),
        (None, Some(result)) => format!("{whose} result {} to {asked}", keys(result)),
        (None, None) => format!("{whose} {:?} {:?}", message.shape, message.intent),
    }
}

/// The names of an object's members, and what is in those that say what the rest means.
fn keys(value: Value<'_>) -> String {
    let telling = |key: &str, value: Value<'_>| match key {
        "isError" | "resultType" | "action" | "status" => value.brief(),
        _ => String::new(),
    };
    let names: BTreeSet<String> =
        value.members().take(16).map(|(key, value)| format!("{key}{}", telling(&key, value))).collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}
