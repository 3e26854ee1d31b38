//! `turncoat explain`: what a rule asks for, or what a script does.

use std::process::ExitCode;

use turncoat::reference::client::CLIENT_FAULTS;
use turncoat::reference::{FAULTS, FaultInfo};
use turncoat::revision::Side;
use turncoat::rules::{self, Rule};
use turncoat::script::Script;
use turncoat_conformance::names::nearest;
use turncoat_conformance::report::clause::Clause;
use turncoat_conformance::report::text::{visible, wrap};

use super::list::{scripts, span};
use super::output;
use super::usage::Usage;

/// Explains whatever has this name.
pub(super) fn explain(id: &str) -> Result<ExitCode, Usage> {
    let scripts = scripts()?;
    let mut page = Page::new();
    if let Some(rule) = rules::find(id) {
        page.rule(rule, scripts);
    } else if let Some(script) = scripts.iter().find(|script| script.name == id) {
        page.script(script);
    } else if has_fault(id) {
        page.faults(id);
    } else if let Some((id, reason)) = rules::unjudged().find(|(unjudged, _)| *unjudged == id) {
        page.head(id, "requirement that is not judged");
        page.field("because", reason);
    } else {
        return Err(unknown(id, scripts));
    }
    match output::result(&page.text) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(Usage::new(format!("cannot write to standard output: {error}"), "")),
    }
}

fn has_fault(id: &str) -> bool {
    FAULTS.iter().any(|fault| fault.id == id) || CLIENT_FAULTS.iter().any(|fault| fault.id == id)
}

fn unknown(id: &str, scripts: &[Script]) -> Usage {
    let known = rules::all()
        .map(|rule| rule.id)
        .chain(scripts.iter().map(|script| script.name.as_str()))
        .chain(FAULTS.iter().map(|fault| fault.id))
        .chain(CLIENT_FAULTS.iter().map(|fault| fault.id))
        .chain(rules::unjudged().map(|(id, _)| id));
    let near: Vec<_> = nearest(id, known).into_iter().map(|near| format!("turncoat explain {near}")).collect();
    let right = match near.is_empty() {
        true => "see turncoat list".to_owned(),
        false => format!("did you mean\n  {}\nsee turncoat list", near.join("\n  ")),
    };
    Usage::new(format!("there is no rule, script or fault `{}`", visible(id)), right)
}

struct Page {
    text: String,
    width: usize,
}

const INDENT: usize = 12;

impl Page {
    fn new() -> Self {
        Self { text: String::new(), width: output::look().width.clamp(40, 100) }
    }

    fn rule(&mut self, rule: &Rule, scripts: &[Script]) {
        let side = match rule.side {
            Some(side) => format!("{side}s"),
            None => "both sides".to_owned(),
        };
        self.head(rule.id, &format!("{}, {side}, {}", rule.level.as_str(), revisions(span(rule.revisions))));
        self.field("requires", rule.requires);
        match Clause::parse(rule.clause) {
            Some(clause) => {
                self.field("clause", &clause.title());
                self.line(&format!("{:INDENT$}{}", "", clause.url()));
            }
            None => self.field("clause", "none: this is no rule of the specification"),
        }
        self.field("judged", rule.judged);
        self.field("untested", &format!("if {}", rule.untested));
        let provoking: Vec<_> =
            scripts.iter().filter(|script| script.provokes.iter().any(|provoked| provoked == rule.id)).collect();
        if provoking.is_empty() {
            self.field("scripts", "none aims at it; every session in which it applies is judged");
        }
        for (position, script) in provoking.iter().enumerate() {
            let label = if position == 0 { "scripts" } else { "" };
            self.field(label, &format!("{}: {}", script.name, script.about));
        }
        let of_servers = FAULTS.iter().map(|fault| (fault.rule, fault.id, fault.about));
        let of_clients = CLIENT_FAULTS.iter().map(|fault| (fault.rule, fault.id, fault.about));
        let caught = of_servers.chain(of_clients).filter(|(caught_by, ..)| *caught_by == rule.id);
        for (position, (_, id, about)) in caught.enumerate() {
            let label = if position == 0 { "catches" } else { "" };
            self.field(label, &format!("{id}: {about}"));
        }
        self.try_only(rule.side.unwrap_or(Side::Server), rule.id);
    }

    fn script(&mut self, script: &Script) {
        self.head(
            &script.name,
            &format!("script against {}s, {}", script.side.other(), revisions(span(script.revisions))),
        );
        self.field("does", &script.about);
        let needs = &script.needs;
        if !needs.capability.is_empty() {
            self.field("needs", &format!("the capability {}", needs.capability.join(".")));
        }
        if let Some(fixture) = &needs.fixture {
            self.field("needs", &format!("the fixture {fixture}, from the subject file"));
        }
        if needs.dual {
            self.field("needs", "a subject of both eras");
        }
        for (position, id) in script.provokes.iter().enumerate() {
            let label = if position == 0 { "provokes" } else { "" };
            let words = match rules::find(id) {
                Some(rule) => format!("{id} ({}): {}", rule.level.as_str(), rule.requires),
                None => id.clone(),
            };
            self.field(label, &words);
        }
        self.try_only(script.side.other(), &script.name);
    }

    /// Both sides may have a fault of this name.
    fn faults(&mut self, id: &str) {
        let of_server = FAULTS.iter().find(|fault| fault.id == id);
        let of_client = CLIENT_FAULTS.iter().find(|fault| fault.id == id);
        if let Some(fault) = of_server {
            self.fault(fault, "server", "turncoat check --fault");
        }
        if of_server.is_some() && of_client.is_some() {
            self.line("");
        }
        if let Some(fault) = of_client {
            self.fault(fault, "client", "turncoat check --client --fault");
        }
    }

    fn fault<F>(&mut self, fault: &FaultInfo<F>, side: &str, switch: &str) {
        self.head(fault.id, &format!("fault of the reference {side}, {}", revisions(span(fault.revisions))));
        self.field("wrong", fault.about);
        let requires = rules::find(fault.rule).map(|rule| format!(": {}", rule.requires)).unwrap_or_default();
        self.field("caught by", &format!("{}{requires}", fault.rule));
        self.example(&format!("{switch} {}", fault.id));
    }

    /// How a subject of this side is asked for one rule or script.
    fn try_only(&mut self, side: Side, name: &str) {
        let command = match side {
            Side::Server => "COMMAND",
            Side::Client => "COMMAND {server}",
        };
        self.example(&format!("turncoat check {side} --only {name} -- {command}"));
    }

    fn head(&mut self, name: &str, kind: &str) {
        for line in wrap(&format!("{name} ({kind})"), self.width) {
            self.line(&line);
        }
        self.line("");
    }

    fn field(&mut self, label: &str, text: &str) {
        let lines = wrap(&visible(text), self.width.saturating_sub(INDENT));
        for (position, line) in lines.iter().enumerate() {
            let label = if position == 0 { label } else { "" };
            self.line(&format!("  {label:<column$}{line}", column = INDENT - 2));
        }
    }

    fn example(&mut self, command: &str) {
        self.line(&format!("  {:<column$}{command}", "try", column = INDENT - 2));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn revisions(span: String) -> String {
    match span.as_str() {
        "all" => "all revisions".to_owned(),
        "legacy" => "all revisions with a handshake".to_owned(),
        _ => span,
    }
}
