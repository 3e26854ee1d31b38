//! What a client makes of tasks: which calls it makes tasks, and how it follows and cancels them.

use std::borrow::Cow;

use super::{ONLY_11, Support, related, supports, takes_calls};
use crate::revision::Side;
use crate::rules::asked::{self, Asked, Reply};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Speaker, View};
use crate::transcript::Event;
use crate::wire::{Id, Value};

const TOOL_LEVEL: &str = "2025-11-25/basic/utilities/tasks#tool-level-negotiation";
const NO_TASK: &str = "no call of the client became a task; the client must make tasks of calls";

const fn rule(id: &'static str, side: Option<Side>, level: Level, clause: &'static str) -> Rule {
    Rule {
        id,
        level,
        side,
        revisions: ONLY_11,
        transports: Transports::BOTH,
        clause,
        requires: "",
        judged: "",
        untested: NO_TASK,
        judge: |_| Verdict::untested(),
    }
}

/// The calls of a client, each with whether it is to become a task.
fn calls(view: View<'_>) -> impl Iterator<Item = (Exchange<'_>, bool)> {
    let own = view.client() == Speaker::Subject;
    view.exchanges_by(Speaker::Subject)
        .filter(move |exchange| own && exchange.is("tools/call"))
        .map(|exchange| (exchange, exchange.param("task").is_some()))
}

/// What the tool of a call says of tasks, if the client saw it.
fn support(view: View<'_>, call: Exchange<'_>) -> Option<Support> {
    supports(view).get(&call.param("name")?.as_str()?).copied()
}

pub(super) static NO_AUGMENT_UNDECLARED: Rule = Rule {
    requires: "A client makes no tasks of calls on a server that does not declare them.",
    judged: "Calls on servers without tasks.requests.tools.call: a member task breaks the rule. A plain call keeps it if the tool \
             says that it may or must be a task.",
    untested: "the client called no tool that takes tasks, on a server that does not declare them",
    judge: no_augment_undeclared,
    ..rule("tasks.client.no-augment-undeclared", Some(Side::Client), Level::Must, TOOL_LEVEL)
};

fn no_augment_undeclared(view: View<'_>) -> Verdict {
    if takes_calls(view) != Some(false) {
        return Verdict::untested();
    }
    calls(view)
        .filter_map(|(call, as_task)| {
            let what = "makes a task of a call on a server that did not declare tasks.requests.tools.call";
            let tempted = support(view, call).is_some_and(|support| support != Support::Forbidden);
            if as_task { Some(Err(Breach::at(call.request(), what))) } else { tempted.then_some(Ok(())) }
        })
        .collect()
}

pub(super) static TOOL_SUPPORT_RESPECTED: Rule = Rule {
    requires: "A client makes tasks of calls of tools that require it, and not of tools that forbid it or say nothing.",
    judged: "Calls of listed tools on servers that declare tasks for calls. Not to call a tool that requires a task is fine.",
    untested: "the client called no listed tool on a server that declares tasks for calls",
    judge: tool_support_respected,
    ..rule("tasks.client.tool-support-respected", Some(Side::Client), Level::Must, TOOL_LEVEL)
};

fn tool_support_respected(view: View<'_>) -> Verdict {
    if takes_calls(view) != Some(true) {
        return Verdict::untested();
    }
    calls(view)
        .filter_map(|(call, as_task)| {
            let breach = |what: &str| Err(Breach::at(call.request(), what));
            Some(match (support(view, call)?, as_task) {
                (Support::Required, false) => breach("calls a tool that requires a task, and makes none of it"),
                (Support::Forbidden, true) => breach("makes a task of a call of a tool that does not take any"),
                _ => Ok(()),
            })
        })
        .collect()
}

/// A task that the harness made of a call of the client.
struct Made<'s> {
    call: Exchange<'s>,
    answer: &'s Message<'s>,
    id: Cow<'s, str>,
}

