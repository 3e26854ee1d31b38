//! The command line: grammar, dispatch, exit status.
//!
//! Results go to standard output, progress and diagnostics to standard error.
//!
//! - [`check`]: running a check and writing its reports
//! - [`explain`], [`list`]: the catalogue
//! - [`mod@fuzz`]: fuzzing a subject
//! - [`limits`]: measuring how much a subject bears
//! - [`options`]: reading the values of options
//! - [`output`]: where text goes, and how it looks there
//! - [`progress`]: a bar on long runs
//! - [`relay`]: the server that a client under test starts
//! - [`replay`]: a script file again
//! - [`serve`]: one script for a client that is started by hand
//! - [`usage`]: what is wrong with a command line, and the right form

mod check;
mod explain;
mod fuzz;
mod limits;
mod list;
mod options;
mod output;
mod progress;
mod relay;
mod replay;
mod serve;
mod usage;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use turncoat::adapter::http::tls::{Fingerprint, Trust};
use turncoat::revision::{Revision, Side};

use options::{ProfileName, Sink};
use usage::Usage;

/// The exit status for wrong usage.
const USAGE: u8 = 2;
/// The exit status for a subject that could not be tested.
const UNTESTABLE: u8 = 3;

const EXIT_STATUS: &str = "\
Exit status:
  0    conforms: no MUST and no robustness rule is broken
  1    does not conform
  2    wrong usage
  3    could not be tested: did not start, never answered, speaks no known
       revision, or not one requirement was put to the test
  130  interrupted before anything was found";

const EXAMPLES: &str = "\
Examples:
  turncoat check server -- npx -y @modelcontextprotocol/server-everything
  turncoat check server --revision 2025-11-25 --report json=report.json -- ./server
  turncoat check                  the embedded reference server, which conforms
  turncoat fuzz server --time 600 -- ./server
  turncoat limits server -- ./server
  turncoat explain jsonrpc.version-member";

