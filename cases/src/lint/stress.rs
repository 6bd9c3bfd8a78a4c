//! What can be wrong with a case of resilience.

use super::{Findings, numbered};
use crate::model::{Role, Scenario, Step};

/// What only the runner of servers can do, and what needs a canary.
pub(super) fn check(scenario: &Scenario, findings: &mut Findings) {
    let Some(stress) = &scenario.stress else {
        for (n, step) in numbered(scenario) {
            if matches!(step, Step::Hold { .. }) {
                findings.add_with_help(
                    format!("step {n} holds on until a canary was answered, and the case has none"),
                    "give the case a `stress = {}`",
                );
            }
        }
        return;
    };
    if scenario.roles.contains(&Role::Client)
        && (stress.connections.get() > 1 || stress.growth || stress.kept.is_some())
    {
        findings.add_with_help(
            "a client makes one connection for a case, so `connections`, `growth` and `kept` say nothing of it",
            "add roles = [\"server\"]",
        );
    }
    if stress.growth && stress.kept.is_some() {
        findings.add_with_help("`growth` and `kept` are played in different ways", "make two cases of it");
    }
    if stress.growth && !scenario.can_grow() {
        findings.add_with_help(
            "`growth` asks for an opening that grows, and nothing in this one is repeated",
            "give a header a value such as { repeat = \"20\", len = 1000 }",
        );
    }
}
