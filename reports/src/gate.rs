//! The gate: whether a run may pass, as a pure function of its record, and why.
//!
//! ```text
//! RunReport ─────────┐
//! Policy ────────────┼─▶ Ruling { Outcome, reasons }
//! Comparison ── with a baseline, if there is one
//! ```
//!
//! What was expected, and what is not true of it, is part of the record (see [`expect`](crate::expect)).
//!
//! A run in which nothing was judged never passes, and neither does one of which something is inconclusive; but what is
//! broken outweighs what is not known.

use std::collections::HashSet;
use std::fmt;

use crate::compare::{Change, Comparison, Which};
use crate::grade::{Grade, RunGrade};
use crate::record::{Behavior, CaseKey, CaseRecord, RunReport, Severity, TargetReport};
use crate::render::text::{clipped, column, visible};
use crate::render::words;

/// How many cases a reason names.
const NAMED: usize = 8;
/// The longest complaint that a reason quotes, in characters.
const COMPLAINT: usize = 600;

/// What a run has to be, to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What must not be in it.
    pub fail_on: FailOn,
    /// The worst grade that passes.
    pub min_grade: Option<Grade>,
    /// Whether an expectation that does not hold any more, in whatever way, keeps a run from passing.
    pub true_expectations: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { fail_on: FailOn::Fail, min_grade: None, true_expectations: true }
    }
}

/// What must not be in a run that passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailOn {
    /// A broken MUST.
    #[default]
    Fail,
    /// A broken MUST or SHOULD.
    NonStrict,
    /// What is worse than in the baseline, and nothing else.
    Regression,
}

impl FailOn {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Fail, Self::NonStrict, Self::Regression];

    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NonStrict => "non-strict",
            Self::Regression => "regression",
        }
    }

    /// The value of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.as_str() == word)
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a run passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It does.
    Met,
    /// It does not.
    NotMet,
    /// Nothing speaks against it, but too little is known: the run ended early, judged nothing, or something in it is
    /// inconclusive. It does not pass.
    Undecided,
}

/// What the gate says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Whether it passes.
    pub outcome: Outcome,
    /// Why, a clause each: what is broken before what is not known. Never empty.
    pub reasons: Vec<String>,
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.outcome {
            Outcome::Met => "gate met: ",
            Outcome::NotMet => "gate not met: ",
            Outcome::Undecided => "gate undecided: ",
        })?;
        f.write_str(&self.reasons.join("; "))
    }
}

impl Ruling {
    /// Judges a run. `comparison` is that of a baseline, as the old side, with this run, as the new side. A deviation that the
    /// record says was expected counts neither as broken nor as a regression; the grade is as it is.
    pub fn of(report: &RunReport, policy: &Policy, comparison: Option<&Comparison>) -> Self {
        let mut broken = broken(report, policy.fail_on, comparison);
        if policy.true_expectations {
            let complaints = report.expectations.iter().flat_map(|entry| &entry.complaints);
            broken.extend(complaints.map(|complaint| clipped(complaint, COMPLAINT)));
        }
        let mut unknown = unknown(report);
        if let Some(least) = policy.min_grade {
            let grade = RunGrade::of(report);
            for (target, result) in report.targets.iter().zip(&grade.targets) {
                match result.grade {
                    Ok(grade) if grade >= least => {}
                    Ok(grade) => {
                        broken.push(format!(
                            "the grade of {} is {grade}, and {least} is asked for",
                            name(target)
                        ));
                    }
                    Err(none) => {
                        unknown
                            .push(format!("{} has no grade, and {least} is asked for: {none}", name(target)));
                    }
                }
            }
        }
        if !broken.is_empty() {
            broken.extend(unknown);
            return Self { outcome: Outcome::NotMet, reasons: broken };
        }
        if !unknown.is_empty() {
            return Self { outcome: Outcome::Undecided, reasons: unknown };
        }
        let reason = praise(report, policy);
        Self { outcome: Outcome::Met, reasons: vec![reason] }
    }
}

/// What speaks against the run.
fn broken(report: &RunReport, fail_on: FailOn, comparison: Option<&Comparison>) -> Vec<String> {
    let is_expected = |record: &CaseRecord| report.expectation_of(record).is_some();
    let unexpected = |severity: Severity| {
        report.targets.iter().filter_map(move |target| {
            let records = target.cases.iter().filter(|record| record.severity() == severity);
            let keys: Vec<_> =
                records.filter(|record| !is_expected(record)).map(|record| record.key()).collect();
            let what = if severity == Severity::Major { "a MUST" } else { "a SHOULD" };
            (!keys.is_empty()).then(|| {
                format!(
                    "{what} is broken in {} of {}: {}",
                    words::cases(keys.len()),
                    name(target),
                    listed(&keys)
                )
            })
        })
    };
    match fail_on {
        FailOn::Fail => unexpected(Severity::Major).collect(),
        FailOn::NonStrict => unexpected(Severity::Major).chain(unexpected(Severity::Minor)).collect(),
        FailOn::Regression => match comparison {
            None => vec!["there is no baseline, so nothing can be called a regression".to_owned()],
            Some(comparison) => regressions(report, comparison),
        },
    }
}

