//! A bar on long runs, on standard error and only if that is a terminal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use turncoat::revision::Revision;
use turncoat_conformance::report::text::count;
use turncoat_conformance::runner::Progress;

use super::output;

/// What is shown while a run goes on.
pub(super) struct Bar {
    bar: ProgressBar,
    broken: AtomicUsize,
}

impl Bar {
    pub(super) fn new() -> Self {
        // indicatif draws nothing if standard error is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} sessions, {elapsed}{msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, broken: AtomicUsize::new(0) }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A handle for whoever has something to say meanwhile.
    pub(super) fn aside(&self) -> impl Fn(&str) + Send + 'static {
        let bar = self.bar.clone();
        move |text| bar.suspend(|| output::diagnose(text))
    }
}

impl Progress for Bar {
    fn planned(&self, sessions: usize) {
        self.bar.inc_length(u64::try_from(sessions).unwrap_or(u64::MAX));
    }

    fn finished(&self, _script: &str, _revision: Revision, broken: usize) {
        let broken = self.broken.fetch_add(broken, Ordering::Relaxed) + broken;
        self.bar.inc(1);
        if broken > 0 {
            self.bar.set_message(format!(", {}", count(broken, "suspicion")));
        }
    }
}
