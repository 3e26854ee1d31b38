//! The form of `_meta` and of its keys.

use std::collections::HashSet;

use crate::revision::{Revision, Revisions, meta};
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::{Message, Shape, Speaker, View};
use crate::wire::Value;

const CLAUSE: &str = "2026-07-28/basic/index#_meta";
const SINCE_06: Revisions = Revisions::since(Revision::V2025_06_18);
const SINCE_11: Revisions = Revisions::since(Revision::V2025_11_25);
const UNTESTED: &str = "the subject wrote no _meta, or none with a key of its own";

pub(super) static IS_OBJECT: Rule = Rule {
    id: "meta.is-object",
    level: Level::Must,
    side: None,
    revisions: Revisions::ALL,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Wherever `_meta` stands it is a JSON object.",
    judged: "The _meta of params and results counts, and from 2025-06-18 on that of listed items, resource contents and \
             content blocks. Members of that name inside schemas, arguments and structured content are data.",
    untested: "the subject wrote no _meta",
    judge: is_object,
};

fn is_object(view: View<'_>) -> Verdict {
    written(view)
        .map(|(message, found)| match found.is_object() {
            true => Ok(()),
            false => Err(Breach::at(message, format!("writes a _meta that is no object: {}", short(found.raw())))),
        })
        .collect()
}

pub(super) static KEY_NAME_FORMAT: Rule = Rule {
    id: "meta.key-name-format",
    level: Level::Must,
    side: None,
    revisions: SINCE_06,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A key of `_meta` is an optional prefix of dotted labels with a slash, and a name.",
    judged: "Only keys at the top level of a _meta count, and none that the other side wrote first.",
    untested: UNTESTED,
    judge: key_name_format,
};

fn key_name_format(view: View<'_>) -> Verdict {
    own_keys(view)
        .into_iter()
        .map(|(message, key)| match is_well_formed(&key) {
            true => Ok(()),
            false => Err(Breach::at(message, format!("writes the malformed _meta key {:?}", short(&key)))),
        })
        .collect()
}

pub(super) static REVERSE_DNS_PREFIX: Rule = Rule {
    id: "meta.reverse-dns-prefix",
    level: Level::Should,
    side: None,
    revisions: SINCE_11,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "A vendor writes its prefix in reverse DNS order.",
    judged: "Only a prefix that ends in a well-known top-level domain and does not begin with one looks like forward \
             DNS; it is a warning, since no one can know whose name it is.",
    untested: "the subject wrote no _meta key with a dotted prefix",
    judge: reverse_dns_prefix,
};

fn reverse_dns_prefix(view: View<'_>) -> Verdict {
    own_keys(view)
        .into_iter()
        .filter_map(|(message, key)| {
            let (prefix, _) = key.split_once('/')?;
            let (first, last) = (prefix.split_once('.')?.0, prefix.rsplit_once('.')?.1);
            let is_domain = |label: &str| DOMAINS.iter().any(|domain| label.eq_ignore_ascii_case(domain));
            Some(match is_domain(last) && !is_domain(first) {
                true => {
                    Err(Breach::at(message, format!("writes the prefix {prefix}/ in forward DNS order")).as_warning())
                }
                false => Ok(()),
            })
        })
        .collect()
}

static DOMAINS: &[&str] = &["com", "org", "net", "io", "dev", "app", "ai", "co", "edu", "gov", "cloud"];

pub(super) static RESERVED_PREFIX_NOT_INVENTED: Rule = Rule {
    id: "meta.reserved-prefix-not-invented",
    level: Level::Should,
    side: None,
    revisions: SINCE_06,
    transports: Transports::BOTH,
    clause: CLAUSE,
    requires: "Nobody invents keys under the prefixes that are reserved for MCP.",
    judged: "A reserved key that neither a revision nor an official extension defines is a warning. In 2025-06-18 a \
             prefix is reserved if a label follows mcp or modelcontextprotocol, later if its second label is one of them.",
    untested: UNTESTED,
    judge: reserved_prefix_not_invented,
};

fn reserved_prefix_not_invented(view: View<'_>) -> Verdict {
    own_keys(view)
        .into_iter()
        .map(|(message, key)| {
            let invented = is_reserved(view.revision(), &key) && !is_defined(&key) && !is_of_an_extension(&key);
            match invented {
                true => {
                    Err(Breach::at(message, format!("invents the reserved _meta key {:?}", short(&key))).as_warning())
                }
                false => Ok(()),
            }
        })
        .collect()
}

/// Every `_meta` that the subject wrote where the specification knows one, with the message that it stands in.
pub(super) fn written<'s>(view: View<'s>) -> impl Iterator<Item = (&'s Message<'s>, Value<'s>)> {
    view.messages_by(Speaker::Subject).flat_map(move |message| {
        let mut carriers: Vec<Value<'s>> = message.params().into_iter().chain(message.result()).collect();
        if SINCE_06.has(view.revision()) {
            inner_carriers(view, message, &mut carriers);
        }
        carriers.into_iter().filter_map(|carrier| carrier.member("_meta")).map(move |found| (message, found))
    })
}

