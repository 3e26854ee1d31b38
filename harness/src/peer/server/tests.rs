//! Servers of scripts over HTTP, in memory, and a client that says what it is told to.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;

use crate::adapter::listening::{Entrance, Listening};
use crate::peer::Part;
use crate::play::{Bounds, play};
use crate::revision::{Revision, Side};
use crate::script::{Fixtures, file};
use crate::session::{Session, Speaker};
use crate::transcript::{Ending, Event, EventData, Header, Http, Intent, Transcript, Transport};
use crate::wire::http::{Headers, Part as Piece, Reader, Start};

const REVISION: Revision = Revision::V2025_11_25;
const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const CALL: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add_numbers","arguments":{"a":1,"b":2}}}"#;

/// What a client got: status, header lines and body, as far as it came.
type Got = (u16, Headers, String);

struct Client {
    doors: mpsc::Sender<DuplexStream>,
    session: Option<String>,
}

impl Client {
    async fn send(&self, verb: &str, lines: &[(&str, &str)], body: &str) -> DuplexStream {
        let (mut near, far) = duplex(1 << 16);
        self.doors.send(far).await.unwrap();
        let mut text =
            format!("{verb} /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\n");
        for (name, value) in lines {
            text += &format!("{name}: {value}\r\n");
        }
        if let Some(id) = &self.session {
            text += &format!("Mcp-Session-Id: {id}\r\n");
        }
        text += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        near.write_all(text.as_bytes()).await.unwrap();
        near
    }

    /// Asks and reads until the response is over or broken off.
    async fn ask(&mut self, verb: &str, lines: &[(&str, &str)], body: &str) -> Got {
        let mut stream = self.send(verb, lines, body).await;
        let (mut reader, mut buffer) = (Reader::responses(), [0; 4096]);
        let mut got = (0, Headers::new(), String::new());
        loop {
            match reader.next() {
                Ok(Some(Piece::Head(Start::Response { status }, headers))) => (got.0, got.1) = (status, headers),
                Ok(Some(Piece::Body(bytes))) => got.2 += &String::from_utf8_lossy(&bytes),
                Ok(Some(Piece::End { .. })) | Err(_) => break,
                Ok(Some(Piece::Head(Start::Request { .. }, _))) => unreachable!(),
                Ok(None) => {
                    let count = stream.read(&mut buffer).await.unwrap_or(0);
                    if count == 0 {
                        break;
                    }
                    reader.push(&buffer[..count]);
                }
            }
        }
        if self.session.is_none() {
            self.session = got.1.value("mcp-session-id").map(str::to_owned);
        }
        got
    }

    async fn post(&mut self, body: &str) -> Got {
        self.ask("POST", &[], body).await
    }

    async fn open(&mut self) {
        assert_eq!(self.post(HELLO).await.0, 200);
        assert_eq!(self.post(INITIALIZED).await.0, 202);
    }
}

/// Plays the moves against what the client does.
fn run<F: Future<Output = Client>>(moves: &str, act: impl FnOnce(Client) -> F) -> Transcript {
    let text = format!("about = \"\"\nside = \"server\"\nprovokes = []\n{moves}");
    let script = file::read("x.toml", "x", &text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (doors, entrance) = mpsc::channel(8);
        let mut link = Listening::at(Entrance::Memory(entrance));
        let fixtures = Fixtures::new();
        let part = Part { script: &script, revision: REVISION, fixtures: &fixtures, call_tools: false, endpoint: None };
        let header = Header { transport: Transport::Http, ..Header::new(Side::Client, REVISION) };
        let mut keep = |_: &_| {};
        let playing = play(part, header, &mut link, Bounds::default(), &mut keep);
        let (transcript, _) = tokio::join!(playing, act(Client { doors, session: None }));
        transcript
    })
}

fn endings(transcript: &Transcript) -> Vec<(u32, Ending)> {
    let ends = transcript.entries.iter().filter_map(|entry| match &entry.event {
        Event::Http { number, what: Http::End { how } } => Some((*number, how.clone())),
        _ => None,
    });
    ends.collect()
}

#[test]
fn an_honest_server_is_one() {
    let transcript = run("", async |mut client| {
        client.open().await;
        assert!(client.post(LIST).await.2.contains("\"tools\""));
        assert!(client.post(CALL).await.2.contains('3'));
        assert_eq!(client.ask("DELETE", &[], "").await.0, 204);
        client
    });
    let session = Session::new(&transcript);
    let view = session.view(REVISION);
    assert!(view.exchanges_by(Speaker::Subject).all(|exchange| exchange.result().is_some()));
    assert_eq!(view.exchanges_by(Speaker::Subject).count(), 3);
    assert!(view.messages_by(Speaker::Peer).all(|message| message.intent == Intent::Honest));
    assert_eq!(view.http().len(), 5);
    assert!(endings(&transcript).iter().all(|(_, how)| *how == Ending::Complete));
}

