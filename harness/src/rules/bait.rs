//! Addresses of the harness that stand in what it says to a client, and that nobody is to call: who called one is told by
//! [`Event::Canary`], with the field that the address names.

use std::borrow::Cow;

use super::{Breach, Check};
use crate::session::{Message, Speaker, View};
use crate::transcript::Event;
use crate::wire::Value;

/// What a path begins with that leads on to another origin: what is behind it names the field there.
pub(super) const REDIRECT: &str = "redirect/";

/// Where nobody ever listens, so that no silence there says anything.
const DEAF: &str = "9";

/// An address that nobody is to call, and the message that it stood in.
pub(super) struct Bait<'s> {
    /// The message.
    pub(super) message: &'s Message<'s>,
    /// How it would be called.
    pub(super) scheme: String,
    /// What a call of it names.
    pub(super) field: String,
}

impl<'s> Bait<'s> {
    /// The bait in a text, if it is one.
    pub(super) fn read(message: &'s Message<'s>, text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let port = authority.strip_prefix("127.0.0.1:")?;
        let field = path.split(['?', '#']).next().unwrap_or_default();
        let watched = port != DEAF && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        (watched && !field.is_empty()).then(|| Self { message, scheme: scheme.to_owned(), field: field.to_owned() })
    }

    /// What a value has to say of bait.
    pub(super) fn of(message: &'s Message<'s>, value: Value<'s>) -> Option<Self> {
        Self::read(message, &value.as_str()?)
    }

    /// The first call of it.
    pub(super) fn call(&self, view: View<'_>) -> Option<usize> {
        calls(view, self.message.entry).find(|(_, field)| *field == self.field).map(|(entry, _)| entry)
    }
}

/// The calls behind an entry, with what they name.
fn calls<'s>(view: View<'s>, behind: usize) -> impl Iterator<Item = (usize, &'s str)> {
    view.entries().iter().enumerate().skip(behind + 1).filter_map(|(index, entry)| match &entry.event {
        Event::Canary { field } => Some((index, field.as_str())),
        _ => None,
    })
}

/// Whether the client said or did something behind a message: only then has it read it.
fn was_read(view: View<'_>, message: &Message<'_>) -> bool {
    let speaks = |event: &Event| {
        matches!(event, Event::Received { .. } | Event::Surface { .. } | Event::Wish { .. } | Event::Canary { .. })
    };
    view.entries().iter().skip(message.entry + 1).any(|entry| speaks(&entry.event))
}

/// What became of baits that nobody may call. A caller that names nothing, such as one that waits to be greeted, can be
/// told apart only if nothing else was put out.
pub(super) fn judged(view: View<'_>, baits: &[Bait<'_>], deed: &str) -> Vec<Check> {
    let mut checks: Vec<Check> = baits
        .iter()
        .filter(|bait| was_read(view, bait.message))
        .map(|bait| match bait.call(view) {
            Some(entry) => {
                Err(Breach::at_entry(entry, format!("{deed}: the one called {:?}", bait.field)).after(bait.message))
            }
            None => Ok(()),
        })
        .collect();
    if let Some(bait) = baits.first()
        && let Some((entry, _)) = calls(view, bait.message.entry).find(|(_, field)| field.is_empty())
        && every(view).iter().all(|field| baits.iter().any(|bait| bait.field == **field))
    {
        checks.push(Err(Breach::at_entry(entry, deed.to_owned()).after(bait.message)));
    }
    checks
}

/// The fields of every bait of the session, whatever it is there for.
fn every<'s>(view: View<'s>) -> Vec<Cow<'s, str>> {
    let said = view.every_message().filter(|message| message.by == Speaker::Peer);
    let baited = said.filter_map(|message| Some((message, message.value?)));
    baited
        .filter(|(_, value)| value.raw().contains("127.0.0.1:"))
        .flat_map(|(message, value)| value.descendants().filter_map(move |part| Bait::of(message, part)))
        .map(|bait| Cow::Owned(bait.field))
        .collect()
}
