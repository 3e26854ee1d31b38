//! Every rule against the transcripts in `corpus/transcripts/<rule id>.txt`, one named test a case.
//!
//! A file is a list of cases. A case begins with a line `== VERDICT REVISIONS: what it shows`, where VERDICT is `keeps`,
//! `breaks`, `warns` or `untested`, and REVISIONS is `all` (of the rule), `legacy`, `modern` or a list of revisions
//! separated by commas. What follows is a sketch of a session (`turncoat::transcript::sketch`).

use std::path::{Path, PathBuf};
use std::{fs, io};

use libtest_mimic::{Arguments, Failed, Trial};
use turncoat::revision::{Revision, Revisions};
use turncoat::rules::{self, Rule};
use turncoat::session::Session;
use turncoat::transcript::sketch;

fn main() -> io::Result<()> {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/transcripts");
    let mut trials = Vec::new();
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|file| file.map(|file| file.path())).collect::<Result<_, _>>()?;
    files.sort();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        match rules::find(&name) {
            Some(rule) => trials.extend(cases(rule, &text)),
            None => trials.push(Trial::test(name.clone(), move || Err(format!("no rule has the id {name}").into()))),
        }
    }
    for rule in rules::all() {
        let id = rule.id;
        let file = folder.join(format!("{id}.txt"));
        trials.push(Trial::test(format!("{id}/has-both"), move || {
            let text = fs::read_to_string(&file).map_err(|_| format!("corpus/transcripts/{id}.txt is missing"))?;
            let kept = text.lines().any(|line| line.starts_with("== keeps "));
            let broken = text.lines().any(|line| line.starts_with("== breaks ") || line.starts_with("== warns "));
            if kept && broken {
                Ok(())
            } else {
                Err("needs a transcript that keeps the rule and one that breaks it".into())
            }
        }));
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn cases(rule: &'static Rule, text: &str) -> Vec<Trial> {
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("== ") {
            cases.push((head.to_owned(), String::new()));
        } else if let Some((_, body)) = cases.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    cases
        .into_iter()
        .map(|(head, body)| {
            let name = format!("{}/{}", rule.id, head.replace(' ', "-"));
            Trial::test(name, move || judge(rule, &head, &body))
        })
        .collect()
}

fn judge(rule: &Rule, head: &str, body: &str) -> Result<(), Failed> {
    let (what, _) = head.split_once(':').ok_or("a case begins with `== VERDICT REVISIONS: what it shows`")?;
    let (expected, revisions) = what.trim().split_once(' ').ok_or("a case names its verdict and its revisions")?;
    let revisions = match revisions.trim() {
        "all" => rule.revisions,
        "legacy" => rule.revisions.and(Revisions::LEGACY),
        "modern" => rule.revisions.and(Revisions::MODERN),
        list => list.split(',').map(|one| one.trim().parse::<Revision>()).collect::<Result<_, _>>()?,
    };
    if revisions.is_empty() {
        return Err("the rule holds in none of these revisions".into());
    }
    for revision in revisions.iter() {
        let transcript = sketch::server(revision, body)?;
        let session = Session::new(&transcript);
        let verdict = (rule.judge)(session.view(revision));
        let found = match &verdict {
            _ if !verdict.breaches.is_empty() => "breaks",
            _ if !verdict.warnings.is_empty() => "warns",
            _ if verdict.checked > 0 => "keeps",
            _ => "untested",
        };
        if found != expected {
            return Err(format!("{revision}: expected {expected}, found {found}: {verdict:#?}").into());
        }
    }
    Ok(())
}
