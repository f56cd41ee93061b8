//! The command: where the demo plays, what it needs, how it ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use crate::base::Advice;
use crate::cli::amounts::duration;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};

use super::stage::{Stage, StageError};
use super::story;

/// Walk through the main job once, on real data
///
/// Makes repositories in DIR (a temporary folder if not given), with the Palmer penguins as data and a model trained in
/// plain Python 3: track data, train, register, see new data and what changed in it, let the checks decide, retrain,
/// promote, push, and get every byte back in a fresh clone. Each command is printed before it runs. Needs no network, and
/// touches nothing outside DIR.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder to make; it must be empty or not there
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Why the demo could not begin.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("'{}' is not empty, and the demo overwrites nothing", .0.display())]
    NotEmpty(PathBuf),
    #[error("cannot make the folder '{}'", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("'{program}' is needed and was not found")]
    Missing { program: &'static str, hint: &'static str },
}

impl Advice for DemoError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotEmpty(_) => vec!["git mldata demo      plays in a temporary folder".into()],
            Self::Folder { .. } => Vec::new(),
            Self::Missing { hint, .. } => vec![(*hint).to_owned()],
        }
    }
}

/// The programs that the story calls, and what to do where one is missing.
const NEEDED: [(&str, &str); 3] = [
    ("git-mlmodel", "install all three programs: cargo install git-ml"),
    ("git-mlrun", "install all three programs: cargo install git-ml"),
    (
        "python3",
        "the training script is plain Python 3, with no packages: install it with your system's packages",
    ),
];

pub(crate) fn run(context: &Context, args: &DemoArgs) -> Outcome {
    let start = Instant::now();
    let folder = make_folder(args.folder.as_deref())?;
    let stage = Stage::new(&folder)?;
    for (program, hint) in NEEDED {
        if !stage.has(program) {
            return Err(DemoError::Missing { program, hint }.into());
        }
    }
    match story::play(context, &stage) {
        Ok(()) => {}
        Err(StageError::Writing(source)) => return Err(CliError::writing(source)),
        Err(error) => {
            context.output.note(format!("the demo stopped; all that it made is in '{}'", folder.display()));
            return Err(error.into());
        }
    }
    story::where_to_look(context, &folder, &duration(start.elapsed()))?;
    Ok(Exit::Done)
}

/// The given folder, if nothing is in it, or a new one among the temporary ones, which stays.
fn make_folder(wanted: Option<&Path>) -> Result<PathBuf, DemoError> {
    let folder = match wanted {
        Some(folder) => folder.to_owned(),
        None => {
            let made = tempfile::Builder::new().prefix("git-ml-demo-").tempdir();
            let failed = |source| DemoError::Folder { folder: std::env::temp_dir(), source };
            made.map_err(failed)?.keep()
        }
    };
    let failed = |source| DemoError::Folder { folder: folder.clone(), source };
    fs::create_dir_all(&folder).map_err(failed)?;
    if fs::read_dir(&folder).map_err(failed)?.next().is_some() {
        return Err(DemoError::NotEmpty(folder));
    }
    folder.canonicalize().map_err(failed)
}
