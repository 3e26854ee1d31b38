//! Any script against the honest reference server and its variants.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::Unstructured;
use turncoat::adapter::embedded;
use turncoat::transcript::Transport;
use turncoat::{generate, oracle, reference};

turncoat_fuzz::target!(|bytes| {
    let mut input = Unstructured::new(bytes);
    let Ok(variant) = input.choose(reference::variants()) else { return };
    let (server, is_stdio) = (variant.behaviour(), variant.reach.has(Transport::Stdio));
    // The messages are the same over HTTP; how they travel there is for `turncoat fuzz`.
    let Ok(script) = generate::script(&mut input, server.revisions, Transport::Stdio) else { return };
    let transport = if is_stdio { Transport::Stdio } else { Transport::Http };
    oracle::blameless(&oracle::converse(&script, &*embedded::over(transport, server)));
});
