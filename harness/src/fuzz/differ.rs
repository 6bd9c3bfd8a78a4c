//! The same scenario against several targets: where they differ, and who is right.
//!
//! ```text
//! worker ─ scenario ─ each target ─┬─ alike ─▶ board
//!                                  └─ unlike ─▶ one for each way to differ ─ when the time is over: again, alone, shrunk
//! ```
//!
//! What is wrong with one target by itself is a finding of that target, and looked at again as in any other campaign.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::write;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{
    Behavior, CaseRecord, CloseVerdict, Direction, FuzzDifference, Severity, Transcript, What,
};

use super::board::{Board, Turn};
use super::campaign::{Campaign, Options, Progress, Summary, Told};
use super::confirm::Budget;
use super::corpus::Corpus;
use super::finding::{SECTION, SECTION_TITLE, one_line};
use super::player::{Played, Player};
use super::schedule::{Schedule, mix};
use crate::behaviour::End;
use crate::plan::Plan;
use crate::shrink::Shrinker;
use crate::signature::{Signature, hashed};

/// How often a difference is looked at again.
const TRIES: u32 = 3;
/// How many ways to differ are kept.
const MOST: usize = 100;
/// How long they are looked at again when the time is over, all of them and each.
const AFTERWARDS: Duration = Duration::from_secs(60);
const EACH: Duration = Duration::from_secs(3);
/// So many scenarios in a row without an answer end it, if the target does not serve.
const WORRYING: u32 = 3;

/// One of the targets.
pub struct Side {
    /// What it is called.
    pub name: String,
    /// Plays against it.
    pub player: Player,
    /// How its own findings are written down.
    pub options: Options,
}

/// Where the targets differ.
pub struct Difference {
    /// What the report says of it.
    pub told: FuzzDifference,
    /// How much it weighs: as the heaviest of what is wrong.
    pub severity: Severity,
    /// Its case.
    pub plan: Arc<Plan>,
    /// How each target did.
    pub records: Vec<CaseRecord>,
}

/// What it came to.
pub struct Compared {
    /// Target by target; the number of scenarios is the same for all.
    pub summaries: Vec<Summary>,
    /// In the order they were found, those that are not lawful first.
    pub differences: Vec<Difference>,
}

/// What a target did, so far that two can be said to do the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Did {
    wrong: Option<Signature>,
    behavior: Behavior,
    close: CloseVerdict,
    code: Option<u16>,
    /// Whether there was a connection, and how it ended.
    opened: bool,
    end: End,
}

/// The same scenario, as each target was seen to take it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    did: Vec<Did>,
    /// Whether all that sets them apart is how their answers are made.
    answers: bool,
}

/// The number of a scenario, the scenario, and how the targets took it.
type Unlike = (u64, Arc<Scenario>, Way);

/// A campaign against several targets.
pub struct Differ {
    sides: Vec<Side>,
    schedule: Schedule,
    board: Board,
    ways: Mutex<(HashSet<Way>, Vec<Unlike>)>,
    /// Each target's own campaign, which plays nothing by itself.
    finders: Vec<Campaign>,
    interrupted: watch::Receiver<bool>,
    tell: mpsc::UnboundedSender<Told>,
    began: Instant,
}

impl Differ {
    /// Against these targets, in their order.
    pub fn new(
        sides: Vec<Side>,
        schedule: Schedule,
        corpus: Corpus,
        tell: mpsc::UnboundedSender<Told>,
        interrupted: watch::Receiver<bool>,
    ) -> Self {
        let finder = |side: &Side| {
            let (options, player) = (side.options.clone(), side.player.clone());
            let (tell, interrupted) = (tell.clone(), interrupted.clone());
            Campaign::new(options, schedule.clone(), player, Corpus::default(), tell, interrupted)
        };
        let finders = sides.iter().map(finder).collect();
        let runs = sides.first().and_then(|side| side.options.runs);
        let board = Board::new(corpus, runs);
        Self {
            sides,
            schedule,
            board,
            ways: Mutex::default(),
            finders,
            interrupted,
            tell,
            began: Instant::now(),
        }
    }

