//! What is printed, and where: data on stdout, all else on stderr.

use std::env;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use super::escape::escape;
use super::options::{CommonOptions, Format, When};
use super::page::{Page, Paint};
use super::report::CliError;

/// The two streams of one invocation, and how they are written.
#[derive(Debug)]
pub(crate) struct Output {
    quiet: bool,
    coloured: bool,
    coloured_errors: bool,
    hints: bool,
}

impl Output {
    /// How to write, from the options and the environment. Git's settings are asked through `setting` (the value of a
    /// boolean, if it is set), and only where they can matter.
    pub(crate) fn new(options: &CommonOptions, setting: &dyn Fn(&str) -> Option<bool>) -> Self {
        let coloured = |terminal: bool| match options.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && environment_allows_colour() && settings_allow_colour(setting),
        };
        Self {
            quiet: options.quiet,
            coloured: coloured(io::stdout().is_terminal() || env::var_os("GIT_PAGER_IN_USE").is_some()),
            coloured_errors: coloured(io::stderr().is_terminal()),
            hints: env::var_os("GIT_ADVICE").is_none_or(|value| value != "0"),
        }
    }

    /// Prints the answer to a question: also when asked to be quiet.
    pub(crate) fn show<T: Serialize>(
        &self,
        format: Format,
        value: &T,
        text: impl FnOnce(&mut Page<'_>) -> io::Result<()>,
    ) -> Result<(), CliError> {
        self.print(|out| match format {
            Format::Json => json_line(out, value),
            Format::Text => text(&mut Page::new(out, self.coloured)),
        })
    }

    /// Prints a list that answers a question: one JSON object a line.
    pub(crate) fn show_list<T: Serialize>(
        &self,
        format: Format,
        items: &[T],
        text: impl FnOnce(&mut Page<'_>) -> io::Result<()>,
    ) -> Result<(), CliError> {
        self.print(|out| match format {
            Format::Json => items.iter().try_for_each(|item| json_line(out, item)),
            Format::Text => text(&mut Page::new(out, self.coloured)),
        })
    }

    /// Prints what was done: not when asked to be quiet, unless a program reads it.
    pub(crate) fn done<T: Serialize>(
        &self,
        format: Format,
        value: &T,
        text: impl FnOnce(&mut Page<'_>) -> io::Result<()>,
    ) -> Result<(), CliError> {
        if self.quiet && format == Format::Text { Ok(()) } else { self.show(format, value, text) }
    }

    /// Prints bytes as they are, from `write`.
    pub(crate) fn print(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&mut out).and_then(|()| out.flush()).map_err(CliError::writing)
    }

    /// Prints one line, and sees it through before it returns: others may write to the same terminal next.
    pub(crate) fn line(&self, paint: Option<Paint>, text: &str) -> io::Result<()> {
        let shown = paint.map_or_else(|| text.to_owned(), |paint| paint.on(text, self.coloured));
        let mut out = io::stdout().lock();
        writeln!(out, "{shown}").and_then(|()| out.flush())
    }

    /// A line about what happens on the way, on stderr; not when asked to be quiet.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.tell(None, &text.to_string());
        }
    }

    /// A warning, on stderr.
    pub(crate) fn warning(&self, text: impl Display) {
        self.tell(Some(("warning", Paint::Notable)), &text.to_string());
    }

    /// What may be done next, on stderr; not when asked to be quiet, nor where advice is switched off.
    pub(crate) fn hint(&self, text: impl Display) {
        if !self.quiet {
            self.advise(&text.to_string());
        }
    }

    /// An error with its causes, and its hints if they are wanted, on stderr.
    pub(crate) fn error(&self, error: &CliError, hints: bool) {
        let Some((message, causes)) = error.messages() else { return };
        self.tell(Some(("error", Paint::Bad)), &message);
        causes.iter().for_each(|cause| self.tell(Some(("cause", Paint::Faint)), cause));
        if hints {
            error.hints().iter().for_each(|hint| self.advise(hint));
        }
    }

    fn advise(&self, text: &str) {
        if self.hints {
            self.tell(Some(("hint", Paint::Notable)), text);
        }
    }

    /// Writes one message; each of its lines under the same label. That nobody listens is not an error.
    fn tell(&self, label: Option<(&str, Paint)>, text: &str) {
        let mut err = io::stderr().lock();
        for line in text.lines() {
            let label = label.map(|(word, paint)| paint.on(&format!("{word}:"), self.coloured_errors) + " ");
            let _ = writeln!(err, "{}{}", label.unwrap_or_default(), escape(line));
        }
    }
}

fn json_line<T: Serialize>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// What the environment says: NO_COLOR (not empty) and TERM=dumb forbid colour.
fn environment_allows_colour() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What Git's settings say: `color.mldata` above `color.ui`, both on where nothing is said.
fn settings_allow_colour(setting: &dyn Fn(&str) -> Option<bool>) -> bool {
    setting("color.mldata").or_else(|| setting("color.ui")).unwrap_or(true)
}
