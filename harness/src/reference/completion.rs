//! Completion of the arguments of prompts and of the variables of resource templates.

use serde_json::{Value, json};

use super::fault::Fault;
use super::fixture;
use super::legacy::Call;
use super::message::{Failure, object};
use super::server::{Answer, Server};
use crate::revision::code;

impl Server {
    pub(super) fn complete(&mut self, call: &Call<'_>) -> Answer {
        let wrong = self.faulty(Fault::WrongCompletionCode);
        let code = if wrong { code::INVALID_REQUEST } else { code::INVALID_PARAMS };
        let invalid = |why: &str| Failure::new(code, why);
        if self.faulty(Fault::ContextConfusesCompletion) && call.params.contains_key("context") {
            return Err(invalid("an unknown member"));
        }
        let member = |object: &str, member: &str| {
            call.params.get(object).and_then(|object| object.get(member)).and_then(Value::as_str)
        };
        let kind = member("ref", "type").ok_or_else(|| invalid("ref needs a type"))?;
        let name = member("argument", "name").ok_or_else(|| invalid("argument needs a name"))?;
        let value = member("argument", "value").ok_or_else(|| invalid("argument needs a value"))?;
        let target = match kind {
            "ref/prompt" => member("ref", "name"),
            "ref/resource" => member("ref", "uri"),
            _ => None,
        };
        let choices: &[&str] = match (kind, target, name) {
            ("ref/prompt", Some(fixture::GREET), "name") => &["Ada", "Alan", "Barbara", "Grace"],
            ("ref/prompt", Some(fixture::GREET), "style") => &["formal", "friendly", "plain"],
            ("ref/prompt", Some(fixture::RAISE), "reason") => {
                return Err(Failure::new(code::INTERNAL_ERROR, "the handler raised"));
            }
            ("ref/resource", Some(fixture::NOTES), "number") => &["1", "2", "3", "4", "5", "6", "7", "8", "9"],
            ("ref/resource", Some("memo:///archive/{year}"), "year") => &["2024", "2025", "2026"],
            ("ref/resource", Some("memo:///greeting/{name}"), "name") => &["Ada", "Grace"],
            ("ref/resource", Some("memo:///table/{row}/{column}"), "row" | "column") => &["a", "b", "c"],
            _ if self.faulty(Fault::CompletesAnything) => &[],
            _ => return Err(invalid("there is nothing of that name to complete")),
        };
        let values: Vec<_> = choices.iter().filter(|choice| choice.starts_with(value)).collect();
        Ok(Some(object(json!({"completion": {"total": values.len(), "hasMore": false, "values": values}}))))
    }
}
