//! What cost the most.

use std::collections::HashMap;
use std::fmt;

use super::count::{Weight, percent};
use crate::record::{CaseKey, CaseRecord, CloseVerdict, RunReport, TargetReport};

/// What one rule, or one way to end the connection wrongly, cost one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What was broken.
    pub blame: Blame,
    /// [`Weight::Minor`] or [`Weight::Major`]; a rule that was broken in both ways has two entries.
    pub weight: Weight,
    /// Where it was broken, in the order of the record. Never empty.
    pub cases: Vec<CaseKey>,
    /// What that costs, in tenths of a case.
    pub tenths: u64,
}

/// What a record is laid to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// A rule: that of the record's first finding, else the first its case names. A key of `RunReport::rules`.
    Rule(String),
    /// How the connection ended, where that weighs more than the behaviour and no finding says by which rule.
    Close(CloseVerdict),
}

impl Blame {
    /// What this record is laid to, given the rules that its case names.
    pub fn of(record: &CaseRecord, rules: &[String]) -> Self {
        match (record.findings.first(), rules.first()) {
            (Some(finding), _) => Self::Rule(finding.rule.clone()),
            (None, _) if record.close.severity() > record.behavior.severity() => Self::Close(record.close),
            (None, Some(rule)) => Self::Rule(rule.clone()),
            (None, None) => Self::Rule(String::new()),
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => f.write_str(rule),
            Self::Close(close) => write!(f, "close:{close}"),
        }
    }
}

impl Cost {
    /// What that costs, in percent of so many counted cases.
    pub fn percent_of(&self, counted: usize) -> f64 {
        percent(self.tenths, counted)
    }
}

/// What was lost, the most costly first; what costs alike in the order it was met.
pub(super) fn costs(report: &RunReport, target: &TargetReport) -> Vec<Cost> {
    let rules: HashMap<&str, &[String]> =
        report.cases.iter().map(|case| (case.id.as_str(), case.rules.as_slice())).collect();
    let mut costs: Vec<Cost> = Vec::new();
    for record in &target.cases {
        let weight = Weight::of(record);
        if weight.cost() == 0 {
            continue;
        }
        let blame = Blame::of(record, rules.get(record.id.as_str()).copied().unwrap_or_default());
        let at = costs.iter().position(|cost| cost.blame == blame && cost.weight == weight);
        let at = at.unwrap_or_else(|| {
            costs.push(Cost { blame, weight, cases: Vec::new(), tenths: 0 });
            costs.len() - 1
        });
        costs[at].cases.push(record.key());
        costs[at].tenths += weight.cost();
    }
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.tenths));
    costs
}