fn made(view: View<'_>) -> impl Iterator<Item = Made<'_>> {
    calls(view).filter(|(_, as_task)| *as_task).filter_map(|(call, _)| {
        let (answer, task) = (call.answer()?, call.result()?.member("task")?);
        Some(Made { call, answer, id: task.member("taskId")?.as_str()? })
    })
}

impl<'s> Made<'s> {
    /// The requests of the client about this task.
    fn followed(&self, view: View<'s>) -> impl Iterator<Item = Exchange<'s>> {
        view.exchanges_by(Speaker::Subject).filter(|request| {
            request.method().starts_with("tasks/") && request.param("taskId").is_some_and(|id| id.is(&self.id))
        })
    }
}

pub(super) static POLLS: Rule = Rule {
    requires: "A client learns by itself how its tasks end, and does not wait for notices.",
    judged: "Tasks of which the server sent no notice. A client that asks about its task, or that leaves, keeps the rule; one \
             that is still there when the harness ends the session and never asked breaks it. To ask more often than the \
             server suggests is a warning.",
    judge: polls,
    ..rule("tasks.requestor.polls", None, Level::Must, "2025-11-25/basic/utilities/tasks#task-notifications")
};

fn polls(view: View<'_>) -> Verdict {
    let noticed = |made: &Made<'_>| {
        let mut notices = view.notifications_by(Speaker::Peer);
        notices.any(|notice| {
            notice.is("notifications/tasks/status") && notice.param("taskId").is_some_and(|id| id.is(&made.id))
        })
    };
    let mut verdict = Verdict::default();
    for made in made(view).filter(|made| !noticed(made)) {
        let mut asked = made.followed(view).filter(|request| request.is("tasks/get") || request.is("tasks/result"));
        let stayed = view.entries().iter().enumerate().skip(made.answer.entry).find(|(_, entry)| {
            matches!(entry.event, Event::Closed | Event::Killed | Event::Ended | Event::Exited { .. })
        });
        let checks: Option<Check> = match (asked.next(), stayed) {
            (Some(_), _) => Some(Ok(())),
            (None, Some((index, entry))) if matches!(entry.event, Event::Closed) => {
                let what = "never asks what became of its task";
                Some(Err(Breach::at_entry(index, what).after(made.answer)))
            }
            _ => None,
        };
        let one: Verdict = checks.into_iter().collect();
        verdict.checked += one.checked;
        verdict.breaches.extend(one.breaches);
        verdict.warnings.extend(hurried(view, &made));
    }
    verdict
}

/// A request about a task that came sooner than the server suggested.
fn hurried(view: View<'_>, made: &Made<'_>) -> Option<Breach> {
    let mut last: Option<(u64, f64)> = None;
    for poll in made.followed(view).filter(|request| request.is("tasks/get")) {
        let request = poll.request();
        if let Some((at, interval)) = last {
            let waited = request.at.saturating_sub(at);
            // A tenth less is the jitter of clocks.
            #[expect(clippy::cast_precision_loss, reason = "a session is shorter than 2^53 microseconds")]
            if (waited as f64) < interval * 900.0 {
                let what =
                    format!("asks about its task after {} ms, and the server suggested {interval}", waited / 1000);
                return Some(Breach::at(request, what).after(made.answer).as_warning());
            }
        }
        let suggested = poll.result().and_then(|task| task.member("pollInterval")?.as_f64());
        last = suggested.zip(poll.answer()).map(|(interval, answer)| (answer.at, interval));
    }
    None
}

pub(super) static CANCELS: Rule = Rule {
    requires: "A client cancels a task by tasks/cancel, and not by a notice about the request that made it.",
    judged: "Notices of cancellation that name the call, behind the answer that made it a task. A client that crosses that \
             answer is not judged.",
    untested: "the client cancelled no task",
    judge: cancels,
    ..rule(
        "tasks.requestor.cancels-with-tasks-cancel",
        None,
        Level::Must,
        "2025-11-25/basic/utilities/cancellation#behavior-requirements",
    )
};

fn cancels(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    for made in made(view) {
        // What the client said behind the answer is no proof that it had read it; what it asked about the task is.
        let Some(knew) = made.followed(view).next().map(|request| request.request().entry) else { continue };
        let names = |notice: &Message<'_>| {
            notice.param("requestId").map(Id::read).is_some_and(|id| made.call.request().id.as_ref() == Some(&id))
        };
        let notice = view
            .notifications_by(Speaker::Subject)
            .find(|notice| notice.is("notifications/cancelled") && notice.entry > knew && names(notice));
        let what = "cancels a task by a notice about the call that made it";
        match notice {
            Some(notice) => checks.push(Err(Breach::at(notice, what).after(made.answer))),
            None => checks.extend(made.followed(view).any(|request| request.is("tasks/cancel")).then_some(Ok(()))),
        }
    }
    checks.into_iter().collect()
}

