//! Floods, slow readers and cases that hold on, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wsgrade_cases::model::{Awaited, Ending, Frame, Opening, Payload, Saw, Scenario, Step, Stress};
use wsgrade_codec::handshake::{Agreement, Limits as HeadLimits, RequestReader};
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Behavior, Direction, Transcript, What};

use super::{Action, Engine, Input, Limits, Pulse, Request};
use crate::plan::Plan;
use crate::simulated::{self, Quirk};

const SECOND: Duration = Duration::from_secs(1);

fn scenario(steps: Vec<Step>, saw: Saw) -> Scenario {
    let stress = Some(Stress::default());
    Scenario { stress, ..Scenario::uncatalogued("R", steps, saw, Ending::ordinary()) }
}

fn byte(opcode: Opcode) -> Frame {
    Frame::new(opcode, Payload::Text("a".to_owned()))
}

/// A connection that is open, and everything up to the first wait or offer.
fn opened(scenario: Scenario, pulse: Option<&Arc<Pulse>>) -> (Engine, Vec<Action>) {
    let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
    let mut engine = Engine::connecting(Plan::alone(scenario), request, Limits::default(), 7);
    if let Some(pulse) = pulse {
        engine = engine.beside(Arc::clone(pulse));
    }
    engine.handle(Duration::ZERO, Input::Connected);
    let Action::Write(head) = engine.poll(Duration::ZERO) else { panic!("a head") };
    if let Some((head, _)) = RequestReader::new(HeadLimits::default()).push(&head).unwrap() {
        let response = head.validate().unwrap().accept(&Agreement::default()).unwrap();
        engine.handle(Duration::ZERO, Input::Received(Bytes::from(response)));
    }
    let actions = actions(&mut engine, Duration::ZERO);
    (engine, actions)
}

/// What the engine wants now, up to the first wait, offer or end.
fn actions(engine: &mut Engine, now: Duration) -> Vec<Action> {
    let mut actions = Vec::new();
    loop {
        actions.push(engine.poll(now));
        match actions.last() {
            Some(Action::Wait(_) | Action::Offer(..) | Action::Finish | Action::Abort) | None => {
                return actions;
            }
            Some(Action::Write(_) | Action::Read(_) | Action::ShutdownWrite) => {}
        }
    }
}

fn sent(transcript: &Transcript, opcode: Opcode) -> (usize, u64) {
    let rows = transcript.entries.iter().filter_map(|entry| match &entry.what {
        What::Frame { dir: Direction::Sent, frame } if frame.opcode == opcode.value() => {
            Some(u64::from(frame.times))
        }
        _ => None,
    });
    rows.fold((0, 0), |(rows, frames), times| (rows + 1, frames + times))
}

#[test]
fn many_fragments_are_few_entries_and_small_writes() {
    let steps = vec![
        Step::Send(Frame { fin: false, ..byte(Opcode::TEXT) }),
        Step::Send(Frame { fin: false, times: 200_000, ..byte(Opcode::CONTINUATION) }),
        Step::Send(byte(Opcode::CONTINUATION)),
    ];
    let all = Payload::Repeat { unit: b"a".to_vec(), len: 200_002 };
    let saw = Saw::Events {
        events: vec![wsgrade_cases::model::Expected::Text(all)],
        order: wsgrade_cases::model::Order::Exact,
    };
    let played = simulated::play(Arc::new(scenario(steps.clone(), saw)), Quirk::None);
    assert_eq!(played.judgement.behavior, Behavior::Pass, "{:?}", played.judgement);
    let (rows, frames) = sent(&played.transcript, Opcode::CONTINUATION);
    assert_eq!(frames, 200_001);
    assert!(rows < 5, "{rows}");
    let (_, actions) = opened(scenario(steps, Saw::Anything), None);
    let longest =
        actions.iter().map(|action| if let Action::Write(bytes) = action { bytes.len() } else { 0 });
    assert!(longest.max().unwrap() <= 64 << 10);
}

#[test]
fn a_flood_ends_at_its_time_or_after_so_many() {
    let flood = |times| Step::Send(Frame { times, lasting: Some(SECOND / 50), ..byte(Opcode::PONG) });
    let text = || Step::Send(Frame::new(Opcode::TEXT, Payload::Text("after".to_owned())));
    // Each offer takes a millisecond in the simulation, and makes some thousands of frames.
    for (times, at_least, at_most) in [(1 << 30, 50_000, 200_000), (5_000, 5_000, 5_000)] {
        let case = scenario(vec![flood(times), text()], Saw::Anything);
        let case = Scenario { ending: Ending::ordinary(), ..case };
        let played = simulated::play(Arc::new(case), Quirk::Silent);
        let (_, frames) = sent(&played.transcript, Opcode::PONG);
        assert!((at_least..=at_most).contains(&frames), "{frames}");
        assert_eq!(sent(&played.transcript, Opcode::TEXT), (1, 1));
    }
}

