//! Two runs, and what is different.

use insta::assert_snapshot;
use quickcheck::quickcheck;
use wsgrade_reports::baseline::{Baseline, Durations};
use wsgrade_reports::compare::{Change, Comparison, Side, Which};
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, Role, RunReport, Shard};
use wsgrade_reports::render;

use crate::any::AnyRun;
use crate::sample::{self, faultless as good, record};

fn compared(old: &RunReport, new: &RunReport) -> Comparison {
    Comparison::of(&Side::from(old), &Side::from(new))
}

/// One case of every kind of change.
fn changed() -> (RunReport, RunReport) {
    let (mut old, mut new) = (good(), good());
    record(&mut new, "2.5").behavior = Behavior::Fail;
    record(&mut new, "2.6").close = CloseVerdict::Dropped;
    record(&mut new, "2.6").close_code = None;
    record(&mut new, "12.1.1").behavior = Behavior::Unimplemented;
    record(&mut old, "3.1").behavior = Behavior::NonStrict;
    record(&mut new, "6.3.1").close_code = Some(1001);
    record(&mut new, "7.7.1").behavior = Behavior::Informational;
    record(&mut new, "1.1.2").duration_ms = 1200.0;
    record(&mut new, "1.1.3").behavior = Behavior::Inconclusive;
    old.targets[0].cases.retain(|record| record.id != "F.1");
    new.targets[0].cases.retain(|record| record.id != "1.1.4");
    (old, new)
}

