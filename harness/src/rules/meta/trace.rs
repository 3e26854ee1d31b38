//! Trace context in `_meta`.

use crate::revision::Revisions;
use crate::rules::{Breach, Level, Rule, Transports, Verdict};
use crate::session::View;
use crate::wire::Value;

use super::keys::written;

pub(super) static TRACE_CONTEXT_FORMAT: Rule = Rule {
    id: "meta.trace-context-format",
    level: Level::Must,
    side: None,
    revisions: Revisions::MODERN,
    transports: Transports::BOTH,
    clause: "2026-07-28/basic/index#_meta",
    requires: "Values under `traceparent`, `tracestate` and `baggage` have the forms of W3C Trace Context and W3C Baggage.",
    judged: "Empty lists and empty list members pass, and so do more members than the W3C wants.",
    untested: "the subject sent no trace context; switch its tracing on",
    judge: trace_context_format,
};

fn trace_context_format(view: View<'_>) -> Verdict {
    written(view)
        .flat_map(|(message, found)| {
            KEYS.iter().filter_map(move |key| found.member(key).map(|value| (message, *key, value)))
        })
        .map(|(message, key, value)| match fault(key, value) {
            None => Ok(()),
            Some(why) => Err(Breach::at(message, format!("sends a {key} {why}"))),
        })
        .collect()
}

/// The keys with a form that the W3C fixes.
pub(in crate::rules) static KEYS: &[&str] = &["traceparent", "tracestate", "baggage"];

/// What is wrong with a value under one of [`KEYS`].
pub(in crate::rules) fn fault(key: &str, value: Value<'_>) -> Option<&'static str> {
    let Some(text) = value.as_str() else { return Some("that is no string") };
    let fits = match key {
        "traceparent" => is_traceparent(&text),
        "tracestate" => list(&text).all(is_state),
        _ => list(&text).all(is_baggage),
    };
    (!fits).then_some("that does not have the form of the W3C")
}

fn is_traceparent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |length: usize| {
        parts
            .next()
            .filter(|part| part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    };
    let (Some(version), Some(trace), Some(parent), Some(_flags)) = (hex(2), hex(32), hex(16), hex(2)) else {
        return false;
    };
    let not_zero = |id: &str| id.bytes().any(|digit| digit != b'0');
    version != "ff" && not_zero(trace) && not_zero(parent) && (version != "00" || parts.next().is_none())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

fn is_state(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let (tenant, system) = key.split_once('@').map_or((key, None), |(tenant, system)| (tenant, Some(system)));
    let is_key = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte))
    };
    is_key(tenant)
        && system.is_none_or(is_key)
        && key.len() <= 256
        && value.len() <= 256
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

fn is_baggage(member: &str) -> bool {
    let mut parts = member.split(';').map(|part| part.trim_matches([' ', '\t']));
    let pair = |part: &str| {
        part.split_once('=').map(|(key, value)| (key.trim_end().to_owned(), value.trim_start().to_owned()))
    };
    let is_token = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let is_value = |value: &str| value.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !b"\",;\\".contains(&byte));
    let fits = |part: &str| pair(part).is_some_and(|(key, value)| is_token(&key) && is_value(&value));
    parts.next().is_some_and(fits) && parts.all(|property| is_token(property) || fits(property))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparents() {
        assert!(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"));
        assert!(is_traceparent("01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more-of-it"));
        for bad in [
            "",
            "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn lists_of_the_w3c() {
        for good in ["", "a=1", "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "fw529a3039@dt=x,", "1a=b"] {
            assert!(list(good).all(is_state), "{good}");
        }
        assert!(!list("A=1").all(is_state) && !list("a").all(is_state) && !list("a=b=c").all(is_state));
        for good in ["", "a=1", "k1 = v1 ; p ; q=2 , k2=v%20", "a="] {
            assert!(list(good).all(is_baggage), "{good}");
        }
        assert!(!list("a").all(is_baggage) && !list("a b=c").all(is_baggage) && !list("a=\"b\"").all(is_baggage));
    }
}
