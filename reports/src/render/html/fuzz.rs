//! The panel of a run that plays scenarios nobody wrote.

use serde::Serialize;

use super::page::href;
use crate::record::{FuzzDifference, FuzzFinding, FuzzReport, RunReport};
use crate::render::text::{clipped, column};
use crate::render::words;

/// Differences beyond this many are only counted.
const DIFFERENCES: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct Panel {
    facts: Vec<String>,
    findings: Vec<Finding>,
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize)]
struct Finding {
    word: &'static str,
    case: String,
    href: String,
    /// Which, where there are several.
    target: Option<String>,
    signature: String,
    replay: String,
    facts: Vec<String>,
    file: String,
}

#[derive(Debug, Serialize)]
struct Difference {
    word: &'static str,
    kind: &'static str,
    case: String,
    href: String,
    verdict: String,
    seen: Vec<String>,
    replay: String,
    replayed: String,
    file: String,
}

impl Panel {
    /// `None` where the run is a grading.
    pub(super) fn of(report: &RunReport) -> Option<Self> {
        let fuzz = report.fuzz.as_ref()?;
        let left_out = fuzz.differences.len().saturating_sub(DIFFERENCES);
        let mut facts = words::fuzz(fuzz);
        facts.extend((left_out > 0).then(|| format!("{left_out} differences left out here")));
        Some(Self {
            facts,
            findings: fuzz.findings.iter().map(|finding| Finding::of(report, fuzz, finding)).collect(),
            differences: fuzz
                .differences
                .iter()
                .take(DIFFERENCES)
                .map(|d| Difference::of(report, d))
                .collect(),
        })
    }
}

impl Finding {
    fn of(report: &RunReport, fuzz: &FuzzReport, finding: &FuzzFinding) -> Self {
        let target = report.targets.get(finding.target).filter(|_| report.targets.len() > 1);
        let plural = if finding.steps == 1 { "" } else { "s" };
        let steps = format!("{} step{plural}, {} as it was found", finding.steps, finding.steps_found);
        let share = format!("{} of {} scenarios", finding.seen, fuzz.scenarios);
        Self {
            word: if finding.level == "fail" { "fail" } else { "non-strict" },
            case: column(&finding.case, 40),
            href: href(&finding.case, finding.target, carrier(report, finding.target, &finding.case)),
            target: target.map(|target| clipped(&target.name, 120)),
            signature: clipped(&finding.signature, 300),
            replay: clipped(&finding.replay, 600),
            facts: vec![steps, again(finding.replayed, finding.tries), share],
            file: clipped(&finding.file, 300),
        }
    }
}

impl Difference {
    fn of(report: &RunReport, difference: &FuzzDifference) -> Self {
        Self {
            word: if difference.lawful { "informational" } else { "fail" },
            kind: if difference.lawful { "lawful" } else { "differs" },
            case: column(&difference.case, 40),
            href: href(&difference.case, 0, carrier(report, 0, &difference.case)),
            verdict: clipped(&difference.verdict, 600),
            seen: difference.seen.iter().map(|seen| clipped(seen, 600)).collect(),
            replay: clipped(&difference.replay, 600),
            replayed: again(difference.replayed, difference.tries),
            file: clipped(&difference.file, 300),
        }
    }
}

fn again(shown: u32, tries: u32) -> String {
    let flaky = if shown < tries { ", flaky" } else { "" };
    format!("shown again {shown} of {tries} times{flaky}")
}

/// What carried the bytes of a case.
fn carrier<'a>(report: &'a RunReport, target: usize, case: &str) -> &'a str {
    let records = report.targets.get(target).map_or(&[][..], |target| &target.cases);
    records.iter().find(|record| record.id == case).map_or("tcp", |record| record.carrier.as_str())
}
