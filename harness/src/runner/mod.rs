//! Plays a selection of cases against targets.
//!
//! ```text
//! probe ── reachable? speaks WebSocket? echoes? ──▶ adapt, play, several at once ──▶ confirm alone what failed ──▶ record
//!    └── no ──▶ one sentence                            └── target gone ──▶ one sentence, record of what ran
//! ```

mod canary;
pub(crate) mod case;
mod describe;
mod gate;
pub(crate) mod probe;
pub(crate) mod repeat;
pub(crate) mod stress;
mod target;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wsgrade_cases::model::Step;
use wsgrade_cases::{Catalogue, describe as in_words};
use wsgrade_reports::record::{CatalogueInfo, RunOptions, RunReport, SchemaVersion, TargetReport, Tool};

use crate::engine::{Limits, Witness};
use crate::event::RunEvent;
use crate::plan::{Depth, Plan};
use crate::shard::Part;
use crate::spawn::{Process, Watched};
use crate::target::Target;

pub use gate::Gate;
pub(crate) use probe::still_there;
pub use probe::{Facts, Unreachable, probe};
pub(crate) use target::{DYING, breaks_a_must, wait_for};

/// How a run is played, whatever the target.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many cases at once.
    pub jobs: usize,
    /// How long to wait and how much to take.
    pub limits: Limits,
    /// Decides every random byte.
    pub seed: u64,
    /// Played on every connection before the steps of a case.
    pub prelude: Arc<[Step]>,
    /// How deep the cases were made ready to be played.
    pub depth: Depth,
    /// How many connections a target elsewhere has to bear.
    pub gate: Gate,
    /// The user said that targets elsewhere may be stressed.
    pub may_stress: bool,
    /// How long to go on with the cases.
    pub staying: Staying,
    /// Who is told of what passes on the connections of cases, as it does.
    pub verbose: Option<mpsc::UnboundedSender<RunEvent>>,
}

/// How long a run goes on with its cases.
#[derive(Clone, Copy, Debug)]
pub struct Staying {
    /// The run is over once a case is sure to break a MUST.
    pub fail_fast: bool,
    /// How many times each case is played, one after another. A client is told of so many cases more.
    pub times: NonZeroU32,
}

impl Staying {
    /// Why a run is over that breaks off here.
    pub(crate) fn ended_at(id: &str, played: usize, of: usize) -> String {
        format!(
            "ended at the first case that breaks a MUST, as --fail-fast asks: {id}; {played} of {of} cases were played"
        )
    }
}

impl Settings {
    /// Who is told of what passes while this case is played, if anybody is.
    pub(crate) fn witness(&self, id: &str) -> Option<Witness> {
        let (events, id) = (self.verbose.clone()?, id.to_owned());
        Some(Witness::new(move |entry| {
            // Nobody watching is no reason to stop.
            let _ = events.send(RunEvent::Passed { id: id.clone(), entry: Box::new(entry.clone()) });
        }))
    }
}

impl Default for Staying {
    fn default() -> Self {
        Self { fail_fast: false, times: NonZeroU32::MIN }
    }
}

/// One run: a selection and how it is played.
pub struct Run {
    /// Every case known.
    pub catalogue: Arc<Catalogue>,
    /// Those to play, in catalogue order.
    pub selected: Vec<Arc<Plan>>,
    /// The selection that these are a part of, where they are.
    pub part: Option<Part>,
    /// How.
    pub settings: Settings,
    /// The `-c` and `-x` patterns, for the record.
    pub patterns: (Vec<String>, Vec<String>),
    /// Told what happens.
    pub events: mpsc::UnboundedSender<RunEvent>,
    /// Becomes `true` when the user wants it to end.
    pub interrupted: watch::Receiver<bool>,
}

/// A target and what is known of it before the first case.
pub struct Prepared {
    /// The target.
    pub target: Target,
    /// What the probe found.
    pub facts: Facts,
    /// How cases are played against it: as the run's, but for what is its own, such as a prelude.
    pub settings: Settings,
    /// Whether a case that asks for more than the target does is fitted to it; else it is not played.
    pub adapt: bool,
    /// What the page calls it, if the user named it.
    pub name: Option<String>,
    /// The command that repeats a case against it, up to the case's id.
    pub repeat: String,
    /// The process that serves, if we started it: asked first when the target is gone.
    pub process: Option<Arc<Process>>,
    /// The process that serves, if we may look at it.
    pub watched: Option<Watched>,
}

impl Run {
    /// Plays the selection against every target, one target after another.
    pub async fn play(&self, targets: &[Prepared]) -> RunReport {
        let started = SystemTime::now();
        let began = Instant::now();
        let mut reports: Vec<TargetReport> = Vec::new();
        for prepared in targets {
            if *self.interrupted.borrow() {
                break;
            }
            reports.push(target::play(self, prepared).await);
            let broken = |target: &TargetReport| target.cases.iter().any(target::breaks_a_must);
            if self.settings.staying.fail_fast && reports.last().is_some_and(broken) {
                break;
            }
        }
        let mut report = self.record(started, began.elapsed(), reports);
        let name = |target: &Prepared| target.name.clone().unwrap_or_else(|| target.target.url.to_string());
        let named = targets.iter().map(|target| (name(target), &target.settings.prelude));
        report.options.prelude = preludes_in_words(named);
        report
    }

    /// The record of these results.
    pub(crate) fn record(
        &self,
        started: SystemTime,
        took: Duration,
        targets: Vec<TargetReport>,
    ) -> RunReport {
        let Settings { jobs, limits, seed, prelude, depth, gate: _, may_stress: _, staying: _, verbose: _ } =
            &self.settings;
        let selection = match &self.part {
            Some(part) => &part.selection,
            None => &self.selected,
        };
        let (cases, rules) = describe::describe(&self.catalogue, selection);
        RunReport {
            schema: SchemaVersion::CURRENT,
            tool: Tool { name: "wsgrade".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            started: describe::rfc3339(started),
            duration_ms: milliseconds(took),
            seed: *seed,
            catalogue: CatalogueInfo {
                digest: self.catalogue.digest(),
                known: self.catalogue.scenarios().len(),
                selected: selection.len(),
            },
            shard: self.part.as_ref().map(|part| part.shard),
            fuzz: None,
            expectations: Vec::new(),
            options: RunOptions {
                jobs: *jobs,
                timeout_ms: whole_milliseconds(limits.answer),
                close_timeout_ms: whole_milliseconds(limits.close),
                connect_timeout_ms: whole_milliseconds(limits.opening),
                depth: depth.messages(),
                cases: self.patterns.0.clone(),
                exclude: self.patterns.1.clone(),
                prelude: prelude.iter().map(in_words::step).collect(),
            },
            rules,
            cases,
            targets,
        }
    }

    /// Tells whoever watches.
    pub(crate) fn tell(&self, event: RunEvent) {
        // Nobody watching is no reason to stop.
        let _ = self.events.send(event);
    }
}

/// What was played before every case, one line a step: with the name of the target before it where not all have the same.
pub(crate) fn preludes_in_words<'a>(targets: impl Iterator<Item = (String, &'a Arc<[Step]>)>) -> Vec<String> {
    let steps = |prelude: &Arc<[Step]>| prelude.iter().map(in_words::step).collect::<Vec<_>>();
    let all: Vec<_> = targets.map(|(name, prelude)| (name, steps(prelude))).collect();
    let Some((_, first)) = all.first() else { return Vec::new() };
    if all.iter().all(|(_, steps)| steps == first) {
        return first.clone();
    }
    all.iter().flat_map(|(name, steps)| steps.iter().map(move |step| format!("{name}: {step}"))).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