    /// Plays until the budget is spent, the user wants it to end or a target is gone.
    pub async fn run(self) -> Compared {
        let differ = Arc::new(self);
        let jobs = differ.sides.first().map_or(1, |side| side.options.jobs.max(1));
        let mut workers = JoinSet::new();
        for _ in 0..jobs {
            let differ = Arc::clone(&differ);
            workers.spawn(async move { differ.work().await });
        }
        while workers.join_next().await.is_some() {}
        drop(workers);
        let played = differ.began.elapsed();
        let mut summaries = Vec::new();
        for finder in &differ.finders {
            finder.look_at_the_rest().await;
            let mut summary = finder.summary(differ.began);
            (summary.scenarios, summary.played) = (differ.board.played(), played);
            summaries.push(summary);
        }
        let differences = differ.look_again().await;
        // They have the corpus in common.
        let (corpus, behaviours, trail) = differ.board.finish();
        for summary in &mut summaries {
            (summary.corpus, summary.behaviours, summary.trail) = (corpus, behaviours, trail);
        }
        Compared { summaries, differences }
    }

    fn is_over(&self) -> bool {
        let time = self.sides.first().and_then(|side| side.options.time);
        time.is_some_and(|time| self.began.elapsed() >= time)
            || *self.interrupted.borrow()
            || self.finders.iter().any(Campaign::is_over)
    }

    async fn work(&self) {
        let mut row = 0;
        while !self.is_over() {
            let Some(Turn { number, corpus }) = self.board.take().await else { break };
            let scenario = Arc::new(self.schedule.scenario(number, &corpus));
            self.finders.iter().for_each(|finder| finder.remember(number, &scenario));
            let Some((way, all)) = self.play(&scenario, number).await else {
                self.board.pass(number);
                row += 1;
                if row >= WORRYING {
                    row = 0;
                    self.see_that_all_serve().await;
                }
                continue;
            };
            row = 0;
            let key = all.iter().fold(0, |key, played: &Played| mix(key, played.behaviour.key()));
            self.board.put(number, key, &scenario);
            for (finder, played) in self.finders.iter().zip(&all) {
                if let Some(signature) = &played.signature {
                    finder.suspect_this(number, &scenario, signature);
                }
            }
            if way.differs() {
                let mut ways = lock(&self.ways);
                if ways.1.len() < MOST && ways.0.insert(way.clone()) {
                    ways.1.push((number, scenario, way));
                }
            }
            if number % 1000 == 0 {
                let scenarios = self.board.played();
                let per_second = scenarios as f64 / self.began.elapsed().as_secs_f64().max(0.001);
                let findings = lock(&self.ways).1.len();
                let corpus = self.board.corpus_len();
                // Nobody watching is no reason to stop.
                let _ = self.tell.send(Told::Progress(Progress { scenarios, per_second, corpus, findings }));
            }
        }
        self.board.close();
    }

    async fn see_that_all_serve(&self) {
        for (side, finder) in self.sides.iter().zip(&self.finders) {
            if let Err(reason) = side.player.place.serves().await {
                finder.lost(&reason);
            }
        }
    }

    /// Plays it against each target, at the same time. `None` where it cannot be against all of them.
    async fn play(&self, scenario: &Arc<Scenario>, seed: u64) -> Option<(Way, Vec<Played>)> {
        self.play_with(scenario, |player, plan| async move { player.play(&plan, &player.quick, seed).await })
            .await
    }

    async fn play_with<'a, F: Future<Output = Played>>(
        &'a self,
        scenario: &Arc<Scenario>,
        play: impl Fn(&'a Player, Arc<Plan>) -> F,
    ) -> Option<(Way, Vec<Played>)> {
        let mut all = Vec::new();
        for side in &self.sides {
            let plan = side.player.fit(scenario)?;
            let played = play(&side.player, Arc::clone(&plan)).await;
            if played.trouble(&plan).is_some() {
                return None;
            }
            all.push(played);
        }
        let did = |played: &Played| Did {
            wrong: played.signature.clone(),
            behavior: played.judgement.behavior,
            close: played.judgement.close,
            code: played.judgement.close_code,
            opened: played.behaviour.opened(),
            end: coarse(played.behaviour.end),
        };
        let did: Vec<_> = all.iter().map(did).collect();
        let alike = did.windows(2).all(|pair| pair[0] == pair[1]);
        let answers = alike && all.windows(2).any(|pair| pair[0].behaviour != pair[1].behaviour);
        Some((Way { did, answers }, all))
    }

