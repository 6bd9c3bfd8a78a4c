//! Opening handshakes: the oracle against the catalogue, against endpoints without a defect, and what generated ones find.

#[path = "detection/codec.rs"]
mod codec;
#[path = "detection/play.rs"]
mod play;

use std::collections::BTreeSet;
use std::sync::Arc;

use wsgrade::generate::{self, Brief};
use wsgrade::judge::Judgement;
use wsgrade::oracle;
use wsgrade::plan::{Depth, Plan};
use wsgrade_cases::model::{Need, Scenario};
use wsgrade_cases::{Catalogue, Register, lint};
use wsgrade_codec::Role;
use wsgrade_reference_server::deviant::{Area, Defect};
use wsgrade_reports::grade::Weight;
use wsgrade_reports::record::{Behavior, CloseVerdict};

use codec::Manner;
use play::{Agent, Played};

/// The cases that test the opening handshake and can be played in memory.
fn of_openings() -> impl Iterator<Item = (&'static Scenario, Role)> {
    let cases = Catalogue::embedded().scenarios().iter().filter(|scenario| {
        (scenario.tests_opening() || !scenario.opening.extensions.is_empty())
            && scenario.stress.is_none()
            && !scenario.needs.contains(&Need::Tls)
    });
    cases.flat_map(|scenario| scenario.roles.iter().map(move |role| (scenario, *role)))
}

fn plan(scenario: &Scenario) -> Arc<Plan> {
    Plan::all(&[Arc::new(scenario.clone())], Depth::Messages(2), &Arc::default()).remove(0)
}

fn strict(scenario: &Scenario, role: Role) -> Played {
    play::play(&plan(scenario), role, None, &mut Agent::default())
}

