//! Shards of one run, put together.

use insta::assert_snapshot;
use quickcheck::quickcheck;
use wsgrade_reports::expect::{Expectation, Matching, apply};
use wsgrade_reports::merge::{MergeError, Part, merge};
use wsgrade_reports::record::{Behavior, ProcessInfo, RunReport, Shard};

use crate::any::AnyRun;
use crate::sample;

/// A run in which every target has a record of every case.
fn whole() -> RunReport {
    let mut report = sample::small();
    for target in &mut report.targets {
        target.process = None;
    }
    report
}

/// Cuts a run into so many shards: `place` gives each case, by its number, the shard from 0 that it is played in.
fn split(report: &RunReport, count: u32, place: impl Fn(usize) -> u32) -> Vec<Part> {
    let at = |id: &str| report.cases.iter().position(|case| case.id == id).expect("it is described");
    (0..count)
        .map(|index| {
            let mut part = report.clone();
            part.shard = Some(Shard { index: index + 1, count });
            for target in &mut part.targets {
                target.cases.retain(|record| place(at(&record.id)) % count == index);
            }
            Part { file: format!("{}.json", index + 1), report: part }
        })
        .collect()
}

/// Three shards, a case each in turn.
fn three() -> Vec<Part> {
    split(&whole(), 3, |n| n as u32)
}

fn refused(change: impl FnOnce(&mut Vec<Part>)) -> String {
    let mut parts = three();
    change(&mut parts);
    merge(parts).expect_err("they are not the shards of one run").to_string()
}

#[test]
fn shards_make_the_whole_run_in_whatever_order_they_come() {
    let mut parts = three();
    parts.rotate_left(1);
    assert_eq!(merge(parts).expect("all are there"), whole());
}

#[test]
fn one_shard_of_one_is_a_run() {
    assert_eq!(merge(split(&whole(), 1, |_| 0)).expect("it is there"), whole());
}

#[test]
fn a_shard_may_have_nothing_of_a_target() {
    assert_eq!(merge(split(&whole(), 3, |_| 1)).expect("all are there"), whole());
}

#[test]
fn what_can_only_be_one_is_combined() {
    let mut parts = three();
    for (part, (started, duration)) in parts.iter_mut().zip([("30", 5.0), ("10", 9.0), ("20", 7.0)]) {
        part.report.started = format!("2026-01-02T03:04:{started}Z");
        part.report.duration_ms = duration;
        part.report.seed = duration as u64;
        part.report.targets[1].name = format!("ws://127.0.0.1:{}/", started);
        part.report.targets[1].url = format!("ws://127.0.0.1:{}/", started);
        part.report.targets[0].process = Some(ProcessInfo {
            command: "./server".to_owned(),
            peak_rss_bytes: Some(duration as u64 * 100),
            cpu_ms: Some(duration),
            exit: None,
            output_tail: Some(format!("listening {started}")),
        });
    }
    let merged = merge(parts.clone()).expect("all are there");
    assert_eq!((merged.started.as_str(), merged.duration_ms, merged.seed), ("2026-01-02T03:04:10Z", 9.0, 5));
    assert_eq!(merged.targets[1].url, "ws://127.0.0.1:30/");
    let process = ProcessInfo {
        command: "./server".to_owned(),
        peak_rss_bytes: Some(900),
        cpu_ms: Some(21.0),
        exit: None,
        output_tail: Some("listening 30".to_owned()),
    };
    assert_eq!(merged.targets[0].process, Some(process.clone()));

    // What died has more to say than what lived, and its part of the cases may be missing.
    let third = &mut parts[2].report.targets[0];
    third.stopped = Some("the process died".to_owned());
    third.cases.clear();
    let died = third.process.as_mut().expect("it was started");
    died.exit = Some("signal 11 (SIGSEGV)".to_owned());
    died.output_tail = Some("oh no".to_owned());
    let merged = merge(parts).expect("all are there");
    assert_eq!(merged.targets[0].stopped.as_deref(), Some("in shard 3: the process died"));
    let expected = ProcessInfo {
        exit: Some("signal 11 (SIGSEGV) in shard 3".to_owned()),
        output_tail: Some("oh no".to_owned()),
        ..process
    };
    assert_eq!(merged.targets[0].process, Some(expected));
    assert_eq!((merged.targets[0].cases.len(), merged.targets[1].cases.len()), (8, 11));
}

