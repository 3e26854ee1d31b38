//! What becomes of the input that a client gives, and of the state that it brings back.

use super::{NOBODY_ASKED, asks, inputs, is_retry, same_operation, served};
use crate::revision::{Revisions, Side};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};
use crate::wire::Value;

const ERRORS: &str = "2026-07-28/basic/patterns/mrtr#error-handling";

pub(super) static STATE_TAMPER_REJECTED: Rule = Rule {
    id: "mrtr.state-tamper-rejected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/patterns/mrtr#server-requirements-basic-workflow",
    requires: "A server refuses request state that it did not give out, if anything depends on it.",
    judged: "Retries with a state that the server gave out for nothing, though it gave one out for this. Nobody outside can \
             see whether anything depends on it, so a success is a warning and worth a review.",
    untested: "the server gave out no request state, or never got one back changed",
    judge: state_tamper_rejected,
};

fn state_tamper_rejected(view: View<'_>) -> Verdict {
    let served = served(view);
    served
        .iter()
        .enumerate()
        .filter_map(|(position, retry)| {
            let state = retry.param("requestState").filter(|state| state.is_string())?;
            let earlier = served.get(..position)?;
            let mut given = earlier.iter().filter_map(|one| Some((*one, one.result()?.member("requestState")?)));
            given.clone().find(|(one, _)| same_operation(*one, *retry))?;
            if given.any(|(one, own)| own.same(state) && same_operation(one, *retry)) {
                return None;
            }
            let answer = retry.answer()?;
            let accepted = matches!(Outcome::of(*retry)?, Outcome::Success);
            let what = "succeeds with a request state that it never gave out";
            let check: Check =
                if accepted { Err(Breach::at(answer, what).after(retry.request()).as_warning()) } else { Ok(()) };
            Some(check)
        })
        .collect()
}

pub(super) static MISSING_INPUT_ASKED_AGAIN: Rule = Rule {
    id: "mrtr.missing-input-asked-again",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Input that is still missing is asked for again.",
    judged: "Retries with inputResponses that lack what was asked for, and with the state as it was given out. A server that \
             can do without may succeed; an error is a warning.",
    untested: NOBODY_ASKED,
    judge: missing_input_asked_again,
};

fn missing_input_asked_again(view: View<'_>) -> Verdict {
    retries(view)
        .iter()
        .filter(|retry| retry.honest_state && retry.responses.is_object())
        .filter(|retry| retry.asked.members().any(|(key, _)| retry.responses.member(&key).is_none()))
        .filter_map(|retry| {
            let answer = retry.exchange.answer()?;
            let what = "fails over missing input that it could have asked for again";
            Some(match Outcome::of(retry.exchange)? {
                Outcome::Success | Outcome::Asks => Ok(()),
                Outcome::ToolError | Outcome::Error => {
                    Err(Breach::at(answer, what).after(retry.exchange.request()).as_warning())
                }
            })
        })
        .collect()
}

pub(super) static EXTRA_INPUT_IGNORED: Rule = Rule {
    id: "mrtr.extra-input-ignored",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Input that nobody asked for is ignored.",
    judged: "Retries that give all that was asked for and something else, against retries of the same request that give the \
             same without it: no failure that the others did not have.",
    untested: NOBODY_ASKED,
    judge: extra_input_ignored,
};

fn extra_input_ignored(view: View<'_>) -> Verdict {
    let retries = retries(view);
    let answers_all = |retry: &&Retry<'_>| {
        retry.honest_state && retry.asked.members().all(|(key, _)| retry.responses.member(&key).is_some())
    };
    let exact = |retry: &&Retry<'_>| {
        answers_all(retry) && retry.responses.members().all(|(key, _)| retry.asked.member(&key).is_some())
    };
    retries
        .iter()
        .filter(|retry| answers_all(retry) && !exact(retry))
        .filter_map(|extra| {
            let control = retries.iter().filter(exact).find(|control| {
                let same = |key: &str| match (control.responses.member(key), extra.responses.member(key)) {
                    (Some(one), Some(other)) => one.same(other),
                    _ => false,
                };
                same_operation(control.exchange, extra.exchange)
                    && control.responses.members().all(|(key, _)| same(&key))
            })?;
            let (usual, now) = (Outcome::of(control.exchange)?, Outcome::of(extra.exchange)?);
            let failed = matches!(now, Outcome::Error | Outcome::ToolError);
            let what = "fails over input that it did not ask for";
            if failed && usual == now {
                return None;
            }
            Some(if failed {
                Err(Breach::at(extra.exchange.answer()?, what).after(extra.exchange.request()))
            } else {
                Ok(())
            })
        })
        .collect()
}

