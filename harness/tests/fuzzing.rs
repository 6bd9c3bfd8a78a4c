//! Scenarios that nobody wrote, against an endpoint without a defect and against each with a defect of frames, messages,
//! text, closing or compression. Nothing here knows the catalogue of cases but what the findings are measured by.

#[path = "detection/play.rs"]
mod play;
#[path = "detection/threads.rs"]
mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use wsgrade::behaviour::Behaviour;
use wsgrade::generate::{Brief, generate, mutate};
use wsgrade::judge::{Judgement, judge};
use wsgrade::plan::{Depth, Plan};
use wsgrade::shrink::Shrinker;
use wsgrade::signature::Signature;
use wsgrade_cases::model::{Exchange, Need, Scenario, Step};
use wsgrade_cases::{Catalogue, Register, lint, load, write};
use wsgrade_codec::Role;
use wsgrade_reference_server::deviant::{Area, Defect};
use wsgrade_reports::grade::Weight;
use wsgrade_reports::record::{self, Behavior};

use play::{Agent, Played};
use threads::on_threads;

/// How many scenarios are played in each role: what half a minute of fuzzing does is 25 times as much.
const SCENARIOS: usize = 6_000;
/// How many are made of the cases of the catalogue besides.
const CHANGED: usize = 2_000;
/// So many are played before one looks at what was new in them.
const ROUND: usize = 500;
/// How many bytes a scenario is made of.
const BYTES: usize = 256;
/// So often a defect is tried that does not show.
const TRIES: usize = 1_500;
/// How many candidates are played to shrink a finding.
const BUDGET: usize = 600;
/// So many findings of a defect are looked at: as it shows in different ways there are more than one, and all are reported.
const FINDINGS: usize = 3;

/// How many messages the exchanges of the catalogue's cases have here.
const DEPTH: u32 = 2;

/// Cases that send more are left out: each defect that is found is caught by one that sends less.
const LIGHT: u64 = 80 << 10;

/// What is not found, and why.
const NOT_FOUND: [(Defect, &str); 2] = [
    (Defect::CutsLarge, "shows from 1 MiB on, and no scenario has so much"),
    (
        Defect::ChecksTextLate,
        "\"When an endpoint is to interpret a byte stream as UTF-8\" leaves it to the endpoint when that is",
    ),
];

/// Why a finding has more steps than the shortest case and one more.
const LONGER: [(Defect, &str); 0] = [];

/// A scenario, played by the endpoint without a defect.
struct Tried {
    plan: Arc<Plan>,
    clean: Played,
}

fn brief(role: Role) -> Brief {
    Brief { role, deflate: true, openings: false }
}

/// What went wrong: something, wherever the verdict says so, and nothing where it does not.
fn signature(plan: &Plan, played: &Played) -> Option<Signature> {
    let role = match played.record.role {
        record::Role::Server => Role::Server,
        record::Role::Client => Role::Client,
    };
    let found = Signature::of(&plan.scenario, &judge(plan, role, &played.record.transcript));
    assert_eq!(found.is_some(), played.weight >= Weight::Minor, "{}", played.verdict);
    assert!(!(found.is_some() && played.is_good()), "{}", played.verdict);
    found
}

/// A campaign in miniature: new scenarios and changed ones by turns, and of those that show something new the next
/// are made. The same in each run.
fn campaign(role: Role, seed: u64) -> Vec<Tried> {
    let brief = brief(role);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut corpus: Vec<Arc<Scenario>> = Vec::new();
    let mut known: BTreeSet<Behaviour> = BTreeSet::new();
    let mut all = Vec::new();
    while all.len() < SCENARIOS {
        let jobs: Vec<_> = (0..ROUND)
            .map(|n| {
                let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BYTES).collect();
                let pair = (n % 2 == 1 && !corpus.is_empty())
                    .then(|| [(); 2].map(|()| Arc::clone(&corpus[random.usize(..corpus.len())])));
                (bytes, pair)
            })
            .collect();
        let tried = on_threads(&jobs, |(bytes, pair)| {
            let scenario = match pair {
                Some([one, other]) => mutate(&brief, one, other, bytes),
                None => generate(&brief, bytes),
            };
            let plan = Plan::alone(scenario);
            let clean = play::play(&plan, role, None, &mut Agent::default());
            Tried { plan, clean }
        });
        for tried in tried {
            let record = &tried.clean.record;
            if known.insert(Behaviour::of(&record.transcript, &Judgement::from(record))) {
                corpus.push(Arc::clone(&tried.plan.scenario));
            }
            all.push(tried);
        }
    }
    println!("{role}: {} scenarios, {} behaviours", all.len(), known.len());
    all
}

