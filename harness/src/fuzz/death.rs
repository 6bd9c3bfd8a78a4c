//! Which scenario ends the process that serves.
//!
//! ```text
//! the last scenarios, newest first ─ one by one ─┬─ it dies ─ shrink ─ again, each on a fresh process ─▶ k of 3
//!                                                └─ it lives through all of them ─▶ nobody knows, and we say so
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wsgrade_cases::model::Scenario;
use wsgrade_reports::record::{self, Behavior, CaseRecord, CloseVerdict};

use super::confirm::Budget;
use super::finding::{Finding, Kind, named};
use super::player::{Played, Player};
use crate::plan::Plan;
use crate::runner::case;
use crate::shrink::Shrinker;
use crate::spawn::Death;

/// On how many fresh processes a scenario is played before it is said to end them.
const TRIES: u32 = 3;
/// How long a process may take to die that answered all the same, before the next scenario is played on it.
const QUIETLY: Duration = Duration::from_millis(50);
/// So many of the last scenarios are tried on fresh processes where one seems to have ended it.
const BEFORE: usize = 3;
/// How many scenarios are written down where it is not known which one it was.
const WRITTEN: usize = 32;

/// What a process died of.
pub(super) struct Cause {
    /// Under their names; one, unless it is not known which.
    cases: Vec<Arc<Scenario>>,
    record: CaseRecord,
    number: u64,
    steps_found: usize,
    replayed: (u32, u32),
}

/// Plays the last scenarios again, which are given newest first. Nothing else may be played meanwhile, and the process runs.
/// `None` if it cannot be started again.
pub(super) async fn investigate(
    player: &Player,
    kind: &Kind,
    suspects: &[(u64, Arc<Scenario>)],
    seed: u64,
    budget: Budget,
) -> Option<Cause> {
    for (at, (_, scenario)) in suspects.iter().enumerate() {
        if !kills(player, scenario, seed).await {
            continue;
        }
        // Or it died, late, of one that was played on the same process before.
        for (number, scenario) in suspects[..=at].iter().rev().take(BEFORE) {
            player.place.restart().await.ok()?;
            let best = shrink(player, scenario, seed, budget).await?;
            let cause = certain(player, kind, *number, &best, scenario.steps.len(), seed).await?;
            if cause.replayed.0 > 0 {
                return Some(cause);
            }
        }
    }
    unknown(player, kind, suspects, seed)
}

/// Whether the process dies of this scenario.
async fn kills(player: &Player, scenario: &Arc<Scenario>, seed: u64) -> bool {
    let Some(plan) = player.fit(scenario) else { return false };
    let played = player.play_as_case(&plan, &player.quick, seed).await;
    dies(player, &plan, &played).await
}

async fn dies(player: &Player, plan: &Plan, played: &Played) -> bool {
    let silent = played.broke_off(plan) || played.timed_out();
    // What ends the connection from our side is over before the process is.
    let died = if silent { player.place.death().await } else { player.place.death_within(QUIETLY).await };
    died.is_some() || player.place.is_dead()
}

async fn shrink(player: &Player, scenario: &Scenario, seed: u64, budget: Budget) -> Option<Scenario> {
    let deadline = Instant::now() + budget.time;
    let mut shrinker = Shrinker::new(scenario.clone(), player.place.role());
    for _ in 0..budget.plays {
        let Some(candidate) = shrinker.next() else { break };
        if kills(player, &Arc::new(candidate), seed).await {
            shrinker.keep();
            player.place.restart().await.ok()?;
        }
        if Instant::now() >= deadline {
            break;
        }
    }
    Some(shrinker.best().clone())
}

/// Plays it as the case that is to be written, each time on a fresh process.
async fn certain(
    player: &Player,
    kind: &Kind,
    number: u64,
    scenario: &Scenario,
    steps_found: usize,
    seed: u64,
) -> Option<Cause> {
    let why = format!(
        "The process died of it; found by `wsgrade fuzz` with the seed {seed}, as scenario {number}."
    );
    let rule = scenario.rules.first().map(ToString::to_string).unwrap_or_default();
    let case = Arc::new(named(kind, scenario, &rule, &why, None));
    let plan = player.fit(&case)?;
    let mut times = 0;
    let mut last = None;
    for _ in 0..TRIES {
        player.place.restart().await.ok()?;
        let played = player.play_as_case(&plan, &player.quick, seed).await;
        // Three times at most, so there is time to wait for a death that leaves no other trace.
        let died = player.place.death().await.is_some();
        times += u32::from(died);
        if died || last.is_none() {
            last = Some(played);
        }
    }
    player.place.restart().await.ok()?;
    let record = player.record(&plan, last?, "");
    Some(Cause { cases: vec![case], record, number, steps_found, replayed: (times, TRIES) })
}

/// The process died of something else than any of these alone.
fn unknown(player: &Player, kind: &Kind, suspects: &[(u64, Arc<Scenario>)], seed: u64) -> Option<Cause> {
    let why = format!(
        "The process died when this was played among others, and not when it was played alone; found by `wsgrade fuzz` with \
         the seed {seed}."
    );
    let name = |(n, (_, scenario)): (usize, &(u64, Arc<Scenario>))| {
        let rule = scenario.rules.first().map(ToString::to_string).unwrap_or_default();
        Arc::new(named(kind, scenario, &rule, &why, Some(n)))
    };
    let cases: Vec<_> = (1..).zip(suspects).take(WRITTEN).map(name).collect();
    let first = player.fit(cases.first()?)?;
    let (number, scenario) = suspects.first()?;
    let transcript = record::Transcript::default();
    let record =
        case::record(&first, player.place.role(), player.place.carrier(), transcript, Duration::ZERO, "");
    Some(Cause { record, number: *number, steps_found: scenario.steps.len(), replayed: (0, TRIES), cases })
}

impl Cause {
    /// The finding, with the last words of the process.
    pub(super) fn into_finding(self, kind: Kind, death: &Death, file: PathBuf, replay: String) -> Finding {
        let Self { cases, mut record, number, steps_found, replayed } = self;
        let output = match death.output.as_slice() {
            [] => "it wrote nothing".to_owned(),
            lines => format!("its last output: {}", lines.join(" | ")),
        };
        if replayed.0 == 0 {
            // Nothing was played that it would speak of.
            record.findings.clear();
        }
        record.behavior = Behavior::Fail;
        record.close = CloseVerdict::Inconclusive;
        record.repeat.clone_from(&replay);
        record.findings.insert(
            0,
            record::Finding {
                rule: record.findings.first().map(|finding| finding.rule.clone()).unwrap_or_default(),
                expected: "a process that goes on serving, whatever is sent to it".to_owned(),
                observed: format!("the process died with {}; {output}", death.exit),
                entry: None,
            },
        );
        Finding { kind, scenarios: cases, record, number, steps_found, replayed, seen: 1, file, replay }
    }
}
