//! Placeholders in scripts: `${name}` and `${name:argument}`.

use serde_json::Value as Json;

use super::{Heard, Part, compose};

mod schemas;

/// What placeholders are filled from.
pub(super) struct Filling<'a> {
    pub(super) part: Part<'a>,
    pub(super) heard: &'a Heard,
}

/// The value of a placeholder: JSON text, or characters to be quoted inside JSON.
enum Fill {
    Json(String),
    Text(String),
}

impl Filling<'_> {
    /// The text of a message; placeholders are whole string values. None if one has no value.
    pub(super) fn message(&self, message: Json) -> Option<String> {
        let text = message.to_string();
        if !text.contains("${") {
            return Some(text);
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find("\"${") {
            let Some(length) = closing_quote(&rest[start + 1..]) else { break };
            let quoted = &rest[start..start + length + 2];
            let inner: String = serde_json::from_str(quoted).ok()?;
            filled.push_str(&rest[..start]);
            match inner.strip_prefix("${").and_then(|inner| inner.strip_suffix('}')) {
                Some(name) => match self.value(name)? {
                    Fill::Json(json) => filled.push_str(&json),
                    Fill::Text(text) => filled.push_str(&Json::from(text).to_string()),
                },
                None => filled.push_str(quoted),
            }
            rest = &rest[start + quoted.len()..];
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// A text with placeholders anywhere in it. None if one has no value.
    pub(super) fn text(&self, text: &str) -> Option<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            filled.push_str(&rest[..start]);
            match self.value(&rest[start + 2..start + length])? {
                Fill::Json(text) | Fill::Text(text) => filled.push_str(&text),
            }
            rest = &rest[start + length + 1..];
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn prompt_with_arguments(&self) -> Option<&Json> {
        self.heard.items.get("prompts")?.iter().find(|prompt| prompt.pointer("/arguments/0/name").is_some())
    }

    fn prompt_that_requires(&self) -> Option<&Json> {
        let required = |argument: &Json| argument["required"] == true;
        let prompts = self.heard.items.get("prompts")?.iter();
        prompts.into_iter().find(|prompt| prompt["arguments"].as_array().is_some_and(|all| all.iter().any(required)))
    }

    /// A URI like the first one that was listed, behind which there is nothing.
    fn missing_resource(&self) -> String {
        let listed = self.heard.items.get("resources").and_then(|resources| resources.first()?.get("uri")?.as_str());
        let before = listed.map_or("turncoat://no", |uri| uri.trim_end_matches('/'));
        let before = before.split(['?', '#']).next().unwrap_or_default();
        format!("{before}-turncoat-no-such-resource")
    }

    fn value(&self, placeholder: &str) -> Option<Fill> {
        let (name, argument) = placeholder.split_once(':').unwrap_or((placeholder, ""));
        let count = || argument.parse::<usize>().ok();
        let first = |member: &str, key: &str| {
            let item = self.heard.items.get(member)?.first()?;
            Some(Fill::Text(item.get(key)?.as_str()?.to_owned()))
        };
        let fixture = |name: &str| self.part.fixtures.get(name);
        Some(match name {
            "revision" => Fill::Text(self.part.revision.to_string()),
            "meta" => Fill::Json(match self.part.revision.era() {
                crate::revision::Era::Legacy => r#""_meta":{}"#.to_owned(),
                crate::revision::Era::Modern => format!(r#""_meta":{}"#, compose::modern_meta(self.part)),
            }),
            "modern-meta" => Fill::Json(format!(r#""_meta":{}"#, compose::modern_meta(self.part))),
            "json" => Fill::Json(argument.to_owned()),
            "text" => Fill::Text("x".repeat(count()?)),
            "nest" => Fill::Json(format!("{}{}", "[".repeat(count()?), "]".repeat(count()?))),
            "repeat" => {
                let (count, text) = argument.split_once(':')?;
                Fill::Text(text.repeat(count.parse().ok()?))
            }
            "deep-schema" => Fill::Json(schemas::deep(count()?)),
            "doubling-schema" => Fill::Json(schemas::doubling(count()?)),
            "wide-schema" => Fill::Json(schemas::wide(count()?)),
            "cursor" => Fill::Text(self.heard.cursors.get(argument)?.clone()),
            "mangled" => Fill::Text(mangled(self.heard.cursors.get(argument)?)),
            "task" if argument.is_empty() => Fill::Text(self.heard.tasks.last()?.clone()),
            "task" => Fill::Text(self.heard.tasks.get(count()?.checked_sub(1)?)?.clone()),
            "state" => Fill::Text(self.heard.state.clone()?),
            "listed-version" => Fill::Text(self.heard.version.clone()?),
            "tool" => first("tools", "name")?,
            "tool-upper" => match first("tools", "name")? {
                Fill::Text(name) => Fill::Text(other_case(&name)?),
                json @ Fill::Json(_) => json,
            },
            "prompt" => first("prompts", "name")?,
            "prompt-with-arguments" => Fill::Text(self.prompt_with_arguments()?.get("name")?.as_str()?.to_owned()),
            "prompt-argument" => {
                Fill::Text(self.prompt_with_arguments()?.pointer("/arguments/0/name")?.as_str()?.to_owned())
            }
            // Where nobody has sockets, nobody calls.
            "canary" => {
                let (scheme, field) = argument.split_once(':').unwrap_or(("http", argument));
                Fill::Text(format!("{scheme}://{}/{field}", self.heard.canary.as_deref().unwrap_or("127.0.0.1:9")))
            }
            "asked" if !argument.is_empty() => Fill::Json(self.heard.ids.get(count()?.checked_sub(1)?)?.clone()),
            "asked" | "id" => Fill::Json(self.heard.asked.clone()?),
            "listening" => Fill::Json(self.heard.listening.get(count()?.checked_sub(1)?)?.clone()),
            "serial" => Fill::Text(self.heard.requests.to_string()),
            "resource" => first("resources", "uri")?,
            "missing-resource" => Fill::Text(self.missing_resource()),
            "prompt-that-requires" => Fill::Text(self.prompt_that_requires()?.get("name")?.as_str()?.to_owned()),
            "template" => first("resourceTemplates", "uriTemplate")?,
            "fixture-prompt" => Fill::Text(fixture("failing-prompt")?.prompt.clone()?),
            "fixture-uri" if argument.is_empty() => Fill::Text(fixture("failing-resource")?.uri.clone()?),
            "fixture-uri" => Fill::Text(fixture(argument)?.uri.clone()?),
            "fixture-tool" => Fill::Text(fixture(argument)?.tool.clone()?),
            _ => return None,
        })
    }
}

/// The text of a value in which `${json:…}` is the only placeholder that is filled.
pub(super) fn literal(value: &Json) -> String {
    let text = value.to_string();
    let mut filled = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("\"${json:") {
        let Some(length) = closing_quote(&rest[start + 1..]) else { break };
        let quoted = &rest[start..start + length + 2];
        let inner: String = serde_json::from_str(quoted).unwrap_or_default();
        filled.push_str(&rest[..start]);
        filled.push_str(inner.strip_prefix("${json:").and_then(|inner| inner.strip_suffix('}')).unwrap_or(quoted));
        rest = &rest[start + quoted.len()..];
    }
    filled.push_str(rest);
    filled
}

/// The offset of the quote that ends a string whose opening quote stands before the text.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// The same cursor with its last character changed.
fn mangled(cursor: &str) -> String {
    let mut characters: Vec<char> = cursor.chars().collect();
    match characters.last_mut() {
        Some(last) => *last = if *last == 'A' { 'B' } else { 'A' },
        None => characters.push('A'),
    }
    characters.into_iter().collect()
}

/// The same name with the case of its first ASCII letter changed.
pub(super) fn other_case(name: &str) -> Option<String> {
    let position = name.find(|character: char| character.is_ascii_alphabetic())?;
    let mut bytes = name.as_bytes().to_vec();
    bytes[position] ^= 0x20;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_names_change_a_little() {
        assert_eq!(mangled("abc"), "abA");
        assert_eq!(mangled("A"), "B");
        assert_eq!(other_case("_echo").as_deref(), Some("_Echo"));
        assert_eq!(other_case("1"), None);
    }

    #[test]
    fn json_is_put_in_as_it_stands() {
        let value = serde_json::json!({"a": "${json:[1.0,\"x\"]}", "b": "${other}"});
        assert_eq!(literal(&value), r#"{"a":[1.0,"x"],"b":"${other}"}"#);
    }
}
