//! Scenarios of every shape, for properties.

use std::num::NonZeroU32;
use std::time::Duration;

use quickcheck::{Arbitrary, Gen};
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{
    Accept, Awaited, BadTls, By, Chop, ChopAt, Corpus, DeflateWish, End, Ending, Exchange, Expected, Frame,
    HeaderEdit, Length, Mask, Need, Opening, Order, Outcome, Payload, Role, Saw, Scenario, Source, Status,
    Step, Stress,
};
use wsgrade_codec::Kind;
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

/// Any scenario that a case file can say.
#[derive(Clone, Debug)]
pub(crate) struct Any(pub(crate) Scenario);

fn pick<T: Clone>(g: &mut Gen, choices: &[T]) -> T {
    g.choose(choices).expect("never empty").clone()
}

fn maybe<T>(g: &mut Gen, make: impl FnOnce(&mut Gen) -> T) -> Option<T> {
    bool::arbitrary(g).then(|| make(g))
}

fn some<T>(g: &mut Gen, least: usize, mut make: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    let count = least + usize::arbitrary(g) % 4;
    (0..count).map(|_| make(g)).collect()
}

fn string(g: &mut Gen) -> String {
    String::arbitrary(g)
}

fn payload(g: &mut Gen, depth: u32) -> Payload {
    match u8::arbitrary(g) % if depth == 0 { 3 } else { 5 } {
        0 => Payload::Text(string(g)),
        1 => Payload::Hex(Vec::arbitrary(g)),
        2 => Payload::Repeat { unit: some(g, 1, u8::arbitrary), len: u64::from(u16::arbitrary(g)) },
        3 => Payload::Close { code: u16::arbitrary(g), reason: Box::new(payload(g, depth - 1)) },
        _ => Payload::Join(some(g, 0, |g| payload(g, depth - 1))),
    }
}

fn time(g: &mut Gen) -> Duration {
    let number = u64::from(u32::arbitrary(g));
    pick(
        g,
        &[
            Duration::from_secs(number),
            Duration::from_millis(number),
            Duration::from_nanos(number),
            Duration::ZERO,
        ],
    )
}

fn chop(g: &mut Gen) -> Chop {
    let size = |g: &mut Gen| u32::arbitrary(g).max(1);
    let at = match u8::arbitrary(g) % 4 {
        0 => ChopAt::Together,
        1 => ChopAt::Alone,
        2 => ChopAt::Every(size(g)),
        _ => ChopAt::Sizes(some(g, 1, size)),
    };
    Chop { at, pause: time(g) }
}

fn frame(g: &mut Gen) -> Frame {
    let forms = [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64];
    Frame {
        opcode: Opcode::new(u8::arbitrary(g) % 16).expect("four bits"),
        fin: bool::arbitrary(g),
        rsv: Rsv::new(u8::arbitrary(g) % 8).expect("three bits"),
        mask: match u8::arbitrary(g) % 3 {
            0 => Mask::RoleDefault,
            1 => Mask::Wrong,
            _ => Mask::Key(u32::arbitrary(g).to_be_bytes()),
        },
        length: match u8::arbitrary(g) % 3 {
            0 => Length::Minimal,
            1 => Length::Form(pick(g, &forms)),
            _ => Length::Declared { value: u64::arbitrary(g), form: maybe(g, |g| pick(g, &forms)) },
        },
        payload: payload(g, 2),
        chop: chop(g),
        times: 1 + u32::arbitrary(g) % 1000,
        lasting: None,
    }
}

/// An answer that a step can wait for.
fn awaited(g: &mut Gen) -> Expected {
    match u8::arbitrary(g) % 4 {
        0 => Expected::Text(payload(g, 1)),
        1 => Expected::Binary(payload(g, 1)),
        2 => Expected::Pong(payload(g, 1)),
        _ => Expected::Open(string(g)),
    }
}

fn expected(g: &mut Gen) -> Expected {
    match u8::arbitrary(g) % 9 {
        0 => Expected::Exchanged(1 + u32::arbitrary(g) % 100_000),
        1 => Expected::Declined,
        2 => Expected::Refused {
            statuses: some(g, 1, |g| match bool::arbitrary(g) {
                true => Status::Is(100 + u16::arbitrary(g) % 900),
                false => Status::Class(1 + u8::arbitrary(g) % 5),
            }),
            versions: bool::arbitrary(g),
        },
        3 => Expected::Dropped,
        4 => Expected::Unanswered,
        _ => awaited(g),
    }
}

pub(crate) fn exchange(g: &mut Gen) -> Exchange {
    Exchange {
        kind: pick(g, &[Kind::Text, Kind::Binary]),
        source: match bool::arbitrary(g) {
            true => Source::Corpus(pick(g, &Corpus::ALL)),
            false => Source::Repeat(some(g, 1, u8::arbitrary)),
        },
        size: u32::arbitrary(g) % (64 << 20),
        messages: 1 + u32::arbitrary(g) % 100_000,
        compressed: bool::arbitrary(g),
        fragment: maybe(g, |g| 1 + u32::arbitrary(g) % (64 << 20)),
        timed: bool::arbitrary(g),
    }
}

