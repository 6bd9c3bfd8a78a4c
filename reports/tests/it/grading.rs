//! The grade of whole records.

use wsgrade_reports::grade::{Counts, Grade, NoGrade, RunGrade, TargetGrade, Weight, area};
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, RunReport};

use crate::realistic;
use crate::sample;

fn record(id: &str, behavior: Behavior, close: CloseVerdict) -> CaseRecord {
    CaseRecord { behavior, close, ..sample::passed(id, "tcp") }
}

/// A run of one target with these records.
fn run(cases: Vec<CaseRecord>) -> RunReport {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases = cases;
    report
}

fn grade(cases: Vec<CaseRecord>) -> Result<Grade, NoGrade> {
    let report = run(cases);
    TargetGrade::of(&report, &report.targets[0]).grade
}

fn passes(n: usize) -> Vec<CaseRecord> {
    (0..n).map(|i| record(&format!("1.{i}"), Behavior::Pass, CloseVerdict::Pass)).collect()
}

#[test]
fn every_pair_of_verdicts_has_its_weight() {
    for behavior in Behavior::ALL {
        for close in CloseVerdict::ALL {
            let expected = match (behavior, close) {
                (Behavior::Inconclusive | Behavior::Unimplemented, _) => Weight::Uncounted,
                (Behavior::Fail, _) | (_, CloseVerdict::Unclean | CloseVerdict::WrongSide) => Weight::Major,
                (Behavior::NonStrict, _)
                | (_, CloseVerdict::Dropped | CloseVerdict::WrongCode | CloseVerdict::FailedByPeer) => {
                    Weight::Minor
                }
                (Behavior::Informational, _) => Weight::Uncounted,
                (Behavior::Pass, _) => Weight::Good,
            };
            assert_eq!(Weight::of(&record("1", behavior, close)), expected, "{behavior} {close}");
        }
    }
}

#[test]
fn an_empty_run_has_no_grade() {
    assert_eq!(grade(Vec::new()), Err(NoGrade::NothingCounted));
    let mut report = sample::small();
    report.targets.clear();
    assert_eq!(RunGrade::of(&report).grade, None);
}

#[test]
fn nothing_broken_is_the_best_and_anything_broken_is_not() {
    assert_eq!(grade(passes(200)), Ok(Grade::APlus));
    for (behavior, close, letter) in [
        (Behavior::NonStrict, CloseVerdict::Pass, Grade::A),
        (Behavior::Pass, CloseVerdict::WrongCode, Grade::A),
        (Behavior::Fail, CloseVerdict::Pass, Grade::B),
        (Behavior::Pass, CloseVerdict::Unclean, Grade::B),
        (Behavior::Informational, CloseVerdict::Unclean, Grade::B),
        // Never counted.
        (Behavior::Informational, CloseVerdict::Informational, Grade::APlus),
        (Behavior::Unimplemented, CloseVerdict::Unclean, Grade::APlus),
        (Behavior::Inconclusive, CloseVerdict::Inconclusive, Grade::APlus),
    ] {
        let mut cases = passes(200);
        cases.push(record("2.1", behavior, close));
        assert_eq!(grade(cases), Ok(letter), "{behavior} {close}");
    }
}

#[test]
fn a_bad_area_is_not_hidden_by_many_good_cases() {
    let mut cases = passes(1000);
    cases.extend((0..5).map(|i| record(&format!("4.{i}"), Behavior::Fail, CloseVerdict::Pass)));
    assert_eq!(grade(cases.clone()), Ok(Grade::C));
    let report = run(cases);
    let areas = TargetGrade::of(&report, &report.targets[0]).areas;
    let areas: Vec<_> = areas.iter().map(|area| (area.area.as_str(), area.grade)).collect();
    assert_eq!(areas, [("1", Ok(Grade::APlus)), ("4", Ok(Grade::F))]);
}

#[test]
fn a_target_without_compression_is_graded_by_the_rest() {
    let mut report = realistic::run();
    let target = &mut report.targets[realistic::PLAIN];
    target.cases.retain(|record| matches!(record.behavior, Behavior::Pass | Behavior::Unimplemented));
    let result = TargetGrade::of(&report, &report.targets[realistic::PLAIN]);
    assert_eq!((result.grade, result.counts.unimplemented), (Ok(Grade::APlus), 216));
    assert_eq!(result.counts.counted + 216, result.counts.total());
    let areas: Vec<_> = result.areas.iter().map(|area| (area.area.as_str(), area.grade.is_ok())).collect();
    let letters = ["1", "2", "3", "4", "5", "6", "7", "9", "10"].map(|area| (area, true));
    assert_eq!(areas[..9], letters);
    assert_eq!(areas[9..], [("12", false), ("13", false)]);
}

#[test]
fn a_stopped_run_has_no_grade_but_its_counts() {
    let mut report = run(passes(3));
    report.targets[0].stopped = Some("the target is gone".to_owned());
    let result = TargetGrade::of(&report, &report.targets[0]);
    assert_eq!(result.grade, Err(NoGrade::Stopped));
    assert_eq!(result.counts.pass, 3);
}

#[test]
fn the_run_is_as_good_as_its_worst_target() {
    let mut report = run(passes(200));
    report.targets.push(report.targets[0].clone());
    assert_eq!(RunGrade::of(&report).grade, Some(Grade::APlus));
    report.targets[1].cases[0].behavior = Behavior::Fail;
    assert_eq!(RunGrade::of(&report).grade, Some(Grade::B));
    report.targets[1].cases.clear();
    assert_eq!(RunGrade::of(&report).grade, None);
}

#[test]
fn what_cost_the_most_comes_first() {
    let report = sample::small();
    let result = TargetGrade::of(&report, &report.targets[0]);
    let costs: Vec<_> = result
        .costs
        .iter()
        .map(|cost| (cost.blame.to_string(), cost.weight, cost.cases.len(), cost.tenths))
        .collect();
    assert_eq!(
        costs,
        [
            ("rfc6455-5.5-control-length".to_owned(), Weight::Major, 1, 10),
            ("rfc6455-7.1.7-close-before-drop".to_owned(), Weight::Major, 1, 10),
            // How it ended, for want of a finding that names a rule.
            ("close:failed-by-peer".to_owned(), Weight::Minor, 1, 1),
            ("rfc6455-8.1-utf8".to_owned(), Weight::Minor, 1, 1),
        ]
    );
    assert_eq!(result.costs.iter().map(|cost| cost.tenths).sum::<u64>(), result.counts.cost());
    let good = TargetGrade::of(&report, &report.targets[1]);
    assert_eq!((good.grade, good.costs), (Ok(Grade::APlus), Vec::new()));
}

#[test]
fn counts_add_up() {
    let report = sample::small();
    let counts = Counts::of(&report.targets[0].cases);
    assert_eq!(
        counts,
        Counts {
            pass: 6,
            informational: 1,
            unimplemented: 1,
            non_strict: 1,
            fail: 1,
            inconclusive: 1,
            counted: 8,
            minor: 2,
            major: 2,
        }
    );
    assert_eq!(counts.total(), report.targets[0].cases.len());
    assert!((counts.loss_percent() - 27.5).abs() < 0.001);
    assert!(Counts::default().loss_percent().abs() < f64::EPSILON);
}

#[test]
fn the_area_is_the_first_part_of_the_id() {
    assert_eq!((area("6.4.1"), area("F.3"), area("solo")), ("6", "F", "solo"));
}
