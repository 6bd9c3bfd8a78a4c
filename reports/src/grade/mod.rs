//! The grade: a short, published, deterministic rule over the record (`docs/grading.md`).
//!
//! ```text
//! CaseRecord ── Weight ── Counts ── Grade      per area, per target
//!                  └───── Cost                 what cost the most, by rule
//! RunGrade ── TargetGrade ── AreaGrade
//! ```

mod cost;
mod count;
mod rule;

use crate::record::{RunReport, TargetReport};

pub use cost::{Blame, Cost};
pub use count::{Counts, Weight};
pub use rule::{Grade, NoGrade};

/// The grades of a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunGrade {
    /// That of the worst target; none when there is no target, or one of them has none.
    pub grade: Option<Grade>,
    /// One for each target, in the order of the record.
    pub targets: Vec<TargetGrade>,
}

/// The grade of one target and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGrade {
    /// The letter, or why there is none.
    pub grade: Result<Grade, NoGrade>,
    /// What was counted.
    pub counts: Counts,
    /// One for each area, in the order of the record.
    pub areas: Vec<AreaGrade>,
    /// What was lost, the most costly first.
    pub costs: Vec<Cost>,
}

/// The grade of one target in one area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaGrade {
    /// The area: the first part of its cases' ids.
    pub area: String,
    /// The letter, or why there is none.
    pub grade: Result<Grade, NoGrade>,
    /// What was counted.
    pub counts: Counts,
}

impl RunGrade {
    /// Grades a run.
    pub fn of(report: &RunReport) -> Self {
        let targets: Vec<_> = report.targets.iter().map(|target| TargetGrade::of(report, target)).collect();
        let letters: Option<Vec<Grade>> = targets.iter().map(|target| target.grade.ok()).collect();
        Self { grade: letters.and_then(|letters| letters.into_iter().min()), targets }
    }
}

impl TargetGrade {
    /// Grades one target of a run.
    pub fn of(report: &RunReport, target: &TargetReport) -> Self {
        let mut areas: Vec<(String, Counts)> = Vec::new();
        for record in &target.cases {
            let area = area(&record.id);
            let at = areas.iter().position(|(name, _)| name == area).unwrap_or_else(|| {
                areas.push((area.to_owned(), Counts::default()));
                areas.len() - 1
            });
            areas[at].1.add(record);
        }
        let counts = Counts::of(&target.cases);
        if report.fuzz.is_some() {
            return Self { grade: Err(NoGrade::Fuzzed), counts, areas: Vec::new(), costs: Vec::new() };
        }
        let areas: Vec<_> = areas
            .into_iter()
            .map(|(area, counts)| AreaGrade { area, grade: rule::letter(&counts), counts })
            .collect();
        let grade = match &target.stopped {
            Some(_) => Err(NoGrade::Stopped),
            None => rule::letter(&counts).map(|letter| rule::capped(letter, &areas)),
        };
        Self { grade, counts, areas, costs: cost::costs(report, target) }
    }
}

/// The area of a case: the first part of its id, `6` of `6.4.1`.
pub fn area(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}
