//! The conversation with the driver of a client: what it prints, and which wish comes next. No I/O.
//!
//! `conformance/drivers/README.md` has the protocol.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::user::Wish;
use crate::wire::{Frame, Value};

/// The version of the protocol that is spoken here.
pub(super) const VERSION: i64 = 1;

/// The harness's half of it.
#[derive(Debug)]
pub(super) struct Conversation {
    wishes: VecDeque<Wish>,
    last_id: u64,
    partner: Partner,
    /// The wish that the next one waits for.
    awaited: Option<u64>,
    /// Others that are not answered.
    open: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Partner {
    /// It has not said anything that tells.
    Unknown,
    /// It carries out wishes.
    Driver,
    /// It goes its own way.
    Other,
}

/// What a line means.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Printed {
    /// The driver introduces itself.
    Greeting,
    /// What came of a wish, or what the host would have seen.
    Surface,
    /// Nothing that is meant for the harness.
    Other,
    /// The driver speaks another version of the protocol.
    Foreign,
}

/// A wish whose turn it is.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    /// The JSON.
    pub(super) text: String,
    /// It is the harness's part to wait for at most this long; the driver is told nothing.
    pub(super) idle: Option<Duration>,
}

impl Conversation {
    pub(super) fn new(wishes: &[Wish]) -> Self {
        let wishes = wishes.iter().cloned().collect();
        Self { wishes, last_id: 0, partner: Partner::Unknown, awaited: None, open: BTreeSet::new() }
    }

    /// The client started its server, which a driver does only when told.
    pub(super) fn started(&mut self) {
        if self.partner == Partner::Unknown {
            self.partner = Partner::Other;
        }
    }

    /// Takes a line of the client's output.
    pub(super) fn printed(&mut self, line: &[u8]) -> Printed {
        // What a driver shows came from a hostile server, and may be nested as deep as it likes.
        let frame = Frame::new(line);
        let Ok(value) = frame.json() else { return Printed::Other };
        let kind = value.member("turncoat").and_then(Value::as_str);
        let declined = value.member("unsupported").and_then(Value::as_bool) == Some(true);
        match kind.as_deref() {
            Some("driver") => self.greeted(value),
            Some(kind) => {
                self.answered(value, kind == "surface");
                Printed::Surface
            }
            None if declined => {
                self.answered(value, false);
                Printed::Surface
            }
            None => Printed::Other,
        }
    }

    fn greeted(&mut self, value: Value<'_>) -> Printed {
        if self.partner != Partner::Unknown {
            return Printed::Other;
        }
        if value.member("version").and_then(Value::as_i64) == Some(VERSION) {
            self.partner = Partner::Driver;
            Printed::Greeting
        } else {
            self.partner = Partner::Other;
            Printed::Foreign
        }
    }

    fn answered(&mut self, value: Value<'_>, is_surface: bool) {
        let id = match value.member("id") {
            Some(id) => id.as_i64().and_then(|id| u64::try_from(id).ok()),
            // A surface without an id may be shown at any time.
            None if is_surface => None,
            None => self.awaited,
        };
        if let Some(id) = id {
            self.open.remove(&id);
            self.awaited = self.awaited.filter(|awaited| *awaited != id);
        }
    }

    /// The next wish, if its turn has come.
    pub(super) fn next_wish(&mut self) -> Option<Asked> {
        if self.partner != Partner::Driver || self.awaited.is_some() {
            return None;
        }
        let wish = self.wishes.pop_front()?;
        self.last_id += 1;
        let id = self.last_id;
        let idle = match &wish {
            Wish::Idle { milliseconds } => Some(Duration::from_millis(*milliseconds)),
            Wish::Call { wait: false, .. } | Wish::Read { wait: false, .. } => {
                self.open.insert(id);
                None
            }
            _ => {
                self.awaited = Some(id);
                None
            }
        };
        // A wish is a plain object; `Null` only stands in for the impossible.
        let mut json = serde_json::to_value(&wish).unwrap_or(Json::Null);
        if let Some(object) = json.as_object_mut() {
            object.insert("id".to_owned(), json!(id));
        }
        Some(Asked { text: json.to_string(), idle })
    }

