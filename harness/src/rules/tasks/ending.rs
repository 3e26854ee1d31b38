//! Tasks that are cancelled.

use super::following::end_of;
use super::{MOST, ONLY_11, Sighting, Source, declares, sightings, target};
use crate::revision::code;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};

const CLAUSE: &str = "2025-11-25/basic/utilities/tasks#task-cancellation";

const UNTESTED: &str = "the server does not declare tasks.cancel, or no call became a task; name a tool that may be called as \
    a task in the subject file, under `task`";

pub(super) static CANCEL_TERMINAL_REFUSED: Rule = Rule {
    id: "tasks.receiver.cancel-terminal-refused",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The cancellation of a task that has ended is refused by -32602.",
    judged: "tasks/cancel that was sent after the task was said to have ended, on servers that declare tasks.cancel. A task \
             that is gone by then gets the same code.",
    untested: UNTESTED,
    judge: cancel_terminal_refused,
};

fn cancel_terminal_refused(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    cancellations(view)
        .filter_map(|exchange| {
            let id = target(exchange)?;
            let (answer, end) = (exchange.answer()?, end_of(&sightings, &id)?);
            if end.entry > exchange.request().entry {
                return None;
            }
            let breach = |what: String| Some(Err(Breach::at(answer, what).after(exchange.request()).after(end)));
            match exchange.error_code() {
                Some(code::INVALID_PARAMS) => Some(Ok(())),
                Some(other) => breach(format!("refuses with {other} to cancel a task that has ended")),
                None if answer.is_success() => breach("cancels a task that has ended".to_owned()),
                None => None,
            }
        })
        .collect()
}

pub(super) static CANCEL_TAKES_EFFECT: Rule = Rule {
    id: "tasks.receiver.cancel-takes-effect",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "The cancellation of a task is answered by the cancelled task, and the task stays cancelled.",
    judged: "tasks/cancel on servers that declare it: the status in the answer, and in every answer to a request that was \
             sent later. A refusal is a breach if the task is seen to go on afterwards. A cancelled task may be gone at \
             once.",
    untested: UNTESTED,
    judge: cancel_takes_effect,
};

fn cancel_takes_effect(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    cancellations(view)
        .filter_map(|exchange| {
            let id = target(exchange)?;
            let answer = exchange.answer()?;
            let breach = |what: &str| Breach::at(answer, what).after(exchange.request());
            let polled = |sighting: &&Sighting<'_>| {
                sighting.is(&id) && sighting.since > answer.entry && sighting.source != Source::Noticed
            };
            if exchange.error_code().is_some() {
                let lives =
                    |sighting: &&Sighting<'_>| sighting.has_status("working") || sighting.has_status("input_required");
                let alive = sightings.iter().filter(polled).find(lives)?;
                let what = "refuses to cancel a task that goes on";
                return Some(Err(Breach::at(alive.message, what).after(answer)));
            }
            let result = exchange.result()?;
            if !result.member("status").is_some_and(|status| status.is("cancelled")) {
                return Some(Err(breach("answers a cancellation by a task that is not cancelled")));
            }
            let revived = sightings.iter().filter(polled).find(|sighting| !sighting.has_status("cancelled"));
            let what = "cancels a task that goes on";
            Some(revived.map_or(Ok(()), |sighting| Err(Breach::at(sighting.message, what).after(answer))))
        })
        .collect()
}

fn cancellations(view: View<'_>) -> impl Iterator<Item = Exchange<'_>> {
    let declared = declares(view, &["cancel"]) == Some(true);
    view.exchanges().filter(move |exchange| declared && exchange.is("tasks/cancel")).take(MOST)
}
