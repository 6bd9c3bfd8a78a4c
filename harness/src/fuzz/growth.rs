//! What the process takes and does not give back: memory, processor time, files.
//!
//! ```text
//! from time to time, while nobody plays ─ at rest? ─┬─ as before ─▶ go on
//!                                                   └─ more, and more each time; or busy with nothing
//! the last scenarios, each time on a fresh process ─ halves ─ one ─ shrink ─▶ a case with a `stress`, 3 times ─▶ k of 3
//! ```
//!
//! What a process may take is its own to say, and a runtime that collects its garbage late is not wrong. So the process is looked
//! at when nothing is asked of it, a suspicion is only where to look, and what counts is a case with bounds that are far from
//! what a connection needs. Such a finding is never more than non-strict.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use wsgrade_cases::model::{Ending, Frame, Payload, Saw, Scenario, Step, Stress};
use wsgrade_codec::Role;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{CaseRecord, Taken};

use super::confirm::Budget;
use super::finding::{Finding, Kind, named};
use super::player::Player;
use crate::judge::stress::IMPOSE_LIMIT;
use crate::oracle;
use crate::plan::Plan;
use crate::shrink::Shrinker;
use crate::spawn::Watched;

/// When the process is first looked at, and how often from then on.
const FIRST: Duration = Duration::from_secs(3);
const OFTEN: Duration = Duration::from_secs(15);
/// How long a process may go on with what it was asked last.
const REST: Duration = Duration::from_secs(1);
/// Between two looks, and how many in a row find it idle.
const LOOK: Duration = Duration::from_millis(10);
const IDLE_LOOKS: u32 = 3;

/// It holds so much more for a moment.
const SWOLLEN: u64 = 96 << 20;
/// It holds so much more at rest than at first, and so much more for each scenario since it was last looked at.
const FATTER: u64 = 16 << 20;
const FATTER_EACH: u64 = 256;
/// It has so many more files open at rest than at first.
const LEFT_OPEN: u64 = 64;
/// Fewer scenarios since it was last looked at say nothing of what each of them leaves.
const TELLING: u64 = 500;

/// How long it may take to find out which scenario it was.
const INVESTIGATION: Duration = Duration::from_secs(45);
/// So many of the last scenarios are looked at.
pub(super) const SUSPECTS: usize = 2048;
/// On how many fresh processes a case is played before it is said to show it.
const TRIES: u32 = 3;
/// How often scenarios are played, all in all, where what each leaves adds up.
const PLAYS_KEPT: usize = 1500;
const PLAYS_FILES: usize = 256;

/// What a process took more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Memory, much of it for one connection.
    Memory,
    /// Memory that it keeps of connections that are over.
    Kept,
    /// Processor time, when nobody asks anything of it.
    Processor,
    /// Files that stay open when the connections are over.
    Files,
}

impl Resource {
    /// The bounds of a case that shows it.
    fn stress(self) -> Stress {
        let none = Stress::default();
        let connections = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        match self {
            Self::Memory => Stress { memory: Some(48 << 20), ..none },
            Self::Kept => Stress { connections: connections(2000), kept: Some(4096), ..none },
            Self::Processor => Stress { cpu: Some(Duration::from_secs(1)), ..none },
            Self::Files => Stress { connections: connections(50), files: Some(25), ..none },
        }
    }

    /// Whether what each scenario leaves adds up, so that more is seen where they are played often.
    fn adds_up(self) -> Option<usize> {
        match self {
            Self::Memory | Self::Processor => None,
            Self::Kept => Some(PLAYS_KEPT),
            Self::Files => Some(PLAYS_FILES),
        }
    }

    /// How much is more than a process takes anyway, where scenarios are played so often.
    fn telling(self, plays: usize) -> u64 {
        match self {
            Self::Memory => 48 << 20,
            Self::Kept => 1024 * plays as u64,
            Self::Processor => 1,
            Self::Files => plays as u64 / 8,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "takes much memory for one connection",
            Self::Kept => "keeps memory of connections that are over",
            Self::Processor => "is busy when nobody asks anything of it",
            Self::Files => "leaves files open when connections are over",
        })
    }
}

