//! Bars on stderr: only on a terminal, and only for work that takes longer than a second.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::base::{Progress, ProgressSink, Unit};

use super::options::CommonOptions;

/// Shorter work shows nothing, as with Git.
const DELAY: Duration = Duration::from_secs(1);

/// The progress of one invocation, as the options want it.
pub(crate) fn progress(options: &CommonOptions) -> Progress {
    let is_terminal = io::stderr().is_terminal();
    let wanted = options.progress || (!options.quiet && !options.no_progress && is_terminal);
    let bars = Bars { current: Arc::default(), is_terminal };
    if wanted { Progress::shown_by(Arc::new(bars)) } else { Progress::hidden() }
}

/// One bar at a time: the work that was begun last.
#[derive(Debug)]
struct Bars {
    current: Arc<Mutex<Option<ProgressBar>>>,
    is_terminal: bool,
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
        show_after_a_while(bar, self.is_terminal);
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
fn show_after_a_while(bar: ProgressBar, is_terminal: bool) {
    let weak = bar.downgrade();
    thread::spawn(move || {
        thread::sleep(DELAY);
        if let Some(bar) = weak.upgrade().filter(|bar| !bar.is_finished()) {
            let (target, pause) = match is_terminal {
                true => (ProgressDrawTarget::stderr(), Duration::from_millis(100)),
                false => (ProgressDrawTarget::term_like_with_hz(Box::new(Stream), 1), Duration::from_secs(1)),
            };
            bar.set_draw_target(target);
            bar.enable_steady_tick(pause);
        }
    });
}

/// stderr where it is no terminal and progress was asked for all the same: each drawing follows a carriage return, as with
/// `git fetch --progress`.
#[derive(Debug)]
struct Stream;

impl TermLike for Stream {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _lines: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(io::stderr(), "{text}")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        write!(io::stderr(), "{text}")
    }

    fn clear_line(&self) -> io::Result<()> {
        write!(io::stderr(), "\r")
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
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
            let bars = Bars { current: Arc::default(), is_terminal: false };
            let _ = style(unit, total);
            bars.begin("sending", unit, total);
            bars.advance(1);
            assert_eq!(bars.current().as_ref().map(ProgressBar::position), Some(1));
            bars.end();
            assert!(bars.current().is_none());
        }
    }
}
