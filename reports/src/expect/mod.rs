//! Expectations: known deviations, written down with their reason instead of being excluded in silence.
//!
//! ```text
//! [Expectation] ─┐
//! RunReport ─────┼─ apply ─▶ Applied { expected: records that deviate as it is written
//! today ─────────┘                    complaints: entries that are not true any more }
//! ```

mod apply;
mod date;

use std::fmt;

use crate::record::{Behavior, CaseKey, CloseVerdict, Severity};
use crate::render::text::{column, prose};

pub use apply::{Matching, apply};
pub use date::{Date, NoDate};

/// That some cases are known to deviate, how, and why that is put up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    cases: String,
    behavior: Behavior,
    close: Option<CloseVerdict>,
    reason: String,
    until: Option<Date>,
    target: Option<String>,
}

/// Why something cannot be expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoExpectation {
    /// It has no pattern of cases.
    #[error("an expectation has to name cases, such as `6.4.1` or `6.4.*`")]
    Cases,
    /// It has no reason.
    #[error("an expectation wants a reason: say in a sentence why this deviation is put up with")]
    Reason,
    /// It is no deviation.
    #[error(
        "`pass` is no deviation: delete the entry, or say by `close` how the connection ends against the rules"
    )]
    Pass,
    /// It says nothing of the target.
    #[error("`inconclusive` says nothing of the target, so nobody can expect it")]
    Inconclusive,
}

impl Expectation {
    /// That the cases which this pattern matches show this behaviour, and that their connections end in this way, for this
    /// reason.
    ///
    /// Without `close` a connection may end in whatever way weighs no more than the behaviour: who expects `non-strict` does
    /// not also expect a connection that ends against a MUST.
    ///
    /// # Errors
    ///
    /// What names no case, has no reason, is no deviation, or says nothing of the target.
    pub fn new(
        cases: impl Into<String>,
        behavior: Behavior,
        close: Option<CloseVerdict>,
        reason: impl Into<String>,
    ) -> Result<Self, NoExpectation> {
        let (cases, reason) = (cases.into(), reason.into());
        if cases.trim().is_empty() {
            return Err(NoExpectation::Cases);
        }
        if reason.trim().is_empty() {
            return Err(NoExpectation::Reason);
        }
        if behavior == Behavior::Inconclusive || close == Some(CloseVerdict::Inconclusive) {
            return Err(NoExpectation::Inconclusive);
        }
        let ends_poorly = close.is_some_and(|close| close.severity() >= Severity::Minor);
        if behavior == Behavior::Pass && !ends_poorly {
            return Err(NoExpectation::Pass);
        }
        Ok(Self { cases, behavior, close, reason, until: None, target: None })
    }

    /// Up to and including this day.
    #[must_use]
    pub fn until(self, day: Date) -> Self {
        Self { until: Some(day), ..self }
    }

    /// Of the targets whose names this pattern matches, and of no other.
    #[must_use]
    pub fn of_target(self, pattern: impl Into<String>) -> Self {
        Self { target: Some(pattern.into()), ..self }
    }

    /// The pattern of the cases.
    pub fn cases(&self) -> &str {
        &self.cases
    }

    /// The behaviour they show.
    pub fn behavior(&self) -> Behavior {
        self.behavior
    }

    /// How their connections end, where that is said.
    pub fn close(&self) -> Option<CloseVerdict> {
        self.close
    }

    /// Why that is put up with; never blank.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day it holds, if there is one.
    pub fn last_day(&self) -> Option<Date> {
        self.until
    }

    /// The pattern of the targets it is about, where it is not about all.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Whether it holds no more.
    pub fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|last| today > last)
    }
}

/// What expectations are to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records that deviate as it is written, in the order of the report.
    pub expected: Vec<Expected>,
    /// What is not as it is written.
    pub complaints: Vec<Complaint>,
}

/// A record that deviates as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The target's place in the report.
    pub target: usize,
    /// The record.
    pub key: CaseKey,
    /// The place of the expectation that it meets.
    pub entry: usize,
    /// Why the deviation is put up with.
    pub reason: String,
}

/// An expectation that is not true, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The place of the expectation.
    pub entry: usize,
    /// The pattern of its cases.
    pub cases: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// These cases pass.
    Passes {
        /// What was expected of them.
        expected: Behavior,
        /// The target's place in the report.
        target: usize,
        /// The cases.
        cases: Vec<CaseKey>,
    },
    /// These cases deviate in another way.
    Other {
        /// What was expected of them.
        expected: Behavior,
        /// The target's place in the report.
        target: usize,
        /// The cases, with what they showed instead.
        cases: Vec<(CaseKey, Behavior, CloseVerdict)>,
    },
    /// No case or no target is matched.
    Idle {
        /// What was perhaps meant.
        suggestion: Option<String>,
        /// The pattern of targets, where that is what matches none.
        target: Option<String>,
    },
    /// Its last day is past.
    Over {
        /// That day.
        last: Date,
        /// What was to be put up with, and why.
        reason: String,
    },
}

impl Applied {
    /// The expectation that a record meets, if it meets one.
    pub fn expectation_of(&self, target: usize, key: &CaseKey) -> Option<&Expected> {
        self.expected.iter().find(|expected| expected.target == target && expected.key == *key)
    }
}

/// How many cases a sentence names.
const NAMED: usize = 8;

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = format!("expectation {} (`{}`)", self.entry + 1, column(&self.cases, 40));
        match &self.fault {
            Fault::Passes { expected, target: _, cases } => {
                let ids: Vec<_> = cases.iter().map(|key| column(&key.id, 40)).collect();
                let verb = if ids.len() == 1 { "passes" } else { "pass" };
                write!(
                    f,
                    "{entry} expects {expected}, but {} {verb}: delete the entry, or narrow it",
                    listed(&ids)
                )
            }
            Fault::Other { expected, target: _, cases } => {
                let shown = cases.iter().map(|(key, behavior, close)| {
                    let close = match close.severity() {
                        Severity::Good | Severity::Neutral => String::new(),
                        Severity::Minor | Severity::Major => format!(", close {close}"),
                    };
                    format!("{} ({behavior}{close})", column(&key.id, 40))
                });
                let shown: Vec<_> = shown.collect();
                write!(f, "{entry} expects {expected}, but there is another deviation in {}", listed(&shown))
            }
            Fault::Idle { suggestion, target } => {
                match target {
                    Some(target) => write!(f, "{entry} matches no target `{}`", column(target, 40))?,
                    None => write!(f, "{entry} matches no case")?,
                }
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{}`?", column(near, 60)),
                    None => write!(f, ": delete the entry"),
                }
            }
            Fault::Over { last, reason } => {
                write!(
                    f,
                    "{entry} held until {last}: mend what it is about, or give it another day ({})",
                    prose(reason)
                )
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text += &format!(" and {} more", names.len() - NAMED);
    }
    text
}
