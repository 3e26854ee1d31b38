//! `turncoat replay`: a script file again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use turncoat::revision::{Revision, Side};
use turncoat::script::{Script, file};
use turncoat_conformance::runner::{Profile, ScriptFile};

use super::check::{USUAL, client_of, embedded_plan, plan, reference_of, run, server_at, subject_file};
use super::usage::Usage;
use super::{Options, Subject};

const EXIT_STATUS: &str = "\
Exit status:
  0    what the script shows is not there any more
  1    it still is
  2    wrong usage
  3    could not be tested: the subject did not start, never answered, or was
       not put to the test by the script
  130  interrupted before anything was known";

/// A script file, and whom to play it to; the embedded reference if nobody is named.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
pub(super) struct Replay {
    /// The script file. It is judged by the rules that it provokes, or by all if it names none
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(subcommand)]
    subject: Option<Subject>,
    #[command(flatten)]
    embedded: super::Embedded,
}

/// Plays what the command line says.
pub(super) fn replay(replay: Replay) -> Result<ExitCode, Usage> {
    let Replay { file, subject, embedded } = replay;
    let script = read(&file)?;
    let side = script.side.other();
    let fits = |asked: Side| match asked == side {
        true => Ok(()),
        false => Err(Usage::new(
            format!("{} is a script for a {side}, not for a {asked}", file.display()),
            format!("turncoat replay {} {side} -- COMMAND", file.display()),
        )),
    };
    let revisions: Vec<_> = script.revisions.iter().collect();
    let own = Some(ScriptFile { script, path: file.clone() });
    match subject {
        None => {
            let (adapter, _) = reference_of(&embedded, side)?;
            let options = Options { strict: true, revision: revisions, ..Options::default() };
            let plan = embedded_plan(&options, side, embedded.fault.as_deref(), own)?;
            run(&options, &plan, &*adapter, None)
        }
        Some(Subject::Server { mut options, target }) => {
            fits(Side::Server)?;
            confine(&mut options, revisions);
            let subject = subject_file(options.subject.as_deref())?;
            let plan = plan(&options, &subject, ALL, own)?;
            run(&options, &plan, &*server_at(target, subject, "replay FILE")?, None)
        }
        Some(Subject::Client { mut options, http, command }) => {
            fits(Side::Client)?;
            confine(&mut options, revisions);
            let subject = subject_file(options.subject.as_deref())?;
            let plan = plan(&options, &subject, USUAL, own)?;
            run(&options, &plan, &*client_of(command, http, subject, "replay FILE")?, None)
        }
    }
}

/// A script says in which revisions it makes sense, and every rule that it names counts.
fn confine(options: &mut Options, revisions: Vec<Revision>) {
    options.strict = true;
    if options.revision.is_empty() {
        options.revision = revisions;
    }
}

/// The rules are named by the script, whatever their kind.
const ALL: &[Profile] = &[Profile::Spec, Profile::Robustness, Profile::Hardening];

fn read(path: &Path) -> Result<&'static Script, Usage> {
    let unreadable = |error| Usage::new(format!("cannot read {}: {error}", path.display()), "turncoat replay FILE");
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let script = file::read(&path.display().to_string(), &name, &text)
        .map_err(|error| Usage::new(error.to_string(), "CONTRIBUTING.md explains script files"))?;
    // One script for one run: it may as well stay.
    Ok(Box::leak(Box::new(script)))
}
