//! How a client asks again with what a server wanted to know.

use super::{KINDS, asks, inputs, is_retry};
use crate::revision::{Revisions, Side};
use crate::rules::client::{self, wished_between};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, View};
use crate::wire::{Id, Value};

const fn rule(id: &'static str) -> Rule {
    Rule {
        id,
        level: Level::Must,
        side: Some(Side::Client),
        revisions: Revisions::MODERN,
        transports: Transports::BOTH,
        clause: "2026-07-28/basic/patterns/mrtr#client-requirements-basic-workflow",
        requires: "",
        judged: "",
        untested: "the client never asked again after a result that wanted input",
        judge: |_| Verdict::untested(),
    }
}

/// A result that wants input, and what the client asked because of it.
struct Round<'s> {
    asked: Exchange<'s>,
    answer: &'s Message<'s>,
    result: Value<'s>,
    retry: Option<Exchange<'s>>,
    /// The round whose retry it is that this one began with.
    before: Option<usize>,
}

impl<'s> Round<'s> {
    fn state(&self) -> Option<Value<'s>> {
        self.result.member("requestState").filter(|state| !state.is_null())
    }

    fn has_state_of(&self, retry: Exchange<'s>) -> bool {
        match (self.state(), retry.param("requestState")) {
            (Some(given), Some(back)) => given.same(back),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether the retry is about the same tool, prompt or resource.
    fn is_about_that_of(&self, retry: Exchange<'s>) -> bool {
        let same = |key: &str| match (self.asked.param(key), retry.param(key)) {
            (None, None) => true,
            (Some(one), Some(other)) => one.same(other),
            _ => false,
        };
        self.asked.method() == retry.method() && same("name") && same("uri")
    }

    fn has_arguments_of(&self, retry: Exchange<'s>) -> bool {
        match (self.asked.param("arguments"), retry.param("arguments")) {
            (None, None) => true,
            (Some(one), Some(other)) => one.same(other),
            _ => false,
        }
    }
}

/// What a client made of the demands for input in a session.
struct Rounds<'s> {
    all: Vec<Round<'s>>,
    /// Requests with state or input that belong to no round of their own tool, prompt or resource.
    stray: Vec<Exchange<'s>>,
}

impl<'s> Rounds<'s> {
    fn of(view: View<'s>) -> Self {
        let mut rounds = Self { all: Vec::new(), stray: Vec::new() };
        // What does not come back to a question cannot be told from a new wish where nobody knows the wishes.
        let knows_wishes = !view.user().wishes.is_empty();
        let exchanges: Vec<Exchange<'s>> = client::modern(view).take(MOST).collect();
        for (position, exchange) in exchanges.iter().enumerate() {
            let entry = exchange.request().entry;
            let earlier = exchanges.get(..position).unwrap_or_default();
            rounds.demands(earlier, entry);
            let place = if is_retry(*exchange) {
                let place = rounds.place_of(*exchange, entry);
                let place = place.or_else(|| rounds.renamed(view, *exchange).filter(|_| knows_wishes));
                if place.is_none() {
                    rounds.stray.push(*exchange);
                }
                place
            } else {
                rounds.bare(*exchange).filter(|_| knows_wishes).filter(|place| {
                    rounds
                        .all
                        .get(*place)
                        .is_some_and(|round| !wished_between(view, round.asked.request().entry, entry))
                })
            };
            if let Some(round) = place.and_then(|place| rounds.all.get_mut(place)) {
                round.retry = Some(*exchange);
            }
        }
        rounds.demands(&exchanges, usize::MAX);
        rounds
    }

