//! Arguments for any input schema, written or made up.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::Unstructured;
use turncoat::{generate, oracle};

turncoat_fuzz::target!(|bytes| {
    let written = serde_json::from_slice(bytes).ok();
    let made = generate::schema(&mut Unstructured::new(bytes)).ok();
    written.iter().chain(&made).for_each(oracle::arguments);
});
