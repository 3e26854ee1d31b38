//! Faults of input that results ask for, and of what becomes of it.

use serde_json::{Value, json};

use crate::reference::asking::Question;
use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Failure, Message, Object};
use crate::reference::server::{Answer, Occasion, Server};
use crate::reference::tools::text_result;
use crate::revision::{Revision, code};

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    if occasion.revision != Revision::V2026_07_28 {
        return;
    }
    if message.code() == Some(code::MISSING_CLIENT_CAPABILITY)
        && let Some(error) = message.error_mut()
    {
        match fault {
            Fault::WrongMissingCapabilityCode => drop(error.insert("code".into(), code::INTERNAL_ERROR.into())),
            Fault::HidesMissingCapability => drop(error.remove("data")),
            _ => {}
        }
    }
    let Some(result) = message.result_mut() else { return };
    if fault == Fault::AsksForCompletions && occasion.method == "completion/complete" {
        result.insert("resultType".into(), "input_required".into());
        result.insert("requestState".into(), "later".into());
    }
    if result.get("resultType").is_some_and(|kind| kind == "input_required") {
        demand(fault, result);
    }
}

fn demand(fault: Fault, result: &mut Object) {
    match fault {
        Fault::AsksForNothing => {
            result.remove("inputRequests");
            result.remove("requestState");
        }
        Fault::NumericState => drop(result.insert("requestState".into(), json!(1))),
        Fault::AsksForTools | Fault::AsksWithoutParams => {
            let inputs = result.get_mut("inputRequests").and_then(Value::as_object_mut);
            for input in inputs.into_iter().flat_map(Object::values_mut).filter_map(Value::as_object_mut) {
                if fault == Fault::AsksForTools {
                    input.insert("method".into(), "tools/list".into());
                }
                input.remove("params");
            }
        }
        _ => {}
    }
}

impl Server {
    /// A wrong reaction to input, given or missing.
    pub(in crate::reference) fn misreads_input(
        &self,
        call: &Call<'_>,
        question: Question,
        key: &str,
    ) -> Option<Answer> {
        let invalid = |why: &str| Some(Err(Failure::new(code::INVALID_PARAMS, why)));
        let responses = call.params.get("inputResponses")?;
        let Some(members) = responses.as_object() else {
            return self.faulty(Fault::AcceptsMalformedInput).then(|| Ok(Some(text_result("so be it"))));
        };
        if !members.contains_key(key) && self.faulty(Fault::FailsOverMissingInput) {
            return invalid("there is no answer in the input");
        }
        if members.len() > 1 && self.faulty(Fault::RefusesExtraInput) {
            return invalid("there is too much in the input");
        }
        let given = members.get(key)?;
        if self.faulty(Fault::AcceptsMalformedInput) && question.conclude(given).is_none() {
            return Some(Ok(Some(text_result("so be it"))));
        }
        let declined = given.get("action").is_some_and(|action| action == "decline");
        (declined && self.faulty(Fault::ForgetsDeclinedCalls)).then_some(Ok(None))
    }
}
