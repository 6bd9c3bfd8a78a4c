//! `--baseline`, `--fail-on` and `--min-grade`: what a run has to be.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wsgrade_reports::compare::{Comparison, Side};
use wsgrade_reports::gate::{FailOn, Policy, Ruling};
use wsgrade_reports::grade::Grade;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;
use wsgrade_reports::render::html::Baseline;

use super::exit::{Exit, Failure};

/// What a run has to be to pass.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct GateArgs {
    /// Compare with this earlier run: a baseline, a run.json, or an index.json of Autobahn|Testsuite
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// What makes the exit code 1: a broken MUST, also a broken SHOULD, or only what is worse than in the baseline
    /// [default: fail]
    #[arg(long, value_name = "WHAT", value_parser = fail_on())]
    fail_on: Option<FailOn>,

    /// The worst grade that passes
    #[arg(long, value_name = "GRADE", value_parser = grade())]
    min_grade: Option<Grade>,
}

fn fail_on() -> impl TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(FailOn::ALL.map(FailOn::as_str))
        .try_map(|word| FailOn::from_word(&word).ok_or("no such thing"))
}

fn grade() -> impl TypedValueParser<Value = Grade> {
    PossibleValuesParser::new(Grade::ALL.map(Grade::as_str))
        .try_map(|word| Grade::from_word(&word).ok_or("no such grade"))
}

/// The gate of a run, with what it needs at hand before the run begins.
#[derive(Debug, Default)]
pub(super) struct Gate {
    policy: Policy,
    /// What to compare with, and what it is called.
    baseline: Option<(Side, String)>,
}

/// What a gate says of a run.
pub(super) struct Passed {
    /// The comparison, where there is one, and the ruling with its reasons.
    pub(super) text: String,
    /// How the program ends.
    pub(super) exit: Exit,
    /// What the page shows of the comparison.
    pub(super) baseline: Option<Baseline>,
}

impl GateArgs {
    /// Reads what is to be compared with: what is wrong with it shall not be told after a run of minutes.
    pub(super) fn ready(&self) -> Result<Gate, Failure> {
        let fail_on = self.fail_on.unwrap_or_default();
        if fail_on == FailOn::Regression && self.baseline.is_none() {
            return Err(Failure::usage(
                "--fail-on regression wants something to compare with: give --baseline FILE, \
                 which `wsgrade report baseline` writes",
            ));
        }
        let named = |path: &PathBuf| Ok((side(path)?, path.display().to_string()));
        let baseline = self.baseline.as_ref().map(named).transpose()?;
        Ok(Gate { policy: Policy { fail_on, min_grade: self.min_grade, ..Policy::default() }, baseline })
    }
}

impl Gate {
    /// What it says of a run.
    pub(super) fn pass(&self, report: &RunReport) -> Passed {
        let compare =
            |(baseline, name): &(Side, String)| (Comparison::of(baseline, &Side::from(report)), name.clone());
        let (comparison, name) = self.baseline.as_ref().map(compare).unzip();
        let ruling = Ruling::of(report, &self.policy, comparison.as_ref());
        let mut text = String::new();
        if let Some(comparison) = &comparison {
            text += "Compared with the baseline\n\n";
            text += &render::comparison::text(comparison, Some(report));
            text.push('\n');
        }
        text += &format!("{ruling}\n");
        let page = |(comparison, name): (&Comparison, String)| Baseline::of(&name, comparison, report);
        let baseline = comparison.as_ref().zip(name).map(page);
        Passed { text, exit: Exit::from(ruling.outcome), baseline }
    }
}

/// One side of a comparison, from a file of any kind.
pub(super) fn side(path: &Path) -> Result<Side, Failure> {
    Ok(side_and_report(path)?.0)
}

/// The same, and the whole record where it is one.
pub(super) fn side_and_report(path: &Path) -> Result<(Side, Option<RunReport>), Failure> {
    let name = path.display().to_string();
    let text = read(path)?;
    // What is no record fails at its first bytes; what is one shall not be read twice.
    match RunReport::from_json(&text) {
        Ok(report) => Ok((Side::from(&report), Some(report))),
        Err(_) => Ok((Side::read(&name, &text).map_err(Failure::usage)?, None)),
    }
}

/// The record of a run.
pub(super) fn record(path: &Path) -> Result<RunReport, Failure> {
    RunReport::from_json(&read(path)?).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
