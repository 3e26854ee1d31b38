//! What can be measured of a server, and the script that measures it once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::adapter::http::MOST_CONNECTIONS;
use crate::floor;
use crate::revision::{Era, LISTS, Revision, Revisions, Side};
use crate::script::{
    Carriage, Edits, Fixture, Hello, Hosting, Needs, Opening, Request as Bare, Say, Script, Step, What,
};
use crate::transcript::{Transport, Transports};

/// What a measure counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Characters of ASCII, each a byte.
    Characters,
    /// Arrays inside one another.
    Levels,
    /// Members of an object.
    Members,
    /// Requests.
    Requests,
    /// Streams of events.
    Streams,
}

/// One way in which a message, or many of them, can be too much.
#[derive(Debug)]
pub struct Dimension {
    /// The name, for the table and for `--only`.
    pub name: &'static str,
    /// What is measured, as a noun.
    pub what: &'static str,
    /// What a measure counts.
    pub unit: Unit,
    /// Where the search begins.
    pub start: u64,
    /// Nothing is judged above this measure.
    pub floor: u64,
    /// The search goes no further.
    pub ceiling: u64,
    /// The transports that have it.
    pub transports: Transports,
    steps: fn(&Carrier, u64) -> Result<Vec<Step>, Unmeasurable>,
}

/// Why a dimension cannot be measured of a subject, as a sentence without its full stop.
pub type Unmeasurable = &'static str;

/// What the subject offers that a probe can be built upon.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// The revision to speak.
    pub revision: Revision,
    /// How messages travel.
    pub transport: Transport,
    /// A list method that it answered.
    pub list: Option<&'static str>,
    /// A tool that takes a text of any length.
    pub echo: Option<Fixture>,
}

impl Carrier {
    /// The request that carries what needs no particular one.
    fn method(&self) -> &'static str {
        self.list.unwrap_or_else(|| self.quick())
    }

    /// The request that costs least.
    fn quick(&self) -> &'static str {
        match self.revision.era() {
            Era::Legacy => "ping",
            Era::Modern => "server/discover",
        }
    }
}

/// Every dimension of a server.
pub static DIMENSIONS: &[Dimension] = &[
    Dimension {
        name: "message",
        what: "bytes of text in the `_meta` of one request",
        unit: Unit::Bytes,
        start: 1 << 10,
        floor: floor::MESSAGE,
        ceiling: 64 << 20,
        transports: Transports::BOTH,
        steps: |carrier, measure| Ok(vec![padded(carrier, json!(text(measure)))]),
    },
    Dimension {
        name: "argument",
        what: "bytes of text in an argument of a tool, the fixture `echo`",
        unit: Unit::Bytes,
        start: 1 << 10,
        floor: floor::MESSAGE,
        ceiling: 32 << 20,
        transports: Transports::BOTH,
        steps: argument,
    },
    Dimension {
        name: "nesting",
        what: "arrays inside one another in the `_meta` of one request",
        unit: Unit::Levels,
        start: 16,
        floor: floor::NESTING,
        ceiling: 1 << 20,
        transports: Transports::BOTH,
        steps: |carrier, measure| Ok(vec![padded(carrier, json!(format!("${{nest:{measure}}}")))]),
    },
    Dimension {
        name: "members",
        what: "members of one object in the `_meta` of one request",
        unit: Unit::Members,
        start: 64,
        floor: floor::MEMBERS,
        ceiling: 1 << 18,
        transports: Transports::BOTH,
        steps: |carrier, measure| Ok(vec![padded(carrier, members(measure))]),
    },
    Dimension {
        name: "id",
        what: "characters of the id of one request",
        unit: Unit::Characters,
        start: 32,
        floor: floor::NAME,
        ceiling: 16 << 20,
        transports: Transports::BOTH,
        steps: |carrier, measure| Ok(vec![Step::Say(request(carrier.method(), None, Some(json!(text(measure)))))]),
    },
    Dimension {
        name: "method",
        what: "characters of the method of one request, which does not exist; in 2026-07-28 a header line has it too",
        unit: Unit::Characters,
        start: 32,
        floor: floor::NAME,
        ceiling: 16 << 20,
        transports: Transports::BOTH,
        steps: |_, measure| Ok(vec![Step::Say(request(&text(measure), None, None))]),
    },
    Dimension {
        name: "cursor",
        what: "characters of a cursor that the server never gave",
        unit: Unit::Characters,
        start: 32,
        floor: floor::NAME,
        ceiling: 16 << 20,
        transports: Transports::BOTH,
        steps: |carrier, measure| {
            let list = carrier.list.ok_or("no list was answered that could take a cursor")?;
            Ok(vec![Step::Say(request(list, Some(json!({"cursor": text(measure)})), None))])
        },
    },
    Dimension {
        name: "in-flight",
        what: "requests sent at once, without waiting for an answer; over HTTP as many as there are connections",
        unit: Unit::Requests,
        start: 4,
        floor: floor::IN_FLIGHT,
        ceiling: 8192,
        transports: Transports::BOTH,
        steps: |carrier, measure| {
            let repeat = u32::try_from(measure).unwrap_or(u32::MAX);
            Ok(vec![Step::Say(Say { repeat, ..request(carrier.quick(), None, None) })])
        },
    },
    Dimension {
        name: "streams",
        what: "streams open at once: subscriptions in 2026-07-28, and before clients that each have a session and listen",
        unit: Unit::Streams,
        start: 2,
        floor: floor::STREAMS,
        // A few connections are left for everything else.
        ceiling: MOST_CONNECTIONS as u64 - 8,
        transports: Transports::HTTP,
        steps: streams,
    },
    Dimension {
        name: "header",
        what: "bytes of one header line of a request that nobody asked for",
        unit: Unit::Bytes,
        start: 256,
        floor: floor::HEADER,
        ceiling: 4 << 20,
        transports: Transports::HTTP,
        steps: |carrier, measure| {
            let value = "x".repeat(usize::try_from(measure).unwrap_or_default());
            let http = Carriage { set: BTreeMap::from([("X-Padding".to_owned(), value)]), ..Carriage::default() };
            Ok(vec![Step::Say(Say { http, ..request(carrier.quick(), None, None) })])
        },
    },
];

