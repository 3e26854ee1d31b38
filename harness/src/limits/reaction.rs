//! What the transcript of a probe shows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::session::{Exchange, Fate, HttpExchange, Session, Shape, Speaker, View};
use crate::transcript::{Ending, Event, Http, Intent, Transcript};

/// How a subject reacts to a request of some measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reaction {
    /// With a result.
    Served,
    /// With a JSON-RPC error.
    Error {
        /// Its code, if that is an integer.
        code: Option<i64>,
    },
    /// With an HTTP status in place of a message.
    Refused {
        /// The status code.
        status: u16,
    },
    /// By closing the connection of the request, and serving on.
    Cut,
    /// Not at all, though it serves on.
    Silence {
        /// The request is so large, or so deep, that a reader may not have known it for one.
        excused: bool,
    },
    /// Not at all, and nothing behind it is answered either.
    Stall,
    /// By ending.
    Death {
        /// How it ended.
        how: Death,
    },
}

/// How a subject ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Death {
    /// Its process exited with this code.
    Exit(i32),
    /// A signal ended its process.
    Signal(i32),
    /// It closed its output.
    Output,
    /// It takes no more connections.
    Unreachable,
}

impl Reaction {
    /// Whether the subject is past use: it ended, or left a plain request unanswered for good. Refusing is no breakdown.
    #[must_use]
    pub const fn is_breakdown(self) -> bool {
        matches!(self, Self::Silence { excused: false } | Self::Stall | Self::Death { .. })
    }
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served => f.write_str("a result"),
            Self::Error { code: Some(code) } => write!(f, "error {code}"),
            Self::Error { code: None } => f.write_str("an error without a code"),
            Self::Refused { status } => write!(f, "HTTP {status}"),
            Self::Cut => f.write_str("closes the connection, and serves on"),
            Self::Silence { .. } => f.write_str("never answers it, and serves on"),
            Self::Stall => f.write_str("stops serving"),
            Self::Death { how: Death::Exit(code) } => write!(f, "exits with code {code}"),
            Self::Death { how: Death::Signal(signal) } => write!(f, "is ended by signal {signal}"),
            Self::Death { how: Death::Output } => f.write_str("closes its output"),
            Self::Death { how: Death::Unreachable } => f.write_str("takes no more connections"),
        }
    }
}

