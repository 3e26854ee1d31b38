//! What a server asks of a client, and whether the client declared that it answers.

use super::{METHODS, Question, asked, feature, questions};
use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Exchange, Message, Phase, Speaker, View};
use crate::wire::Value;

const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);
const ONLY_11: Revisions = Revisions::of(&[Revision::V2025_11_25]);

const JUDGED: &str = "Every roots/list, sampling/createMessage and elicitation/create against what the client declared \
    in `initialize`; the modes of elicitation belong to another rule. An answered tool call of a client that leaves \
    one of them out, or a notice of roots that it never declared, is an occasion to break the rule. In 2025-11-25 a \
    demand for elicitation by URL in an error (-32042) is a warning, since its section does not mention the capability.";

const UNTESTED: &str = "no tool was called by a client that leaves out roots, sampling or elicitation";

pub(super) static ONLY_NEGOTIATED: Rule = Rule {
    id: "capability.server.only-negotiated",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2024_11_05, Revision::V2025_03_26),
    transports: Transports::BOTH,
    clause: "2025-03-26/basic/lifecycle#operation",
    requires: "A server uses only client features that were negotiated.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: undeclared_features,
};

pub(super) static UNDECLARED_FEATURES: Rule = Rule {
    id: "capability.server.no-undeclared-client-features",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/lifecycle#operation",
    requires: "A server asks a client for roots, sampling or elicitation only if the client declared that feature.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: undeclared_features,
};

fn undeclared_features(view: View<'_>) -> Verdict {
    let known = |method: &&&str| **method != "elicitation/create" || view.revision() >= Revision::V2025_06_18;
    let features: Vec<&str> = METHODS.iter().filter(known).filter_map(|method| method.split('/').next()).collect();
    let asked_for = questions(view).into_iter().filter(|question| METHODS.contains(&question.method)).filter_map(
        |Question { message, method, client, .. }| {
            let name = method.split('/').next()?;
            Some(match feature(client, &[name])? {
                true => Ok(()),
                false => Err(Breach::at(message, format!("sends {method} to a client that did not declare {name}"))),
            })
        },
    );
    let leaves_out = |message: &Message<'_>| {
        let client = view.exchanges().find(|exchange| exchange.is("initialize") && exchange.result().is_some());
        let client = client.and_then(|exchange| exchange.param("capabilities"));
        let lacks = |client: Value<'_>| features.iter().any(|name| feature(client, &[name]) == Some(false));
        message.phase == Phase::Operating && client.is_some_and(lacks)
    };
    let tempted = asked(view)
        .find(|exchange| exchange.is("tools/call") && exchange.answer().is_some())
        .filter(|exchange| leaves_out(exchange.request()))
        .map(|_| Ok(()));
    let teased = view
        .notifications_by(Speaker::Peer)
        .find(|message| message.is("notifications/roots/list_changed"))
        .filter(|notice| {
            view.client_capabilities(notice).is_some_and(|client| feature(client, &["roots"]) == Some(false))
        })
        .map(|_| Ok(()));
    let demanded = asked(view).filter_map(|exchange| {
        demands_url(view, exchange, |client| (feature(client, &["elicitation"]) == Some(false)).then_some(()))
    });
    asked_for.chain(tempted).chain(teased).chain(demanded).collect()
}

/// A warning for a demand of elicitation by URL that this client did not ask for.
fn demands_url<'s>(view: View<'s>, exchange: Exchange<'s>, unfit: impl Fn(Value<'s>) -> Option<()>) -> Option<Check> {
    let answer = exchange.answer()?;
    if answer.error_code() != Some(code::URL_ELICITATION_REQUIRED) || !ONLY_11.has(view.revision()) {
        return None;
    }
    unfit(view.client_capabilities(exchange.request())?)?;
    let what = "demands an elicitation by URL of a client that did not declare it";
    Some(Err(Breach::at(answer, what).after(exchange.request()).as_warning()))
}

