//! The scripts that are built in: every file of `corpus/scripts/`.

use std::sync::LazyLock;

use super::Script;
use super::file::{self, ScriptError};

include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

static SCRIPTS: LazyLock<Result<Vec<Script>, ScriptError>> = LazyLock::new(|| {
    FILES.iter().map(|(name, text)| file::read(&format!("corpus/scripts/{name}.toml"), name, text)).collect()
});

/// Every built-in script, by name.
///
/// # Errors
///
/// The first file that is no script; a test keeps that from being released.
pub fn all() -> Result<&'static [Script], ScriptError> {
    match &*SCRIPTS {
        Ok(scripts) => Ok(scripts),
        Err(error) => Err(error.clone()),
    }
}

/// The texts of all files, for a hash of the catalogue.
#[must_use]
pub fn texts() -> &'static [(&'static str, &'static str)] {
    FILES
}

#[cfg(test)]
mod tests {
    use crate::rules;

    #[test]
    fn every_file_reads_and_provokes_rules_that_exist() {
        for script in super::all().unwrap() {
            for rule in &script.provokes {
                assert!(rules::find(rule).is_some(), "{} provokes the unknown rule {rule}", script.name);
            }
        }
    }
}