#[test]
fn the_answers_to_a_flood_are_no_excess() {
    let pings = Step::Send(Frame { times: 20_000, ..byte(Opcode::PING) });
    let played = simulated::play(Arc::new(scenario(vec![pings], Saw::Anything)), Quirk::None);
    assert_eq!(played.judgement.behavior, Behavior::Pass);
    assert!(!played.transcript.entries.iter().any(|entry| matches!(entry.what, What::TimedOut { .. })));
}

#[test]
fn what_was_not_taken_goes_out_before_anything_else() {
    let flood = Step::Send(Frame { times: 1 << 20, lasting: Some(SECOND), ..byte(Opcode::TEXT) });
    let steps = vec![
        Step::Read(false),
        flood,
        Step::Pause { time: SECOND, mark: None },
        Step::Read(true),
        Step::Send(byte(Opcode::PING)),
        Step::Await { event: Awaited::Any, within: None },
    ];
    let (mut engine, begin) = opened(scenario(steps, Saw::Anything), None);
    let [Action::Read(false), Action::Offer(bytes, until)] = &begin[..] else { panic!("{begin:?}") };
    assert_eq!(*until, SECOND);
    engine.handle(SECOND, Input::Untaken(bytes.slice(100..)));
    assert_eq!(actions(&mut engine, SECOND), [Action::Wait(2 * SECOND)]);
    let rest = actions(&mut engine, 2 * SECOND);
    let [Action::Read(true), Action::Write(rest), Action::Write(ping), Action::Wait(_)] = &rest[..] else {
        panic!("{rest:?}")
    };
    assert_eq!(*rest, bytes.slice(100..));
    assert_eq!(ping[0], 0x89);
}

#[test]
fn inside_a_frame_that_was_not_taken_nothing_of_ours_is_sent() {
    let flood = Step::Send(Frame { times: 1 << 20, lasting: Some(SECOND), ..byte(Opcode::TEXT) });
    let pause = Step::Pause { time: SECOND, mark: None };
    let (mut engine, begin) = opened(scenario(vec![flood, pause], Saw::Anything), None);
    let [Action::Offer(bytes, _)] = &begin[..] else { panic!("{begin:?}") };
    engine.handle(SECOND, Input::Untaken(bytes.slice(100..)));
    assert_eq!(actions(&mut engine, SECOND), [Action::Wait(2 * SECOND)]);
    // The peer's Close: an answer would fall into the middle of a frame.
    engine.handle(SECOND, Input::Received(Bytes::from_static(b"\x88\x02\x03\xf1")));
    assert!(matches!(actions(&mut engine, SECOND)[..], [Action::Wait(_)]));
}

#[test]
fn a_case_holds_on_until_the_canary_was_answered() {
    let steps = || vec![Step::Hold { within: SECOND }];
    let over = |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::Write(_)));
    let (_, begin) = opened(scenario(steps(), Saw::Anything), None);
    assert!(over(&begin), "nobody plays a canary");

    let pulse = Arc::new(Pulse::default());
    pulse.beat();
    let (mut engine, begin) = opened(scenario(steps(), Saw::Anything), Some(&pulse));
    assert!(!over(&begin), "{begin:?}");
    pulse.beat();
    assert!(!over(&actions(&mut engine, SECOND / 100)), "this one may have been under way");
    pulse.beat();
    assert!(over(&actions(&mut engine, SECOND / 50)));

    let (mut engine, _) = opened(scenario(steps(), Saw::Anything), Some(&pulse));
    assert!(!over(&actions(&mut engine, SECOND - SECOND / 100)));
    assert!(over(&actions(&mut engine, SECOND)));
    let timed_out = |transcript: Transcript| {
        transcript.entries.iter().any(
            |entry| matches!(&entry.what, What::TimedOut { waited_for } if waited_for.contains("canary")),
        )
    };
    assert!(timed_out(engine.into_transcript()));
}

#[test]
fn an_opening_that_is_never_finished_is_held_likewise() {
    let opening = Opening { unfinished: true, ..Opening::default() };
    let unfinished = || Scenario { opening: opening.clone(), ..scenario(Vec::new(), Saw::Anything) };
    let pulse = Arc::new(Pulse::default());
    let (mut engine, begin) = opened(unfinished(), Some(&pulse));
    assert!(matches!(begin[..], [Action::Wait(_)]), "{begin:?}");
    pulse.beat();
    pulse.beat();
    assert_eq!(actions(&mut engine, SECOND / 100), [Action::Finish]);

    let (mut engine, begin) = opened(unfinished(), None);
    assert_eq!(begin, [Action::Wait(Limits::default().opening)]);
    assert_eq!(actions(&mut engine, Limits::default().opening), [Action::Finish]);
}
