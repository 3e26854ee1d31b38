//! How the subject answers what is unknown, malformed, or not to be answered at all.

use std::collections::HashSet;

use super::super::{Breach, Check, Level, Rule, Transports, Verdict, probe};
use super::envelope::shortened;
use super::response::{is_missing, is_unknown};
use crate::revision::{Era, Revision, Revisions, Side, code, gate};
use crate::session::stray::{Cause, Fault};
use crate::session::{Exchange, Fate, Message, Phase, Shape, Speaker, View};
use crate::transcript::{Intent, Transport};

/// `jsonrpc.response.error-id-omission`
pub static ERROR_ID_OMISSION: Rule = Rule {
    id: "jsonrpc.response.error-id-omission",
    level: Level::Must,
    side: None,
    revisions: Revisions::since(Revision::V2025_11_25),
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#error-responses",
    requires: "An error has the id of its request unless that could not be read.",
    judged: "Errors with an id keep it. An error without one, or with null, is held against the subject if nothing \
             malformed was sent that it may belong to and a well-formed request was left without an answer. An invented \
             id in place of one that could not be read is a warning.",
    untested: "no request failed",
    judge: error_id_omission,
};

fn error_id_omission(view: View<'_>) -> Verdict {
    let kept = view.exchanges().filter(|exchange| exchange.error().is_some()).map(|_| Ok(()));
    let mut looked_at = 0;
    let stray = view.strays().filter(|stray| stray.response.is_error()).filter_map(|stray| {
        let id = stray.response.id.as_ref().filter(|id| !id.is_null());
        match (stray.cause, id) {
            (Cause::Unanswered(request), None) => {
                Some(Err(Breach::at(stray.response, "leaves the id of the request out of an error").after(request)))
            }
            (Cause::Garbage(_) | Cause::Invalid(_) | Cause::Unclear, Some(id)) if looked_at < MOST_LOOKED_FOR => {
                looked_at += 1;
                let what = format!("invents the id {} for something malformed", shortened(id));
                (!stands_in_something_malformed(view, id.text()))
                    .then(|| Err(Breach::at(stray.response, what).as_warning()))
            }
            (Cause::Garbage(_) | Cause::Invalid(_) | Cause::Unclear, None) => Some(Ok(())),
            _ => None,
        }
    });
    kept.chain(stray.collect::<Vec<Check>>()).collect()
}

/// How many ids are looked for in what was malformed: each search reads all of it.
const MOST_LOOKED_FOR: usize = 8;

fn stands_in_something_malformed(view: View<'_>, id: &str) -> bool {
    let bare = id.trim_matches('"').as_bytes();
    let sent = view.every_message().filter(|message| message.by == Speaker::Peer && message.fault().is_some());
    sent.into_iter().any(|message| {
        message.is_large() || bare.is_empty() || message.frame.bytes().windows(bare.len()).any(|window| window == bare)
    })
}

/// `jsonrpc.notification.no-response`
pub static NOTIFICATION_NO_RESPONSE: Rule = Rule {
    id: "jsonrpc.notification.no-response",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#notifications",
    requires: "A notification is never answered, not even with an error.",
    judged: "A response without id that nothing else explains (malformed text, or a request left without its answer) is \
             taken for the answer to the notification before it. A notification is known not to be answered once a \
             later request was. Arrays have a rule of their own.",
    untested: "no request was answered after a notification",
    judge: notification_no_response,
};

fn notification_no_response(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let mut blamed = HashSet::new();
    let mut checks: Vec<Check> = Vec::new();
    for stray in view.strays() {
        if let Cause::Notification(notification) = stray.cause
            && !notification.in_batch
            && blamed.insert(notification.entry)
        {
            let what = format!("answers the notification {}", notification.method().unwrap_or_default());
            checks.push(Err(Breach::at(stray.response, what).after(notification)));
        }
    }
    let silent = view.notifications_by(Speaker::Peer).filter(|notification| {
        !notification.in_batch
            && notification.fault().is_none()
            && !blamed.contains(&notification.entry)
            && last_served.is_some_and(|last| last > notification.entry)
    });
    checks.extend(silent.map(|_| Ok(())));
    checks.into_iter().collect()
}

/// `jsonrpc.unknown-method.answered`
pub static UNKNOWN_METHOD_ANSWERED: Rule = Rule {
    id: "jsonrpc.unknown-method.answered",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#responses",
    requires: "A request for an unknown method is answered with an error.",
    judged: "Any error will do; its code belongs to other rules. Silence is shown by later answers, a closed connection by \
             the end of the session right behind the request. Success is held against the subject only for methods that \
             begin with `x-conformance/`: others may be extensions, or methods of other revisions.",
    untested: "no unknown method was asked for in an open session",
    judge: unknown_method_answered,
};