#[test]
fn responses_are_replaced() {
    let moves = r#"
        [[move]]
        on = "tools/list"
        http = { status = 404, body = "<p>${id}</p>" }
        [[move]]
        on = "DELETE"
        http = { status = 405, set = { Allow = "POST" } }
        [[move]]
        on = "initialize"
        http = { session = "!#$~" }
    "#;
    run(moves, async |mut client| {
        client.open().await;
        assert_eq!(client.session.as_deref(), Some("!#$~"));
        let (status, headers, body) = client.post(LIST).await;
        assert_eq!((status, headers.media_type().as_deref(), &*body), (404, Some("text/html"), "<p>1</p>"));
        let (status, headers, _) = client.ask("DELETE", &[], "").await;
        assert_eq!((status, headers.value("allow")), (405, Some("POST")));
        // The honest server within was not told of either.
        assert!(client.post(CALL).await.2.contains('3'));
        client
    });
}

#[test]
fn a_stream_that_breaks_is_taken_up_again() {
    let moves = r#"
        [[move]]
        on = "tools/call"
        http = { cut-after = 0, orderly = true, events = { prime = true, retry = 50 } }
    "#;
    let transcript = run(moves, async |mut client| {
        client.open().await;
        let (status, _, body) = client.post(CALL).await;
        assert_eq!((status, &*body), (200, "id: p3\nretry: 50\ndata: \n\n"));
        let (_, _, body) = client.ask("GET", &[("Last-Event-ID", "p3")], "").await;
        assert!(body.starts_with("id: t3-1\ndata: {") && body.contains("\"id\":2"));
        client
    });
    let session = Session::new(&transcript);
    let call = session.view(REVISION).exchanges_by(Speaker::Subject).last().unwrap();
    assert!(call.is("tools/call") && call.result().is_some());
    assert!(transcript.entries.iter().any(|entry| matches!(
        &entry.event,
        Event::Http { number: 3, what: Http::Event { retry: Some(50), data: EventData::Empty, .. } }
    )));
}

#[test]
fn a_connection_is_cut_where_a_move_wants_it() {
    let moves = r#"
        [[move]]
        on = "tools/list"
        http = { cut = "before" }
        [[move]]
        on = "tools/call"
        http = { cut = "middle", form = "stream" }
    "#;
    let transcript = run(moves, async |mut client| {
        client.open().await;
        assert_eq!(client.post(LIST).await.0, 0);
        let (status, _, body) = client.post(CALL).await;
        assert!(status == 200 && body.starts_with("id: t4-0\ndata: {") && !body.ends_with('\n'));
        client
    });
    assert_eq!(endings(&transcript)[2..], [(3, Ending::Cut), (4, Ending::Cut)]);
}

#[test]
fn what_the_server_asks_comes_in_the_stream_of_the_answer() {
    let moves = r#"
        [[move]]
        on = "tools/call"
        before = [{ do = "request", method = "ping", wait = true }]
    "#;
    let transcript = run(moves, async |mut client| {
        client.open().await;
        let mut stream = client.send("POST", &[], CALL).await;
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        assert!(text.contains("text/event-stream") && text.contains("\"ping\"") && !text.contains("result"));
        assert_eq!(client.post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await.0, 202);
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..count]).contains("result"));
        client
    });
    let session = Session::new(&transcript);
    let asked = session.view(REVISION).exchanges_by(Speaker::Peer).next().unwrap();
    assert!(asked.is("ping") && asked.result().is_some());
}

#[test]
fn a_session_is_forgotten_and_an_answer_withheld() {
    let moves = r#"
        [[move]]
        on = "tools/list"
        http = { forgets = true }
        [[move]]
        on = "tools/call"
        timing = "late"
    "#;
    let transcript = run(moves, async |mut client| {
        client.open().await;
        assert_eq!(client.post(LIST).await.0, 404);
        assert_eq!(client.post(CALL).await.0, 404);
        client.session = None;
        client.open().await;
        // Only once the client has nothing more to say.
        assert_eq!(client.post(CALL).await.0, 200);
        client
    });
    assert!(transcript.entries.iter().any(|entry| entry.event == Event::Closed));
}
