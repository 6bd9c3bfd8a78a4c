//! Scenarios of every shape, for properties. The tests of this crate and the fuzz targets draw them from random bytes.

use std::num::NonZeroU32;
use std::time::Duration;

use wsgrade_codec::Kind;
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

use crate::id::RuleId;
use crate::model::{
    Accept, Awaited, BadTls, By, Chop, ChopAt, Corpus, DeflateWish, End, Ending, Exchange, Expected, Frame,
    HeaderEdit, Length, Mask, Need, Opening, Order, Outcome, Payload, Role, Saw, Scenario, Source, Status,
    Step, Stress,
};

/// Random bytes, and choices made by them. Once they are over every choice is the first one.
#[derive(Debug)]
pub struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    /// Choices made by these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// Any number of two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    /// Any number of four bytes.
    pub fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    /// Any number of eight bytes.
    pub fn long(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }

    /// One of two.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Text of up to 30 bytes, or one that has been trouble somewhere.
    pub fn string(&mut self) -> String {
        const TROUBLE: [&str; 8] = ["\"", "{", "}}", "\u{feff}", "ä€𝄞", "\r\n", "\u{85}\\", "'''"];
        match usize::from(self.byte()) {
            trouble @ 0x80.. => TROUBLE[trouble % 8].to_owned(),
            length => {
                let (text, rest) = self.0.split_at((length % 31).min(self.0.len()));
                self.0 = rest;
                String::from_utf8_lossy(text).into_owned()
            }
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let (now, rest) = self.0.split_at(N.min(self.0.len()));
        taken[..now.len()].copy_from_slice(now);
        self.0 = rest;
        taken
    }
}

/// One of these, which have to be some.
pub fn pick<T: Clone>(d: &mut Dice<'_>, choices: &[T]) -> T {
    choices[usize::from(d.byte()) % choices.len()].clone()
}

/// One or none.
pub fn maybe<'a, T>(d: &mut Dice<'a>, make: impl FnOnce(&mut Dice<'a>) -> T) -> Option<T> {
    d.flag().then(|| make(d))
}

/// So many at least, and up to three more.
pub fn some<'a, T>(d: &mut Dice<'a>, least: usize, mut make: impl FnMut(&mut Dice<'a>) -> T) -> Vec<T> {
    let count = least + usize::from(d.byte()) % 4;
    (0..count).map(|_| make(d)).collect()
}

fn payload(d: &mut Dice<'_>, depth: u32) -> Payload {
    match d.byte() % if depth == 0 { 3 } else { 5 } {
        0 => Payload::Text(d.string()),
        1 => Payload::Hex(some(d, 0, Dice::byte)),
        2 => Payload::Repeat { unit: some(d, 1, Dice::byte), len: u64::from(d.short()) },
        3 => Payload::Close { code: d.short(), reason: Box::new(payload(d, depth - 1)) },
        _ => Payload::Join(some(d, 0, |d| payload(d, depth - 1))),
    }
}

fn time(d: &mut Dice<'_>) -> Duration {
    let number = u64::from(d.number());
    pick(
        d,
        &[
            Duration::from_secs(number),
            Duration::from_millis(number),
            Duration::from_nanos(number),
            Duration::ZERO,
        ],
    )
}

fn chop(d: &mut Dice<'_>) -> Chop {
    let size = |d: &mut Dice<'_>| d.number().max(1);
    let at = match d.byte() % 4 {
        0 => ChopAt::Together,
        1 => ChopAt::Alone,
        2 => ChopAt::Every(size(d)),
        _ => ChopAt::Sizes(some(d, 1, size)),
    };
    Chop { at, pause: time(d) }
}

fn frame(d: &mut Dice<'_>) -> Frame {
    let forms = [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64];
    Frame {
        opcode: Opcode::new(d.byte() % 16).expect("four bits"),
        fin: d.flag(),
        rsv: Rsv::new(d.byte() % 8).expect("three bits"),
        mask: match d.byte() % 3 {
            0 => Mask::RoleDefault,
            1 => Mask::Wrong,
            _ => Mask::Key(d.number().to_be_bytes()),
        },
        length: match d.byte() % 3 {
            0 => Length::Minimal,
            1 => Length::Form(pick(d, &forms)),
            _ => Length::Declared { value: d.long(), form: maybe(d, |d| pick(d, &forms)) },
        },
        payload: payload(d, 2),
        chop: chop(d),
        times: 1 + d.number() % 1000,
        lasting: None,
    }
}

/// An answer that a step can wait for.
fn awaited(d: &mut Dice<'_>) -> Expected {
    match d.byte() % 4 {
        0 => Expected::Text(payload(d, 1)),
        1 => Expected::Binary(payload(d, 1)),
        2 => Expected::Pong(payload(d, 1)),
        _ => Expected::Open(d.string()),
    }
}

fn expected(d: &mut Dice<'_>) -> Expected {
    match d.byte() % 9 {
        0 => Expected::Exchanged(1 + d.number() % 100_000),
        1 => Expected::Declined,
        2 => Expected::Refused {
            statuses: some(d, 1, |d| match d.flag() {
                true => Status::Is(100 + d.short() % 900),
                false => Status::Class(1 + d.byte() % 5),
            }),
            versions: d.flag(),
        },
        3 => Expected::Dropped,
        4 => Expected::Unanswered,
        _ => awaited(d),
    }
}

