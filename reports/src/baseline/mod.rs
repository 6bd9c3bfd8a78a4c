//! A baseline: the verdicts that later runs are compared with, as a file for version control.
//!
//! ```text
//! # Verdicts that later runs are compared with: wsgrade test --baseline FILE. One line a case, sorted.
//! # Columns: id, carrier, behavior, close, status code of the Close frame or -, and perhaps the time it took.
//! wsgrade-baseline 1
//! catalogue 1f3a5c7e9b0d2f4a6c8e0b1d3f5a7c9e0b2d4f6a
//!
//! target "ws 8.18" server
//! 1.1.1        tcp   pass           pass            1000
//! 2.5          tcp   fail           unclean         -
//! ```
//!
//! Columns have a fixed width, so that a case more or less moves no other line; nothing in the file depends on when, where
//! or how fast the run was, unless times are asked for.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::compare::{Pace, Verdict};
use crate::order;
use crate::record::{CaseKey, Role, RunReport};
use crate::render::text::{column, visible};

pub use read::ParseError;

/// The version of the baseline format.
///
/// A writer writes [`FormatVersion::CURRENT`] only. A reader accepts every version up to its own, and refuses a later one with
/// a sentence that says so. Version 1 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormatVersion(pub u32);

impl FormatVersion {
    /// What this build writes.
    pub const CURRENT: Self = Self(1);
}

/// The verdicts of a run, and nothing else of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The digest of the catalogue that was played.
    pub catalogue: String,
    /// How many messages exchanges had; only where the verdicts have durations.
    pub pace: Option<Pace>,
    /// Sorted by name and role; of the same name and role in the order of the run.
    pub targets: Vec<BaselineTarget>,
}

/// The verdicts on one target.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineTarget {
    /// What it is called.
    pub name: String,
    /// Its role, and so that of each of its cases.
    pub role: Role,
    /// Sorted by key, no key twice.
    pub cases: Vec<(CaseKey, Verdict)>,
}

/// Whether a baseline holds how long cases took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// Rounded to two figures: for finding what has become slower, and for cutting a run into shards.
    Keep,
    /// For a file that changes only where a verdict does.
    Leave,
}

/// Why a run makes no baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBaseline {
    /// It holds no target, or one without a case.
    #[error("no case was played{}: a baseline without cases would let everything pass", .target.as_ref().map(|name| format!(" against {name}")).unwrap_or_default())]
    Empty {
        /// The target without a case, made visible.
        target: Option<String>,
    },
    /// It plays what nobody wrote.
    #[error(
        "this is the record of a fuzz run, whose cases are other ones each time: take that of `wsgrade test`"
    )]
    Fuzzed,
    /// It is a part.
    #[error("this is shard {index} of {count}: put the shards together first, by `wsgrade report merge`")]
    Shard {
        /// Which part.
        index: u32,
        /// Of how many.
        count: u32,
    },
    /// It ended too early.
    #[error(
        "the run against {target} ended before its last case ({reason}): a baseline of it would miss the rest"
    )]
    Stopped {
        /// The target, made visible.
        target: String,
        /// Why it ended, made visible.
        reason: String,
    },
}

impl Baseline {
    /// The verdicts of a run.
    ///
    /// # Errors
    ///
    /// A run that is not whole, or none to be compared with.
    pub fn from_report(report: &RunReport, durations: Durations) -> Result<Self, NoBaseline> {
        if report.fuzz.is_some() {
            return Err(NoBaseline::Fuzzed);
        }
        if let Some(shard) = report.shard {
            return Err(NoBaseline::Shard { index: shard.index, count: shard.count });
        }
        if report.targets.is_empty() {
            return Err(NoBaseline::Empty { target: None });
        }
        let mut targets = Vec::new();
        for target in &report.targets {
            let name = column(&target.name, 100);
            if let Some(reason) = &target.stopped {
                let reason = visible(reason).into_owned();
                return Err(NoBaseline::Stopped { target: name, reason });
            }
            if target.cases.is_empty() {
                return Err(NoBaseline::Empty { target: Some(name) });
            }
            let role = target.role;
            let verdict = |verdict: Verdict| match durations {
                Durations::Keep => Verdict { duration_ms: verdict.duration_ms.map(two_figures), ..verdict },
                Durations::Leave => Verdict { duration_ms: None, ..verdict },
            };
            let cases = target
                .cases
                .iter()
                .map(|record| (CaseKey { role, ..record.key() }, verdict(Verdict::of(record))));
            targets.push(BaselineTarget {
                name: target.lasting_name().to_owned(),
                role,
                cases: cases.collect(),
            });
        }
        let pace = (durations == Durations::Keep).then_some(Pace(report.options.depth));
        let mut baseline = Self { catalogue: report.catalogue.digest.clone(), pace, targets };
        baseline.sort();
        Ok(baseline)
    }

    /// Reads what [`to_text`](Self::to_text) wrote, whatever comments, blank lines and spaces were put between; lines need
    /// not be sorted. `file` is the name of the file, for errors.
    ///
    /// # Errors
    ///
    /// The first line that is wrong, and how to mend it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ParseError> {
        read::parse(file, text)
    }

    /// As a file: the same for the same verdicts, and `parse` of it gives this again.
    pub fn to_text(&self) -> String {
        write::write(self)
    }

    /// Brings everything into the order that the fields promise; of a key that is there twice the first one stays.
    fn sort(&mut self) {
        self.targets.sort_by(|a, b| (&a.name, a.role).cmp(&(&b.name, b.role)));
        for target in &mut self.targets {
            target.cases.sort_by(|(a, _), (b, _)| order::keys(a, b));
            target.cases.dedup_by(|(later, _), (first, _)| later == first);
        }
    }
}

/// A duration in whole milliseconds of which only two figures count: the rest changes each time. What is no duration is none.
fn two_figures(ms: f64) -> f64 {
    // More than eleven days are no duration of a case; and a cast from a float saturates.
    let whole = (ms.round().max(0.0) as u64).min(1_000_000_000);
    let mut unit = 1;
    while whole / unit >= 100 {
        unit *= 10;
    }
    ((whole + unit / 2) / unit * unit) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_figures_of_a_duration_are_kept() {
        for (ms, kept) in [
            (0.2, 0.0),
            (3.25, 3.0),
            (99.6, 100.0),
            (123.0, 120.0),
            (125.0, 130.0),
            (4_449.0, 4_400.0),
            (99_999.0, 100_000.0),
            (-5.0, 0.0),
            (f64::NAN, 0.0),
            (f64::INFINITY, 1_000_000_000.0),
        ] {
            assert_eq!(two_figures(ms), kept, "{ms}");
            assert_eq!(two_figures(kept), kept, "what was rounded stays as it is");
        }
    }
}
