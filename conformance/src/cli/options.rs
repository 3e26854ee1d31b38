//! Reading the values of options.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use turncoat::revision::Revision;
use turncoat_conformance::runner::Profile;
use turncoat_conformance::subject_file::{LIMIT, seconds};

/// A kind of rules, as the command line names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum ProfileName {
    /// What the specification says
    Spec,
    /// No crash, no hang, bounded resources
    Robustness,
    /// Advice of the security literature
    Hardening,
}

impl ProfileName {
    pub(super) const fn profile(self) -> Profile {
        match self {
            Self::Spec => Profile::Spec,
            Self::Robustness => Profile::Robustness,
            Self::Hardening => Profile::Hardening,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Robustness => "robustness",
            Self::Hardening => "hardening",
        }
    }
}

/// A report format.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    Human,
    Json,
    Markdown,
}

/// A report and where it goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sink {
    pub(super) format: Format,
    /// None is standard output.
    pub(super) path: Option<PathBuf>,
}

pub(super) fn sink(text: &str) -> Result<Sink, String> {
    let form = "write FORMAT=PATH, as in json=report.json, or json=- for standard output";
    let Some((format, path)) = text.split_once('=') else {
        return Err(match Format::from_str(text, true) {
            Ok(_) => format!("{text} goes where? {form}"),
            Err(_) => form.to_owned(),
        });
    };
    let format = Format::from_str(format, true)
        .map_err(|_| format!("there is no format `{format}`; there are human, json and markdown"))?;
    match path {
        "" => Err(format!("the path is missing; {form}")),
        "-" => Ok(Sink { format, path: None }),
        path => Ok(Sink { format, path: Some(path.into()) }),
    }
}

pub(super) fn revision(text: &str) -> Result<Revision, String> {
    text.parse().map_err(|_| {
        let known: Vec<_> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
        format!("known revisions are {}", known.join(", "))
    })
}

pub(super) fn jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|jobs| *jobs > 0).ok_or_else(|| "a number of sessions, at least 1".to_owned())
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    text.parse().ok().and_then(seconds).ok_or_else(|| LIMIT.to_owned())
}

pub(super) fn shard(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    parts
        .filter(|(part, of)| (1..=*of).contains(part))
        .ok_or_else(|| "write I/N with I from 1 to N: 1/3, 2/3 and 3/3 together are everything".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_start_at_one() {
        assert_eq!(shard("2/3"), Ok((2, 3)));
        for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "1/3/5", "-1/3"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn timeouts_may_be_fractions() {
        assert_eq!(timeout("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "1s", ""] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sinks_have_a_format_and_a_path() {
        let path = Some(PathBuf::from("a=b.json"));
        assert_eq!(sink("json=a=b.json"), Ok(Sink { format: Format::Json, path }));
        assert_eq!(sink("markdown=-"), Ok(Sink { format: Format::Markdown, path: None }));
        for wrong in ["json", "json=", "xml=a", "=a", ""] {
            assert!(sink(wrong).is_err(), "{wrong}");
        }
    }
}
