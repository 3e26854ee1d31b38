//! The whole catalogue against the server in memory, one named test per script and revision.

use std::process::ExitCode;

use turncoat::adapter::{Adapter, Description, OpenFuture, stream};
use turncoat::revision::Side;

struct Rmcp;

impl Adapter for Rmcp {
    fn side(&self) -> Side {
        Side::Server
    }

    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            tokio::spawn(turncoat_sut_rmcp::serve(theirs));
            Ok(stream::duplex(ours))
        })
    }

    fn describe(&self) -> Description {
        Description { transport: "memory".to_owned(), ..Description::default() }
    }
}

fn main() -> ExitCode {
    turncoat_conformance::trials::main(Rmcp)
}
