//! A short notation for transcripts that people write by hand.
//!
//! ```text
//! handshake                                  an honest opening in the revision at hand (see below)
//! handshake {"tools":{}}                     the same, and the server declares these capabilities
//! > {"jsonrpc":"2.0","id":1,"method":"ping"} sent by the harness
//! >! {"jsonrpc":"2.0","id":[]}               sent by the harness as a departure from honesty
//! >? {"jsonrpc":"2.0","id":2,"method":"ping"} sent by the harness as a fence
//! < {"jsonrpc":"2.0","id":1,"result":{}}     received from the subject
//! <~ {"jsonrpc":"2.0"                        received, but its newline never came
//! <x ff0d                                    received, in hexadecimal: bytes that a line of text cannot have
//! stopped-reading  read-on
//! expired 1        settled        closed        ended        exited 0        killed
//! exited signal 9                            ended by a signal
//! exited 0 orphans                           left processes behind
//! vitals 1000 2000                           peak bytes, processor microseconds
//! later 60                                   a minute passes
//! stderr some text
//! wish {"do":"connect"}                      what the user of a client was said to want
//! surface {"turncoat":"surface"}             what its driver said
//! aside ERROR                                the harness, as a server, wrote to its standard error
//! connected 2 beside                         the client started the harness's process again, the last one still living
//! canary icon-src                            somebody called an address that nobody is to call
//! signalled 15                               the client sent the harness's process this signal
//! facts {"revisions":["2025-11-25"]}         what control sessions taught, as in the header of a file
//! ```
//!
//! A session with a client begins with a line `client`: then it is the client who opens the handshake.
//!
//! A session over HTTP begins with a line `http` (and a line `session ID` if the server gives out session ids), and has
//! lines that begin with the number of an HTTP request:
//!
//! ```text
//! 1 post {"jsonrpc":"2.0","id":1,"method":"tools/list"}   an honest POST: the request with an honest client's header
//!                                                          lines, and the message in its body
//! 1 post! A: b | -C | {"jsonrpc":...}        the same as a departure: line A set, line C left out; none is also fine
//! 1 post? {"jsonrpc":...}                    the same as a fence
//! 1 post +A: b | {"jsonrpc":...}             line A added, so that there may be two; `@2` says that client 2 sends it;
//!                                            in values `\s`, `\t` and `\0` stand for a space, a tab and a zero
//! 1 ask GET | Last-Event-ID: 7               a request that carries no message; `ask!` if it departs from honesty
//! 1 200 Content-Type: text/event-stream      the head of the response; lines are parted by ` | `
//! 1 event id=7 retry=20 name=x data=text     an event without a message
//! 1 < {"jsonrpc":"2.0","id":1,"result":{}}   a message in the body (of a stream: an event that has nothing else)
//! 1 < id=7 {"jsonrpc":...}                   a message in an event with this id; or with `name=x`, this name
//! 1 <~ {"jsonrpc":...}                       a message whose event or body has no end
//! 1 body some text                           a body that is no message
//! 1 end                                      the response was complete; or `end cut`, `end dropped`, `end refused`,
//!                                            `end malformed`
//! 1 answer {"jsonrpc":...}                   for short: 200 with a JSON body, whole
//! 1 stream {"jsonrpc":...}                   for short: 200 with a stream of one event, whole
//! 1 accepted                                 for short: 202 without a body
//! 1 refused 400 {"jsonrpc":...}              for short: this status with a JSON body, or with none
//! ```
//!
//! In a session with a client, it is the client who sends the requests (`post` and `ask`), and the harness who answers:
//!
//! ```text
//! 1 > {"jsonrpc":"2.0","id":1,"result":{}}   a message in the body, with `id=7` or `name=x` as above; `>!` departs from
//!                                            honesty, `>?` is a fence, `>~` has no end
//! 1 style bare CRs, comments                 what is unusual about how its events are written
//! 1 answer! {"jsonrpc":...}                  as `answer`, and the message departs; likewise `stream!`
//! ```
//!
//! The handshake over HTTP uses the numbers from 1000 on.
//!
//! Blank lines and lines that begin with `#` say nothing. A line `split`, `burst`, `flood`, `unended` or `half-closed` in front
//! of a sent message says how it was delivered. The handshake uses id 0; for a server subject it is `initialize`, its
//! answer and `notifications/initialized`, or `server/discover` and its answer. `${meta}` in a message
//! stands for the `_meta` member that a request of the era has, `${revision}` for the revision at hand, and `${complete}`
//! for the members of every list result;
//! `${text:N}` is N letters, and `${nest:N}` N nested arrays.

use super::{Delivery, Entry, Event, Facts, Header, Intent, Transcript, Transport, Vitals};
use crate::revision::{Era, Revision, Side, meta};
use crate::wire::Frame;

mod http;

