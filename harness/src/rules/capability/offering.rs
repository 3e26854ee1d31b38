//! What a server offers, and whether it declared that.

use std::collections::HashMap;

use super::{asked, declares, has_content, notified};
use crate::revision::{Era, Revision, Revisions, Side, code, gate, meta};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use crate::session::{Phase, View};
use crate::wire::Value;

const SINCE_03: Revisions = Revisions::since(Revision::V2025_03_26);

const JUDGED: &str = "A method of the feature that succeeds with something in its result: items, content, messages or \
    values. An empty list without the declaration is no offer, and neither is a tool result that says what went wrong. \
    Refusing methods of an undeclared feature keeps the rule.";

const UNTESTED: &str = "no method of the feature gave anything, or the declaration of the server was never seen";

/// Methods that offer something, and the member of their results that holds it.
type Offers = &'static [(&'static str, &'static str)];

pub(super) static TOOLS: Rule = Rule {
    id: "capability.server.tools-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/tools#capabilities",
    requires: "A server that offers tools declares the capability tools.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: |view| offered(view, "tools", &[("tools/list", "tools"), ("tools/call", "content")]),
};

pub(super) static RESOURCES: Rule = Rule {
    id: "capability.server.resources-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#capabilities",
    requires: "A server that offers resources declares the capability resources.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: |view| {
        let offers: Offers = &[
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
            ("resources/read", "contents"),
        ];
        offered(view, "resources", offers)
    },
};

pub(super) static PROMPTS: Rule = Rule {
    id: "capability.server.prompts-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/prompts#capabilities",
    requires: "A server that offers prompts declares the capability prompts.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: |view| offered(view, "prompts", &[("prompts/list", "prompts"), ("prompts/get", "messages")]),
};

pub(super) static COMPLETIONS: Rule = Rule {
    id: "capability.server.completions-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: SINCE_03,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/completion#capabilities",
    requires: "A server that offers completions declares the capability completions.",
    judged: "A completion with values in it. An empty one is no offer. 2024-11-05 has no such capability.",
    untested: "nothing was completed, or the declaration of the server was never seen",
    judge: |view| offered(view, "completions", &[("completion/complete", "values")]),
};

fn offered(view: View<'_>, capability: &str, offers: Offers) -> Verdict {
    let Some(declared) = declares(view, &[capability]) else { return Verdict::untested() };
    asked(view)
        .filter_map(|exchange| {
            let (_, member) = offers.iter().find(|(method, _)| exchange.is(method))?;
            let answer = exchange.answer()?;
            let gives = match *member {
                "values" => exchange
                    .result()
                    .and_then(|result| result.path(&["completion", "values"]))
                    .is_some_and(|values| values.is_array() && !values.is_empty()),
                member => has_content(exchange, member),
            };
            match (gives, declared) {
                (true, true) | (false, false) => Some(Ok(())),
                (false, true) => None,
                (true, false) => {
                    let what = format!("serves {} and does not declare {capability}", exchange.method());
                    Some(Err(Breach::at(answer, what).after(exchange.request())))
                }
            }
        })
        .collect()
}

pub(super) static LOGGING: Rule = Rule {
    id: "capability.server.logging-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/utilities/logging#capabilities",
    requires: "A server that sends log messages declares the capability logging.",
    judged: "Every `notifications/message`. In 2026-07-28 a server that was asked for log messages, declared nothing \
             and sent none keeps the rule.",
    untested: "the server sent no log message; name a tool that logs in the subject file",
    judge: logging,
};

fn logging(view: View<'_>) -> Verdict {
    let Some(declared) = declares(view, &["logging"]) else { return Verdict::untested() };
    let sent = notified(view, "notifications/message").map(|message| match declared {
        true => Ok(()),
        false => Err(Breach::at(message, "sends a log message and does not declare logging")),
    });
    let tempted = asked(view)
        .filter(|exchange| {
            let level = exchange.request().meta().and_then(|given| given.member(meta::LOG_LEVEL));
            !declared && view.revision().era() == Era::Modern && level.is_some() && exchange.result().is_some()
        })
        .map(|_| Ok(()));
    sent.chain(tempted).collect()
}

pub(super) static UNDECLARED_METHOD: Rule = Rule {
    id: "capability.server.undeclared-method-rejected",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_03_26, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2025-11-25/server/utilities/completion#error-handling",
    requires: "A method of a capability that the server did not declare is answered by method not found.",
    judged: "The code is spelt out for completion alone, so any error will do for the other methods. Completion refused \
             by invalid params is a warning, and so is any method that succeeds without giving anything, except for \
             empty lists. What succeeds with content belongs to the rules on declarations.",
    untested: "no method of an undeclared capability was called, or the server declares them all",
    judge: undeclared_method,
};

fn undeclared_method(view: View<'_>) -> Verdict {
    let mut known: HashMap<&[&str], Option<bool>> = HashMap::new();
    asked(view)
        .filter(|exchange| {
            let request = exchange.request();
            request.phase == Phase::Operating && probe::is_sound(request)
        })
        .filter_map(|exchange| {
            let path = gate(view.revision(), exchange.method())?;
            if (*known.entry(path).or_insert_with(|| declares(view, path)))? {
                return None;
            }
            let answer = exchange.answer()?;
            let breach = |what: &str| Breach::at(answer, what).after(exchange.request());
            if answer.is_success() {
                let other = matches!(exchange.method(), "completion/complete" | "logging/setLevel")
                    || exchange.method().starts_with("resources/") && exchange.method().ends_with("subscribe");
                let empty = exchange.result()?.path(&["completion", "values"]).is_none_or(Value::is_empty);
                return (other && empty)
                    .then(|| Err(breach("accepts a method of a capability that it did not declare").as_warning()));
            }
            let check: Check = match exchange.error_code()? {
                code::METHOD_NOT_FOUND => Ok(()),
                _ if !exchange.is("completion/complete") => Ok(()),
                code::INVALID_PARAMS => {
                    Err(breach("looks at the params of a completion it did not declare").as_warning())
                }
                _ => Err(breach("refuses a completion that it did not declare by another code than -32601")),
            };
            Some(check)
        })
        .collect()
}

pub(super) static TASKS: Rule = Rule {
    id: "capability.server.tasks-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::of(&[Revision::V2025_11_25]),
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#capabilities",
    requires: "A server that accepts tool calls as tasks declares tasks.requests.tools.call.",
    judged: "Calls with a member task: without the declaration their result must not be a task. Running such a call as \
             an ordinary one, or refusing it, keeps the rule.",
    untested: "no tool was called with a task and answered",
    judge: tasks,
};

fn tasks(view: View<'_>) -> Verdict {
    let Some(declared) = declares(view, &["tasks", "requests", "tools", "call"]) else { return Verdict::untested() };
    asked(view)
        .filter(|exchange| exchange.is("tools/call") && exchange.param("task").is_some_and(Value::is_object))
        .filter_map(|exchange| {
            let answer = exchange.answer()?;
            let made = exchange.result().is_some_and(|result| result.path(&["task", "taskId"]).is_some());
            match (made, declared) {
                (true, false) => {
                    let what = "makes a task of a call and does not declare tasks.requests.tools.call";
                    Some(Err(Breach::at(answer, what).after(exchange.request())))
                }
                (true, true) | (false, false) => Some(Ok(())),
                (false, true) => None,
            }
        })
        .collect()
}