fn unknown_method_answered(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let last_sent = view.every_message().rev().find(|message| message.by == Speaker::Peer).map(|last| last.entry);
    let explained = view.answered_astray();
    // What was sent before and never had its turn may be what the subject ended of.
    let alone = |request: &Message<'_>| {
        let waiting = |message: &&Message<'_>| last_served.is_none_or(|served| message.entry > served);
        let mut sent = view.every_message().filter(|message| message.by == Speaker::Peer).filter(waiting);
        !sent.any(|message| message.entry < request.entry && message.intent == Intent::Departure)
    };
    view.exchanges()
        .filter(|exchange| is_missing(*exchange) && !explained.contains(&exchange.request().entry))
        .filter_map(|exchange| {
            let request = exchange.request();
            match exchange.fate() {
                Fate::Answered if exchange.error().is_some() => Some(Ok(())),
                Fate::Answered if exchange.result().is_some() && exchange.method().starts_with("x-conformance/") => {
                    let answer = exchange.answer()?;
                    Some(Err(Breach::at(answer, "answers an unknown method with success").after(request)))
                }
                Fate::Silent if last_served.is_some_and(|last| last > request.entry) => {
                    Some(Err(Breach::at(request, "does not answer an unknown method")))
                }
                // Over HTTP the connection that ended is that of the request.
                Fate::Cut if (last_sent == Some(request.entry) && alone(request)) || request.via.is_some() => {
                    Some(Err(Breach::at(request, "ends the session in reply to an unknown method")))
                }
                _ => None,
            }
        })
        .collect()
}

/// `jsonrpc.unknown-method.code`
pub static UNKNOWN_METHOD_CODE: Rule = Rule {
    id: "jsonrpc.unknown-method.code",
    level: Level::Should,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/index#error-responses",
    requires: "The error for an unknown method has the code -32601.",
    judged: "Another code is a warning: these revisions name the code only by reference to JSON-RPC 2.0.",
    untested: "no unknown method was answered with an error in an open session",
    judge: unknown_method_code,
};

fn unknown_method_code(view: View<'_>) -> Verdict {
    unknown(view)
        .filter_map(|exchange| method_not_found(exchange).map(|check| check.map_err(Breach::as_warning)))
        .collect()
}

/// `jsonrpc.unknown-method.code-stateless`
pub static UNKNOWN_METHOD_CODE_STATELESS: Rule = Rule {
    id: "jsonrpc.unknown-method.code-stateless",
    level: Level::Should,
    side: Some(Side::Server),
    revisions: Revisions::MODERN,
    transports: Transports::STDIO,
    clause: "schema/2026-07-28/schema.ts#MethodNotFoundError",
    requires: "A method that the server does not implement, or whose capability it does not advertise, is refused with \
               -32601.",
    judged: "Only requests with a complete `_meta` and no other defect are looked at; of the methods behind a missing \
             capability only the lists, which need no params. Answering such a method is not held against anyone here.",
    untested: "no unknown method and no list behind a missing capability was answered with an error",
    judge: unknown_method_code_stateless,
};

fn unknown_method_code_stateless(view: View<'_>) -> Verdict {
    let capabilities = view.server_capabilities();
    let missing = |exchange: &Exchange<'_>| {
        exchange.method().ends_with("/list")
            && exchange.param("cursor").is_none()
            && exchange.request().fault().is_none()
            && gate(view.revision(), exchange.method()).is_some_and(|path| {
                capabilities.is_some_and(|capabilities| !crate::session::view::declared(capabilities, path))
            })
    };
    view.exchanges()
        .filter(|exchange| is_unknown(*exchange) || missing(exchange))
        .filter(|exchange| {
            probe::complete(exchange.request()).is_some_and(|version| version == view.revision().as_str())
        })
        .filter_map(method_not_found)
        .collect()
}

fn unknown<'s>(view: View<'s>) -> impl Iterator<Item = Exchange<'s>> {
    view.exchanges().filter(|exchange| is_unknown(*exchange))
}

fn method_not_found(exchange: Exchange<'_>) -> Option<Check> {
    let answer = exchange.answer()?;
    let given = exchange.error_code()?;
    Some(if given == code::METHOD_NOT_FOUND {
        Ok(())
    } else {
        Err(Breach::at(answer, format!("refuses a missing method with the code {given}")).after(exchange.request()))
    })
}

