//! A case of resilience against one target: the case itself, the canary beside it, and what the process takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use wsgrade_cases::model::{Scenario, Stress};
use wsgrade_codec::Role;
use wsgrade_reports::record::{CaseRecord, Direction, Entry, Grown, Taken, Transcript, What};

use super::Settings;
use super::canary::Canary;
use super::case::{play_beside, record};
use crate::engine::Pulse;
use crate::plan::Plan;
use crate::spawn::{Process, Watched};
use crate::target::Target;

/// How many connections of a crowd are there at once: what a process may have open by default is 1024 files, on
/// either side.
const AT_ONCE: usize = 400;
/// How often the process is looked at.
const OFTEN: Duration = Duration::from_millis(20);
/// How long a process may take to put away what a case has left it.
const TIDYING: Duration = Duration::from_secs(2);
/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(10);
/// How many times the opening is played at each size, of which the fastest counts.
const TRIES: usize = 3;
/// An opening as slow as this is not tried again.
const SLOW: Duration = Duration::from_secs(1);
/// How often all connections are played before the last time where it is asked what is kept of them: once to warm up, and
/// twice to tell what is kept of each from what is kept once.
const ROUNDS: usize = 3;
/// The sizes of a growing opening.
const SIZES: [u32; 3] = [1, 2, 4];

/// Where a case of resilience is played.
pub(crate) struct Place<'a> {
    pub(crate) target: &'a Target,
    pub(crate) settings: &'a Settings,
    /// The process that serves, if we started it.
    pub(crate) process: Option<&'a Arc<Process>>,
    /// The process that serves, if we know it.
    pub(crate) watched: Option<Watched>,
    pub(crate) repeat: &'a str,
}

/// Plays a case and judges it.
pub(crate) async fn play(plan: &Arc<Plan>, stress: &Stress, place: &Place<'_>) -> CaseRecord {
    let began = Instant::now();
    let transcript = match press(plan, stress, place, began).await {
        Ok(transcript) => transcript,
        Err(reason) => {
            let what = What::Trouble { reason };
            Transcript {
                entries: vec![Entry {
                    at_us: microseconds(began.elapsed()),
                    step: None,
                    prelude: false,
                    what,
                }],
            }
        }
    };
    record(plan, Role::Server, place.target.carrier(), transcript, began.elapsed(), place.repeat)
}

/// Fails in one sentence if nothing can be said of the target.
async fn press(
    plan: &Arc<Plan>,
    stress: &Stress,
    place: &Place<'_>,
    began: Instant,
) -> Result<Transcript, String> {
    let Place { target, settings, process, watched, repeat: _ } = place;
    let mut ledger = watched.as_ref().map(|watched| Ledger::open(watched, stress));
    // How many connections it takes is the target's to say.
    let newcomers = stress.connections.get() == 1;
    let canary = Canary::begin(target, settings, newcomers).await?;
    let pulse = canary.pulse();
    if stress.kept.is_some() {
        for round in 0..ROUNDS {
            crowd(plan, stress, target, settings, &pulse).await;
            if let Some(ledger) = &mut ledger {
                let seen = ledger.close_round().await;
                // The first is for warming up.
                ledger.rounds.extend((round > 0).then_some(seen));
            }
        }
    }
    let mut transcript = if stress.growth {
        grow(plan, target, settings, &pulse).await
    } else {
        crowd(plan, stress, target, settings, &pulse).await
    };
    let mut told = canary.end().await?;
    if told.lost.is_some() || told.unserved.is_some() {
        let death = match process {
            Some(process) => process.death_within(super::DYING).await,
            None => None,
        };
        if let Some(death) = death {
            told.lost = Some(format!("the process died with {}", death.exit));
        }
    }
    let at_us = microseconds(began.elapsed());
    let mut tell = |what| transcript.entries.push(Entry { at_us, step: None, prelude: false, what });
    tell(What::Canary(told));
    if let Some(mut ledger) = ledger {
        let last = ledger.close_round().await;
        ledger.rounds.into_iter().chain([last]).for_each(tell);
    }
    Ok(transcript)
}

/// What a process takes, round by round.
struct Ledger<'a> {
    watched: Watched,
    stress: &'a Stress,
    /// What it took before the round that is under way.
    before: Taken,
    sampler: Sampler,
    /// What is to be told of the rounds that are over.
    rounds: Vec<What>,
}

impl<'a> Ledger<'a> {
    fn open(watched: &Watched, stress: &'a Stress) -> Self {
        let (before, sampler) = (watched.taken(), Sampler::begin(watched));
        Self { watched: *watched, stress, before, sampler, rounds: Vec::new() }
    }

