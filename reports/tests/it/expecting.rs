//! Known deviations with their reasons.

use insta::assert_snapshot;
use wsgrade_reports::expect::{Date, Expectation, Matching, apply};
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, ExpectationRecord, RunReport};
use wsgrade_reports::render;

use crate::sample::{self, faultless as good, record};

const TODAY: &str = "2027-03-01";

fn day(text: &str) -> Date {
    text.parse().expect(text)
}

fn expect(cases: &str, behavior: Behavior) -> Expectation {
    Expectation::new(vec![cases.to_owned()], behavior, None, "a known bug").expect("a deviation")
}

/// The small run, judged by expectations.
pub(crate) fn judged() -> RunReport {
    judge(&sample::small())
}

/// A run, judged by expectations: two are met, the first of them only in part, one is about cases that pass, and one matches
/// nothing.
pub(crate) fn judge(report: &RunReport) -> RunReport {
    let new = |cases: &[&str], behavior, close, reason: &str| {
        let cases = cases.iter().map(|&pattern| pattern.to_owned()).collect();
        Expectation::new(cases, behavior, close, reason).expect("a deviation")
    };
    let list = [
        new(&["2.5", "7.*"], Behavior::Fail, Some(CloseVerdict::Unclean), "see issue 12")
            .until(day("2027-04-01")),
        new(&["6.3.1"], Behavior::NonStrict, Some(CloseVerdict::WrongCode), "UTF-8 is checked late")
            .of_target("ws*"),
        new(&["1.*"], Behavior::Pass, Some(CloseVerdict::Unclean), "it hangs up"),
        new(&["zz"], Behavior::Fail, None, "nobody knows"),
    ];
    applied(report, &list)
}

/// A prefix and a star, or the text itself: what a glob does is not for this crate.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => text == pattern,
    }
}

fn applied(report: &RunReport, list: &[Expectation]) -> RunReport {
    let mut report = report.clone();
    apply(&mut report, list, day(TODAY), &Matching { matches: &matches, known: &["9.1.1"] });
    report
}

fn complaints(report: &RunReport, list: &[Expectation]) -> String {
    let entries = applied(report, list).expectations;
    entries.into_iter().flat_map(|entry| entry.complaints).collect::<Vec<_>>().join("\n")
}

/// The cases that are as expected, each with the place of its target and that of the expectation.
fn met_of_all(report: &RunReport, list: &[Expectation]) -> Vec<(usize, String, usize)> {
    let targets = (0..).zip(applied(report, list).targets);
    let records = targets.flat_map(|(n, target)| target.cases.into_iter().map(move |record| (n, record)));
    records.filter_map(|(n, record)| Some((n, record.id, record.expected?))).collect()
}

fn met(report: &RunReport, list: &[Expectation]) -> Vec<(String, usize)> {
    met_of_all(report, list).into_iter().map(|(_, id, entry)| (id, entry)).collect()
}

#[test]
fn what_deviates_as_it_is_written_is_expected() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    record(&mut report, "2.5").close = CloseVerdict::Unclean;
    record(&mut report, "6.3.1").behavior = Behavior::NonStrict;
    let list = [expect("2.5", Behavior::Fail), expect("6.*", Behavior::NonStrict)];
    assert_eq!(met(&report, &list), [("2.5".to_owned(), 0), ("6.3.1".to_owned(), 1)]);
    let mut applied = applied(&report, &list);
    let entry = |cases: &str, behavior| ExpectationRecord {
        cases: vec![cases.to_owned()],
        behavior,
        close: None,
        reason: "a known bug".to_owned(),
        until: None,
        target: None,
        complaints: Vec::new(),
    };
    assert_eq!(applied.expectations, [entry("2.5", Behavior::Fail), entry("6.*", Behavior::NonStrict)]);
    let ping = record(&mut applied, "2.5").clone();
    assert_eq!(applied.expectation_of(&ping).expect("it is expected").cases, ["2.5"]);
    for odd in [None, Some(2), Some(usize::MAX)] {
        let ping = CaseRecord { expected: odd, ..ping.clone() };
        assert_eq!(applied.expectation_of(&ping), None, "{odd:?}");
    }
    let shaky = CaseRecord { behavior: Behavior::Inconclusive, ..ping.clone() };
    assert_eq!(applied.expectation_of(&shaky), None, "nobody can expect that our side fails");
    let passing = CaseRecord { behavior: Behavior::Pass, close: CloseVerdict::Informational, ..ping };
    assert_eq!(applied.expectation_of(&passing), None, "there is nothing to put up with");
}

