//! Tools, prompts, resources and the rest: how they are asked for, and what their answers say.

use serde_json::{Value, json};

use super::fault::{ClientFault, ClientHttpFault};
use super::requests::{Answer, Pending};
use super::results::{Judged, Outcome, cut, shown, texts};
use super::{Client, Outlet, Way};
use crate::reference::message::{Message, Object, object};
use crate::revision::{Revision, code};
use crate::user::{Kind, Wish};

impl Client {
    /// Does what a wish needs next, now that there is a server for it.
    pub(super) fn attempt(&mut self, errand: u64, wish: Wish, out: &mut Outlet) {
        if self.conduct.faulty(ClientFault::ProbesAgain) && !self.is_modern() {
            self.request(0, "server/discover", Object::new(), out);
        }
        match wish {
            Wish::List { what } => self.walk(errand, what, out),
            Wish::Call { tool, arguments, .. } => {
                let has_walked = self.errand(errand).is_some_and(|errand| errand.has_walked);
                if !has_walked && !self.listings.is_fresh(Kind::Tools) {
                    return self.walk(errand, Kind::Tools, out);
                }
                self.call(errand, &tool, arguments, out);
            }
            Wish::Read { uri, .. } => {
                let params = object(json!({"uri": uri}));
                match self.cached("resources/read", &params) {
                    Some(result) => self.finish(errand, contents(&result), out),
                    None => {
                        self.request(errand, "resources/read", params, out);
                    }
                }
            }
            Wish::Get { prompt, arguments } => {
                let typed = self.faulty(ClientFault::TypedPromptArguments);
                let arguments = if typed { arguments } else { texts(&arguments) };
                let params = json!({"name": prompt, "arguments": arguments});
                self.request(errand, "prompts/get", object(params), out);
            }
            Wish::Complete { prompt, argument, value } => {
                let params = json!({
                    "ref": {"type": "ref/prompt", "name": prompt},
                    "argument": {"name": argument, "value": value},
                });
                self.request(errand, "completion/complete", object(params), out);
            }
            Wish::LogLevel { level } if self.is_modern() && !self.faulty(ClientFault::SetsLevelModern) => {
                self.level = Some(level);
                self.succeed(errand, json!({}), out);
            }
            Wish::LogLevel { level } => {
                self.request(errand, "logging/setLevel", object(json!({"level": level})), out);
            }
            Wish::Watch { .. } | Wish::Unwatch { .. } => self.watch(errand, wish, out),
            Wish::Roots { uris } => self.move_to(errand, uris, out),
            Wish::Connect | Wish::Abort | Wish::Idle { .. } | Wish::Surface | Wish::Close => {}
        }
    }

    /// The answer to the request that a wish is about.
    pub(super) fn used(&mut self, pending: &Pending, answer: Answer, out: &mut Outlet) {
        let result = match answer {
            Ok(result) => result,
            Err(trouble) => {
                if trouble.code() == Some(code::HEADER_MISMATCH) && self.refreshes(pending, out) {
                    return;
                }
                let not_found = [Some(code::INVALID_PARAMS), Some(code::RESOURCE_NOT_FOUND)].contains(&trouble.code());
                let old = trouble.code() == Some(code::RESOURCE_NOT_FOUND);
                if old && self.faulty(ClientFault::TakesOldCodeForSuccess) {
                    return self.succeed(pending.errand, json!({}), out);
                }
                let told = match pending.params.get("uri").and_then(Value::as_str) {
                    Some(uri) if not_found && pending.method == "resources/read" => format!("not found: {}", cut(uri)),
                    _ => trouble.told(),
                };
                return self.fail(pending.errand, told, out);
            }
        };
        match self.judge(pending.method, &result) {
            Err(why) => return self.fail(pending.errand, why, out),
            Ok(Judged::InputRequired) => return self.retry(pending, &result, out),
            Ok(Judged::Complete) => {}
        }
        if pending.method == "resources/read" {
            self.remember(pending, &result, out);
        }
        if self.tampers() {
            if self.faulty(ClientFault::CancelsFinished) || self.faulty(ClientFault::CancelsFinishedModern) {
                self.withdraw(pending, "done", out);
            }
            if let Some(why) = self.refuses(&result, out) {
                return self.fail(pending.errand, why, out);
            }
        }
        if pending.params.contains_key("task") && result.contains_key("task") {
            return self.follow(pending, &result, out);
        }
        let outcome = match pending.method {
            "tools/call" => return self.delivered(pending.errand, &result, out),
            "prompts/get" => gotten(&result),
            "resources/read" => contents(&result),
            "completion/complete" => completed(&result),
            _ => Outcome { failed: false, text: String::new(), shown: json!({}) },
        };
        self.finish(pending.errand, outcome, out);
    }