#[test]
fn every_kind_of_change_is_told() {
    let (old, new) = changed();
    let comparison = compared(&old, &new);
    assert!(!comparison.is_empty());
    let counts = Change::ALL.map(|change| comparison.count(change));
    assert_eq!(counts, [3, 1, 2, 1, 1, 1, 1]);
    assert_snapshot!(render::comparison::text(&comparison, Some(&new)), @"
    reference-server: 3 regressed, 1 fixed, 2 changed, 1 undecided, 1 slower, 1 added, 1 removed (9 cases compared)

      regressed (3): worse than before
        2.5     pass (1000) → fail (1000)  Ping with 126 bytes of payload
        2.6     pass (1000) → pass, close dropped  Ping in single-byte writes
        12.1.1  pass (1000) → unimplemented (1000)  Compressed messages of 16 bytes

      fixed (1): better than before
        3.1  non-strict (1000) → pass (1000)  Small text with RSV1 set

      changed (2): as good as before, and not the same
        6.3.1  pass (1000) → pass (1001)  Invalid UTF-8 in one frame
        7.7.1  pass (1000) → informational (1000)  Close with status code 1012

      undecided (1): inconclusive on one side, so nothing can be said
        1.1.3  pass (1000) → inconclusive (1000)  Text message of 125 bytes

      slower (1): more than twice as long, and more than 250 ms longer
        1.1.2  pass (1000), 3 ms → 1.20 s  Text message of a million bytes

      added (1): not there before
        F.1  pass (1000)  Frame without a mask from a client

      removed (1): not there any more
        1.1.4  pass (1000)  Text message of 126 bytes
    ");
    assert_snapshot!(render::comparison::markdown(&comparison, Some(&new)), @"
    | target | compared | regressed | fixed | changed | undecided | slower | added | removed |
    |---|--:|--:|--:|--:|--:|--:|--:|--:|
    | reference-server | 9 | 3 | 1 | 2 | 1 | 1 | 1 | 1 |

    **reference-server**

    | | case | before | now | |
    |---|---|---|---|---|
    | regressed | 2.5 | pass (1000) | fail (1000) | Ping with 126 bytes of payload |
    | regressed | 2.6 | pass (1000) | pass, close dropped | Ping in single-byte writes |
    | regressed | 12.1.1 | pass (1000) | unimplemented (1000) | Compressed messages of 16 bytes |
    | fixed | 3.1 | non-strict (1000) | pass (1000) | Small text with RSV1 set |
    | changed | 6.3.1 | pass (1000) | pass (1001) | Invalid UTF-8 in one frame |
    | changed | 7.7.1 | pass (1000) | informational (1000) | Close with status code 1012 |
    | undecided | 1.1.3 | pass (1000) | inconclusive (1000) | Text message of 125 bytes |
    | slower | 1.1.2 | pass (1000) | pass (1000), 3 ms → 1.20 s | Text message of a million bytes |
    ");
}

#[test]
fn nothing_different_is_told_in_a_line() {
    let report = good();
    let comparison = compared(&report, &report);
    assert!(comparison.is_empty());
    assert_snapshot!(render::comparison::text(&comparison, None), @"reference-server: nothing is different in 11 cases");
    assert_snapshot!(render::comparison::markdown(&comparison, None), @"
    | target | compared | regressed | fixed | changed | undecided | slower | added | removed |
    |---|--:|--:|--:|--:|--:|--:|--:|--:|
    | reference-server | 11 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
    ");
}

/// Our side may fail at any time, and then the target has neither lost nor won.
#[test]
fn inconclusive_is_neither_fixed_nor_regressed() {
    let (good, mut shaky) = (good(), good());
    record(&mut shaky, "2.5").behavior = Behavior::Inconclusive;
    record(&mut shaky, "2.5").close = CloseVerdict::Unclean;
    record(&mut shaky, "2.5").duration_ms = 60_000.0;
    for (old, new) in [(&good, &shaky), (&shaky, &good)] {
        let comparison = compared(old, new);
        let [target] = comparison.targets.as_slice() else { panic!("one target") };
        assert_eq!(target.deltas.len(), 1);
        assert_eq!((target.deltas[0].change, target.deltas[0].slower), (Change::Undecided, false));
    }
    assert!(compared(&shaky, &shaky).is_empty());
}

#[test]
fn a_hostile_name_is_made_visible() {
    let (mut old, mut new) = (good(), good());
    new.targets[0].name = sample::HOSTILE.to_owned();
    new.cases[0].title = format!("A title | {}", sample::HOSTILE);
    record(&mut new, "1.1.1").behavior = Behavior::Fail;
    let comparison = compared(&old, &new);
    let (text, markdown) = (
        render::comparison::text(&comparison, Some(&new)),
        render::comparison::markdown(&comparison, Some(&new)),
    );
    for out in [&text, &markdown] {
        assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out}");
        assert!(!out.contains('\u{202e}'), "{out}");
    }
    assert!(!markdown.contains("<img") && !markdown.contains("<!--"), "{markdown}");
    assert!(markdown.contains("A title \\|"), "{markdown}");
    // The same name on both sides is no news.
    old.targets[0].name = sample::HOSTILE.to_owned();
    assert_eq!(compared(&old, &new).notes, [""; 0]);
}

#[test]
fn one_target_each_is_compared_whatever_it_is_called() {
    let (old, mut new) = (good(), good());
    new.targets[0].name = "another".to_owned();
    new.targets[0].role = Role::Client;
    new.targets[0].cases.iter_mut().for_each(|record| record.role = Role::Client);
    let comparison = compared(&old, &new);
    assert_eq!(comparison.targets[0].compared, 11);
    assert!(comparison.is_empty(), "{comparison:?}");
    assert_eq!(
        comparison.notes,
        [
            "another (client) is compared with reference-server (server): they are the only ones left of their kind"
        ]
    );
}

#[test]
fn several_targets_are_matched_by_name_and_role() {
    let (mut old, mut new) = (sample::large(3, 5, 0), sample::large(3, 5, 0));
    new.targets.swap(0, 2);
    let comparison = compared(&old, &new);
    let places: Vec<_> = comparison.targets.iter().map(|target| (target.old, target.new)).collect();
    assert_eq!(places, [(2, 0), (1, 1), (0, 2)]);
    assert!(comparison.is_empty());

    // What is left on either side belongs together, as long as it is one.
    new.targets[1].name = "websockets 16.0".to_owned();
    assert_eq!(compared(&old, &new).notes.len(), 1);
    assert_eq!(compared(&old, &new).targets.len(), 3);

    new.targets[0].name = "tokio-tungstenite 0.29".to_owned();
    let comparison = compared(&old, &new);
    assert_eq!(comparison.targets.len(), 1);
    assert!(!comparison.is_empty());
    assert_snapshot!(render::comparison::text(&comparison, None), @"
    ws 8.18.3: nothing is different in 5 cases

    websockets 15.0 (server) is only on the old side, so nothing of it is compared
    tokio-tungstenite 0.28 (server) is only on the old side, so nothing of it is compared
    tokio-tungstenite 0.29 (server) is only on the new side, so nothing of it is compared
    websockets 16.0 (server) is only on the new side, so nothing of it is compared
    note: targets are matched by name and role: give both runs the same names, or compare files of one target each
    ");

    old.targets.truncate(1);
    let comparison = compared(&old, &new);
    let places: Vec<_> = comparison.unmatched.iter().map(|unmatched| (unmatched.on, unmatched.at)).collect();
    assert_eq!(places, [(Which::New, 0), (Which::New, 1)]);
}

#[test]
fn unlike_catalogues_are_compared_by_id_with_a_note() {
    let (old, mut new) = (good(), good());
    new.catalogue.digest = "ffff0000ffff0000ffff".to_owned();
    record(&mut new, "2.5").behavior = Behavior::Fail;
    let comparison = compared(&old, &new);
    assert_eq!(comparison.count(Change::Regressed), 1);
    assert_snapshot!(comparison.notes.join("\n"), @"the catalogues are not the same (1f3a5c7e9b0… and ffff0000fff…): cases are compared by their ids, and some may test something else than they did");
}

#[test]
fn durations_of_unlike_depths_are_not_compared() {
    let (old, mut new) = (good(), good());
    record(&mut new, "2.5").duration_ms = 9000.0;
    assert_eq!(compared(&old, &new).count(Change::Slower), 1);
    new.options.depth = None;
    let comparison = compared(&old, &new);
    assert_eq!(comparison.count(Change::Slower), 0);
    assert_eq!(
        comparison.notes,
        ["the exchanges had not the same depth (10 and full), so durations are not compared"]
    );
}

#[test]
fn a_shard_is_not_blamed_for_what_it_does_not_hold() {
    let (old, mut new) = (good(), good());
    new.shard = Some(Shard { index: 1, count: 2 });
    new.targets[0].cases.truncate(4);
    record(&mut new, "1.1.4").behavior = Behavior::Fail;
    for (old, new, change) in [(&old, &new, Change::Regressed), (&new, &old, Change::Fixed)] {
        let comparison = compared(old, new);
        assert_eq!(comparison.targets[0].compared, 4);
        assert_eq!(comparison.targets[0].deltas.len(), 1);
        assert_eq!(comparison.count(change), 1);
        assert!(comparison.notes[0].contains("shard 1 of 2"), "{:?}", comparison.notes);
    }
}

#[test]
fn carriers_are_compared_apart() {
    let (mut old, mut new) = (good(), good());
    let record = |carrier, behavior| CaseRecord { behavior, ..sample::passed("1.1.1", carrier) };
    old.targets[0].cases = vec![record("tcp", Behavior::Pass), record("tls", Behavior::Fail)];
    new.targets[0].cases = vec![record("tcp", Behavior::Fail), record("tls", Behavior::Fail)];
    let comparison = compared(&old, &new);
    assert_eq!(comparison.targets[0].deltas.len(), 1);
    assert_eq!(comparison.targets[0].deltas[0].key.carrier, "tcp");
}

/// The index.json that we write ourselves is one of the old tool's as well.
fn index(report: &RunReport) -> String {
    let files = render::autobahn::render(report);
    files.into_iter().find(|file| file.name == "index.json").expect("it is written").contents
}

#[test]
fn the_old_tools_index_is_a_side() {
    let (old, new) = changed();
    let before = Side::read("index.json", &index(&old)).expect("an index");
    let comparison = Comparison::of(&before, &Side::from(&new));
    // To the old tool TCP that was dropped is no fault; it takes no times that are like ours.
    let changes = |change| {
        let ids = comparison.targets[0].of(change).map(|delta| delta.key.id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(changes(Change::Regressed), ["2.5", "12.1.1"]);
    assert_eq!(changes(Change::Fixed), ["3.1"]);
    assert_eq!(changes(Change::Changed), ["2.6", "6.3.1", "7.7.1"]);
    assert_eq!(changes(Change::Slower), [""; 0]);
    assert_eq!(changes(Change::Undecided), ["1.1.3"]);
    assert_eq!(comparison.targets[0].role, Some(Role::Server));
    assert!(comparison.notes[0].contains("judged by Autobahn|Testsuite"), "{:?}", comparison.notes);

    // Two of them are of one kind, and their times as well. What was inconclusive is there a failure.
    let after = Side::read("index.json", &index(&new)).expect("an index");
    let comparison = Comparison::of(&before, &after);
    assert_eq!((comparison.count(Change::Slower), comparison.notes.len()), (1, 0));
    assert_eq!(comparison.count(Change::Regressed), 3);
    assert!(Comparison::of(&after, &after).is_empty());
}

#[test]
fn what_a_file_is_is_seen_by_what_it_holds() {
    let report = good();
    let json = render::json::render(&report).remove(0).contents;
    let baseline = Baseline::from_report(&report, Durations::Keep).expect("a whole run").to_text();
    for text in [json, baseline, index(&report)] {
        let side = Side::read("a file", &text).expect(&text);
        assert!(Comparison::of(&Side::from(&report), &side).is_empty());
    }
}

#[test]
fn what_is_no_side_is_told_with_its_file() {
    let said = |text: &str| Side::read("a.json", text).expect_err(text).to_string();
    let entry = r#"{"ws": {"1.1.1": {"behavior": "OK", "behaviorClose": "FINE"}}}"#;
    let texts = [
        said(""),
        said("[]"),
        said("{}"),
        said(r#"{"schema": 99}"#),
        said(r#"{"ws": 1}"#),
        said(r#"{"ws": {"1.1.1": {"behavior": "GOOD", "behaviorClose": "OK"}}}"#),
        said(entry),
    ];
    assert_snapshot!(texts.join("\n"), @"
    a.json:1: the file ends without `wsgrade-baseline 1`: it is no baseline
      help: write it anew by `wsgrade report baseline RUN.JSON`
    a.json:1: this is no baseline: its first line, comments aside, is not `wsgrade-baseline 1`
      help: give a baseline, a run.json, or an index.json of Autobahn|Testsuite
    a.json: this index.json is empty: Autobahn|Testsuite writes that where it could not connect
    a.json: this record has schema version 99, and this build reads versions up to 4: read it with the wsgrade that wrote it, or a later one
    a.json: this is neither a run record nor an index.json of Autobahn|Testsuite: invalid type: integer `1`, expected a map at line 1 column 8
    a.json: ws, case 1.1.1: `GOOD` is no behavior of Autobahn|Testsuite: it has `OK`, `INFORMATIONAL`, `UNIMPLEMENTED`, `NON-STRICT`, `FAILED`
    a.json: ws, case 1.1.1: `FINE` is no behaviorClose of Autobahn|Testsuite: it has `OK`, `INFORMATIONAL`, `WRONG CODE`, `UNCLEAN`, `FAILED BY CLIENT`, `FAILED`, `UNIMPLEMENTED`, `NON-STRICT`
    ");
}

quickcheck! {
    fn a_run_is_like_itself(run: AnyRun) -> bool {
        let comparison = compared(&run.0, &run.0);
        comparison.is_empty()
            && comparison.notes.is_empty()
            && comparison.targets.iter().all(|target| target.old == target.new)
    }

    /// What is worse in one direction is better in the other, and what is only in one only in the other.
    fn the_other_way_round_is_the_opposite(a: AnyRun, b: AnyRun) -> bool {
        let (there, back) = (compared(&a.0, &b.0), compared(&b.0, &a.0));
        let opposite = [
            (Change::Regressed, Change::Fixed),
            (Change::Fixed, Change::Regressed),
            (Change::Undecided, Change::Undecided),
            (Change::Added, Change::Removed),
            (Change::Removed, Change::Added),
        ];
        opposite.into_iter().all(|(one, other)| there.count(one) == back.count(other))
            && there.unmatched.len() == back.unmatched.len()
    }

    fn a_baseline_says_the_same_of_verdicts(a: AnyRun, b: AnyRun) -> bool {
        let baseline = Baseline::from_report(&a.0, Durations::Leave).expect("a whole run");
        let by_file = Comparison::of(&Side::from(&baseline), &Side::from(&b.0));
        let direct = compared(&a.0, &b.0);
        [Change::Regressed, Change::Fixed, Change::Added, Change::Removed]
            .into_iter()
            .all(|change| by_file.count(change) == direct.count(change))
    }
}
