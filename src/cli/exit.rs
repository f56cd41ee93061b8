//! The numbers by which scripts know how it went.

use std::process::ExitCode;

/// How an invocation ended. The numbers are a contract: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; also after help was asked for.
    Done,
    /// The question was answered, and the answer is no: differences with `--exit-code`, a gate that fails.
    AnswerIsNo,
    /// It could not be done.
    CouldNotDo,
    /// It was asked for in the wrong way.
    WrongUse,
    /// `git mlrun check`: retraining is due.
    Retrain,
    /// `git mlrun check`: somebody should look.
    Investigate,
    /// `git mlrun check`: the data or the model cannot be used as they are.
    Blocked,
    /// `git mlrun check`: there was too little to judge by.
    InsufficientData,
    /// `git mlrun check`: retraining is due, but was done not long ago.
    Suppressed,
    /// `git mlrun exec` could not begin: the command was not started.
    NotBegun,
    /// The code of the command that `git mlrun exec` ran.
    OfCommand(u8),
    /// Whoever read our output has gone.
    ClosedPipe,
}

impl Exit {
    /// The number that the caller sees.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::AnswerIsNo => 1,
            Self::CouldNotDo => 128,
            Self::WrongUse => 129,
            Self::Retrain => 10,
            Self::Investigate => 11,
            Self::Blocked => 12,
            Self::InsufficientData => 13,
            Self::Suppressed => 14,
            Self::NotBegun => 125,
            Self::OfCommand(code) => code,
            Self::ClosedPipe => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_git() {
        let all = [Exit::Done, Exit::AnswerIsNo, Exit::CouldNotDo, Exit::WrongUse, Exit::ClosedPipe];
        assert_eq!(all.map(Exit::number), [0, 1, 128, 129, 141]);
        let verdicts =
            [Exit::Retrain, Exit::Investigate, Exit::Blocked, Exit::InsufficientData, Exit::Suppressed];
        assert_eq!(verdicts.map(Exit::number), [10, 11, 12, 13, 14]);
        assert_eq!([Exit::NotBegun, Exit::OfCommand(3)].map(Exit::number), [125, 3]);
    }
}
