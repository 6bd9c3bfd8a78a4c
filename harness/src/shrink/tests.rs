//! What is offered is simpler, new and a case; and there is an end to it.

use wsgrade_cases::model::{Frame, Mask, Payload, Step};
use wsgrade_cases::{Register, lint};
use wsgrade_codec::wire::Opcode;

use super::*;
use crate::generate::{Brief, generate};

fn scenario(seed: u64) -> Scenario {
    let mut random = fastrand::Rng::with_seed(seed);
    let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(256).collect();
    generate(&Brief { role: Role::Server, deflate: true, openings: false }, &bytes)
}

/// Shrinks as long as the predicate holds; gives what is left, and how many candidates that took.
fn shrunk(scenario: Scenario, holds: impl Fn(&Scenario) -> bool) -> (Scenario, usize) {
    let mut shrinker = Shrinker::new(scenario, Role::Server);
    let mut tried = 0;
    while let Some(candidate) = shrinker.next() {
        tried += 1;
        if holds(&candidate) {
            shrinker.keep();
        }
    }
    (shrinker.best().clone(), tried)
}

fn frames(scenario: &Scenario) -> impl Iterator<Item = &Frame> {
    scenario.steps.iter().filter_map(|step| match step {
        Step::Send(frame) => Some(frame),
        _ => None,
    })
}

#[test]
fn every_candidate_is_simpler_and_new_and_a_case() {
    for seed in 0..60 {
        let start = scenario(seed);
        let mut shrinker = Shrinker::new(start, Role::Server);
        let mut seen = HashSet::new();
        let mut tried = 0_u32;
        while let Some(candidate) = shrinker.next() {
            tried += 1;
            assert!(Measure::of(&candidate) < Measure::of(shrinker.best()));
            assert!(seen.insert(format!("{:?} {:?}", candidate.opening, candidate.steps)));
            assert!(asks_nothing(shrinker.best()) || !asks_nothing(&candidate));
            let findings = lint::check(&candidate, Register::embedded());
            assert!(findings.is_empty(), "{findings:?}\n{candidate:#?}");
            if tried.is_multiple_of(3) {
                shrinker.keep();
            }
        }
        assert_eq!(shrinker.next(), None);
    }
}

#[test]
fn the_same_search_offers_the_same() {
    let list = |seed| {
        let mut shrinker = Shrinker::new(scenario(seed), Role::Server);
        std::iter::from_fn(move || shrinker.next()).take(40).collect::<Vec<_>>()
    };
    assert_eq!(list(3), list(3));
    assert_ne!(list(3), list(4));
}

#[test]
fn what_shows_it_is_left_alone() {
    let has_ping = |scenario: &Scenario| frames(scenario).any(|frame| frame.opcode == Opcode::PING);
    let mut searches = 0;
    for seed in (0..200).filter(|seed| has_ping(&scenario(*seed))).take(20) {
        let (left, tried) = shrunk(scenario(seed), has_ping);
        assert_eq!(left.steps, [Step::Send(Frame::new(Opcode::PING, Payload::default()))], "{seed}");
        assert!(tried < 200, "{tried}");
        searches += 1;
    }
    assert_eq!(searches, 20);
}

#[test]
fn what_is_lawful_comes_before_what_is_not() {
    let bytes = |scenario: &Scenario| frames(scenario).any(|frame| frame.payload.len() >= 3);
    let mut frame = Frame::new(Opcode::BINARY, Payload::Hex(vec![0xFF, 0xFE, 1, 2, 3, 4]));
    frame.mask = Mask::Wrong;
    let start = oracle::complete(&Scenario { steps: vec![Step::Send(frame)], ..scenario(0) }, Role::Server);
    let (left, _) = shrunk(start, bytes);
    assert_eq!(left.steps, [Step::Send(Frame::new(Opcode::TEXT, Payload::Text("aaa".to_owned())))]);
}

#[test]
fn where_nothing_is_kept_nothing_changes() {
    let start = scenario(5);
    assert_eq!(shrunk(start.clone(), |_| false).0, start);
}

#[test]
fn like_frames_become_one_that_is_sent_several_times() {
    let count = |scenario: &Scenario| frames(scenario).map(|frame| frame.times).sum::<u32>() >= 10;
    let steps = vec![Step::Send(Frame::new(Opcode::PING, Payload::default())); 12];
    let start = oracle::complete(&Scenario { steps, ..scenario(0) }, Role::Server);
    let (left, _) = shrunk(start, count);
    assert_eq!(left.steps.len(), 1);
}
