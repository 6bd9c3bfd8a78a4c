//! Every selected case against one target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use wsgrade_cases::model::{Need, Scenario, Stress};
use wsgrade_reports::record::{
    Behavior, CaseRecord, CloseVerdict, Entry, Role, Severity, TargetReport, What,
};

use super::case;
use super::probe::still_there;
use super::repeat;
use super::stress;
use super::{Prepared, Run, Settings, Staying};
use crate::adapt::{Adapted, adapt};
use crate::event::RunEvent;
use crate::plan::Plan;
use crate::spawn::{Death, Process, Watched};
use crate::target::Target;

/// After so many cases in a row in which the target may have gone it is asked whether it is still there.
const WORRYING: usize = 3;
/// After so many cases of an area in a row that failed alone as they had beside others, the rest of that area is
/// believed: with a peer that answers nothing in two hundred cases, waiting for each again would take a quarter of an
/// hour.
const CONVINCING: usize = 6;
/// How many cases a sentence names.
const NAMED: usize = 8;
/// The connections of a process that dies break so much before it is seen to be dead, at most. What failed so shortly
/// before its death is not held against it.
pub(crate) const DYING: Duration = Duration::from_millis(500);

/// Plays everything and makes the target's part of the record.
pub(super) async fn play(run: &Run, prepared: &Prepared) -> TargetReport {
    let url = prepared.target.url.to_string();
    run.tell(RunEvent::TargetStarted {
        url: url.clone(),
        agent: prepared.facts.agent.clone(),
        cases: run.selected.len(),
    });
    let ready = ready(run, prepared);
    let mut progress = Progress { run, prepared, ready, records: BTreeMap::new(), stopped: None };
    progress.play_all().await;
    if progress.stopped.is_none() {
        progress.confirm_alone().await;
    }
    if progress.stopped.is_none() {
        progress.look_once_more().await;
    }
    progress.withdraw_unconfirmed();
    let Progress { records, stopped, .. } = progress;
    run.tell(RunEvent::TargetFinished { stopped: stopped.clone() });
    TargetReport {
        name: prepared.name.clone().or_else(|| prepared.facts.agent.clone()).unwrap_or_else(|| url.clone()),
        url,
        role: Role::Server,
        agent: prepared.facts.agent.clone(),
        facts: Some(prepared.facts.found.clone()),
        stopped,
        process: prepared.process.as_ref().map(|process| process.info()),
        cases: records.into_values().map(|kept| kept.record).collect(),
    }
}

struct Progress<'a> {
    run: &'a Run,
    prepared: &'a Prepared,
    /// The selection as this target can play it.
    ready: Arc<[Ready]>,
    /// By index into the selection.
    records: BTreeMap<usize, Kept>,
    /// Why nothing more is played.
    stopped: Option<String>,
}

struct Kept {
    record: CaseRecord,
    /// It failed and was not yet played again: alone, where it was played beside others.
    provisional: bool,
    /// It was played alone and the target did not survive it: nothing else can have been the reason.
    fatal: bool,
    /// When it was judged.
    at: Instant,
}

impl Kept {
    /// It went wrong so lately that a process which is dead now may have been dying then.
    fn is_suspect(&self) -> bool {
        !self.fatal && went_wrong(&self.record) && self.at.elapsed() < 2 * DYING
    }
}

