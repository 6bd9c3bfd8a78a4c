//! `--baseline`, `--fail-on` and `--min-grade`: what a run has to be.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wsgrade_cases::Catalogue;
use wsgrade_cases::select::Pattern;
use wsgrade_reports::compare::{Comparison, Side};
use wsgrade_reports::expect::{Date, Expectation, Matching, apply};
use wsgrade_reports::gate::{FailOn, Policy, Ruling};
use wsgrade_reports::grade::Grade;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;
use wsgrade_reports::render::html::Baseline;

use super::config::{Config, ConfigArgs, Stale};
use super::exit::{Exit, Failure};
use super::outputs::Formats;
use super::propose;

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

    /// Add to wsgrade.toml an entry for each deviation that is not expected and that the gate does not take, without its reason:
    /// that is yours to write, and the file is refused without it
    #[arg(long, conflicts_with = "no_config")]
    update_expectations: bool,
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
#[derive(Debug)]
pub(super) struct Gate {
    policy: Policy,
    /// What to compare with, and what it is called.
    baseline: Option<(Side, String)>,
    /// Known deviations, where there is a file that may say some; what a record says of itself stands otherwise.
    expectations: Option<Vec<Expectation>>,
    /// The ids of all cases.
    known: Vec<String>,
    /// Where to propose expectations, if that is asked for.
    proposals: Option<PathBuf>,
}

/// What a gate says of a run.
struct Passed {
    /// The comparison, where there is one, and the ruling with its reasons.
    text: String,
    /// How the program ends.
    exit: Exit,
    /// What the page shows of the comparison.
    baseline: Option<Baseline>,
}

impl GateArgs {
    /// Reads what is to be compared with: what is wrong with it shall not be told after a run of minutes.
    pub(super) fn ready(
        &self,
        files: &ConfigArgs,
        config: Option<&Config>,
        catalogue: &Catalogue,
    ) -> Result<Gate, Failure> {
        let file = config.map(|config| &config.gate);
        let fail_on = self.fail_on.or(file.and_then(|gate| gate.fail_on)).unwrap_or_default();
        let baseline = self.baseline.as_ref().or(file.and_then(|gate| gate.baseline.as_ref()));
        if fail_on == FailOn::Regression && baseline.is_none() {
            return Err(Failure::usage(
                "--fail-on regression wants something to compare with: give --baseline FILE, or `baseline` under [gate] \
                 of wsgrade.toml; `wsgrade report baseline` writes one",
            ));
        }
        let named = |path: &PathBuf| Ok((side(path)?, path.display().to_string()));
        let policy = Policy {
            fail_on,
            min_grade: self.min_grade.or(file.and_then(|gate| gate.min_grade)),
            true_expectations: file.is_none_or(|gate| gate.stale == Stale::Fail),
        };
        Ok(Gate {
            policy,
            baseline: baseline.map(named).transpose()?,
            expectations: config.map(|config| config.expectations.clone()),
            known: catalogue.scenarios().iter().map(|scenario| scenario.id.to_string()).collect(),
            proposals: self.update_expectations.then(|| files.path()),
        })
    }
}

impl Gate {
    /// Writes into a record which of its deviations are expected.
    pub(super) fn expect(&self, report: &mut RunReport) {
        let Some(expectations) = &self.expectations else { return };
        let known: Vec<_> = self.known.iter().map(String::as_str).collect();
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        apply(report, expectations, today(), &Matching { matches: &matches, known: &known });
    }

    /// Writes the report, prints the result and says whether it passes.
    pub(super) fn finish(
        &self,
        report: &mut RunReport,
        out: &Path,
        formats: &Formats,
    ) -> Result<Exit, Failure> {
        self.expect(report);
        let passed = self.pass(report);
        let result = format!("{}\n{}", render::summary(report), passed.text);
        formats.finish(report, passed.baseline.as_ref(), out, &result)?;
        if let Some(path) = &self.proposals {
            super::print(&propose::write(report, self.policy.fail_on, path)?);
        }
        Ok(passed.exit)
    }

    fn pass(&self, report: &RunReport) -> Passed {
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

/// The day it is, in UTC.
pub(super) fn today() -> Date {
    let text = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let day = text.get(..10).and_then(|day| day.parse().ok());
    day.expect("RFC 3339 begins with a day, which is one")
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