/// What a process took at rest, in the course of a campaign.
#[derive(Debug)]
pub(super) struct Growth {
    /// When it is looked at next.
    next: Instant,
    /// The least memory that it was seen to hold, and the fewest files that it was seen to have open.
    least: (Option<u64>, Option<u64>),
    first: Option<Reading>,
    last: Option<Reading>,
    /// What was looked into, which is done once.
    known: HashSet<Resource>,
}

/// What it took when so many scenarios had been played.
#[derive(Clone, Copy, Debug)]
struct Reading {
    taken: Taken,
    scenarios: u64,
}

impl Growth {
    /// Of a process that holds so much before the first scenario.
    pub(super) fn new(cold: Taken) -> Self {
        let next = Instant::now() + FIRST;
        Self { next, least: (cold.rss_bytes, cold.files), first: None, last: None, known: HashSet::new() }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// The most that it held may be more than it needs: then it is to be looked at soon.
    pub(super) fn saw_peak(&mut self, peak: Option<u64>) {
        if !self.known.contains(&Resource::Memory) && self.is_swollen(peak) {
            self.next = self.next.min(Instant::now());
        }
    }

    fn is_swollen(&self, peak: Option<u64>) -> bool {
        peak.zip(self.least.0).is_some_and(|(peak, least)| peak > least + SWOLLEN)
    }

    /// Looks at a process with which nobody plays, whose peak so far is given. What it may take more of that was not looked into
    /// before, the likeliest first.
    pub(super) async fn look(
        &mut self,
        watched: Watched,
        peak: Option<u64>,
        scenarios: u64,
    ) -> Vec<Resource> {
        let (taken, busy) = at_rest(watched).await;
        self.next = Instant::now() + OFTEN;
        self.note(taken, busy, peak, scenarios)
    }

    fn note(&mut self, taken: Taken, busy: bool, peak: Option<u64>, scenarios: u64) -> Vec<Resource> {
        let mut found = self.compare(taken, busy, peak, scenarios);
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        self.least = (least(self.least.0, taken.rss_bytes), least(self.least.1, taken.files));
        self.first.get_or_insert(Reading { taken, scenarios });
        self.last = Some(Reading { taken, scenarios });
        found.retain(|resource| !self.known.contains(resource));
        found
    }

    /// It is looked into now.
    pub(super) fn looked_into(&mut self, resource: Resource) {
        self.known.insert(resource);
    }

    fn compare(&self, taken: Taken, busy: bool, peak: Option<u64>, scenarios: u64) -> Vec<Resource> {
        if busy {
            return vec![Resource::Processor];
        }
        let since = self.last.map_or(0, |last| scenarios.saturating_sub(last.scenarios));
        let more = |than: Option<Reading>| Some(taken.rss_bytes?.saturating_sub(than?.taken.rss_bytes?));
        let files = taken.files.zip(self.least.1).is_some_and(|(now, least)| now > least + LEFT_OPEN);
        let fatter = since >= TELLING
            && more(self.first).is_some_and(|more| more > FATTER)
            && more(self.last).is_some_and(|more| more > since * FATTER_EACH);
        let all =
            [(files, Resource::Files), (fatter, Resource::Kept), (self.is_swollen(peak), Resource::Memory)];
        all.into_iter().filter_map(|(seen, resource)| seen.then_some(resource)).collect()
    }

    /// Another process serves now.
    pub(super) fn start_anew(&mut self) {
        (self.least, self.first, self.last) = ((None, None), None, None);
        self.next = Instant::now() + FIRST;
    }
}

/// What a process takes once it has done what it was asked to do, and whether it never has.
async fn at_rest(watched: Watched) -> (Taken, bool) {
    let began = Instant::now();
    let before = watched.taken();
    let mut idle = 0;
    while began.elapsed() < REST {
        idle = if watched.is_busy() { 0 } else { idle + 1 };
        if idle == IDLE_LOOKS {
            return (watched.taken(), false);
        }
        sleep(LOOK).await;
    }
    let after = watched.taken();
    let spent = before.cpu_ms.zip(after.cpu_ms).map_or(0.0, |(before, after)| after - before);
    (after, spent > began.elapsed().as_secs_f64() * 1e3 / 2.0)
}

/// The scenario with which it grows.
pub(super) struct Culprit {
    /// Its number, the scenario as it was found and its case.
    pub(super) number: u64,
    pub(super) found: Arc<Scenario>,
    pub(super) case: Arc<Scenario>,
    pub(super) record: CaseRecord,
    pub(super) replayed: (u32, u32),
}

impl Culprit {
    pub(super) fn into_finding(self, kind: Kind, file: PathBuf, replay: String) -> Finding {
        let Self { number, found, case, mut record, replayed } = self;
        record.repeat.clone_from(&replay);
        let steps_found = found.steps.len();
        Finding { kind, scenarios: vec![case], record, number, steps_found, replayed, seen: 1, file, replay }
    }
}

/// Finds out with which of these scenarios, given newest first, it grows. Nothing else may be played meanwhile. `None` where none
/// of them shows it alone, or the process does not start again. A fresh process runs afterwards.
pub(super) async fn investigate(
    player: &Player,
    resource: Resource,
    suspects: &[(u64, Arc<Scenario>)],
    jobs: usize,
    seed: u64,
    budget: Budget,
) -> Option<Culprit> {
    let lab = Lab { player, resource, jobs, seed, deadline: Instant::now() + INVESTIGATION };
    let (number, found) = lab.search(suspects).await?;
    let best = lab.shrink(&found, budget).await?;
    let certain = lab.certain(number, &best).await;
    player.place.restart().await.ok()?;
    let (case, record, times) = certain?;
    Some(Culprit { number, found, case, record, replayed: (times, TRIES) })
}

struct Lab<'a> {
    player: &'a Player,
    resource: Resource,
    jobs: usize,
    seed: u64,
    deadline: Instant,
}

