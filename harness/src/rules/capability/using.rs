//! What a client uses of its server, and whether the server declared it.

use super::feature;
use crate::revision::{Revision, Revisions, Side, gate};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::user::Wish;
use crate::session::{Message, Speaker, View};
use crate::wire::Value;

const ONLY_06_11: Revisions = Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25);
const CLAUSE: &str = "2025-11-25/basic/lifecycle#operation";

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

/// The features of servers, and the wishes of users that need one.
static FEATURES: &[(&str, &[&str])] = &[
    ("tools", &["tools", "call"]),
    ("prompts", &["prompts", "get"]),
    ("resources", &["resources", "templates", "read", "watch", "unwatch"]),
    ("completions", &["complete"]),
    ("logging", &["log-level"]),
];

const JUDGED: &str = "Requests behind the answer to `initialize`, against its capabilities; what is declared with a wrong type \
    is left alone. A client whose user wanted the feature and did not get it keeps the rule, and so does one without a user \
    that told of wishes, if it went on without the feature.";

const UNTESTED: &str = "no user wanted a feature that the server does not declare";

pub(super) static ONLY_NEGOTIATED: Rule = Rule {
    requires: "A client uses only server features that were negotiated.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: undeclared_features,
    ..rule(
        "capability.client.only-negotiated",
        Level::Should,
        Revisions::range(Revision::V2024_11_05, Revision::V2025_03_26),
        "2025-03-26/basic/lifecycle#operation",
    )
};

pub(super) static UNDECLARED_FEATURES: Rule = Rule {
    requires: "A client calls no methods of a feature that the server did not declare.",
    judged: JUDGED,
    untested: UNTESTED,
    judge: undeclared_features,
    ..rule("capability.client.no-undeclared-server-features", Level::Must, ONLY_06_11, CLAUSE)
};

fn undeclared_features(view: View<'_>) -> Verdict {
    let Some(server) = view.server_capabilities() else { return Verdict::untested() };
    let known = |name: &str| name != "completions" || view.revision() > Revision::V2024_11_05;
    let lacks = |name: &str| known(name) && feature(server, &[name]) == Some(false);
    let mut checks: Vec<Check> = Vec::new();
    for request in operating(view) {
        let method = request.method().unwrap_or_default();
        let Some(name) = gate(view.revision(), method).and_then(|path| path.first()) else { continue };
        if FEATURES.iter().any(|(feature, _)| feature == name) && lacks(name) {
            checks.push(Err(Breach::at(request, format!("sends {method} to a server that did not declare {name}"))));
        }
    }
    let spared = FEATURES.iter().filter(|(name, wishes)| lacks(name) && tempted(view, wishes));
    checks.extend(spared.map(|_| Ok(())));
    checks.into_iter().collect()
}

/// What a client asks for once the handshake is over.
fn operating<'s>(view: View<'s>) -> impl Iterator<Item = &'s Message<'s>> {
    let since = view
        .exchanges_by(view.client())
        .find(|exchange| exchange.is("initialize") && exchange.result().is_some())
        .and_then(|exchange| exchange.answer())
        .map_or(usize::MAX, |answer| answer.entry);
    view.requests_by(Speaker::Subject).filter(move |message| message.entry > since && view.client() == message.by)
}

/// Whether a user wanted one of these things and learnt what came of it, or nobody knows what the user wanted.
fn tempted(view: View<'_>, wishes: &[&str]) -> bool {
    let is_one = |wish: &Wish| {
        let kind = if wish.kind() == "list" { wish.wish["what"].as_str().unwrap_or_default() } else { wish.kind() };
        wishes.contains(&kind) && wish.came.is_some() && !wish.is_unsupported()
    };
    let all = &view.user().wishes;
    if all.is_empty() {
        return view.client() == Speaker::Subject && went_on(view);
    }
    all.iter().any(is_one)
}

fn went_on(view: View<'_>) -> bool {
    view.notifications_by(Speaker::Subject).any(|message| message.is("notifications/initialized"))
}

