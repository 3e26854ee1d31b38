//! Any script against the honest reference server and its variants.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::Unstructured;
use turncoat::adapter::embedded::Embedded;
use turncoat::{generate, oracle, reference};

turncoat_fuzz::target!(|bytes| {
    let mut input = Unstructured::new(bytes);
    let Ok(server) = input.choose(reference::variants()).map(reference::Variant::behaviour) else { return };
    let Ok(script) = generate::script(&mut input, server.revisions) else { return };
    oracle::blameless(&oracle::converse(&script, &Embedded::server(server)));
});
