//! Any bytes as a script file.
#![cfg_attr(fuzzing, no_main)]

turncoat_fuzz::target!(|bytes| {
    turncoat::oracle::script_file(bytes);
});
