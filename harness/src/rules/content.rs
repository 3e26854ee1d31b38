//! Content blocks, wherever they stand: in tool results, prompts and sampling messages.

use std::collections::HashSet;

use super::tools::offer;
use super::{Breach, Level, Rule, Transports, Verdict, probe};
use super::{asked, capability};
use crate::revision::{Revision, Revisions, Side};
use crate::session::{Message, View};
use crate::wire::Value;

mod client;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&BLOCK_TYPES, &BASE64, &client::ACCEPTS_ALL_TYPES];

static BLOCK_TYPES: Rule = Rule {
    id: "content.block-types",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#ContentBlock",
    requires: "Content blocks have a type that the revision knows, and what belongs to it.",
    judged: "text, image and resource; audio since 2025-03-26; resource_link since 2025-06-18; in sampling messages no \
             resources, but tool_use and tool_result since 2025-11-25. The members that the schema demands must be there. \
             Types of blocks in tool results belong to tools.call.result-shape.",
    untested: "nobody sent a content block",
    judge: block_types,
};

fn block_types(view: View<'_>) -> Verdict {
    let mut seen = HashSet::new();
    blocks(view)
        .into_iter()
        .filter(|(_, place, block)| seen.insert((*place, block.raw())))
        .filter_map(|(message, place, block)| {
            let flaw = flaw(view.revision(), place, block)?;
            Some(flaw.map_err(|what| Breach::at(message, what)))
        })
        .collect()
}

/// Where a block stands.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Place {
    Tool,
    Prompt,
    Sampling,
}

fn flaw(revision: Revision, place: Place, block: Value<'_>) -> Option<Result<(), String>> {
    let kind = block.member("type").and_then(Value::as_str);
    let sampling = place == Place::Sampling;
    let since = match kind.as_deref() {
        Some("text" | "image") => Some(Revision::V2024_11_05),
        Some("resource") if !sampling => Some(Revision::V2024_11_05),
        Some("audio") => Some(Revision::V2025_03_26),
        Some("resource_link") if !sampling => Some(Revision::V2025_06_18),
        Some("tool_use" | "tool_result") if sampling => Some(Revision::V2025_11_25),
        _ => None,
    };
    let Some((kind, _)) = kind.zip(since).filter(|(_, since)| revision >= *since) else {
        let what = || format!("sends the content block {}, whose type {revision} does not have here", block.brief());
        return (place != Place::Tool).then(|| Err(what()));
    };
    let text = |key: &str| block.member(key).is_some_and(Value::is_string);
    let lacks = match &*kind {
        "text" if !text("text") => Some("text"),
        "image" | "audio" if !text("data") => Some("data"),
        "image" | "audio" if !text("mimeType") => Some("mimeType"),
        "resource" => embedded_flaw(block),
        "resource_link" if !text("uri") => Some("uri"),
        "resource_link" | "tool_use" if !text("name") => Some("name"),
        "tool_use" if !text("id") => Some("id"),
        "tool_use" if !block.member("input").is_some_and(Value::is_object) => Some("input"),
        "tool_result" if !text("toolUseId") => Some("toolUseId"),
        "tool_result" if !block.member("content").is_some_and(Value::is_array) => Some("content"),
        _ => None,
    };
    Some(match lacks {
        None => Ok(()),
        Some(member) => Err(format!("sends the {kind} block {} without a proper {member}", block.brief())),
    })
}