impl Lab<'_> {
    async fn search(&self, suspects: &[(u64, Arc<Scenario>)]) -> Option<(u64, Arc<Scenario>)> {
        // What any conversation shows is shown best by the plainest.
        let newest = suspects.first().map_or(0, |(number, _)| *number);
        let plain = Arc::new(plain());
        if self.grows(&[&plain]).await? {
            return Some((newest, plain));
        }
        let mut set = suspects;
        let all: Vec<_> = set.iter().map(|(_, scenario)| scenario).collect();
        if set.is_empty() || self.resource.adds_up().is_none() && !self.grows(&all).await? {
            return None;
        }
        while set.len() > 1 && Instant::now() < self.deadline {
            let (newer, older) = set.split_at(set.len().div_ceil(2));
            let of = |half: &[(u64, Arc<Scenario>)]| {
                half.iter().map(|(_, scenario)| Arc::clone(scenario)).collect::<Vec<_>>()
            };
            let (one, other) = (of(newer), of(older));
            let first = self.growth(&one.iter().collect::<Vec<_>>()).await?;
            let second = match self.resource.adds_up() {
                // What is not in the one half is in the other.
                None if first >= self.resource.telling(0) => 0,
                None => u64::MAX,
                Some(_) => self.growth(&other.iter().collect::<Vec<_>>()).await?,
            };
            set = if first >= second { newer } else { older };
        }
        match set {
            [(number, scenario)] => Some((*number, Arc::clone(scenario))),
            _ => None,
        }
    }

    async fn shrink(&self, scenario: &Arc<Scenario>, budget: Budget) -> Option<Scenario> {
        let deadline = self.deadline.min(Instant::now() + budget.time);
        let mut shrinker = Shrinker::new(scenario.as_ref().clone(), self.player.place.role());
        for _ in 0..budget.plays {
            if Instant::now() >= deadline {
                break;
            }
            let Some(candidate) = shrinker.next() else { break };
            if self.grows(&[&Arc::new(candidate)]).await? {
                shrinker.keep();
            }
        }
        Some(shrinker.best().clone())
    }

    /// Plays it as the case that is to be written, each time on a fresh process; `None` where it does not show each time: how much a
    /// process takes has to do with its runtime too, and what shows now and then says nothing.
    async fn certain(&self, number: u64, scenario: &Scenario) -> Option<(Arc<Scenario>, CaseRecord, u32)> {
        let kind = Kind::Grew { what: self.resource };
        let seed = self.seed;
        let why = format!(
            "The process {}; found by `wsgrade fuzz` with the seed {seed}, as scenario {number}.",
            self.resource
        );
        let rule = scenario.rules.first().map(ToString::to_string).unwrap_or_default();
        let mut case = named(&kind, scenario, &rule, &why, None);
        (case.stress, case.roles) = (Some(self.resource.stress()), BTreeSet::from([Role::Server]));
        let case = Arc::new(case);
        let plan = self.player.fit(&case)?;
        let (mut times, mut last) = (0, None);
        for _ in 0..TRIES {
            self.player.place.restart().await.ok()?;
            let Some(mut record) = self.player.press(&plan, seed).await else { continue };
            // What the peer sent is another matter.
            record.findings.sort_by_key(|finding| finding.rule != IMPOSE_LIMIT);
            if record.findings.first().is_some_and(|finding| finding.rule == IMPOSE_LIMIT) {
                times += 1;
                last = Some(record);
            }
        }
        (times == TRIES).then_some((case, last?, times))
    }

    async fn grows(&self, set: &[&Arc<Scenario>]) -> Option<bool> {
        let plays = set.len() * self.rounds(set.len());
        Some(self.growth(set).await? >= self.resource.telling(plays))
    }

    fn rounds(&self, scenarios: usize) -> usize {
        self.resource.adds_up().map_or(1, |plays| plays.div_ceil(scenarios.max(1)))
    }

    /// By how much a fresh process grows with these scenarios; `None` if it does not start, or dies.
    async fn growth(&self, set: &[&Arc<Scenario>]) -> Option<u64> {
        let place = &self.player.place;
        place.restart().await.ok()?;
        let watched = place.watched()?;
        let plans: Vec<_> = set.iter().filter_map(|scenario| self.player.fit(scenario)).collect();
        let plans: Arc<[Arc<Plan>]> = plans.into();
        let rounds = self.rounds(set.len());
        if self.resource == Resource::Kept {
            // What a process takes once it takes but once.
            self.play(&plans, rounds).await;
        }
        let (before, _) = at_rest(watched).await;
        self.play(&plans, rounds).await;
        let (after, busy) = at_rest(watched).await;
        if place.is_dead() {
            return None;
        }
        let more = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?));
        Some(match self.resource {
            Resource::Memory => more(before.rss_bytes, place.process_info()?.peak_rss_bytes)?,
            Resource::Kept => more(before.rss_bytes, after.rss_bytes)?,
            Resource::Processor => u64::from(busy),
            Resource::Files => more(before.files, after.files)?,
        })
    }

    /// Plays each of these so many times, several at once.
    async fn play(&self, plans: &Arc<[Arc<Plan>]>, rounds: usize) {
        let next = Arc::new(AtomicUsize::new(0));
        let all = plans.len() * rounds;
        let mut workers = JoinSet::new();
        for _ in 0..self.jobs.max(1) {
            let (player, plans, next) = (self.player.clone(), Arc::clone(plans), Arc::clone(&next));
            let seed = self.seed;
            workers.spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= all || player.place.is_dead() {
                        return;
                    }
                    player.play(&plans[n % plans.len()], &player.brief, seed ^ n as u64).await;
                }
            });
        }
        while workers.join_next().await.is_some() {}
    }
}

