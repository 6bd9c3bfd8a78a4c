//! Which scenario comes n-th. Pure.
//!
//! ```text
//! number     0 … 1023 │ 1024 … 3071 │ 3072 … 7167 │ …   rounds, each twice as long as the one before, up to a bound
//! corpus     as given    as given      as of round 0, …
//! ```
//!
//! A round draws on the corpus as it was when the round before the last was over, so nobody waits at the end of a round
//! for those who are still at work.

use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{Need, Scenario, Step};

use crate::generate::{Brief, generate, mutate};

/// How long the first round is. Shorter ones are over before a scenario that waits in vain, and then all wait for it.
const FIRST: u64 = 1024;
/// How long a round is at most: long enough to be played while one scenario of the round before waits for seconds.
const LONGEST: u64 = 8192;
/// How many bytes a scenario is made of at most: as many as one can use.
const BYTES: usize = 256;
/// Cases of the catalogue that send more are left out: it is not size that is looked for here.
const MOST_SENT: u64 = 4096;
/// Cases of the catalogue that wait longer are left out.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// No step waits longer for an answer.
const LONGEST_AWAIT: Duration = Duration::from_millis(100);

/// A round's corpus.
pub type Frozen = Arc<[Arc<Scenario>]>;

/// Which scenario comes n-th.
#[derive(Clone, Debug)]
pub struct Schedule {
    brief: Brief,
    seed: u64,
    /// The cases that scenarios are made from, beside the corpus.
    catalogue: Frozen,
}

impl Schedule {
    /// With the cases of the catalogue to begin with, or without any knowledge of them.
    pub fn new(brief: Brief, seed: u64, catalogue: bool) -> Self {
        let catalogue = if catalogue { usable(&brief) } else { Arc::default() };
        Self { brief, seed, catalogue }
    }

    /// The scenario of this number, where this is the corpus of its round.
    pub fn scenario(&self, number: u64, corpus: &[Arc<Scenario>]) -> Scenario {
        let mut scenario = self.made(number, corpus);
        scenario.steps.iter_mut().for_each(hurry);
        scenario
    }

    fn made(&self, number: u64, corpus: &[Arc<Scenario>]) -> Scenario {
        let mut random = fastrand::Rng::with_seed(mix(self.seed, number));
        let mut bytes = vec![0; random.usize(BYTES / 16..=BYTES)];
        random.fill(&mut bytes);
        let any = |random: &mut fastrand::Rng| {
            let from = match (corpus.is_empty(), self.catalogue.is_empty()) {
                (true, true) => return None,
                (true, false) => &*self.catalogue,
                (false, true) => corpus,
                // What has shown something new shows it again more often than what somebody thought of.
                (false, false) if random.u8(..4) > 0 => corpus,
                (false, false) => &*self.catalogue,
            };
            Some(&from[random.usize(..from.len())])
        };
        if random.bool() {
            return generate(&self.brief, &bytes);
        }
        match (any(&mut random), any(&mut random)) {
            (Some(scenario), Some(other)) => mutate(&self.brief, scenario, other, &bytes),
            (None, _) | (_, None) => generate(&self.brief, &bytes),
        }
    }
}