    /// Confirms the differences, and makes their scenarios simpler. Nothing else is played any more.
    async fn look_again(&self) -> Vec<Difference> {
        let found = std::mem::take(&mut lock(&self.ways).1);
        let deadline = Instant::now() + AFTERWARDS;
        let mut known = HashSet::new();
        let mut differences = Vec::new();
        for (number, scenario, way) in found {
            let spent = Instant::now() >= deadline || *self.interrupted.borrow();
            let budget = if spent { Duration::ZERO } else { EACH };
            if let Some((way, difference)) = self.confirm(number, &scenario, &way, budget).await
                && known.insert(way)
            {
                differences.push(difference);
            }
        }
        differences.sort_by_key(|difference| difference.told.lawful);
        differences
    }

    async fn confirm(
        &self,
        number: u64,
        scenario: &Arc<Scenario>,
        way: &Way,
        time: Duration,
    ) -> Option<(Way, Difference)> {
        let first = self.sides.first()?;
        let seed = first.options.seed;
        // With patience: what was late is no difference.
        let again = async |scenario: &Arc<Scenario>| {
            self.play_with(scenario, |player, plan| async move {
                player.play_as_case(&plan, &player.patient, seed).await
            })
            .await
        };
        let (seen, _) = again(scenario).await?;
        if seen != *way {
            return None;
        }
        let deadline = Instant::now() + time;
        let mut shrinker = Shrinker::new(scenario.as_ref().clone(), first.player.place.role());
        for _ in 0..Budget::default().plays {
            if Instant::now() >= deadline {
                break;
            }
            let Some(candidate) = shrinker.next() else { break };
            let candidate = Arc::new(candidate);
            let same = async || self.play(&candidate, seed).await.is_some_and(|(seen, _)| seen == *way);
            if same().await && same().await {
                shrinker.keep();
            }
        }
        let case = Arc::new(self.named(way, shrinker.best(), seed, number));
        let (mut times, mut last) = (0, None);
        for _ in 0..TRIES {
            if let Some((seen, all)) = again(&case).await
                && seen == *way
            {
                times += 1;
                last = Some(all);
            }
        }
        Some((way.clone(), self.told(way, &case, last?, times)?))
    }

    fn named(&self, way: &Way, scenario: &Scenario, seed: u64, number: u64) -> Scenario {
        let id = format!("{SECTION}.d{}", hashed(&format!("{way:?}")));
        Scenario {
            // A hash is letters and digits.
            id: id.parse().unwrap_or_else(|_| scenario.id.clone()),
            title: "Targets differ".to_owned(),
            why: format!(
                "{} Found by `wsgrade fuzz` with the seed {seed}, as scenario {number}.",
                way.verdict(&self.names())
            ),
            ..scenario.clone()
        }
    }

    fn names(&self) -> Vec<&str> {
        self.sides.iter().map(|side| side.name.as_str()).collect()
    }

    fn told(&self, way: &Way, case: &Arc<Scenario>, all: Vec<Played>, times: u32) -> Option<Difference> {
        let guilty = way.did.iter().position(|did| did.wrong.is_some()).unwrap_or(0);
        let options = &self.sides.get(guilty)?.options;
        let file: PathBuf = options.findings.join(format!("{}.toml", case.id));
        let replay = options.replay.of(&file);
        let seen: Vec<_> = self
            .sides
            .iter()
            .zip(&way.did)
            .zip(&all)
            .map(|((side, did), played)| {
                format!("{}: {}; {}", side.name, did.in_words(), in_words(&played.transcript))
            })
            .collect();
        let told = FuzzDifference {
            case: case.id.to_string(),
            verdict: way.verdict(&self.names()),
            lawful: way.is_lawful(),
            seen,
            file: file.display().to_string(),
            replay,
            replayed: times,
            tries: TRIES,
        };
        let lines = std::iter::once(&told.verdict).chain(&told.seen).chain(std::iter::once(&told.replay));
        let comment: String = lines.map(|line| format!("# {}\n", one_line(line))).collect();
        let text =
            format!("{comment}\n{}\n{}", write::section(SECTION, SECTION_TITLE), write::scenario(case));
        let written = std::fs::create_dir_all(&options.findings).and_then(|()| std::fs::write(&file, text));
        if let Err(error) = written {
            // Nobody watching is no reason to stop.
            let _ = self.tell.send(Told::Note(format!("cannot write {}: {error}", file.display())));
        }
        let mut records = Vec::new();
        for (side, played) in self.sides.iter().zip(all) {
            let plan = side.player.fit(case)?;
            let mut record = side.player.record(&plan, played, "");
            record.repeat.clone_from(&side.options.replay.of(&file));
            records.push(record);
        }
        Some(Difference { told, severity: way.severity(), plan: Plan::alone(case.as_ref().clone()), records })
    }
}

