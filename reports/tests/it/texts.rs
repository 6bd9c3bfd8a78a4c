//! What is printed, literally.

use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{repeated, sample, variants};

fn junit(report: &RunReport) -> String {
    let [file] = render::junit::render(report).try_into().expect("one file");
    assert_eq!(file.name, "junit.xml");
    file.contents
}

#[test]
fn the_summary() {
    insta::assert_snapshot!(render::summary(&sample::small()));
}

#[test]
fn the_summary_of_a_run_that_was_stopped() {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases.truncate(1);
    report.targets[0].stopped = Some("the target stopped answering after 1.1.1".to_owned());
    insta::assert_snapshot!(render::summary(&report));
}

#[test]
fn the_summary_names_what_is_flaky() {
    let text = render::summary(&repeated::report());
    let flaky = &text[text.find("flaky:").expect("there is one")..];
    insta::assert_snapshot!(flaky, @"
    flaky: not the same verdict each time (1)
        1.1.1  pass (close pass) 2, fail 1, pass (close unclean) 1 of 4

      Repeat one alone:
        wsgrade test ws://127.0.0.1:9001/ -c 2.5 --seed 42
        wsgrade test ws://127.0.0.1:9001/ -c 3.1 --seed 42
        wsgrade test ws://127.0.0.1:9001/ -c 2.6 --seed 42
    ");
    assert!(!render::summary(&sample::small()).contains("flaky"));
}

#[test]
fn the_summary_tells_what_was_expected_at_the_end() {
    let text = render::summary(&variants::expected_of_one());
    let start = text.find("\n  fail: the connection").expect("something nobody expected is broken");
    insta::assert_snapshot!(&text[start..], @"

      fail: the connection ended wrongly (1)
        3.1     Small text with RSV1 set            RFC 6455 7.1.7  it waited for us to · close: wrong-side

      non-strict: the connection did not end as it should (1)
        2.6     Ping in single-byte writes                          close: failed-by-peer

      inconclusive: our side or the network failed (1)
        F.1     Frame without a mask from a client  RFC 6455 5.1

      unimplemented: not counted (1)
        12.1.1  Compressed messages of 16 bytes     RFC 6455 5.2    the offer was declined

      informational: not counted (1)
        7.7.1   Close with status code 1012         RFC 6455 7.1.7  answered with 1012

      Repeat one alone:
        wsgrade test ws://127.0.0.1:9001/ -c 3.1 --seed 42
        wsgrade test ws://127.0.0.1:9001/ -c 2.6 --seed 42

    expected deviations (2): not counted by the gate
      2.5  ws 8.18: fail, close unclean: see issue 12 (until 2027-04-01)
      6.3.1  ws 8.18: non-strict, close wrong-code: UTF-8 is checked late
    expectations that are not true (3)
      expectation 1 (`2.5`, `7.*`) expects fail with close unclean, but 7.7.1 passes: narrow the entry to those that do not
      expectation 3 (`1.*`) expects pass with close unclean, but 1.1.1, 1.1.2, 1.1.3, 1.1.4 pass: delete the entry, or narrow it
      expectation 4 (`zz`) matches no case: delete the entry
    ");
    let hostile = render::summary(&variants::hostile_expectations());
    assert!(hostile.chars().all(|c| c == '\n' || !c.is_control()) && !hostile.contains('\u{202e}'));
}

/// Many cases of one entry are one line.
#[test]
fn what_many_cases_have_in_common_is_told_once() {
    let mut report = variants::broken(40);
    let entry = crate::expecting::judged().expectations.remove(0);
    report.expectations = vec![entry];
    report.targets[0].cases.iter_mut().for_each(|record| record.expected = Some(0));
    insta::assert_snapshot!(render::expectations::text(&report), @r#"
    expected deviations (40): not counted by the gate
      1.1.0  reference-server: non-strict, close pass: see issue 12 (until 2027-04-01)
      1.1.1, 1.1.2, 1.1.3, 1.1.4, 1.1.5, 1.1.6, 1.1.7, 1.1.8 and 31 more  reference-server: fail, close pass: see issue 12 (until 2027-04-01)
    expectations that are not true (2)
      expectation 1 (`2.5`, `7.*`) expects fail with close unclean, but 7.7.1 of ws 8.18 </script><img src=x onerror=alert(1)> " ' & {{ 7*7 … passes: narrow the entry to those that do not
      expectation 1 (`2.5`, `7.*`) expects fail with close unclean, but 2.5, 7.7.1 of reference-server pass: narrow the entry to those that do not
    "#);
}

#[test]
fn the_summary_of_nothing() {
    let mut report = sample::small();
    report.targets.clear();
    insta::assert_snapshot!(render::summary(&report));
}

#[test]
fn nothing_in_the_summary_moves_a_terminal() {
    let text = render::summary(&sample::small());
    assert!(text.contains("\\u{1b}[31m"), "the escape is there to be seen");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn the_junit_file() {
    insta::assert_snapshot!(junit(&sample::small()));
}

#[test]
fn the_junit_file_of_an_empty_run_is_an_error() {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases.clear();
    assert!(junit(&report).contains(r#"tests="1" skipped="0" errors="1" failures="0""#));
    report.targets[0].stopped = Some("connection refused".to_owned());
    assert!(junit(&report).contains(r#"<error message="connection refused" type="stopped"/>"#));
    report.targets.clear();
    assert!(junit(&report).contains(r#"<error message="the run had no target" type="empty-run"/>"#));
}

#[test]
fn the_junit_file_has_no_character_that_xml_forbids() {
    let xml = junit(&sample::small());
    assert!(
        xml.chars()
            .all(|c| c == '\n' || (c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')))
    );
    assert!(!xml.contains("<img"));
    assert!(xml.contains("&lt;/script&gt;&lt;img"));
}

#[test]
fn carriers_are_told_apart_where_there_are_several() {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases = vec![sample::passed("1.1.1", "tcp"), sample::passed("1.1.1", "h2")];
    let xml = junit(&report);
    assert!(xml.contains(r#"name="1.1.1 Text message with empty payload (tcp)""#), "{xml}");
    assert!(xml.contains(r#"name="1.1.1 Text message with empty payload (h2)""#));
}

#[test]
fn odd_durations_are_no_harm() {
    let mut report = sample::small();
    report.duration_ms = f64::NAN;
    report.targets[0].cases[0].duration_ms = -1.0;
    report.targets[0].cases[1].duration_ms = f64::INFINITY;
    assert!(junit(&report).contains("testsuite "));
    assert!(!render::summary(&report).is_empty());
}