    /// Whether wishes are open that nobody waits for.
    pub(super) fn is_pending(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether nothing is left to say to the client: every wish was carried out, or it takes none.
    pub(super) fn is_over(&self) -> bool {
        match self.partner {
            Partner::Unknown => false,
            Partner::Driver => self.wishes.is_empty() && self.awaited.is_none() && self.open.is_empty(),
            Partner::Other => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::user::Kind;

    const GREETING: &[u8] = br#"{"turncoat":"driver","version":1}"#;

    fn call(wait: bool) -> Wish {
        Wish::Call { tool: "add".to_owned(), arguments: Map::new(), wait }
    }

    fn text(conversation: &mut Conversation) -> String {
        conversation.next_wish().unwrap().text
    }

    #[test]
    fn each_wish_waits_for_the_answer_to_the_last() {
        let mut talk = Conversation::new(&[Wish::Connect, Wish::List { what: Kind::Tools }, Wish::Close]);
        assert_eq!(talk.next_wish(), None);
        assert_eq!(talk.printed(GREETING), Printed::Greeting);
        assert_eq!(text(&mut talk), r#"{"do":"connect","id":1}"#);
        assert_eq!(talk.next_wish(), None);
        assert_eq!(talk.printed(br#"{"turncoat":"done","id":7}"#), Printed::Surface);
        assert_eq!(talk.next_wish(), None);
        assert_eq!(talk.printed(br#"{"turncoat":"done","id":1}"#), Printed::Surface);
        assert_eq!(text(&mut talk), r#"{"do":"list","id":2,"what":"tools"}"#);
        assert_eq!(talk.printed(br#"{"unsupported":true}"#), Printed::Surface);
        assert_eq!(text(&mut talk), r#"{"do":"close","id":3}"#);
        assert!(!talk.is_over());
        assert_eq!(talk.printed(br#"{"turncoat":"failed","id":3,"error":"no"}"#), Printed::Surface);
        assert!(talk.is_over());
    }

    #[test]
    fn nobody_waits_where_nobody_wants_to() {
        let mut talk = Conversation::new(&[call(false), Wish::Idle { milliseconds: 50 }, Wish::Abort]);
        talk.printed(GREETING);
        assert!(text(&mut talk).contains(r#""wait":false"#));
        assert_eq!(talk.next_wish().unwrap().idle, Some(Duration::from_millis(50)));
        assert!(talk.is_pending());
        assert_eq!(text(&mut talk), r#"{"do":"abort","id":3}"#);
        talk.printed(br#"{"turncoat":"done","id":3}"#);
        talk.printed(br#"{"turncoat":"failed","id":1,"error":"aborted"}"#);
        assert!(!talk.is_pending() && talk.is_over());
    }

    #[test]
    fn a_client_that_goes_its_own_way_is_asked_nothing() {
        let mut talk = Conversation::new(&[Wish::Connect]);
        assert_eq!(talk.printed(b"ready"), Printed::Other);
        talk.started();
        assert_eq!(talk.printed(GREETING), Printed::Other);
        assert_eq!(talk.next_wish(), None);
        assert!(talk.is_over());
        assert_eq!(talk.printed(br#"{"turncoat":"surface","tools":[]}"#), Printed::Surface);
    }

    #[test]
    fn another_version_is_another_protocol() {
        let mut talk = Conversation::new(&[Wish::Connect]);
        assert_eq!(talk.printed(br#"{"turncoat":"driver","version":2}"#), Printed::Foreign);
        assert_eq!(talk.next_wish(), None);
    }

    #[test]
    fn what_is_shown_may_be_nested_as_deep_as_a_server_likes() {
        let mut talk = Conversation::new(&[]);
        let line = format!(r#"{{"turncoat":"surface","tools":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(talk.printed(line.as_bytes()), Printed::Surface);
    }
}
