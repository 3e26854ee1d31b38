//! What a client makes of elicitations: its answers, the forms that it fills in, and notices that it may ignore.

use crate::revision::{Revision, Revisions, Side, code};
use crate::rules::asked::{self, Asked, Reply};
use crate::rules::bait::{Bait, judged};
use crate::rules::capability::Modes;
use crate::rules::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::schema::{Outcome, Shelf};
use crate::session::{Message, Speaker, View};
use crate::transcript::Event;
use crate::wire::{Kind, Value};

const SINCE_06: Revisions = Revisions::since(Revision::V2025_06_18);
const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);

const UNTESTED: &str = "the client answered no elicitation";

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
        untested: UNTESTED,
        judge: |_| Verdict::untested(),
    }
}

/// The elicitations that the client answered by a result, with the message of that and the result.
fn answered<'s>(view: View<'s>) -> impl Iterator<Item = (Asked<'s>, &'s Message<'s>, Value<'s>)> {
    asked::of(view, "elicitation/create").filter_map(|asked| {
        let (by, result) = asked.given()?;
        Some((asked, by, result))
    })
}

/// The forms that the client accepted.
fn accepted<'s>(view: View<'s>) -> impl Iterator<Item = (Asked<'s>, &'s Message<'s>, Value<'s>)> {
    answered(view).filter(|(asked, _, result)| {
        asked.mode() == "form" && result.member("action").is_some_and(|action| action.is("accept"))
    })
}

pub(super) static MODE_DEFAULT_FORM: Rule = Rule {
    requires: "A client reads an elicitation without a mode as one by form.",
    judged: "Honest elicitations without mode, of clients that declared the form: an error -32601 or -32602 breaks the rule. \
             Whatever the user chooses keeps it.",
    untested: "no client that declared forms was asked without a mode",
    judge: mode_default_form,
    ..rule("elicitation.mode-default-form", Level::Must, SINCE_11, "2026-07-28/client/elicitation#elicitation-requests")
};

fn mode_default_form(view: View<'_>) -> Verdict {
    asked::of(view, "elicitation/create")
        .filter(|asked| asked.is_honest() && asked.param("mode").is_none())
        .filter(|asked| Modes::of(asked.declared).is_some_and(|modes| modes.form))
        .filter_map(|asked| match asked.reply {
            Reply::Given(..) => Some(Ok(())),
            Reply::Refused(by) => {
                let code = by.error_code()?;
                let what = || format!("refuses by {code} an elicitation without a mode, although it declared forms");
                [code::METHOD_NOT_FOUND, code::INVALID_PARAMS]
                    .contains(&code)
                    .then(|| Err(Breach::at(by, what()).after(asked.message)))
            }
            Reply::Withheld | Reply::Open => None,
        })
        .collect()
}

pub(super) static RESULT_SHAPE: Rule = Rule {
    requires: "A result of elicitation has the action accept, decline or cancel, and flat content with accept alone.",
    judged: "Content is an object of texts, numbers and booleans, since 2025-11-25 also of arrays of texts. To accept without \
             content is allowed, for nothing need be asked. Content beside another action is a warning.",
    judge: result_shape,
    ..rule("elicitation.result-shape", Level::Must, SINCE_06, "schema/2026-07-28/schema.ts#ElicitResult")
};

fn result_shape(view: View<'_>) -> Verdict {
    answered(view)
        .map(|(asked, by, result)| match flaw(view.revision(), result) {
            Some(what) => Err(Breach::at(by, what).after(asked.message)),
            None if result.member("content").is_some()
                && !result.member("action").is_some_and(|action| action.is("accept")) =>
            {
                let what = "sends content although the user did not accept";
                Err(Breach::at(by, what).after(asked.message).as_warning())
            }
            None => Ok(()),
        })
        .collect()
}

fn flaw(revision: Revision, result: Value<'_>) -> Option<String> {
    let Some(action) = result.member("action") else {
        return Some("answers an elicitation without an action".to_owned());
    };
    if !["accept", "decline", "cancel"].iter().any(|known| action.is(known)) {
        return Some(format!("answers an elicitation by the action {}", action.brief()));
    }
    let content = result.member("content").filter(|_| action.is("accept"))?;
    if !content.is_object() {
        return Some(format!("accepts an elicitation with the content {}", content.brief()));
    }
    let lists = revision >= Revision::V2025_11_25;
    let flat = |value: Value<'_>| match value.kind() {
        Kind::Array => lists && value.items().all(Value::is_string),
        Kind::Null | Kind::Object => false,
        _ => true,
    };
    let (name, odd) = content.members().find(|(_, value)| !flat(*value))?;
    Some(format!("accepts an elicitation with {} as {name:?}", odd.brief()))
}