    /// Waits until the process has done with the round, and begins the next.
    async fn close_round(&mut self) -> What {
        let after = tidied(self.watched, self.stress, &self.before).await;
        let peak = std::mem::replace(&mut self.sampler, Sampler::begin(&self.watched)).end();
        let before = std::mem::replace(&mut self.before, after);
        What::Resources { before, peak: most(peak, after), after }
    }
}

/// Plays it on as many connections as it wants. The transcript is that of the first.
async fn crowd(
    plan: &Arc<Plan>,
    stress: &Stress,
    target: &Target,
    settings: &Settings,
    pulse: &Arc<Pulse>,
) -> Transcript {
    let connections = stress.connections.get();
    let at_once = settings.gate.at_once(target).map_or(AT_ONCE, |places| places.clamp(1, AT_ONCE));
    let room = Arc::new(Semaphore::new(at_once));
    let mut others = JoinSet::new();
    for number in 1..connections {
        let (plan, target, pulse) = (Arc::clone(plan), target.clone(), Arc::clone(pulse));
        let settings = Settings { seed: settings.seed ^ u64::from(number), ..settings.clone() };
        let room = Arc::clone(&room);
        others.spawn(async move {
            // It fails only when closed, which nobody does.
            let _place = room.acquire().await;
            let (transcript, _) = play_beside(&plan, &target, &settings, Some(&pulse)).await;
            was_opened(&transcript)
        });
    }
    let (mut transcript, took) = play_beside(plan, target, settings, Some(pulse)).await;
    let mut opened = u32::from(was_opened(&transcript));
    while let Some(other) = others.join_next().await {
        opened += u32::from(other.unwrap_or(false));
    }
    if connections > 1 {
        let what = What::Crowd { connections, opened };
        transcript.entries.push(Entry { at_us: microseconds(took), step: None, prelude: false, what });
    }
    transcript
}

fn was_opened(transcript: &Transcript) -> bool {
    transcript.entries.iter().any(|entry| matches!(entry.what, What::Opened { .. }))
}

/// Plays the opening at growing sizes. The transcript is that of the largest.
async fn grow(plan: &Arc<Plan>, target: &Target, settings: &Settings, pulse: &Arc<Pulse>) -> Transcript {
    let mut sizes = Vec::new();
    let mut last = Transcript::default();
    for factor in SIZES {
        let grown = Plan::alone(plan.scenario.grown(factor));
        let mut best: Option<Grown> = None;
        for _ in 0..TRIES {
            let (transcript, _) = play_beside(&grown, target, settings, Some(pulse)).await;
            let seen = opening_of(&transcript);
            last = transcript;
            let Some(seen) = seen else { continue };
            let slow = Duration::from_micros(seen.us) >= SLOW;
            if best.as_ref().is_none_or(|best| seen.us < best.us) {
                best = Some(seen);
            }
            if slow {
                break;
            }
        }
        sizes.extend(best);
    }
    let at_us = last.entries.last().map_or(0, |entry| entry.at_us);
    last.entries.push(Entry { at_us, step: None, prelude: false, what: What::Growth { sizes } });
    last
}

/// How long the head waited for its answer, and what that was.
fn opening_of(transcript: &Transcript) -> Option<Grown> {
    let mut entries = transcript.entries.iter();
    let (asked_us, bytes) = entries.find_map(|entry| {
        let What::Http { dir: Direction::Sent, message } = &entry.what else { return None };
        Some((entry.at_us, message.bytes))
    })?;
    let (answered_us, answer) = entries.find_map(|entry| {
        if let What::Http { dir: Direction::Received, message } = &entry.what {
            let status = message.lines.first().and_then(|line| line.split(' ').nth(1));
            return Some((entry.at_us, status.unwrap_or("no HTTP").chars().take(16).collect()));
        }
        let ended = matches!(entry.what, What::EndOfStream | What::Reset);
        ended.then(|| (entry.at_us, "the end of TCP".to_owned()))
    })?;
    Some(Grown { bytes, us: answered_us.saturating_sub(asked_us), answer })
}

