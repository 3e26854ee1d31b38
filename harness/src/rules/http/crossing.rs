//! Several clients at once: what belongs to one of them goes to no other.

use std::collections::{BTreeSet, HashMap};

use crate::revision::{Revision, Revisions, Side};
use crate::rules::{Breach, Check, Figure, Level, Rule, Transports, Verdict};
use crate::session::view::declared;
use crate::session::{HttpExchange, View};
use crate::wire::{Id, Value};

/// A shorter text in the arguments of a call tells nobody whose it is, in bytes.
const TELLING: usize = 8;
/// More requests of one session are not looked at.
const MOST: usize = 1000;

/// Requests of servers, and the capability that a client must have declared for them.
static ASKING: &[(&str, &str)] =
    &[("sampling/createMessage", "sampling"), ("elicitation/create", "elicitation"), ("roots/list", "roots")];

/// `http.responses-not-crossed`
pub static RESPONSES_NOT_CROSSED: Rule = Rule {
    id: "http.responses-not-crossed",
    level: Level::Must,
    side: Some(Side::Server),
    revisions: Revisions::since(Revision::V2025_03_26),
    transports: Transports::HTTP,
    clause: "2026-07-28/basic/transports/streamable-http#sending-messages",
    requires: "Of several clients each gets the responses and the progress of its own requests and of no others, under its own \
               session id, and is asked only for what it declared itself.",
    judged: "Looked at are calls whose arguments have a text that no other client sent, and whose result has it or that of \
             another one; responses under ids, and progress under tokens, that another client gave; second answers under an id that \
             another client gave too and got no answer for; session ids that two \
             clients were given; and, in legacy sessions, requests of the server that need a capability which another client \
             declared and this one did not.",
    untested: "no two clients at once got anything that tells whose it is; name a tool that echoes its input in the subject file",
    judge: responses_not_crossed,
};

fn responses_not_crossed(view: View<'_>) -> Verdict {
    let mut all = view.http();
    all.truncate(MOST);
    let clients: BTreeSet<u32> = all.iter().filter(|http| http.verb == "POST").map(|http| http.client).collect();
    if !view.is_of_the_run() || clients.len() < 2 {
        return Verdict::untested();
    }
    let given = Given::of(&all);
    let mut checks: Vec<Check> = results(&all);
    checks.extend(sessions(&all));
    checks.extend(doubled(&all));
    for http in &all {
        for (entry, message) in http.messages() {
            checks.extend(given.judge(http, entry, message));
        }
    }
    Verdict::from_iter(checks).bearing(Figure::count("clients at once", clients.len()))
}