pub(super) static FETCHES_ON_INPUT_REQUIRED: Rule = Rule {
    requires: "A client that learns that its task requires input asks for the result, so that it can be asked.",
    judged: "Tasks whose status was input_required in an answer to tasks/get. A client that asks three times more and never for \
             the result is a warning.",
    untested: "no task of the client required input",
    judge: fetches_on_input_required,
    ..rule(
        "tasks.requestor.fetches-on-input-required",
        Some(Side::Client),
        Level::Should,
        "2025-11-25/basic/utilities/tasks#input-required-status",
    )
};

fn fetches_on_input_required(view: View<'_>) -> Verdict {
    made(view)
        .filter_map(|made| {
            let required = |task: Value<'_>| task.member("status").is_some_and(|status| status.is("input_required"));
            let waits = made.followed(view).find(|poll| poll.is("tasks/get") && poll.result().is_some_and(required))?;
            let told = waits.answer()?;
            if made.followed(view).any(|request| request.is("tasks/result")) {
                return Some(Ok(()));
            }
            let polls = made.followed(view).filter(|poll| poll.is("tasks/get") && poll.request().entry > told.entry);
            let last = polls.skip(2).last()?.request();
            let what = "asks on and on about a task that requires input, and never for its result";
            Some(Err(Breach::at(last, what).after(told).as_warning()))
        })
        .collect()
}

/// How `tasks.receiver.undeclared-ignored` reads for a client: questions are answered as if they had no member task.
pub(super) fn undeclared_ignored(view: View<'_>) -> Verdict {
    let all = asked::all(view);
    let as_task = |asked: &Asked<'_>| asked.param("task").is_some_and(Value::is_object);
    let declared = |asked: &Asked<'_>| {
        let (area, what) = asked.method.split_once('/').unwrap_or_default();
        asked.declared.path(&["tasks", "requests", area, what]).is_some()
    };
    all.iter()
        .filter(|asked| as_task(asked) && !declared(asked))
        .filter_map(|asked| match asked.reply {
            Reply::Given(..) => Some(Ok(())),
            Reply::Refused(by) => {
                let plain =
                    |other: &Asked<'_>| other.method == asked.method && !as_task(other) && other.given().is_some();
                let what = "refuses with a task what it does without one";
                all.iter().any(plain).then(|| Err(Breach::at(by, what).after(asked.message)))
            }
            Reply::Withheld | Reply::Open => None,
        })
        .collect()
}

/// How `tasks.related-metadata` reads for a client: its results name the task that the question named.
pub(super) fn related_metadata(view: View<'_>) -> Verdict {
    asked::all(view)
        .into_iter()
        .filter_map(|asked| {
            let (task, (by, _)) = (related(asked.message)?, asked.given()?);
            let what = "answers a question of a task without naming that task";
            let named = related(by).is_some_and(|named| named == task);
            Some(if named { Ok(()) } else { Err(Breach::at(by, what).after(asked.message)) })
        })
        .collect()
}
