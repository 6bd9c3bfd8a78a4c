//! What the report says of a campaign.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use wsgrade_cases::Catalogue;
use wsgrade_reports::record::{
    FuzzDifference, FuzzFinding, FuzzReport, ProcessInfo, Role, RunReport, Severity, TargetFacts,
    TargetReport,
};

use super::campaign::Summary;
use super::finding::{Finding, SECTION_TITLE};
use crate::plan::Plan;
use crate::runner::{Run, Settings};

/// One target, and what a campaign against it came to.
pub struct Against<'a> {
    /// What the page calls it.
    pub name: String,
    /// Where it is, or where we met it.
    pub url: String,
    /// Its role.
    pub role: wsgrade_codec::Role,
    /// What it says it is.
    pub agent: Option<String>,
    /// What was found of it before the first scenario.
    pub facts: TargetFacts,
    /// The process that serves, if we started it.
    pub process: Option<ProcessInfo>,
    /// What it came to.
    pub summary: &'a Summary,
}

/// How a campaign was run.
pub struct How<'a> {
    /// Seed, limits and how many at once.
    pub settings: &'a Settings,
    /// Whether scenarios were made from the cases of the catalogue too.
    pub catalogue: bool,
    /// When it began.
    pub started: SystemTime,
}

/// The record of a campaign. `more` are the differences between its targets, each with the plan of its case.
pub fn report(how: &How<'_>, targets: &[Against<'_>], more: Vec<(FuzzDifference, Arc<Plan>)>) -> RunReport {
    let all = || targets.iter().flat_map(|against| &against.summary.findings);
    let mut plans: Vec<Arc<Plan>> = Vec::new();
    let scenarios = all().flat_map(|finding| &finding.scenarios);
    for plan in scenarios
        .map(|scenario| Plan::alone(scenario.as_ref().clone()))
        .chain(more.iter().map(|(_, p)| Arc::clone(p)))
    {
        if plans.iter().all(|known| known.scenario.id != plan.scenario.id) {
            plans.push(plan);
        }
    }
    let took = targets.iter().map(|against| against.summary.took).max().unwrap_or_default();
    let run = Run {
        catalogue: Arc::new(Catalogue::embedded().clone()),
        selected: plans,
        part: None,
        settings: how.settings.clone(),
        patterns: (Vec::new(), Vec::new()),
        events: mpsc::unbounded_channel().0,
        interrupted: watch::channel(false).1,
    };
    let mut report = run.record(how.started, took, targets.iter().map(Against::report).collect());
    for case in &mut report.cases {
        SECTION_TITLE.clone_into(&mut case.section_title);
    }
    let sum = |of: fn(&Summary) -> u64| targets.iter().map(|against| of(against.summary)).sum::<u64>();
    // Several targets are played the same scenarios, and go on from the same corpus.
    let most = |of: fn(&Summary) -> u64| targets.iter().map(|against| of(against.summary)).max().unwrap_or(0);
    let played: Duration = targets.iter().map(|against| against.summary.played).max().unwrap_or_default();
    report.fuzz = Some(FuzzReport {
        scenarios: most(|summary| summary.scenarios),
        per_second: (most(|summary| summary.scenarios) as f64 / played.as_secs_f64().max(0.001)).round(),
        corpus: most(|summary| summary.corpus as u64),
        behaviors: most(|summary| summary.behaviours as u64),
        jobs: how.settings.jobs,
        catalogue: how.catalogue,
        cured: sum(|summary| summary.cured),
        restarts: sum(|summary| summary.restarts),
        findings: (0..)
            .zip(targets)
            .flat_map(|(n, against)| {
                against.summary.findings.iter().map(move |finding| in_record(finding, n))
            })
            .collect(),
        differences: more.into_iter().map(|(difference, _)| difference).collect(),
    });
    report
}

impl Against<'_> {
    fn report(&self) -> TargetReport {
        TargetReport {
            name: self.name.clone(),
            url: self.url.clone(),
            role: match self.role {
                wsgrade_codec::Role::Server => Role::Server,
                wsgrade_codec::Role::Client => Role::Client,
            },
            agent: self.agent.clone(),
            facts: Some(self.facts.clone()),
            stopped: self.summary.stopped.clone(),
            process: self.process.clone(),
            cases: self.summary.findings.iter().map(|finding| finding.record.clone()).collect(),
        }
    }
}

fn in_record(finding: &Finding, target: usize) -> FuzzFinding {
    FuzzFinding {
        case: finding.id().to_owned(),
        target,
        signature: finding.kind.in_words(),
        level: match finding.kind.severity() {
            Severity::Major => "fail".to_owned(),
            Severity::Good | Severity::Neutral | Severity::Minor => "non-strict".to_owned(),
        },
        file: finding.file.display().to_string(),
        replay: finding.replay.clone(),
        replayed: finding.replayed.0,
        tries: finding.replayed.1,
        seen: finding.seen,
        scenario: finding.number,
        steps_found: finding.steps_found,
        steps: finding.steps(),
    }
}