#[test]
fn what_is_not_all_the_shards_of_one_run_is_refused() {
    let said = [
        refused(Vec::clear),
        refused(|parts| parts[1].report.shard = None),
        refused(|parts| parts[1].report.fuzz = crate::fuzzing::campaign().fuzz),
        refused(|parts| parts[1].report.shard = Some(Shard { index: 4, count: 3 })),
        refused(|parts| parts[1].report.shard = Some(Shard { index: 2, count: u32::MAX })),
        refused(|parts| parts[1].report.shard = Some(Shard { index: 2, count: 4 })),
        refused(|parts| parts[1].report.shard = Some(Shard { index: 1, count: 3 })),
        refused(|parts| drop(parts.remove(1))),
        refused(|parts| parts.truncate(1)),
        refused(|parts| parts[1].report.tool.version = "0.2.0".to_owned()),
        refused(|parts| parts[2].report.catalogue.digest = format!("abc {}", sample::HOSTILE)),
        refused(|parts| parts[2].report.options.cases = vec!["6.*".to_owned()]),
        refused(|parts| parts[2].report.options.exclude.clear()),
        refused(|parts| parts[2].report.options.depth = None),
        refused(|parts| parts[2].report.options.jobs = 1),
        refused(|parts| parts[2].report.options.timeout_ms = 1),
        refused(|parts| parts[2].report.options.close_timeout_ms = 1),
        refused(|parts| parts[2].report.options.connect_timeout_ms = 1),
        refused(|parts| parts[2].report.options.prelude.clear()),
        refused(|parts| parts[2].report.cases.truncate(10)),
        refused(|parts| parts[2].report.cases.swap(0, 1)),
        refused(|parts| parts[2].report.targets.truncate(1)),
        refused(|parts| parts[0].report.targets.truncate(1)),
        refused(|parts| parts[2].report.targets[1].agent = Some("another/1".to_owned())),
        refused(|parts| {
            let record = parts[0].report.targets[0].cases[0].clone();
            parts[1].report.targets[0].cases.push(record);
        }),
        refused(|parts| drop(parts[0].report.targets[0].cases.remove(1))),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    there is nothing to put together
    2.json is no shard: its run was played without --shard, so there is nothing to add to it
    2.json is the record of a fuzz run, which has no shards
    2.json says that it is shard 4 of 3, which cannot be
    2.json says that it is shard 2 of 4294967295, which cannot be
    1.json and 2.json are not of one run: how many shards there are is 3 and 4; play all shards with the same wsgrade and the same options
    1.json and 2.json are both shard 1 of 3: leave one of them out
    shard 2 of 3 is missing: all shards are needed, since what was not played cannot be judged
    shards 2 and 3 of 3 are missing: all shards are needed, since what was not played cannot be judged
    1.json and 2.json are not of one run: they were made by wsgrade 0.1.0 and wsgrade 0.2.0; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: the catalogues are 1f3a5c7e9b0d2f4a6c8e0b1d3f5a7c9e0b2d4f6a and abc </script><img src=x onerror=alert(1)> " ' & {{ 7*7 }} \u{0} \u{1b}[31m \u{202e}evil\u{202c} ]]>…; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --case is nothing and 6.*; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --exclude is 9.* and nothing; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --depth is 10 and full; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --jobs is 8 and 1; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --timeout in milliseconds is 2000 and 1; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --close-timeout in milliseconds is 1000 and 1; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: --connect-timeout in milliseconds is 3000 and 1; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: the prelude is send text, 5 bytes "login" and nothing; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: what was selected is 11 cases and 10 cases; play all shards with the same wsgrade and the same options
    1.json and 3.json are not of one run: what was selected holds case 1.1.1 and case 1.1.2; play all shards with the same wsgrade and the same options
    reference-server (server, wsgrade-reference-server/0.1.0) is in 1.json and not in 3.json: play every shard against the same targets
    reference-server (server, wsgrade-reference-server/0.1.0) is in 2.json and not in 1.json: play every shard against the same targets
    reference-server (server, wsgrade-reference-server/0.1.0) is in 1.json and not in 3.json: play every shard against the same targets
    case 1.1.1 is in 1.json and in 2.json: the run was not cut alike; give every shard the same --durations file, or none
    case 1.1.4 is in no shard: the run was not cut alike; give every shard the same --durations file, or none
    "#);
}

/// Each shard is judged by itself, and their sum is the whole run judged.
#[test]
fn what_was_expected_is_put_together() {
    let new = |cases: &str| {
        Expectation::new(vec![cases.to_owned()], Behavior::Fail, None, "a known bug").expect("a deviation")
    };
    // The first two cases are in shards 1 and 2, the last one of these is in no record of the first two.
    let list = [
        new("1.1.1"),
        new("1.*"),
        new("1.1.3"),
        new("ZZ"),
        new("2.5").until("2020-01-01".parse().expect("a day")),
    ];
    let judged = |report: &mut RunReport| {
        let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(head) => text.starts_with(head),
            None => text == pattern,
        };
        let today = "2027-03-01".parse().expect("a day");
        apply(report, &list, today, &Matching { matches: &matches, known: &[] });
    };
    let mut whole = whole();
    whole.targets.remove(0);
    sample::record(&mut whole, "1.1.3").behavior = Behavior::Fail;
    let mut parts = split(&whole, 3, |n| n as u32);
    parts.iter_mut().for_each(|part| judged(&mut part.report));
    let merged = merge(parts).expect("all are there");
    let said: Vec<_> = merged.expectations.iter().flat_map(|entry| entry.complaints.clone()).collect();
    assert_snapshot!(said.join("\n"), @"
    expectation 1 (`1.1.1`) expects fail, but 1.1.1 passes: delete the entry, or narrow it
    expectation 2 (`1.*`) expects fail, but 1.1.4 passes: delete the entry, or narrow it
    expectation 2 (`1.*`) expects fail, but 1.1.2 passes: delete the entry, or narrow it
    expectation 4 (`ZZ`) matches no case: delete the entry
    expectation 5 (`2.5`) held until 2020-01-01: mend what it is about, or give it another day (a known bug)
    ");
    judged(&mut whole);
    assert_eq!(merged.targets, whole.targets, "the same records meet the same expectations");
    assert_eq!(sample::record(&mut whole, "1.1.3").expected, Some(1));
}

#[test]
fn shards_that_were_judged_otherwise_are_refused() {
    let judged = || split(&crate::expecting::judged(), 3, |n| n as u32);
    assert!(merge(judged()).is_ok());
    let refused = |change: fn(&mut RunReport)| {
        let mut parts = judged();
        change(&mut parts[2].report);
        merge(parts).expect_err("they were not judged alike").to_string()
    };
    let said = [
        refused(|report| report.expectations.clear()),
        refused(|report| report.expectations[0].cases.truncate(1)),
        refused(|report| report.expectations[1].behavior = Behavior::Fail),
        refused(|report| report.expectations[1].close = None),
        refused(|report| report.expectations[0].reason = sample::HOSTILE.to_owned()),
        refused(|report| report.expectations[0].until = None),
        refused(|report| report.expectations[1].target = None),
    ];
    assert_snapshot!(said.join("\n"), @r#"
    1.json and 3.json were not judged by the same expectations: how many there are is 4 and 0; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `cases` of expectation 1 is ["2.5", "7.*"] and ["2.5"]; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `behavior` of expectation 2 is non-strict and fail; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `close` of expectation 2 is wrong-code and nothing; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `reason` of expectation 1 is "see issue 12" and "</script><img src=x onerror=alert(1)> \" ' & {{ 7*7 }} \0 \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--"; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `until` of expectation 1 is "2027-04-01" and nothing; play all shards with the same ones
    1.json and 3.json were not judged by the same expectations: `target` of expectation 2 is "ws*" and nothing; play all shards with the same ones
    "#);
}

#[test]
fn the_missing_are_told_by_number() {
    let mut parts = split(&whole(), 5, |n| n as u32);
    parts.retain(|part| part.file != "2.json" && part.file != "5.json");
    assert_eq!(merge(parts), Err(MergeError::Missing { missing: vec![2, 5], count: 5 }));
}

quickcheck! {
    fn putting_together_what_was_cut_changes_nothing(run: AnyRun, count: u32, salt: u32) -> bool {
        let count = 1 + count % 7;
        let mut parts = split(&run.0, count, |n| (n as u32).wrapping_mul(0x9e37_79b9) ^ salt);
        parts.rotate_left(salt as usize % count as usize);
        merge(parts) == Ok(run.0)
    }

    fn no_shard_can_be_left_out(run: AnyRun, count: u32, salt: u32) -> bool {
        let count = 2 + count % 6;
        let mut parts = split(&run.0, count, |n| (n as u32).wrapping_add(salt));
        let gone = salt as usize % count as usize;
        parts.remove(gone);
        merge(parts) == Err(MergeError::Missing { missing: vec![gone as u32 + 1], count })
    }
}
