//! Running a check and writing its reports.

use std::env;
use std::fs;
use std::io;
use std::iter;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use turncoat::adapter::Adapter;
use turncoat::adapter::child::Process;
use turncoat::adapter::driven::http::DrivenHttp;
use turncoat::adapter::driven::{self, Driven};
use turncoat::adapter::embedded::Embedded;
use turncoat::adapter::embedded_client::EmbeddedClient;
use turncoat::adapter::embedded_client::http::EmbeddedHttpClient;
use turncoat::adapter::host::{self, EmbeddedHttp};
use turncoat::adapter::http::tls::Trust;
use turncoat::adapter::http::url::UrlError;
use turncoat::adapter::http::{self, Url};
use turncoat::adapter::process::kill_all;
use turncoat::reference::client::{self, CLIENT_FAULTS, Conduct};
use turncoat::reference::{Behaviour, FAULTS, FaultInfo, variants};
use turncoat::revision::Side;
use turncoat_conformance::baseline::{Baseline, Coverage};
use turncoat_conformance::names::nearest;
use turncoat_conformance::report::human::{Look, shell};
use turncoat_conformance::report::text::{elide, visible};
use turncoat_conformance::report::verdict::Verdict;
use turncoat_conformance::report::{Outcome, Report, human, json, markdown};
use turncoat_conformance::runner::{self, Plan, Profile, ScriptFile, Selection, Untestable};
use turncoat_conformance::subject_file::SubjectFile;

use super::options::{Format, Sink};
use super::output::{self, diagnose};
use super::progress::Bar;
use super::usage::Usage;
use super::{Options, Target, UNTESTABLE, USAGE};

/// Checks a server.
pub(super) fn server(options: &Options, target: Target) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, USUAL, None)?;
    run(options, &plan, &*server_at(target, subject, "check")?, None)
}

/// Checks a client.
pub(super) fn client(options: &Options, command: Vec<String>, http: bool) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, USUAL, None)?;
    run(options, &plan, &*client_of(command, http, subject, "check")?, None)
}

/// Checks an embedded reference, honest or not.
pub(super) fn embedded(mut options: Options, asked: &super::Embedded, side: Side) -> Result<ExitCode, Usage> {
    let (adapter, meant) = reference_of(asked, side)?;
    let plan = embedded_plan(&options, side, asked.fault.as_deref(), None)?;
    options.strict |= asked.fault.is_some();
    run(&options, &plan, &*adapter, meant)
}

/// The kinds of rules that are usually judged by.
pub(super) const USUAL: &[Profile] = &[Profile::Spec, Profile::Robustness];

/// The server that a command line is about; `verb` is the command, for an example of the right form.
pub(super) fn server_at(target: Target, subject: SubjectFile, verb: &str) -> Result<Box<dyn Adapter>, Usage> {
    let trust = target.trust();
    match target.url {
        Some(url) => {
            let right = format!("turncoat {verb} server --url http://127.0.0.1:3001/mcp");
            Ok(Box::new(http_server(&url, trust, subject, &right)?))
        }
        None if target.command.is_empty() => Err(Usage::new(
            "which server? The command that starts it stands behind `--`, or its URL behind --url",
            format!(
                "turncoat {verb} server -- node build/index.js\n\
                 turncoat {verb} server --url http://127.0.0.1:3001/mcp\n\
                 turncoat {verb} server --revision 2025-11-25 --timeout 5 -- npx -y @scope/my-server /some/folder"
            ),
        )),
        None => {
            let process = Process::server(target.command).with_environment(subject.environment);
            Ok(Box::new(process.with_fixtures(subject.fixtures)))
        }
    }
}

/// The client that a command line is about.
pub(super) fn client_of(
    command: Vec<String>,
    http: bool,
    subject: SubjectFile,
    verb: &str,
) -> Result<Box<dyn Adapter>, Usage> {
    if command.is_empty() {
        let (what, option, word) = if http {
            ("{url} in place of the URL of its server", " --http", "{url}")
        } else {
            ("{server} in place of its server", "", "{server}")
        };
        return Err(Usage::new(
            format!("which client? The command that starts it stands behind `--`, with {what}"),
            format!("turncoat {verb} client{option} -- python driver.py {word}"),
        ));
    }
    if http {
        return Ok(Box::new(DrivenHttp::new(command).with_environment(subject.environment)));
    }
    if !command.iter().any(|word| word.contains(driven::SERVER)) {
        return Err(Usage::new(
            "the client is not told which server to start: its command has no {server}",
            format!("turncoat {verb} client -- {} '{{server}}'", shell(&command)),
        ));
    }
    // This very program, which may have been found by way of a name that means another one to the client.
    let own =
        env::current_exe().map_err(|error| Usage::new(format!("cannot tell which program this is: {error}"), ""))?;
    let relay = vec![own.display().to_string(), "relay".to_owned()];
    Ok(Box::new(Driven::new(command, relay).with_environment(subject.environment)))
}