pub(super) static ELICITATION_MODE: Rule = Rule {
    id: "capability.server.elicitation-mode-respected",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#capabilities",
    requires: "A server elicits only in a mode that the client declared.",
    judged: "Elicitations of clients that declared the feature; an empty object is the form alone, and an object that \
             names no known mode is not judged. A modern server that says which mode is missing keeps the rule. In \
             2025-11-25 the error -32042 is a warning for a client without the mode url.",
    untested: "the server elicited nothing; name a tool that asks the user in the subject file",
    judge: elicitation_mode,
};

fn elicitation_mode(view: View<'_>) -> Verdict {
    let elicited =
        questions(view).into_iter().filter(|question| question.is("elicitation/create")).filter_map(|question| {
            let Modes { form, url } = Modes::of(question.client)?;
            let mode = question.param("mode");
            let fits = match mode.map(|mode| mode.as_str().unwrap_or_default()).as_deref() {
                None | Some("form") => form,
                Some("url") => url,
                Some(_) => return None,
            };
            let named = mode.map_or("form", Value::raw);
            let what = || format!("elicits by {named}, which the client did not declare");
            Some(if fits { Ok(()) } else { Err(Breach::at(question.message, what())) })
        });
    let refused = asked(view).filter_map(|exchange| {
        let needs = exchange.error()?.path(&["data", "requiredCapabilities", "elicitation"])?;
        let modes = Modes::of(view.client_capabilities(exchange.request())?)?;
        let lacks = (needs.member("url").is_some() && !modes.url) || (needs.member("form").is_some() && !modes.form);
        (exchange.error_code() == Some(code::MISSING_CLIENT_CAPABILITY) && lacks).then_some(Ok(()))
    });
    let demanded = asked(view)
        .filter_map(|exchange| demands_url(view, exchange, |client| (!Modes::of(client)?.url).then_some(())));
    elicited.chain(refused).chain(demanded).collect()
}

/// The modes of elicitation that a client declared.
#[derive(Clone, Copy)]
pub(in crate::rules) struct Modes {
    pub(in crate::rules) form: bool,
    pub(in crate::rules) url: bool,
}

impl Modes {
    /// None for a client that declared no elicitation, or no mode that is known.
    pub(in crate::rules) fn of(client: Value<'_>) -> Option<Self> {
        let declared = client.member("elicitation").filter(|declared| declared.is_object())?;
        let has = |mode: &str| feature(declared, &[mode]);
        let (form, url) = (has("form")? || declared.is_empty(), has("url")?);
        (form || url).then_some(Self { form, url })
    }
}

pub(super) static TASKS_RESPECTED: Rule = Rule {
    id: "capability.server.tasks-respected",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/utilities/tasks#capability-negotiation",
    requires: "A server makes its requests tasks only where the client declared that.",
    judged: "A member task in sampling/createMessage and elicitation/create without the entry below tasks.requests, and \
             requests about tasks to a client without tasks.",
    untested: "the server asked for neither sampling nor elicitation",
    judge: tasks_respected,
};

fn tasks_respected(view: View<'_>) -> Verdict {
    questions(view)
        .into_iter()
        .filter_map(|question| {
            let Question { message, method, client, .. } = question;
            let path: &[&str] = match method {
                "sampling/createMessage" => &["tasks", "requests", "sampling", "createMessage"],
                "elicitation/create" => &["tasks", "requests", "elicitation", "create"],
                _ if method.starts_with("tasks/") => &["tasks"],
                _ => return None,
            };
            if client.path(path).is_some() {
                return None;
            }
            let by_task = method.starts_with("tasks/") || question.param("task").is_some_and(Value::is_object);
            let what = || format!("sends {method} about a task to a client that did not declare tasks for it");
            Some(if by_task { Err(Breach::at(message, what())) } else { Ok(()) })
        })
        .collect()
}
