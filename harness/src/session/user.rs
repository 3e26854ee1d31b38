//! What the user of a client wanted, what came of it, and what the client showed.

use serde_json::Value as Json;

use crate::transcript::{Event, Transcript};

/// What a client's driver was asked for and what it said.
#[derive(Debug, Default)]
pub struct User {
    /// The wishes, in order.
    pub wishes: Vec<Wish>,
    /// What the client showed, in order.
    pub surfaces: Vec<Said>,
}

/// A wish and what came of it.
#[derive(Debug)]
pub struct Wish {
    /// The entry that has it.
    pub entry: usize,
    /// When it was said, in microseconds since the session was opened.
    pub at: u64,
    /// The wish, as the driver got it.
    pub wish: Json,
    /// What came of it.
    pub came: Option<Said>,
}

/// Something that a driver said.
#[derive(Clone, Debug)]
pub struct Said {
    /// The entry that has it.
    pub entry: usize,
    /// When, in microseconds since the session was opened.
    pub at: u64,
    /// Its words.
    pub words: Json,
}

impl Wish {
    /// What is wanted: `list`, `call`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.wish["do"].as_str().unwrap_or_default()
    }

    /// Whether it is the client who fulfils it and says so: not so where time is to pass, or the end has come.
    #[must_use]
    pub fn is_for_the_client(&self) -> bool {
        !matches!(self.kind(), "close" | "idle")
    }

    /// Whether it was fulfilled.
    #[must_use]
    pub fn is_fulfilled(&self) -> bool {
        self.came.as_ref().is_some_and(|came| came.is("done") || came.is("surface")) && !self.has_failed()
    }

    /// Whether the client said that it could not fulfil it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.came.as_ref().is_some_and(|came| came.is("failed") || came.words["failed"] == true)
    }

    /// Whether the driver said that it cannot do such a thing.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.came.as_ref().is_some_and(|came| came.is("unsupported") || came.words["unsupported"] == true)
    }
}

impl Said {
    /// Whether it is a line of this kind.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.words["turncoat"] == kind
    }

    /// The names that it shows of a kind, if it says anything of that kind.
    #[must_use]
    pub fn names(&self, kind: &str) -> Option<Vec<&str>> {
        let items = self.words[kind].as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().or(item["name"].as_str()).or(item["uri"].as_str())).collect())
    }
}

/// Sorts out what was wanted and said.
pub(super) fn user(transcript: &Transcript) -> User {
    let mut user = User::default();
    for (entry, recorded) in transcript.entries.iter().enumerate() {
        let at = recorded.at;
        match &recorded.event {
            Event::Wish { text } => {
                let wish = serde_json::from_str(text).unwrap_or_default();
                user.wishes.push(Wish { entry, at, wish, came: None });
            }
            Event::Surface { text } => {
                let words: Json = serde_json::from_str(text).unwrap_or_default();
                let said = Said { entry, at, words };
                if said.is("surface") {
                    user.surfaces.push(said.clone());
                }
                user.take(said);
            }
            _ => {}
        }
    }
    user
}

impl User {
    /// Gives what came of a wish to that wish: by its id, or else to the oldest open one of its kind.
    fn take(&mut self, said: Said) {
        let kind = |wish: &Wish| match said.words["do"].as_str() {
            Some(kind) => wish.kind() == kind,
            None => !said.is("surface") || wish.kind() == "surface",
        };
        let open = |wish: &&mut Wish| {
            let named = match (&said.words["id"], &wish.wish["id"]) {
                (Json::Null, _) | (_, Json::Null) => kind(wish),
                (one, other) => one == other,
            };
            wish.came.is_none() && named
        };
        if let Some(wish) = self.wishes.iter_mut().find(open) {
            wish.came = Some(said);
        }
    }
}
