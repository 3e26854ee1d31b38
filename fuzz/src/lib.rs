//! Glue between cargo-fuzz and the generators and oracles of the harness.
//!
//! Under cargo-fuzz a target is a libFuzzer binary. Built in any other way it replays the files and folders that it is
//! given, so everything here type-checks and crash inputs stay tests on stable.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

/// Declares a fuzz target: `target!(|bytes| { ... })`.
#[macro_export]
macro_rules! target {
    (|$bytes:ident| $body:block) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|$bytes: &[u8]| $body);

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay(|$bytes: &[u8]| $body)
        }
    };
}

/// Gives a target every file among the arguments of the process, and in the folders among them.
pub fn replay(target: fn(&[u8])) -> ExitCode {
    let replayed: io::Result<usize> = env::args_os().skip(1).map(|path| each_file(Path::new(&path), target)).sum();
    match replayed {
        Ok(1..) => ExitCode::SUCCESS,
        Ok(0) => complain("no file to replay; name files or folders"),
        Err(error) => complain(&format!("failed to replay: {error}")),
    }
}

fn each_file(path: &Path, target: fn(&[u8])) -> io::Result<usize> {
    if path.is_dir() {
        return fs::read_dir(path)?.map(|file| each_file(&file?.path(), target)).sum();
    }
    target(&fs::read(path)?);
    Ok(1)
}

#[expect(clippy::print_stderr, reason = "this is the whole user interface of a replay")]
fn complain(what: &str) -> ExitCode {
    eprintln!("{what}");
    ExitCode::FAILURE
}
