//! What was expected of a run: known deviations, as they were judged on the day of the run.

use serde::{Deserialize, Serialize};

use super::{Behavior, CaseRecord, CloseVerdict, RunReport, Severity};

/// A deviation that was known before the run, why it is put up with, and what the run says of that.
///
/// A [`CaseRecord`] that deviates as it is written here points at it ([`CaseRecord::expected`]). Verdicts and grades are as
/// they are without it: only the gate, and who reads a report, takes note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectationRecord {
    /// The patterns of the cases that it is about.
    pub cases: Vec<String>,
    /// The behaviour that they show.
    pub behavior: Behavior,
    /// How their connections end; absent where it only was to weigh no more than the behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseVerdict>,
    /// Why that is put up with.
    pub reason: String,
    /// The last day that it holds, `2027-03-01`; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The pattern of the targets that it is about; absent where it is about all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What is not true of it, or not any more, a sentence each, as of the day of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<String>,
}

impl RunReport {
    /// The expectation that a record of this run meets. Whatever a record of others says, a number that is no place of one is
    /// none, and what passes or was inconclusive meets nothing.
    pub fn expectation_of(&self, record: &CaseRecord) -> Option<&ExpectationRecord> {
        let deviates = match record.behavior {
            Behavior::Pass => record.close.severity() >= Severity::Minor,
            Behavior::Informational | Behavior::Unimplemented | Behavior::NonStrict | Behavior::Fail => true,
            Behavior::Inconclusive => false,
        };
        self.expectations.get(record.expected.filter(|_| deviates)?)
    }
}