impl Progress<'_> {
    /// The first pass: several cases at once, then those that measure time or press the target, while nothing else is
    /// played.
    async fn play_all(&mut self) {
        let (timed, others): (Vec<_>, Vec<_>) = (0..self.run.selected.len())
            .partition(|index| wants_to_be_alone(&self.run.selected[*index].scenario));
        for (indexes, jobs) in [(others, self.prepared.settings.jobs), (timed, 1)] {
            if self.stopped.is_none() {
                if self.run.settings.staying.fail_fast {
                    self.play_until_broken(indexes, jobs).await;
                } else {
                    self.play_at_once(indexes, jobs).await;
                }
            }
        }
    }

    /// Up to the first case that is sure to break a MUST. Where it is not confirmed it goes on with what is left.
    async fn play_until_broken(&mut self, mut left: Vec<usize>, jobs: usize) {
        while self.stopped.is_none() && !left.is_empty() {
            let before = left.len();
            self.play_at_once(left.clone(), jobs).await;
            if self.stopped.is_none() {
                self.confirm_alone().await;
                self.stop_at_the_broken();
            }
            left.retain(|index| !self.records.contains_key(index));
            if left.len() == before {
                break;
            }
        }
    }

    /// Ends the run, where that is wanted, at a case that is sure to break a MUST.
    fn stop_at_the_broken(&mut self) {
        if !self.run.settings.staying.fail_fast || self.stopped.is_some() {
            return;
        }
        let sure = |kept: &&Kept| !kept.provisional && breaks_a_must(&kept.record);
        if let Some(first) = self.records.values().filter(sure).min_by_key(|kept| kept.at) {
            let (id, all) = (first.record.id.clone(), self.run.selected.len());
            self.stopped = Some(Staying::ended_at(&id, self.played(), all));
        }
    }

    /// Until all are played or, where the first that breaks a MUST ends the run, until one may have.
    async fn play_at_once(&mut self, indexes: Vec<usize>, jobs: usize) {
        let run = self.run;
        let (results, mut finished) = mpsc::channel(jobs.max(1));
        let (stop, _) = watch::channel(false);
        let mut workers = self.start_workers(indexes, jobs, &results, &stop);
        drop(results);
        let mut interrupted = run.interrupted.clone();
        // The cases in a row in which the target may have gone.
        let mut row = Vec::new();
        loop {
            let (index, record) = tokio::select! {
                result = finished.recv() => match result {
                    Some(result) => result,
                    None => break,
                },
                () = wait_for(&mut interrupted) => {
                    self.stopped = Some(self.interruption());
                    break;
                }
            };
            if may_be_gone(&record) {
                row.push(index);
            } else {
                row.clear();
            }
            let process_died = self.prepared.process.as_ref().is_some_and(|process| process.is_dead());
            let pressed = self.run.selected[index].scenario.stress.is_some();
            let provisional =
                (jobs > 1 || pressed) && wants_confirmation(&record) || process_died && went_wrong(&record);
            if run.settings.staying.fail_fast && breaks_a_must(&record) {
                // What is under way is played to its end.
                let _ = stop.send(true);
            }
            self.keep(index, record, provisional);
            if self.process_died(Duration::ZERO).await.is_some() {
                let _ = stop.send(true);
                self.take_the_rest(&mut finished).await;
                break;
            }
            if row.len() >= WORRYING {
                if self.target_is_gone().await {
                    self.doubt(&row);
                    break;
                }
                row.clear();
            }
        }
        // Nobody listens any more when this fails: every worker is done.
        let _ = stop.send(true);
        workers.abort_all();
        while workers.join_next().await.is_some() {}
    }

    /// What was under way when the process died: among it is what it died of.
    async fn take_the_rest(&mut self, finished: &mut mpsc::Receiver<(usize, CaseRecord)>) {
        let deadline = Instant::now() + DYING;
        while let Ok(Some((index, record))) = timeout_at(deadline, finished.recv()).await {
            let provisional = went_wrong(&record);
            self.keep(index, record, provisional);
        }
        // For the sentence, which names what was under way.
        self.stopped = None;
        self.process_died(Duration::ZERO).await;
    }

    /// A process may have died of the last cases.
    async fn look_once_more(&mut self) {
        let suspect = self.records.values().any(|kept| kept.is_suspect());
        self.process_died(if suspect { DYING } else { Duration::ZERO }).await;
    }

    /// Whether the process that serves, if we know it, dies within this time; then that is why the run stops.
    async fn process_died(&mut self, patience: Duration) -> Option<()> {
        let Death { exit, output } = self.prepared.process.as_ref()?.death_within(patience).await?;
        self.records.values_mut().filter(|kept| kept.is_suspect()).for_each(|kept| kept.provisional = true);
        let output = match output.as_slice() {
            [] => "it wrote nothing".to_owned(),
            lines => format!("its last output: {}", lines.join(" | ")),
        };
        self.stopped = Some(format!(
            "the process died with {exit} after {} of {} cases{}; {output}",
            self.played(),
            self.run.selected.len(),
            self.suspects("that went wrong around then"),
        ));
        Some(())
    }

    fn start_workers(
        &self,
        indexes: Vec<usize>,
        jobs: usize,
        results: &mpsc::Sender<(usize, CaseRecord)>,
        stop: &watch::Sender<bool>,
    ) -> JoinSet<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let indexes = Arc::new(indexes);
        let mut workers = JoinSet::new();
        for _ in 0..jobs.clamp(1, indexes.len().max(1)) {
            let next = Arc::clone(&next);
            let indexes = Arc::clone(&indexes);
            let results = results.clone();
            let stop = stop.subscribe();
            let player = self.player();
            workers.spawn(async move {
                while !*stop.borrow() {
                    let Some(&index) = indexes.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let record = player.play(index).await;
                    // Before others are told to stop, this one has.
                    let is_last = player.settings.staying.fail_fast && breaks_a_must(&record);
                    if results.send((index, record)).await.is_err() || is_last {
                        break;
                    }
                }
            });
        }
        workers
    }

    /// The second pass: what failed beside others, one after another. A target that fails only under load has
    /// another fault than the case is about.
    async fn confirm_alone(&mut self) {
        let again: Vec<usize> =
            self.records.iter().filter(|(_, kept)| kept.provisional).map(|(index, _)| *index).collect();
        if again.is_empty() {
            return;
        }
        self.run.tell(RunEvent::ConfirmingAlone { cases: again.len() });
        let player = self.player();
        let mut interrupted = self.run.interrupted.clone();
        // By area, how many in a row failed alone as they did beside others.
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        for index in again {
            let alike = alike.entry(area(&self.run.selected[index].scenario)).or_default();
            if *alike >= CONVINCING {
                self.take_as_confirmed(index);
                continue;
            }
            let mut record = tokio::select! {
                record = player.play(index) => record,
                () = wait_for(&mut interrupted) => {
                    self.stopped = Some(self.interruption());
                    return;
                }
            };
            let worrying = may_be_gone(&record);
            if let Some(before) = self.records.get(&index)
                && (before.record.behavior, before.record.close) != (record.behavior, record.close)
            {
                record.when_busy = Some(before.record.behavior);
                *alike = 0;
            } else {
                *alike += 1;
            }
            if let Some(before) = self.records.get(&index) {
                repeat::add_those_before(&mut record, &before.record);
            }
            self.keep(index, record, false);
            if self.process_died(Duration::ZERO).await.is_some() {
                return;
            }
            if worrying && self.target_is_gone().await {
                return;
            }
        }
    }

    /// A case that was not played again, because those like it failed alone as well.
    fn take_as_confirmed(&mut self, index: usize) {
        if let Some(Kept { record, .. }) = self.records.remove(&index) {
            self.keep(index, record, false);
        }
    }

    fn keep(&mut self, index: usize, record: CaseRecord, provisional: bool) {
        let fatal = was_fatal(&record);
        let provisional = provisional && !fatal;
        self.run.tell(RunEvent::CaseFinished {
            id: record.id.clone(),
            title: self.run.selected[index].scenario.title.clone(),
            behavior: record.behavior,
            close: record.close,
            reason: record.findings.first().map(|finding| finding.observed.clone()),
            provisional,
        });
        self.records.insert(index, Kept { record, provisional, fatal, at: Instant::now() });
    }

    async fn target_is_gone(&mut self) -> bool {
        let Prepared { target, facts, .. } = self.prepared;
        match still_there(target, facts, &self.prepared.settings).await {
            Ok(()) => false,
            Err(reason) => {
                if self.process_died(DYING).await.is_none() {
                    self.stopped = Some(format!(
                        "the target stopped serving after {} of {} cases: {reason}{}",
                        self.played(),
                        self.run.selected.len(),
                        self.suspects("that had failed"),
                    ));
                }
                true
            }
        }
    }

    /// The cases that are in doubt, in brackets.
    fn suspects(&self, which: &str) -> String {
        let suspects: Vec<_> = self
            .records
            .values()
            .filter(|kept| kept.provisional && !had_no_connection(&kept.record))
            .map(|kept| kept.record.id.as_str())
            .collect();
        let named = suspects[..suspects.len().min(NAMED)].join(", ");
        match suspects.len().saturating_sub(NAMED) {
            _ if suspects.is_empty() => String::new(),
            0 => format!(" (cases {which}: {named})"),
            more => format!(" (cases {which}: {named} and {more} more)"),
        }
    }

    /// These were played when the target may have been gone already.
    fn doubt(&mut self, indexes: &[usize]) {
        for index in indexes {
            if let Some(kept) = self.records.get_mut(index) {
                kept.provisional = true;
            }
        }
    }

    fn interruption(&self) -> String {
        format!("interrupted after {} of {} cases", self.played(), self.run.selected.len())
    }

    /// Cases that had a connection.
    fn played(&self) -> usize {
        self.records.values().filter(|kept| !had_no_connection(&kept.record)).count()
    }

    /// What failed beside others and could not be confirmed says nothing.
    fn withdraw_unconfirmed(&mut self) {
        let Some(stopped) = &self.stopped else { return };
        for kept in self.records.values_mut().filter(|kept| kept.provisional) {
            kept.record.behavior = Behavior::Inconclusive;
            kept.record.close = CloseVerdict::Inconclusive;
            if let Some(first) = kept.record.findings.first_mut() {
                first.observed = format!("{}; could not be confirmed: {stopped}", first.observed);
            }
        }
    }

    fn player(&self) -> Player {
        Player {
            target: self.prepared.target.clone(),
            settings: self.prepared.settings.clone(),
            ready: Arc::clone(&self.ready),
            repeat: self.prepared.repeat.clone(),
            process: self.prepared.process.clone(),
            watched: self.prepared.watched,
        }
    }
}

