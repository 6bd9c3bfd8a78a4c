//! What expectations are to a run.

use super::{Applied, Complaint, Date, Expectation, Expected, Fault};
use crate::near::nearest;
use crate::record::{Behavior, CaseRecord, RunReport, Severity, TargetReport};

/// How patterns are read and what they may match: whoever knows the catalogue says so.
pub struct Matching<'a> {
    /// Whether a pattern (first) matches an id or the name of a target (second).
    pub matches: &'a dyn Fn(&str, &str) -> bool,
    /// The ids of all cases known. An entry for cases that were not selected is not idle, only not asked for; without
    /// this (empty) it is judged by what the report describes.
    pub known: &'a [&'a str],
}

/// Applies expectations to a run, as of a day.
///
/// A record meets the first expectation that is about it and holds. A record that passes or deviates otherwise is told
/// of the first one that is about it; one that is inconclusive says nothing, and one that was not played, or is not
/// implemented, deviates from nothing unless that is what is expected. An entry past its day is told, and otherwise as if it
/// were not there.
pub fn apply(
    report: &RunReport,
    expectations: &[Expectation],
    today: Date,
    matching: &Matching<'_>,
) -> Applied {
    let mut applied = Applied::default();
    let mut faults: Vec<Vec<Fault>> = expectations.iter().map(|_| Vec::new()).collect();
    for (place, target) in report.targets.iter().enumerate() {
        for record in &target.cases {
            let about: Vec<usize> = (0..expectations.len())
                .filter(|&n| !expectations[n].is_over(today))
                .filter(|&n| is_about(&expectations[n], target, &record.id, matching))
                .collect();
            if let Some(&entry) = about.iter().find(|&&n| is_met(&expectations[n], record)) {
                let reason = expectations[entry].reason().to_owned();
                applied.expected.push(Expected { target: place, key: record.key(), entry, reason });
            } else if let Some(&entry) = about.first() {
                note(&mut faults[entry], &expectations[entry], place, record);
            }
        }
    }
    for (entry, (expectation, mut faults)) in expectations.iter().zip(faults).enumerate() {
        if let Some(last) = expectation.last_day().filter(|_| expectation.is_over(today)) {
            faults = vec![Fault::Over { last, reason: expectation.reason().to_owned() }];
        } else if let Some(idle) = idle(report, expectation, matching) {
            faults = vec![idle];
        }
        let complaint = |fault| Complaint { entry, cases: expectation.cases().to_owned(), fault };
        applied.complaints.extend(faults.into_iter().map(complaint));
    }
    applied
}

/// Whether an expectation is about this case of this target.
fn is_about(expectation: &Expectation, target: &TargetReport, id: &str, matching: &Matching<'_>) -> bool {
    let of_target = expectation.target().is_none_or(|pattern| (matching.matches)(pattern, &target.name));
    of_target && (matching.matches)(expectation.cases(), id)
}

/// Whether a record deviates as it is written.
fn is_met(expectation: &Expectation, record: &CaseRecord) -> bool {
    let close = match expectation.close() {
        Some(close) => close == record.close,
        None => record.close.severity() <= expectation.behavior().severity().max(Severity::Neutral),
    };
    expectation.behavior() == record.behavior && close
}

/// Takes note of a record that is not as it is written.
fn note(faults: &mut Vec<Fault>, expectation: &Expectation, place: usize, record: &CaseRecord) {
    let expected = expectation.behavior();
    let key = record.key();
    match record.behavior {
        // Our side failed, or there was nothing to play: that is no progress of the target.
        Behavior::Inconclusive | Behavior::Unimplemented => return,
        Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {}
    }
    if record.severity() <= Severity::Neutral {
        for fault in faults.iter_mut() {
            if let Fault::Passes { target, cases, .. } = fault
                && *target == place
            {
                cases.push(key);
                return;
            }
        }
        faults.push(Fault::Passes { expected, target: place, cases: vec![key] });
    } else {
        let shown = (key, record.behavior, record.close);
        for fault in faults.iter_mut() {
            if let Fault::Other { target, cases, .. } = fault
                && *target == place
            {
                cases.push(shown);
                return;
            }
        }
        faults.push(Fault::Other { expected, target: place, cases: vec![shown] });
    }
}

/// Whether an expectation is about nothing, and what was perhaps meant.
fn idle(report: &RunReport, expectation: &Expectation, matching: &Matching<'_>) -> Option<Fault> {
    if let Some(pattern) = expectation.target() {
        let names = || report.targets.iter().map(|target| target.name.as_str());
        if !names().any(|name| (matching.matches)(pattern, name)) {
            let suggestion = nearest(pattern, names()).map(str::to_owned);
            return Some(Fault::Idle { suggestion, target: Some(pattern.to_owned()) });
        }
    }
    let described = report.cases.iter().map(|case| case.id.as_str());
    let ids: Vec<&str> = described.chain(matching.known.iter().copied()).collect();
    let pattern = expectation.cases();
    if ids.iter().any(|id| (matching.matches)(pattern, id)) {
        return None;
    }
    // `6.4` for `6.4.*` is the likely slip.
    let section = format!("{}.*", pattern.trim_end_matches(['.', '*']));
    let suggestion = match ids.iter().any(|id| (matching.matches)(&section, id)) {
        true => Some(section),
        false => nearest(pattern, ids.iter().copied()).map(str::to_owned),
    };
    Some(Fault::Idle { suggestion, target: None })
}
