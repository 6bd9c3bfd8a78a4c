//! The file for version control.

use insta::assert_snapshot;
use quickcheck::quickcheck;
use wsgrade_reports::baseline::{Baseline, Durations};
use wsgrade_reports::compare::{Comparison, Side};
use wsgrade_reports::record::{RunReport, Shard};

use crate::any::AnyRun;
use crate::sample;

fn baseline(report: &RunReport, durations: Durations) -> Baseline {
    Baseline::from_report(report, durations).expect("a whole run")
}

#[test]
fn the_file() {
    assert_snapshot!(baseline(&sample::small(), Durations::Leave).to_text(), @r#"
    # Verdicts that later runs are compared with: wsgrade test --baseline FILE. One line a case, sorted.
    # Columns: id, carrier, behavior, close, status code of the Close frame or -, and perhaps the time it took.
    # Written by `wsgrade report baseline RUN.JSON`; a line may also be changed by hand.
    wsgrade-baseline 1
    catalogue 1f3a5c7e9b0d2f4a6c8e0b1d3f5a7c9e0b2d4f6a

    target "reference-server" server
    1.1.1        tcp   pass           pass            1000
    1.1.2        tcp   pass           pass            1000
    1.1.3        tcp   pass           pass            1000
    1.1.4        tcp   pass           pass            1000
    2.5          tcp   pass           pass            1000
    2.6          tcp   pass           pass            1000
    3.1          tcp   pass           pass            1000
    6.3.1        tcp   pass           pass            1000
    7.7.1        tcp   pass           pass            1000
    12.1.1       tcp   pass           pass            1000
    F.1          tcp   pass           pass            1000

    target "ws 8.18 </script><img src=x onerror=alert(1)> \" ' & {{ 7*7 }} \u0000 \u001b[31m \u202eevil\u202c ]]> <!--" server
    1.1.1        tcp   pass           pass            1000
    1.1.2        tcp   pass           pass            1000
    1.1.3        tcp   pass           pass            1000
    1.1.4        tcp   pass           pass            1000
    2.5          tcp   fail           unclean         -
    2.6          tcp   pass           failed-by-peer  1000
    3.1          tcp   pass           wrong-side      1000
    6.3.1        tcp   non-strict     wrong-code      1002
    7.7.1        tcp   informational  informational   1000
    12.1.1       tcp   unimplemented  pass            1000
    F.1          tcp   inconclusive   inconclusive    1000
    "#);
}

#[test]
fn the_file_with_durations() {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases.truncate(3);
    report.targets[0].cases[1].duration_ms = 12_345.6;
    assert_snapshot!(baseline(&report, Durations::Keep).to_text(), @r#"
    # Verdicts that later runs are compared with: wsgrade test --baseline FILE. One line a case, sorted.
    # Columns: id, carrier, behavior, close, status code of the Close frame or -, and perhaps the time it took.
    # Written by `wsgrade report baseline RUN.JSON`; a line may also be changed by hand.
    wsgrade-baseline 1
    catalogue 1f3a5c7e9b0d2f4a6c8e0b1d3f5a7c9e0b2d4f6a
    depth 10

    target "ws 8.18 </script><img src=x onerror=alert(1)> \" ' & {{ 7*7 }} \u0000 \u001b[31m \u202eevil\u202c ]]> <!--" server
    1.1.1        tcp   pass           pass            1000  3ms
    1.1.2        tcp   pass           pass            1000  12000ms
    1.1.3        tcp   pass           pass            1000  3ms
    "#);
}

/// Neither when, where nor how fast.
#[test]
fn only_a_verdict_changes_the_file() {
    let report = sample::small();
    let mut other = report.clone();
    other.started = "2030-01-01T00:00:00Z".to_owned();
    other.seed = 7;
    other.targets[1].url = "ws://elsewhere/".to_owned();
    other.targets.swap(0, 1);
    for record in other.targets.iter_mut().flat_map(|target| &mut target.cases) {
        record.duration_ms *= 100.0;
        record.findings.clear();
    }
    other.targets[0].cases.reverse();
    let text = |report: &RunReport| baseline(report, Durations::Leave).to_text();
    assert_eq!(text(&report), text(&other));
    other.targets[0].cases[0].close_code = Some(4000);
    assert_ne!(text(&report), text(&other));
}

/// A server that we started is on another port each time.
#[test]
fn a_server_by_its_command_is_called_by_it() {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].name = "ws://127.0.0.1:4001/".to_owned();
    let named = |report: &RunReport| baseline(report, Durations::Leave).targets[0].name.clone();
    assert_eq!(named(&report), "ws://127.0.0.1:4001/");
    report.targets[0].url = "ws://127.0.0.1:4001/".to_owned();
    let command = report.targets[0].process.as_ref().expect("it was started").command.clone();
    assert_eq!(named(&report), command);
    assert_eq!(Side::from(&report).targets[0].name, command);
    report.targets[0].process = None;
    assert_eq!(named(&report), "ws://127.0.0.1:4001/");
}

#[test]
fn a_case_more_moves_no_other_line() {
    let mut report = sample::small();
    let before = baseline(&report, Durations::Leave).to_text();
    report.targets[1].cases.push(sample::passed("999.10.100-with-a-long-tail", "tls"));
    let after = baseline(&report, Durations::Leave).to_text();
    let new: Vec<_> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
    assert_eq!(new, ["999.10.100-with-a-long-tail tls   pass           pass            1000"]);
}

#[test]
fn what_a_person_does_to_the_file_is_no_harm() {
    let whole = baseline(&sample::small(), Durations::Leave);
    let text = whole.to_text();
    let edited = format!("# mine\n\n{}\n  # more\n", text.replace("   ", "\t").replace('\n', "\r\n"));
    assert_eq!(Baseline::parse("a", &edited).expect("still a baseline"), whole);
    // Sorted by hand or by a merge, it is written sorted.
    let mut lines: Vec<_> = text.lines().collect();
    let last = lines.len() - 1;
    lines.swap(last, last - 1);
    assert_eq!(Baseline::parse("a", &lines.join("\n")).expect("still a baseline").to_text(), text);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_how_to_mend_it() {
    let head = "wsgrade-baseline 1\ncatalogue abc\n";
    let with = |rest: &str| format!("{head}{rest}");
    let target = |rest: &str| format!("{head}target \"ws\" server\n{rest}");
    let said = [
        String::new(),
        "hello\n".to_owned(),
        "wsgrade-baseline 2\n".to_owned(),
        "wsgrade-baseline one\n".to_owned(),
        "wsgrade-baseline 1\ntarget \"ws\" server\n1.1.1 tcp pass pass -\n".to_owned(),
        with(""),
        with("catalogue def\n"),
        with("depth deep\n"),
        with("target ws\n"),
        with("target ws sever\n"),
        with("target \"ws server\n"),
        with("1.1.1 tcp pass pass -\n"),
        target(""),
        target("1.1.1 tcp pas pass -\n"),
        target("1.1.1 tcp pass clean -\n"),
        target("1.1.1 tcp pass wrong_code -\n"),
        target("1.1.1 tcp pass pass 70000\n"),
        target("1.1.1 tcp pass pass - soon\n"),
        target("1.1.1 tcp pass pass - 12ms\n"),
        target("1.1.1 tcp pass\n"),
        target("targte \u{1b}[31m\n"),
        target("1.1.1 tcp pass pass -\n1.1.1 tls pass pass -\n1.1.1 tcp fail pass -\n"),
        target("<<<<<<< HEAD\n1.1.1 tcp pass pass -\n"),
    ]
    .map(|text| Baseline::parse("baseline.txt", &text).expect_err(&text).to_string());
    assert_snapshot!(said.join("\n"), @r#"
    baseline.txt:1: the file ends without `wsgrade-baseline 1`: it is no baseline
      help: write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:1: this is no baseline: its first line, comments aside, is not `wsgrade-baseline 1`
      help: give a baseline, a run.json, or an index.json of Autobahn|Testsuite
    baseline.txt:1: this baseline has format 2, and this build reads formats up to 1
      help: read it with the wsgrade that wrote it or a later one, or write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:1: the number of a format is a whole number from 1
      help: write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:3: the file ends without `catalogue`
      help: write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:2: the file ends without a target
      help: write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:3: `catalogue` is there already
      help: delete one of the two
    baseline.txt:3: `deep` is no depth
      help: a depth is `full` or a number of messages
    baseline.txt:3: `target` wants a name and a role
      help: write it as `target "its name" server`
    baseline.txt:3: unknown role `sever`
      help: did you mean `server`?
    baseline.txt:3: "ws server is no string
      help: a string stands between quotes, with \" for a quote and \\ for a backslash in it
    baseline.txt:3: a case before the first target
      help: put `target "its name" server` above it
    baseline.txt:3: target ws has no case
      help: write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:4: unknown behavior `pas`
      help: did you mean `pass`?
    baseline.txt:4: unknown close verdict `clean`
      help: did you mean `unclean`?
    baseline.txt:4: unknown close verdict `wrong_code`
      help: did you mean `wrong-code`?
    baseline.txt:4: `70000` is no status code
      help: a code is a number such as 1000, or - where there was none
    baseline.txt:4: `soon` is no time
      help: a time is a whole number of milliseconds, such as 120ms
    baseline.txt:4: there are times but no `depth`, without which they cannot be compared
      help: put `depth 10` below `catalogue`, with the depth of that run, or write it anew by `wsgrade report baseline RUN.JSON`
    baseline.txt:4: a case with 3 columns
      help: a case has five columns, or six: id, carrier, behavior, close, code or -, and a time such as 120ms
    baseline.txt:4: `targte` begins no line of a baseline
      help: a case has five columns, or six: id, carrier, behavior, close, code or -, and a time such as 120ms
    baseline.txt:6: case 1.1.1 over tcp is there already, in line 4
      help: delete one of the two
    baseline.txt:4: this is the mark of a merge conflict
      help: keep one line for each case and delete the marks, or write it anew by `wsgrade report baseline RUN.JSON`
    "#);
}

#[test]
fn a_run_that_is_not_whole_makes_none() {
    let said = |change: &dyn Fn(&mut RunReport)| {
        let mut report = sample::small();
        change(&mut report);
        Baseline::from_report(&report, Durations::Leave).expect_err("it is not whole").to_string()
    };
    let said = [
        said(&|report| report.targets.clear()),
        said(&|report| report.targets[1].cases.clear()),
        said(&|report| report.shard = Some(Shard { index: 2, count: 3 })),
        said(&|report| report.targets[0].stopped = Some(format!("gone {}", sample::HOSTILE))),
        said(&|report| report.fuzz = crate::fuzzing::campaign().fuzz),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    no case was played: a baseline without cases would let everything pass
    no case was played against reference-server: a baseline without cases would let everything pass
    this is shard 2 of 3: put the shards together first, by `wsgrade report merge`
    the run against ws 8.18 </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c}… ended before its last case (gone </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--): a baseline of it would miss the rest
    this is the record of a fuzz run, whose cases are other ones each time: take that of `wsgrade test`
    "#);
}

quickcheck! {
    fn what_was_read_is_written_as_it_was(run: AnyRun, keep: bool) -> bool {
        let durations = if keep { Durations::Keep } else { Durations::Leave };
        let first = baseline(&run.0, durations);
        let text = first.to_text();
        let again = Baseline::parse("a", &text).expect("what was written is read");
        again == first && again.to_text() == text
    }

    fn a_run_is_like_its_baseline(run: AnyRun) -> bool {
        let mut run = run.0;
        // Of two targets of one name the file cannot say which is which if the run has them in another order; it has not.
        run.targets.sort_by(|a, b| (&a.name, a.role).cmp(&(&b.name, b.role)));
        let file = Side::from(&baseline(&run, Durations::Keep));
        Comparison::of(&file, &Side::from(&run)).is_empty()
    }

    fn no_text_is_too_odd(text: String) -> bool {
        Baseline::parse("a", &text).is_err()
            & Baseline::parse("a", &format!("wsgrade-baseline 1\n{text}")).is_err()
    }
}
