//! Exchanges from both sides, and how many messages it takes to find what is wrong.

use std::sync::Arc;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::Scenario;
use wsgrade_reports::record::{Behavior, CloseVerdict, Direction, What};

use crate::plan::{Depth, Plan};
use crate::simulated::deflate::{Defect, DeflateServer};
use crate::simulated::{Played, Quirk, play, play_with};

fn case(id: &str) -> &'static Scenario {
    Catalogue::embedded().get(&id.parse().unwrap()).unwrap_or_else(|| panic!("no case {id}"))
}

fn play_at(id: &str, messages: u32, defect: Defect) -> Played {
    let plan = Plan::alone(case(id).at_depth(messages));
    play_with(&plan, &mut DeflateServer::new(defect))
}

#[track_caller]
fn expect(id: &str, messages: u32, defect: Defect, behavior: Behavior, close: CloseVerdict) -> Played {
    let played = play_at(id, messages, defect);
    let judgement = &played.judgement;
    assert_eq!(
        (judgement.behavior, judgement.close),
        (behavior, close),
        "{id} {defect:?}: {:#?}\n{:#?}",
        judgement.findings,
        played.transcript
    );
    played
}

/// What the exchange of a transcript came to: right echoes, of how many, bytes, compressed echoes.
fn exchanged(played: &Played) -> (u32, u32, u64, u32) {
    let found = played.transcript.entries.iter().find_map(|entry| match &entry.what {
        What::Exchanged { messages, of, bytes, compressed, .. } => {
            Some((*messages, *of, *bytes, *compressed))
        }
        _ => None,
    });
    found.expect("the exchange is in the transcript")
}

#[test]
fn a_lawful_server_passes() {
    use Defect::None;
    for id in ["12.1.1", "12.2.5", "12.3.10", "12.4.11", "12.5.16", "13.2.3", "13.3.10", "13.7.18"] {
        let played = expect(id, 20, None, Behavior::Pass, CloseVerdict::Pass);
        let (right, of, _, compressed) = exchanged(&played);
        assert_eq!((right, of, compressed), (20, 20, 20), "{id}");
    }
    let played = expect("12.1.4", 1000, None, Behavior::Pass, CloseVerdict::Pass);
    assert_eq!(exchanged(&played), (1000, 1000, 1_024_000, 1000));
    let frames = |dir| {
        let of_dir =
            |what: &What| matches!(what, What::Frame { dir: d, frame } if *d == dir && frame.opcode == 1);
        played.transcript.entries.iter().filter(|entry| of_dir(&entry.what)).count()
    };
    assert_eq!((frames(Direction::Sent), frames(Direction::Received)), (2, 2), "only the first are told");
}

#[test]
fn declining_is_no_failure() {
    let played = expect("13.3.1", 5, Defect::Declines, Behavior::Unimplemented, CloseVerdict::Pass);
    assert!(played.transcript.entries.iter().any(|entry| matches!(entry.what, What::Declined { .. })));
}

/// A server may agree to compression and not to what the case has to know of ours. Then nothing is sent at all.
#[test]
fn a_case_whose_wish_is_not_granted_is_not_played() {
    let sent = |played: &Played| {
        let ours =
            |what: &What| matches!(what, What::Frame { dir: Direction::Sent, frame } if frame.opcode != 8);
        played.transcript.entries.iter().filter(|entry| ours(&entry.what)).count()
    };
    // The references of D.4.1 need that we may take our window over, and D.8.1 that we may not.
    let granted = play(Arc::new(case("D.4.1").clone()), Quirk::Inflates);
    assert_eq!((granted.judgement.behavior, sent(&granted)), (Behavior::Pass, 2));
    for id in ["D.4.1", "D.8.1", "D.6.1"] {
        let refused = play(Arc::new(case(id).clone()), Quirk::InflatesAlone);
        let wanted = if id == "D.4.1" { (Behavior::Unimplemented, 0) } else { (Behavior::Pass, 2) };
        assert_eq!((refused.judgement.behavior, sent(&refused)), wanted, "{id}");
        let declined = play(Arc::new(case(id).clone()), Quirk::None);
        let judgement = &declined.judgement;
        assert_eq!(
            (judgement.behavior, judgement.close),
            (Behavior::Unimplemented, CloseVerdict::Pass),
            "{id}"
        );
        assert_eq!(sent(&declined), 0, "{id}");
    }
}

#[test]
fn a_bad_answer_to_the_offer_fails() {
    let played = expect("13.3.1", 5, Defect::Refuses, Behavior::Fail, CloseVerdict::Informational);
    assert_eq!(played.judgement.findings.len(), 1, "{:#?}", played.judgement.findings);
    let played = expect("13.3.1", 5, Defect::AgreesToMore, Behavior::Fail, CloseVerdict::Pass);
    assert_eq!(played.judgement.findings[0].rule, "rfc6455-9.1-parameters-defined");
    // A server that refuses everybody is another matter.
    assert_eq!(
        play(Arc::new(case("13.3.1").clone()), Quirk::Refuses).judgement.behavior,
        Behavior::Inconclusive
    );
}

