//! Progress on stderr: a bar on a terminal, and only for work that takes longer than a second; events where `--json` was
//! asked for (see [`super::progress_event`]).

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike, WeakProgressBar};

use crate::base::{Progress, ProgressSink, Unit, Work};

use super::amounts::{count, duration};
use super::escape::escape;
use super::options::{CommonOptions, Format};
use super::progress_event::Tally;

/// Shorter work shows nothing, as with Git.
const DELAY: Duration = Duration::from_secs(1);
/// What is not drawn over is written this often.
const PAUSE: Duration = Duration::from_secs(1);

/// The progress of one invocation, as the options want it. Where `format` is for programs, they are told, terminal or not.
pub(crate) fn progress(options: &CommonOptions, format: Format) -> Progress {
    let way = match format {
        Format::Json => Way::Events,
        Format::Text if io::stderr().is_terminal() => Way::Terminal,
        Format::Text => Way::Stream,
    };
    let wanted = options.progress || (!options.quiet && !options.no_progress && way != Way::Stream);
    if wanted { Progress::shown_by(Arc::new(Shown::new(way))) } else { Progress::hidden() }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Terminal,
    Stream,
    Events,
}

/// One piece of work at a time: the one that was begun last.
#[derive(Debug)]
struct Shown {
    current: Mutex<Option<Current>>,
    way: Way,
}

#[derive(Debug)]
struct Current {
    bar: ProgressBar,
    tally: Arc<Tally>,
}

impl Shown {
    fn new(way: Way) -> Self {
        Self { current: Mutex::new(None), way }
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn end(self) {
        self.bar.finish_and_clear();
        self.tally.end(self.bar.position(), self.bar.elapsed());
    }
}

impl ProgressSink for Shown {
    fn begin(&self, work: &Work<'_>) {
        let tally = Arc::new(Tally::of(work));
        let bar = ProgressBar::with_draw_target(work.total, ProgressDrawTarget::hidden())
            .with_style(style(work, &tally))
            .with_prefix(escape(work.title).into_owned());
        let (weak, begun) = (bar.downgrade(), Arc::clone(&tally));
        if let Some(earlier) = self.current().replace(Current { bar, tally }) {
            earlier.end();
        }
        let way = self.way;
        thread::spawn(move || show_after_a_while(&weak, &begun, way));
    }

    fn advance(&self, units: u64) {
        if let Some(current) = &*self.current() {
            current.bar.inc(units);
        }
    }

    fn advance_files(&self, files: u64) {
        if let Some(current) = &*self.current() {
            current.tally.advance_files(files);
        }
    }

    fn end(&self) {
        if let Some(current) = self.current().take() {
            current.end();
        }
    }
}

/// Shows the work when it still goes on after the delay.
fn show_after_a_while(weak: &WeakProgressBar, tally: &Tally, way: Way) {
    let alive = || weak.upgrade().filter(|bar| !bar.is_finished());
    thread::sleep(DELAY);
    match way {
        Way::Events => {
            while let Some(bar) = alive() {
                tally.tell(bar.position(), bar.elapsed());
                drop(bar);
                thread::sleep(PAUSE);
            }
        }
        Way::Terminal | Way::Stream => {
            let Some(bar) = alive() else { return };
            let (target, pause) = match way {
                Way::Terminal => (ProgressDrawTarget::stderr(), Duration::from_millis(100)),
                _ => (ProgressDrawTarget::term_like_with_hz(Box::new(Stream), 1), PAUSE),
            };
            bar.set_draw_target(target);
            bar.enable_steady_tick(pause);
        }
    }
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
fn style(work: &Work<'_>, tally: &Arc<Tally>) -> ProgressStyle {
    let template = match (work.unit, work.total.is_some()) {
        (Unit::Bytes, true) => {
            "{prefix}: {percent:>3}% {decimal_bytes}/{decimal_total_bytes}{files}, {decimal_bytes_per_sec}{left}"
        }
        (Unit::Bytes, false) => "{prefix}: {decimal_bytes}{files}, {decimal_bytes_per_sec}",
        (Unit::Items, true) => "{prefix}: {percent:>3}% ({human_pos}/{human_len}){left}",
        (Unit::Items, false) => "{prefix}: {human_pos}",
    };
    let tally = Arc::clone(tally);
    let files = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        if let Some((done, total)) = tally.files() {
            // A bar that cannot be drawn is not an error.
            let _ = write!(out, ", {}/{} files", count(done), count(total));
        }
    };
    let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        if state.pos() > 0 {
            let _ = write!(out, ", {} left", duration(state.eta()));
        }
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("files", files).with_key("left", left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_understood() {
        for (unit, total) in
            [(Unit::Bytes, Some(1)), (Unit::Bytes, None), (Unit::Items, Some(1)), (Unit::Items, None)]
        {
            let shown = Shown::new(Way::Stream);
            let work = Work { title: "sending", unit, total, files: Some(2) };
            let _ = style(&work, &Arc::new(Tally::of(&work)));
            shown.begin(&work);
            shown.advance(1);
            shown.advance_files(1);
            let seen = shown.current().as_ref().map(|it| (it.bar.position(), it.tally.files()));
            assert_eq!(seen, Some((1, Some((1, 2)))));
            shown.end();
            assert!(shown.current().is_none());
        }
    }
}
