//! Scenarios that nobody wrote, against an endpoint without a defect and against every one with a defect of frames, messages,
//! text, closing or compression. Without knowledge of the catalogue.

#[path = "detection/play.rs"]
mod play;
#[path = "detection/threads.rs"]
mod threads;

use std::collections::BTreeMap;
use std::sync::Arc;

use wsgrade::generate::{Brief, generate};
use wsgrade::plan::Plan;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::write;
use wsgrade_codec::Role;
use wsgrade_reference_server::deviant::{Area, Defect};
use wsgrade_reports::grade::Weight;

use play::{Agent, Played};
use threads::on_threads;

/// How many scenarios are tried in each role.
const SCENARIOS: u64 = 6_000;
/// How many bytes a scenario is made of at most.
const BYTES: usize = 256;

/// The bytes of a scenario, by its number.
fn bytes(n: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(n);
    std::iter::repeat_with(|| random.u8(..)).take(BYTES).collect()
}

fn brief(role: Role) -> Brief {
    Brief { role, deflate: true, openings: false }
}

#[test]
fn survey() {
    for role in [Role::Server, Role::Client] {
        let numbers: Vec<u64> = (0..SCENARIOS).collect();
        let played = on_threads(&numbers, |n| {
            let scenario = generate(&brief(role), &bytes(*n));
            let plan = Plan::alone(scenario);
            let played = play::play(&plan, role, None, &mut Agent::default());
            (plan, played)
        });
        let mut wrong = 0;
        for (n, (plan, played)) in played.iter().enumerate() {
            if !played.is_good() && !matches!(played.behavior, wsgrade_reports::record::Behavior::Unimplemented) {
                wrong += 1;
                if wrong <= 12 {
                    let text = write::scenario(&plan.scenario);
                    println!("#{n} {role}: {}\n{}", played.verdict, text.chars().take(1800).collect::<String>());
                }
            }
        }
        let un = played.iter().filter(|(_, p)| matches!(p.behavior, wsgrade_reports::record::Behavior::Unimplemented)).count();
        println!("{role}: wrong {wrong}, declined {un} of {}", played.len());
        let of = |defect: &&Defect| {
            defect.roles().has(role)
                && !matches!(defect.area(), Area::Opening | Area::Negotiation | Area::Resilience)
        };
        let defects: Vec<Defect> = Defect::ALL.iter().filter(of).copied().collect();
        let found = on_threads(&defects, |defect| {
            let mut tried = 0;
            for (n, (plan, clean)) in played.iter().enumerate() {
                if clean.asked.contains(defect) && tried < 1500 {
                    tried += 1;
                    if play::play(plan, role, Some(*defect), &mut Agent::default()).weight >= Weight::Minor {
                        return Some(n);
                    }
                }
            }
            println!("{role} {defect} not found, asked {tried}");
            None
        });
        let mut needed: Vec<_> = found.iter().flatten().copied().collect();
        needed.sort();
        println!("{role}: found {} of {}, median {}, max {}, worst {:?}", needed.len(), defects.len(), needed[needed.len()/2], needed.last().unwrap(), &needed[needed.len()-15..]);
    }
}