/// An endpoint without a defect is never found wrong, and each scenario is a case like any other.
fn no_false_alarm(role: Role, all: &[Tried]) {
    let alarms: Vec<_> = all
        .iter()
        .filter_map(|tried| Some((tried, signature(&tried.plan, &tried.clean)?)))
        .map(|(tried, found)| {
            format!("{found}\n{}\n{}", tried.clean.verdict, write::scenario(&tried.plan.scenario))
        })
        .collect();
    assert!(alarms.is_empty(), "{role}: {} false alarms, first\n{}", alarms.len(), alarms[0]);
    let told = |tried: &&Tried| {
        matches!(tried.clean.record.behavior, Behavior::Inconclusive | Behavior::Unimplemented)
    };
    let mute = all.iter().filter(told).count();
    assert!(mute * 20 < all.len(), "{role}: {mute} of {} say nothing", all.len());
    let heaviest = all.iter().map(|tried| tried.clean.bytes).max().unwrap_or_default();
    assert!(heaviest < 1 << 20, "{heaviest} bytes in one scenario");
    let wrong = on_threads(all, |tried| {
        let scenario = &*tried.plan.scenario;
        let text = write::section(scenario.id.as_str(), "T") + &write::scenario(scenario);
        let same = load::read("a.toml", &text).is_ok_and(|again| again.scenarios[0].0 == *scenario);
        let findings = lint::check(scenario, Register::embedded());
        (!same || !findings.is_empty()).then(|| format!("{findings:?}\n{text}"))
    });
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{role}: {} are no cases, first\n{}", wrong.len(), wrong[0]);
}

/// Cases of the catalogue, changed, as those of a campaign are.
fn changed_cases(role: Role, seed: u64) -> Vec<Tried> {
    let brief = brief(role);
    let mut random = fastrand::Rng::with_seed(seed);
    let cases: Vec<_> =
        Catalogue::embedded().scenarios().iter().filter(|case| case.roles.contains(&role)).collect();
    let jobs: Vec<_> = (0..CHANGED)
        .map(|n| {
            let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BYTES).collect();
            (cases[n % cases.len()], cases[random.usize(..cases.len())], bytes)
        })
        .collect();
    on_threads(&jobs, |(one, other, bytes)| {
        let plan = Plan::alone(mutate(&brief, one, other, bytes));
        let clean = play::play(&plan, role, None, &mut Agent::default());
        Tried { plan, clean }
    })
}

/// A defect that was found: by the how-manieth scenario, and as what.
struct Found {
    at: usize,
    plan: Arc<Plan>,
    signature: Signature,
}

/// The first scenarios that show a defect, each another signature. An endpoint that was not at its point of decision does
/// the same with it.
fn findings<'a>(defect: Defect, role: Role, all: &'a [Tried]) -> impl Iterator<Item = Found> + 'a {
    let asked = all.iter().enumerate().filter(move |(_, tried)| tried.clean.asked.contains(&defect));
    let mut known = BTreeSet::new();
    asked.take(TRIES).filter_map(move |(at, tried)| {
        let played = play::play(&tried.plan, role, Some(defect), &mut Agent::default());
        let signature = signature(&tried.plan, &played)?;
        let found = Found { at, plan: Arc::clone(&tried.plan), signature };
        known.insert(found.signature.clone()).then_some(found)
    })
}

/// The simplest scenario that shows the same.
fn simplest(found: &Found, defect: Defect, role: Role) -> (Scenario, usize) {
    let mut shrinker = Shrinker::new((*found.plan.scenario).clone(), role);
    let mut played = 0;
    while played < BUDGET
        && let Some(candidate) = shrinker.next()
    {
        played += 1;
        let plan = Plan::alone(candidate);
        let shown = play::play(&plan, role, Some(defect), &mut Agent::default());
        if signature(&plan, &shown).as_ref() == Some(&found.signature) {
            shrinker.keep();
        }
    }
    (shrinker.best().clone(), played)
}

/// The cases of the catalogue that can be played in memory and are not long, each in the roles that it has.
fn by_hand(role: Role) -> Vec<Tried> {
    let scenarios: Vec<_> = Catalogue::embedded()
        .scenarios()
        .iter()
        .filter(|case| {
            case.roles.contains(&role) && !case.needs.contains(&Need::Tls) && case.stress.is_none()
        })
        .filter(|case| payload(case) <= LIGHT)
        .map(|case| Arc::new(case.clone()))
        .collect();
    let mut plans = Plan::all(&scenarios, Depth::Messages(DEPTH), &Arc::default());
    plans.sort_by_key(|plan| length(&plan.scenario));
    on_threads(&plans, |plan| Tried {
        plan: Arc::clone(plan),
        clean: play::play(plan, role, None, &mut Agent::default()),
    })
}

/// How many bytes of payload a case sends.
fn payload(scenario: &Scenario) -> u64 {
    let of = |step: &Step| match step {
        Step::Send(frame) => frame.payload.len() * u64::from(frame.times),
        Step::More { payload, .. } | Step::Raw { payload, .. } => payload.len(),
        Step::Exchange(exchange) => u64::from(exchange.size) * u64::from(exchange.messages.min(DEPTH)),
        Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => 0,
    };
    scenario.steps.iter().map(of).sum()
}

