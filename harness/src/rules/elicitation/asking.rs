//! The requests for elicitation, and what belongs to those by URL.

use std::collections::HashSet;

use super::UNTESTED;
use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::capability::{Question, questions};
use crate::rules::resources::uri::{self, Flaw};
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::session::{Speaker, View};
use crate::wire::Value;

const SINCE_06: Revisions = Revisions::since(Revision::V2025_06_18);
const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);
const ONLY_11: Revisions = Revisions::of(&[Revision::V2025_11_25]);

pub(super) static PARAMS: Rule = Rule {
    id: "elicitation.params",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: SINCE_06,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#elicitation-requests",
    requires: "An elicitation has a message and what its mode needs.",
    judged: "A form, which is what no mode means, has an object requestedSchema; since 2025-11-25 there is the mode url with a \
             valid URL, in 2025-11-25 with an elicitationId too. Before that a mode means nothing.",
    untested: UNTESTED,
    judge: params,
};

fn params(view: View<'_>) -> Verdict {
    elicitations(view)
        .map(|question| match params_flaw(view.revision(), question) {
            Some(what) => Err(Breach::at(question.message, what)),
            None => Ok(()),
        })
        .collect()
}

fn params_flaw(revision: Revision, question: Question<'_>) -> Option<String> {
    if !question.param("message").is_some_and(Value::is_string) {
        return Some("elicits without a message".to_owned());
    }
    let mode = question.param("mode").filter(|_| revision >= Revision::V2025_11_25);
    if mode.is_none_or(|mode| mode.is("form")) {
        let schema = question.param("requestedSchema").is_some_and(Value::is_object);
        return (!schema).then(|| "elicits by form without the object requestedSchema".to_owned());
    }
    let Some(mode) = mode.filter(|mode| mode.is("url")) else {
        return Some(format!("elicits in the mode {}", mode.map(Value::brief).unwrap_or_default()));
    };
    url_flaw(revision, &|key| question.param(key)).map(|what| format!("elicits in the mode {} {what}", mode.brief()))
}

/// What an elicitation by URL lacks.
fn url_flaw<'s>(revision: Revision, member: &dyn Fn(&str) -> Option<Value<'s>>) -> Option<String> {
    match member("url").and_then(Value::as_str) {
        None => return Some("without a URL".to_owned()),
        Some(url) => match uri::flaw(&url) {
            Some(Flaw::Wrong(why)) => return Some(format!("with a URL that {why}")),
            Some(Flaw::Unusual(_)) | None => {}
        },
    }
    let named = member("elicitationId").is_some_and(Value::is_string);
    (revision == Revision::V2025_11_25 && !named).then(|| "without an elicitationId".to_owned())
}

pub(super) static URL_HTTPS: Rule = Rule {
    id: "elicitation.url-https",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: "2026-07-28/client/elicitation#safe-url-handling",
    requires: "Elicitation by URL leads to HTTPS.",
    judged: "Another scheme is a warning: nobody knows what is still in development. Plain http to this very machine is fine.",
    untested: "the server elicited nothing by URL; name a tool that asks the user in the subject file, under `asks-user`",
    judge: url_https,
};

fn url_https(view: View<'_>) -> Verdict {
    elicitations(view)
        .filter(|question| question.param("mode").is_some_and(|mode| mode.is("url")))
        .filter_map(|question| {
            let given = question.param("url")?;
            let url = given.as_str()?.to_ascii_lowercase();
            let safe = url.starts_with("https://") || url.strip_prefix("http://").is_some_and(is_local);
            let what = || format!("sends the user to {}", given.brief());
            Some(if safe { Ok(()) } else { Err(Breach::at(question.message, what()).as_warning()) })
        })
        .collect()
}

/// Whether the rest of a URL behind its scheme begins with this machine.
fn is_local(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = if authority.starts_with("[::1]") { "[::1]" } else { authority.split(':').next().unwrap_or_default() };
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.starts_with("127.")
}