/// The embedded reference that a command line is about, and the rule that its fault was made for.
pub(super) fn reference_of(asked: &super::Embedded, side: Side) -> Result<(Box<dyn Adapter>, Option<Meant>), Usage> {
    let (fault, variant) = (asked.fault.as_deref(), asked.variant.as_deref());
    Ok(match side {
        Side::Server => {
            let (behaviour, words) = reference(fault, variant)?;
            let meant = fault.and_then(|id| FAULTS.iter().find(|fault| fault.id == id)).map(Meant::of);
            let adapter: Box<dyn Adapter> = match asked.http {
                true => Box::new(EmbeddedHttp::server(behaviour).called(words)),
                false => Box::new(Embedded::server(behaviour).called(words)),
            };
            (adapter, meant)
        }
        Side::Client => {
            let (conduct, words) = reference_client(fault, variant)?;
            let meant = fault.and_then(|id| CLIENT_FAULTS.iter().find(|fault| fault.id == id)).map(Meant::of);
            let adapter: Box<dyn Adapter> = match asked.http {
                true => Box::new(EmbeddedHttpClient::new(conduct).called(words)),
                false => Box::new(EmbeddedClient::new(conduct).called(words)),
            };
            (adapter, meant)
        }
    })
}

/// A server that is already running, with what its vendor tells about it.
pub(super) fn http_server(url: &str, trust: Trust, subject: SubjectFile, right: &str) -> Result<http::Server, Usage> {
    let url: Url = url.parse().map_err(|error: UrlError| Usage::new(visible(&error.to_string()), right))?;
    let server = match (url.is_tls(), trust) {
        (true, trust) => http::Server::secure(url, &trust)
            .map_err(|error| Usage::new(visible(&error.to_string()), "--ca authorities.pem, or --pin SHA256"))?,
        (false, Trust::System) => http::Server::new(url),
        (false, _) => {
            return Err(Usage::new("--ca and --pin are about https URLs, and this one is http", right));
        }
    };
    Ok(server.with_fixtures(subject.fixtures).with_headers(subject.headers))
}

/// How an embedded reference is checked. A fault may be of any kind, so every kind of rule looks for it.
pub(super) fn embedded_plan(
    options: &Options,
    side: Side,
    fault: Option<&str>,
    file: Option<ScriptFile>,
) -> Result<Plan, Usage> {
    if options.subject.is_some() {
        return Err(Usage::new(
            format!("a subject file tells about a {side} of yours; the embedded one needs none"),
            "turncoat check server --subject FILE -- node build/index.js",
        ));
    }
    let all = [Profile::Spec, Profile::Robustness, Profile::Hardening];
    let profiles = if fault.is_some() { &all[..] } else { &all[..2] };
    plan(options, &SubjectFile::default(), profiles, file)
}

/// The rule that a fault was made for.
pub(super) struct Meant {
    fault: &'static str,
    rule: &'static str,
}

impl Meant {
    fn of<F>(fault: &FaultInfo<F>) -> Self {
        Self { fault: fault.id, rule: fault.rule }
    }
}

/// Plays the reference server on the standard streams of this process, or on a port of the loopback interface.
pub(super) fn play_reference(http: Option<u16>, fault: Option<&str>, variant: Option<&str>) -> Result<ExitCode, Usage> {
    let (behaviour, _) = reference(fault, variant)?;
    let code = match http {
        None => turncoat::adapter::stdio::serve(behaviour).unwrap_or(1),
        Some(port) => serve_http(behaviour, port).map_err(|error| {
            Usage::new(format!("cannot serve on port {port}: {error}"), "turncoat reference --http 0")
        })?,
    };
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn serve_http(behaviour: Behaviour, port: u16) -> io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        output::result(&format!("http://{}/mcp\n", listener.local_addr()?))?;
        host::serve(behaviour, listener).await
    })
}

