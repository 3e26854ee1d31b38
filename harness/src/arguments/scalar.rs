//! Numbers and strings within the limits of their schema.

use serde_json::{Number, Value, json};

use super::parts::Parts;

/// The longest string that is made to reach a `minLength`, in characters.
const LONGEST: u64 = 10_000;

/// What `minimum`, `maximum`, their exclusive forms and `multipleOf` leave of the numbers.
#[derive(Clone, Debug)]
pub(super) struct Range {
    /// Lower limits and whether they exclude themselves.
    low: Vec<(f64, bool)>,
    high: Vec<(f64, bool)>,
    steps: Vec<f64>,
}

impl Range {
    pub(super) fn of(parts: &Parts<'_>) -> Self {
        let limits = |plain: &str, exclusive: &str| {
            // In draft-04 the exclusive form is a boolean beside the plain one.
            let strict = parts.all(exclusive).any(|flag| *flag == true);
            let own = parts.all(plain).filter_map(Value::as_f64).map(move |limit| (limit, strict));
            own.chain(parts.all(exclusive).filter_map(Value::as_f64).map(|limit| (limit, true))).collect()
        };
        Self {
            low: limits("minimum", "exclusiveMinimum"),
            high: limits("maximum", "exclusiveMaximum"),
            steps: parts.all("multipleOf").filter_map(Value::as_f64).filter(|step| *step > 0.0).collect(),
        }
    }

    /// Whether a number is within the limits.
    pub(super) fn admits(&self, value: &Value) -> bool {
        value.as_f64().is_some_and(|number| self.has(number))
    }

    fn has(&self, number: f64) -> bool {
        number.is_finite()
            && self.low.iter().all(|(limit, strict)| number > *limit || (!strict && number == *limit))
            && self.high.iter().all(|(limit, strict)| number < *limit || (!strict && number == *limit))
            && self.steps.iter().all(|step| number % step == 0.0)
    }

    /// A whole number: 1 if that will do, else one near the limits.
    pub(super) fn integer(&self) -> Option<Value> {
        let candidates =
            self.candidates().flat_map(|number| [number.ceil(), number.ceil() + 1.0, number.floor() - 1.0]);
        let found = [1.0, 0.0].into_iter().chain(candidates).find(|number| self.has(*number))?;
        if found.abs() < 9e15 { Some(json!(found as i64)) } else { Number::from_f64(found).map(Value::Number) }
    }

    /// A number: a whole one if there is one, since that is what most tools expect.
    pub(super) fn number(&self) -> Option<Value> {
        self.integer().or_else(|| {
            let found = self.candidates().find(|number| self.has(*number))?;
            Number::from_f64(found).map(Value::Number)
        })
    }

    /// The limits, what lies between them, and the steps around them.
    fn candidates(&self) -> impl Iterator<Item = f64> {
        let low = self.low.iter().map(|(limit, _)| *limit).fold(f64::NEG_INFINITY, f64::max);
        let high = self.high.iter().map(|(limit, _)| *limit).fold(f64::INFINITY, f64::min);
        let step = self.steps.iter().copied().fold(0.0, f64::max);
        let product = self.steps.iter().product::<f64>();
        let beside = move |limit: f64, step: f64| {
            let count = (limit / step).floor();
            [count * step, (count + 1.0) * step, (count - 1.0) * step]
        };
        let stepped = [step, product].into_iter().filter(|step| *step > 0.0);
        let stepped = stepped.flat_map(move |step| beside(low, step).into_iter().chain(beside(high, step)));
        let between = low + (high - low) / 2.0;
        let near =
            [low, high, between, low + low.abs() * 1e-9 + 1e-9, high - high.abs() * 1e-9 - 1e-9, low + 0.5, high - 0.5];
        near.into_iter().chain(stepped).filter(|number| number.is_finite())
    }
}

/// What `minLength` and `maxLength` leave of the strings, in characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    least: u64,
    most: u64,
}

impl Length {
    pub(super) fn of(parts: &Parts<'_>) -> Self {
        // A limit may be written as 2.0.
        let whole = |limit: &Value| limit.as_u64().or_else(|| limit.as_f64().map(|limit| limit as u64));
        Self {
            least: parts.all("minLength").filter_map(whole).max().unwrap_or(0),
            most: parts.all("maxLength").filter_map(whole).min().unwrap_or(u64::MAX),
        }
    }

    /// Whether a string is within the limits.
    pub(super) fn admits(self, text: &str) -> bool {
        (self.least..=self.most).contains(&(text.chars().count() as u64))
    }
}

/// A string that satisfies format, pattern and length; `None` if no stock string does.
pub(super) fn text(parts: &Parts<'_>) -> Option<String> {
    let length = Length::of(parts);
    if length.least > LONGEST {
        return None;
    }
    let format = parts.all("format").filter_map(Value::as_str).find_map(sample);
    if let Some(sample) = format {
        return length.admits(sample).then(|| sample.to_owned());
    }
    let plain = "a".repeat(length.least.max(1).min(length.most) as usize);
    length.admits(&plain).then_some(plain)
}

/// A string of a format; `None` for formats that are not known, which restrict nothing.
fn sample(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "2025-01-31",
        "date-time" => "2025-01-31T12:00:00Z",
        "time" => "12:00:00Z",
        "duration" => "P1D",
        "email" | "idn-email" => "someone@example.com",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "iri" | "url" => "https://example.com/",
        "uri-reference" | "iri-reference" => "/example",
        "uri-template" => "/example/{name}",
        "uuid" => "6f1c3f0e-8a4e-4c7b-9d38-2b0f5a1d7e94",
        "json-pointer" => "/a",
        "relative-json-pointer" => "0",
        "regex" => "^a$",
        "byte" | "binary" => "YQ==",
        _ => return None,
    })
}
