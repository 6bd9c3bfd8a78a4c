//! The workers of a campaign, its budget, and what is done when something is wrong.
//!
//! ```text
//! worker ─ next number ─ scenario ─ play ─┬─ as it should ─▶ board: corpus, in the order of the numbers
//!                                         ├─ wrong ────────▶ alone: confirm, write down; does it still serve?
//!                                         └─ no answer ────▶ alone: has it died? then which scenario was it, start anew
//! ```

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use wsgrade_cases::model::Scenario;

use super::board::{Board, Turn};
use super::confirm::{Budget, Confirmed, Shown, confirm};
use super::corpus::Corpus;
use super::finding::{Finding, Kind, Origin, Replay, save};
use super::growth::{self, Growth};
use super::player::Player;
use super::schedule::{Schedule, mix};
use crate::runner::wait_for;
use crate::signature::{Signature, Symptom};

/// How often watchers are told how it goes.
const TELLING: Duration = Duration::from_millis(500);
/// How long what is left is confirmed when the time is over, and how long when the user wants it to end.
const AFTERWARDS: Duration = Duration::from_secs(60);
const IN_A_HURRY: Duration = Duration::from_secs(5);
/// How long each of them is made simpler then.
const AFTERWARDS_EACH: Duration = Duration::from_secs(3);
/// For each worker so many scenarios are remembered, among which is what a process died of.
const REMEMBERED: usize = 4;

/// How a campaign is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides which scenarios are played, and every random byte.
    pub seed: u64,
    /// How many scenarios are played at most.
    pub runs: Option<u64>,
    /// For how long, at most. What was found then is still confirmed.
    pub time: Option<Duration>,
    /// After how many findings it ends, if not before.
    pub max_findings: Option<usize>,
    /// How many at once.
    pub jobs: usize,
    /// Where case files of findings go.
    pub findings: PathBuf,
    /// The command that plays a file again.
    pub replay: Replay,
    /// How much is spent on making a finding simpler.
    pub budget: Budget,
}

/// Something that whoever watches wants to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// How it goes.
    Progress(Progress),
    /// Something was found and written down; what it is, and where.
    Found(String),
    /// Something else, in a sentence.
    Note(String),
}

/// How a campaign goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Scenarios played.
    pub scenarios: u64,
    /// In a second, of late.
    pub per_second: f64,
    /// Scenarios in the corpus.
    pub corpus: usize,
    /// Findings so far.
    pub findings: usize,
}

/// What a campaign came to.
#[derive(Debug)]
pub struct Summary {
    /// Scenarios played, those of confirming and shrinking aside.
    pub scenarios: u64,
    /// How long it took, confirming and all.
    pub took: Duration,
    /// How long nothing but scenarios was played.
    pub played: Duration,
    /// Scenarios in the corpus.
    pub corpus: usize,
    /// Different behaviours seen.
    pub behaviours: usize,
    /// What was found, in the order it was.
    pub findings: Vec<Finding>,
    /// What looked wrong and was not once there was patience.
    pub cured: u64,
    /// How many things looked wrong and were not looked at again, for want of time.
    pub left: usize,
    /// How often the target was started again.
    pub restarts: u64,
    /// Why it ended before its time.
    pub stopped: Option<String>,
    /// All behaviours in the order of the scenarios, as a number: the same for two campaigns that saw the same.
    pub trail: u64,
}