/// What the process takes once it has done what the case left it to do and put away what it left behind, or has had the
/// time to.
async fn tidied(watched: Watched, stress: &Stress, before: &Taken) -> Taken {
    let began = Instant::now();
    loop {
        // It may still be at work on what it was sent last.
        let busy = watched.is_busy();
        let taken = watched.taken();
        // On a busy machine a process that never ends its work is given little of the time.
        let spent = taken.cpu_ms.zip(before.cpu_ms).map_or(0.0, |(now, before)| now - before);
        let undecided = stress.cpu.is_some_and(|limit| busy && spent <= limit.as_secs_f64() * 1e3);
        let deadline = began + if undecided { TIDYING * 5 } else { TIDYING };
        let tidy = match (stress.files, before.files, taken.files) {
            (Some(more), Some(before), Some(now)) => now <= before + u64::from(more),
            (None, _, _) | (_, None, _) | (_, _, None) => true,
        };
        if tidy && !busy || Instant::now() >= deadline {
            return taken;
        }
        sleep(LOOK).await;
    }
}

/// The most of each.
fn most(a: Taken, b: Taken) -> Taken {
    let cpu_ms = match (a.cpu_ms, b.cpu_ms) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    };
    Taken { rss_bytes: a.rss_bytes.max(b.rss_bytes), cpu_ms, files: a.files.max(b.files) }
}

/// Looks at a process from time to time, on a thread of its own.
struct Sampler {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Taken>>,
}

impl Sampler {
    fn begin(watched: &Watched) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (watched, stopped) = (*watched, Arc::clone(&stop));
        // Without the thread there are the samples before and after.
        let thread = std::thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            let mut peak = Taken::default();
            while !stopped.load(Ordering::Relaxed) {
                peak = most(peak, watched.taken());
                std::thread::sleep(OFTEN);
            }
            peak
        });
        Self { stop, thread: thread.ok() }
    }

    fn end(mut self) -> Taken {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Why a case of resilience is not played against a target; nothing where it may be.
///
/// What floods a server is done to one's own: on this machine, or started by us. Anybody else's has to be named as one
/// that may be stressed.
pub(super) fn forbidden(
    scenario: &Scenario,
    target: &Target,
    spawned: bool,
    allowed: bool,
) -> Option<&'static str> {
    if scenario.stress.is_none() || spawned || allowed || target.is_local() {
        return None;
    }
    Some("is not on this machine, and may be stressed only with --i-am-allowed-to-stress-this-target")
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::{Ending, Saw};

    use super::*;
    use crate::target::RequestOptions;

    #[tokio::test]
    async fn only_ones_own_is_stressed_unless_one_says_so() {
        let options = RequestOptions::default();
        let local = Target::find("ws://127.0.0.1:1/".parse().unwrap(), &options).await.unwrap();
        let remote = Target { addr: "192.0.2.1:1".parse().unwrap(), ..local.clone() };
        let plain = Scenario::uncatalogued("a", Vec::new(), Saw::Anything, Ending::ordinary());
        let stressed = Scenario { stress: Some(Stress::default()), ..plain.clone() };
        assert_eq!(forbidden(&plain, &remote, false, false), None);
        assert_eq!(forbidden(&stressed, &local, false, false), None);
        assert_eq!(forbidden(&stressed, &remote, true, false), None);
        assert_eq!(forbidden(&stressed, &remote, false, true), None);
        assert!(forbidden(&stressed, &remote, false, false).unwrap().contains("--i-am-allowed"));
    }

    #[test]
    fn how_long_an_opening_took() {
        let http = |dir, line: &str, bytes| What::Http {
            dir,
            message: wsgrade_reports::record::HttpMessage { lines: vec![line.to_owned()], bytes },
        };
        let transcript = |answer| Transcript {
            entries: [(5, What::Connected), (7, http(Direction::Sent, "GET / HTTP/1.1", 900)), (40, answer)]
                .map(|(at_us, what)| Entry { at_us, step: None, prelude: false, what })
                .to_vec(),
        };
        let grown = |answer: &str| Grown { bytes: 900, us: 33, answer: answer.to_owned() };
        let refused = http(Direction::Received, "HTTP/1.1 431 Too Large", 30);
        assert_eq!(opening_of(&transcript(refused)), Some(grown("431")));
        assert_eq!(opening_of(&transcript(What::Reset)), Some(grown("the end of TCP")));
        assert_eq!(opening_of(&transcript(What::StillOpen { mark: "a".to_owned() })), None);
    }

    #[test]
    fn the_most_of_each() {
        let taken = |rss, cpu, files| Taken { rss_bytes: rss, cpu_ms: cpu, files };
        assert_eq!(
            most(taken(Some(3), None, Some(9)), taken(Some(5), Some(1.0), Some(4))),
            taken(Some(5), Some(1.0), Some(9))
        );
        assert_eq!(most(Taken::default(), Taken::default()), Taken::default());
    }
}
