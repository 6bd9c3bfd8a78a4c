//! The matrix of targets by sections, with what the filter reads.

use std::collections::HashMap;

use serde::Serialize;

use super::baseline::{Mark, Marks};
use super::known;
use super::page::{Tally, close_counts, href, tallies};
use crate::grade::Counts;
use crate::record::{Behavior, CaseInfo, CaseRecord, RunReport, Severity};
use crate::render::text::{column, prose};

/// With more rows than this to look at, every section starts folded.
const UNFOLDED: usize = 60;

/// One section of the matrix.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    id: String,
    title: String,
    folded: bool,
    n: usize,
    /// For each target what there is besides passes.
    tallies: Vec<SectionTally>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct SectionTally {
    played: usize,
    passed: usize,
    others: Vec<Tally>,
    bad_close: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    /// Into the index of cases.
    case: usize,
    id: String,
    title: String,
    /// Shown where a run had more than one.
    carrier: Option<String>,
    /// The words the filter looks for.
    kinds: String,
    differ: bool,
    cells: Vec<Option<Cell>>,
    /// What was seen, where there is but one target.
    reason: Option<String>,
    /// Why what deviates was expected, where it was.
    known: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cell {
    word: &'static str,
    /// The close verdict where it counts against the target.
    close: Option<&'static str>,
    /// How much that weighs, as a behaviour.
    close_word: &'static str,
    busy: bool,
    /// Whether it deviates as it was known.
    known: bool,
    /// What changed since the baseline.
    mark: Option<Mark>,
    href: String,
}

/// In the order of the cases.
pub(super) fn sections(report: &RunReport, cases: &[CaseInfo], marks: &Marks<'_>) -> Vec<Section> {
    // A row for each case and carrier, in the order of the cases; carriers in the order they are met.
    let mut carriers: Vec<&str> = Vec::new();
    let mut found: HashMap<(&str, &str, usize), &CaseRecord> = HashMap::new();
    for (number, target) in report.targets.iter().enumerate() {
        for record in &target.cases {
            if !carriers.contains(&record.carrier.as_str()) {
                carriers.push(&record.carrier);
            }
            found.entry((&record.id, &record.carrier, number)).or_insert(record);
        }
    }
    let mut sections: Vec<(Section, Vec<Vec<&CaseRecord>>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, case) in cases.iter().enumerate() {
        for carrier in &carriers {
            let records: Vec<_> = (0..report.targets.len())
                .map(|n| found.get(&(case.id.as_str(), *carrier, n)).copied())
                .collect();
            if records.iter().all(Option::is_none) {
                continue;
            }
            let place = *places.entry(&case.section).or_insert_with(|| {
                let columns = vec![Vec::new(); report.targets.len()];
                sections.push((Section::of(case), columns));
                sections.len() - 1
            });
            let (section, columns) = &mut sections[place];
            let carrier = (carriers.len() > 1).then_some(*carrier);
            let marked: Vec<_> = records
                .iter()
                .zip(&report.targets)
                .map(|(record, target)| record.and_then(|record| marks.get(&target.name, record)))
                .collect();
            section.rows.push(Row::of(report, at, case, carrier, &records, marked));
            for (column, record) in columns.iter_mut().zip(records) {
                column.extend(record);
            }
        }
    }
    let notable = |section: &Section| section.rows.iter().filter(|row| row.kinds != "pass").count();
    let unfold = sections.iter().map(|(section, _)| notable(section)).sum::<usize>() <= UNFOLDED;
    sections
        .into_iter()
        .map(|(mut section, columns)| {
            section.n = section.rows.len();
            section.folded = !(unfold && notable(&section) > 0);
            section.tallies = columns.iter().map(|column| SectionTally::of(column)).collect();
            section
        })
        .collect()
}

impl Section {
    fn of(case: &CaseInfo) -> Self {
        Self {
            id: column(&case.section, 24),
            title: prose(&case.section_title),
            folded: false,
            n: 0,
            tallies: Vec::new(),
            rows: Vec::new(),
        }
    }
}

impl SectionTally {
    fn of(records: &[&CaseRecord]) -> Self {
        let counts = Counts::of(records.iter().copied());
        let mut others = tallies(&counts);
        others.retain(|tally| tally.word != Behavior::Pass.as_str());
        Self {
            played: records.len(),
            passed: counts.pass,
            others,
            bad_close: records.iter().filter(|record| close_counts(record)).count(),
        }
    }
}

impl Row {
    fn of(
        report: &RunReport,
        at: usize,
        case: &CaseInfo,
        carrier: Option<&str>,
        records: &[Option<&CaseRecord>],
        marks: Vec<Option<Mark>>,
    ) -> Self {
        let mut kinds: Vec<&str> = Vec::new();
        for record in records.iter().flatten() {
            kinds.push(record.behavior.as_str());
            if close_counts(record) {
                kinds.push("bad-close");
            }
            if !report.expectations.is_empty() {
                kinds.extend(known::kind(report, record));
            }
        }
        kinds.extend(marks.iter().flatten().map(Mark::word));
        kinds.sort_unstable();
        kinds.dedup();
        let mut outcomes: Vec<_> =
            records.iter().flatten().map(|record| (record.behavior, record.close)).collect();
        outcomes.dedup();
        let reason = match records {
            [Some(record)] if record.behavior != Behavior::Pass || close_counts(record) => {
                record.findings.first().map(|finding| column(&finding.observed, 200))
            }
            _ => None,
        };
        Self {
            case: at,
            id: column(&case.id, 32),
            title: prose(&case.title),
            carrier: carrier.map(|carrier| column(carrier, 16)),
            kinds: kinds.join(" "),
            differ: outcomes.len() > 1,
            cells: records
                .iter()
                .zip(marks)
                .enumerate()
                .map(|(n, (record, mark))| record.map(|record| Cell::of(report, record, n, mark)))
                .collect(),
            reason,
            known: known::reasons(report, records),
        }
    }
}

impl Cell {
    fn of(report: &RunReport, record: &CaseRecord, target: usize, mark: Option<Mark>) -> Self {
        Self {
            word: record.behavior.as_str(),
            close: close_counts(record).then(|| record.close.as_str()),
            close_word: if record.close.severity() == Severity::Major { "fail" } else { "non-strict" },
            busy: record.when_busy.is_some(),
            known: report.expectation_of(record).is_some(),
            mark,
            href: href(&record.id, target, &record.carrier),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::words;

    #[test]
    fn the_style_has_the_signs_of_the_words() {
        let style = include_str!("../../../templates/matrix.css");
        for behavior in Behavior::ALL {
            let of = if behavior == Behavior::Pass { String::new() } else { format!(".v-{behavior}") };
            let rule = format!(".cell{of}::before {{ content: \"{}\" / \"\";", words::symbol(behavior));
            assert!(style.contains(&rule), "{rule}");
        }
    }
}
