//! What the suite finds: every defect of the catalogue is played in memory and in virtual time, and has to be caught.
//!
//! The table goes to `docs/detection.md`; `WSGRADE_DETECTION=write` writes it anew.

#[path = "detection/play.rs"]
mod play;
#[path = "detection/processes.rs"]
mod processes;
#[path = "detection/table.rs"]
mod table;
#[path = "detection/threads.rs"]
mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wsgrade::plan::{Depth, Plan};
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Need;
use wsgrade_cases::{Catalogue, Register};
use wsgrade_codec::Role;
use wsgrade_reference_server::deviant::Defect;
use wsgrade_reports::grade::Weight;

use play::{Agent, Played};
use table::Catches;
use threads::on_threads;

/// Cases with more bytes than this on the wire are played only where no other catches the defect.
const LIGHT: u64 = 16 << 10;

/// A case in a role, played by the endpoint without a defect.
struct Clean {
    plan: Arc<Plan>,
    role: Role,
    played: Played,
}

impl Clean {
    fn is_light(&self) -> bool {
        self.played.bytes <= LIGHT
    }

    /// Whether it is one of sections 1 to 13, which are those of Autobahn|Testsuite.
    fn is_numbered(&self) -> bool {
        self.plan.scenario.id.as_str().starts_with(|first: char| first.is_ascii_digit())
    }
}

/// Every case without a defect, in each role that it has.
fn clean() -> Vec<Clean> {
    let scenarios: Vec<_> = Catalogue::embedded().scenarios().iter().cloned().map(Arc::new).collect();
    let plans = Plan::all(&scenarios, Depth::Messages(2), &Arc::default());
    let jobs: Vec<(Arc<Plan>, Role)> = plans
        .iter()
        // There is no TLS in memory, and nothing that could be under stress.
        .filter(|plan| !plan.scenario.needs.contains(&Need::Tls) && plan.scenario.stress.is_none())
        .flat_map(|plan| plan.scenario.roles.iter().map(|role| (Arc::clone(plan), *role)))
        .collect();
    on_threads(&jobs, |(plan, role)| Clean {
        plan: Arc::clone(plan),
        role: *role,
        played: play::play(plan, *role, None, &mut Agent::default()),
    })
}

/// What catches a defect in a role. An endpoint that was not at the point of decision of a defect in a case does the
/// same with it, so such cases are left out; heavy ones are played only while nothing else has caught it.
fn catches(defect: Defect, role: Role, clean: &[Clean]) -> Catches {
    let mut caught = Catches::default();
    let mut agent = Agent::default();
    let mut play = |clean: &Clean| {
        let weight = play::play(&clean.plan, role, Some(defect), &mut agent).weight;
        if weight >= Weight::Minor {
            caught.add(&clean.plan.scenario.id, clean.is_numbered());
        }
    };
    let reached = || clean.iter().filter(|clean| clean.role == role && clean.played.asked.contains(&defect));
    reached().filter(|clean| clean.is_light()).for_each(&mut play);
    for clean in reached().filter(|clean| !clean.is_light()) {
        let wanted = if clean.is_numbered() { !caught.by_numbered } else { caught.cases.is_empty() };
        if wanted && play::play(&clean.plan, role, Some(defect), &mut agent).weight >= Weight::Minor {
            caught.add(&clean.plan.scenario.id, clean.is_numbered());
        }
    }
    caught
}

#[test]
fn every_defect_is_caught_and_nothing_else_is() {
    let clean = clean();
    let alarms: Vec<_> = clean
        .iter()
        .filter(|clean| !clean.played.is_good())
        .map(|clean| format!("{} ({}): {}", clean.plan.scenario.id, clean.role, clean.played.verdict))
        .collect();
    assert!(alarms.is_empty(), "{} cases fail without a defect:\n{}", alarms.len(), alarms.join("\n"));

    let mut jobs: Vec<(Defect, Role)> = Vec::new();
    for defect in Defect::ALL.iter().filter(|defect| !defect.needs_process()) {
        jobs.extend(
            [Role::Server, Role::Client]
                .into_iter()
                .filter(|role| defect.roles().has(*role))
                .map(|role| (*defect, role)),
        );
    }
    let found = on_threads(&jobs, |(defect, role)| catches(*defect, *role, &clean));
    let found: BTreeMap<(Defect, Role), Catches> = jobs.into_iter().zip(found).collect();

    let missed: BTreeSet<String> = found
        .iter()
        .filter(|(_, caught)| caught.cases.is_empty())
        .map(|((defect, role), _)| format!("{defect} ({role})"))
        .collect();
    // A new defect that is missed wants a new case.
    let missed: Vec<_> = missed.iter().map(|name| format!("    {name}\n")).collect();
    assert!(missed.is_empty(), "{} defects are caught by no case:\n{}", missed.len(), missed.concat());
    table::compare(&found);
}

/// Each defect names a rule of the register.
#[test]
fn every_defect_breaks_a_rule_that_there_is() {
    for defect in Defect::ALL {
        let rule = RuleId::new(defect.rule());
        assert!(Register::embedded().get(&rule).is_some(), "{defect}: no rule {rule}");
    }
}
