//! What was seen once is looked at again: alone, with patience, and with ever simpler scenarios.
//!
//! ```text
//! suspect ─ again, alone ─┬─ nothing wrong any more ─────────────────────────▶ cured: no finding
//!                         └─ the same ─ shrink ─ again, patiently, 5 times ──▶ finding, k of 5
//!
//! Before that there is little patience: a scenario that only seems to show the same is found out when it is played again.
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wsgrade_cases::model::Scenario;

use super::finding::{Kind, named};
use super::player::{Played, Player};
use crate::plan::Plan;
use crate::shrink::Shrinker;
use crate::signature::Signature;

/// How often what was found is played again before it is reported.
pub const TRIES: u32 = 5;
/// How often, where each time something is waited for in vain.
const TRIES_IN_VAIN: u32 = 3;
/// How often a simpler scenario has to show it to be kept.
const CONVINCING: u32 = 2;

/// How much may be spent on making a finding simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Candidates played.
    pub plays: u32,
    /// Time.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { plays: 400, time: Duration::from_secs(10) }
    }
}

/// What became of a suspect.
#[derive(Debug)]
pub enum Confirmed {
    /// It shows.
    Shown(Box<Shown>),
    /// It does not show where there is patience and nothing else is played.
    Cured,
    /// The target served nobody any more; nothing can be said yet.
    Lost,
}

/// What shows again.
#[derive(Debug)]
pub struct Shown {
    /// What is wrong.
    pub signature: Signature,
    /// The simplest scenario that shows it, under its name.
    pub case: Arc<Scenario>,
    /// The same, fitted to the target.
    pub plan: Arc<Plan>,
    /// How it went the last time that it showed.
    pub played: Played,
    /// In how many of how many tries.
    pub replayed: (u32, u32),
}

/// Looks at a suspect again. Nothing else may be played meanwhile. `seed` is that of the campaign.
pub async fn confirm(
    player: &Player,
    scenario: &Scenario,
    seed: u64,
    why: &str,
    budget: Budget,
) -> Confirmed {
    let Some(plan) = player.fit(&Arc::new(scenario.clone())) else { return Confirmed::Cured };
    let mut shows = None;
    for _ in 0..TRIES {
        let played = player.play_as_case(&plan, &player.quick, seed).await;
        if played.trouble(&plan).is_some() || player.place.is_dead() {
            return Confirmed::Lost;
        }
        // What is waited for in vain and is right costs as much each time.
        let in_vain = played.timed_out();
        shows = played.signature;
        if shows.is_some() || in_vain {
            break;
        }
    }
    let Some(signature) = shows else { return Confirmed::Cured };
    let best = shrink(player, scenario, &signature, seed, budget).await;
    let mut last = Confirmed::Cured;
    // What is simpler must not be less certain: then the scenario as it was found is the better one.
    for scenario in [Some(&best), (best != *scenario).then_some(scenario)].into_iter().flatten() {
        match again(player, scenario, &signature, seed, why).await {
            Confirmed::Shown(shown) if shown.replayed.0 == shown.replayed.1 => {
                return Confirmed::Shown(shown);
            }
            Confirmed::Shown(shown) => last = more_certain(last, shown),
            Confirmed::Cured => {}
            Confirmed::Lost => return Confirmed::Lost,
        }
    }
    last
}

fn more_certain(known: Confirmed, shown: Box<Shown>) -> Confirmed {
    match known {
        Confirmed::Shown(known) if known.replayed.0 >= shown.replayed.0 => Confirmed::Shown(known),
        Confirmed::Shown(_) | Confirmed::Cured | Confirmed::Lost => Confirmed::Shown(shown),
    }
}

/// Plays it as the case that is to be written, so that whoever replays it plays the same.
async fn again(
    player: &Player,
    scenario: &Scenario,
    signature: &Signature,
    seed: u64,
    why: &str,
) -> Confirmed {
    let kind = Kind::Verdict(signature.within(scenario));
    let rule = scenario.rules.first().map(ToString::to_string).unwrap_or_default();
    let case = Arc::new(named(&kind, scenario, &rule, why, None));
    let Some(plan) = player.fit(&case) else { return Confirmed::Cured };
    let (mut times, mut tries) = (0, 0);
    let mut last = None;
    let mut most = TRIES;
    while tries < most {
        // Once it has shown with patience there is need of less.
        let limits = if times == 0 { &player.patient } else { &player.quick };
        let played = player.play_as_case(&plan, limits, seed).await;
        tries += 1;
        if tries == 1 && played.timed_out() {
            most = TRIES_IN_VAIN;
        }
        if played.trouble(&plan).is_some() || player.place.is_dead() {
            return Confirmed::Lost;
        }
        let Some(seen) = &played.signature else { continue };
        // Which of us two closes first when both have a reason to is often a race.
        if seen.broken == signature.broken && seen.severity() == signature.severity() {
            times += 1;
            if seen == signature || last.is_none() {
                last = Some(played);
            }
        }
    }
    match last {
        Some(played) => Confirmed::Shown(Box::new(Shown {
            signature: signature.clone(),
            case,
            plan,
            played,
            replayed: (times, tries),
        })),
        None => Confirmed::Cured,
    }
}

/// The simplest scenario with the same signature that was found within the budget.
async fn shrink(
    player: &Player,
    scenario: &Scenario,
    signature: &Signature,
    seed: u64,
    budget: Budget,
) -> Scenario {
    let deadline = Instant::now() + budget.time;
    let mut shrinker = Shrinker::new(scenario.clone(), player.place.role());
    for _ in 0..budget.plays {
        let Some(candidate) = shrinker.next() else { break };
        let Some(plan) = player.fit(&Arc::new(candidate)) else { continue };
        let mut shows = 0;
        while shows < CONVINCING {
            let played = player.play(&plan, &player.brief, seed ^ u64::from(shows)).await;
            if played.signature.as_ref() != Some(signature) {
                break;
            }
            // What is waited for in vain costs the most, and is played again with patience in the end.
            shows = if played.timed_out() { CONVINCING } else { shows + 1 };
        }
        if shows == CONVINCING {
            shrinker.keep();
        }
        if player.place.is_dead() || Instant::now() >= deadline {
            break;
        }
    }
    shrinker.best().clone()
}
