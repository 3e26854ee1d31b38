//! Which calls become tasks, and what is said of a new one.

use std::collections::HashSet;

use super::{MOST, ONLY_11, Support, UNTESTED, calls, requesting, same_call, supports, takes_calls};
use crate::revision::{Side, code};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, View};
use crate::wire::Value;

const TOOL_LEVEL: &str = "2025-11-25/basic/utilities/tasks#tool-level-negotiation";

pub(super) static REQUIRED_ENFORCED: Rule = Rule {
    id: "tasks.server.required-enforced",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: TOOL_LEVEL,
    requires: "A plain call of a tool that requires a task is refused by -32601.",
    judged: "Calls without task of tools that were listed as requiring one, on servers that declare tasks for calls. -32600 \
             is a warning, for the page names it for a like case; so is -32602, for the arguments may be wrong as well.",
    untested: "no tool that requires a task was called without one",
    judge: required_enforced,
};

fn required_enforced(view: View<'_>) -> Verdict {
    if takes_calls(view) != Some(true) {
        return Verdict::untested();
    }
    let supports = supports(view);
    calls(view)
        .filter(|(exchange, as_task)| !as_task && support(&supports, *exchange) == Some(Support::Required))
        .filter_map(|(exchange, _)| {
            let answer = exchange.answer()?;
            let breach = |what: String| Err(Breach::at(answer, what).after(exchange.request()));
            Some(match exchange.error_code() {
                Some(code::METHOD_NOT_FOUND) => Ok(()),
                Some(other @ (code::INVALID_REQUEST | code::INVALID_PARAMS)) => {
                    breach(format!("refuses with {other} a plain call of a tool that requires a task"))
                        .map_err(Breach::as_warning)
                }
                Some(other) => breach(format!("refuses with {other} a plain call of a tool that requires a task")),
                None if answer.is_success() => {
                    breach("gives a result to a plain call of a tool that requires a task".to_owned())
                }
                None => return None,
            })
        })
        .collect()
}

pub(super) static FORBIDDEN_REFUSED: Rule = Rule {
    id: "tasks.server.forbidden-refused",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: TOOL_LEVEL,
    requires: "A call as a task of a tool that forbids tasks, or says nothing of them, is refused by -32601.",
    judged: "Calls with task of such tools, once they were listed, on servers that declare tasks for calls. Another code is \
             a warning.",
    untested: "no tool that forbids tasks was called as one, on a server that declares tasks for calls",
    judge: forbidden_refused,
};

fn forbidden_refused(view: View<'_>) -> Verdict {
    if takes_calls(view) != Some(true) {
        return Verdict::untested();
    }
    let supports = supports(view);
    calls(view)
        .filter(|(exchange, as_task)| *as_task && support(&supports, *exchange) == Some(Support::Forbidden))
        .filter_map(|(exchange, _)| {
            let answer = exchange.answer()?;
            let breach = |what: &str| Err(Breach::at(answer, what).after(exchange.request()));
            Some(match exchange.error_code() {
                Some(code::METHOD_NOT_FOUND) => Ok(()),
                Some(_) => {
                    breach("refuses with another code a task of a tool that forbids it").map_err(Breach::as_warning)
                }
                None if exchange.result()?.member("task").is_some() => breach("makes a task of a tool that forbids it"),
                None => breach("runs as if nothing was a call as a task of a tool that forbids it"),
            })
        })
        .collect()
}

pub(super) static UNDECLARED_IGNORED: Rule = Rule {
    id: "tasks.receiver.undeclared-ignored",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#task-support-and-handling",
    requires: "Who did not declare tasks for a request runs it as if the member task were not there.",
    judged: "Calls with task on servers without the declaration, and questions with task to clients without it. A refusal is \
             a breach only where the same call or question without task succeeded.",
    untested: "nothing was asked for with a task of somebody who does not declare tasks for it",
    judge: undeclared_ignored,
};

fn undeclared_ignored(view: View<'_>) -> Verdict {
    if view.subject_side() == Side::Client {
        return requesting::undeclared_ignored(view);
    }
    if takes_calls(view) != Some(false) {
        return Verdict::untested();
    }
    let plain: Vec<Exchange<'_>> = calls(view)
        .filter(|(exchange, as_task)| !as_task && exchange.result().is_some())
        .map(|(exchange, _)| exchange)
        .take(MOST)
        .collect();
    calls(view)
        .filter(|(_, as_task)| *as_task)
        .take(MOST)
        .filter_map(|(exchange, _)| {
            let answer = exchange.answer()?;
            let breach = |what: &str| Some(Err(Breach::at(answer, what).after(exchange.request())));
            let Some(result) = exchange.result() else {
                let succeeds = answer.error().is_some() && plain.iter().any(|other| same_call(*other, exchange));
                return succeeds.then(|| breach("refuses with a task what it does without one")).flatten();
            };
            if result.member("content").is_none() && result.member("task").is_some_and(Value::is_object) {
                return breach("makes a task without having declared that");
            }
            Some(Ok(()))
        })
        .collect()
}

pub(super) static CREATE_RESULT: Rule = Rule {
    id: "tasks.receiver.create-result",
    level: Level::Must,
    side: None,
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#task-status-lifecycle",
    requires: "An accepted call as a task is answered by the task, which is working and has an id of its own.",
    judged: "Successful answers to calls with task of tools that were listed as allowing it. Another status than working is \
             a warning, for a quick task may have got further before the answer was written. The other fields belong to \
             tasks.receiver.response-fields.",
    untested: UNTESTED,
    judge: create_result,
};

fn create_result(view: View<'_>) -> Verdict {
    if takes_calls(view) != Some(true) {
        return Verdict::untested();
    }
    let supports = supports(view);
    let mut ids = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for (exchange, as_task) in calls(view) {
        let allowed = matches!(support(&supports, exchange), Some(Support::Optional | Support::Required));
        let Some((answer, result)) = exchange.answer().zip(exchange.result()).filter(|_| as_task && allowed) else {
            continue;
        };
        let breach = |what: &str| Err(Breach::at(answer, what).after(exchange.request()));
        let task = result.member("task").filter(|task| task.is_object());
        let id = task.and_then(|task| task.member("taskId")).and_then(Value::as_str);
        let status = task.and_then(|task| task.member("status"));
        checks.push(match id {
            _ if task.is_none() => breach("answers a call as a task without a task"),
            None => breach("makes a task whose id is no string"),
            Some(id) if !ids.insert(id.clone()) => breach("makes two tasks under one id"),
            _ if status.is_some_and(|status| !status.is("working")) => {
                breach("makes a task that is not working at first").map_err(Breach::as_warning)
            }
            _ => Ok(()),
        });
    }
    checks.into_iter().collect()
}

type Supports<'s> = std::collections::HashMap<std::borrow::Cow<'s, str>, Support>;

fn support(supports: &Supports<'_>, exchange: Exchange<'_>) -> Option<Support> {
    supports.get(&*exchange.param("name")?.as_str()?).copied()
}
