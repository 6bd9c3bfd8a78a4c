//! The engine in virtual time, against simulated servers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quickcheck::{Arbitrary, Gen, QuickCheck};
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{End, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::handshake::{Limits as HeadLimits, RequestReader, accept_key};
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Behavior, CloseVerdict, Direction, What};

use super::{Action, Engine, Input, Limits, Request};
use crate::judge::judge;
use crate::plan::Plan;
use crate::simulated::deflate::{Defect, DeflateServer};
use crate::simulated::{Quirk, play, play_case, play_with};

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
    // Those of resilience hold on for a canary that nobody plays here; `flood_tests` has what they are made of.
    let all = Catalogue::embedded().scenarios().iter();
    let plain = |scenario: &&Scenario| scenario.roles.contains(&Role::Server) && scenario.stress.is_none();
    for scenario in all.filter(plain) {
        let played = if scenario.opening.deflate.is_empty() {
            play(Arc::new(scenario.clone()), Quirk::None)
        } else if scenario.exchanges().next().is_none() {
            play(Arc::new(scenario.clone()), Quirk::Inflates)
        } else {
            play_with(&Plan::alone(scenario.at_depth(3)), &mut DeflateServer::new(Defect::None))
        };
        let judgement = &played.judgement;
        let good = matches!(judgement.behavior, Behavior::Pass | Behavior::Informational)
            && matches!(judgement.close, CloseVerdict::Pass | CloseVerdict::Informational);
        assert!(good, "{}: {judgement:#?}\n{:#?}", scenario.id, played.transcript);
        assert!(played.took < Duration::from_millis(700), "{} took {:?}", scenario.id, played.took);
    }
}

/// A case that nothing can fail is not a test. What breaks the rule of each of our own cases is seen by it.
#[test]
fn every_case_of_ours_is_failed_by_some_server() {
    let careless =
        [Quirk::IgnoresViolations, Quirk::CorruptsEcho, Quirk::WrongPong, Quirk::InflatesCarelessly];
    let is_close = |step: &Step| matches!(step, Step::Send(frame) if frame.opcode == Opcode::CLOSE);
    let ours = Catalogue::embedded().scenarios().iter().filter(|scenario| {
        ["C", "D", "F", "U"].contains(&scenario.id.group()) && scenario.roles.contains(&Role::Server)
    });
    for scenario in ours {
        match scenario.section().as_str() {
            // A simulated server does not see the end of TCP, and cannot run out of memory.
            "C.8" | "F.25" => continue,
            _ => {}
        }
        let mut quirks = careless.to_vec();
        if scenario.steps.iter().any(is_close) {
            quirks.push(Quirk::RepliesWith(1005));
        }
        let failed = quirks.into_iter().any(|quirk| {
            let judgement = play(Arc::new(scenario.at_depth(3)), quirk).judgement;
            matches!(judgement.behavior, Behavior::Fail | Behavior::NonStrict)
                || !matches!(judgement.close, CloseVerdict::Pass | CloseVerdict::Informational)
        });
        assert!(failed, "{}", scenario.id);
    }
}