#[test]
fn a_completed_opening_is_well_formed_and_a_strict_endpoint_is_right() {
    let mut wrong = Vec::new();
    for (scenario, role) in of_openings() {
        let completed = oracle::complete(scenario, role);
        assert_eq!(oracle::complete(&completed, role), completed, "completing twice is completing once");
        let findings = lint::check(&completed, Register::embedded());
        wrong.extend(findings.iter().map(|finding| format!("{} ({role}): {finding:?}", scenario.id)));
        let played = strict(&completed, role);
        if !played.is_good() {
            wrong.push(format!("{} ({role}): {}", scenario.id, played.verdict));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// These ask for the tunnel alone, and put up with whatever status refuses: what else is wrong with it other cases tell.
const OF_TUNNELS: &str = "S.2";

/// Against every endpoint with a defect: what the oracle calls wrong, the case does. The other way round some leniency is
/// meant, and counted.
#[test]
fn the_oracle_is_never_stricter_than_the_case() {
    let (mut stricter, mut missed) = (Vec::new(), Vec::new());
    let mut both = 0;
    for (scenario, role) in of_openings().filter(|(scenario, _)| scenario.section() != OF_TUNNELS) {
        let (by_hand, by_oracle) = (plan(scenario), plan(&oracle::complete(scenario, role)));
        let reached = play::play(&by_hand, role, None, &mut Agent::default());
        for defect in reached.asked.iter().filter(|defect| exists(**defect, role)) {
            let weight = |plan| play::play(plan, role, Some(*defect), &mut Agent::default());
            let (hand, oracle) = (weight(&by_hand), weight(&by_oracle));
            match (hand.weight >= Weight::Minor, oracle.weight >= Weight::Minor) {
                (true, true) => both += 1,
                (true, false) => missed.push(format!("{} ({role}), {defect}", scenario.id)),
                (false, true) => stricter.push(format!(
                    "{} ({role}), {defect}: {} and by hand {}",
                    scenario.id, oracle.verdict, hand.verdict
                )),
                (false, false) => {}
            }
        }
    }
    println!("wrong by both {both}, by the case alone {}:\n{}", missed.len(), missed.join("\n"));
    assert!(stricter.is_empty(), "{} verdicts:\n{}", stricter.len(), stricter.join("\n"));
    assert!(both > 10 * missed.len(), "wrong by both {both}, by the case alone {}", missed.len());
}

fn exists(defect: Defect, role: Role) -> bool {
    // What a conversation shows behind an opening is for the tests of conversations.
    let of_openings = match defect.area() {
        Area::Opening | Area::Negotiation => true,
        Area::Framing | Area::Messages | Area::Utf8 | Area::Closing | Area::Deflate | Area::Resilience => {
            false
        }
    };
    of_openings && defect.roles().has(role)
}

/// Openings for a role, the same in every run.
fn generated(role: Role, seed: u64) -> impl Iterator<Item = Scenario> {
    let mut random = fastrand::Rng::with_seed(seed);
    let brief = Brief { role, deflate: false, openings: true };
    std::iter::from_fn(move || {
        let mut bytes = [0; 192];
        random.fill(&mut bytes);
        Some(generate::generate(&brief, &bytes))
    })
    .filter(|scenario| scenario.opening != Default::default())
}

fn is_good(judged: &Judgement) -> bool {
    matches!(judged.behavior, Behavior::Pass | Behavior::Informational)
        && matches!(judged.close, CloseVerdict::Pass | CloseVerdict::Informational)
}

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Of the cases that a case is joined with, one in so many.
const STRIDE: usize = 23;

/// An opening that many a server bounds says nothing of what is in it.
const MODEST: u64 = 4 << 10;

/// Whatever an endpoint does that keeps to the rules, nothing is found.
#[test]
fn an_endpoint_without_a_defect_is_always_right() {
    let mut wrong = Vec::new();
    for role in ROLES {
        for scenario in generated(role, 1).take(3000) {
            let findings = lint::check(&scenario, Register::embedded());
            let findings = findings.iter().filter(|finding| !finding.message.ends_with("is empty"));
            wrong.extend(findings.map(|finding| format!("{role}: {:?}: {finding:?}", scenario.opening)));
            let played = strict(&scenario, role);
            assert!(played.bytes < MODEST, "{} bytes: {:?}", played.bytes, scenario.opening);
            if !played.is_good() {
                wrong.push(format!("{role}: {:?}: {}", scenario.opening, played.verdict));
            }
            for manner in Manner::ALL {
                let judged = codec::play(&plan(&scenario), role, manner);
                if !is_good(&judged) {
                    wrong.push(format!("{role} ({manner:?}): {:?}: {judged:?}", scenario.opening));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong, such as\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

/// What is in two cases at once is in none: nothing is known of it but what the oracle says.
#[test]
fn an_endpoint_without_a_defect_is_right_about_two_cases_at_once() {
    let mut wrong = Vec::new();
    for role in ROLES {
        let cases: Vec<_> =
            of_openings().filter(|(_, of)| *of == role).map(|(scenario, _)| scenario).collect();
        for (at, one) in cases.iter().enumerate() {
            for other in cases.iter().skip(at % STRIDE).step_by(STRIDE) {
                let mut both = Scenario::clone(one);
                let (ours, theirs) = (&mut both.opening, &other.opening);
                ours.headers.extend_from_slice(&theirs.headers);
                ours.extensions.extend_from_slice(&theirs.extensions);
                ours.method = ours.method.take().or_else(|| theirs.method.clone());
                ours.target = ours.target.take().or_else(|| theirs.target.clone());
                ours.version = ours.version.take().or_else(|| theirs.version.clone());
                ours.status = ours.status.or(theirs.status);
                ours.knock |= theirs.knock;
                let both = oracle::complete(&both, role);
                let played = strict(&both, role);
                if !played.is_good() {
                    wrong.push(format!("{role}: {} and {}: {}", one.id, other.id, played.verdict));
                }
                for manner in Manner::ALL {
                    let judged = codec::play(&plan(&both), role, manner);
                    if !is_good(&judged) {
                        wrong.push(format!("{role} ({manner:?}): {} and {}: {judged:?}", one.id, other.id));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong, such as\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

/// Any bytes stand for an opening, however few.
#[test]
fn a_strict_endpoint_is_right_about_openings_of_few_bytes() {
    for role in ROLES {
        let brief = Brief { role, deflate: false, openings: true };
        for length in 0..192_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(length)).collect();
            let scenario = generate::generate(&brief, &bytes);
            assert_eq!(generate::generate(&brief, &bytes), scenario, "the same bytes make the same");
            let played = strict(&scenario, role);
            assert!(played.is_good(), "{role}: {:?}: {}", scenario.opening, played.verdict);
        }
    }
}

/// The keys of one connection are as good as any; that they come again only several of them show.
const OF_SEVERAL_CONNECTIONS: [Defect; 1] = [Defect::SendsFixedKey];

/// So many openings are tried for each role.
const TRIED: usize = 3000;

/// Without knowing what there is to be found. The table says by which opening each was.
#[test]
fn generated_openings_find_the_defects_of_openings() {
    let (mut found, mut missed) = (Vec::new(), Vec::new());
    for role in ROLES {
        let findable = |defect: &Defect| exists(*defect, role) && !OF_SEVERAL_CONNECTIONS.contains(defect);
        let mut left: BTreeSet<_> = Defect::ALL.iter().copied().filter(findable).collect();
        for (n, scenario) in generated(role, 2).take(TRIED).enumerate() {
            if left.is_empty() {
                break;
            }
            let asked = strict(&scenario, role).asked;
            let plan = plan(&scenario);
            for defect in left.intersection(&asked).copied().collect::<Vec<_>>() {
                if play::play(&plan, role, Some(defect), &mut Agent::default()).weight >= Weight::Minor {
                    found.push(format!("{role} {defect}: {}", n + 1));
                    left.remove(&defect);
                }
            }
        }
        missed.extend(left.iter().map(|defect| format!("{role} {defect}")));
    }
    println!("{} found:\n{}", found.len(), found.join("\n"));
    let all = found.len() + missed.len();
    assert!(found.len() * 10 >= all * 9, "{} of {all} missed:\n{}", missed.len(), missed.join("\n"));
    println!("{} missed: {}", missed.len(), missed.join(", "));
}
