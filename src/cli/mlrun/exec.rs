//! `git mlrun exec`: runs a command, and keeps what it did.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::base::Advice;
use crate::cli::amounts::{duration, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::pair;
use crate::cli::report::{CliError, Outcome};
use crate::models::ContentRecord;
use crate::runs::{Execution, Request, execute};

use super::keeper::Keeper;
use super::sharing::{SharingOptions, receive, send};

/// Run a command and record it
///
/// Records the code (a changed work tree is kept whole), inputs and outputs by content id, parameters, metrics, exit code,
/// duration and environment. Inputs that were modified are stored first, so that the run can be repeated; outputs are added,
/// their pointers are written and not staged. The exit code is that of the command: 127 and 126 as in a shell when it
/// cannot be started, 125 when the recording could not begin and nothing was started.
#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// A name for the run
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A parameter, such as lr=0.1
    #[arg(short, long = "param", value_name = "KEY=VALUE", value_parser = pair)]
    param: Vec<(String, String)>,
    /// What the command reads
    #[arg(short, long = "input", value_name = "PATH")]
    input: Vec<PathBuf>,
    /// What the command makes
    #[arg(short, long = "output", value_name = "PATH")]
    output: Vec<PathBuf>,
    #[command(flatten)]
    sharing: SharingOptions,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(context: &Context, args: &ExecArgs) -> Outcome {
    receive(context, &args.sharing);
    let execution = execution(context, args).map_err(|error| error.ending_with(Exit::NotBegun))?;
    let exit = tell(context, args, execution);
    send(context, &args.sharing);
    Ok(exit)
}

fn execution(context: &Context, args: &ExecArgs) -> Result<Execution, CliError> {
    let workspace = context.workspace()?;
    let request = Request {
        name: args.name.clone(),
        params: args.param.clone(),
        inputs: context.named_paths(&args.input)?,
        outputs: context.named_paths(&args.output)?,
        command: args.command.clone(),
    };
    let keeper = Keeper { workspace: &workspace, progress: &context.progress };
    Ok(execute(context.repository()?, &request, &keeper)?)
}

/// The command could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start '{program}'")]
struct NotStartedError {
    program: String,
    #[source]
    source: std::io::Error,
}

impl Advice for NotStartedError {}

/// Everything that is said goes to stderr: stdout is the command's.
fn tell(context: &Context, args: &ExecArgs, execution: Execution) -> Exit {
    let Execution { id, name, exit_code, duration_ms, git, outputs, not_started, problems, .. } = execution;
    if let Some(source) = not_started {
        let program = args.command.first().map(|program| program.to_string_lossy().into_owned());
        context.tell(&NotStartedError { program: program.unwrap_or_default(), source }.into());
    }
    let code = match git.changed_files {
        0 => String::new(),
        changed => format!(" +{changed} changed"),
    };
    let commit = git.commit.as_deref().and_then(|commit| commit.get(..8)).unwrap_or("no commit");
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    let took = duration(Duration::from_millis(duration_ms));
    context
        .output
        .note(format!("run {}{name}: code {commit}{code}, {took}, exit code {exit_code}", id.short()));
    for ContentRecord { path, blake3, size: bytes, .. } in &outputs {
        context.output.note(format!("  made {path}  {}  {}", blake3.short(), size(*bytes)));
    }
    for problem in problems {
        // What could not be recorded never changes the exit code, and is said.
        context.warn("not recorded", &CliError::from(problem));
    }
    Exit::OfCommand(u8::try_from(exit_code).unwrap_or(1))
}
