//! Known deviations with their reasons.

use insta::assert_snapshot;
use wsgrade_reports::expect::{Applied, Date, Expectation, Matching, apply};
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, RunReport};
use wsgrade_reports::render;

use crate::sample;

const TODAY: &str = "2027-03-01";

fn day(text: &str) -> Date {
    text.parse().expect(text)
}

fn expect(cases: &str, behavior: Behavior) -> Expectation {
    Expectation::new(cases, behavior, None, "a known bug").expect("a deviation")
}

/// One target without a fault.
fn good() -> RunReport {
    let mut report = sample::small();
    report.targets.remove(0);
    report
}

fn record<'a>(report: &'a mut RunReport, id: &str) -> &'a mut CaseRecord {
    report.targets[0].cases.iter_mut().find(|record| record.id == id).expect(id)
}

/// A prefix and a star, or the text itself: what a glob does is not for this crate.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => text == pattern,
    }
}

fn applied(report: &RunReport, list: &[Expectation]) -> Applied {
    apply(report, list, day(TODAY), &Matching { matches: &matches, known: &["9.1.1"] })
}

fn complaints(report: &RunReport, list: &[Expectation]) -> String {
    applied(report, list).complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn met(report: &RunReport, list: &[Expectation]) -> Vec<(String, usize)> {
    applied(report, list).expected.into_iter().map(|expected| (expected.key.id, expected.entry)).collect()
}

#[test]
fn what_deviates_as_it_is_written_is_expected() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    record(&mut report, "2.5").close = CloseVerdict::Unclean;
    record(&mut report, "6.3.1").behavior = Behavior::NonStrict;
    let list = [expect("2.5", Behavior::Fail), expect("6.*", Behavior::NonStrict)];
    assert_eq!(met(&report, &list), [("2.5".to_owned(), 0), ("6.3.1".to_owned(), 1)]);
    let applied = applied(&report, &list);
    assert_eq!(applied.complaints, []);
    let key = record(&mut report, "2.5").key();
    assert_eq!(applied.expectation_of(0, &key).expect("it is expected").reason, "a known bug");
    assert_eq!(applied.expectation_of(1, &key), None);
}

#[test]
fn a_close_that_weighs_more_is_not_expected_unless_it_is_named() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::NonStrict;
    record(&mut report, "2.5").close = CloseVerdict::Unclean;
    assert_eq!(met(&report, &[expect("2.5", Behavior::NonStrict)]), []);
    let unclean = |close| {
        let entry = Expectation::new("2.5", Behavior::NonStrict, Some(close), "a known bug");
        met(&report, &[entry.expect("a deviation")])
    };
    assert_eq!(unclean(CloseVerdict::Unclean).len(), 1);
    assert_eq!(unclean(CloseVerdict::Dropped), []);
    assert_snapshot!(complaints(&report, &[expect("2.5", Behavior::NonStrict)]), @"expectation 1 (`2.5`) expects non-strict, but there is another deviation in 2.5 (non-strict, close unclean)");
}

