//! The oracle against the catalogue: what it calls right and wrong in the steps of a case has to be what the case says by hand.

#[path = "detection/play.rs"]
mod play;

use std::sync::Arc;

use wsgrade::oracle;
use wsgrade::plan::{Depth, Plan};
use wsgrade_cases::model::{Need, Scenario, Step};
use wsgrade_cases::{Catalogue, Register, lint};
use wsgrade_reference_server::deviant::Defect;
use wsgrade_reports::grade::Weight;

use play::Agent;

/// The cases that the oracle can read: with an ordinary opening, no exchange and no stress.
fn readable() -> impl Iterator<Item = &'static Scenario> {
    Catalogue::embedded().scenarios().iter().filter(|scenario| {
        let odd = |step: &Step| matches!(step, Step::Exchange(_) | Step::Read(_) | Step::Hold { .. });
        !scenario.tests_opening()
            && scenario.opening.extensions.is_empty()
            && scenario.stress.is_none()
            && !scenario.needs.contains(&Need::Tls)
            && !scenario.steps.iter().any(odd)
    })
}

fn plan(scenario: &Scenario) -> Arc<Plan> {
    Plan::all(&[Arc::new(scenario.clone())], Depth::Messages(2), &Arc::default()).remove(0)
}

#[test]
fn a_conforming_peer_is_right_by_the_oracle() {
    let mut wrong = Vec::new();
    for scenario in readable() {
        for role in &scenario.roles {
            let completed = oracle::complete(scenario, *role);
            assert_eq!(oracle::complete(&completed, *role), completed, "completing twice is completing once");
            let played = play::play(&plan(&completed), *role, None, &mut Agent::default());
            if !played.is_good() {
                wrong.push(format!("{} ({role}): {}", scenario.id, played.verdict));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the oracle writes is a case that a person could have written.
#[test]
fn a_completed_scenario_is_well_formed() {
    let mut wrong = Vec::new();
    for scenario in readable() {
        for role in &scenario.roles {
            let completed = oracle::complete(scenario, *role);
            wrong.extend(
                lint::check(&completed, Register::embedded())
                    .iter()
                    .map(|finding| format!("{} ({role}): {finding:?}", scenario.id)),
            );
        }
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

/// Against every endpoint with a defect: what the oracle calls wrong, the case does. The other way round some leniency
/// is meant, and counted.
#[test]
fn the_oracle_is_never_stricter_than_the_case() {
    let mut stricter = Vec::new();
    let (mut both, mut missed) = (0, 0);
    for scenario in readable() {
        for role in &scenario.roles {
            let by_hand = plan(scenario);
            let by_oracle = plan(&oracle::complete(scenario, *role));
            let reached = play::play(&by_hand, *role, None, &mut Agent::default());
            if reached.bytes > 4 << 10 {
                continue;
            }
            let roles = |defect: &&Defect| defect.roles().has(*role) && !defect.needs_process();
            for defect in reached.asked.iter().filter(roles) {
                let weight = |plan| play::play(plan, *role, Some(*defect), &mut Agent::default());
                let (hand, oracle) = (weight(&by_hand), weight(&by_oracle));
                match (hand.weight >= Weight::Minor, oracle.weight >= Weight::Minor) {
                    (true, true) => both += 1,
                    (true, false) => missed += 1,
                    (false, true) => stricter.push(format!(
                        "{} ({role}), {defect}: {} and by hand {}",
                        scenario.id, oracle.verdict, hand.verdict
                    )),
                    (false, false) => {}
                }
            }
        }
    }
    println!("wrong by both {both}, by the case alone {missed}");
    assert!(stricter.is_empty(), "{} verdicts:\n{}", stricter.len(), stricter.join("\n"));
    assert!(both > 20 * missed, "wrong by both {both}, by the case alone {missed}");
}