/// What is worse than before, and what cannot be compared, which may be worse.
fn regressions(report: &RunReport, comparison: &Comparison) -> Vec<String> {
    let mut reasons = Vec::new();
    for compared in &comparison.targets {
        let name = column(&compared.name, 60);
        let records = report.targets.get(compared.new).map_or(&[][..], |target| &target.cases);
        let expected: HashSet<CaseKey> = records
            .iter()
            .filter(|record| report.expectation_of(record).is_some())
            .map(CaseRecord::key)
            .collect();
        let worse = compared.of(Change::Regressed).map(|delta| delta.key.clone());
        let worse: Vec<_> = worse.filter(|key| !expected.contains(key)).collect();
        if !worse.is_empty() {
            let cases = words::cases(worse.len());
            reasons.push(format!("{cases} of {name} regressed against the baseline: {}", listed(&worse)));
        }
        let empty = report.targets.get(compared.new).is_none_or(|target| target.cases.is_empty());
        if compared.compared == 0 && !empty {
            reasons.push(format!("no case of {name} is in the baseline: write it anew"));
        }
    }
    let unmatched = comparison.unmatched.iter().filter(|unmatched| match unmatched.on {
        Which::New => true,
        // What was not played says nothing of what was.
        Which::Old => false,
    });
    reasons.extend(
        unmatched.map(|unmatched| format!("{} is not in the baseline: write it anew", unmatched.name)),
    );
    reasons
}

/// What keeps the run from being judged.
fn unknown(report: &RunReport) -> Vec<String> {
    if report.targets.is_empty() {
        return vec!["the run had no target".to_owned()];
    }
    // A campaign that found nothing has nothing to judge, and that is good news.
    let campaign = report.fuzz.as_ref().is_some_and(|fuzz| fuzz.scenarios > 0);
    let mut reasons = Vec::new();
    for target in &report.targets {
        if let Some(reason) = &target.stopped {
            let name = name(target);
            reasons.push(format!("the run against {name} ended before its last case: {}", visible(reason)));
        }
        if !campaign && !target.cases.iter().any(|record| is_judged(record.behavior)) {
            reasons.push(format!("nothing was judged of {}", name(target)));
        }
        let open = target.cases.iter().filter(|record| record.behavior == Behavior::Inconclusive);
        let open: Vec<_> = open.map(|record| record.key()).collect();
        if !open.is_empty() {
            let cases = words::cases(open.len());
            let are = if open.len() == 1 { "is" } else { "are" };
            reasons.push(format!("{cases} of {} {are} inconclusive: {}", name(target), listed(&open)));
        }
    }
    reasons
}

/// Whether something was said of the target.
fn is_judged(behavior: Behavior) -> bool {
    match behavior {
        Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => true,
        Behavior::Unimplemented | Behavior::Inconclusive => false,
    }
}

/// Why a run passes.
fn praise(report: &RunReport, policy: &Policy) -> String {
    let all = || report.targets.iter().flat_map(|target| &target.cases);
    let records = all().count();
    let expected = all().filter(|record| report.expectation_of(record).is_some()).count();
    let mut praise = match policy.fail_on {
        FailOn::Fail => format!("no MUST is broken in {}", words::cases(records)),
        FailOn::NonStrict => format!("neither a MUST nor a SHOULD is broken in {}", words::cases(records)),
        FailOn::Regression => format!("nothing regressed in {}", words::cases(records)),
    };
    if expected > 0 {
        praise += &format!(", {} as expected aside", words::cases(expected));
    }
    if let Some(least) = policy.min_grade {
        praise += &format!(", and no grade is below {least}");
    }
    praise
}

fn name(target: &TargetReport) -> String {
    column(&target.name, 60)
}

/// The first few ids, and how many more there are.
fn listed(keys: &[CaseKey]) -> String {
    let several = keys.iter().any(|key| key.carrier != keys[0].carrier);
    let named = keys.iter().take(NAMED).map(|key| match several {
        true => format!("{} [{}]", column(&key.id, 40), column(&key.carrier, 16)),
        false => column(&key.id, 40),
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if keys.len() > NAMED {
        text += &format!(" and {} more", keys.len() - NAMED);
    }
    text
}