fn step(g: &mut Gen) -> Step {
    match u8::arbitrary(g) % 12 {
        0..=1 => Step::Send(frame(g)),
        // What goes out over and over is not cut.
        2 => Step::Send(Frame { lasting: Some(time(g)), chop: Chop::default(), ..frame(g) }),
        3 => Step::More { payload: payload(g, 1), chop: chop(g) },
        4 => Step::Raw { payload: payload(g, 1), chop: chop(g) },
        5 => {
            let event = match u8::arbitrary(g) % 3 {
                0 => Awaited::Answer(awaited(g)),
                1 => Awaited::Any,
                _ => Awaited::Close,
            };
            Step::Await { event, within: maybe(g, time) }
        }
        6 => Step::Probe { mark: string(g) },
        8 => Step::Exchange(exchange(g)),
        7 => Step::Pause { time: time(g), mark: maybe(g, string) },
        9 => Step::Read(bool::arbitrary(g)),
        10 => Step::Hold { within: time(g) },
        _ => Step::End(pick(g, &[End::Abort, End::Half])),
    }
}

fn stress(g: &mut Gen) -> Stress {
    Stress {
        connections: NonZeroU32::new(1 + u32::arbitrary(g) % 10_000).expect("at least one"),
        growth: bool::arbitrary(g),
        memory: maybe(g, |g| u64::arbitrary(g) >> 1),
        cpu: maybe(g, time),
        files: maybe(g, u32::arbitrary),
    }
}

fn ending(g: &mut Gen) -> Ending {
    Ending {
        by: pick(g, &[By::Us, By::Peer, By::Either]),
        codes: some(g, 0, u16::arbitrary),
        clean: bool::arbitrary(g),
        bare: bool::arbitrary(g),
    }
}

fn accept(g: &mut Gen) -> Accept {
    let verdicts =
        [Outcome::Pass, Outcome::Informational, Outcome::Unimplemented, Outcome::NonStrict, Outcome::Fail];
    Accept {
        verdict: pick(g, &verdicts),
        saw: match u8::arbitrary(g) % 4 {
            0 => Saw::Answers,
            1 => Saw::Anything,
            _ => Saw::Events {
                events: some(g, 0, expected),
                order: pick(g, &[Order::Exact, Order::Any, Order::LatestPong, Order::Apart, Order::UpTo]),
            },
        },
        ending: maybe(g, ending),
        rule: maybe(g, string).map(RuleId::new),
        note: maybe(g, string),
    }
}

fn opening(g: &mut Gen) -> Opening {
    Opening {
        method: maybe(g, string),
        target: maybe(g, string),
        version: maybe(g, string),
        status: maybe(g, |g| 100 + u16::arbitrary(g) % 900),
        headers: some(g, 0, |g| match u8::arbitrary(g) % 4 {
            0 => HeaderEdit::Set(string(g), payload(g, 1)),
            1 => HeaderEdit::Add(string(g), payload(g, 1)),
            2 => HeaderEdit::Raw(payload(g, 1)),
            _ => HeaderEdit::Remove(string(g)),
        }),
        extensions: some(g, 0, string),
        deflate: some(g, 0, |g| DeflateWish {
            no_context_takeover: bool::arbitrary(g),
            max_window_bits: maybe(g, |g| 8 + u8::arbitrary(g) % 8),
            our_context_takeover: maybe(g, bool::arbitrary),
            our_window_bits: maybe(g, |g| 8 + u8::arbitrary(g) % 8),
        }),
        raw: maybe(g, |g| payload(g, 1)),
        newline: maybe(g, string),
        unfinished: bool::arbitrary(g),
        early: bool::arbitrary(g),
        knock: bool::arbitrary(g),
        tls: maybe(g, |g| pick(g, &[BadTls::Untrusted, BadTls::Misnamed, BadTls::Broken])),
        chop: chop(g),
    }
}

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Self {
        let id = some(g, 1, |g| pick(g, &["1", "10", "F", "x-y", "007"])).join(".");
        let roles = [vec![Role::Server], vec![Role::Client], vec![Role::Server, Role::Client]];
        let needs = [vec![], vec![Need::Echo], vec![Need::Deflate], vec![Need::Echo, Need::Deflate]];
        Self(Scenario {
            id: id.parse().expect("made of parts"),
            title: string(g),
            why: string(g),
            rules: some(g, 1, string).into_iter().map(RuleId::new).collect(),
            roles: pick(g, &roles).into_iter().collect(),
            needs: pick(g, &needs).into_iter().collect(),
            opening: if bool::arbitrary(g) { opening(g) } else { Opening::default() },
            steps: some(g, 0, step),
            stress: maybe(g, stress),
            accept: some(g, 1, accept),
            ending: ending(g),
            catches: some(g, 0, string),
            differs: maybe(g, string),
        })
    }
}
