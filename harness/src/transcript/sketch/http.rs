//! The lines of a sketch that tell of HTTP.

use super::{INITIALIZED, Sketch};
use crate::revision::{Era, Revision, Side, meta};
use crate::transcript::{Delivery, Ending, Event, EventData, Http, Intent};
use crate::wire::http::Headers;
use crate::wire::{Frame, Value};

/// The number of the first HTTP request of a handshake.
const FIRST: u32 = 1000;

impl Sketch {
    /// A line that begins with the number of an HTTP request.
    pub(super) fn http(&mut self, number: u32, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        if let Ok(status) = word.parse() {
            self.response(number, status, rest.split(" | ").filter(|line| !line.is_empty()))?;
            return Some(());
        }
        match word {
            "post" => self.post(number, rest, Intent::Honest)?,
            "post!" => self.post(number, rest, Intent::Departure)?,
            "post?" => self.post(number, rest, Intent::Fence)?,
            "ask" => self.ask(number, rest, Intent::Honest)?,
            "ask!" => self.ask(number, rest, Intent::Departure)?,
            "<" | "<~" if self.side == Side::Server => self.part(number, rest, Intent::Honest, word == "<~"),
            ">" | ">~" if self.side == Side::Client => self.part(number, rest, Intent::Honest, word == ">~"),
            ">!" if self.side == Side::Client => self.part(number, rest, Intent::Departure, false),
            ">?" if self.side == Side::Client => self.part(number, rest, Intent::Fence, false),
            "event" => self.event(number, rest)?,
            "style" => {
                let words = rest.split(", ").map(str::to_owned).collect();
                self.happen(number, Http::Style { words });
            }
            "body" => self.happen(number, Http::Body { text: rest.to_owned() }),
            "end" => self.happen(number, Http::End { how: ending(rest)? }),
            "answer" => self.answer(number, rest, Intent::Honest)?,
            "answer!" if self.side == Side::Client => self.answer(number, rest, Intent::Departure)?,
            "stream" => self.stream(number, rest, Intent::Honest)?,
            "stream!" if self.side == Side::Client => self.stream(number, rest, Intent::Departure)?,
            "accepted" => {
                self.response(number, 202, std::iter::empty())?;
                self.happen(number, Http::End { how: Ending::Complete });
            }
            "refused" => {
                let (status, body) = rest.split_once(' ').unwrap_or((rest, ""));
                let media = (!body.is_empty()).then_some("Content-Type: application/json");
                self.response(number, status.parse().ok()?, media.into_iter())?;
                if body.starts_with('{') {
                    self.message(number, None, None, body, Intent::Departure);
                } else if !body.is_empty() {
                    self.happen(number, Http::Body { text: body.to_owned() });
                }
                self.happen(number, Http::End { how: Ending::Complete });
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn handshake_over_http(&mut self, capabilities: &str) {
        let [hello, answer] = self.hello(capabilities);
        let session = self.session.take();
        // These lines are well-formed by construction.
        let _ = self.post(FIRST, &hello, Intent::Honest);
        let given = session.iter().map(|id| format!("Mcp-Session-Id: {id}"));
        let lines: Vec<String> = given.chain(["Content-Type: application/json".to_owned()]).collect();
        let _ = self.response(FIRST, 200, lines.iter().map(String::as_str));
        self.message(FIRST, None, None, &answer, Intent::Honest);
        self.happen(FIRST, Http::End { how: Ending::Complete });
        self.session = session;
        if self.revision.era() == Era::Legacy {
            let _ = self.post(FIRST + 1, INITIALIZED, Intent::Honest);
            let _ = self.http(FIRST + 1, "accepted");
        }
    }

    fn happen(&mut self, number: u32, what: Http) {
        self.push(Event::Http { number, what });
    }

    /// `SETTINGS | ... | MESSAGE`
    fn post(&mut self, number: u32, line: &str, intent: Intent) -> Option<()> {
        let start = [line.find("{\""), line.find('[')].into_iter().flatten().min().unwrap_or(line.len());
        let (settings, text) = line.split_at(start);
        let settings = &self.expand(settings);
        let frame = Frame::new(self.expand(text));
        let mut headers = self.lines();
        headers.push("Accept", "application/json, text/event-stream");
        headers.push("Content-Type", "application/json");
        if let Some(message) = frame.json().ok().filter(|_| self.revision.era() == Era::Modern) {
            modern(message, &mut headers);
        }
        let honest = headers.clone();
        let client = set(&mut headers, settings)?;
        let (verb, target) = ("POST".to_owned(), "/mcp".to_owned());
        // As the peer records it: what departs in the message alone does not depart in its carriage.
        let carriage = if headers == honest { Intent::Honest } else { intent };
        self.happen(number, Http::Request { client, verb, target, headers, intent: carriage });
        let (delivery, via) = (std::mem::take(&mut self.delivery), Some(number));
        self.push(match self.side {
            Side::Server => Event::Sent { frame, intent, delivery, via },
            Side::Client => Event::Received { frame, cut: false, unfinished: false, via },
        });
        Some(())
    }

    /// `VERB | SETTINGS | ...`
    fn ask(&mut self, number: u32, line: &str, intent: Intent) -> Option<()> {
        let (verb, settings) = line.split_once(" | ").unwrap_or((line, ""));
        let mut headers = self.lines();
        if verb == "GET" {
            headers.push("Accept", "text/event-stream");
        }
        let client = set(&mut headers, settings)?;
        let (verb, target) = (verb.to_owned(), "/mcp".to_owned());
        self.happen(number, Http::Request { client, verb, target, headers, intent });
        Some(())
    }

    /// The lines of every request of the session.
    fn lines(&self) -> Headers {
        let mut headers = Headers::new();
        headers.push("Host", "127.0.0.1:1");
        if self.revision.era() == Era::Legacy && !self.entries.is_empty() {
            self.session.iter().for_each(|id| headers.push("Mcp-Session-Id", id.clone()));
            if self.revision >= Revision::V2025_06_18 {
                headers.push("MCP-Protocol-Version", self.revision.as_str());
            }
        }
        headers
    }

    fn response<'l>(&mut self, number: u32, status: u16, lines: impl Iterator<Item = &'l str>) -> Option<()> {
        let mut headers = Headers::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            headers.push(name.trim(), value.trim());
        }
        self.happen(number, Http::Response { status, headers });
        Some(())
    }

    fn answer(&mut self, number: u32, text: &str, intent: Intent) -> Option<()> {
        self.response(number, 200, ["Content-Type: application/json"].into_iter())?;
        self.message(number, None, None, text, intent);
        self.happen(number, Http::End { how: Ending::Complete });
        Some(())
    }

    fn stream(&mut self, number: u32, text: &str, intent: Intent) -> Option<()> {
        self.response(number, 200, ["Content-Type: text/event-stream"].into_iter())?;
        self.message(number, None, None, text, intent);
        self.happen(number, Http::End { how: Ending::Complete });
        Some(())
    }

    /// `id=ID MESSAGE`, `name=NAME MESSAGE` or `MESSAGE`
    fn part(&mut self, number: u32, line: &str, intent: Intent, torn: bool) {
        let field = |key: &str| line.strip_prefix(key).and_then(|rest| rest.split_once(' '));
        match (field("id="), field("name=")) {
            (Some((id, text)), _) => self.message(number, Some(id), None, text, intent),
            (_, Some((name, text))) => self.message(number, None, Some(name), text, intent),
            _ => self.message(number, None, None, line, intent),
        }
        match self.entries.last_mut().map(|entry| &mut entry.event) {
            Some(Event::Received { unfinished, .. }) => *unfinished = torn,
            Some(Event::Sent { delivery, .. }) if torn => *delivery = Delivery::Unended,
            _ => {}
        }
    }

    /// A message in a response. The intent is the harness's, where it answers.
    fn message(&mut self, number: u32, id: Option<&str>, name: Option<&str>, text: &str, intent: Intent) {
        let streams = self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Http { number: own, what: Http::Response { headers, .. } } if *own == number => {
                Some(headers.media_type().as_deref() == Some("text/event-stream"))
            }
            _ => None,
        });
        if streams == Some(true) {
            let data = EventData::Message;
            let (id, name) = (id.map(str::to_owned), name.map(str::to_owned));
            self.happen(number, Http::Event { id, name, retry: None, data });
        }
        let frame = Frame::new(self.expand(text));
        let via = Some(number);
        self.push(match self.side {
            Side::Server => Event::Received { frame, cut: false, unfinished: false, via },
            Side::Client => Event::Sent { frame, intent, delivery: Delivery::Whole, via },
        });
    }

    fn event(&mut self, number: u32, line: &str) -> Option<()> {
        let (mut id, mut name, mut retry, mut data) = (None, None, None, EventData::Empty);
        for field in line.split(' ').filter(|field| !field.is_empty()) {
            let (key, value) = field.split_once('=')?;
            match key {
                "id" => id = Some(value.to_owned()),
                "name" => name = Some(value.to_owned()),
                "retry" => retry = Some(value.parse().ok()?),
                "data" => data = EventData::Text(value.to_owned()),
                _ => return None,
            }
        }
        self.happen(number, Http::Event { id, name, retry, data });
        Some(())
    }
}

