//! What the record says of cases and rules, so that it can be read without the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::plan::Plan;
use wsgrade_cases::describe as in_words;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::{Catalogue, Register};
use wsgrade_reports::record::{CaseInfo, RuleText, TargetReport};

/// The selected cases, and every rule that they or any finding name.
pub(super) fn describe(
    catalogue: &Catalogue,
    selected: &[Arc<Plan>],
    targets: &[TargetReport],
) -> (Vec<CaseInfo>, BTreeMap<String, RuleText>) {
    let cases: Vec<_> = selected.iter().map(|plan| case(catalogue, &plan.scenario)).collect();
    let of_cases = cases.iter().flat_map(|case| case.rules.iter().cloned());
    let of_findings = targets
        .iter()
        .flat_map(|target| &target.cases)
        .flat_map(|record| &record.findings)
        .map(|finding| finding.rule.clone());
    let register = Register::embedded();
    let rules = of_cases
        .chain(of_findings)
        .filter_map(|id| {
            let rule = register.get(&RuleId::new(id.as_str()))?;
            let text = RuleText {
                source: rule.document.clone(),
                section: rule.section.clone(),
                level: rule.level.to_string(),
                sentence: rule.sentence.clone(),
            };
            Some((id, text))
        })
        .collect();
    (cases, rules)
}

fn case(catalogue: &Catalogue, scenario: &Scenario) -> CaseInfo {
    let section = scenario.section();
    let mut steps: Vec<_> =
        in_words::opening(&scenario.opening).into_iter().map(|line| format!("open with {line}")).collect();
    let stress = scenario.stress.as_ref().map(in_words::stress).unwrap_or_default();
    steps.splice(0..0, stress);
    steps.extend(scenario.steps.iter().map(in_words::step));
    let mut accepts: Vec<_> =
        scenario.accept.iter().map(|accept| in_words::accept(scenario, accept)).collect();
    accepts.push(format!("close: {}", in_words::ending(&scenario.ending)));
    CaseInfo {
        id: scenario.id.to_string(),
        title: scenario.title.clone(),
        why: scenario.why.clone(),
        section_title: catalogue.section_title(&section).unwrap_or_default().to_owned(),
        section,
        rules: scenario.rules.iter().map(ToString::to_string).collect(),
        steps,
        accepts,
        differs: scenario.differs.clone(),
    }
}

/// A time in UTC, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
