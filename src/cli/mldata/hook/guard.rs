//! pre-commit and pre-merge-commit: a commit names the data that is there, or is not made.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::guard::{GuardError, check_staged};

pub(super) fn run(context: &Context) -> Outcome {
    let workspace = match context.workspace() {
        Ok(workspace) => workspace,
        // Git could open it, so the commit is not ours to stop; and it cannot hold data of ours.
        Err(error) => {
            context.warn("git-mldata", &error);
            return Ok(Exit::Done);
        }
    };
    let staged = check_staged(&workspace, &context.progress)?;
    if staged.is_fine() {
        return Ok(Exit::Done);
    }
    for error in Vec::<GuardError>::from(staged) {
        context.tell(&CliError::from(error));
    }
    context.hint("git commit --no-verify      commits without this check");
    Ok(Exit::AnswerIsNo)
}