pub(super) static ACCEPT_CONFORMS: Rule = Rule {
    requires: "What a client accepts fits the schema that was asked for.",
    judged: "The content of accepted forms against the requested schema; formats and patterns are left alone. No content is \
             read as an empty form.",
    untested: "the client accepted no form",
    judge: accept_conforms,
    ..rule("elicitation.accept-conforms", Level::Should, SINCE_06, "2026-07-28/client/elicitation#form-mode-security")
};

fn accept_conforms(view: View<'_>) -> Verdict {
    let mut shelf = Shelf::new(view.revision());
    accepted(view)
        .filter_map(|(asked, by, result)| {
            let schema = asked.param("requestedSchema")?;
            let content = match result.member("content") {
                Some(content) => content.to_tree()?,
                None => serde_json::json!({}),
            };
            match shelf.check(schema, &content).outcome {
                Outcome::Valid => Some(Ok(())),
                Outcome::Invalid(violations) => {
                    let first = violations.iter().find(|violation| violation.keyword != "pattern")?;
                    let what = format!("accepts a form with content that breaks `{}`: {}", first.keyword, first.why);
                    Some(Err(Breach::at(by, what).after(asked.message)))
                }
                Outcome::OverBudget | Outcome::Unusable(_) => None,
            }
        })
        .collect()
}

pub(super) static URL_WITHOUT_CONTENT: Rule = Rule {
    requires: "A client that accepts an elicitation by URL sends no content.",
    judged: "An empty content, or a null, is a warning.",
    untested: "the client accepted no elicitation by URL",
    judge: url_without_content,
    ..rule(
        "elicitation.url-accept-without-content",
        Level::Must,
        SINCE_11,
        "2026-07-28/client/elicitation#response-actions",
    )
};

fn url_without_content(view: View<'_>) -> Verdict {
    answered(view)
        .filter(|(asked, _, result)| {
            asked.mode() == "url" && result.member("action").is_some_and(|action| action.is("accept"))
        })
        .map(|(asked, by, result)| {
            let Some(content) = result.member("content") else { return Ok(()) };
            let breach = Breach::at(by, format!("accepts a URL with the content {}", content.brief()));
            let breach = breach.after(asked.message);
            let empty = content.is_null() || (content.is_object() && content.is_empty());
            Err(if empty { breach.as_warning() } else { breach })
        })
        .collect()
}

pub(super) static URL_NOT_PREFETCHED: Rule = Rule {
    requires: "A client does not fetch the URL of an elicitation of its own accord.",
    judged: "Elicitations by URL whose address the harness watches. A call of it breaks the rule where the user did not \
             accept: he declined, cancelled, or was not even asked. Where he accepted he may have opened it himself, so that a \
             call says nothing.",
    untested: "the client was asked to have its user go to no URL that the harness watches, or it gave no answer to that",
    judge: url_not_prefetched,
    ..rule("elicitation.url-not-prefetched", Level::Must, SINCE_11, "2026-07-28/client/elicitation#safe-url-handling")
};

fn url_not_prefetched(view: View<'_>) -> Verdict {
    let (mut unwanted, mut accepted) = (Vec::new(), Vec::new());
    for asked in asked::of(view, "elicitation/create").filter(|asked| asked.mode() == "url") {
        let Some(bait) = asked.param("url").and_then(|url| Bait::of(asked.message, url)) else { continue };
        match asked.reply {
            Reply::Given(_, result) if result.member("action").is_some_and(|action| action.is("accept")) => {
                accepted.push(bait);
            }
            Reply::Given(..) | Reply::Refused(_) => unwanted.push(bait),
            Reply::Withheld | Reply::Open => {}
        }
    }
    // What the user wanted once he may have been asked for again.
    unwanted.retain(|bait| !accepted.iter().any(|other| other.field == bait.field));
    let untouched = accepted.iter().filter(|bait| bait.call(view).is_none()).map(|_| Ok(()));
    let mut checks = judged(view, &unwanted, "fetches the URL of an elicitation that its user did not accept");
    checks.extend(untouched);
    checks.into_iter().collect()
}

