//! Exit codes, and why there is no report.

use std::fmt;
use std::process::{ExitCode, Termination};

use wsgrade_reports::gate::{Outcome, Policy, Ruling};
use wsgrade_reports::record::RunReport;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: the gate is met, or what was asked was done.
    Success,
    /// 1: the gate is not met.
    GateNotMet,
    /// 2: the command line, the configuration or a case file is wrong, or no case is selected.
    Usage,
    /// 3: a target cannot be reached, or results are inconclusive.
    Inconclusive,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::GateNotMet => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
        }
    }

    /// The gate as it is unless told otherwise: no MUST is broken. A run that broke off, judged nothing, or has anything
    /// inconclusive does not meet it; a broken MUST outweighs that.
    pub fn of_run(report: &RunReport) -> Self {
        Self::from(Ruling::of(report, &Policy::default(), None).outcome)
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Met => Self::Success,
            Outcome::NotMet => Self::GateNotMet,
            Outcome::Undecided => Self::Inconclusive,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// Why there is no report.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    exit: Exit,
}

impl Failure {
    pub(crate) fn usage(message: impl ToString) -> Self {
        Self { message: message.to_string(), exit: Exit::Usage }
    }

    pub(crate) fn inconclusive(message: impl ToString) -> Self {
        Self { message: message.to_string(), exit: Exit::Inconclusive }
    }

    pub(crate) fn unmet(message: impl ToString) -> Self {
        Self { message: message.to_string(), exit: Exit::GateNotMet }
    }

    /// Says so, and gives the exit code.
    pub(crate) fn tell(&self) -> Exit {
        eprintln!("wsgrade: {}", self.message);
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
