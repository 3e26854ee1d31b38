//! Conformance checks for the Model Context Protocol: what to run, running it, and saying what came out.
//!
//! - [`runner`]: scripts against a subject, every rule over every session
//! - [`fuzz`]: sessions made up, and made anew from those that showed something new
//! - [`limits`]: how much a subject bears
//! - [`report`]: what a run found, and its formats
//! - [`trials`]: the catalogue as tests of an adapter
//! - [`baseline`], [`subject_file`]: the files that people write, with [`mistake`]s that point at the place
//! - [`glob`], [`names`]: patterns for names, and which name was meant

pub mod baseline;
pub mod fuzz;
pub mod glob;
pub mod limits;
pub mod mistake;
pub mod names;
pub mod report;
pub mod runner;
pub mod subject_file;
pub mod trials;
