//! Any bytes as a frame, as JSON and as lines.
#![cfg_attr(fuzzing, no_main)]

use turncoat::oracle;

turncoat_fuzz::target!(|bytes| {
    oracle::json(bytes);
    let (sizes, rest) = bytes.split_at(bytes.len().min(3));
    oracle::cuts(sizes, rest);
});