/// Adds the values inside a message that may have a `_meta` of their own.
fn inner_carriers<'s>(view: View<'s>, message: &Message<'s>, carriers: &mut Vec<Value<'s>>) {
    let exchange = (message.shape == Shape::Response).then(|| view.exchange_of(message)).flatten();
    let exchange = exchange.filter(|exchange| !exchange.request().shares_id);
    let Some(body) = message.params().or_else(|| message.result()) else { return };
    let items = |key: &str| body.member(key).into_iter().flat_map(Value::items);
    let mut blocks: Vec<Value<'s>> = Vec::new();
    match exchange.map_or_else(|| message.method().unwrap_or_default(), |exchange| exchange.method()) {
        "tools/list" => carriers.extend(items("tools")),
        "prompts/list" => carriers.extend(items("prompts")),
        "resources/list" => carriers.extend(items("resources")),
        "resources/templates/list" => carriers.extend(items("resourceTemplates")),
        "resources/read" => carriers.extend(items("contents")),
        "roots/list" => carriers.extend(items("roots")),
        "tools/call" => blocks.extend(items("content")),
        "prompts/get" | "sampling/createMessage" if body.member("messages").is_some() => {
            blocks.extend(items("messages").filter_map(|one| one.member("content")).flat_map(one_or_many));
        }
        "sampling/createMessage" => blocks.extend(body.member("content").into_iter().flat_map(one_or_many)),
        _ => {}
    }
    for block in blocks {
        carriers.extend(block.member("resource"));
        carriers.push(block);
    }
    let asked = body.member("inputRequests").filter(|_| message.result().is_some());
    carriers.extend(asked.into_iter().flat_map(Value::members).filter_map(|(_, input)| input.member("params")));
}

fn one_or_many(content: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    content.items().chain(content.is_object().then_some(content))
}

/// The top-level keys of every `_meta` of the subject, each key once, without those that a revision defines or that the
/// peer wrote itself.
fn own_keys(view: View<'_>) -> Vec<(&Message<'_>, String)> {
    let theirs = view.every_message().filter(|message| message.by == Speaker::Peer).filter_map(Message::meta);
    let mut seen: HashSet<String> = theirs.flat_map(Value::members).map(|(key, _)| key.into_owned()).collect();
    written(view)
        .flat_map(|(message, found)| found.members().map(move |(key, _)| (message, key.into_owned())))
        .filter(|(_, key)| !is_defined(key) && seen.insert(key.clone()))
        .collect()
}

/// Whether a key fits the grammar of 2025-06-18 and later.
pub(in crate::rules) fn is_well_formed(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    prefix.is_none_or(|prefix| prefix.split('.').all(is_label)) && is_name(name)
}

/// Whether a key fits the grammar and has the prefix that extension identifiers must have.
pub(in crate::rules) fn is_well_formed_with_prefix(key: &str) -> bool {
    key.contains('/') && is_well_formed(key)
}

fn is_label(label: &str) -> bool {
    label.starts_with(|first: char| first.is_ascii_alphabetic())
        && label.ends_with(|last: char| last.is_ascii_alphanumeric())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_name(name: &str) -> bool {
    let edge = |end: char| end.is_ascii_alphanumeric();
    name.is_empty()
        || (name.starts_with(edge)
            && name.ends_with(edge)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')))
}

fn is_reserved(revision: Revision, key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return false };
    let labels: Vec<&str> = prefix.split('.').collect();
    let is_ours = |label: &&str| matches!(*label, "mcp" | "modelcontextprotocol");
    if revision == Revision::V2025_06_18 {
        labels.split_last().is_some_and(|(_, before)| before.iter().any(is_ours))
    } else {
        labels.get(1).is_some_and(is_ours)
    }
}

/// Whether some revision gives the key a meaning.
pub(in crate::rules) fn is_defined(key: &str) -> bool {
    DEFINED.contains(&key)
}

/// Whether an official extension has the key, or one inside its own name.
fn is_of_an_extension(key: &str) -> bool {
    let Some(name) = key.strip_prefix("io.modelcontextprotocol/") else { return false };
    EXTENSIONS
        .iter()
        .any(|extension| name.strip_prefix(extension).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

static DEFINED: &[&str] = &[
    "progressToken",
    "traceparent",
    "tracestate",
    "baggage",
    meta::PROTOCOL_VERSION,
    meta::CLIENT_CAPABILITIES,
    meta::CLIENT_INFO,
    meta::LOG_LEVEL,
    meta::SERVER_INFO,
    meta::SUBSCRIPTION_ID,
    meta::RELATED_TASK,
    "io.modelcontextprotocol/model-immediate-response",
];

static EXTENSIONS: &[&str] = &["tasks", "ui", "oauth-client-credentials", "enterprise-managed-authorization"];

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_keys() {
        for good in ["", "a", "a.b_c-d", "com.example/x", "com.example/", "x1-y/9", "progressToken"] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in ["-a", "a-", "1com/x", "com-/x", "com..example/x", "/x", "a/b/c", "a b", "ü"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn the_reserved_prefixes() {
        for key in ["modelcontextprotocol.io/a", "mcp.dev/a", "tools.mcp.com/a"] {
            assert!(is_reserved(Revision::V2025_06_18, key), "{key}");
        }
        assert!(!is_reserved(Revision::V2025_06_18, "io.modelcontextprotocol/a"));
        for key in ["io.modelcontextprotocol/a", "dev.mcp/a", "com.mcp.tools/a"] {
            assert!(is_reserved(Revision::V2025_11_25, key), "{key}");
        }
        assert!(!is_reserved(Revision::V2025_11_25, "com.example.mcp/a"));
    }
}