#[test]
fn what_was_written_before_is_replaced() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    record(&mut report, "2.6").behavior = Behavior::Fail;
    let list = [expect("2.6", Behavior::Fail), expect("2.5", Behavior::Fail)];
    let before = applied(&report, &list);
    assert_eq!(applied(&before, &list[..1]), applied(&report, &list[..1]));
    assert_eq!(applied(&before, &[]), report);
}

/// All that an entry says is kept.
#[test]
fn an_entry_is_in_the_record_whole() {
    let list = [Expectation::new(
        vec!["2.5".to_owned(), "9.*".to_owned()],
        Behavior::NonStrict,
        Some(CloseVerdict::Dropped),
        "a known bug",
    )
    .expect("a deviation")
    .until(day("2027-04-01"))
    .of_target("ws*")];
    let written = serde_json::to_string_pretty(&applied(&good(), &list).expectations).expect("it is JSON");
    assert_snapshot!(written, @r#"
    [
      {
        "cases": [
          "2.5",
          "9.*"
        ],
        "behavior": "non-strict",
        "close": "dropped",
        "reason": "a known bug",
        "until": "2027-04-01",
        "target": "ws*",
        "complaints": [
          "expectation 1 (`2.5`, `9.*`) matches no target `ws*`: delete the entry"
        ]
      }
    ]
    "#);
}

#[test]
fn each_of_several_patterns_has_to_match() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::Fail;
    record(&mut report, "6.3.1").behavior = Behavior::Fail;
    let several = |patterns: &[&str]| {
        let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        [Expectation::new(patterns, Behavior::Fail, None, "a known bug").expect("a deviation")]
    };
    assert_eq!(met(&report, &several(&["2.5", "6.*"])).len(), 2);
    assert_eq!(complaints(&report, &several(&["2.5", "6.*", "9.1.1"])), "");
    assert_eq!(met(&report, &several(&["2.5", "6.3"])), [("2.5".to_owned(), 0)]);
    let said = [
        complaints(&report, &several(&["2.5", "6.3"])),
        complaints(&report, &several(&["zz", "2.*", "6.3.11"])),
        complaints(&report, &several(&["2.5", "1.1.1", "6.*", "Q.1", "Q.2"])),
    ];
    assert_snapshot!(said.join("\n"), @"
    expectation 1 (`2.5`, `6.3`): `6.3` matches no case; did you mean `6.3.*`?
    expectation 1 (`zz`, `2.*`, `6.3.11`): `zz` matches no case: take it out
    expectation 1 (`zz`, `2.*`, `6.3.11`): `6.3.11` matches no case; did you mean `6.3.1`?
    expectation 1 (`zz`, `2.*`, `6.3.11`) expects fail, but 2.6 passes: narrow the entry to those that do not
    expectation 1 (`2.5`, `1.1.1`, `6.*`, 2 more): `Q.1` matches no case: take it out
    expectation 1 (`2.5`, `1.1.1`, `6.*`, 2 more): `Q.2` matches no case: take it out
    expectation 1 (`2.5`, `1.1.1`, `6.*`, 2 more) expects fail, but 1.1.1 passes: narrow the entry to those that do not
    ");
}

#[test]
fn a_close_that_weighs_more_is_not_expected_unless_it_is_named() {
    let mut report = good();
    record(&mut report, "2.5").behavior = Behavior::NonStrict;
    record(&mut report, "2.5").close = CloseVerdict::Unclean;
    assert_eq!(met(&report, &[expect("2.5", Behavior::NonStrict)]), []);
    let unclean = |close| {
        let entry = Expectation::new(vec!["2.5".to_owned()], Behavior::NonStrict, Some(close), "a known bug");
        met(&report, &[entry.expect("a deviation")])
    };
    assert_eq!(unclean(CloseVerdict::Unclean).len(), 1);
    assert_eq!(unclean(CloseVerdict::Dropped), []);
    assert_snapshot!(complaints(&report, &[expect("2.5", Behavior::NonStrict)]), @"expectation 1 (`2.5`) expects non-strict, but there is another deviation in 2.5 (non-strict, close unclean): mend it, or write it down as well");
}

#[test]
fn an_expected_failure_that_passes_is_told() {
    let mut report = good();
    record(&mut report, "1.1.1").behavior = Behavior::Fail;
    record(&mut report, "1.1.2").behavior = Behavior::NonStrict;
    let list = [expect("1.*", Behavior::Fail)];
    assert_eq!(met(&report, &list), [("1.1.1".to_owned(), 0)]);
    assert_snapshot!(complaints(&report, &list), @"
    expectation 1 (`1.*`) expects fail, but there is another deviation in 1.1.2 (non-strict): mend it, or write it down as well
    expectation 1 (`1.*`) expects fail, but 1.1.3, 1.1.4 pass: narrow the entry to those that do not
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
        Expectation::new(vec!["2.5".to_owned()], Behavior::Fail, None, why)
            .expect("a deviation")
            .until(day("2027-04-01")),
        expect("2.6", Behavior::Fail),
    ];
    let applied = applied(&report, &list);
    assert_snapshot!(render::expectations::text(&applied), @r#"
    expected deviations (1): not counted by the gate
      2.5  ws | 8.18: fail, close unclean: see #12 </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!-- (until 2027-04-01)
    expectations that are not true (1)
      expectation 2 (`2.6`) expects fail, but 2.6 passes: delete the entry, or narrow it
    "#);
    assert_snapshot!(render::expectations::markdown(&applied), @"
    **Expectations that are not true (1):**

    - expectation 2 &#40;&#96;2.6&#96;&#41; expects fail, but 2.6 passes&#58; delete the entry, or narrow it

    | expected deviation | target | verdict | reason | until |
    |---|---|---|---|---|
    | 2.5 | <code>ws &#124; 8.18</code> | fail, close unclean | see &#35;12 &#60;/script&#62;&#60;img src&#61;x onerror&#61;alert&#40;1&#41;&#62; &#34; &#39; &#38; &#123;&#123; 7&#42;7 &#125;&#125; &#92;u&#123;0&#125; &#92;u&#123;1b&#125;&#91;31m &#92;u&#123;202e&#125;evil&#92;u&#123;202c&#125; &#93;&#93;&#62; &#60;&#33;-- | 2027-04-01 |
    ");
    assert_eq!(render::expectations::text(&report), "");
    assert_eq!(render::expectations::markdown(&report), "");
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
    let places = |list: &[Expectation]| {
        met_of_all(&report, list).into_iter().map(|(target, ..)| target).collect::<Vec<_>>()
    };
    assert_eq!(places(&list), [0]);
    assert_eq!(places(&[expect("2.5", Behavior::Fail)]), [0, 1]);
    // Where there are several, a sentence names the one that it is about.
    assert_snapshot!(complaints(&report, &[expect("2.*", Behavior::Fail), expect("1.1.1", Behavior::Fail)]), @"
    expectation 1 (`2.*`) expects fail, but there is another deviation in 2.6 (pass, close failed-by-peer) of ws 8.18: mend it, or write it down as well
    expectation 1 (`2.*`) expects fail, but 2.6 of reference-server passes: narrow the entry to those that do not
    expectation 2 (`1.1.1`) expects fail, but 1.1.1 of ws 8.18 passes: delete the entry, or narrow it
    expectation 2 (`1.1.1`) expects fail, but 1.1.1 of reference-server passes: delete the entry, or narrow it
    ");
    // And two of one name have one sentence.
    report.targets[0] = report.targets[1].clone();
    assert_snapshot!(complaints(&report, &[expect("1.1.1", Behavior::Fail)]), @"expectation 1 (`1.1.1`) expects fail, but 1.1.1 of reference-server passes: delete the entry, or narrow it");
}

#[test]
fn what_nobody_can_expect_is_refused() {
    let refused = |cases: &str, behavior, close, reason: &str| {
        let cases = vec!["1.1.1".to_owned(), cases.to_owned()];
        Expectation::new(cases, behavior, close, reason).expect_err("nobody can expect it").to_string()
    };
    assert!(Expectation::new(Vec::new(), Behavior::Fail, None, "why").is_err());
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
    let dropped =
        Expectation::new(vec!["1.*".to_owned()], Behavior::Pass, Some(CloseVerdict::Dropped), "why");
    let dropped = dropped.expect("a deviation");
    // What is expected is told with both axes, or it would read as if a pass were none.
    assert_snapshot!(complaints(&good(), &[dropped]), @"expectation 1 (`1.*`) expects pass with close dropped, but 1.1.1, 1.1.2, 1.1.3, 1.1.4 pass: delete the entry, or narrow it");
}

#[test]
fn many_cases_are_counted_and_hostile_text_is_made_visible() {
    let report = good();
    let list = [
        expect("*", Behavior::Fail),
        Expectation::new(vec![sample::HOSTILE.to_owned()], Behavior::Fail, None, sample::HOSTILE)
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
