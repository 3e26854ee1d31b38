//! What is wrong with a command line, and the right form.

use std::fmt;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use turncoat_conformance::report::human::shell;

use super::{USAGE, output};

/// A mistake in the use of the command; exit status 2.
#[derive(Debug)]
pub(super) struct Usage {
    what: String,
    right: String,
}

impl Usage {
    /// What is wrong, and one or several lines that show how it is done.
    pub(super) fn new(what: impl Into<String>, right: impl Into<String>) -> Self {
        Self { what: what.into(), right: right.into() }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if !self.right.is_empty() {
            f.write_str("\n")?;
        }
        self.right.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Shows what clap has to say: help to standard output, a mistake with an example to standard error.
pub(super) fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody reads any more: nothing is left to say.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return ExitCode::from(USAGE);
        }
        _ => {}
    }
    let _ = error.print();
    let words: Vec<String> = std::env::args().skip(1).collect();
    output::diagnose(&format!("\n{}", advice(&words, error)));
    ExitCode::from(USAGE)
}

/// The right form of what was meant.
fn advice(words: &[String], error: &clap::Error) -> String {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (front, command) = words.split_at(end);
    let subject = front.iter().find(|word| ["server", "client"].contains(&word.as_str())).map(String::as_str);
    let invalid = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => "",
    };
    match (words.first().map(String::as_str), subject) {
        (Some("explain"), _) => example("turncoat explain jsonrpc.version-member"),
        (Some("list"), _) => example("turncoat list rules"),
        (Some(verb @ ("check" | "limits")), None) if !command.is_empty() => {
            format!("A command belongs to a server:\n  turncoat {verb} server {}", shell(command))
        }
        (Some(verb @ ("check" | "limits")), Some(_)) if ["--fault", "--variant"].contains(&invalid) => {
            format!("Faults and variants are those of the embedded reference:\n  turncoat {verb} {invalid} NAME")
        }
        (Some(verb @ ("check" | "limits")), Some(subject)) => match error.kind() {
            // `check server node x.js`: everything from the stray word on is the command.
            ErrorKind::UnknownArgument if !invalid.starts_with('-') => {
                let place = front.iter().position(|word| word == invalid).unwrap_or(front.len());
                let (front, stray) = front.split_at(place);
                let command: Vec<_> = stray.iter().chain(command).filter(|word| *word != "--").cloned().collect();
                let right = format!("turncoat {} -- {}", shell(front), shell(&command));
                format!("The command of the {subject} stands behind `--`:\n  {right}")
            }
            ErrorKind::ArgumentConflict if front.get(1).is_some_and(|word| word.starts_with('-')) => {
                let options: Vec<_> = front.iter().skip(1).filter(|word| *word != subject).cloned().collect();
                let right = format!("turncoat {verb} {subject} {} {}", shell(&options), shell(command));
                format!("Options stand behind `{subject}`:\n  {}", right.trim_end())
            }
            _ => example(&format!("turncoat {verb} {subject} {} -- node build/index.js", value(invalid))),
        },
        _ => example(&format!("turncoat check server {} -- node build/index.js", value(invalid))),
    }
}

fn example(command: &str) -> String {
    format!("For example:\n  {command}")
}

/// An option as it should be, given as clap names it: `--timeout <SECONDS>`.
fn value(invalid: &str) -> &'static str {
    match invalid.split_whitespace().next() {
        Some("--baseline") => "--baseline expected.toml",
        Some("--cpu") => "--cpu 60",
        Some("--memory") => "--memory 1024",
        Some("--jobs") => "--jobs 4",
        Some("--only") => "--only 'jsonrpc.*'",
        Some("--profile") => "--profile spec --profile hardening",
        Some("--seed") => "--seed 7",
        Some("--shard") => "--shard 1/3",
        Some("--subject") => "--subject subject.toml",
        Some("--timeout") => "--timeout 2.5",
        Some("--transcripts") => "--transcripts transcripts",
        Some("--report") => "--report json=report.json --report markdown=-",
        _ => "--revision 2025-11-25",
    }
}