impl Did {
    fn in_words(&self) -> String {
        match &self.wrong {
            Some(signature) => format!("wrong ({signature})"),
            None => format!("right ({}, close {})", self.behavior, self.close),
        }
    }
}

impl Way {
    fn differs(&self) -> bool {
        self.answers || self.did.windows(2).any(|pair| pair[0] != pair[1])
    }

    fn is_lawful(&self) -> bool {
        self.did.iter().all(|did| did.wrong.is_none())
    }

    fn severity(&self) -> Severity {
        let of = |did: &Did| did.behavior.severity().max(did.close.severity());
        let wrong = self.did.iter().filter(|did| did.wrong.is_some());
        wrong.map(of).max().unwrap_or(Severity::Neutral)
    }

    /// Who is right.
    fn verdict(&self, names: &[&str]) -> String {
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for (did, name) in self.did.iter().zip(names) {
            match &did.wrong {
                None => right.push((*name).to_owned()),
                Some(signature) => wrong.push(format!("{name} breaks a rule ({signature})")),
            }
        }
        match (right.is_empty(), wrong.is_empty()) {
            (_, true) if self.answers => {
                "All are right: they only make their answers in other ways.".to_owned()
            }
            (_, true) => "All are right: the RFCs leave it open.".to_owned(),
            (true, _) => format!("None is right: {}.", wrong.join(", ")),
            (false, false) => format!("Right: {}. {}.", right.join(", "), wrong.join(", ")),
        }
    }
}

/// By whose doing a connection ended, and no more: in which of two like ways is often a race.
fn coarse(end: End) -> End {
    match end {
        End::Answered | End::Closed => End::Closed,
        End::Dropped | End::Reset => End::Dropped,
        End::Unanswered | End::Nobody => end,
    }
}

/// What the peer did, in a line.
pub(super) fn in_words(transcript: &Transcript) -> String {
    let mut words: Vec<(String, u32)> = Vec::new();
    let entries = transcript.entries.iter().filter(|entry| !entry.prelude);
    for word in entries.filter_map(|entry| told(&entry.what)) {
        match words.last_mut() {
            Some((last, times)) if *last == word => *times += 1,
            Some(_) | None => words.push((word, 1)),
        }
    }
    let word = |(word, times): (String, u32)| if times == 1 { word } else { format!("{times} × {word}") };
    words.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// For a person, where the peer did anything.
fn told(what: &What) -> Option<String> {
    Some(match what {
        What::Frame { dir: Direction::Received, frame } => {
            match (Opcode::new(frame.opcode), frame.close_code) {
                (Some(Opcode::CLOSE), Some(code)) => format!("Close {code}"),
                (Some(Opcode::CLOSE), None) => "Close".to_owned(),
                (Some(opcode), _) => {
                    let fin = if frame.fin { "" } else { " without FIN" };
                    format!("{opcode}{fin} of {} bytes", frame.declared)
                }
                (None, _) => return None,
            }
        }
        What::OpeningFailed { reason, .. } => format!("no connection ({reason})"),
        What::Declined { extension } => format!("declined {extension}"),
        What::TimedOut { waited_for } => format!("kept us waiting for {waited_for}"),
        What::EndOfStream => "ended TCP".to_owned(),
        What::Reset => "reset TCP".to_owned(),
        What::Frame { .. }
        | What::Opened { .. }
        | What::Message { .. }
        | What::Violation { .. }
        | What::Closed { .. }
        | What::StillOpen { .. }
        | What::Connected
        | What::Http { .. }
        | What::Bytes { .. }
        | What::Exchanged { .. }
        | What::Trouble { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::Folded { .. } => return None,
    })
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
