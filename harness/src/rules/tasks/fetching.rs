//! The result of a task, and what the server asks of the client on its way there.

use super::{
    MOST, ONLY_11, Sighting, Source, Support, UNTESTED, calls, related, requesting, same_call, sightings, supports,
    target,
};
use crate::revision::Side;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Speaker, View};
use crate::wire::Value;

const RETRIEVAL: &str = "2025-11-25/basic/utilities/tasks#result-retrieval";

pub(super) static RESULT_BLOCKS: Rule = Rule {
    id: "tasks.receiver.result-blocks",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: RETRIEVAL,
    requires: "tasks/result is answered only once the task has ended.",
    judged: "A task that an answer shows to go on, although the request for that answer was sent after tasks/result had \
             been answered. Tasks that were seen to go on while tasks/result waited keep the rule.",
    untested: "nobody asked for the result of a task that was still at work",
    judge: result_blocks,
};

fn result_blocks(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    let goes_on = |sighting: &&Sighting<'_>| sighting.has_status("working") || sighting.has_status("input_required");
    view.exchanges()
        .filter(|exchange| exchange.is("tasks/result"))
        .take(MOST)
        .filter_map(|exchange| {
            let id = target(exchange)?;
            let (asked, answer) = (exchange.request().entry, exchange.answer()?);
            let own = || sightings.iter().filter(|sighting| sighting.is(&id) && sighting.source != Source::Noticed);
            if let Some(alive) = own().filter(|sighting| sighting.since > answer.entry).find(goes_on) {
                let what = "answers tasks/result before the task has ended";
                return Some(Err(Breach::at(alive.message, what).after(answer)));
            }
            let waited =
                own().filter(goes_on).any(|sighting| sighting.since > asked && sighting.message.entry < answer.entry);
            waited.then_some(Ok(()))
        })
        .collect()
}

pub(super) static RESULT_FAITHFUL: Rule = Rule {
    id: "tasks.receiver.result-faithful",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: RETRIEVAL,
    requires: "tasks/result gives what the plain request would have given, and names the task in its metadata.",
    judged: "The metadata of every result. The rest against two plain calls of the same tool with the same arguments, if \
             both gave the same: results have to be equal but for their metadata, errors have to have the same code. Tasks \
             that somebody tried to cancel are left out.",
    untested: UNTESTED,
    judge: result_faithful,
};

fn result_faithful(view: View<'_>) -> Verdict {
    let supports = supports(view);
    let calls: Vec<(Exchange<'_>, bool)> = calls(view).take(MOST).collect();
    let cancelled: Vec<_> =
        view.exchanges().filter(|one| one.is("tasks/cancel")).take(MOST).filter_map(target).collect();
    view.exchanges()
        .filter(|exchange| exchange.is("tasks/result"))
        .take(MOST)
        .filter_map(|exchange| {
            let (id, answer) = (target(exchange)?, exchange.answer()?);
            let made = |call: &&(Exchange<'_>, bool)| {
                let task = call.0.result().and_then(|result| result.path(&["task", "taskId"]));
                call.1 && task.is_some_and(|own| own.is(&id))
            };
            let (made, _) = *calls.iter().find(made)?;
            let breach = |what: &str| Some(Err(Breach::at(answer, what).after(exchange.request())));
            if exchange.result().is_some() && related(answer).as_ref() != Some(&id) {
                return breach("gives the result of a task without naming the task in its metadata");
            }
            let optional = made.param("name").and_then(Value::as_str).and_then(|name| supports.get(&name).copied());
            if optional != Some(Support::Optional) || cancelled.contains(&id) {
                return exchange.result().is_some().then_some(Ok(()));
            }
            let plain: Vec<Exchange<'_>> = calls
                .iter()
                .filter(|(call, as_task)| !as_task && same_call(*call, made))
                .map(|(call, _)| *call)
                .collect();
            match plain[..] {
                [one, other, ..] if alike(one, other) == Some(true) => match alike(one, exchange) {
                    Some(true) => Some(Ok(())),
                    _ => breach("gives another result of a task than of the same call without one"),
                },
                _ => exchange.result().is_some().then_some(Ok(())),
            }
        })
        .collect()
}

/// Whether two requests ended alike, metadata aside; none if one of them did not end.
fn alike(one: Exchange<'_>, other: Exchange<'_>) -> Option<bool> {
    if let (Some(one), Some(other)) = (one.result(), other.result()) {
        let bare = |result: Value<'_>| {
            let mut tree = result.to_tree()?;
            tree.as_object_mut()?.remove("_meta");
            Some(tree)
        };
        return Some(bare(one)? == bare(other)?);
    }
    one.answer()?;
    other.answer()?;
    Some(one.error_code().is_some() && one.error_code() == other.error_code())
}