/// Checks whether MCP implementations conform, by being the peer that does not.
#[derive(Parser)]
#[command(name = "turncoat", version, arg_required_else_help = true, after_help = EXAMPLES, after_long_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a server, a client, or the embedded reference server
    Check(Box<Check>),
    /// Fuzz a server: play sessions that nobody thought of, and shrink what they find
    Fuzz(Box<fuzz::Fuzz>),
    /// Play a script file again, such as fuzzing writes
    Replay(Box<replay::Replay>),
    /// Measure how much a server bears: sizes, depths and counts at which it first misbehaves, and how
    Limits(Box<limits::Limits>),
    /// List rules and scripts
    List {
        /// What to list; rules and scripts if not said
        what: Option<Catalogue>,
    },
    /// Be the embedded reference server, on standard input and output or over HTTP
    Reference {
        /// Listen on this port of the loopback interface; 0 chooses one and says which
        #[arg(long, value_name = "PORT")]
        http: Option<u16>,
        /// Have this fault
        #[arg(long, value_name = "ID")]
        fault: Option<String>,
        /// Be this honest variant
        #[arg(long, value_name = "NAME")]
        variant: Option<String>,
    },
    /// Be the server of one script, on standard input and output or over HTTP, for a client that you start by hand
    ///
    /// Standard error shows the conversation as it happens, and at the end what the rules make of it.
    Serve {
        /// The name of a script that plays a server, or a file of your own that ends with .toml
        script: String,
        /// The revision that the server speaks [default: the newest one of the script]
        #[arg(long, value_name = "REV", value_parser = options::revision)]
        revision: Option<Revision>,
        /// Listen on this port of the loopback interface; 0 chooses one. The URL is printed
        #[arg(long, value_name = "PORT")]
        http: Option<u16>,
    },
    /// Explain a rule, a script, or a fault of the reference server
    Explain {
        /// Its name, as reports and `turncoat list` give it
        id: String,
    },
    /// Be the server that a client under test starts, and leave every word to the check that runs
    #[command(hide = true)]
    Relay {
        /// Where the check listens
        address: SocketAddr,
        /// What the check knows it by
        token: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Catalogue {
    /// The requirements
    Rules,
    /// The attacks
    Scripts,
    /// What the embedded reference server and client can have wrong
    Faults,
    /// Honest variants of the embedded reference server and client
    Variants,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
struct Check {
    #[command(subcommand)]
    subject: Option<Subject>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    embedded: Embedded,
    /// Ask the embedded reference client, not the server; faults and variants are its own then
    #[arg(long)]
    client: bool,
}

/// How the embedded reference is to be.
#[derive(Args)]
struct Embedded {
    /// Give the embedded reference this fault; a check then counts every failed rule
    #[arg(long, value_name = "ID")]
    fault: Option<String>,
    /// Take this honest variant of the embedded reference
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Talk to the embedded reference over HTTP
    #[arg(long)]
    http: bool,
}

#[derive(Subcommand)]
enum Subject {
    /// A server: started anew on stdio as sessions need it, or already running over HTTP
    #[command(after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
    Server {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        target: Target,
    },
    /// A client: started anew for each session, it starts its server, which is turncoat
    #[command(after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
    Client {
        #[command(flatten)]
        options: Options,
        /// The client talks HTTP; {url} in its command becomes the server's URL, or that comes last
        #[arg(long)]
        http: bool,
        /// The command that starts the client, behind `--`; {server} becomes the command of the server
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
}

/// Where a server is: a command, or an address.
#[derive(Args)]
struct Target {
    /// A server that is already running, over HTTP
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    url: Option<String>,
    /// Trust the certificates in this file, in PEM, to vouch for the server [default: those of the machine]
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with = "pin")]
    ca: Option<PathBuf>,
    /// Trust the certificate with this SHA-256 and no other
    #[arg(long, value_name = "FINGERPRINT", requires = "url")]
    pin: Option<Fingerprint>,
    /// The command that starts the server, behind `--`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Target {
    fn trust(&self) -> Trust {
        match (&self.ca, &self.pin) {
            (_, Some(pin)) => Trust::Pinned(*pin),
            (Some(file), None) => Trust::Authorities(file.clone()),
            (None, None) => Trust::System,
        }
    }
}

#[derive(Args, Default)]
struct Options {
    /// Check in this revision only (repeatable) [default: all that the subject speaks]
    #[arg(long, value_name = "REV", value_parser = options::revision)]
    revision: Vec<Revision>,
    /// Judge by this kind of rules (repeatable) [default: spec and robustness]
    #[arg(long, value_name = "PROFILE")]
    profile: Vec<ProfileName>,
    /// Run only rules and scripts with such a name; * and ? stand for other characters (repeatable)
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Write a report: human, json or markdown; - is standard output (repeatable)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = options::sink)]
    report: Vec<Sink>,
    /// Findings that are expected, as TOML; what no longer fails fails the run
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The seed of whatever is left to chance
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many sessions run at once [default: twice the number of cores]
    #[arg(long, value_name = "N", value_parser = options::jobs)]
    jobs: Option<usize>,
    /// How long an answer may take [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = options::timeout)]
    timeout: Option<Duration>,
    /// Run one part of the sessions: 1/2 and 2/2 together are all
    #[arg(long, value_name = "I/N", value_parser = options::shard)]
    shard: Option<(u32, u32)>,
    /// Let every failed rule fail the run, SHOULD and hardening too
    #[arg(long)]
    strict: bool,
    /// Call any tool that the subject lists, whatever it may do
    #[arg(long)]
    call_tools: bool,
    /// What the harness may use of the subject, as TOML: fixtures, environment, limits
    #[arg(long, value_name = "FILE")]
    subject: Option<PathBuf>,
    /// Keep the transcript of every session in this folder
    #[arg(long, value_name = "DIR")]
    transcripts: Option<PathBuf>,
}

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::refuse(&error),
    };
    let done = match cli.command {
        Command::Check(check) => dispatch(*check),
        Command::Reference { http, fault, variant } => {
            check::play_reference(http, fault.as_deref(), variant.as_deref())
        }
        Command::Fuzz(fuzz) => fuzz::fuzz(*fuzz),
        Command::Replay(replay) => replay::replay(*replay),
        Command::Limits(limits) => limits::limits(*limits),
        Command::List { what } => list::list(what),
        Command::Serve { script, revision, http } => serve::serve(&script, revision, http),
        Command::Explain { id } => explain::explain(&id),
        Command::Relay { address, token } => Ok(relay::relay(address, &token)),
    };
    match done {
        Ok(code) => code,
        Err(usage) => {
            output::diagnose(&usage.to_string());
            ExitCode::from(USAGE)
        }
    }
}

fn dispatch(check: Check) -> Result<ExitCode, Usage> {
    let Check { subject, options, embedded, client } = check;
    match subject {
        None => check::embedded(options, &embedded, if client { Side::Client } else { Side::Server }),
        Some(Subject::Server { options, target }) => check::server(&options, target),
        Some(Subject::Client { options, http, command }) => check::client(&options, command, http),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_grammar_is_sound() {
        super::Cli::command().debug_assert();
    }
}
