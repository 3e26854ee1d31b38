//! The server answers lines of JSON that no SDK has made, in both eras, and ends when its input does.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream},
    task::JoinHandle,
};

#[tokio::test]
async fn a_legacy_session() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut session = Session::open();
        let hello = session
            .ask(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": revision,
                "capabilities": {},
                "clientInfo": { "name": "raw", "version": "1" },
            }}))
            .await;
        assert_eq!(hello["result"]["protocolVersion"], revision);
        session.tell(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;

        let answer = session
            .ask(json!({ "jsonrpc": "2.0", "id": "two", "method": "tools/call", "params": {
                "name": "echo", "arguments": { "message": "hi" },
            }}))
            .await;
        assert_eq!(answer["id"], "two");
        assert_eq!(answer["result"]["content"][0]["text"], "hi");
        session.close().await;
    }
}

#[tokio::test]
async fn a_modern_session() {
    let mut session = Session::open();
    let answer = session.ask(modern(1, "server/discover", json!({}))).await;
    assert!(
        answer["result"]["supportedVersions"].as_array().is_some_and(|all| all.contains(&json!("2026-07-28"))),
        "{answer}"
    );

    let answer = session.ask(modern(2, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }))).await;
    assert_eq!(answer["result"]["structuredContent"], json!({ "sum": 3 }));
    session.close().await;
}

/// The clock is paused, so that nobody waits for a tool that takes a minute.
#[tokio::test(start_paused = true)]
async fn progress_comes_before_the_result() {
    let mut session = Session::open();
    let mut params = json!({ "name": "slow", "arguments": { "milliseconds": 60_000, "steps": 2 } });
    params["_meta"] = json!({ "progressToken": "p" });
    session.tell(modern(1, "tools/call", params)).await;
    for progress in [1.0, 2.0] {
        let note = session.hear().await;
        assert_eq!(note["method"], "notifications/progress");
        assert_eq!(note["params"]["progressToken"], "p");
        assert_eq!(note["params"]["progress"], progress);
    }
    assert_eq!(session.hear().await["result"]["isError"], false);
    session.close().await;
}

/// A request with what the modern revision wants every request to carry.
fn modern(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "raw", "version": "1" });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

struct Session {
    io: BufReader<DuplexStream>,
    server: JoinHandle<Result<(), Box<dyn std::error::Error + Send + Sync>>>,
}

impl Session {
    fn open() -> Self {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        Self { io: BufReader::new(ours), server: tokio::spawn(turncoat_sut_rmcp::serve(theirs)) }
    }

    async fn tell(&mut self, message: Value) {
        self.io.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.io.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.tell(message).await;
        self.hear().await
    }

    async fn close(mut self) {
        self.io.shutdown().await.unwrap();
        self.server.await.unwrap().unwrap();
    }
}
