//! Whether a call that was refused had an effect all the same: another tool, called right before and right after it, tells.

use super::Breach;
use crate::session::{Exchange, Message};
use crate::wire::Value;

/// What a call is to the question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Call {
    /// Nothing about it gives a reason to refuse it.
    Plain,
    /// It was refused, for the reason that is looked into.
    Refused,
    /// Anything else: what it did is unknown.
    Unclear,
}

/// Watches the calls of a session, in their order.
#[derive(Default)]
pub(super) struct Watch<'s> {
    witness: Option<Witness<'s>>,
    /// The last entry of the calls so far; without an end they may go on for ever.
    busy_until: usize,
}

impl<'s> Watch<'s> {
    /// Takes the next call, over with this entry. Gives the effect of a refused one, if this call shows it.
    pub(super) fn hear(&mut self, call: Exchange<'s>, is: Call, over: Option<usize>) -> Option<Effect<'s>> {
        let alone = call.request().entry > self.busy_until;
        self.busy_until = self.busy_until.max(over.unwrap_or(usize::MAX));
        match is {
            Call::Plain => {
                let (next, effect) = Witness::hear(self.witness.take(), call);
                self.witness = next.filter(|_| alone);
                effect
            }
            Call::Refused => {
                self.witness.iter_mut().for_each(|witness| witness.refused = Some(call));
                None
            }
            Call::Unclear => {
                self.witness = None;
                None
            }
        }
    }
}

/// The effect of a refused call.
pub(super) struct Effect<'s> {
    refused: Exchange<'s>,
    shown: &'s Message<'s>,
}

impl Effect<'_> {
    /// The breach that it is; `why` says for what the call was refused.
    pub(super) fn breach(&self, why: &str) -> Breach {
        let what = format!("shows the effect of a call that was refused {why}");
        Breach::at(self.shown, what).after(self.refused.request())
    }
}

/// The latest call of a tool that was served, in case it shows what other calls do.
struct Witness<'s> {
    call: Exchange<'s>,
    /// It was called twice without anything in between, and said the same.
    steady: bool,
    /// A call that was refused since.
    refused: Option<Exchange<'s>>,
}

impl<'s> Witness<'s> {
    /// The witness after another call was served, and what it shows of a refused call in between.
    fn hear(before: Option<Self>, call: Exchange<'s>) -> (Option<Self>, Option<Effect<'s>>) {
        let (Some(shown), Some(result)) = (call.answer(), call.result()) else { return (None, None) };
        let fresh = Self { call, steady: false, refused: None };
        let Some(before) = before.filter(|before| before.asks_the_same(call)) else { return (Some(fresh), None) };
        let said = |result: Value<'_>, other: Value<'_>, key: &str| match (result.member(key), other.member(key)) {
            (Some(one), Some(two)) => one.same(two),
            (one, two) => one.is_none() && two.is_none(),
        };
        let same = before.call.result().is_some_and(|earlier| {
            ["content", "structuredContent", "isError"].iter().all(|key| said(earlier, result, key))
        });
        let effect = before.refused.filter(|_| before.steady && !same).map(|refused| Effect { refused, shown });
        (Some(Self { steady: same && before.refused.is_none(), ..fresh }), effect)
    }

    fn asks_the_same(&self, call: Exchange<'s>) -> bool {
        ["name", "arguments"].iter().all(|key| match (self.call.param(key), call.param(key)) {
            (Some(one), Some(two)) => one.same(two),
            (one, two) => one.is_none() && two.is_none(),
        })
    }
}
