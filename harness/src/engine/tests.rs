//! The engine in virtual time, against simulated servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::Scenario;
use wsgrade_reports::record::{Behavior, CloseVerdict, Direction, What};

use crate::simulated::{Quirk, play, play_case};

const QUIRKS: [Quirk; 25] = [
    Quirk::None,
    Quirk::IgnoresViolations,
    Quirk::DropsOnViolation,
    Quirk::FailsWith(1011),
    Quirk::NoPong,
    Quirk::LatestPongOnly,
    Quirk::WrongPong,
    Quirk::NoCloseReply,
    Quirk::LeavesTcpOpen,
    Quirk::RepliesWith(1002),
    Quirk::Masks,
    Quirk::EchoesBinary,
    Quirk::CorruptsEcho,
    Quirk::EchoesTwice,
    Quirk::FragmentsEcho,
    Quirk::Silent,
    Quirk::FloodsPings,
    Quirk::EndlessMessage,
    Quirk::ClosesAtOnce,
    Quirk::EndsAtOnce,
    Quirk::Refuses,
    Quirk::NeverOpens,
    Quirk::NotHttp,
    Quirk::WrongAccept,
    Quirk::RepliesWith(1005),
];

/// A lawful server passes everything, and nothing waits longer than the case asks for.
#[test]
fn a_lawful_server_passes_every_case() {
    for scenario in Catalogue::embedded().scenarios() {
        let played = play(Arc::new(scenario.clone()), Quirk::None);
        let judgement = &played.judgement;
        let good = matches!(judgement.behavior, Behavior::Pass | Behavior::Informational)
            && matches!(judgement.close, CloseVerdict::Pass | CloseVerdict::Informational);
        assert!(good, "{}: {judgement:#?}\n{:#?}", scenario.id, played.transcript);
        assert!(played.took < Duration::from_millis(300), "{} took {:?}", scenario.id, played.took);
    }
}

/// Whatever a server does, every case ends, within its time and with a bounded transcript.
#[test]
fn every_case_ends_whatever_the_server_does() {
    let mut sections = BTreeSet::new();
    let one_of_each: Vec<_> = Catalogue::embedded()
        .scenarios()
        .iter()
        .filter(|scenario| sections.insert(scenario.section()))
        .collect();
    for quirk in QUIRKS {
        for scenario in &one_of_each {
            let scenario: &Scenario = scenario;
            let played = play(Arc::new(scenario.clone()), quirk);
            assert!(
                played.took <= Duration::from_secs(60),
                "{} {quirk:?} took {:?}",
                scenario.id,
                played.took
            );
            assert!(played.transcript.entries.len() < 5_000, "{} {quirk:?}", scenario.id);
        }
    }
}

#[test]
fn a_case_ends_as_soon_as_its_outcome_is_known() {
    // A wrong echo will not become right by waiting.
    for quirk in [Quirk::CorruptsEcho, Quirk::EchoesBinary] {
        assert!(play_case("1.1.2", quirk).took < Duration::from_millis(1), "{quirk:?}");
    }
    // A server that answers a ping after the violation has not failed the connection.
    let played = play_case("4.1.1", Quirk::IgnoresViolations);
    assert!(played.took < Duration::from_secs(1), "{:?}", played.took);
    // One that is silent might still.
    let played = play_case("4.1.1", Quirk::Silent);
    assert!(played.took >= Duration::from_secs(4), "{:?}", played.took);
}

#[test]
fn a_flood_is_cut_off() {
    for quirk in [Quirk::FloodsPings, Quirk::EndlessMessage] {
        let played = play_case("1.1.1", quirk);
        let gave_up = played.transcript.entries.iter().any(
            |entry| matches!(&entry.what, What::TimedOut { waited_for } if waited_for.contains("nobody asked for")),
        );
        assert!(gave_up, "{quirk:?}: {:#?}", played.transcript.entries.last());
        assert_eq!(played.judgement.behavior, Behavior::Fail, "{quirk:?}");
    }
}

#[test]
fn like_frames_in_a_row_are_one_entry() {
    let played = play_case("10.1.1", Quirk::None);
    let sent: Vec<_> = played
        .transcript
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Frame { dir: Direction::Sent, frame } => Some((frame.opcode, frame.times)),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [(1, 1), (0, 49), (0, 1), (8, 1)]);
}

#[test]
fn the_peers_ping_is_answered() {
    let played = play_case("1.1.1", Quirk::FloodsPings);
    let pongs = played
        .transcript
        .entries
        .iter()
        .filter(
            |entry| matches!(&entry.what, What::Frame { dir: Direction::Sent, frame } if frame.opcode == 0xA),
        )
        .count();
    assert!(pongs > 10, "{pongs}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let transcripts = [(); 2].map(|()| play_case("1.1.2", Quirk::None).transcript);
    assert_eq!(transcripts[0], transcripts[1]);
}
