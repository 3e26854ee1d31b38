//! Lists put together from their pages, as the harness followed the cursors.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::revision::{Era, LISTS, meta};
use crate::rules::probe;
use crate::session::{Exchange, Message, Phase, Speaker, View};
use crate::wire::Value;

/// The lists whose changes are announced: the method, the notification, the capability that has `listChanged`.
pub(in crate::rules) static ANNOUNCED: &[(&str, &str, &str)] = &[
    ("tools/list", "notifications/tools/list_changed", "tools"),
    ("prompts/list", "notifications/prompts/list_changed", "prompts"),
    ("resources/list", "notifications/resources/list_changed", "resources"),
];

/// A list from its first page to its last, or as far as it was followed.
#[derive(Debug)]
pub(in crate::rules) struct Walk<'s> {
    pub(in crate::rules) method: &'static str,
    /// What the client said of itself with each page, as JSON text; none if that changed on the way.
    pub(in crate::rules) client: Option<Client<'s>>,
    pub(in crate::rules) pages: Vec<Page<'s>>,
    /// The last page had no cursor.
    pub(in crate::rules) complete: bool,
}

/// The capabilities and the identity in a modern request.
type Client<'s> = (&'s str, &'s str);

/// One page of a list.
#[derive(Debug)]
pub(in crate::rules) struct Page<'s> {
    pub(in crate::rules) request: &'s Message<'s>,
    pub(in crate::rules) answer: &'s Message<'s>,
    /// The keys of its items in their order; an item without one stands as its JSON text.
    pub(in crate::rules) keys: Vec<Cow<'s, str>>,
    pub(in crate::rules) next: Option<Cow<'s, str>>,
}

impl<'s> Page<'s> {
    /// The page that answers a request which gives no other reason than its cursor to refuse it.
    pub(in crate::rules) fn of(view: View<'s>, exchange: Exchange<'s>) -> Option<Self> {
        let (_, member, key) = LISTS.iter().find(|(method, ..)| exchange.is(method))?;
        let (request, result) = (exchange.request(), exchange.result().filter(|_| is_fair(view, exchange))?);
        let items = result.member(member).filter(|items| items.is_array())?.items();
        let name = |item: Value<'s>| item.member(key).and_then(Value::as_str).unwrap_or(Cow::Borrowed(item.raw()));
        let next = result.member("nextCursor").and_then(Value::as_str);
        Some(Self { request, answer: exchange.answer()?, keys: items.map(name).collect(), next })
    }
}

impl<'s> Walk<'s> {
    /// The entry of the first request.
    pub(in crate::rules) fn start(&self) -> usize {
        self.pages.first().map_or(0, |page| page.request.entry)
    }

    /// The entry of the last answer.
    pub(in crate::rules) fn end(&self) -> usize {
        self.pages.last().map_or(0, |page| page.answer.entry)
    }

    /// Everything on it.
    pub(in crate::rules) fn keys(&self) -> BTreeSet<&str> {
        self.pages.iter().flat_map(|page| &page.keys).map(|key| &**key).collect()
    }
}

/// Every walk of the session, in the order of their first pages.
pub(in crate::rules) fn all<'s>(view: View<'s>) -> Vec<Walk<'s>> {
    let mut walks: Vec<Walk<'s>> = Vec::new();
    // The walks that wait for the page behind a cursor.
    let mut pending: HashMap<(&'static str, Cow<'s, str>), Vec<usize>> = HashMap::new();
    for exchange in view.exchanges() {
        let Some((method, ..)) = LISTS.iter().find(|(method, ..)| exchange.is(method)) else { continue };
        let Some(page) = Page::of(view, exchange) else { continue };
        let client = client(exchange.request());
        let index = match exchange.param("cursor").map(Value::as_str) {
            None => {
                walks.push(Walk { method, client: Some(client), pages: Vec::new(), complete: false });
                walks.len() - 1
            }
            Some(cursor) => {
                let Some(found) = cursor.and_then(|cursor| pending.get_mut(&(*method, cursor))?.pop()) else {
                    continue;
                };
                found
            }
        };
        let Some(walk) = walks.get_mut(index) else { continue };
        walk.client = walk.client.filter(|own| *own == client);
        match &page.next {
            Some(next) => pending.entry((*method, next.clone())).or_default().push(index),
            None => walk.complete = true,
        }
        walk.pages.push(page);
    }
    walks
}

/// The walks of one list that were followed to its end, by one client.
pub(in crate::rules) fn complete<'s>(view: View<'s>, method: &str) -> Vec<Walk<'s>> {
    all(view).into_iter().filter(|walk| walk.method == method && walk.complete && walk.client.is_some()).collect()
}

/// Each walk with the next one of the same list by the same client, where the first ended before the next began.
pub(in crate::rules) fn successive<'a, 's>(
    walks: &'a [Walk<'s>],
) -> impl Iterator<Item = (&'a Walk<'s>, &'a Walk<'s>)> {
    let mut last: HashMap<(&str, Option<Client<'s>>), &'a Walk<'s>> = HashMap::new();
    walks.iter().filter(|walk| walk.complete).filter_map(move |walk| {
        let before = last.insert((walk.method, walk.client), walk)?;
        (before.end() < walk.start()).then_some((before, walk))
    })
}

/// The moments at which a list may have changed: notices of that, and tool calls.
pub(in crate::rules) struct Disturbances(Vec<usize>);

impl Disturbances {
    pub(in crate::rules) fn of(view: View<'_>) -> Self {
        let notices = view
            .notifications_by(Speaker::Subject)
            .filter(|message| ANNOUNCED.iter().any(|(_, notice, _)| message.is(notice)))
            .map(|message| message.entry);
        let calls = view.every_exchange().filter(|exchange| exchange.is("tools/call"));
        let spans = calls.flat_map(|call| [Some(call.request().entry), call.answer().map(|answer| answer.entry)]);
        let mut entries: Vec<usize> = notices.chain(spans.flatten()).collect();
        entries.sort_unstable();
        Self(entries)
    }

    /// Whether there was none between two entries.
    pub(in crate::rules) fn none_within(&self, from: usize, to: usize) -> bool {
        let first = self.0.partition_point(|entry| *entry < from);
        self.0.get(first).is_none_or(|entry| *entry > to)
    }
}

/// Whether a request for a list has nothing but its cursor that could be wrong.
pub(in crate::rules) fn is_fair(view: View<'_>, exchange: Exchange<'_>) -> bool {
    let request = exchange.request();
    let bare =
        exchange.params().is_none_or(|params| params.members().all(|(key, _)| matches!(&*key, "cursor" | "_meta")));
    bare && match view.revision().era() {
        Era::Legacy => request.phase == Phase::Operating && probe::is_sound(request),
        Era::Modern => {
            let version = probe::plain(request);
            version.is_some_and(|version| version == view.revision().as_str()) && view.subject_speaks()
        }
    }
}

fn client<'s>(request: &Message<'s>) -> Client<'s> {
    let given = |key| request.meta().and_then(|given| given.member(key)).map_or("", Value::raw);
    (given(meta::CLIENT_CAPABILITIES), given(meta::CLIENT_INFO))
}