/// A line that the notation does not have.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {text:?} is no line of a sketch")]
pub struct SketchError {
    /// Counted from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// Reads a sketch of a session.
///
/// # Errors
///
/// The first line that the notation does not have.
pub fn server(revision: Revision, text: &str) -> Result<Transcript, SketchError> {
    let mut sketch = Sketch {
        revision,
        entries: Vec::new(),
        delivery: Delivery::Whole,
        facts: Facts::default(),
        transport: Transport::Stdio,
        session: None,
        side: Side::Server,
        later: 0,
    };
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if !line.is_empty() && !line.starts_with('#') {
            sketch.line(line).ok_or_else(|| SketchError { line: index + 1, text: line.to_owned() })?;
        }
    }
    let header = Header { facts: sketch.facts, transport: sketch.transport, ..Header::new(sketch.side, revision) };
    Ok(Transcript { header, entries: sketch.entries })
}

struct Sketch {
    revision: Revision,
    entries: Vec<Entry>,
    delivery: Delivery,
    facts: Facts,
    transport: Transport,
    /// The session id that an HTTP server gave out.
    session: Option<String>,
    /// Of the subject.
    side: Side,
    /// What has passed beyond the usual, in microseconds.
    later: u64,
}

impl Sketch {
    fn line(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        if let Ok(number) = word.parse() {
            return self.http(number, rest);
        }
        match word {
            "http" => self.transport = Transport::Http,
            "session" => self.session = Some(rest.to_owned()),
            ">" => self.sent(rest, Intent::Honest),
            ">!" => self.sent(rest, Intent::Departure),
            ">?" => self.sent(rest, Intent::Fence),
            "<" => self.received(rest),
            "<~" => self.heard(rest, true),
            "<x" => self.heard(bytes(rest)?, false),
            "handshake" => self.handshake(if rest.is_empty() { "{}" } else { rest }),
            "split" => self.delivery = Delivery::Split,
            "burst" => self.delivery = Delivery::Burst,
            "flood" => self.delivery = Delivery::Flood,
            "unended" => self.delivery = Delivery::Unended,
            "half-closed" => self.delivery = Delivery::HalfClosed,
            "expired" => self.push(Event::Expired { id: rest.to_owned() }),
            "settled" => self.push(Event::Settled),
            "stopped-reading" => self.push(Event::StoppedReading),
            "read-on" => self.push(Event::ReadOn),
            "closed" => self.push(Event::Closed),
            "ended" => self.push(Event::Ended),
            "killed" => self.push(Event::Killed),
            "facts" => self.facts = serde_json::from_str(rest).ok()?,
            "stderr" => self.push(Event::Stderr { text: rest.to_owned() }),
            "client" => self.side = Side::Client,
            "later" => self.later += rest.parse::<u64>().ok()?.saturating_mul(1_000_000),
            "wish" => self.push(Event::Wish { text: rest.to_owned() }),
            "surface" => self.push(Event::Surface { text: rest.to_owned() }),
            "aside" => self.push(Event::Aside { text: rest.to_owned() }),
            "connected" => {
                let (number, beside) = rest.strip_suffix(" beside").map_or((rest, false), |number| (number, true));
                self.push(Event::Connected { number: number.parse().ok()?, beside });
            }
            "canary" => self.push(Event::Canary { field: rest.to_owned() }),
            "signalled" => self.push(Event::Signalled { signal: rest.parse().ok()? }),
            "exited" => {
                let (status, orphans) = rest.strip_suffix(" orphans").map_or((rest, false), |status| (status, true));
                let (code, signal) = match status.strip_prefix("signal ") {
                    Some(signal) => (None, Some(signal.parse().ok()?)),
                    None => (Some(status.parse().ok()?), None),
                };
                self.push(Event::Exited { code, signal, orphans });
            }
            "vitals" => {
                let (peak, cpu) = rest.split_once(' ')?;
                self.push(Event::Vitals(Vitals {
                    peak_bytes: peak.parse().ok()?,
                    cpu_micros: cpu.trim().parse().ok()?,
                }));
            }
            _ => return None,
        }
        Some(())
    }

    fn push(&mut self, event: Event) {
        let at = self.entries.len() as u64 * 1000 + self.later;
        self.entries.push(Entry { at, event });
    }

    fn sent(&mut self, text: &str, intent: Intent) {
        let delivery = std::mem::take(&mut self.delivery);
        let frame = Frame::new(self.expand(text));
        self.push(Event::Sent { frame, intent, delivery, via: None });
    }

    fn received(&mut self, text: &str) {
        self.heard(self.expand(text), false);
    }

    fn heard(&mut self, bytes: impl Into<Vec<u8>>, unfinished: bool) {
        self.push(Event::Received { frame: Frame::new(bytes), cut: false, unfinished, via: None });
    }

