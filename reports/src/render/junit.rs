//! `junit.xml`: for CI services.
//!
//! One suite for each target, one test case for each record. What broke a MUST, by behaviour or by how the
//! connection ended, is a failure; what broke a SHOULD passes with a note; inconclusive is an error,
//! unimplemented is skipped, and so is a deviation that was expected, with its reason: as an expected failure is elsewhere.
//! An expectation that is not true is a failure of its own. A target against which nothing was played, or whose run was stopped, has an error
//! of its own: no gate passes on an empty file.
//!
//! There is no one standard. What is written here is what `junit-10.xsd` of Jenkins' xUnit plugin allows, and what GitLab
//! reads: it knows a test by class name and name, so no two of a file share both, and they are the same in every run.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::issue::{Complaint, complaints};
use super::names::Names;
use super::text::{clipped, prose, visible};
use super::{File, words};
use crate::grade::{Blame, TargetGrade, Weight};
use crate::record::{Behavior, CaseInfo, CaseRecord, ExpectationRecord, RunReport, Severity, TargetReport};

/// The longest text of the network that one place of the file quotes, in characters.
const QUOTE: usize = 2000;

/// The run as JUnit has it.
pub fn render(report: &RunReport) -> Vec<File> {
    let mut junit = Report::new(visible(&report.tool.name));
    junit.set_time(duration(report.duration_ms));
    let names = Names::of(report);
    let complaints = complaints(report);
    for (at, target) in report.targets.iter().enumerate() {
        let mut suite = suite(report, target, names.label(at), names.word(at));
        // Where there is but one, whatever is not true is not true of it.
        if report.targets.len() == 1 {
            let class = format!("wsgrade.{}.run", names.word(at));
            suite.add_test_cases(complaints.iter().map(|complaint| untrue(&class, complaint)));
        }
        junit.add_test_suite(suite);
    }
    if report.targets.is_empty() || report.targets.len() > 1 && !complaints.is_empty() {
        let mut suite = TestSuite::new(visible(&report.tool.name));
        if report.targets.is_empty() {
            suite.add_test_case(error("wsgrade.run", "empty-run", "the run had no target"));
        }
        suite.add_test_cases(complaints.iter().map(|complaint| untrue("wsgrade.run", complaint)));
        junit.add_test_suite(suite);
    }
    let contents = lawful(junit.to_string().expect("writing to memory never fails"));
    vec![File { name: "junit.xml".to_owned(), contents }]
}

/// Without what the schema does not allow the root to have: how many tests are skipped, which each suite says.
fn lawful(xml: String) -> String {
    let root = xml.find("<testsuites ").unwrap_or(0);
    let end = xml[root..].find('>').map_or(xml.len(), |at| root + at);
    match xml[root..end].split_once(" skipped=\"") {
        Some((before, after)) => {
            let after = after.split_once('"').map_or("", |(_, after)| after);
            format!("{}{before}{after}{}", &xml[..root], &xml[end..])
        }
        None => xml,
    }
}

fn suite(report: &RunReport, target: &TargetReport, label: &str, word: &str) -> TestSuite {
    let mut suite = TestSuite::new(label);
    // The root may have none, by the schema.
    suite.timestamp = report.started.parse().ok();
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
        let mut test = case(report, info, record);
        let section = info.map_or_else(|| record.id.as_str(), |info| info.section.as_str());
        test.set_classname(format!("wsgrade.{word}.{}", visible(section)));
        if carriers.len() > 1 {
            test.name = format!("{} ({})", test.name.as_str(), visible(&record.carrier)).into();
        }
        suite.add_test_case(test);
    }
    if let Some(reason) = &target.stopped {
        suite.add_test_case(error(&format!("wsgrade.{word}.run"), "stopped", &clipped(reason, QUOTE)));
    } else if target.cases.is_empty()
        && let Some(fuzz) = &report.fuzz
        && fuzz.scenarios > 0
    {
        let name = format!("{} scenarios that nobody wrote", fuzz.scenarios);
        let mut test = TestCase::new(name, TestCaseStatus::success());
        test.set_classname(format!("wsgrade.{word}.found"));
        suite.add_test_case(test);
    } else if target.cases.is_empty() {
        suite.add_test_case(error(
            &format!("wsgrade.{word}.run"),
            "empty-run",
            "no case was played against this target",
        ));
    }
    suite
}

fn case(report: &RunReport, info: Option<&CaseInfo>, record: &CaseRecord) -> TestCase {
    let title = info.map_or_else(String::new, |info| prose(&info.title));
    let name = format!("{} {title}", visible(&record.id));
    let (kind, passes) = match (record.behavior, Weight::of(record)) {
        (Behavior::Inconclusive, _) => (Some(NonSuccessKind::Error), false),
        (_, Weight::Major) => (Some(NonSuccessKind::Failure), false),
        (Behavior::Unimplemented, _) => (None, false),
        (Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail, _) => (None, true),
    };
    let known = report.expectation_of(record);
    let mut test = if let Some(known) = known.filter(|_| deviates(record)) {
        let mut status = TestCaseStatus::skipped();
        status.set_type("expected").set_message(clipped(&prose(&known.reason), QUOTE));
        status.set_description(account(report, record));
        TestCase::new(name.trim_end(), status)
    } else if passes {
        let mut test = TestCase::new(name.trim_end(), TestCaseStatus::success());
        let plain = record.behavior == Behavior::Pass && Weight::of(record) == Weight::Good;
        if !plain || record.adapted.is_some() || known.is_some() {
            test.set_system_out(account(report, record));
        }
        test
    } else {
        let mut status = kind.map_or_else(TestCaseStatus::skipped, TestCaseStatus::non_success);
        let rules = info.map_or(&[][..], |info| &info.rules);
        status.set_type(visible(&Blame::of(record, rules).to_string()));
        status.set_message(message(record));
        status.set_description(account(report, record));
        TestCase::new(name.trim_end(), status)
    };
    test.set_time(duration(record.duration_ms));
    test
}

/// Whether there is something that could be put up with.
fn deviates(record: &CaseRecord) -> bool {
    record.behavior == Behavior::Unimplemented || record.severity() >= Severity::Minor
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
fn account(report: &RunReport, record: &CaseRecord) -> String {
    let mut out =
        format!("behavior: {}\nclose: {} ({})\n", record.behavior, record.close, words::close(record.close));
    if let Some(ExpectationRecord { reason, until, .. }) = report.expectation_of(record) {
        let until = until.as_ref().map_or_else(String::new, |day| format!(" (until {})", clipped(day, 40)));
        out += &format!("known: {}{until}\n", clipped(&prose(reason), QUOTE));
    }
    for finding in &record.findings {
        out += &format!("rule: {}\n", visible(&finding.rule));
        if let Some(text) = report.rules.get(&finding.rule) {
            let place = format!("{} {}, {}", prose(&text.source), prose(&text.section), prose(&text.level));
            out += &format!("  {place}: {}\n", clipped(&prose(&text.sentence), QUOTE));
        }
        out += &format!(
            "  expected: {}\n  observed: {}\n",
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

fn error(class: &str, kind: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(kind).set_message(message);
    let mut test = TestCase::new("run", status);
    test.set_classname(class);
    test
}

fn untrue(class: &str, complaint: &Complaint<'_>) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("expectation").set_message(complaint.sentence(QUOTE));
    let mut test = TestCase::new(complaint.name(), status);
    test.set_classname(class);
    test
}

/// What is no duration counts as none.
fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