pub(super) static MALFORMED_INPUT_ERROR: Rule = Rule {
    id: "mrtr.malformed-input-error",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: ERRORS,
    requires: "Malformed input is refused by a JSON-RPC error.",
    judged: "Retries whose inputResponses are no object, or answer an elicitation with an action that does not exist. To ask \
             again is as good; an error of the tool is a warning.",
    untested: NOBODY_ASKED,
    judge: malformed_input_error,
};

fn malformed_input_error(view: View<'_>) -> Verdict {
    const ACTIONS: [&str; 3] = ["accept", "decline", "cancel"];
    retries(view)
        .iter()
        .filter(|retry| {
            let elicited = |key: &str| {
                retry
                    .asked
                    .member(key)
                    .and_then(|input| input.member("method"))
                    .is_some_and(|m| m.is("elicitation/create"))
            };
            let unknown = |response: Value<'_>| {
                !ACTIONS.iter().any(|known| response.member("action").is_some_and(|action| action.is(known)))
            };
            !retry.responses.is_object()
                || retry.responses.members().any(|(key, response)| elicited(&key) && unknown(response))
        })
        .filter_map(|retry| {
            let answer = retry.exchange.answer()?;
            let breach = |what: &str| Breach::at(answer, what).after(retry.exchange.request());
            Some(match Outcome::of(retry.exchange)? {
                Outcome::Error | Outcome::Asks => Ok(()),
                Outcome::ToolError => Err(breach("reports malformed input as an error of the tool").as_warning()),
                Outcome::Success => Err(breach("succeeds with malformed input")),
            })
        })
        .collect()
}

pub(super) static DECLINE_HANDLED: Rule = Rule {
    id: "mrtr.decline-handled",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#error-handling",
    requires: "A user who declines or dismisses a question is an answer that the server can deal with.",
    judged: "Retries that decline or cancel an elicitation: any response will do. None until the deadline is a breach, an \
             internal error (-32603) a warning. What ends the session is a finding of robustness.",
    untested: "no elicitation was declined; name a tool that asks the user in the subject file",
    judge: decline_handled,
};

fn decline_handled(view: View<'_>) -> Verdict {
    retries(view)
        .iter()
        .filter(|retry| retry.honest_state && retry.responses.is_object())
        .filter(|retry| {
            retry.responses.members().any(|(key, response)| {
                let declines = response.member("action").is_some_and(|own| own.is("decline") || own.is("cancel"));
                declines && retry.asked.member(&key).is_some()
            })
        })
        .filter_map(|retry| {
            let request = retry.exchange.request();
            if let Some(answer) = retry.exchange.answer() {
                let failed = retry.exchange.error_code() == Some(crate::revision::code::INTERNAL_ERROR);
                let what = "fails when the user declines";
                return Some(if failed { Err(Breach::at(answer, what).after(request).as_warning()) } else { Ok(()) });
            }
            let what = "never answers a client whose user declines";
            retry.exchange.is_overdue().then(|| Err(Breach::at(request, what)))
        })
        .collect()
}

/// A request with input, and what was asked for before.
struct Retry<'s> {
    exchange: Exchange<'s>,
    /// The `inputRequests` that it reacts to.
    asked: Value<'s>,
    /// Its `inputResponses`, of any type.
    responses: Value<'s>,
    /// It brings the state that came with them, unused so far, or none if none came.
    honest_state: bool,
}

/// The requests with input, each after the last result that asked for some in the same matter.
fn retries(view: View<'_>) -> Vec<Retry<'_>> {
    let served = served(view);
    (0..served.len()).filter_map(|position| retry(&served, position)).collect()
}

fn retry<'s>(served: &[Exchange<'s>], position: usize) -> Option<Retry<'s>> {
    let (exchange, before) = (*served.get(position)?, served.get(..position)?);
    let responses = exchange.param("inputResponses")?;
    let demand = *before.iter().rev().find(|one| {
        let answered = one.answer().is_some_and(|answer| answer.entry < exchange.request().entry);
        answered && same_operation(**one, exchange) && one.result().is_some_and(asks)
    })?;
    // A state may be good for one use only.
    let used = before
        .iter()
        .any(|one| is_retry(*one) && one.request().entry > demand.request().entry && same_operation(*one, exchange));
    let honest_state = match (exchange.param("requestState"), demand.result()?.member("requestState")) {
        (None, None) => true,
        (Some(own), Some(due)) => own.same(due) && !used,
        _ => false,
    };
    Some(Retry { exchange, asked: inputs(demand.result()?)?, responses, honest_state })
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Success,
    /// A result that says that the tool failed.
    ToolError,
    Asks,
    Error,
}

impl Outcome {
    fn of(exchange: Exchange<'_>) -> Option<Self> {
        if exchange.answer()?.error().is_some() {
            return Some(Self::Error);
        }
        let result = exchange.result()?;
        let failed = result.member("isError").and_then(Value::as_bool) == Some(true);
        Some(if asks(result) {
            Self::Asks
        } else if failed {
            Self::ToolError
        } else {
            Self::Success
        })
    }
}
