//! What makes the second run of a day shorter than the first: `--list`, `--last-failed`, `--fail-fast`, `--repeat`; and
//! `--pcap`, for those who know Wireshark.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::sync::mpsc::UnboundedSender;
use wsgrade_cases::model::{Role, Scenario};
use wsgrade_reports::record::{self, Behavior, CaseRecord, RunReport, Severity};
use wsgrade_reports::render;

use super::exit::Failure;
use crate::event::RunEvent;
use crate::plan::Plan;
use crate::runner::{Settings, Staying};

/// Which of the selected cases, whether they are played at all, and what else is kept of them.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct DailyArgs {
    /// Print the cases that would be played, and play none
    #[arg(long)]
    list: bool,

    /// Only the cases that broke a MUST or a SHOULD or were inconclusive in the run before, by the run.json where the report goes
    #[arg(long)]
    last_failed: bool,

    /// Write what was on the wire as a capture file for Wireshark, as far as the record holds it
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

/// How long to go on with them.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct StayingArgs {
    /// End after the first case that breaks a MUST; with a server, once that is confirmed
    #[arg(long)]
    fail_fast: bool,

    /// Play each case so many times; one whose verdicts differ is marked, and the worst counts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: Option<u32>,

    /// Show what passes on the connections, as it does; easiest to read with -j 1
    #[arg(short, long)]
    verbose: bool,
}

impl DailyArgs {
    /// Whether the run before decides which cases are played.
    pub(super) fn is_narrowing(&self) -> bool {
        self.last_failed
    }

    /// What is left to play of a selection for endpoints in this role. `out` is where the report goes.
    pub(super) fn narrow(
        &self,
        selected: Vec<Arc<Scenario>>,
        role: Role,
        out: &Path,
    ) -> Result<Vec<Arc<Scenario>>, Failure> {
        if self.last_failed { narrowed(selected, role, out) } else { Ok(selected) }
    }

    /// Prints what would be played, where that is all that is asked for.
    pub(super) fn lists(&self, selected: &[Arc<Plan>]) -> bool {
        if self.list {
            let scenarios: Vec<_> = selected.iter().map(|plan| Arc::clone(&plan.scenario)).collect();
            super::print(&super::cases::lines(&scenarios));
        }
        self.list
    }

    /// Writes the capture file, where one is asked for.
    pub(super) fn capture(&self, report: &RunReport) -> Result<(), Failure> {
        let Some(path) = &self.pcap else { return Ok(()) };
        std::fs::write(path, render::pcap::render(report)).map_err(|error| {
            Failure::usage(format!("cannot write the capture file {}: {error}", path.display()))
        })
    }
}

impl StayingArgs {
    /// The settings with whoever is told of what passes, where that is asked for.
    pub(super) fn watched(self, settings: Settings, events: &UnboundedSender<RunEvent>) -> Settings {
        Settings { verbose: self.verbose.then(|| events.clone()), ..settings }
    }

    /// The settings with what was asked for here.
    pub(super) fn settings(self, settings: Settings) -> Settings {
        let times = self.repeat.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        Settings { staying: Staying { fail_fast: self.fail_fast, times }, ..settings }
    }
}

/// Those of a selection that failed in the run whose record lies in this folder.
fn narrowed(selected: Vec<Arc<Scenario>>, role: Role, out: &Path) -> Result<Vec<Arc<Scenario>>, Failure> {
    let path = out.join("run.json");
    let name = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::usage(format!(
            "there is no run before to take failures from: play without --last-failed first, with `json` among --format and the \
             same --out: {name}: {error}"
        ))
    })?;
    let before = RunReport::from_json(&text).map_err(|error| {
        Failure::usage(format!("--last-failed needs the record of the run before: {name}: {error}"))
    })?;
    let failed = failed(&before, role);
    if failed.is_empty() {
        return Err(Failure::usage(format!(
            "nothing failed in the run before, by {name}: --last-failed has nothing to play"
        )));
    }
    let chosen: Vec<_> =
        selected.into_iter().filter(|scenario| failed.contains(scenario.id.as_str())).collect();
    let left_out = failed.len() - chosen.len();
    if chosen.is_empty() {
        return Err(Failure::usage(format!(
            "no case is selected: {} in the run before, by {name}, and none of them is among those asked for",
            count(failed.len())
        )));
    }
    if left_out > 0 {
        eprintln!(
            "wsgrade: note: {} in the run before, {left_out} of them not asked for",
            count(failed.len())
        );
    }
    Ok(chosen)
}

fn count(failed: usize) -> String {
    if failed == 1 { "1 case failed".to_owned() } else { format!("{failed} cases failed") }
}

/// The ids of what went wrong with any endpoint in this role.
fn failed(before: &RunReport, role: Role) -> BTreeSet<&str> {
    let role = match role {
        Role::Server => record::Role::Server,
        Role::Client => record::Role::Client,
    };
    let records = before.targets.iter().flat_map(|target| &target.cases);
    records
        .filter(|record| record.role == role && went_wrong(record))
        .map(|record| record.id.as_str())
        .collect()
}

fn went_wrong(record: &CaseRecord) -> bool {
    let weighs = match record.severity() {
        Severity::Major | Severity::Minor => true,
        Severity::Good | Severity::Neutral => false,
    };
    weighs || record.behavior == Behavior::Inconclusive
}
