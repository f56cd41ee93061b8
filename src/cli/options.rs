//! Options that many subcommands share, worded once.

use std::path::PathBuf;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches, ValueEnum};

/// What every invocation of every tool understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct CommonOptions {
    /// Run as if started in PATH
    #[arg(short = 'C', value_name = "PATH")]
    pub(crate) folders: Vec<PathBuf>,
    /// Print errors and what was asked for, nothing else
    #[arg(short, long, global = true, hide_short_help = true)]
    pub(crate) quiet: bool,
    /// Show progress even where stderr is not a terminal
    #[arg(long, global = true, hide_short_help = true, overrides_with = "no_progress")]
    pub(crate) progress: bool,
    /// Never show progress
    #[arg(long, global = true, hide_short_help = true, overrides_with = "progress")]
    pub(crate) no_progress: bool,
    /// When to use colour
    #[arg(long, global = true, hide_short_help = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: When,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR, TERM=dumb or `color.ui` say otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; the wording may change
    #[default]
    Text,
    /// For programs: one JSON object, or one a line where there are many
    Json,
}

/// The form of a report, for every subcommand that reports.
#[derive(Debug, Args)]
pub(crate) struct FormatOptions {
    /// How to print: text for people, json for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_default_value = true)]
    format: Format,
    /// Short for --format=json
    #[arg(long, action = ArgAction::SetTrue, overrides_with = "format")]
    json: bool,
}

impl FormatOptions {
    /// What was asked for of a subcommand; `None` of one that does not report.
    pub(crate) fn of(matches: &ArgMatches) -> Option<Self> {
        matches.try_contains_id("json").ok()?;
        Self::from_arg_matches(matches).ok()
    }

    /// The form that was asked for.
    pub(crate) fn chosen(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Reads `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it has no '='")?;
    if key.is_empty() { Err("the name before '=' is empty".into()) } else { Ok((key.into(), value.into())) }
}

/// Reads `10%` or `10`.
pub(crate) fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number
        .filter(|number| (1..=100).contains(number))
        .ok_or_else(|| "write it as 10%, from 1% to 100%".into())
}
