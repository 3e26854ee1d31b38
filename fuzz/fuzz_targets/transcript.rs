//! Any transcript, read from a file or made up, against every rule.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::Unstructured;
use turncoat::{generate, oracle};

turncoat_fuzz::target!(|bytes| {
    let read = oracle::transcript_file(bytes);
    let made = generate::transcript(&mut Unstructured::new(bytes)).ok();
    read.iter().chain(&made).for_each(oracle::judges);
});