/// A behaviour of the reference server, and the options that mean it.
pub(super) fn reference(fault: Option<&str>, variant: Option<&str>) -> Result<(Behaviour, Vec<String>), Usage> {
    let mut behaviour = match variant {
        None => Behaviour::default(),
        Some(name) => {
            let known = variants().iter().find(|variant| variant.name == name);
            let names = variants().iter().map(|variant| variant.name);
            known.ok_or_else(|| unknown(Side::Server, "variant", name, names))?.behaviour()
        }
    };
    if let Some(id) = fault {
        let ids = FAULTS.iter().map(|fault| fault.id);
        behaviour = behaviour.with_fault(id).map_err(|_| unknown(Side::Server, "fault", id, ids))?;
    }
    Ok((behaviour, words(fault, variant).collect()))
}

/// A conduct of the reference client, and the options that mean it.
fn reference_client(fault: Option<&str>, variant: Option<&str>) -> Result<(Conduct, Vec<String>), Usage> {
    let mut conduct = match variant {
        None => Conduct::default(),
        Some(name) => {
            let known = client::variants().iter().find(|variant| variant.name == name);
            let names = client::variants().iter().map(|variant| variant.name);
            known.ok_or_else(|| unknown(Side::Client, "variant", name, names))?.conduct()
        }
    };
    if let Some(id) = fault {
        let ids = CLIENT_FAULTS.iter().map(|fault| fault.id);
        conduct = conduct.with_fault(id).map_err(|_| unknown(Side::Client, "fault", id, ids))?;
    }
    let words = iter::once("--client".to_owned()).chain(words(fault, variant)).collect();
    Ok((conduct, words))
}

/// The options of an embedded reference.
fn words<'a>(fault: Option<&'a str>, variant: Option<&'a str>) -> impl Iterator<Item = String> + use<'a> {
    let options = [("--variant", variant), ("--fault", fault)];
    options.into_iter().filter_map(|(option, name)| Some([option.to_owned(), name?.to_owned()])).flatten()
}

fn unknown<'a>(side: Side, kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Usage {
    let verb = match side {
        Side::Server => "turncoat check",
        Side::Client => "turncoat check --client",
    };
    let near: Vec<_> = nearest(name, known).into_iter().map(|near| format!("{verb} --{kind} {near}")).collect();
    let right = if near.is_empty() { String::new() } else { format!("did you mean\n  {}\n", near.join("\n  ")) };
    Usage::new(
        format!("the reference {side} has no {kind} `{}`", visible(name)),
        format!("{right}see turncoat list {kind}s"),
    )
}

pub(super) fn subject_file(path: Option<&Path>) -> Result<SubjectFile, Usage> {
    let Some(path) = path else { return Ok(SubjectFile::default()) };
    SubjectFile::read(path).map_err(|mistake| Usage::new(mistake.to_string(), ""))
}

pub(super) fn plan(
    options: &Options,
    subject: &SubjectFile,
    profiles: &[Profile],
    file: Option<ScriptFile>,
) -> Result<Plan, Usage> {
    let defaults = Plan::default();
    let chosen: Vec<_> = options.profile.iter().map(|name| name.profile()).collect();
    let plan = Plan {
        revisions: options.revision.clone(),
        only: options.only.clone(),
        profiles: if chosen.is_empty() { profiles.to_vec() } else { chosen },
        seed: options.seed,
        jobs: options.jobs.or(subject.limits.jobs),
        timeout: options.timeout.or(subject.limits.timeout).unwrap_or(defaults.timeout),
        shard: options.shard,
        call_tools: options.call_tools,
        transcripts: options.transcripts.clone(),
        replay_options: replay_options(options),
        file,
    };
    match Selection::of(&plan) {
        Err(why) => Err(Usage::new(visible(&why), only_advice(&plan.only))),
        Ok(selection) if selection.rules.is_empty() => Err(Usage::new(
            "--only and --profile together leave no rule to judge by",
            "hardening rules need their profile: turncoat check server --profile hardening -- COMMAND",
        )),
        Ok(_) => Ok(plan),
    }
}

