//! Reading and writing a script file.

use std::collections::BTreeMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;

use super::{Answer, Carriage, Edits, Hello, Input, Mirrored, Needs, Opening, Request, Say, Script, Step, What};
use crate::arguments::Spoil;
use crate::revision::{Era, Revision, Revisions, Side};
use crate::transcript::{Transport, Transports};

mod hosting;
mod write;

pub use write::write;

/// The version of the format. Files that name none are of the first one; newer ones are refused, older ones read for good.
pub const FORMAT: u32 = 1;

/// A file that is no script: where, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct ScriptError {
    /// The name of the file as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there, with the key.
    pub what: String,
}

/// Reads the text of a script file.
///
/// # Errors
///
/// The first mistake, with its line and the offending key.
pub fn read(file: &str, name: &str, text: &str) -> Result<Script, ScriptError> {
    let fail = |span: Option<Range<usize>>, what: String| {
        let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ScriptError { file: file.to_owned(), line, column, what }
    };
    let written: Written = toml::from_str(text).map_err(|error| fail(error.span(), error.message().to_owned()))?;
    let mut script = written.understand(name).map_err(|Mistake { span, what }| fail(Some(span), what))?;
    script.hosting.has_canary = text.contains("${canary:");
    Ok(script)
}

/// A mistake that the syntax allows.
struct Mistake {
    span: Range<usize>,
    what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: Option<Spanned<u32>>,
    about: String,
    provokes: Vec<String>,
    #[serde(default = "client")]
    side: Side,
    revisions: Option<Spanned<Vec<Revision>>>,
    eras: Option<Vec<Era>>,
    transports: Option<Vec<Transport>>,
    #[serde(default)]
    needs: WrittenNeeds,
    #[serde(default)]
    open: Opening,
    #[serde(default = "yes")]
    listens: bool,
    #[serde(default)]
    client: WrittenClient,
    #[serde(default)]
    hello: WrittenHello,
    #[serde(default)]
    answer: BTreeMap<String, Answer>,
    #[serde(default)]
    step: Vec<Spanned<WrittenStep>>,
    #[serde(default)]
    server: hosting::WrittenServer,
    #[serde(default)]
    r#move: Vec<hosting::WrittenMove>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNeeds {
    #[serde(default)]
    capability: Vec<String>,
    fixture: Option<String>,
    #[serde(default)]
    dual: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClient {
    capabilities: Option<Json>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHello {
    version: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Json>,
    #[serde(default)]
    drop: Vec<String>,
    #[serde(default)]
    http: Carriage,
}

/// Every key that any step may have; [`WrittenStep::understand`] says which go together.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    r#do: Spanned<String>,
    method: Option<String>,
    params: Option<Json>,
    id: Option<Json>,
    set: Option<BTreeMap<String, Json>>,
    drop: Option<Vec<String>>,
    wait: Option<bool>,
    honest: Option<bool>,
    repeat: Option<u32>,
    split: Option<u32>,
    newline: Option<bool>,
    text: Option<String>,
    base64: Option<String>,
    progress: Option<Json>,
    tool: Option<String>,
    arguments: Option<serde_json::Map<String, Json>>,
    spoil: Option<String>,
    mirrored: Option<Mirrored>,
    clients: Option<u32>,
    input: Option<Input>,
    pages: Option<u32>,
    with: Option<Answer>,
    version: Option<String>,
    steps: Option<Vec<Spanned<Self>>>,
    http: Option<Carriage>,
    stream: Option<String>,
    status: Option<i32>,
}

fn client() -> Side {
    Side::Client
}

fn yes() -> bool {
    true
}

impl Written {
    fn understand(self, name: &str) -> Result<Script, Mistake> {
        if let Some(format) = self.format.as_ref().filter(|format| !(1..=FORMAT).contains(format.get_ref())) {
            let what = format!("`format` is {}, and this version of turncoat reads up to {FORMAT}", format.get_ref());
            return Err(Mistake { span: format.span(), what });
        }
        let revisions = match (&self.revisions, &self.eras) {
            (Some(revisions), Some(_)) => {
                let what = "`revisions` and `eras` exclude each other".to_owned();
                return Err(Mistake { span: revisions.span(), what });
            }
            (Some(revisions), None) => revisions.get_ref().iter().copied().collect(),
            (None, Some(eras)) => Revisions::ALL.iter().filter(|revision| eras.contains(&revision.era())).collect(),
            (None, None) => Revisions::ALL,
        };
        let mut steps = Vec::new();
        for step in self.step {
            steps.extend(understand_for_each_client(step)?);
        }
        Ok(Script {
            name: name.to_owned(),
            about: self.about,
            side: self.side,
            revisions,
            provokes: self.provokes,
            transports: self.transports.map_or(Transports::BOTH, |transports| transports.into_iter().collect()),
            needs: Needs { capability: self.needs.capability, fixture: self.needs.fixture, dual: self.needs.dual },
            open: self.open,
            listens: self.listens,
            capabilities: self.client.capabilities.unwrap_or_else(|| Json::Object(serde_json::Map::new())),
            hello: Hello {
                version: self.hello.version,
                edits: Edits { set: self.hello.set, drop: self.hello.drop, input: None },
                http: self.hello.http,
            },
            answers: self.answer,
            steps,
            hosting: hosting::understand(self.server, self.r#move)?,
        })
    }
}

/// The most clients of one step.
const MOST_CLIENTS: u32 = 64;

/// A step, or if it has the key `clients` one for each of so many clients, from the second on.
fn understand_for_each_client(step: Spanned<WrittenStep>) -> Result<Vec<Step>, Mistake> {
    let span = step.get_ref().r#do.span();
    let mut written = step.into_inner();
    let Some(clients) = written.clients.take() else {
        return Ok(vec![understand_step(Spanned::new(span, written))?]);
    };
    if clients > MOST_CLIENTS {
        let what = format!("`clients` is more than {MOST_CLIENTS}");
        return Err(Mistake { span, what });
    }
    (1..=clients).map(|client| understand_step(Spanned::new(span.clone(), written.of_client(client)))).collect()
}

/// Puts the number of a client in the place of `${client}` in every text.
fn filled(value: &mut Json, client: u32) {
    match value {
        Json::String(text) => *text = text.replace("${client}", &client.to_string()),
        Json::Array(items) => items.iter_mut().for_each(|item| filled(item, client)),
        Json::Object(members) => members.values_mut().for_each(|member| filled(member, client)),
        _ => {}
    }
}

fn understand_step(step: Spanned<WrittenStep>) -> Result<Step, Mistake> {
    let span = step.get_ref().r#do.span();
    step.into_inner().understand().map_err(|what| match what {
        Wrong::Here(what) => Mistake { span, what },
        Wrong::Inside(mistake) => mistake,
    })
}

enum Wrong {
    Here(String),
    Inside(Mistake),
}

impl From<Mistake> for Wrong {
    fn from(mistake: Mistake) -> Self {
        Self::Inside(mistake)
    }
}

const SAYING: &[&str] = &["wait", "honest", "repeat", "split", "newline", "http"];

impl WrittenStep {
    /// The same step, said by one of several clients.
    fn of_client(&self, client: u32) -> Self {
        let mut step = self.clone();
        step.http.get_or_insert_default().client = client;
        let params = step.params.iter_mut().chain(step.set.iter_mut().flat_map(BTreeMap::values_mut));
        let params = params.chain(step.progress.iter_mut());
        params
            .chain(step.arguments.iter_mut().flat_map(serde_json::Map::values_mut))
            .for_each(|value| filled(value, client));
        step.text = step.text.map(|text| text.replace("${client}", &client.to_string()));
        step
    }