/// Waits no longer than it is worth: to go without what a step waits for is no failure, and a peer that is late is judged by
/// what it answers all the same.
fn hurry(step: &mut Step) {
    match step {
        Step::Await { within, .. } => {
            *within = Some(within.map_or(LONGEST_AWAIT, |time| time.min(LONGEST_AWAIT)))
        }
        Step::Pause { time, .. } => *time = (*time).min(LONGEST_WAIT),
        Step::Send(_)
        | Step::More { .. }
        | Step::Raw { .. }
        | Step::Probe { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => {}
    }
}

/// The cases that a program can go on from: what the oracle reads, nothing large and nothing slow.
fn usable(brief: &Brief) -> Frozen {
    let usable = |scenario: &&Scenario| {
        let lacks = |need: &Need| match need {
            Need::Echo => false,
            Need::Deflate => !brief.deflate,
            Need::Tls => true,
        };
        scenario.roles.contains(&brief.role)
            && (brief.openings || !scenario.tests_opening() && scenario.opening.extensions.is_empty())
            && scenario.stress.is_none()
            && !scenario.needs.iter().any(lacks)
            && cost(scenario).is_some_and(|(sent, waits)| sent <= MOST_SENT && waits <= LONGEST_WAIT)
    };
    Catalogue::embedded().scenarios().iter().filter(usable).cloned().map(Arc::new).collect()
}

/// How much a scenario sends and how long it waits at least; `None` where it does what the oracle does not read.
fn cost(scenario: &Scenario) -> Option<(u64, Duration)> {
    let (mut sent, mut waits) = (0_u64, Duration::ZERO);
    for step in &scenario.steps {
        let (bytes, times, chop) = match step {
            Step::Send(frame) if frame.lasting.is_none() => {
                (frame.payload.len(), u64::from(frame.times), &frame.chop)
            }
            Step::More { payload, chop } | Step::Raw { payload, chop } => (payload.len(), 1, chop),
            Step::Await { .. } | Step::Probe { .. } | Step::End(_) => continue,
            Step::Pause { time, .. } => {
                waits += *time;
                continue;
            }
            Step::Send(_) | Step::Exchange(_) | Step::Read(_) | Step::Hold { .. } => return None,
        };
        // Many frames cost as much as many bytes.
        sent = sent.saturating_add(times.saturating_mul(bytes.saturating_add(8)));
        waits += chop.pause.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
    }
    Some((sent, waits))
}

/// The round that a number belongs to.
pub fn round_of(number: u64) -> u64 {
    let mut round = 0;
    let mut first = 0_u64;
    loop {
        let len = len_of(round);
        if len == LONGEST {
            return round + (number - first) / LONGEST;
        }
        if number < first + len {
            return round;
        }
        first += len;
        round += 1;
    }
}

/// How many scenarios a round has.
pub fn len_of(round: u64) -> u64 {
    let doubled = u32::try_from(round).ok().and_then(|round| FIRST.checked_shl(round));
    doubled.filter(|len| *len >= FIRST).map_or(LONGEST, |len| len.min(LONGEST))
}

/// A seed for one of many (the finalizer of SplitMix64).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use wsgrade_codec::Role;

    use super::*;

    const BRIEF: Brief = Brief { role: Role::Server, deflate: false, openings: false };

    #[test]
    fn rounds_follow_one_another() {
        let mut number = 0;
        for round in 0..20 {
            assert_eq!((round_of(number), round_of(number + len_of(round) - 1)), (round, round));
            number += len_of(round);
        }
        assert_eq!((len_of(0), len_of(1), len_of(19), len_of(u64::MAX)), (1024, 2048, LONGEST, LONGEST));
    }

    #[test]
    fn the_same_seed_number_and_corpus_give_the_same_scenario() {
        let schedule = Schedule::new(BRIEF, 1, true);
        let other = Schedule::new(BRIEF, 2, true);
        let first: Vec<_> = (0..50).map(|number| schedule.scenario(number, &[])).collect();
        let again: Vec<_> = (0..50).map(|number| schedule.scenario(number, &[])).collect();
        assert_eq!(first, again);
        assert_ne!(first, (0..50).map(|number| other.scenario(number, &[])).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_taken_from_the_catalogue_is_small_and_quick() {
        let schedule = Schedule::new(BRIEF, 1, true);
        assert!(schedule.catalogue.len() > 100, "{}", schedule.catalogue.len());
        assert!(schedule.catalogue.iter().all(|scenario| !scenario.needs.contains(&Need::Deflate)));
        let compressed = Schedule::new(Brief { deflate: true, ..BRIEF }, 1, true);
        assert!(compressed.catalogue.len() > schedule.catalogue.len());
        assert!(Schedule::new(BRIEF, 1, false).catalogue.is_empty());
    }

    #[test]
    fn a_corpus_is_drawn_on() {
        let schedule = Schedule::new(BRIEF, 1, false);
        let alone: Vec<_> = (0..50).map(|number| schedule.scenario(number, &[])).collect();
        let corpus = [Arc::new(schedule.scenario(1000, &[]))];
        assert_ne!(alone, (0..50).map(|number| schedule.scenario(number, &corpus)).collect::<Vec<_>>());
    }
}
