//! Exit codes, and the gate that decides between them.

use std::fmt;
use std::process::{ExitCode, Termination};

use wsgrade_reports::record::{Behavior, RunReport, Severity};

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

    /// The gate: no MUST is broken. A run that broke off, judged nothing, or has anything inconclusive does not
    /// meet it; a broken MUST outweighs that.
    pub fn of_run(report: &RunReport) -> Self {
        let records = || report.targets.iter().flat_map(|target| &target.cases);
        if records().any(|record| record.severity() == Severity::Major) {
            return Self::GateNotMet;
        }
        // A campaign that found nothing has nothing to judge, and that is good news.
        let campaign = report.fuzz.as_ref().is_some_and(|fuzz| fuzz.scenarios > 0);
        let judged = |behavior| match behavior {
            Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => true,
            Behavior::Unimplemented | Behavior::Inconclusive => false,
        };
        let broke_off = report.targets.iter().any(|target| {
            target.stopped.is_some()
                || !campaign && !target.cases.iter().any(|record| judged(record.behavior))
        });
        let inconclusive = records().any(|record| record.behavior == Behavior::Inconclusive);
        if report.targets.is_empty() || broke_off || inconclusive {
            Self::Inconclusive
        } else {
            Self::Success
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
