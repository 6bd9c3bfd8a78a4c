//! Which cases test a rule.

use std::collections::BTreeMap;

use super::Rule;
use crate::id::{CaseId, RuleId};
use crate::model::{Role, Scenario};

/// Every rule that a case cites, once: those it names, the main one first, and those its outcomes rest on.
pub fn cited(scenario: &Scenario) -> Vec<&RuleId> {
    let mut cited: Vec<&RuleId> = Vec::new();
    for rule in scenario.rules.iter().chain(scenario.accept.iter().filter_map(|accept| accept.rule.as_ref()))
    {
        if !cited.contains(&rule) {
            cited.push(rule);
        }
    }
    cited
}

/// The cases that cite each rule, by role of the endpoint under test.
#[derive(Clone, Debug, Default)]
pub struct Coverage<'a> {
    cases: BTreeMap<Role, BTreeMap<&'a RuleId, Vec<&'a CaseId>>>,
}

impl<'a> Coverage<'a> {
    /// What these cases cover, in their order.
    pub fn of(scenarios: impl IntoIterator<Item = &'a Scenario>) -> Self {
        let mut coverage = Self::default();
        for scenario in scenarios {
            for rule in cited(scenario) {
                for &role in &scenario.roles {
                    let of_role = coverage.cases.entry(role).or_default();
                    of_role.entry(rule).or_default().push(&scenario.id);
                }
            }
        }
        coverage
    }

    /// The cases that cite a rule and are played with an endpoint in this role.
    pub fn cases(&self, rule: &RuleId, role: Role) -> &[&'a CaseId] {
        self.cases.get(&role).and_then(|of_role| of_role.get(rule)).map_or(&[], Vec::as_slice)
    }

    /// The roles that a rule binds and in which it can be seen, and for which no case cites it.
    pub fn gaps(&self, rule: &Rule) -> Vec<Role> {
        let mut roles = vec![Role::Client, Role::Server];
        roles.retain(|&role| rule.is_observable(role) && self.cases(&rule.id, role).is_empty());
        roles
    }
}
