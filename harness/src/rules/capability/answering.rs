//! What a client answers to a server that asks, and whether it declared that it does.

use std::collections::HashSet;

use super::{Modes, feature};
use crate::revision::{Era, Revision, Revisions, Side, code};
use crate::rules::asked::{self, Asked, Reply};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Speaker, View};
use crate::wire::Value;

const SINCE_06: Revisions = Revisions::since(Revision::V2025_06_18);
const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);
const ONLY_11: Revisions = Revisions::of(&[Revision::V2025_11_25]);

const ELICITING: &str = "2026-07-28/client/elicitation#capabilities";

const fn rule(id: &'static str, level: Level, revisions: Revisions, clause: &'static str) -> Rule {
    Rule {
        id,
        level,
        side: Some(Side::Client),
        revisions,
        transports: Transports::BOTH,
        clause,
        requires: "",
        judged: "",
        untested: "",
        judge: |_| Verdict::untested(),
    }
}

/// Whether a client that gives something declared it: what it gives, unless that is none of it.
fn declared(view: View<'_>, method: &'static str, given: impl Fn(Value<'_>) -> Option<Result<(), Given>>) -> Verdict {
    let name = method.split('/').next().unwrap_or_default();
    asked::of(view, method)
        .filter_map(|asked| {
            let declared = feature(asked.declared, &[name])?;
            let Reply::Given(by, result) = asked.reply else {
                let refused = matches!(asked.reply, Reply::Refused(_) | Reply::Withheld);
                return (refused && !declared).then_some(Ok(()));
            };
            let Err(given) = given(result)? else { return Some(Ok(())) };
            let breach =
                |what: &str| Breach::at(by, format!("{what}, and did not declare {name}")).after(asked.message);
            Some(match given {
                _ if declared => Ok(()),
                Given::Much(what) => Err(breach(what)),
                Given::Little(what) => Err(breach(what).as_warning()),
            })
        })
        .collect()
}

/// What a client gives only if it supports what it was asked for, and what it may give without.
enum Given {
    Much(&'static str),
    Little(&'static str),
}

pub(super) static ROOTS: Rule = Rule {
    requires: "A client that serves roots declares that it does.",
    judged: "Every result to roots/list, or entry of input responses, against what the client declared for it. An empty list \
             without the declaration is a warning: it serves nothing.",
    untested: "the harness asked for no roots, or got none",
    judge: |view| {
        declared(view, "roots/list", |result| {
            let roots = result.member("roots").filter(|roots| roots.is_array())?;
            Some(Err(if roots.is_empty() {
                Given::Little("answers roots/list by an empty list")
            } else {
                Given::Much("hands out roots")
            }))
        })
    },
    ..rule("capability.client.roots-declared", Level::Must, Revisions::ALL, "2026-07-28/client/roots#capabilities")
};

pub(super) static SAMPLING: Rule = Rule {
    requires: "A client that serves sampling declares that it does.",
    judged: "Every result to sampling/createMessage that has content or a model, or such an entry of input responses, \
             against what the client declared for it.",
    untested: "the harness asked for no sampling, or got none",
    judge: |view| {
        declared(view, "sampling/createMessage", |result| {
            let said = result.member("content").is_some() || result.member("model").is_some();
            said.then_some(Err(Given::Much("lets a model answer")))
        })
    },
    ..rule(
        "capability.client.sampling-declared",
        Level::Must,
        Revisions::ALL,
        "2026-07-28/client/sampling#capabilities",
    )
};

pub(super) static ELICITATION: Rule = Rule {
    requires: "A client that serves elicitation declares that it does.",
    judged: "An accept without the declaration breaks the rule. To decline or cancel without is a warning: it does not show \
             that the client supports elicitation.",
    untested: "the harness elicited nothing, or got nothing",
    judge: |view| {
        declared(view, "elicitation/create", |result| {
            let action = result.member("action")?;
            Some(Err(if action.is("accept") {
                Given::Much("accepts an elicitation")
            } else {
                Given::Little("declines or cancels an elicitation")
            }))
        })
    },
    ..rule("capability.client.elicitation-declared", Level::Must, SINCE_06, ELICITING)
};

pub(super) static ELICITATION_MODE: Rule = Rule {
    requires: "A client that declares elicitation supports the form or the URL mode.",
    judged: "The declared object is empty, which means form, or has form or url, which are objects; unknown members alone \
             are a warning. An honest elicitation in a declared mode is not refused by -32601 or -32602.",
    untested: "the client did not declare elicitation",
    judge: elicitation_mode,
    ..rule("capability.client.elicitation-mode-declared", Level::Must, SINCE_11, ELICITING)
};

fn elicitation_mode(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    let speaks = view.messages_by(Speaker::Subject).filter(|_| view.client() == Speaker::Subject);
    // What a legacy client declared is in force from its first message that the session's revision governs.
    let limit = if view.revision().era() == Era::Legacy { 1 } else { usize::MAX };
    let shapes = speaks.take(limit).filter_map(|message| {
        let object = view.client_capabilities(message)?.member("elicitation").filter(|object| object.is_object())?;
        if !seen.insert(object.raw()) {
            return None;
        }
        let breach = |what: &str| Breach::at(message, format!("declares elicitation as {}, {what}", object.brief()));
        let modes = ["form", "url"].map(|mode| object.member(mode));
        Some(if modes.into_iter().flatten().any(|mode| !mode.is_object()) {
            Err(breach("in which a mode is no object"))
        } else if !object.is_empty() && modes.iter().all(Option::is_none) {
            Err(breach("which names no known mode").as_warning())
        } else {
            Ok(())
        })
    });
    let shapes: Vec<Check> = shapes.collect();
    let served = asked::of(view, "elicitation/create").filter(|asked| asked.is_honest()).filter_map(|asked| {
        if !supports(asked)? {
            return None;
        }
        match asked.reply {
            Reply::Given(..) => Some(Ok(())),
            Reply::Refused(by) => {
                let code = by.error_code()?;
                let what =
                    || format!("refuses by {code} an elicitation in the mode {}, which it declared", asked.mode());
                [code::METHOD_NOT_FOUND, code::INVALID_PARAMS]
                    .contains(&code)
                    .then(|| Err(Breach::at(by, what()).after(asked.message)))
            }
            Reply::Withheld | Reply::Open => None,
        }
    });
    shapes.into_iter().chain(served).collect()
}

/// Whether a client declared the mode of an elicitation; none if it declared no mode that is known.
fn supports(asked: Asked<'_>) -> Option<bool> {
    let modes = Modes::of(asked.declared)?;
    Some(match &*asked.mode() {
        "form" => modes.form,
        "url" => modes.url,
        _ => false,
    })
}

pub(super) static TASKS: Rule = Rule {
    requires: "A client makes a task of sampling or elicitation only if it declared that.",
    judged: "Requests that ask for a task, of clients without the entry below tasks.requests: every answer that is no new \
             task keeps the rule.",
    untested: "the harness asked for no task of a client that does not declare them",
    judge: tasks,
    ..rule(
        "capability.client.tasks-declared",
        Level::Must,
        ONLY_11,
        "2025-11-25/basic/utilities/tasks#client-capabilities",
    )
};

fn tasks(view: View<'_>) -> Verdict {
    asked::all(view)
        .into_iter()
        .filter(|asked| asked.param("task").is_some_and(Value::is_object))
        .filter_map(|asked| {
            let (area, what) = asked.method.split_once('/')?;
            if asked.declared.path(&["tasks", "requests", area, what]).is_some() {
                return None;
            }
            match asked.reply {
                Reply::Given(by, result) if result.path(&["task", "taskId"]).is_some() => {
                    let what = format!("makes a task of {}, and did not declare tasks for it", asked.method);
                    Some(Err(Breach::at(by, what).after(asked.message)))
                }
                Reply::Given(..) | Reply::Refused(_) => Some(Ok(())),
                Reply::Withheld | Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static ROOTS_CODE: Rule = Rule {
    requires: "A client without roots refuses roots/list by -32601.",
    judged: "Errors of clients that did not declare roots. A result is another rule's finding, and so is silence.",
    untested: "no client without roots answered roots/list by an error",
    judge: roots_code,
    ..rule(
        "capability.client.roots-unsupported-code",
        Level::Should,
        Revisions::LEGACY,
        "2025-11-25/client/roots#error-handling",
    )
};

fn roots_code(view: View<'_>) -> Verdict {
    asked::of(view, "roots/list")
        .filter(|asked| feature(asked.declared, &["roots"]) == Some(false))
        .filter_map(|asked| {
            let Reply::Refused(by) = asked.reply else { return None };
            Some(match by.error_code() {
                Some(code::METHOD_NOT_FOUND) => Ok(()),
                other => {
                    let code = other.map_or_else(|| "an error without a code".to_owned(), |code| code.to_string());
                    let what = format!("refuses roots/list, which it does not support, by {code}");
                    Err(Breach::at(by, what).after(asked.message))
                }
            })
        })
        .collect()
}

pub(super) static ELICITATION_MODE_CODE: Rule = Rule {
    requires: "An elicitation in a mode that the client did not declare is refused by -32602.",
    judged: "Clients that declare elicitation with a known mode. Every result breaks the rule, and so does another code; for \
             a mode that does not exist another code is a warning.",
    untested: "a client that declares elicitation was asked in no mode beyond those that it declared",
    judge: elicitation_mode_code,
    ..rule(
        "capability.client.elicitation-mode-unsupported-code",
        Level::Must,
        ONLY_11,
        "2025-11-25/client/elicitation#error-handling",
    )
};

fn elicitation_mode_code(view: View<'_>) -> Verdict {
    asked::of(view, "elicitation/create")
        .filter(|asked| supports(*asked) == Some(false) && asked.param("mode").is_none_or(Value::is_string))
        .filter_map(|asked| {
            let mode = asked.mode();
            let breach = |by, what: String| Err(Breach::at(by, what).after(asked.message));
            match asked.reply {
                Reply::Refused(by) => {
                    let found = by.error_code();
                    let shown = found.map_or("an error without a code".to_owned(), |code| code.to_string());
                    let what = || format!("refuses the mode {mode}, which it did not declare, by {shown}");
                    Some(match found {
                        Some(code::INVALID_PARAMS) => Ok(()),
                        _ if mode == "form" || mode == "url" => breach(by, what()),
                        _ => breach(by, what()).map_err(Breach::as_warning),
                    })
                }
                Reply::Given(by, result) => {
                    let action = result.member("action").map_or_else(|| "a result".to_owned(), Value::brief);
                    Some(breach(by, format!("answers {action} in the mode {mode}, which it did not declare")))
                }
                Reply::Withheld | Reply::Open => None,
            }
        })
        .collect()
}

pub(super) static SAMPLING_TOOLS: Rule = Rule {
    requires: "A client without sampling.tools refuses sampling that offers tools.",
    judged: "Requests with tools or toolChoice, of clients that declare sampling and not its tools: any error keeps the rule.",
    untested: "no client that declares sampling without tools was asked to use tools",
    judge: sampling_tools,
    ..rule(
        "capability.client.sampling-tools-unsupported-error",
        Level::Must,
        ONLY_11,
        "schema/2025-11-25/schema.ts#CreateMessageRequestParams",
    )
};

fn sampling_tools(view: View<'_>) -> Verdict {
    asked::of(view, "sampling/createMessage")
        .filter(|asked| {
            feature(asked.declared, &["sampling"]) == Some(true)
                && feature(asked.declared, &["sampling", "tools"]) == Some(false)
        })
        .filter_map(|asked| {
            let offers = ["tools", "toolChoice"].into_iter().find(|key| asked.param(key).is_some())?;
            match asked.reply {
                Reply::Refused(_) => Some(Ok(())),
                Reply::Given(by, _) => {
                    let what = format!("serves sampling with {offers}, and did not declare sampling.tools");
                    Some(Err(Breach::at(by, what).after(asked.message)))
                }
                Reply::Withheld | Reply::Open => None,
            }
        })
        .collect()
}