/// What a replay must repeat to be the same session under the same rules.
fn replay_options(options: &Options) -> Vec<String> {
    let mut words = Vec::new();
    for profile in &options.profile {
        words.extend(["--profile".to_owned(), profile.as_str().to_owned()]);
    }
    if let Some(timeout) = options.timeout {
        words.extend(["--timeout".to_owned(), timeout.as_secs_f64().to_string()]);
    }
    if options.call_tools {
        words.push("--call-tools".to_owned());
    }
    if let Some(file) = &options.subject {
        words.extend(["--subject".to_owned(), shell(&[file.display().to_string()])]);
    }
    words
}

fn only_advice(only: &[String]) -> String {
    let scripts = turncoat::script::corpus::all().unwrap_or_default();
    let names = || turncoat::rules::all().map(|rule| rule.id).chain(scripts.iter().map(|script| script.name.as_str()));
    let near: Vec<_> = only.iter().flat_map(|glob| nearest(glob, names())).take(3).collect();
    match near.as_slice() {
        [] => "turncoat check server --only 'jsonrpc.*' -- node build/index.js".to_owned(),
        near => format!("did you mean {}?", near.join(", ")),
    }
}

pub(super) fn run(
    options: &Options,
    plan: &Plan,
    adapter: &dyn Adapter,
    meant: Option<Meant>,
) -> Result<ExitCode, Usage> {
    let outlet = Outlet::of(options, coverage(options, plan))?;
    if let Some(folder) = &plan.transcripts {
        fs::create_dir_all(folder).map_err(|error| {
            Usage::new(format!("cannot keep transcripts in {}: {error}", folder.display()), "--transcripts DIR")
        })?;
    }
    let bar = Bar::new();
    heed_interrupts(bar.aside());
    let checked = runner::check(plan, adapter, &bar, &STOP);
    bar.clear();
    let report = match checked {
        Ok(report) => report,
        Err(_) if STOP.load(Ordering::Relaxed) => {
            diagnose("interrupted before anything was known");
            return Ok(ExitCode::from(Verdict::Interrupted.exit_code()));
        }
        Err(untestable) => return Ok(give_up(&untestable)),
    };
    Ok(outlet.finish(options, report, meant))
}

/// Where a report goes, and what it is held against: looked at before a long run begins.
pub(super) struct Outlet {
    baseline: Baseline,
    coverage: Coverage,
    sinks: Vec<Sink>,
}

impl Outlet {
    pub(super) fn of(options: &Options, coverage: Coverage) -> Result<Self, Usage> {
        let baseline = match &options.baseline {
            None => Baseline::default(),
            Some(path) => Baseline::read(path).map_err(|mistake| Usage::new(mistake.to_string(), ""))?,
        };
        Ok(Self { baseline, coverage, sinks: sinks(&options.report)? })
    }

    /// Writes the report; gives the exit status.
    pub(super) fn finish(self, options: &Options, mut report: Report, meant: Option<Meant>) -> ExitCode {
        let Self { baseline, coverage, sinks } = self;
        report.strict = options.strict;
        baseline.apply(&mut report, coverage);
        let written = deliver(&sinks, &report.headline(), |format, look| match format {
            Format::Human => human::render(&report, look),
            Format::Json => json::render(&report),
            Format::Markdown => markdown::render(&report),
        });
        let mut code = report.verdict().exit_code();
        if let Some(fault) = meant {
            let failed = report.rules.iter().any(|rule| rule.rule == fault.rule && rule.outcome == Outcome::Fail);
            // Some faults are of a kind that a clause leaves open: their rule warns, and that is what it is meant to do.
            let warned = report.warnings.iter().any(|warning| warning.rule == fault.rule);
            let caught = match (failed, warned) {
                (true, _) => "it did",
                (false, true) => "it did, by a warning",
                (false, false) => "it did not",
            };
            diagnose(&format!("{} is what {} must catch, and {caught}", fault.fault, fault.rule));
            if warned {
                code = 1;
            }
        }
        if written { ExitCode::from(code) } else { ExitCode::from(USAGE) }
    }
}

fn coverage(options: &Options, plan: &Plan) -> Coverage {
    match options {
        _ if plan.file.is_some() => Coverage::Part,
        Options { only, shard, .. } if !only.is_empty() || shard.is_some() => Coverage::Part,
        Options { revision, .. } if !revision.is_empty() => Coverage::SomeRevisions,
        _ => Coverage::Whole,
    }
}

