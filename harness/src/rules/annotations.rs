//! Annotations of content, resources and tools, and icons.

use std::collections::HashSet;

use super::{Breach, Level, Rule, Transports, Verdict};
use crate::revision::{Revision, Revisions, Side, meta};
use crate::session::{Message, View};
use crate::wire::Value;

/// The rules of this area.
pub static RULES: &[&Rule] = &[&SHAPE];

static SHAPE: Rule = Rule {
    id: "annotations.shape",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: "schema/2026-07-28/schema.ts#Annotations",
    requires: "Annotations and icons have the members and types of the schema.",
    judged: "Annotations of resources, templates and content blocks: audience is an array of user and assistant, priority a \
             number from 0 to 1, lastModified (since 2025-06-18) a string; one that is not in the form of ISO 8601 is a \
             warning. Annotations of tools (since 2025-03-26): a title and four hints. Icons (since 2025-11-25): src is \
             required. All else is optional, unknown members are fine, and annotations inside an embedded resource, where \
             examples have them and the schema does not, are left alone.",
    untested: "nothing with annotations or icons was sent",
    judge: shape,
};

/// What an object with members of fixed types is.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Content,
    Tool,
    Icon,
}

fn shape(view: View<'_>) -> Verdict {
    let revision = view.revision();
    let mut seen = HashSet::new();
    carriers(view)
        .flat_map(|(message, carrier, kind)| {
            let own = kind.zip(carrier.member("annotations"));
            let icons = carrier.member("icons").filter(|_| revision >= Revision::V2025_11_25);
            own.into_iter()
                .chain(icons.map(|icons| (Kind::Icon, icons)))
                .map(move |(kind, value)| (message, kind, value))
        })
        .filter(|(_, kind, value)| seen.insert((*kind, value.raw())))
        .map(|(message, kind, value)| {
            let flaw = match kind {
                Kind::Content => of_content(revision, value),
                Kind::Tool => of_tool(value),
                Kind::Icon => of_icons(value),
            };
            match flaw {
                None => Ok(()),
                Some(Flaw::Wrong(what)) => Err(Breach::at(message, what)),
                Some(Flaw::Unusual(what)) => Err(Breach::at(message, what).as_warning()),
            }
        })
        .collect()
}

/// Everything that may carry annotations or icons, with the kind of its annotations if it has any in this revision.
fn carriers<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>, Option<Kind>)> {
    let hints = (view.revision() >= Revision::V2025_03_26).then_some(Kind::Tool);
    let tools = view.listed("tools/list").map(move |(message, tool)| (message, tool, hints));
    let resources = view.listed("resources/list").chain(view.listed("resources/templates/list"));
    let resources = resources.map(|(message, resource)| (message, resource, Some(Kind::Content)));
    let prompts = view.listed("prompts/list").map(|(message, prompt)| (message, prompt, None));
    let results = view.exchanges().filter_map(|exchange| Some((exchange, exchange.answer()?, exchange.result()?)));
    let answers = results.flat_map(|(exchange, answer, result)| {
        let called = result.member("content").filter(|_| exchange.is("tools/call"));
        let prompted = result.member("messages").filter(|_| exchange.is("prompts/get"));
        let prompted = prompted.into_iter().flat_map(Value::items).filter_map(|message| message.member("content"));
        let blocks = called.into_iter().flat_map(Value::items).chain(prompted);
        let identity = result.path(&["_meta", meta::SERVER_INFO]);
        let identity = identity.or_else(|| result.member("serverInfo").filter(|_| exchange.is("initialize")));
        let blocks = blocks.map(|block| (block, Some(Kind::Content)));
        let all = blocks.chain(identity.map(|identity| (identity, None)));
        all.map(move |(carrier, kind)| (answer, carrier, kind))
    });
    tools.chain(resources).chain(prompts).chain(answers)
}

enum Flaw {
    Wrong(String),
    Unusual(String),
}

fn of_content(revision: Revision, annotations: Value<'_>) -> Option<Flaw> {
    if !annotations.is_object() {
        return Some(Flaw::Wrong(format!("sends {} as annotations", annotations.brief())));
    }
    if let Some(audience) = annotations.member("audience") {
        let role = |role: Value<'_>| role.is("user") || role.is("assistant");
        if !audience.is_array() || !audience.items().all(role) {
            return Some(Flaw::Wrong(format!("sends annotations with the audience {}", audience.brief())));
        }
    }
    if let Some(priority) = annotations.member("priority")
        && priority.as_f64().is_none_or(|number| !(0.0..=1.0).contains(&number))
    {
        return Some(Flaw::Wrong(format!("sends annotations with the priority {}", priority.brief())));
    }
    let modified = annotations.member("lastModified").filter(|_| revision >= Revision::V2025_06_18)?;
    match modified.as_str() {
        None => Some(Flaw::Wrong(format!("sends annotations with {} as lastModified", modified.brief()))),
        Some(text) if !is_iso_8601(&text) => {
            Some(Flaw::Unusual(format!("sends annotations with {} as lastModified", modified.brief())))
        }
        Some(_) => None,
    }
}

fn of_tool(annotations: Value<'_>) -> Option<Flaw> {
    if !annotations.is_object() {
        return Some(Flaw::Wrong(format!("sends {} as annotations of a tool", annotations.brief())));
    }
    if let Some(title) = annotations.member("title").filter(|title| !title.is_string()) {
        return Some(Flaw::Wrong(format!("sends annotations of a tool with the title {}", title.brief())));
    }
    ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"].into_iter().find_map(|name| {
        let hint = annotations.member(name).filter(|hint| !hint.is_bool())?;
        Some(Flaw::Wrong(format!("sends annotations of a tool with {} as {name}", hint.brief())))
    })
}

fn of_icons(icons: Value<'_>) -> Option<Flaw> {
    if !icons.is_array() {
        return Some(Flaw::Wrong(format!("sends {} as icons", icons.brief())));
    }
    icons.items().find_map(|icon| {
        if !icon.member("src").is_some_and(Value::is_string) {
            return Some(Flaw::Wrong(format!("sends the icon {}, which has no src", icon.brief())));
        }
        let mime = icon.member("mimeType").is_none_or(Value::is_string);
        let sizes = icon.member("sizes").is_none_or(|sizes| sizes.is_array() && sizes.items().all(Value::is_string));
        let theme = icon.member("theme").is_none_or(|theme| theme.is("light") || theme.is("dark"));
        let wrong = [("mimeType", mime), ("sizes", sizes), ("theme", theme)].into_iter().find(|(_, right)| !right);
        let (name, _) = wrong?;
        let value = icon.member(name).map(Value::brief).unwrap_or_default();
        Some(Flaw::Wrong(format!("sends an icon with {value} as {name}")))
    })
}

/// Whether a text looks like a date, or a date and time, of ISO 8601.
fn is_iso_8601(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let only = |text: &str, more: &[u8]| text.bytes().all(|byte| byte.is_ascii_digit() || more.contains(&byte));
    let date =
        only(date, b"-W") && (4..=8).contains(&digits(date)) && date.starts_with(|first: char| first.is_ascii_digit());
    date && time.is_none_or(|time| only(time, b":.,Zz+-") && digits(time) >= 2)
}
