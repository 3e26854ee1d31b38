//! Messages that leave otherwise than an honest client would send them.

use serde_json::{Value, json};

use crate::reference::client::fault::ClientFault;
use crate::reference::client::{Client, Conduct, array};
use crate::reference::message::{Message, Object};
use crate::revision::meta;

impl Client {
    /// The messages that leave in place of an honest one.
    pub(in crate::reference::client) fn tampered(&mut self, message: Message) -> Vec<Message> {
        let mut messages = vec![message];
        for fault in self.faults() {
            messages = messages.into_iter().flat_map(|message| self.tamper(fault, message)).collect();
        }
        messages
    }

    fn tamper(&mut self, fault: ClientFault, mut message: Message) -> Vec<Message> {
        let method = message.method.unwrap_or("");
        let reason = message.params.as_ref().and_then(|params| params["reason"].as_str()).unwrap_or("");
        match fault {
            ClientFault::AnswersTwice if message.method.is_none() => return vec![message.clone(), message],
            ClientFault::NeverInitialized if method == "notifications/initialized" => return Vec::new(),
            ClientFault::AbortsSilently if reason == "no longer wanted" => return Vec::new(),
            ClientFault::TimesOutSilently | ClientFault::TimesOutSilentlyModern if reason == "no answer in time" => {
                return Vec::new();
            }
            ClientFault::SharesState if message.is_request() => {
                let state = self.grudge.state.clone();
                if let (Some(state), Some(params)) = (state, message.params_mut()) {
                    params.entry("requestState").or_insert(state);
                }
            }
            _ => {}
        }
        if message.method.is_none() {
            answer(fault, &mut message);
        } else {
            request(fault, &mut message);
            metadata(fault, &mut message);
            params(fault, &mut message);
        }
        vec![message]
    }

    /// The bytes of a message, if they are not the honest ones.
    pub(in crate::reference::client) fn miswritten(&mut self, message: &Message) -> Option<Vec<u8>> {
        let method = message.method.unwrap_or("");
        let mut text = Vec::new();
        message.write(&mut text);
        for fault in self.faults() {
            match fault {
                ClientFault::Chatters if !std::mem::replace(&mut self.grudge.greeted, true) => {
                    return Some([b"Good morning!\n".as_slice(), &text, b"\n"].concat());
                }
                ClientFault::PrettyPrints if method == "tools/call" => {
                    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
                    return Some(format!("{value:#}\n").into_bytes());
                }
                ClientFault::Latin1 if method == "tools/call" => {
                    let mut bytes = Vec::new();
                    for one in String::from_utf8_lossy(&text).chars() {
                        match u8::try_from(one) {
                            Ok(byte) => bytes.push(byte),
                            Err(_) => bytes.extend(one.to_string().bytes()),
                        }
                    }
                    bytes.push(b'\n');
                    return Some(bytes);
                }
                ClientFault::BatchesInitialize if method == "initialize" => {
                    return Some(array(std::slice::from_ref(message)));
                }
                ClientFault::SendsBatches if method.ends_with("/list") => {
                    return Some(array(std::slice::from_ref(message)));
                }
                _ => {}
            }
        }
        None
    }

    /// The id of a request that has a wrong one.
    pub(in crate::reference::client) fn mischosen_id(&mut self) -> Option<Value> {
        if self.faulty(ClientFault::ReusesRequestIds) && self.revision().is_some() {
            return Some(json!(7));
        }
        if self.faulty(ClientFault::ReusesOpenIds) && self.is_modern() {
            let open = self.pending.iter().map(|pending| &pending.token);
            return open.chain(self.subscriptions.iter().map(|subscription| &subscription.token)).next().cloned();
        }
        self.grudge.same_id.take()
    }
}

