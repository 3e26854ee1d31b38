//! What a server listed, and what it certainly does not have.

use std::borrow::Cow;
use std::collections::HashSet;

use super::pagination::walks::{self, ANNOUNCED};
use crate::revision::LISTS;
use crate::session::{Message, Speaker, View};
use crate::wire::Value;

/// The items of one list method, from this session and from the control session.
pub(super) struct Inventory<'s> {
    known: HashSet<Cow<'s, str>>,
    /// The control session listed something of this kind to the end.
    control: bool,
    /// The first and last entries of complete walks.
    walks: Vec<(usize, usize)>,
    /// The entries that say that the list changed, in order.
    changes: Vec<usize>,
}

impl<'s> Inventory<'s> {
    pub(super) fn of(view: View<'s>, method: &'static str) -> Self {
        let key = LISTS.iter().find(|(known, ..)| *known == method).map_or("name", |(.., key)| key);
        let control = view.facts().lists.get(method).filter(|_| view.is_of_the_run());
        let here = view.listed(method).filter_map(|(_, item)| item.member(key).and_then(Value::as_str));
        let known = here.chain(control.into_iter().flatten().map(|name| Cow::Borrowed(name.as_str()))).collect();
        let walks = walks::complete(view, method).iter().map(|walk| (walk.start(), walk.end())).collect();
        // Templates change with the resources.
        let list = if method == "resources/templates/list" { "resources/list" } else { method };
        let notice = ANNOUNCED.iter().find(|(known, ..)| *known == list).map_or("", |(_, notice, _)| notice);
        let told = view.notifications_by(Speaker::Subject).filter(|message| message.is(notice));
        Self { known, control: control.is_some(), walks, changes: told.map(|message| message.entry).collect() }
    }

    /// Everything that was ever listed.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|name| &**name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// Whether no list has the name, and a list that was complete still held when this request was made.
    pub(super) fn certainly_lacks(&self, name: &str, request: &Message<'_>) -> bool {
        let at = request.entry;
        let quiet = |from: usize, to: usize| {
            let first = self.changes.partition_point(|change| *change < from);
            self.changes.get(first).is_none_or(|change| *change > to)
        };
        !self.has(name)
            && ((self.control && quiet(0, at))
                || self.walks.iter().any(|(first, last)| quiet(at.min(*first), at.max(*last))))
    }
}
