//! pre-commit: a commit must not leave changed data behind.

use crate::base::{Advice, Failure};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::guard::{NotAdded, check_staged};

/// Data changed, and the commit would not have it.
#[derive(Debug, thiserror::Error)]
#[error("'{}' changed and was not added", .0.path)]
struct NotAddedError(NotAdded);

impl Advice for NotAddedError {
    fn hints(&self) -> Vec<String> {
        vec![format!("git mldata add {}", self.0.path)]
    }

    fn failure(&self) -> Failure {
        Failure::AnswerIsNo
    }
}

pub(super) fn run(context: &Context) -> Outcome {
    let staged = check_staged(&context.workspace()?, &context.progress)?;
    if staged.is_fine() {
        return Ok(Exit::Done);
    }
    for fault in staged.faults {
        context.tell(&CliError::from(fault));
    }
    for path in staged.not_added {
        context.tell(&CliError::from(NotAddedError(path)));
    }
    context.hint("git commit --no-verify      commits without the changed data");
    Ok(Exit::AnswerIsNo)
}