    /// Takes in the demands that were made before an entry.
    fn demands(&mut self, exchanges: &[Exchange<'s>], before: usize) {
        for exchange in exchanges {
            let Some(answer) = exchange.answer().filter(|answer| answer.entry < before) else { continue };
            let known = self.all.iter().any(|round| round.answer.entry == answer.entry);
            let Some(result) = exchange.result().filter(|result| asks(*result) && !known) else { continue };
            let entry = exchange.request().entry;
            let is_it = |round: &Round<'_>| round.retry.is_some_and(|retry| retry.request().entry == entry);
            let before = self.all.iter().position(is_it);
            self.all.push(Round { asked: *exchange, answer, result, retry: None, before });
        }
    }

    /// The round that a request with state or input belongs to. One that was asked again in vain may be so once more.
    fn place_of(&self, retry: Exchange<'s>, entry: usize) -> Option<usize> {
        let find = |fits: &dyn Fn(&Round<'s>) -> bool| {
            let fits = |round: &Round<'s>| round.answer.entry < entry && round.is_about_that_of(retry) && fits(round);
            self.all.iter().position(fits)
        };
        let is_open = |round: &Round<'_>| round.retry.is_none();
        let in_vain = |round: &Round<'_>| round.retry.is_some_and(|last| last.result().is_none());
        find(&|round| is_open(round) && round.has_state_of(retry) && round.has_arguments_of(retry))
            .or_else(|| find(&|round| is_open(round) && round.has_state_of(retry)))
            .or_else(|| find(&|round| in_vain(round) && round.has_state_of(retry)))
            .or_else(|| find(&|round| is_open(round) && round.has_arguments_of(retry)))
            .or_else(|| find(&|round| is_open(round)))
    }

    /// The round whose state a request brings back that is about another tool, prompt or resource, if no wish is.
    fn renamed(&self, view: View<'_>, retry: Exchange<'s>) -> Option<usize> {
        let named = ["name", "uri"].iter().find_map(|key| retry.param(key)?.as_str());
        let is_wish = view.user().wishes.iter().any(|wish| {
            ["tool", "uri", "prompt"]
                .iter()
                .any(|key| wish.wish[*key].as_str().is_some_and(|own| named.as_deref() == Some(own)))
        });
        let entry = retry.request().entry;
        self.all.iter().position(|round| {
            let fits = round.asked.method() == retry.method() && round.state().is_some() && round.has_state_of(retry);
            !is_wish && round.retry.is_none() && round.answer.entry < entry && fits
        })
    }

    /// The round that a request looks like a retry of although it brings nothing back.
    fn bare(&self, exchange: Exchange<'s>) -> Option<usize> {
        let entry = exchange.request().entry;
        self.all.iter().position(|round| {
            let same = round.is_about_that_of(exchange) && round.has_arguments_of(exchange);
            round.retry.is_none() && round.answer.entry < entry && same
        })
    }

    fn retried(&self) -> impl Iterator<Item = (&Round<'s>, Exchange<'s>)> {
        self.all.iter().filter_map(|round| Some((round, round.retry?)))
    }
}

/// More requests of one session are not looked at.
const MOST: usize = 256;

pub(super) static ECHOES_STATE: Rule = Rule {
    requires: "A client that asks again repeats the requestState of the result exactly.",
    judged: "Compared after JSON decoding, so that escapes may differ. The empty string is a state too. A state that is no \
             string is no state.",
    untested: "the client never asked again after a result with a state",
    judge: echoes_state,
    ..rule("mrtr.client-echoes-state")
};

fn echoes_state(view: View<'_>) -> Verdict {
    Rounds::of(view)
        .retried()
        .filter_map(|(round, retry)| {
            let state = round.state().filter(|state| state.is_string())?;
            let breach = |what: &str| Err(Breach::at(retry.request(), what).after(round.answer));
            Some(match retry.param("requestState") {
                Some(back) if back.same(state) => Ok(()),
                Some(_) => breach("asks again with another state than the one that it was given"),
                None => breach("asks again without the state that it was given"),
            })
        })
        .collect()
}

pub(super) static NO_INVENTED_STATE: Rule = Rule {
    requires: "A client that was given no requestState asks again without one.",
    judged: "Each retry is held against the result before it alone: a state of an earlier round is no longer one. A member \
             that is null is a warning.",
    untested: "the client never asked again after a result without a state",
    judge: no_invented_state,
    ..rule("mrtr.client-no-invented-state")
};

fn no_invented_state(view: View<'_>) -> Verdict {
    Rounds::of(view)
        .retried()
        .filter(|(round, _)| round.result.member("requestState").is_none())
        .map(|(round, retry)| match retry.param("requestState") {
            None => Ok(()),
            Some(state) => {
                let what = "asks again with a state although the result before had none";
                let breach = Breach::at(retry.request(), what).after(round.answer);
                Err(if state.is_null() { breach.as_warning() } else { breach })
            }
        })
        .collect()
}

pub(super) static NEW_ID: Rule = Rule {
    requires: "A client asks again under another id.",
    judged: "The ids of all attempts of one operation; 7 and \"7\" differ.",
    judge: new_id,
    ..rule("mrtr.client-new-id")
};

fn new_id(view: View<'_>) -> Verdict {
    let rounds = Rounds::of(view);
    let mut checks: Vec<Check> = Vec::new();
    for (round, retry) in rounds.retried() {
        let mut earlier = Some(round);
        let mut steps = 0;
        let mut found = None;
        while let Some(one) = earlier.filter(|_| steps < MOST) {
            if one.asked.request().id == retry.request().id {
                found = Some(one.asked.request());
            }
            earlier = one.before.and_then(|place| rounds.all.get(place));
            steps += 1;
        }
        checks.push(match found {
            None => Ok(()),
            Some(first) => {
                let id = first.id.as_ref().map_or("none", Id::text);
                let id: String = id.chars().take(60).collect();
                Err(Breach::at(retry.request(), format!("asks again under the same id {id}")).after(first))
            }
        });
    }
    checks.into_iter().collect()
}

pub(super) static ANSWERS_EVERY_REQUEST: Rule = Rule {
    requires: "A client that asks again brings all the input that it was asked for.",
    judged: "Results whose questions are all of a known kind and of a capability that the client declared in that request. \
             Each key must be there, with a value that has the members of its kind; a key that nobody asked for is a \
             warning. Not asking again is fine.",
    untested: "the client never asked again after a result with questions that it declared to answer",
    judge: answers_every_request,
    ..rule("mrtr.client-answers-every-request")
};

fn answers_every_request(view: View<'_>) -> Verdict {
    Rounds::of(view).retried().filter_map(|(round, retry)| answered(view, round, retry)).collect()
}

fn answered(view: View<'_>, round: &Round<'_>, retry: Exchange<'_>) -> Option<Check> {
    let wanted = inputs(round.result).filter(|wanted| !wanted.is_empty())?;
    let fair = wanted.members().all(|(_, question)| {
        let kind = question.member("method").and_then(Value::as_str);
        let Some(kind) = kind.filter(|kind| KINDS.contains(&&**kind)) else { return false };
        let capability = kind.split('/').next().unwrap_or_default();
        view.client_declares(round.asked.request(), &[capability])
    });
    if !fair {
        return None;
    }
    let breach = |what: String| Breach::at(retry.request(), what).after(round.answer);
    let Some(given) = retry.param("inputResponses").filter(|given| given.is_object()) else {
        return Some(Err(breach("asks again without the input that was wanted".to_owned())));
    };
    for (key, question) in wanted.members() {
        let Some(input) = given.member(&key) else {
            return Some(Err(breach(format!("asks again without the input {key:?}"))));
        };
        if let Some(lacks) = question.member("method").and_then(Value::as_str).and_then(|kind| lack(&kind, input)) {
            return Some(Err(breach(format!("asks again with an input {key:?} that {lacks}"))));
        }
    }
    let extra = given.members().find(|(key, _)| wanted.member(key).is_none());
    Some(extra.map_or(Ok(()), |(key, _)| {
        Err(breach(format!("asks again with the input {key:?}, which nobody wanted")).as_warning())
    }))
}

/// What an input lacks to be a result of this kind.
fn lack(kind: &str, input: Value<'_>) -> Option<&'static str> {
    let is_text = |key: &str| input.member(key).is_some_and(Value::is_string);
    match kind {
        "elicitation/create" => (!is_text("action")).then_some("has no action"),
        "roots/list" => (!input.member("roots").is_some_and(Value::is_array)).then_some("has no list of roots"),
        _ => {
            let content = input.member("content").is_some_and(|content| content.is_object() || content.is_array());
            let whole = content && is_text("role") && is_text("model");
            (!whole).then_some("lacks the role, the model or the content")
        }
    }
}

pub(super) static SAME_OPERATION: Rule = Rule {
    clause: "2026-07-28/basic/patterns/mrtr#basic-workflow",
    requires: "A retry is the original request with the same params, apart from the input and the state.",
    judged: "Method, name or URI, arguments and all other params but `_meta`, which has rules of its own.",
    judge: same_operation,
    ..rule("mrtr.client-same-operation")
};

fn same_operation(view: View<'_>) -> Verdict {
    const OWN: &[&str] = &["_meta", "inputResponses", "requestState"];
    Rounds::of(view)
        .retried()
        .map(|(round, retry)| {
            let keys = |exchange: Exchange<'_>| {
                let params = exchange.params().into_iter().flat_map(Value::members);
                params.map(|(key, _)| key.into_owned()).filter(|key| !OWN.contains(&key.as_str())).collect::<Vec<_>>()
            };
            let differs = |key: &String| match (round.asked.param(key), retry.param(key)) {
                (Some(one), Some(other)) => !one.same(other),
                _ => true,
            };
            let (first, again) = (keys(round.asked), keys(retry));
            match first.iter().chain(&again).find(|key| differs(key)) {
                None => Ok(()),
                Some(key) => {
                    let what = format!("asks again with other {key} than before");
                    Err(Breach::at(retry.request(), what).after(round.asked.request()))
                }
            }
        })
        .collect()
}

pub(super) static STATE_NOT_SHARED: Rule = Rule {
    requires: "State and input go into the retry of their own operation, and into no other request.",
    judged: "A request with state or input must follow a result for the same tool, prompt or resource that wanted input; \
             one that was refused may be sent again. Every request that a client sent behind such a result puts it to \
             the test.",
    untested: "no result wanted input of the client, or it asked nothing more",
    judge: state_not_shared,
    ..rule("mrtr.client-state-not-shared")
};

fn state_not_shared(view: View<'_>) -> Verdict {
    let rounds = Rounds::of(view);
    let Some(first) = rounds.all.iter().map(|round| round.answer.entry).min() else {
        return rounds.stray.iter().map(|stray| Err(unasked(&rounds, *stray))).collect();
    };
    client::modern(view)
        .take(MOST)
        .filter(|exchange| exchange.request().entry > first || is_retry(*exchange))
        .map(|exchange| {
            let entry = exchange.request().entry;
            let is_stray = rounds.stray.iter().any(|stray| stray.request().entry == entry);
            // The state of another operation that was open at the same time.
            let foreign = || {
                let state = exchange.param("requestState").filter(|state| state.is_string())?;
                let own = rounds.retried().find(|(_, retry)| retry.request().entry == entry)?.0;
                let given = rounds.all.iter().find(|round| round.state().is_some_and(|other| other.same(state)))?;
                let is_foreign = !own.has_state_of(exchange) && own.state().is_some();
                is_foreign.then_some(given)
            };
            match foreign() {
                _ if is_stray => Err(unasked(&rounds, exchange)),
                Some(given) if given.asked.request().entry != entry => {
                    Err(Breach::at(exchange.request(), "asks again with the state of another operation")
                        .after(given.answer))
                }
                _ => Ok(()),
            }
        })
        .collect()
}

fn unasked(rounds: &Rounds<'_>, stray: Exchange<'_>) -> Breach {
    let what = format!("puts state or input into {} although its answer wanted none", stray.method());
    let breach = Breach::at(stray.request(), what);
    let given = stray.param("requestState").and_then(|state| {
        let gave = |round: &&Round<'_>| round.state().is_some_and(|own| own.same(state));
        rounds.all.iter().find(gave)
    });
    match given {
        Some(round) => breach.after(round.answer),
        None => breach,
    }
}

pub(super) static STATE_ONLY_RETRY: Rule = Rule {
    requires: "A client that was given only a state asks again with that state and without any input.",
    judged: "Results with a state and without questions. A client need not ask again; that it was told to try later may be \
             all that its user learns; but it must not fall over it.",
    untested: "the client never asked again after a result with a state and without questions",
    judge: state_only_retry,
    ..rule("mrtr.client-state-only-retry")
};

fn state_only_retry(view: View<'_>) -> Verdict {
    Rounds::of(view)
        .all
        .iter()
        .filter(|round| round.result.member("inputRequests").is_none())
        .filter_map(|round| {
            let state = round.state().filter(|state| state.is_string())?;
            let Some(retry) = round.retry else {
                let left = client::left_behind(view, round.answer)?;
                return Some(
                    Err(Breach::at_entry(left, "hangs up on a result with a state alone").after(round.answer)),
                );
            };
            let breach = |what: &str| Err(Breach::at(retry.request(), what).after(round.answer));
            let invents = retry.param("inputResponses").is_some_and(|given| !given.is_null() && !given.is_empty());
            Some(match retry.param("requestState") {
                _ if invents => breach("asks again with input that nobody wanted"),
                Some(back) if back.same(state) => Ok(()),
                _ => breach("asks again without the state, which was all that it was given"),
            })
        })
        .collect()
}
