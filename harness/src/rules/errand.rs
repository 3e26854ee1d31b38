//! What the user of a client wanted by a request, and what came of it in the end.

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