pub(super) static SUBSCRIBE: Rule = Rule {
    requires: "A client subscribes to resources only if the server declared resources.subscribe.",
    judged: "resources/subscribe and resources/unsubscribe on a server that declares resources and not that.",
    untested: "no user wanted to watch a resource of a server that declares resources without subscribe",
    judge: subscribe,
    ..rule("capability.client.no-subscribe-undeclared", Level::Must, ONLY_06_11, CLAUSE)
};

fn subscribe(view: View<'_>) -> Verdict {
    let bare = view.server_declares(&["resources"]) == Some(true)
        && view.server_declares(&["resources", "subscribe"]) == Some(false);
    if !bare {
        return Verdict::untested();
    }
    let methods = ["resources/subscribe", "resources/unsubscribe"];
    let asked = operating(view).filter(|request| methods.iter().any(|method| request.is(method))).map(|request| {
        let method = request.method().unwrap_or_default();
        Err(Breach::at(request, format!("sends {method} to a server that did not declare resources.subscribe")))
    });
    let spared = tempted(view, &["watch", "unwatch"]).then_some(Ok(()));
    asked.chain(spared).collect()
}

pub(super) static ROOTS_CHANGED: Rule = Rule {
    requires: "A client announces changes of its roots only if it declared roots.listChanged.",
    judged: "Every notice, against what the client declared in `initialize`. A client whose user changed the roots without a \
             notice, undeclared, keeps the rule.",
    untested: "no user changed the roots of the client",
    judge: roots_changed,
    ..rule("capability.client.no-roots-changed-undeclared", Level::Must, ONLY_06_11, CLAUSE)
};

fn roots_changed(view: View<'_>) -> Verdict {
    let notices = view
        .notifications_by(Speaker::Subject)
        .filter(|message| view.client() == message.by && message.is("notifications/roots/list_changed"));
    let mut checks: Vec<Check> = notices
        .filter_map(|notice| {
            let what = "announces that its roots have changed, and did not declare roots.listChanged";
            Some(if announces(view, notice)? { Ok(()) } else { Err(Breach::at(notice, what)) })
        })
        .collect();
    if checks.is_empty() && view.user().wishes.iter().any(|wish| wish.kind() == "roots" && wish.is_fulfilled()) {
        let undeclared = view.messages().next().and_then(|any| announces(view, any)) == Some(false);
        checks.extend(undeclared.then_some(Ok(())));
    }
    checks.into_iter().collect()
}

/// Whether a client declared that it announces changes of its roots.
fn announces<'s>(view: View<'s>, message: &Message<'s>) -> Option<bool> {
    let declared = view.client_capabilities(message)?.path(&["roots", "listChanged"]);
    Some(declared.and_then(Value::as_bool) == Some(true))
}

pub(super) static TASK_METHODS: Rule = Rule {
    requires: "A client calls tasks/list and tasks/cancel only if the server declared them.",
    judged: "Servers that declare tasks. A client that follows a task without these methods keeps the rule.",
    untested: "no client followed a task of a server that declares tasks without tasks.list or tasks.cancel",
    judge: task_methods,
    ..rule("capability.client.no-task-methods-undeclared", Level::Must, Revisions::of(&[Revision::V2025_11_25]), CLAUSE)
};

fn task_methods(view: View<'_>) -> Verdict {
    if feature_of_server(view, &["tasks"]) != Some(true) {
        return Verdict::untested();
    }
    let lacks = |name: &str| view.server_declares(&["tasks", name]) == Some(false);
    if !lacks("list") && !lacks("cancel") {
        return Verdict::untested();
    }
    operating(view)
        .filter(|request| request.method().is_some_and(|method| method.starts_with("tasks/")))
        .map(|request| {
            let name = request.method().and_then(|method| method.strip_prefix("tasks/")).unwrap_or_default();
            let what = || format!("sends tasks/{name} to a server that did not declare tasks.{name}");
            let gated = name == "list" || name == "cancel";
            if gated && lacks(name) { Err(Breach::at(request, what())) } else { Ok(()) }
        })
        .collect()
}

fn feature_of_server(view: View<'_>, path: &[&str]) -> Option<bool> {
    feature(view.server_capabilities()?, path)
}
