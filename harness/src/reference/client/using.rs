//! Tools, prompts, resources and the rest: how they are asked for, and what their answers say.

use serde_json::{Value, json};

use super::requests::{Answer, Pending};
use super::results::{Outcome, cut, shown, texts};
use super::{Client, Outlet};
use crate::reference::message::{Object, object};
use crate::revision::code;
use crate::user::{Kind, Wish};

impl Client {
    /// Does what a wish needs next, now that there is a server for it.
    pub(super) fn attempt(&mut self, errand: u64, wish: Wish, out: &mut Outlet) {
        match wish {
            Wish::List { what } => self.walk(errand, what, out),
            Wish::Call { tool, arguments, .. } => {
                if !self.listings.is_fresh(Kind::Tools) {
                    return self.walk(errand, Kind::Tools, out);
                }
                if let Some(why) = self.unavailable(&tool) {
                    return self.fail(errand, why, out);
                }
                self.request(errand, "tools/call", object(json!({"name": tool, "arguments": arguments})), out);
            }
            Wish::Read { uri, .. } => {
                let params = object(json!({"uri": uri}));
                match self.cache.find("resources/read", &params, self.now) {
                    Some(result) => self.finish(errand, contents(&result), out),
                    None => {
                        self.request(errand, "resources/read", params, out);
                    }
                }
            }
            Wish::Get { prompt, arguments } => {
                let params = json!({"name": prompt, "arguments": texts(&arguments)});
                self.request(errand, "prompts/get", object(params), out);
            }
            Wish::Complete { prompt, argument, value } => {
                let params = json!({
                    "ref": {"type": "ref/prompt", "name": prompt},
                    "argument": {"name": argument, "value": value},
                });
                self.request(errand, "completion/complete", object(params), out);
            }
            Wish::LogLevel { level } if self.is_modern() => {
                self.level = Some(level);
                self.succeed(errand, json!({}), out);
            }
            Wish::LogLevel { level } => {
                self.request(errand, "logging/setLevel", object(json!({"level": level})), out);
            }
            Wish::Watch { uri } if !self.is_modern() => {
                self.request(errand, "resources/subscribe", object(json!({"uri": uri})), out);
            }
            Wish::Unwatch { uri } if !self.is_modern() => {
                self.request(errand, "resources/unsubscribe", object(json!({"uri": uri})), out);
            }
            Wish::Watch { .. } | Wish::Unwatch { .. } | Wish::Roots { .. } => {
                self.fail(errand, "not done yet".to_owned(), out);
            }
            Wish::Connect | Wish::Abort | Wish::Idle { .. } | Wish::Surface | Wish::Close => {}
        }
    }

    /// The answer to the request that a wish is about.
    pub(super) fn used(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        let result = match answer {
            Ok(result) => result,
            Err(trouble) => {
                let not_found = [Some(code::INVALID_PARAMS), Some(code::RESOURCE_NOT_FOUND)].contains(&trouble.code());
                let told = match pending.params.get("uri").and_then(Value::as_str) {
                    Some(uri) if not_found && pending.method == "resources/read" => format!("not found: {}", cut(uri)),
                    _ => trouble.told(),
                };
                return self.fail(pending.errand, told, out);
            }
        };
        if let Err(why) = self.judge(pending.method, &result) {
            return self.fail(pending.errand, why, out);
        }
        if pending.method == "resources/read" && self.is_modern() {
            self.cache.keep(pending.method, &pending.params, &result, self.now);
        }
        let outcome = match pending.method {
            "tools/call" => called(&result),
            "prompts/get" => gotten(&result),
            "resources/read" => contents(&result),
            "completion/complete" => completed(&result),
            _ => Outcome { failed: false, text: String::new(), shown: json!({}) },
        };
        self.finish(pending.errand, outcome, out);
    }
}

fn called(result: &Object) -> Outcome {
    let Some(blocks) = result.get("content").and_then(Value::as_array) else {
        return Outcome::failure("the result of the tool has no content");
    };
    let mut outcome = Outcome::of_blocks(blocks.iter());
    if result.get("isError").is_some_and(|is_error| *is_error == true) {
        return Outcome { failed: true, text: format!("the tool failed: {}", outcome.text), shown: Value::Null };
    }
    if let Some(structured) = result.get("structuredContent") {
        outcome.shown["structuredContent"] = shown(structured);
    }
    outcome
}

fn gotten(result: &Object) -> Outcome {
    match result.get("messages").and_then(Value::as_array) {
        Some(messages) => Outcome::of_blocks(messages.iter().map(|message| &message["content"])),
        None => Outcome::failure("the prompt has no messages"),
    }
}

fn contents(result: &Object) -> Outcome {
    let Some(contents) = result.get("contents").and_then(Value::as_array) else {
        return Outcome::failure("the resource has no contents");
    };
    let texts: Vec<&str> = contents.iter().filter_map(|part| part["text"].as_str()).collect();
    let uris: Vec<_> = contents.iter().take(200).map(|part| part["uri"].as_str().map(cut)).collect();
    let text = cut(&texts.join("\n"));
    Outcome { failed: false, shown: json!({"text": text, "uris": uris}), text }
}

fn completed(result: &Object) -> Outcome {
    match result.get("completion").and_then(|completion| completion.get("values")).and_then(Value::as_array) {
        Some(values) => {
            let values: Vec<_> = values.iter().filter_map(Value::as_str).take(100).map(cut).collect();
            Outcome { failed: false, text: cut(&values.join(" ")), shown: json!({"values": values}) }
        }
        None => Outcome::failure("the completion has no values"),
    }
}