fn answer(fault: ClientFault, message: &mut Message) {
    let is_error = message.error.is_some();
    match fault {
        ClientFault::OldJsonrpc => message.jsonrpc = Some(json!("1.0")),
        ClientFault::AnswersAnotherId => message.id = Some("\"nobody\"".into()),
        ClientFault::AnswersTextIds => {
            let id = message.id.as_deref().unwrap_or("null");
            let text = id.trim_matches('"');
            let other = if text == id { format!("\"{id}\"") } else { text.to_owned() };
            if text.parse::<i64>().is_ok() {
                message.id = Some(other.into());
            }
        }
        ClientFault::ResultAndError if is_error => message.result = Some(json!({})),
        ClientFault::NeitherResultNorError => message.error = None,
        ClientFault::NullResult if message.result == Some(json!({})) => message.result = Some(Value::Null),
        ClientFault::ArrayResult => {
            if let Some(roots) = message.result.as_ref().and_then(|result| result.get("roots")).cloned() {
                message.result = Some(roots);
            }
        }
        ClientFault::DropsIdFromErrors if is_error => message.id = None,
        ClientFault::NullsIdInErrors if is_error => message.id = Some("null".into()),
        _ => {
            let Some(error) = message.error_mut() else { return };
            let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
            match fault {
                ClientFault::ErrorWithoutMessage => drop(error.remove("message")),
                ClientFault::ErrorWithoutCode => drop(error.remove("code")),
                ClientFault::TextErrorCode => drop(error.insert("code".into(), code.to_string().into())),
                ClientFault::FractionalErrorCode => drop(error.insert("code".into(), json!(code as f64 + 0.5))),
                _ => {}
            }
        }
    }
}

fn request(fault: ClientFault, message: &mut Message) {
    let method = message.method.unwrap_or("");
    let lists = method.ends_with("/list");
    let prompts = method == "prompts/list";
    match fault {
        ClientFault::OmitsJsonrpc if lists => message.jsonrpc = None,
        ClientFault::FractionalRequestId if prompts => {
            message.id = message.id.as_ref().map(|id| format!("{id}.5").into());
        }
        ClientFault::BooleanRequestId if prompts => message.id = Some("true".into()),
        ClientFault::NullRequestId if prompts => message.id = Some("null".into()),
        ClientFault::NotificationsWithId if message.is_notification() => message.id = Some("\"news\"".into()),
        ClientFault::ArrayParams if lists => message.params = Some(json!([message.params])),
        ClientFault::NullParams if method == "notifications/initialized" => message.params = Some(Value::Null),
        ClientFault::CancelsWithoutId if method == "notifications/cancelled" => {
            if let Some(params) = message.params_mut() {
                params.remove("requestId");
            }
        }
        _ => {}
    }
}

fn metadata(fault: ClientFault, message: &mut Message) {
    if !message.is_request() {
        return;
    }
    let method = message.method.unwrap_or("");
    let is_call = method == "tools/call";
    let params = message.params.get_or_insert_with(|| json!({}));
    let Some(params) = params.as_object_mut() else { return };
    let had_none = params.get("_meta").is_none();
    let metadata = params.entry("_meta").or_insert_with(|| json!({}));
    if fault == ClientFault::MetaArray && method == "prompts/get" {
        *metadata = json!([]);
        return;
    }
    let Some(all) = metadata.as_object_mut() else { return };
    let mut put = |key: &str, value: Value| drop(all.insert(key.to_owned(), value));
    match fault {
        ClientFault::BadMetaKey if is_call => put("com.turncoat/bad key", json!(1)),
        ClientFault::ForwardDnsMeta if is_call => put("example.com/key", json!(1)),
        ClientFault::InventsReservedMeta if is_call => put("api.modelcontextprotocol.org/turncoat", json!(1)),
        ClientFault::BadTraceparent if is_call => put("traceparent", json!("00-turncoat-01")),
        ClientFault::Latin1 if is_call => put("com.turncoat/note", json!("caf\u{e9}")),
        ClientFault::ModernMetaInLegacy if method != "initialize" => put(meta::CLIENT_INFO, Conduct::identity()),
        ClientFault::FractionalToken if is_call => put("progressToken", json!(1.5)),
        ClientFault::SameToken if is_call => put("progressToken", json!("token")),
        ClientFault::OmitsMetaVersion if method.starts_with("resources/") => drop(all.remove(meta::PROTOCOL_VERSION)),
        ClientFault::OmitsMetaCapabilities if method.starts_with("prompts/") => {
            all.remove(meta::CLIENT_CAPABILITIES);
        }
        ClientFault::OmitsClientInfo => drop(all.remove(meta::CLIENT_INFO)),
        ClientFault::ClientInfoWithoutVersion => {
            if let Some(Value::Object(identity)) = all.get_mut(meta::CLIENT_INFO) {
                identity.remove("version");
            }
        }
        _ => {}
    }
    if let Some(Value::Object(capabilities)) = all.get_mut(meta::CLIENT_CAPABILITIES) {
        declared(fault, capabilities);
    }
    if had_none && metadata.as_object().is_some_and(Object::is_empty) {
        params.remove("_meta");
    }
    if params.is_empty() {
        message.params = None;
    }
}

