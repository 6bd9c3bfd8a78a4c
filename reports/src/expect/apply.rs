//! What expectations are to a run.

use super::complaint::{Entry, Unlike};
use super::{Date, Expectation};
use crate::near::nearest;
use crate::record::{Behavior, CaseRecord, ExpectationRecord, RunReport, Severity, TargetReport};

/// How patterns are read and what they may match: whoever knows the catalogue says so.
pub struct Matching<'a> {
    /// Whether a pattern (first) matches an id or the name of a target (second).
    pub matches: &'a dyn Fn(&str, &str) -> bool,
    /// The ids of all cases known. An entry for cases that were not selected is not idle, only not asked for; without
    /// this (empty) it is judged by what the report describes.
    pub known: &'a [&'a str],
}

/// Writes into a run what expectations are to it, as of a day, in place of what it held of others.
///
/// A record meets the first expectation that is about it and holds. A record that passes or deviates otherwise is told
/// of the first one that is about it; one that is inconclusive says nothing, and one that was not played, or is not
/// implemented, deviates from nothing unless that is what is expected. An entry of which only some cases pass is told as
/// well: it says more than is true, and would hide it if they failed again. An entry past its day is told, and otherwise as
/// if it were not there. Each pattern that matches no case is told by itself.
pub fn apply(report: &mut RunReport, expectations: &[Expectation], today: Date, matching: &Matching<'_>) {
    let mut seen: Vec<Seen> = expectations.iter().map(|_| Seen::default()).collect();
    let mut met: Vec<Option<usize>> = Vec::new();
    let several = report.targets.len() > 1;
    for target in &report.targets {
        for seen in &mut seen {
            let name = several.then(|| target.name.clone());
            seen.unlike.push(Unlike { target: name, ..Unlike::default() });
        }
        for record in &target.cases {
            let about: Vec<usize> = (0..expectations.len())
                .filter(|&n| !expectations[n].is_over(today))
                .filter(|&n| is_about(&expectations[n], target, &record.id, matching))
                .collect();
            let entry = about.iter().copied().find(|&n| is_met(&expectations[n], record));
            match (entry, about.first()) {
                (Some(entry), _) => seen[entry].met = true,
                (None, Some(&entry)) => seen[entry].note(record),
                (None, None) => {}
            }
            met.push(entry);
        }
    }
    let entries = (0..).zip(expectations).map(|(place, expectation)| Entry { place, expectation });
    let written = entries.zip(&seen).map(|(entry, seen)| ExpectationRecord {
        cases: entry.expectation.cases().to_vec(),
        behavior: entry.expectation.behavior(),
        close: entry.expectation.close(),
        reason: entry.expectation.reason().to_owned(),
        until: entry.expectation.last_day().map(|day| day.to_string()),
        target: entry.expectation.target().map(str::to_owned),
        complaints: complaints(report, &entry, seen, today, matching),
    });
    report.expectations = written.collect();
    let records = report.targets.iter_mut().flat_map(|target| &mut target.cases);
    records.zip(met).for_each(|(record, entry)| record.expected = entry);
}

/// What was seen of the records that an expectation is about.
#[derive(Debug, Default)]
struct Seen {
    /// Whether any is as it is written.
    met: bool,
    /// Those that are not, target by target.
    unlike: Vec<Unlike>,
}

impl Seen {
    /// Takes note of a record of the last target that is not as it is written.
    fn note(&mut self, record: &CaseRecord) {
        let Some(unlike) = self.unlike.last_mut() else { return };
        match record.behavior {
            // Our side failed, or there was nothing to play: that is no progress of the target.
            Behavior::Inconclusive | Behavior::Unimplemented => {}
            Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {
                match record.severity() {
                    Severity::Good | Severity::Neutral => unlike.passes(record),
                    Severity::Minor | Severity::Major => unlike.deviates(record),
                }
            }
        }
    }
}

/// Whether an expectation is about this case of this target.
fn is_about(expectation: &Expectation, target: &TargetReport, id: &str, matching: &Matching<'_>) -> bool {
    let of_target = expectation.target().is_none_or(|pattern| (matching.matches)(pattern, &target.name));
    of_target && expectation.cases().iter().any(|pattern| (matching.matches)(pattern, id))
}

/// Whether a record deviates as it is written.
fn is_met(expectation: &Expectation, record: &CaseRecord) -> bool {
    let close = match expectation.close() {
        Some(close) => close == record.close,
        None => record.close.severity() <= expectation.behavior().severity().max(Severity::Neutral),
    };
    expectation.behavior() == record.behavior && close
}

/// What is not true of an expectation.
fn complaints(
    report: &RunReport,
    entry: &Entry<'_>,
    seen: &Seen,
    today: Date,
    matching: &Matching<'_>,
) -> Vec<String> {
    if let Some(last) = entry.expectation.last_day().filter(|_| entry.expectation.is_over(today)) {
        return vec![entry.over(last)];
    }
    if let Some(idle) = no_target(report, entry, matching) {
        return vec![idle];
    }
    let mut said = no_case(report, entry, matching);
    for sentence in seen.unlike.iter().flat_map(|unlike| unlike.sentences(entry, seen.met)) {
        // Two targets of one name have one sentence.
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said
}

/// Whether an expectation is about no target, and which was perhaps meant.
fn no_target(report: &RunReport, entry: &Entry<'_>, matching: &Matching<'_>) -> Option<String> {
    let pattern = entry.expectation.target()?;
    let names = || report.targets.iter().map(|target| target.name.as_str());
    let any = names().any(|name| (matching.matches)(pattern, name));
    (!any).then(|| entry.no_target(pattern, nearest(pattern, names())))
}

/// The patterns that match no case, and what was perhaps meant by each.
fn no_case(report: &RunReport, entry: &Entry<'_>, matching: &Matching<'_>) -> Vec<String> {
    let described = report.cases.iter().map(|case| case.id.as_str());
    let ids: Vec<&str> = described.chain(matching.known.iter().copied()).collect();
    let matched = |pattern: &str| ids.iter().any(|id| (matching.matches)(pattern, id));
    let idle = entry.expectation.cases().iter().filter(|pattern| !matched(pattern));
    idle.map(|pattern| {
        // `6.4` for `6.4.*` is the likely slip.
        let section = format!("{}.*", pattern.trim_end_matches(['.', '*']));
        let near =
            if matched(&section) { Some(section.as_str()) } else { nearest(pattern, ids.iter().copied()) };
        entry.no_case(pattern, near)
    })
    .collect()
}
