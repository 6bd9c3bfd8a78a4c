//! What is said on an open connection: a few turns, mostly lawful, and now and then one that is not.

use std::time::Duration;

use arbitrary::Unstructured;
use wsgrade_cases::model::{
    Awaited, Chop, ChopAt, End, Ending, Frame, Length, Mask, Payload, Saw, Scenario, Step,
};
use wsgrade_codec::Kind;
use wsgrade_codec::wire::{Opcode, Rsv};

use super::compressed::{self, Deflate};
use super::dice::Dice;
use super::{Brief, ID, frame, payload};

/// The most turns.
const TURNS: usize = 7;

pub(super) fn sketch(brief: &Brief, u: &mut Unstructured<'_>) -> Scenario {
    let mut scenario = Scenario::uncatalogued(ID, Vec::new(), Saw::Anything, Ending::ordinary());
    if brief.deflate && u.weigh(&[3, 2]) == 1 {
        scenario.opening.deflate = vec![compressed::wish(u)];
    }
    let mut talk = Talk {
        deflate: Deflate::new(&scenario.opening.deflate, brief.role.peer()),
        u,
        steps: Vec::new(),
        said: Vec::new(),
        marks: 0,
    };
    for _ in 0..=talk.u.below(TURNS) {
        talk.turn();
    }
    talk.last_words();
    if talk.u.one_in(8) {
        talk.in_small_writes();
    }
    for _ in 0..talk.u.weigh(&[11, 7, 2]) {
        talk.spoil();
    }
    scenario.steps = talk.steps;
    scenario
}

/// A conversation that is being made.
struct Talk<'a, 'b> {
    u: &'a mut Unstructured<'b>,
    deflate: Option<Deflate>,
    steps: Vec<Step>,
    /// The messages so far.
    said: Vec<(Kind, Payload)>,
    marks: u32,
}

impl Talk<'_, '_> {
    fn turn(&mut self) {
        match self.u.weigh(&[10, 5, 2, 1]) {
            0 => {
                self.message();
                if self.u.one_in(6) {
                    self.steps.push(Step::Await { event: Awaited::Any, within: None });
                }
            }
            1 => {
                let body = payload::of_control(self.u);
                // Several at once, like each other or not.
                for _ in 0..self.u.pick(&[1, 1, 1, 2, 3]) {
                    let body = if self.u.one_in(2) { payload::of_control(self.u) } else { body.clone() };
                    self.send(Frame::new(Opcode::PING, body));
                }
            }
            2 => self.control(),
            _ => self.probe(),
        }
    }

    /// A message, in one frame or more.
    fn message(&mut self) {
        let again = !self.said.is_empty() && self.u.one_in(4);
        let (kind, payload) = if again {
            self.u.pick(&self.said)
        } else if self.u.one_in(3) {
            (Kind::Binary, payload::binary(self.u))
        } else {
            (Kind::Text, payload::text(self.u))
        };
        self.put(kind, &payload);
        self.said.push((kind, payload));
    }

    /// Sends a message, compressed where that is agreed on and mostly.
    fn put(&mut self, kind: Kind, payload: &Payload) {
        let plain = self.u.one_in(4);
        match &mut self.deflate {
            Some(deflate) if !plain => {
                let bytes = deflate.message(&payload.to_bytes(), self.u);
                self.fragments(kind, &Payload::Hex(bytes), Rsv::RSV1);
            }
            Some(_) | None => self.fragments(kind, payload, Rsv::NONE),
        }
    }

    fn fragments(&mut self, kind: Kind, payload: &Payload, rsv: Rsv) {
        let len = payload.len() as usize;
        let sizes = frame::cut(len, self.u);
        let mut first = Frame { rsv, ..Frame::new(Opcode::of(kind), Payload::default()) };
        if let [_] = sizes[..] {
            first.payload = payload.clone();
            return self.send(first);
        }
        let bytes = payload.to_bytes();
        let mut rest = &bytes[..];
        let between = self.u.one_in(3);
        for (n, size) in sizes.iter().enumerate() {
            let (part, after) = rest.split_at(*size);
            rest = after;
            let part = part_of(payload, part);
            let mut frame = match n {
                0 => Frame { payload: part, ..first.clone() },
                _ => Frame::new(Opcode::CONTINUATION, part),
            };
            frame.fin = n + 1 == sizes.len();
            self.send(frame);
            if between && n + 1 < sizes.len() && self.u.one_in(2) {
                self.control();
            }
        }
    }

    /// A control frame that may stand anywhere.
    fn control(&mut self) {
        match self.u.weigh(&[4, 3, 1]) {
            0 => {
                let body = payload::of_control(self.u);
                self.send(Frame::new(Opcode::PING, body));
            }
            1 => {
                let body = payload::of_control(self.u);
                self.send(Frame::new(Opcode::PONG, body));
            }
            _ => self.probe(),
        }
    }

    fn probe(&mut self) {
        self.marks += 1;
        self.steps.push(Step::Probe { mark: format!("mark {}", self.marks) });
    }

    fn send(&mut self, frame: Frame) {
        let mut frame = frame;
        if self.u.one_in(10) {
            frame.chop = frame::chop(frame.payload.len(), self.u);
        }
        self.steps.push(Step::Send(frame));
    }

