//! A run of scenarios that nobody wrote: no grade, a panel, and good news where nothing was found.

use wsgrade_reports::conformance::conformance;
use wsgrade_reports::grade::{NoGrade, RunGrade};
use wsgrade_reports::record::{FuzzDifference, FuzzFinding, FuzzReport, RunReport};
use wsgrade_reports::render;

use crate::reading::schema;
use crate::sample::{self, HOSTILE};

pub(crate) fn campaign() -> RunReport {
    let mut report = sample::small();
    report.targets.truncate(1);
    let case = report.targets[0].cases[0].id.clone();
    report.fuzz = Some(FuzzReport {
        scenarios: 12_345,
        per_second: 5123.0,
        corpus: 70,
        behaviors: 80,
        jobs: 16,
        catalogue: false,
        cured: 2,
        restarts: 1,
        findings: vec![FuzzFinding {
            case: case.clone(),
            target: 0,
            signature: format!("fail {HOSTILE}"),
            level: "fail".to_owned(),
            file: "wsgrade-report/findings/found.1.toml".to_owned(),
            replay: "wsgrade replay wsgrade-report/findings/found.1.toml ws://h/ --seed 1".to_owned(),
            replayed: 3,
            tries: 5,
            seen: 17,
            scenario: 99,
            steps_found: 14,
            steps: 1,
        }],
        differences: vec![FuzzDifference {
            case,
            verdict: "A is right, B breaks a rule".to_owned(),
            lawful: false,
            seen: vec!["A: closed with 1002".to_owned(), "B: went on".to_owned()],
            file: "d.toml".to_owned(),
            replay: "wsgrade replay d.toml ws://h/".to_owned(),
            replayed: 3,
            tries: 3,
        }],
    });
    report
}

pub(crate) fn clean() -> RunReport {
    let mut report = campaign();
    report.cases.clear();
    report.targets[0].cases.clear();
    report.targets[0].stopped = None;
    let fuzz = report.fuzz.as_mut().unwrap();
    (fuzz.findings, fuzz.differences) = (Vec::new(), Vec::new());
    report
}

fn page(report: &RunReport) -> String {
    render::html::render(report).remove(0).contents
}

#[test]
fn there_is_no_grade_and_the_page_says_so() {
    let report = campaign();
    assert_eq!(RunGrade::of(&report).targets[0].grade, Err(NoGrade::Fuzzed));
    let page = page(&report);
    for words in [
        "This run is no grading",
        "No grade: a fuzz run grades nothing",
        "12345 scenarios, 16 at once",
        "without the cases of the catalogue",
        "1 found, 1 of them flaky",
        "shown again 3 of 5 times, flaky",
        "1 step, 14 as it was found",
        "wsgrade replay wsgrade-report&#x2f;findings&#x2f;found.1.toml",
        "B: went on",
    ] {
        assert!(page.contains(words) || page.contains(&words.replace("No grade", "no grade")), "{words}");
    }
    assert!(!page.contains("<h2 id=\"costs\">") && !page.contains("<h2 id=\"rules-title\">"));
    assert!(!page.contains("<img"), "what is hostile stays text");
    // A grading has none of this.
    let mut graded = report;
    graded.fuzz = None;
    let page = self::page(&graded);
    assert!(!page.contains("This run is no grading") && page.contains("<h2 id=\"costs\">"));
    assert!(!conformance(&graded, &graded.targets[0]).is_empty());
}

#[test]
fn nothing_found_is_a_test_that_passes() {
    let junit = |report: &RunReport| render::junit::render(report).remove(0).contents;
    let text = junit(&clean());
    assert!(
        text.contains("tests=\"1\"") && text.contains("failures=\"0\"") && text.contains("errors=\"0\""),
        "{text}"
    );
    assert!(text.contains("12345 scenarios that nobody wrote"), "{text}");
    // Nothing played is another matter.
    let mut empty = clean();
    empty.fuzz.as_mut().unwrap().scenarios = 0;
    assert!(junit(&empty).contains("empty-run"));
    assert!(page(&clean()).contains("Nothing was found."));
}

#[test]
fn the_summary_has_the_totals() {
    let text = render::summary(&campaign());
    let line = text.lines().find(|line| line.starts_with("Scenarios that")).unwrap();
    insta::assert_snapshot!(line, @"Scenarios that nobody wrote: 12345 scenarios, 16 at once · 5123 a second · 80 behaviors, 70 scenarios in the corpus · without the cases of the catalogue · 2 times late under load and right when alone · started again once · 1 found, 1 of them flaky");
    assert!(text.contains("A is right, B breaks a rule") && !text.contains("rules: "), "{text}");
}

#[test]
fn what_is_written_is_read_again() {
    let report = campaign();
    let text = render::json::render(&report).remove(0).contents;
    assert_eq!(RunReport::from_json(&text).unwrap(), report);
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(schema().is_valid(&value));
    value["fuzz"]["findings"][0]["replayed"] = serde_json::json!(-1);
    assert!(!schema().is_valid(&value));
    let older = sample::small();
    let text = render::json::render(&older).remove(0).contents.replace("\"schema\": 4", "\"schema\": 3");
    assert!(RunReport::from_json(&text).unwrap().fuzz.is_none());
}