pub(super) static RELATED_METADATA: Rule = Rule {
    id: "tasks.related-metadata",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#associating-task-related-messages",
    requires: "What is asked for the sake of a task names that task in its metadata.",
    judged: "elicitation/create and sampling/createMessage while a task is under way and no plain request of the client is \
             open that could be the reason. The task has to be one that the server made. Answers about tasks and notices \
             of their status should not have the metadata, results of tasks have their own rule, and progress and log \
             messages are not held to it. A client's results name the task that its server's question named.",
    untested: "no call as a task asked the client anything; name a tool that asks the user as a task in the subject file, under \
               `task-asks-user`",
    judge: related_metadata,
};

fn related_metadata(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return requesting::related_metadata(view);
    }
    let sightings = sightings(view);
    questions(view, &sightings)
        .filter_map(|exchange| {
            let question = exchange.request();
            let known = |id: &str| {
                sightings
                    .iter()
                    .any(|one| one.source == Source::Made && one.is(id) && one.message.entry < question.entry)
            };
            let breach = |what: &str| Some(Err(Breach::at(question, what)));
            match related(question) {
                Some(id) if known(&id) => Some(Ok(())),
                Some(_) => breach("asks in the name of a task that it never made"),
                None => breach("asks for the sake of a task without naming it"),
            }
        })
        .collect()
}

pub(super) static INPUT_REQUIRED_STATUS: Rule = Rule {
    id: "tasks.receiver.input-required-status",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#input-required-status",
    requires: "A task that waits for the client is input_required, and leaves that status once it has its answer.",
    judged: "tasks/get between a question that names the task and its answer, and after the answer of the only question. \
             Another status is a warning.",
    untested: "nobody looked at a task while it waited for the client; name a tool that asks the user as a task in the subject \
               file, under `task-asks-user`",
    judge: input_required_status,
};

fn input_required_status(view: View<'_>) -> Verdict {
    let sightings = sightings(view);
    let questions: Vec<(Exchange<'_>, _)> = view
        .exchanges_by(Speaker::Subject)
        .take(MOST)
        .filter_map(|exchange| Some((exchange, related(exchange.request())?)))
        .collect();
    questions
        .iter()
        .flat_map(|(question, id)| {
            let alone = questions.iter().filter(|(_, other)| other == id).count() == 1;
            let (asked, answered) = (question.request(), question.answer().map(|answer| answer.entry));
            let got = sightings.iter().filter(move |one| one.source == Source::Got && one.is(id));
            got.filter_map(move |sighting| {
                let breach = |what: &str| Some(Err(Breach::at(sighting.message, what).after(asked).as_warning()));
                let waits = sighting.since > asked.entry && answered.is_none_or(|entry| sighting.message.entry < entry);
                let required = sighting.has_status("input_required");
                if waits && sighting.is_terminal() {
                    None
                } else if waits {
                    if required {
                        Some(Ok(()))
                    } else {
                        breach("waits for the client in a task that is not input_required")
                    }
                } else if alone && required && answered.is_some_and(|entry| sighting.since > entry) {
                    breach("has its answer, and the task is input_required all the same")
                } else {
                    None
                }
            })
        })
        .collect()
}

/// What the subject asks the client while only tasks can be the reason.
fn questions<'s>(view: View<'s>, sightings: &'s [Sighting<'s>]) -> impl Iterator<Item = Exchange<'s>> {
    const SLOW: [&str; 4] = ["tools/call", "prompts/get", "resources/read", "completion/complete"];
    let plain: Vec<Exchange<'s>> = view
        .exchanges()
        .filter(|one| SLOW.contains(&one.method()) && one.param("task").is_none())
        .take(MOST * 4)
        .collect();
    let alive = move |message: &Message<'_>| {
        let made = sightings.iter().filter(|one| one.source == Source::Made && one.message.entry < message.entry);
        made.filter_map(Sighting::id).any(|id| {
            let ended = sightings.iter().find(|one| one.is(&id) && one.is_terminal());
            ended.is_none_or(|ended| ended.message.entry > message.entry)
        })
    };
    view.exchanges_by(Speaker::Subject)
        .filter(|exchange| exchange.is("elicitation/create") || exchange.is("sampling/createMessage"))
        .take(MOST)
        .filter(move |exchange| {
            let question = exchange.request();
            alive(question) && !plain.iter().any(|one| one.open_at(question.entry))
        })
}