/// Whatever a server does, every case ends, within its time and with a bounded transcript.
#[test]
fn every_case_ends_whatever_the_server_does() {
    let mut sections = BTreeSet::new();
    let one_of_each: Vec<_> = Catalogue::embedded()
        .scenarios()
        .iter()
        .filter(|scenario| scenario.stress.is_none() && sections.insert(scenario.section()))
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

/// Bytes of the peer, in pieces, with time passing between.
#[derive(Clone, Debug)]
struct Hostile(Vec<(Vec<u8>, u16)>);

impl Arbitrary for Hostile {
    fn arbitrary(g: &mut Gen) -> Self {
        let pieces = (0..usize::arbitrary(g) % 12)
            .map(|_| {
                let mut bytes = Vec::<u8>::arbitrary(g);
                // Half of them begin like a frame, or the rest is never looked at.
                if bool::arbitrary(g) && bytes.len() > 2 {
                    bytes[0] =
                        *g.choose(&[0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a, 0xc1, 0x83]).unwrap();
                    bytes[1] = *g.choose(&[0, 1, 2, 125, 126, 127, 0x80, 0xff]).unwrap();
                }
                (bytes, u16::arbitrary(g))
            })
            .collect();
        Self(pieces)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(self.0.shrink().map(Self))
    }
}

/// Whatever comes, whenever it comes and however it ends: no panic, an end, and a verdict.
#[test]
fn nothing_a_peer_sends_can_hurt() {
    fn law(hostile: Hostile, opens: bool, resets: bool, case: usize) -> bool {
        let scenarios: Vec<_> =
            Catalogue::embedded().scenarios().iter().filter(|scenario| scenario.stress.is_none()).collect();
        let plan = Plan::alone(scenarios[case % scenarios.len()].clone());
        let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
        let mut engine = Engine::connecting(Arc::clone(&plan), request, Limits::default(), 7);
        let mut now = Duration::ZERO;
        engine.handle(now, Input::Connected);
        let mut pieces = hostile.0.into_iter();
        let mut open = !opens;
        let mut ended = false;
        // The case of most writes has 16 384 of them.
        for _ in 0..100_000 {
            match engine.poll(now) {
                Action::Write(bytes) if !open => {
                    open = true;
                    engine.handle(now, Input::Received(Bytes::from(accepting(&bytes))));
                }
                Action::Write(_) | Action::Offer(..) | Action::Read(_) | Action::ShutdownWrite => {}
                Action::Wait(until) => match pieces.next() {
                    Some((bytes, pause)) => {
                        now += Duration::from_millis(u64::from(pause) / 64);
                        engine.handle(now, Input::Received(Bytes::from(bytes)));
                    }
                    None if !ended => {
                        ended = true;
                        engine.handle(now, if resets { Input::Reset } else { Input::EndOfStream });
                    }
                    None => {
                        now = until;
                        engine.handle(now, Input::Tick);
                    }
                },
                Action::Abort | Action::Finish => {
                    judge(&plan, Role::Server, &engine.into_transcript());
                    return true;
                }
            }
        }
        false
    }
    QuickCheck::new().tests(1_000).quickcheck(law as fn(Hostile, bool, bool, usize) -> bool);
}

/// The response that accepts a request.
fn accepting(request: &[u8]) -> Vec<u8> {
    let limits = HeadLimits { max_bytes: 2 << 20, max_headers: 20_000 };
    let head = RequestReader::new(limits).push(request).ok().flatten().map(|(head, _)| head);
    let key = head.as_ref().and_then(|head| head.headers.get("Sec-WebSocket-Key")).unwrap_or_default();
    let accept = accept_key(&String::from_utf8_lossy(key));
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// The head is out and nothing has come: an end right behind it is not kept for after the response.
#[test]
fn an_end_behind_the_head_comes_before_the_response() {
    let begun = |end, early| {
        let mut scenario = Catalogue::embedded().get(&"H.1.28".parse().unwrap()).unwrap().clone();
        scenario.opening.early = early;
        scenario.steps = vec![Step::End(end)];
        let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
        let mut engine = Engine::connecting(Plan::alone(scenario), request, Limits::default(), 7);
        engine.handle(Duration::ZERO, Input::Connected);
        let Action::Write(head) = engine.poll(Duration::ZERO) else { panic!("the head comes first") };
        (engine, head)
    };
    let next = |end, early| begun(end, early).0.poll(Duration::ZERO);
    assert_eq!(next(End::Abort, true), Action::Abort);
    assert_eq!(next(End::Half, true), Action::ShutdownWrite);
    assert!(matches!(next(End::Abort, false), Action::Wait(_)), "otherwise it is a step after the opening");
    // Once the response is there it is not done again.
    let (mut engine, head) = begun(End::Half, true);
    assert_eq!(engine.poll(Duration::ZERO), Action::ShutdownWrite);
    engine.handle(Duration::ZERO, Input::Received(Bytes::from(accepting(&head))));
    assert!(!matches!(engine.poll(Duration::ZERO), Action::ShutdownWrite));
}