    fn expand(&self, text: &str) -> String {
        let (meta, complete) = match self.revision.era() {
            Era::Modern => (
                format!(
                    r#""_meta":{{"{}":"{}","{}":{{}}}}"#,
                    meta::PROTOCOL_VERSION,
                    self.revision,
                    meta::CLIENT_CAPABILITIES
                ),
                r#""resultType":"complete","ttlMs":0,"cacheScope":"private""#,
            ),
            Era::Legacy => (r#""_meta":{}"#.to_owned(), r#""_meta":{}"#),
        };
        let text = text
            .replace("${revision}", self.revision.as_str())
            .replace("${meta}", &meta)
            .replace("${complete}", complete);
        let text = repeated(&text, "${text:", |count| "x".repeat(count));
        repeated(&text, "${nest:", |count| format!("{}{}", "[".repeat(count), "]".repeat(count)))
    }

    fn handshake(&mut self, capabilities: &str) {
        if self.transport == Transport::Http {
            self.handshake_over_http(capabilities);
            return;
        }
        let [hello, answer] = self.hello(capabilities);
        let initialized = (self.revision.era() == Era::Legacy).then_some(INITIALIZED);
        match self.side {
            Side::Server => {
                self.sent(&hello, Intent::Honest);
                self.received(&answer);
                initialized.into_iter().for_each(|text| self.sent(text, Intent::Honest));
            }
            Side::Client => {
                self.received(&hello);
                self.sent(&answer, Intent::Honest);
                initialized.into_iter().for_each(|text| self.received(text));
            }
        }
    }

    /// The first request and its answer.
    fn hello(&self, capabilities: &str) -> [String; 2] {
        let version = self.revision;
        match version.era() {
            Era::Legacy => [
                format!(
                    r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{version}","capabilities":{{}},"clientInfo":{{"name":"sketch","version":"1"}}}}}}"#
                ),
                format!(
                    r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{version}","capabilities":{capabilities},"serverInfo":{{"name":"sketch","version":"1"}}}}}}"#
                ),
            ],
            Era::Modern => [
                r#"{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{${meta}}}"#.to_owned(),
                format!(
                    r#"{{"jsonrpc":"2.0","id":0,"result":{{${{complete}},"supportedVersions":["{version}"],"capabilities":{capabilities},"_meta":{{"{}":{{"name":"sketch","version":"1"}}}}}}}}"#,
                    meta::SERVER_INFO
                ),
            ],
        }
    }
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The text with each `${name:N}` replaced by what N makes of it.
fn repeated(text: &str, opening: &str, make: impl Fn(usize) -> String) -> String {
    let mut parts = text.split(opening);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (count, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(&make(count.parse().unwrap_or_default()));
        filled.push_str(rest);
    }
    filled
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hexadecimal.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Speaker;

    #[test]
    fn a_sketch_becomes_entries() {
        for revision in Revision::ALL {
            let text = "handshake {\"tools\":{}}\n# nothing\nsplit\n>! {\"jsonrpc\":\"2.0\"}\nexited signal 9 orphans";
            let transcript = server(revision, text).unwrap();
            for entry in &transcript.entries {
                if let Event::Sent { frame, .. } | Event::Received { frame, .. } = &entry.event {
                    frame.json().unwrap();
                }
            }
        }
        assert_eq!(server(Revision::V2025_11_25, "\nwhat").unwrap_err().line, 2);
    }

    #[test]
    fn a_client_asks_over_http_too() {
        let text = "client\nhttp\nsession s1\nhandshake\n1 post {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\
                    1 200 Content-Type: text/event-stream\n1 >! id=7 {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\
                    2 post {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n2 accepted\n\
                    1 > id=8 {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n1 end\n3 ask GET | Last-Event-ID: 7\n\
                    3 200 Content-Type: text/event-stream\n3 > id=8 {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n3 end cut";
        for revision in Revision::ALL {
            let transcript = server(revision, text).unwrap();
            let session = crate::session::Session::new(&transcript);
            let [.., first, second, third] = session.http_exchanges() else { panic!("three requests") };
            assert_eq!((first.method().as_deref(), first.messages().count()), (Some("ping"), 2));
            assert!(first.answer().is_some() && second.answer().is_none() && second.parts.is_empty());
            assert_eq!((third.verb, third.messages().count()), ("GET", 1));
            let view = session.view(revision);
            // What is sent again is no second answer.
            for exchange in view.every_exchange_by(Speaker::Peer).chain(view.every_exchange_by(Speaker::Subject)) {
                assert_eq!(exchange.answers().count(), 1, "{} in {revision}", exchange.method());
            }
        }
    }

    #[test]
    fn a_sketch_over_http_becomes_entries() {
        let text = "http\nsession s1\nhandshake\n\
                    1 post! A: b | -Accept | +Accept: x | {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\
                    1 200 Content-Type: text/event-stream\n1 event id=7 retry=20\n1 < id=8 {\"jsonrpc\":\"2.0\"}\n\
                    1 end cut\n2 ask GET | Last-Event-ID: 8\n2 refused 405\n3 post @2 | {\"jsonrpc\":\"2.0\"}\n\
                    3 accepted";
        for revision in Revision::ALL {
            let transcript = server(revision, text).unwrap();
            let session = crate::session::Session::new(&transcript);
            let all = session.http_exchanges().to_vec();
            let [.., first, second, third] = &all[..] else { panic!("three requests behind the handshake") };
            assert_eq!((first.headers.value("a"), first.headers.value("accept")), (Some("b"), Some("x")));
            assert_eq!((first.events().count(), first.messages().count()), (2, 1));
            assert_eq!((second.verb, second.status()), ("GET", Some(405)));
            assert_eq!((third.client, third.status()), (2, Some(202)));
        }
    }
}