    fn call(&mut self, errand: u64, tool: &str, arguments: Object, out: &mut Outlet) {
        if let Some(why) = self.unavailable(tool) {
            return self.fail(errand, why, out);
        }
        let needs_task = self.listings.offer(tool).is_some_and(|offer| offer.needs_task);
        let mut params = object(json!({"name": tool, "arguments": arguments}));
        params.extend(self.augmentation(needs_task).map(|task| ("task".to_owned(), task)));
        self.request(errand, "tools/call", params, out);
    }

    /// A call was refused since its header lines do not say what they should: the tool may have changed. Gives whether
    /// there is another attempt.
    fn refreshes(&mut self, pending: &Pending, out: &mut Outlet) -> bool {
        let gives_up = self.faulty(ClientFault::Http(ClientHttpFault::GivesUpOnMismatch));
        let may = pending.method == "tools/call" && self.way == Way::Streamable && !gives_up;
        let is_hasty = self.faulty(ClientFault::Http(ClientHttpFault::CallsAgainAtOnce));
        let Some(errand) = self.errand_mut(pending.errand).filter(|errand| may && !errand.has_refreshed) else {
            return false;
        };
        (errand.has_refreshed, errand.has_walked) = (true, false);
        let wish = errand.wish.clone();
        if !is_hasty {
            self.list_changed(Kind::Tools.method());
        }
        self.attempt(pending.errand, wish, out);
        true
    }

    /// The result of a tool.
    pub(super) fn delivered(&mut self, errand: u64, result: &Object, out: &mut Outlet) {
        let offer = match self.errand(errand).map(|errand| &errand.wish) {
            Some(Wish::Call { tool, .. }) => self.listings.offer(tool),
            _ => None,
        };
        let structured = result.get("structuredContent");
        let outcome = match result.get("content").and_then(Value::as_array) {
            None if !(self.lenient() && structured.is_some()) => {
                Outcome::failure("the result of the tool has no content")
            }
            blocks => {
                let mut outcome = Outcome::of_blocks(blocks.into_iter().flatten());
                let knows = self.revision() >= Some(Revision::V2025_06_18);
                let fault = offer.filter(|_| knows).and_then(|offer| offer.objects(structured, &self.faults()));
                if result.get("isError").is_some_and(|is_error| *is_error == true) {
                    outcome = Outcome::failure(format!("the tool failed: {}", outcome.text));
                } else if let Some(why) = fault {
                    outcome = Outcome::failure(why);
                } else if let Some(structured) = structured {
                    outcome.shown["structuredContent"] = shown(structured);
                }
                outcome
            }
        };
        self.finish(errand, outcome, out);
    }

    /// The user has other folders now.
    fn move_to(&mut self, errand: u64, uris: Vec<String>, out: &mut Outlet) {
        self.roots = uris.into_iter().filter(|uri| uri.starts_with("file://")).collect();
        let declares = self.conduct.declares;
        let announces = match self.is_modern() {
            true => self.faulty(ClientFault::AnnouncesRootsModern),
            false if self.faulty(ClientFault::KeepsRootsToItself) => false,
            false => (declares.roots && declares.roots_changed) || self.faulty(ClientFault::AnnouncesUndeclaredRoots),
        };
        if announces {
            self.send(Message::notification("notifications/roots/list_changed", None), out);
        }
        self.succeed(errand, json!({"roots": self.roots}), out);
    }
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
