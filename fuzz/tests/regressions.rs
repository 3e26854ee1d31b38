//! Replays every input that once crashed a target, and every seed, one named test a file and one process each.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use libtest_mimic::{Arguments, Failed, Trial};

const TARGETS: &[(&str, &str)] = &[
    ("arguments", env!("CARGO_BIN_EXE_arguments")),
    ("frame", env!("CARGO_BIN_EXE_frame")),
    ("script", env!("CARGO_BIN_EXE_script")),
    ("server", env!("CARGO_BIN_EXE_server")),
    ("transcript", env!("CARGO_BIN_EXE_transcript")),
];

fn main() -> io::Result<()> {
    let arguments = Arguments::from_args();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut trials = Vec::new();
    for (target, binary) in TARGETS {
        for folder in ["regressions", "fuzz"] {
            for file in fs::read_dir(corpus.join(folder).join(target))? {
                let file = file?;
                let name = format!("{target}/{folder}/{}", file.file_name().display());
                trials.push(Trial::test(name, move || replay(binary, &file.path())));
            }
        }
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit()
}

fn replay(binary: &str, file: &Path) -> Result<(), Failed> {
    let output = Command::new(binary).arg(file).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
