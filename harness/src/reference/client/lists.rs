//! Lists: page by page to the end, and what they made known.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::errands::Stage;
use super::fault::ClientFault;
use super::offer::Offer;
use super::requests::{Answer, Pending};
use super::results::cut;
use super::{Client, Habit, Outlet, Way};
use crate::reference::message::Object;
use crate::revision::code;
use crate::user::{Kind, Wish};

/// The most pages of a walk.
const MOST_PAGES: usize = 1_000;
/// The most items of a list that are kept.
const MOST_ITEMS: usize = 10_000;
/// The longest name that is kept, in bytes.
const LONGEST_NAME: usize = 1 << 10;
/// The most that is kept of the schemas of a list, in bytes.
const MOST_HELD: usize = 32 << 20;
/// The most names that are shown of a list.
const MOST_SHOWN: usize = 2_000;

/// A walk from page to page.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    what: Kind,
    cursor: Option<String>,
    /// What the cursors so far hash to: they may be long.
    seen: BTreeSet<u64>,
    pages: usize,
    listing: Listing,
    /// A cursor was refused once, and the walk began anew.
    restarted: bool,
    /// The list changed on the way.
    is_outdated: bool,
    /// The items of the first page.
    first_size: usize,
}

/// What a list made known.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    names: Vec<String>,
    known: BTreeSet<String>,
    /// The tools among them, usable or not.
    offers: BTreeMap<String, Offer>,
    /// What they take, in bytes.
    held: usize,
    /// The list has changed since.
    stale: bool,
}

/// Every list that was walked to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Listings(BTreeMap<Kind, Listing>);

impl Kind {
    /// The capability that the server must have declared.
    pub(super) fn gate(self) -> &'static [&'static str] {
        match self {
            Self::Tools => &["tools"],
            Self::Prompts => &["prompts"],
            Self::Resources | Self::Templates => &["resources"],
        }
    }

    /// The member of a result that holds the items, and the member that names one.
    fn members(self) -> (&'static str, &'static str) {
        match self {
            Self::Tools => ("tools", "name"),
            Self::Prompts => ("prompts", "name"),
            Self::Resources => ("resources", "uri"),
            Self::Templates => ("resourceTemplates", "uriTemplate"),
        }
    }

    fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }
}

impl Listings {
    pub(super) fn names(&self, what: Kind) -> &[String] {
        self.0.get(&what).map_or(&[], |listing| &listing.names[..listing.names.len().min(MOST_SHOWN)])
    }

    /// Whether a list is known as it is now.
    pub(super) fn is_fresh(&self, what: Kind) -> bool {
        self.0.get(&what).is_some_and(|listing| !listing.stale)
    }

    pub(super) fn offer(&self, tool: &str) -> Option<&Offer> {
        self.0.get(&Kind::Tools)?.offers.get(tool)
    }
}

impl Walk {
    fn of(what: Kind) -> Self {
        Self {
            what,
            cursor: None,
            seen: BTreeSet::new(),
            pages: 0,
            listing: Listing::default(),
            restarted: false,
            is_outdated: false,
            first_size: 0,
        }
    }

    fn params(&self) -> Object {
        let cursor = self.cursor.as_ref().map(|cursor| ("cursor".to_owned(), json!(cursor)));
        cursor.into_iter().collect()
    }