/// The results of calls, by the texts in their arguments.
fn results(all: &[&HttpExchange<'_>]) -> Vec<Check> {
    let calls: Vec<(&HttpExchange<'_>, Option<String>, BTreeSet<String>)> = all
        .iter()
        .copied()
        .filter(|http| http.method().as_deref() == Some("tools/call"))
        .filter_map(|http| {
            let params = http.body()?.member("params")?;
            let tool = params.member("name")?.as_str().map(|name| name.into_owned());
            let texts = params.member("arguments")?.descendants().filter_map(Value::as_str);
            let texts = texts.filter(|text| text.len() >= TELLING).map(|text| text.into_owned()).collect();
            Some((http, tool, texts))
        })
        .collect();
    let mut senders: HashMap<&str, BTreeSet<u32>> = HashMap::new();
    for (http, _, texts) in &calls {
        for text in texts {
            senders.entry(text.as_str()).or_default().insert(http.client);
        }
    }
    let own = |text: &&String| senders.get(text.as_str()).is_some_and(|senders| senders.len() == 1);
    calls
        .iter()
        .filter_map(|(http, tool, texts)| {
            let (entry, answer) = http.answer()?;
            let said: BTreeSet<String> = answer
                .member("result")?
                .descendants()
                .filter_map(Value::as_str)
                .map(|text| text.into_owned())
                .collect();
            let says = |text: &String| said.iter().any(|said| said.contains(text.as_str()));
            if texts.iter().filter(own).any(says) {
                return Some(Ok(()));
            }
            let others = calls.iter().filter(|(other, known, _)| other.client != http.client && known == tool);
            let whose =
                others.filter(|(_, _, texts)| texts.iter().filter(own).any(says)).map(|(other, ..)| other).next()?;
            let mut breach = Breach::at_entry(entry, "answers a client with the result of another one");
            breach.entries.splice(0..0, [whose.entry, http.entry]);
            Some(Err(breach))
        })
        .collect()
}

/// Answers that two clients were to get under the same id, and one of them got twice.
fn doubled(all: &[&HttpExchange<'_>]) -> Option<Check> {
    let answers = |http: &HttpExchange<'_>| {
        let id = http.id();
        let own = |message: Value<'_>| message.member("method").is_none() && message.member("id").map(Id::read) == id;
        http.messages().filter(|(_, message)| own(*message)).map(|(entry, _)| entry).collect::<Vec<usize>>()
    };
    all.iter().filter(|http| http.id().is_some()).find_map(|http| {
        let [_, second, ..] = answers(http)[..] else { return None };
        let bereft = all.iter().find(|other| {
            other.client != http.client && other.id() == http.id() && answers(other).is_empty() && !other.is_refused()
        })?;
        let mut breach = Breach::at_entry(second, "answers a client twice under an id that another one waits for");
        breach.entries.splice(0..0, [bereft.entry, http.entry]);
        Some(Err(breach))
    })
}

/// The session ids that clients were given.
fn sessions(all: &[&HttpExchange<'_>]) -> Vec<Check> {
    let mut holders: HashMap<&str, (u32, usize)> = HashMap::new();
    let mut checks = Vec::new();
    for http in all.iter().filter(|http| http.method().as_deref() == Some("initialize")) {
        let Some(response) = http.response.filter(|_| http.is_accepted()) else { continue };
        let Some(session) = response.headers.value("mcp-session-id") else { continue };
        let (holder, entry) = *holders.entry(session).or_insert((http.client, response.entry));
        if holder != http.client {
            let breach = Breach::at_entry(response.entry, "gives two clients the same session id");
            checks.push(Err(breach.after_entry(entry)));
        } else if holders.len() > 1 {
            checks.push(Ok(()));
        }
    }
    checks
}

/// What each client gave that the server may repeat.
struct Given {
    ids: HashMap<Id, BTreeSet<u32>>,
    tokens: HashMap<Id, BTreeSet<u32>>,
    /// The capability objects of legacy clients, as text.
    capabilities: HashMap<u32, Vec<&'static str>>,
}

impl Given {
    fn of(all: &[&HttpExchange<'_>]) -> Self {
        let mut given = Self { ids: HashMap::new(), tokens: HashMap::new(), capabilities: HashMap::new() };
        for http in all {
            let Some(body) = http.body() else { continue };
            if let Some(id) = http.id() {
                given.ids.entry(id).or_default().insert(http.client);
            }
            if let Some(token) = body.path(&["params", "_meta", "progressToken"]) {
                given.tokens.entry(Id::read(token)).or_default().insert(http.client);
            }
            if let Some(capabilities) =
                body.path(&["params", "capabilities"]).filter(|_| http.method().as_deref() == Some("initialize"))
            {
                let own = ASKING.iter().map(|(_, path)| *path).filter(|path| declared(capabilities, &[path]));
                given.capabilities.entry(http.client).or_default().extend(own);
            }
        }
        given
    }

    fn judge(&self, http: &HttpExchange<'_>, entry: usize, message: Value<'_>) -> Option<Check> {
        let client = http.client;
        let breach = |what: String| Some(Err(Breach::at_entry(entry, what).after_entry(http.entry)));
        let foreign = |holders: &HashMap<Id, BTreeSet<u32>>, id: &Id| {
            let alike = |known: &Id| known == id || known.resembles(id);
            let own = holders.iter().any(|(known, of)| alike(known) && of.contains(&client));
            !own && holders.contains_key(id)
        };
        let id = message.member("id").map(Id::read);
        let Some(method) = message.member("method").and_then(Value::as_str) else {
            let id = id.filter(|id| !id.is_null())?;
            return if foreign(&self.ids, &id) {
                breach(format!("answers a client under the id {} of another one", id.text()))
            } else {
                None
            };
        };
        if method == "notifications/progress" {
            let token = message.path(&["params", "progressToken"]).map(Id::read)?;
            if foreign(&self.tokens, &token) {
                return breach("reports to a client the progress of another one's request".to_owned());
            }
            let alone = self.tokens.get(&token).is_some_and(|of| of.len() == 1);
            return alone.then_some(Ok(()));
        }
        let (_, needed) = ASKING.iter().find(|(known, _)| *known == method).filter(|_| id.is_some())?;
        let own = self.capabilities.get(&client)?;
        let elsewhere = self.capabilities.iter().any(|(other, all)| *other != client && all.contains(needed));
        if own.contains(needed) {
            return Some(Ok(()));
        }
        if elsewhere { breach(format!("asks a client for {method}, which only another one declared")) } else { None }
    }
}
