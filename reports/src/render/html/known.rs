//! What was expected, as the page shows it: what is not true of it, and which deviations were known.

use std::collections::HashMap;

use serde::Serialize;

use super::page::{Link, link};
use crate::record::{Behavior, CaseRecord, CloseVerdict, RunReport, Severity, TargetReport};
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
        let complaints: Vec<_> = report.expectations.iter().flat_map(|entry| &entry.complaints).collect();
        let mut lines: Vec<Line> = Vec::new();
        let mut places: HashMap<(usize, Option<usize>, Behavior, CloseVerdict), usize> = HashMap::new();
        for (number, target) in report.targets.iter().enumerate() {
            for record in &target.cases {
                let Some(entry) = report.expectation_of(record) else { continue };
                let key = (number, record.expected, record.behavior, record.close);
                let at = *places.entry(key).or_insert(lines.len());
                if at == lines.len() {
                    lines.push(Line {
                        word: record.behavior.as_str(),
                        close: (record.close.severity() >= Severity::Minor).then(|| record.close.as_str()),
                        reason: clipped(&prose(&entry.reason), REASON),
                        until: entry.until.as_deref().map(|day| column(day, 20)),
                        target: (report.targets.len() > 1).then(|| clipped(&target.name, 120)),
                        n: 0,
                        cases: Vec::new(),
                        more: 0,
                    });
                }
                let line = &mut lines[at];
                line.n += 1;
                match line.cases.len() < CASES {
                    true => line.cases.push(link(&record.key(), number)),
                    false => line.more += 1,
                }
            }
        }
        let more = lines.len().saturating_sub(LISTED);
        let n = lines.iter().map(|line| line.n).sum();
        lines.truncate(LISTED);
        Some(Self {
            more_complaints: complaints.len().saturating_sub(LISTED),
            complaints: complaints.iter().take(LISTED).map(|text| clipped(text, COMPLAINT)).collect(),
            n,
            lines,
            more,
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
    let mut reasons: Vec<String> = known.map(|entry| prose(&entry.reason)).collect();
    reasons.dedup();
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