    fn understand(mut self) -> Result<Step, Wrong> {
        let kind = self.r#do.get_ref().clone();
        let allowed: &[&str] = match kind.as_str() {
            "request" => &["method", "params", "id", "set", "drop", "input", "progress"],
            "notify" => &["method", "params", "set", "drop"],
            "call" => &["tool", "text", "arguments", "spoil", "mirrored", "id", "set", "drop", "input", "progress"],
            "send" => &["text", "base64"],
            "burst" | "batch" => &["steps"],
            "walk" => &["method", "pages"],
            "until" | "each" => &["method"],
            "answer" => &["method", "with"],
            "handshake" => &["version", "set", "drop", "http"],
            "http" => &["http", "text", "wait", "honest"],
            "disconnect" => &["stream"],
            "resume" => &["stream", "http"],
            "collect" | "fence" | "stop-reading" | "read-on" | "close" => &[],
            other => {
                let known = "request, notify, call, send, burst, batch, walk, each, answer, until, collect, fence, \
                             handshake, http, disconnect, resume, stop-reading, read-on, close";
                return Err(Wrong::Here(format!("unknown `do = \"{other}\"`; known are {known}")));
            }
        };
        let saying = matches!(kind.as_str(), "request" | "notify" | "call" | "send");
        if let Some(key) =
            self.keys().into_iter().find(|key| !(allowed.contains(key) || saying && SAYING.contains(key)))
        {
            return Err(Wrong::Here(format!("key `{key}` does not belong to `do = \"{kind}\"`")));
        }
        Ok(match kind.as_str() {
            "burst" => Step::Burst(self.inner()?),
            "batch" => Step::Batch(self.inner()?),
            "walk" => Step::Walk { method: self.method()?, pages: self.pages.unwrap_or(50) },
            "until" => Step::Until { method: self.method()? },
            "each" => Step::Each { method: self.each()? },
            "answer" => {
                let with = self.with.take().ok_or_else(|| Wrong::Here("key `with` is missing".to_owned()))?;
                Step::Answer { method: self.method()?, with }
            }
            "collect" => Step::Collect,
            "fence" => Step::Fence,
            "stop-reading" => Step::StopReading,
            "read-on" => Step::ReadOn,
            "close" => Step::Close,
            "handshake" => Step::Handshake(Hello {
                version: self.version.take(),
                edits: self.edits(),
                http: self.http.take().unwrap_or_default(),
            }),
            "http" => {
                let http = self.http.take().ok_or_else(|| Wrong::Here("key `http` is missing".to_owned()))?;
                let (wait, honest) = (self.wait.unwrap_or(true), self.honest.unwrap_or(false));
                Step::Http(Request { http, body: self.text.take(), wait, honest })
            }
            "disconnect" => Step::Disconnect { stream: self.stream()? },
            "resume" => Step::Resume { stream: self.stream()?, http: self.http.take().unwrap_or_default() },
            _ => Step::Say(self.say(&kind)?),
        })
    }

