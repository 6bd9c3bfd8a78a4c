//! What a record counts for.

use crate::record::{Behavior, CaseRecord, Severity};

/// What one record counts for, the heavier of its two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Nothing: inconclusive, unimplemented, or a choice left open.
    Uncounted,
    /// All was as asked.
    Good,
    /// A `SHOULD` was broken.
    Minor,
    /// A `MUST` was broken.
    Major,
}

impl Weight {
    /// What this record counts for.
    pub fn of(record: &CaseRecord) -> Self {
        match record.behavior {
            // How such a connection ended tells of the trouble, not of the target.
            Behavior::Inconclusive | Behavior::Unimplemented => return Self::Uncounted,
            Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {}
        }
        match record.severity() {
            Severity::Major => Self::Major,
            Severity::Minor => Self::Minor,
            // The choice itself is not counted, only an end that broke a rule would have been.
            Severity::Good | Severity::Neutral if record.behavior == Behavior::Informational => {
                Self::Uncounted
            }
            Severity::Good | Severity::Neutral => Self::Good,
        }
    }

    /// What it costs, in tenths of a case.
    pub fn cost(self) -> u64 {
        match self {
            Self::Uncounted | Self::Good => 0,
            Self::Minor => 1,
            Self::Major => 10,
        }
    }
}

/// How many records there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Behaviour `pass`.
    pub pass: usize,
    /// Behaviour `informational`.
    pub informational: usize,
    /// Behaviour `unimplemented`.
    pub unimplemented: usize,
    /// Behaviour `non-strict`.
    pub non_strict: usize,
    /// Behaviour `fail`.
    pub fail: usize,
    /// Behaviour `inconclusive`.
    pub inconclusive: usize,
    /// Records that count for the grade: `minor + major <= counted <= total()`.
    pub counted: usize,
    /// Of these, where at worst a `SHOULD` was broken, by behaviour or by how the connection ended.
    pub minor: usize,
    /// Of these, where a `MUST` was broken, by behaviour or by how the connection ended.
    pub major: usize,
}

impl Counts {
    /// Counts these records.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a CaseRecord>) -> Self {
        let mut counts = Self::default();
        for record in records {
            counts.add(record);
        }
        counts
    }

    /// Counts one more.
    pub fn add(&mut self, record: &CaseRecord) {
        *match record.behavior {
            Behavior::Pass => &mut self.pass,
            Behavior::Informational => &mut self.informational,
            Behavior::Unimplemented => &mut self.unimplemented,
            Behavior::NonStrict => &mut self.non_strict,
            Behavior::Fail => &mut self.fail,
            Behavior::Inconclusive => &mut self.inconclusive,
        } += 1;
        match Weight::of(record) {
            Weight::Uncounted => return,
            Weight::Good => {}
            Weight::Minor => self.minor += 1,
            Weight::Major => self.major += 1,
        }
        self.counted += 1;
    }

    /// How many records have this behaviour.
    pub fn behavior(&self, behavior: Behavior) -> usize {
        match behavior {
            Behavior::Pass => self.pass,
            Behavior::Informational => self.informational,
            Behavior::Unimplemented => self.unimplemented,
            Behavior::NonStrict => self.non_strict,
            Behavior::Fail => self.fail,
            Behavior::Inconclusive => self.inconclusive,
        }
    }

    /// How many records there are.
    pub fn total(&self) -> usize {
        Behavior::ALL.into_iter().map(|behavior| self.behavior(behavior)).sum()
    }

    /// What they cost together, in tenths of a case.
    pub fn cost(&self) -> u64 {
        self.minor as u64 * Weight::Minor.cost() + self.major as u64 * Weight::Major.cost()
    }

    /// What they cost together, in percent of the counted cases; 0 when there is none.
    pub fn loss_percent(&self) -> f64 {
        percent(self.cost(), self.counted)
    }
}

/// Tenths of a case in percent of so many cases.
pub(super) fn percent(tenths: u64, counted: usize) -> f64 {
    if counted == 0 { 0.0 } else { tenths as f64 * 10.0 / counted as f64 }
}
