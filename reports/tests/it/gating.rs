//! Whether a run may pass, and why.

use insta::assert_snapshot;
use quickcheck::quickcheck;
use wsgrade_reports::compare::{Comparison, Side};
use wsgrade_reports::expect::{Date, Expectation, Matching, apply};
use wsgrade_reports::gate::{FailOn, Outcome, Policy, Ruling};
use wsgrade_reports::grade::Grade;
use wsgrade_reports::record::{Behavior, CloseVerdict, ExpectationRecord, RunReport, Severity};

use crate::any::AnyRun;
use crate::sample::{self, faultless as good, record};

fn with(change: impl FnOnce(&mut RunReport)) -> RunReport {
    let mut report = good();
    change(&mut report);
    report
}

fn policy(fail_on: FailOn) -> Policy {
    Policy { fail_on, ..Policy::default() }
}

fn ruled(report: &RunReport, policy: &Policy) -> Ruling {
    Ruling::of(report, policy, None)
}

fn against(old: &RunReport, new: &RunReport) -> Ruling {
    let comparison = Comparison::of(&Side::from(old), &Side::from(new));
    Ruling::of(new, &policy(FailOn::Regression), Some(&comparison))
}

/// What the gate was before there were policies.
fn of_old(report: &RunReport) -> Outcome {
    let records = || report.targets.iter().flat_map(|target| &target.cases);
    if records().any(|record| record.severity() == Severity::Major) {
        return Outcome::NotMet;
    }
    let judged = |behavior| !matches!(behavior, Behavior::Unimplemented | Behavior::Inconclusive);
    let broke_off = report
        .targets
        .iter()
        .any(|target| target.stopped.is_some() || !target.cases.iter().any(|record| judged(record.behavior)));
    let inconclusive = records().any(|record| record.behavior == Behavior::Inconclusive);
    let undecided = report.targets.is_empty() || broke_off || inconclusive;
    if undecided { Outcome::Undecided } else { Outcome::Met }
}