    fn keys(&self) -> Vec<&'static str> {
        [
            ("method", self.method.is_some()),
            ("params", self.params.is_some()),
            ("id", self.id.is_some()),
            ("set", self.set.is_some()),
            ("drop", self.drop.is_some()),
            ("wait", self.wait.is_some()),
            ("honest", self.honest.is_some()),
            ("repeat", self.repeat.is_some()),
            ("split", self.split.is_some()),
            ("newline", self.newline.is_some()),
            ("text", self.text.is_some()),
            ("base64", self.base64.is_some()),
            ("progress", self.progress.is_some()),
            ("tool", self.tool.is_some()),
            ("arguments", self.arguments.is_some()),
            ("spoil", self.spoil.is_some()),
            ("mirrored", self.mirrored.is_some()),
            ("input", self.input.is_some()),
            ("pages", self.pages.is_some()),
            ("with", self.with.is_some()),
            ("version", self.version.is_some()),
            ("steps", self.steps.is_some()),
            ("http", self.http.is_some()),
            ("stream", self.stream.is_some()),
            ("status", self.status.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, present)| present.then_some(key))
        .collect()
    }

    fn method(&mut self) -> Result<String, Wrong> {
        self.method.take().ok_or_else(|| Wrong::Here("key `method` is missing".to_owned()))
    }

    fn stream(&mut self) -> Result<String, Wrong> {
        self.stream.take().ok_or_else(|| Wrong::Here("key `stream` is missing".to_owned()))
    }

    fn each(&mut self) -> Result<String, Wrong> {
        let method = self.method()?;
        match method.as_str() {
            "resources/read" | "prompts/get" | "completion/complete" => Ok(method),
            _ => {
                Err(Wrong::Here("key `method` is none of resources/read, prompts/get, completion/complete".to_owned()))
            }
        }
    }

    fn edits(&mut self) -> Edits {
        let (set, drop) = (self.set.take().unwrap_or_default(), self.drop.take().unwrap_or_default());
        Edits { set, drop, input: self.input.take() }
    }

    fn inner(&mut self) -> Result<Vec<Say>, Wrong> {
        let steps = self.steps.take().ok_or_else(|| Wrong::Here("key `steps` is missing".to_owned()))?;
        let mut says = Vec::new();
        for step in steps {
            let span = step.get_ref().r#do.span();
            for step in understand_for_each_client(step)? {
                match step {
                    // Which requests a call becomes is known only once the tools are listed.
                    Step::Say(say) if !matches!(say.what, What::Call { .. }) => says.push(say),
                    _ => {
                        let what = "only request, notify and send can stand inside `steps`".to_owned();
                        return Err(Mistake { span, what }.into());
                    }
                }
            }
        }
        Ok(says)
    }