/// How many steps a case has, where one that exchanges messages has as many as they have frames: it would have been written
/// so without.
fn length(scenario: &Scenario) -> usize {
    let frames = |exchange: &Exchange| {
        let fragments = exchange.fragment.map_or(1, |size| exchange.size.div_ceil(size).max(1));
        exchange.messages.min(DEPTH) as usize * fragments as usize
    };
    let of = |step: &Step| match step {
        Step::Exchange(exchange) => frames(exchange),
        Step::Send(_)
        | Step::More { .. }
        | Step::Raw { .. }
        | Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => 1,
    };
    scenario.steps.iter().map(of).sum()
}

/// How many steps the shortest case has that catches a defect.
fn shortest_case(defect: Defect, role: Role, cases: &[Tried]) -> Option<usize> {
    let asked = cases.iter().filter(|case| case.clean.asked.contains(&defect));
    let mut catching = asked.filter(|case| {
        let played = play::play(&case.plan, role, Some(defect), &mut Agent::default());
        signature(&case.plan, &played).is_some()
    });
    catching.next().map(|case| length(&case.plan.scenario))
}

fn is_of_conversations(defect: Defect) -> bool {
    match defect.area() {
        Area::Framing | Area::Messages | Area::Utf8 | Area::Closing | Area::Deflate => true,
        Area::Opening | Area::Negotiation | Area::Resilience => false,
    }
}

fn percent(part: usize, all: usize) -> usize {
    part * 100 / all.max(1)
}

fn prove(role: Role) {
    let all = campaign(role, 1);
    no_false_alarm(role, &all);
    no_false_alarm(role, &changed_cases(role, 2));

    let defects: Vec<_> = Defect::ALL
        .iter()
        .copied()
        .filter(|defect| defect.roles().has(role) && is_of_conversations(*defect))
        .collect();
    let cases = by_hand(role);
    let results = on_threads(&defects, |defect| {
        let case = shortest_case(*defect, role, &cases);
        let mut findings = findings(*defect, role, &all).take(FINDINGS);
        let first = findings.next()?;
        let case = case.expect("a case catches it");
        let (mut least, mut played) = simplest(&first, *defect, role);
        while least.steps.len() > case + 1
            && let Some(next) = findings.next()
        {
            let (other, more) = simplest(&next, *defect, role);
            played += more;
            if other.steps.len() < least.steps.len() {
                least = other;
            }
        }
        Some((first, least, played, case))
    });

    let mut table = String::new();
    let (mut needed, mut missed, mut long) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (defect, result) in defects.iter().zip(&results) {
        let Some((found, simplest, played, case)) = result else {
            missed.push(*defect);
            let _ = writeln!(table, "{defect:<32} not found");
            continue;
        };
        needed.push(found.at + 1);
        let steps = simplest.steps.len();
        if steps > case + 1 {
            long.insert(*defect, simplest);
        }
        let _ = writeln!(
            table,
            "{defect:<32} {:>6} {:>3} -> {steps:>2} steps ({played:>3} plays), by hand {case:>2}: {}",
            found.at + 1,
            found.plan.scenario.steps.len(),
            found.signature
        );
    }
    needed.sort_unstable();
    println!(
        "{table}{role}: {} of {} found ({} %), after {} scenarios (median) or {} (the most); {} longer than by hand",
        needed.len(),
        defects.len(),
        percent(needed.len(), defects.len()),
        needed[needed.len() / 2],
        needed[needed.len() - 1],
        long.len(),
    );
    assert!(percent(needed.len(), defects.len()) >= 90, "{role}: missed {missed:?}");
    let reasons: BTreeSet<_> = NOT_FOUND.iter().map(|(defect, _)| *defect).collect();
    let unexplained: Vec<_> = missed.iter().filter(|defect| !reasons.contains(defect)).collect();
    assert!(unexplained.is_empty(), "{role}: missed without a reason: {unexplained:?}");
    let beyond: Vec<_> =
        reasons.iter().filter(|defect| defects.contains(defect) && !missed.contains(defect)).collect();
    assert!(beyond.is_empty(), "{role}: found, though there is a reason not to: {beyond:?}");
    assert!(percent(needed.len() - long.len(), needed.len()) >= 90, "{role}: {} too long", long.len());
    let reasons: BTreeSet<_> = LONGER.iter().map(|(defect, _)| *defect).collect();
    for (defect, simplest) in &long {
        assert!(reasons.contains(defect), "{role}: {defect} takes\n{}", write::scenario(simplest));
    }
}

#[test]
fn defects_of_a_server_are_found_and_nothing_else_is() {
    prove(Role::Server);
}

#[test]
fn defects_of_a_client_are_found_and_nothing_else_is() {
    prove(Role::Client);
}
