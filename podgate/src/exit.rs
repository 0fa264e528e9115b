//! The exit codes, in one place.

use podgate_harness::error::{Error, ErrorKind};
use podgate_harness::record::Record;

/// How a command ended. Of several, 3 is told before 2 before 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: all as expected; for `check`, everything is admitted.
    Expected,
    /// 4: nothing to run, which is never a pass.
    NothingToRun,
    /// 1: a verdict or a snapshot differs; for `check`, something is not admitted.
    Different,
    /// 2: bad input or usage, or something undecided.
    BadInput,
    /// 3: the environment failed.
    Environment,
}

impl Exit {
    /// The code that the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Expected => 0,
            Self::Different => 1,
            Self::BadInput => 2,
            Self::Environment => 3,
            Self::NothingToRun => 4,
        }
    }

    /// The code for a run that came to its end.
    pub(crate) fn of_run(record: &Record) -> Self {
        let failed = record.failed.iter().map(|failed| {
            if failed.input {
                Self::BadInput
            } else {
                Self::Environment
            }
        });
        let of_outcomes = if record.cells.is_empty() {
            Self::NothingToRun
        } else if record.undecided() > 0 {
            Self::BadInput
        } else if record.differs() {
            Self::Different
        } else {
            Self::Expected
        };
        failed.fold(of_outcomes, Self::max)
    }

    /// The code for an error that ended a command.
    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Input => Self::BadInput,
            ErrorKind::Environment => Self::Environment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_is_told() {
        let worst = [
            Exit::Different,
            Exit::Environment,
            Exit::BadInput,
            Exit::Expected,
        ]
        .into_iter()
        .max();
        assert_eq!(worst.map(Exit::code), Some(3));
        assert_eq!(Exit::BadInput.max(Exit::Different).code(), 2);
        assert_eq!(Exit::NothingToRun.max(Exit::Expected).code(), 4);
    }
}