/// Capabilities, wherever they are declared.
fn declared(fault: ClientFault, capabilities: &mut Object) {
    match fault {
        ClientFault::CapabilityTrue => drop(capabilities.insert("roots".into(), true.into())),
        ClientFault::FormTrue => drop(capabilities.insert("elicitation".into(), json!({"form": true}))),
        ClientFault::ExtensionWithoutPrefix => drop(capabilities.insert("extensions".into(), json!({"turncoat": {}}))),
        ClientFault::InsistsOnExtension => {
            capabilities.insert("extensions".into(), json!({"com.example/turncoat": {}}));
        }
        _ => {}
    }
}

fn params(fault: ClientFault, message: &mut Message) {
    let method = message.method.unwrap_or("");
    let Some(params) = message.params.as_mut().and_then(Value::as_object_mut) else { return };
    match method {
        "initialize" => match fault {
            ClientFault::OmitsClientVersion => {
                if let Some(Value::Object(identity)) = params.get_mut("clientInfo") {
                    identity.remove("version");
                }
            }
            ClientFault::OmitsCapabilities => drop(params.remove("capabilities")),
            _ => {
                if let Some(Value::Object(capabilities)) = params.get_mut("capabilities") {
                    declared(fault, capabilities);
                }
            }
        },
        "tools/call" => match fault {
            ClientFault::NullArguments if params.get("arguments") == Some(&json!({})) => {
                params.insert("arguments".into(), Value::Null);
            }
            ClientFault::TextArguments => {
                let text = params.get("arguments").map(Value::to_string);
                params.insert("arguments".into(), text.into());
            }
            ClientFault::RenamesTools => {
                let name = params.get("name").and_then(Value::as_str).map(str::to_uppercase);
                params.insert("name".into(), name.into());
            }
            _ => {}
        },
        "subscriptions/listen" => match fault {
            ClientFault::OmitsFilter => drop(params.remove("notifications")),
            ClientFault::TextFilter => {
                if let Some(Value::Object(filter)) = params.get_mut("notifications") {
                    filter.values_mut().for_each(|wanted| *wanted = wanted.to_string().into());
                }
            }
            _ => {}
        },
        _ => cursor(fault, params),
    }
}

fn cursor(fault: ClientFault, params: &mut Object) {
    let Some(Value::String(text)) = params.get("cursor") else { return };
    let changed = match fault {
        ClientFault::TrimsCursors => text.trim().chars().take(100).collect::<String>().into(),
        ClientFault::ReadsCursors => text.parse::<i64>().map_or_else(|_| text.clone().into(), Value::from),
        ClientFault::InventsCursors => json!("2"),
        _ => return,
    };
    params.insert("cursor".into(), changed);
}