    /// Takes the items of a page. Gives whether there is another page, or why the page cannot be used.
    fn turn(&mut self, page: &Object, manner: &Manner) -> Result<bool, String> {
        let (member, key) = self.what.members();
        let Some(items) = page.get(member).and_then(Value::as_array) else {
            return Err(format!("the list has no array {member}"));
        };
        self.pages += 1;
        for item in items {
            let Some(name) = item.get(key).and_then(Value::as_str) else { continue };
            let fits = name.len() <= LONGEST_NAME && self.listing.names.len() < MOST_ITEMS;
            // Of two items of one name, the first is kept.
            if !fits || !self.listing.known.insert(name.to_owned()) {
                if fits && self.what == Kind::Tools && manner.faults.contains(&ClientFault::DuplicatesSpoilAll) {
                    return Err("two tools have one name".to_owned());
                }
                continue;
            }
            let mut is_usable = true;
            if self.what == Kind::Tools {
                let offer = Offer::read(item, manner)?;
                is_usable = offer.problem.is_none();
                self.listing.held += offer.size;
                if self.listing.held > MOST_HELD {
                    return Err("the list is too large to keep".to_owned());
                }
                self.listing.offers.insert(name.to_owned(), offer);
            }
            if is_usable {
                self.listing.names.push(name.to_owned());
            }
        }
        let next = page.get("nextCursor").and_then(Value::as_str);
        let next = next.filter(|cursor| !(manner.empty_ends && cursor.is_empty()));
        self.cursor = next.map(str::to_owned);
        let is_new = next.is_some_and(|cursor| self.seen.insert(hash(cursor)));
        if self.pages == 1 {
            self.first_size = items.len();
        }
        if manner.faults.contains(&ClientFault::AssumesPageSize) && items.len() < self.first_size.max(1) {
            return Ok(false);
        }
        if manner.faults.contains(&ClientFault::WalksForEver) {
            return Ok(self.cursor.is_some() && self.pages < 30 * MOST_PAGES);
        }
        Ok(is_new && self.pages < MOST_PAGES)
    }
}