    fn say(mut self, kind: &str) -> Result<Say, Wrong> {
        let (wait, honest) = (self.wait.unwrap_or(!is_notice(kind)), self.honest);
        let (repeat, split) = (self.repeat.unwrap_or(1), self.split.unwrap_or(1));
        let newline = self.newline.unwrap_or(true);
        let edits = self.edits();
        let http = self.http.take().unwrap_or_default();
        let straight = edits.is_empty() && http.is_honest();
        let what = match kind {
            "request" => What::Request {
                method: self.method()?,
                params: self.params.take(),
                id: self.id.take(),
                progress: self.progress.take(),
                edits,
            },
            "notify" => What::Notify { method: self.method()?, params: self.params.take(), edits },
            "call" => What::Call {
                tool: self.tool.take().ok_or_else(|| Wrong::Here("key `tool` is missing".to_owned()))?,
                text: self.text.take(),
                arguments: self.arguments.take().unwrap_or_default(),
                spoil: self.spoil.take().map(|spoil| read_spoil(&spoil)).transpose()?.flatten(),
                mirrored: self.mirrored.take(),
                id: self.id.take(),
                progress: self.progress.take(),
                edits,
            },
            _ => match (self.text.take(), self.base64.take()) {
                (Some(text), None) => What::Text(text),
                (None, Some(base64)) => What::Bytes(
                    BASE64
                        .decode(base64)
                        .map_err(|error| Wrong::Here(format!("key `base64` is not base64: {error}")))?,
                ),
                _ => return Err(Wrong::Here("`do = \"send\"` has either `text` or `base64`".to_owned())),
            },
        };
        let honest = honest.unwrap_or(straight && kind != "send");
        Ok(Say { what, wait, repeat, split, newline, honest, http })
    }
}

/// Whether nothing is waited for behind a step of this kind, unless it says so.
fn is_notice(kind: &str) -> bool {
    matches!(kind, "notify" | "send")
}

fn read_spoil(text: &str) -> Result<Option<Spoil>, Wrong> {
    Ok(match text {
        "none" => None,
        "missing-required" => Some(Spoil::MissingRequired),
        "wrong-type" => Some(Spoil::WrongType),
        "unknown-member" => Some(Spoil::UnknownMember),
        other => {
            let known = "none, missing-required, wrong-type, unknown-member";
            return Err(Wrong::Here(format!("unknown `spoil = \"{other}\"`; known are {known}")));
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "about = \"x\"\nprovokes = []\n";

    #[test]
    fn a_small_script_reads() {
        let script = read(
            "x.toml",
            "x",
            &format!(
                "{HEAD}eras = [\"legacy\"]\n[[step]]\ndo = \"request\"\nmethod = \"ping\"\nset = {{ \"/id\" = true }}\n"
            ),
        )
        .unwrap();
        assert_eq!(script.revisions, Revisions::LEGACY);
        assert!(matches!(&script.steps[0], Step::Say(say) if !say.honest && say.wait));
    }

    #[test]
    fn mistakes_point_at_their_place() {
        let cases = [
            ("colour = 1\n", 3, "colour"),
            ("[[step]]\ndo = \"dance\"\n", 4, "dance"),
            ("[[step]]\ndo = \"walk\"\nmethod = \"tools/list\"\ntext = \"x\"\n", 4, "text"),
            ("[[step]]\ndo = \"request\"\n", 4, "method"),
            ("[[step]]\ndo = \"fence\"\nmethd = \"x\"\n", 5, "methd"),
            ("revisions = [\"2026-03-05\"]\n", 3, "2026-03-05"),
            ("[[step]]\ndo = \"burst\"\nsteps = [{ do = \"fence\" }]\n", 5, "steps"),
        ];
        for (text, line, key) in cases {
            let error = read("x.toml", "x", &format!("{HEAD}{text}")).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(key), "{error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), tail in "[a-z =\"\\[\\]{}0-9\n]{0,60}") {
            let _ = read("x", "x", &text);
            let _ = read("x", "x", &format!("{HEAD}{tail}"));
        }
    }
}