/// A text, and the closing handshake.
fn plain() -> Scenario {
    let steps = vec![Step::Send(Frame::new(Opcode::TEXT, Payload::Text("wsgrade".to_owned())))];
    let sketch = Scenario::uncatalogued("plain", steps, Saw::Anything, Ending::ordinary());
    oracle::complete(&sketch, Role::Server)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn taken(mib: u64, files: u64) -> Taken {
        Taken { rss_bytes: Some(mib * MIB), cpu_ms: Some(0.0), files: Some(files) }
    }

    fn after(first: Taken, last: Taken) -> Growth {
        Growth {
            first: Some(Reading { taken: first, scenarios: 1000 }),
            last: Some(Reading { taken: last, scenarios: 20_000 }),
            ..Growth::new(last)
        }
    }

    #[tokio::test]
    async fn what_is_suspicious() {
        let growth = after(taken(50, 10), taken(60, 10));
        let see = |taken, busy, peak: u64| growth.compare(taken, busy, Some(peak * MIB), 40_000);
        assert_eq!(see(taken(60, 10), false, 100), []);
        assert_eq!(see(taken(60, 10), true, 100), [Resource::Processor]);
        assert_eq!(see(taken(60, 75), false, 100), [Resource::Files]);
        assert_eq!(see(taken(60, 74), false, 100), []);
        // More than at first, and more with each scenario since.
        assert_eq!(see(taken(68, 10), false, 100), [Resource::Kept]);
        assert_eq!(see(taken(64, 10), false, 100), []);
        assert_eq!(growth.compare(taken(68, 10), false, None, 20_499), [], "too few to tell");
        let levelled = after(taken(50, 10), taken(90, 10));
        assert_eq!(levelled.compare(taken(92, 10), false, None, 40_000), []);
        assert_eq!(see(taken(60, 10), false, 157), [Resource::Memory]);
        assert_eq!(see(taken(60, 10), false, 156), []);
        // What was not given back may have been taken at once, or bit by bit.
        assert_eq!(see(taken(157, 10), false, 157), [Resource::Kept, Resource::Memory]);
        // Nothing to compare with yet, or nothing known.
        assert_eq!(Growth::new(taken(50, 10)).compare(taken(90, 10), false, None, 9000), []);
        let unknown = Growth::new(Taken::default());
        assert_eq!(unknown.compare(taken(90, 900), false, Some(1 << 40), 9000), []);
        assert_eq!(growth.compare(Taken::default(), false, None, 40_000), []);
    }

    #[tokio::test]
    async fn what_was_looked_into_is_not_again() {
        let mut growth = Growth::new(taken(50, 10));
        assert_eq!(growth.note(taken(60, 10), false, Some(60 * MIB), 1000), []);
        assert_eq!(growth.note(taken(99, 99), false, None, 9000), [Resource::Files, Resource::Kept]);
        growth.looked_into(Resource::Files);
        assert_eq!(growth.note(taken(199, 99), false, None, 18_000), [Resource::Kept]);
        growth.looked_into(Resource::Kept);
        assert_eq!(growth.note(taken(299, 99), false, None, 27_000), []);
        // Of a fresh process nothing is known.
        growth.start_anew();
        assert_eq!(growth.note(taken(499, 999), true, None, 27_000), [Resource::Processor]);
        assert_eq!(growth.note(taken(499, 999), false, Some(499 * MIB), 27_000), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peak_is_looked_at_soon() {
        let mut growth = after(taken(50, 10), taken(60, 10));
        growth.saw_peak(Some(156 * MIB));
        assert!(!growth.is_due());
        growth.saw_peak(None);
        assert!(!growth.is_due());
        growth.saw_peak(Some(157 * MIB));
        assert!(growth.is_due());
    }

    #[tokio::test]
    async fn a_process_that_is_busy_never_rests() {
        let us = Watched::tree(std::process::id()).unwrap();
        let stop = Arc::new(AtomicUsize::new(0));
        // Several, so that we have half a processor also where others want it.
        let busy = [(); 4].map(|()| {
            let stopped = Arc::clone(&stop);
            std::thread::spawn(move || while stopped.load(Ordering::Relaxed) == 0 {})
        });
        let (_, never) = at_rest(us).await;
        stop.store(1, Ordering::Relaxed);
        busy.into_iter().for_each(|busy| busy.join().unwrap());
        assert!(never);
    }
}
