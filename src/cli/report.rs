//! An error on its way out: what is printed of it, and the exit code.
//!
//! The rules: the message says what happened, to what, and why; each further reason is a `cause:` line; what to do comes
//! as `hint:` lines from [`Advice`], the best first. A reader who has closed the pipe gets no message at all.

use std::error::Error;
use std::io;

use crate::base::{Advice, Failure};

use super::exit::Exit;

/// How a subcommand ends.
pub(crate) type Outcome = Result<Exit, CliError>;

/// An error that is about to be shown.
#[derive(Debug)]
pub(crate) struct CliError {
    error: Box<dyn Error + Send + Sync>,
    exit: Exit,
    hints: Vec<String>,
}

/// The output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the output")]
struct WritingError(#[source] io::Error);

impl CliError {
    /// An error from writing to stdout.
    pub(crate) fn writing(error: io::Error) -> Self {
        let closed = error.kind() == io::ErrorKind::BrokenPipe;
        let exit = if closed { Exit::ClosedPipe } else { Exit::CouldNotDo };
        Self { error: Box::new(WritingError(error)), exit, hints: Vec::new() }
    }

    /// The same error with another code.
    pub(crate) fn ending_with(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The code to end with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What may be done about it.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The message and its causes, outermost first; nothing for a closed pipe. A cause that only repeats the line above is left out.
    pub(crate) fn messages(&self) -> Option<(String, Vec<String>)> {
        if self.exit == Exit::ClosedPipe {
            return None;
        }
        let mut messages = vec![self.error.to_string()];
        let mut source = self.error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if messages.last().is_some_and(|above| !above.contains(&text)) {
                messages.push(text);
            }
            source = cause.source();
        }
        let causes = messages.split_off(1);
        messages.pop().map(|message| (message, causes))
    }
}

impl<E: Advice> From<E> for CliError {
    fn from(error: E) -> Self {
        let exit = match error.failure() {
            Failure::AnswerIsNo => Exit::AnswerIsNo,
            Failure::CouldNotDo => Exit::CouldNotDo,
            Failure::WrongUse => Exit::WrongUse,
        };
        Self { hints: error.hints(), exit, error: Box::new(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot push to 'main'")]
    struct PushError(#[source] io::Error);

    impl Advice for PushError {
        fn hints(&self) -> Vec<String> {
            vec!["set AWS_PROFILE".into()]
        }

        fn failure(&self) -> Failure {
            Failure::WrongUse
        }
    }

    #[test]
    fn an_error_gives_message_causes_hints_and_code() {
        let error = CliError::from(PushError(io::Error::other("the service answered 403")));
        let (message, causes) = error.messages().unwrap();
        assert_eq!(message, "cannot push to 'main'");
        assert_eq!(causes, ["the service answered 403"]);
        assert_eq!(error.hints(), ["set AWS_PROFILE"]);
        assert_eq!(error.exit(), Exit::WrongUse);
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let error = CliError::writing(io::ErrorKind::BrokenPipe.into());
        assert!(error.messages().is_none());
        assert_eq!(error.exit(), Exit::ClosedPipe);
        assert_eq!(CliError::writing(io::ErrorKind::StorageFull.into()).exit(), Exit::CouldNotDo);
    }
}