/// Applies settings to header lines and gives the client that they name.
fn set(headers: &mut Headers, settings: &str) -> Option<u32> {
    let mut client = 0;
    for setting in settings.split(" | ").map(|setting| setting.trim_end_matches('|').trim()) {
        if setting.is_empty() {
        } else if let Some(number) = setting.strip_prefix('@') {
            client = number.parse().ok()?;
        } else if let Some(name) = setting.strip_prefix('-') {
            headers.remove(name);
        } else if let Some(line) = setting.strip_prefix('+') {
            let (name, value) = line.split_once(':')?;
            headers.push(name, unescaped(value.trim()));
        } else {
            let (name, value) = setting.split_once(':')?;
            headers.remove(name);
            headers.push(name, unescaped(value.trim()));
        }
    }
    Some(client)
}

fn unescaped(value: &str) -> String {
    value.replace("\\s", " ").replace("\\t", "\t").replace("\\0", "\0")
}

fn modern(message: Value<'_>, headers: &mut Headers) {
    let params = message.member("params");
    let text = |value: Option<Value<'_>>| value.and_then(|value| value.as_str()).map(|text| text.into_owned());
    let version = text(params.and_then(|params| params.path(&["_meta", meta::PROTOCOL_VERSION])));
    headers.push("MCP-Protocol-Version", version.unwrap_or_else(|| Revision::V2026_07_28.as_str().to_owned()));
    let Some(method) = text(message.member("method")) else { return };
    headers.push("Mcp-Method", method.clone());
    let subject = if method == "resources/read" { "uri" } else { "name" };
    if matches!(method.as_str(), "tools/call" | "prompts/get" | "resources/read")
        && let Some(name) = text(params.and_then(|params| params.member(subject)))
    {
        headers.push("Mcp-Name", name);
    }
}

fn ending(text: &str) -> Option<Ending> {
    Some(match text {
        "" | "complete" => Ending::Complete,
        "cut" => Ending::Cut,
        "dropped" => Ending::Dropped,
        "refused" => Ending::Refused("connection refused".to_owned()),
        "malformed" => Ending::Malformed("no HTTP".to_owned()),
        _ => return None,
    })
}