/// What of the conduct of the client matters to a page.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) strict: bool,
    pub(super) lenient: bool,
    /// Arguments are repeated in header lines.
    pub(super) mirrors: bool,
    /// An empty cursor is the end.
    empty_ends: bool,
    pub(super) faults: Vec<ClientFault>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Client {
    /// Walks through a list for an errand.
    pub(super) fn walk(&mut self, errand: u64, what: Kind, out: &mut Outlet) {
        let mut walk = Walk::of(what);
        if self.faulty(ClientFault::KeepsCursors) && self.grudge.cursor.as_ref().is_some_and(|(of, _)| *of == what) {
            walk.cursor = self.grudge.cursor.take().map(|(_, cursor)| cursor);
        }
        self.stage(errand, Stage::Walking(walk));
        self.walk_on(errand, out);
    }

    /// What only a faulty client does when its server is gone: it remembers how far it was.
    pub(super) fn keep_cursor(&mut self) {
        if self.conduct.faulty(ClientFault::KeepsCursors) {
            let mut walks = self.errands_mut().iter().filter_map(|errand| match &errand.stage {
                Stage::Walking(walk) => Some((walk.what, walk.cursor.clone()?)),
                _ => None,
            });
            self.grudge.cursor = walks.next_back();
        }
    }

    /// Asks for the next page, or has it already.
    fn walk_on(&mut self, errand: u64, out: &mut Outlet) {
        while let Some(Stage::Walking(walk)) = self.errand(errand).map(|errand| &errand.stage) {
            let (method, params) = (walk.what.method(), walk.params());
            match self.cached(method, &params) {
                Some(page) => {
                    if !self.turn(errand, &page, out) {
                        return;
                    }
                }
                None => {
                    self.request(errand, method, params, out);
                    return;
                }
            }
        }
    }

    /// The answer to a request for a page.
    pub(super) fn listed(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        match answer {
            Ok(page) => match self.judge(pending.method, &page) {
                Ok(_) => {
                    self.remember(pending, &page, out);
                    if self.turn(pending.errand, &page, out) {
                        self.walk_on(pending.errand, out);
                    }
                }
                Err(why) => self.fail(pending.errand, why, out),
            },
            Err(trouble) => {
                let refused = trouble.code() == Some(code::INVALID_PARAMS) && pending.params.contains_key("cursor");
                if refused && self.restart(pending.errand) {
                    self.walk_on(pending.errand, out);
                } else {
                    self.fail(pending.errand, trouble.told(), out);
                }
            }
        }
    }

    /// A cursor has stopped working: begins again, once.
    fn restart(&mut self, errand: u64) -> bool {
        let again = self.faulty(ClientFault::RestartsForEver) && self.once_more();
        let Some(Stage::Walking(walk)) = self.errand_mut(errand).map(|errand| &mut errand.stage) else { return false };
        if walk.restarted && !again {
            return false;
        }
        let what = walk.what;
        *walk = Walk { restarted: true, ..Walk::of(what) };
        self.cache.forget(what.method());
        true
    }

    /// Takes a page for an errand. Gives whether there is another one.
    fn turn(&mut self, number: u64, page: &Object, out: &mut Outlet) -> bool {
        let manner = Manner {
            strict: self.strict(),
            lenient: self.lenient(),
            mirrors: self.way == Way::Streamable && self.is_modern(),
            empty_ends: (!self.is_modern() && self.is_given_to(Habit::EmptyCursorEnds))
                || self.faulty(ClientFault::EmptyCursorEnds),
            faults: self.faults(),
        };
        let Some(Stage::Walking(walk)) = self.errand(number).map(|errand| &errand.stage) else { return false };
        if let Some(items) = page.get(walk.what.members().0).and_then(Value::as_array) {
            self.illustrate(items, out);
        }
        let Some(errand) = self.errand_mut(number) else { return false };
        let Stage::Walking(walk) = &mut errand.stage else { return false };
        match walk.turn(page, &manner) {
            Ok(true) => true,
            Ok(false) => {
                let (what, mut listing) = (walk.what, std::mem::take(&mut walk.listing));
                listing.stale = walk.is_outdated;
                errand.stage = Stage::Asking;
                errand.has_walked = true;
                let wish = errand.wish.clone();
                for (tool, offer) in &listing.offers {
                    if let Some(problem) = &offer.problem {
                        self.journal.complain(&format!("the tool {} is set aside: {problem}", cut(tool)));
                    }
                }
                let shown = json!(listing.names.iter().take(MOST_SHOWN).collect::<Vec<_>>());
                if self.faulty(ClientFault::AsksOnceMore) {
                    let params = std::mem::take(&mut self.grudge.page);
                    self.request(0, what.method(), params, out);
                }
                self.listings.0.insert(what, listing);
                match wish {
                    Wish::List { .. } => self.succeed(number, json!({"names": shown}), out),
                    wish => self.attempt(number, wish, out),
                }
                false
            }
            Err(why) => {
                self.suffers(&why, out);
                self.fail(number, why, out);
                false
            }
        }
    }

    /// A list has changed: whoever needs it asks anew.
    pub(super) fn list_changed(&mut self, method: &str) {
        if self.faulty(ClientFault::IgnoresListChanges) {
            return;
        }
        if let Some(what) = Kind::of_method(method) {
            self.cache.forget(method);
            if let Some(listing) = self.listings.0.get_mut(&what) {
                listing.stale = true;
            }
            for errand in self.errands_mut() {
                if let Stage::Walking(walk) = &mut errand.stage {
                    walk.is_outdated |= walk.what == what;
                }
            }
        }
    }

    /// Nothing that was listed need be so any more.
    pub(super) fn forget_lists(&mut self) {
        for kind in Kind::ALL {
            self.cache.forget(kind.method());
            if let Some(listing) = self.listings.0.get_mut(&kind) {
                listing.stale = true;
            }
        }
    }

    /// Why a tool cannot be called; `None` if it can.
    pub(super) fn unavailable(&self, tool: &str) -> Option<String> {
        match self.listings.offer(tool) {
            None => Some(format!("the server lists no tool {}", cut(tool))),
            Some(offer) => offer.problem.as_ref().map(|problem| format!("the tool cannot be used: {problem}")),
        }
    }
}
