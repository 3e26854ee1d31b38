//! What every message of the subject looks like.

use std::collections::HashSet;

use super::super::{Breach, Check, Level, Rule, Transports, Verdict};
use crate::revision::{Era, Revision, Revisions, Side};
use crate::session::{Exchange, Message, Shape, Speaker, View};
use crate::wire::{Id, Unreadable, Value};

/// `jsonrpc.version-member`
pub static VERSION_MEMBER: Rule = Rule {
    id: "jsonrpc.version-member",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#messages",
    requires: "Every message has a member `jsonrpc` that is the string \"2.0\".",
    judged: "Every JSON object that the subject sends is looked at; text that is no JSON object belongs to other rules.",
    untested: "the subject sent no message",
    judge: version_member,
};

fn version_member(view: View<'_>) -> Verdict {
    view.messages_by(Speaker::Subject)
        .filter(|message| message.shape != Shape::Unreadable && message.value.is_some_and(Value::is_object))
        .map(|message| match message.member("jsonrpc") {
            Some(version) if version.is("2.0") => Ok(()),
            Some(version) => Err(Breach::at(message, format!("sends jsonrpc as {version}"))),
            None => Err(Breach::at(message, "sends a message without the member jsonrpc")),
        })
        .collect()
}

/// `jsonrpc.request.id-string-or-integer`
pub static REQUEST_ID_TYPE: Rule = Rule {
    id: "jsonrpc.request.id-string-or-integer",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#requests",
    requires: "The id of a request is a string or an integer.",
    judged: "Every request of the subject is looked at. `1.0` is an integer in JSON, null is the matter of another rule, \
             and so are a server's requests in 2026-07-28, where it may send none.",
    untested: "the subject sent no request; name a tool that asks the client for something in the subject file",
    judge: request_id_type,
};

fn request_id_type(view: View<'_>) -> Verdict {
    own_requests(view)
        .filter(|(_, id)| !id.is_null())
        .map(|(request, id)| match request.member("id") {
            Some(value) if value.is_string() || value.is_integral() => Ok(()),
            _ => Err(Breach::at(request, format!("sends a request with the id {}", shortened(id)))),
        })
        .collect()
}

/// `jsonrpc.request.id-not-null`
pub static REQUEST_ID_NOT_NULL: Rule = Rule {
    id: "jsonrpc.request.id-not-null",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#requests",
    requires: "The id of a request is never null.",
    judged: "Every request of the subject is looked at, except a server's in 2026-07-28, where it may send none.",
    untested: "the subject sent no request; name a tool that asks the client for something in the subject file",
    judge: request_id_not_null,
};

fn request_id_not_null(view: View<'_>) -> Verdict {
    own_requests(view)
        .map(
            |(request, id)| {
                if id.is_null() { Err(Breach::at(request, "sends a request with the id null")) } else { Ok(()) }
            },
        )
        .collect()
}

/// `jsonrpc.request.id-unique-in-session`
pub static REQUEST_ID_UNIQUE: Rule = Rule {
    id: "jsonrpc.request.id-unique-in-session",
    level: Level::Must,
    side: None,
    revisions: Revisions::LEGACY,
    transports: Transports::BOTH,
    clause: "2025-11-25/basic/index#requests",
    requires: "No two requests of one session that the same side sends have the same id.",
    judged: "Ids are compared by JSON value, so 1 and \"1\" differ. Ids of a wrong type belong to other rules. A server that was \
             started again has a session of its own.",
    untested: "the subject sent fewer than two requests; name a tool that asks the client for something in the subject \
               file",
    judge: request_id_unique,
};

fn request_id_unique(view: View<'_>) -> Verdict {
    let mut used: HashSet<(usize, &Id)> = HashSet::new();
    own_requests(view)
        .filter(|(_, id)| id.is_legal())
        .filter_map(|(request, id)| {
            let first = used.is_empty();
            let fresh = used.insert((view.process(request.entry), id));
            (!first).then(|| {
                if fresh {
                    Ok(())
                } else {
                    Err(Breach::at(request, format!("uses the request id {} again", shortened(id))))
                }
            })
        })
        .collect()
}

/// The requests of the subject with their ids, where it may send any. What calls itself a notification is none.
fn own_requests<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, &'s Id)> {
    let may = view.revision().era() == Era::Legacy || view.subject_side() == Side::Client;
    view.requests_by(Speaker::Subject)
        .filter(move |request| may && !calls_itself_notification(request))
        .filter_map(|request| Some((request, request.id.as_ref()?)))
}

fn calls_itself_notification(message: &Message<'_>) -> bool {
    message.method().is_some_and(|method| method.starts_with("notifications/"))
}

/// `jsonrpc.notification.no-id`
pub static NOTIFICATION_NO_ID: Rule = Rule {
    id: "jsonrpc.notification.no-id",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#notifications",
    requires: "A notification has no member `id`, not even null.",
    judged: "Every message whose method begins with `notifications/` is looked at.",
    untested: "the subject sent no notification; name a tool that logs or reports progress in the subject file",
    judge: notification_no_id,
};