/// A campaign against one endpoint.
pub struct Campaign {
    pub(super) options: Options,
    schedule: Schedule,
    pub(super) player: Player,
    pub(super) board: Board,
    /// Held for reading by who plays, for writing by who has to be alone.
    pub(super) alone: RwLock<()>,
    /// Counts the times that what was under way had to be given up.
    pub(super) upheavals: AtomicU64,
    recent: Mutex<VecDeque<(u64, Arc<Scenario>)>>,
    /// What the process that we started takes; `None` where we started none.
    pub(super) growth: Option<tokio::sync::Mutex<Growth>>,
    pub(super) known: Mutex<Known>,
    /// How long somebody was alone.
    pub(super) apart: Mutex<Duration>,
    tell: mpsc::UnboundedSender<Told>,
    interrupted: watch::Receiver<bool>,
    pub(super) stop: watch::Sender<Option<String>>,
    began: Instant,
    deadline: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Known {
    pub(super) findings: Vec<Finding>,
    /// As they were first seen, and what they turned out to be: an index into `findings`.
    symptoms: HashMap<Symptom, usize>,
    /// What is to be looked at again, each symptom once.
    suspects: VecDeque<Suspect>,
    /// How often each looked wrong and was cured.
    cured: HashMap<Symptom, u64>,
    pub(super) restarts: u64,
    /// How often it was looked for what ended the process, by how it ended.
    pub(super) deaths: HashMap<Kind, u32>,
}

/// A scenario in which something looked wrong.
#[derive(Clone)]
struct Suspect {
    number: u64,
    scenario: Arc<Scenario>,
    symptom: Symptom,
}

impl Campaign {
    /// A campaign that goes on from this corpus.
    pub fn new(
        options: Options,
        schedule: Schedule,
        player: Player,
        corpus: Corpus,
        tell: mpsc::UnboundedSender<Told>,
        interrupted: watch::Receiver<bool>,
    ) -> Self {
        let deadline = options.time.map(|time| Instant::now() + time);
        Self {
            board: Board::new(corpus, options.runs),
            options,
            schedule,
            player: player.clone(),
            alone: RwLock::default(),
            upheavals: AtomicU64::new(0),
            recent: Mutex::default(),
            growth: player
                .place
                .watched()
                .map(|watched| tokio::sync::Mutex::new(Growth::new(watched.taken()))),
            known: Mutex::default(),
            apart: Mutex::default(),
            tell,
            interrupted,
            stop: watch::channel(None).0,
            began: Instant::now(),
            deadline,
        }
    }

    /// Plays until the budget is spent, the user wants it to end or the target is gone.
    pub async fn run(self) -> Summary {
        let began = Instant::now();
        let campaign = Arc::new(self);
        let mut workers = JoinSet::new();
        for _ in 0..campaign.options.jobs.max(1) {
            let campaign = Arc::clone(&campaign);
            workers.spawn(async move { campaign.work().await });
        }
        let mut telling = interval(TELLING);
        telling.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupted = campaign.interrupted.clone();
        let mut before = (0, began);
        let mut over = false;
        loop {
            tokio::select! {
                joined = workers.join_next() => match joined {
                    Some(_) => {}
                    None => break,
                },
                () = wait_for(&mut interrupted), if !over => {
                    campaign.end("interrupted".to_owned());
                    over = true;
                }
                _ = telling.tick() => {
                    let now = (campaign.board.played(), Instant::now());
                    let seconds = (now.1 - before.1).as_secs_f64().max(0.001);
                    campaign.tell(Told::Progress(Progress {
                        scenarios: now.0,
                        per_second: (now.0 - before.0) as f64 / seconds,
                        corpus: campaign.board.corpus_len(),
                        findings: lock(&campaign.known).findings.len(),
                    }));
                    before = now;
                    // Who looks at the process has no need of this.
                    if let Some(Ok(mut growth)) = campaign.growth.as_ref().map(|growth| growth.try_lock()) {
                        growth.saw_peak(campaign.peak());
                    }
                }
            }
        }
        drop(workers);
        campaign.look_at_the_rest().await;
        if campaign.stop.borrow().is_none() && !campaign.has_enough() {
            campaign.look_at_process(campaign.upheavals.load(Ordering::SeqCst)).await;
        }
        campaign.summary(began)
    }

    pub(super) fn summary(&self, began: Instant) -> Summary {
        let known = std::mem::take(&mut *lock(&self.known));
        let (corpus, behaviours, trail) = self.board.finish();
        let took = began.elapsed();
        Summary {
            scenarios: self.board.played(),
            took,
            played: took.saturating_sub(*lock(&self.apart)),
            corpus,
            behaviours,
            findings: known.findings,
            cured: known.cured.values().sum(),
            left: known.suspects.len(),
            restarts: known.restarts,
            stopped: self.stop.borrow().clone(),
            trail,
        }
    }

    pub(super) fn tell(&self, told: Told) {
        // Nobody watching is no reason to stop.
        let _ = self.tell.send(told);
    }

