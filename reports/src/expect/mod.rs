//! Expectations: known deviations, written down with their reason instead of being excluded in silence.
//!
//! ```text
//! [Expectation] ─┐
//! today ─────────┼─ apply ─▶ RunReport { expectations: each with what is not true of it any more
//! RunReport ─────┘                       CaseRecord::expected: which one a record meets }
//! ```
//!
//! What was expected is then part of the record: gate and renderers read it there, and no verdict is another one because of it.

mod apply;
mod complaint;
mod date;

use crate::record::{Behavior, CloseVerdict, Severity};

pub use apply::{Matching, apply};
pub use date::{Date, NoDate};

/// That some cases are known to deviate, how, and why that is put up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    cases: Vec<String>,
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
    /// That the cases which any of these patterns matches show this behaviour, and that their connections end in this way,
    /// for this reason.
    ///
    /// Without `close` a connection may end in whatever way weighs no more than the behaviour: who expects `non-strict` does
    /// not also expect a connection that ends against a MUST.
    ///
    /// # Errors
    ///
    /// What names no case, by no pattern or by a blank one, has no reason, is no deviation, or says nothing of the target.
    pub fn new(
        cases: Vec<String>,
        behavior: Behavior,
        close: Option<CloseVerdict>,
        reason: impl Into<String>,
    ) -> Result<Self, NoExpectation> {
        let reason = reason.into();
        if cases.is_empty() || cases.iter().any(|pattern| pattern.trim().is_empty()) {
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

    /// The patterns of the cases; at least one, and none of them blank.
    pub fn cases(&self) -> &[String] {
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
