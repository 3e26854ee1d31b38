//! Announcements of changes, and whether the server declared that it makes them.

use super::{declares, notified};
use crate::revision::{Revision, Revisions, Side};
use crate::rules::pagination::walks::{self, ANNOUNCED};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::View;

const ONLY_06_11: Revisions = Revisions::range(Revision::V2025_06_18, Revision::V2025_11_25);
const CLAUSE: &str = "2025-11-25/basic/lifecycle#operation";

pub(super) static LIST_CHANGED: Rule = Rule {
    id: "capability.server.list-changed-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: ONLY_06_11,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Changes are announced only of lists whose listChanged was declared.",
    judged: "Every notice that a list has changed. A list that was seen to change without notice, undeclared, keeps the \
             rule. Older revisions have the clause as a recommendation.",
    untested: "no list was seen to change; name a tool that changes one in the subject file",
    judge: list_changed,
};

fn list_changed(view: View<'_>) -> Verdict {
    let mut checks: Vec<Check> = Vec::new();
    for &(list, notice, feature) in ANNOUNCED {
        let Some(declared) = declares(view, &[feature, "listChanged"]) else { continue };
        let notices: Vec<_> = notified(view, notice).collect();
        checks.extend(notices.iter().map(|message| match declared {
            true => Ok(()),
            false => Err(Breach::at(message, format!("announces changes and does not declare {feature}.listChanged"))),
        }));
        if !declared && notices.is_empty() {
            let walks = walks::complete(view, list);
            checks.extend(walks::successive(&walks).filter(|(one, next)| one.keys() != next.keys()).map(|_| Ok(())));
        }
    }
    checks.into_iter().collect()
}

pub(super) static RESOURCE_UPDATES: Rule = Rule {
    id: "capability.server.resource-updates-declared",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: ONLY_06_11,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Updates of resources are announced only if resources.subscribe was declared.",
    judged: "Every `notifications/resources/updated`. A server that declared nothing and stays silent although a client \
             tried to subscribe keeps the rule.",
    untested: "no resource was updated or subscribed to; name a tool that updates one in the subject file",
    judge: resource_updates,
};

fn resource_updates(view: View<'_>) -> Verdict {
    let Some(declared) = declares(view, &["resources", "subscribe"]) else { return Verdict::untested() };
    let notices: Vec<_> = notified(view, "notifications/resources/updated").collect();
    let tempted = view
        .exchanges()
        .filter(|exchange| exchange.is("resources/subscribe") && exchange.answer().is_some())
        .filter(|_| !declared && notices.is_empty())
        .map(|_| Ok(()));
    let sent = notices.iter().map(|message| match declared {
        true => Ok(()),
        false => Err(Breach::at(message, "announces an update and does not declare resources.subscribe")),
    });
    sent.chain(tempted).collect()
}