    /// Nothing more is played; why, in a sentence.
    pub(super) fn end(&self, reason: String) {
        self.stop.send_if_modified(|known| {
            known.is_none() && {
                *known = Some(reason);
                true
            }
        });
        self.board.close();
    }

    pub(super) fn is_over(&self) -> bool {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        late || self.stop.borrow().is_some() || self.has_enough()
    }

    /// Whether as much was found as was asked for.
    fn has_enough(&self) -> bool {
        self.options.max_findings.is_some_and(|most| lock(&self.known).findings.len() >= most)
    }

    async fn work(&self) {
        while !self.is_over() {
            let Some(Turn { number, corpus }) = self.board.take().await else { break };
            let scenario = Arc::new(self.schedule.scenario(number, &corpus));
            drop(corpus);
            let Some(plan) = self.player.fit(&scenario) else {
                self.board.pass(number);
                continue;
            };
            let at_work: RwLockReadGuard<'_, ()> = self.alone.read().await;
            let upheavals = self.upheavals.load(Ordering::SeqCst);
            self.remember(number, &scenario);
            let seed = mix(!self.options.seed, number);
            let played = self.player.play(&plan, &self.player.quick, seed).await;
            drop(at_work);
            if self.upheavals.load(Ordering::SeqCst) != upheavals {
                self.board.pass(number);
            } else if played.trouble(&plan).is_some() || self.player.place.is_dead() {
                self.board.pass(number);
                self.look_after(upheavals).await;
            } else {
                self.board.put(number, played.behaviour.key(), &scenario);
                if let Some(signature) = played.signature {
                    let symptom = signature.within(&scenario);
                    self.suspect(Suspect { number, scenario, symptom });
                    self.look_at_one().await;
                }
            }
            // Who finds it locked finds somebody looking.
            let due = self
                .growth
                .as_ref()
                .is_some_and(|growth| growth.try_lock().is_ok_and(|growth| growth.is_due()));
            if due {
                self.look_at_process(upheavals).await;
            }
        }
        // Whoever waits for a round to be over must not wait for one that is not played.
        self.board.close();
    }

    /// It is about to be played.
    pub(super) fn remember(&self, number: u64, scenario: &Arc<Scenario>) {
        let most = if self.growth.is_some() { growth::SUSPECTS } else { self.at_work() };
        let mut recent = lock(&self.recent);
        if recent.len() >= most.max(self.at_work()) {
            recent.pop_front();
        }
        recent.push_back((number, Arc::clone(scenario)));
    }

    /// How many scenarios may be under way or just over.
    pub(super) fn at_work(&self) -> usize {
        REMEMBERED * self.options.jobs.max(1)
    }

    /// The last scenarios, newest first, so many at most.
    pub(super) fn last(&self, most: usize) -> Vec<(u64, Arc<Scenario>)> {
        lock(&self.recent).iter().rev().take(most).cloned().collect()
    }

    /// Something looks wrong, to whoever played it.
    pub(super) fn suspect_this(&self, number: u64, scenario: &Arc<Scenario>, signature: &Signature) {
        self.suspect(Suspect { number, scenario: Arc::clone(scenario), symptom: signature.within(scenario) });
    }

    /// Something looks wrong.
    fn suspect(&self, suspect: Suspect) {
        if self.is_known(&suspect.symptom) {
            return;
        }
        let mut known = lock(&self.known);
        if known.suspects.iter().all(|other| other.symptom != suspect.symptom) {
            known.suspects.push_back(suspect);
        }
    }

    /// Looks at a suspect again, but for half of the time at most: the other half is for finding more of them.
    async fn look_at_one(&self) {
        let spent = |apart: Duration| apart > self.began.elapsed() / 2;
        if spent(*lock(&self.apart)) {
            return;
        }
        let _alone = self.alone.write().await;
        // Others may have been alone while we waited for it.
        if spent(*lock(&self.apart)) || self.is_over() {
            return;
        }
        let next = lock(&self.known).suspects.pop_front();
        if let Some(suspect) = next {
            let began = Instant::now();
            self.look_again(suspect, self.options.budget).await;
            *lock(&self.apart) += began.elapsed();
        }
    }

