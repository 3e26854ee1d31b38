//! `turncoat limits`: how much a subject bears.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::{Args, Subcommand};

use turncoat::adapter::Adapter;
use turncoat::adapter::embedded::Embedded;
use turncoat::adapter::host::EmbeddedHttp;
use turncoat::revision::Revision;
use turncoat::transcript::Vitals;
use turncoat_conformance::limits::table::Verdict;
use turncoat_conformance::limits::{self, Plan, human, json, markdown};
use turncoat_conformance::report::human::shell;
use turncoat_conformance::report::text::visible;
use turncoat_conformance::subject_file::SubjectFile;

use super::check::{STOP, deliver, give_up, heed_interrupts, reference, server_at, sinks, subject_file};
use super::options::{self, Format, Sink};
use super::output::diagnose;
use super::progress::Bar;
use super::usage::Usage;
use super::{Target, USAGE};

const EXIT_STATUS: &str = "\
Exit status:
  0    nothing below the floors ended the subject or stopped it from serving
  1    something did
  2    wrong usage
  3    could not be measured: did not start, never answered, speaks no known
       revision
  130  interrupted before anything was found";

/// How much a server bears, or the embedded reference server.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
pub(super) struct Limits {
    #[command(subcommand)]
    subject: Option<Subject>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    embedded: super::Embedded,
}

#[derive(Subcommand)]
enum Subject {
    /// Measure a server: started anew on stdio for each session, or already running over HTTP
    #[command(after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
    Server {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        target: Target,
    },
    /// Measure a client (not yet)
    Client {
        #[command(flatten)]
        options: Options,
        /// The client talks HTTP
        #[arg(long)]
        http: bool,
        /// The command that starts the client, behind `--`
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Args)]
struct Options {
    /// Speak this revision [default: the newest that the subject speaks]
    #[arg(long, value_name = "REV", value_parser = options::revision)]
    revision: Option<Revision>,
    /// Measure only dimensions with such a name; * and ? stand for other characters (repeatable)
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Write a report: human, json or markdown; - is standard output (repeatable)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = options::sink)]
    report: Vec<Sink>,
    /// How many sessions run at once [default: the number of cores; 1 with --url]
    #[arg(long, value_name = "N", value_parser = options::jobs)]
    jobs: Option<usize>,
    /// How long an answer may take [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = options::timeout)]
    timeout: Option<Duration>,
    /// How much memory a process may take before it is ended and its search with it
    #[arg(long, value_name = "MEBIBYTES", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..))]
    memory: u32,
    /// How much processor time a process may take in a session before it is ended and its search with it
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..))]
    cpu: u32,
    /// What the harness may use of the subject, as TOML: fixtures, environment, limits
    #[arg(long, value_name = "FILE")]
    subject: Option<PathBuf>,
}

/// Measures what the command line says.
pub(super) fn limits(limits: Limits) -> Result<ExitCode, Usage> {
    let Limits { subject, options, embedded: asked } = limits;
    match subject {
        None => embedded(&options, &asked),
        Some(Subject::Server { options, target }) => server(&options, target),
        Some(Subject::Client { .. }) => Err(Usage::new(
            "clients cannot be measured yet",
            "A server can: turncoat limits server -- node build/index.js",
        )),
    }
}

fn server(options: &Options, target: Target) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject)?;
    run(options, &plan, &*server_at(target, subject, "limits")?)
}

fn embedded(options: &Options, asked: &super::Embedded) -> Result<ExitCode, Usage> {
    if options.subject.is_some() {
        return Err(Usage::new(
            "a subject file tells about a server of yours; the embedded one needs none",
            "turncoat limits server --subject FILE -- node build/index.js",
        ));
    }
    let (behaviour, words) = reference(asked.fault.as_deref(), asked.variant.as_deref())?;
    let plan = plan(options, &SubjectFile::default())?;
    if asked.http {
        return run(options, &plan, &EmbeddedHttp::server(behaviour).called(words));
    }
    run(options, &plan, &Embedded::server(behaviour).called(words))
}

fn plan(options: &Options, subject: &SubjectFile) -> Result<Plan, Usage> {
    let defaults = Plan::default();
    let plan = Plan {
        revision: options.revision,
        only: options.only.clone(),
        jobs: options.jobs.or(subject.limits.jobs),
        timeout: options.timeout.or(subject.limits.timeout).unwrap_or(defaults.timeout),
        most: Vitals { peak_bytes: u64::from(options.memory) << 20, cpu_micros: u64::from(options.cpu) * 1_000_000 },
        replay_options: replay_options(options),
    };
    plan.dimensions().map_err(|why| Usage::new(visible(&why), "turncoat limits server --only nesting -- COMMAND"))?;
    Ok(plan)
}

/// What a replay must repeat to be the same measurement.
fn replay_options(options: &Options) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(timeout) = options.timeout {
        words.extend(["--timeout".to_owned(), timeout.as_secs_f64().to_string()]);
    }
    if let Some(file) = &options.subject {
        words.extend(["--subject".to_owned(), shell(&[file.display().to_string()])]);
    }
    words
}

fn run(options: &Options, plan: &Plan, adapter: &dyn Adapter) -> Result<ExitCode, Usage> {
    let sinks = sinks(&options.report)?;
    let bar = Bar::new();
    heed_interrupts(bar.aside());
    let measured = limits::measure(plan, adapter, &bar, &STOP);
    bar.clear();
    let table = match measured {
        Ok(table) => table,
        Err(_) if STOP.load(Ordering::Relaxed) => {
            diagnose("interrupted before anything was known");
            return Ok(ExitCode::from(Verdict::Interrupted.exit_code()));
        }
        Err(untestable) => return Ok(give_up(&untestable)),
    };
    let written = deliver(&sinks, &table.headline(), |format, look| match format {
        Format::Human => human::render(&table, look),
        Format::Json => json::render(&table),
        Format::Markdown => markdown::render(&table),
    });
    Ok(ExitCode::from(if written { table.verdict().exit_code() } else { USAGE }))
}