#[test]
fn what_the_target_really_uses_is_judged() {
    let rules = |id, defect| -> Vec<String> {
        let played = expect(id, 8, defect, Behavior::Fail, CloseVerdict::Pass);
        played.judgement.findings.into_iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(rules("13.2.5", Defect::KeepsContext), ["rfc7692-7.2.1-server-context"]);
    assert_eq!(rules("13.3.10", Defect::ExceedsWindow), ["rfc7692-7.2.1-server-window"]);
    assert!(rules("12.1.5", Defect::Rsv1Twice).contains(&"rfc7692-6.1-rsv1-on-continuation".to_owned()));
    assert!(rules("12.1.5", Defect::KeepsTail).contains(&"rfc7692-6.1-deflate-data".to_owned()));
    // Neither breaks anything where it was not agreed otherwise.
    expect("13.1.5", 8, Defect::KeepsContext, Behavior::Pass, CloseVerdict::Pass);
    expect("13.4.10", 8, Defect::ExceedsWindow, Behavior::Pass, CloseVerdict::Pass);
}

#[test]
fn the_round_trip_that_failed_is_told() {
    let played = expect("12.1.4", 100, Defect::Corrupts(50), Behavior::Fail, CloseVerdict::Pass);
    assert_eq!(exchanged(&played).0, 49);
    let entries = &played.transcript.entries;
    let messages = entries.iter().filter(|entry| matches!(entry.what, What::Message { .. })).count();
    assert_eq!(messages, 1);
    let texts = |dir| {
        let of_dir =
            |what: &What| matches!(what, What::Frame { dir: d, frame } if *d == dir && frame.opcode == 1);
        entries.iter().filter(|entry| of_dir(&entry.what)).count()
    };
    assert_eq!(
        (texts(Direction::Sent), texts(Direction::Received)),
        (3, 3),
        "two of the first, and this one"
    );
    assert!(entries.is_sorted_by_key(|entry| entry.at_us), "{entries:#?}");

    let played = expect("12.1.4", 100, Defect::Late, Behavior::Fail, CloseVerdict::Pass);
    let timed_out = |what: &What| matches!(what, What::TimedOut { waited_for } if waited_for.contains("message 1 of 100"));
    assert!(
        played.transcript.entries.iter().any(|entry| timed_out(&entry.what)),
        "{played:#?}",
        played = played.transcript
    );
}

/// The least number of messages with which some case finds a defect, and the first such case.
fn found_at(defect: Defect, most: u32) -> Option<(u32, String)> {
    // Short, middle and long messages, whole and in pieces, of every content and with every set of parameters.
    let of_interest = |scenario: &&Scenario| {
        let id = scenario.id.as_str();
        (id.starts_with("12.") || id.starts_with("13."))
            && [".1", ".4", ".6", ".10", ".11"].iter().any(|end| id.ends_with(end))
    };
    let cases = Catalogue::embedded().scenarios().iter().filter(of_interest);
    let play = |scenario: &Scenario, messages| {
        let plan = Plan::alone(scenario.at_depth(messages));
        play_with(&plan, &mut DeflateServer::new(defect))
    };
    let fails = |played: &Played| played.judgement.behavior == Behavior::Fail;
    let failed_at = |scenario: &Scenario| {
        let played = play(scenario, most);
        let right = played.transcript.entries.iter().find_map(|entry| match &entry.what {
            What::Exchanged { messages, .. } => Some(*messages),
            _ => None,
        });
        fails(&played).then(|| match right {
            // Every echo was right, and something else was not.
            Some(right) if right == most => (1..most).find(|n| fails(&play(scenario, *n))).unwrap_or(most),
            right => right.map_or(1, |right| right + 1),
        })
    };
    cases
        .filter_map(|scenario| Some((failed_at(scenario)?, scenario.id.to_string())))
        .min_by_key(|found| found.0)
}

/// The table of `docs/performance.md`: the default depth finds what is not a matter of endurance.
#[test]
fn the_default_depth_finds_what_is_wrong() {
    let default = Depth::Default.messages().unwrap();
    let defects = [
        Defect::AgreesToMore,
        Defect::Refuses,
        Defect::KeepsContext,
        Defect::ExceedsWindow,
        Defect::NoRsv1,
        Defect::Rsv1Twice,
        Defect::KeepsTail,
        Defect::Late,
        Defect::Stale,
        Defect::Cuts,
        Defect::CutsIncompressible,
        Defect::LosesByteInFragments,
        Defect::ForgetsWindowAfter(32 << 10),
        Defect::ForgetsWindowAfter(1 << 20),
        Defect::Corrupts(2),
        Defect::Corrupts(10),
        Defect::Corrupts(256),
    ];
    let mut table = String::new();
    for defect in defects {
        let line = match found_at(defect, default) {
            Some((messages, id)) => format!("{defect:?}: with {messages}, by {id}\n"),
            None => format!("{defect:?}: not with {default}\n"),
        };
        table.push_str(&line);
    }
    insta::assert_snapshot!(table, @r"
    AgreesToMore: with 1, by 12.1.1
    Refuses: with 1, by 12.1.1
    KeepsContext: with 2, by 13.2.4
    ExceedsWindow: with 1, by 13.3.4
    NoRsv1: with 1, by 12.1.1
    Rsv1Twice: with 1, by 12.1.1
    KeepsTail: with 1, by 12.1.1
    Late: with 1, by 12.1.1
    Stale: with 2, by 12.1.1
    Cuts: with 1, by 12.1.10
    CutsIncompressible: with 1, by 12.1.1
    LosesByteInFragments: with 1, by 12.1.11
    ForgetsWindowAfter(32768): with 1, by 12.1.10
    ForgetsWindowAfter(1048576): with 8, by 12.4.10
    Corrupts(2): with 2, by 12.1.1
    Corrupts(10): with 10, by 12.1.1
    Corrupts(256): not with 10
    ");
}
