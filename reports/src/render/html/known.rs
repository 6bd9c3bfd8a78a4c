//! What was expected, as the page shows it: what is not true of it, and which deviations were known.

use serde::Serialize;

use super::page::{Link, link};
use crate::record::{CaseRecord, RunReport, Severity, TargetReport};
use crate::render::expectations::{Met, complaints, met};
use crate::render::text::{clipped, column, prose};

/// How many lines of either kind are listed, and how many cases each names.
const LISTED: usize = 60;
const CASES: usize = 24;
/// How much of a sentence, of a reason, and of a reason in a row of the matrix is shown, in characters.
const COMPLAINT: usize = 600;
const REASON: usize = 400;
const ROW: usize = 200;

/// The panel.
#[derive(Debug, Serialize)]
pub(super) struct Panel {
    /// What is not true.
    complaints: Vec<String>,
    more_complaints: usize,
    /// How many records deviate as it was known.
    n: usize,
    lines: Vec<Line>,
    more: usize,
}

/// Records of one target that meet one expectation and have one verdict.
#[derive(Debug, Serialize)]
struct Line {
    word: &'static str,
    close: Option<&'static str>,
    reason: String,
    until: Option<String>,
    /// Where there are several.
    target: Option<String>,
    n: usize,
    cases: Vec<Link>,
    more: usize,
}

impl Panel {
    /// None where nothing was expected.
    pub(super) fn of(report: &RunReport) -> Option<Self> {
        if report.expectations.is_empty() {
            return None;
        }
        let (complaints, met) = (complaints(report), met(report));
        let several = report.targets.len() > 1;
        let line = |met: &Met<'_>| Line {
            word: met.behavior.as_str(),
            close: (met.close.severity() >= Severity::Minor).then(|| met.close.as_str()),
            reason: met.reason(),
            until: met.until(),
            target: several.then(|| clipped(&report.targets[met.target].name, 120)),
            n: met.records.len(),
            cases: met.records.iter().take(CASES).map(|record| link(&record.key(), met.target)).collect(),
            more: met.records.len().saturating_sub(CASES),
        };
        Some(Self {
            more_complaints: complaints.len().saturating_sub(LISTED),
            complaints: complaints.iter().take(LISTED).map(|text| clipped(text, COMPLAINT)).collect(),
            n: met.iter().map(|met| met.records.len()).sum(),
            lines: met.iter().take(LISTED).map(line).collect(),
            more: met.len().saturating_sub(LISTED),
        })
    }
}

/// How many records of a target deviate as it was known.
pub(super) fn count(report: &RunReport, target: &TargetReport) -> usize {
    target.cases.iter().filter(|record| report.expectation_of(record).is_some()).count()
}

/// The word that the filter looks for: whether a deviation was known. What broke nothing has none.
pub(super) fn kind(report: &RunReport, record: &CaseRecord) -> Option<&'static str> {
    match report.expectation_of(record) {
        Some(_) => Some("expected"),
        None => (record.severity() >= Severity::Minor).then_some("unexpected"),
    }
}

/// Why the deviations of a row were expected, each reason once.
pub(super) fn reasons(report: &RunReport, records: &[Option<&CaseRecord>]) -> Option<String> {
    let known = records.iter().flatten().filter_map(|record| report.expectation_of(record));
    let mut reasons: Vec<String> = Vec::new();
    for reason in known.map(|entry| prose(&entry.reason)) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    (!reasons.is_empty()).then(|| column(&reasons.join(" · "), ROW))
}

/// The reason and the last day, for the details of a record.
pub(super) fn told(report: &RunReport, record: &CaseRecord) -> Option<String> {
    let entry = report.expectation_of(record)?;
    let reason = clipped(&prose(&entry.reason), REASON);
    Some(match &entry.until {
        Some(day) => format!("{reason} (until {})", column(day, 20)),
        None => reason,
    })
}