#[test]
fn by_default_a_broken_must_decides() {
    let said = [
        good(),
        with(|report| record(report, "2.5").behavior = Behavior::NonStrict),
        with(|report| record(report, "2.5").behavior = Behavior::Fail),
        with(|report| record(report, "2.5").close = CloseVerdict::Unclean),
        with(|report| report.targets[0].cases.iter_mut().for_each(|record| record.behavior = Behavior::Fail)),
        with(|report| {
            record(report, "2.5").behavior = Behavior::Fail;
            report.targets[0].stopped = Some(format!("gone {}", sample::HOSTILE));
        }),
        with(|report| record(report, "2.5").behavior = Behavior::Inconclusive),
        with(|report| report.targets.clear()),
        with(|report| report.targets[0].cases.clear()),
    ]
    .map(|report| ruled(&report, &Policy::default()).to_string());
    assert_snapshot!(said.join("\n"), @r#"
    gate met: no MUST is broken in 11 cases
    gate met: no MUST is broken in 11 cases
    gate not met: a MUST is broken in 1 case of reference-server: 2.5
    gate not met: a MUST is broken in 1 case of reference-server: 2.5
    gate not met: a MUST is broken in 11 cases of reference-server: 1.1.1, 1.1.2, 1.1.3, 1.1.4, 2.5, 2.6, 3.1, 6.3.1 and 3 more
    gate not met: a MUST is broken in 1 case of reference-server: 2.5; the run against reference-server ended before its last case: gone </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--
    gate undecided: 1 case of reference-server is inconclusive: 2.5
    gate undecided: the run had no target
    gate undecided: nothing was judged of reference-server
    "#);
}

#[test]
fn a_run_in_which_nothing_was_judged_never_passes() {
    for behavior in [Behavior::Unimplemented, Behavior::Inconclusive] {
        let idle =
            with(|report| report.targets[0].cases.iter_mut().for_each(|record| record.behavior = behavior));
        for fail_on in FailOn::ALL {
            let comparison = Comparison::of(&Side::from(&idle), &Side::from(&idle));
            let ruling = Ruling::of(&idle, &policy(fail_on), Some(&comparison));
            assert_eq!(ruling.outcome, Outcome::Undecided, "{behavior} {fail_on}");
            assert_eq!(ruling.reasons[0], "nothing was judged of reference-server");
        }
    }
}

#[test]
fn a_should_decides_where_it_is_asked_to() {
    let poor = with(|report| {
        record(report, "2.5").behavior = Behavior::NonStrict;
        record(report, "2.6").close = CloseVerdict::Dropped;
        record(report, "3.1").behavior = Behavior::Fail;
    });
    let said = [ruled(&poor, &policy(FailOn::NonStrict)), ruled(&good(), &policy(FailOn::NonStrict))];
    assert_eq!(said.each_ref().map(|ruling| ruling.outcome), [Outcome::NotMet, Outcome::Met]);
    assert_snapshot!(said.map(|ruling| ruling.to_string()).join("\n"), @"
    gate not met: a MUST is broken in 1 case of reference-server: 3.1; a SHOULD is broken in 2 cases of reference-server: 2.5, 2.6
    gate met: neither a MUST nor a SHOULD is broken in 11 cases
    ");
}

#[test]
fn only_what_is_worse_is_a_regression() {
    let bad = with(|report| record(report, "2.5").behavior = Behavior::Fail);
    let worse = with(|report| {
        record(report, "2.5").behavior = Behavior::Fail;
        record(report, "6.3.1").behavior = Behavior::NonStrict;
    });
    let shaky = with(|report| record(report, "2.5").behavior = Behavior::Inconclusive);
    let outcomes = [
        against(&bad, &bad),
        against(&bad, &good()),
        against(&bad, &worse),
        against(&good(), &bad),
        against(&good(), &shaky),
        against(&shaky, &bad),
        ruled(&good(), &policy(FailOn::Regression)),
    ];
    let met = outcomes.each_ref().map(|ruling| ruling.outcome);
    use Outcome::{Met, NotMet, Undecided};
    assert_eq!(met, [Met, Met, NotMet, NotMet, Undecided, Met, NotMet]);
    assert_snapshot!(outcomes.map(|ruling| ruling.to_string()).join("\n"), @"
    gate met: nothing regressed in 11 cases
    gate met: nothing regressed in 11 cases
    gate not met: 1 case of reference-server regressed against the baseline: 6.3.1
    gate not met: 1 case of reference-server regressed against the baseline: 2.5
    gate undecided: 1 case of reference-server is inconclusive: 2.5
    gate met: nothing regressed in 11 cases
    gate not met: there is no baseline, so nothing can be called a regression
    ");
}

/// What a baseline does not hold cannot be called no regression.
#[test]
fn what_cannot_be_compared_does_not_pass() {
    let (old, mut new) = (sample::large(3, 5, 0), sample::large(3, 5, 0));
    new.targets.remove(2);
    new.targets[0].name = "one".to_owned();
    new.targets[1].name = "two".to_owned();
    let other = with(|report| report.targets[0].cases.retain(|record| record.id == "2.5"));
    let only = with(|report| report.targets[0].cases.retain(|record| record.id == "2.6"));
    let said = [against(&old, &new), against(&other, &only)];
    assert!(said.iter().all(|ruling| ruling.outcome == Outcome::NotMet));
    assert_snapshot!(said.map(|ruling| ruling.to_string()).join("\n"), @"
    gate not met: one (server) is not in the baseline: write it anew; two (server) is not in the baseline: write it anew
    gate not met: no case of reference-server is in the baseline: write it anew
    ");
    // What was not played this time is no regression.
    let mut fewer = old.clone();
    fewer.targets.remove(2);
    assert_eq!(against(&old, &fewer).outcome, Outcome::Met);
}

#[test]
fn the_grade_decides_where_it_is_asked_to() {
    let least = |grade| Policy { min_grade: Some(grade), ..Policy::default() };
    let poor = with(|report| record(report, "2.5").behavior = Behavior::NonStrict);
    let open = with(|report| {
        for id in ["2.5", "2.6"] {
            record(report, id).behavior = Behavior::Inconclusive;
        }
    });
    let said = [
        ruled(&good(), &least(Grade::APlus)),
        ruled(&poor, &least(Grade::APlus)),
        ruled(&poor, &least(Grade::B)),
        ruled(&open, &least(Grade::F)),
    ];
    use Outcome::{Met, NotMet, Undecided};
    assert_eq!(said.each_ref().map(|ruling| ruling.outcome), [Met, NotMet, Met, Undecided]);
    assert_snapshot!(said.map(|ruling| ruling.to_string()).join("\n"), @"
    gate met: no MUST is broken in 11 cases, and no grade is below A+
    gate not met: the grade of reference-server is A, and A+ is asked for
    gate met: no MUST is broken in 11 cases, and no grade is below B
    gate undecided: 2 cases of reference-server are inconclusive: 2.5, 2.6; reference-server has no grade, and F is asked for: more than a tenth of the cases were inconclusive
    ");
}

#[test]
fn expected_deviations_do_not_count_and_untrue_ones_do() {
    let bad = with(|report| {
        record(report, "2.5").behavior = Behavior::Fail;
        record(report, "6.3.1").behavior = Behavior::NonStrict;
    });
    let expected = |cases: &str, behavior| {
        Expectation::new(vec![cases.to_owned()], behavior, None, "upstream issue 12").expect("a deviation")
    };
    let applied = |report: &RunReport, list: &[Expectation]| {
        let same = |pattern: &str, text: &str| pattern == text;
        let matching = Matching { matches: &same, known: &[] };
        let mut report = report.clone();
        apply(&mut report, list, Date::new(2027, 1, 1).expect("a day"), &matching);
        report
    };
    let known = [expected("2.5", Behavior::Fail), expected("6.3.1", Behavior::NonStrict)];
    let stale = [expected("2.5", Behavior::Fail), expected("2.6", Behavior::Fail)];
    let strict = policy(FailOn::NonStrict);
    let rule = |report: &RunReport, policy: &Policy, list: &[Expectation]| {
        let report = applied(report, list);
        let comparison = Comparison::of(&Side::from(&good()), &Side::from(&report));
        Ruling::of(&report, policy, Some(&comparison))
    };
    let lenient = Policy { true_expectations: false, ..Policy::default() };
    let said = [
        rule(&bad, &strict, &known),
        rule(&bad, &policy(FailOn::Regression), &known),
        rule(&bad, &strict, &known[..1]),
        rule(&bad, &policy(FailOn::Regression), &known[..1]),
        rule(&bad, &Policy::default(), &stale),
        rule(&bad, &lenient, &stale),
    ];
    use Outcome::{Met, NotMet};
    assert_eq!(said.each_ref().map(|ruling| ruling.outcome), [Met, Met, NotMet, NotMet, NotMet, Met]);
    assert_snapshot!(said.map(|ruling| ruling.to_string()).join("\n"), @"
    gate met: neither a MUST nor a SHOULD is broken in 11 cases, 2 cases as expected aside
    gate met: nothing regressed in 11 cases, 2 cases as expected aside
    gate not met: a SHOULD is broken in 1 case of reference-server: 6.3.1
    gate not met: 1 case of reference-server regressed against the baseline: 6.3.1
    gate not met: expectation 2 (`2.6`) expects fail, but 2.6 passes: delete the entry, or narrow it
    gate met: no MUST is broken in 11 cases, 1 case as expected aside
    ");
}

/// A record of others may hold anything.
#[test]
fn what_a_record_says_is_expected_without_saying_what_is_not() {
    let expected = |entry, behavior| {
        with(|report| {
            report.expectations = vec![ExpectationRecord {
                cases: vec!["2.5".to_owned()],
                behavior: Behavior::Fail,
                close: None,
                reason: "upstream issue 12".to_owned(),
                until: None,
                target: None,
                complaints: vec![format!("it is not true {}", sample::HOSTILE)],
            }];
            record(report, "2.5").behavior = behavior;
            record(report, "2.5").expected = Some(entry);
        })
    };
    let lenient = Policy { true_expectations: false, ..Policy::default() };
    let said = [
        ruled(&expected(0, Behavior::Fail), &lenient),
        ruled(&expected(1, Behavior::Fail), &lenient),
        ruled(&expected(usize::MAX, Behavior::Fail), &lenient),
        ruled(&expected(0, Behavior::Inconclusive), &lenient),
        ruled(&expected(0, Behavior::Fail), &Policy::default()),
    ];
    assert_snapshot!(said.map(|ruling| ruling.to_string()).join("\n"), @r#"
    gate met: no MUST is broken in 11 cases, 1 case as expected aside
    gate not met: a MUST is broken in 1 case of reference-server: 2.5
    gate not met: a MUST is broken in 1 case of reference-server: 2.5
    gate undecided: 1 case of reference-server is inconclusive: 2.5
    gate not met: it is not true </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--
    "#);
}

/// What is put up with is still what it is.
#[test]
fn no_expectation_makes_a_grade_better() {
    let bad = with(|report| {
        record(report, "2.5").behavior = Behavior::Fail;
        let all = |_: &str, _: &str| true;
        let list =
            [Expectation::new(vec!["2.5".to_owned()], Behavior::Fail, None, "why").expect("a deviation")];
        let today = Date::new(2027, 1, 1).expect("a day");
        apply(report, &list, today, &Matching { matches: &all, known: &[] });
    });
    let least = Policy { min_grade: Some(Grade::APlus), true_expectations: false, ..Policy::default() };
    assert_snapshot!(ruled(&bad, &least), @"gate not met: the grade of reference-server is C, and A+ is asked for");
}

#[test]
fn a_campaign_that_found_nothing_passes() {
    let mut clean = crate::fuzzing::clean();
    assert_eq!(ruled(&clean, &Policy::default()).outcome, Outcome::Met);
    clean.fuzz.as_mut().expect("a campaign").scenarios = 0;
    assert_eq!(ruled(&clean, &Policy::default()).outcome, Outcome::Undecided);
}

#[test]
fn words_are_read_as_they_are_written() {
    for fail_on in FailOn::ALL {
        assert_eq!(FailOn::from_word(&fail_on.to_string()), Some(fail_on));
    }
    for grade in Grade::ALL {
        assert_eq!(Grade::from_word(&grade.to_string()), Some(grade));
    }
    assert_eq!((FailOn::from_word("never"), Grade::from_word("E")), (None, None));
}

quickcheck! {
    fn the_default_is_what_it_was(run: AnyRun, kind: u8) -> bool {
        let mut report = run.0;
        // Random verdicts are nearly always bad: some runs shall be better.
        for record in report.targets.iter_mut().flat_map(|target| &mut target.cases) {
            match kind % 4 {
                0 => {}
                1 => record.close = CloseVerdict::Pass,
                2 => (record.behavior, record.close) = (Behavior::Pass, CloseVerdict::Pass),
                _ if record.severity() == Severity::Major => record.behavior = Behavior::Unimplemented,
                _ => {}
            }
        }
        ruled(&report, &Policy::default()).outcome == of_old(&report)
    }

    fn a_reason_is_always_given(run: AnyRun, other: AnyRun, pick: u8) -> bool {
        let comparison = Comparison::of(&Side::from(&other.0), &Side::from(&run.0));
        let fail_on = FailOn::ALL[usize::from(pick) % 3];
        let ruling = Ruling::of(&run.0, &policy(fail_on), Some(&comparison));
        !ruling.reasons.is_empty() && ruling.reasons.iter().all(|reason| !reason.contains('\u{202e}'))
    }
}
