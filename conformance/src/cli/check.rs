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
use turncoat::adapter::driven::Driven;
use turncoat::adapter::driven::http::DrivenHttp;
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
use turncoat_conformance::report::{Outcome, human, json, markdown};
use turncoat_conformance::runner::{self, Plan, Profile, Selection, Untestable};
use turncoat_conformance::subject_file::SubjectFile;

use super::options::{Format, Sink};
use super::output::{self, diagnose};
use super::progress::Bar;
use super::usage::Usage;
use super::{Options, UNTESTABLE, USAGE};

/// Checks a server on stdio.
pub(super) fn server(options: &Options, command: Vec<String>) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, &[Profile::Spec, Profile::Robustness])?;
    let process =
        Process::server(command).with_environment(subject.environment.clone()).with_fixtures(subject.fixtures);
    run(options, &plan, &process, None)
}

/// Checks a client that starts its server.
pub(super) fn client_on_stdio(options: &Options, command: Vec<String>) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, &[Profile::Spec, Profile::Robustness])?;
    // This very program, which may have been found by way of a name that means another one to the client.
    let own =
        env::current_exe().map_err(|error| Usage::new(format!("cannot tell which program this is: {error}"), ""))?;
    let relay = vec![own.display().to_string(), "relay".to_owned()];
    let client = Driven::new(command, relay).with_environment(subject.environment);
    run(options, &plan, &client, None)
}

/// Checks a client that comes over HTTP.
pub(super) fn http_client(options: &Options, command: Vec<String>) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, &[Profile::Spec, Profile::Robustness])?;
    let client = DrivenHttp::new(command).with_environment(subject.environment);
    run(options, &plan, &client, None)
}

/// Checks a server that is already running, over HTTP.
pub(super) fn server_at(options: &Options, url: &str, trust: Trust) -> Result<ExitCode, Usage> {
    let subject = subject_file(options.subject.as_deref())?;
    let plan = plan(options, &subject, &[Profile::Spec, Profile::Robustness])?;
    let server = http_server(url, trust, subject, "turncoat check server --url http://127.0.0.1:3001/mcp")?;
    run(options, &plan, &server, None)
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

/// Checks the reference server of this tool, honest or not.
pub(super) fn embedded(mut options: Options, asked: &super::Embedded) -> Result<ExitCode, Usage> {
    let fault = asked.fault.as_deref();
    let (behaviour, words) = reference(fault, asked.variant.as_deref())?;
    let meant = fault.and_then(|id| FAULTS.iter().find(|fault| fault.id == id)).map(Meant::of);
    let plan = embedded_plan(&options, Side::Server, fault)?;
    options.strict |= fault.is_some();
    if asked.http {
        return run(&options, &plan, &EmbeddedHttp::server(behaviour).called(words), meant);
    }
    run(&options, &plan, &Embedded::server(behaviour).called(words), meant)
}

/// Checks the reference client of this tool, honest or not.
pub(super) fn embedded_client(mut options: Options, asked: &super::Embedded) -> Result<ExitCode, Usage> {
    let fault = asked.fault.as_deref();
    let (conduct, words) = reference_client(fault, asked.variant.as_deref())?;
    let meant = fault.and_then(|id| CLIENT_FAULTS.iter().find(|fault| fault.id == id)).map(Meant::of);
    let plan = embedded_plan(&options, Side::Client, fault)?;
    options.strict |= fault.is_some();
    if asked.http {
        return run(&options, &plan, &EmbeddedHttpClient::new(conduct).called(words), meant);
    }
    run(&options, &plan, &EmbeddedClient::new(conduct).called(words), meant)
}

/// How an embedded reference is checked. A fault may be of any kind, so every kind of rule looks for it.
fn embedded_plan(options: &Options, side: Side, fault: Option<&str>) -> Result<Plan, Usage> {
    if options.subject.is_some() {
        return Err(Usage::new(
            format!("a subject file tells about a {side} of yours; the embedded one needs none"),
            "turncoat check server --subject FILE -- node build/index.js",
        ));
    }
    let all = [Profile::Spec, Profile::Robustness, Profile::Hardening];
    let profiles = if fault.is_some() { &all[..] } else { &all[..2] };
    plan(options, &SubjectFile::default(), profiles)
}

/// The rule that a fault was made for.
struct Meant {
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

fn plan(options: &Options, subject: &SubjectFile, profiles: &[Profile]) -> Result<Plan, Usage> {
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

fn run(options: &Options, plan: &Plan, adapter: &dyn Adapter, meant: Option<Meant>) -> Result<ExitCode, Usage> {
    let baseline = match &options.baseline {
        None => Baseline::default(),
        Some(path) => Baseline::read(path).map_err(|mistake| Usage::new(mistake.to_string(), ""))?,
    };
    let sinks = sinks(&options.report)?;
    if let Some(folder) = &plan.transcripts {
        fs::create_dir_all(folder).map_err(|error| {
            Usage::new(format!("cannot keep transcripts in {}: {error}", folder.display()), "--transcripts DIR")
        })?;
    }
    let bar = Bar::new();
    heed_interrupts(bar.aside());
    let checked = runner::check(plan, adapter, &bar, &STOP);
    bar.clear();
    let mut report = match checked {
        Ok(report) => report,
        Err(_) if STOP.load(Ordering::Relaxed) => {
            diagnose("interrupted before anything was known");
            return Ok(ExitCode::from(Verdict::Interrupted.exit_code()));
        }
        Err(untestable) => return Ok(give_up(&untestable)),
    };
    report.strict = options.strict;
    baseline.apply(&mut report, coverage(options));
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
    Ok(if written { ExitCode::from(code) } else { ExitCode::from(USAGE) })
}

fn coverage(options: &Options) -> Coverage {
    match options {
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
