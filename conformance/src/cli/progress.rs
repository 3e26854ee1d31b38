//! A bar on long runs, on standard error and only if that is a terminal; a line while there is no end in sight.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use turncoat::revision::Revision;
use turncoat_conformance::fuzz::{Figures, Watch};
use turncoat_conformance::report::Finding;
use turncoat_conformance::report::text::{count, visible};
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

/// What is shown while a subject is fuzzed.
pub(super) struct Ticker {
    bar: ProgressBar,
    started: Instant,
}

impl Ticker {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{elapsed}{msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, started: Instant::now() }
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A handle for whoever has something to say meanwhile.
    pub(super) fn aside(&self) -> impl Fn(&str) + Send + 'static {
        let bar = self.bar.clone();
        move |text| bar.suspend(|| output::diagnose(text))
    }
}

impl Watch for Ticker {
    fn played(&self, so_far: Figures) {
        let Figures { sessions, behaviours, findings, .. } = so_far;
        let rate = sessions as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!(
            ", {sessions} sessions, {rate:.0} a second, {}, {}",
            count(behaviours, "behaviour"),
            count(findings, "finding")
        ));
    }

    fn found(&self, finding: &Finding) {
        let line = format!("{} in {}: {}", finding.rule, finding.revision, visible(&finding.message));
        self.bar.suspend(|| output::diagnose(&line));
    }
}
