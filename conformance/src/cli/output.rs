//! Where text goes, and how it looks there.

use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use turncoat_conformance::report::human::Look;

/// How text is to look on standard output: colours and its width only for a terminal.
pub(super) fn look() -> Look {
    let stdout = io::stdout();
    let colour = AutoStream::choice(&stdout) != ColorChoice::Never;
    let width = terminal_size_of(&stdout).map_or(80, |(Width(columns), _)| usize::from(columns));
    Look { width, colour }
}

/// The columns of standard output, or without limit if it is no terminal: `grep` wants whole lines.
pub(super) fn columns() -> usize {
    terminal_size_of(io::stdout()).map_or(usize::MAX, |(Width(columns), _)| usize::from(columns).max(40))
}

/// Writes a result to standard output. A reader who has gone away, as `head` does, is no failure.
pub(super) fn result(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Writes a line for people to standard error.
pub(super) fn diagnose(text: &str) {
    // There is no other place left to complain to.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