    /// How it ends, if not by our ordinary Close.
    fn last_words(&mut self) {
        match self.u.weigh(&[10, 6, 2, 2, 2, 1]) {
            0 => return,
            1 => {}
            // In a message.
            2 => self.begun(),
            3 => return self.begun(),
            4 => {
                let payload = payload::text(self.u);
                let length = frame::beyond(&payload, self.u);
                return self.send(Frame { length, ..Frame::new(Opcode::TEXT, payload) });
            }
            _ => {
                let end = self.u.pick(&[End::Half, End::Half, End::Abort]);
                return self.steps.push(Step::End(end));
            }
        }
        let body = frame::close(self.u);
        self.send(Frame::new(Opcode::CLOSE, body));
        if self.u.one_in(3) {
            // What comes behind a Close is discarded.
            match self.u.one_in(2) {
                false => self.message(),
                true => self.control(),
            }
        }
    }

    /// A message that is begun and never ended.
    fn begun(&mut self) {
        let payload = payload::text(self.u);
        self.send(Frame { fin: false, ..Frame::new(Opcode::TEXT, payload) });
    }

    /// All of it in writes of a few bytes.
    fn in_small_writes(&mut self) {
        let at = ChopAt::Every(1 + self.u.below(5) as u32);
        for step in &mut self.steps {
            if let Step::Send(frame) = step {
                frame.chop = Chop { at: at.clone(), pause: Duration::ZERO };
            }
        }
    }

    // ---- what must not be ----

    fn spoil(&mut self) {
        match self.u.weigh(&[6, 5, 3]) {
            0 => {
                let at = self.u.below(self.steps.len() + 1);
                let frame = frame::unlawful(self.u);
                self.steps.insert(at, Step::Send(frame));
            }
            1 => change(&mut self.steps, self.u),
            _ => self.invalid(),
        }
    }

    /// A message whose content breaks a rule, in frames that break none.
    fn invalid(&mut self) {
        let at = self.u.below(self.steps.len() + 1);
        let rest = self.steps.split_off(at);
        let deflate = if self.u.one_in(2) { self.deflate.as_mut() } else { None };
        match deflate {
            None => {
                let payload = Payload::Hex(payload::not_utf8(self.u));
                self.fragments(Kind::Text, &payload, Rsv::NONE);
            }
            Some(deflate) => {
                let bytes = match self.u.weigh(&[2, 2, 1, 1]) {
                    0 => deflate.message(&payload::not_utf8(self.u), self.u),
                    // Blocks of a kind that there is not, a length that is not confirmed, a reference to nothing.
                    1 => self
                        .u
                        .pick(&[&b"\x07"[..], b"\x00\x05\x00\xfb\xffHello\x00", b"\x03\x02\x00", b"\xff\xff"])
                        .to_vec(),
                    2 => {
                        let mut bytes = deflate.message(&payload::text(self.u).to_bytes(), self.u);
                        bytes.truncate(self.u.below(bytes.len()));
                        bytes
                    }
                    _ => {
                        let mut bytes = deflate.message(&payload::text(self.u).to_bytes(), self.u);
                        let at = self.u.below(bytes.len());
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << self.u.below(8);
                        }
                        bytes
                    }
                };
                self.fragments(Kind::Text, &Payload::Hex(bytes), Rsv::RSV1);
            }
        }
        self.steps.extend(rest);
    }
}

/// A part of a payload, in words as simple as those of the whole.
fn part_of(whole: &Payload, part: &[u8]) -> Payload {
    match whole {
        Payload::Repeat { unit, .. } if unit.len() == 1 && !part.is_empty() => {
            Payload::Repeat { unit: unit.clone(), len: part.len() as u64 }
        }
        _ => payload::bytes(part.to_vec()),
    }
}

/// Changes something in one of the frames, which mostly breaks a rule.
pub(super) fn change(steps: &mut [Step], u: &mut Unstructured<'_>) {
    let frames = steps.iter().filter(|step| matches!(step, Step::Send(_))).count();
    let at = u.below(frames);
    let frame = steps.iter_mut().filter_map(|step| match step {
        Step::Send(frame) => Some(frame),
        Step::More { .. }
        | Step::Raw { .. }
        | Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => None,
    });
    let Some(frame) = { frame }.nth(at) else { return };
    match u.weigh(&[3, 3, 3, 3, 2, 3, 2]) {
        0 => frame.opcode = Opcode::from_first_byte(u.below(16) as u8),
        1 => frame.rsv = if frame.rsv.is_empty() || u.one_in(2) { frame::rsv(u) } else { Rsv::NONE },
        2 => frame.fin = !frame.fin,
        3 => {
            frame.mask =
                if frame.mask == Mask::RoleDefault { frame::wrong_mask(u) } else { Mask::RoleDefault }
        }
        4 => {
            frame.length = match (frame.length, u.one_in(3)) {
                (Length::Minimal, false) => frame::long_form(&frame.payload, u),
                (Length::Minimal, true) => frame::beyond(&frame.payload, u),
                (Length::Form(_) | Length::Declared { .. }, _) => Length::Minimal,
            }
        }
        5 => {
            let mut bytes = frame.payload.to_bytes();
            let at = u.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u.pick(&[0xFF, 0x80, 0xC3, 0xE2, 0xED, 0, b'a']);
            }
            frame.payload = payload::bytes(bytes);
        }
        _ => {
            let mut bytes = frame.payload.to_bytes();
            bytes.truncate(u.below(bytes.len()));
            frame.payload = payload::bytes(bytes);
        }
    }
}
