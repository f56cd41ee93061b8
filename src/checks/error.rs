//! Why checks could not be made at all.

use crate::base::{Advice, Failure};
use crate::data::read::AtError;
use crate::git::GitError;
use crate::models::{ContentRecord, RegistryError};
use crate::runs::RunsError;
use crate::tables::TableError;

use super::rule::RuleError;

/// Why checks could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Runs.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The registry of models.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There are no rules.
    #[error("no check is written in ml.toml")]
    NoRules,
    /// No rule of this name.
    #[error("there is no check '{name}' in ml.toml")]
    NoSuchRule {
        /// As it was asked for.
        name: String,
    },
    /// The current data cannot be had.
    #[error("check '{rule}' needs '{path}'")]
    Current {
        /// The rule.
        rule: String,
        /// The table.
        path: String,
        /// Why not.
        #[source]
        source: Box<AtError>,
    },
    /// The content of a table is not in the store.
    #[error("check '{rule}' needs a version of '{}' that is not in the store: {}", content.path, content.blake3.short())]
    MissingContent {
        /// The rule.
        rule: String,
        /// What is missing.
        content: Box<ContentRecord>,
    },
    /// What should be a table is none.
    #[error("check '{rule}' cannot read '{path}' as a table")]
    Table {
        /// The rule.
        rule: String,
        /// The table.
        path: String,
        /// Why not.
        source: TableError,
    },
}

impl Advice for CheckError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Rule(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Runs(error) => error.hints(),
            Self::Registry(error) => error.hints(),
            Self::NoRules => {
                vec!["write a table [check.NAME] into ml.toml: see 'git mlrun check --help'".into()]
            }
            Self::Current { source, .. } => source.hints(),
            Self::MissingContent { .. } => vec!["whoever made this version: git mldata push --all".into()],
            Self::Table { source, .. } => source.hints(),
            Self::NoSuchRule { .. } => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::NoSuchRule { .. } => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}
