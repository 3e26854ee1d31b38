//! Serves over Streamable HTTP on the port that PORT says, the way that the SDK's own examples do.

use std::{env, error::Error, net::Ipv4Addr};

use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;

use turncoat_sut_rmcp::{official::Official, server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let port = env::var("PORT")?.parse()?;
    let official = Official::new(server());
    let service = StreamableHttpService::new(
        move || Ok(official.clone()),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