fn embedded_flaw(block: Value<'_>) -> Option<&'static str> {
    let resource = block.member("resource");
    let text = |key: &str| resource.and_then(|resource| resource.member(key)).is_some_and(Value::is_string);
    if resource.is_none() {
        return Some("resource");
    }
    if !text("uri") {
        return Some("uri in its resource");
    }
    (!text("text") && !text("blob")).then_some("text or blob in its resource")
}

/// Every block of the subject.
fn blocks(view: View<'_>) -> Vec<(&Message<'_>, Place, Value<'_>)> {
    let tools = offer::calls(view).filter_map(|call| match call.reply {
        offer::Reply::Done(result) | offer::Reply::Failed(result) => Some((call.answer?, result)),
        offer::Reply::Refused(_) | offer::Reply::Open => None,
    });
    let tools = tools.flat_map(|(answer, result)| offer::blocks(result).map(move |block| (answer, Place::Tool, block)));
    let prompts = view
        .exchanges()
        .filter(|exchange| exchange.is("prompts/get"))
        .filter_map(|exchange| Some((exchange.answer()?, exchange.result()?.member("messages")?)))
        .flat_map(|(answer, messages)| {
            let contents = messages.items().filter_map(|message| message.member("content"));
            contents.filter(|content| content.is_object()).map(move |content| (answer, Place::Prompt, content))
        });
    let sampling = capability::questions(view)
        .into_iter()
        .filter(|question| question.is("sampling/createMessage"))
        .filter_map(|question| Some((question.message, question.param("messages")?)))
        .flat_map(|(message, messages)| {
            messages
                .items()
                .filter_map(|message| message.member("content"))
                .flat_map(|content| content.items().chain(Some(content).filter(|content| content.is_object())))
                .map(move |block| (message, Place::Sampling, block))
        });
    let sampled = asked::of(view, "sampling/createMessage")
        .filter_map(|asked| {
            let (by, result) = asked.given()?;
            Some((by, result.member("content")?))
        })
        .flat_map(|(by, content)| {
            let one = Some(content).filter(|content| content.is_object());
            content.items().chain(one).map(move |block| (by, Place::Sampling, block))
        });
    tools.chain(prompts).chain(sampling).chain(sampled).collect()
}

static BASE64: Rule = Rule {
    id: "content.base64",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "2026-07-28/server/resources#security-considerations",
    requires: "Binary data in blobs, images and sounds is base64.",
    judged: "The standard alphabet. Line breaks inside, and padding that is missing, are a warning.",
    untested: "nobody sent binary data",
    judge: base64,
};

fn base64(view: View<'_>) -> Verdict {
    let read = view
        .exchanges()
        .filter(|exchange| exchange.is("resources/read"))
        .filter_map(|exchange| {
            let result = exchange.result().filter(|result| probe::is_final(view.revision(), *result))?;
            Some((exchange.answer()?, result.member("contents")?))
        })
        .flat_map(|(answer, contents)| contents.items().filter_map(move |item| Some((answer, item.member("blob")?))));
    let sent = blocks(view).into_iter().filter_map(|(message, _, block)| {
        let kind = block.member("type")?;
        let data = if kind.is("image") || kind.is("audio") {
            block.member("data")?
        } else if kind.is("resource") {
            block.path(&["resource", "blob"])?
        } else {
            return None;
        };
        Some((message, data))
    });
    let mut seen = HashSet::new();
    let all: Vec<(&Message<'_>, Value<'_>)> = read.chain(sent).collect();
    all.into_iter()
        .filter(|(_, data)| seen.insert(data.raw()))
        .filter_map(|(message, data)| {
            let breach = |what: &str| Breach::at(message, format!("sends {} as binary data, {what}", data.brief()));
            Some(match encoding(&data.as_str()?) {
                Encoding::Standard => Ok(()),
                Encoding::Loose => Err(breach("which is base64 with line breaks or without its padding").as_warning()),
                Encoding::Other => Err(breach("which is not base64")),
            })
        })
        .collect()
}

enum Encoding {
    Standard,
    /// What most readers take and some do not.
    Loose,
    Other,
}

fn encoding(whole: &str) -> Encoding {
    let text = whole.trim_ascii_end();
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let breaks = bare.bytes().filter(|byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t')).count();
    let letters = bare.bytes().filter(|byte| known(*byte)).count();
    if letters + breaks != bare.len() || letters % 4 == 1 || padding > 2 {
        return Encoding::Other;
    }
    if breaks == 0 && whole == text && (letters + padding).is_multiple_of(4) {
        Encoding::Standard
    } else {
        Encoding::Loose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        for good in ["", "QQ==", "QUI=", "QUJD", "a+/b"] {
            assert!(matches!(encoding(good), Encoding::Standard), "{good}");
        }
        for loose in ["QQ", "QUJD\nQUJD\n", "QQ==\n", "QUI"] {
            assert!(matches!(encoding(loose), Encoding::Loose), "{loose}");
        }
        for bad in ["Q", "a-_b", "data:image/png;base64,QUJD", "QUJD====", "{}", "é"] {
            assert!(matches!(encoding(bad), Encoding::Other), "{bad}");
        }
    }
}