/// What a worker needs to play cases.
struct Player {
    target: Target,
    settings: Settings,
    ready: Arc<[Ready]>,
    repeat: String,
    process: Option<Arc<Process>>,
    watched: Option<Watched>,
}

impl Player {
    async fn play(&self, index: usize) -> CaseRecord {
        match &self.ready[index] {
            Ready::Play(plan) => {
                let died = || self.process.as_ref().is_some_and(|process| process.is_dead());
                repeat::play(self.settings.staying.times, died, || self.play_once(plan)).await
            }
            Ready::Lacking(plan, lacks) => {
                let carrier = self.target.carrier();
                case::unimplemented(&plan.scenario, wsgrade_codec::Role::Server, carrier, lacks, &self.repeat)
            }
        }
    }

    async fn play_once(&self, plan: &Arc<Plan>) -> CaseRecord {
        match &plan.scenario.stress {
            None => case::play(plan, &self.target, &self.settings, &self.repeat).await,
            Some(pressure) => self.press(plan, pressure).await,
        }
    }

    async fn press(&self, plan: &Arc<Plan>, pressure: &Stress) -> CaseRecord {
        let Self { target, settings, ready: _, repeat, process, watched } = self;
        let scenario = &plan.scenario;
        match stress::forbidden(scenario, target, process.is_some(), settings.may_stress) {
            Some(why) => {
                case::unimplemented(scenario, wsgrade_codec::Role::Server, target.carrier(), why, repeat)
            }
            None => {
                let process = process.as_ref();
                let place = stress::Place { target, settings, process, watched: *watched, repeat };
                stress::play(plan, pressure, &place).await
            }
        }
    }
}

