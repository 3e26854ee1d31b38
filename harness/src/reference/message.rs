//! What the server sends: one JSON-RPC message whose parts stay apart until the last moment.
//!
//! The id is kept as raw JSON text, so that 9007199254740993 or `"\u0041"` goes back exactly as it came; and because the
//! members are separate, a fault can leave one out or send two that exclude each other.

use serde_json::{Map, Value, json};

/// A JSON object in the making.
pub(super) type Object = Map<String, Value>;

/// Turns `json!({..})` into the object that it is.
pub(super) fn object(value: Value) -> Object {
    match value {
        Value::Object(members) => members,
        _ => Object::new(),
    }
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) jsonrpc: Option<Value>,
    /// Raw JSON text.
    pub(super) id: Option<Box<str>>,
    pub(super) method: Option<&'static str>,
    pub(super) params: Option<Value>,
    pub(super) result: Option<Value>,
    pub(super) error: Option<Value>,
}

/// An error answer in the making.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Failure {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(super) fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

impl Message {
    fn blank() -> Self {
        Self { jsonrpc: Some(json!("2.0")), id: None, method: None, params: None, result: None, error: None }
    }

    pub(super) fn result(id: &str, result: Object) -> Self {
        Self { id: Some(id.into()), result: Some(Value::Object(result)), ..Self::blank() }
    }

    /// An error; without an id where the request's own could not be read.
    pub(super) fn error(id: Option<&str>, failure: Failure) -> Self {
        let mut error = object(json!({"code": failure.code, "message": failure.message}));
        if let Some(data) = failure.data {
            error.insert("data".into(), data);
        }
        Self { id: id.map(Into::into), error: Some(Value::Object(error)), ..Self::blank() }
    }

    pub(super) fn request(id: &str, method: &'static str, params: Option<Value>) -> Self {
        Self { id: Some(id.into()), method: Some(method), params, ..Self::blank() }
    }

    pub(super) fn notification(method: &'static str, params: Option<Value>) -> Self {
        Self { method: Some(method), params, ..Self::blank() }
    }

    pub(super) fn is_request(&self) -> bool {
        self.method.is_some_and(|method| !method.starts_with("notifications/"))
    }

    pub(super) fn is_notification(&self) -> bool {
        self.method.is_some_and(|method| method.starts_with("notifications/"))
    }

    /// The members of the result, if it is an object.
    pub(super) fn result_mut(&mut self) -> Option<&mut Object> {
        self.result.as_mut().and_then(Value::as_object_mut)
    }

    /// The members of the error, if it is an object.
    pub(super) fn error_mut(&mut self) -> Option<&mut Object> {
        self.error.as_mut().and_then(Value::as_object_mut)
    }

    /// The members of the params, if they are an object.
    pub(super) fn params_mut(&mut self) -> Option<&mut Object> {
        self.params.as_mut().and_then(Value::as_object_mut)
    }

    /// The error code, if there is an integral one.
    pub(super) fn code(&self) -> Option<i64> {
        self.error.as_ref()?.get("code")?.as_i64()
    }

    /// Writes the message as JSON on one line, without the newline.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(b'{');
        let mut first = true;
        let mut member = |bytes: &mut Vec<u8>, name: &str| {
            if !std::mem::take(&mut first) {
                bytes.push(b',');
            }
            bytes.push(b'"');
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b"\":");
        };
        if let Some(version) = &self.jsonrpc {
            member(bytes, "jsonrpc");
            write_value(bytes, version);
        }
        if let Some(id) = &self.id {
            member(bytes, "id");
            bytes.extend_from_slice(id.as_bytes());
        }
        if let Some(method) = self.method {
            member(bytes, "method");
            write_value(bytes, &Value::from(method));
        }
        for (name, value) in [("params", &self.params), ("result", &self.result), ("error", &self.error)] {
            if let Some(value) = value {
                member(bytes, name);
                write_value(bytes, value);
            }
        }
        bytes.push(b'}');
    }
}

fn write_value(bytes: &mut Vec<u8>, value: &Value) {
    // Writing a value into memory cannot fail: its keys are strings and the sink takes everything.
    let _ = serde_json::to_writer(bytes, value);
}