/// The reaction to a probe; none if the session did not get that far.
#[must_use]
pub fn reaction(transcript: &Transcript) -> Option<Reaction> {
    let session = Session::new(transcript);
    let view = session.view(transcript.header.revision);
    let mut exchanges = view.every_exchange();
    exchanges.next().and_then(Exchange::result)?;
    let streams: Vec<&HttpExchange<'_>> =
        session.http_exchanges().iter().filter(|http| http.verb == "GET" || is_listen(http)).collect();
    let (fences, probes): (Vec<Exchange<'_>>, Vec<_>) = exchanges
        .filter(|exchange| streams.is_empty() || !exchange.is("subscriptions/listen"))
        .partition(|exchange| exchange.request().intent == Intent::Fence);
    if probes.is_empty() && streams.is_empty() {
        return None;
    }
    if let Some(how) = death(transcript) {
        return Some(Reaction::Death { how });
    }
    if fences.is_empty() || !fences.iter().all(|fence| is_heard(*fence)) {
        return Some(Reaction::Stall);
    }
    let reactions = probes.iter().map(|probe| to_one(view, *probe));
    let reactions = reactions.chain(streams.into_iter().map(to_listening));
    // Of many, whatever was not served says most, and what broke most of all.
    reactions.max_by_key(|reaction| match reaction {
        Reaction::Served => 0,
        reaction if reaction.is_breakdown() => 2,
        _ => 1,
    })
}

/// Whether anything came back, an error status included.
fn is_heard(exchange: Exchange<'_>) -> bool {
    matches!(exchange.fate(), Fate::Answered | Fate::Refused)
}

fn to_one(view: View<'_>, probe: Exchange<'_>) -> Reaction {
    if probe.result().is_some() {
        return Reaction::Served;
    }
    if probe.answer().is_some() {
        return Reaction::Error { code: probe.error_code() };
    }
    match probe.fate() {
        Fate::Refused => Reaction::Refused { status: status(view, probe).unwrap_or_default() },
        Fate::Cut => Reaction::Cut,
        _ => astray(view, probe).unwrap_or_else(|| {
            let request = probe.request();
            Reaction::Silence { excused: !request.is_sound() || request.is_large() }
        }),
    }
}

fn is_listen(http: &HttpExchange<'_>) -> bool {
    http.method().as_deref() == Some("subscriptions/listen")
}

/// The reaction to a request for a stream, which is served once it is open.
fn to_listening(http: &HttpExchange<'_>) -> Reaction {
    match (http.status(), http.ending()) {
        (Some(_), _) if http.error_code().is_some() => Reaction::Error { code: http.error_code() },
        (Some(status @ 400..), _) => Reaction::Refused { status },
        (_, Some(Ending::Cut | Ending::Malformed(_))) => Reaction::Cut,
        (Some(_), _) => Reaction::Served,
        (None, _) => Reaction::Silence { excused: false },
    }
}

/// An error under no id behind the request: who could not read it cannot know under which id it was sent.
fn astray(view: View<'_>, probe: Exchange<'_>) -> Option<Reaction> {
    let error = view
        .every_message()
        .filter(|message| message.by == Speaker::Subject && message.entry > probe.request().entry)
        .filter(|message| message.shape == Shape::Response && message.is_error())
        .find(|message| message.member("id").is_none_or(|id| id.is_null()))?;
    Some(Reaction::Error { code: error.error_code() })
}

fn status(view: View<'_>, probe: Exchange<'_>) -> Option<u16> {
    let Event::Sent { via: Some(number), .. } = view.entries().get(probe.request().entry)?.event else { return None };
    view.entries().iter().find_map(|entry| match &entry.event {
        Event::Http { number: of, what: Http::Response { status, .. } } if *of == number => Some(*status),
        _ => None,
    })
}

/// How the subject ended before the harness closed the session, if it did.
fn death(transcript: &Transcript) -> Option<Death> {
    let events = || transcript.entries.iter().map(|entry| &entry.event);
    let unreachable = |event: &Event| matches!(event, Event::Http { what: Http::End { how: Ending::Refused(_) }, .. });
    if events().any(unreachable) {
        return Some(Death::Unreachable);
    }
    let own = events().take_while(|event| !matches!(event, Event::Closed | Event::Killed));
    if !own.clone().any(|event| matches!(event, Event::Ended | Event::Exited { .. })) {
        return None;
    }
    let exit = events().find_map(|event| match event {
        Event::Exited { code: Some(code), .. } => Some(Death::Exit(*code)),
        Event::Exited { signal: Some(signal), .. } => Some(Death::Signal(*signal)),
        _ => None,
    });
    Some(exit.unwrap_or(Death::Output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::Revision;
    use crate::transcript::sketch;

    fn of(text: &str) -> Option<Reaction> {
        reaction(&sketch::server(Revision::V2025_11_25, text).unwrap())
    }

    const ASKED: &str = r#"handshake
        >! {"jsonrpc":"2.0","id":1,"method":"tools/list"}
    "#;
    const FENCE: &str = r#"
        >? {"jsonrpc":"2.0","id":2,"method":"ping"}
        < {"jsonrpc":"2.0","id":2,"result":{}}
        settled
        closed
        exited 0
    "#;

    fn answered(answer: &str) -> Option<Reaction> {
        of(&format!("{ASKED}{answer}{FENCE}"))
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(answered(r#"< {"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#), Some(Reaction::Served));
        let error = |code| Some(Reaction::Error { code: Some(code) });
        assert_eq!(answered(r#"< {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":""}}"#), error(-32600));
        assert_eq!(answered(r#"< {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#), error(-32700));
    }

    #[test]
    fn silence_is_excused_where_a_reader_may_have_stumbled() {
        let silence = |request: &str| of(&format!("handshake\n>! {request}{FENCE}"));
        let plain = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        assert_eq!(silence(plain), Some(Reaction::Silence { excused: false }));
        let deep = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":${nest:100}}}"#;
        assert_eq!(silence(deep), Some(Reaction::Silence { excused: true }));
        let large = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"${text:65536}"}}"#;
        assert_eq!(silence(large), Some(Reaction::Silence { excused: true }));
    }

    #[test]
    fn a_stall_is_no_death() {
        let unanswered = format!(r#"{ASKED}>? {{"jsonrpc":"2.0","id":2,"method":"ping"}}"#);
        assert_eq!(of(&format!("{unanswered}\nexpired 2\nclosed\nexited 0")), Some(Reaction::Stall));
        let dead = |how| Some(Reaction::Death { how });
        assert_eq!(of(&format!("{unanswered}\nended\nexited 3")), dead(Death::Exit(3)));
        assert_eq!(of(&format!("{unanswered}\nended\nclosed\nkilled")), dead(Death::Output));
    }

    #[test]
    fn a_stream_is_served_once_it_is_open() {
        let of = |answer: &str| {
            let fence = r#"2 post? {"jsonrpc":"2.0","id":2,"method":"ping"}
                2 answer {"jsonrpc":"2.0","id":2,"result":{}}
                settled"#;
            of(&format!("http\nhandshake\n1 ask GET | @1\n{answer}\n{fence}"))
        };
        assert_eq!(of("1 200 Content-Type: text/event-stream"), Some(Reaction::Served));
        assert_eq!(of("1 refused 405"), Some(Reaction::Refused { status: 405 }));
        assert_eq!(of("1 end cut"), Some(Reaction::Cut));
        assert_eq!(of(""), Some(Reaction::Silence { excused: false }));
    }

    #[test]
    fn a_session_that_never_opened_shows_nothing() {
        assert_eq!(of("handshake\nclosed\nexited 0"), None);
        assert_eq!(of(r#"> {"jsonrpc":"2.0","id":1,"method":"initialize"}"#), None);
    }
}
