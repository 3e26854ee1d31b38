//! The `turncoat` command. The only place that prints.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
