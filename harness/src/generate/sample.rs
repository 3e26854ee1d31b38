//! One plausible message of every method.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::revision::Side;

/// A method with params that fit the fixtures of the reference server, and a result that fits the method.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    by: Side,
    pub(super) method: String,
    pub(super) params: Option<Json>,
    /// None for a notification.
    pub(super) result: Option<Json>,
}

/// What this side says of its own accord.
pub(super) fn by(side: Side) -> &'static [Sample] {
    match side {
        Side::Client => &BY_CLIENT,
        Side::Server => &BY_SERVER,
    }
}

static BY_CLIENT: LazyLock<Vec<Sample>> = LazyLock::new(|| read(Side::Client));
static BY_SERVER: LazyLock<Vec<Sample>> = LazyLock::new(|| read(Side::Server));

/// The lines of one side; a test reads them all.
fn read(side: Side) -> Vec<Sample> {
    let all = include_str!("samples.jsonl").lines().filter_map(|line| serde_json::from_str(line).ok());
    all.filter(|sample: &Sample| sample.by == side).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::{METHODS, MethodKind, method};

    #[test]
    fn every_line_reads_and_fits_its_method() {
        for line in include_str!("samples.jsonl").lines() {
            let sample: Sample = serde_json::from_str(line).unwrap();
            let known = method(&sample.method).unwrap();
            assert_eq!(known.kind == MethodKind::Request, sample.result.is_some(), "{line}");
            assert!(known.from.includes(sample.by), "{line}");
        }
    }

    #[test]
    fn no_method_is_missing() {
        let sampled = |name: &str| by(Side::Client).iter().chain(by(Side::Server)).any(|sample| sample.method == name);
        let missing: Vec<_> = METHODS.iter().map(|method| method.name).filter(|name| !sampled(name)).collect();
        assert_eq!(missing, <[&str; 0]>::default());
    }
}
