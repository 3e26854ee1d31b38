//! Prompts.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::content;
use super::fault::Fault;
use super::fixture;
use super::legacy::Call;
use super::lists::in_revision;
use super::message::{Failure, Object, object};
use super::server::{Answer, Server};
use crate::revision::{Revision, code};

static ITEMS: LazyLock<[Vec<Value>; 5]> = LazyLock::new(|| Revision::ALL.map(table));

fn table(revision: Revision) -> Vec<Value> {
    let greet = json!([
        {"name": "name", "description": "Whom to greet.", "required": true},
        {"name": "style", "description": "How to greet.", "required": false},
    ]);
    let rows = [
        (fixture::BABEL, "Text in several languages.", None),
        (fixture::GREET, "Greets somebody.", Some(greet)),
        (fixture::PICTURE, "An image, and a resource if there are any.", None),
        (fixture::RAISE, "Cannot be made: its handler raises.", Some(json!([{"name": "reason"}]))),
        // The last one, so that it can be left out.
        (fixture::EXTRA, "Comes and goes.", None),
    ];
    rows.into_iter()
        .map(|(name, about, arguments)| {
            let mut item = object(json!({"name": name, "title": name, "description": about}));
            if let Some(arguments) = arguments {
                item.insert("arguments".into(), arguments);
            }
            in_revision(item, revision)
        })
        .collect()
}

/// The prompts of this moment.
pub(super) fn items(revision: Revision, extra: bool) -> Vec<&'static Value> {
    let all = &ITEMS[revision as usize];
    all.iter().take(all.len() - usize::from(!extra)).collect()
}

impl Server {
    pub(super) fn prompt(&mut self, call: &Call<'_>) -> Answer {
        let name = call.text("name")?;
        let none = Object::new();
        let arguments = match call.params.get("arguments") {
            None => &none,
            Some(Value::Object(arguments)) if arguments.values().all(Value::is_string) => arguments,
            Some(_) => return Err(Failure::new(code::INVALID_PARAMS, "arguments are no object of strings")),
        };
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let said = |text: String| json!({"role": "user", "content": {"type": "text", "text": text}});
        let messages = match name {
            fixture::BABEL => vec![said("naïve, Γειά, 你好, 🦀".into())],
            fixture::EXTRA if self.changed.extra_prompt => vec![said("Here for now.".into())],
            fixture::GREET => {
                let stranger = self.faulty(Fault::IgnoresMissingArguments).then_some("somebody");
                let whom = text("name")
                    .or(stranger)
                    .ok_or_else(|| Failure::new(code::INVALID_PARAMS, "the argument name is missing"))?;
                let style = text("style").unwrap_or("plain");
                vec![
                    said(format!("Greet {whom} in a {style} way.")),
                    json!({"role": "assistant", "content": {"type": "text", "text": "Gladly."}}),
                ]
            }
            fixture::PICTURE => {
                let mut messages = vec![json!({"role": "user", "content": content::image()})];
                if self.offers("resources") {
                    messages.push(json!({"role": "user", "content": content::embedded(false)}));
                }
                messages
            }
            fixture::RAISE => return Err(Failure::new(code::INTERNAL_ERROR, "the handler raised")),
            _ if self.faulty(Fault::AcceptsUnknownPrompt) => Vec::new(),
            _ => {
                let wrong = self.faulty(Fault::WrongUnknownPromptCode);
                let code = if wrong { code::INTERNAL_ERROR } else { code::INVALID_PARAMS };
                return Err(Failure::new(code, "there is no such prompt"));
            }
        };
        Ok(Some(object(json!({"description": "A prompt of the reference server.", "messages": messages}))))
    }
}