pub(super) static COMPLETE_CARRIES_ID: Rule = Rule {
    id: "elicitation.complete-carries-id",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation",
    requires: "A notice that an elicitation is complete has the elicitationId that it began with.",
    judged: "The ids of elicitations by URL in this session, in requests and in errors that demand one.",
    untested: "the server completed no elicitation by URL",
    judge: complete_carries_id,
};

fn complete_carries_id(view: View<'_>) -> Verdict {
    let asked =
        elicitations(view).filter_map(|question| Some((question.message.entry, question.param("elicitationId")?)));
    let demanded = demands(view).flat_map(|(answer, elicitations)| {
        let ids = elicitations.into_iter().flat_map(Value::items).filter_map(|one| one.member("elicitationId"));
        ids.map(move |id| (answer.entry, id)).collect::<Vec<_>>()
    });
    let known: Vec<(usize, String)> =
        asked.chain(demanded).filter_map(|(entry, id)| Some((entry, id.as_str()?.into_owned()))).collect();
    view.notifications_by(Speaker::Subject)
        .filter(|message| message.is("notifications/elicitation/complete"))
        .map(|notice| {
            let Some(id) = notice.param("elicitationId").filter(|id| id.is_string()) else {
                return Err(Breach::at(notice, "completes an elicitation without its elicitationId"));
            };
            let begun = known.iter().any(|(entry, known)| *entry < notice.entry && id.is(known));
            let what = || format!("completes the elicitation {}, which never began", id.brief());
            if begun { Ok(()) } else { Err(Breach::at(notice, what())) }
        })
        .collect()
}

pub(super) static URL_REQUIRED_ERROR: Rule = Rule {
    id: "elicitation.url-required-error",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: ONLY_11,
    transports: Transports::BOTH,
    clause: "2025-11-25/client/elicitation#url-elicitation-required-error",
    requires: "The error -32042 lists the elicitations by URL that are needed.",
    judged: "Its data has an array elicitations with at least one item, and each has the mode url, a URL, a message and an \
             elicitationId. An error with this code for another reason lacks them.",
    untested: "the server demanded no elicitation; name a tool that does in the subject file, under `demands-url`",
    judge: url_required_error,
};

fn url_required_error(view: View<'_>) -> Verdict {
    demands(view)
        .map(|(answer, elicitations)| {
            let breach = |what: String| Err(Breach::at(answer, what));
            let Some(list) = elicitations.filter(|list| list.is_array() && !list.is_empty()) else {
                return breach("demands elicitation by URL (-32042) and lists none".to_owned());
            };
            let flaw = list.items().find_map(|one| {
                if !one.member("mode").is_some_and(|mode| mode.is("url")) {
                    return Some(format!("{}, whose mode is not url", one.brief()));
                }
                if !one.member("message").is_some_and(Value::is_string) {
                    return Some(format!("{} without a message", one.brief()));
                }
                let flaw = url_flaw(view.revision(), &|key| one.member(key))?;
                Some(format!("{} {flaw}", one.brief()))
            });
            flaw.map_or(Ok(()), |what| breach(format!("demands the elicitation {what}")))
        })
        .collect::<Vec<Check>>()
        .into_iter()
        .collect()
}

/// The errors that demand elicitation by URL, with what they list.
fn demands<'s>(view: View<'s>) -> impl Iterator<Item = (&'s crate::session::Message<'s>, Option<Value<'s>>)> {
    let mut seen = HashSet::new();
    view.exchanges().filter_map(|exchange| exchange.answer()).filter_map(move |answer| {
        let demands = answer.error_code() == Some(code::URL_ELICITATION_REQUIRED) && seen.insert(answer.entry);
        demands.then(|| (answer, answer.error().and_then(|error| error.path(&["data", "elicitations"]))))
    })
}

fn elicitations<'s>(view: View<'s>) -> impl Iterator<Item = Question<'s>> {
    questions(view).into_iter().filter(|question| question.is("elicitation/create"))
}