pub(super) static COMPLETE_UNKNOWN_IGNORED: Rule = Rule {
    requires: "A client ignores notices that an elicitation is complete which it does not know, or knows to be complete.",
    judged: "Behind such a notice the client neither hangs up nor exits before its user has what was wanted. An answer to the \
             notice is another rule's finding.",
    untested: "the harness announced no completion of an unknown elicitation",
    judge: complete_unknown_ignored,
    ..rule(
        "elicitation.complete-unknown-ignored",
        Level::Must,
        Revisions::of(&[Revision::V2025_11_25]),
        "2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation",
    )
};

fn complete_unknown_ignored(view: View<'_>) -> Verdict {
    let established = view.notifications_by(Speaker::Subject).find(|message| message.is("notifications/initialized"));
    let Some(established) = established.filter(|_| view.client() == Speaker::Subject) else {
        return Verdict::untested();
    };
    let mut known: Vec<String> = Vec::new();
    for asked in asked::of(view, "elicitation/create") {
        known.extend(asked.param("elicitationId").and_then(|id| Some(id.as_str()?.into_owned())));
    }
    let mut checks: Vec<Check> = Vec::new();
    let notices = view.notifications_by(Speaker::Peer).filter(|notice| {
        notice.is("notifications/elicitation/complete") && notice.entry > established.entry && notice.is_sound()
    });
    for notice in notices {
        let Some(id) = notice.param("elicitationId").and_then(|id| Some(id.as_str()?.into_owned())) else { continue };
        if let Some(place) = known.iter().position(|known| *known == id) {
            // The next one names an elicitation that is complete.
            known.swap_remove(place);
            continue;
        }
        checks.extend(bears(view, notice, "hangs up at a notice about an elicitation that it does not know"));
    }
    checks.into_iter().collect()
}

/// Whether a client goes on behind a notice; none if nothing more was to be done.
fn bears(view: View<'_>, notice: &Message<'_>, what: &str) -> Option<Check> {
    let behind = view.entries().iter().enumerate().skip(notice.entry + 1);
    for (index, entry) in behind {
        match entry.event {
            Event::Received { .. } | Event::Settled => return Some(Ok(())),
            Event::Closed | Event::Killed => return None,
            Event::Ended | Event::Exited { .. } => {
                let waiting = view.user().wishes.iter().any(|wish| {
                    wish.is_for_the_client()
                        && wish.entry < index
                        && wish.came.as_ref().is_none_or(|came| came.entry > index)
                });
                return waiting.then(|| Err(Breach::at_entry(index, what).after(notice)));
            }
            _ => {}
        }
    }
    None
}

pub(super) static DEFAULTS_PREFILLED: Rule = Rule {
    requires: "A client that supports defaults fills them into the form.",
    judged: "Accepted forms whose schema has defaults. A member with a default that is missing is a warning, since to support \
             defaults is the client's choice, and so is another value for every one of several; another value for some may be \
             the user's.",
    untested: "the client accepted no form with defaults",
    judge: defaults_prefilled,
    ..rule("elicitation.defaults-prefilled", Level::Should, SINCE_11, "2026-07-28/client/elicitation#requested-schema")
};

fn defaults_prefilled(view: View<'_>) -> Verdict {
    accepted(view)
        .filter_map(|(asked, by, result)| {
            let properties = asked.param("requestedSchema")?.member("properties")?;
            let defaults: Vec<(String, Value<'_>)> = properties
                .members()
                .filter_map(|(name, property)| Some((name.into_owned(), property.member("default")?)))
                .collect();
            let given = |name: &str| result.member("content")?.member(name);
            let repeated =
                |(name, default): &(String, Value<'_>)| given(name).is_some_and(|value| value.same(*default));
            let missing = defaults.iter().map(|(name, _)| name).find(|name| given(name).is_none());
            Some(match missing {
                _ if defaults.is_empty() => return None,
                None if defaults.len() > 1 && !defaults.iter().any(repeated) => {
                    let what = "accepts a form in which no member has its default";
                    Err(Breach::at(by, what).after(asked.message).as_warning())
                }
                None => Ok(()),
                Some(name) => {
                    let what = format!("accepts a form without {name:?}, which has a default");
                    Err(Breach::at(by, what).after(asked.message).as_warning())
                }
            })
        })
        .collect()
}
