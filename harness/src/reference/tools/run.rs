//! Calling a tool: finding it, judging the arguments, doing what it does.

use std::time::Duration;

use serde_json::{Value, json};

use crate::reference::asking::Question;
use crate::reference::behaviour::Reading;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::logging::Level;
use crate::reference::message::{Failure, Object, object};
use crate::reference::server::{Answer, Server};
use crate::reference::slow::Ticket;
use crate::reference::subscriptions::List;
use crate::reference::tasks;
use crate::reference::tools::Tool;
use crate::reference::{Outbox, content, fixture};
use crate::revision::{Revision, code};

/// A tool result of one text.
pub(in crate::reference) fn text_result(text: impl Into<String>) -> Object {
    object(json!({"content": [{"type": "text", "text": text.into()}]}))
}

/// A tool result that says what went wrong.
pub(in crate::reference) fn error_result(text: impl Into<String>) -> Object {
    let mut result = text_result(text);
    result.insert("isError".into(), true.into());
    result
}

impl Server {
    pub(in crate::reference) fn call_tool(&mut self, call: &Call<'_>, out: &mut Outbox) -> Answer {
        let name = match call.text("name") {
            Err(failure) => return self.malformed(failure),
            Ok(name) => name,
        };
        let none = Object::new();
        let arguments = match call.params.get("arguments") {
            None => &none,
            Some(Value::Object(arguments)) => arguments,
            Some(Value::Null) if self.lenient() => &none,
            Some(_) => return self.malformed(Failure::new(code::INVALID_PARAMS, "arguments are no object")),
        };
        let Some(tool) = self.tool(call.revision, name) else {
            if self.reads(Reading::UnknownToolAsResult) {
                return Ok(Some(error_result("there is no such tool")));
            }
            if self.faulty(Fault::AcceptsUnknownTool) {
                return Ok(Some(text_result("as you like")));
            }
            let wrong = self.faulty(Fault::WrongUnknownToolCode);
            let code = if wrong { code::INTERNAL_ERROR } else { code::INVALID_PARAMS };
            return Err(Failure::new(code, "there is no such tool"));
        };
        let plain = !call.id.is_inner() && !self.faulty(Fault::RunsRequiredPlainly);
        if tool.name == fixture::TASK_ONLY && plain {
            return tasks::refusal();
        }
        if let Err(why) = self.check(tool, arguments) {
            let as_result = (call.revision >= Revision::V2025_11_25) != self.reads(Reading::OtherArgumentErrors);
            let as_result = as_result && !self.faulty(Fault::ArgumentErrorsAsProtocolErrors);
            return if as_result { Ok(Some(error_result(why))) } else { Err(Failure::new(code::INVALID_PARAMS, why)) };
        }
        if self.tampers()
            && let Some(answer) = self.misruns(tool.name, call, out)
        {
            return answer;
        }
        self.run(tool.name, call, arguments, out)
    }

    fn malformed(&self, failure: Failure) -> Answer {
        if self.faulty(Fault::MalformedCallAsResult) { Ok(Some(error_result(failure.message))) } else { Err(failure) }
    }

    fn check(&self, tool: &Tool, arguments: &Object) -> Result<(), String> {
        if self.faulty(Fault::ValidatesNothing) {
            return Ok(());
        }
        let Some(validator) = &tool.validator else {
            if self.faulty(Fault::AcceptsUnknownDialect) {
                return Ok(());
            }
            return Err("the dialect https://example.invalid/dialect of the input schema is not supported".into());
        };
        let value = Value::Object(arguments.clone());
        if self.tampers()
            && let Some(verdict) = self.mischecks(tool, &value)
        {
            return verdict;
        }
        validator.validate(&value).map_err(|error| {
            let why = format!("the arguments do not fit the input schema: {error}");
            why.chars().take(200).collect()
        })
    }