/// Any exchange that a case file can say, of up to 64 MiB a message.
pub fn exchange(d: &mut Dice<'_>) -> Exchange {
    Exchange {
        kind: pick(d, &[Kind::Text, Kind::Binary]),
        source: match d.flag() {
            true => Source::Corpus(pick(d, &Corpus::ALL)),
            false => Source::Repeat(some(d, 1, Dice::byte)),
        },
        size: d.number() % (64 << 20),
        messages: 1 + d.number() % 100_000,
        compressed: d.flag(),
        fragment: maybe(d, |d| 1 + d.number() % (64 << 20)),
        timed: d.flag(),
    }
}

fn step(d: &mut Dice<'_>) -> Step {
    match d.byte() % 12 {
        0..=1 => Step::Send(frame(d)),
        // What goes out over and over is not cut.
        2 => Step::Send(Frame { lasting: Some(time(d)), chop: Chop::default(), ..frame(d) }),
        3 => Step::More { payload: payload(d, 1), chop: chop(d) },
        4 => Step::Raw { payload: payload(d, 1), chop: chop(d) },
        5 => {
            let event = match d.byte() % 3 {
                0 => Awaited::Answer(awaited(d)),
                1 => Awaited::Any,
                _ => Awaited::Close,
            };
            Step::Await { event, within: maybe(d, time) }
        }
        6 => Step::Probe { mark: d.string() },
        8 => Step::Exchange(exchange(d)),
        7 => Step::Pause { time: time(d), mark: maybe(d, Dice::string) },
        9 => Step::Read(d.flag()),
        10 => Step::Hold { within: time(d) },
        _ => Step::End(pick(d, &[End::Abort, End::Half])),
    }
}

fn stress(d: &mut Dice<'_>) -> Stress {
    Stress {
        connections: NonZeroU32::new(1 + d.number() % 10_000).expect("at least one"),
        growth: d.flag(),
        memory: maybe(d, |d| d.long() >> 1),
        cpu: maybe(d, time),
        files: maybe(d, Dice::number),
        kept: maybe(d, |d| d.long() >> 1),
    }
}

fn ending(d: &mut Dice<'_>) -> Ending {
    Ending {
        by: pick(d, &[By::Us, By::Peer, By::Either]),
        codes: some(d, 0, Dice::short),
        clean: d.flag(),
        bare: d.flag(),
    }
}

fn accept(d: &mut Dice<'_>) -> Accept {
    let verdicts =
        [Outcome::Pass, Outcome::Informational, Outcome::Unimplemented, Outcome::NonStrict, Outcome::Fail];
    Accept {
        verdict: pick(d, &verdicts),
        saw: match d.byte() % 4 {
            0 => Saw::Answers,
            1 => Saw::Anything,
            _ => Saw::Events {
                events: some(d, 0, expected),
                order: pick(d, &[Order::Exact, Order::Any, Order::LatestPong, Order::Apart, Order::UpTo]),
            },
        },
        ending: maybe(d, ending),
        rule: maybe(d, Dice::string).map(RuleId::new),
        note: maybe(d, Dice::string),
    }
}

fn opening(d: &mut Dice<'_>) -> Opening {
    Opening {
        method: maybe(d, Dice::string),
        target: maybe(d, Dice::string),
        version: maybe(d, Dice::string),
        status: maybe(d, |d| 100 + d.short() % 900),
        headers: some(d, 0, |d| match d.byte() % 4 {
            0 => HeaderEdit::Set(d.string(), payload(d, 1)),
            1 => HeaderEdit::Add(d.string(), payload(d, 1)),
            2 => HeaderEdit::Raw(payload(d, 1)),
            _ => HeaderEdit::Remove(d.string()),
        }),
        extensions: some(d, 0, Dice::string),
        deflate: some(d, 0, |d| DeflateWish {
            no_context_takeover: d.flag(),
            max_window_bits: maybe(d, |d| 8 + d.byte() % 8),
            our_context_takeover: maybe(d, Dice::flag),
            our_window_bits: maybe(d, |d| 8 + d.byte() % 8),
        }),
        raw: maybe(d, |d| payload(d, 1)),
        newline: maybe(d, Dice::string),
        unfinished: d.flag(),
        early: d.flag(),
        knock: d.flag(),
        tls: maybe(d, |d| pick(d, &[BadTls::Untrusted, BadTls::Misnamed, BadTls::Broken])),
        chop: chop(d),
    }
}

/// Any scenario that a case file can say.
pub fn scenario(d: &mut Dice<'_>) -> Scenario {
    let id = some(d, 1, |d| pick(d, &["1", "10", "F", "x-y", "007"])).join(".");
    let roles = [vec![Role::Server], vec![Role::Client], vec![Role::Server, Role::Client]];
    let needs = [vec![], vec![Need::Echo], vec![Need::Deflate], vec![Need::Echo, Need::Deflate]];
    Scenario {
        id: id.parse().expect("made of parts"),
        title: d.string(),
        why: d.string(),
        rules: some(d, 1, Dice::string).into_iter().map(RuleId::new).collect(),
        roles: pick(d, &roles).into_iter().collect(),
        needs: pick(d, &needs).into_iter().collect(),
        opening: if d.flag() { opening(d) } else { Opening::default() },
        steps: some(d, 0, step),
        stress: maybe(d, stress),
        accept: some(d, 1, accept),
        ending: ending(d),
        catches: some(d, 0, Dice::string),
        differs: maybe(d, Dice::string),
    }
}
