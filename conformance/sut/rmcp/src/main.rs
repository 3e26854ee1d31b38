//! Serves one session over standard input and output, the way that the SDK's own examples do.

use std::error::Error;

use rmcp::{ServiceExt, transport::stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    turncoat_sut_rmcp::server().serve(stdio()).await?.waiting().await?;
    Ok(())
}
