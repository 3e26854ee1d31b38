//! `turncoat fuzz`: sessions that nobody thought of.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::{Args, Subcommand};

use turncoat::adapter::Adapter;
use turncoat::revision::Side;
use turncoat_conformance::baseline::Coverage;
use turncoat_conformance::fuzz::{self, Bounds, FuzzError, Fuzzed};
use turncoat_conformance::report::text::{count, visible};
use turncoat_conformance::report::verdict::Verdict;
use turncoat_conformance::runner::Plan;

use super::check::{
    Outlet, STOP, USUAL, embedded_plan, give_up, heed_interrupts, plan, reference_of, server_at, subject_file,
};
use super::output::diagnose;
use super::progress::Ticker;
use super::usage::Usage;
use super::{EXIT_STATUS, Options, Target, UNTESTABLE, options};

/// A server to fuzz, or the embedded reference server.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
pub(super) struct Fuzz {
    #[command(subcommand)]
    subject: Option<Subject>,
    #[command(flatten)]
    bounds: Asked,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    embedded: super::Embedded,
}

#[derive(Subcommand)]
enum Subject {
    /// Fuzz a server: started anew on stdio for each session, or already running over HTTP
    #[command(after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
    Server {
        #[command(flatten)]
        bounds: Asked,
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        target: Target,
    },
    /// Fuzz a client (not yet)
    Client {
        #[command(flatten)]
        bounds: Asked,
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
struct Asked {
    /// Stop after this long [default: on Ctrl-C]
    #[arg(long, value_name = "SECONDS", value_parser = options::timeout)]
    time: Option<Duration>,
    /// Stop after so many sessions, those for confirmation and shrinking aside
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Keep scripts that show something new in this folder, findings in `found` below it, and begin with what is there
    #[arg(long, value_name = "DIR", default_value = "turncoat-corpus")]
    corpus: PathBuf,
}

/// Fuzzes what the command line says.
pub(super) fn fuzz(fuzz: Fuzz) -> Result<ExitCode, Usage> {
    let Fuzz { subject, bounds, mut options, embedded } = fuzz;
    match subject {
        None => {
            let (adapter, _) = reference_of(&embedded, Side::Server)?;
            let plan = embedded_plan(&options, Side::Server, embedded.fault.as_deref(), None)?;
            options.strict |= embedded.fault.is_some();
            run(&options, &plan, bounds, &*adapter)
        }
        Some(Subject::Server { bounds, options, target }) => {
            let subject = subject_file(options.subject.as_deref())?;
            let plan = plan(&options, &subject, USUAL, None)?;
            run(&options, &plan, bounds, &*server_at(target, subject, "fuzz")?)
        }
        Some(Subject::Client { .. }) => Err(Usage::new(
            "clients cannot be fuzzed yet",
            "A server can: turncoat fuzz server --time 60 -- node build/index.js\n\
             A client can be checked: turncoat check client -- python driver.py {server}",
        )),
    }
}

fn run(options: &Options, plan: &Plan, asked: Asked, adapter: &dyn Adapter) -> Result<ExitCode, Usage> {
    if plan.transcripts.is_some() {
        return Err(Usage::new(
            "fuzzing keeps scripts and no transcripts; replaying one of them can keep that",
            "turncoat replay FILE server --transcripts DIR -- COMMAND",
        ));
    }
    let Asked { time, runs, corpus } = asked;
    let bounds = Bounds { runs, time, corpus };
    let outlet = Outlet::of(options, Coverage::Part)?;
    let ticker = Ticker::new();
    heed_interrupts(ticker.aside());
    let fuzzed = fuzz::fuzz(plan, &bounds, adapter, &ticker, &STOP);
    ticker.clear();
    let Fuzzed { report, figures, gone, .. } = match fuzzed {
        Ok(fuzzed) => fuzzed,
        Err(_) if STOP.load(Ordering::Relaxed) => {
            diagnose("interrupted before anything was known");
            return Ok(ExitCode::from(Verdict::Interrupted.exit_code()));
        }
        Err(FuzzError::Untestable(untestable)) => return Ok(give_up(&untestable)),
        Err(error @ FuzzError::Folder { .. }) => return Err(Usage::new(error.to_string(), "--corpus DIR")),
    };
    diagnose(&format!(
        "{}, {} seen, {} kept in {}",
        count(usize::try_from(figures.sessions).unwrap_or(usize::MAX), "session"),
        count(figures.behaviours, "behaviour"),
        count(figures.kept, "script"),
        bounds.corpus.display(),
    ));
    let code = outlet.finish(options, report, None);
    let Some(why) = gone else { return Ok(code) };
    // What ended it cannot be tried again, so no finding says so; a verdict would be about a subject that is not there.
    diagnose(&format!("error: the subject is gone, and the run ended early: {}", visible(&why)));
    Ok(if code == ExitCode::SUCCESS { ExitCode::from(UNTESTABLE) } else { code })
}
