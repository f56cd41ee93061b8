//! Bars on stderr: only on a terminal, and only for work that takes longer than a second.

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::{Progress, ProgressSink, Unit};

use super::options::CommonOptions;

/// Shorter work shows nothing, as with Git.
const DELAY: Duration = Duration::from_secs(1);

/// The progress of one invocation, as the options want it.
pub(crate) fn progress(options: &CommonOptions) -> Progress {
    let wanted = options.progress || (!options.quiet && !options.no_progress && io::stderr().is_terminal());
    if wanted { Progress::shown_by(Arc::new(Bars::default())) } else { Progress::hidden() }
}

/// One bar at a time: the work that was begun last.
#[derive(Debug, Default)]
struct Bars {
    current: Arc<Mutex<Option<ProgressBar>>>,
}

impl Bars {
    fn current(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressSink for Bars {
    fn begin(&self, title: &str, unit: Unit, total: Option<u64>) {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden())
            .with_style(style(unit, total))
            .with_prefix(title.to_owned());
        if let Some(earlier) = self.current().replace(bar.clone()) {
            earlier.finish_and_clear();
        }
        show_after_a_while(bar);
    }

    fn advance(&self, units: u64) {
        if let Some(bar) = &*self.current() {
            bar.inc(units);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.current().take() {
            bar.finish_and_clear();
        }
    }
}

/// Draws the bar when its work still goes on after the delay.
fn show_after_a_while(bar: ProgressBar) {
    let weak = bar.downgrade();
    thread::spawn(move || {
        thread::sleep(DELAY);
        if let Some(bar) = weak.upgrade().filter(|bar| !bar.is_finished()) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    });
}

/// How far, how much, how fast; without a total only what is known.
fn style(unit: Unit, total: Option<u64>) -> ProgressStyle {
    let template = match (unit, total.is_some()) {
        (Unit::Bytes, true) => {
            "{prefix}: {percent:>3}% {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
        }
        (Unit::Bytes, false) => "{prefix}: {decimal_bytes}, {decimal_bytes_per_sec}",
        (Unit::Items, true) => "{prefix}: {percent:>3}% ({human_pos}/{human_len}), {eta} left",
        (Unit::Items, false) => "{prefix}: {human_pos}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_understood() {
        for (unit, total) in
            [(Unit::Bytes, Some(1)), (Unit::Bytes, None), (Unit::Items, Some(1)), (Unit::Items, None)]
        {
            let bars = Bars::default();
            let _ = style(unit, total);
            bars.begin("sending", unit, total);
            bars.advance(1);
            assert_eq!(bars.current().as_ref().map(ProgressBar::position), Some(1));
            bars.end();
            assert!(bars.current().is_none());
        }
    }
}