/// Whether a case says something only while no other is played.
fn wants_to_be_alone(scenario: &Scenario) -> bool {
    scenario.is_timed() || scenario.stress.is_some()
}

/// Whether the target served nobody any more once the case was over, as its canary saw.
fn was_fatal(record: &CaseRecord) -> bool {
    let served_none =
        |entry: &Entry| matches!(&entry.what, What::Canary(canary) if canary.unserved.is_some());
    record.transcript.entries.iter().any(served_none)
}

/// A case and one target.
enum Ready {
    /// It can be played.
    Play(Arc<Plan>),
    /// It cannot; why, to follow "the target".
    Lacking(Arc<Plan>, String),
}

/// The selection, fitted to a target.
fn ready(run: &Run, prepared: &Prepared) -> Arc<[Ready]> {
    let Prepared { facts, adapt: adapts, .. } = prepared;
    let prelude = &prepared.settings.prelude;
    let one = |plan: &Arc<Plan>| {
        let needs = &plan.scenario.needs;
        let has = |need: &Need| facts.offers.contains(need) || *adapts && *need == Need::Echo;
        // What asks for an echo may be judged without it.
        let need = needs.iter().find(|need| !has(need));
        if let Some(need) = need {
            return Ready::Lacking(Arc::clone(plan), lacks(*need).to_owned());
        }
        let plan = if prelude.is_empty() { Arc::clone(plan) } else { Arc::new(plan.with_prelude(prelude)) };
        match if *adapts { adapt(&plan.scenario, &facts.found) } else { Adapted::AsWritten } {
            Adapted::AsWritten => Ready::Play(plan),
            Adapted::WithoutEcho { scenario, why } => {
                Ready::Play(Arc::new(plan.without_echo(*scenario, why)))
            }
            Adapted::Unplayable(lacks) => Ready::Lacking(plan, lacks),
        }
    };
    run.selected.iter().map(one).collect()
}

/// The first part of a case's id.
fn area(scenario: &Scenario) -> String {
    scenario.id.as_str().split('.').next().unwrap_or_default().to_owned()
}

fn lacks(need: Need) -> &'static str {
    match need {
        Need::Echo => "does not send messages back",
        Need::Deflate => "does not agree to permessage-deflate",
        Need::Tls => "is not reached through TLS",
    }
}

/// On either axis.
pub(crate) fn breaks_a_must(record: &CaseRecord) -> bool {
    record.severity() == Severity::Major
}

fn wants_confirmation(record: &CaseRecord) -> bool {
    breaks_a_must(record) || record.behavior == Behavior::Inconclusive
}

fn went_wrong(record: &CaseRecord) -> bool {
    record.severity() >= Severity::Minor || record.behavior == Behavior::Inconclusive
}

/// Whether the case could not be played for want of a connection, which alone is inconclusive.
fn had_no_connection(record: &CaseRecord) -> bool {
    record.behavior == Behavior::Inconclusive
}

/// Whether what was seen may be that of a target that serves nobody any more.
fn may_be_gone(record: &CaseRecord) -> bool {
    let timed_out = |entry: &Entry| matches!(entry.what, What::TimedOut { .. });
    had_no_connection(record)
        || record.behavior == Behavior::Fail && record.transcript.entries.iter().any(timed_out)
}

/// Ends when the user wants the run to end; never, if nobody can say so any more.
pub(crate) async fn wait_for(interrupted: &mut watch::Receiver<bool>) {
    if interrupted.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
