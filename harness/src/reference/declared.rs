//! What the client said about itself: the capabilities that decide what it may be asked.

use serde_json::Value;

/// The declared features of a client.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Declared {
    pub(super) roots: bool,
    pub(super) sampling: bool,
    pub(super) sampling_tools: bool,
    /// Elicitation by form: declared as such, or by an empty object.
    pub(super) form: bool,
    pub(super) url: bool,
}

impl Declared {
    /// Reads a capability object; keys it does not know have no effect.
    pub(super) fn read(capabilities: &Value) -> Self {
        let elicitation = capabilities.get("elicitation").and_then(Value::as_object);
        let sampling = capabilities.get("sampling").and_then(Value::as_object);
        Self {
            roots: capabilities.get("roots").is_some_and(Value::is_object),
            sampling: sampling.is_some(),
            sampling_tools: sampling.is_some_and(|sampling| sampling.contains_key("tools")),
            form: elicitation.is_some_and(|modes| modes.is_empty() || modes.contains_key("form")),
            url: elicitation.is_some_and(|modes| modes.contains_key("url")),
        }
    }
}
