//! `junit.xml`: for CI services.
//!
//! One suite for each target, one test case for each record. What broke a MUST, by behaviour or by how the
//! connection ended, is a failure; what broke a SHOULD passes with a note; inconclusive is an error,
//! unimplemented is skipped. A target against which nothing was played, or whose run was stopped, has an error
//! of its own: no gate passes on an empty file.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::text::{clipped, prose, visible};
use super::{File, words};
use crate::grade::{Blame, TargetGrade, Weight};
use crate::record::{Behavior, CaseInfo, CaseRecord, RunReport, TargetReport};

/// The longest text of the network that one place of the file quotes, in characters.
const QUOTE: usize = 2000;

/// The run as JUnit has it.
pub fn render(report: &RunReport) -> Vec<File> {
    let mut junit = Report::new(visible(&report.tool.name));
    junit.timestamp = report.started.parse().ok();
    junit.set_time(duration(report.duration_ms));
    for target in &report.targets {
        junit.add_test_suite(suite(report, target));
    }
    if report.targets.is_empty() {
        let mut suite = TestSuite::new(visible(&report.tool.name));
        suite.add_test_case(error("run", "empty-run", "the run had no target"));
        junit.add_test_suite(suite);
    }
    let contents = junit.to_string().expect("writing to memory never fails");
    vec![File { name: "junit.xml".to_owned(), contents }]
}

fn suite(report: &RunReport, target: &TargetReport) -> TestSuite {
    let mut suite = TestSuite::new(visible(&target.name));
    suite.set_time(duration(target.cases.iter().map(|record| record.duration_ms).sum()));
    let grade = match TargetGrade::of(report, target).grade {
        Ok(grade) => grade.to_string(),
        Err(none) => format!("none: {none}"),
    };
    for (name, value) in [
        ("url", target.url.as_str()),
        ("role", &target.role.to_string()),
        ("agent", target.agent.as_deref().unwrap_or("")),
        ("grade", grade.as_str()),
        ("facts", &target.facts.as_ref().map_or_else(String::new, words::facts)),
        ("seed", &report.seed.to_string()),
        ("catalogue", &report.catalogue.digest),
    ] {
        if !value.is_empty() {
            suite.add_property(Property::new(name, clipped(value, QUOTE)));
        }
    }
    let infos: HashMap<&str, &CaseInfo> = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
    let carriers: BTreeSet<&str> = target.cases.iter().map(|record| record.carrier.as_str()).collect();
    for record in &target.cases {
        let info = infos.get(record.id.as_str()).copied();
        let mut test = case(info, record);
        let section = info.map_or_else(|| record.id.as_str(), |info| info.section.as_str());
        test.set_classname(format!("wsgrade.{}.{}", word(&target.name), visible(section)));
        if carriers.len() > 1 {
            test.name = format!("{} ({})", test.name.as_str(), visible(&record.carrier)).into();
        }
        suite.add_test_case(test);
    }
    if let Some(reason) = &target.stopped {
        suite.add_test_case(error("run", "stopped", &clipped(reason, QUOTE)));
    } else if target.cases.is_empty()
        && let Some(fuzz) = &report.fuzz
        && fuzz.scenarios > 0
    {
        let name = format!("{} scenarios that nobody wrote", fuzz.scenarios);
        let mut test = TestCase::new(name, TestCaseStatus::success());
        test.set_classname(format!("wsgrade.{}.found", word(&target.name)));
        suite.add_test_case(test);
    } else if target.cases.is_empty() {
        suite.add_test_case(error("run", "empty-run", "no case was played against this target"));
    }
    suite
}

fn case(info: Option<&CaseInfo>, record: &CaseRecord) -> TestCase {
    let title = info.map_or_else(String::new, |info| prose(&info.title));
    let name = format!("{} {title}", visible(&record.id));
    let (kind, passes) = match (record.behavior, Weight::of(record)) {
        (Behavior::Inconclusive, _) => (Some(NonSuccessKind::Error), false),
        (_, Weight::Major) => (Some(NonSuccessKind::Failure), false),
        (Behavior::Unimplemented, _) => (None, false),
        (Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail, _) => (None, true),
    };
    let mut test = if passes {
        let mut test = TestCase::new(name.trim_end(), TestCaseStatus::success());
        if record.behavior != Behavior::Pass || Weight::of(record) != Weight::Good || record.adapted.is_some()
        {
            test.set_system_out(account(record));
        }
        test
    } else {
        let mut status = kind.map_or_else(TestCaseStatus::skipped, TestCaseStatus::non_success);
        let rules = info.map_or(&[][..], |info| &info.rules);
        status.set_type(visible(&Blame::of(record, rules).to_string()));
        status.set_message(message(record));
        status.set_description(account(record));
        TestCase::new(name.trim_end(), status)
    };
    test.set_time(duration(record.duration_ms));
    test
}

/// One sentence: the first finding, else what the verdict says.
fn message(record: &CaseRecord) -> String {
    match record.findings.first() {
        Some(finding) => {
            format!(
                "expected {}; saw {}",
                clipped(&finding.expected, QUOTE),
                clipped(&finding.observed, QUOTE)
            )
        }
        None if record.behavior.severity() >= record.close.severity() => {
            words::behavior(record.behavior).to_owned()
        }
        None => words::close(record.close).to_owned(),
    }
}

/// All there is to say, and how to see it again.
fn account(record: &CaseRecord) -> String {
    let mut out =
        format!("behavior: {}\nclose: {} ({})\n", record.behavior, record.close, words::close(record.close));
    for finding in &record.findings {
        out += &format!(
            "rule: {}\n  expected: {}\n  observed: {}\n",
            visible(&finding.rule),
            clipped(&finding.expected, QUOTE),
            clipped(&finding.observed, QUOTE)
        );
    }
    if let Some(adapted) = &record.adapted {
        out += &format!("adapted: {}\n", clipped(adapted, QUOTE));
    }
    if let Some(busy) = record.when_busy {
        out += &format!("while other cases were running: {busy}\n");
    }
    out += &format!("repeat: {}\n", clipped(&record.repeat, QUOTE));
    out
}

fn error(name: &str, kind: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(message);
    let mut test = TestCase::new(name, status);
    test.set_classname("wsgrade.run");
    test
}

/// A part of a class name: a dot would be a level of its own.
fn word(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '-' {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}

/// What is no duration counts as none.
fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