    /// Looks at those that are left when nothing else is played any more.
    pub(super) async fn look_at_the_rest(&self) {
        let hurry = *self.interrupted.borrow();
        let deadline = Instant::now() + if hurry { IN_A_HURRY } else { AFTERWARDS };
        let began = Instant::now();
        let gone = self.stop.borrow().is_some() && !hurry;
        while !gone && !self.has_enough() && Instant::now() < deadline {
            let Some(suspect) = lock(&self.known).suspects.pop_front() else { break };
            let time = if hurry { Duration::ZERO } else { AFTERWARDS_EACH.min(self.options.budget.time) };
            self.look_again(suspect, Budget { time, ..self.options.budget }).await;
        }
        *lock(&self.apart) += began.elapsed();
    }

    async fn look_again(&self, suspect: Suspect, budget: Budget) {
        let Suspect { number, scenario, symptom } = suspect;
        if self.is_known(&symptom) {
            return;
        }
        // A connection that broke off may be the first that is seen of a death.
        if self.player.place.is_dead() {
            self.bury().await;
            return;
        }
        let seed = self.options.seed;
        let why = format!("Found by `wsgrade fuzz` with the seed {seed}, as scenario {number}.");
        match confirm(&self.player, &scenario, seed, &why, budget).await {
            Confirmed::Shown(shown) => self.found(number, &scenario, symptom, *shown),
            Confirmed::Cured => *lock(&self.known).cured.entry(symptom).or_default() += 1,
            // Perhaps it is this one that ends the process.
            Confirmed::Lost => self.remember(number, &scenario),
        }
        self.see_that_it_serves().await;
    }

    /// Whether there is no need to look at a suspect again.
    fn is_known(&self, symptom: &Symptom) -> bool {
        let mut known = lock(&self.known);
        if let Some(index) = known.symptoms.get(symptom).copied() {
            if let Some(finding) = known.findings.get_mut(index) {
                finding.seen += 1;
            }
            return true;
        }
        // What was cured again and again is looked at ever more seldom.
        let cured = known.cured.get_mut(symptom);
        cured.is_some_and(|times| {
            let seldom = !times.is_power_of_two();
            *times += u64::from(seldom);
            seldom
        })
    }

    fn found(&self, number: u64, scenario: &Scenario, first: Symptom, shown: Shown) {
        let Shown { signature, case, plan, played, replayed } = shown;
        let symptom = signature.within(&case);
        let kind = Kind::Verdict(symptom.clone());
        let at = lock(&self.known).symptoms.get(&symptom).copied();
        if let Some(at) = at {
            // It only looked like something else.
            lock(&self.known).symptoms.insert(first, at);
            return;
        }
        let (file, replay) = self.file_of(&kind);
        let mut record = self.player.record(&plan, played, "");
        record.repeat.clone_from(&replay);
        let finding = Finding {
            kind,
            scenarios: vec![case],
            record,
            number,
            steps_found: scenario.steps.len(),
            replayed,
            seen: 1,
            file,
            replay,
        };
        let at = self.keep(finding);
        let mut known = lock(&self.known);
        known.symptoms.insert(first, at);
        known.symptoms.insert(symptom, at);
    }

    /// Where the case file of a finding goes, and the command that plays it.
    pub(super) fn file_of(&self, kind: &Kind) -> (PathBuf, String) {
        let file = self.options.findings.join(format!("found.{}.toml", kind.id()));
        let replay = self.options.replay.of(&file);
        (file, replay)
    }

    /// Writes a finding down; gives its index.
    pub(super) fn keep(&self, finding: Finding) -> usize {
        self.write_down(&finding);
        let mut known = lock(&self.known);
        known.findings.push(finding);
        known.findings.len() - 1
    }

    /// Writes its case file, and says so.
    pub(super) fn write_down(&self, finding: &Finding) {
        let origin = Origin { target: self.player.place.url(), seed: self.options.seed };
        if let Err(error) = save(finding, &origin) {
            self.tell(Told::Note(format!("cannot write {}: {error}", finding.file.display())));
        }
        let words = finding.kind.in_words();
        self.tell(Told::Found(format!("{words}: {}", finding.file.display())));
    }
}

/// Nothing panics while it holds one of these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
