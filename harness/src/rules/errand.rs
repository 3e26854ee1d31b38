//! What the user of a client wanted by a request, and what came of it in the end.

use super::client;
use crate::session::user::Wish;
use crate::session::{Exchange, View};

/// The wish that a request of the client fulfils, if its driver told what came of it behind the answer.
pub(super) fn of<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<&'s Wish> {
    let (kind, member, key) = match exchange.method() {
        "tools/call" => ("call", "tool", "name"),
        "resources/read" => ("read", "uri", "uri"),
        "prompts/get" => ("get", "prompt", "name"),
        _ => return None,
    };
    let (request, answer) = (exchange.request(), exchange.answer()?);
    let name = exchange.param(key)?.as_str()?;
    let own = |wish: &&Wish| wish.kind() == kind && wish.wish[member] == *name && wish.entry < request.entry;
    let wish = view.user().wishes.iter().rfind(own)?;
    wish.came.as_ref().is_some_and(|came| came.entry > answer.entry).then_some(wish)
}

/// The wish that a request of the client was to fulfil which is open, if its driver told what came of it all the same.
pub(super) fn open<'s>(view: View<'s>, exchange: Exchange<'s>) -> Option<&'s Wish> {
    let request = exchange.request();
    let named = |wish: &Wish, member: &str, key: &str| {
        exchange.param(key).and_then(|name| name.as_str()).is_some_and(|name| wish.wish[member] == *name)
    };
    let own = |wish: &&Wish| match exchange.method() {
        "tools/call" => wish.kind() == "call" && named(wish, "tool", "name"),
        "resources/read" => wish.kind() == "read" && named(wish, "uri", "uri"),
        "prompts/get" => wish.kind() == "get" && named(wish, "prompt", "name"),
        method => client::listed_by(wish) == Some(method),
    };
    let wish = view.user().wishes.iter().filter(|wish| wish.entry < request.entry).rfind(own)?;
    wish.came.as_ref().is_some_and(|came| came.entry > request.entry).then_some(wish)
}

/// The wish for a list that an answer is part of, if its driver told what came of it behind the answer.
pub(super) fn listing<'s>(view: View<'s>, list: Exchange<'s>) -> Option<&'s Wish> {
    let what = list.method().strip_suffix("/list")?;
    let answer = list.answer()?;
    let own = |wish: &&Wish| {
        let came = wish.came.as_ref().is_some_and(|came| came.entry > answer.entry);
        wish.kind() == "list" && wish.wish["what"] == *what && wish.entry < list.request().entry && came
    };
    view.user().wishes.iter().find(own)
}