    fn run(&mut self, tool: &'static str, call: &Call<'_>, arguments: &Object, out: &mut Outbox) -> Answer {
        let done = |text: &str| Ok(Some(text_result(text)));
        match tool {
            fixture::ADD => Ok(Some(self.add(call.revision, arguments))),
            fixture::ECHO => done(arguments.get("text").and_then(Value::as_str).unwrap_or_default()),
            fixture::FAIL => Ok(Some(error_result("this tool always fails"))),
            fixture::MEDIA => Ok(Some(self.media(call.revision))),
            fixture::RECORD => match arguments.get("milliseconds").and_then(Value::as_f64) {
                Some(wait) => self.begin(Ticket::of(call, tool), call.now, Duration::from_millis(wait as u64), out),
                None => {
                    self.changed.records += 1;
                    done("recorded")
                }
            },
            fixture::MIRROR => done(&Value::Object(arguments.clone()).to_string()),
            fixture::COUNT => done(&self.changed.records.to_string()),
            fixture::LOG => {
                let level = arguments.get("level").and_then(Value::as_str).and_then(Level::from_wire);
                let message = arguments.get("message").cloned().unwrap_or_else(|| "a message".into());
                self.log((call.revision, call.log), level.unwrap_or(Level::Info), message, out);
                done("logged")
            }
            fixture::SLOW => {
                let wait = arguments.get("milliseconds").and_then(Value::as_f64).unwrap_or(200.0);
                self.begin(Ticket::of(call, tool), call.now, Duration::from_millis(wait as u64), out)
            }
            fixture::TOGGLE_TOOL => {
                self.changed.extra_tool = !self.changed.extra_tool;
                self.announce(List::Tools, out);
                done("toggled")
            }
            fixture::TOGGLE_PROMPT => {
                self.changed.extra_prompt = !self.changed.extra_prompt;
                self.announce(List::Prompts, out);
                done("toggled")
            }
            fixture::TOGGLE_RESOURCE => {
                self.changed.extra_resource = !self.changed.extra_resource;
                self.announce(List::Resources, out);
                done("toggled")
            }
            fixture::TOUCH_RESOURCE => {
                let uri = arguments.get("uri").and_then(Value::as_str).unwrap_or(fixture::TOUCHED);
                self.changed.touches += u64::from(uri == fixture::TOUCHED);
                self.updated(uri, out);
                done("touched")
            }
            fixture::TASK_ONLY => Ok(Some(tasks::errand())),
            fixture::HANG_UP if self.faulty(Fault::LeavesWithoutGoodbye) => {
                self.exit(0, out);
                Ok(None)
            }
            fixture::HANG_UP => {
                self.end_subscriptions(out);
                done("hung up")
            }
            fixture::ASK_ROOTS => self.ask(call, Question::Roots, out),
            fixture::ASK_MODEL => {
                let tools = arguments.get("tools") == Some(&Value::Bool(true));
                self.ask(call, Question::Model { tools }, out)
            }
            fixture::ASK_USER => match arguments.get("mode").and_then(Value::as_str) {
                Some("demand") if call.revision == Revision::V2025_11_25 => self.demand(call),
                Some("url" | "demand") => self.ask(call, Question::Consent, out),
                _ => self.ask(call, Question::User, out),
            },
            _ => done("accepted"),
        }
    }

    fn add(&self, revision: Revision, arguments: &Object) -> Object {
        let number = |name| arguments.get(name);
        let whole = |name| number(name).and_then(Value::as_i64);
        let real = |name| number(name).and_then(Value::as_f64).unwrap_or_default();
        let exact = whole("a").zip(whole("b")).and_then(|(a, b)| a.checked_add(b));
        let sum = real("a") + real("b");
        if exact.is_none() && !sum.is_finite() {
            return error_result("the sum is too large");
        }
        let structured = json!({"sum": exact.map_or_else(|| json!(sum), |sum| json!(sum))});
        let mut result = text_result(structured.to_string());
        if revision >= Revision::V2025_06_18 {
            result.insert("structuredContent".into(), structured);
        }
        result
    }

    fn media(&self, revision: Revision) -> Object {
        let embeds = self.offers("resources");
        object(json!({"content": content::blocks(revision, embeds, self.reads(Reading::AnnotationsInside))}))
    }
}