/// Where reports go. The one for people goes to standard output unless another one does, or it has a file.
pub(super) fn sinks(asked: &[Sink]) -> Result<Vec<Sink>, Usage> {
    for (position, sink) in asked.iter().enumerate() {
        if asked.iter().take(position).any(|earlier| earlier.path == sink.path) {
            let place = sink.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
            return Err(Usage::new(
                format!("two reports cannot both go to {place}"),
                "--report json=report.json --report markdown=-",
            ));
        }
        let Some(path) = &sink.path else { continue };
        // Better now than at the end of a long run.
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        if !folder.is_dir() || path.is_dir() {
            let place = if path.is_dir() { path } else { folder };
            let what = if path.is_dir() { "is a folder" } else { "is no folder" };
            return Err(Usage::new(
                format!("cannot write a report to {}: {} {what}", path.display(), place.display()),
                "--report json=report.json",
            ));
        }
    }
    let mut sinks = asked.to_vec();
    if !asked.iter().any(|sink| sink.path.is_none() || sink.format == Format::Human) {
        sinks.push(Sink { format: Format::Human, path: None });
    }
    Ok(sinks)
}

/// Writes every report; gives whether all could be written.
pub(super) fn deliver(sinks: &[Sink], headline: &str, render: impl Fn(Format, Look) -> String) -> bool {
    let mut all = true;
    for Sink { format, path } in sinks {
        let look = if path.is_none() { output::look() } else { Look { width: 100, colour: false } };
        let text = render(*format, look);
        let (written, place) = match path {
            Some(path) => (fs::write(path, text), path.display().to_string()),
            None => (output::result(&text), "standard output".to_owned()),
        };
        if let Err(error) = written {
            diagnose(&format!("error: cannot write the report to {place}: {error}"));
            all = false;
        }
    }
    let told = sinks.iter().any(|sink| sink.format == Format::Human && sink.path.is_none());
    if !told {
        diagnose(headline);
    }
    let files: Vec<&PathBuf> = sinks.iter().filter_map(|sink| sink.path.as_ref()).collect();
    if all && !files.is_empty() {
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        diagnose(&format!("written: {}", files.join(", ")));
    }
    all
}

/// How much of a subject's standard error is shown.
const STDERR_LINES: usize = 20;
const STDERR_COLUMNS: usize = 300;

pub(super) fn give_up(Untestable { why, stderr }: &Untestable) -> ExitCode {
    diagnose(&format!("error: the subject could not be tested: {}", elide(&visible(why), 1000)));
    let lines: Vec<_> = stderr.lines().collect();
    if !lines.is_empty() {
        diagnose("\nits standard error:");
        let skipped = lines.len().saturating_sub(STDERR_LINES);
        if skipped > 0 {
            diagnose(&format!("  ({skipped} lines before)"));
        }
        for line in lines.iter().skip(skipped) {
            diagnose(&format!("  {}", elide(&visible(line), STDERR_COLUMNS)));
        }
    }
    ExitCode::from(UNTESTABLE)
}

/// A run is to stop with what it knows.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

/// The first signal to end asks the run to stop with what it knows, the second ends the process and all that it started.
/// Returns once they are heard.
pub(super) fn heed_interrupts(say: impl Fn(&str) + Send + 'static) {
    let (listening, heard) = mpsc::channel::<()>();
    thread::spawn(move || {
        // Without a runtime the system's own way stays: a signal ends the process at once.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let listen = |kind| signal(kind).ok();
            let (mut interrupt, mut terminate, mut hang_up) =
                (listen(SignalKind::interrupt()), listen(SignalKind::terminate()), listen(SignalKind::hangup()));
            drop(listening);
            let mut next = async || {
                tokio::select! {
                    () = arrival(&mut interrupt) => {}
                    () = arrival(&mut terminate) => {}
                    () = arrival(&mut hang_up) => {}
                }
            };
            next().await;
            STOP.store(true, Ordering::Relaxed);
            say("stopping, and reporting what is known; Ctrl-C again ends at once");
            next().await;
            kill_all();
            std::process::exit(i32::from(Verdict::Interrupted.exit_code()));
        });
    });
    // The other end is dropped when it listens, or when it never will.
    let _ = heard.recv();
}

async fn arrival(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