fn notification_no_id(view: View<'_>) -> Verdict {
    view.messages_by(Speaker::Subject)
        .filter(|message| calls_itself_notification(message))
        .map(|message| match &message.id {
            None => Ok(()),
            Some(id) => Err(Breach::at(message, format!("sends a notification with the id {}", shortened(id)))),
        })
        .collect()
}

/// `jsonrpc.params-object`
pub static PARAMS_OBJECT: Rule = Rule {
    id: "jsonrpc.params-object",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Request",
    requires: "The params of a request or notification are a JSON object, or there are none.",
    judged: "Every request and notification of the subject is looked at; what is inside the params belongs to its method.",
    untested: "the subject sent no request and no notification; name a tool that logs or asks the client for something \
               in the subject file",
    judge: params_object,
};

fn params_object(view: View<'_>) -> Verdict {
    view.messages_by(Speaker::Subject)
        .filter(|message| matches!(message.shape, Shape::Request | Shape::Notification))
        .map(|message| match message.params() {
            Some(params) if !params.is_object() => Err(Breach::at(message, "sends params that are no object")),
            _ => Ok(()),
        })
        .collect()
}

/// `jsonrpc.utf8`
pub static UTF8: Rule = Rule {
    id: "jsonrpc.utf8",
    level: Level::Must,
    side: None,
    revisions: Revisions::since(Revision::V2025_03_26),
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/transports/index#messages",
    requires: "Messages are encoded as UTF-8, and text survives the way there and back.",
    judged: "The bytes of every message of the subject are looked at. Escapes are fine; half of a surrogate pair written \
             as an escape is a warning. A tool that gave plain text back unchanged must do so with any other text; \
             refusing it is no breach.",
    untested: "the subject sent nothing beyond ASCII; name a tool that echoes its input in the subject file",
    judge: utf8,
};

fn utf8(view: View<'_>) -> Verdict {
    let bytes = view.messages_by(Speaker::Subject).filter_map(encoding);
    bytes.chain(echoes(view)).collect()
}

fn encoding(message: &Message<'_>) -> Option<Check> {
    match (message.value, message.frame.json()) {
        (_, Err(Unreadable::NotUtf8 { offset })) => {
            Some(Err(Breach::at(message, format!("sends a byte that is not UTF-8, at {offset}"))))
        }
        (Some(value), _) => {
            let raw = value.raw();
            if (raw.contains("\\ud") || raw.contains("\\uD")) && value.descendants().any(Value::has_lone_surrogate) {
                return Some(Err(Breach::at(message, "escapes half of a surrogate pair").as_warning()));
            }
            (!raw.is_ascii() || raw.contains("\\u")).then_some(Ok(()))
        }
        _ => None,
    }
}

/// Calls of tools that are known to give text back, with text beyond ASCII.
fn echoes<'s>(view: View<'s>) -> impl Iterator<Item = Check> + 's {
    let calls = move || view.exchanges().filter(|call| call.is("tools/call")).filter_map(Echo::read);
    let echoing: HashSet<String> =
        calls().filter(|echo| echo.text.is_ascii() && echo.comes_back()).map(|echo| echo.tool).collect();
    calls().filter(move |echo| !echo.text.is_ascii() && echoing.contains(&echo.tool)).filter_map(|echo| {
        let answer = echo.call.answer()?;
        Some(if echo.comes_back() {
            Ok(())
        } else {
            let sent = format!("gives back other text than {:?}", echo.text);
            Err(Breach::at(answer, sent).after(echo.call.request()))
        })
    })
}

/// A successful call with one text among its arguments.
struct Echo<'s> {
    call: Exchange<'s>,
    tool: String,
    text: String,
}

impl<'s> Echo<'s> {
    fn read(call: Exchange<'s>) -> Option<Self> {
        if !call.request().is_sound() {
            return None;
        }
        let result = call.result()?;
        if result.member("isError").is_some_and(|is| is.as_bool() == Some(true)) {
            return None;
        }
        let mut texts = call.param("arguments")?.members().filter_map(|(_, value)| value.as_str());
        let text = texts.next().filter(|text| is_harmless(text))?.into_owned();
        if texts.next().is_some() {
            return None;
        }
        Some(Self { call, tool: call.param("name")?.as_str()?.into_owned(), text })
    }

    fn comes_back(&self) -> bool {
        let content = self.call.result().and_then(|result| result.member("content"));
        content
            .into_iter()
            .flat_map(Value::items)
            .filter_map(|block| block.member("text")?.as_str())
            .any(|text| text.contains(&self.text))
    }
}

/// Whether no tool has a reason to write the text in another way: no quotes, controls or combining characters.
fn is_harmless(text: &str) -> bool {
    const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';
    !text.trim().is_empty()
        && text.len() < 4096
        && text.trim() == text
        && text.chars().all(|character| match character {
            ' ' | '.' | ',' | '-' | '_' => true,
            _ if character.is_ascii() => character.is_ascii_alphanumeric(),
            '\u{fffd}' | '\u{fffe}' | '\u{ffff}' | '\u{feff}' => false,
            _ => !character.is_control() && !character.is_whitespace() && !COMBINING.contains(&character),
        })
}

/// An id as it goes into a sentence.
pub(super) fn shortened(id: &Id) -> String {
    let text = id.text();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
