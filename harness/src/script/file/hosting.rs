//! The keys of a script that plays the server.
//!
//! - `wrapping`: those that are about HTTP

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;

use super::{Mistake, WrittenStep, understand_step};
use crate::reference::http::HttpReading;
use crate::revision::Revision;
use crate::script::hosting::{Act, Feature, Hosting, Move, Reply, Timing, Trigger};
use crate::script::{Edits, Step};
use crate::user::{self, Wish};

mod wrapping;

use wrapping::WrittenWrapping;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenServer {
    scenario: Option<String>,
    user: Option<Vec<Wish>>,
    #[serde(default)]
    speaks: Vec<Revision>,
    #[serde(default)]
    without: BTreeSet<Feature>,
    page: Option<usize>,
    #[serde(default)]
    patient: bool,
    #[serde(default)]
    http: Vec<HttpReading>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenMove {
    on: Spanned<String>,
    name: Option<String>,
    nth: Option<u32>,
    from: Option<u32>,
    until: Option<u32>,
    #[serde(default)]
    set: BTreeMap<String, Json>,
    #[serde(default)]
    drop: Vec<String>,
    text: Option<String>,
    #[serde(default)]
    timing: Timing,
    split: Option<u32>,
    newline: Option<bool>,
    honest: Option<bool>,
    #[serde(default)]
    http: WrittenWrapping,
    #[serde(default)]
    before: Vec<Spanned<WrittenStep>>,
    #[serde(default)]
    after: Vec<Spanned<WrittenStep>>,
}

/// The scenario of scripts that name none: drivers know it, and it makes them use a tool.
const SCENARIO: &str = "tools_call";

pub(super) fn understand(server: WrittenServer, moves: Vec<WrittenMove>) -> Result<Hosting, Mistake> {
    Ok(Hosting {
        scenario: server.scenario.unwrap_or_else(|| SCENARIO.to_owned()),
        wishes: server.user.unwrap_or_else(user::usual),
        speaks: server.speaks.into_iter().collect(),
        without: server.without,
        page: server.page,
        moves: moves.into_iter().map(WrittenMove::understand).collect::<Result<_, _>>()?,
        patient: server.patient,
        http: server.http,
        has_canary: false,
    })
}

impl WrittenMove {
    fn understand(self) -> Result<Move, Mistake> {
        let wrong = |what: &str| Mistake { span: self.on.span(), what: what.to_owned() };
        let (first, last) = match (self.nth, self.from, self.until) {
            (Some(nth), None, None) => (nth, nth),
            (None, from, until) => (from.unwrap_or(1), until.unwrap_or(u32::MAX)),
            _ => return Err(wrong("`nth` excludes `from` and `until`")),
        };
        if first == 0 || first > last {
            return Err(wrong("the first message has the number 1, and `from` comes before `until`"));
        }
        let edits = Edits { set: self.set, drop: self.drop, input: None };
        if self.text.is_some() && !edits.is_empty() {
            return Err(wrong("`text` excludes `set` and `drop`"));
        }
        let changed = self.text.is_some() || !edits.is_empty() || self.timing != Timing::Now;
        let odd = changed || self.newline == Some(false);
        let answer = Reply {
            edits,
            text: self.text,
            timing: self.timing,
            split: self.split.unwrap_or(1),
            unended: self.newline == Some(false),
            honest: self.honest.unwrap_or(!odd),
            http: self.http.understand(self.honest).map_err(|what| wrong(&what))?,
        };
        let trigger = Trigger { method: self.on.into_inner(), name: self.name, first, last };
        Ok(Move { on: trigger, before: acts(self.before)?, answer, after: acts(self.after)? })
    }
}

fn acts(written: Vec<Spanned<WrittenStep>>) -> Result<Vec<Act>, Mistake> {
    written.into_iter().map(act).collect()
}

fn act(step: Spanned<WrittenStep>) -> Result<Act, Mistake> {
    let span = step.get_ref().r#do.span();
    let wrong = |what: String| Mistake { span: span.clone(), what };
    let kind = step.get_ref().r#do.get_ref().as_str();
    let key = match kind {
        "stderr" => "text",
        "exit" => "status",
        _ => {
            return match understand_step(step)? {
                Step::Say(say) => Ok(Act::Say(say)),
                Step::Fence => Ok(Act::Fence),
                _ => Err(wrong("a server does nothing but request, notify, send, stderr, fence and exit".to_owned())),
            };
        }
    };
    if let Some(other) = step.get_ref().keys().into_iter().find(|other| *other != key) {
        return Err(wrong(format!("key `{other}` does not belong to `do = \"{kind}\"`")));
    }
    let WrittenStep { text, status, .. } = step.into_inner();
    let act = text.map(Act::Stderr).or(status.map(Act::Exit));
    act.ok_or_else(|| wrong(format!("key `{key}` is missing")))
}
