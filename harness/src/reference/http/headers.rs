//! Headers that repeat what the body says, and whether they repeat it faithfully.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::modern::headers_missing;
use super::{Gateway, HttpFault, Request};
use crate::reference::behaviour::Behaviour;
use crate::reference::message::{Failure, Object};
use crate::reference::tools;
use crate::revision::{Revision, code};

/// The headers of a request, as the server reads them.
#[derive(Debug)]
pub(super) struct Fields<'r> {
    request: &'r Request,
    /// Only the usual spelling of a name is found, and the one in lower case.
    by_case: bool,
    /// White space around a value belongs to it.
    with_space: bool,
    /// The marker of an encoded value may be in capitals.
    any_marker: bool,
}

impl<'r> Fields<'r> {
    pub(super) fn of(behaviour: &Behaviour, request: &'r Request) -> Self {
        let by_case = behaviour.fails(HttpFault::ReadsHeadersByCase);
        let any_marker = behaviour.fails(HttpFault::TakesAnyMarker);
        Self { request, by_case, with_space: behaviour.fails(HttpFault::KeepsHeaderSpace), any_marker }
    }

    /// The value of a header; an error where two lines disagree.
    pub(super) fn one(&self, name: &str) -> Result<Option<&'r str>, Failure> {
        let same = |known: &str| match self.by_case {
            true => known == name || known == name.to_ascii_lowercase(),
            false => known.eq_ignore_ascii_case(name),
        };
        let mut values =
            self.request.headers.iter().filter(|(known, _)| same(known)).map(|(_, value)| self.value(value));
        let Some(first) = values.next() else { return Ok(None) };
        if values.any(|other| other != first) {
            return Err(mismatch(name));
        }
        // Within the range of visible characters, blanks and tabs.
        if !first.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e)) {
            return Err(mismatch(name));
        }
        Ok(Some(first))
    }

    /// A value that may be encoded.
    fn decoded(&self, name: &str, plainly: bool) -> Result<Option<String>, Failure> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        if plainly {
            return Ok(Some(value.to_owned()));
        }
        let folded = value.replacen("=?BASE64?", "=?base64?", usize::from(self.any_marker));
        decode(&folded).map(Some).ok_or_else(|| mismatch(name))
    }

    fn value(&self, value: &'r str) -> &'r str {
        if self.with_space {
            // The one blank behind the colon is no mistake of anybody's.
            return value.strip_prefix(' ').unwrap_or(value);
        }
        value.trim_matches([' ', '\t'])
    }
}

impl Gateway {
    /// The method, and the name or URI where the method has one.
    pub(super) fn check_standard_headers(
        &self,
        fields: &Fields<'_>,
        method: &str,
        params: &Object,
    ) -> Result<(), Failure> {
        let tolerates_missing = self.fails(HttpFault::ToleratesMissingHeaders);
        let tolerates_wrong = self.fails(HttpFault::ToleratesWrongHeaders);
        match fields.one("Mcp-Method")? {
            None if !tolerates_missing => return Err(headers_missing("Mcp-Method")),
            Some(header) if header != method && !tolerates_wrong => return Err(mismatch("Mcp-Method")),
            _ => {}
        }
        let member = match method {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return Ok(()),
        };
        // A request that lacks the name itself is judged by whoever serves it.
        let Some(name) = params.get(member).and_then(Value::as_str) else { return Ok(()) };
        match fields.decoded("Mcp-Name", self.fails(HttpFault::ComparesEncodedNames))? {
            None if !tolerates_missing => Err(headers_missing("Mcp-Name")),
            Some(header) if header != name && !tolerates_wrong => Err(mismatch("Mcp-Name")),
            _ => Ok(()),
        }
    }

    /// The arguments that the schema of a tool wants repeated.
    pub(super) fn check_param_headers(
        &self,
        fields: &Fields<'_>,
        method: &str,
        params: &Object,
    ) -> Result<(), Failure> {
        if method != "tools/call" || self.fails(HttpFault::IgnoresParamHeaders) {
            return Ok(());
        }
        let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
        for (path, header) in tools::mirrored(Revision::V2026_07_28, name) {
            let header = format!("Mcp-Param-{header}");
            let argument =
                path.iter().try_fold(params.get("arguments"), |value, step| value.map(|value| value.get(*step)));
            let argument = argument.flatten().filter(|value| !value.is_null());
            let given = match fields.decoded(&header, false) {
                Err(_) if self.fails(HttpFault::AcceptsBrokenEncoding) => continue,
                given => given?,
            };
            match (argument, given) {
                (None, None) if !self.fails(HttpFault::NeedsEveryParamHeader) => {}
                (None, None) | (Some(_), None) => return Err(headers_missing(&header)),
                (None, Some(_)) => return Err(mismatch(&header)),
                (Some(argument), Some(given)) => {
                    let as_text = self.fails(HttpFault::ComparesIntegersAsText);
                    if !says(argument, &given, as_text) {
                        return Err(mismatch(&header));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a header says the same as an argument. What is no string, integer or boolean has no header to speak of, and
/// is refused by the schema later.
fn says(argument: &Value, header: &str, as_text: bool) -> bool {
    match argument {
        Value::String(text) => text == header,
        Value::Bool(truth) => header == if *truth { "true" } else { "false" },
        Value::Number(number) if as_text => number.to_string() == header,
        Value::Number(number) => {
            let digits = header.strip_prefix('-').unwrap_or(header).starts_with(|first: char| first.is_ascii_digit());
            number.to_string() == header || (digits && number.as_f64() == header.parse().ok())
        }
        _ => true,
    }
}

/// The text that a value of a header stands for; `None` if its encoding is broken.
fn decode(value: &str) -> Option<String> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(value.to_owned());
    };
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

fn mismatch(name: &str) -> Failure {
    Failure::new(code::HEADER_MISMATCH, format!("the header {name} does not say what the body says"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_decoded() {
        assert_eq!(decode("=?base64?SGVsbG8sIOS4lueVjA==?=").unwrap(), "Hello, 世界");
        assert_eq!(decode("=?BASE64?eA==?=").unwrap(), "=?BASE64?eA==?=");
        assert_eq!(decode("=?base64??=").unwrap(), "");
        assert!(decode("=?base64?e?=").is_none());
        assert_eq!(decode("plain").unwrap(), "plain");
    }

    #[test]
    fn integers_are_compared_as_numbers() {
        assert!(says(&json!(42), "42.0", false));
        assert!(says(&json!(42.0), "42", false));
        assert!(!says(&json!(42), "42.0", true));
        assert!(!says(&json!(42), "43", false) && !says(&json!(42), "inf", false) && !says(&json!(42), "+42x", false));
        assert!(says(&json!(true), "true", false) && !says(&json!(true), "True", false));
    }
}
