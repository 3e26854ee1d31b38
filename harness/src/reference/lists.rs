//! The four lists and their pages, and the way from a method to its handler.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Outbox;
use super::behaviour::Reading;
use super::fault::Fault;
use super::legacy::Call;
use super::message::{Failure, Object};
use super::server::{Answer, Server};
use super::{prompts, resources};
use crate::revision::{LISTS, Revision, code};

/// More items than any list has.
const END: usize = 64;

impl Server {
    /// Serves the methods that both eras have.
    pub(super) fn serve(&mut self, call: &Call<'_>, out: &mut Outbox) -> Answer {
        match call.method {
            "tools/list" if self.offers("tools") => self.page(call, "tools", self.tool_items(call.revision)),
            "tools/call" if self.offers("tools") => self.call_tool(call, out),
            "resources/list" if self.offers("resources") => {
                self.page(call, "resources", resources::items(call.revision, self.changed.extra_resource))
            }
            "resources/templates/list" if self.offers("resources") && !self.reads(Reading::NoTemplates) => {
                self.page(call, "resourceTemplates", resources::templates(call.revision).iter().collect())
            }
            "resources/read" if self.offers("resources") => self.read_resource(call),
            "prompts/list" if self.offers("prompts") => {
                self.page(call, "prompts", prompts::items(call.revision, self.changed.extra_prompt))
            }
            "prompts/get" if self.offers("prompts") => self.prompt(call),
            "completion/complete" if self.offers("completions") && !self.faulty(Fault::DeclaresCompletionsInVain) => {
                self.complete(call)
            }
            "completion/complete" if self.faulty(Fault::UndeclaredCompletionCode) => {
                Err(Failure::new(code::INVALID_REQUEST, "there are no completions"))
            }
            method => match LISTS.iter().find(|(list, _, _)| *list == method) {
                Some((_, member, _)) if self.reads(Reading::EmptyLists) => {
                    Ok(Some(Object::from_iter([((*member).to_owned(), json!([]))])))
                }
                _ => Err(Failure::new(code::METHOD_NOT_FOUND, "there is no such method")),
            },
        }
    }

    /// The page that the cursor names, or the first.
    pub(super) fn page(&mut self, call: &Call<'_>, member: &str, mut items: Vec<&Value>) -> Answer {
        let start = match call.params.get("cursor") {
            None => 0,
            Some(Value::Null) if self.lenient() => 0,
            Some(cursor) => self.start(call, cursor)?,
        };
        if self.tampers() {
            self.disorder(call, start, &mut items);
        }
        let one_page = member == "resourceTemplates" && self.reads(Reading::TemplatesOnOnePage);
        let size = if one_page { items.len() } else { self.behaviour.features.page.max(1) };
        let end = items.len().min(start + size);
        let page: Vec<Value> = items.get(start..end).unwrap_or_default().iter().map(|item| (*item).clone()).collect();
        let mut result = Object::from_iter([(member.to_owned(), Value::Array(page))]);
        if end < items.len() {
            let cursor = self.cursor(call.method, end).into_owned();
            if self.faulty(Fault::OneTimeCursors) {
                self.grudge.cursors.push(cursor.clone());
            }
            result.insert("nextCursor".into(), cursor.into());
        }
        Ok(Some(result))
    }

    /// The offset behind a cursor. Only what this server would itself have written for this list is one.
    fn start(&mut self, call: &Call<'_>, cursor: &Value) -> Result<usize, Failure> {
        let refusal = || Failure::new(code::INVALID_PARAMS, "the cursor is not one of this list");
        if self.faulty(Fault::RefusesOwnCursors) {
            return Err(refusal());
        }
        let given = cursor.as_str();
        let page = self.behaviour.features.page.max(1);
        let found = (page..END).step_by(page).find(|offset| Some(&*self.cursor(call.method, *offset)) == given);
        if let Some(given) = given.filter(|_| self.tampers()) {
            self.check_issued(given)?;
        }
        match found {
            Some(_) if self.faulty(Fault::EndlessCursor) => Ok(page),
            Some(offset) => Ok(offset),
            None if self.faulty(Fault::IgnoresBadCursor) => Ok(0),
            None if self.faulty(Fault::CrashesOnOddCursor) && given.is_none() => {
                Err(Failure::new(code::INTERNAL_ERROR, "type error"))
            }
            None => Err(refusal()),
        }
    }

    fn check_issued(&mut self, given: &str) -> Result<(), Failure> {
        let refusal = || Failure::new(code::INVALID_PARAMS, "the cursor was not issued here, or has been used");
        let issued = self.grudge.cursors.iter().position(|known| known == given);
        match issued {
            None if self.faulty(Fault::OneTimeCursors) => Err(refusal()),
            Some(position) if self.faulty(Fault::OneTimeCursors) => {
                self.grudge.cursors.remove(position);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn cursor(&self, method: &str, offset: usize) -> Cow<'static, str> {
        if self.reads(Reading::EmptyCursor) && offset == self.behaviour.features.page.max(1) {
            return "".into();
        }
        URL_SAFE_NO_PAD.encode(format!("{method} from {offset} on")).into()
    }
}

/// The item in the words of a revision: members that it does not know are left out.
pub(super) fn in_revision(mut item: Object, revision: Revision) -> Value {
    if revision < Revision::V2025_03_26 {
        item.remove("annotations");
    }
    if revision < Revision::V2025_06_18 {
        for member in ["title", "outputSchema", "_meta"] {
            item.remove(member);
        }
    }
    if revision < Revision::V2025_11_25 {
        item.remove("icons");
    }
    Value::Object(item)
}