/// `jsonrpc.parse-error`
pub static PARSE_ERROR: Rule = Rule {
    id: "jsonrpc.parse-error",
    level: Level::Should,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ParseError",
    requires: "Text that is not JSON is reported with the code -32700.",
    judged: "An answer is held against the subject only if everything malformed since the last answered request was such \
             text. -32600 is tolerated, silence is a warning. Text that lenient readers accept (NaN, Infinity, a byte \
             order mark), bytes that are not UTF-8, blank lines and lines that were not ended are not judged. Whether the subject lives on \
             is the matter of `robust`.",
    untested: "nothing was sent that is surely no JSON",
    judge: parse_error,
};

fn parse_error(view: View<'_>) -> Verdict {
    let strays = view.strays().collect::<Vec<_>>();
    let mut checks: Vec<Check> = Vec::new();
    for stray in &strays {
        let Cause::Garbage(garbage) = stray.cause else { continue };
        // Over HTTP a request outside any session may be refused before its body is read.
        let outside = view.revision().era() == Era::Legacy && garbage.phase == Phase::Before;
        if view.transport() == Transport::Http && outside {
            continue;
        }
        let breach = |what: String| Err(Breach::at(stray.response, what).after(garbage));
        match stray.response.error_code() {
            Some(code::PARSE_ERROR | code::INVALID_REQUEST) => checks.push(Ok(())),
            Some(other) => checks.push(breach(format!("answers text that is not JSON with the code {other}"))),
            None if stray.response.is_success() => {
                checks.push(breach("answers text that is not JSON with success".to_owned()));
            }
            None => {}
        }
    }
    let reported = strays.iter().any(|stray| matches!(stray.cause, Cause::Garbage(_) | Cause::Unclear));
    let last_served = view.last_served();
    let ignored = view.messages_by(Speaker::Peer).find(|message| {
        message.fault() == Some(Fault::Garbage) && last_served.is_some_and(|last| last > message.entry)
    });
    if let Some(garbage) = ignored.filter(|_| !reported) {
        checks.push(Err(Breach::at(garbage, "does not report text that is not JSON").as_warning()));
    }
    checks.into_iter().collect()
}

/// `jsonrpc.invalid-request`
pub static INVALID_REQUEST: Rule = Rule {
    id: "jsonrpc.invalid-request",
    level: Level::Should,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#InvalidRequestError",
    requires: "JSON that is no request is not carried out, and an error about it has the code -32600.",
    judged: "Looked at are values that are no objects, objects without method, another value of `jsonrpc`, and ids that \
             are objects, arrays or booleans, in an open session. -32700 and -32602 are accepted, and -32601 for a \
             method that the revision does not have. Silence is no breach. Arrays, duplicate keys and unsolicited \
             responses are not judged.",
    untested: "nothing was sent that is JSON and surely no request",
    judge: invalid_request,
};

fn invalid_request(view: View<'_>) -> Verdict {
    let last_served = view.last_served();
    let mut checks: Vec<Check> = Vec::new();
    for stray in view.strays() {
        if let Cause::Invalid(invalid) = stray.cause {
            checks.extend(about_invalid(invalid, stray.response));
        }
    }
    for exchange in view.exchanges().filter(|exchange| exchange.request().fault() == Some(Fault::Invalid)) {
        if let Some(answer) = exchange.answer() {
            checks.extend(about_invalid(exchange.request(), answer));
        }
    }
    let ignored = view.messages_by(Speaker::Peer).filter(|message| {
        message.fault() == Some(Fault::Invalid) && last_served.is_some_and(|last| last > message.entry)
    });
    checks.extend(ignored.map(|_| Ok(())));
    checks.into_iter().collect()
}

fn about_invalid(invalid: &Message<'_>, answer: &Message<'_>) -> Option<Check> {
    if answer.is_success() {
        return Some(Err(Breach::at(answer, "carries out what is no request").after(invalid)));
    }
    if invalid.oddly_carried {
        // The request that carried it may be what was refused.
        return None;
    }
    let given = answer.error_code()?;
    let unknown = invalid.shape == Shape::Request
        && invalid
            .revision
            .is_some_and(|revision| !invalid.method().is_some_and(|method| crate::revision::knows(revision, method)));
    let accepted = [code::INVALID_REQUEST, code::PARSE_ERROR, code::INVALID_PARAMS].contains(&given)
        || (unknown && given == code::METHOD_NOT_FOUND);
    Some(if accepted {
        Ok(())
    } else {
        Err(Breach::at(answer, format!("answers what is no request with the code {given}")).after(invalid))
    })
}