#[test]
fn an_expected_failure_that_passes_is_told() {
    let mut report = good();
    record(&mut report, "1.1.1").behavior = Behavior::Fail;
    record(&mut report, "1.1.2").behavior = Behavior::NonStrict;
    let list = [expect("1.*", Behavior::Fail)];
    assert_eq!(met(&report, &list), [("1.1.1".to_owned(), 0)]);
    assert_snapshot!(complaints(&report, &list), @"
    expectation 1 (`1.*`) expects fail, but there is another deviation in 1.1.2 (non-strict)
    expectation 1 (`1.*`) expects fail, but 1.1.3, 1.1.4 pass: delete the entry, or narrow it
    ");
}

#[test]
fn what_is_expected_is_shown_with_its_reason() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    record(&mut report, "2.5").close = CloseVerdict::Unclean;
    report.targets[0].name = "ws | 8.18".to_owned();
    let why = format!("see #12 {}", sample::HOSTILE);
    let list = [
        Expectation::new("2.5", Behavior::Fail, None, why).expect("a deviation"),
        expect("2.6", Behavior::Fail),
    ];
    let applied = applied(&report, &list);
    assert_snapshot!(render::expectations::text(&report, &applied), @r#"
    expected deviations (1): not counted by the gate
      2.5  ws | 8.18: fail, close unclean: see #12 </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--
    expectations that are not true (1)
      expectation 2 (`2.6`) expects fail, but 2.6 passes: delete the entry, or narrow it
    "#);
    assert_snapshot!(render::expectations::markdown(&report, &applied), @r#"
    | expected | target | verdict | reason |
    |---|---|---|---|
    | 2.5 | ws \| 8.18 | fail, close unclean | see \#12 &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; " ' &amp; {{ 7\*7 }} \\u{0} \\u{1b}\[31m \\u{202e}evil\\u{202c} \]\]&gt; &lt;\!-- |

    Expectations that are not true:

    - expectation 2 (\`2.6\`) expects fail, but 2.6 passes: delete the entry, or narrow it
    "#);
    let nothing = Applied::default();
    assert_eq!(render::expectations::text(&report, &nothing), "");
    assert_eq!(render::expectations::markdown(&report, &nothing), "");
}

/// Two entries for one case are two lawful alternatives.
#[test]
fn the_first_that_holds_is_met() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::NonStrict;
    let list = [expect("2.5", Behavior::Fail), expect("2.5", Behavior::NonStrict)];
    assert_eq!(met(&report, &list), [("2.5".to_owned(), 1)]);
    assert_eq!(complaints(&report, &list), "");
}

#[test]
fn what_says_nothing_of_the_target_is_no_pass() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Inconclusive;
    record(&mut report, "2.6").behavior = Behavior::Unimplemented;
    let list = [expect("2.5", Behavior::Fail), expect("2.6", Behavior::Fail)];
    assert_eq!((met(&report, &list).len(), complaints(&report, &list)), (0, String::new()));
    // But that something is not there can be what is expected.
    assert_eq!(met(&report, &[expect("2.6", Behavior::Unimplemented)]).len(), 1);
}

#[test]
fn the_last_day_is_the_last_day() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    let until = |text| [expect("2.5", Behavior::Fail).until(day(text))];
    assert_eq!(met(&report, &until(TODAY)).len(), 1);
    assert_eq!(complaints(&report, &until(TODAY)), "");
    assert_eq!(met(&report, &until("2027-02-28")), []);
    assert_snapshot!(complaints(&report, &until("2027-02-28")), @"expectation 1 (`2.5`) held until 2027-02-28: mend what it is about, or give it another day (a known bug)");
}

#[test]
fn what_matches_nothing_is_told() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    let list = [
        expect("2.55", Behavior::Fail),
        expect("1.1", Behavior::Fail),
        expect("ZZ.*", Behavior::Fail),
        // Not selected, but there.
        expect("9.1.1", Behavior::Fail),
        expect("2.5", Behavior::Fail).of_target("reference-sever"),
        expect("2.5", Behavior::Fail).of_target("zz*"),
        expect("2.5", Behavior::Fail).of_target("reference*"),
    ];
    assert_eq!(met(&report, &list), [("2.5".to_owned(), 6)]);
    assert_snapshot!(complaints(&report, &list), @"
    expectation 1 (`2.55`) matches no case; did you mean `2.5`?
    expectation 2 (`1.1`) matches no case; did you mean `1.1.*`?
    expectation 3 (`ZZ.*`) matches no case: delete the entry
    expectation 5 (`2.5`) matches no target `reference-sever`; did you mean `reference-server`?
    expectation 6 (`2.5`) matches no target `zz*`: delete the entry
    ");
}

#[test]
fn a_target_is_expected_of_alone() {
    let mut report = sample::small();
    report.targets[1].cases[4].behavior = Behavior::Fail;
    report.targets[0].name = "ws 8.18".to_owned();
    let list = [expect("2.5", Behavior::Fail).of_target("ws*")];
    let places: Vec<_> =
        applied(&report, &list).expected.into_iter().map(|expected| expected.target).collect();
    assert_eq!(places, [0]);
    let list = [expect("2.5", Behavior::Fail)];
    let places: Vec<_> =
        applied(&report, &list).expected.into_iter().map(|expected| expected.target).collect();
    assert_eq!(places, [0, 1]);
}

#[test]
fn what_nobody_can_expect_is_refused() {
    let refused = |cases: &str, behavior, close, reason: &str| {
        Expectation::new(cases, behavior, close, reason).expect_err("nobody can expect it").to_string()
    };
    let said = [
        refused(" ", Behavior::Fail, None, "why"),
        refused("1.*", Behavior::Fail, None, " \n"),
        refused("1.*", Behavior::Pass, None, "why"),
        refused("1.*", Behavior::Pass, Some(CloseVerdict::Informational), "why"),
        refused("1.*", Behavior::Inconclusive, None, "why"),
        refused("1.*", Behavior::Fail, Some(CloseVerdict::Inconclusive), "why"),
    ];
    assert_snapshot!(said.join("\n"), @"
    an expectation has to name cases, such as `6.4.1` or `6.4.*`
    an expectation wants a reason: say in a sentence why this deviation is put up with
    `pass` is no deviation: delete the entry, or say by `close` how the connection ends against the rules
    `pass` is no deviation: delete the entry, or say by `close` how the connection ends against the rules
    `inconclusive` says nothing of the target, so nobody can expect it
    `inconclusive` says nothing of the target, so nobody can expect it
    ");
    assert!(Expectation::new("1.*", Behavior::Pass, Some(CloseVerdict::Dropped), "why").is_ok());
}

#[test]
fn many_cases_are_counted_and_hostile_text_is_made_visible() {
    let report = good();
    let list = [
        expect("*", Behavior::Fail),
        Expectation::new(sample::HOSTILE, Behavior::Fail, None, sample::HOSTILE)
            .expect("a deviation")
            .until(day("2020-01-01")),
    ];
    let said = complaints(&report, &list);
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()) && !said.contains('\u{202e}'), "{said}");
    assert_snapshot!(said, @r#"
    expectation 1 (`*`) expects fail, but 1.1.1, 1.1.2, 1.1.3, 1.1.4, 2.5, 2.6, 3.1, 6.3.1 and 3 more pass: delete the entry, or narrow it
    expectation 2 (`</script><img src=x onerror=alert(1)> "…`) held until 2020-01-01: mend what it is about, or give it another day (</script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--)
    "#);
}
