//! What the record says of cases and rules, so that it can be read without the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::plan::Plan;
use wsgrade_cases::describe as in_words;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::rules::{self, Rule, cited};
use wsgrade_cases::{Catalogue, Register};
use wsgrade_reports::record::{Binds, CaseInfo, Role, RuleText};

/// The selected cases, and every rule of the register, so that a statement drawn from the record is complete.
pub(super) fn describe(
    catalogue: &Catalogue,
    selected: &[Arc<Plan>],
) -> (Vec<CaseInfo>, BTreeMap<String, RuleText>) {
    let cases = selected.iter().map(|plan| case(catalogue, &plan.scenario)).collect();
    let rules = Register::embedded().iter().map(|rule| (rule.id.to_string(), text(rule))).collect();
    (cases, rules)
}

fn text(rule: &Rule) -> RuleText {
    let hidden = [(Role::Client, &rule.hidden.client), (Role::Server, &rule.hidden.server)];
    RuleText {
        source: rule.document.clone(),
        section: rule.section.clone(),
        level: rule.level.to_string(),
        binds: Some(match rule.binds {
            rules::Binds::Both => Binds::Both,
            rules::Binds::Client => Binds::Client,
            rules::Binds::Server => Binds::Server,
            rules::Binds::Intermediary => Binds::Intermediary,
        }),
        sentence: rule.sentence.clone(),
        unobservable: hidden.into_iter().filter_map(|(role, why)| Some((role, why.clone()?))).collect(),
        watched: rule.is_watched(),
    }
}

fn case(catalogue: &Catalogue, scenario: &Scenario) -> CaseInfo {
    let section = scenario.section();
    let mut accepts: Vec<_> =
        scenario.accept.iter().map(|accept| in_words::accept(scenario, accept)).collect();
    accepts.push(format!("close: {}", in_words::ending(&scenario.ending)));
    let outcome_rules = cited(scenario).into_iter().filter(|rule| !scenario.rules.contains(rule));
    CaseInfo {
        id: scenario.id.to_string(),
        title: scenario.title.clone(),
        why: scenario.why.clone(),
        section_title: catalogue.section_title(&section).unwrap_or_default().to_owned(),
        section,
        rules: scenario.rules.iter().map(ToString::to_string).collect(),
        outcome_rules: outcome_rules.map(ToString::to_string).collect(),
        setup: in_words::setup(scenario),
        steps: scenario.steps.iter().map(in_words::step).collect(),
        accepts,
        differs: scenario.differs.clone(),
    }
}

/// A time in UTC, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
