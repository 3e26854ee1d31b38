//! Faults of the JSON-RPC envelope: version, ids, the shape of results and errors, codes.

use serde_json::{Value, json};

use crate::reference::fault::Fault;
use crate::reference::message::Message;
use crate::reference::server::Occasion;
use crate::revision::code::{INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR};
use crate::revision::code::{MISSING_CLIENT_CAPABILITY, UNSUPPORTED_PROTOCOL_VERSION};

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    let list = occasion.method.ends_with("/list");
    let tool = occasion.method == "tools/call";
    let failed = message.error.is_some();
    let worked = message.result.is_some();
    match fault {
        Fault::OmitsJsonrpc if tool && worked => message.jsonrpc = None,
        Fault::OldJsonrpc if failed => message.jsonrpc = Some("1.0".into()),
        Fault::NumericJsonrpc if list && worked => message.jsonrpc = Some(json!(2.0)),
        Fault::AnswersWithAnotherId if tool && worked => message.id = Some("\"nobody\"".into()),
        Fault::CutsLongIds | Fault::WrapsBigIds | Fault::NumbersFromText => {
            if let Some(id) = message.id.as_deref().and_then(|id| garbled(fault, id)) {
                message.id = Some(id.into());
            }
        }
        Fault::TextFromNumbers if (tool || list) && worked => {
            if let Some(id) = message.id.as_deref().filter(|id| !id.starts_with('"')) {
                message.id = Some(format!("\"{id}\"").into());
            }
        }
        Fault::ResultAndError if failed => message.result = Some(json!({"resultType": "complete"})),
        Fault::NeitherResultNorError if matches!(occasion.method, "tools/call" | "prompts/get") => message.error = None,
        Fault::NullResult if worked && matches!(occasion.method, "ping" | "logging/setLevel") => {
            message.result = Some(Value::Null);
        }
        Fault::TrueResult if worked && matches!(occasion.method, "logging/setLevel" | "resources/subscribe") => {
            message.result = Some(true.into());
        }
        Fault::ArrayResult if list && worked => {
            let items = message.result_mut().and_then(|result| result.values().find(|value| value.is_array()).cloned());
            message.result = items;
        }
        Fault::ErrorAsText if failed => message.error = Some("it did not work".into()),
        Fault::ErrorWithoutMessage | Fault::ErrorWithoutCode | Fault::TextErrorCode | Fault::FractionalErrorCode => {
            misshape(fault, message);
        }
        Fault::DropsIdFromErrors if failed && !occasion.method.is_empty() => message.id = None,
        Fault::NullsIdInErrors if failed && !occasion.method.is_empty() => message.id = Some("null".into()),
        Fault::NotificationsWithId if message.is_notification() => message.id = Some("\"note\"".into()),
        Fault::NotificationsWithNullId if message.is_notification() => message.id = Some("null".into()),
        Fault::ArrayParams if changes_a_list(message) => message.params = Some(json!([])),
        Fault::NullParams if changes_a_list(message) => message.params = Some(Value::Null),
        _ => recode(fault, occasion, message),
    }
}

fn changes_a_list(message: &Message) -> bool {
    message.method.is_some_and(|method| method.ends_with("/list_changed"))
}

fn garbled(fault: Fault, id: &str) -> Option<String> {
    match fault {
        Fault::WrapsBigIds => id.parse::<i128>().ok().map(|number| (number as i32).to_string()),
        Fault::NumbersFromText => {
            let text = serde_json::from_str::<String>(id).ok()?;
            text.parse::<i64>().ok().map(|number| number.to_string())
        }
        _ => {
            let text = serde_json::from_str::<String>(id).ok()?;
            let cut: String = text.chars().take(64).collect();
            Some(Value::from(cut).to_string())
        }
    }
}

fn misshape(fault: Fault, message: &mut Message) {
    let code = message.code().unwrap_or(INTERNAL_ERROR);
    let Some(error) = message.error_mut() else { return };
    match fault {
        Fault::ErrorWithoutMessage => drop(error.remove("message")),
        Fault::ErrorWithoutCode => drop(error.remove("code")),
        Fault::TextErrorCode => drop(error.insert("code".into(), code.to_string().into())),
        _ => drop(error.insert("code".into(), (code as f64 - 0.5).into())),
    }
}

/// The code that a faulty server uses in place of the right one.
fn recode(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    let Some(code) = message.code() else { return };
    let list = occasion.method.ends_with("/list");
    let named = matches!(occasion.method, "tools/call" | "prompts/get");
    let made = matches!(occasion.method, "prompts/get" | "resources/read" | "completion/complete");
    let wrong = match (fault, code) {
        (Fault::WrongUnknownMethodCode | Fault::WrongUnknownMethodCodeModern, METHOD_NOT_FOUND) => INTERNAL_ERROR,
        (Fault::WrongParseErrorCode, PARSE_ERROR) => INTERNAL_ERROR,
        (Fault::WrongInvalidRequestCode, INVALID_REQUEST) if occasion.method.is_empty() => INTERNAL_ERROR,
        (Fault::UndefinedReservedCode, INVALID_PARAMS) if named || list => -32050,
        (Fault::CapabilityCodeForTool, INVALID_PARAMS) if occasion.method == "tools/call" => MISSING_CLIENT_CAPABILITY,
        (Fault::HeaderCodeOnStdio, INVALID_PARAMS) if list => crate::revision::code::HEADER_MISMATCH,
        (Fault::RetiredNotFound, INVALID_PARAMS) if occasion.method == "resources/read" => {
            crate::revision::code::RESOURCE_NOT_FOUND
        }
        (Fault::RetiredUrlElicitation, MISSING_CLIENT_CAPABILITY) => crate::revision::code::URL_ELICITATION_REQUIRED,
        (Fault::LegacyRangeCode, INVALID_PARAMS) if named => -32000,
        (Fault::WrongCursorCode, INVALID_PARAMS) if list => INTERNAL_ERROR,
        (Fault::WrongInternalCode, INTERNAL_ERROR) if made => 0,
        (Fault::WrongVersionCode, UNSUPPORTED_PROTOCOL_VERSION) => INVALID_PARAMS,
        (Fault::UndeclaredMethodWrongCode, METHOD_NOT_FOUND)
            if matches!(occasion.method, "completion/complete" | "logging/setLevel") =>
        {
            INTERNAL_ERROR
        }
        (
            Fault::VersionErrorWithoutData | Fault::VersionErrorWithoutRequested | Fault::VersionErrorListsRefused,
            UNSUPPORTED_PROTOCOL_VERSION,
        ) => return version_data(fault, message),
        _ => return,
    };
    if let Some(error) = message.error_mut() {
        error.insert("code".into(), wrong.into());
    }
}

fn version_data(fault: Fault, message: &mut Message) {
    let Some(error) = message.error_mut() else { return };
    if fault == Fault::VersionErrorWithoutData {
        error.remove("data");
        return;
    }
    let Some(data) = error.get_mut("data").and_then(Value::as_object_mut) else { return };
    if fault == Fault::VersionErrorWithoutRequested {
        data.remove("requested");
        return;
    }
    let refused = data.get("requested").cloned().unwrap_or_default();
    if let Some(supported) = data.get_mut("supported").and_then(Value::as_array_mut) {
        supported.push(refused);
    }
}
