//! The honest server within: on lines or over HTTP.

use std::time::Duration;

use super::http::{Front, Web};
use crate::peer::Part;
use crate::reference::{Behaviour, Features, Offer, Outbox, Server, Temper};
use crate::revision::Revisions;
use crate::script::hosting::Feature;
use crate::transcript::Transport;
use crate::wire::Frame;

/// The honest server within.
#[derive(Debug)]
pub(super) enum Within<'a> {
    /// It reads and writes lines.
    Lines(Box<Server>),
    /// It speaks HTTP.
    Http(Box<Front<'a>>),
}

/// Something that it says.
#[derive(Clone, Debug)]
pub(super) enum Saying {
    /// A line.
    Line(Vec<u8>),
    /// A piece of the response to the HTTP request of this number.
    Web(u32, Web),
}

impl Saying {
    /// The text of the message in it.
    pub(super) fn message(&self) -> Option<&[u8]> {
        match self {
            Self::Line(line) => Some(line),
            Self::Web(_, web) => web.message(),
        }
    }

    /// The HTTP request whose response it belongs to.
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Line(_) => None,
            Self::Web(number, _) => Some(*number),
        }
    }

    /// Whether it has a response of JSON-RPC.
    pub(super) fn is_answer(&self) -> bool {
        self.message().is_some_and(|message| {
            let frame = Frame::new(message);
            frame.json().is_ok_and(|value| value.member("id").is_some() && value.member("method").is_none())
        })
    }
}

impl Within<'_> {
    pub(super) fn new(part: Part<'_>, transport: Transport) -> Self {
        let behaviour = behaviour(part);
        match transport {
            Transport::Stdio => Self::Lines(Box::new(Server::new(behaviour))),
            Transport::Http => Self::Http(Box::new(Front::new(behaviour, part.revision))),
        }
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        match self {
            Self::Lines(server) => server.wake_at(),
            Self::Http(front) => front.wake_at(),
        }
    }

    pub(super) fn wake(&mut self, now: Duration) -> Vec<Saying> {
        match self {
            Self::Lines(server) => {
                let mut out = Outbox::default();
                server.wake(now, &mut out);
                lines(out)
            }
            Self::Http(front) => web(front.wake(now)),
        }
    }

    /// Takes a line.
    pub(super) fn heard(&mut self, now: Duration, frame: &Frame) -> Vec<Saying> {
        let Self::Lines(server) = self else { return Vec::new() };
        let mut out = Outbox::default();
        let mut line = frame.bytes().to_vec();
        line.push(b'\n');
        server.receive(now, &line, &mut out);
        lines(out)
    }
}

fn lines(out: Outbox) -> Vec<Saying> {
    let lines = out.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Saying::Line(line.to_vec())).collect()
}

pub(super) fn web(pieces: Vec<(u32, Web)>) -> Vec<Saying> {
    pieces.into_iter().map(|(number, web)| Saying::Web(number, web)).collect()
}

/// What the honest server within is like.
fn behaviour(part: Part<'_>) -> Behaviour {
    let hosting = &part.script.hosting;
    let run = Revisions::of(&[part.revision]);
    let mut behaviour = Behaviour::of(if hosting.speaks.is_empty() { run } else { hosting.speaks });
    // What a client does wrong is for rules to say, and the session goes on.
    behaviour.temper = Temper::Lenient;
    behaviour.http.extend(&hosting.http);
    let features = &mut behaviour.features;
    for feature in &hosting.without {
        without(features, *feature);
    }
    features.page = hosting.page.unwrap_or(features.page);
    behaviour
}

fn without(features: &mut Features, feature: Feature) {
    match feature {
        Feature::Tools => features.tools = Offer::Absent,
        Feature::Prompts => features.prompts = Offer::Absent,
        Feature::Resources => (features.resources, features.subscribe) = (Offer::Absent, false),
        Feature::Subscribe => features.subscribe = false,
        Feature::Completions => features.completions = false,
        Feature::Logging => features.logging = false,
        Feature::Tasks => features.tasks = false,
        Feature::ListChanged => {
            for offer in [&mut features.tools, &mut features.prompts, &mut features.resources] {
                if offer.present() {
                    *offer = Offer::Quiet;
                }
            }
        }
    }
}