impl Dimension {
    /// Where the search ends on a transport: over HTTP no more is in flight than the harness has connections.
    #[must_use]
    pub fn ceiling_on(&self, transport: Transport) -> u64 {
        match (self.unit, transport) {
            (Unit::Requests, Transport::Http) => self.ceiling.min(MOST_CONNECTIONS as u64),
            _ => self.ceiling,
        }
    }

    /// The script of one probe: an honest session with one request of this measure.
    ///
    /// # Errors
    ///
    /// When the subject offers nothing to measure it by.
    pub fn script(&self, carrier: &Carrier, measure: u64) -> Result<Script, Unmeasurable> {
        Ok(Script {
            name: format!("limits-{}", self.name),
            about: format!("Sends {measure} {}.", self.what),
            side: Side::Client,
            revisions: Revisions::of(&[carrier.revision]),
            provokes: Vec::new(),
            transports: self.transports,
            needs: Needs::default(),
            open: Opening::Handshake,
            listens: false,
            capabilities: json!({}),
            hello: Hello::default(),
            answers: BTreeMap::new(),
            steps: (self.steps)(carrier, measure)?,
            hosting: Hosting::default(),
        })
    }
}

/// A placeholder for a text of this length, which the peer fills: no script holds 64 MiB.
fn text(measure: u64) -> String {
    format!("${{text:{measure}}}")
}

fn request(method: &str, params: Option<Json>, id: Option<Json>) -> Say {
    Say {
        what: What::Request { method: method.to_owned(), params, id, progress: None, edits: Edits::default() },
        wait: true,
        repeat: 1,
        split: 1,
        newline: true,
        // An error may come under no id, so the peer waits briefly and lets the fences behind decide.
        honest: false,
        http: Carriage::default(),
    }
}

/// A request with something in the metadata that any receiver may ignore.
fn padded(carrier: &Carrier, padding: Json) -> Step {
    let params = json!({"_meta": {"turncoat/padding": padding}});
    Step::Say(request(carrier.method(), Some(params), None))
}

fn streams(carrier: &Carrier, measure: u64) -> Result<Vec<Step>, Unmeasurable> {
    let measure = u32::try_from(measure).unwrap_or(u32::MAX);
    if carrier.revision == Revision::V2024_11_05 {
        return Err("in 2024-11-05 a session is a stream");
    }
    if carrier.revision.era() == Era::Modern {
        let params = json!({"notifications": {"toolsListChanged": true}});
        let listen = request("subscriptions/listen", Some(params), None);
        return Ok(vec![Step::Say(Say { repeat: measure, wait: false, honest: true, ..listen })]);
    }
    let of = |client| Carriage { client, ..Carriage::default() };
    let hello = |client| Step::Handshake(Hello { http: of(client), ..Hello::default() });
    let listen = |client| {
        let http = Carriage { verb: Some("GET".to_owned()), ..of(client) };
        Step::Http(Bare { http, body: None, wait: true, honest: true })
    };
    Ok((1..=measure).flat_map(|client| [hello(client), listen(client)]).collect())
}

fn argument(carrier: &Carrier, measure: u64) -> Result<Vec<Step>, Unmeasurable> {
    let fixture =
        carrier.echo.as_ref().ok_or("no fixture `echo` is known; name one in a subject file (--subject FILE)")?;
    let name = fixture.tool.as_deref().ok_or("the fixture `echo` is no tool")?;
    let mut taken = false;
    let arguments: Map<String, Json> = fixture
        .arguments
        .iter()
        .map(|(key, value)| match value.as_str() {
            Some("${text}") => {
                taken = true;
                (key.clone(), json!(text(measure)))
            }
            _ => (key.clone(), value.clone()),
        })
        .collect();
    if !taken {
        return Err("no argument of the fixture `echo` is `${text}`");
    }
    let params = json!({"name": name, "arguments": arguments});
    // Fences say nothing about a tool, which may take its time.
    Ok(vec![Step::Say(Say { honest: true, ..request("tools/call", Some(params), None) })])
}

fn members(measure: u64) -> Json {
    Json::Object((0..measure).map(|number| (format!("m{number}"), Json::from(0))).collect())
}

/// The list method to build probes upon: the first that was answered in an honest session.
pub fn first_list<'a>(answered: impl Fn(&str) -> bool + 'a) -> Option<&'static str> {
    LISTS.iter().map(|(method, ..)| *method).find(|method| answered(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_begins_below_its_floor_and_ends_above_it() {
        for dimension in DIMENSIONS {
            assert!(dimension.start < dimension.floor && dimension.floor < dimension.ceiling, "{}", dimension.name);
        }
    }

    #[test]
    fn what_a_subject_does_not_offer_is_said() {
        let carrier = Carrier { revision: Revision::V2025_11_25, transport: Transport::Stdio, list: None, echo: None };
        let unmeasurable: Vec<_> =
            DIMENSIONS.iter().filter(|dimension| dimension.script(&carrier, 8).is_err()).map(|it| it.name).collect();
        assert_eq!(unmeasurable, ["argument", "cursor"]);
    }
}
